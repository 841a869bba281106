//! The world before the first event, as a capture's head or a `/proc` snapshot describes it.

use std::net::IpAddr;

/// Everything that is known before the first event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tables {
    /// The machine, if the source says.
    pub machine: Option<Machine>,
    /// Network interfaces.
    pub interfaces: Vec<Interface>,
    /// Users of the host.
    pub users: Vec<User>,
    /// Groups of the host.
    pub groups: Vec<Group>,
    /// Threads; parents need not be among them.
    pub threads: Vec<Thread>,
    /// Open descriptors by thread id.
    pub fds: Vec<(i64, Vec<Fd>)>,
}

/// Machine information.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// Number of CPUs.
    pub num_cpus: u32,
    /// Memory in bytes.
    pub memory_size_bytes: u64,
    /// Largest process id.
    pub max_pid: u64,
    /// Host name, at most 127 bytes.
    pub hostname: Vec<u8>,
    /// Boot time, nanoseconds since the epoch.
    pub boot_ts_epoch: u64,
    /// Flags and reserved words, kept for rewriting.
    pub flags: [u64; 3],
}

/// A network interface's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Interface name.
    pub name: Vec<u8>,
    /// Its address.
    pub addr: IpAddr,
    /// Its network mask.
    pub netmask: IpAddr,
    /// Its broadcast address.
    pub bcast: IpAddr,
    /// Link speed, if the format has it.
    pub linkspeed: Option<u64>,
}

/// A user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Name.
    pub name: Vec<u8>,
    /// Home directory.
    pub homedir: Vec<u8>,
    /// Login shell.
    pub shell: Vec<u8>,
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Group id.
    pub gid: u32,
    /// Name.
    pub name: Vec<u8>,
}

/// A thread.
#[allow(missing_docs)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    pub tid: i64,
    pub pid: i64,
    pub ptid: i64,
    pub sid: i64,
    pub vpgid: i64,
    pub comm: Vec<u8>,
    pub exe: Vec<u8>,
    pub exepath: Vec<u8>,
    /// Arguments without argv[0], each followed by a NUL.
    pub args: Vec<u8>,
    pub cwd: Vec<u8>,
    pub fdlimit: i64,
    pub flags: u32,
    pub uid: u32,
    pub gid: u32,
    pub vmsize_kb: u32,
    pub vmrss_kb: u32,
    pub vmswap_kb: u32,
    pub pfmajor: u64,
    pub pfminor: u64,
    /// Environment, each entry followed by a NUL.
    pub env: Vec<u8>,
    pub vtid: i64,
    pub vpid: i64,
    pub pgid: i64,
    /// `subsys=path` entries, each followed by a NUL.
    pub cgroups: Vec<u8>,
    pub root: Vec<u8>,
    pub pidns_init_start_ts: u64,
    pub tty: u32,
    pub loginuid: u32,
    pub exe_writable: bool,
    pub cap_inheritable: u64,
    pub cap_permitted: u64,
    pub cap_effective: u64,
    pub exe_upper_layer: bool,
    pub exe_lower_layer: bool,
    pub exe_from_memfd: bool,
    pub exe_ino: u64,
    pub exe_ino_ctime: u64,
    pub exe_ino_mtime: u64,
}

impl Default for Thread {
    /// Absent values as the format defines them: -1 for ids of namespaces, sessions and groups, all ones for the
    /// login uid, otherwise 0 or empty.
    fn default() -> Self {
        Self {
            tid: 0,
            pid: 0,
            ptid: 0,
            sid: -1,
            vpgid: -1,
            comm: Vec::new(),
            exe: Vec::new(),
            exepath: Vec::new(),
            args: Vec::new(),
            cwd: Vec::new(),
            fdlimit: 0,
            flags: 0,
            uid: 0,
            gid: 0,
            vmsize_kb: 0,
            vmrss_kb: 0,
            vmswap_kb: 0,
            pfmajor: 0,
            pfminor: 0,
            env: Vec::new(),
            vtid: -1,
            vpid: -1,
            pgid: -1,
            cgroups: Vec::new(),
            root: Vec::new(),
            pidns_init_start_ts: 0,
            tty: 0,
            loginuid: u32::MAX,
            exe_writable: false,
            cap_inheritable: 0,
            cap_permitted: 0,
            cap_effective: 0,
            exe_upper_layer: false,
            exe_lower_layer: false,
            exe_from_memfd: false,
            exe_ino: 0,
            exe_ino_ctime: 0,
            exe_ino_mtime: 0,
        }
    }
}

/// An open descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fd {
    /// Its number.
    pub fd: i64,
    /// Inode, 0 if unknown.
    pub ino: u64,
    /// What it refers to.
    pub kind: FdKind,
    /// Whether it closes on exec. Known of a live system only: captures hold it in the open flags of files and for
    /// nothing else.
    pub cloexec: bool,
}

/// What a descriptor refers to. The numbers in the documentation are the format's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FdKind {
    /// A kind with nothing but a name: directory 2, fifo 7, event 9, unsupported 10, signalfd 11, eventpoll 12,
    /// inotify 13, timerfd 14, netlink 15, bpf 17, userfaultfd 18, io_uring 19, memfd 20, pidfd 21, and file 1.
    Named(FdType, Vec<u8>),
    /// A file with open flags and, if known, its device (16).
    File {
        /// `PPM_O_*` bits.
        open_flags: u32,
        /// Path.
        name: Vec<u8>,
        /// Device, absent in old files.
        dev: Option<u32>,
    },
    /// A connected or plain inet socket (3, 4).
    Inet {
        /// Source address.
        sip: IpAddr,
        /// Destination address, of the same family.
        dip: IpAddr,
        /// Source port.
        sport: u16,
        /// Destination port.
        dport: u16,
        /// 0 unknown, 1 not applicable, 2 tcp, 3 udp, 4 icmp, 5 raw.
        l4proto: u8,
    },
    /// A bound inet socket (5, 6).
    InetServer {
        /// Address.
        ip: IpAddr,
        /// Port.
        port: u16,
        /// As above.
        l4proto: u8,
    },
    /// A unix socket (8).
    Unix {
        /// Kernel pointer of this end.
        source: u64,
        /// Kernel pointer of the other end.
        dest: u64,
        /// Path.
        name: Vec<u8>,
    },
}

/// Type of a descriptor; the numbers are the format's.
#[allow(missing_docs)]
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FdType {
    Unknown = 0,
    File = 1,
    Directory = 2,
    Ipv4Sock = 3,
    Ipv6Sock = 4,
    Ipv4ServSock = 5,
    Ipv6ServSock = 6,
    Fifo = 7,
    UnixSock = 8,
    Event = 9,
    Unsupported = 10,
    SignalFd = 11,
    EventPoll = 12,
    Inotify = 13,
    TimerFd = 14,
    Netlink = 15,
    FileV2 = 16,
    Bpf = 17,
    UserfaultFd = 18,
    IoUring = 19,
    MemFd = 20,
    PidFd = 21,
}

impl FdType {
    /// Every type, in the order of its number.
    pub const ALL: [FdType; 22] = {
        use FdType::*;
        [
            Unknown,
            File,
            Directory,
            Ipv4Sock,
            Ipv6Sock,
            Ipv4ServSock,
            Ipv6ServSock,
            Fifo,
            UnixSock,
            Event,
            Unsupported,
            SignalFd,
            EventPoll,
            Inotify,
            TimerFd,
            Netlink,
            FileV2,
            Bpf,
            UserfaultFd,
            IoUring,
            MemFd,
            PidFd,
        ]
    };

    /// The type of that number, if the format has it.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}
