//! What is to be told to whom, and how long to try.

use crate::sinks::{file, http, program, stdout, syslog};
use peregrine_alert::Layout;
use std::time::Duration;

/// What happens when a queue has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The alert is counted as lost to this output; whoever sends never waits. For live events.
    Lose,
    /// Whoever sends waits until there is room. For captures, which can wait.
    Wait,
}

/// All outputs. An output that is `None` is off.
#[derive(Clone)]
pub struct Settings {
    /// The form of the alerts' lines.
    pub layout: Layout,
    /// Alerts that may wait for one output; 0 for no bound but `max_bytes`.
    pub capacity: usize,
    /// Bytes of memory that the alerts of one queue may take.
    pub max_bytes: usize,
    /// What happens when a queue has no room.
    pub overflow: Overflow,
    /// From when on a delivery is told of as hanging; 0 for never.
    pub timeout: Duration,
    /// An alert that could not be delivered is tried again until it is this old.
    pub max_age: Duration,
    /// The longest wait between two attempts.
    pub max_backoff: Duration,
    /// How long the end waits for what is still queued.
    pub grace: Duration,
    /// Standard output.
    pub stdout: Option<stdout::Settings>,
    /// A file.
    pub file: Option<file::Settings>,
    /// Syslog.
    pub syslog: Option<syslog::Settings>,
    /// A program.
    pub program: Option<program::Settings>,
    /// An HTTP receiver.
    pub http: Option<http::Settings>,
}

impl Default for Settings {
    /// No output at all; bounds that suit live detection.
    fn default() -> Self {
        Self {
            layout: Layout::default(),
            capacity: 0,
            max_bytes: 64 << 20,
            overflow: Overflow::Lose,
            timeout: Duration::from_secs(2),
            max_age: Duration::from_secs(300),
            max_backoff: Duration::from_secs(10),
            grace: Duration::from_secs(5),
            stdout: None,
            file: None,
            syslog: None,
            program: None,
            http: None,
        }
    }
}
