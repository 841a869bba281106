//! What the program tells of itself: pages of the web server and snapshots, from what the thread of the events publishes.
//!
//! That thread stores one pointer a quarter of a second and never waits; everything else (reading `/proc`, making text,
//! answering) happens in threads of its own.

mod render;
mod resource;
mod snapshot;
mod start;
pub mod table;

use crate::config::{Config, EngineKind, Metrics, WebServer};
use crate::detector::Detector;
use crate::failure::Failure;
use crate::hold::HoldFigures;
use crate::ruleset::Sums;
use arc_swap::ArcSwapOption;
use peregrine_alert::Priority;
use peregrine_containers::Figures;
use peregrine_driver::{Control, Hooks, Stats};
use peregrine_outputs::Outputs;
use peregrine_state::Counters;
use peregrine_web::{Bound, Content, Server};
pub use start::{AT_START, found};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How often figures are published, at least.
const PUBLISH: Duration = Duration::from_millis(250);
/// After so long without a turn of the event loop the program is not well.
const STALLED: Duration = Duration::from_secs(10);

/// The figures at one moment.
pub struct Published {
    /// Events processed.
    pub events: u64,
    /// How far behind the last event was when it was processed, in nanoseconds.
    pub lag_ns: u64,
    /// What the kernel programs counted; `None` where there are none.
    pub kernel: Option<Stats>,
    /// What the kernel lets be hooked beyond tracepoints.
    pub hooks: Hooks,
    /// What the state counted.
    pub state: Counters,
    /// The rules, in the order of their counts.
    pub rules: Arc<[RuleInfo]>,
    /// How often each matched.
    pub matches: Vec<u64>,
    /// Digests of the files that are at work.
    pub sums: Arc<Sums>,
    /// What was found at the start: threads, and descriptors by kind, in the order of Falco's iterators.
    pub at_start: Option<[u64; AT_START]>,
    /// When the rules were loaded, nanoseconds since the epoch.
    pub reload_ts: u64,
    /// Reloads put in place, and refused.
    pub reloads: (u64, u64),
    /// The outputs at work.
    pub outputs: Option<Arc<Outputs>>,
    /// What became of questions for containers.
    pub containers: Figures,
    /// What became of events that waited for the answers.
    pub held: HoldFigures,
}

/// What metrics say of a rule.
pub struct RuleInfo {
    /// Its name.
    pub name: String,
    /// Its severity.
    pub priority: Priority,
    /// Its event source.
    pub source: String,
    /// Its tags.
    pub tags: Vec<String>,
}

/// What all threads share.
pub(crate) struct Shared {
    pub(crate) published: ArcSwapOption<Published>,
    pub(crate) settings: Metrics,
    pub(crate) hostname: String,
    pub(crate) start_ts: u64,
    /// Name of the engine that events come from, as Falco has it; `None` for captures.
    pub(crate) engine: Option<&'static str>,
    /// The kernel programs, where there are some.
    pub(crate) control: Option<Control>,
    serve_metrics: bool,
    origin: Instant,
    /// Milliseconds from the origin to the last turn of the event loop.
    beat: AtomicU64,
}

/// What the configuration asks for.
#[derive(Clone, PartialEq)]
struct Wanted {
    metrics: Metrics,
    web: WebServer,
}

impl Wanted {
    fn new(config: &Config) -> Self {
        Self { metrics: config.metrics.clone(), web: config.webserver.clone() }
    }

    fn server(&self) -> peregrine_web::Settings {
        peregrine_web::Settings {
            address: self.web.listen_address,
            port: self.web.listen_port,
            threads: self.web.threadiness as usize,
            health: self.web.k8s_healthz_endpoint.clone(),
            tls: self.web.ssl_enabled.then(|| self.web.ssl_certificate.clone()),
        }
    }

