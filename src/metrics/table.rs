//! Every metric, one row each: its names, what it counts and where it comes from. The page of metrics, snapshots and the
//! reference page are made from it.

use super::resource::{Resources, tenths};
use super::snapshot::Since;
use super::{Published, Shared};
use peregrine_driver::Counters;
use peregrine_driver::counters::COUNTERS;
use peregrine_outputs::Report;
use peregrine_outputs::counters::LATENCY_MS;
use std::time::Duration;

/// What a metric's number means to those who add it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Numbers by upper bound.
    Histogram,
}

/// By which key of `metrics` it is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// By none.
    Always,
    /// `rules_counters_enabled`.
    Rules,
    /// `resource_utilization_enabled`.
    Resource,
    /// `state_counters_enabled`.
    State,
    /// `kernel_event_counters_enabled`.
    Kernel,
    /// `kernel_event_counters_per_cpu_enabled`.
    KernelPerCpu,
    /// `libbpf_stats_enabled`.
    Libbpf,
    /// `kernel_iter_event_counters_enabled`.
    KernelIter,
}

/// In what it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// As it is.
    Plain,
    /// Percent; a ratio on the page.
    Percent,
    /// KiB; bytes on the page.
    Kib,
    /// Bytes.
    Bytes,
}

/// A number or a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A count.
    Uint(u64),
    /// A fraction.
    Float(f64),
    /// A text; 1 on the page, where a label says it.
    Text(String),
}

/// One sample.
pub struct Sample {
    /// Labels on the page, name and value, sorted by name.
    pub labels: Vec<(String, String)>,
    /// What follows the row's name on the page, for histograms.
    pub suffix: &'static str,
    /// What follows the row's field in snapshots.
    pub key: String,
    /// The value.
    pub value: Value,
}

/// What samples are taken from.
pub struct View<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) now: u64,
    pub(crate) at: &'a Published,
    /// The kernel programs' counters; empty where there are no programs.
    pub(crate) kernel: Counters,
    /// Runs and time of each attached program; empty where the kernel does not measure them.
    pub(crate) runs: Vec<(&'static str, u64, Duration)>,
    pub(crate) resources: Resources,
    pub(crate) outputs: Vec<Report>,
    pub(crate) since: Option<Since>,
}

/// One metric.
pub struct Metric {
    /// Name on the page; empty where it is only in snapshots.
    pub name: &'static str,
    /// Field of snapshots; empty where it is only on the page.
    pub field: &'static str,
    /// Kind.
    pub kind: Kind,
    /// Switch.
    pub group: Group,
    /// Unit.
    pub unit: Unit,
    /// Labels on the page.
    pub labels: &'static [&'static str],
    /// In snapshots even when it is zero.
    pub zero: bool,
    /// One sentence.
    pub doc: &'static str,
    /// Takes it.
    pub take: fn(&View<'_>) -> Vec<Sample>,
}

