//! Every configuration key, one row each: its path, its default, what it means and how it is taken over.
//!
//! The keys and their meaning are those of `falco.yaml`; Peregrine's own stand under `peregrine`. A row without a way to
//! take it over is a key of `falco.yaml` that has no effect here yet: it is named in a warning when a file sets it.

use super::node::Node;
use super::{AppendOutput, Config, DropAction, Selection};
use peregrine_engine::Matching;

/// One key.
pub struct Key {
    /// Path with dots; a path that names a map takes the whole map.
    pub path: &'static str,
    /// Default, as it would be written.
    pub default: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Takes the value over; `None` where the key has no effect yet.
    pub set: Option<Set>,
}

/// Takes a key's value over into the configuration.
pub type Set = fn(&mut Config, &Node) -> Result<(), String>;

const fn key(path: &'static str, default: &'static str, doc: &'static str, set: Set) -> Key {
    Key { path, default, doc, set: Some(set) }
}

const fn later(path: &'static str) -> Key {
    Key { path, default: "", doc: "", set: None }
}

/// All keys, in the order of the example configuration.
pub const KEYS: &[Key] = &[
    key("rules_files", "[]", "Rules files and directories, in order; what is missing is skipped.", |c, n| {
        c.rules_files = texts(n)?.into_iter().map(Into::into).collect();
        Ok(())
    }),
    key("rules_file", "[]", "Old spelling of rules_files.", |c, n| {
        c.rules_files = texts(n)?.into_iter().map(Into::into).collect();
        Ok(())
    }),
    key("rules", "[]", "Ordered selection: `- enable: {rule: WILDCARD}`, `- disable: {tag: TAG}`.", |c, n| {
        c.rules = each(n, selection)?;
        Ok(())
    }),
    key("priority", "debug", "The least severe priority that is loaded.", |c, n| {
        c.priority = text(n)?.to_owned();
        Ok(())
    }),
    key(
        "rule_matching",
        "first",
        "`first`: a matching rule ends the event; `all`: every matching rule alerts.",
        |c, n| {
            c.rule_matching = match text(n)? {
                "first" => Matching::First,
                "all" => Matching::All,
                other => return Err(format!("unknown rule matching strategy \"{other}\"; it is \"first\" or \"all\"")),
            };
            Ok(())
        },
    ),
    key("json_output", "false", "Alerts as JSON lines.", |c, n| put(&mut c.json_output, boolean(n))),
    key("json_include_output_property", "true", "Key `output` in JSON alerts.", |c, n| {
        put(&mut c.json_include_output, boolean(n))
    }),
    key("json_include_message_property", "false", "Key `message` in JSON alerts.", |c, n| {
        put(&mut c.json_include_message, boolean(n))
    }),
    key("json_include_output_fields_property", "true", "Key `output_fields` in JSON alerts.", |c, n| {
        put(&mut c.json_include_output_fields, boolean(n))
    }),
    key("json_include_tags_property", "true", "Key `tags` in JSON alerts.", |c, n| {
        put(&mut c.json_include_tags, boolean(n))
    }),
    key("time_format_iso_8601", "false", "UTC times as in ISO 8601 instead of local time.", |c, n| {
        put(&mut c.time_iso_8601, boolean(n))
    }),
    key("buffer_format_base64", "false", "Byte buffers in base64 instead of printable characters.", |c, n| {
        put(&mut c.buffer_base64, boolean(n))
    }),
    key("buffered_outputs", "false", "Do not flush after every alert.", |c, n| {
        put(&mut c.buffered_outputs, boolean(n))
    }),
    key(
        "append_output",
        "[]",
        "What is appended to alerts: match, extra_output, extra_fields, suggested_output.",
        |c, n| {
            c.append_output = each(n, append_output)?;
            Ok(())
        },
    ),
    key("stdout_output.enabled", "true", "Alerts on standard output.", |c, n| put(&mut c.stdout, boolean(n))),
    key("engine.modern_ebpf.buf_size_preset", "4", "Ring buffer: 1 = 1 MiB, doubling to 10 = 512 MiB.", |c, n| {
        let preset: u32 = number(n)?;
        if !(1..=10).contains(&preset) {
            return Err("the preset is a number from 1 to 10".into());
        }
        c.buf_size_preset = preset;
        Ok(())
    }),
    key("engine.modern_ebpf.cpus_for_each_buffer", "1", "CPUs that share a ring buffer; 0: one for all.", |c, n| {
        put(&mut c.cpus_per_buffer, number(n))
    }),
    key("engine.modern_ebpf.drop_failed_exit", "false", "Drop failed calls in the kernel.", |c, n| {
        put(&mut c.drop_failed, boolean(n))
    }),
    key("falco_libs.thread_table_size", "262144", "Threads that are kept at most.", |c, n| {
        put(&mut c.thread_table_size, number(n))
    }),
    key(
        "falco_libs.thread_table_auto_purging_interval_s",
        "300",
        "Seconds between two searches for threads whose end was missed.",
        |c, n| put(&mut c.purging.interval_s, number(n)),
    ),
    key(
        "falco_libs.thread_table_auto_purging_thread_timeout_s",
        "300",
        "Seconds without an event after which such a search looks whether a thread still lives.",
        |c, n| put(&mut c.purging.timeout_s, number(n)),
    ),
    key("falco_libs.snaplen", "80", "Bytes that are kept of what calls read and write.", |c, n| {
        let snaplen: u32 = number(n)?;
        c.snaplen = if snaplen == 0 { 80 } else { snaplen };
        Ok(())
    }),
    key("syscall_event_drops.threshold", "0.1", "Share of dropped events from which the actions are taken.", |c, n| {
        let share: f64 = number(n)?;
        if !(0.0..=1.0).contains(&share) {
            return Err("the threshold is a number from 0 to 1".into());
        }
        c.drops.threshold = share;
        Ok(())
    }),
    key("syscall_event_drops.actions", "[log, alert]", "Of ignore, log, alert, exit.", |c, n| {
        c.drops.actions = each(n, drop_action)?;
        if c.drops.actions.len() > 1 && c.drops.actions.contains(&DropAction::Ignore) {
            return Err("\"ignore\" makes no sense together with another action".into());
        }
        Ok(())
    }),
    key("syscall_event_drops.rate", "0.03333", "Notices of drops a second, in the long run.", |c, n| {
        put(&mut c.drops.rate, number(n))
    }),
    key("syscall_event_drops.max_burst", "1", "Notices of drops at once.", |c, n| {
        put(&mut c.drops.max_burst, number(n))
    }),
    key("peregrine.containers.enabled", "true", "Give container fields values, from the cgroup's path.", |c, n| {
        put(&mut c.containers, boolean(n))
    }),
    later("config_files"),
    later("watch_config_files"),
    later("engine.kind"),
    later("engine.replay"),
    later("engine.kmod"),
    later("engine.modern_ebpf.disable_iterators"),
    later("capture"),
    later("base_syscalls"),
    later("load_plugins"),
    later("plugins"),
    later("plugins_hostinfo"),
    later("static_fields"),
    later("outputs_queue"),
    later("syslog_output"),
    later("file_output"),
    later("http_output"),
    later("program_output"),
    later("webserver"),
    later("log_stderr"),
    later("log_syslog"),
    later("log_level"),
    later("libs_logger"),
    later("output_timeout"),
    later("syscall_event_timeouts"),
    later("syscall_event_drops.simulate_drops"),
    later("metrics"),
];

