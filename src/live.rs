//! Live events: the driver started as the configuration says, and a loop that ends when it is told to.

use crate::config::{Config, EngineKind};
use crate::failure::Failure;
use clap::Args;
use peregrine_driver::{
    Batch, BufferSize, Config as DriverConfig, Control, DriverError, Hooks, LiveSource, Needs, Scope, Stats,
};
use peregrine_engine::EventNeeds;
use peregrine_event::Event;
use peregrine_state::procfs::{self, Snapshot};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long one look at the buffers waits for events; bounds the delay of a stop.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long a turn without any source of events lasts at most: what was loaded anew waits no longer for its place.
const TURN: Duration = Duration::from_millis(250);

/// The options of every command that watches this machine.
#[derive(Debug, Clone, Default, Args)]
pub struct LiveArgs {
    /// Stop after this time, e.g. 30s, 5m, 500ms
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Stop after so many events
    #[arg(long, value_name = "N")]
    pub events: Option<u64>,
    /// Only a cgroup (v2) and below, or a process and its descendants: cgroup:PATH or tree:PID
    #[arg(long, value_name = "SCOPE", value_parser = scope)]
    pub scope: Option<Scope>,
    /// Keep all privileges after attaching instead of dropping those that are no longer needed
    #[arg(long)]
    pub no_drop_privileges: bool,
    /// Stop after so many alerts; an option of those commands that raise some.
    #[arg(skip)]
    pub alerts: Option<u64>,
}

fn scope(text: &str) -> Result<Scope, String> {
    text.parse().map_err(|e: DriverError| e.to_string())
}

/// A number and a unit.
fn duration(text: &str) -> Result<Duration, String> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let number: u64 = number.parse().map_err(|_| "a time is a number and a unit, e.g. 30s".to_owned())?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("\"{}\" is no unit of time; it is ms, s, m or h", unit.escape_default())),
    };
    number.checked_mul(factor).map(Duration::from_millis).ok_or_else(|| "that is too long".to_owned())
}

/// Where events come from.
pub enum Source {
    /// The kernel programs.
    Driver(Box<LiveSource>),
    /// Nowhere (`engine.kind: nodriver`): everything but events goes on.
    Nowhere(Idle),
}

impl Source {
    /// A handle that changes what the kernel programs tell of, where there are some.
    pub fn control(&self) -> Option<Control> {
        match self {
            Self::Driver(source) => Some(source.control()),
            Self::Nowhere(_) => None,
        }
    }

    /// What the kernel programs counted, where there are some.
    ///
    /// # Errors
    /// When the kernel refuses to say.
    pub fn stats(&self) -> Result<Option<Stats>, Failure> {
        match self {
            Self::Driver(source) => Ok(Some(source.stats()?)),
            Self::Nowhere(_) => Ok(None),
        }
    }

    /// What this kernel lets be hooked beyond tracepoints; nothing where there is no driver.
    pub fn hooks(&self) -> Hooks {
        match self {
            Self::Driver(source) => source.driver().hooks(),
            Self::Nowhere(_) => Hooks::default(),
        }
    }

    /// Hands on the next events, waiting at most so long for the first.
    fn next(&mut self, patience: Duration, each: impl FnMut(&Event<'_>)) -> Batch {
        match self {
            Self::Driver(source) => source.next_batch(patience.min(PATIENCE), each),
            Self::Nowhere(idle) => {
                idle.wait(patience.min(TURN));
                Batch::default()
            }
        }
    }

    fn stop(&mut self) {
        if let Self::Driver(source) = self {
            source.stop();
        }
    }
}

/// What is waited for where no events come: signals.
pub struct Idle(UnixStream);

impl Idle {
    fn new() -> std::io::Result<Self> {
        let (waiting, raised) = UnixStream::pair()?;
        waiting.set_nonblocking(true)?;
        for signal in [SIGINT, SIGTERM, SIGUSR1] {
            signal_hook::low_level::pipe::register(signal, raised.try_clone()?)?;
        }
        Ok(Self(waiting))
    }

    /// Waits for a signal, at most so long.
    fn wait(&mut self, most: Duration) {
        let most = Timespec::try_from(most).ok();
        // Whatever ends the wait, an interruption too, is a reason for another turn.
        let _ = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], most.as_ref());
        let _ = self.0.read(&mut [0; 64]);
    }
}