    fn shared(&self, hostname: &str, start_ts: u64, from: From) -> Arc<Shared> {
        Arc::new(Shared {
            published: ArcSwapOption::empty(),
            settings: self.metrics.clone(),
            hostname: hostname.to_owned(),
            start_ts,
            engine: from.engine,
            control: from.control,
            serve_metrics: self.metrics.enabled && self.web.prometheus_metrics_enabled,
            origin: Instant::now(),
            beat: AtomicU64::new(0),
        })
    }
}

/// Where events come from.
#[derive(Clone, Default)]
pub struct From {
    engine: Option<&'static str>,
    control: Option<Control>,
    at_start: Option<[u64; AT_START]>,
}

impl From {
    /// The source of a live run.
    pub fn live(config: &Config, control: Option<Control>, found: [u64; AT_START]) -> Self {
        let engine = if config.engine == EngineKind::NoDriver { "nodriver" } else { "modern_bpf" };
        let at_start = control.is_some().then_some(found);
        Self { engine: Some(engine), control, at_start }
    }
}

/// Everything that may fail is done; nothing runs yet.
pub struct Prepared {
    wanted: Wanted,
    web: Option<Bound>,
}

fn web_failure(error: peregrine_web::Error) -> Failure {
    Failure::System(anyhow::Error::new(error).context("web server"))
}

impl Prepared {
    /// Begins to listen where the configuration asks for it.
    ///
    /// # Errors
    /// When the port is taken, or the certificate is wrong.
    pub fn new(config: &Config) -> Result<Self, Failure> {
        let wanted = Wanted::new(config);
        let web = wanted.web.enabled.then(|| Bound::new(&wanted.server())).transpose().map_err(web_failure)?;
        Ok(Self { wanted, web })
    }

    /// Snapshots alone: as with Falco, a capture is played without web server.
    pub fn of_replay(config: &Config) -> Self {
        Self { wanted: Wanted::new(config), web: None }
    }

    /// Starts the threads, which have this thread's privileges.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start(self, hostname: &str, from: From) -> Result<Telemetry, Failure> {
        let from_at_start = from.at_start;
        let shared = self.wanted.shared(hostname, crate::gaps::now(), from);
        let page = Arc::new(Page(Arc::clone(&shared)));
        let server = self.web.map(|web| web.serve(page)).transpose().map_err(web_failure)?;
        let snapshots = snapshots(&shared)?;
        let telemetry = Telemetry {
            publish: publish(&self.wanted),
            shared,
            wanted: self.wanted,
            last: None,
            rules: Arc::new([]),
            sums: Arc::default(),
            at_start: from_at_start,
            reload_ts: 0,
            server,
            snapshots,
        };
        telemetry.announce();
        Ok(telemetry)
    }
}

fn snapshots(shared: &Arc<Shared>) -> Result<Option<snapshot::Snapshots>, Failure> {
    let started = snapshot::Snapshots::start(shared);
    started.map_err(|e| Failure::System(anyhow::Error::new(e).context("cannot take snapshots of metrics")))
}

/// How often figures are published: no snapshot shows those of the one before.
fn publish(wanted: &Wanted) -> Duration {
    PUBLISH.min(wanted.metrics.interval / 2)
}

/// The end of the thread of the events.
pub struct Telemetry {
    shared: Arc<Shared>,
    wanted: Wanted,
    publish: Duration,
    last: Option<Instant>,
    rules: Arc<[RuleInfo]>,
    sums: Arc<Sums>,
    at_start: Option<[u64; AT_START]>,
    reload_ts: u64,
    server: Option<Server>,
    snapshots: Option<snapshot::Snapshots>,
}

impl Telemetry {
    fn announce(&self) {
        if let Some(server) = &self.server {
            tracing::info!("web server: listening on {}", server.address());
        }
    }

