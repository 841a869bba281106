//! `peregrine list THING`: what rules can be made of, derived from the tables that the engine itself reads.

use crate::cli::{ConfigArgs, RulesArgs, json_line, one_line};
use crate::failure::Failure;
use crate::playback::Playback;
use crate::ruleset;
use clap::ValueEnum;
use peregrine_engine::fields::CLASSES;
use peregrine_event::{eflags, table};
use peregrine_filter::field::{ArgForm, FieldInfo, flag};
use peregrine_filter::parser::{MODIFIERS, OPERATORS, Side, TRANSFORMERS};
use peregrine_filter::types::type_name;
use serde_json::{Value, json};
use std::io::Write;

/// The command's options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to list
    thing: Thing,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    rules: RulesArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Thing {
    /// Fields of conditions and outputs
    Fields,
    /// Event types with their parameters
    Events,
    /// Comparisons of conditions
    Operators,
    /// Functions over fields
    Transformers,
    /// Where alerts go
    Outputs,
    /// Event sources
    Sources,
    /// The rules of -r or of the configuration
    Rules,
}

/// One row: its name, what stands beside it, and the JSON object.
struct Row {
    name: String,
    text: String,
    json: Value,
}

/// Prints the list.
pub fn execute(args: &Args) -> Result<(), Failure> {
    let rows = match args.thing {
        Thing::Fields => fields(),
        Thing::Events => events(),
        Thing::Operators => operators(),
        Thing::Transformers => TRANSFORMERS.iter().map(|(name, doc)| named(name, doc)).collect(),
        Thing::Outputs => vec![named("stdout", "standard output: a line of text, or of JSON, an alert")],
        Thing::Rules => rules(args)?,
        Thing::Sources => vec![named("syscall", "system calls and the kernel's own events, live or from a capture")],
    };
    let mut out = std::io::stdout().lock();
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).min(32);
    for row in rows {
        if args.json {
            writeln!(out, "{}", json_line(&row.json.to_string()))?;
        } else {
            writeln!(out, "{}", format!("{:width$}  {}", row.name, row.text).trim_end())?;
        }
    }
    Ok(())
}

fn fields() -> Vec<Row> {
    CLASSES.iter().flat_map(|class| class.fields.iter().map(|field| field_row(class.name, &field.info))).collect()
}

fn field_row(class: &str, info: &FieldInfo) -> Row {
    let argument = match info.arg {
        ArgForm::None => "",
        ArgForm::IndexOptional => "[N]?",
        ArgForm::IndexRequired => "[N]",
        ArgForm::KeyOptional => "[KEY]?",
        ArgForm::KeyRequired => "[KEY]",
        ArgForm::ArgNameOrIndex => ".NAME or [N]",
        ArgForm::DotName => ".NAME",
        ArgForm::DotSide => ".src or .dst",
    };
    let list = if info.is_list { "list of " } else { "" };
    let only = if info.flags & flag::FILTER_ONLY != 0 {
        " (conditions only)"
    } else if info.flags & flag::PRINT_ONLY != 0 {
        " (outputs only)"
    } else {
        ""
    };
    Row {
        name: format!("{}{argument}", info.name),
        text: format!("{list}{}: {}{only}", type_name(info.ty), info.doc),
        json: json!({
            "name": info.name,
            "class": class,
            "type": type_name(info.ty),
            "list": info.is_list,
            "argument": argument,
            "deprecated": info.flags & flag::DEPRECATED != 0,
            "conditions": info.flags & flag::PRINT_ONLY == 0,
            "outputs": info.flags & flag::FILTER_ONLY == 0,
            "doc": info.doc,
        }),
    }
}

/// The events a condition can name today: those that are neither retired nor unused.
fn events() -> Vec<Row> {
    let current = |info: &&peregrine_event::EventInfo| !info.has(eflags::EF_OLD_VERSION | eflags::EF_UNUSED);
    table::EVENTS.iter().filter(current).map(event_row).collect()
}

fn event_row(info: &peregrine_event::EventInfo) -> Row {
    let params: Vec<String> = info.params.iter().map(|p| format!("{} {}", type_name(p.ty), p.name)).collect();
    let exit = info.symbol.ends_with("_X");
    Row {
        name: info.name.to_owned(),
        text: format!("{} ({})", if exit { '<' } else { '>' }, params.join(", ")),
        json: json!({
            "name": info.name,
            "direction": if exit { "exit" } else { "enter" },
            "syscall": info.is_syscall(),
            "params": info.params.iter().map(|p| json!({"name": p.name, "type": type_name(p.ty)})).collect::<Vec<_>>(),
        }),
    }
}

fn operators() -> Vec<Row> {
    let takes = |side| match side {
        Side::Nothing => "nothing",
        Side::Number => "number",
        Side::Text => "value",
        Side::List => "list",
    };
    let plain = OPERATORS.iter().map(|row| Row {
        name: row.text.to_owned(),
        text: row.doc.to_owned(),
        json: json!({"name": row.text, "right": takes(row.side), "modifier": false, "doc": row.doc}),
    });
    let modifiers = MODIFIERS.iter().map(|(name, _, doc)| Row {
        name: format!("... {name}"),
        text: doc.to_string(),
        json: json!({"name": name, "right": "list", "modifier": true, "doc": doc}),
    });
    plain.chain(modifiers).collect()
}

fn rules(args: &Args) -> Result<Vec<Row>, Failure> {
    let config = args.config.load()?;
    let playback = Playback::new(&config);
    let loaded = ruleset::load(&config, &args.rules, &playback.fields)?;
    Ok(loaded.rules.iter().map(rule_row).collect())
}

fn rule_row(rule: &peregrine_rules::Rule) -> Row {
    Row {
        name: one_line(&rule.name).into_owned(),
        text: format!("{}{}", rule.priority, if rule.enabled { "" } else { ", switched off" }),
        json: json!({
            "rule": rule.name,
            "source": rule.source,
            "priority": rule.priority.name(),
            "tags": rule.tags,
            "enabled": rule.enabled,
            "events": rule.event_names(),
            "condition": rule.condition_text,
        }),
    }
}

fn named(name: &str, doc: &str) -> Row {
    Row { name: name.to_owned(), text: doc.to_owned(), json: json!({"name": name, "doc": doc}) }
}
