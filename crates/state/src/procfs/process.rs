//! Reading processes and threads.
//!
//! What the threads of a process share is read once, of the process; of each thread its `status` alone.

use super::reader::ProcDir;
use super::{Bounds, Stats, parse};
use peregrine_capture::tables::{Fd, Thread};
use peregrine_event::defines::{PPM_CL_CLONE_FILES, PPM_CL_CLONE_THREAD};
use rustix::fs::Statx;
use rustix::path::DecInt;
use std::fmt::Write;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Longest path, and longest list of arguments or environment, that a capture holds.
const MAX_PATH: usize = 1024;
const MAX_LIST: usize = 4096;

/// What all readers together may still take.
pub(super) struct Budget {
    threads: AtomicUsize,
    fds: AtomicUsize,
    fds_per_process: usize,
    started: Instant,
    bounds: Bounds,
}

impl Budget {
    pub(super) fn new(bounds: &Bounds, started: Instant) -> Self {
        Self {
            threads: AtomicUsize::new(bounds.threads),
            fds: AtomicUsize::new(bounds.fds),
            fds_per_process: bounds.fds_per_process,
            started,
            bounds: *bounds,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.started.elapsed() > self.bounds.time
    }

    /// Takes up to `wanted` of what is left; how many were granted.
    fn take(left: &AtomicUsize, wanted: usize) -> usize {
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left - wanted.min(left)));
        taken.map_or(0, |left| wanted.min(left))
    }

    fn thread(&self) -> bool {
        Self::take(&self.threads, 1) == 1
    }
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) threads: Vec<Thread>,
    /// Descriptors by process.
    pub(super) fds: Vec<(i64, Vec<Fd>)>,
    /// Network namespaces of the processes that have sockets; which, is filled in later.
    pub(super) namespaces: Vec<(i64, u64)>,
    pub(super) stats: Stats,
}

