//! Values of fields, and the moment they are taken from.

use crate::session::Session;
use bumpalo::Bump;
use peregrine_event::Event;
use peregrine_state::{Context, State};
use std::net::IpAddr;

/// A field's value, borrowed from the event, the state or the event's scratch memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Text, path or bytes.
    Bytes(&'a [u8]),
    /// Signed number.
    Int(i64),
    /// Unsigned number, time, port, id.
    Uint(u64),
    /// Fraction.
    Double(f64),
    /// Truth.
    Bool(bool),
    /// Address.
    Ip(IpAddr),
    /// List of values of one type.
    List(&'a [Value<'a>]),
}

/// One event with everything a field can be taken from.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// The event.
    pub event: &'a Event<'a>,
    /// What applying it found.
    pub context: &'a Context,
    /// The state after applying it.
    pub state: &'a State,
    /// Name of the event source (`syscall`).
    pub source: &'a str,
    /// Memory for values that must be built; freed after the event.
    pub scratch: &'a Bump,
    /// Settings, and what fields remember from event to event.
    pub session: &'a Session,
}
