//! The configuration: `falco.yaml`'s keys and Peregrine's own, from a file and from `-o key=value`.
//!
//! Without a file every key has its default. What this program does not know is named in a warning, never fatal.

mod keys;
mod node;

pub use keys::KEYS;
use node::Node;
use peregrine_engine::Matching;
use peregrine_filter::suggest::nearest;
use peregrine_state::Purging;
use std::path::{Path, PathBuf};

/// All settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Rules files and directories.
    pub rules_files: Vec<PathBuf>,
    /// Which rules are switched on or off, in order.
    pub rules: Vec<Selection>,
    /// Name of the least severe priority that is loaded.
    pub priority: String,
    /// Whether the first match ends an event.
    pub rule_matching: Matching,
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
    /// Times in UTC as in ISO 8601.
    pub time_iso_8601: bool,
    /// Byte buffers in base64.
    pub buffer_base64: bool,
    /// No flush after each alert.
    pub buffered_outputs: bool,
    /// What is appended to alerts.
    pub append_output: Vec<AppendOutput>,
    /// Alerts on standard output.
    pub stdout: bool,
    /// Ring buffer size: 2^(preset-1) MiB.
    pub buf_size_preset: u32,
    /// CPUs that share a ring buffer, 0 for all.
    pub cpus_per_buffer: u32,
    /// Failed calls are dropped in the kernel.
    pub drop_failed: bool,
    /// Threads at most.
    pub thread_table_size: usize,
    /// When threads go whose end was missed.
    pub purging: Purging,
    /// Bytes kept of I/O buffers.
    pub snaplen: u32,
    /// What to do about dropped events.
    pub drops: Drops,
    /// Whether container fields have values.
    pub containers: bool,
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

/// What to do about dropped events.
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

impl Default for Config {
    /// The defaults of the table: what holds without a file. Dropped events are logged and alerted even then, because
    /// a gap in what was seen must not pass in silence (upstream's own default is to ignore them).
    fn default() -> Self {
        Self {
            rules_files: Vec::new(),
            rules: Vec::new(),
            priority: "debug".into(),
            rule_matching: Matching::First,
            json_output: false,
            json_include_output: true,
            json_include_message: false,
            json_include_output_fields: true,
            json_include_tags: true,
            time_iso_8601: false,
            buffer_base64: false,
            buffered_outputs: false,
            append_output: Vec::new(),
            stdout: true,
            buf_size_preset: 4,
            cpus_per_buffer: 1,
            drop_failed: false,
            thread_table_size: 262_144,
            purging: Purging::default(),
            snaplen: 80,
            drops: Drops {
                threshold: 0.1,
                actions: vec![DropAction::Log, DropAction::Alert],
                rate: 0.03333,
                max_burst: 1.0,
            },
            containers: true,
        }
    }
}

/// A configuration and what was odd about it.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Keys that are unknown, one line each.
    pub warnings: Vec<String>,
    /// Keys of `falco.yaml` that were set but have no effect yet.
    pub without_effect: Vec<&'static str>,
}

/// Reads a file, if given, and carries out the overrides.
///
/// # Errors
/// A message naming the file or override and the key at fault.
pub fn load(file: Option<&Path>, overrides: &[String]) -> Result<Loaded, String> {
    let mut tree = Node::Null;
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        tree = Node::parse(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        tree.expand(&|name| std::env::var(name).ok());
    }
    for assignment in overrides {
        tree.set(assignment).map_err(|e| format!("-o {assignment}: {e}"))?;
    }
    if !matches!(tree, Node::Null | Node::Map(_)) {
        return Err("the configuration is not a map of keys".into());
    }
    if tree.get("rules_file").is_some() && tree.get("rules_files").is_some() {
        return Err("both rules_file and rules_files are given; keep rules_files".into());
    }
    let mut loaded = Loaded { config: Config::default(), warnings: Vec::new(), without_effect: Vec::new() };
    take(&tree, "", &mut loaded)?;
    Ok(loaded)
}

/// Walks the tree and takes over each key that has a row.
fn take(node: &Node, path: &str, loaded: &mut Loaded) -> Result<(), String> {
    if let Some(row) = KEYS.iter().find(|row| row.path == path) {
        match row.set {
            Some(set) => set(&mut loaded.config, node).map_err(|e| format!("configuration key {path}: {e}"))?,
            None => loaded.without_effect.push(row.path),
        }
        return Ok(());
    }
    let is_parent =
        path.is_empty() || KEYS.iter().any(|row| row.path.strip_prefix(path).is_some_and(|r| r.starts_with('.')));
    match node {
        Node::Map(entries) if is_parent => {
            for (key, value) in entries {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                take(value, &below, loaded)?;
            }
        }
        Node::Null if is_parent => {}
        _ => loaded.warnings.push(unknown(path)),
    }
    Ok(())
}

fn unknown(path: &str) -> String {
    let shown = path.escape_default();
    match nearest(path, KEYS.iter().map(|row| row.path)) {
        Some(near) => format!("unknown configuration key {shown}; did you mean {near}?"),
        None => format!("unknown configuration key {shown}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(overrides: &[&str]) -> Result<Loaded, String> {
        load(None, &overrides.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_rows_say_the_defaults() {
        let mut loaded = Loaded { config: Config::default(), warnings: Vec::new(), without_effect: Vec::new() };
        for row in KEYS {
            let Some(set) = row.set else { continue };
            set(&mut loaded.config, &Node::parse(row.default).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", row.path));
        }
        assert_eq!(loaded.config, Config::default());
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
            ("rule_matching=some", "\"first\" or \"all\""),
            ("json_output=maybe", "neither true nor false"),
            ("syscall_event_drops.threshold=2", "from 0 to 1"),
            ("engine.modern_ebpf.buf_size_preset=11", "1 to 10"),
            ("syscall_event_drops.actions[0]=shout", "none of"),
            ("rules[0].enable.x=1", "names a rule or a tag"),
        ] {
            let error = with(&[assignment]).unwrap_err();
            assert!(error.contains(part), "{assignment}: {error}");
        }
        assert!(with(&["rules_file=a", "rules_files=b"]).is_err());
    }

    #[test]
    fn unknown_keys_are_warned_of() {
        let loaded = with(&["jsn_output=true", "syslog_output.enabled=true", "engine.kinds=x", "zzz=1"]).unwrap();
        let want = [
            "unknown configuration key jsn_output; did you mean json_output?",
            "unknown configuration key engine.kinds; did you mean engine.kind?",
            "unknown configuration key zzz",
        ];
        assert_eq!(loaded.warnings, want);
        assert_eq!(loaded.without_effect, ["syslog_output"]);
        assert_eq!(loaded.config, Config::default());
    }

    /// The page is written from the rows: `BLESS=1 cargo test` writes it anew.
    #[test]
    fn the_reference_page_is_current() {
        let mut page = String::from(
            "# Configuration keys\n\nOf `-c FILE` and `-o KEY=VALUE`; written from the table in `src/config/keys.rs`.\n\n\
             | key | default | meaning |\n|---|---|---|\n",
        );
        for row in KEYS.iter().filter(|row| row.set.is_some()) {
            page.push_str(&format!("| `{}` | `{}` | {} |\n", row.path, row.default, row.doc));
        }
        let later: Vec<_> = KEYS.iter().filter(|row| row.set.is_none()).map(|row| format!("`{}`", row.path)).collect();
        page.push_str(&format!(
            "\nKnown from `falco.yaml`, without effect yet (a warning names them): {}.\n",
            later.join(", ")
        ));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), page, "BLESS=1 cargo test -p peregrine writes it anew");
    }
}
