//! What a value may look like: from it the JSON schema is written, and a configuration is validated.

use super::fault::{Fault, Place};
use super::node::{Node, Value};
use super::read::truth;
use peregrine_filter::suggest::nearest;
use serde_json::{Value as Json, json};

/// The shape of a value.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// True or false.
    Bool,
    /// A text.
    Text,
    /// A whole number, from and to.
    Integer(i64, i64),
    /// A number, from and to.
    Number(f64, f64),
    /// One of these words.
    Words(&'static [&'static str]),
    /// A list; a single value stands for a list of one.
    List(&'static Shape),
    /// A map with keys of any name.
    Map(&'static Shape),
    /// A map with these keys.
    Object(&'static [Property]),
    /// One of these.
    Either(&'static [Shape]),
    /// Nothing.
    Null,
    /// Anything.
    Any,
}

/// A key of an object.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What its value may look like.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
}

/// A key that need not be there.
pub const fn property(name: &'static str, shape: Shape) -> Property {
    Property { name, shape, required: false }
}

/// A key that must be there.
pub const fn required(name: &'static str, shape: Shape) -> Property {
    Property { name, shape, required: true }
}

impl Shape {
    /// The shape as a JSON schema.
    pub fn schema(&self) -> Json {
        match self {
            Shape::Bool => json!({"type": "boolean"}),
            Shape::Text => json!({"type": "string"}),
            Shape::Integer(from, to) => {
                let mut schema = json!({"type": "integer", "minimum": from});
                if *to != i64::MAX {
                    schema["maximum"] = json!(to);
                }
                schema
            }
            Shape::Number(from, to) => {
                let mut schema = json!({"type": "number", "minimum": from});
                if to.is_finite() {
                    schema["maximum"] = json!(to);
                }
                schema
            }
            Shape::Words(words) => json!({"type": "string", "enum": words}),
            Shape::List(item) => json!({"type": "array", "items": item.schema()}),
            Shape::Map(value) => json!({"type": "object", "additionalProperties": value.schema()}),
            Shape::Object(properties) => {
                let inner: serde_json::Map<_, _> =
                    properties.iter().map(|p| (p.name.to_owned(), p.shape.schema())).collect();
                let needed: Vec<_> = properties.iter().filter(|p| p.required).map(|p| p.name).collect();
                let mut schema = json!({"type": "object", "additionalProperties": false, "properties": inner});
                if !needed.is_empty() {
                    schema["required"] = json!(needed);
                }
                schema
            }
            Shape::Either(shapes) => json!({"anyOf": shapes.iter().map(Shape::schema).collect::<Vec<_>>()}),
            Shape::Null => json!({"type": "null"}),
            Shape::Any => json!({}),
        }
    }

    /// A few words for the documentation.
    pub fn name(&self) -> String {
        match self {
            Shape::Bool => "true or false".into(),
            Shape::Text => "text".into(),
            Shape::Integer(0, i64::MAX) | Shape::Integer(0, 0xFFFF_FFFF) => "whole number".into(),
            Shape::Integer(from, i64::MAX) => format!("whole number from {from}"),
            Shape::Integer(from, to) => format!("{from} to {to}"),
            Shape::Number(from, to) if to.is_finite() => format!("number from {from} to {to}"),
            Shape::Number(..) => "number".into(),
            Shape::Words(words) => words.join(", "),
            Shape::List(item) => format!("list of {}", item.name()),
            Shape::Map(_) | Shape::Object(_) => "map".into(),
            Shape::Either(shapes) => shapes.iter().map(Shape::name).collect::<Vec<_>>().join(" or "),
            Shape::Null => "nothing".into(),
            Shape::Any => "anything".into(),
        }
    }

    /// What of a value does not fit; `path` is its key. A text that reads as a number or boolean is one.
    pub fn check(&self, node: &Node, path: &str, faults: &mut Vec<Fault>) {
        let wrong = |message: String| Fault::mistyped(&node.place, message).of(path);
        match (self, &node.value) {
            (Shape::Any, _) | (_, Value::Null) => {}
            (Shape::List(item), Value::List(items)) => {
                items.iter().enumerate().for_each(|(i, value)| item.check(value, &format!("{path}[{i}]"), faults));
            }
            (Shape::List(item), Value::Scalar(_)) => item.check(node, path, faults),
            (Shape::Map(shape), Value::Map(entries)) => {
                entries.iter().for_each(|e| shape.check(&e.value, &format!("{path}.{}", e.key), faults));
            }
            (Shape::Object(properties), Value::Map(_)) => object(properties, node, path, faults),
            (Shape::Either(shapes), _) => {
                // Of several wrong shapes, the one of the value's own kind is told about.
                let tried = shapes.iter().map(|shape| {
                    let mut faults = Vec::new();
                    shape.check(node, path, &mut faults);
                    (!faults.is_empty(), !shape.is_kind(&node.value), faults)
                });
                faults.extend(tried.min_by_key(|(wrong, other, _)| (*wrong, *other)).map(|t| t.2).unwrap_or_default());
            }
            (_, Value::Scalar(text)) if self.fits(text) => {}
            (_, Value::Scalar(text)) => {
                faults.push(wrong(format!("\"{}\" is not of the form {}", text.escape_default(), self.name())));
            }
            _ => faults.push(wrong(format!("the form {} is expected here", self.name()))),
        }
    }

    /// Whether a value is a list, a map or a scalar as this shape is.
    fn is_kind(&self, value: &Value) -> bool {
        match self {
            Shape::List(_) => matches!(value, Value::List(_)),
            Shape::Map(_) | Shape::Object(_) => matches!(value, Value::Map(_)),
            _ => matches!(value, Value::Scalar(_)),
        }
    }

    /// Whether a scalar's text fits.
    fn fits(&self, text: &str) -> bool {
        match self {
            Shape::Bool => truth(text).is_some(),
            Shape::Text => true,
            Shape::Integer(from, to) => text.trim().parse::<i64>().is_ok_and(|n| (*from..=*to).contains(&n)),
            Shape::Number(from, to) => text.trim().parse::<f64>().is_ok_and(|n| *from <= n && n <= *to),
            Shape::Words(words) => words.contains(&text),
            _ => false,
        }
    }
}

fn object(properties: &[Property], node: &Node, path: &str, faults: &mut Vec<Fault>) {
    for entry in node.entries() {
        match properties.iter().find(|p| p.name == entry.key) {
            Some(known) => known.shape.check(&entry.value, &format!("{path}.{}", entry.key), faults),
            None => {
                let near = nearest(&entry.key, properties.iter().map(|p| p.name));
                faults.push(unknown(&entry.place, &entry.key, near).of(path));
            }
        }
    }
    for missing in properties.iter().filter(|p| p.required && node.get(p.name).is_none()) {
        faults.push(Fault::mistyped(&node.place, format!("{} is missing", missing.name)).of(path));
    }
}

/// A key that nobody knows.
pub fn unknown(place: &Place, key: &str, near: Option<&str>) -> Fault {
    let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Fault::warning(place, format!("unknown configuration key {}{near}", key.escape_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape::Object(&[
        property("on", Shape::Bool),
        property("share", Shape::Number(0.0, 1.0)),
        required("names", Shape::List(&Shape::Text)),
        property("either", Shape::Either(&[Shape::Text, Shape::Object(&[required("path", Shape::Text)])])),
    ]);

    fn faults(text: &str) -> Vec<String> {
        let mut faults = Vec::new();
        SHAPE.check(&Node::parse(text, "c").unwrap(), "k", &mut faults);
        faults.iter().map(Fault::to_string).collect()
    }

    #[test]
    fn what_fits_passes() {
        assert_eq!(faults("{on: 'yes', share: 0.5, names: one, either: {path: x}}"), [""; 0]);
        assert_eq!(faults("{names: [a, 2], either: x}"), [""; 0]);
    }

    #[test]
    fn what_does_not_is_told_with_its_place() {
        assert_eq!(faults("on: maybe\nnames: []\n"), ["c:1:5: k.on: \"maybe\" is not of the form true or false"]);
        assert_eq!(
            faults("nmaes: []\n"),
            ["c:1:1: k: unknown configuration key nmaes; did you mean names?", "c:1:1: k: names is missing"]
        );
        assert_eq!(faults("names: [[a]]\nshare: 2\n").len(), 2);
        assert_eq!(faults("names: []\neither: {pth: x}\n").len(), 2);
    }
}
