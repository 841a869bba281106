//! Who did it?
//!
//! Threads with their lineage, credentials and descriptors, users and groups, interfaces, containers by cgroup:
//! loaded from a capture's tables or a snapshot of `/proc`, kept current by applying every event. Everything here is
//! bounded, and every bound that was met is counted.
//!
//! An event is applied in two steps. [`State::begin`] finds its thread and descriptor and applies what it changes;
//! then its rules are evaluated; [`State::finish`] takes away what it closed or ended. What each event changes is one
//! function in `apply`, reached through one row of a table indexed by event code. Semantics are upstream's
//! (libsinsp's parsers), so that a capture replays to the same values; where events carry Peregrine's own records the
//! kernel's word wins.
#![forbid(unsafe_code)]

mod apply;
pub mod container;
mod counters;
mod export;
pub mod fd;
pub mod inspect;
mod load;
pub mod path;
pub mod procfs;
mod purge;
mod recent;
mod removal;
mod sockbytes;
mod source;
pub mod text;
pub mod thread;
mod threads;
pub mod users;

pub use container::Container;
pub use counters::{Counters, Limits};
pub use fd::{FdInfo, FdTable, FdType, Role, SockName};
pub use inspect::{Context, Options, State};
pub use purge::Purging;
pub use source::ThreadSource;
pub use thread::{Slot, ThreadInfo};
pub use users::Accounts;
