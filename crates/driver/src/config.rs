//! What the driver is asked to do.

use crate::{DriverError, Needs};
use std::path::PathBuf;
use std::str::FromStr;

/// Configuration of the driver.
#[derive(Debug, Clone)]
pub struct Config {
    /// Bytes of each ring buffer.
    pub buffer: BufferSize,
    /// How many CPUs share a ring buffer; 0 means all of them.
    pub cpus_per_buffer: u16,
    /// Most bytes of a data buffer (`evt.buffer`, written or read data) that an event carries, 1 to 65,000.
    pub snaplen: u32,
    /// Whose events are wanted.
    pub scope: Scope,
    /// Whether calls that failed stay in the kernel.
    pub drop_failed: bool,
    /// Which events are wanted.
    pub needs: Needs,
    /// Whether this process's own events stay in the kernel; only tests switch it off.
    pub exclude_self: bool,
}

impl Default for Config {
    /// 8 MiB for each CPU, 80 bytes of data, everything but ourselves.
    fn default() -> Self {
        Self {
            buffer: BufferSize::default(),
            cpus_per_buffer: 1,
            snaplen: 80,
            scope: Scope::All,
            drop_failed: false,
            needs: Needs::everything(),
            exclude_self: true,
        }
    }
}

impl Config {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`DriverError::Range`].
    pub fn check(&self) -> Result<(), DriverError> {
        if !(1..=65_000).contains(&self.snaplen) {
            let value = u64::from(self.snaplen);
            return Err(DriverError::Range { what: "snaplen", value, range: "1..=65000" });
        }
        Ok(())
    }
}

/// Size of a ring buffer: a power of two of at least one mebibyte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BufferSize(u32);

impl BufferSize {
    /// The size of a `buf_size_preset`: 1 is 1 MiB, each step doubles, 10 is 512 MiB.
    ///
    /// # Errors
    /// [`DriverError::Range`] outside 1 to 10.
    pub fn preset(preset: u16) -> Result<Self, DriverError> {
        if !(1..=10).contains(&preset) {
            let value = u64::from(preset);
            return Err(DriverError::Range { what: "buf_size_preset", value, range: "1..=10" });
        }
        Ok(Self(1 << (19 + preset)))
    }

    /// Bytes.
    pub fn bytes(self) -> u32 {
        self.0
    }
}

impl Default for BufferSize {
    /// Preset 4: 8 MiB.
    fn default() -> Self {
        Self(8 << 20)
    }
}

/// Whose events are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// Everybody's.
    #[default]
    All,
    /// Those of the processes in a cgroup (v2) and below: a path inside the hierarchy, or an absolute one below its
    /// mount point.
    Cgroup(PathBuf),
    /// Those of a process and its descendants.
    Tree(u32),
}

impl FromStr for Scope {
    type Err = DriverError;

    /// `cgroup:PATH` or `tree:PID`.
    fn from_str(text: &str) -> Result<Self, DriverError> {
        let wrong = |reason: &str| DriverError::Scope { scope: text.into(), reason: reason.into() };
        match text.split_once(':') {
            Some(("cgroup", path)) if !path.is_empty() => Ok(Self::Cgroup(path.into())),
            Some(("tree", pid)) => match pid.parse() {
                Ok(pid) if pid > 0 => Ok(Self::Tree(pid)),
                _ => Err(wrong("the process id must be a positive number")),
            },
            _ => Err(wrong("must be cgroup:PATH or tree:PID")),
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Cgroup(path) => write!(f, "cgroup:{}", path.display()),
            Self::Tree(pid) => write!(f, "tree:{pid}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_double() {
        assert_eq!(BufferSize::preset(1).unwrap().bytes(), 1 << 20);
        assert_eq!(BufferSize::preset(4).unwrap(), BufferSize::default());
        assert_eq!(BufferSize::preset(10).unwrap().bytes(), 512 << 20);
        assert!(BufferSize::preset(0).is_err() && BufferSize::preset(11).is_err());
    }

    #[test]
    fn scopes_are_read_and_printed() {
        for text in ["cgroup:/demo", "tree:42"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        for text in ["", "tree:", "tree:0", "tree:-1", "tree:x", "cgroup:", "pid:1", "tree"] {
            assert!(text.parse::<Scope>().is_err(), "{text}");
        }
    }

    #[test]
    fn snaplen_has_bounds() {
        assert!(Config::default().check().is_ok());
        assert!(Config { snaplen: 0, ..Config::default() }.check().is_err());
        assert!(Config { snaplen: 65_001, ..Config::default() }.check().is_err());
    }
}
