//! The groups of settings that the configuration consists of: plain data, as the keys of the same names say it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Where the events of system calls come from (`engine.kind`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineKind {
    /// The kernel module. There is none here: it is taken as the BPF programs, with the settings of `engine.kmod`.
    Kmod,
    /// BPF programs.
    ModernEbpf,
    /// A capture.
    Replay {
        /// Path of the capture.
        file: PathBuf,
    },
    /// No system calls at all.
    NoDriver,
}

/// Settings of `engine.kmod`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kmod {
    /// Ring buffer size: 2^(preset-1) MiB, 1 to 10.
    pub buf_size_preset: u32,
    /// Failed calls are dropped in the kernel.
    pub drop_failed_exit: bool,
}

/// Captures that begin with a match (`capture`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureSettings {
    /// Whether captures are written at all.
    pub enabled: bool,
    /// What file names begin with.
    pub path_prefix: PathBuf,
    /// Which matches begin one.
    pub mode: CaptureMode,
    /// How long one lasts when the rule does not say.
    pub default_duration: Duration,
    /// Largest size in MiB, 0 for no limit.
    pub max_file_size_mb: u64,
    /// How much of what was before the match is in the file, at most.
    pub before: Duration,
    /// The same in MiB of events.
    pub before_mb: u64,
}

/// Which matches begin a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureMode {
    /// Those of rules with `capture: true`.
    Rules,
    /// All.
    AllRules,
}

/// Which system calls are watched beyond those of the rules (`base_syscalls`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BaseSyscalls {
    /// Names, and `!name` for those that are never watched.
    pub custom_set: Vec<String>,
    /// The least that the state needs is computed.
    pub repair: bool,
    /// Also the system calls of high volume.
    pub all: bool,
}

/// A configured plugin (`plugins`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plugin {
    /// Its name.
    pub name: String,
    /// The shared library; a relative path is resolved under the plugins' directory.
    pub library_path: PathBuf,
    /// What it is initialised with: a text, or the JSON text of a map.
    pub init_config: String,
    /// What its event source is opened with.
    pub open_params: String,
}

/// Alerts to a file (`file_output`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileOutput {
    /// Whether alerts go there.
    pub enabled: bool,
    /// The file stays open.
    pub keep_alive: bool,
    /// Its path.
    pub filename: PathBuf,
}

/// Alerts to syslog (`syslog_output`, and `peregrine.syslog` for other hosts).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyslogOutput {
    /// Whether alerts go there.
    pub enabled: bool,
    /// `udp://HOST:PORT` or `tcp://HOST:PORT`; empty for this machine's `/dev/log`.
    pub address: String,
}

/// Alerts to the standard input of a program (`program_output`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgramOutput {
    /// Whether alerts go there.
    pub enabled: bool,
    /// One program for all alerts, instead of one for each.
    pub keep_alive: bool,
    /// The shell's command line.
    pub program: String,
}

/// Alerts to an HTTP receiver (`http_output`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpOutput {
    /// Whether alerts go there.
    pub enabled: bool,
    /// Where to.
    pub url: String,
    /// Header `User-Agent`.
    pub user_agent: String,
    /// The server's certificate is not verified.
    pub insecure: bool,
    /// The authority's certificate; used before the other two.
    pub ca_cert: PathBuf,
    /// A file of authorities' certificates; used before the directory.
    pub ca_bundle: PathBuf,
    /// A directory of authorities' certificates.
    pub ca_path: PathBuf,
    /// Whether a client certificate is shown.
    pub mtls: bool,
    /// The client's certificate.
    pub client_cert: PathBuf,
    /// Its key.
    pub client_key: PathBuf,
    /// The server's answers are printed.
    pub echo: bool,
    /// What is sent is compressed.
    pub compress: bool,
    /// Bodies are compressed with gzip.
    pub compress_uploads: bool,
    /// TCP keep-alive.
    pub keep_alive: bool,
    /// Timeouts after which an alert is given up.
    pub max_consecutive_timeouts: u8,
    /// Alerts in one request at most (`peregrine.http_output`).
    pub batch: usize,
    /// How long an answer may take (`peregrine.http_output`).
    pub timeout: Duration,
}

