//! What a ruleset consists of, as the JSON object that `falco -L` prints (`falco_engine::describe_rule`).
//!
//! Lists in it are sorted; upstream's have the accidental order of a hash table.

use crate::ruleset::{Definitions, ListDefinition, MacroDefinition, Rule, Ruleset};
use peregrine_event::code;
use peregrine_filter::ast::{Check, Expr, Operand, Rhs, TransformerArg};
use peregrine_filter::events::{event_codes, names};
use peregrine_filter::format::Piece;
use peregrine_filter::parser::{MAX_DEPTH, MODIFIERS, parse_with_depth};
use peregrine_filter::print;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Everything about one rule, or about all rules, macros and lists. The ruleset must have been loaded with
/// [`crate::Options::definitions`].
///
/// # Errors
/// When there is no rule of the name.
pub fn describe(ruleset: &Ruleset, rule: Option<&str>) -> Result<Value, String> {
    let definitions = &ruleset.definitions;
    if let Some(name) = rule {
        let rule = ruleset.get(name).ok_or_else(|| format!("Rule \"{name}\" is not loaded"))?;
        return Ok(json!({ "rules": [describe_rule(rule, definitions)] }));
    }
    let plugins: Vec<Value> = ruleset.plugins.iter().map(|requirement| plugin(&requirement.alternatives)).collect();
    let version = ruleset.engine_version.map_or("0.0.0".to_owned(), |version| version.to_string());
    Ok(json!({
        "required_engine_version": version,
        "required_plugin_versions": plugins,
        "rules": ruleset.rules.iter().map(|rule| describe_rule(rule, definitions)).collect::<Vec<_>>(),
        "macros": definitions.macros.iter().map(|one| describe_macro(one, definitions)).collect::<Vec<_>>(),
        "lists": definitions.lists.iter().map(describe_list).collect::<Vec<_>>(),
    }))
}

fn plugin(alternatives: &[(String, String)]) -> Value {
    let one = |(name, version): &(String, String)| json!({"name": name, "version": version});
    let Some((first, others)) = alternatives.split_first() else { return json!({}) };
    let mut object = one(first);
    object["alternatives"] = others.iter().map(one).collect();
    object
}

fn describe_rule(rule: &Rule, definitions: &Definitions) -> Value {
    let written = definitions.rules.get(&rule.name);
    let condition = written.map_or("", |rule| &rule.condition);
    let compiled = Parts::of(&rule.condition_text, definitions);
    let referred = Parts::of(condition, definitions);
    let exceptions = written.map_or(&[][..], |rule| &rule.exceptions);
    let names: BTreeSet<&String> = exceptions.iter().map(|(name, _)| name).collect();
    let operators: BTreeSet<&String> = exceptions.iter().flat_map(|(_, operators)| operators).collect();
    let mut details = json!({
        "macros": referred.macros,
        "lists": referred.lists,
        "condition_operators": compiled.operators,
        "condition_fields": compiled.fields,
        "output_fields": output_fields(rule),
        "exception_fields": rule.exception_fields,
        "exception_names": names,
        "exception_operators": operators,
        "events": rule.event_names(),
        "condition_compiled": rule.condition_text,
        "output_compiled": rule.output,
        "plugins": [],
    });
    for extra in rule.extra_fields.iter().filter(|extra| !extra.raw) {
        details["extra_output_formatted_fields"][&extra.key] = extra.text.as_str().into();
    }
    json!({
        "info": {
            "name": rule.name,
            "condition": condition,
            "priority": rule.priority.name(),
            "output": written.map_or("", |rule| &rule.output),
            "description": rule.desc,
            "enabled": written.is_none_or(|rule| rule.enabled),
            "source": rule.source,
            "capture": rule.capture,
            "capture_duration": rule.capture_duration,
            "tags": rule.tags,
        },
        "details": details,
    })
}

/// The formats of added fields, then the fields of the output.
fn output_fields(rule: &Rule) -> Vec<String> {
    let extra = rule.extra_fields.iter().map(|extra| extra.text.clone());
    let own = rule.format.pieces.iter().filter_map(|piece| match piece {
        Piece::Value { text, .. } => Some(text.clone()),
        _ => None,
    });
    extra.chain(own).collect()
}

