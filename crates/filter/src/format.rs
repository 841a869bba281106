//! Output formats: literal text with `%field`, `%20field[arg]` and `%transformer(…)` in it.
//!
//! Reading is upstream's (`eventformatter.cpp`): at each `%` the longest text that makes a field or a transformer is
//! taken, so `%proc.name.` is `%proc.name` and a dot. A literal `%` cannot be written.

use crate::ast::{Operand as Tree, TransformerArg};
use crate::check::{TypedOperand, check_operand};
use crate::field::Catalogue;
use crate::parser::parse_operand;
use crate::print::print_operand;

/// Widest column that a token may ask for, in bytes; ours, against formats that want all memory.
pub const MAX_WIDTH: u32 = 65_535;

/// Longest token that is looked for by leaving off its end; longer ones are only found if they are whole.
const MAX_RETRIED: usize = 2048;

/// A parsed output format.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Format {
    /// What is printed, in order.
    pub pieces: Vec<Piece>,
    /// What `output_fields` holds: the fields in order, transformed ones included.
    pub keys: Vec<Key>,
    /// Whether a missing value suppresses the whole line: true unless the text starts with `*`.
    pub require_all: bool,
}

/// A part of an output format.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Text as it is.
    Literal(String),
    /// A value.
    Value {
        /// What is printed.
        value: TypedOperand,
        /// Bytes to which the text is padded or cut; 0 = as it is.
        width: u32,
        /// The field as its tree prints, without `%` and width.
        text: String,
    },
}

/// One key of `output_fields`.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The key: the field as its tree prints.
    pub name: String,
    /// Its value.
    pub value: TypedOperand,
    /// Whether transformers are applied; such keys show only on request.
    pub transformed: bool,
}

/// An output format cannot be read. The message is upstream's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    /// What is wrong.
    pub message: String,
    /// Offset in bytes of the token at fault.
    pub offset: usize,
    /// What the author may have meant.
    pub help: Option<String>,
}

impl std::fmt::Display for FormatError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FormatError {}

/// Parses an output format.
///
/// # Errors
/// [`FormatError`] with upstream's message.
pub fn parse(text: &str, catalogue: &dyn Catalogue) -> Result<Format, FormatError> {
    let fail = |message: &str, offset| Err(FormatError { message: message.into(), offset, help: None });
    if text.is_empty() {
        return fail("empty formatting token", 0);
    }
    let start = usize::from(text.starts_with('*'));
    let mut format = Format { require_all: start == 0, ..Format::default() };
    let mut at = start;
    while at < text.len() {
        let literal = text[at..].find('%').map_or(&text[at..], |len| &text[at..at + len]);
        if !literal.is_empty() {
            format.pieces.push(Piece::Literal(literal.to_owned()));
            at += literal.len();
            continue;
        }
        let digits = text[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
        let body = at + 1 + digits;
        if body == text.len() {
            let what = if digits == 0 { "a %" } else { "a number" };
            return fail(&format!("invalid formatting syntax: formatting cannot end with {what}"), at);
        }
        let Some(width) = parse_width(&text[at + 1..body]) else {
            return fail(&format!("invalid formatting syntax: a width is at most {MAX_WIDTH}"), at);
        };
        let (tree, len) = token(&text[body..], at, catalogue)?;
        at = body + len;
        push_token(&mut format, &tree, width, catalogue);
    }
    Ok(format)
}

fn parse_width(digits: &str) -> Option<u32> {
    if digits.is_empty() { Some(0) } else { digits.parse().ok().filter(|width| *width <= MAX_WIDTH) }
}

/// The longest field or transformer at the start of a text.
fn token(text: &str, offset: usize, catalogue: &dyn Catalogue) -> Result<(Tree, usize), FormatError> {
    let mut size = text.len();
    let mut help = None;
    while size > 0 {
        let shorter = match parse_operand(&text[..size]) {
            Ok((tree, len)) => match check_operand(&tree, catalogue) {
                Ok(_) => return Ok((tree, len)),
                Err(error) => {
                    help = help.or(error.help);
                    len
                }
            },
            Err(error) => error.position.index + 1,
        };
        // A text that ends behind what was read fails the same way, so the next to try ends before it.
        size = (shorter.min(size) - 1).min(MAX_RETRIED);
        while !text.is_char_boundary(size) {
            size -= 1;
        }
    }
    Err(FormatError { message: "unknown filter: unexpected token after '".into(), offset, help })
}

fn push_token(format: &mut Format, tree: &Tree, width: u32, catalogue: &dyn Catalogue) {
    let Ok(value) = check_operand(tree, catalogue) else { return };
    format.pieces.push(Piece::Value { value, width, text: print_operand(tree) });
    let mut last_transformed = false;
    push_keys(tree, catalogue, &mut format.keys, &mut last_transformed);
}

/// Upstream's order: inner fields first; an outer transformer takes the place of the one inside it.
fn push_keys(tree: &Tree, catalogue: &dyn Catalogue, keys: &mut Vec<Key>, last_transformed: &mut bool) {
    if let Tree::Transformer { args, .. } = tree {
        push_arg_keys(args, catalogue, keys, last_transformed);
    }
    let transformed = matches!(tree, Tree::Transformer { .. });
    if transformed && *last_transformed {
        keys.pop();
    }
    if let Ok(value) = check_operand(tree, catalogue) {
        keys.push(Key { name: print_operand(tree), value, transformed });
    }
    *last_transformed = transformed;
}

fn push_arg_keys(args: &[TransformerArg], catalogue: &dyn Catalogue, keys: &mut Vec<Key>, last: &mut bool) {
    for arg in args {
        match arg {
            TransformerArg::Operand(operand) => push_keys(operand, catalogue, keys, last),
            TransformerArg::List(items) => push_arg_keys(items, catalogue, keys, last),
            TransformerArg::Literal(_) => {}
        }
    }
}