/// What bounds the deliveries of every output (`peregrine.outputs`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputBounds {
    /// How long an alert is tried.
    pub max_age: Duration,
    /// MiB of one output's queue.
    pub max_memory_mb: usize,
    /// How long the end waits.
    pub grace: Duration,
}

/// The web server (`webserver`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebServer {
    /// Whether it runs.
    pub enabled: bool,
    /// Threads; 0 for as many as the machine has.
    pub threadiness: u32,
    /// Port.
    pub listen_port: u16,
    /// Address.
    pub listen_address: IpAddr,
    /// Path of the health check.
    pub k8s_healthz_endpoint: String,
    /// Whether `/metrics` is served.
    pub prometheus_metrics_enabled: bool,
    /// TLS.
    pub ssl_enabled: bool,
    /// File with certificate and key.
    pub ssl_certificate: PathBuf,
}

/// Metrics (`metrics`).
#[allow(missing_docs)] // Each is the key of the same name; `keys.rs` says what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    pub enabled: bool,
    pub interval: Duration,
    pub output_rule: bool,
    pub output_file: Option<PathBuf>,
    pub rules_counters_enabled: bool,
    pub resource_utilization_enabled: bool,
    pub state_counters_enabled: bool,
    pub kernel_event_counters_enabled: bool,
    pub kernel_event_counters_per_cpu_enabled: bool,
    pub libbpf_stats_enabled: bool,
    pub plugins_metrics_enabled: bool,
    pub kernel_iter_event_counters_enabled: bool,
    pub jemalloc_stats_enabled: bool,
    pub convert_memory_to_mb: bool,
    pub include_empty_values: bool,
}

/// The program's own log (`log_stderr`, `log_syslog`, `log_level`, `libs_logger`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    /// To standard error.
    pub stderr: bool,
    /// To syslog.
    pub syslog: bool,
    /// The least severe that is logged.
    pub level: LogLevel,
    /// Whether the parts below the program log as well.
    pub libs: bool,
    /// The least severe of those.
    pub libs_level: LibsLevel,
}

/// How severe a line of the log is; the numbers are syslog's.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Emergency = 0,
    Alert,
    Critical,
    Error,
    Warning,
    Notice,
    Info,
    Debug,
}

/// How severe a line of the parts below the program is.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LibsLevel {
    Fatal,
    Critical,
    Error,
    Warning,
    Notice,
    Info,
    Debug,
    Trace,
}

/// One entry of `rules`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Switch on, or off.
    pub enable: bool,
    /// A rule's name, `*` stands for any text.
    pub rule: Option<String>,
    /// A tag.
    pub tag: Option<String>,
}

/// One entry of `append_output`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppendOutput {
    /// Only for this event source.
    pub source: Option<String>,
    /// Only for rules with all these tags.
    pub tags: Vec<String>,
    /// Only for this rule.
    pub rule: Option<String>,
    /// Text appended after a space.
    pub extra_output: String,
    /// `output_fields` with a formatted text: name and format.
    pub formatted_fields: Vec<(String, String)>,
    /// `output_fields` with their own type.
    pub raw_fields: Vec<String>,
    /// The fields that are suggested for every rule.
    pub suggested_output: bool,
}

/// What to do about dropped events (`syscall_event_drops`).
#[derive(Debug, Clone, PartialEq)]
pub struct Drops {
    /// Share of events, 0 to 1.
    pub threshold: f64,
    /// What to do.
    pub actions: Vec<DropAction>,
    /// Notices a second.
    pub rate: f64,
    /// Notices at once.
    pub max_burst: f64,
    /// Pretends that every second has drops; for tests of what is then done.
    pub simulate: bool,
}

/// One of `syscall_event_drops.actions`.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropAction {
    Ignore,
    Log,
    Alert,
    Exit,
}
