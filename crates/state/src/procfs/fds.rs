//! A process's descriptors.

use super::parse;
use super::process::Scanner;
use peregrine_capture::tables::{Fd, FdKind, FdType};
use peregrine_event::defines::*;
use rustix::fs::{FileType, OFlags, Statx};

/// Longest name that a capture holds, its NUL included.
const MAX_NAME: usize = 1023;

/// Kinds of anonymous inodes by the name that their link shows.
const ANONYMOUS: &[(&str, FdType)] = &[
    ("[eventfd]", FdType::Event),
    ("[eventpoll]", FdType::EventPoll),
    ("[signalfd]", FdType::SignalFd),
    ("[timerfd]", FdType::TimerFd),
    ("[userfaultfd]", FdType::UserfaultFd),
    ("[io_uring]", FdType::IoUring),
    ("[pidfd]", FdType::PidFd),
    ("inotify", FdType::Inotify),
    ("[inotify]", FdType::Inotify),
    ("bpf-map", FdType::Bpf),
    ("bpf-prog", FdType::Bpf),
    ("bpf_link", FdType::Bpf),
    ("[bpf-map]", FdType::Bpf),
    ("[bpf-prog]", FdType::Bpf),
    ("[bpf_link]", FdType::Bpf),
];

impl Scanner<'_> {
    /// The descriptors of a process, at most `most`, and how many were left out.
    pub(super) fn descriptors(&mut self, pid: i64, most: usize) -> (Vec<Fd>, usize) {
        let Ok(numbers) = self.proc.numbers(&format!("{pid}/fd"), usize::MAX) else { return (Vec::new(), 0) };
        let left_out = numbers.len().saturating_sub(most);
        let fds = numbers.into_iter().take(most).filter_map(|fd| self.descriptor(pid, fd)).collect();
        (fds, left_out)
    }

    fn descriptor(&mut self, pid: i64, fd: i64) -> Option<Fd> {
        let link = format!("{pid}/fd/{fd}");
        let mut name = self.proc.link(&link, &mut self.buffer).ok()?;
        name.truncate(MAX_NAME);
        if let Some(kind) = name.strip_prefix(b"anon_inode:") {
            return Some(Fd { fd, ino: 0, kind: self.anonymous(pid, fd, kind) });
        }
        if let Some(ino) = inode(&name, b"socket:[") {
            return Some(Fd { fd, ino, kind: self.sockets.find(self.proc, pid, ino) });
        }
        if let Some(ino) = inode(&name, b"pipe:[") {
            return Some(Fd { fd, ino, kind: FdKind::Named(FdType::Fifo, name) });
        }
        let stat = self.proc.stat(&link).ok()?;
        Some(Fd { fd, ino: stat.stx_ino, kind: self.file(pid, fd, name, &stat) })
    }

    fn anonymous(&mut self, pid: i64, fd: i64, kind: &[u8]) -> FdKind {
        let ty = ANONYMOUS.iter().find(|(name, _)| name.as_bytes() == kind).map(|(_, ty)| *ty);
        let mut name = Vec::new();
        if ty == Some(FdType::PidFd) && self.fdinfo(pid, fd) {
            name = format!("/proc/{}", parse::pidfd_pid(&self.buffer)).into_bytes();
        }
        match ty {
            Some(ty) => FdKind::Named(ty, name),
            None => FdKind::Named(FdType::Unsupported, kind.to_vec()),
        }
    }

    fn file(&mut self, pid: i64, fd: i64, mut name: Vec<u8>, stat: &Statx) -> FdKind {
        match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
            FileType::Directory => FdKind::Named(FdType::Directory, name),
            FileType::Fifo => FdKind::Named(FdType::Fifo, name),
            _ if name.starts_with(b"/memfd:") => {
                let end = name.strip_suffix(b" (deleted)").unwrap_or(&name);
                FdKind::Named(FdType::MemFd, end[b"/memfd:".len()..].to_vec())
            }
            _ => {
                let flags = if self.fdinfo(pid, fd) { parse::fd_flags(&self.buffer) } else { None };
                if let Some(rest) = name.strip_suffix(b" (deleted)") {
                    name.truncate(rest.len());
                }
                let dev = Some(encode_dev(stat.stx_dev_major, stat.stx_dev_minor));
                FdKind::File { open_flags: open_flags(flags.unwrap_or(0)), name, dev }
            }
        }
    }

    fn fdinfo(&mut self, pid: i64, fd: i64) -> bool {
        self.proc.record(&format!("{pid}/fdinfo/{fd}"), &mut self.buffer).is_ok()
    }
}

fn inode(name: &[u8], prefix: &[u8]) -> Option<u64> {
    parse::number(name.strip_prefix(prefix)?.strip_suffix(b"]")?)
}

/// A device number as `fd.dev` shows it.
fn encode_dev(major: u32, minor: u32) -> u32 {
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}

/// Linux's open flags as the schema's.
pub(super) fn open_flags(flags: u32) -> u32 {
    let map: &[(OFlags, i64)] = &[
        (OFlags::CREATE, PPM_O_CREAT),
        (OFlags::APPEND, PPM_O_APPEND),
        (OFlags::DSYNC, PPM_O_DSYNC),
        (OFlags::EXCL, PPM_O_EXCL),
        (OFlags::NONBLOCK, PPM_O_NONBLOCK),
        (OFlags::SYNC, PPM_O_SYNC),
        (OFlags::TRUNC, PPM_O_TRUNC),
        (OFlags::DIRECT, PPM_O_DIRECT),
        (OFlags::DIRECTORY, PPM_O_DIRECTORY),
        (OFlags::LARGEFILE, PPM_O_LARGEFILE),
        (OFlags::CLOEXEC, PPM_O_CLOEXEC),
        (OFlags::TMPFILE, PPM_O_TMPFILE),
    ];
    let access = match flags & 3 {
        0 => PPM_O_RDONLY,
        1 => PPM_O_WRONLY,
        _ => PPM_O_RDWR,
    };
    let has = |bits: OFlags| bits.bits() != 0 && flags & bits.bits() == bits.bits();
    map.iter().filter(|(bits, _)| has(*bits)).fold(access, |all, (_, bit)| all | bit) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_devices() {
        assert_eq!(open_flags(0), PPM_O_RDONLY as u32);
        let flags = (OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC).bits();
        assert_eq!(i64::from(open_flags(flags)), PPM_O_RDWR | PPM_O_CREAT | PPM_O_CLOEXEC);
        assert_eq!(encode_dev(8, 1), 0x801);
        assert_eq!(encode_dev(0, 0x12d), 0x10002d);
        assert_eq!(inode(b"socket:[123]", b"socket:["), Some(123));
        assert_eq!(inode(b"socket:[x]", b"socket:["), None);
    }
}
