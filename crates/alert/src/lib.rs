//! What is an alert?
//!
//! The record that the engine raises and everything after it passes on, its severities ([`Priority`]), and its two
//! forms, a line of text and a line of JSON, laid out as Falco lays them out. How an alert came to be, and where it
//! goes, is not known here.
#![forbid(unsafe_code)]

pub mod json;
pub mod priority;
pub mod record;
pub mod time;

pub use json::Json;
pub use priority::Priority;
pub use record::{Alert, DropCounts, Layout};
