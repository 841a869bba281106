//! What holds where no file says otherwise; a test keeps it equal to the table's rows.

use super::Config;
use super::settings::*;
use peregrine_engine::Matching;
use peregrine_state::Purging;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

impl Default for Config {
    /// The defaults of the table: what holds without a file. Dropped events are logged and alerted even then, because
    /// a gap in what was seen must not pass in silence (upstream's own default is to ignore them).
    fn default() -> Self {
        Self {
            watch_config_files: true,
            rules_files: Vec::new(),
            rules: Vec::new(),
            priority: "debug".into(),
            rule_matching: Matching::First,
            engine: EngineKind::ModernEbpf,
            kmod: Kmod { buf_size_preset: 4, drop_failed_exit: false },
            replay_file: PathBuf::new(),
            buf_size_preset: 4,
            cpus_per_buffer: 1,
            drop_failed: false,
            disable_iterators: false,
            capture: CaptureSettings {
                enabled: false,
                path_prefix: "/tmp/falco".into(),
                mode: CaptureMode::Rules,
                default_duration: Duration::from_secs(5),
                max_file_size_mb: 0,
                before: Duration::from_secs(5),
                before_mb: 16,
            },
            base_syscalls: BaseSyscalls { all: true, ..BaseSyscalls::default() },
            thread_table_size: 262_144,
            purging: Purging::default(),
            snaplen: 80,
            plugins: Vec::new(),
            load_plugins: None,
            plugins_hostinfo: true,
            time_iso_8601: false,
            buffer_base64: false,
            json_output: false,
            json_include_output: true,
            json_include_message: false,
            json_include_output_fields: true,
            json_include_tags: true,
            buffered_outputs: false,
            append_output: Vec::new(),
            static_fields: Vec::new(),
            outputs_queue_capacity: 0,
            output_timeout: Duration::from_secs(2),
            stdout: true,
            syslog: SyslogOutput::default(),
            file: FileOutput::default(),
            http: http_defaults(),
            program: ProgramOutput::default(),
            outputs: OutputBounds {
                max_age: Duration::from_secs(300),
                max_memory_mb: 64,
                grace: Duration::from_secs(5),
            },
            webserver: WebServer {
                enabled: false,
                threadiness: 0,
                listen_port: 8765,
                listen_address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                k8s_healthz_endpoint: "/healthz".into(),
                prometheus_metrics_enabled: false,
                ssl_enabled: false,
                ssl_certificate: "/etc/falco/falco.pem".into(),
            },
            log: LogSettings {
                stderr: true,
                syslog: false,
                level: LogLevel::Info,
                libs: true,
                libs_level: LibsLevel::Info,
            },
            max_consecutive_timeouts: 1000,
            drops: Drops {
                threshold: 0.1,
                actions: vec![DropAction::Log, DropAction::Alert],
                rate: 0.03333,
                max_burst: 1.0,
                simulate: false,
            },
            metrics: metrics_defaults(),
            containers: true,
            container_engines: None,
            hold: crate::hold::HoldLimits::default(),
            scope: None,
            drop_privileges: true,
        }
    }
}

fn http_defaults() -> HttpOutput {
    HttpOutput {
        enabled: false,
        url: String::new(),
        user_agent: "falcosecurity/falco".into(),
        insecure: false,
        ca_cert: PathBuf::new(),
        ca_bundle: PathBuf::new(),
        ca_path: "/etc/ssl/certs".into(),
        mtls: false,
        client_cert: "/etc/ssl/certs/client.crt".into(),
        client_key: "/etc/ssl/certs/client.key".into(),
        echo: false,
        compress_uploads: false,
        compress: false,
        keep_alive: false,
        max_consecutive_timeouts: 5,
        batch: 1,
        timeout: Duration::from_secs(10),
    }
}

fn metrics_defaults() -> Metrics {
    Metrics {
        enabled: false,
        interval: Duration::from_secs(3600),
        output_rule: false,
        output_file: None,
        rules_counters_enabled: true,
        resource_utilization_enabled: true,
        state_counters_enabled: true,
        kernel_event_counters_enabled: true,
        kernel_event_counters_per_cpu_enabled: true,
        libbpf_stats_enabled: true,
        plugins_metrics_enabled: true,
        kernel_iter_event_counters_enabled: true,
        jemalloc_stats_enabled: true,
        convert_memory_to_mb: true,
        include_empty_values: false,
    }
}
