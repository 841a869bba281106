//! Reading processes and threads.

use super::reader::ProcDir;
use super::sockets::Sockets;
use super::{Bounds, Stats, parse};
use peregrine_capture::tables::{Fd, Thread};
use peregrine_event::defines::{PPM_CL_CLONE_FILES, PPM_CL_CLONE_THREAD};
use rustix::fs::Statx;
use std::io;

/// Longest path, and longest list of arguments or environment, that a capture holds.
const MAX_PATH: usize = 1024;
const MAX_LIST: usize = 4096;

/// Reads processes one after the other.
pub(super) struct Scanner<'a> {
    pub(super) proc: &'a ProcDir,
    bounds: Bounds,
    pub(super) threads: Vec<Thread>,
    pub(super) fds: Vec<(i64, Vec<Fd>)>,
    pub(super) stats: Stats,
    pub(super) sockets: Sockets,
    pub(super) buffer: Vec<u8>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(proc: &'a ProcDir, bounds: Bounds) -> Self {
        Self {
            proc,
            bounds,
            threads: Vec::new(),
            fds: Vec::new(),
            stats: Stats::default(),
            sockets: Sockets::default(),
            buffer: Vec::new(),
        }
    }

    /// Reads a process with its threads and descriptors.
    pub(super) fn process(&mut self, pid: i64) {
        if self.threads.len() >= self.bounds.threads {
            self.stats.left_out += 1;
            return;
        }
        let Ok(leader) = self.leader(pid) else {
            self.stats.vanished += 1;
            return;
        };
        self.stats.processes += 1;
        self.other_threads(&leader);
        self.stats.threads += 1;
        self.threads.push(leader);
        let room = self.bounds.fds.saturating_sub(self.stats.fds).min(self.bounds.fds_per_process);
        let (fds, left_out) = self.descriptors(pid, room);
        self.stats.fds += fds.len();
        self.stats.left_out += left_out;
        self.stats.net_namespaces = self.sockets.namespaces();
        if !fds.is_empty() {
            self.fds.push((pid, fds));
        }
    }

    fn other_threads(&mut self, leader: &Thread) {
        let room = self.bounds.threads - self.threads.len();
        let Ok(tasks) = self.proc.below(&format!("{}/task", leader.tid)) else { return };
        for tid in tasks.numbers(".", room + 1).unwrap_or_default() {
            if tid == leader.tid {
                continue;
            }
            if self.threads.len() + 1 >= self.bounds.threads {
                self.stats.left_out += 1;
                continue;
            }
            if let Ok(thread) = self.thread_of(&tasks, leader, tid) {
                self.stats.threads += 1;
                self.threads.push(thread);
            }
        }
    }

    /// A thread other than the leader, in its process's directory of threads or in `/proc` itself: what it has of its own
    /// is read, the rest is the leader's.
    pub(super) fn thread_of(&mut self, tasks: &ProcDir, leader: &Thread, tid: i64) -> io::Result<Thread> {
        let status = self.status(tasks, &format!("{tid}/status"))?;
        Ok(Thread {
            tid,
            vtid: status.vtid,
            comm: status.name,
            uid: status.uid,
            gid: status.gid,
            cap_inheritable: status.cap_inheritable,
            cap_permitted: status.cap_permitted,
            cap_effective: status.cap_effective,
            flags: leader.flags | (PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES) as u32,
            vmsize_kb: 0,
            vmrss_kb: 0,
            vmswap_kb: 0,
            pfmajor: 0,
            pfminor: 0,
            env: Vec::new(),
            cwd: Vec::new(),
            ..leader.clone()
        })
    }

    /// A process's leader, in full.
    pub(super) fn leader(&mut self, pid: i64) -> io::Result<Thread> {
        let status = self.status(self.proc, &format!("{pid}/status"))?;
        if status.tgid != pid {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.proc.record(&format!("{pid}/stat"), &mut self.buffer)?;
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
        self.texts(pid, &mut thread);
        self.executable(pid, &mut thread);
        Ok(thread)
    }

    fn status(&mut self, dir: &ProcDir, path: &str) -> io::Result<parse::Status> {
        dir.record(path, &mut self.buffer)?;
        parse::status(&self.buffer).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn texts(&mut self, pid: i64, thread: &mut Thread) {
        if self.proc.read_up_to(&format!("{pid}/cmdline"), MAX_LIST, &mut self.buffer).is_ok() {
            let end = self.buffer.iter().position(|b| *b == 0).unwrap_or(self.buffer.len());
            thread.exe = self.buffer[..end.min(MAX_PATH)].to_vec();
            thread.args = closed(self.buffer.get(end + 1..).unwrap_or_default());
        }
        if thread.exe.is_empty() {
            // Kernel threads have no arguments.
            thread.exe.clone_from(&thread.comm);
        }
        if self.proc.read_up_to(&format!("{pid}/environ"), MAX_LIST, &mut self.buffer).is_ok() {
            thread.env = closed(&self.buffer);
        }
        if self.proc.record(&format!("{pid}/cgroup"), &mut self.buffer).is_ok() {
            thread.cgroups = parse::cgroups(&self.buffer);
        }
        thread.fdlimit = match self.proc.record(&format!("{pid}/limits"), &mut self.buffer) {
            Ok(()) => parse::fd_limit(&self.buffer),
            Err(_) => -1,
        };
        if self.proc.record(&format!("{pid}/loginuid"), &mut self.buffer).is_ok() {
            thread.loginuid = parse::number(self.buffer.trim_ascii()).unwrap_or(u32::MAX);
        }
        thread.cwd = self.path(&format!("{pid}/cwd"));
        thread.root = self.path(&format!("{pid}/root"));
    }

    fn path(&mut self, link: &str) -> Vec<u8> {
        let mut path = self.proc.link(link, &mut self.buffer).unwrap_or_default();
        path.truncate(MAX_PATH);
        path
    }

    fn executable(&mut self, pid: i64, thread: &mut Thread) {
        let link = format!("{pid}/exe");
        thread.exepath = self.path(&link);
        thread.exe_from_memfd = thread.exepath.starts_with(b"/memfd:");
        let Ok(stat) = self.proc.stat(&link) else { return };
        thread.exe_ino = stat.stx_ino;
        thread.exe_ino_ctime = nanoseconds(stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec);
        thread.exe_ino_mtime = nanoseconds(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec);
        thread.exe_writable = writable(&stat, thread.uid, thread.gid);
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
