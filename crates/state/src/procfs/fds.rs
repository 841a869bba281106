//! A process's descriptors.

use super::parse;
use super::process::Scanner;
use super::reader::ProcDir;
use peregrine_capture::tables::{Fd, FdKind, FdType};
use peregrine_event::defines::*;
use rustix::fs::{FileType, OFlags, Statx};
use rustix::path::DecInt;

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

/// How much of an `fdinfo` is read: what counts stands at its beginning, and some go on for long.
const MAX_INFO: usize = 512;

/// What stands in place of a socket's addresses until they are looked up.
pub(super) const SOCKET: &[u8] = b"socket:[";

impl Scanner<'_> {
    /// The descriptors of a process, as many as there is room for. Sockets are told by their inode alone.
    pub(super) fn descriptors(&mut self, process: &ProcDir, pid: i64) -> Vec<Fd> {
        let numbers = process.numbers("fd", usize::MAX).unwrap_or_default();
        let room = self.room_for(numbers.len());
        self.found.stats.left_out += numbers.len() - room;
        let fds = self.chosen(process, pid, &numbers[..room]);
        self.found.stats.fds += fds.len();
        fds
    }

    /// Descriptors of these numbers, as far as they are open.
    pub(super) fn chosen(&mut self, process: &ProcDir, pid: i64, numbers: &[i64]) -> Vec<Fd> {
        let (Ok(links), Ok(infos)) = (process.below("fd"), process.below("fdinfo")) else { return Vec::new() };
        let fds: Vec<Fd> = numbers.iter().filter_map(|fd| self.descriptor(&links, &infos, *fd)).collect();
        if fds.iter().any(|fd| pending_socket(fd).is_some())
            && let Ok(link) = process.link("ns/net", &mut self.buffer)
        {
            self.found.namespaces.push((pid, inode(&link, b"net:[").unwrap_or(0)));
        }
        fds
    }

    fn descriptor(&mut self, links: &ProcDir, infos: &ProcDir, fd: i64) -> Option<Fd> {
        let mut name = links.link(DecInt::new(fd), &mut self.buffer).ok()?;
        name.truncate(MAX_NAME);
        if infos.head(DecInt::new(fd), MAX_INFO, &mut self.buffer).is_err() {
            self.buffer.clear();
        }
        let flags = open_flags(parse::fd_flags(&self.buffer).unwrap_or(0));
        let cloexec = i64::from(flags) & PPM_O_CLOEXEC != 0;
        if let Some(kind) = name.strip_prefix(b"anon_inode:") {
            return Some(Fd { fd, ino: 0, kind: self.anonymous(kind), cloexec });
        }
        if let Some(ino) = inode(&name, SOCKET) {
            return Some(Fd { fd, ino, kind: FdKind::Named(FdType::Unsupported, name), cloexec });
        }
        if let Some(ino) = inode(&name, b"pipe:[") {
            return Some(Fd { fd, ino, kind: FdKind::Named(FdType::Fifo, name), cloexec });
        }
        let stat = links.stat(DecInt::new(fd)).ok()?;
        Some(Fd { fd, ino: stat.stx_ino, kind: file(name, flags, &stat), cloexec })
    }

    /// Of a descriptor whose `fdinfo` is in the buffer.
    fn anonymous(&self, kind: &[u8]) -> FdKind {
        match ANONYMOUS.iter().find(|(name, _)| name.as_bytes() == kind) {
            Some((_, FdType::PidFd)) => {
                let name = format!("/proc/{}", parse::pidfd_pid(&self.buffer));
                FdKind::Named(FdType::PidFd, name.into_bytes())
            }
            Some((_, ty)) => FdKind::Named(*ty, Vec::new()),
            None => FdKind::Named(FdType::Unsupported, kind.to_vec()),
        }
    }
}

/// The inode of a socket whose addresses are still to be looked up.
pub(super) fn pending_socket(fd: &Fd) -> Option<u64> {
    match &fd.kind {
        FdKind::Named(FdType::Unsupported, name) => inode(name, SOCKET),
        _ => None,
    }
}

fn file(mut name: Vec<u8>, open_flags: u32, stat: &Statx) -> FdKind {
    match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
        FileType::Directory => FdKind::Named(FdType::Directory, name),
        FileType::Fifo => FdKind::Named(FdType::Fifo, name),
        _ if name.starts_with(b"/memfd:") => {
            let end = name.strip_suffix(b" (deleted)").unwrap_or(&name);
            FdKind::Named(FdType::MemFd, end[b"/memfd:".len()..].to_vec())
        }
        _ => {
            if let Some(rest) = name.strip_suffix(b" (deleted)") {
                name.truncate(rest.len());
            }
            let dev = Some(encode_dev(stat.stx_dev_major, stat.stx_dev_minor));
            FdKind::File { open_flags, name, dev }
        }
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
