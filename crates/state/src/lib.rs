//! Who did it?
//!
//! Threads with their lineage, credentials and descriptors, users and groups, interfaces, containers by cgroup:
//! loaded from a capture's tables or a snapshot of `/proc`, kept current by applying every event. Everything here is
//! bounded, and every bound that was met is counted.
#![forbid(unsafe_code)]

pub mod fd;
pub mod inspect;
pub mod thread;
pub mod users;

pub use fd::{FdInfo, FdTable, Role, SockName};
pub use inspect::{Context, State};
pub use thread::{Slot, ThreadInfo};
