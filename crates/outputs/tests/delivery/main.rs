//! Alerts against real receivers: each arrives, in order, or is counted as lost with its cause.

mod bounds;
mod file;
mod http;
mod program;
mod support;
mod syslog;
mod tls;
