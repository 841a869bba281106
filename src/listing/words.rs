//! The lists of a name and what it means: operators, transformers, sources, rules.

use super::Format;
use crate::cli::{json_line, one_line};
use peregrine_filter::parser::{MODIFIERS, OPERATORS, Side, TRANSFORMERS};
use peregrine_outputs::OUTPUTS;
use serde_json::{Value, json};

/// One row: its name, what stands beside it, and the JSON object.
pub struct Row {
    /// Name.
    pub name: String,
    /// What it means.
    pub text: String,
    /// Both and more.
    pub json: Value,
}

impl Row {
    /// A row with nothing but its meaning.
    pub fn named(name: &str, doc: &str) -> Self {
        Self { name: name.to_owned(), text: doc.to_owned(), json: json!({ "name": name, "doc": doc }) }
    }
}

/// The rows in two columns, as a table, or as one JSON object a line.
pub fn rows(rows: &[Row], format: Format) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).min(32);
    let line = |row: &Row| match format {
        Format::Text => format!("{}\n", format!("{:width$}  {}", one_line(&row.name), one_line(&row.text)).trim_end()),
        Format::Markdown => format!("`{}` | {}\n", one_line(&row.name).replace('|', "\\|"), one_line(&row.text)),
        Format::Json => format!("{}\n", json_line(&row.json.to_string())),
    };
    let head = if format == Format::Markdown { "Name | Description\n:----|:-----------\n" } else { "" };
    head.to_owned() + &rows.iter().map(line).collect::<String>()
}

/// Comparisons of conditions, and what may stand before them.
pub fn operators() -> Vec<Row> {
    let takes = |side| match side {
        Side::Nothing => "nothing",
        Side::Number => "number",
        Side::Text => "value",
        Side::List => "list",
    };
    let plain = OPERATORS.iter().map(|row| Row {
        name: row.text.to_owned(),
        text: row.doc.to_owned(),
        json: json!({ "name": row.text, "right": takes(row.side), "modifier": false, "doc": row.doc }),
    });
    let modifiers = MODIFIERS.iter().map(|(name, _, doc)| Row {
        name: format!("... {name}"),
        text: doc.to_string(),
        json: json!({ "name": name, "right": "list", "modifier": true, "doc": doc }),
    });
    plain.chain(modifiers).collect()
}

/// Where alerts go, with the configuration's keys about it.
pub fn outputs() -> Vec<Row> {
    let row = |output: &peregrine_outputs::table::Output| Row {
        name: output.name.to_owned(),
        text: format!("{} ({})", output.doc, output.keys.join(", ")),
        json: json!({ "name": output.name, "keys": output.keys, "doc": output.doc }),
    };
    OUTPUTS.iter().map(row).collect()
}

/// Functions over fields.
pub fn transformers() -> Vec<Row> {
    TRANSFORMERS.iter().map(|(name, doc)| Row::named(name, doc)).collect()
}

/// Where events come from.
pub fn sources() -> Vec<Row> {
    vec![Row::named("syscall", "system calls and the kernel's own events, live or from a capture")]
}
