//! Falco's JSON schema of rules files, which complains without making a file invalid.
//!
//! The schema is small and fixed, so it is walked by hand; complaints, their order and the weak typing of YAML scalars
//! are those of the validator that Falco uses.

use crate::yaml::{Kind, Node};
use serde_json::{Value, json};

/// What a value must be.
enum Schema {
    Text,
    Bool,
    Integer,
    /// Anything.
    Any,
    /// A text or a number: an item of a list.
    TextOrInteger,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    List(&'static Schema),
    Object(&'static Object),
}

/// A mapping that may hold these keys and no others.
struct Object {
    /// In alphabetical order.
    properties: &'static [(&'static str, &'static Schema)],
    required: &'static [&'static str],
    may_be_empty: bool,
}

static ITEM: Object = Object {
    properties: &[
        ("append", &Schema::Bool),
        ("capture", &Schema::Bool),
        ("capture_duration", &Schema::Integer),
        ("condition", &Schema::Text),
        ("desc", &Schema::Text),
        ("enabled", &Schema::Bool),
        ("exceptions", &Schema::List(&Schema::Object(&EXCEPTION))),
        ("items", &Schema::List(&Schema::TextOrInteger)),
        ("list", &Schema::Text),
        ("macro", &Schema::Text),
        ("output", &Schema::Text),
        ("override", &Schema::Object(&OVERRIDE)),
        ("priority", &PRIORITY),
        ("required_engine_version", &Schema::Text),
        ("required_plugin_versions", &Schema::List(&Schema::Object(&PLUGIN))),
        ("rule", &Schema::Text),
        ("skip-if-unknown-filter", &Schema::Bool),
        ("source", &Schema::Text),
        ("tags", &Schema::List(&Schema::Text)),
        ("warn_evttypes", &Schema::Bool),
    ],
    required: &[],
    may_be_empty: true,
};

static EXCEPTION: Object = Object {
    properties: &[("comps", &Schema::Any), ("fields", &Schema::Any), ("name", &Schema::Text), ("values", &Schema::Any)],
    required: &["name"],
    may_be_empty: true,
};

static PRIORITY: Schema =
    Schema::OneOf(&["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "INFORMATIONAL", "DEBUG"]);

static OVERRIDDEN: Schema = Schema::OneOf(&["append", "replace"]);

static OVERRIDE: Object = Object {
    properties: &[
        ("capture", &OVERRIDDEN),
        ("capture_duration", &OVERRIDDEN),
        ("condition", &OVERRIDDEN),
        ("desc", &OVERRIDDEN),
        ("enabled", &OVERRIDDEN),
        ("exceptions", &OVERRIDDEN),
        ("items", &OVERRIDDEN),
        ("output", &OVERRIDDEN),
        ("priority", &OVERRIDDEN),
        ("skip-if-unknown-filter", &OVERRIDDEN),
        ("tags", &OVERRIDDEN),
        ("warn_evttypes", &OVERRIDDEN),
    ],
    required: &[],
    may_be_empty: false,
};

static PLUGIN: Object = Object {
    properties: &[
        ("alternatives", &Schema::List(&Schema::Object(&ALTERNATIVE))),
        ("name", &Schema::Text),
        ("version", &Schema::Text),
    ],
    required: &["name", "version"],
    may_be_empty: true,
};

static ALTERNATIVE: Object = Object {
    properties: &[("name", &Schema::Text), ("version", &Schema::Text)],
    required: &["name", "version"],
    may_be_empty: true,
};

static DOCUMENT: Schema = Schema::List(&Schema::Object(&ITEM));

const TYPE: &str = "Value type not permitted by 'type' constraint.";
/// Most complaints of a file that are kept.
const MAX_COMPLAINTS: usize = 1000;

/// The schema itself, as JSON.
pub fn json() -> Value {
    let mut schema = DOCUMENT.json();
    schema["$schema"] = "http://json-schema.org/draft-06/schema#".into();
    schema["title"] = "FalcoRule".into();
    schema
}

impl Schema {
    fn json(&self) -> Value {
        match self {
            Self::Text => json!({"type": "string"}),
            Self::Bool => json!({"type": "boolean"}),
            Self::Integer => json!({"type": "integer"}),
            Self::Any => json!({}),
            Self::TextOrInteger => json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
            Self::OneOf(words) => json!({"type": "string", "enum": words}),
            Self::List(item) => json!({"type": "array", "items": item.json()}),
            Self::Object(object) => object.json(),
        }
    }
}

impl Object {
    fn json(&self) -> Value {
        let properties = self.properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.json()));
        let properties: serde_json::Map<_, _> = properties.collect();
        let mut out = json!({"type": "object", "additionalProperties": false, "properties": properties});
        if !self.required.is_empty() {
            out["required"] = json!(self.required);
        }
        if !self.may_be_empty {
            out["minProperties"] = json!(1);
        }
        out
    }
}

/// Complaints about documents, or `ok` for each that has none.
pub(crate) fn validate(documents: &[Node]) -> Vec<String> {
    let mut out = Vec::new();
    for document in documents {
        let mut walk = Walk { complaints: Vec::new(), path: "<root>".into() };
        if walk.value(document, &DOCUMENT) {
            out.push("ok".into());
        }
        out.append(&mut walk.complaints);
    }
    out
}

struct Walk {
    complaints: Vec<String>,
    path: String,
}

impl Walk {
    fn complain(&mut self, what: &str) {
        if self.complaints.len() < MAX_COMPLAINTS {
            self.complaints.push(format!("failed for {}: {what}", self.path));
        }
    }

