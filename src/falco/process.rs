//! Events under Falco's name: replay, live or none, and the figures at the end.

use super::rules::Prepared;
use super::{State, Step, Stop, again, paths};
use crate::commands::replay::replay;
use crate::config::{Config, EngineKind};
use crate::detector::Detector;
use crate::live::LiveArgs;
use crate::output::{Manner, Output};
use crate::watch::{Again, Ended, watch};
use peregrine_alert::Priority;
use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

/// Sets up what is left, and processes events until their end.
pub fn run(state: State, rules: Prepared) -> Step {
    let again = Again { load: again(state.arguments.clone()), paths: paths(&state, &rules), manner: Manner::Falco };
    let State { options, config, playback, loaded, .. } = state;
    if !has_output(&config) {
        let text = "No output configured, please make sure at least one output is configured and enabled.";
        return Err(Stop::Fatal(text.into()));
    }
    if let Some(name) = std::env::var_os("FALCO_HOSTNAME") {
        let name = name.to_string_lossy();
        tracing::info!("Hostname value has been overridden via environment variable to: {name}");
    }
    if options.dry_run {
        tracing::debug!("Skipping event processing in dry-run");
        return Ok(());
    }
    if let Some(path) = &options.pidfile {
        let wrote = std::fs::write(path, std::process::id().to_string());
        wrote.map_err(|e| Stop::Fatal(format!("Could not write pid to pidfile {}: {e}", path.display())))?;
    }
    let duration = Some(Duration::from_secs(u64::from(options.duration))).filter(|d| !d.is_zero());
    let rules = rules.loaded(&loaded.files);
    let out = Output::new(&config, Manner::Falco)?;
    let ended = match &config.engine {
        EngineKind::Replay { file } => {
            tracing::info!("Replaying events from the capture file: {}", file.display());
            replay(&config, playback, rules, out, file, false, duration)?
        }
        EngineKind::Kmod | EngineKind::ModernEbpf | EngineKind::NoDriver => {
            announce(&config);
            let live = LiveArgs { duration, ..LiveArgs::default() };
            let ready = |_: &Detector, _| tracing::debug!("Opened event source 'syscall'");
            watch(&config, playback, rules, out, &live, None, Some(again), ready)?
        }
    };
    finish(ended, options.verbose)
}

fn has_output(config: &Config) -> bool {
    config.stdout || config.syslog.enabled || config.file.enabled || config.program.enabled || config.http.enabled
}

fn announce(config: &Config) {
    tracing::info!("Loaded event sources: syscall");
    tracing::info!("Enabled event sources: syscall");
    match config.engine {
        EngineKind::Kmod => {
            tracing::warn!("engine.kind is kmod: there is no kernel module here, BPF programs take its place");
            tracing::info!("Opening 'syscall' source with Kernel module's settings, through BPF programs");
        }
        EngineKind::ModernEbpf => {
            tracing::info!("Opening 'syscall' source with modern BPF probe.");
            tracing::info!("One ring buffer every '{}' CPUs.", config.cpus_per_buffer);
        }
        EngineKind::NoDriver => {
            tracing::warn!("Enabled event source 'syscall' will be opened with no driver, no event will be produced");
            tracing::info!("Opening 'syscall' source with no driver");
        }
        EngineKind::Replay { .. } => {}
    }
}

/// The figures: of what was processed to standard error, of rules to standard output.
fn finish(ended: Ended, verbose: bool) -> Step {
    let Ended { detector, summary, gaps: (noticed, acted), signalled, result } = ended;
    if signalled {
        tracing::info!("SIGINT received, exiting...");
    }
    if verbose {
        let (events, drops, seconds) = (summary.events, summary.drops, summary.cpu_seconds);
        eprintln!("Driver Events:{events}\nDriver Drops:{drops}");
        let rate = events as f64 / seconds.max(f64::EPSILON);
        eprintln!("Elapsed time: {seconds:.3}, Captured Events: {events}, {rate:.2} eps");
    }
    eprintln!("Syscall event drop monitoring:");
    eprintln!("   - event drop detected: {noticed} occurrences\n   - num times actions taken: {acted}");
    let counts: Vec<(&str, Priority, u64)> =
        detector.counts().map(|(rule, n)| (rule.name.as_str(), rule.priority, n)).collect();
    let printed = write!(std::io::stdout().lock(), "{}", statistics(&counts));
    result.map_err(Stop::from)?;
    Ok(printed?)
}

/// Matches in all, by priority and by rule.
fn statistics(counts: &[(&str, Priority, u64)]) -> String {
    let total: u64 = counts.iter().map(|(.., n)| n).sum();
    let mut out = format!("Events detected: {total}\nRule counts by severity:\n");
    for priority in Priority::ALL {
        let n: u64 = counts.iter().filter(|(_, p, _)| *p == priority).map(|(.., n)| n).sum();
        if n > 0 {
            let name = if priority == Priority::Informational { "INFO".into() } else { priority.name().to_uppercase() };
            let _ = writeln!(out, "   {name}: {n}");
        }
    }
    out += "Triggered rules by rule name:\n";
    for (name, _, n) in counts.iter().filter(|(.., n)| *n > 0) {
        let _ = writeln!(out, "   {}: {n}", crate::cli::one_line(name));
    }
    out
}
