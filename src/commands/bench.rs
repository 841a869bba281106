//! `peregrine bench FILE.scap…`: how fast captures pass through state and rules, on one core.

use crate::bench::measure;
use crate::cli::{ConfigArgs, RulesArgs, one_line};
use crate::failure::Failure;
use crate::playback::Playback;
use crate::ruleset;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// The command's options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Captures to measure, each by itself
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    rules: RulesArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// One JSON object a capture
    #[arg(long)]
    json: bool,
}

/// Measures.
pub fn execute(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    let playback = Playback::new(&config);
    let loaded = ruleset::load(&config, &args.rules, &playback.fields)?;
    let mut out = std::io::stdout().lock();
    if !args.json {
        writeln!(out, "{:>10} {:>8} {:>10} {:>12}  capture", "events", "alerts", "ns/event", "events/s")?;
    }
    for file in &args.files {
        let figures = measure(file, &loaded.rules, &config, None)?;
        let rate = 1e9 / figures.best;
        let name = file.to_string_lossy();
        if args.json {
            let line = json!({
                "capture": name,
                "events": figures.events,
                "alerts": figures.alerts,
                "passes": figures.passes,
                "ns_per_event": figures.best,
                "ns_per_event_mean": figures.mean,
                "events_per_second": rate,
            });
            writeln!(out, "{line}")?;
        } else {
            let (events, alerts) = (figures.events, figures.alerts);
            writeln!(out, "{events:>10} {alerts:>8} {:>10.1} {rate:>12.0}  {}", figures.best, one_line(&name))?;
        }
        out.flush()?;
    }
    Ok(())
}
