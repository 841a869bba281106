//! Where do events come from?
//!
//! Reading and writing `.scap` captures, putting events of several buffers in order, and the tables (machine,
//! processes, descriptors, users, interfaces) that describe the world before the first event.
#![forbid(unsafe_code)]

pub mod tables;
