//! Live detection: every event through state and rules until it is told to stop, with what can change meanwhile.

use crate::config::Config;
use crate::containers::{self, Containers};
use crate::detector::Detector;
use crate::failure::Failure;
use crate::gaps::{Gaps, now};
use crate::interest::interest;
use crate::live::{Live, LiveArgs, Source};
use crate::metrics::{self, Published, Telemetry};
use crate::output::{Manner, Output, hostname};
use crate::playback::Playback;
use crate::recorder::{self, Shared};
use crate::reload::{Load, Next, Outcome, Reloader, unchangeable};
use crate::ruleset::Loaded;
use crate::summary::Summary;
use peregrine_alert::{Alert, Priority};
use peregrine_capture::{Compression, Writer};
use peregrine_driver::{Batch, Control, Hooks};
use peregrine_event::Event;
use peregrine_outputs::Report;
use peregrine_state::Container;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

/// How everything is loaded once more.
pub struct Again {
    /// Loads it.
    pub load: Load,
    /// What was loaded at the start.
    pub paths: Vec<PathBuf>,
    /// How alerts are told, then as before.
    pub manner: Manner,
}

/// A run that is over.
pub struct Ended {
    /// The rules, with how often they matched.
    pub detector: Detector,
    /// The closing figures.
    pub summary: Summary,
    /// Seconds with dropped events, and those of them in which something was done about it.
    pub gaps: (u64, u64),
    /// Whether a signal ended it.
    pub signalled: bool,
    /// Why it is over, where it was not told to stop.
    pub result: Result<(), Failure>,
}

/// Watches until it is told to stop; `ready` is called when everything is attached. Whoever calls it says what was seen.
///
/// # Errors
/// When it cannot begin; what ends it later is in the result.
#[expect(clippy::too_many_arguments, reason = "each is one part of the run, made by its own step")]
pub fn watch(
    config: &Config,
    mut playback: Playback,
    rules: Loaded,
    mut out: Output,
    args: &LiveArgs,
    record: Option<&Path>,
    again: Option<Again>,
    ready: impl FnOnce(&Detector, Hooks),
) -> Result<Ended, Failure> {
    let mut detector = Detector::new(rules.rules, &playback.fields, config.rule_matching)?;
    detector.limit(config.hold);
    // Before privileges are given up: its port may need some.
    let telemetry = metrics::Prepared::new(config)?;
    let mut writer = record.map(|path| Writer::create(path, Compression::Gzip)).transpose()?;
    let interest = interest(detector.engine().needs(), &config.base_syscalls);
    interest.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let (mut live, snapshot) = Live::start(config, args, interest.needs)?;
    // Only now, as all that starts a thread: before, it would keep its privileges.
    playback.know(Playback::host_names(detector.engine().host_names())?);
    if let Some(writer) = &mut writer {
        writer.section(&snapshot.tables)?;
    }
    let containers = Containers::start(config)?;
    let found = metrics::found(&snapshot.tables);
    out.start(true)?;
    let recorder = recorder::attach(config, true, &mut playback, &mut detector)?;
    playback.live(snapshot)?;
    let control = live.source().control();
    let manner = again.as_ref().map_or(Manner::Own, |again| again.manner);
    let reloader = again.map(|again| Reloader::start(again.load, config, &again.paths, control.clone())).transpose()?;
    ready(&detector, live.source().hooks());
    crate::stderr::hold_nobody_up();
    let (gaps, config) = (Gaps::new(config), config.clone());
    let (left, alerts) = (args.events.unwrap_or(u64::MAX), args.alerts.unwrap_or(u64::MAX));
    let hostname = hostname();
    let mut telemetry = telemetry.start(&hostname, metrics::From::live(&config, control.clone(), found))?;
    telemetry.rules(&detector, rules.sums);
    let running = RefCell::new(Running {
        config,
        playback,
        containers,
        detector,
        out,
        writer,
        recorder,
        gaps,
        reloader,
        control,
        manner,
        telemetry,
        hostname,
        seen: 0,
        left,
        alerts,
        last_ts: 0,
        reloads: (0, 0),
        retired: Vec::new(),
    });
    let watched = live.run(
        |event| running.borrow_mut().event(event),
        |batch, source| running.borrow_mut().between(batch, source),
        || running.borrow().is_over(),
    );
    let counted = live.source().stats()?.unwrap_or_default().total();
    let signalled = live.was_told_to_stop();
    running.into_inner().finish(watched, (counted.events(), counted.drops()), signalled)
}

