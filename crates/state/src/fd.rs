//! One descriptor, and a process's table of them.

pub use peregrine_capture::tables::FdType;
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

/// What is known of one descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FdInfo {
    /// What it refers to (`FileV2` is stored as `File`).
    pub ty: FdType,
    /// `fd.name`.
    pub name: Vec<u8>,
    /// The path as passed; empty for descriptors made otherwise.
    pub nameraw: Vec<u8>,
    /// Name before the current event, when this event changed it.
    pub oldname: Option<Vec<u8>>,
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
}

/// Descriptors of one process, by number.
#[derive(Debug, Clone, Default)]
pub struct FdTable {
    fds: Vec<(i64, FdInfo)>,
}

impl FdTable {
    /// The descriptor of that number.
    pub fn get(&self, fd: i64) -> Option<&FdInfo> {
        self.fds.iter().find(|(n, _)| *n == fd).map(|(_, info)| info)
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.fds.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.fds.is_empty()
    }

    /// All of them, in table order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &FdInfo)> {
        self.fds.iter().map(|(n, info)| (*n, info))
    }
}
