//! Severities of rules and alerts, after syslog.

use std::fmt;
use std::str::FromStr;

/// How severe; the smaller, the more severe. The numbers are Falco's (and syslog's).
#[allow(missing_docs)]
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    Emergency = 0,
    Alert = 1,
    Critical = 2,
    Error = 3,
    Warning = 4,
    Notice = 5,
    Informational = 6,
    Debug = 7,
}

impl Priority {
    /// All of them, the most severe first.
    pub const ALL: [Priority; 8] = [
        Priority::Emergency,
        Priority::Alert,
        Priority::Critical,
        Priority::Error,
        Priority::Warning,
        Priority::Notice,
        Priority::Informational,
        Priority::Debug,
    ];

    /// The name as alerts print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emergency => "Emergency",
            Self::Alert => "Alert",
            Self::Critical => "Critical",
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Notice => "Notice",
            Self::Informational => "Informational",
            Self::Debug => "Debug",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no priority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPriority;

impl fmt::Display for UnknownPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown priority value")
    }
}

impl std::error::Error for UnknownPriority {}

impl FromStr for Priority {
    type Err = UnknownPriority;

    /// Reads a name, whatever its case; `info` stands for `Informational`.
    fn from_str(text: &str) -> Result<Self, UnknownPriority> {
        if text.eq_ignore_ascii_case("info") {
            return Ok(Self::Informational);
        }
        Self::ALL.into_iter().find(|p| p.name().eq_ignore_ascii_case(text)).ok_or(UnknownPriority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for priority in Priority::ALL {
            assert_eq!(priority.name().to_uppercase().parse(), Ok(priority));
        }
        assert_eq!("info".parse(), Ok(Priority::Informational));
        assert_eq!("warn".parse::<Priority>(), Err(UnknownPriority));
        assert!(Priority::Emergency < Priority::Debug);
    }
}
