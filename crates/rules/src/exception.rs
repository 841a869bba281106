//! Exceptions of rules: checked when defined, written into the condition when rules are compiled.
//!
//! `(condition) and not ((field op value and …) or …)`: the text that Falco builds, so that quoting and list names in
//! values mean the same (`rule_loader_collector.cpp`, `rule_loader_compiler.cpp`).

use crate::decode::{Decoded, Fault};
use crate::items::{Entry, Exception};
use crate::text::Text;
use peregrine_filter::ast::Operand;
use peregrine_filter::check::check_operand;
use peregrine_filter::field::Catalogue;
use peregrine_filter::parser::{MODIFIERS, OPERATORS, Side, parse_operand};

/// Fills in the default operators of a new exception and checks it.
pub(crate) fn complete(exception: &mut Exception, fields: Option<&dyn Catalogue>) -> Decoded<()> {
    let fail = |message: String| Fault::validate(message, &exception.context).at(&exception.place);
    match &exception.fields {
        Entry::List(names) => {
            if !exception.comps.is_given() {
                exception.comps = Entry::List(names.iter().map(|_| Entry::single("=")).collect());
            }
            let comps: &mut [Entry] = match &mut exception.comps {
                Entry::List(comps) => comps,
                Entry::Single(_) => &mut [],
            };
            if comps.len() != names.len() {
                return Err(fail("Fields and comps lists must have equal length".into()));
            }
            for comp in comps {
                trim(comp);
                if !is_operator(comp.text()) && !is_modified(comp.text()) {
                    return Err(fail(format!("'{}' is not a supported comparison operator", comp.text())));
                }
            }
            for name in names {
                check_field(name.text(), fields).map_err(fail)?;
            }
        }
        Entry::Single(name) => {
            if !exception.comps.is_given() {
                exception.comps = Entry::single("in");
            }
            if matches!(exception.comps, Entry::List(_)) {
                return Err(fail("Fields and comps must both be strings".into()));
            }
            trim(&mut exception.comps);
            let comp = exception.comps.text();
            if !matches!(comp, "in" | "pmatch" | "intersects") && !is_modified(comp) {
                return Err(fail(
                    "When fields is a single value, comps must be one of (in, pmatch, intersects) or a modifier \
                     operator (e.g. startswith oneof)"
                        .into(),
                ));
            }
            check_field(&name.text, fields).map_err(fail)?;
        }
    }
    Ok(())
}

/// Adds an exception of an appending item: a new one, or more values for one of that name.
pub(crate) fn append(
    exceptions: &mut Vec<Exception>,
    mut exception: Exception,
    fields: Option<&dyn Catalogue>,
) -> Decoded<()> {
    let fail = |message: &str, e: &Exception| Err(Fault::validate(message, &e.context).at(&e.place));
    if let Some(before) = exceptions.iter_mut().find(|e| e.name == exception.name) {
        if exception.fields.is_given() {
            return fail("Can not append exception fields to existing exception, only values", &exception);
        }
        if exception.comps.is_given() {
            return fail("Can not append exception comps to existing exception, only values", &exception);
        }
        before.values.append(&mut exception.values);
        return Ok(());
    }
    if !exception.fields.is_given() {
        return fail("Rule exception must have fields property with a list of fields", &exception);
    }
    if exception.values.is_empty() {
        return fail("Rule exception must have values property with a list of values", &exception);
    }
    complete(&mut exception, fields)?;
    exceptions.push(exception);
    Ok(())
}

fn trim(entry: &mut Entry) {
    if let Entry::Single(text) = entry {
        let trimmed = text.text.trim_matches([' ', '\t', '\r', '\n']);
        if trimmed.len() != text.text.len() {
            *entry = Entry::single(trimmed);
        }
    }
}

fn is_operator(text: &str) -> bool {
    OPERATORS.iter().any(|op| op.text == text)
}

/// A text operator with a modifier, one blank between.
fn is_modified(text: &str) -> bool {
    let Some((op, modifier)) = text.split_once(' ') else { return false };
    let text_op = OPERATORS.iter().any(|row| row.text == op && row.side == Side::Text);
    text_op && MODIFIERS.iter().any(|m| m.0 == modifier)
}

fn takes_list(op: &str) -> bool {
    OPERATORS.iter().any(|row| row.text == op && row.side == Side::List) || is_modified(op)
}

