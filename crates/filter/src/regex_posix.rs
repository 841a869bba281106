//! Regular expressions as the operator `regex` reads them: RE2's POSIX syntax, matching the value as a whole.
//!
//! The matcher is the `regex` crate, whose syntax is a superset with other meanings in corners, so that a pattern is
//! first read by RE2's rules and written out in an unambiguous form: no Perl classes, no `(?…)`, no lazy repetition;
//! `^` and `$` match at line ends; `.` and negated classes never match a newline; `{` that opens no repetition is
//! itself. Which alternative wins does not matter where only a match of everything counts.

use crate::lexer::value_bytes;
use regex::bytes::{Regex, RegexBuilder};

/// Largest count of a repetition, RE2's.
const MAX_REPEAT: u32 = 1000;
/// Deepest nesting of groups.
const MAX_GROUPS: usize = 250;

/// Compiles a pattern so that it matches whole values.
///
/// # Errors
/// What is wrong with the pattern, in RE2's words.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let bytes = value_bytes(pattern);
    let text = std::str::from_utf8(&bytes).map_err(|_| "invalid UTF-8".to_owned())?;
    let translated = translate(text)?;
    RegexBuilder::new(&format!("\\A(?:{translated})\\z"))
        .multi_line(true)
        .size_limit(8 << 20)
        .build()
        .map_err(|_| format!("pattern too large - compile failed: {text}"))
}

struct Translator<'a> {
    text: &'a str,
    at: usize,
    out: String,
    /// Where in the output the last repeatable item starts.
    item: Option<usize>,
    /// Where in the output the open groups start.
    groups: Vec<usize>,
}

fn translate(text: &str) -> Result<String, String> {
    let mut t = Translator { text, at: 0, out: String::new(), item: None, groups: Vec::new() };
    while let Some(c) = t.peek() {
        t.step(c)?;
    }
    if t.groups.is_empty() { Ok(t.out) } else { Err(format!("missing ): {text}")) }
}

impl Translator<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn step(&mut self, c: char) -> Result<(), String> {
        match c {
            '(' => self.open()?,
            ')' => {
                let start = self.groups.pop().ok_or_else(|| format!("unexpected ): {}", self.text))?;
                self.out.push(')');
                self.item = Some(start);
            }
            '|' => {
                self.out.push('|');
                self.item = None;
            }
            '*' | '+' | '?' => return self.repeat(c.len_utf8(), &c.to_string()),
            '{' => {
                if let Some((len, counts)) = self.counted() {
                    return self.repeat(len, &counts?);
                }
                self.emit("\\{");
            }
            '[' => return self.class(),
            '\\' => return self.escape(),
            '^' | '$' => self.emit(&format!("(?m:{c})")),
            '.' => self.emit("[^\\n]"),
            other => self.emit(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
        self.at += c.len_utf8();
        Ok(())
    }

    fn open(&mut self) -> Result<(), String> {
        if self.text[self.at..].starts_with("(?") {
            return Err("no argument for repetition operator: ?".into());
        }
        if self.groups.len() >= MAX_GROUPS {
            return Err("expression nests too deeply".into());
        }
        self.groups.push(self.out.len());
        self.out.push_str("(?:");
        self.item = None;
        Ok(())
    }

    fn emit(&mut self, text: &str) {
        self.item = Some(self.out.len());
        self.out.push_str(text);
    }

    /// Writes a repetition of the last item, grouped so that repetitions may be stacked.
    fn repeat(&mut self, len: usize, operator: &str) -> Result<(), String> {
        let written = &self.text[self.at..self.at + len];
        let Some(item) = self.item else {
            return Err(format!("no argument for repetition operator: {written}"));
        };
        self.out.insert_str(item, "(?:");
        self.out.push(')');
        self.out.push_str(operator);
        self.out.insert_str(item, "(?:");
        self.out.push(')');
        self.at += len;
        Ok(())
    }

    /// `{n}`, `{n,}` or `{n,m}` at the cursor: its length and how to write it.
    fn counted(&self) -> Option<(usize, Result<String, String>)> {
        let rest = &self.text[self.at..];
        let inner = &rest[1..rest.find('}')?];
        let number = |text: &str| {
            let digits = !text.is_empty() && text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit());
            let leading_zero = text.len() > 1 && text.starts_with('0');
            digits.then(|| if leading_zero { None } else { text.parse::<u32>().ok() }).flatten()
        };
        let (min, max) = match inner.split_once(',') {
            None => number(inner).map(|n| (n, Some(n)))?,
            Some((min, "")) => (number(min)?, None),
            Some((min, max)) => (number(min)?, Some(number(max)?)),
        };
        let bad = min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || max < min);
        let text = if bad {
            Err(format!("invalid repetition size: {{{inner}}}"))
        } else {
            Ok(max.map_or_else(|| format!("{{{min},}}"), |max| format!("{{{min},{max}}}")))
        };
        Some((inner.len() + 2, text))
    }

    fn escape(&mut self) -> Result<(), String> {
        let c = self.escaped_char()?;
        self.emit(&format!("\\x{{{:x}}}", c as u32));
        Ok(())
    }

    /// Reads `\…`: a character.
    fn escaped_char(&mut self) -> Result<char, String> {
        let rest = &self.text[self.at + 1..];
        let Some(c) = rest.chars().next() else { return Err("trailing \\: ".trim_end_matches(": ").into()) };
        let bad = || format!("invalid escape sequence: \\{c}");
        let (len, value) = match c {
            'a' => (1, '\x07'),
            'f' => (1, '\x0c'),
            'n' => (1, '\n'),
            'r' => (1, '\r'),
            't' => (1, '\t'),
            'v' => (1, '\x0b'),
            '0'..='7' => {
                let digits = rest.bytes().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
                if c != '0' && digits == 1 {
                    return Err(bad());
                }
                let value = u32::from_str_radix(&rest[..digits], 8).map_err(|_| bad())?;
                (digits, char::from_u32(value).ok_or_else(bad)?)
            }
            'x' => hex_escape(&rest[1..]).map(|(len, c)| (len + 1, c)).ok_or_else(bad)?,
            other if other.is_ascii() && !other.is_ascii_alphanumeric() && other != '_' => (1, other),
            _ => return Err(bad()),
        };
        self.at += 1 + len;
        Ok(value)
    }

    /// A bracket expression.
    fn class(&mut self) -> Result<(), String> {
        let start = self.at;
        let missing = || format!("missing ]: {}", &self.text[start..]);
        let mut out = String::from("[");
        self.at += 1;
        if self.peek() == Some('^') {
            self.at += 1;
            out.push_str("^\\n");
        }
        let mut first = true;
        loop {
            let Some(c) = self.peek() else { return Err(missing()) };
            if c == ']' && !first {
                break;
            }
            // As RE2 says: a dash is itself at either end only.
            let rest = &self.text[self.at + c.len_utf8()..];
            if c == '-' && !first && !rest.starts_with(']') {
                return Err(format!("invalid character class range: -{}", rest.chars().next().unwrap_or_default()));
            }
            first = false;
            if let Some(named) = self.text[self.at..].strip_prefix("[:")
                && let Some(end) = named.find(":]")
            {
                let name = &named[..end];
                if !known_class(name.strip_prefix('^').unwrap_or(name)) {
                    return Err(format!("invalid character class range: [:{name}:]"));
                }
                out.push_str(&format!("[:{name}:]"));
                self.at += end + 4;
                continue;
            }
            self.range(&mut out)?;
        }
        self.at += 1;
        out.push(']');
        self.emit(&out);
        Ok(())
    }

    fn range(&mut self, out: &mut String) -> Result<(), String> {
        let start = self.at;
        let low = self.class_char()?;
        let rest = &self.text[self.at..];
        let mut high = low;
        if rest.starts_with('-') && rest.len() > 1 && !rest.starts_with("-]") {
            self.at += 1;
            high = self.class_char()?;
            if high < low {
                return Err(format!("invalid character class range: {}", &self.text[start..self.at]));
            }
        }
        out.push_str(&format!("\\x{{{:x}}}-\\x{{{:x}}}", low as u32, high as u32));
        Ok(())
    }

    fn class_char(&mut self) -> Result<char, String> {
        match self.peek() {
            Some('\\') => self.escaped_char(),
            Some(c) => {
                self.at += c.len_utf8();
                Ok(c)
            }
            None => Err(format!("missing ]: {}", self.text)),
        }
    }
}

