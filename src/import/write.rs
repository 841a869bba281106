//! A configuration of our own that does what an examined one does.

use crate::config::{EngineKind, KEYS, Loaded, Node, Value};
use std::fmt::Write;

/// Keys that mean nothing in a file that holds all by itself.
const LEFT_OUT: &[&str] = &["config_files", "rules_file", "engine.kmod", "plugins", "load_plugins"];

/// The text: Falco's keys as merged, and its defaults where ours are others.
pub fn configuration(loaded: &Loaded) -> String {
    let mut tree = Node { value: Value::Map(Vec::new()), place: loaded.tree.place.clone() };
    for row in KEYS {
        let left_out = LEFT_OUT.iter().any(|key| row.path == *key || row.path.starts_with(&format!("{key}.")));
        let set = at(&loaded.tree, row.path);
        let default = row.falco.and_then(|default| Node::parse(default, "").ok());
        if let Some(value) = set.cloned().or(default).filter(|_| !left_out) {
            put(&mut tree, row.path, value);
        }
    }
    if let Some(files) = at(&loaded.tree, "rules_file") {
        put(&mut tree, "rules_files", files.clone());
    }
    if loaded.config.engine == EngineKind::Kmod {
        let text = |text: String| Node { value: Value::Scalar(text), place: loaded.tree.place.clone() };
        let (preset, drop) = (loaded.config.buf_size_preset, loaded.config.drop_failed);
        put(&mut tree, "engine.kind", text("modern_ebpf".into()));
        put(&mut tree, "engine.modern_ebpf.buf_size_preset", text(preset.to_string()));
        put(&mut tree, "engine.modern_ebpf.drop_failed_exit", text(drop.to_string()));
    }
    let mut out = String::from("# Written by `peregrine import-falco` from:\n");
    for file in &loaded.files {
        let _ = writeln!(out, "#   {}", file.path.display());
    }
    out += "# What Falco has other defaults for is written out.\n\n";
    block(&tree, 0, &mut out);
    out
}

fn at<'t>(tree: &'t Node, path: &str) -> Option<&'t Node> {
    path.split('.').try_fold(tree, |node, name| node.get(name))
}

fn put(tree: &mut Node, path: &str, value: Node) {
    tree.put_at(path, value);
}

/// YAML's block style; empty collections in flow style.
fn block(node: &Node, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                let _ = write!(out, "{pad}{}:", scalar(&entry.key));
                below(&entry.value, indent, out);
            }
        }
        Value::List(items) => {
            for item in items {
                let _ = write!(out, "{pad}-");
                match &item.value {
                    // The first key of a map stands beside its dash.
                    Value::Map(entries) if !entries.is_empty() => {
                        let mut inner = String::new();
                        block(item, indent + 2, &mut inner);
                        let _ = write!(out, " {}", &inner[indent + 2..]);
                    }
                    _ => below(item, indent, out),
                }
            }
        }
        Value::Null | Value::Scalar(_) => below(node, indent, out),
    }
}

/// A value behind its key or dash.
fn below(node: &Node, indent: usize, out: &mut String) {
    match &node.value {
        Value::Null => out.push('\n'),
        Value::Scalar(text) => {
            let _ = writeln!(out, " {}", scalar(text));
        }
        Value::List(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
        Value::List(_) | Value::Map(_) => {
            out.push('\n');
            block(node, indent + 2, out);
        }
    }
}

/// A text as it is where that is safe, else in quotation marks. A `$` is doubled before a brace: no variable is meant.
fn scalar(text: &str) -> String {
    let text = text.replace("${", "$${");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '.' | '-' | '+');
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/' || c == '.');
    let null = matches!(text.as_str(), "null" | "Null" | "NULL");
    if begins && text.chars().all(plain) && !null { text } else { serde_json::Value::from(text).to_string() }
}
