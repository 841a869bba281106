//! What became of the alerts that an output was offered.

use crate::error::{CAUSES, Cause};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the classes of delivery times, in milliseconds; a last class has none.
pub const LATENCY_MS: [u64; 10] = [1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 60_000];

/// The counters of one output. They only grow.
#[derive(Debug, Default)]
pub struct Counters {
    /// Alerts offered.
    pub offered: AtomicU64,
    /// Alerts delivered.
    pub delivered: AtomicU64,
    /// Alerts lost, by [`Cause`].
    pub lost: [AtomicU64; CAUSES.len()],
    /// Deliveries tried again.
    pub retries: AtomicU64,
    /// Deliveries that took longer than `output_timeout`.
    pub timeouts: AtomicU64,
    /// Connections, files and programs opened anew after the first time.
    pub reopened: AtomicU64,
    /// Alerts delivered shortened, because the way to the receiver takes no longer ones.
    pub shortened: AtomicU64,
    latency: [AtomicU64; LATENCY_MS.len() + 1],
    latency_ns: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }

    pub(crate) fn delivered(&self, age: Duration) {
        Self::add(&self.delivered);
        let ms = age.as_millis();
        let class = LATENCY_MS.iter().position(|most| ms <= u128::from(*most)).unwrap_or(LATENCY_MS.len());
        Self::add(&self.latency[class]);
        self.latency_ns.fetch_add(u64::try_from(age.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Counts a loss; the number of losses to this cause before it.
    pub(crate) fn lost(&self, cause: Cause) -> u64 {
        self.lost[cause as usize].fetch_add(1, Relaxed)
    }

    pub(crate) fn report(&self, output: &'static str, waiting: usize, bytes: usize) -> Report {
        let of = |counters: &[AtomicU64]| counters.iter().map(|n| n.load(Relaxed)).collect::<Vec<_>>();
        let lost = CAUSES.iter().zip(of(&self.lost)).map(|((cause, ..), n)| (*cause, n)).collect();
        Report {
            output,
            offered: self.offered.load(Relaxed),
            delivered: self.delivered.load(Relaxed),
            lost,
            retries: self.retries.load(Relaxed),
            timeouts: self.timeouts.load(Relaxed),
            reopened: self.reopened.load(Relaxed),
            shortened: self.shortened.load(Relaxed),
            waiting: waiting as u64,
            bytes: bytes as u64,
            latency: of(&self.latency),
            latency_ns: self.latency_ns.load(Relaxed),
        }
    }
}

/// The counters of one output at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Name of the output.
    pub output: &'static str,
    /// Alerts offered: those delivered, lost and waiting.
    pub offered: u64,
    /// Alerts delivered.
    pub delivered: u64,
    /// Alerts lost, every cause in the order of [`CAUSES`].
    pub lost: Vec<(Cause, u64)>,
    /// Deliveries tried again.
    pub retries: u64,
    /// Deliveries that took longer than `output_timeout`.
    pub timeouts: u64,
    /// Connections, files and programs opened anew.
    pub reopened: u64,
    /// Alerts delivered shortened.
    pub shortened: u64,
    /// Alerts in the queue, those being delivered included.
    pub waiting: u64,
    /// Bytes of memory that they take, roughly.
    pub bytes: u64,
    /// Delivered alerts by the time from raised to delivered, in the classes of [`LATENCY_MS`] and one more.
    pub latency: Vec<u64>,
    /// Sum of those times, in nanoseconds.
    pub latency_ns: u64,
}

impl Report {
    /// All lost alerts.
    pub fn lost_total(&self) -> u64 {
        self.lost.iter().map(|(_, n)| n).sum()
    }

    /// Alerts lost to one cause.
    pub fn lost_to(&self, cause: Cause) -> u64 {
        self.lost[cause as usize].1
    }

    /// Alerts lost because the queue was full: what upstream counts as `outputs_queue_num_drops`.
    pub fn queue_drops(&self) -> u64 {
        self.lost_to(Cause::QueueFull) + self.lost_to(Cause::MemoryFull)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_classes() {
        let counters = Counters::default();
        for ms in [0, 1, 2, 100, 60_000, 60_001] {
            counters.delivered(Duration::from_millis(ms));
        }
        counters.lost(Cause::Tls);
        let report = counters.report("x", 0, 0);
        assert_eq!(report.latency, [2, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1]);
        assert_eq!(report.latency_ns, 120_104_000_000);
        assert_eq!((report.delivered, report.lost_total(), report.lost_to(Cause::Tls)), (6, 1, 1));
    }
}
