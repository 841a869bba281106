//! One descriptor, and a process's table of them.

use crate::sockbytes::SockBytes;
pub use peregrine_capture::tables::FdType;
use peregrine_event::defines::{PPM_EPOLL_CLOEXEC, PPM_MFD_CLOEXEC, PPM_O_CLOEXEC};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The end that a socket plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Not known.
    #[default]
    None,
    /// It connected, or sent first.
    Client,
    /// It is bound and accepts, or received first.
    Server,
}

/// Addresses of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SockName {
    /// Not a socket, or nothing known.
    #[default]
    None,
    /// Source and destination; for a server socket only `sip` and `sport` count.
    Inet {
        /// Source address.
        sip: IpAddr,
        /// Source port.
        sport: u16,
        /// Destination address.
        dip: IpAddr,
        /// Destination port.
        dport: u16,
    },
    /// Kernel pointers of both ends of a unix socket.
    Unix {
        /// This end.
        source: u64,
        /// The other end.
        dest: u64,
    },
}

/// Transport protocols as [`FdInfo::l4proto`] numbers them.
#[allow(missing_docs)]
pub mod l4 {
    pub const UNKNOWN: u8 = 0;
    pub const NOT_APPLICABLE: u8 = 1;
    pub const TCP: u8 = 2;
    pub const UDP: u8 = 3;
    pub const ICMP: u8 = 4;
    pub const RAW: u8 = 5;
}

/// What is known of one descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FdInfo {
    /// What it refers to (`FileV2` is stored as `File`).
    pub ty: FdType,
    /// Whether `ty` was ever set: a failed `memfd_create` leaves an entry without a type (type character `?`).
    pub typed: bool,
    /// `fd.name`.
    pub name: Vec<u8>,
    /// The path as passed; empty for descriptors made otherwise.
    pub nameraw: Vec<u8>,
    /// `PPM_O_*` bits.
    pub open_flags: u32,
    /// Device, kernel's new encoding; 0 unknown.
    pub dev: u32,
    /// Inode; 0 unknown.
    pub ino: u64,
    /// 0 unknown, 1 not applicable, 2 tcp, 3 udp, 4 icmp, 5 raw.
    pub l4proto: u8,
    /// Addresses.
    pub sock: SockName,
    /// Client or server.
    pub role: Role,
    /// Whether it is connected.
    pub connected: bool,
    /// Close on exec.
    pub cloexec: bool,
    /// Upper overlay layer.
    pub upper_layer: bool,
    /// Lower overlay layer.
    pub lower_layer: bool,
    /// `/proc/PID` target of a pidfd; 0 otherwise.
    pub pidfd_pid: i64,
    pub(crate) raw: SockBytes,
}

impl Default for FdInfo {
    fn default() -> Self {
        Self {
            ty: FdType::Unknown,
            typed: false,
            name: Vec::new(),
            nameraw: Vec::new(),
            open_flags: 0,
            dev: 0,
            ino: 0,
            l4proto: l4::UNKNOWN,
            sock: SockName::None,
            role: Role::None,
            connected: false,
            cloexec: false,
            upper_layer: false,
            lower_layer: false,
            pidfd_pid: 0,
            raw: SockBytes::default(),
        }
    }
}

impl FdInfo {
    /// Whether it is a TCP socket over IPv4, the one kind whose name sends and receives leave alone.
    pub(crate) fn is_tcp4(&self) -> bool {
        self.ty == FdType::Ipv4Sock && self.l4proto == l4::TCP
    }

    /// Whether it is a connected or plain inet socket, not a server socket.
    pub fn is_inet_sock(&self) -> bool {
        matches!(self.ty, FdType::Ipv4Sock | FdType::Ipv6Sock)
    }

    /// Sets type and open flags, and what follows from both.
    pub(crate) fn set_kind(&mut self, ty: FdType, open_flags: u32) {
        self.ty = ty;
        self.typed = true;
        self.open_flags = open_flags;
        let flags = i64::from(open_flags);
        self.cloexec = flags & PPM_O_CLOEXEC != 0
            || (ty == FdType::EventPoll && flags & PPM_EPOLL_CLOEXEC != 0)
            || (ty == FdType::MemFd && flags & PPM_MFD_CLOEXEC != 0);
    }

    /// Sets or clears close-on-exec, in the open flags too.
    pub(crate) fn set_cloexec(&mut self, on: bool) {
        let bit = PPM_O_CLOEXEC as u32;
        self.cloexec = on;
        self.open_flags = if on { self.open_flags | bit } else { self.open_flags & !bit };
    }

    /// Derives the public view of the addresses after `ty` or `raw` changed.
    pub(crate) fn sync_sock(&mut self) {
        self.sock = self.raw.view(self.ty);
        self.l4proto = self.raw.proto(self.ty);
    }

    /// Becomes a copy of another, keeping the buffers.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        let (mut name, mut nameraw) = (std::mem::take(&mut self.name), std::mem::take(&mut self.nameraw));
        name.clear();
        name.extend_from_slice(&other.name);
        nameraw.clear();
        nameraw.extend_from_slice(&other.nameraw);
        *self = Self { name, nameraw, ..*other };
    }

    /// Becomes blank, keeping the buffers.
    pub(crate) fn reset(&mut self) {
        let (mut name, mut nameraw) = (std::mem::take(&mut self.name), std::mem::take(&mut self.nameraw));
        name.clear();
        nameraw.clear();
        *self = Self { name, nameraw, ..Self::default() };
    }
}

