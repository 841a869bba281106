//! The closing figures of a run: events, drops, alerts by rule, and what it cost.

use crate::cli::one_line;
use crate::detector::Detector;
use crate::failure::Failure;
use peregrine_outputs::Report;
use serde_json::json;
use std::fmt::Write;
use std::path::Path;

/// The figures.
pub struct Summary {
    /// Events that were seen.
    pub events: u64,
    /// Events that were lost.
    pub drops: u64,
    alerts: Vec<(String, u64)>,
    outputs: Vec<Report>,
    reloads: (u64, u64),
    /// CPU time of the process.
    pub cpu_seconds: f64,
    peak_rss_kib: u64,
}

impl Summary {
    /// The figures at this moment.
    pub fn new(events: u64, drops: u64, detector: &Detector, outputs: Vec<Report>) -> Self {
        let alerts = detector.matches().into_iter().map(|(rule, n)| (rule.to_owned(), n)).collect();
        Self {
            events,
            drops,
            alerts,
            outputs,
            reloads: (0, 0),
            cpu_seconds: cpu_seconds(),
            peak_rss_kib: peak_rss_kib(),
        }
    }

    /// With the reloads that were put in place, and those that were refused.
    #[must_use]
    pub fn with_reloads(self, reloads: (u64, u64)) -> Self {
        Self { reloads, ..self }
    }

    /// Says them on standard error.
    pub fn print(&self) {
        let total: u64 = self.alerts.iter().map(|(_, n)| n).sum();
        let mut text = format!("events: {} seen, {} dropped; alerts: {total}", self.events, self.drops);
        for (rule, n) in &self.alerts {
            let _ = write!(text, "\n  {n:>8}  {}", one_line(rule));
        }
        for report in self.outputs.iter().filter(|report| report.output != "stdout" || report.lost_total() > 0) {
            let _ = write!(text, "\noutput {}: {} delivered", report.output, report.delivered);
            for (cause, n) in report.lost.iter().filter(|(_, n)| *n > 0) {
                let _ = write!(text, ", {n} lost ({})", cause.name());
            }
        }
        if self.reloads != (0, 0) {
            let _ = write!(text, "\nreloads: {} done, {} refused", self.reloads.0, self.reloads.1);
        }
        let _ =
            write!(text, "\ncost: {:.2} CPU seconds, peak memory {} MiB", self.cpu_seconds, self.peak_rss_kib / 1024);
        eprintln!("{text}");
    }

    /// Writes them as JSON.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let alerts: serde_json::Map<_, _> = self.alerts.iter().map(|(rule, n)| (rule.clone(), json!(n))).collect();
        let text = json!({
            "events": self.events,
            "drops": self.drops,
            "alerts": alerts,
            "outputs": self.outputs.iter().map(output).collect::<serde_json::Map<_, _>>(),
            "reloads": {"done": self.reloads.0, "refused": self.reloads.1},
            "cpu_seconds": self.cpu_seconds,
            "peak_rss_kib": self.peak_rss_kib,
        });
        let wrote = std::fs::write(path, format!("{text}\n"));
        wrote.map_err(|e| Failure::System(anyhow::Error::new(e).context(format!("cannot write {}", path.display()))))
    }
}

/// An output's name and what became of its alerts.
fn output(report: &Report) -> (String, serde_json::Value) {
    let lost: serde_json::Map<_, _> =
        report.lost.iter().filter(|(_, n)| *n > 0).map(|(cause, n)| (cause.name().to_owned(), json!(n))).collect();
    (report.output.to_owned(), json!({"offered": report.offered, "delivered": report.delivered, "lost": lost}))
}

/// CPU time of this process, user and system, in seconds; 0 where `/proc` cannot say.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second column is the name in parentheses, which may hold blanks.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = rest.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
    ticks / rustix::param::clock_ticks_per_second() as f64
}

/// Most memory that was resident at one time, in KiB; 0 where `/proc` cannot say. The kernel counts the pages of ring
/// buffers twice, because they are mapped twice, one behind the other; here they count once.
fn peak_rss_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = line.and_then(kib).unwrap_or(0);
    peak.saturating_sub(ring_rss_kib() / 2)
}

/// Resident pages of ring buffers, both mappings.
fn ring_rss_kib() -> u64 {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    let mut ring = false;
    let mut sum = 0;
    for line in maps.lines() {
        if let Some(rss) = line.strip_prefix("Rss:") {
            sum += if ring { kib(rss).unwrap_or(0) } else { 0 };
        } else if line.split_whitespace().next().is_some_and(|word| word.contains('-')) {
            ring = line.contains("bpf-map");
        }
    }
    sum
}

fn kib(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}