type Take = fn(&View<'_>) -> Vec<Sample>;

const fn always(name: &'static str, field: &'static str, kind: Kind, doc: &'static str, take: Take) -> Metric {
    Metric { name, field, kind, group: Group::Always, unit: Unit::Plain, labels: &[], zero: true, doc, take }
}

const fn of(
    group: Group,
    name: &'static str,
    field: &'static str,
    kind: Kind,
    doc: &'static str,
    take: Take,
) -> Metric {
    Metric { name, field, kind, group, unit: Unit::Plain, labels: &[], zero: false, doc, take }
}

const fn own(name: &'static str, kind: Kind, labels: &'static [&'static str], doc: &'static str, take: Take) -> Metric {
    Metric { name, field: "", kind, group: Group::Always, unit: Unit::Plain, labels, zero: true, doc, take }
}

impl Metric {
    const fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    const fn labels(mut self, labels: &'static [&'static str]) -> Self {
        self.labels = labels;
        self
    }

    const fn zero(mut self) -> Self {
        self.zero = true;
        self
    }
}

use Group::{Kernel, KernelIter, KernelPerCpu, Libbpf, Resource, Rules, State};
use Kind::{Counter, Gauge, Histogram};

/// All metrics, in the order of the page. Names that begin with `falcosecurity` are Falco's.
#[rustfmt::skip]
pub const METRICS: &[Metric] = &[
    always("", "evt.time", Gauge, "Time of the snapshot, nanoseconds since the epoch.", |v| one(v.now)),
    always("", "evt.source", Gauge, "Source of the events.", |_| info("", crate::playback::SOURCE)),
    always("falcosecurity_falco_version_info", "falco.version", Gauge, "Version.", |_| info("version", &crate::falco::version::falco())).labels(&["version"]),
    always("falcosecurity_falco_kernel_release_info", "falco.kernel_release", Gauge, "The kernel's release.", |_| info("kernel_release", &kernel())).labels(&["kernel_release"]),
    always("falcosecurity_evt_hostname_info", "evt.hostname", Gauge, "Name of the host.", |v| info("hostname", &v.shared.hostname)).labels(&["hostname"]),
    always("falcosecurity_scap_engine_name_info", "scap.engine_name", Gauge, "How events leave the kernel.", engine).labels(&["engine_name", "evt_source"]),
    always("falcosecurity_falco_sha256_rules_files_info", "", Gauge, "SHA-256 of each rules file.", |v| digests(&v.at.sums.rules)).labels(&["file_name", "sha256"]),
    always("", "falco.sha256_rules_file.", Gauge, "The same, with the file's name behind it.", |v| digests(&v.at.sums.rules)),
    always("falcosecurity_falco_sha256_config_files_info", "", Gauge, "SHA-256 of each file of the configuration.", |v| digests(&v.at.sums.config)).labels(&["file_name", "sha256"]),
    always("", "falco.sha256_config_file.", Gauge, "The same, with the file's name behind it.", |v| digests(&v.at.sums.config)),
    always("falcosecurity_falco_start_timestamp_nanoseconds", "falco.start_ts", Gauge, "When the program started.", |v| one(v.shared.start_ts)),
    always("falcosecurity_falco_reload_timestamp_nanoseconds", "falco.reload_ts", Gauge, "When rules and configuration were loaded last.", |v| one(v.at.reload_ts)),
    always("falcosecurity_falco_duration_seconds_total", "falco.duration_sec", Counter, "How long the program has been running.", |v| one(v.now.saturating_sub(v.shared.start_ts) / 1_000_000_000)),
    always("falcosecurity_falco_host_boot_timestamp_nanoseconds", "falco.host_boot_ts", Gauge, "When the host started.", |_| one(super::resource::boot_ts())),
    always("falcosecurity_falco_host_num_cpus_total", "falco.host_num_cpus", Gauge, "CPUs of the host.", |_| one(std::thread::available_parallelism().map_or(0, |n| n.get() as u64))),
    always("falcosecurity_falco_outputs_queue_num_drops_total", "falco.outputs_queue_num_drops", Counter, "Alerts lost because an output's queue was full.", |v| one(v.outputs.iter().map(Report::queue_drops).sum())),
    always("", "falco.num_evts", Counter, "Events processed.", |v| one(v.at.events)),
    always("", "falco.num_evts_prev", Counter, "Events processed at the snapshot before.", |v| one(v.since.as_ref().map_or(0, |s| s.events))),
    always("", "falco.evts_rate_sec", Gauge, "Events processed a second since the snapshot before.", |v| v.since.as_ref().filter(|s| s.seconds > 0.0).map_or_else(Vec::new, |s| float(s.rate(v.at.events, s.events)))),
    of(Rules, "", "falco.rules.matches_total", Counter, "Matches of all rules.", |v| one(v.at.matches.iter().sum())).zero(),
    of(Rules, "falcosecurity_falco_rules_matches_total", "falco.rules.", Counter, "Matches by rule; on the page those that matched, with a label `tag_T` for each tag.", rules).labels(&["priority", "rule_name", "source", "tag_T"]),
    of(Resource, "falcosecurity_falco_cpu_usage_ratio", "falco.cpu_usage_perc", Gauge, "CPU of the program since its start, in relation to one.", |v| float(v.resources.cpu_perc)).unit(Unit::Percent),
    of(Resource, "falcosecurity_falco_memory_rss_bytes", "falco.memory_rss_kb", Gauge, "Resident memory.", |v| one(v.resources.rss_kb)).unit(Unit::Kib),
    of(Resource, "falcosecurity_falco_memory_vsz_bytes", "falco.memory_vsz_kb", Gauge, "Virtual memory.", |v| one(v.resources.vsz_kb)).unit(Unit::Kib),
    of(Resource, "falcosecurity_falco_memory_pss_bytes", "falco.memory_pss_kb", Gauge, "Memory, shared pages by share.", |v| one(v.resources.pss_kb)).unit(Unit::Kib),
    of(Resource, "falcosecurity_falco_container_memory_used_bytes", "falco.container_memory_used_bytes", Gauge, "Memory of the program's control group.", |v| one(v.resources.container_bytes)).unit(Unit::Bytes),
    of(Resource, "falcosecurity_falco_host_cpu_usage_ratio", "falco.host_cpu_usage_perc", Gauge, "CPU of the host since its start.", |v| float(v.resources.host_cpu_perc)).unit(Unit::Percent),
    of(Resource, "falcosecurity_falco_host_memory_used_bytes", "falco.host_memory_used_kb", Gauge, "Memory of the host in use.", |v| one(v.resources.host_memory_kb)).unit(Unit::Kib),
    of(Resource, "falcosecurity_falco_host_procs_running_total", "falco.host_procs_running", Gauge, "Processes of the host that run.", |v| one(v.resources.host_procs)),
    of(Resource, "falcosecurity_falco_host_open_fds_total", "falco.host_open_fds", Gauge, "Open files of the host.", |v| one(v.resources.host_fds)),
    of(Kernel, "falcosecurity_scap_n_evts_total", "scap.n_evts", Counter, "Events of the kernel programs, lost ones included.", |v| one(v.kernel.events())).zero(),
    of(Kernel, "", "scap.n_evts_prev", Counter, "The same at the snapshot before.", |v| one(v.since.as_ref().map_or(0, |s| s.kernel))).zero(),
    of(Kernel, "", "scap.evts_rate_sec", Gauge, "Events of the kernel programs a second.", |v| float(v.since.as_ref().map_or(0.0, |s| s.rate(v.kernel.events(), s.kernel)))).zero(),
    of(Kernel, "falcosecurity_scap_n_drops_total", "scap.n_drops", Counter, "Lost events.", |v| one(v.kernel.drops())).zero(),
    of(Kernel, "", "scap.n_drops_prev", Counter, "The same at the snapshot before.", |v| one(v.since.as_ref().map_or(0, |s| s.drops))).zero(),
    of(Kernel, "", "scap.evts_drop_rate_sec", Gauge, "Lost events a second.", |v| float(v.since.as_ref().map_or(0.0, |s| s.rate(v.kernel.drops(), s.drops)))).zero(),
    always("", "scap.n_drops_perc", Gauge, "Lost events in relation to all since the snapshot before.", drop_share),
    of(Kernel, "", "scap.n_drops_buffer_total", Counter, "Events lost because a buffer was full.", |v| one(v.kernel.get("n_drops_buffer"))),
    always("falcosecurity_scap_n_drops_buffer_total", "", Counter, "The same by kind of call; entering calls are no events any more and stay 0.", buffers).labels(&["dir", "drop"]),
    of(Kernel, "", "scap.n_drops_buffer_", Counter, "The same by kind of call.", buffer_fields),
    of(Kernel, "falcosecurity_scap_n_drops_scratch_map_total", "scap.n_drops_scratch_map", Counter, "Events lost because they were too large.", |v| one(v.kernel.get("n_drops_scratch_map"))),
    of(Kernel, "falcosecurity_scap_n_drops_page_faults_total", "scap.n_drops_page_faults", Counter, "Events lost to page faults; there are none here.", |_| one(0)),
    of(Kernel, "falcosecurity_scap_n_drops_bug_total", "scap.n_drops_bug", Counter, "Events lost to faults of the kernel module; there is none here.", |_| one(0)),
    of(Kernel, "falcosecurity_scap_n_preemptions_total", "scap.n_preemptions", Counter, "Preempted runs of the kernel module; there is none here.", |_| one(0)),
    of(KernelPerCpu, "falcosecurity_scap_n_evts_cpu_total", "scap.n_evts_cpu_", Counter, "Events by CPU.", |v| cpus(v, |cpu| cpu.events())).labels(&["cpu"]),
    of(KernelPerCpu, "falcosecurity_scap_n_drops_cpu_total", "scap.n_drops_cpu_", Counter, "Lost events by CPU.", |v| cpus(v, |cpu| cpu.drops())).labels(&["cpu"]),
    of(Libbpf, "falcosecurity_scap_sys_exit_run_cnt_total", "scap.sys_exit.run_cnt", Counter, "Runs of the program sys_exit.", |v| ran(v, "sys_exit", |n, _| n)),
    of(Libbpf, "falcosecurity_scap_sys_exit_run_time_nanoseconds_total", "scap.sys_exit.run_time_ns", Counter, "Time that they took, nanoseconds.", |v| ran(v, "sys_exit", |_, ns| ns)),
    of(Libbpf, "falcosecurity_scap_sys_exit_avg_time_nanoseconds", "scap.sys_exit.avg_time_ns", Gauge, "Time that one took on average, nanoseconds.", |v| ran(v, "sys_exit", |n, ns| ns.checked_div(n).unwrap_or(0))),
    of(Libbpf, "falcosecurity_scap_sched_p_exec_run_cnt_total", "scap.sched_p_exec.run_cnt", Counter, "Runs of the program process_exec.", |v| ran(v, "process_exec", |n, _| n)),
    of(Libbpf, "falcosecurity_scap_sched_p_exec_run_time_nanoseconds_total", "scap.sched_p_exec.run_time_ns", Counter, "Time that they took, nanoseconds.", |v| ran(v, "process_exec", |_, ns| ns)),
    of(Libbpf, "falcosecurity_scap_sched_p_exec_avg_time_nanoseconds", "scap.sched_p_exec.avg_time_ns", Gauge, "Time that one took on average, nanoseconds.", |v| ran(v, "process_exec", |n, ns| ns.checked_div(n).unwrap_or(0))),
    of(Libbpf, "falcosecurity_scap_sched_p_fork_run_cnt_total", "scap.sched_p_fork.run_cnt", Counter, "Runs of the program process_fork.", |v| ran(v, "process_fork", |n, _| n)),
    of(Libbpf, "falcosecurity_scap_sched_p_fork_run_time_nanoseconds_total", "scap.sched_p_fork.run_time_ns", Counter, "Time that they took, nanoseconds.", |v| ran(v, "process_fork", |_, ns| ns)),
    of(Libbpf, "falcosecurity_scap_sched_p_fork_avg_time_nanoseconds", "scap.sched_p_fork.avg_time_ns", Gauge, "Time that one took on average, nanoseconds.", |v| ran(v, "process_fork", |n, ns| ns.checked_div(n).unwrap_or(0))),
    of(Libbpf, "falcosecurity_scap_sched_proc_exit_run_cnt_total", "scap.sched_proc_exit.run_cnt", Counter, "Runs of the program process_exit.", |v| ran(v, "process_exit", |n, _| n)),
    of(Libbpf, "falcosecurity_scap_sched_proc_exit_run_time_nanoseconds_total", "scap.sched_proc_exit.run_time_ns", Counter, "Time that they took, nanoseconds.", |v| ran(v, "process_exit", |_, ns| ns)),
    of(Libbpf, "falcosecurity_scap_sched_proc_exit_avg_time_nanoseconds", "scap.sched_proc_exit.avg_time_ns", Gauge, "Time that one took on average, nanoseconds.", |v| ran(v, "process_exit", |n, ns| ns.checked_div(n).unwrap_or(0))),
    of(Libbpf, "falcosecurity_scap_signal_deliver_run_cnt_total", "scap.signal_deliver.run_cnt", Counter, "Runs of the program signal_deliver.", |v| ran(v, "signal_deliver", |n, _| n)),
    of(Libbpf, "falcosecurity_scap_signal_deliver_run_time_nanoseconds_total", "scap.signal_deliver.run_time_ns", Counter, "Time that they took, nanoseconds.", |v| ran(v, "signal_deliver", |_, ns| ns)),
    of(Libbpf, "falcosecurity_scap_signal_deliver_avg_time_nanoseconds", "scap.signal_deliver.avg_time_ns", Gauge, "Time that one took on average, nanoseconds.", |v| ran(v, "signal_deliver", |n, ns| ns.checked_div(n).unwrap_or(0))),
    of(KernelIter, "falcosecurity_scap_n_evts_task_total", "scap.n_evts_task", Counter, "Threads found at the start, in `/proc`; Falco counts what its iterators tell of.", |v| at_start(v, 0)),
    of(KernelIter, "falcosecurity_scap_n_evts_task_file_pipe_total", "scap.n_evts_task_file_pipe", Counter, "Descriptors of the kind pipe found at the start, in `/proc`; Falco counts what its iterators tell of.", |v| at_start(v, 1)),
    of(KernelIter, "falcosecurity_scap_n_evts_task_file_memfd_total", "scap.n_evts_task_file_memfd", Counter, "Descriptors of the kind memfd found at the start, in `/proc`; Falco counts what its iterators tell of.", |v| at_start(v, 2)),
    of(KernelIter, "falcosecurity_scap_n_evts_task_file_regular_total", "scap.n_evts_task_file_regular", Counter, "Descriptors of the kind regular found at the start, in `/proc`; Falco counts what its iterators tell of.", |v| at_start(v, 3)),
    of(KernelIter, "falcosecurity_scap_n_evts_task_file_directory_total", "scap.n_evts_task_file_directory", Counter, "Descriptors of the kind directory found at the start, in `/proc`; Falco counts what its iterators tell of.", |v| at_start(v, 4)),
    of(KernelIter, "falcosecurity_scap_n_evts_task_file_socket_inet_total", "scap.n_evts_task_file_socket_inet", Counter, "Descriptors of the kind socket_inet found at the start, in `/proc`; Falco counts what its iterators tell of.", |v| at_start(v, 5)),
    of(KernelIter, "falcosecurity_scap_n_evts_task_file_socket_inet6_total", "scap.n_evts_task_file_socket_inet6", Counter, "Descriptors of the kind socket_inet6 found at the start, in `/proc`; Falco counts what its iterators tell of.", |v| at_start(v, 6)),
    of(KernelIter, "falcosecurity_scap_n_evts_task_file_socket_unix_total", "scap.n_evts_task_file_socket_unix", Counter, "Descriptors of the kind socket_unix found at the start, in `/proc`; Falco counts what its iterators tell of.", |v| at_start(v, 7)),
    of(KernelIter, "falcosecurity_scap_n_evts_task_file_socket_netlink_total", "scap.n_evts_task_file_socket_netlink", Counter, "Descriptors of the kind socket_netlink found at the start, in `/proc`; Falco counts what its iterators tell of.", |v| at_start(v, 8)),
    of(KernelIter, "falcosecurity_scap_n_evts_task_file_anon_inode_total", "scap.n_evts_task_file_anon_inode", Counter, "Descriptors of the kind anon_inode found at the start, in `/proc`; Falco counts what its iterators tell of.", |v| at_start(v, 9)),
    of(KernelIter, "falcosecurity_scap_n_drops_max_event_size_total", "scap.n_drops_max_event_size", Counter, "Of these too large to be told of; there are none here.", none_at_start),
    of(KernelIter, "falcosecurity_scap_n_drops_task_total", "scap.n_drops_task", Counter, "Of these lost; there are none here: what did not fit is logged.", none_at_start),
    of(KernelIter, "falcosecurity_scap_n_drops_task_file_pipe_total", "scap.n_drops_task_file_pipe", Counter, "Of these lost; there are none here: what did not fit is logged.", none_at_start),
    of(KernelIter, "falcosecurity_scap_n_drops_task_file_memfd_total", "scap.n_drops_task_file_memfd", Counter, "Of these lost; there are none here: what did not fit is logged.", none_at_start),
    of(KernelIter, "falcosecurity_scap_n_drops_task_file_regular_total", "scap.n_drops_task_file_regular", Counter, "Of these lost; there are none here: what did not fit is logged.", none_at_start),
    of(KernelIter, "falcosecurity_scap_n_drops_task_file_directory_total", "scap.n_drops_task_file_directory", Counter, "Of these lost; there are none here: what did not fit is logged.", none_at_start),
    of(KernelIter, "falcosecurity_scap_n_drops_task_file_socket_inet_total", "scap.n_drops_task_file_socket_inet", Counter, "Of these lost; there are none here: what did not fit is logged.", none_at_start),
    of(KernelIter, "falcosecurity_scap_n_drops_task_file_socket_inet6_total", "scap.n_drops_task_file_socket_inet6", Counter, "Of these lost; there are none here: what did not fit is logged.", none_at_start),
    of(KernelIter, "falcosecurity_scap_n_drops_task_file_socket_unix_total", "scap.n_drops_task_file_socket_unix", Counter, "Of these lost; there are none here: what did not fit is logged.", none_at_start),
    of(KernelIter, "falcosecurity_scap_n_drops_task_file_socket_netlink_total", "scap.n_drops_task_file_socket_netlink", Counter, "Of these lost; there are none here: what did not fit is logged.", none_at_start),
    of(KernelIter, "falcosecurity_scap_n_drops_task_file_anon_inode_total", "scap.n_drops_task_file_anon_inode", Counter, "Of these lost; there are none here: what did not fit is logged.", none_at_start),
    of(State, "falcosecurity_scap_n_threads_total", "falco.n_threads", Gauge, "Threads that are known.", |v| one(v.at.state.n_threads)),
    of(State, "falcosecurity_scap_n_fds_total", "falco.n_fds", Gauge, "Descriptors that are known.", |v| one(v.at.state.n_fds)),
    of(State, "falcosecurity_scap_n_noncached_fd_lookups_total", "falco.n_noncached_fd_lookups", Counter, "Descriptors of events found in their table.", |v| one(v.at.state.n_noncached_fd_lookups)),
    of(State, "falcosecurity_scap_n_cached_fd_lookups_total", "falco.n_cached_fd_lookups", Counter, "Descriptors of events that were those of the event before.", |v| one(v.at.state.n_cached_fd_lookups)),
    of(State, "falcosecurity_scap_n_failed_fd_lookups_total", "falco.n_failed_fd_lookups", Counter, "Descriptors looked for in vain.", |v| one(v.at.state.n_failed_fd_lookups)),
    of(State, "falcosecurity_scap_n_added_fds_total", "falco.n_added_fds", Counter, "Descriptors added.", |v| one(v.at.state.n_added_fds)),
    of(State, "falcosecurity_scap_n_removed_fds_total", "falco.n_removed_fds", Counter, "Descriptors removed.", |v| one(v.at.state.n_removed_fds)),
    of(State, "falcosecurity_scap_n_stored_evts_total", "falco.n_stored_evts", Counter, "Enter events kept for their exit.", |v| one(v.at.state.n_stored_evts)),
    of(State, "falcosecurity_scap_n_store_evts_drops_total", "falco.n_store_evts_drops", Counter, "Enter events that could not be kept.", |v| one(v.at.state.n_store_evts_drops)),
    of(State, "falcosecurity_scap_n_retrieved_evts_total", "falco.n_retrieved_evts", Counter, "Enter events found by their exit.", |v| one(v.at.state.n_retrieved_evts)),
    of(State, "falcosecurity_scap_n_retrieve_evts_drops_total", "falco.n_retrieve_evts_drops", Counter, "Enter events looked for in vain.", |v| one(v.at.state.n_retrieve_evts_drops)),
    of(State, "falcosecurity_scap_n_noncached_thread_lookups_total", "falco.n_noncached_thread_lookups", Counter, "Threads of events found in the table.", |v| one(v.at.state.n_noncached_thread_lookups)),
    of(State, "falcosecurity_scap_n_cached_thread_lookups_total", "falco.n_cached_thread_lookups", Counter, "Threads of events that were those of the event before.", |v| one(v.at.state.n_cached_thread_lookups)),
    of(State, "falcosecurity_scap_n_failed_thread_lookups_total", "falco.n_failed_thread_lookups", Counter, "Threads looked for in vain.", |v| one(v.at.state.n_failed_thread_lookups)),
    of(State, "falcosecurity_scap_n_added_threads_total", "falco.n_added_threads", Counter, "Threads added.", |v| one(v.at.state.n_added_threads)),
    of(State, "falcosecurity_scap_n_removed_threads_total", "falco.n_removed_threads", Counter, "Threads removed.", |v| one(v.at.state.n_removed_threads)),
    of(State, "falcosecurity_scap_n_drops_full_threadtable_total", "falco.n_drops_full_threadtable", Counter, "Threads not kept because the table was full.", |v| one(v.at.state.n_drops_full_threadtable)),
    own("peregrine_events_total", Counter, &[], "Events processed.", |v| one(v.at.events)),
    own("peregrine_detection_lag_seconds", Gauge, &[], "How far behind the last event was when it was processed.", |v| float(v.at.lag_ns as f64 / 1e9)),
    own("peregrine_rules", Gauge, &[], "Rules at work.", |v| one(v.at.rules.len() as u64)),
    own("peregrine_reloads_total", Counter, &["result"], "Reloads that were put in place, and that were refused.", reloads),
    own("peregrine_kernel_total", Counter, &["counter"], "Every counter of the kernel programs, under its own name.", kernel_counters),
    own("peregrine_kernel_hooks_info", Gauge, &["fentry", "lsm"], "What the kernel lets be hooked beyond tracepoints, on which nothing rests.", hooks),
    own("peregrine_state_users", Gauge, &[], "Users and groups that are known.", |v| one(v.at.state.n_users)),
    own("peregrine_state_containers", Gauge, &[], "Containers that are known.", |v| one(v.at.state.n_containers)),
    own("peregrine_containers_total", Counter, &["result"], "Containers that were asked for, and what came of it.", containers),
    own("peregrine_containers_held_total", Counter, &["result"], "Events that waited for their container to be known, and what came of it; alerts that are marked because it is not.", held),
    own("peregrine_state_total", Counter, &["counter"], "Counters of the state that Falco has not.", state_counters),
    own("peregrine_output_offered_total", Counter, &["output"], "Alerts offered to an output.", |v| outputs(v, |r| r.offered)),
    own("peregrine_output_delivered_total", Counter, &["output"], "Alerts delivered.", |v| outputs(v, |r| r.delivered)),
    own("peregrine_output_lost_total", Counter, &["cause", "output"], "Alerts lost, by cause.", lost),
    own("peregrine_output_retries_total", Counter, &["output"], "Deliveries tried again.", |v| outputs(v, |r| r.retries)),
    own("peregrine_output_timeouts_total", Counter, &["output"], "Deliveries that took longer than `output_timeout`.", |v| outputs(v, |r| r.timeouts)),
    own("peregrine_output_reopened_total", Counter, &["output"], "Connections, files and programs opened anew.", |v| outputs(v, |r| r.reopened)),
    own("peregrine_output_shortened_total", Counter, &["output"], "Alerts delivered shortened.", |v| outputs(v, |r| r.shortened)),
    own("peregrine_output_queue_alerts", Gauge, &["output"], "Alerts that wait or are being delivered.", |v| outputs(v, |r| r.waiting)),
    own("peregrine_output_queue_bytes", Gauge, &["output"], "Memory that they take, roughly.", |v| outputs(v, |r| r.bytes)),
    own("peregrine_output_delivery_seconds", Histogram, &["le", "output"], "Time from an alert's raising to its delivery.", latency),
];

fn sample(labels: &[(&str, &str)], key: &str, value: Value) -> Sample {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sample { labels, suffix: "", key: key.to_owned(), value }
}

fn one(value: u64) -> Vec<Sample> {
    vec![sample(&[], "", Value::Uint(value))]
}

fn float(value: f64) -> Vec<Sample> {
    vec![sample(&[], "", Value::Float(value))]
}

fn info(label: &str, text: &str) -> Vec<Sample> {
    vec![sample(&[(label, text)], "", Value::Text(text.to_owned()))]
}

fn kernel() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

fn engine(view: &View<'_>) -> Vec<Sample> {
    // As with Falco, a capture has none.
    let Some(name) = view.shared.engine else { return Vec::new() };
    let labels = [("engine_name", name), ("evt_source", crate::playback::SOURCE)];
    vec![sample(&labels, "", Value::Text(name.into()))]
}

fn digests(files: &[(String, String)]) -> Vec<Sample> {
    let row = |(name, digest): &(String, String)| {
        sample(&[("file_name", name), ("sha256", digest)], &sanitized(name), Value::Text(digest.clone()))
    };
    files.iter().map(row).collect()
}

/// A name as part of a field.
fn sanitized(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// What the kernel measured of a program that is attached.
fn ran(view: &View<'_>, program: &str, of: fn(u64, u64) -> u64) -> Vec<Sample> {
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let row = view.runs.iter().find(|(name, ..)| *name == program);
    row.map_or_else(Vec::new, |(_, n, time)| one(of(*n, nanoseconds(*time))))
}

fn at_start(view: &View<'_>, kind: usize) -> Vec<Sample> {
    view.at.at_start.as_ref().map_or_else(Vec::new, |found| one(found[kind]))
}

fn none_at_start(view: &View<'_>) -> Vec<Sample> {
    if view.at.at_start.is_some() { one(0) } else { Vec::new() }
}

fn hooks(view: &View<'_>) -> Vec<Sample> {
    let hooks = view.at.hooks;
    let can = |yes: bool| if yes { "yes" } else { "no" };
    vec![sample(&[("fentry", can(hooks.fentry)), ("lsm", can(hooks.lsm))], "", Value::Text(hooks.to_string()))]
}

fn rules(view: &View<'_>) -> Vec<Sample> {
    let row = |(rule, n): (&super::RuleInfo, &u64)| {
        let priority = (rule.priority as u8).to_string();
        let mut labels = vec![("priority", priority.as_str()), ("rule_name", &rule.name), ("source", &rule.source)];
        let tags: Vec<String> = rule.tags.iter().map(|tag| format!("tag_{tag}")).collect();
        labels.extend(tags.iter().map(|tag| (tag.as_str(), "true")));
        labels.sort_unstable();
        sample(&labels, &sanitized(&rule.name), Value::Uint(*n))
    };
    view.at.rules.iter().zip(&view.at.matches).map(row).collect()
}

fn drop_share(view: &View<'_>) -> Vec<Sample> {
    let total = &view.kernel;
    let (events, drops) = view.since.as_ref().map_or((0, 0), |s| (s.kernel, s.drops));
    let (events, drops) = (total.events().saturating_sub(events), total.drops().saturating_sub(drops));
    float(if events > 0 { 100.0 * drops as f64 / events as f64 } else { 0.0 })
}

/// Kinds of calls and the events of them that a full buffer lost.
fn lost_by_kind(view: &View<'_>) -> impl Iterator<Item = (&'static str, u64)> + use<> {
    let total = view.kernel;
    COUNTERS.iter().filter_map(move |(name, _)| {
        Some((name.strip_prefix("n_drops_buffer_")?.strip_suffix("_exit")?, total.get(name)))
    })
}

fn buffers(view: &View<'_>) -> Vec<Sample> {
    let row = |(kind, n)| sample(&[("dir", "exit"), ("drop", kind)], "", Value::Uint(n));
    let told = view.at.kernel.is_some() && view.shared.settings.kernel_event_counters_enabled;
    let gone = ["clone_fork", "execve", "connect", "open", "dir_file", "other_interest"];
    let gone = gone.map(|kind| sample(&[("dir", "enter"), ("drop", kind)], "", Value::Uint(0)));
    lost_by_kind(view).filter(|_| told).map(row).chain(gone).collect()
}

fn buffer_fields(view: &View<'_>) -> Vec<Sample> {
    let row = |(kind, n)| sample(&[], &format!("{kind}_exit"), Value::Uint(n));
    let gone = ["connect_enter", "open_enter"].map(|kind| sample(&[], kind, Value::Uint(0)));
    lost_by_kind(view).map(row).chain(gone).collect()
}

fn cpus(view: &View<'_>, of: fn(&peregrine_driver::Counters) -> u64) -> Vec<Sample> {
    let row = |(cpu, counters): (usize, &peregrine_driver::Counters)| {
        let cpu = cpu.to_string();
        sample(&[("cpu", &cpu)], &cpu, Value::Uint(of(counters)))
    };
    view.at.kernel.iter().flat_map(|stats| &stats.cpus).enumerate().map(row).collect()
}

fn reloads(view: &View<'_>) -> Vec<Sample> {
    let (done, refused) = view.at.reloads;
    [("done", done), ("refused", refused)].map(|(r, n)| sample(&[("result", r)], "", Value::Uint(n))).into()
}

fn containers(view: &View<'_>) -> Vec<Sample> {
    let f = view.at.containers;
    let results = [("asked", f.asked), ("found", f.found), ("unknown", f.unknown), ("lost", f.lost)];
    results.map(|(r, n)| sample(&[("result", r)], "", Value::Uint(n))).into()
}

fn held(view: &View<'_>) -> Vec<Sample> {
    let f = view.at.held;
    let results = [
        ("held", f.held),
        ("completed", f.completed),
        ("unknown", f.unknown),
        ("overflowed", f.overflowed),
        ("marked", f.marked),
    ];
    results.map(|(r, n)| sample(&[("result", r)], "", Value::Uint(n))).into()
}

fn kernel_counters(view: &View<'_>) -> Vec<Sample> {
    if view.at.kernel.is_none() {
        return Vec::new();
    }
    let total = &view.kernel;
    COUNTERS.iter().zip(total.n).map(|((name, _), n)| sample(&[("counter", name)], "", Value::Uint(n))).collect()
}

fn state_counters(view: &View<'_>) -> Vec<Sample> {
    let s = &view.at.state;
    let counters = [
        ("drops_full_fdtable", s.n_drops_full_fdtable),
        ("drops_full_usertable", s.n_drops_full_usertable),
        ("evicted_threads", s.n_evicted_threads),
        ("purged_threads", s.n_purged_threads),
        ("source_lookups", s.n_source_lookups),
        ("source_misses", s.n_source_misses),
        ("source_skipped", s.n_source_skipped),
    ];
    counters.map(|(name, n)| sample(&[("counter", name)], "", Value::Uint(n))).into()
}

fn outputs(view: &View<'_>, of: fn(&Report) -> u64) -> Vec<Sample> {
    view.outputs.iter().map(|report| sample(&[("output", report.output)], "", Value::Uint(of(report)))).collect()
}

fn lost(view: &View<'_>) -> Vec<Sample> {
    let row = |report: &Report| {
        let output = report.output;
        let causes = report.lost.iter();
        causes.map(|(c, n)| sample(&[("cause", c.name()), ("output", output)], "", Value::Uint(*n))).collect::<Vec<_>>()
    };
    view.outputs.iter().flat_map(row).collect()
}

fn latency(view: &View<'_>) -> Vec<Sample> {
    let mut samples = Vec::new();
    for report in &view.outputs {
        let mut below = 0;
        for (at, n) in report.latency.iter().enumerate() {
            below += n;
            let le = LATENCY_MS.get(at).map_or("+Inf".into(), |ms| (*ms as f64 / 1000.0).to_string());
            let bucket = sample(&[("le", &le), ("output", report.output)], "", Value::Uint(below));
            samples.push(Sample { suffix: "_bucket", ..bucket });
        }
        let labels = [("output", report.output)];
        let sum = sample(&labels, "", Value::Float(report.latency_ns as f64 / 1e9));
        samples.push(Sample { suffix: "_sum", ..sum });
        samples.push(Sample { suffix: "_count", ..sample(&labels, "", Value::Uint(below)) });
    }
    samples
}

/// A value as snapshots give it, and whether its field's unit becomes `_mb`.
pub(crate) fn in_snapshot(metric: &Metric, value: Value, megabytes: bool) -> (Value, bool) {
    match (metric.unit, value) {
        (Unit::Kib, Value::Uint(n)) if megabytes => (Value::Float(tenths(n as f64 / 1024.0)), true),
        (Unit::Bytes, Value::Uint(n)) if megabytes => (Value::Float(tenths(n as f64 / 1_048_576.0)), true),
        (_, value) => (value, false),
    }
}
