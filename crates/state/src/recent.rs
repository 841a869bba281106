//! Which children ended a moment ago.
//!
//! The kernel may report a child's exit before its parent's `clone` returns. The parent's event must not bring the
//! child back then; upstream remembers the last exits for two seconds.

use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// How long an exit counts as recent, in nanoseconds.
const MAX_AGE: u64 = 2_000_000_000;
/// How many exits are remembered.
const CAPACITY: usize = 8192;

/// The last exits by parent and child.
#[derive(Debug, Default)]
pub(crate) struct RecentExits {
    times: FxHashMap<(i64, i64), u64>,
    order: VecDeque<(i64, i64)>,
    /// The exit whose time is that of the event that comes next.
    unstamped: Option<(i64, i64)>,
}

impl RecentExits {
    /// Remembers an exit. Its time is the next event's: upstream removes the thread only then.
    pub(crate) fn record(&mut self, tid: i64, ptid: i64) {
        let key = (ptid, tid);
        self.unstamped = Some(key);
        // Room is made now, not by the event that only brings the time.
        if self.times.insert(key, u64::MAX).is_none() {
            self.order.push_back(key);
            if self.order.len() > CAPACITY
                && let Some(oldest) = self.order.pop_front()
            {
                self.times.remove(&oldest);
            }
        }
    }

    /// Tells the time of the event that begins.
    pub(crate) fn stamp(&mut self, ts: u64) {
        let Some(key) = self.unstamped.take() else { return };
        if let Some(time) = self.times.get_mut(&key) {
            *time = ts;
        }
    }

    /// Whether that child of that parent ended less than two seconds before `ts`.
    pub(crate) fn contains(&self, tid: i64, ptid: i64, ts: u64) -> bool {
        self.times.get(&(ptid, tid)).is_some_and(|exit| ts >= *exit && ts - exit < MAX_AGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_and_capacity() {
        let mut recent = RecentExits::default();
        recent.record(5, 1);
        recent.stamp(100);
        assert!(recent.contains(5, 1, 100) && recent.contains(5, 1, 100 + MAX_AGE - 1));
        assert!(!recent.contains(5, 1, 99) && !recent.contains(5, 1, 100 + MAX_AGE) && !recent.contains(5, 2, 100));
        for tid in 0..2 * CAPACITY as i64 {
            recent.record(tid, 9);
            recent.stamp(200);
        }
        assert_eq!((recent.order.len(), recent.times.len()), (CAPACITY, CAPACITY));
        assert!(!recent.contains(5, 1, 100));
    }
}
