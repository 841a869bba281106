//! All processes in scope, read by a few workers at once: what takes the time is the kernel writing texts.

use super::process::{Budget, Found, Scanner};
use super::reader::ProcDir;
use super::{Bounds, sockets};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Workers at most, and processes below which one is enough.
const WORKERS: usize = 8;
const FEW: usize = 16;

/// Reads these processes; what comes out is in the order of their ids.
pub(super) fn processes(proc: &ProcDir, pids: &[i64], bounds: &Bounds, started: Instant) -> Found {
    let budget = Budget::new(bounds, started);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut scanner = Scanner::new(proc, &budget);
        while let Some(pid) = pids.get(next.fetch_add(1, Ordering::Relaxed)) {
            scanner.process(*pid);
        }
        scanner.found
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = if pids.len() < FEW { 1 } else { cores.min(WORKERS) };
    let mut found = std::thread::scope(|scope| {
        // One that cannot be started leaves its share to the others.
        let others: Vec<_> =
            (1..workers).filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut found = work();
        for other in others {
            // A worker does not panic; if one did, what it read would be missing, as if it had vanished.
            found.add(other.join().unwrap_or_default());
        }
        found
    });
    found.threads.sort_unstable_by_key(|thread| (thread.pid, thread.tid));
    found.fds.sort_unstable_by_key(|(pid, _)| *pid);
    sockets::resolve(proc, &mut found, &budget);
    found
}

impl Found {
    fn add(&mut self, other: Self) {
        self.threads.extend(other.threads);
        self.fds.extend(other.fds);
        self.namespaces.extend(other.namespaces);
        self.stats.processes += other.stats.processes;
        self.stats.threads += other.stats.threads;
        self.stats.fds += other.stats.fds;
        self.stats.vanished += other.stats.vanished;
        self.stats.left_out += other.stats.left_out;
    }
}