fn check_field(text: &str, fields: Option<&dyn Catalogue>) -> Result<(), String> {
    let Some(fields) = fields else { return Ok(()) };
    let operand = match parse_operand(text) {
        Ok((operand, len)) if len == text.len() => Some(operand),
        _ => None,
    };
    let valid = match operand {
        Some(operand @ (Operand::Field { .. } | Operand::Transformer { .. })) => {
            check_operand(&operand, fields).is_ok()
        }
        None => false,
    };
    if valid { Ok(()) } else { Err(format!("'{text}' is not a supported filter field")) }
}

/// Writes exceptions into a condition.
pub(crate) fn write(condition: &Text, exceptions: &[Exception]) -> Decoded<Text> {
    let mut out = Text::default();
    out.push("(");
    out.append(condition);
    out.push(")");
    for exception in exceptions {
        let written = match (&exception.fields, &exception.comps) {
            (Entry::Single(field), comp) => write_single(exception, field, comp.text())?,
            (Entry::List(fields), Entry::List(comps)) => write_rows(exception, fields, comps)?,
            (Entry::List(_), Entry::Single(_)) => Text::default(),
        };
        if !written.text.is_empty() {
            out.push(" and not ");
            out.append(&written);
        }
    }
    Ok(out)
}

/// `(field in (a, b))`
fn write_single(exception: &Exception, field: &Text, comp: &str) -> Decoded<Text> {
    let mut out = Text::default();
    for value in &exception.values {
        let Entry::Single(value) = value else {
            let message = "Expected values array to contain a list of strings";
            return Err(Fault::validate(message, &exception.context).at(&exception.place));
        };
        if out.text.is_empty() {
            out.push("(");
            out.append(field);
            out.push(&format!(" {comp} ("));
        } else {
            out.push(", ");
        }
        out.append(&quote(value));
    }
    if !out.text.is_empty() {
        out.push("))");
    }
    Ok(out)
}

/// `((f1 = a and f2 in (b, c)) or (…))`
fn write_rows(exception: &Exception, fields: &[Entry], comps: &[Entry]) -> Decoded<Text> {
    let mut out = Text::default();
    for row in &exception.values {
        let values = match row {
            Entry::List(values) if values.len() == fields.len() => values,
            _ => {
                let message = "Fields and values lists must have equal length";
                return Err(Fault::validate(message, &exception.context).at(&exception.place));
            }
        };
        out.push(if out.text.is_empty() { "(" } else { " or " });
        out.push("(");
        for (k, ((field, comp), value)) in fields.iter().zip(comps).zip(values).enumerate() {
            out.push(if k == 0 { " " } else { " and  " });
            push_entry(&mut out, field);
            out.push(&format!(" {} ", comp.text()));
            push_value(&mut out, value, takes_list(comp.text()));
        }
        out.push(")");
    }
    if !out.text.is_empty() {
        out.push(")");
    }
    Ok(out)
}

fn push_entry(out: &mut Text, entry: &Entry) {
    if let Entry::Single(text) = entry {
        out.append(text);
    }
}

fn push_value(out: &mut Text, value: &Entry, list_operator: bool) {
    match value {
        Entry::List(items) => {
            out.push("(");
            for (i, item) in items.iter().enumerate() {
                out.push(if i == 0 { "" } else { ", " });
                if let Entry::Single(text) = item {
                    out.append(&quote(text));
                }
            }
            out.push(")");
        }
        Entry::Single(text) if list_operator && !text.text.starts_with('(') => {
            out.push("(");
            out.append(text);
            out.push(")");
        }
        Entry::Single(text) if list_operator => out.append(text),
        Entry::Single(text) => out.append(&quote(text)),
    }
}

/// Quotes a value that holds a blank, unless it is quoted.
pub(crate) fn quote(value: &Text) -> Text {
    if !value.text.contains(' ') || value.text.starts_with(['"', '\'']) {
        return value.clone();
    }
    let mut out = Text::default();
    out.push("\"");
    out.append(value);
    out.push("\"");
    out
}

/// Operators of an exception, one for each of its fields.
pub(crate) fn operators(exception: &Exception) -> Vec<String> {
    fn collect(entry: &Entry, found: &mut Vec<String>) {
        match entry {
            Entry::Single(text) => found.push(text.text.clone()),
            Entry::List(items) => items.iter().for_each(|item| collect(item, found)),
        }
    }
    let mut found = Vec::new();
    collect(&exception.comps, &mut found);
    found
}

/// The fields that exceptions with values compare.
pub(crate) fn fields(exceptions: &[Exception]) -> std::collections::BTreeSet<String> {
    let used = exceptions.iter().filter(|e| !e.values.is_empty());
    used.flat_map(|e| match &e.fields {
        Entry::Single(field) => vec![field.text.clone()],
        Entry::List(fields) => fields.iter().map(|f| f.text().to_owned()).collect(),
    })
    .collect()
}
