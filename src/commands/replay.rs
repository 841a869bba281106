//! `peregrine replay FILE.scap`: the rules over a capture.

use crate::cli::{ConfigArgs, RulesArgs};
use crate::detector::Detector;
use crate::failure::Failure;
use crate::output::Output;
use crate::playback::Playback;
use crate::ruleset;
use crate::summary::Summary;
use std::path::PathBuf;

/// The command's options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The capture to read
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    rules: RulesArgs,
    /// Alerts as JSON lines
    #[arg(long)]
    json: bool,
    /// Read a damaged capture up to the damage
    #[arg(long)]
    lenient: bool,
    /// Write the closing figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    stats: Option<PathBuf>,
}

/// Replays.
pub fn execute(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    let mut playback = Playback::new(&config);
    let loaded = ruleset::load(&config, &args.rules, &playback.fields)?;
    let mut detector = Detector::new(loaded.rules, &playback.fields, config.rule_matching)?;
    let mut out = Output::new(&config, args.json);
    let read = playback.capture(&args.file, args.lenient, |moment, fields| detector.look(moment, fields, &mut out))?;
    out.flush()?;
    let summary = Summary::new(read.events, 0, &detector);
    summary.print();
    args.stats.as_deref().map_or(Ok(()), |path| summary.write(path))
}
