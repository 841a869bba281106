//! What every output does: deliver messages in their order, open anew, close.

use crate::counters::{Counters, Report};
use crate::error::{Cause, Error};
use crate::message::Message;
use crate::queue::Queue;
use crate::signals::Signals;
use std::sync::{Arc, OnceLock};

/// A delivery that failed part of the way.
#[derive(Debug)]
pub struct Failed {
    /// How many messages at the front were taken over before.
    pub taken: usize,
    /// What happened to the one after them.
    pub error: Error,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { taken: 0, error }
    }
}

/// An output's way to its receiver. It lives in a thread of its own and may take its time.
pub trait Sink: Send {
    /// Tries once to deliver messages, the oldest first; how many of them it took over. What it took over it reports to
    /// the desk as delivered or lost, now or by [`Sink::close`] at the latest.
    ///
    /// # Errors
    /// Says how many were taken over and why the next one could not be. Whether that one is tried again is not the
    /// sink's concern.
    fn deliver(&mut self, messages: &[Message], desk: &Desk) -> Result<usize, Failed>;

    /// How many messages one call of [`Sink::deliver`] may be given.
    fn batch(&self) -> usize {
        1
    }

    /// Opens anew whatever is open: after rotation of a file, change of a certificate.
    fn reopen(&mut self, desk: &Desk);

    /// Called about once a second while nothing is to be delivered, if [`Sink::watches`] says so.
    fn idle(&mut self, desk: &Desk) {
        let _ = desk;
    }

    /// Whether something is to be looked after while nothing is to be delivered.
    fn watches(&self) -> bool {
        false
    }

    /// How many answers in a row may fail to come for one message before it is given up; `None`: only its age counts.
    fn max_timeouts(&self) -> Option<u32> {
        None
    }

    /// Comes to an end: reports what it still holds.
    fn close(&mut self, desk: &Desk) {
        let _ = desk;
    }
}

/// Where one output keeps account of its messages.
pub struct Desk {
    /// Name of the output.
    pub name: &'static str,
    /// Its counters.
    pub counters: Counters,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) signals: Signals,
    pub(crate) ended: OnceLock<Error>,
}

impl Desk {
    pub(crate) fn new(name: &'static str, queue: Arc<dyn Queue>) -> std::io::Result<Self> {
        let (counters, signals) = (Counters::default(), Signals::new()?);
        Ok(Self { name, counters, queue, signals, ended: OnceLock::new() })
    }

    /// A message arrived.
    pub fn delivered(&self, message: &Message) {
        self.counters.delivered(message.age());
        self.queue.settle(message);
    }

    /// A message will not arrive.
    pub fn lost(&self, message: &Message, cause: Cause, why: &str) {
        self.missed(cause, why);
        self.queue.settle(message);
    }

    /// A message that never was in the queue will not arrive. The log tells of the first to each cause and then of
    /// each time that their number doubled.
    pub(crate) fn missed(&self, cause: Cause, why: &str) {
        let lost = self.counters.lost(cause) + 1;
        if lost.is_power_of_two() {
            tracing::error!("output {}: {lost} alerts lost so far ({}): {why}", self.name, cause.name());
        }
    }

    pub(crate) fn report(&self) -> Report {
        let (waiting, bytes) = self.queue.level();
        self.counters.report(self.name, waiting, bytes)
    }
}
