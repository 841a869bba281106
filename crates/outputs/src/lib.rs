//! Who is told?
//!
//! Alerts go from one thread to many receivers. Every output has a queue and a thread of its own, so that one that is
//! slow or dead stalls neither detection nor the others. An alert that was offered to an output is delivered or counted
//! as lost with its cause; nothing else happens to it.
//!
//! [`outputs`] hands out, [`worker`] delivers and tries again, [`queue`] keeps what waits, [`sinks`] holds one file an
//! output, and [`table`] lists them. What an alert is about, and how the configuration spells the settings, is not known
//! here.
#![forbid(unsafe_code)]

pub mod backoff;
pub mod counters;
pub mod error;
mod lines;
pub mod message;
pub mod outputs;
pub mod queue;
pub mod settings;
mod signals;
pub mod sink;
pub mod sinks;
pub mod table;
mod watchdog;
mod worker;

pub use counters::Report;
pub use error::{CAUSES, Cause, Error};
pub use message::Message;
pub use outputs::{Outputs, Prepared};
pub use settings::{Overflow, Settings};
pub use table::OUTPUTS;
