//! The configuration: `falco.yaml`'s keys and Peregrine's own, from files and from `-o key=value`.
//!
//! `peregrine.yaml` and `falco.yaml` are the same language. Without a file every key has its default. What this program
//! does not know is named in a warning, never fatal. What is wrong is named with its place.

mod defaults;
mod fault;
mod files;
mod keys;
mod node;
mod path;
mod read;
mod removed;
mod schema;
mod settings;
mod shape;

pub use fault::{Fault, Place, Weight};
pub use files::{ConfigFile, Relocation};
pub use keys::{KEYS, Key};
pub use node::{Node, Value};
pub use removed::REMOVED;
pub use schema::{schema, validate};
pub use settings::*;

use peregrine_engine::Matching;
use peregrine_state::Purging;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// All settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Whether files of the configuration and rules are watched for changes.
    pub watch_config_files: bool,
    /// Rules files and directories.
    pub rules_files: Vec<PathBuf>,
    /// Which rules are switched on or off, in order.
    pub rules: Vec<Selection>,
    /// Name of the least severe priority that is loaded.
    pub priority: String,
    /// Whether the first match ends an event.
    pub rule_matching: Matching,
    /// Where system calls come from.
    pub engine: EngineKind,
    /// What holds instead of the three settings of rings below where `engine` is the kernel module; already put there.
    pub kmod: Kmod,
    /// The capture that is replayed, as it is written; it counts when `engine` says so.
    pub replay_file: PathBuf,
    /// Ring buffer size: 2^(preset-1) MiB.
    pub buf_size_preset: u32,
    /// CPUs that share a ring buffer, 0 for all.
    pub cpus_per_buffer: u32,
    /// Failed calls are dropped in the kernel.
    pub drop_failed: bool,
    /// No BPF iterators for the snapshot.
    pub disable_iterators: bool,
    /// Captures that begin with a match.
    pub capture: CaptureSettings,
    /// System calls beyond those of the rules.
    pub base_syscalls: BaseSyscalls,
    /// Threads at most.
    pub thread_table_size: usize,
    /// When threads go whose end was missed.
    pub purging: Purging,
    /// Bytes kept of I/O buffers.
    pub snaplen: u32,
    /// All plugins that are configured; [`Config::plugins_to_load`] says which are loaded.
    pub plugins: Vec<Plugin>,
    /// The names of those to load, in order; all where there is no list.
    pub load_plugins: Option<Vec<String>>,
    /// Plugins' sources know the host.
    pub plugins_hostinfo: bool,
    /// Times in UTC as in ISO 8601.
    pub time_iso_8601: bool,
    /// Byte buffers in base64.
    pub buffer_base64: bool,
    /// Alerts as JSON.
    pub json_output: bool,
    /// Key `output`.
    pub json_include_output: bool,
    /// Key `message`.
    pub json_include_message: bool,
    /// Key `output_fields`.
    pub json_include_output_fields: bool,
    /// Key `tags`.
    pub json_include_tags: bool,
    /// No flush after each alert.
    pub buffered_outputs: bool,
    /// What is appended to alerts.
    pub append_output: Vec<AppendOutput>,
    /// Values of the fields `static.KEY`.
    pub static_fields: Vec<(String, String)>,
    /// Alerts that may wait for the outputs, 0 for no limit.
    pub outputs_queue_capacity: usize,
    /// A delivery that lasts longer is told of.
    pub output_timeout: Duration,
    /// Alerts on standard output.
    pub stdout: bool,
    /// Alerts to syslog.
    pub syslog: SyslogOutput,
    /// Alerts to a file.
    pub file: FileOutput,
    /// Alerts to an HTTP receiver.
    pub http: HttpOutput,
    /// Alerts to a program.
    pub program: ProgramOutput,
    /// What bounds the deliveries of all of them.
    pub outputs: OutputBounds,
    /// The web server.
    pub webserver: WebServer,
    /// The program's own log.
    pub log: LogSettings,
    /// Looks at the buffers without any event after which a notice is raised.
    pub max_consecutive_timeouts: u32,
    /// What to do about dropped events.
    pub drops: Drops,
    /// Metrics.
    pub metrics: Metrics,
    /// Whether container fields have values.
    pub containers: bool,
    /// The container engines, where they are set apart from the container plugin's configuration.
    pub container_engines: Option<serde_json::Value>,
    /// How long events wait for their containers, and how many.
    pub hold: crate::hold::HoldLimits,
    /// Whose events are wanted; everybody's where it is none.
    pub scope: Option<peregrine_driver::Scope>,
    /// Whether privileges that nothing needs any more are given up.
    pub drop_privileges: bool,
}

