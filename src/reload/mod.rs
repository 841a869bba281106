//! Configuration and rules loaded anew while events go on: on SIGHUP, and when a file that was loaded changes.
//!
//! A thread waits for either, and for a tenth of a second of quiet after it, as Falco does. Then it reads, compiles and
//! checks everything and has the kernel programs loaded that are newly needed; only what passed is handed to the thread
//! of the events, which puts it in place between two of them. State and counters stay. What is wrong leaves the old
//! rules at work, and is told.

pub mod files;

use crate::config::Config;
use crate::detector::Detector;
use crate::failure::Failure;
use crate::interest::interest;
use crate::playback::Playback;
use crate::ruleset::{Loaded, Sums};
use files::Watches;
use peregrine_driver::{Control, Needs};
use peregrine_engine::fields::Fields;
use peregrine_engine::names::Names;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::SIGHUP;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Quiet after a change before it is looked at: editors write in several steps.
const QUIET: Duration = Duration::from_millis(100);
/// After so long a change is looked at even if there is no quiet.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was loaded.
pub struct Fresh {
    /// The configuration.
    pub config: Config,
    /// The rules, also those that are off.
    pub rules: Loaded,
    /// The fields that they were compiled with.
    pub fields: Fields,
    /// Files and directories that both came from.
    pub paths: Vec<PathBuf>,
}

/// Loads configuration and rules as at the start; what is wrong is in the error.
pub type Load = Box<dyn Fn() -> Result<Fresh, Failure> + Send>;

/// What is put in place of what runs.
pub struct Next {
    /// The configuration.
    pub config: Config,
    /// The rules, compiled.
    pub detector: Detector,
    /// The digests of what both were made from.
    pub sums: Sums,
    /// The fields that they were compiled with.
    pub fields: Fields,
    /// What the kernel programs are to tell of from then on; more than that is wanted already.
    pub needs: Needs,
    /// Host names that the rules ask for.
    pub names: Names,
}

/// What came of an attempt.
pub enum Outcome {
    /// To be put in place.
    Ready(Box<Next>),
    /// Why not.
    Refused(String),
}

/// The thread that waits for changes; it ends when this is dropped.
pub struct Reloader {
    outcomes: Receiver<Outcome>,
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Reloader {
    /// Starts the thread, which has this thread's privileges. Files are watched where the configuration says so.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start(load: Load, config: &Config, paths: &[PathBuf], control: Option<Control>) -> Result<Self, Failure> {
        let refused = |e: std::io::Error| Failure::System(anyhow::Error::new(e).context("cannot watch for changes"));
        let (hangup, raised) = UnixStream::pair().map_err(refused)?;
        signal_hook::low_level::pipe::register(SIGHUP, raised).map_err(refused)?;
        hangup.set_nonblocking(true).map_err(refused)?;
        let (stop, stopped) = UnixStream::pair().map_err(refused)?;
        let watches = config.watch_config_files.then(|| Watches::new(paths)).transpose().map_err(refused)?;
        // One waits while the next is made; a third is not begun.
        let (sender, outcomes) = sync_channel(1);
        let waiter = Waiter { load, control, watches, missed: false, hangup, stopped, sender };
        let thread = std::thread::Builder::new().name("reload".into()).spawn(move || waiter.run());
        Ok(Self { outcomes, stop: Some(stop), thread: Some(thread.map_err(refused)?) })
    }

    /// What came of an attempt since the last call.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcomes.try_recv().ok()
    }
}

