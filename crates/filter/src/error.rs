//! What can be wrong with a condition or an output format, and where.

use crate::ast::Span;
use std::fmt;

/// A place in a condition's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Bytes from the start.
    pub index: usize,
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
}

impl Position {
    /// The position of a byte offset in a text; carriage returns and newlines both end a line, as upstream counts.
    pub fn of(text: &str, index: usize) -> Self {
        let mut position = Self { index, line: 1, column: 1 };
        for byte in text.bytes().take(index) {
            position.column += 1;
            if byte == b'\r' || byte == b'\n' {
                position.column = 1;
                position.line += 1;
            }
        }
        position
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "index {}, line {}, column {}", self.index, self.line, self.column)
    }
}

/// A condition does not follow the grammar. The message is upstream's; `position` is where reading stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What was expected.
    pub message: String,
    /// Where.
    pub position: Position,
    /// Bytes from there that are at fault; 0 where something is missing.
    pub length: usize,
    /// What the author may have meant.
    pub help: Option<String>,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ParseError {}

/// A condition follows the grammar but cannot be compiled. The message is upstream's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckError {
    /// What is wrong.
    pub message: String,
    /// The part of the condition at fault.
    pub span: Span,
    /// The offset that upstream reports: where the comparison starts.
    pub anchor: u32,
    /// What kind of fault it is.
    pub kind: CheckErrorKind,
    /// What the author may have meant.
    pub help: Option<String>,
}

/// Kinds of [`CheckError`]; a rule may ask to be skipped for some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckErrorKind {
    /// No such field.
    UnknownField,
    /// A field's argument is wrong.
    FieldArgument,
    /// The operator does not apply to the type.
    Operator,
    /// A constant is not one of the field's type.
    Constant,
    /// An event name that does not exist.
    UnknownEvent,
    /// A transformer is misused.
    Transformer,
    /// Two sides cannot be compared.
    Sides,
    /// A macro's name where none may stand.
    Identifier,
    /// The condition is too large.
    Limit,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CheckError {}
