//! How fast events pass through state and rules, on one core, from a capture in memory.

use crate::config::Config;
use crate::detector::Detector;
use crate::failure::Failure;
use crate::output::Output;
use crate::playback::Playback;
use peregrine_capture::{Item, Options, Reader};
use peregrine_event::{Event, code, eflags};
use peregrine_rules::Rule;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// Passes go on until this much time was measured.
const MEASURED: Duration = Duration::from_secs(2);
/// Passes at most.
const PASSES: u32 = 200;

/// What a measurement gave.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// Events of one pass.
    pub events: u64,
    /// Alerts of one pass.
    pub alerts: u64,
    /// Passes.
    pub passes: u32,
    /// Nanoseconds an event in the fastest pass.
    pub best: f64,
    /// Nanoseconds an event over all passes.
    pub mean: f64,
    /// Allocations of the second pass on events that raise no alert and make or end no process or descriptor, and how
    /// many such events there are; zero events where allocations are not counted.
    pub allocations: (u64, u64),
}

/// Measures a capture. Loading is not timed: reading the file, decompressing it, its tables. Each pass begins with a
/// fresh state. `allocated` gives the number of allocations so far, where they are counted.
///
/// # Errors
/// When the capture is wrong.
pub fn measure(
    path: &Path,
    rules: &[Rule],
    config: &Config,
    allocated: Option<&dyn Fn() -> u64>,
) -> Result<Figures, Failure> {
    let input = |e| Failure::Input(anyhow::Error::new(e));
    let bytes = plain(path).map_err(|e| Failure::Input(anyhow::Error::new(e).context(path.display().to_string())))?;
    let mut reader = Reader::from_bytes(&path.to_string_lossy(), bytes, Options::default()).map_err(input)?;
    let mut playback = Playback::new(config);
    let mut detector = Detector::new(rules.to_vec(), &playback.fields, config.rule_matching)?;
    let mut out = Output::none();
    let mut figures = Figures::default();
    let mut total = Duration::ZERO;
    while figures.passes < PASSES && (total < MEASURED || figures.passes < 2) {
        if figures.passes > 0 && !reader.rewind().map_err(input)? {
            return Err(Failure::System(anyhow::anyhow!("the capture in memory cannot be read again")));
        }
        let counting = if figures.passes == 1 { allocated } else { None };
        let time = pass(&mut reader, &mut playback, &mut detector, &mut out, counting, &mut figures)?;
        figures.passes += 1;
        total += time;
        let each = time.as_nanos() as f64 / figures.events.max(1) as f64;
        figures.best = if figures.passes == 1 { each } else { figures.best.min(each) };
    }
    figures.mean = total.as_nanos() as f64 / (figures.events.max(1) * u64::from(figures.passes)) as f64;
    Ok(figures)
}

fn pass(
    reader: &mut Reader,
    playback: &mut Playback,
    detector: &mut Detector,
    out: &mut Output,
    allocated: Option<&dyn Fn() -> u64>,
    figures: &mut Figures,
) -> Result<Duration, Failure> {
    let input = |e| Failure::Input(anyhow::Error::new(e));
    let before: u64 = detector.engine().matches().iter().sum();
    let mut time = Duration::ZERO;
    let mut events = 0;
    let mut start = cpu_time();
    while let Some(item) = reader.next().map_err(input)? {
        match item {
            Item::Section(tables) => {
                time += cpu_time() - start;
                playback.section(*tables);
                start = cpu_time();
            }
            Item::Event { event, state_only, .. } => {
                events += 1;
                let count = allocated.map(|allocated| (allocated(), allocated));
                playback
                    .event(&event, state_only, |moment, fields| detector.look(moment, fields, out))
                    .unwrap_or(Ok(()))?;
                if let Some((before, allocated)) = count
                    && detector.quiet()
                    && !brings_state(&event)
                {
                    figures.allocations.0 += allocated() - before;
                    figures.allocations.1 += 1;
                }
            }
        }
    }
    time += cpu_time() - start;
    figures.events = events;
    figures.alerts = detector.engine().matches().iter().sum::<u64>() - before;
    Ok(time)
}

/// Whether an event can make, change or end a process or descriptor; `getcwd` tells a process's directory.
fn brings_state(event: &Event<'_>) -> bool {
    event.info().has(eflags::EF_CREATES_FD | eflags::EF_DESTROYS_FD | eflags::EF_MODIFIES_STATE)
        || event.code == code::SYSCALL_GETCWD_X
}

/// CPU time of this thread: what else runs on the machine does not count.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// A capture's bytes, decompressed.
fn plain(path: &Path) -> std::io::Result<Vec<u8>> {
    let bytes = std::fs::read(path)?;
    if !bytes.starts_with(&[0x1F, 0x8B]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain)?;
    Ok(plain)
}
