//! The thread of one output: takes messages, has them delivered, tries again what may succeed later, gives up in time.

use crate::backoff::Backoff;
use crate::counters::Counters;
use crate::error::{Cause, Error};
use crate::message::Message;
use crate::queue::Taken;
use crate::sink::{Desk, Failed, Sink};
use crate::watchdog::Busy;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many messages are in hand at most.
const HAND: usize = 256;
/// How often an idle sink that watches something is asked to look.
const IDLE: Duration = Duration::from_secs(1);
/// How often the log tells that an output still does not work.
const REMIND: Duration = Duration::from_secs(60);

/// When a message is given up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// A message that is older is not tried again.
    pub(crate) max_age: Duration,
    /// How many answers in a row may fail to come for one message.
    pub(crate) max_timeouts: Option<u32>,
    /// The longest wait between two attempts.
    pub(crate) max_backoff: Duration,
    /// A failure that lasts is an end: without this output nobody is told.
    pub(crate) ends: bool,
}

/// One output at work.
pub(crate) struct Worker {
    sink: Box<dyn Sink>,
    desk: Arc<Desk>,
    busy: Arc<Busy>,
    patience: Patience,
    backoff: Backoff,
    hand: VecDeque<Message>,
    timeouts: u32,
    trouble: Option<Trouble>,
}

/// Since when deliveries fail, and what was told of it.
struct Trouble {
    since: Instant,
    told: Instant,
    failures: u64,
}

impl Worker {
    pub(crate) fn new(sink: Box<dyn Sink>, desk: Arc<Desk>, busy: Arc<Busy>, patience: Patience) -> Self {
        let backoff = Backoff::new(patience.max_backoff);
        Self { sink, desk, busy, patience, backoff, hand: VecDeque::new(), timeouts: 0, trouble: None }
    }

    /// Works until it is told to stop and has nothing left to do, or no time to do it.
    pub(crate) fn run(mut self) {
        loop {
            self.reopen_if_asked();
            let wait = match self.desk.signals.stop() {
                Some(_) => Some(Duration::ZERO),
                None => self.sink.watches().then_some(IDLE),
            };
            match self.desk.queue.take(HAND, wait) {
                Taken::Messages(messages) => {
                    self.hand.extend(messages);
                    self.work_off();
                }
                Taken::Woken => {}
                Taken::Idle if self.desk.signals.stop().is_some() => break,
                Taken::Idle => self.sink.idle(&self.desk),
            }
        }
        self.busy.begin();
        self.sink.close(&self.desk);
        self.busy.end();
    }

    /// Delivers what is in hand; at the end none of it is left.
    fn work_off(&mut self) {
        while !self.hand.is_empty() {
            if self.desk.signals.over() {
                self.give_up_all(Cause::Shutdown, "the time to deliver before the end is over");
                return;
            }
            self.reopen_if_asked();
            match self.attempt() {
                Ok(taken) => self.succeeded(taken),
                Err(failed) => {
                    self.succeeded(failed.taken);
                    self.failed(&failed.error);
                }
            }
        }
    }

    fn reopen_if_asked(&mut self) {
        if self.desk.signals.take_reopen() {
            self.sink.reopen(&self.desk);
        }
    }

    fn attempt(&mut self) -> Result<usize, Failed> {
        let most = self.sink.batch().clamp(1, HAND);
        let messages = &self.hand.make_contiguous()[..];
        let messages = &messages[..most.min(messages.len())];
        self.busy.begin();
        let result = self.sink.deliver(messages, &self.desk);
        if self.busy.end() {
            tracing::warn!("output {}: the delivery that took so long is over", self.desk.name);
        }
        result
    }

    fn succeeded(&mut self, taken: usize) {
        if taken == 0 {
            return;
        }
        self.hand.drain(..taken.min(self.hand.len()));
        self.timeouts = 0;
        self.backoff.reset();
        if let Some(trouble) = self.trouble.take() {
            tracing::warn!(
                "output {}: works again after {} s and {} failed attempts",
                self.desk.name,
                trouble.since.elapsed().as_secs(),
                trouble.failures
            );
        }
    }

    fn failed(&mut self, error: &Error) {
        if self.patience.ends && !error.retry {
            let _ = self.desk.ended.set(error.clone());
        }
        self.timeouts = if error.cause == Cause::Timeout { self.timeouts + 1 } else { 0 };
        let enough = self.patience.max_timeouts.is_some_and(|most| self.timeouts > most);
        if !error.retry || enough {
            self.timeouts = 0;
            if let Some(message) = self.hand.pop_front() {
                self.desk.lost(&message, error.cause, &error.to_string());
            }
            return;
        }
        self.tell(error);
        self.give_up_old(error);
        if !self.hand.is_empty() {
            Counters::add(&self.desk.counters.retries);
            let wait = self.backoff.wait();
            self.desk.signals.pause(wait);
        }
    }

    /// The first failure is told of, then one a minute.
    fn tell(&mut self, error: &Error) {
        let now = Instant::now();
        let name = self.desk.name;
        match &mut self.trouble {
            None => {
                tracing::error!("output {name}: {error}; it is tried again");
                self.trouble = Some(Trouble { since: now, told: now, failures: 1 });
            }
            Some(trouble) => {
                trouble.failures += 1;
                if now.duration_since(trouble.told) >= REMIND {
                    trouble.told = now;
                    let (waiting, _) = self.desk.queue.level();
                    tracing::error!(
                        "output {name}: fails since {} s, {waiting} alerts wait: {error}",
                        trouble.since.elapsed().as_secs()
                    );
                }
            }
        }
    }

    /// Gives up what is too old, also of what still waits: a long outage does not end with alerts of its beginning.
    fn give_up_old(&mut self, error: &Error) {
        loop {
            while self.hand.front().is_some_and(|message| message.age() >= self.patience.max_age) {
                let message = self.hand.pop_front();
                if let Some(message) = message {
                    self.desk.lost(&message, error.cause, &error.to_string());
                }
            }
            if !self.hand.is_empty() {
                return;
            }
            match self.desk.queue.take(HAND, Some(Duration::ZERO)) {
                Taken::Messages(messages) => self.hand.extend(messages),
                // A request that this used up is still seen: it is a flag as well.
                Taken::Woken | Taken::Idle => return,
            }
        }
    }

    fn give_up_all(&mut self, cause: Cause, why: &str) {
        while let Some(message) = self.hand.pop_front() {
            self.desk.lost(&message, cause, why);
        }
    }
}
