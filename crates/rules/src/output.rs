//! What a configuration appends to the outputs of rules: `append_output` and suggested output.

use crate::items::RuleItem;
use std::collections::BTreeSet;

/// One entry of `append_output`: which rules, and what is added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputAddition {
    /// Only rules of this source; empty = all.
    pub source: String,
    /// Only rules that have all of these tags.
    pub tags: BTreeSet<String>,
    /// Only the rule of this name; empty = all.
    pub rule: String,
    /// Text added to the output, a blank before it.
    pub text: Option<String>,
    /// Fields added to `output_fields`.
    pub fields: Vec<AddedField>,
}

/// A field added to `output_fields`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedField {
    /// Its key.
    pub key: String,
    /// Its value as an output format.
    pub format: String,
    /// Whether the value keeps its type; otherwise it is text.
    pub raw: bool,
}

/// Fields that the shipped `falco.yaml` suggests for every rule, in order.
pub const SUGGESTED_FIELDS: [&str; 6] = [
    "container.id",
    "container.name",
    "container.image.repository",
    "container.image.tag",
    "k8s.pod.name",
    "k8s.ns.name",
];

impl OutputAddition {
    /// The suggested output: `container_id=%container.id …` for rules of system calls.
    pub fn suggested() -> Self {
        Self::suggested_with(&[])
    }

    /// The same, and before it fields whose values the configuration sets.
    pub fn suggested_with(fixed: &[String]) -> Self {
        let fields = fixed.iter().map(String::as_str).chain(SUGGESTED_FIELDS);
        let fields: Vec<String> = fields.map(|field| format!("{}=%{field}", field.replace('.', "_"))).collect();
        Self { source: "syscall".into(), text: Some(fields.join(" ")), ..Self::default() }
    }

    pub(crate) fn applies_to(&self, rule: &RuleItem) -> bool {
        (self.source.is_empty() || self.source == rule.source)
            && (self.rule.is_empty() || self.rule == rule.name)
            && self.tags.is_subset(&rule.tags)
    }
}
