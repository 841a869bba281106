//! `peregrine run`: live detection.

use crate::cli::{ConfigArgs, RulesArgs};
use crate::config::{Config, DropAction};
use crate::detector::Detector;
use crate::failure::Failure;
use crate::interest::interest;
use crate::live::{Live, LiveArgs};
use crate::output::{Output, hostname};
use crate::playback::Playback;
use crate::ruleset;
use crate::summary::Summary;
use peregrine_alert::{DropCounts, Priority};
use peregrine_capture::{Compression, Writer};
use peregrine_driver::DropReport;
use peregrine_engine::throttle::TokenBucket;
use peregrine_rules::Rule;
use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// The command's options.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    rules: RulesArgs,
    /// Alerts as JSON lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    live: LiveArgs,
    /// Write every event that is seen to this capture as well
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write the closing figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    stats: Option<PathBuf>,
}

/// Watches until it is told to stop.
pub fn execute(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    let playback = Playback::new(&config);
    let loaded = ruleset::load(&config, &args.rules, &playback.fields)?;
    let files = loaded.files;
    let out = Output::new(&config, args.json)?;
    let ended = watch(&config, playback, loaded.rules, out, &args.live, args.record.as_deref(), |detector| {
        announce(detector, files);
    })?;
    ended.summary.print();
    if let Some(path) = &args.stats {
        ended.summary.write(path)?;
    }
    ended.result
}

/// A run that is over.
pub struct Ended {
    /// The rules, with how often they matched.
    pub detector: Detector,
    /// The closing figures.
    pub summary: Summary,
    /// Why it is over, where it was not told to stop.
    pub result: Result<(), Failure>,
}

/// Watches until it is told to stop; `ready` is called when everything is attached. Whoever calls it says what was seen.
pub fn watch(
    config: &Config,
    mut playback: Playback,
    rules: Vec<Rule>,
    out: Output,
    args: &LiveArgs,
    record: Option<&Path>,
    ready: impl FnOnce(&Detector),
) -> Result<Ended, Failure> {
    let mut detector = Detector::new(rules, &playback.fields, config.rule_matching)?;
    let out = RefCell::new(out);
    let mut writer = record.map(|path| Writer::create(path, Compression::Gzip)).transpose()?;
    let mut gaps = Gaps::new(config);

    let interest = interest(detector.engine().needs(), &config.base_syscalls);
    interest.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let (mut live, snapshot) = Live::start(config, args, interest.needs)?;
    if let Some(writer) = &mut writer {
        writer.section(&snapshot.tables)?;
    }
    out.borrow_mut().start(true)?;
    playback.live(snapshot)?;
    ready(&detector);
    let watched = live.run(
        |event| {
            if let Some(writer) = &mut writer {
                writer.event(event, 0)?;
            }
            let out = &mut out.borrow_mut();
            playback.event(event, false, |moment, fields| detector.look(moment, fields, out)).unwrap_or(Ok(()))
        },
        |drops| {
            let out = &mut out.borrow_mut();
            out.tend()?;
            drops.map_or(Ok(()), |drops| gaps.notice(&drops, out))
        },
        || false,
    );
    if let Some(writer) = writer {
        writer.finish()?;
    }
    let counted = live.stats()?.total();
    let (reports, told) = out.borrow_mut().finish();
    let summary = Summary::new(counted.events(), counted.drops(), &detector, reports);
    let result = watched.and(told);
    Ok(Ended { detector, summary, result })
}

/// One line that says what is watched, and at a terminal what to try.
fn announce(detector: &Detector, files: usize) {
    let kernel = rustix::system::uname();
    let rules = detector.engine().rules().len();
    let events = detector.engine().needs().codes.len();
    tracing::info!(
        "watching: kernel {} through BPF programs, {rules} rules of {files} files on {events} kinds of events, source syscall",
        kernel.release().to_string_lossy()
    );
    if std::io::stderr().is_terminal() {
        tracing::info!("try, in another shell: cat /etc/shadow; Ctrl-C stops");
    }
}

/// What is done about dropped events, and how often.
struct Gaps<'a> {
    config: &'a Config,
    bucket: Option<TokenBucket>,
    hostname: String,
    alerts: bool,
}

impl<'a> Gaps<'a> {
    fn new(config: &'a Config) -> Self {
        let alerts = config.priority.parse().is_ok_and(|least: Priority| least >= Priority::Debug);
        Self { config, bucket: None, hostname: hostname(), alerts }
    }

    fn notice(&mut self, report: &DropReport, out: &mut Output) -> Result<(), Failure> {
        let drops = &self.config.drops;
        if report.ratio() <= drops.threshold {
            return Ok(());
        }
        let bucket = self.bucket.get_or_insert_with(|| TokenBucket::new(drops.rate, drops.max_burst, report.ts));
        if !bucket.claim(report.ts) {
            return Ok(());
        }
        for action in &drops.actions {
            match action {
                DropAction::Ignore => {}
                DropAction::Log => tracing::warn!(
                    "{} events were dropped in the last second: what is known of processes and descriptors may be stale",
                    report.delta.drops()
                ),
                DropAction::Alert if self.alerts => out.alert(counts(report).alert(report.ts, &self.hostname))?,
                DropAction::Alert => {}
                DropAction::Exit => {
                    return Err(Failure::System(anyhow::anyhow!("events were dropped; ending, as configured")));
                }
            }
        }
        Ok(())
    }
}

fn counts(report: &DropReport) -> DropCounts {
    let n = |name| report.delta.get(name);
    DropCounts {
        n_evts: report.delta.events(),
        n_drops: report.delta.drops(),
        n_drops_buffer_total: n("n_drops_buffer"),
        n_drops_buffer_clone_fork_exit: n("n_drops_buffer_clone_fork_exit"),
        n_drops_buffer_execve_exit: n("n_drops_buffer_execve_exit"),
        n_drops_buffer_connect_exit: n("n_drops_buffer_connect_exit"),
        n_drops_buffer_open_exit: n("n_drops_buffer_open_exit"),
        n_drops_buffer_dir_file_exit: n("n_drops_buffer_dir_file_exit"),
        n_drops_buffer_other_interest_exit: n("n_drops_buffer_other_interest_exit"),
        n_drops_buffer_close_exit: n("n_drops_buffer_close_exit"),
        n_drops_buffer_proc_exit: n("n_drops_buffer_proc_exit"),
        n_drops_scratch_map: n("n_drops_scratch_map"),
        ..DropCounts::default()
    }
}
