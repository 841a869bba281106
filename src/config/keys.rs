//! Every configuration key, one row each: its path, its form, its default, what it means and how it is taken over.
//!
//! The keys and their meaning are those of `falco.yaml`; Peregrine's own stand under `peregrine`. The JSON schema, the
//! reference page and the validation of files are all made from these rows.

use super::Config;
use super::fault::Fault;
use super::node::Node;
use super::read::{
    append_output, boolean, choice, drop_action, duration, each, json, number, pairs, path, paths, plugin, put,
    selection, string, text, texts,
};
use super::settings::{CaptureMode, DropAction, EngineKind, LibsLevel, LogLevel};
use super::shape::{Property, Shape, property, required};
use peregrine_alert::Priority;
use peregrine_driver::Scope;
use peregrine_engine::Matching;
use std::time::Duration;

/// One key.
pub struct Key {
    /// Path with dots; a path that names a map takes the whole map.
    pub path: &'static str,
    /// What its value may look like.
    pub shape: Shape,
    /// Default, as it would be written.
    pub default: &'static str,
    /// Falco's own default, where ours is another; it holds for `peregrine falco`.
    pub falco: Option<&'static str>,
    /// One sentence.
    pub doc: &'static str,
    /// What is otherwise than in Falco, if anything.
    pub differs: &'static str,
    /// Read, but nothing acts on it yet: a warning says so.
    pub pending: bool,
    /// Takes the value over.
    pub set: Set,
}

/// Takes a key's value over into the configuration.
pub type Set = fn(&mut Config, &Node) -> Result<(), Fault>;

const fn key(path: &'static str, shape: Shape, default: &'static str, doc: &'static str, set: Set) -> Key {
    Key { path, shape, default, falco: None, doc, differs: "", pending: false, set }
}

impl Key {
    /// Falco's default is another.
    const fn falco(mut self, default: &'static str) -> Self {
        self.falco = Some(default);
        self
    }

    /// Something is otherwise than in Falco.
    const fn differs(mut self, how: &'static str) -> Self {
        self.differs = how;
        self
    }

    /// Nothing acts on it yet.
    const fn pending(mut self) -> Self {
        self.pending = true;
        self
    }
}

const U16: Shape = Shape::Integer(0, u16::MAX as i64);
const U32: Shape = Shape::Integer(0, u32::MAX as i64);
const U64: Shape = Shape::Integer(0, i64::MAX);
const TEXTS: Shape = Shape::List(&Shape::Text);
const PRESET: Shape = Shape::Integer(1, 10);

const SELECTED: Shape = Shape::Object(&[property("rule", Shape::Text), property("tag", Shape::Text)]);
const SELECTION: Shape = Shape::Object(&[property("enable", SELECTED), property("disable", SELECTED)]);

const APPENDED: Shape = Shape::Object(APPENDED_KEYS);
const APPENDED_KEYS: &[Property] = &[
    property(
        "match",
        Shape::Object(&[property("source", Shape::Text), property("tags", TEXTS), property("rule", Shape::Text)]),
    ),
    property("extra_output", Shape::Text),
    property("extra_fields", Shape::List(&Shape::Either(&[Shape::Text, Shape::Map(&Shape::Text)]))),
    property("suggested_output", Shape::Bool),
];

const PLUGIN: Shape = Shape::Object(&[
    required("name", Shape::Text),
    required("library_path", Shape::Text),
    property("init_config", Shape::Either(&[Shape::Text, Shape::Map(&Shape::Any), Shape::Null])),
    property("open_params", Shape::Text),
]);

const ENGINES: Shape = Shape::Map(&Shape::Any);

const INCLUDED: Shape = Shape::Either(&[
    Shape::Text,
    Shape::Object(&[required("path", Shape::Text), property("strategy", Shape::Words(STRATEGIES))]),
]);

/// How an included file's keys meet those that are there.
pub const STRATEGIES: &[&str] = &["append", "override", "add-only"];

const KINDS: &[&str] = &["kmod", "modern_ebpf", "replay", "nodriver"];

