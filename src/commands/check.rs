//! `peregrine check RULES…`: are these rules right, and is this configuration?

use crate::cli::{ConfigArgs, json_line, printable};
use crate::config::{self, Config, ConfigFile, Weight};
use crate::failure::Failure;
use crate::playback::Playback;
use crate::ruleset;
use peregrine_rules::falco;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

/// The command's options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rules files or directories, in order; none to check a configuration alone
    #[arg(value_name = "RULES", required_unless_present_any = ["config", "config_schema"])]
    rules: Vec<PathBuf>,
    /// Print Falco's `falco_load_results` instead of diagnostics
    #[arg(long)]
    json: bool,
    /// Print the JSON schema of configuration files and end
    #[arg(long)]
    config_schema: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Checks.
pub fn execute(args: &Args) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if args.config_schema {
        return Ok(writeln!(out, "{:#}", config::schema())?);
    }
    let (config, files) = args.config.load_with_files()?;
    let mut object = json!({});
    let sound = !files.iter().flat_map(|file| &file.faults).any(|fault| fault.weight != Weight::Warning);
    if args.json {
        if !files.is_empty() {
            object["config_results"] = files.iter().map(file_object).collect();
        }
    } else {
        for file in &files {
            let verdict = if file.faults.is_empty() { "Ok" } else { "does not fit the schema" };
            writeln!(out, "{}: {verdict}", printable(&file.path.to_string_lossy()))?;
            for fault in &file.faults {
                writeln!(out, "  {}", printable(&fault.to_string()))?;
            }
        }
    }
    let valid = args.rules.is_empty() || rules(args, &config, &mut object, &mut out)?;
    if args.json {
        writeln!(out, "{}", json_line(&object.to_string()))?;
    }
    if sound && valid { Ok(()) } else { Err(Failure::Told) }
}

/// Says how the rules are; whether they are valid.
fn rules(args: &Args, config: &Config, object: &mut Value, out: &mut impl Write) -> Result<bool, Failure> {
    let playback = Playback::new(config);
    let files = ruleset::read(&args.rules)?;
    let result = ruleset::compile(&files, config, &playback.fields)?;
    if args.json {
        object["falco_load_results"] = falco::json(&result)["falco_load_results"].take();
    } else {
        ruleset::explain(&result, true);
        for report in &result.reports {
            writeln!(out, "{}", printable(&falco::summary(report)))?;
        }
        if result.is_successful() {
            writeln!(out, "{} rules", result.ruleset.rules.len())?;
        }
    }
    Ok(result.is_successful())
}

fn file_object(file: &ConfigFile) -> Value {
    let faults: Vec<Value> = file
        .faults
        .iter()
        .map(|fault| {
            json!({
                "key": fault.key,
                "message": fault.message,
                "line": fault.place.line,
                "column": fault.place.column,
                "warning": fault.weight == Weight::Warning,
            })
        })
        .collect();
    json!({"name": file.path.to_string_lossy(), "schema_valid": faults.is_empty(), "faults": faults})
}
