//! `peregrine list THING`: what rules can be made of, derived from the tables that the engine itself reads.

use crate::cli::{ConfigArgs, RulesArgs};
use crate::failure::Failure;
use crate::listing::words::{self, Row};
use crate::listing::{self, FieldsOptions, Format};
use crate::playback::Playback;
use crate::ruleset;
use clap::ValueEnum;
use serde_json::json;
use std::io::Write;

/// The command's options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to list
    thing: Thing,
    /// Layout: fields and events as Falco lays them out, JSON of all else one object a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Of fields, only the names
    #[arg(short = 'N', long)]
    names: bool,
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

/// Prints the list.
pub fn execute(args: &Args) -> Result<(), Failure> {
    let format = if args.json { Format::Json } else { args.format };
    let text = match args.thing {
        Thing::Fields => {
            let config = args.config.load()?;
            let fixed: Vec<String> = config.static_fields.iter().map(|(name, _)| name.clone()).collect();
            listing::fields(FieldsOptions { format, names_only: args.names, fixed: &fixed, ..FieldsOptions::default() })
        }
        Thing::Events => listing::events(format, "Peregrine"),
        Thing::Operators => words::rows(&words::operators(), format),
        Thing::Transformers => words::rows(&words::transformers(), format),
        Thing::Outputs => words::rows(&words::outputs(), format),
        Thing::Rules => words::rows(&rules(args)?, format),
        Thing::Sources => words::rows(&words::sources(), format),
    };
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}

fn rules(args: &Args) -> Result<Vec<Row>, Failure> {
    let config = args.config.load()?;
    let playback = Playback::new(&config);
    let loaded = ruleset::load(&config, &args.rules, &playback.fields)?;
    Ok(loaded.rules.iter().map(rule_row).collect())
}

fn rule_row(rule: &peregrine_rules::Rule) -> Row {
    Row {
        name: rule.name.clone(),
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
