//! `/proc` as a source of single threads and of a container's accounts.

use super::accounts;
use super::process::{Budget, Scanner, shared};
use super::reader::ProcDir;
use super::{Bounds, parse, sockets};
use crate::counters::Limits;
use crate::source::ThreadSource;
use crate::users::Accounts;
use peregrine_capture::tables::{Fd, Thread};
use rustix::fs::{Mode, OFlags, openat};
use rustix::path::DecInt;
use std::io;
use std::path::Path;
use std::time::Instant;

/// Looks threads up in `/proc`.
pub struct ProcSource {
    proc: ProcDir,
    bounds: Bounds,
    buffer: Vec<u8>,
}

impl ProcSource {
    /// Opens `/proc`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn new(limits: &Limits) -> io::Result<Self> {
        Self::below(Path::new("/"), limits)
    }

    /// Opens the `proc` below another root directory.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn below(root: &Path, limits: &Limits) -> io::Result<Self> {
        Ok(Self { proc: ProcDir::open(&root.join("proc"))?, bounds: Bounds::from(limits), buffer: Vec::new() })
    }
}

impl ThreadSource for ProcSource {
    fn thread(&mut self, tid: i64) -> Option<(Thread, Vec<Fd>)> {
        let budget = Budget::new(&self.bounds, Instant::now());
        let mut scanner = Scanner::new(&self.proc, &budget);
        // The directory of a thread that is no leader can be opened by its id, though no listing shows it.
        self.proc.record(format!("{tid}/status"), &mut scanner.buffer).ok()?;
        let tgid = parse::status(&scanner.buffer)?.tgid;
        let (process, leader) = scanner.open(tgid).ok()?;
        if tgid != tid {
            return Some((scanner.thread_of(&self.proc, &shared(&leader), tid).ok()?, Vec::new()));
        }
        let fds = scanner.descriptors(&process, tid);
        scanner.found.fds.push((tid, fds));
        sockets::resolve(&self.proc, &mut scanner.found, &budget);
        Some((leader, scanner.found.fds.pop()?.1))
    }

    fn descriptor(&mut self, pid: i64, fd: i64) -> Option<Fd> {
        let budget = Budget::new(&self.bounds, Instant::now());
        let mut scanner = Scanner::new(&self.proc, &budget);
        let process = self.proc.below(DecInt::new(pid)).ok()?;
        let fds = scanner.chosen(&process, pid, &[fd]);
        scanner.found.fds.push((pid, fds));
        sockets::resolve(&self.proc, &mut scanner.found, &budget);
        scanner.found.fds.pop()?.1.pop()
    }

    fn started(&mut self, pid: i64, tid: i64) -> Option<u64> {
        self.proc.record(format!("{pid}/task/{tid}/stat"), &mut self.buffer).ok()?;
        let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second().max(1);
        Some(parse::stat(&self.buffer)?.started.saturating_mul(tick))
    }

    fn accounts(&mut self, pid: i64) -> Option<Accounts> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(self.proc.fd(), format!("{pid}/root"), flags, Mode::empty()).ok()?;
        Some(accounts::below(&root))
    }
}
