//! Captures that begin with a rule's match, and hold the seconds before it.
//!
//! A thread of its own keeps the last events in a ring, bounded in time and bytes. What leaves the ring is applied to a
//! second state, which so is always that of the ring's first event: its tables begin the file, and the events before the
//! match are understood like those after it. Detection only copies bytes; where the thread cannot follow, what it misses
//! is counted.

use crate::config::{CaptureSettings, Config};
use crate::detector::Detector;
use crate::failure::Failure;
use crate::gaps::now;
use crate::output::{Output, hostname};
use crate::playback::Playback;
use peregrine_alert::{Alert, Json, Priority};
use peregrine_capture::tables::Tables;
use peregrine_capture::{CaptureError, Compression, Writer};
use peregrine_event::Event;
use peregrine_state::{Options, State};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Events are handed over in pieces of so many bytes.
const CHUNK: usize = 64 << 10;
/// Pieces that may wait.
const QUEUE: usize = 256;

/// What the thread has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A capture grew to the configured size: it in MiB, and the bytes that were written.
    Full(u64, u64),
    /// A capture could not be written.
    Failed(String),
    /// A capture is complete.
    Written(PathBuf, u64),
}

/// A match.
#[derive(Debug, Clone, Copy)]
pub struct Trigger {
    /// Number of the event.
    pub num: u64,
    /// Its time in nanoseconds.
    pub ts: u64,
    /// How long the rule wants it recorded.
    pub duration: Duration,
    /// Whether it begins a capture, or only prolongs one.
    pub begins: bool,
}

enum Work {
    Section(Box<Tables>),
    Events(Vec<u8>),
    Trigger(Trigger),
    Configure(CaptureSettings),
}

/// The recorder as the state's side, which hands it events, and the rules' side, which tells of matches, share it.
pub type Shared = Arc<Mutex<Recorder>>;

/// The recorder, whatever happened to another who held it.
pub fn locked(recorder: &Shared) -> MutexGuard<'_, Recorder> {
    recorder.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A recorder, where the configuration asks for captures.
///
/// # Errors
/// As [`Recorder::start`].
pub fn start(config: &Config, live: bool) -> Result<Option<Shared>, Failure> {
    if !config.capture.enabled {
        return Ok(None);
    }
    Ok(Some(Arc::new(Mutex::new(Recorder::start(&config.capture, live)?))))
}

/// Begins captures of what `playback` is shown and `detector` matches, where the configuration asks for them.
///
/// # Errors
/// As [`Recorder::start`].
pub fn attach(
    config: &Config,
    live: bool,
    playback: &mut Playback,
    detector: &mut Detector,
) -> Result<Option<Shared>, Failure> {
    let recorder = start(config, live)?;
    if let Some(recorder) = &recorder {
        playback.record(Some(Arc::clone(recorder)));
        detector.record(Arc::clone(recorder), &config.capture);
    }
    Ok(recorder)
}

/// Ends what is being written, and says what came of it.
///
/// # Errors
/// As [`Output::alert`].
pub fn end(recorder: &Shared, out: &mut Output) -> Result<(), Failure> {
    let mut recorder = locked(recorder);
    say(recorder.finish(), out)?;
    if recorder.lost() > 0 {
        tracing::warn!("{} events and matches did not reach captures", recorder.lost());
    }
    Ok(())
}

/// Says what a recorder has to say; a capture that grew too large is an alert.
///
/// # Errors
/// As [`Output::alert`].
pub fn say(notices: Vec<Notice>, out: &mut Output) -> Result<(), Failure> {
    for notice in notices {
        match notice {
            Notice::Written(path, events) => tracing::info!("capture {} written, {events} events", path.display()),
            Notice::Failed(error) => tracing::error!("a capture was not written: {error}"),
            Notice::Full(limit, written) => {
                let rule = "Falco internal: capture size limit reached";
                let message = format!("{rule}. Configured limit: {limit} MB.");
                let fields = [("max_file_size_mb", limit), ("written_bytes", written)];
                let fields = fields.map(|(key, n)| (key.to_owned(), Json::Uint(n))).to_vec();
                out.alert(Alert::internal(rule, Priority::Informational, message, fields, now(), &hostname()))?;
            }
        }
    }
    Ok(())
}

