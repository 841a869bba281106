//! `peregrine check RULES…`: are these rules right?

use crate::cli::{ConfigArgs, json_line, printable};
use crate::failure::Failure;
use crate::playback::Playback;
use crate::ruleset;
use peregrine_rules::falco;
use std::io::Write;
use std::path::PathBuf;

/// The command's options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rules files or directories, in order
    #[arg(value_name = "RULES", required = true)]
    rules: Vec<PathBuf>,
    /// Print Falco's `falco_load_results` instead of diagnostics
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Checks.
pub fn execute(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    let playback = Playback::new(&config);
    let files = ruleset::read(&args.rules)?;
    let result = ruleset::compile(&files, &config, &playback.fields)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", json_line(&falco::json(&result).to_string()))?;
    } else {
        ruleset::explain(&result, true);
        for report in &result.reports {
            writeln!(out, "{}", printable(&falco::summary(report)))?;
        }
        if result.is_successful() {
            writeln!(out, "{} rules", result.ruleset.rules.len())?;
        }
    }
    if result.is_successful() { Ok(()) } else { Err(Failure::Told) }
}
