//! The outputs, one file each.

mod distrust;
pub mod file;
pub mod http;
pub mod program;
pub mod stdout;
pub mod syslog;
pub mod tls;