impl Config {
    /// The plugins to load, in order.
    pub fn plugins_to_load(&self) -> Vec<&Plugin> {
        match &self.load_plugins {
            None => self.plugins.iter().collect(),
            Some(names) => names.iter().filter_map(|name| self.plugins.iter().find(|p| p.name == *name)).collect(),
        }
    }

    /// What holds between keys; run when all of them are read.
    fn complete(&mut self) -> Result<(), String> {
        match &mut self.engine {
            EngineKind::Kmod => {
                self.buf_size_preset = self.kmod.buf_size_preset;
                self.drop_failed = self.kmod.drop_failed_exit;
            }
            EngineKind::Replay { file } => {
                file.clone_from(&self.replay_file);
                if file.as_os_str().is_empty() {
                    return Err("engine.kind is 'replay' but no engine.replay.capture_file specified.".into());
                }
            }
            EngineKind::ModernEbpf | EngineKind::NoDriver => {}
        }
        let outputs = [
            (self.file.enabled && self.file.filename.as_os_str().is_empty(), "file output enabled but no filename"),
            (self.program.enabled && self.program.program.is_empty(), "program output enabled but no program"),
            (self.http.enabled && self.http.url.is_empty(), "http output enabled but no url"),
        ];
        if let Some((_, what)) = outputs.iter().find(|(wrong, _)| *wrong) {
            return Err(format!("{what} in configuration block"));
        }
        for name in self.load_plugins.iter().flatten() {
            if self.plugins.iter().all(|plugin| plugin.name != *name) {
                return Err(format!("Cannot load plugin '{name}': plugin config not found for given name"));
            }
        }
        crate::containers::settings(self)?;
        let metrics = &self.metrics;
        let has_output = metrics.output_rule || metrics.output_file.is_some();
        if metrics.enabled && !has_output && !self.webserver.prometheus_metrics_enabled {
            return Err("Metrics are enabled with no output configured. Please enable at least one output channel ('metrics.output_rule', 'metrics.output_file' or 'webserver.prometheus_metrics_enabled')".into());
        }
        Ok(())
    }
}

/// Whose defaults and whose patience hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Ours: a value of the wrong type is an error.
    Peregrine,
    /// Falco's: its own defaults, and a value of the wrong type leaves the default, with a warning.
    Falco,
}

/// A configuration and what was odd about it.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// What is unknown, removed or mistyped, with its place.
    pub warnings: Vec<Fault>,
    /// Keys that were set but that nothing acts on yet.
    pub without_effect: Vec<&'static str>,
    /// The files that were read, in order, the main file first.
    pub files: Vec<ConfigFile>,
    /// The directories that were looked into.
    pub folders: Vec<PathBuf>,
    /// The merged tree.
    pub tree: Node,
}

impl Loaded {
    /// Logs what was odd.
    pub fn warn(&self) {
        self.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        if !self.without_effect.is_empty() {
            tracing::warn!("configuration keys without effect yet: {}", self.without_effect.join(", "));
        }
    }
}

/// Reads a file, if given, with what it includes, and carries out the overrides; in our own dialect.
///
/// # Errors
/// What is wrong, with its place.
pub fn load(file: Option<&Path>, overrides: &[String]) -> Result<Loaded, Fault> {
    load_as(Dialect::Peregrine, file, overrides)
}

/// Reads a file, if given, with what it includes, and carries out the overrides.
///
/// # Errors
/// What is wrong, with its place.
pub fn load_as(dialect: Dialect, file: Option<&Path>, overrides: &[String]) -> Result<Loaded, Fault> {
    load_relocated(dialect, file, overrides, None)
}

