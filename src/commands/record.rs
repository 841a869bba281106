//! `peregrine record -o FILE.scap`: a capture of this machine, of a scope, or of a command and what it starts.

use crate::condition;
use crate::config::Config;
use crate::containers::{self, Containers};
use crate::failure::Failure;
use crate::launch::Waiting;
use crate::live::{self, Live, LiveArgs};
use crate::playback::Playback;
use peregrine_capture::{CaptureError, Compression, Writer};
use peregrine_driver::{Needs, Scope};
use peregrine_engine::fields::Fields;
use peregrine_engine::{Engine, Moment};
use peregrine_event::Event;
use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::path::PathBuf;

/// The command's options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The capture to write
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    output: PathBuf,
    /// Only events for which this condition holds
    #[arg(long, value_name = "CONDITION")]
    filter: Option<String>,
    /// Stop when so many MiB of events are written, before compression
    #[arg(long, value_name = "MIB")]
    max_size: Option<u64>,
    /// Do not compress
    #[arg(long)]
    plain: bool,
    #[command(flatten)]
    live: LiveArgs,
    /// Record this command and what it starts, until it ends; it is ended when the recording is stopped
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl From<CaptureError> for Failure {
    fn from(error: CaptureError) -> Self {
        Failure::System(anyhow::Error::new(error))
    }
}

/// What every event passes through.
struct Recording {
    playback: Playback,
    filter: Option<Engine>,
    writer: Writer,
    containers: Containers,
    last_ts: u64,
}

impl Recording {
    /// Writes an event if it is wanted. The state sees it in any case: it meets the containers of which the recording has
    /// to tell.
    fn event(&mut self, event: &Event<'_>) -> Result<bool, Failure> {
        let filter = &mut self.filter;
        let look =
            |moment: &Moment<'_>, _: &Fields| filter.as_mut().is_none_or(|filter| !filter.evaluate(moment).is_empty());
        let wanted = self.playback.event(event, false, look).unwrap_or(false);
        if wanted {
            self.writer.event(event, 0)?;
        }
        self.last_ts = event.ts;
        self.tell()?;
        Ok(wanted)
    }

    /// Writes what became known of containers.
    fn tell(&mut self) -> Result<(), Failure> {
        let writer = &mut self.writer;
        containers::pump(&self.containers, &mut self.playback, self.last_ts, |playback, event| {
            playback.event(event, true, |_, _| ());
            Ok(writer.event(event, 0)?)
        })
    }
}

/// Records.
pub fn execute(mut args: Args) -> Result<(), Failure> {
    if !args.command.is_empty() && args.live.scope.is_some() {
        return Err(Failure::Usage(anyhow::anyhow!("a command is its own scope; leave --scope out")));
    }
    // Nothing is loaded anew: no privilege has to stay for it.
    let config = Config { watch_config_files: false, ..Config::default() };
    let mut playback = Playback::new(&config);
    let filter = args.filter.as_deref().map(|text| condition::compile(text, &playback.fields, false)).transpose()?;
    let needs = filter.as_ref().map_or(Needs::everything(), |filter| live::needs(filter.needs()));
    let compression = if args.plain { Compression::Plain } else { Compression::Gzip };

    let mut child = if args.command.is_empty() { None } else { Some(Waiting::spawn(&args.command)?) };
    if let Some(child) = &child {
        args.live.scope = Some(Scope::Tree(child.id()));
    }
    let (mut live, snapshot) = Live::start(&config, &args.live, needs)?;
    // Only now: a machine that refuses must not cost the file that was there.
    let mut writer = Writer::create(&args.output, compression)?;
    writer.section(&snapshot.tables)?;
    let containers = Containers::start(&config)?;
    playback.live(snapshot)?;
    if let Some(child) = &mut child {
        child.go()?;
    }
    let most = args.max_size.map_or(u64::MAX, |mib| mib.saturating_mul(1 << 20));
    let left = Cell::new(args.live.events.unwrap_or(u64::MAX));
    let recording = RefCell::new(Recording { playback, filter, writer, containers, last_ts: 0 });
    live.run(
        |event| {
            if left.get() == 0 {
                return Ok(());
            }
            let mut recording = recording.borrow_mut();
            if recording.event(event)? {
                left.set(if recording.writer.stats().bytes < most { left.get() - 1 } else { 0 });
            }
            Ok(())
        },
        |batch, _| {
            live::warn_of(batch);
            recording.borrow_mut().tell()
        },
        || left.get() == 0 || child.as_mut().is_some_and(Waiting::ended),
    )?;
    let written = recording.into_inner().writer.finish()?;
    // When the recording was stopped first, the command ends with it.
    drop(child);
    let counted = live.source().stats()?.unwrap_or_default().total();
    tracing::info!("{} events written, {} dropped", written.events, counted.drops());
    Ok(())
}
