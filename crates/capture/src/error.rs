//! What can be wrong with a capture, and where.

use peregrine_event::DecodeError;
use std::fmt;

/// An error of reading or writing a capture, with the file and the byte at fault.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {fault} (at byte {offset})", file = Printable(.file))]
pub struct CaptureError {
    /// The file's name as the user gave it.
    pub file: String,
    /// Offset of the block or entry at fault, in bytes of the uncompressed stream.
    pub offset: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a capture.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file could not be read or written, or is no valid gzip stream.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Nothing there.
    #[error("the file is empty")]
    Empty,
    /// The first block is no section header.
    #[error("not a capture: the first block has type {0:#x}, not that of a section header")]
    NotACapture(u32),
    /// A section header with another magic.
    #[error("not a capture: the section header's magic is {0:#010x}")]
    BadMagic(u32),
    /// Written on a machine of the other byte order.
    #[error("the capture was written in the other byte order")]
    SwappedBytes,
    /// A newer major version.
    #[error("capture format version {0} is newer than {supported}", supported = crate::block::MAJOR)]
    Version(u16),
    /// Fewer bytes than a block says.
    #[error("truncated: {needed} bytes needed, {available} left")]
    Truncated {
        /// Bytes that were needed.
        needed: u64,
        /// Bytes that were there.
        available: u64,
    },
    /// A block shorter than its type allows.
    #[error("block of type {kind:#x} is {len} bytes long, too short for it")]
    ShortBlock {
        /// The block's type.
        kind: u32,
        /// Its total length.
        len: u32,
    },
    /// A block longer than its type allows.
    #[error("block of type {kind:#x} is {len} bytes long, the limit is {limit}")]
    LongBlock {
        /// The block's type.
        kind: u32,
        /// Its total length.
        len: u32,
        /// The longest allowed.
        limit: u64,
    },
    /// A block whose two lengths differ.
    #[error("block of type {kind:#x} begins with length {head} and ends with length {trailer}")]
    Trailer {
        /// The block's type.
        kind: u32,
        /// Length in its head.
        head: u32,
        /// Length in its trailer.
        trailer: u32,
    },
    /// A table block, or one of unknown type, where only events or a new section may be.
    #[error("unexpected block of type {0:#x} between events")]
    UnexpectedBlock(u32),
    /// No event block in the section.
    #[error("no events in the capture")]
    NoEvents,
    /// A string longer than the format allows.
    #[error("{what} of {len} bytes, the limit is {limit}")]
    LongString {
        /// Which string.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The longest allowed.
        limit: usize,
    },
    /// An entry of a table that runs past its end.
    #[error("{what} runs past the end of its {within}")]
    Overrun {
        /// What was read.
        what: &'static str,
        /// `block` or `entry`.
        within: &'static str,
    },
    /// An interface entry of unknown type.
    #[error("unknown interface type {0}")]
    InterfaceType(u16),
    /// Bytes that are no event.
    #[error("{0}")]
    Event(#[from] DecodeError),
    /// An old event whose number of parameters cannot be told from its length.
    #[error("event {name} of the old format: its {len} bytes fit no number of parameters")]
    Uncountable {
        /// The event's symbol.
        name: &'static str,
        /// Its length.
        len: u32,
    },
    /// An event that the conversion table does not cover.
    #[error("{0}")]
    Convert(#[from] crate::convert::ConvertError),
}

impl Fault {
    /// The error of this fault in that file, at that byte.
    pub fn at(self, file: &str, offset: u64) -> CaptureError {
        CaptureError { file: file.to_owned(), offset, fault: self }
    }
}

/// A file name is the user's or an attacker's: control characters do not reach a terminal.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
        }
        Ok(())
    }
}