/// The running driver, or the running loop without one.
pub struct Live {
    source: Source,
    stop: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl From<DriverError> for Failure {
    fn from(error: DriverError) -> Self {
        if error.exit_code() == crate::failure::USAGE {
            Failure::Usage(anyhow::Error::new(error))
        } else {
            Failure::System(anyhow::Error::new(error))
        }
    }
}

impl Live {
    /// Attaches the kernel programs and takes the snapshot of what was there before; events in between are not lost,
    /// they wait in the buffers.
    pub fn start(config: &Config, args: &LiveArgs, needs: Needs) -> Result<(Self, Snapshot), Failure> {
        let refused = |e: std::io::Error| Failure::System(anyhow::Error::new(e).context("cannot watch for signals"));
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // A second signal ends the program at once, should the first not get through.
            let hooked = signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)));
            hooked.map_err(refused)?;
        }
        let (source, scope) = match config.engine {
            // Of the machine nothing is told; known is this program itself.
            EngineKind::NoDriver => (Source::Nowhere(Idle::new().map_err(refused)?), Scope::Tree(std::process::id())),
            _ => {
                let scope = args.scope.clone().or_else(|| config.scope.clone()).unwrap_or_default();
                (Source::Driver(Box::new(attach(config, scope.clone(), needs)?)), scope)
            }
        };
        let snapshot = snapshot(&scope, config)?;
        if config.drop_privileges && !args.no_drop_privileges {
            let kept = peregrine_driver::drop_privileges(config.watch_config_files)?;
            tracing::debug!("privileges kept: {}", kept.join(", "));
        }
        let deadline = args.duration.and_then(|time| Instant::now().checked_add(time));
        Ok((Self { source, stop, deadline }, snapshot))
    }

    /// Hands every event to `each` until the time is over, a signal comes, `done` says so, or `each` fails; what the
    /// buffers hold then is still handed on.
    pub fn run(
        &mut self,
        mut each: impl FnMut(&Event<'_>) -> Result<(), Failure>,
        mut between: impl FnMut(&Batch, &Source) -> Result<(), Failure>,
        mut done: impl FnMut() -> bool,
    ) -> Result<(), Failure> {
        let mut result = Ok(());
        let mut ended = false;
        loop {
            let left = match self.deadline {
                _ if ended => Duration::ZERO,
                Some(at) => at.saturating_duration_since(Instant::now()),
                None => Duration::MAX,
            };
            let batch = self.source.next(left, |event| {
                if result.is_ok() {
                    result = each(event);
                }
            });
            result = result.and_then(|()| between(&batch, &self.source));
            if result.is_err() || (ended && batch.events == 0) {
                self.source.stop();
                return result;
            }
            let over = self.deadline.is_some_and(|at| Instant::now() >= at);
            if !ended && (over || self.stop.load(Ordering::Relaxed) || done()) {
                self.source.stop();
                ended = true;
            }
        }
    }

    /// Whether a signal asked for the end.
    pub fn was_told_to_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Where the events come from.
    pub fn source(&self) -> &Source {
        &self.source
    }
}

/// Loads and attaches the kernel programs.
fn attach(config: &Config, scope: Scope, needs: Needs) -> Result<LiveSource, Failure> {
    Ok(LiveSource::start(&DriverConfig {
        buffer: BufferSize::preset(config.buf_size_preset as u16)?,
        cpus_per_buffer: config.cpus_per_buffer.min(u32::from(u16::MAX)) as u16,
        snaplen: config.snaplen,
        scope,
        drop_failed: config.drop_failed,
        needs,
        ..DriverConfig::default()
    })?)
}

/// What the rules need, and what the state does whatever they need.
pub fn needs(rules: &EventNeeds) -> Needs {
    let mut needs = Needs::state();
    rules.codes.iter().filter(|code| *code > 1).for_each(|code| needs.insert(code));
    rules.generic_calls.iter().for_each(|call| needs.insert_generic(call));
    needs
}

/// What was there before the first event, within the scope.
fn snapshot(scope: &Scope, config: &Config) -> Result<Snapshot, Failure> {
    let scope = match scope {
        Scope::All => procfs::Scope::All,
        Scope::Tree(pid) => procfs::Scope::Tree(i64::from(*pid)),
        Scope::Cgroup(path) => {
            let path = peregrine_driver::scope::cgroup_path(path)?;
            procfs::Scope::Cgroup(path.into_os_string().into_encoded_bytes())
        }
    };
    let bounds = procfs::Bounds { threads: config.thread_table_size, ..procfs::Bounds::default() };
    let snapshot = procfs::snapshot(&scope, &bounds);
    let snapshot = snapshot.map_err(|e| Failure::System(anyhow::Error::new(e).context("cannot read /proc")))?;
    if snapshot.stats.left_out > 0 {
        tracing::warn!("{} threads and descriptors of /proc were left out", snapshot.stats.left_out);
    }
    tracing::debug!("/proc: {:?}", snapshot.stats);
    Ok(snapshot)
}

/// Says on the log that events were lost, if some were.
pub fn warn_of(batch: &Batch) {
    if let Some(drops) = &batch.drops {
        tracing::warn!("{} events were dropped in the last second", drops.delta.drops());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(duration("30s").unwrap(), Duration::from_secs(30));
        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(duration("2h").unwrap(), Duration::from_secs(7200));
        for wrong in ["", "s", "30", "5 m", "-1s", "99999999999999999999s", "18446744073709551615h", "1d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