    /// Checks a value one step deeper; says whether it has no fault.
    fn deeper(&mut self, step: &str, node: &Node, schema: &Schema) -> bool {
        let len = self.path.len();
        self.path.push_str(&format!("[{step}]"));
        let valid = self.value(node, schema);
        self.path.truncate(len);
        valid
    }

    fn value(&mut self, node: &Node, schema: &Schema) -> bool {
        let text = node.scalar();
        let right_type = match schema {
            Schema::Any => true,
            Schema::Text => text.is_some(),
            Schema::Bool => matches!(text, Some("true" | "false")),
            Schema::Integer => text.is_some_and(|t| t.parse::<i64>().is_ok()),
            Schema::TextOrInteger if text.is_none() => {
                // Each of the two alternatives complains.
                self.complain(TYPE);
                self.complain(TYPE);
                self.complain("Failed to validate against any child schemas allowed by anyOf constraint.");
                return false;
            }
            Schema::TextOrInteger => true,
            Schema::OneOf(allowed) => {
                let known = text.is_some_and(|t| allowed.contains(&t));
                if !known {
                    self.complain("Failed to match against any enum values.");
                }
                if text.is_some() {
                    return known;
                }
                false
            }
            Schema::List(item) => match &node.kind {
                Kind::List(items) => return self.items(items, item),
                _ => false,
            },
            Schema::Object(object) => match &node.kind {
                Kind::Map(entries) => return self.object(entries, object),
                _ => false,
            },
        };
        if !right_type {
            self.complain(TYPE);
        }
        right_type
    }

    fn items(&mut self, items: &[Node], schema: &Schema) -> bool {
        let mut valid = true;
        for (i, item) in items.iter().enumerate() {
            if !self.deeper(&i.to_string(), item, schema) {
                self.complain(&format!("Failed to validate item #{i} in array."));
                valid = false;
            }
        }
        valid
    }

    fn object(&mut self, entries: &[(Node, Node)], object: &Object) -> bool {
        let mut valid = true;
        if entries.is_empty() && !object.may_be_empty {
            self.complain("Object should have no fewer than 1 properties.");
            valid = false;
        }
        for (name, schema) in object.properties {
            let Some((_, value)) = entries.iter().find(|(key, _)| key.scalar() == Some(name)) else { continue };
            if !self.deeper(name, value, schema) {
                self.complain(&format!("Failed to validate against schema associated with property name '{name}'."));
                valid = false;
            }
        }
        for (key, _) in entries {
            let name = key.scalar().unwrap_or_default();
            if !object.properties.iter().any(|(known, _)| *known == name) {
                self.complain(&format!(
                    "Object contains a property that could not be validated using 'properties' or \
                     'additionalProperties' constraints: '{name}'."
                ));
                valid = false;
            }
        }
        for name in object.required {
            if !entries.iter().any(|(key, _)| key.scalar() == Some(name)) {
                self.complain(&format!("Missing required property '{name}'."));
                valid = false;
            }
        }
        valid
    }
}
