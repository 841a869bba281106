//! Taking out threads whose end was missed.
//!
//! Live, an exit event may be lost. From time to time the table is gone through: stand-ins go, so that their thread is
//! asked for anew, and so do threads that caused no event for a while and that the source says are gone. It goes in small
//! steps, so that no event waits for the whole table. Semantics: `remove_inactive_threads` of libsinsp, which does not
//! run on captures either; where upstream compares names, the time of the start says whether an id came round, because
//! threads rename themselves.

use crate::inspect::State;

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;
/// The first time comes early, so that what the start missed does not stay for long.
const FIRST: u64 = 30 * SECOND;
/// Event time between two steps through the table.
const STEP: u64 = SECOND / 100;
/// Threads looked at in one step, and of those the ones whose life the source is asked about, some 10 µs each.
const LOOKS: u32 = 512;
const ASKS: u32 = 16;
/// By how much the clock of the events and that of the starts may differ.
const SLACK: u64 = SECOND;

/// When threads are looked at, and which may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purging {
    /// Seconds of event time between two walks through the table.
    pub interval_s: u32,
    /// Seconds of event time without an event after which a thread may go.
    pub timeout_s: u32,
}

impl Default for Purging {
    fn default() -> Self {
        Self { interval_s: 300, timeout_s: 300 }
    }
}

/// How far the present walk has come.
#[derive(Debug)]
pub(crate) struct Purger {
    /// Event time of the next step; never without a source to ask.
    pub(crate) due: u64,
    interval: u64,
    timeout: u64,
    /// Time of the first event; what is known from before it lived then.
    began: Option<u64>,
    cursor: u32,
}

impl Purger {
    pub(crate) fn new(purging: Purging, live: bool) -> Self {
        Self {
            due: if live { 0 } else { u64::MAX },
            interval: u64::from(purging.interval_s) * SECOND,
            timeout: u64::from(purging.timeout_s) * SECOND,
            began: None,
            cursor: 0,
        }
    }
}

impl State {
    /// Goes one step further through the table; called when an event comes that is not before `due`.
    #[cold]
    pub(crate) fn purge(&mut self, ts: u64) {
        if self.purger.began.is_none() {
            self.purger.began = Some(ts);
            self.purger.due = ts.saturating_add(self.purger.interval.min(FIRST));
            return;
        }
        let (mut looks, mut asks) = (0, 0);
        while looks < LOOKS && asks < ASKS {
            let slot = self.purger.cursor;
            if slot >= self.threads.slots() {
                self.purger.cursor = 0;
                self.purger.due = ts.saturating_add(self.purger.interval.max(STEP));
                return;
            }
            self.purger.cursor += 1;
            looks += 1;
            if let Some(tid) = self.ended_unseen(slot, ts, &mut asks) {
                self.remove_thread(tid);
                self.counters.n_purged_threads += 1;
            }
        }
        self.purger.due = ts.saturating_add(STEP);
    }

    /// The id of the thread in that slot, if it is to go.
    fn ended_unseen(&mut self, slot: u32, ts: u64, asks: &mut u32) -> Option<i64> {
        let thread = self.threads.get(slot).filter(|thread| !thread.dead && thread.tid != self.current)?;
        let tid = thread.tid;
        if thread.is_invalid() {
            return Some(tid);
        }
        let seen = thread.lastevent_ts.max(thread.clone_ts).max(self.purger.began.unwrap_or(0));
        if ts <= seen.saturating_add(self.purger.timeout) {
            return None;
        }
        *asks += 1;
        let pid = thread.pid;
        let started = self.source.as_mut()?.started(pid, tid);
        // One that started after the last sign of life is another of the same id.
        let same = started.is_some_and(|started| started.saturating_add(self.boot_ts()) <= seen.saturating_add(SLACK));
        (!same).then_some(tid)
    }
}
