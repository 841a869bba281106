//! The tokens of conditions, read from a cursor over the text's bytes.
//!
//! The grammar has no separate token stream: what a text means depends on where it stands (`in` is an operator after a
//! field and a macro's name elsewhere), so the parser asks the cursor for the token that it expects. Token shapes are
//! upstream's (`filter/parser.cpp` of falcosecurity/libs), which takes the longest match of POSIX expressions.

use crate::error::Position;

/// Where the cursor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) index: usize,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A cursor over a condition, and the last token it took.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: Mark,
    /// The last token, which error messages quote.
    pub(crate) last: String,
}

/// A quoted text whose escapes are wrong.
pub(crate) struct BadEscape(pub(crate) String);

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x08 | b'\r' | b'\n')
}

/// POSIX `[[:space:]]`.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: Mark { index: 0, line: 1, column: 1 }, last: String::new() }
    }

    pub(crate) fn mark(&self) -> Mark {
        self.at
    }

    pub(crate) fn reset(&mut self, mark: Mark) {
        self.at = mark;
    }

    pub(crate) fn index(&self) -> usize {
        self.at.index
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at.index == self.text.len()
    }

    pub(crate) fn position(&self) -> Position {
        Position { index: self.at.index, line: self.at.line, column: self.at.column }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at.index..]
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn bump(&mut self, count: usize) {
        let end = self.at.index + count;
        for &byte in &self.text.as_bytes()[self.at.index..end] {
            self.at.column += 1;
            if byte == b'\r' || byte == b'\n' {
                self.at.column = 1;
                self.at.line += 1;
            }
        }
        self.at.index = end;
    }

    fn take(&mut self, count: usize) -> bool {
        self.last.clear();
        self.last.push_str(&self.text[self.at.index..self.at.index + count]);
        self.bump(count);
        true
    }

    fn take_some(&mut self, count: usize) -> bool {
        count > 0 && self.take(count)
    }

    /// Skips blanks; leaves the last token as it is.
    pub(crate) fn blank(&mut self) -> bool {
        let count = self.rest().iter().take_while(|b| is_blank(**b)).count();
        self.bump(count);
        count > 0
    }

    /// Takes exactly this text.
    pub(crate) fn literal(&mut self, text: &str) -> bool {
        self.rest().starts_with(text.as_bytes()) && self.take(text.len())
    }

    /// Takes a word that a blank must follow, and the blanks.
    pub(crate) fn word(&mut self, word: &str) -> bool {
        let (mark, last) = (self.at, self.last.clone());
        if self.literal(word) && self.blank() {
            return true;
        }
        self.at = mark;
        self.last = last;
        false
    }

    /// `not` and the space behind it.
    pub(crate) fn not_blank(&mut self) -> bool {
        let rest = self.rest();
        let spaces = match rest.strip_prefix(b"not") {
            Some(tail) => tail.iter().take_while(|b| is_space(**b)).count(),
            None => 0,
        };
        spaces > 0 && self.take(3 + spaces)
    }

    /// `[a-zA-Z]+[a-zA-Z0-9_]*`
    pub(crate) fn identifier(&mut self) -> bool {
        self.take_some(identifier_len(self.rest()))
    }

    /// Two or more identifiers joined by dots.
    pub(crate) fn field_name(&mut self) -> bool {
        let rest = self.rest();
        let mut len = identifier_len(rest);
        let mut parts = usize::from(len > 0);
        while parts > 0 && rest.get(len) == Some(&b'.') {
            let next = identifier_len(&rest[len + 1..]);
            if next == 0 {
                break;
            }
            len += 1 + next;
            parts += 1;
        }
        parts > 1 && self.take(len)
    }

    /// An unquoted text between brackets.
    pub(crate) fn bare_arg(&mut self) -> bool {
        let stop = |b: u8| matches!(b, b'[' | b']' | b'"' | b'\'') || is_space(b);
        let count = self.rest().iter().take_while(|b| !stop(**b)).count();
        self.take_some(count)
    }

    /// An unquoted value.
    pub(crate) fn bare_text(&mut self) -> bool {
        self.take_some(bare_text_len(self.rest()))
    }

    /// A hexadecimal or decimal number.
    pub(crate) fn number(&mut self) -> bool {
        let rest = self.rest();
        let hex = hex_len(rest);
        self.take_some(if hex > 0 { hex } else { decimal_len(rest) })
    }

    /// A quoted text, unescaped into the last token.
    pub(crate) fn quoted(&mut self) -> Result<bool, BadEscape> {
        let Some(quote @ (b'"' | b'\'')) = self.peek() else { return Ok(false) };
        let rest = self.rest();
        let mut end = None;
        for (i, &byte) in rest.iter().enumerate().skip(1) {
            if byte == 0 {
                break;
            }
            // Upstream looks at the one byte before, so `"a\\"` does not end here.
            if byte == quote && rest[i - 1] != b'\\' {
                end = Some(i);
                break;
            }
        }
        let Some(end) = end else {
            let stop = rest.iter().position(|b| *b == 0).unwrap_or(rest.len());
            self.last = String::from_utf8_lossy(&rest[..stop]).into_owned();
            return Ok(false);
        };
        self.take(end + 1);
        match unescape(&self.last) {
            Ok(text) => {
                self.last = text;
                Ok(true)
            }
            Err(message) => Err(BadEscape(message)),
        }
    }
}

fn identifier_len(text: &[u8]) -> usize {
    if !text.first().is_some_and(u8::is_ascii_alphabetic) {
        return 0;
    }
    text.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count()
}

fn bare_text_len(text: &[u8]) -> usize {
    let stop = |b: u8| matches!(b, b'(' | b')' | b'"' | b'\'' | b'=' | b',') || is_space(b);
    text.iter().take_while(|b| !stop(**b)).count()
}