fn put<T>(place: &mut T, value: Result<T, String>) -> Result<(), String> {
    *place = value?;
    Ok(())
}

fn text(node: &Node) -> Result<&str, String> {
    match node {
        Node::Scalar(text) => Ok(text),
        Node::Null => Ok(""),
        Node::List(_) | Node::Map(_) => Err("a single value is expected here".into()),
    }
}

/// The spellings that upstream's YAML reader takes for booleans.
fn boolean(node: &Node) -> Result<bool, String> {
    let text = text(node)?;
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Ok(true),
        "false" | "no" | "off" | "n" => Ok(false),
        _ => Err(format!("\"{}\" is neither true nor false", text.escape_default())),
    }
}

fn number<T: std::str::FromStr>(node: &Node) -> Result<T, String> {
    let text = text(node)?;
    text.trim().parse().map_err(|_| format!("\"{}\" is not a number that fits here", text.escape_default()))
}

/// A list; a single value is a list of one, nothing an empty one.
fn each<T>(node: &Node, read: fn(&Node) -> Result<T, String>) -> Result<Vec<T>, String> {
    match node {
        Node::Null => Ok(Vec::new()),
        Node::List(items) => items.iter().map(read).collect(),
        single => Ok(vec![read(single)?]),
    }
}

fn texts(node: &Node) -> Result<Vec<String>, String> {
    each(node, |item| text(item).map(str::to_owned))
}

fn pairs(node: &Node) -> Result<Vec<(String, String)>, String> {
    let Node::Map(entries) = node else { return Err("a map is expected here".into()) };
    entries.iter().map(|(key, value)| Ok((key.clone(), text(value)?.to_owned()))).collect()
}

fn drop_action(node: &Node) -> Result<DropAction, String> {
    match text(node)? {
        "ignore" => Ok(DropAction::Ignore),
        "log" => Ok(DropAction::Log),
        "alert" => Ok(DropAction::Alert),
        "exit" => Ok(DropAction::Exit),
        other => Err(format!("\"{}\" is none of ignore, log, alert and exit", other.escape_default())),
    }
}

fn selection(node: &Node) -> Result<Selection, String> {
    let (enable, what) = match (node.get("enable"), node.get("disable")) {
        (Some(what), None) => (true, what),
        (None, Some(what)) => (false, what),
        _ => return Err("an entry either enables or disables".into()),
    };
    let field = |name| what.get(name).map(|n| text(n).map(str::to_owned)).transpose();
    let selection = Selection { enable, rule: field("rule")?, tag: field("tag")? };
    if selection.rule.is_none() && selection.tag.is_none() {
        return Err("an entry names a rule or a tag".into());
    }
    Ok(selection)
}

fn append_output(node: &Node) -> Result<AppendOutput, String> {
    let Node::Map(entries) = node else { return Err("an entry is a map".into()) };
    let mut entry = AppendOutput::default();
    for (key, value) in entries {
        match key.as_str() {
            "match" => append_match(value, &mut entry)?,
            "extra_output" => entry.extra_output = text(value)?.to_owned(),
            "suggested_output" => entry.suggested_output = boolean(value)?,
            "extra_fields" => {
                let Node::List(fields) = value else { return Err("extra_fields is a list".into()) };
                for field in fields {
                    match field {
                        Node::Map(_) => entry.formatted_fields.extend(pairs(field)?),
                        field => entry.raw_fields.push(text(field)?.to_owned()),
                    }
                }
            }
            other => return Err(format!("unknown key \"{}\" in an append_output entry", other.escape_default())),
        }
    }
    Ok(entry)
}

fn append_match(node: &Node, entry: &mut AppendOutput) -> Result<(), String> {
    if let Some(source) = node.get("source") {
        entry.source = Some(text(source)?.to_owned());
    }
    if let Some(rule) = node.get("rule") {
        entry.rule = Some(text(rule)?.to_owned());
    }
    if let Some(tags) = node.get("tags") {
        entry.tags = texts(tags)?;
    }
    Ok(())
}
