//! The blocks of a capture: their types, sizes and limits, for the reader and the writer alike.
//!
//! Source: the capture format of falcosecurity/libs, version 1.2. Every block is `u32 type, u32 total length, body,
//! padding to a multiple of four, u32 total length`.

/// Bytes of a block's head: type and total length.
pub const HEAD: usize = 8;
/// Bytes of a block's trailer: the total length again.
pub const TRAILER: usize = 4;
/// Byte-order magic of a section header.
pub const MAGIC: u32 = 0x1A2B_3C4D;
/// Newest major version that can be read; any minor version can.
pub const MAJOR: u16 = 1;
/// Minor version that is written.
pub const MINOR: u16 = 2;
/// Body of a section header without options.
pub const SECTION_BODY: usize = 16;
/// Body of a machine information block.
pub const MACHINE_BODY: usize = 180;
/// Most bytes after the head of an ordinary event block.
pub const MAX_EVENT_BLOCK: usize = 65_536;
/// Most bytes after the head of a large event block. The format has no limit; this bounds memory.
pub const MAX_LARGE_BLOCK: usize = 64 << 20;
/// Most bytes of table blocks in one section. The format has no limit; this bounds memory.
pub const MAX_TABLES: u64 = 512 << 20;
/// Most bytes of a path-like string of a process, and one more than a descriptor's or an interface's name may have.
pub const MAX_PATH: usize = 1024;
/// Most bytes of a process' arguments, environment or cgroups.
pub const MAX_ARGS: usize = 4096;
/// One more than the most bytes of a user's or group's strings.
pub const MAX_CREDENTIAL: usize = 256;

/// Bit of an event block's flag word: the event feeds the state and is not for rules or output.
pub const FLAG_STATE_ONLY: u32 = 1;

/// Block type numbers that are written. The reader's are in [`kind`].
#[allow(missing_docs)]
pub mod types {
    pub const SECTION: u32 = 0x0A0D_0D0A;
    pub const MACHINE: u32 = 0x201;
    pub const EVENT: u32 = 0x216;
    pub const EVENT_FLAGS: u32 = 0x217;
    pub const EVENT_LARGE: u32 = 0x221;
    pub const EVENT_FLAGS_LARGE: u32 = 0x222;
    pub const PROCESSES: u32 = 0x215;
    pub const DESCRIPTORS: u32 = 0x218;
    pub const INTERFACES: u32 = 0x219;
    pub const USERS: u32 = 0x220;
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Section header.
    Section,
    /// Machine information.
    Machine,
    /// Interfaces; `sized` entries carry their own length.
    Interfaces {
        /// Whether entries carry a length.
        sized: bool,
    },
    /// Users and groups; `sized` entries carry their own length.
    Users {
        /// Whether entries carry a length.
        sized: bool,
    },
    /// Processes, in one of nine versions.
    Processes {
        /// 1 to 9.
        version: u8,
    },
    /// One thread's descriptors; `sized` entries carry their own length.
    Descriptors {
        /// Whether entries carry a length.
        sized: bool,
    },
    /// An event.
    Event(EventBlock),
}

/// What an event block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventBlock {
    /// Whether the event's header has the number of parameters; old ones do not.
    pub counted: bool,
    /// Whether a word of flags stands before the event.
    pub flags: bool,
    /// Whether the block may be larger than 64 KiB.
    pub large: bool,
}

const fn event(counted: bool, flags: bool, large: bool) -> Kind {
    Kind::Event(EventBlock { counted, flags, large })
}

/// Every block type number and what it is. `0x80..ABCD` are pre-release numbers.
const KINDS: &[(u32, Kind)] = &[
    (types::SECTION, Kind::Section),
    (types::MACHINE, Kind::Machine),
    (0x8002_ABCD, Kind::Machine),
    (0x202, Kind::Processes { version: 1 }),
    (0x8000_ABCD, Kind::Processes { version: 1 }),
    (0x207, Kind::Processes { version: 2 }),
    (0x8013_ABCD, Kind::Processes { version: 2 }),
    (0x209, Kind::Processes { version: 3 }),
    (0x8014_ABCD, Kind::Processes { version: 3 }),
    (0x210, Kind::Processes { version: 4 }),
    (0x211, Kind::Processes { version: 5 }),
    (0x212, Kind::Processes { version: 6 }),
    (0x213, Kind::Processes { version: 7 }),
    (0x214, Kind::Processes { version: 8 }),
    (types::PROCESSES, Kind::Processes { version: 9 }),
    (0x203, Kind::Descriptors { sized: false }),
    (0x8001_ABCD, Kind::Descriptors { sized: false }),
    (types::DESCRIPTORS, Kind::Descriptors { sized: true }),
    (0x205, Kind::Interfaces { sized: false }),
    (0x8011_ABCD, Kind::Interfaces { sized: false }),
    (types::INTERFACES, Kind::Interfaces { sized: true }),
    (0x206, Kind::Users { sized: false }),
    (0x8012_ABCD, Kind::Users { sized: false }),
    (types::USERS, Kind::Users { sized: true }),
    (0x204, event(false, false, false)),
    (0x8010_ABCD, event(false, false, false)),
    (0x208, event(false, true, false)),
    (types::EVENT, event(true, false, false)),
    (types::EVENT_FLAGS, event(true, true, false)),
    (types::EVENT_LARGE, event(true, false, true)),
    (types::EVENT_FLAGS_LARGE, event(true, true, true)),
];

/// What a block of that type number is, if the format knows it.
pub fn kind(number: u32) -> Option<Kind> {
    KINDS.iter().find(|(known, _)| *known == number).map(|(_, kind)| *kind)
}

/// The kind of an event block, on the path of every event.
#[inline]
pub fn event_kind(number: u32) -> Option<EventBlock> {
    if number == types::EVENT {
        return Some(EventBlock { counted: true, flags: false, large: false });
    }
    match kind(number)? {
        Kind::Event(block) => Some(block),
        _ => None,
    }
}