impl Drop for Reloader {
    fn drop(&mut self) {
        self.stop.take();
        // What it would still hand over has no receiver.
        let (_, empty) = sync_channel(0);
        self.outcomes = empty;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Waiter {
    load: Load,
    /// The kernel programs, where there are some.
    control: Option<Control>,
    watches: Option<Watches>,
    /// Something changed that the watches in place did not see.
    missed: bool,
    hangup: UnixStream,
    stopped: UnixStream,
    sender: SyncSender<Outcome>,
}

impl Waiter {
    fn run(mut self) {
        let mut since: Option<Instant> = None;
        loop {
            let Some(changed) = self.wait(since.map(|_| QUIET)) else { return };
            match since {
                None if changed => since = Some(Instant::now()),
                Some(first) if !changed || first.elapsed() > PATIENCE => {
                    let outcome = self.attempt();
                    // What changed meanwhile may have been read by half.
                    let Some(again) = self.wait(Some(Duration::ZERO)) else { return };
                    if again && first.elapsed() <= PATIENCE {
                        continue;
                    }
                    since = again.then(Instant::now);
                    if self.sender.send(outcome).is_err() {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    /// Waits for a change, at most so long; whether there was one. `None` when it is over.
    fn wait(&mut self, most: Option<Duration>) -> Option<bool> {
        let timeout = most.map(|most| Timespec { tv_sec: 0, tv_nsec: most.as_nanos() as i64 });
        let mut fds =
            vec![PollFd::new(&self.stopped, PollFlags::IN | PollFlags::HUP), PollFd::new(&self.hangup, PollFlags::IN)];
        if let Some(watches) = &self.watches {
            fds.push(PollFd::from_borrowed_fd(watches.as_fd(), PollFlags::IN));
        }
        // An interruption is a wake-up like another.
        let _ = poll(&mut fds, timeout.as_ref());
        if !fds[0].revents().is_empty() {
            return None;
        }
        let mut signals = [0; 64];
        let raised = self.hangup.read(&mut signals).is_ok_and(|n| n > 0);
        let changed = self.watches.as_ref().is_some_and(Watches::changed);
        Some(raised || changed || std::mem::take(&mut self.missed))
    }

    /// Loads everything anew, and watches what was loaded, or what was loaded before if something is wrong.
    fn attempt(&mut self) -> Outcome {
        let prepared = (self.load)().and_then(|fresh| self.prepare(fresh));
        match prepared {
            Ok(next) => Outcome::Ready(Box::new(next)),
            Err(failure) => Outcome::Refused(failure.text()),
        }
    }

    fn prepare(&mut self, fresh: Fresh) -> Result<Next, Failure> {
        let Fresh { config, rules, fields, paths } = fresh;
        let detector = Detector::new(rules.rules, &fields, config.rule_matching)?;
        let interest = interest(detector.engine().needs(), &config.base_syscalls);
        interest.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        if let Some(control) = &self.control {
            control.widen(&interest.needs)?;
        }
        if let Some(watches) = &mut self.watches {
            match Watches::new(&paths) {
                Ok(new) => {
                    // What changed since it was read is looked at once more.
                    self.missed |= watches.changed();
                    *watches = new;
                }
                Err(error) => tracing::warn!("changes of new files are not watched for: {error}"),
            }
        }
        let names = Playback::host_names(detector.engine().host_names())?;
        Ok(Next { config, detector, sums: rules.sums, fields, needs: interest.needs, names })
    }
}

/// Settings that hold until the program is started anew: their names, and whether they differ.
type Fixed = (&'static str, fn(&Config, &Config) -> bool);

const FIXED: &[Fixed] = &[
    ("engine", |a, b| a.engine != b.engine || a.drop_failed != b.drop_failed),
    ("engine.*.buf_size_preset", |a, b| a.buf_size_preset != b.buf_size_preset),
    ("engine.modern_ebpf.cpus_for_each_buffer", |a, b| a.cpus_per_buffer != b.cpus_per_buffer),
    ("falco_libs.snaplen", |a, b| a.snaplen != b.snaplen),
    ("falco_libs.thread_table_size", |a, b| a.thread_table_size != b.thread_table_size),
    ("falco_libs.thread_table_auto_purging_*", |a, b| a.purging != b.purging),
    ("plugins", |a, b| a.plugins != b.plugins || a.load_plugins != b.load_plugins),
    ("peregrine.containers.enabled", |a, b| a.containers != b.containers),
    ("peregrine.containers.engines", |a, b| a.container_engines != b.container_engines),
    ("watch_config_files", |a, b| a.watch_config_files != b.watch_config_files),
];

/// Names of settings that changed but hold only from the next start.
pub fn unchangeable(old: &Config, new: &Config) -> Vec<&'static str> {
    FIXED.iter().filter(|(_, differ)| differ(old, new)).map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_change_is_named() {
        let old = Config::default();
        let mut new = Config { priority: "error".into(), json_output: true, ..Config::default() };
        assert!(unchangeable(&old, &new).is_empty());
        new.buf_size_preset += 1;
        new.snaplen += 1;
        assert_eq!(unchangeable(&old, &new), ["engine.*.buf_size_preset", "falco_libs.snaplen"]);
    }
}
