//! Why a delivery failed: who is to blame, and whether trying again is of use.

use std::fmt::Write;

/// Why an alert was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The output's queue held as many alerts as it may.
    QueueFull,
    /// The output's queue held as many bytes as it may.
    MemoryFull,
    /// Nobody answers at the address, or the connection broke.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// No trust: the certificate of one side does not satisfy the other.
    Tls,
    /// The receiver answered that it does not take it.
    Refused,
    /// A file or device cannot be written.
    Io,
    /// The program cannot be started, or ended badly over the alert.
    Program,
    /// The reader has closed its end.
    Closed,
    /// Peregrine ended before the alert was delivered.
    Shutdown,
}

/// Every cause, its name in metrics, and what it means.
pub const CAUSES: [(Cause, &str, &str); 10] = [
    (Cause::QueueFull, "queue_full", "the queue held outputs_queue.capacity alerts"),
    (Cause::MemoryFull, "memory_full", "the alerts in the queue took all the memory that they may"),
    (Cause::Unreachable, "unreachable", "nobody answered at the address, or the connection broke"),
    (Cause::Timeout, "timeout", "no answer in time"),
    (Cause::Tls, "tls", "the certificate of one side did not satisfy the other"),
    (Cause::Refused, "refused", "the receiver answered that it does not take the alert"),
    (Cause::Io, "io", "the file or device could not be written"),
    (Cause::Program, "program", "the program could not be started, or ended badly over the alert"),
    (Cause::Closed, "closed", "the reader closed its end"),
    (Cause::Shutdown, "shutdown", "the end came before the alert was delivered"),
];

impl Cause {
    /// The name in metrics and logs.
    pub fn name(self) -> &'static str {
        CAUSES[self as usize].1
    }
}

/// A delivery that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Under which cause the alert counts if it is given up now.
    pub cause: Cause,
    /// Whether the same may succeed later.
    pub retry: bool,
    message: String,
}

impl Error {
    /// A failure that may pass.
    pub fn passing(cause: Cause, message: impl AsRef<str>) -> Self {
        Self { cause, retry: true, message: printable(message.as_ref()) }
    }

    /// A failure that will be the same next time.
    pub fn lasting(cause: Cause, message: impl AsRef<str>) -> Self {
        Self { cause, retry: false, message: printable(message.as_ref()) }
    }
}

/// Receivers and files have a say in messages: no raw control character of theirs reaches the log, and no flood.
pub(crate) fn printable(text: &str) -> String {
    const MOST: usize = 1024;
    let mut out = String::with_capacity(text.len().min(MOST));
    for c in text.chars() {
        if out.len() >= MOST {
            out.push('…');
            break;
        }
        if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_stand_in_their_own_rows() {
        for (at, (cause, name, doc)) in CAUSES.iter().enumerate() {
            assert_eq!(*cause as usize, at);
            assert_eq!(cause.name(), *name);
            assert!(!doc.is_empty());
        }
    }

    #[test]
    fn what_others_say_is_made_harmless() {
        let error = Error::passing(Cause::Refused, "500 \u{1b}[2J\r\nX: y\u{202e}");
        assert_eq!(error.to_string(), "500 \\u{1b}[2J\\r\\nX: y\\u{202e}");
        assert!(Error::lasting(Cause::Io, "x".repeat(5000)).to_string().len() < 1100);
    }
}