struct Running {
    config: Config,
    playback: Playback,
    containers: Containers,
    detector: Detector,
    out: Output,
    writer: Option<Writer>,
    recorder: Option<Shared>,
    gaps: Gaps,
    reloader: Option<Reloader>,
    control: Option<Control>,
    manner: Manner,
    telemetry: Telemetry,
    hostname: String,
    /// Events processed.
    seen: u64,
    /// Events until the end.
    left: u64,
    /// Alerts until the end, from the start.
    alerts: u64,
    last_ts: u64,
    /// Reloads that were put in place, and that were refused.
    reloads: (u64, u64),
    /// Outputs that a reload replaced, while they deliver what they have.
    retired: Vec<JoinHandle<Vec<Report>>>,
}

impl Running {
    fn is_over(&self) -> bool {
        self.left == 0 || self.out.alerts() >= self.alerts
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), Failure> {
        if self.is_over() {
            return Ok(());
        }
        self.left -= 1;
        self.seen += 1;
        self.last_ts = event.ts;
        self.gaps.event(event.ts);
        self.pass(event)?;
        for query in self.playback.queries() {
            if let Some(unknown) = self.containers.ask(query) {
                self.tell(&unknown)?;
            }
        }
        Ok(())
    }

    /// Tells of a container.
    fn tell(&mut self, container: &Container) -> Result<(), Failure> {
        let bytes = containers::event(container, self.last_ts.max(1));
        // An event that was just written can be read.
        Event::parse(&bytes, 0).map_or(Ok(()), |event| self.pass(&event))
    }

    /// Passes an event through the recording, the state and the rules.
    fn pass(&mut self, event: &Event<'_>) -> Result<(), Failure> {
        if let Some(writer) = &mut self.writer {
            writer.event(event, 0)?;
        }
        let (detector, out) = (&mut self.detector, &mut self.out);
        self.playback.event(event, false, |moment, fields| detector.look(moment, fields, out)).unwrap_or(Ok(()))
    }

    fn between(&mut self, batch: &Batch, source: &Source) -> Result<(), Failure> {
        self.out.tend()?;
        for container in self.containers.answers() {
            self.tell(&container)?;
        }
        if self.detector.is_holding() {
            // What waits goes on waiting while there are events that may be older than the clock.
            let now = if batch.events > 0 { self.last_ts } else { now() };
            self.detector.tend(self.playback.view(), now, &mut self.out)?;
        }
        self.publish(batch, source);
        if matches!(source, Source::Driver(_)) {
            self.gaps.look(batch, self.last_ts, &mut self.out)?;
        }
        if let Some(recorder) = &self.recorder {
            let mut recorder = recorder::locked(recorder);
            recorder.flush();
            let notices = recorder.notices().collect();
            recorder::say(notices, &mut self.out)?;
        }
        match self.reloader.as_ref().and_then(Reloader::outcome) {
            None => Ok(()),
            Some(Outcome::Ready(next)) => self.replace(*next),
            Some(Outcome::Refused(reason)) => self.refused(&reason),
        }
    }

    fn publish(&mut self, batch: &Batch, source: &Source) {
        let (playback, detector, out, containers) = (&self.playback, &self.detector, &self.out, &self.containers);
        let (events, reloads, last_ts) = (self.seen, self.reloads, self.last_ts);
        self.telemetry.turn(|empty| Published {
            events,
            lag_ns: if batch.events > 0 { now().saturating_sub(last_ts) } else { 0 },
            kernel: source.stats().ok().flatten(),
            hooks: source.hooks(),
            state: playback.counters(),
            matches: detector.engine().matches().to_vec(),
            reloads,
            outputs: out.outputs(),
            containers: containers.figures(),
            held: detector.held(),
            ..empty
        });
    }