fn hex_escape(rest: &str) -> Option<(usize, char)> {
    let (digits, len) = match rest.strip_prefix('{') {
        Some(inner) => {
            let end = inner.find('}')?;
            (&inner[..end], end + 2)
        }
        None => (rest.get(..2)?, 2),
    };
    if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some((len, char::from_u32(u32::from_str_radix(digits, 16).ok()?)?))
}

fn known_class(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
        "word", "xdigit",
    ];
    NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::compile;

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern).unwrap().is_match(text.as_bytes())
    }

    #[test]
    fn values_match_as_a_whole() {
        assert!(matches("a|ab", "ab"));
        assert!(!matches("a", "ab"));
        assert!(matches("^/etc/.*$", "/etc/shadow"));
        assert!(!matches("a.b", "a\nb"));
        assert!(!matches("[^x]", "\n"));
        assert!(matches("[]a]+", "]a]"));
        assert!(matches("[^]a]", "b"));
        assert!(matches("[[:digit:]x-]{2,3}", "1-x"));
        assert!(matches("a{,2}", "a{,2}"));
        assert!(matches("a**", "aaa"));
        assert!(matches("a+?", ""));
        assert!(matches("\\x41\\.\\101", "A.A"));
        assert!(matches("(ab|c)*d", "abcabd"));
        assert!(matches("[a&&b]+", "a&b"));
        assert!(matches("é.", "éü"));
    }

    #[test]
    fn bad_patterns_are_refused() {
        for (pattern, message) in [
            ("(a", "missing ): (a"),
            ("a)", "unexpected ): a)"),
            ("[a", "missing ]: [a"),
            ("*a", "no argument for repetition operator: *"),
            ("a|*", "no argument for repetition operator: *"),
            ("(?i)a", "no argument for repetition operator: ?"),
            ("\\d", "invalid escape sequence: \\d"),
            ("\\1", "invalid escape sequence: \\1"),
            ("a\\", "trailing \\"),
            ("[z-a]", "invalid character class range: z-a"),
            ("a{1001}", "invalid repetition size: {1001}"),
            ("a{3,2}", "invalid repetition size: {3,2}"),
        ] {
            assert_eq!(compile(pattern).err().as_deref(), Some(message), "{pattern}");
        }
    }

    #[test]
    fn monsters_are_bounded() {
        assert!(compile(&"(".repeat(100_000)).is_err());
        assert!(compile("((((a{1000}){1000}){1000}){1000})").is_err());
        assert!(compile(&"a*".repeat(50)).is_ok());
    }
}
