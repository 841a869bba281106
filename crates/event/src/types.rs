//! Parameter types, print formats, categories and flags of events.

use crate::flags::Flag;

/// Type of a parameter or of a field (`PT_*`); the numbers are the schema's.
#[allow(missing_docs)]
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ParamType {
    None = 0,
    Int8 = 1,
    Int16 = 2,
    Int32 = 3,
    Int64 = 4,
    Uint8 = 5,
    Uint16 = 6,
    Uint32 = 7,
    Uint64 = 8,
    Charbuf = 9,
    Bytebuf = 10,
    Errno = 11,
    Sockaddr = 12,
    Socktuple = 13,
    Fd = 14,
    Pid = 15,
    Fdlist = 16,
    Fspath = 17,
    Syscallid = 18,
    Sigtype = 19,
    Reltime = 20,
    Abstime = 21,
    Port = 22,
    L4proto = 23,
    Sockfamily = 24,
    Bool = 25,
    Ipv4addr = 26,
    Dyn = 27,
    Flags8 = 28,
    Flags16 = 29,
    Flags32 = 30,
    Uid = 31,
    Gid = 32,
    Double = 33,
    Sigset = 34,
    Charbufarray = 35,
    CharbufPairArray = 36,
    Ipv4net = 37,
    Ipv6addr = 38,
    Ipv6net = 39,
    Ipaddr = 40,
    Ipnet = 41,
    Mode = 42,
    Fsrelpath = 43,
    Enumflags8 = 44,
    Enumflags16 = 45,
    Enumflags32 = 46,
    Fd32 = 47,
    Pid32 = 48,
}

impl ParamType {
    /// Exact size in bytes of a present parameter, or `None` where the size varies. A length of 0 means "no value"
    /// for every type.
    pub const fn fixed_size(self) -> Option<usize> {
        use ParamType::*;
        Some(match self {
            Int8 | Uint8 | Sigtype | L4proto | Sockfamily | Flags8 | Enumflags8 => 1,
            Int16 | Uint16 | Syscallid | Port | Flags16 | Enumflags16 => 2,
            Int32 | Uint32 | Bool | Ipv4addr | Flags32 | Uid | Gid | Sigset | Mode | Enumflags32 | Fd32 | Pid32 => 4,
            Int64 | Uint64 | Errno | Fd | Pid | Reltime | Abstime | Double => 8,
            Ipv6addr => 16,
            _ => return Option::None,
        })
    }
}

/// How a number is printed (`PF_*`).
#[allow(missing_docs)]
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrintFormat {
    Na = 0,
    Dec = 1,
    Hex = 2,
    PaddedDec = 3,
    Id = 4,
    Dir = 5,
    Oct = 6,
}

/// One of the types that a dynamic parameter's first byte chooses from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DynType {
    /// Type of the bytes that follow.
    pub ty: ParamType,
    /// How they are printed.
    pub fmt: PrintFormat,
}

/// What else a parameter needs to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// Nothing.
    None,
    /// The names of its bits or values.
    Flags(&'static [Flag]),
    /// A relative path: the index of the parameter with the directory's descriptor.
    DirFd(u8),
    /// A dynamic type: the types its first byte chooses from.
    Dynamic(&'static [DynType]),
}

/// One parameter of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamInfo {
    /// Its name, as in `evt.arg.NAME`.
    pub name: &'static str,
    /// Its type.
    pub ty: ParamType,
    /// How it is printed.
    pub fmt: PrintFormat,
    /// What else is needed to print it.
    pub extra: Extra,
}

/// One row of the event table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventInfo {
    /// The schema's symbol without `PPME_`, e.g. `SYSCALL_OPEN_X`.
    pub symbol: &'static str,
    /// The event's name, as in `evt.type`.
    pub name: &'static str,
    /// Category bits, see [`category`].
    pub category: u32,
    /// Flag bits, see [`eflags`].
    pub flags: u32,
    /// The parameters.
    pub params: &'static [ParamInfo],
}

impl EventInfo {
    /// Whether any of these flag bits is set.
    pub const fn has(&self, flags: u32) -> bool {
        self.flags & flags != 0
    }

    /// Whether parameter lengths take four bytes instead of two.
    pub const fn is_large(&self) -> bool {
        self.has(eflags::EF_LARGE_PAYLOAD)
    }

    /// Index of the parameter of that name.
    pub fn param(&self, name: &str) -> Option<usize> {
        self.params.iter().position(|p| p.name == name)
    }

    /// Whether the event is a system call's (not a tracepoint's, plugin's or metaevent).
    pub const fn is_syscall(&self) -> bool {
        self.category & category::EC_SYSCALL != 0
    }
}

/// Category bits of [`EventInfo::category`].
#[allow(missing_docs)]
pub mod category {
    pub const EC_UNKNOWN: u32 = 0;
    pub const EC_OTHER: u32 = 1;
    pub const EC_FILE: u32 = 2;
    pub const EC_NET: u32 = 3;
    pub const EC_IPC: u32 = 4;
    pub const EC_MEMORY: u32 = 5;
    pub const EC_PROCESS: u32 = 6;
    pub const EC_SLEEP: u32 = 7;
    pub const EC_SYSTEM: u32 = 8;
    pub const EC_SIGNAL: u32 = 9;
    pub const EC_USER: u32 = 10;
    pub const EC_TIME: u32 = 11;
    pub const EC_PROCESSING: u32 = 12;
    pub const EC_IO_BASE: u32 = 32;
    pub const EC_IO_READ: u32 = 32;
    pub const EC_IO_WRITE: u32 = 33;
    pub const EC_IO_OTHER: u32 = 34;
    pub const EC_WAIT: u32 = 64;
    pub const EC_SCHEDULER: u32 = 128;
    pub const EC_INTERNAL: u32 = 256;
    pub const EC_SYSCALL: u32 = 512;
    pub const EC_TRACEPOINT: u32 = 1024;
    pub const EC_PLUGIN: u32 = 2048;
    pub const EC_METAEVENT: u32 = 4096;
    pub const EC_ITER: u32 = 8192;
}

/// Flag bits of [`EventInfo::flags`].
#[allow(missing_docs)]
pub mod eflags {
    pub const EF_CREATES_FD: u32 = 1 << 0;
    pub const EF_DESTROYS_FD: u32 = 1 << 1;
    pub const EF_USES_FD: u32 = 1 << 2;
    pub const EF_READS_FROM_FD: u32 = 1 << 3;
    pub const EF_WRITES_TO_FD: u32 = 1 << 4;
    pub const EF_MODIFIES_STATE: u32 = 1 << 5;
    pub const EF_UNUSED: u32 = 1 << 6;
    pub const EF_WAITS: u32 = 1 << 7;
    pub const EF_SKIPPARSERESET: u32 = 1 << 8;
    pub const EF_OLD_VERSION: u32 = 1 << 9;
    pub const EF_LARGE_PAYLOAD: u32 = 1 << 11;
    pub const EF_CONVERTER_MANAGED: u32 = 1 << 12;
}
