//! Metrics as Prometheus's text and as the fields of a snapshot.

use super::snapshot::Since;
use super::table::{Group, Kind, METRICS, Metric, Unit, Value, View, in_snapshot};
use super::{Shared, resource};
use peregrine_alert::Json;
use peregrine_driver::Stats;
use std::fmt::Write;
use std::time::Duration;

/// Falco's text about each of its metrics.
const HELP: &str = "https://falco.org/docs/metrics/";

/// Whether the configuration wants a metric.
fn wanted(metric: &Metric, view: &View<'_>) -> bool {
    let settings = &view.shared.settings;
    let kernel = view.at.kernel.is_some();
    match metric.group {
        Group::Always => true,
        Group::Rules => settings.rules_counters_enabled,
        Group::Resource => settings.resource_utilization_enabled,
        Group::State => settings.state_counters_enabled,
        Group::Kernel => {
            kernel && (settings.kernel_event_counters_enabled || settings.kernel_event_counters_per_cpu_enabled)
        }
        Group::KernelPerCpu => kernel && settings.kernel_event_counters_per_cpu_enabled,
        Group::Libbpf => kernel && settings.libbpf_stats_enabled,
        Group::KernelIter => kernel && settings.kernel_iter_event_counters_enabled,
    }
}

/// Calls `with` with everything as it is now; `None` before anything was published.
fn view<T>(shared: &Shared, since: Option<Since>, with: impl FnOnce(&View<'_>) -> T) -> Option<T> {
    view_of(shared, since, runs(shared), with)
}

/// Runs and time of each attached program.
type Runs = Vec<(&'static str, u64, Duration)>;

fn view_of<T>(shared: &Shared, since: Option<Since>, runs: Runs, with: impl FnOnce(&View<'_>) -> T) -> Option<T> {
    let published = shared.published.load_full()?;
    let outputs = published.outputs.as_ref().map_or_else(Vec::new, |outputs| outputs.reports());
    let resources =
        if shared.settings.resource_utilization_enabled { resource::read() } else { resource::Resources::default() };
    let kernel = published.kernel.as_ref().map(Stats::total).unwrap_or_default();
    let now = crate::gaps::now();
    Some(with(&View { shared, now, at: &published, kernel, runs, resources, outputs, since }))
}

/// What the kernel measured of the programs, where it is asked to measure and the configuration asks for it.
fn runs(shared: &Shared) -> Runs {
    let Some(control) = shared.control.as_ref().filter(|_| shared.settings.libbpf_stats_enabled) else {
        return Vec::new();
    };
    let measured = std::fs::read_to_string("/proc/sys/kernel/bpf_stats_enabled").unwrap_or_default();
    if measured.trim() == "1" { control.run_times() } else { Vec::new() }
}

/// The page of metrics.
pub(super) fn prometheus(shared: &Shared) -> String {
    view(shared, None, page).unwrap_or_default()
}

fn page(view: &View<'_>) -> String {
    let mut page = String::new();
    for metric in METRICS.iter().filter(|m| !m.name.is_empty() && wanted(m, view)) {
        family(metric, view, &mut page);
    }
    page
}

/// Page and fields where the kernel measures programs.
#[cfg(test)]
pub(super) fn both_with(
    shared: &Shared,
    since: Since,
    runs: &[(&'static str, u64, Duration)],
) -> (String, Vec<(String, Json)>) {
    let page = view_of(shared, None, runs.to_vec(), page).expect("figures");
    (page, view_of(shared, Some(since), runs.to_vec(), all_fields).expect("figures").0)
}

fn family(metric: &Metric, view: &View<'_>, page: &mut String) {
    let mut samples = (metric.take)(view);
    if metric.group == Group::Rules {
        samples.retain(|sample| sample.value != Value::Uint(0));
    }
    if samples.is_empty() {
        return;
    }
    let help = if metric.name.starts_with("falcosecurity") { HELP } else { metric.doc };
    let kind = match metric.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let _ = write!(page, "# HELP {} {help}\n# TYPE {} {kind}\n", metric.name, metric.name);
    for sample in samples {
        let _ = write!(page, "{}{}", metric.name, sample.suffix);
        for (at, (name, value)) in sample.labels.iter().enumerate() {
            let _ = write!(page, "{}{}=\"", if at == 0 { '{' } else { ',' }, label(name));
            escaped(value, page);
            page.push('"');
        }
        page.push_str(if sample.labels.is_empty() { " " } else { "} " });
        let _ = match (metric.unit, sample.value) {
            (Unit::Kib, Value::Uint(n)) => writeln!(page, "{}", n * 1024),
            (Unit::Percent, Value::Float(n)) => writeln!(page, "{}", n / 100.0),
            (_, Value::Uint(n)) => writeln!(page, "{n}"),
            (_, Value::Float(n)) => writeln!(page, "{n}"),
            (_, Value::Text(_)) => writeln!(page, "1"),
        };
    }
}

/// A label's name: what may not be in one becomes `_`, several of them one, as upstream has it.
fn label(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        let c = if c.is_ascii_alphanumeric() { c } else { '_' };
        if c != '_' || !out.ends_with('_') {
            out.push(c);
        }
    }
    out
}

fn escaped(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

/// The fields of a snapshot, and what the next one compares itself with.
pub(super) fn fields(shared: &Shared, since: Option<Since>) -> Option<(Vec<(String, Json)>, Since)> {
    view(shared, since, all_fields)
}

fn all_fields(view: &View<'_>) -> (Vec<(String, Json)>, Since) {
    let settings = &view.shared.settings;
    let mut fields = Vec::new();
    for metric in METRICS.iter().filter(|m| !m.field.is_empty() && wanted(m, view)) {
        for sample in (metric.take)(view) {
            let zero = sample.value == Value::Uint(0) || sample.value == Value::Float(0.0);
            if zero && !metric.zero && !settings.include_empty_values {
                continue;
            }
            let (value, megabytes) = in_snapshot(metric, sample.value, settings.convert_memory_to_mb);
            let mut name = metric.field.to_owned() + &sample.key;
            if megabytes {
                name = name.trim_end_matches("_kb").trim_end_matches("_bytes").to_owned() + "_mb";
            }
            fields.push((name, json(value)));
        }
    }
    fields.extend(addresses());
    (fields, Since::new(view.at))
}

fn json(value: Value) -> Json {
    match value {
        Value::Uint(n) => Json::Uint(n),
        Value::Float(n) => Json::Double(n),
        Value::Text(text) => Json::Text(text),
    }
}

/// The host's addresses by interface, the loopback left out.
fn addresses() -> Vec<(String, Json)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for interface in if_addrs::get_if_addrs().unwrap_or_default() {
        if interface.name == "lo" {
            continue;
        }
        let ip = interface.ip();
        let family = if ip.is_ipv4() { "ipv4" } else { "ipv6" };
        let key = format!("falco.host_netinfo.interfaces.{}.protocols.{family}.addresses", interface.name);
        match fields.iter_mut().find(|(known, _)| *known == key) {
            Some((_, list)) => *list = format!("{list},{ip}"),
            None => fields.push((key, ip.to_string())),
        }
    }
    fields.into_iter().map(|(key, list)| (key, Json::Text(list))).collect()
}
