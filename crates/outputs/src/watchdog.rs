//! Notices deliveries that take too long: says which output hangs, counts it, and goes on.

use crate::counters::Counters;
use crate::sink::Desk;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What one worker is doing.
#[derive(Debug)]
pub(crate) struct Busy {
    origin: Instant,
    /// Milliseconds from the origin to the begin of the delivery, plus one; 0 when there is none.
    since: AtomicU64,
    told: AtomicBool,
}

impl Busy {
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now(), since: AtomicU64::new(0), told: AtomicBool::new(false) }
    }

    /// A delivery begins.
    pub(crate) fn begin(&self) {
        self.since.store(self.now() + 1, SeqCst);
    }

    /// It is over: whether it was told of as a hanging one.
    pub(crate) fn end(&self) -> bool {
        self.since.store(0, SeqCst);
        self.told.swap(false, SeqCst)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }

    /// How long the present delivery has been going on.
    fn duration(&self) -> Option<Duration> {
        let since = self.since.load(SeqCst);
        (since > 0).then(|| Duration::from_millis(self.now().saturating_sub(since - 1)))
    }
}

/// The thread that looks after all workers.
pub(crate) struct Watchdog {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Looks after workers whose deliveries should take no longer than `timeout`; 0 looks after none.
    pub(crate) fn start(workers: Vec<(Arc<Desk>, Arc<Busy>)>, timeout: Duration) -> std::io::Result<Self> {
        if timeout.is_zero() || workers.is_empty() {
            return Ok(Self { stop: None, thread: None });
        }
        let (stop, stopped) = bounded(0);
        let thread = std::thread::Builder::new()
            .name("outputs-watch".into())
            .spawn(move || watch(&workers, timeout, &stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Ends it.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Sleeps until the first delivery could be too long; one that begins meanwhile is noticed a timeout later at most.
fn watch(workers: &[(Arc<Desk>, Arc<Busy>)], timeout: Duration, stopped: &Receiver<()>) {
    loop {
        let mut sleep = timeout;
        for (desk, busy) in workers {
            match busy.duration() {
                Some(taken) if taken >= timeout => tell(desk, busy, timeout),
                Some(taken) => sleep = sleep.min(timeout - taken),
                None => {}
            }
        }
        match stopped.recv_timeout(sleep.max(Duration::from_millis(1))) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn tell(desk: &Desk, busy: &Busy, timeout: Duration) {
    if !busy.told.swap(true, SeqCst) {
        Counters::add(&desk.counters.timeouts);
        let (waiting, _) = desk.queue.level();
        tracing::error!(
            "\"{}\" output timeout: a delivery takes longer than {} ms, {waiting} alerts wait for it; detection and the other outputs go on",
            desk.name,
            timeout.as_millis()
        );
    }
}
