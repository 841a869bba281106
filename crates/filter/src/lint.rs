//! Remarks on conditions that compile: upstream's warnings about values, and our own about what cannot be true.

use crate::ast::Op;
use crate::check::Remark;
use crate::constant::unsigned;
use crate::field::Catalogue;
use crate::parser::TRANSFORMERS;
use crate::typed::{Check, Const, Operand, Rhs};
use peregrine_event::ParamType as T;

/// Upstream's warnings about a constant: a regular expression that needs none, a field or a transformer in quotes.
pub(crate) fn value_warnings(op: Op, value: &str, catalogue: &dyn Catalogue) -> Vec<String> {
    let mut warnings = Vec::new();
    if op == Op::Regex && !needs_regex(value.as_bytes()) {
        warnings.push(format!(
            "regex check with '{value}' may be optimized with simpler operators such as \
             '=', 'contains', 'startswith', 'endswith'"
        ));
    }
    let stripped: String = value.chars().filter(|c| !c.is_ascii_whitespace() && *c != '\u{b}').collect();
    match names_field(&stripped, catalogue) {
        Some(true) => warnings.push(format!("'{value}' may be a valid field misused as a const string value")),
        Some(false) => {}
        // A field that exists but is badly used hides the next warning, as upstream's exception does.
        None => return warnings,
    }
    for name in std::iter::once("val").chain(TRANSFORMERS.map(|(name, _)| name)) {
        let call = stripped.strip_prefix(name).is_some_and(|rest| rest.starts_with('(') && rest.ends_with(')'));
        if call && stripped.len() >= name.len() + 2 {
            warnings.push(format!("'{value}' may be a valid field transformer misused as a const string value"));
        }
    }
    warnings
}

fn names_field(text: &str, catalogue: &dyn Catalogue) -> Option<bool> {
    if !text.contains('.') {
        return Some(false);
    }
    let (name, bracket) = match text.strip_suffix(']').and_then(|t| t.split_once('[')) {
        Some((name, bracket)) => (name, Some(bracket)),
        None => (text, None),
    };
    match catalogue.resolve(name, bracket) {
        Ok(_) => Some(true),
        Err(crate::field::FieldError::Unknown) => Some(false),
        Err(crate::field::FieldError::Argument(_)) => None,
    }
}

/// Whether a pattern has special characters other than anchors and repeated dots at its ends.
fn needs_regex(pattern: &[u8]) -> bool {
    let len = pattern.len();
    let mut i = 0;
    while i < len {
        let anchor = (i == 0 && pattern[i] == b'^') || (i + 1 == len && pattern[i] == b'$');
        let edge = (i == 0 && len > 1) || i + 2 == len;
        if anchor {
            i += 1;
        } else if edge && pattern[i] == b'.' && matches!(pattern[i + 1], b'+' | b'*' | b'?') {
            i += 2;
        } else if b".+*?^$()[]{}|\\".contains(&pattern[i]) {
            return true;
        } else {
            i += 1;
        }
    }
    false
}

/// A number that does not fit its type and is cut to it.
pub(crate) fn cut_constant(value: &str, ty: T) -> Option<String> {
    let max = match ty {
        T::L4proto | T::Flags8 | T::Uint8 | T::Enumflags8 => 0xff,
        T::Flags16 | T::Uint16 | T::Enumflags16 | T::Port => 0xffff,
        T::Flags32 | T::Uint32 | T::Mode | T::Enumflags32 | T::Uid | T::Gid => 0xffff_ffff,
        T::Uint64 | T::Reltime | T::Abstime => u64::MAX,
        _ => return None,
    };
    if value.trim_start().starts_with('-') && unsigned(value).is_ok_and(|v| v != 0) {
        return Some(format!(
            "'{value}' is negative, but the field is unsigned; it is compared as {}",
            cut(value, max)
        ));
    }
    (unsigned(value).ok()? > max).then(|| {
        format!("'{value}' is above {max}, the largest value of the field; it is compared as {}", cut(value, max))
    })
}

fn cut(value: &str, max: u64) -> u64 {
    unsigned(value).unwrap_or(0) & max
}

/// Longest name of a thread that the kernel keeps.
const COMM_MAX: usize = 15;

/// Notes a comparison that can never be true.
pub(crate) fn impossible(check: &Check, catalogue: &dyn Catalogue, notes: &mut Vec<Remark>) {
    let mut note = |message: String| notes.push(Remark { message, span: check.span, anchor: check.span.start });
    let Rhs::Consts(consts) = &check.rhs else { return };
    if consts.is_empty() {
        note("the list is empty, so this is true for no value".into());
        return;
    }
    let Operand::Field(field) = &check.lhs else { return };
    let name = catalogue.info(field.id).name;
    let exact = matches!(check.op, Op::Eq | Op::In | Op::Intersects | Op::Startswith | Op::Endswith | Op::Contains);
    if exact && matches!(name, "proc.name" | "proc.pname" | "proc.aname") {
        for constant in consts {
            if let Const::Bytes(bytes) = constant
                && bytes.len() > COMM_MAX
            {
                let text = String::from_utf8_lossy(bytes);
                note(format!("names of processes have at most {COMM_MAX} bytes; '{text}' can never be one"));
            }
        }
    }
    // `evt.num = 0` is what rules write to mean "never", so it is no mistake.
    if let ([Const::Uint(0)], Op::Lt) = (consts.as_slice(), check.op) {
        note("no unsigned number is below 0".into());
    }
}