/// Reads processes one after the other.
pub(super) struct Scanner<'a> {
    pub(super) proc: &'a ProcDir,
    budget: &'a Budget,
    pub(super) found: Found,
    pub(super) buffer: Vec<u8>,
    path: String,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(proc: &'a ProcDir, budget: &'a Budget) -> Self {
        Self { proc, budget, found: Found::default(), buffer: Vec::new(), path: String::new() }
    }

    /// Reads a process with its threads and descriptors.
    pub(super) fn process(&mut self, pid: i64) {
        if self.budget.is_over() || !self.budget.thread() {
            self.found.stats.left_out += 1;
            return;
        }
        let Ok((process, leader)) = self.open(pid) else {
            self.found.stats.vanished += 1;
            return;
        };
        self.found.stats.processes += 1;
        self.other_threads(&process, &leader);
        self.found.stats.threads += 1;
        self.found.threads.push(leader);
        let fds = self.descriptors(&process, pid);
        if !fds.is_empty() {
            self.found.fds.push((pid, fds));
        }
    }

    /// A process's directory, and its leader.
    pub(super) fn open(&mut self, pid: i64) -> io::Result<(ProcDir, Thread)> {
        let process = self.proc.below(DecInt::new(pid))?;
        let leader = self.leader(&process, pid)?;
        Ok((process, leader))
    }

    fn other_threads(&mut self, process: &ProcDir, leader: &Thread) {
        let Ok(tasks) = process.below("task") else { return };
        let tids = tasks.numbers(".", usize::MAX).unwrap_or_default();
        if tids.len() < 2 {
            return;
        }
        let shared = shared(leader);
        for tid in tids.into_iter().filter(|tid| *tid != leader.tid) {
            if !self.budget.thread() {
                self.found.stats.left_out += 1;
            } else if let Ok(thread) = self.thread_of(&tasks, &shared, tid) {
                self.found.stats.threads += 1;
                self.found.threads.push(thread);
            }
        }
    }

    /// A thread other than the leader, in its process's directory of threads or in `/proc` itself: what it has of its own
    /// is read, the rest is [`shared`].
    pub(super) fn thread_of(&mut self, tasks: &ProcDir, shared: &Thread, tid: i64) -> io::Result<Thread> {
        self.path.clear();
        // Writing into a text cannot fail.
        let _ = write!(self.path, "{tid}/status");
        tasks.record(self.path.as_str(), &mut self.buffer)?;
        let status = parse::status(&self.buffer).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Thread {
            tid,
            vtid: status.vtid,
            comm: status.name,
            uid: status.uid,
            gid: status.gid,
            cap_inheritable: status.cap_inheritable,
            cap_permitted: status.cap_permitted,
            cap_effective: status.cap_effective,
            ..shared.clone()
        })
    }

    /// How many of so many descriptors of one process may be read.
    pub(super) fn room_for(&self, fds: usize) -> usize {
        Budget::take(&self.budget.fds, fds.min(self.budget.fds_per_process))
    }

    /// A process's leader, in full.
    fn leader(&mut self, process: &ProcDir, pid: i64) -> io::Result<Thread> {
        process.record("status", &mut self.buffer)?;
        let status = parse::status(&self.buffer).ok_or(io::ErrorKind::InvalidData)?;
        if status.tgid != pid {
            return Err(io::ErrorKind::NotFound.into());
        }
        process.record("stat", &mut self.buffer)?;
        let stat = parse::stat(&self.buffer).ok_or(io::ErrorKind::InvalidData)?;
        let mut thread = Thread {
            tid: pid,
            pid,
            ptid: status.ppid,
            sid: stat.sid,
            pgid: stat.pgid,
            vpgid: if status.vpgid >= 0 { status.vpgid } else { stat.pgid },
            vtid: if status.vtid >= 0 { status.vtid } else { pid },
            vpid: if status.vpid >= 0 { status.vpid } else { pid },
            comm: status.name,
            uid: status.uid,
            gid: status.gid,
            vmsize_kb: status.vmsize_kb,
            vmrss_kb: status.vmrss_kb,
            vmswap_kb: status.vmswap_kb,
            pfmajor: stat.pfmajor,
            pfminor: stat.pfminor,
            tty: stat.tty,
            cap_inheritable: status.cap_inheritable,
            cap_permitted: status.cap_permitted,
            cap_effective: status.cap_effective,
            ..Thread::default()
        };
        self.texts(process, &mut thread);
        self.executable(process, &mut thread);
        Ok(thread)
    }

    fn texts(&mut self, process: &ProcDir, thread: &mut Thread) {
        if process.read_up_to("cmdline", MAX_LIST, &mut self.buffer).is_ok() {
            let end = self.buffer.iter().position(|b| *b == 0).unwrap_or(self.buffer.len());
            thread.exe = self.buffer[..end.min(MAX_PATH)].to_vec();
            thread.args = closed(self.buffer.get(end + 1..).unwrap_or_default());
        }
        if thread.exe.is_empty() {
            // Kernel threads have no arguments.
            thread.exe.clone_from(&thread.comm);
        }
        if process.read_up_to("environ", MAX_LIST, &mut self.buffer).is_ok() {
            thread.env = closed(&self.buffer);
        }
        if process.record("cgroup", &mut self.buffer).is_ok() {
            thread.cgroups = parse::cgroups(&self.buffer);
        }
        thread.fdlimit = match process.record("limits", &mut self.buffer) {
            Ok(()) => parse::fd_limit(&self.buffer),
            Err(_) => -1,
        };
        if process.record("loginuid", &mut self.buffer).is_ok() {
            thread.loginuid = parse::number(self.buffer.trim_ascii()).unwrap_or(u32::MAX);
        }
        thread.cwd = self.path(process, "cwd");
        thread.root = self.path(process, "root");
    }

    fn path(&mut self, process: &ProcDir, link: &str) -> Vec<u8> {
        let mut path = process.link(link, &mut self.buffer).unwrap_or_default();
        path.truncate(MAX_PATH);
        path
    }

    fn executable(&mut self, process: &ProcDir, thread: &mut Thread) {
        thread.exepath = self.path(process, "exe");
        thread.exe_from_memfd = thread.exepath.starts_with(b"/memfd:");
        let Ok(stat) = process.stat("exe") else { return };
        thread.exe_ino = stat.stx_ino;
        thread.exe_ino_ctime = nanoseconds(stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec);
        thread.exe_ino_mtime = nanoseconds(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec);
        thread.exe_writable = writable(&stat, thread.uid, thread.gid);
    }
}

/// What the threads of a process have in common, as a thread other than the leader has it.
pub(super) fn shared(leader: &Thread) -> Thread {
    Thread {
        flags: leader.flags | (PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES) as u32,
        vmsize_kb: 0,
        vmrss_kb: 0,
        vmswap_kb: 0,
        pfmajor: 0,
        pfminor: 0,
        env: Vec::new(),
        cwd: Vec::new(),
        ..leader.clone()
    }
}

/// Whether the mode lets that user write; supplementary groups are not known here.
fn writable(stat: &Statx, uid: u32, gid: u32) -> bool {
    let mode = stat.stx_mode;
    uid == 0
        || mode & 0o002 != 0
        || (mode & 0o200 != 0 && stat.stx_uid == uid)
        || (mode & 0o020 != 0 && stat.stx_gid == gid)
}

fn nanoseconds(seconds: i64, nanoseconds: u32) -> u64 {
    u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000_000_000).saturating_add(u64::from(nanoseconds))
}

/// A list with a NUL after each entry, the last one too.
fn closed(list: &[u8]) -> Vec<u8> {
    let mut list = list.to_vec();
    if list.last().is_some_and(|last| *last != 0) {
        if list.len() >= MAX_LIST {
            list.truncate(MAX_LIST - 1);
        }
        list.push(0);
    }
    list
}
