//! What is done about events that were dropped, and about no events at all: logged, alerted, ended, as often as the
//! configuration allows. The least priority of rules does not hold for these alerts, nor does it in upstream's program.

use crate::config::{Config, DropAction, Drops};
use crate::failure::Failure;
use crate::output::{Output, hostname};
use jiff::tz::TimeZone;
use peregrine_alert::{Alert, DropCounts, Json, Priority, time};
use peregrine_driver::{Batch, DropReport};
use peregrine_engine::throttle::TokenBucket;

/// A second of event time.
const SECOND: u64 = 1_000_000_000;

/// Looks after gaps.
pub struct Gaps {
    drops: Drops,
    max_consecutive_timeouts: u32,
    bucket: Option<TokenBucket>,
    hostname: String,
    /// Looks at the buffers without an event, since the last event or notice.
    timeouts: u32,
    /// Time of the first event of the second that is counted, and events since; for pretended drops.
    second: (u64, u64),
    first_event: u64,
    /// Seconds with drops, and those of them in which something was done about it.
    pub noticed: (u64, u64),
}

impl Gaps {
    /// As the configuration says.
    pub fn new(config: &Config) -> Self {
        Self {
            drops: config.drops.clone(),
            max_consecutive_timeouts: config.max_consecutive_timeouts,
            bucket: None,
            hostname: hostname(),
            timeouts: 0,
            second: (0, 0),
            first_event: 0,
            noticed: (0, 0),
        }
    }

    /// Takes another configuration over; tokens that are left stay unless their rate changes.
    pub fn configure(&mut self, config: &Config) {
        if (config.drops.rate, config.drops.max_burst) != (self.drops.rate, self.drops.max_burst) {
            self.bucket = None;
        }
        self.drops = config.drops.clone();
        self.max_consecutive_timeouts = config.max_consecutive_timeouts;
    }

    /// Tells of an event's time.
    pub fn event(&mut self, ts: u64) {
        if self.first_event == 0 {
            self.first_event = ts;
            self.second.0 = ts;
        }
        self.second.1 += 1;
    }

    /// After each look at the buffers.
    ///
    /// # Errors
    /// When drops end the program, as configured.
    pub fn look(&mut self, batch: &Batch, last_ts: u64, out: &mut Output) -> Result<(), Failure> {
        if let Some(report) = &batch.drops {
            self.dropped(report.ts, report.ratio(), counts(report), out)?;
        }
        self.pretend(last_ts, out)?;
        self.quiet(batch, out)
    }

    /// After an event of a capture, in which nothing is dropped but what is pretended to be.
    ///
    /// # Errors
    /// When drops end the program, as configured.
    pub fn replayed(&mut self, ts: u64, out: &mut Output) -> Result<(), Failure> {
        if !self.drops.simulate {
            return Ok(());
        }
        self.event(ts);
        self.pretend(ts, out)
    }

    /// Where that is asked for: of each second that is over, one event is said to be dropped.
    fn pretend(&mut self, ts: u64, out: &mut Output) -> Result<(), Failure> {
        if !self.drops.simulate || ts <= self.second.0.saturating_add(SECOND) {
            return Ok(());
        }
        tracing::info!("Simulating syscall event drop");
        let counts = DropCounts { n_evts: self.second.1, n_drops: 1, ..DropCounts::default() };
        self.second = (ts, 0);
        self.dropped(ts, 1.0, counts, out)
    }

    fn dropped(&mut self, ts: u64, ratio: f64, counts: DropCounts, out: &mut Output) -> Result<(), Failure> {
        let drops = &self.drops;
        // What is pretended is told of in any case.
        if ratio <= drops.threshold && !drops.simulate {
            return Ok(());
        }
        self.noticed.0 += 1;
        let bucket = self.bucket.get_or_insert_with(|| TokenBucket::new(drops.rate, drops.max_burst, ts));
        if !bucket.claim(ts) {
            tracing::debug!("Syscall event drop but token bucket depleted, skipping actions");
            return Ok(());
        }
        self.noticed.1 += 1;
        let mut result = Ok(());
        for action in &drops.actions {
            match action {
                DropAction::Ignore => {}
                DropAction::Log => tracing::warn!(
                    "Falco internal: syscall event drop. {} system calls dropped in last second; what is known of processes and descriptors may be stale",
                    counts.n_drops
                ),
                DropAction::Alert => out.alert(counts.alert(ts, &self.hostname))?,
                DropAction::Exit => {
                    tracing::error!(
                        "Falco internal: syscall event drop. {} system calls dropped in last second. Exiting.",
                        counts.n_drops
                    );
                    result = Err(Failure::System(anyhow::anyhow!("events were dropped; ending, as configured")));
                }
            }
        }
        result
    }

