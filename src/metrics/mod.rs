//! What the program tells of itself: pages of the web server and snapshots, from what the thread of the events publishes.
//!
//! That thread stores one pointer a quarter of a second and never waits; everything else (reading `/proc`, making text,
//! answering) happens in threads of its own.

mod render;
mod resource;
mod snapshot;
pub mod table;

use crate::config::{Config, Metrics};
use crate::detector::Detector;
use crate::failure::Failure;
use crate::hold::HoldFigures;
use arc_swap::ArcSwapOption;
use peregrine_alert::Priority;
use peregrine_containers::Figures;
use peregrine_driver::{Hooks, Stats};
use peregrine_outputs::Outputs;
use peregrine_state::Counters;
use peregrine_web::{Bound, Content, Server};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How often figures are published.
const PUBLISH: Duration = Duration::from_millis(250);
/// After so long without a turn of the event loop the program is not well.
const STALLED: Duration = Duration::from_secs(10);

/// The figures at one moment.
pub struct Published {
    /// Events processed.
    pub events: u64,
    /// How far behind the last event was when it was processed, in nanoseconds.
    pub lag_ns: u64,
    /// What the kernel programs counted.
    pub kernel: Stats,
    /// What the kernel lets be hooked beyond tracepoints.
    pub hooks: Hooks,
    /// What the state counted.
    pub state: Counters,
    /// The rules, in the order of their counts.
    pub rules: Arc<[RuleInfo]>,
    /// How often each matched.
    pub matches: Vec<u64>,
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
    serve_metrics: bool,
    origin: Instant,
    /// Milliseconds from the origin to the last turn of the event loop.
    beat: AtomicU64,
}

/// Everything that may fail is done; nothing runs yet.
pub struct Prepared {
    settings: Metrics,
    serve_metrics: bool,
    web: Option<Bound>,
}

impl Prepared {
    /// Begins to listen where the configuration asks for it.
    ///
    /// # Errors
    /// When the port is taken, or the certificate is wrong.
    pub fn new(config: &Config) -> Result<Self, Failure> {
        let web = &config.webserver;
        let settings = peregrine_web::Settings {
            address: web.listen_address,
            port: web.listen_port,
            threads: web.threadiness as usize,
            health: web.k8s_healthz_endpoint.clone(),
            tls: web.ssl_enabled.then(|| web.ssl_certificate.clone()),
        };
        let bound = web.enabled.then(|| Bound::new(&settings)).transpose();
        let bound = bound.map_err(|e| Failure::System(anyhow::Error::new(e).context("web server")))?;
        Ok(Self {
            settings: config.metrics.clone(),
            serve_metrics: config.metrics.enabled && web.prometheus_metrics_enabled,
            web: bound,
        })
    }

    /// Starts the threads, which have this thread's privileges.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start(self, hostname: &str) -> Result<Telemetry, Failure> {
        let refused = |e: anyhow::Error| Failure::System(e.context("cannot start telling metrics"));
        let shared = Arc::new(Shared {
            published: ArcSwapOption::empty(),
            hostname: hostname.to_owned(),
            start_ts: crate::gaps::now(),
            serve_metrics: self.serve_metrics,
            origin: Instant::now(),
            beat: AtomicU64::new(0),
            settings: self.settings,
        });
        let page = Page(Arc::clone(&shared));
        let server = self.web.map(|web| web.serve(Arc::new(page))).transpose().map_err(|e| refused(e.into()))?;
        if let Some(server) = &server {
            tracing::info!("web server: listening on {}", server.address());
        }
        let snapshots = snapshot::Snapshots::start(&shared).map_err(|e| refused(e.into()))?;
        let wanted = server.is_some() || snapshots.is_some();
        Ok(Telemetry {
            shared,
            wanted,
            last: None,
            rules: Arc::new([]),
            reload_ts: 0,
            _server: server,
            _snapshots: snapshots,
        })
    }
}

/// The end of the thread of the events.
pub struct Telemetry {
    shared: Arc<Shared>,
    wanted: bool,
    last: Option<Instant>,
    rules: Arc<[RuleInfo]>,
    reload_ts: u64,
    _server: Option<Server>,
    _snapshots: Option<snapshot::Snapshots>,
}

impl Telemetry {
    /// The rules at work from now on.
    pub fn rules(&mut self, detector: &Detector) {
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

    /// The event loop has made a turn; publishes what `figures` gives when it is time to.
    pub fn turn(&mut self, figures: impl FnOnce(Published) -> Published) {
        if !self.wanted {
            return;
        }
        let now = Instant::now();
        self.shared.beat.store(self.shared.elapsed(now), Relaxed);
        if self.last.is_some_and(|last| now.duration_since(last) < PUBLISH) {
            return;
        }
        self.last = Some(now);
        let published = figures(Published {
            events: 0,
            lag_ns: 0,
            kernel: Stats::default(),
            hooks: Hooks::default(),
            state: Counters::default(),
            rules: Arc::clone(&self.rules),
            matches: Vec::new(),
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
            kernel: Stats { cpus: vec![cpu, cpu] },
            hooks: Hooks { fentry: true, lsm: false },
            state: Counters { n_threads: 3, ..Counters::default() },
            rules: Arc::new([rule("Say \"it\""), rule("Never matched")]),
            matches: vec![4, 0],
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
