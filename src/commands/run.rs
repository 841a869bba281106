//! `peregrine run`: live detection.

use crate::cli::{ConfigArgs, RulesArgs};
use crate::detector::Detector;
use crate::failure::Failure;
use crate::live::LiveArgs;
use crate::output::{Manner, Output};
use crate::playback::Playback;
use crate::reload::{Fresh, Load};
use crate::ruleset;
use crate::watch::{Again, watch};
use peregrine_driver::Hooks;
use std::io::IsTerminal;
use std::path::PathBuf;

/// The command's options.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    rules: RulesArgs,
    /// Alerts as JSON lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    live: LiveArgs,
    /// Stop after so many alerts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    alerts: Option<u64>,
    /// Write every event that is seen to this capture as well
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write the closing figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    stats: Option<PathBuf>,
}

/// Watches until it is told to stop.
pub fn execute(args: &Args) -> Result<(), Failure> {
    let loaded = args.config.load_whole()?;
    let config = loaded.config.clone();
    let playback = Playback::new(&config);
    let mut rules = ruleset::load(&config, &args.rules, &playback.fields)?;
    rules.sums = rules.sums.with_config(&loaded.files);
    let files = rules.files;
    let manner = Manner::own(args.json);
    let out = Output::new(&config, manner)?;
    let paths = paths(&loaded, &args.rules);
    let again = Again { load: again(args.config.clone(), args.rules.clone()), paths, manner };
    let (live, record) = (LiveArgs { alerts: args.alerts, ..args.live.clone() }, args.record.as_deref());
    let ended = watch(&config, playback, rules, out, &live, record, Some(again), |detector, hooks| {
        announce(detector, files, hooks);
    })?;
    ended.summary.print();
    if let Some(path) = &args.stats {
        ended.summary.write(path)?;
    }
    ended.result
}

/// Loads configuration and rules once more, by the same options.
fn again(config: ConfigArgs, rules: RulesArgs) -> Load {
    Box::new(move || {
        let loaded = config.load_whole()?;
        let fields = Playback::fields(&loaded.config);
        let mut fresh = ruleset::load_or_say(&loaded.config, &rules, &fields)?;
        fresh.sums = fresh.sums.with_config(&loaded.files);
        let paths = paths(&loaded, &rules);
        Ok(Fresh { config: loaded.config, rules: fresh, fields, paths })
    })
}

/// The files and directories that configuration and rules came from.
fn paths(loaded: &crate::config::Loaded, rules: &RulesArgs) -> Vec<PathBuf> {
    let config = loaded.files.iter().map(|file| file.path.clone());
    let rules = if rules.rules.is_empty() { &loaded.config.rules_files } else { &rules.rules };
    let inside = rules.iter().filter_map(|path| ruleset::directory(path).ok()).flatten();
    config.chain(loaded.folders.iter().cloned()).chain(rules.iter().cloned()).chain(inside).collect()
}

/// One line that says what is watched, and at a terminal what to try.
fn announce(detector: &Detector, files: usize, hooks: Hooks) {
    let kernel = rustix::system::uname();
    let rules = detector.engine().rules().len();
    let events = detector.engine().needs().codes.len();
    tracing::info!(
        "watching: kernel {} through BPF programs (hooks beyond tracepoints: {hooks}), {rules} rules of {files} files on {events} kinds of events, source syscall",
        kernel.release().to_string_lossy()
    );
    if std::io::stderr().is_terminal() {
        tracing::info!("try, in another shell: cat /etc/shadow; Ctrl-C stops");
    }
}