/// Whether a text is an identifier as a whole.
pub fn is_identifier(text: &str) -> bool {
    !text.is_empty() && identifier_len(text.as_bytes()) == text.len()
}

/// Whether a text is an unquoted value as a whole.
pub fn is_bare_text(text: &str) -> bool {
    !text.is_empty() && bare_text_len(text.as_bytes()) == text.len()
}

fn hex_len(text: &[u8]) -> usize {
    if text.len() < 3 || text[0] != b'0' || !matches!(text[1], b'x' | b'X') {
        return 0;
    }
    match text[2..].iter().take_while(|b| b.is_ascii_hexdigit()).count() {
        0 => 0,
        digits => 2 + digits,
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn decimal_len(text: &[u8]) -> usize {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let whole = digits(&text[sign..]);
    if whole == 0 {
        return 0;
    }
    let mut len = sign + whole;
    if text.get(len) == Some(&b'.') {
        len += 1;
        len += digits(&text[len..]);
    }
    if let [b'e' | b'E', b'+' | b'-', tail @ ..] = &text[len..] {
        let exponent = digits(tail);
        if exponent > 0 {
            len += 2 + exponent;
        }
    }
    len
}

/// Takes the quotes off and resolves the escapes.
fn unescape(quoted: &str) -> Result<String, String> {
    let quote = quoted.as_bytes()[0] as char;
    let inner = &quoted[1..quoted.len() - 1];
    let mut out: Vec<u8> = Vec::with_capacity(inner.len());
    let mut chars = inner.char_indices();
    while let Some((_, c)) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let Some((at, escape)) = chars.next() else { break };
        match escape {
            'b' => out.push(0x08),
            'f' => out.push(0x0c),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            // A backslash before a blank stays: old rules rely on it.
            ' ' | '\\' => out.push(b'\\'),
            '/' => out.push(b'/'),
            '"' | '\'' if escape == quote => out.push(escape as u8),
            '"' => return Err("invalid \\\" escape in '-quoted string".into()),
            '\'' => return Err("invalid \\' escape in \"-quoted string".into()),
            'x' => {
                let Some(hex) = inner.as_bytes().get(at + 1..at + 3) else {
                    return Err("truncated hex char escape sequence".into());
                };
                let value = std::str::from_utf8(hex).ok().filter(|_| hex.iter().all(u8::is_ascii_hexdigit));
                let Some(value) = value.and_then(|h| u8::from_str_radix(h, 16).ok()) else {
                    return Err(format!("invalid hex char escape sequence: {}", String::from_utf8_lossy(hex)));
                };
                out.push(value);
                chars.next();
                chars.next();
            }
            other => return Err(format!("unsupported string escape sequence: \\{other}")),
        }
    }
    Ok(bytes_to_text(out))
}

/// Bytes above 127 written as `\xHH` need not form UTF-8. Values are kept as text in the tree; each such byte becomes
/// the last private-use character block (U+10FF00 + byte), which [`value_bytes`] turns back.
fn bytes_to_text(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let mut text = String::new();
            for chunk in error.as_bytes().utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend(chunk.invalid().iter().filter_map(|b| char::from_u32(RAW_BYTE_BASE + u32::from(*b))));
            }
            text
        }
    }
}

const RAW_BYTE_BASE: u32 = 0x10_ff00;

/// Whether a character of a value stands for a byte that is no UTF-8.
pub(crate) fn is_raw_byte(c: char) -> bool {
    matches!((c as u32).checked_sub(RAW_BYTE_BASE), Some(0x80..=0xff))
}

/// The bytes that a value of the tree stands for.
pub fn value_bytes(value: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len());
    for c in value.chars() {
        match (c as u32).checked_sub(RAW_BYTE_BASE) {
            Some(raw @ 0x80..=0xff) => bytes.push(raw as u8),
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> Result<String, String> {
        let mut cursor = Cursor::new(text);
        match cursor.quoted() {
            Ok(true) => Ok(cursor.last),
            Ok(false) => Err("not closed".into()),
            Err(BadEscape(message)) => Err(message),
        }
    }

    #[test]
    fn escapes_resolve() {
        assert_eq!(quoted(r#""a\tb\x41\\c""#), Ok("a\tbA\\c".into()));
        assert_eq!(quoted(r"'it\'s'"), Ok("it's".into()));
        assert_eq!(quoted(r#""a\ b""#), Ok("a\\b".into()));
        assert_eq!(quoted(r#""\x4""#), Err("truncated hex char escape sequence".into()));
        assert_eq!(quoted(r#""\q""#), Err("unsupported string escape sequence: \\q".into()));
        assert_eq!(quoted(r#""a\\""#), Err("not closed".into()));
    }

    #[test]
    fn raw_bytes_survive() {
        let text = quoted(r#""\xff\xc3\xa9é""#).unwrap();
        assert_eq!(value_bytes(&text), b"\xff\xc3\xa9\xc3\xa9");
    }

    #[test]
    fn numbers_take_the_longest_form() {
        for (text, len) in [("0x1F ", 4), ("0xg", 1), ("+1.5e+3)", 7), ("12.", 3), ("1e5", 1), ("-", 0), ("1.2.3", 3)] {
            let mut cursor = Cursor::new(text);
            assert_eq!(cursor.number(), len > 0, "{text}");
            assert_eq!(cursor.index(), len, "{text}");
        }
    }

    #[test]
    fn field_names_need_a_dot() {
        let mut cursor = Cursor::new("proc.aname.1");
        assert!(cursor.field_name());
        assert_eq!(cursor.last, "proc.aname");
        assert!(!Cursor::new("macro_name").field_name());
        assert!(!Cursor::new("a.").field_name());
    }
}