/// Numbers below this are indexed directly, the others through a map.
const DIRECT: i64 = 1024;

/// Descriptors of one process, by number.
#[derive(Debug, Clone, Default)]
pub struct FdTable {
    low: Vec<Option<Box<FdInfo>>>,
    high: BTreeMap<i64, Box<FdInfo>>,
    len: usize,
}

impl FdTable {
    /// The descriptor of that number.
    pub fn get(&self, fd: i64) -> Option<&FdInfo> {
        match usize::try_from(fd) {
            Ok(index) if fd < DIRECT => self.low.get(index)?.as_deref(),
            _ => self.high.get(&fd).map(|info| &**info),
        }
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of them, by ascending number (a failed `memfd_create`'s negative one comes after the small ones).
    pub fn iter(&self) -> impl Iterator<Item = (i64, &FdInfo)> {
        let low = self.low.iter().enumerate().filter_map(|(n, info)| Some((n as i64, info.as_deref()?)));
        low.chain(self.high.iter().map(|(n, info)| (*n, &**info)))
    }

    /// Forgets all, keeping the buffer.
    pub(crate) fn clear(&mut self) {
        self.low.clear();
        self.high.clear();
        self.len = 0;
    }

    /// Bytes of the buffer.
    pub(crate) fn buffer(&self) -> usize {
        self.low.capacity() * size_of::<Option<Box<FdInfo>>>()
    }

    pub(crate) fn get_mut(&mut self, fd: i64) -> Option<&mut FdInfo> {
        match usize::try_from(fd) {
            Ok(index) if fd < DIRECT => self.low.get_mut(index)?.as_deref_mut(),
            _ => self.high.get_mut(&fd).map(|info| &mut **info),
        }
    }

    /// Puts a descriptor in and gives back the one that it replaces.
    pub(crate) fn insert(&mut self, fd: i64, info: Box<FdInfo>) -> Option<Box<FdInfo>> {
        let old = match usize::try_from(fd) {
            Ok(index) if fd < DIRECT => {
                if self.low.len() <= index {
                    self.low.resize_with(index + 1, || None);
                }
                self.low[index].replace(info)
            }
            _ => self.high.insert(fd, info),
        };
        self.len += usize::from(old.is_none());
        old
    }

    pub(crate) fn remove(&mut self, fd: i64) -> Option<Box<FdInfo>> {
        let old = match usize::try_from(fd) {
            Ok(index) if fd < DIRECT => self.low.get_mut(index)?.take(),
            _ => self.high.remove(&fd),
        };
        self.len -= usize::from(old.is_some());
        old
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = (i64, &mut FdInfo)> {
        let low = self.low.iter_mut().enumerate().filter_map(|(n, info)| Some((n as i64, info.as_deref_mut()?)));
        low.chain(self.high.iter_mut().map(|(n, info)| (*n, &mut **info)))
    }

    /// Removes the descriptors that `gone` chooses and hands each to `sink`.
    pub(crate) fn drain_if(&mut self, gone: impl Fn(i64, &FdInfo) -> bool, mut sink: impl FnMut(Box<FdInfo>)) {
        for (n, entry) in self.low.iter_mut().enumerate() {
            if entry.as_deref().is_some_and(|info| gone(n as i64, info)) {
                self.len -= 1;
                entry.take().map(&mut sink);
            }
        }
        let doomed: Vec<i64> = self.high.iter().filter(|(n, info)| gone(**n, info)).map(|(n, _)| *n).collect();
        for fd in doomed {
            self.remove(fd).map(&mut sink);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &[u8]) -> Box<FdInfo> {
        Box::new(FdInfo { name: name.to_vec(), ..FdInfo::default() })
    }

    #[test]
    fn small_large_and_negative_numbers() {
        let mut table = FdTable::default();
        for fd in [3, 70_000, -22, 1023, 1024, i64::MAX] {
            assert!(table.insert(fd, named(b"x")).is_none());
        }
        assert_eq!(table.len(), 6);
        assert_eq!(table.insert(3, named(b"y")).unwrap().name, b"x");
        assert_eq!(table.get(3).unwrap().name, b"y");
        assert_eq!(table.iter().map(|(n, _)| n).collect::<Vec<_>>(), [3, 1023, -22, 1024, 70_000, i64::MAX]);
        assert!(table.remove(-22).is_some() && table.remove(-22).is_none() && table.remove(4).is_none());
        let mut gone = 0;
        table.drain_if(|fd, _| fd >= 1023, |_| gone += 1);
        assert_eq!((gone, table.len()), (4, 1));
    }

    #[test]
    fn copies_keep_buffers() {
        let mut from = named(b"/etc/passwd");
        from.set_kind(FdType::File, PPM_O_CLOEXEC as u32);
        let mut to = named(&[b'x'; 100]);
        let buffer = to.name.as_ptr();
        to.copy_from(&from);
        assert_eq!(to, from);
        assert_eq!(to.name.as_ptr(), buffer);
        to.reset();
        assert_eq!((*to).clone(), FdInfo::default());
        assert_eq!(to.name.as_ptr(), buffer);
    }
}