/// Reads a file that is looked at elsewhere than where it is used.
///
/// # Errors
/// What is wrong, with its place.
pub fn load_relocated(
    dialect: Dialect,
    file: Option<&Path>,
    overrides: &[String],
    relocation: Option<&Relocation>,
) -> Result<Loaded, Fault> {
    let merged = files::merge(file, overrides, relocation)?;
    let mut config = Config::default();
    if dialect == Dialect::Falco {
        for row in KEYS {
            if let Some(default) = row.falco {
                (row.set)(&mut config, &Node::parse(default, row.path)?)?;
            }
        }
    }
    let mut loaded = Loaded {
        config,
        warnings: Vec::new(),
        without_effect: Vec::new(),
        files: merged.files,
        folders: merged.folders,
        tree: merged.tree,
    };
    let tree = loaded.tree.clone();
    let main = file.map(Place::file).unwrap_or_default();
    if let (Some(_), Some(both)) = (tree.get("rules_files"), tree.get("rules_file")) {
        return Err(Fault::fatal(both.place.clone(), "both 'rules_files' and 'rules_file' keys set"));
    }
    take(&tree, "", dialect, &mut loaded)?;
    loaded.config.complete().map_err(|message| Fault::fatal(main, message))?;
    Ok(loaded)
}

/// Walks the tree and takes over each key that has a row.
fn take(node: &Node, path: &str, dialect: Dialect, loaded: &mut Loaded) -> Result<(), Fault> {
    if let Some(row) = KEYS.iter().find(|row| row.path == path) {
        let taken = (row.set)(&mut loaded.config, node).map_err(|fault| fault.of(path));
        match taken {
            Err(fault) if dialect == Dialect::Falco && fault.weight == Weight::Mistyped => {
                loaded.warnings.push(Fault { message: format!("{}; the default holds", fault.message), ..fault });
            }
            taken => taken?,
        }
        if path == "rules_file" {
            loaded.warnings.push(Fault::warning(&node.place, "Using deprecated config key 'rules_file' (singular form). Please use new 'rules_files' config key (plural form)."));
        }
        // Switched off is what nothing does anyway.
        if row.pending && *node != Node::parse(row.falco.unwrap_or(row.default), "")? {
            loaded.without_effect.push(row.path);
        }
        // What is inside is checked by the row's shape: unknown names in it are only told.
        let mut inside = Vec::new();
        row.shape.check(node, path, &mut inside);
        loaded.warnings.extend(inside.into_iter().filter(|fault| fault.weight == Weight::Warning));
        return Ok(());
    }
    for entry in node.entries() {
        let below = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
        if schema::is_known(&below) {
            take(&entry.value, &below, dialect, loaded)?;
        } else {
            loaded.warnings.push(schema::stranger(&entry.place, &below));
        }
    }
    if !matches!(node.value, Value::Map(_) | Value::Null) {
        let fault = Fault::mistyped(&node.place, "a map of keys is expected here").of(path);
        if dialect == Dialect::Peregrine || path.is_empty() {
            return Err(fault);
        }
        loaded.warnings.push(fault);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(overrides: &[&str]) -> Result<Loaded, Fault> {
        load(None, &overrides.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_rows_say_the_defaults() {
        let mut config = Config::default();
        for row in KEYS.iter().filter(|row| row.path != "load_plugins") {
            let node = Node::parse(row.default, row.path).unwrap();
            (row.set)(&mut config, &node).unwrap_or_else(|e| panic!("{}: {e}", row.path));
            let mut faults = Vec::new();
            row.shape.check(&node, row.path, &mut faults);
            assert!(faults.is_empty(), "{faults:?}");
        }
        assert_eq!(config, Config::default());
    }

    #[test]
    fn overrides_are_taken_over() {
        let loaded = with(&[
            "json_output=true",
            "rule_matching=all",
            "rules[].disable.rule=*",
            "rules[].enable.tag=network",
            "append_output[].suggested_output=true",
            "append_output[0].match.tags[]=container",
            "syscall_event_drops.actions[]=exit",
            "rules_files=one.yaml",
        ])
        .unwrap();
        let config = loaded.config;
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        assert!(config.json_output);
        assert_eq!(config.rule_matching, Matching::All);
        assert_eq!(config.rules.len(), 2);
        assert_eq!(config.rules[1], Selection { enable: true, rule: None, tag: Some("network".into()) });
        assert!(config.append_output[0].suggested_output);
        assert_eq!(config.append_output[0].tags, ["container"]);
        assert_eq!(config.drops.actions, [DropAction::Exit]);
        assert_eq!(config.rules_files, [PathBuf::from("one.yaml")]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (assignment, part) in [
            ("rule_matching=some", "must be one of first, all"),
            ("json_output=maybe", "neither true nor false"),
            ("syscall_event_drops.threshold=2", "in the range [0, 1]"),
            ("engine.modern_ebpf.buf_size_preset=11", "between '1' and '10'"),
            ("syscall_event_drops.actions[0]=shout", "available actions"),
            ("rules[0].enable.x=1", "names a rule or a tag"),
        ] {
            let error = with(&[assignment]).unwrap_err().to_string();
            assert!(error.contains(part), "{assignment}: {error}");
        }
        assert!(with(&["rules_file=a", "rules_files=b"]).is_err());
    }

    #[test]
    fn unknown_keys_are_warned_of() {
        let overrides =
            ["jsn_output=true", "syslog_output.enabled=true", "engine.kinds=x", "zzz=1", "grpc.enabled=true"];
        let loaded = with(&overrides).unwrap();
        let want = [
            "-o jsn_output=true: unknown configuration key jsn_output; did you mean json_output?",
            "-o engine.kinds=x: unknown configuration key engine.kinds; did you mean engine.kind?",
            "-o zzz=1: unknown configuration key zzz",
            "-o grpc.enabled=true: the configuration key grpc has no effect: the gRPC server is gone since Falco 0.44; receive alerts with http_output",
        ];
        assert_eq!(loaded.warnings.iter().map(Fault::to_string).collect::<Vec<_>>(), want);
        assert_eq!(
            loaded.config,
            Config { syslog: SyslogOutput { enabled: true, ..Default::default() }, ..Config::default() }
        );
    }

    #[test]
    fn falco_has_its_own_defaults_and_patience() {
        let loaded = load_as(Dialect::Falco, None, &["json_output=maybe".into()]).unwrap();
        assert!(!loaded.config.stdout && loaded.config.log.syslog && loaded.config.drops.actions.is_empty());
        assert_eq!(loaded.config.engine, EngineKind::Kmod);
        assert!(!loaded.config.json_output);
        assert!(loaded.warnings[0].message.contains("the default holds"), "{:?}", loaded.warnings);
        assert!(with(&["json_output=maybe"]).is_err());
        assert!(load_as(Dialect::Falco, None, &["rule_matching=maybe".into()]).is_err());
    }

    #[test]
    fn keys_that_need_each_other() {
        for (overrides, part) in [
            (&["file_output.enabled=true"][..], "file output enabled but no filename in configuration block"),
            (&["program_output.enabled=true"], "program output enabled but no program"),
            (&["http_output.enabled=true"], "http output enabled but no url"),
            (&["engine.kind=replay"], "no engine.replay.capture_file specified"),
            (&["load_plugins[]=k8s"], "Cannot load plugin 'k8s': plugin config not found for given name"),
            (&["metrics.enabled=true"], "Metrics are enabled with no output configured"),
        ] {
            let error = with(overrides).unwrap_err().to_string();
            assert!(error.contains(part), "{overrides:?}: {error}");
        }
        let kmod = with(&["engine.kind=kmod", "engine.kmod.buf_size_preset=7"]).unwrap().config;
        assert_eq!(kmod.buf_size_preset, 7);
        let plugins = ["plugins[0]={name: a, library_path: a.so}", "plugins[1]={name: b, library_path: b.so}"];
        let config = with(&[plugins[0], plugins[1], "load_plugins[0]=b"]).unwrap().config;
        assert_eq!(config.plugins_to_load().len(), 1);
        assert_eq!(config.plugins_to_load()[0].name, "b");
        assert_eq!(with(&plugins).unwrap().config.plugins_to_load().len(), 2);
    }

    #[test]
    fn addresses_as_upstream_takes_them() {
        for good in ["127.0.0.1", "1.127.0.1", "::", "fe80::1%eth0", "::ffff:1.2.3.4", " 10.0.0.1 "] {
            with(&[&format!("webserver.listen_address={good}")]).unwrap_or_else(|e| panic!("{e}"));
        }
        for wrong in ["example.com", "327.0.0.1", "1.2.3", "1:2", "localhost"] {
            assert!(with(&[&format!("webserver.listen_address={wrong}")]).is_err(), "{wrong}");
        }
    }
}
