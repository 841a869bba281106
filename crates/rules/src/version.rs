//! Versions that rules ask for: of the engine and of plugins.

use std::fmt;

/// A version `major.minor.patch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Must be equal to be compatible.
    pub major: u32,
    /// Raised with every new field, event or item.
    pub minor: u32,
    /// Raised with every fix.
    pub patch: u32,
}

/// The version of Falco's engine whose language this crate speaks.
pub const ENGINE_VERSION: Version = Version { major: 0, minor: 63, patch: 0 };

impl Version {
    /// Reads three numbers joined by dots; what follows the third is ignored, as upstream's `sscanf` does.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim_start().splitn(3, '.');
        let number = |text: &str| {
            let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u32>().ok().map(|n| (n, digits.len()))
        };
        let exact = |text: &str| number(text).filter(|(_, len)| *len == text.len()).map(|(n, _)| n);
        let major = exact(parts.next()?)?;
        let minor = exact(parts.next()?)?;
        let (patch, _) = number(parts.next()?)?;
        Some(Self { major, minor, patch })
    }

    /// Whether something of this version serves who asks for `wanted`.
    pub fn serves(self, wanted: Self) -> bool {
        self.major == wanted.major && self >= wanted
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_parse_and_compare() {
        let version = |text| Version::parse(text);
        assert_eq!(version("0.26.1-rc"), Some(Version { major: 0, minor: 26, patch: 1 }));
        assert_eq!(version("1.2"), None);
        assert_eq!(version("1.x.2"), None);
        assert!(ENGINE_VERSION.serves(version("0.10.0").unwrap()));
        assert!(!ENGINE_VERSION.serves(version("0.64.0").unwrap()));
        assert!(!ENGINE_VERSION.serves(version("1.0.0").unwrap()));
    }
}
