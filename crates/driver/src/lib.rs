//! How do events leave the kernel?
//!
//! Kernel programs (`bpf/`) on the exit of system calls and on the scheduler's tracepoints write finished events into
//! ring buffers. This crate compiles them in, loads and attaches them, tells them what is wanted and of whom, reads
//! the buffers in the order of time and counts what was lost. It knows nothing of rules or state.
#![deny(unsafe_code)]

mod btf;
pub mod config;
pub mod counters;
pub mod error;
pub mod hooks;
pub mod live;
pub mod load;
pub mod needs;
mod order;
pub mod privileges;
// The modules with unsafe code: a thread with a root of its own, mapped memory and the allocator's trim.
#[allow(unsafe_code)]
mod apart;
#[allow(unsafe_code)]
mod memory;
#[allow(unsafe_code)]
mod ring;
pub mod scope;
pub mod stats;

pub use config::{BufferSize, Config, Scope};
pub use error::DriverError;
pub use hooks::Hooks;
pub use live::{Batch, LiveSource};
pub use load::{Control, Driver};
pub use needs::Needs;
pub use order::Irregular;
pub use privileges::drop_privileges;
pub use stats::{Counters, DropReport, Stats};

/// The compiled kernel programs, aligned as the object's reader needs it.
pub static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/driver.bpf.o"));
