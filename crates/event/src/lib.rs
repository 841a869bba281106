//! What is an event?
//!
//! The one encoding of events, from the kernel's ring buffer to the capture file: a packed header, an array of
//! parameter lengths, the parameters back to back, and optionally Peregrine's own records behind them
//! (see [`record`]). This crate holds the table of all events and borrowed decoding and encoding of their bytes;
//! it knows nothing of threads, descriptors or rules, and depends on nothing.
#![forbid(unsafe_code)]

pub mod calls;
pub mod code;
pub mod decode;
pub mod defines;
pub mod encode;
pub mod errno;
pub mod flags;
pub mod record;
pub mod sc;
pub mod sock;
pub mod table;
pub mod types;

pub use decode::{DecodeError, Event, HEADER_LEN};
pub use encode::EventWriter;
pub use types::{DynType, EventInfo, Extra, ParamInfo, ParamType, PrintFormat, category, eflags};

/// The table's row of an event code, if the schema has it.
pub fn info(code: u16) -> Option<&'static EventInfo> {
    table::EVENTS.get(usize::from(code))
}
