//! The world as `/proc` shows it: a snapshot at start, single threads on demand, a container's own accounts.
//!
//! **No gap between snapshot and events.** Attach first, so that events gather in the rings; then take the snapshot; then
//! build the state from it and apply the gathered events in order, those from before the snapshot too. Where both speak of
//! a thing the event wins, because it is applied last: a thread that the snapshot saw and whose `clone` comes afterwards is
//! made anew from the event and then lives through its own `execve` and `open` events again; a descriptor number that
//! was closed and opened again before it was read is removed by the one event and added by the other; what ended
//! before it was read is known from its events alone. After the last gathered event both agree. [`crate::State::merge`]
//! adds a later snapshot to a running state (after lost events); it never touches what the state has from events.
//!
//! Everything is read through one descriptor of `/proc`, with bounds on numbers, sizes and time. Processes that vanish
//! while they are read are passed over. What lies outside the scope is not read, but for the names of ancestors.

mod accounts;
mod fds;
mod machine;
mod parse;
mod process;
mod reader;
mod scan;
mod scope;
mod sockets;
mod source;

pub use source::ProcSource;

use crate::counters::Limits;
use peregrine_capture::tables::{Tables, Thread};
use reader::ProcDir;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// Which processes a snapshot is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All that can be seen.
    All,
    /// A process and its descendants.
    Tree(i64),
    /// The processes of a cgroup and of those below it; the path begins with `/` at the hierarchy's root.
    Cgroup(Vec<u8>),
}

/// What a snapshot may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Threads at most.
    pub threads: usize,
    /// Descriptors of one process at most.
    pub fds_per_process: usize,
    /// Descriptors of all processes at most.
    pub fds: usize,
    /// After this time no further process is read.
    pub time: Duration,
}

impl From<&Limits> for Bounds {
    fn from(limits: &Limits) -> Self {
        Self {
            threads: limits.threads,
            fds_per_process: limits.fds_per_process,
            fds: limits.fds,
            time: Duration::from_secs(10),
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self::from(&Limits::default())
    }
}

/// What was read, and what was left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Processes and threads read.
    pub processes: usize,
    /// Threads read, leaders included.
    pub threads: usize,
    /// Descriptors read.
    pub fds: usize,
    /// Processes that vanished or may not be read.
    pub vanished: usize,
    /// Threads and descriptors left out because a bound was reached.
    pub left_out: usize,
    /// Network namespaces whose sockets were read.
    pub net_namespaces: usize,
    /// Time taken.
    pub time: Duration,
}

/// A snapshot.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// What is in scope; this is what may be written to a capture.
    pub tables: Tables,
    /// Ancestors outside the scope, by id, parent and name alone. For memory only, never written.
    pub outside: Vec<Thread>,
    /// What was read.
    pub stats: Stats,
}

/// Takes a snapshot of `/proc`.
///
/// # Errors
/// When `/proc` cannot be opened. What cannot be read inside it is counted instead.
pub fn snapshot(scope: &Scope, bounds: &Bounds) -> io::Result<Snapshot> {
    snapshot_of(Path::new("/"), scope, bounds)
}

/// Likewise of the `proc` and `etc` below another root directory, such as a host's that is mounted in a container.
///
/// # Errors
/// As for [`snapshot`].
pub fn snapshot_of(root: &Path, scope: &Scope, bounds: &Bounds) -> io::Result<Snapshot> {
    let started = Instant::now();
    let proc = ProcDir::open(&root.join("proc"))?;
    let selected = scope::select(&proc, scope, bounds);
    let found = scan::processes(&proc, &selected, bounds, started);
    let mut snapshot = Snapshot { stats: found.stats, ..Snapshot::default() };
    (snapshot.tables.threads, snapshot.tables.fds) = (found.threads, found.fds);
    snapshot.outside = scope::ancestors(&proc, &snapshot.tables.threads);
    snapshot.tables.machine = Some(machine::machine(&proc, root));
    snapshot.tables.interfaces = if root == Path::new("/") { machine::interfaces() } else { Vec::new() };
    let accounts = accounts::host(root);
    (snapshot.tables.users, snapshot.tables.groups) = (accounts.users, accounts.groups);
    snapshot.stats.time = started.elapsed();
    Ok(snapshot)
}

#[cfg(test)]
mod tests;