    /// Goes on as another configuration wants it.
    ///
    /// # Errors
    /// When the port is taken, the certificate or the snapshots' file is wrong; then all goes on as before.
    pub fn configure(&mut self, config: &Config) -> Result<(), Failure> {
        let wanted = Wanted::new(config);
        if wanted == self.wanted {
            return Ok(());
        }
        let from = From { engine: self.shared.engine, control: self.shared.control.clone(), at_start: None };
        let shared = wanted.shared(&self.shared.hostname, self.shared.start_ts, from);
        shared.published.store(self.shared.published.load_full());
        // First what cannot fail once it has begun.
        let snapshots = snapshots(&shared)?;
        let page = Arc::new(Page(Arc::clone(&shared)));
        self.server = match self.server.take() {
            _ if !wanted.web.enabled => None,
            None => Some(Bound::new(&wanted.server()).and_then(|bound| bound.serve(page)).map_err(web_failure)?),
            Some(server) => match server.replace(&wanted.server(), page) {
                Ok(server) => Some(server),
                Err(not) => {
                    self.server = not.server;
                    return Err(web_failure(not.error));
                }
            },
        };
        let web_changed = wanted.web != self.wanted.web;
        (self.publish, self.shared, self.snapshots) = (publish(&wanted), shared, snapshots);
        (self.wanted, self.last) = (wanted, None);
        if web_changed {
            self.announce();
        }
        Ok(())
    }
}

impl Telemetry {
    /// The rules at work from now on.
    pub fn rules(&mut self, detector: &Detector, sums: Sums) {
        self.sums = Arc::new(sums);
        let info = |rule: &peregrine_rules::Rule| RuleInfo {
            name: rule.name.clone(),
            priority: rule.priority,
            source: rule.source.clone(),
            tags: rule.tags.iter().cloned().collect(),
        };
        self.rules = detector.counts().map(|(rule, _)| info(rule)).collect();
        self.reload_ts = crate::gaps::now();
        self.last = None;
    }

    /// Whether anybody asks for figures.
    pub fn is_asked(&self) -> bool {
        self.server.is_some() || self.snapshots.is_some()
    }

    /// The event loop has made a turn; publishes what `figures` gives when it is time to.
    pub fn turn(&mut self, figures: impl FnOnce(Published) -> Published) {
        if !self.is_asked() {
            return;
        }
        let now = Instant::now();
        self.shared.beat.store(self.shared.elapsed(now), Relaxed);
        if self.last.is_some_and(|last| now.duration_since(last) < self.publish) {
            return;
        }
        self.last = Some(now);
        let published = figures(Published {
            events: 0,
            lag_ns: 0,
            kernel: None,
            hooks: Hooks::default(),
            state: Counters::default(),
            rules: Arc::clone(&self.rules),
            matches: Vec::new(),
            sums: Arc::clone(&self.sums),
            at_start: self.at_start,
            reload_ts: self.reload_ts,
            reloads: (0, 0),
            containers: Figures::default(),
            held: HoldFigures::default(),
            outputs: None,
        });
        self.shared.published.store(Some(Arc::new(published)));
    }
}

