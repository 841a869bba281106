//! What came of loading a file: errors and warnings with Falco's codes, for Falco's JSON, Falco's text and our own
//! diagnostics.

use crate::code::{ErrorCode, WarningCode};
use crate::context::Context;
use crate::decode::Fault;
use crate::items::Place;
use std::ops::Range;

/// Error or warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// Makes the file invalid.
    Error(ErrorCode),
    /// Leaves it valid.
    Warning(WarningCode),
    /// Our own remark, unknown to Falco; only our own diagnostics show it.
    Note,
}

/// A part of a file that a diagnostic points at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Label {
    /// Number of the file, in loading order.
    pub file: usize,
    /// Bytes in it.
    pub range: Range<usize>,
    /// What is to say of it; the first label's text may be empty.
    pub text: String,
}

/// An error, a warning or a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its code.
    pub code: Code,
    /// Falco's message; may be empty for some warnings.
    pub message: String,
    /// Falco's locations.
    pub context: Context,
    /// The deprecated field it is about.
    pub deprecated_field: Option<&'static str>,
    /// Where it is, the place itself first, then what led there.
    pub labels: Vec<Label>,
    /// What the author may have meant.
    pub help: Option<String>,
}

/// The result of loading one file, whatever was loaded before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The file's name as it was given.
    pub name: String,
    /// Errors; none if the file is valid.
    pub errors: Vec<Diagnostic>,
    /// Errors behind the first in rules that Falco would not have come to; only our own diagnostics show them.
    pub further: Vec<Diagnostic>,
    /// Falco's warnings.
    pub warnings: Vec<Diagnostic>,
    /// Our own remarks.
    pub notes: Vec<Diagnostic>,
    /// What the JSON schema of rules says: `ok`, or a line for each complaint; empty if it was not asked.
    pub schema: Vec<String>,
}

impl Report {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            errors: Vec::new(),
            further: Vec::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
            schema: Vec::new(),
        }
    }

    /// Whether the file is valid.
    pub fn is_successful(&self) -> bool {
        self.errors.is_empty()
    }

    /// Whether the schema has no complaint.
    pub fn schema_is_valid(&self) -> bool {
        self.schema.first().is_none_or(|first| first == "ok")
    }

    pub(crate) fn warn(&mut self, code: WarningCode, message: String, context: &Context, place: &Place) {
        self.warn_with_help(code, message, context, place, None);
    }

    pub(crate) fn warn_with_help(
        &mut self,
        code: WarningCode,
        message: String,
        context: &Context,
        place: &Place,
        help: Option<String>,
    ) {
        let labels = vec![Label { file: place.file, range: place.range.clone(), text: String::new() }];
        self.push(Diagnostic {
            code: Code::Warning(code),
            message,
            context: context.clone(),
            deprecated_field: None,
            labels,
            help,
        });
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        match diagnostic.code {
            Code::Error(_) => self.errors.push(diagnostic),
            Code::Warning(_) => self.warnings.push(diagnostic),
            Code::Note => self.notes.push(diagnostic),
        }
    }

    pub(crate) fn fail(&mut self, fault: Fault) {
        let label = |place: Place| Label { file: place.file, range: place.range, text: String::new() };
        self.push(Diagnostic {
            code: Code::Error(fault.code),
            message: fault.message,
            context: fault.context,
            deprecated_field: None,
            labels: fault.place.map(label).into_iter().collect(),
            help: fault.help,
        });
    }
}