    /// Puts what was loaded in place; nothing that is known of the machine changes. What can be refused comes first.
    fn replace(&mut self, next: Next) -> Result<(), Failure> {
        let (out, started) = match self.begin_anew(&next.config) {
            Ok(begun) => begun,
            Err(failure) => return self.refused(&failure.text()),
        };
        let Next { config, mut detector, sums, fields, needs, names } = next;
        for name in unchangeable(&self.config, &config) {
            tracing::warn!("{name} changed; it holds from the next start");
        }
        if let Some(new) = out {
            let mut old = std::mem::replace(&mut self.out, new);
            self.retired.push(std::thread::spawn(move || old.finish().0));
        }
        self.detector.tend(self.playback.view(), u64::MAX, &mut self.out)?;
        detector.limit(config.hold);
        detector.adopt(&self.detector);
        self.record_anew(started, &config, &mut detector)?;
        self.detector = detector;
        self.telemetry.rules(&self.detector, sums);
        self.playback.configure(&config, fields);
        self.playback.know(names);
        self.gaps.configure(&config);
        self.config = config;
        // Only now: what the old rules needed was wanted until here.
        if let Some(control) = &self.control {
            control.set_needs(&needs)?;
        }
        self.reloads.0 += 1;
        let rules = self.detector.engine().rules().len();
        tracing::info!("loaded anew: {rules} rules, reload {}", self.reloads.0);
        Ok(())
    }

    /// Starts what the configuration asks for and is not there: outputs, a recorder, web server and snapshots.
    fn begin_anew(&mut self, config: &Config) -> Result<(Option<Output>, Option<Shared>), Failure> {
        let mut out = None;
        if crate::output::differs(&self.config, config) {
            let mut new = Output::new(config, self.manner)?;
            new.start(true)?;
            new.count_on(&self.out);
            out = Some(new);
        }
        let recorder = if self.recorder.is_none() { recorder::start(config, true)? } else { None };
        self.telemetry.configure(config)?;
        Ok((out, recorder))
    }

    /// Goes on with captures, or begins with them, or ends them.
    fn record_anew(
        &mut self,
        started: Option<Shared>,
        config: &Config,
        detector: &mut Detector,
    ) -> Result<(), Failure> {
        if let (Some(recorder), false) = (&self.recorder, config.capture.enabled) {
            self.playback.record(None);
            recorder::end(recorder, &mut self.out)?;
            self.recorder = None;
        }
        if let Some(recorder) = started {
            self.playback.record_from_now(Arc::clone(&recorder));
            self.recorder = Some(recorder);
        }
        if let Some(recorder) = &self.recorder {
            recorder::locked(recorder).configure(&config.capture);
            detector.record(Arc::clone(recorder), &config.capture);
        }
        Ok(())
    }

    fn refused(&mut self, reason: &str) -> Result<(), Failure> {
        self.reloads.1 += 1;
        tracing::error!("not loaded anew, what was loaded before stays at work: {reason}");
        let rule = "Falco internal: hot restart failure";
        let message = format!("{rule}: {reason}");
        self.out.alert(Alert::internal(rule, Priority::Critical, message, Vec::new(), now(), &self.hostname))
    }

    fn finish(
        mut self,
        watched: Result<(), Failure>,
        (events, drops): (u64, u64),
        signalled: bool,
    ) -> Result<Ended, Failure> {
        drop(self.reloader.take());
        let last = self.containers.answers();
        let told_of = last.iter().try_for_each(|container| self.tell(container));
        let released = told_of.and(self.detector.tend(self.playback.view(), u64::MAX, &mut self.out));
        // No snapshot comes after the last alert.
        drop(self.telemetry);
        if let Some(writer) = self.writer.take() {
            writer.finish()?;
        }
        if let Some(recorder) = &self.recorder {
            recorder::end(recorder, &mut self.out)?;
        }
        let (mut reports, told) = self.out.finish();
        for retired in self.retired {
            reports.extend(retired.join().unwrap_or_default());
        }
        let summary = Summary::new(events, drops, &self.detector, reports).with_reloads(self.reloads);
        let result = watched.and(released).and(told);
        Ok(Ended { detector: self.detector, summary, gaps: self.gaps.noticed, signalled, result })
    }
}
