//! What the program and the host use, read from `/proc` as Falco does; 0 where it cannot be read.

use std::fs::read_to_string;

/// Figures at one moment.
#[derive(Debug, Default, Clone, Copy)]
pub struct Resources {
    /// CPU of this process since its start, percent of one.
    pub cpu_perc: f64,
    /// Resident memory, KiB.
    pub rss_kb: u64,
    /// Virtual memory, KiB.
    pub vsz_kb: u64,
    /// Proportional memory, KiB.
    pub pss_kb: u64,
    /// Memory of the container, bytes.
    pub container_bytes: u64,
    /// CPU of the host since its start, percent.
    pub host_cpu_perc: f64,
    /// Memory of the host in use, KiB.
    pub host_memory_kb: u64,
    /// Running processes of the host.
    pub host_procs: u64,
    /// Open files of the host.
    pub host_fds: u64,
}

/// Reads all.
pub fn read() -> Resources {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let rollup = read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let root = std::env::var("HOST_ROOT").unwrap_or_default();
    let host = |path: &str| read_to_string(format!("{root}{path}")).unwrap_or_default();
    let memory = host("/proc/meminfo");
    let used = ["MemFree:", "Buffers:", "Cached:"].iter().map(|key| number(&memory, key)).sum();
    let stat = host("/proc/stat");
    let cgroup = std::env::var("FALCO_CGROUP_MEM_PATH").ok().filter(|path| !path.is_empty() && !path.contains(".."));
    let cgroup = cgroup.unwrap_or_else(|| "/sys/fs/cgroup/memory/memory.usage_in_bytes".into());
    Resources {
        cpu_perc: cpu(&host("/proc/uptime")),
        rss_kb: number(&status, "VmRSS:"),
        vsz_kb: number(&status, "VmSize:"),
        pss_kb: number(&rollup, "Pss:"),
        container_bytes: read_to_string(cgroup).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0),
        host_cpu_perc: host_cpu(&stat),
        host_memory_kb: number(&memory, "MemTotal:").saturating_sub(used),
        host_procs: number(&stat, "procs_running"),
        host_fds: first(&host("/proc/sys/fs/file-nr")),
    }
}

/// When the host was started, nanoseconds since the epoch.
pub fn boot_ts() -> u64 {
    number(&read_to_string("/proc/stat").unwrap_or_default(), "btime") * 1_000_000_000
}

fn number(text: &str, key: &str) -> u64 {
    text.lines().find_map(|line| line.strip_prefix(key)).map_or(0, first)
}

fn first(text: &str) -> u64 {
    text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn cpu(uptime: &str) -> f64 {
    let stat = read_to_string("/proc/self/stat").unwrap_or_default();
    // The second column is the name in parentheses, which may hold blanks.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let column = |n: usize| rest.split_whitespace().nth(n).and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0);
    let hz = rustix::param::clock_ticks_per_second() as f64;
    let up: f64 = uptime.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0.0);
    let elapsed = up - column(19) / hz;
    if elapsed > 0.0 { tenths(100.0 * (column(11) + column(12)) / hz / elapsed) } else { 0.0 }
}

fn host_cpu(stat: &str) -> f64 {
    let line = stat.lines().next().unwrap_or("");
    let ticks: Vec<f64> = line.split_whitespace().skip(1).take(7).filter_map(|n| n.parse().ok()).collect();
    let sum: f64 = ticks.iter().sum();
    if sum > 0.0 { tenths(100.0 - ticks.get(3).unwrap_or(&0.0) * 100.0 / sum) } else { 0.0 }
}

/// Rounded to one decimal.
pub fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_this_process_are_there() {
        let read = read();
        assert!(read.rss_kb > 100 && read.vsz_kb >= read.rss_kb && read.host_memory_kb > 0 && read.host_procs > 0);
        assert!(boot_ts() > 1_000_000_000_000_000_000);
        assert_eq!(host_cpu("cpu  10 0 10 80 0 0 0 5\n"), 20.0);
    }
}