/// The side of detection.
pub struct Recorder {
    work: Option<SyncSender<Work>>,
    notices: Receiver<Notice>,
    thread: Option<JoinHandle<()>>,
    chunk: Vec<u8>,
    /// Events of the piece.
    gathered: u64,
    /// Whether what does not fit is lost, because events do not wait.
    live: bool,
    lost: u64,
}

impl Recorder {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(settings: &CaptureSettings, live: bool) -> Result<Self, Failure> {
        let (work, queue) = sync_channel(QUEUE);
        let (said, notices) = channel();
        let keeper = Keeper {
            settings: settings.clone(),
            state: State::default(),
            ring: VecDeque::new(),
            bytes: 0,
            open: None,
            said,
        };
        let thread = std::thread::Builder::new().name("recorder".into()).spawn(move || keeper.run(&queue));
        let thread = thread.map_err(|e| Failure::System(anyhow::Error::new(e).context("cannot start a thread")))?;
        Ok(Self { work: Some(work), notices, thread: Some(thread), chunk: Vec::new(), gathered: 0, live, lost: 0 })
    }

    /// Begins with these tables; what came before does not count any more.
    pub fn section(&mut self, tables: &Tables) {
        self.flush();
        self.send(Work::Section(Box::new(tables.clone())), 0);
    }

    /// Takes an event's bytes.
    #[inline]
    pub fn event(&mut self, event: &Event<'_>) {
        let bytes = event.bytes();
        self.chunk.extend_from_slice(&event.cpu.to_le_bytes());
        self.chunk.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.chunk.extend_from_slice(bytes);
        self.gathered += 1;
        if self.chunk.len() >= CHUNK {
            self.flush();
        }
    }

    /// Tells of a match of the event that was taken last.
    pub fn trigger(&mut self, trigger: Trigger) {
        self.flush();
        self.send(Work::Trigger(trigger), 0);
    }

    /// Takes other settings over, between two captures or within one.
    pub fn configure(&mut self, settings: &CaptureSettings) {
        self.flush();
        self.send(Work::Configure(settings.clone()), 0);
    }

    /// Hands over what was gathered.
    pub fn flush(&mut self) {
        if !self.chunk.is_empty() {
            let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK + 4096));
            let gathered = std::mem::take(&mut self.gathered);
            self.send(Work::Events(chunk), gathered);
        }
    }

    fn send(&mut self, work: Work, events: u64) {
        let Some(sender) = &self.work else { return };
        if !self.live {
            let _ = sender.send(work);
            return;
        }
        if let Err(TrySendError::Full(_)) = sender.try_send(work) {
            self.lost += events.max(1);
        }
    }

    /// What the thread had to say since the last call.
    pub fn notices(&self) -> impl Iterator<Item = Notice> + '_ {
        self.notices.try_iter()
    }

    /// Events and matches that the thread could not take.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Ends what is being written; what was still to be said.
    pub fn finish(&mut self) -> Vec<Notice> {
        self.flush();
        self.work = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.notices.try_iter().collect()
    }
}

/// A capture being written.
struct Open {
    writer: Writer,
    path: PathBuf,
    /// Ends at the first event from then on.
    deadline: u64,
}

/// One event of the ring: its time, its CPU, its bytes.
type Kept = (u64, u16, Box<[u8]>);

/// The side of the thread.
struct Keeper {
    settings: CaptureSettings,
    /// As it was before the ring's first event.
    state: State,
    ring: VecDeque<Kept>,
    bytes: usize,
    open: Option<Open>,
    said: Sender<Notice>,
}

impl Keeper {
    fn run(mut self, queue: &Receiver<Work>) {
        for work in queue {
            match work {
                Work::Section(tables) => self.section(*tables),
                Work::Events(chunk) => self.events(&chunk),
                Work::Trigger(trigger) => self.trigger(trigger),
                Work::Configure(settings) => self.settings = settings,
            }
        }
        self.close();
    }

    fn section(&mut self, tables: Tables) {
        self.close();
        self.ring.clear();
        self.bytes = 0;
        self.state = State::with_options(tables, Options::default());
    }

