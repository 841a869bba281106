//! Where do events come from?
//!
//! Reading and writing `.scap` captures, and the tables (machine,
//! processes, descriptors, users, interfaces) that describe the world before the first event.
#![forbid(unsafe_code)]

pub mod block;
pub mod convert;
mod error;
mod input;
mod reader;
pub mod tables;
mod writer;

pub use error::{CaptureError, Fault};
pub use reader::{Item, Options, ReadStats, Reader};
pub use writer::{Compression, WriteStats, Writer};
