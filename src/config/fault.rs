//! What is wrong or odd in a configuration, and where.

use std::fmt;
use std::sync::Arc;

/// A place in a configuration file, or an override.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named, or `-o key=value`.
    pub source: Arc<str>,
    /// Line, from 1; 0 for a source as a whole.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// An override of the command line.
    pub fn option(assignment: &str) -> Self {
        Self { source: format!("-o {assignment}").into(), line: 0, column: 0 }
    }

    /// A file as a whole.
    pub fn file(path: &std::path::Path) -> Self {
        Self { source: path.to_string_lossy().into(), line: 0, column: 0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.source),
            line => write!(f, "{}:{line}:{}", self.source, self.column),
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Nothing can run with it.
    Fatal,
    /// The value is not of its key's type: Falco goes on with the default, our own commands do not.
    Mistyped,
    /// It is left alone, and said.
    Warning,
}

/// What is wrong or odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where; the default place where it is about the whole.
    pub place: Place,
    /// The key's path, where one is at fault.
    pub key: String,
    /// What it is.
    pub message: String,
    /// How bad it is.
    pub weight: Weight,
}

impl Fault {
    /// Nothing can run with it.
    pub fn fatal(place: Place, message: impl Into<String>) -> Self {
        Self { place, key: String::new(), message: message.into(), weight: Weight::Fatal }
    }

    /// The value is of the wrong type.
    pub fn mistyped(place: &Place, message: impl Into<String>) -> Self {
        Self { weight: Weight::Mistyped, ..Self::fatal(place.clone(), message) }
    }

    /// It is left alone.
    pub fn warning(place: &Place, message: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, ..Self::fatal(place.clone(), message) }
    }

    /// Names the key that it is about, unless one is named already.
    pub fn of(mut self, key: &str) -> Self {
        if self.key.is_empty() {
            key.clone_into(&mut self.key);
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.source.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key.escape_default())?;
        }
        f.write_str(&self.message)
    }
}