fn describe_macro(one: &MacroDefinition, definitions: &Definitions) -> Value {
    let mut compiled = Parts::default();
    compiled.expr(&one.compiled, definitions);
    let referred = Parts::of(&one.condition, definitions);
    let mut codes = event_codes(&one.compiled, &[]).unwrap_or_default();
    codes.insert(code::ASYNCEVENT_E);
    json!({
        "info": {"name": one.name, "condition": one.condition},
        "details": {
            "used": one.used,
            "macros": referred.macros,
            "lists": referred.lists,
            "condition_operators": compiled.operators,
            "condition_fields": compiled.fields,
            "events": names(&codes),
            "condition_compiled": print(&one.compiled),
            "plugins": [],
        },
    })
}

/// An item that is not among those that came out names a list.
fn describe_list(list: &ListDefinition) -> Value {
    let (items, lists): (Vec<_>, Vec<_>) = list.items.iter().partition(|item| list.compiled.contains(item));
    let lists: BTreeSet<_> = lists.into_iter().collect();
    json!({
        "info": {"name": list.name, "items": items},
        "details": {"used": list.used, "lists": lists, "items_compiled": list.compiled, "plugins": []},
    })
}

/// What a condition is made of.
#[derive(Default)]
struct Parts {
    macros: BTreeSet<String>,
    lists: BTreeSet<String>,
    operators: BTreeSet<String>,
    fields: BTreeSet<String>,
}

impl Parts {
    /// The parts of a condition's text; of one that no longer parses alone there are none.
    fn of(condition: &str, definitions: &Definitions) -> Self {
        let mut parts = Self::default();
        if let Ok(tree) = parse_with_depth(condition, 4 * MAX_DEPTH) {
            parts.expr(&tree, definitions);
        }
        parts
    }

    fn expr(&mut self, expr: &Expr, definitions: &Definitions) {
        match expr {
            Expr::And(children) | Expr::Or(children) => children.iter().for_each(|c| self.expr(c, definitions)),
            Expr::Not(child) => self.expr(child, definitions),
            Expr::Identifier(name, _) => {
                if definitions.macros.iter().any(|known| known.name == *name) {
                    self.macros.insert(name.clone());
                }
            }
            Expr::Check(check) => {
                self.operand(&check.lhs);
                self.operators.insert(operator(check));
                match &check.rhs {
                    Rhs::List(items) => items.iter().for_each(|(item, _)| self.list(item, definitions)),
                    Rhs::ListName(name, _) => self.list(name, definitions),
                    Rhs::Operand(operand) => self.operand(operand),
                    Rhs::None | Rhs::Value(..) => {}
                }
            }
        }
    }

    fn list(&mut self, name: &str, definitions: &Definitions) {
        if definitions.lists.iter().any(|list| list.name == name) {
            self.lists.insert(name.to_owned());
        }
    }

    fn operand(&mut self, operand: &Operand) {
        match operand {
            Operand::Field { name, arg, .. } => {
                let arg = arg.as_deref().filter(|arg| !arg.is_empty()).map(|arg| format!("[{arg}]"));
                self.fields.insert(format!("{name}{}", arg.unwrap_or_default()));
            }
            Operand::Transformer { args, .. } => self.arguments(args),
        }
    }

    fn arguments(&mut self, args: &[TransformerArg]) {
        for arg in args {
            match arg {
                TransformerArg::Operand(operand) => self.operand(operand),
                TransformerArg::List(items) => self.arguments(items),
                TransformerArg::Literal(_) => {}
            }
        }
    }
}

/// As it is written, a modifier behind it.
fn operator(check: &Check) -> String {
    let modifier = check.modifier.and_then(|m| MODIFIERS.iter().find(|row| row.1 == m)).map(|row| row.0);
    modifier.map_or(check.spelling.to_owned(), |modifier| format!("{} {modifier}", check.spelling))
}
