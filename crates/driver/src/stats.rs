//! What was seen and what was lost, by cause and by CPU.

use crate::counters::COUNTERS;

/// Counters of one CPU, or sums over all, in the order of [`COUNTERS`]. They only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// One number a counter.
    pub n: [u64; COUNTERS.len()],
}

impl Counters {
    /// A counter by its name; 0 for a name that is none.
    pub fn get(&self, name: &str) -> u64 {
        COUNTERS.iter().position(|(known, _)| *known == name).map_or(0, |index| self.n[index])
    }

    /// Events that the kernel programs wanted to send, lost ones included.
    pub fn events(&self) -> u64 {
        self.get("n_evts")
    }

    /// All lost events: for want of space in a buffer, and those too large for any.
    pub fn drops(&self) -> u64 {
        self.get("n_drops_buffer") + self.get("n_drops_scratch_map")
    }

    /// What grew since an earlier reading.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut n = self.n;
        n.iter_mut().zip(earlier.n).for_each(|(now, then)| *now = now.saturating_sub(then));
        Self { n }
    }

    fn add(&mut self, other: &Self) {
        self.n.iter_mut().zip(other.n).for_each(|(sum, n)| *sum += n);
    }
}

/// Everything the driver counts at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// By CPU, possible ones included.
    pub cpus: Vec<Counters>,
}

impl Stats {
    /// Over all CPUs.
    pub fn total(&self) -> Counters {
        let mut total = Counters::default();
        self.cpus.iter().for_each(|cpu| total.add(cpu));
        total
    }

    /// The statistics by their names in Falco's metrics, and their sum.
    pub fn named(&self) -> Vec<(&'static str, u64)> {
        let total = self.total();
        let mut out: Vec<_> = COUNTERS.iter().map(|(name, _)| falco_name(name)).zip(total.n).collect();
        out.push(("n_drops", total.drops()));
        out
    }
}

fn falco_name(name: &'static str) -> &'static str {
    match name {
        "n_drops_buffer" => "n_drops_buffer_total",
        other => other,
    }
}

/// Events were lost in the last second of event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropReport {
    /// Time of the event at which the counters were compared, nanoseconds since the epoch.
    pub ts: u64,
    /// What the counters grew by since the last comparison.
    pub delta: Counters,
}

impl DropReport {
    /// Lost events in relation to those that were seen; what `syscall_event_drops.threshold` is compared with.
    pub fn ratio(&self) -> f64 {
        if self.delta.events() == 0 { 1.0 } else { self.delta.drops() as f64 / self.delta.events() as f64 }
    }

    /// The output fields of the alert "Falco internal: syscall event drop", as name and text.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        // Counters of mechanisms that this driver does not have; the alert's layout names them.
        let absent = [("n_drops_page_faults", 0), ("n_drops_bug", 0)];
        let lost = COUNTERS.iter().zip(self.delta.n).filter(|((name, _), _)| {
            *name == "n_evts" || name.starts_with("n_drops_buffer") || *name == "n_drops_scratch_map"
        });
        let mut fields = vec![("ebpf_enabled", "1".to_owned()), ("n_drops", self.delta.drops().to_string())];
        fields.extend(lost.map(|((name, _), n)| (falco_name(name), n.to_string())));
        fields.extend(absent.map(|(name, n): (_, u64)| (name, n.to_string())));
        fields
    }
}

/// Compares counters once a second of event time.
#[derive(Debug, Clone, Default)]
pub struct DropWatch {
    next: u64,
    last: Counters,
}

impl DropWatch {
    const INTERVAL_NS: u64 = 1_000_000_000;

    /// Whether the counters are due at this event's time.
    pub fn due(&self, ts: u64) -> bool {
        ts >= self.next
    }

    /// Takes the counters at an event's time; a report when something was lost since the last time. The first
    /// comparison counts from zero.
    pub fn check(&mut self, ts: u64, now: Counters) -> Option<DropReport> {
        self.next = ts.saturating_add(Self::INTERVAL_NS);
        let delta = now.since(&self.last);
        self.last = now;
        (delta.drops() > 0).then_some(DropReport { ts, delta })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(events: u64, lost_opens: u64) -> Counters {
        let of = |(name, _): &(&str, &str)| match *name {
            "n_evts" => events,
            "n_drops_buffer" | "n_drops_buffer_open_exit" => lost_opens,
            _ => 0,
        };
        Counters { n: std::array::from_fn(|index| of(&COUNTERS[index])) }
    }

    #[test]
    fn losses_are_reported_once() {
        let mut watch = DropWatch::default();
        assert!(watch.due(5));
        assert_eq!(watch.check(5, counters(10, 0)), None);
        assert!(!watch.due(1_000_000_004) && watch.due(1_000_000_005));
        let report = watch.check(1_000_000_005, counters(110, 25)).unwrap();
        assert_eq!((report.delta.events(), report.delta.drops(), report.ratio()), (100, 25, 0.25));
        assert!(report.fields().contains(&("n_drops_buffer_open_exit", "25".into())));
        assert_eq!(watch.check(2_000_000_005, counters(210, 25)), None);
    }

    #[test]
    fn sums_go_over_cpus_and_keep_names() {
        let stats = Stats { cpus: vec![counters(5, 1), counters(7, 2)] };
        assert_eq!(stats.total(), counters(12, 3));
        let named = stats.named();
        assert_eq!(named[0], ("n_evts", 12));
        assert!(named.contains(&("n_drops_buffer_total", 3)));
        assert!(named.contains(&("n_drops_buffer_open_exit", 3)) && named.contains(&("n_drops", 3)));
    }
}
