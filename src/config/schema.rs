//! The JSON schema of the whole configuration, and validation against it.

use super::fault::{Fault, Place};
use super::keys::KEYS;
use super::node::{Node, Value};
use super::removed::advice;
use super::shape::unknown;
use peregrine_filter::suggest::nearest;
use serde_json::{Value as Json, json};

/// The schema, as `--config-schema` prints it.
pub fn schema() -> Json {
    let mut root = object();
    for row in KEYS {
        let mut at = &mut root;
        let mut names = row.path.split('.').peekable();
        while let Some(name) = names.next() {
            let properties = at["properties"].as_object_mut().expect("an object has properties");
            let below = properties.entry(name).or_insert_with(object);
            if names.peek().is_none() {
                *below = row.shape.schema();
                below["description"] = json!(row.doc);
            }
            at = below;
        }
    }
    root["$schema"] = json!("http://json-schema.org/draft-06/schema#");
    root["title"] = json!("FalcoConfig");
    root
}

fn object() -> Json {
    json!({"type": "object", "additionalProperties": false, "properties": {}})
}

/// Whether a path is a key or leads to one.
pub fn is_known(path: &str) -> bool {
    KEYS.iter().any(|row| row.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// What is to be said of a key that is not known.
pub fn stranger(place: &Place, path: &str) -> Fault {
    match advice(path) {
        Some(advice) => {
            let shown = path.escape_default();
            Fault::warning(place, format!("the configuration key {shown} has no effect: {advice}"))
        }
        None => unknown(place, path, nearest(path, KEYS.iter().map(|row| row.path))),
    }
}

/// What of a file does not fit the schema.
pub fn validate(tree: &Node) -> Vec<Fault> {
    let mut faults = Vec::new();
    check(tree, "", &mut faults);
    faults
}

fn check(node: &Node, path: &str, faults: &mut Vec<Fault>) {
    if let Some(row) = KEYS.iter().find(|row| row.path == path) {
        row.shape.check(node, path, faults);
        return;
    }
    if !matches!(node.value, Value::Map(_) | Value::Null) {
        faults.push(Fault::mistyped(&node.place, "a map of keys is expected here").of(path));
    }
    for entry in node.entries() {
        let below = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
        if is_known(&below) {
            check(&entry.value, &below, faults);
        } else {
            faults.push(stranger(&entry.place, &below));
        }
    }
}