const LEVELS: &[(&str, LogLevel)] = &[
    ("emergency", LogLevel::Emergency),
    ("alert", LogLevel::Alert),
    ("critical", LogLevel::Critical),
    ("error", LogLevel::Error),
    ("warning", LogLevel::Warning),
    ("notice", LogLevel::Notice),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
];

const LIBS_LEVELS: &[(&str, LibsLevel)] = &[
    ("fatal", LibsLevel::Fatal),
    ("critical", LibsLevel::Critical),
    ("error", LibsLevel::Error),
    ("warning", LibsLevel::Warning),
    ("notice", LibsLevel::Notice),
    ("info", LibsLevel::Info),
    ("debug", LibsLevel::Debug),
    ("trace", LibsLevel::Trace),
];

/// All keys, in the order of the example configuration.
pub const KEYS: &[Key] = &[
    // Read before all others, by the loader.
    key(
        "config_files",
        Shape::List(&INCLUDED),
        "[]",
        "More configuration files and directories: a path, or `{path, strategy}` with append, override or add-only.",
        |_, _| Ok(()),
    ),
    key(
        "watch_config_files",
        Shape::Bool,
        "true",
        "Load configuration and rules anew when one of their files changes.",
        |c, n| put(&mut c.watch_config_files, boolean(n)),
    ),
    key("rules_files", TEXTS, "[]", "Rules files and directories, in order; what is missing is skipped.", |c, n| {
        put(&mut c.rules_files, paths(n))
    }),
    key("rules_file", TEXTS, "[]", "Old spelling of rules_files.", |c, n| put(&mut c.rules_files, paths(n))),
    key(
        "rules",
        Shape::List(&SELECTION),
        "[]",
        "Ordered selection: `- enable: {rule: WILDCARD}`, `- disable: {tag: TAG}`.",
        |c, n| put(&mut c.rules, each(n, selection)),
    ),
    key("priority", Shape::Text, "debug", "The least severe priority that is loaded.", |c, n| {
        let name = text(n)?;
        if name.parse::<Priority>().is_err() {
            return Err(Fault::fatal(
                n.place.clone(),
                format!(
                    "Unknown priority \"{name}\"--must be one of emergency, alert, critical, error, warning, notice, informational, debug"
                ),
            ));
        }
        c.priority = name.to_owned();
        Ok(())
    }),
    key(
        "rule_matching",
        Shape::Words(&["first", "all"]),
        "first",
        "`first`: a matching rule ends the event; `all`: every matching rule alerts.",
        |c, n| {
            c.rule_matching = choice(n, &[("first", Matching::First), ("all", Matching::All)], |other| {
                format!("Unknown rule matching strategy \"{other}\"--must be one of first, all")
            })?;
            Ok(())
        },
    ),
    key(
        "engine.kind",
        Shape::Words(KINDS),
        "modern_ebpf",
        "Where system calls come from: `modern_ebpf` (our BPF programs), `replay` (a capture), `nodriver` (none).",
        |c, n| {
            let kinds = [
                ("kmod", &EngineKind::Kmod),
                ("modern_ebpf", &EngineKind::ModernEbpf),
                ("replay", &EngineKind::Replay { file: std::path::PathBuf::new() }),
                ("nodriver", &EngineKind::NoDriver),
            ];
            c.engine = choice(n, &kinds, |other| format!("engine.kind '{other}' is not a valid kind."))?.clone();
            Ok(())
        },
    )
    .falco("kmod")
    .differs("There is no kernel module: `kmod` runs our BPF programs, with the settings of engine.kmod."),
    key("engine.kmod.buf_size_preset", PRESET, "4", "Ring buffer with engine.kind kmod, as below.", |c, n| {
        put(&mut c.kmod.buf_size_preset, preset(n))
    })
    .differs("Sizes the rings of our BPF programs."),
    key("engine.kmod.drop_failed_exit", Shape::Bool, "false", "As below, with engine.kind kmod.", |c, n| {
        put(&mut c.kmod.drop_failed_exit, boolean(n))
    }),
    key(
        "engine.modern_ebpf.cpus_for_each_buffer",
        U16,
        "1",
        "CPUs that share a ring buffer; 0: one for all.",
        |c, n| put(&mut c.cpus_per_buffer, number::<u16>(n).map(u32::from)),
    )
    .falco("2"),
    key(
        "engine.modern_ebpf.buf_size_preset",
        PRESET,
        "4",
        "Ring buffer: 1 = 1 MiB, doubling to 10 = 512 MiB.",
        |c, n| put(&mut c.buf_size_preset, preset(n)),
    ),
    key("engine.modern_ebpf.drop_failed_exit", Shape::Bool, "false", "Drop failed calls in the kernel.", |c, n| {
        put(&mut c.drop_failed, boolean(n))
    }),
    key(
        "engine.modern_ebpf.disable_iterators",
        Shape::Bool,
        "false",
        "Do not use BPF iterators for the snapshot of what ran before.",
        |c, n| put(&mut c.disable_iterators, boolean(n)),
    )
    .differs("The snapshot is always taken from /proc; nothing is there to be switched off."),
    key("engine.replay.capture_file", Shape::Text, "\"\"", "The capture of engine.kind replay.", |c, n| {
        put(&mut c.replay_file, path(n))
    }),
    key("capture.enabled", Shape::Bool, "false", "Write a capture from a rule's match on.", |c, n| {
        put(&mut c.capture.enabled, boolean(n))
    }),
    key("capture.path_prefix", Shape::Text, "/tmp/falco", "What the captures' file names begin with.", |c, n| {
        put(&mut c.capture.path_prefix, path(n))
    }),
    key(
        "capture.mode",
        Shape::Words(&["rules", "all_rules"]),
        "rules",
        "`rules`: rules with `capture: true`; `all_rules`: every match begins a capture.",
        |c, n| {
            let modes = [("rules", CaptureMode::Rules), ("all_rules", CaptureMode::AllRules)];
            put(&mut c.capture.mode, choice(n, &modes, |other| format!("capture.mode '{other}' is not a valid mode.")))
        },
    ),
    key(
        "capture.default_duration",
        U32,
        "5000",
        "Milliseconds that a capture lasts when its rule does not say.",
        |c, n| put(&mut c.capture.default_duration, millis(n)),
    ),
    key(
        "capture.max_file_size_mb",
        Shape::Integer(0, 1_048_576),
        "0",
        "Largest size of a capture's file in MiB; 0 for no limit.",
        |c, n| put(&mut c.capture.max_file_size_mb, number(n)),
    ),
    key(
        "base_syscalls.custom_set",
        TEXTS,
        "[]",
        "System calls that are watched for the state, in place of the default set; `!name` is never watched.",
        |c, n| put(&mut c.base_syscalls.custom_set, texts(n)),
    ),
    key(
        "base_syscalls.repair",
        Shape::Bool,
        "false",
        "Watch the least that the rules' state needs beside the rules' own.",
        |c, n| put(&mut c.base_syscalls.repair, boolean(n)),
    ),
    key(
        "base_syscalls.all",
        Shape::Bool,
        "true",
        "Watch the system calls of high volume too (reads and writes), where a rule or `custom_set` names them.",
        |c, n| put(&mut c.base_syscalls.all, boolean(n)),
    )
    .falco("false"),
    key("falco_libs.thread_table_size", U32, "262144", "Threads that are kept at most.", |c, n| {
        put(&mut c.thread_table_size, number(n))
    }),
    key(
        "falco_libs.thread_table_auto_purging_interval_s",
        U32,
        "300",
        "Seconds between two searches for threads whose end was missed.",
        |c, n| put(&mut c.purging.interval_s, number(n)),
    ),
    key(
        "falco_libs.thread_table_auto_purging_thread_timeout_s",
        U32,
        "300",
        "Seconds without an event after which such a search looks whether a thread still lives.",
        |c, n| put(&mut c.purging.timeout_s, number(n)),
    ),
    key("falco_libs.snaplen", U32, "80", "Bytes that are kept of what calls read and write; 0 for 80.", |c, n| {
        let snaplen: u32 = number(n)?;
        c.snaplen = if snaplen == 0 { 80 } else { snaplen };
        Ok(())
    }),
    key("load_plugins", TEXTS, "", "Which of the plugins are loaded, in order; all where it is not there.", |c, n| {
        c.load_plugins = Some(texts(n)?);
        Ok(())
    }),
    key("plugins", Shape::List(&PLUGIN), "[]", "Plugins: name, library_path, init_config, open_params.", |c, n| {
        put(&mut c.plugins, each(n, plugin))
    })
    .differs("Plugins are not loaded yet. The container plugin is not needed: its fields are built in, and `engines` of its `init_config` is taken over."),
    key("plugins_hostinfo", Shape::Bool, "true", "Give plugins' sources the host's users and interfaces.", |c, n| {
        put(&mut c.plugins_hostinfo, boolean(n))
    }),
    key("time_format_iso_8601", Shape::Bool, "false", "UTC times as in ISO 8601 instead of local time.", |c, n| {
        put(&mut c.time_iso_8601, boolean(n))
    }),
    key(
        "buffer_format_base64",
        Shape::Bool,
        "false",
        "Byte buffers in base64 instead of printable characters.",
        |c, n| put(&mut c.buffer_base64, boolean(n)),
    ),
    key("json_output", Shape::Bool, "false", "Alerts as JSON lines.", |c, n| put(&mut c.json_output, boolean(n))),
    key("json_include_output_property", Shape::Bool, "true", "Key `output` in JSON alerts.", |c, n| {
        put(&mut c.json_include_output, boolean(n))
    }),
    key("json_include_message_property", Shape::Bool, "false", "Key `message` in JSON alerts.", |c, n| {
        put(&mut c.json_include_message, boolean(n))
    }),
    key("json_include_output_fields_property", Shape::Bool, "true", "Key `output_fields` in JSON alerts.", |c, n| {
        put(&mut c.json_include_output_fields, boolean(n))
    }),
    key("json_include_tags_property", Shape::Bool, "true", "Key `tags` in JSON alerts.", |c, n| {
        put(&mut c.json_include_tags, boolean(n))
    }),
    key("buffered_outputs", Shape::Bool, "false", "Do not flush after every alert.", |c, n| {
        put(&mut c.buffered_outputs, boolean(n))
    }),
    key(
        "append_output",
        Shape::List(&APPENDED),
        "[]",
        "What is appended to alerts: match, extra_output, extra_fields, suggested_output.",
        |c, n| put(&mut c.append_output, each(n, append_output)),
    ),
    key(
        "static_fields",
        Shape::Map(&Shape::Text),
        "{}",
        "Fields `static.KEY` with a fixed value, for conditions and outputs.",
        |c, n| put(&mut c.static_fields, pairs(n)),
    ),
    key("outputs_queue.capacity", U64, "0", "Alerts that may wait for the outputs; 0 for no limit.", |c, n| {
        put(&mut c.outputs_queue_capacity, number(n))
    }),
    key("output_timeout", U32, "2000", "Milliseconds after which a delivery that hangs is told of.", |c, n| {
        put(&mut c.output_timeout, millis(n))
    }),
    key("stdout_output.enabled", Shape::Bool, "true", "Alerts on standard output.", |c, n| {
        put(&mut c.stdout, boolean(n))
    })
    .falco("false"),
    key("syslog_output.enabled", Shape::Bool, "false", "Alerts to syslog.", |c, n| {
        put(&mut c.syslog.enabled, boolean(n))
    }),
    key("file_output.enabled", Shape::Bool, "false", "Alerts appended to a file.", |c, n| {
        put(&mut c.file.enabled, boolean(n))
    }),
    key("file_output.keep_alive", Shape::Bool, "false", "Keep the file open.", |c, n| {
        put(&mut c.file.keep_alive, boolean(n))
    }),
    key("file_output.filename", Shape::Text, "\"\"", "The file.", |c, n| put(&mut c.file.filename, path(n))),
    key("http_output.enabled", Shape::Bool, "false", "Alerts to an HTTP receiver.", |c, n| {
        put(&mut c.http.enabled, boolean(n))
    }),
    key("http_output.url", Shape::Text, "\"\"", "Where to.", |c, n| {
        // Some configurations hold the quotation marks twice.
        put(&mut c.http.url, text(n).map(|url| url.trim_matches('"').to_owned()))
    }),
    key("http_output.user_agent", Shape::Text, "falcosecurity/falco", "Header `User-Agent`.", |c, n| {
        put(&mut c.http.user_agent, string(n))
    }),
    key("http_output.insecure", Shape::Bool, "false", "Do not verify the server's certificate.", |c, n| {
        put(&mut c.http.insecure, boolean(n))
    }),
    key("http_output.ca_cert", Shape::Text, "\"\"", "Certificate of the server's authority; used first.", |c, n| {
        put(&mut c.http.ca_cert, path(n))
    }),
    key("http_output.ca_bundle", Shape::Text, "\"\"", "File of authorities' certificates; used second.", |c, n| {
        put(&mut c.http.ca_bundle, path(n))
    }),
    key("http_output.ca_path", Shape::Text, "/etc/ssl/certs", "Directory of certificates; used third.", |c, n| {
        put(&mut c.http.ca_path, path(n))
    }),
    key("http_output.mtls", Shape::Bool, "false", "Show a client certificate.", |c, n| {
        put(&mut c.http.mtls, boolean(n))
    }),
    key("http_output.client_cert", Shape::Text, "/etc/ssl/certs/client.crt", "The client's certificate.", |c, n| {
        put(&mut c.http.client_cert, path(n))
    }),
    key("http_output.client_key", Shape::Text, "/etc/ssl/certs/client.key", "The client's key.", |c, n| {
        put(&mut c.http.client_key, path(n))
    }),
    key("http_output.echo", Shape::Bool, "false", "Print the server's answers.", |c, n| {
        put(&mut c.http.echo, boolean(n))
    })
    .differs("Answers are written a line each between those of alerts, and to the log by our own commands."),
    key(
        "http_output.compress_uploads",
        Shape::Bool,
        "false",
        "Offer to take compressed answers (`TE: gzip`), which is what Falco does; peregrine.http_output.compress compresses what is sent.",
        |c, n| put(&mut c.http.compress_uploads, boolean(n)),
    ),
    key(
        "http_output.keep_alive",
        Shape::Bool,
        "false",
        "Have the kernel notice that a silent receiver is gone.",
        |c, n| put(&mut c.http.keep_alive, boolean(n)),
    ),
    key(
        "http_output.max_consecutive_timeouts",
        Shape::Integer(0, 255),
        "5",
        "Timeouts of one alert after which it is given up.",
        |c, n| put(&mut c.http.max_consecutive_timeouts, number(n)),
    ),
    key("program_output.enabled", Shape::Bool, "false", "Alerts to a program's standard input.", |c, n| {
        put(&mut c.program.enabled, boolean(n))
    }),
    key("program_output.keep_alive", Shape::Bool, "false", "One program for all alerts.", |c, n| {
        put(&mut c.program.keep_alive, boolean(n))
    }),
    key("program_output.program", Shape::Text, "\"\"", "The shell's command line.", |c, n| {
        put(&mut c.program.program, string(n))
    }),
    key("webserver.enabled", Shape::Bool, "false", "Serve health, versions and metrics.", |c, n| {
        put(&mut c.webserver.enabled, boolean(n))
    }),
    key("webserver.threadiness", U32, "0", "Threads; 0 for as many as the machine has.", |c, n| {
        put(&mut c.webserver.threadiness, number(n))
    }),
    key("webserver.listen_port", U16, "8765", "Port.", |c, n| put(&mut c.webserver.listen_port, number(n))),
    key("webserver.listen_address", Shape::Text, "0.0.0.0", "Address: an IPv4 or IPv6 address.", |c, n| {
        let written = text(n)?;
        let address = written.trim().split('%').next().unwrap_or_default().parse();
        c.webserver.listen_address = address.map_err(|_| {
            Fault::fatal(n.place.clone(), format!("webserver listen address \"{written}\" is not a valid IP address"))
        })?;
        Ok(())
    }),
    key("webserver.k8s_healthz_endpoint", Shape::Text, "/healthz", "Path of the health check.", |c, n| {
        put(&mut c.webserver.k8s_healthz_endpoint, string(n))
    }),
    key("webserver.prometheus_metrics_enabled", Shape::Bool, "false", "Serve `/metrics`.", |c, n| {
        put(&mut c.webserver.prometheus_metrics_enabled, boolean(n))
    }),
    key("webserver.ssl_enabled", Shape::Bool, "false", "TLS.", |c, n| put(&mut c.webserver.ssl_enabled, boolean(n))),
    key("webserver.ssl_certificate", Shape::Text, "/etc/falco/falco.pem", "File with certificate and key.", |c, n| {
        put(&mut c.webserver.ssl_certificate, path(n))
    }),
    key("log_stderr", Shape::Bool, "true", "The program's own log to standard error.", |c, n| {
        put(&mut c.log.stderr, boolean(n))
    })
    .falco("false"),
    key("log_syslog", Shape::Bool, "false", "The program's own log to syslog.", |c, n| {
        put(&mut c.log.syslog, boolean(n))
    })
    .falco("true"),
    key(
        "log_level",
        Shape::Text,
        "info",
        "emergency, alert, critical, error, warning, notice, info or debug.",
        |c, n| put(&mut c.log.level, choice(n, LEVELS, |other| format!("Unknown log level {other}"))),
    ),
    key("libs_logger.enabled", Shape::Bool, "true", "Log what the parts below the program say.", |c, n| {
        put(&mut c.log.libs, boolean(n))
    }),
    key(
        "libs_logger.severity",
        Shape::Text,
        "info",
        "fatal, critical, error, warning, notice, info, debug or trace.",
        |c, n| {
            put(&mut c.log.libs_level, choice(n, LIBS_LEVELS, |other| format!("Unknown sinsp log severity {other}")))
        },
    ),
    key(
        "syscall_event_timeouts.max_consecutives",
        Shape::Integer(1, u32::MAX as i64),
        "1000",
        "Looks at the buffers without any event after which a notice is raised.",
        |c, n| {
            c.max_consecutive_timeouts = number(n)?;
            if c.max_consecutive_timeouts == 0 {
                return Err(Fault::fatal(
                    n.place.clone(),
                    "the maximum consecutive timeouts without an event must be an unsigned integer > 0",
                ));
            }
            Ok(())
        },
    ),
    key(
        "syscall_event_drops.threshold",
        Shape::Number(0.0, 1.0),
        "0.1",
        "Share of dropped events from which the actions are taken.",
        |c, n| {
            let share: f64 = number(n)?;
            if !(0.0..=1.0).contains(&share) {
                return Err(Fault::fatal(
                    n.place.clone(),
                    "syscall event drops threshold must be a double in the range [0, 1]",
                ));
            }
            c.drops.threshold = share;
            Ok(())
        },
    ),
    key(
        "syscall_event_drops.actions",
        Shape::List(&Shape::Words(&["ignore", "log", "alert", "exit"])),
        "[log, alert]",
        "Of ignore, log, alert, exit.",
        |c, n| {
            let actions = each(n, drop_action)?;
            let noisy = actions.iter().position(|a| matches!(a, DropAction::Log | DropAction::Alert));
            if let (Some(noisy), true) = (noisy, actions.contains(&DropAction::Ignore)) {
                let name = if actions[noisy] == DropAction::Log { "log" } else { "alert" };
                return Err(Fault::fatal(
                    n.place.clone(),
                    format!("syscall event drop action \"{name}\" does not make sense with the \"ignore\" action"),
                ));
            }
            c.drops.actions = actions;
            Ok(())
        },
    )
    .falco("[]"),
    key("syscall_event_drops.rate", NOT_NEGATIVE, "0.03333", "Notices of drops a second, in the long run.", |c, n| {
        put(&mut c.drops.rate, number(n))
    }),
    key("syscall_event_drops.max_burst", NOT_NEGATIVE, "1", "Notices of drops at once.", |c, n| {
        put(&mut c.drops.max_burst, number(n))
    }),
    key(
        "syscall_event_drops.simulate_drops",
        Shape::Bool,
        "false",
        "Pretend that events are dropped, to try what is then done.",
        |c, n| put(&mut c.drops.simulate, boolean(n)),
    ),
    key("metrics.enabled", Shape::Bool, "false", "Collect metrics.", |c, n| put(&mut c.metrics.enabled, boolean(n))),
    key(
        "metrics.interval",
        Shape::Text,
        "1h",
        "Between two snapshots: numbers with the units y w d h m s ms, largest first; at least 100ms.",
        |c, n| put(&mut c.metrics.interval, duration(n)),
    )
    .differs("Falco's own default has no unit and is refused; ours is the shipped 1h."),
    key("metrics.output_rule", Shape::Bool, "false", "Snapshots as alerts of an internal rule.", |c, n| {
        put(&mut c.metrics.output_rule, boolean(n))
    }),
    key("metrics.output_file", Shape::Text, "\"\"", "Snapshots as JSON lines to this file.", |c, n| {
        c.metrics.output_file = Some(path(n)?).filter(|path| !path.as_os_str().is_empty());
        Ok(())
    }),
    key("metrics.rules_counters_enabled", Shape::Bool, "true", "Matches by rule.", |c, n| {
        put(&mut c.metrics.rules_counters_enabled, boolean(n))
    }),
    key("metrics.resource_utilization_enabled", Shape::Bool, "true", "CPU and memory.", |c, n| {
        put(&mut c.metrics.resource_utilization_enabled, boolean(n))
    }),
    key("metrics.state_counters_enabled", Shape::Bool, "true", "Threads and descriptors.", |c, n| {
        put(&mut c.metrics.state_counters_enabled, boolean(n))
    }),
    key("metrics.kernel_event_counters_enabled", Shape::Bool, "true", "Events and drops of the kernel.", |c, n| {
        put(&mut c.metrics.kernel_event_counters_enabled, boolean(n))
    }),
    key("metrics.kernel_event_counters_per_cpu_enabled", Shape::Bool, "true", "The same by CPU.", |c, n| {
        put(&mut c.metrics.kernel_event_counters_per_cpu_enabled, boolean(n))
    }),
    key("metrics.libbpf_stats_enabled", Shape::Bool, "true", "Runs and time of each BPF program.", |c, n| {
        put(&mut c.metrics.libbpf_stats_enabled, boolean(n))
    })
    .differs("The same switch of the kernel is needed: `sysctl kernel.bpf_stats_enabled=1`."),
    key("metrics.plugins_metrics_enabled", Shape::Bool, "true", "What plugins count.", |c, n| {
        put(&mut c.metrics.plugins_metrics_enabled, boolean(n))
    })
    .pending(),
    key("metrics.kernel_iter_event_counters_enabled", Shape::Bool, "true", "Events of BPF iterators.", |c, n| {
        put(&mut c.metrics.kernel_iter_event_counters_enabled, boolean(n))
    })
    .differs("Counted is what `/proc` held at the start: there are no iterators here."),
    key("metrics.jemalloc_stats_enabled", Shape::Bool, "true", "The allocator's figures.", |c, n| {
        put(&mut c.metrics.jemalloc_stats_enabled, boolean(n))
    })
    .differs("Another allocator: its figures have no jemalloc names."),
    key("metrics.convert_memory_to_mb", Shape::Bool, "true", "Memory in MiB instead of bytes or KiB.", |c, n| {
        put(&mut c.metrics.convert_memory_to_mb, boolean(n))
    }),
    key("metrics.include_empty_values", Shape::Bool, "false", "Also what is zero.", |c, n| {
        put(&mut c.metrics.include_empty_values, boolean(n))
    }),
    key(
        "peregrine.containers.enabled",
        Shape::Bool,
        "true",
        "Find out about containers: the id from the control group, everything else from the runtime.",
        |c, n| put(&mut c.containers, boolean(n)),
    ),
    key(
        "peregrine.containers.engines",
        ENGINES,
        "{}",
        "The engines that are asked, as in the container plugin's `init_config`: by name `{enabled, sockets}`; goes before that.",
        |c, n| {
            c.container_engines =
                Some(json(n)).filter(|engines| engines.as_object().is_some_and(|all| !all.is_empty()));
            Ok(())
        },
    ),
    key(
        "peregrine.containers.wait",
        Shape::Integer(0, 60_000),
        "1000",
        "Milliseconds that an event waits at most for what rules and outputs ask of its container; then its alerts are marked.",
        |c, n| put(&mut c.hold.wait, millis(n)),
    ),
    key(
        "peregrine.containers.max_held",
        Shape::Integer(0, 1_000_000),
        "4096",
        "Events that wait at most; then the oldest goes as it is.",
        |c, n| put(&mut c.hold.most, number(n)),
    ),
    key(
        "peregrine.capture.before",
        U32,
        "5000",
        "Milliseconds before the match that are in the capture too; 0 for none.",
        |c, n| put(&mut c.capture.before, millis(n)),
    ),
    key(
        "peregrine.capture.before_mb",
        Shape::Integer(1, 4096),
        "16",
        "MiB of events before the match that are kept at most.",
        |c, n| put(&mut c.capture.before_mb, number(n)),
    ),
    key(
        "peregrine.scope",
        Shape::Text,
        "\"\"",
        "Only a cgroup (v2) and below, or a process and its descendants: `cgroup:PATH` or `tree:PID`; `--scope` goes before it.",
        |c, n| {
            let written = text(n)?;
            let scope = Some(written).filter(|scope| !scope.is_empty()).map(str::parse::<Scope>).transpose();
            c.scope = scope.map_err(|e| Fault::fatal(n.place.clone(), e.to_string()))?;
            Ok(())
        },
    ),
    key(
        "peregrine.drop_privileges",
        Shape::Bool,
        "true",
        "Give up, once all is attached, the privileges that are no longer needed; `--no-drop-privileges` goes before it.",
        |c, n| put(&mut c.drop_privileges, boolean(n)),
    ),
    key(
        "peregrine.syslog.address",
        Shape::Text,
        "\"\"",
        "Another host's syslog: `udp://HOST:PORT` or `tcp://HOST:PORT`; empty for this machine's.",
        |c, n| put(&mut c.syslog.address, string(n)),
    ),
    key(
        "peregrine.outputs.max_age",
        U32,
        "300000",
        "Milliseconds for which an alert that cannot be delivered is tried again; after them it counts as lost.",
        |c, n| put(&mut c.outputs.max_age, millis(n)),
    ),
    key(
        "peregrine.outputs.max_memory_mb",
        Shape::Integer(1, 65536),
        "64",
        "MiB that the alerts waiting for one output may take.",
        |c, n| put(&mut c.outputs.max_memory_mb, number(n)),
    ),
    key(
        "peregrine.outputs.grace",
        U32,
        "5000",
        "Milliseconds that the end waits for alerts that are still queued.",
        |c, n| put(&mut c.outputs.grace, millis(n)),
    ),
    key(
        "peregrine.http_output.batch",
        Shape::Integer(1, 10000),
        "1",
        "Alerts in one request at most, a line each.",
        |c, n| put(&mut c.http.batch, number(n)),
    ),
    key(
        "peregrine.http_output.compress",
        Shape::Bool,
        "false",
        "Compress what is sent (`Content-Encoding: gzip`).",
        |c, n| put(&mut c.http.compress, boolean(n)),
    ),
    key(
        "peregrine.http_output.timeout",
        Shape::Integer(1, u32::MAX as i64),
        "10000",
        "Milliseconds that an answer may take.",
        |c, n| put(&mut c.http.timeout, millis(n)),
    ),
];

const NOT_NEGATIVE: Shape = Shape::Number(0.0, f64::INFINITY);

fn preset(node: &Node) -> Result<u32, Fault> {
    let preset: i64 = number(node)?;
    let fits = u32::try_from(preset).ok().filter(|preset| (1..=10).contains(preset));
    fits.ok_or_else(|| {
        Fault::fatal(node.place.clone(), "The 'buf_size_preset' value must be between '1' and '10' (included)")
    })
}

fn millis(node: &Node) -> Result<Duration, Fault> {
    number::<u32>(node).map(|n| Duration::from_millis(u64::from(n)))
}