    fn events(&mut self, mut chunk: &[u8]) {
        while let Some((head, rest)) = chunk.split_first_chunk::<6>() {
            let cpu = u16::from_le_bytes([head[0], head[1]]);
            let len = u32::from_le_bytes([head[2], head[3], head[4], head[5]]) as usize;
            let (bytes, rest) = rest.split_at(len.min(rest.len()));
            chunk = rest;
            if let Ok(event) = Event::parse(bytes, cpu) {
                self.event(&event);
            }
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        let bytes = event.bytes();
        self.ring.push_back((event.ts, event.cpu, bytes.into()));
        self.bytes += bytes.len();
        self.forget(event.ts);
        let Some(open) = &mut self.open else { return };
        let wrote = open.writer.event(event, 0);
        // As upstream, of the file: what is compressed counts as that.
        let (limit, written) = (self.settings.max_file_size_mb, open.writer.stats().file_bytes);
        let over = event.ts >= open.deadline;
        match wrote {
            Err(error) => self.fail(&error),
            Ok(()) if over => self.close(),
            Ok(()) if limit > 0 && written >= limit << 20 => {
                self.close();
                let _ = self.said.send(Notice::Full(limit, written));
            }
            Ok(()) => {}
        }
    }

    /// Lets the oldest events go; the last one stays in any case.
    fn forget(&mut self, now: u64) {
        let before = u64::try_from(self.settings.before.as_nanos()).unwrap_or(u64::MAX);
        let most = usize::try_from(self.settings.before_mb << 20).unwrap_or(usize::MAX);
        while self.ring.len() > 1 {
            let Some((ts, ..)) = self.ring.front() else { return };
            if ts.saturating_add(before) >= now && before > 0 && self.bytes <= most {
                return;
            }
            self.let_go();
        }
    }

    /// Lets the oldest event go: the state becomes that of the next one.
    fn let_go(&mut self) {
        let Some((_, cpu, bytes)) = self.ring.pop_front() else { return };
        self.bytes -= bytes.len();
        if let Ok(event) = Event::parse(&bytes, cpu) {
            let context = self.state.begin(&event);
            self.state.finish(&event, &context);
        }
    }

    /// Where the size of files is bounded, what was before a match takes half of one at most.
    fn fit(&mut self) {
        let most = usize::try_from(self.settings.max_file_size_mb << 19).unwrap_or(usize::MAX);
        while most > 0 && self.bytes > most && self.ring.len() > 1 {
            self.let_go();
        }
    }

    fn trigger(&mut self, trigger: Trigger) {
        let duration = u64::try_from(trigger.duration.as_nanos()).unwrap_or(u64::MAX);
        let deadline = trigger.ts.saturating_add(duration);
        match &mut self.open {
            Some(open) => open.deadline = open.deadline.max(deadline),
            None if trigger.begins => {
                self.fit();
                let path = name(&self.settings.path_prefix, &trigger);
                match self.begin(&path) {
                    Ok(writer) => self.open = Some(Open { writer, path, deadline }),
                    Err(error) => {
                        let _ = self.said.send(Notice::Failed(error.to_string()));
                    }
                }
            }
            None => {}
        }
    }

    /// The state at the ring's start, then the ring.
    fn begin(&self, path: &Path) -> Result<Writer, CaptureError> {
        let mut writer = Writer::create(path, Compression::Gzip)?;
        writer.section(&self.state.tables())?;
        for (_, cpu, bytes) in &self.ring {
            if let Ok(event) = Event::parse(bytes, *cpu) {
                writer.event(&event, 0)?;
            }
        }
        Ok(writer)
    }

    fn fail(&mut self, error: &CaptureError) {
        self.open = None;
        let _ = self.said.send(Notice::Failed(error.to_string()));
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let notice = match open.writer.finish() {
            Ok(stats) => Notice::Written(open.path, stats.events),
            Err(error) => Notice::Failed(error.to_string()),
        };
        let _ = self.said.send(notice);
    }
}

/// `PREFIX_TIME_NUMBER.scap`, both of twenty digits.
fn name(prefix: &Path, trigger: &Trigger) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push(format!("_{:020}_{:020}.scap", trigger.ts, trigger.num));
    name.into()
}
