//! All outputs together: alerts are handed to each, and at the end it is known what became of every one.

use crate::counters::{Counters, Report};
use crate::error::{Cause, Error};
use crate::message::Message;
use crate::queue::{MemoryQueue, Queue};
use crate::settings::{Overflow, Settings};
use crate::sink::{Desk, Sink};
use crate::table::OUTPUTS;
use crate::watchdog::{Busy, Watchdog};
use crate::worker::{Patience, Worker};
use crossbeam_channel::{Receiver, bounded};
use peregrine_alert::{Alert, Layout};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a full queue is waited for before it is looked whether its worker still lives.
const ROOM: Duration = Duration::from_millis(100);
/// How long an end that came in time may take to be told.
const TELL: Duration = Duration::from_millis(1500);

/// Outputs that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings of an output make no sense.
    #[error("output {output}: {error}")]
    Output {
        /// Which.
        output: &'static str,
        /// Why.
        error: Error,
    },
    /// The system refuses a thread or a descriptor.
    #[error("cannot start outputs: {0}")]
    System(#[from] std::io::Error),
}

/// The outputs at work. Shared by reference; all of it may be called from any thread.
pub struct Outputs {
    channels: Vec<Channel>,
    layout: Arc<Layout>,
    overflow: Overflow,
    grace: Duration,
    stopping: AtomicBool,
    watchdog: Mutex<Watchdog>,
}

/// One output: its account, and the news that its thread has ended.
struct Channel {
    desk: Arc<Desk>,
    done: Receiver<()>,
}

/// Outputs that are made but not at work: their settings are right, no thread runs yet. Threads have the privileges of
/// whoever starts them, so that making comes before privileges are given up and starting after.
pub struct Prepared {
    settings: Settings,
    sinks: Vec<(&'static str, Box<dyn Sink>)>,
}

impl Prepared {
    /// Makes every output that the settings ask for.
    ///
    /// # Errors
    /// When the settings of one are wrong.
    pub fn new(settings: Settings) -> Result<Self, StartError> {
        let mut sinks = Vec::new();
        for row in OUTPUTS {
            if let Some(sink) = (row.open)(&settings) {
                let sink = sink.map_err(|error| StartError::Output { output: row.name, error })?;
                sinks.push((row.name, sink));
            }
        }
        Ok(Self { settings, sinks })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sinks.is_empty()
    }

    /// Starts them, with queues in memory.
    ///
    /// # Errors
    /// When the system refuses a thread or a descriptor.
    pub fn start(self, overflow: Overflow) -> Result<Outputs, StartError> {
        let settings = Settings { overflow, ..self.settings };
        let (capacity, max_bytes) = (settings.capacity, settings.max_bytes);
        Outputs::with_sinks(&settings, self.sinks, &mut |_| Arc::new(MemoryQueue::new(capacity, max_bytes)))
    }
}

impl Outputs {
    /// Makes and starts every output that the settings ask for, with queues in memory.
    ///
    /// # Errors
    /// When the settings of one are wrong, or the system refuses a thread.
    pub fn start(settings: &Settings) -> Result<Self, StartError> {
        Prepared::new(settings.clone())?.start(settings.overflow)
    }

    /// Starts sinks, each with the queue that `queue` makes for its name.
    ///
    /// # Errors
    /// When the system refuses a thread or a descriptor.
    pub fn with_sinks(
        settings: &Settings,
        sinks: Vec<(&'static str, Box<dyn Sink>)>,
        queue: &mut dyn FnMut(&'static str) -> Arc<dyn Queue>,
    ) -> Result<Self, StartError> {
        let alone = sinks.len() == 1;
        let (mut channels, mut watched) = (Vec::new(), Vec::new());
        for (name, sink) in sinks {
            let desk = Arc::new(Desk::new(name, queue(name))?);
            let busy = Arc::new(Busy::new());
            let patience = Patience {
                max_age: settings.max_age,
                max_timeouts: sink.max_timeouts(),
                max_backoff: settings.max_backoff,
                ends: alone && name == "stdout",
            };
            let worker = Worker::new(sink, Arc::clone(&desk), Arc::clone(&busy), patience);
            let (ended, done) = bounded::<()>(0);
            std::thread::Builder::new().name(format!("output-{name}")).spawn(move || {
                worker.run();
                drop(ended);
            })?;
            watched.push((Arc::clone(&desk), busy));
            channels.push(Channel { desk, done });
        }
        let watchdog = Mutex::new(Watchdog::start(watched, settings.timeout)?);
        Ok(Self {
            channels,
            layout: Arc::new(settings.layout.clone()),
            overflow: settings.overflow,
            grace: settings.grace,
            stopping: AtomicBool::new(false),
            watchdog,
        })
    }

    /// Hands an alert to every output. Never waits, unless the settings say that it shall.
    pub fn send(&self, alert: Alert) {
        if self.channels.is_empty() {
            return;
        }
        let message = Message::new(alert, Arc::clone(&self.layout));
        for channel in &self.channels {
            Counters::add(&channel.desk.counters.offered);
            if self.stopping.load(SeqCst) {
                channel.desk.missed(Cause::Shutdown, "it was raised after the end");
                continue;
            }
            if let Err(cause) = channel.offer(&message, self.overflow) {
                channel.desk.missed(cause, "its queue is full; the alert is dropped and detection goes on");
            }
        }
    }

    /// Has every output opened anew.
    pub fn reopen(&self) {
        for channel in &self.channels {
            channel.desk.signals.request_reopen();
            channel.desk.queue.wake();
        }
    }

    /// Why there is no point in going on: the only output is one whose reader has left for good.
    pub fn ended(&self) -> Option<&Error> {
        self.channels.iter().find_map(|channel| channel.desk.ended.get())
    }

    /// What became of the alerts so far, one report an output.
    pub fn reports(&self) -> Vec<Report> {
        self.channels.iter().map(|channel| channel.desk.report()).collect()
    }

    /// Comes to an end: delivers what is queued as long as the time of grace lasts, and counts the rest as lost. May be
    /// called again, to no effect.
    pub fn stop(&self) -> Vec<Report> {
        if self.stopping.swap(true, SeqCst) {
            return self.reports();
        }
        let deadline = Instant::now() + self.grace;
        for channel in &self.channels {
            channel.desk.signals.request_stop(deadline);
            channel.desk.queue.wake();
        }
        let reports = self.channels.iter().map(|channel| channel.settle(deadline + TELL)).collect();
        if let Ok(mut watchdog) = self.watchdog.lock() {
            watchdog.stop();
        }
        reports
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Channel {
    fn offer(&self, message: &Message, overflow: Overflow) -> Result<(), Cause> {
        loop {
            match (self.desk.queue.offer(message.clone()), overflow) {
                (Err(_), Overflow::Wait) if !self.gone() => self.desk.queue.wait_for_room(ROOM),
                (result, _) => return result,
            }
        }
    }

    /// Whether the worker has ended.
    fn gone(&self) -> bool {
        matches!(self.done.try_recv(), Err(crossbeam_channel::TryRecvError::Disconnected))
    }

    /// Waits for the worker. One that hangs is left behind: what it has in hand counts as lost.
    fn settle(&self, until: Instant) -> Report {
        let _ = self.done.recv_deadline(until);
        let report = self.desk.report();
        let open = report.offered.saturating_sub(report.delivered + report.lost_total());
        for _ in 0..open {
            self.desk.missed(Cause::Shutdown, "it hangs; what it has not delivered is left behind");
        }
        self.desk.report()
    }
}
