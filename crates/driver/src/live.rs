//! The live source of events: draining the ring buffers without being woken by them.
//!
//! A wake-up for each event costs the watched program and the consumer more than the event itself. So the kernel
//! programs wake nobody; the consumer sleeps between looks at the buffers, shorter the more arrives: a full look
//! empties the buffers, and the pause is chosen so that they stay far from full until the next.

use crate::stats::{DropReport, DropWatch, Stats};
use crate::{Config, Control, Driver, DriverError, Irregular};
use peregrine_event::Event;
use std::time::{Duration, Instant};

/// Shortest pause between two looks.
const SHORTEST: Duration = Duration::from_micros(200);
/// Longest pause: bounds the delay of an alert.
const LONGEST: Duration = Duration::from_millis(10);
/// Bytes a second that a burst out of nothing may bring to one buffer without filling it during a pause.
const BURST: u64 = 400_000_000;
/// A pause may let a buffer fill by one part in this many; more halves the pause, less than half of it doubles it.
const FILL_PART: usize = 16;

/// What one look at the buffers brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Batch {
    /// Events handed on.
    pub events: usize,
    /// Losses since the last report, compared once a second of event time.
    pub drops: Option<DropReport>,
}

/// Live events, in order.
#[derive(Debug)]
pub struct LiveSource {
    driver: Driver,
    watch: DropWatch,
    pause: Duration,
    /// Whether there was a pause since the last look.
    paused: bool,
    last_ts: u64,
    ended: bool,
}

impl LiveSource {
    /// Loads and attaches the driver. Events gather from now on: take the snapshot of `/proc` after this and before
    /// the first [`LiveSource::next_batch`], and nothing is missed between the two.
    ///
    /// # Errors
    /// As [`Driver::load`].
    pub fn start(config: &Config) -> Result<Self, DriverError> {
        let driver = Driver::load(config)?;
        Ok(Self { driver, watch: DropWatch::default(), pause: SHORTEST, paused: false, last_ts: 0, ended: false })
    }

    /// Hands on the next events, oldest first, waiting at most `timeout` for the first of them. Each event borrows the
    /// ring buffer for the time of its call. Returns with no events after the timeout, or at the end: at once when
    /// [`LiveSource::stop`] was called and everything was handed on.
    pub fn next_batch(&mut self, timeout: Duration, mut each: impl FnMut(&Event<'_>)) -> Batch {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let events = self.drain(&mut each);
            if events > 0 || self.ended {
                return Batch { events, drops: self.compare() };
            }
            let left = deadline.map_or(LONGEST, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Batch { events: 0, drops: self.compare() };
            }
            std::thread::sleep(self.pause.min(left));
            self.paused = true;
        }
    }

    fn drain(&mut self, each: &mut impl FnMut(&Event<'_>)) -> usize {
        if std::mem::take(&mut self.paused) {
            self.adapt();
        }
        let last_ts = &mut self.last_ts;
        let mut each = |event: &Event<'_>| {
            *last_ts = event.ts;
            each(event);
        };
        if self.ended { self.driver.drain_all(&mut each) } else { self.driver.drain(&mut each) }
    }

    /// Chooses the next pause from what gathered during the last one.
    fn adapt(&mut self) {
        let (size, used) = self.driver.ring_use();
        if used > size / FILL_PART {
            self.pause = (self.pause / 2).max(SHORTEST);
        } else if used < size / FILL_PART / 2 {
            let within = Duration::from_nanos(size as u64 * 1_000_000_000 / BURST);
            self.pause = (self.pause * 2).min(LONGEST).min(within);
        }
    }

    fn compare(&mut self) -> Option<DropReport> {
        if !self.watch.due(self.last_ts) && !self.ended {
            return None;
        }
        let stats = self.driver.stats().ok()?;
        self.watch.check(self.last_ts, stats.total())
    }

    /// Detaches the kernel programs. What they wrote before is still handed on by [`LiveSource::next_batch`], until
    /// it returns a batch without events.
    pub fn stop(&mut self) {
        self.driver.detach();
        self.ended = true;
    }

    /// The kernel programs' counters.
    ///
    /// # Errors
    /// [`DriverError::Map`] when the kernel refuses to read them.
    pub fn stats(&self) -> Result<Stats, DriverError> {
        self.driver.stats()
    }

    /// What the consumer found in the buffers that should not have been there.
    pub fn irregular(&self) -> Irregular {
        self.driver.irregular()
    }

    /// A handle that changes which events are wanted.
    pub fn control(&self) -> Control {
        self.driver.control()
    }

    /// The driver behind it.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }
}