impl Shared {
    fn elapsed(&self, now: Instant) -> u64 {
        u64::try_from(now.duration_since(self.origin).as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether the event loop makes its turns.
    fn health(&self) -> Result<(), String> {
        let idle = self.elapsed(Instant::now()).saturating_sub(self.beat.load(Relaxed));
        if Duration::from_millis(idle) <= STALLED {
            return Ok(());
        }
        Err(format!("no event was looked at for {} s", idle / 1000))
    }
}

/// The web server's pages.
struct Page(Arc<Shared>);

impl Content for Page {
    fn health(&self) -> Result<(), String> {
        self.0.health()
    }

    fn versions(&self) -> String {
        crate::falco::version::object().to_string()
    }

    fn metrics(&self) -> Option<String> {
        self.0.serve_metrics.then(|| render::prometheus(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Shared {
        Shared {
            published: ArcSwapOption::empty(),
            settings: Config::default().metrics,
            hostname: "h".into(),
            start_ts: 1,
            engine: Some("modern_bpf"),
            control: None,
            serve_metrics: true,
            origin: Instant::now(),
            beat: AtomicU64::new(0),
        }
    }

    #[test]
    fn a_loop_that_makes_no_turn_is_not_well() {
        let now = Instant::now();
        let mut shared = shared();
        assert!(shared.health().is_ok());
        shared.origin = now.checked_sub(STALLED + Duration::from_secs(2)).unwrap();
        assert!(shared.health().unwrap_err().contains("12 s"));
        shared.beat.store(11_900, Relaxed);
        assert!(shared.health().is_ok());
    }

    fn published() -> Published {
        let rule = |name: &str| RuleInfo {
            name: name.into(),
            priority: Priority::Warning,
            source: "syscall".into(),
            tags: vec!["T1555".into(), "a-b".into()],
        };
        let mut cpu = peregrine_driver::Counters::default();
        cpu.n[0] = 10;
        Published {
            events: 7,
            lag_ns: 1_500_000,
            kernel: Some(Stats { cpus: vec![cpu, cpu] }),
            hooks: Hooks { fentry: true, lsm: false },
            state: Counters { n_threads: 3, ..Counters::default() },
            rules: Arc::new([rule("Say \"it\""), rule("Never matched")]),
            matches: vec![4, 0],
            sums: Arc::new(Sums {
                rules: vec![("falco_rules.yaml".into(), "6f00".into())],
                config: vec![("falco.yaml".into(), "f97d".into())],
            }),
            at_start: Some([9; AT_START]),
            reload_ts: 5,
            reloads: (2, 1),
            containers: Figures::default(),
            held: HoldFigures::default(),
            outputs: None,
        }
    }

    #[test]
    fn the_page_has_falcos_names_and_labels() {
        let shared = shared();
        assert_eq!(render::prometheus(&shared), "", "nothing is known yet");
        shared.published.store(Some(Arc::new(published())));
        let page = render::prometheus(&shared);
        for line in [
            "# HELP falcosecurity_falco_rules_matches_total https://falco.org/docs/metrics/",
            "# TYPE falcosecurity_falco_rules_matches_total counter",
            "falcosecurity_falco_rules_matches_total{priority=\"4\",rule_name=\"Say \\\"it\\\"\",source=\"syscall\",tag_T1555=\"true\",tag_a_b=\"true\"} 4",
            "falcosecurity_scap_engine_name_info{engine_name=\"modern_bpf\",evt_source=\"syscall\"} 1",
            "falcosecurity_evt_hostname_info{hostname=\"h\"} 1",
            "peregrine_kernel_hooks_info{fentry=\"yes\",lsm=\"no\"} 1",
            "falcosecurity_falco_start_timestamp_nanoseconds 1",
            "falcosecurity_falco_reload_timestamp_nanoseconds 5",
            "falcosecurity_scap_n_evts_total 20",
            "falcosecurity_scap_n_drops_buffer_total{dir=\"exit\",drop=\"clone_fork\"} 0",
            "falcosecurity_scap_n_drops_buffer_total{dir=\"enter\",drop=\"open\"} 0",
            "falcosecurity_scap_n_evts_cpu_total{cpu=\"1\"} 10",
            "falcosecurity_scap_n_threads_total 3",
            "# TYPE falcosecurity_scap_n_threads_total gauge",
            "peregrine_detection_lag_seconds 0.0015",
            "peregrine_reloads_total{result=\"refused\"} 1",
        ] {
            assert!(page.lines().any(|l| l == line), "no line {line} in\n{page}");
        }
        assert!(!page.contains("Never matched"), "only rules that matched");
        for family in page.lines().filter(|line| line.starts_with("# TYPE")) {
            assert_eq!(page.matches(family).count(), 1, "{family} is told once");
        }
    }

    #[test]
    fn switches_leave_their_groups_out() {
        let mut shared = shared();
        shared.settings.state_counters_enabled = false;
        shared.settings.kernel_event_counters_per_cpu_enabled = false;
        shared.settings.rules_counters_enabled = false;
        shared.settings.resource_utilization_enabled = false;
        shared.published.store(Some(Arc::new(published())));
        let page = render::prometheus(&shared);
        for part in ["n_threads", "n_evts_cpu", "rules_matches", "memory_rss"] {
            assert!(!page.contains(part), "{part}");
        }
        assert!(page.contains("falcosecurity_scap_n_evts_total 20"));
    }

    #[test]
    fn snapshots_have_falcos_fields() {
        let mut shared = shared();
        shared.published.store(Some(Arc::new(published())));
        let (first, since) = render::fields(&shared, None).unwrap();
        let value = |fields: &[(String, peregrine_alert::Json)], name: &str| {
            fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
        };
        use peregrine_alert::Json::{Double, Text, Uint};
        assert_eq!(value(&first, "falco.rules.Say__it_"), Some(Uint(4)));
        assert_eq!(value(&first, "falco.rules.Never_matched"), None, "what is zero is left out");
        assert_eq!(value(&first, "falco.num_evts"), Some(Uint(7)));
        assert_eq!(value(&first, "scap.n_drops"), Some(Uint(0)), "but for the main figures");
        assert_eq!(value(&first, "evt.source"), Some(Text("syscall".into())));
        assert!(matches!(value(&first, "falco.memory_rss_mb"), Some(Double(mb)) if mb > 0.0));
        assert_eq!(value(&first, "falco.evts_rate_sec"), None, "a rate needs two of them");
        shared.settings.include_empty_values = true;
        shared.settings.convert_memory_to_mb = false;
        let later = Published { events: 27, ..published() };
        shared.published.store(Some(Arc::new(later)));
        let (second, _) = render::fields(&shared, Some(snapshot::Since { seconds: 2.0, ..since })).unwrap();
        assert_eq!(value(&second, "falco.evts_rate_sec"), Some(Double(10.0)));
        assert_eq!(value(&second, "falco.num_evts_prev"), Some(Uint(7)));
        assert_eq!(value(&second, "falco.rules.Never_matched"), Some(Uint(0)));
        assert!(matches!(value(&second, "falco.memory_rss_kb"), Some(Uint(kb)) if kb > 0));
        assert_eq!(value(&second, "scap.n_drops_buffer_open_exit"), Some(Uint(0)));
    }

    /// What upstream's sources name (`falco_metrics.cpp`, `stats_writer.cpp`, `metrics_collector.cpp`,
    /// `resource_utilization.cpp`, `libpman/src/stats.c`, `scap_kmod.c`), on the page; without jemalloc's and plugins'.
    const PAGE: &str = "\
        falcosecurity_falco_version_info falcosecurity_falco_sha256_rules_files_info \
        falcosecurity_falco_sha256_config_files_info falcosecurity_falco_outputs_queue_num_drops_total \
        falcosecurity_falco_reload_timestamp_nanoseconds falcosecurity_falco_rules_matches_total \
        falcosecurity_scap_engine_name_info falcosecurity_falco_kernel_release_info \
        falcosecurity_falco_start_timestamp_nanoseconds falcosecurity_falco_duration_seconds_total \
        falcosecurity_evt_hostname_info falcosecurity_falco_host_boot_timestamp_nanoseconds \
        falcosecurity_falco_host_num_cpus_total falcosecurity_falco_cpu_usage_ratio falcosecurity_falco_memory_rss_bytes \
        falcosecurity_falco_memory_vsz_bytes falcosecurity_falco_memory_pss_bytes \
        falcosecurity_falco_container_memory_used_bytes falcosecurity_falco_host_cpu_usage_ratio \
        falcosecurity_falco_host_memory_used_bytes falcosecurity_falco_host_procs_running_total \
        falcosecurity_falco_host_open_fds_total falcosecurity_scap_n_threads_total falcosecurity_scap_n_fds_total \
        falcosecurity_scap_n_noncached_fd_lookups_total falcosecurity_scap_n_cached_fd_lookups_total \
        falcosecurity_scap_n_failed_fd_lookups_total falcosecurity_scap_n_added_fds_total \
        falcosecurity_scap_n_removed_fds_total falcosecurity_scap_n_stored_evts_total \
        falcosecurity_scap_n_store_evts_drops_total falcosecurity_scap_n_retrieved_evts_total \
        falcosecurity_scap_n_retrieve_evts_drops_total falcosecurity_scap_n_noncached_thread_lookups_total \
        falcosecurity_scap_n_cached_thread_lookups_total falcosecurity_scap_n_failed_thread_lookups_total \
        falcosecurity_scap_n_added_threads_total falcosecurity_scap_n_removed_threads_total \
        falcosecurity_scap_n_drops_full_threadtable_total falcosecurity_scap_n_evts_total \
        falcosecurity_scap_n_drops_buffer_total falcosecurity_scap_n_drops_scratch_map_total \
        falcosecurity_scap_n_drops_page_faults_total falcosecurity_scap_n_drops_bug_total \
        falcosecurity_scap_n_preemptions_total falcosecurity_scap_n_drops_total falcosecurity_scap_n_evts_cpu_total \
        falcosecurity_scap_n_drops_cpu_total falcosecurity_scap_sys_exit_run_cnt_total \
        falcosecurity_scap_sys_exit_run_time_nanoseconds_total falcosecurity_scap_sys_exit_avg_time_nanoseconds \
        falcosecurity_scap_sched_p_exec_run_cnt_total falcosecurity_scap_sched_p_fork_run_time_nanoseconds_total \
        falcosecurity_scap_sched_proc_exit_avg_time_nanoseconds falcosecurity_scap_signal_deliver_run_cnt_total \
        falcosecurity_scap_n_drops_max_event_size_total";
    /// Likewise in snapshots, memory in MiB.
    const SNAPSHOT: &str = "\
        evt.time evt.hostname evt.source falco.reload_ts falco.version falco.start_ts falco.duration_sec \
        falco.kernel_release falco.host_boot_ts falco.host_num_cpus falco.outputs_queue_num_drops \
        falco.sha256_rules_file.falco_rules_yaml falco.sha256_config_file.falco_yaml scap.engine_name \
        falco.evts_rate_sec falco.num_evts falco.num_evts_prev falco.rules.matches_total falco.cpu_usage_perc \
        falco.memory_rss_mb falco.memory_vsz_mb falco.memory_pss_mb falco.container_memory_used_mb \
        falco.host_cpu_usage_perc falco.host_memory_used_mb falco.host_procs_running falco.host_open_fds \
        falco.n_threads falco.n_fds falco.n_noncached_fd_lookups falco.n_cached_fd_lookups falco.n_failed_fd_lookups \
        falco.n_added_fds falco.n_removed_fds falco.n_stored_evts falco.n_store_evts_drops falco.n_retrieved_evts \
        falco.n_retrieve_evts_drops falco.n_noncached_thread_lookups falco.n_cached_thread_lookups \
        falco.n_failed_thread_lookups falco.n_added_threads falco.n_removed_threads falco.n_drops_full_threadtable \
        scap.n_evts scap.n_evts_prev scap.evts_rate_sec scap.n_drops scap.n_drops_prev scap.evts_drop_rate_sec \
        scap.n_drops_perc scap.n_drops_buffer_total scap.n_drops_buffer_clone_fork_exit \
        scap.n_drops_buffer_execve_exit scap.n_drops_buffer_connect_enter scap.n_drops_buffer_connect_exit \
        scap.n_drops_buffer_open_enter scap.n_drops_buffer_open_exit scap.n_drops_buffer_dir_file_exit \
        scap.n_drops_buffer_other_interest_exit scap.n_drops_buffer_close_exit scap.n_drops_buffer_proc_exit \
        scap.n_drops_scratch_map scap.n_drops_page_faults scap.n_drops_bug scap.n_preemptions scap.n_evts_cpu_0 \
        scap.n_drops_cpu_1 scap.sys_exit.run_cnt scap.sys_exit.run_time_ns scap.sys_exit.avg_time_ns \
        scap.n_drops_max_event_size";
    /// What the iterators tell of, without `n_evts_` or `n_drops_`.
    const ITERATORS: &str = "\
        task task_file_pipe task_file_memfd task_file_regular task_file_directory task_file_socket_inet \
        task_file_socket_inet6 task_file_socket_unix task_file_socket_netlink task_file_anon_inode";

    #[test]
    fn every_name_of_falcos_is_there_and_no_other_under_its_prefix() {
        let mut shared = shared();
        shared.settings.include_empty_values = true;
        shared.published.store(Some(Arc::new(published())));
        let since = render::fields(&shared, None).unwrap().1;
        shared.published.store(Some(Arc::new(Published { events: 27, ..published() })));
        let since = snapshot::Since { seconds: 2.0, ..since };
        let programs = ["sys_exit", "process_exec", "process_fork", "process_exit", "signal_deliver"];
        let runs = programs.map(|name| (name, 4, Duration::from_nanos(100)));
        let (page, fields) = render::both_with(&shared, since, &runs);
        let iterators = |around: &dyn Fn(String) -> String| -> Vec<String> {
            let kinds = ITERATORS.split_whitespace();
            kinds.flat_map(|kind| ["n_evts_", "n_drops_"].map(|head| around(format!("{head}{kind}")))).collect()
        };
        let told: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        let mut names: Vec<String> = PAGE.split_whitespace().map(str::to_owned).collect();
        names.extend(iterators(&|name| format!("falcosecurity_scap_{name}_total")));
        for name in &names {
            assert!(told.contains(&name.as_str()), "{name} is not on the page");
        }
        let program = |name: &str| ["_run_cnt_", "_run_time_", "_avg_time_"].iter().any(|part| name.contains(part));
        for name in told.iter().filter(|name| name.starts_with("falcosecurity") && !program(name)) {
            assert!(names.iter().any(|known| known == name), "{name} is none of Falco's");
        }
        assert!(page.contains("falcosecurity_scap_sched_p_exec_avg_time_nanoseconds 25\n"), "{page}");
        assert!(page.contains(
            "falcosecurity_falco_sha256_rules_files_info{file_name=\"falco_rules.yaml\",sha256=\"6f00\"} 1\n"
        ));
        let mut names: Vec<String> = SNAPSHOT.split_whitespace().map(str::to_owned).collect();
        names.extend(iterators(&|name| format!("scap.{name}")));
        for name in &names {
            assert!(fields.iter().any(|(field, _)| field == name), "{name} is not in snapshots");
        }
        // Those whose end is a rule's, a program's, a CPU's or an interface's name.
        let open = ["falco.rules.", "falco.host_netinfo.", "scap.n_evts_cpu_", "scap.n_drops_cpu_"];
        let open = |name: &str| open.iter().any(|head| name.starts_with(head)) || name.matches('.').count() == 2;
        for (field, _) in fields.iter().filter(|(field, _)| !open(field)) {
            assert!(names.contains(field), "{field} is none of Falco's");
        }
    }

    #[test]
    fn without_driver_there_is_nothing_of_the_kernel() {
        let mut shared = shared();
        shared.engine = Some("nodriver");
        shared.published.store(Some(Arc::new(Published { kernel: None, at_start: None, ..published() })));
        let page = render::prometheus(&shared);
        assert!(page.contains("engine_name_info{engine_name=\"nodriver\",evt_source=\"syscall\"} 1\n"), "{page}");
        assert!(page.contains("falcosecurity_scap_n_threads_total 3\n"));
        for part in ["n_evts", "n_drops_total", "dir=\"exit\"", "peregrine_kernel_total"] {
            assert!(!page.contains(part), "{part} in\n{page}");
        }
        let fields = render::fields(&shared, None).unwrap().0;
        assert!(fields.iter().all(|(field, _)| !field.starts_with("scap.n_evts")), "{fields:?}");
    }

    #[test]
    fn every_row_says_something_once() {
        for row in table::METRICS {
            assert!(!row.doc.is_empty() && (!row.name.is_empty() || !row.field.is_empty()));
            for other in table::METRICS.iter().filter(|other| !std::ptr::eq(*other, row)) {
                assert!(row.name.is_empty() || row.name != other.name, "{}", row.name);
                assert!(row.field.is_empty() || row.field != other.field, "{}", row.field);
            }
        }
    }
}
