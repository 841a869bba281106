//! `peregrine replay FILE.scap`: the rules over a capture.

use crate::cli::{ConfigArgs, RulesArgs};
use crate::config::Config;
use crate::detector::Detector;
use crate::failure::Failure;
use crate::gaps::Gaps;
use crate::metrics::{self, Published};
use crate::output::{Manner, Output, hostname};
use crate::playback::Playback;
use crate::recorder;
use crate::ruleset::{self, Loaded};
use crate::summary::Summary;
use crate::watch::Ended;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// After so many events it is looked whether figures are due.
const TURN: u64 = 64;

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
    let whole = args.config.load_whole()?;
    let config = whole.config.clone();
    let playback = Playback::new(&config);
    let mut loaded = ruleset::load(&config, &args.rules, &playback.fields)?;
    loaded.sums = loaded.sums.with_config(&whole.files);
    let out = Output::new(&config, Manner::own(args.json))?;
    let ended = replay(&config, playback, loaded, out, &args.file, args.lenient, None)?;
    ended.result?;
    ended.summary.print();
    args.stats.as_deref().map_or(Ok(()), |path| ended.summary.write(path))
}

/// Passes a capture through the rules, its first `duration` if there is one. Whoever calls it says what was seen.
pub fn replay(
    config: &Config,
    mut playback: Playback,
    rules: Loaded,
    mut out: Output,
    file: &Path,
    lenient: bool,
    duration: Option<Duration>,
) -> Result<Ended, Failure> {
    let mut detector = Detector::new(rules.rules, &playback.fields, config.rule_matching)?;
    detector.limit(config.hold);
    playback.know(Playback::host_names(detector.engine().host_names())?);
    out.start(false)?;
    let recorder = recorder::attach(config, false, &mut playback, &mut detector)?;
    let mut telemetry = metrics::Prepared::of_replay(config).start(&hostname(), metrics::From::default())?;
    telemetry.rules(&detector, rules.sums);
    let asked = telemetry.is_asked();
    let (mut events, mut deadline, mut gaps) = (0_u64, None, Gaps::new(config));
    let read = playback.capture(file, lenient, |moment, fields| {
        let deadline = *deadline.get_or_insert_with(|| {
            duration.map_or(u64::MAX, |d| moment.event.ts.saturating_add(d.as_nanos().try_into().unwrap_or(u64::MAX)))
        });
        if moment.event.ts >= deadline {
            return Ok(());
        }
        events += 1;
        gaps.replayed(moment.event.ts, &mut out)?;
        // From the first on: outputs that are waited for may hold up the second.
        if asked && (events - 1).is_multiple_of(TURN) {
            telemetry.turn(|empty| Published {
                events,
                state: moment.state.counters(),
                matches: detector.engine().matches().to_vec(),
                outputs: out.outputs(),
                ..empty
            });
        }
        detector.look(moment, fields, &mut out)
    });
    detector.tend(playback.view(), u64::MAX, &mut out)?;
    // No snapshot comes after the last alert.
    drop(telemetry);
    if let Some(recorder) = &recorder {
        recorder::end(recorder, &mut out)?;
    }
    let (reports, told) = out.finish();
    let result = read
        .map(|read| {
            if duration.is_none() {
                events = read.events
            }
        })
        .and(told);
    let summary = Summary::new(events, 0, &detector, reports);
    Ok(Ended { detector, summary, gaps: gaps.noticed, signalled: false, result })
}