    fn quiet(&mut self, batch: &Batch, out: &mut Output) -> Result<(), Failure> {
        if batch.events > 0 {
            self.timeouts = 0;
            return Ok(());
        }
        self.timeouts += 1;
        if self.timeouts <= self.max_consecutive_timeouts {
            return Ok(());
        }
        self.timeouts = 0;
        let rule = "Falco internal: timeouts notification";
        let message = format!("{rule}. {} consecutive timeouts without event.", self.max_consecutive_timeouts);
        let last = match self.first_event {
            0 => "none".to_owned(),
            ts => time::clock(ts, &TimeZone::system()),
        };
        let fields = vec![("last_event_time".to_owned(), Json::Text(last))];
        out.alert(Alert::internal(rule, Priority::Debug, message, fields, now(), &self.hostname))
    }
}

/// The wall clock, nanoseconds since the epoch.
pub fn now() -> u64 {
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(set: impl FnOnce(&mut Drops)) -> Gaps {
        let mut config = Config::default();
        set(&mut config.drops);
        Gaps::new(&config)
    }

    /// Seconds with drops that are noticed, and those in which something is done, of seconds with these ratios.
    fn noticed(mut gaps: Gaps, ratios: &[f64]) -> (u64, u64) {
        for (second, ratio) in (1_u64..).zip(ratios) {
            let counts = DropCounts { n_evts: 1000, n_drops: 1, ..DropCounts::default() };
            gaps.dropped(second * SECOND, *ratio, counts, &mut Output::none()).unwrap();
        }
        gaps.noticed
    }

    #[test]
    fn the_threshold_is_exceeded_or_nothing_happens() {
        let with = |threshold: f64| gaps(move |drops| (drops.threshold, drops.rate) = (threshold, 1.0));
        assert_eq!(noticed(with(0.1), &[0.0, 0.099, 0.1]), (0, 0));
        assert_eq!(noticed(with(0.1), &[0.101, 1.0]), (2, 2));
        assert_eq!(noticed(with(0.0), &[0.0, f64::MIN_POSITIVE]), (1, 1));
        assert_eq!(noticed(with(1.0), &[1.0]), (0, 0));
    }

    #[test]
    fn tokens_come_back_at_the_rate_and_no_more_than_the_burst() {
        let with = |rate: f64, burst: f64| {
            gaps(move |drops| (drops.threshold, drops.rate, drops.max_burst) = (0.0, rate, burst))
        };
        assert_eq!(noticed(with(0.0, 3.0), &[1.0; 10]), (10, 3));
        assert_eq!(noticed(with(0.5, 1.0), &[1.0; 10]), (10, 5));
        assert_eq!(noticed(with(1.0, 1.0), &[1.0; 10]), (10, 10));
        assert_eq!(noticed(with(0.0, 0.0), &[1.0; 3]), (3, 0));
        // Nothing for a long time fills the bucket up to the burst only.
        let mut quiet = vec![1.0, 1.0];
        quiet.extend([0.0; 100]);
        quiet.extend([1.0; 5]);
        assert_eq!(noticed(with(0.1, 2.0), &quiet), (7, 4));
    }

    #[test]
    fn an_end_is_an_end() {
        let mut gaps = gaps(|drops| (drops.threshold, drops.actions) = (0.0, vec![DropAction::Exit]));
        let ended = gaps.dropped(SECOND, 1.0, DropCounts::default(), &mut Output::none());
        assert!(matches!(ended, Err(Failure::System(_))));
        assert!(gaps.dropped(2 * SECOND, 1.0, DropCounts::default(), &mut Output::none()).is_ok(), "no token is left");
    }
}
