//! JSON values of alerts, written byte for byte as Falco's JSON library writes them.
//!
//! Compact, `/` and non-ASCII text unescaped, control characters below 0x20 escaped, invalid UTF-8 replaced by U+FFFD.

use std::fmt::Write;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// A fraction; not finite prints as `null`.
    Double(f64),
    /// A text.
    Text(String),
    /// An array.
    Array(Vec<Json>),
}

impl Json {
    /// Appends the value's text.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(value) => {
                let _ = write!(out, "{value}");
            }
            Self::Uint(value) => {
                let _ = write!(out, "{value}");
            }
            Self::Double(value) => write_double(*value, out),
            Self::Text(value) => write_text(value, out),
            Self::Array(values) => {
                write_joined(out, ('[', ']'), values, |value, out| value.write(out));
            }
        }
    }
}

/// Appends an object of the given pairs, in their order.
pub fn write_object<K: AsRef<str>>(pairs: &[(K, Json)], out: &mut String) {
    write_joined(out, ('{', '}'), pairs, |(key, value), out| {
        write_text(key.as_ref(), out);
        out.push(':');
        value.write(out);
    });
}

fn write_joined<T>(out: &mut String, ends: (char, char), items: &[T], mut each: impl FnMut(&T, &mut String)) {
    out.push(ends.0);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        each(item, out);
    }
    out.push(ends.1);
}

/// Appends a text in quotes.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    write_escaped(text, out);
    out.push('"');
}

/// Appends a text escaped as inside quotes.
pub fn write_escaped(text: &str, out: &mut String) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            8 => "\\b",
            9 => "\\t",
            10 => "\\n",
            12 => "\\f",
            13 => "\\r",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        out.push_str(escape);
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        }
        plain = at + 1;
    }
    out.push_str(&text[plain..]);
}

/// Shortest digits that read back as the same number: plain between 1e-4 and 1e15, else with a signed two-digit
/// exponent; always recognisable as a fraction.
fn write_double(value: f64, out: &mut String) {
    if !value.is_finite() {
        out.push_str("null");
        return;
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 || (-4..15).contains(&exponent) {
        let plain = format!("{value}");
        out.push_str(&plain);
        if !plain.contains('.') {
            out.push_str(".0");
        }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{digits}e{sign}{:02}", exponent.abs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &Json) -> String {
        let mut out = String::new();
        value.write(&mut out);
        out
    }

    #[test]
    fn texts_are_escaped_as_upstream_does() {
        let raw = "a\"b\\c/\u{1}\u{8}\t\n\u{c}\r\u{1f}\u{7f}é\u{fffd}";
        assert_eq!(text(&Json::Text(raw.into())), "\"a\\\"b\\\\c/\\u0001\\b\\t\\n\\f\\r\\u001f\u{7f}é\u{fffd}\"");
    }

    #[test]
    fn numbers() {
        let doubles = [
            (0.02, "0.02"),
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1e14, "100000000000000.0"),
            (1e15, "1e+15"),
            (1.5e-7, "1.5e-07"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (f64::NAN, "null"),
        ];
        for (value, expected) in doubles {
            assert_eq!(text(&Json::Double(value)), expected);
        }
        assert_eq!(text(&Json::Uint(u64::MAX)), "18446744073709551615");
        let list = Json::Array(vec![Json::Int(-1), Json::Null, Json::Bool(true)]);
        assert_eq!(text(&list), "[-1,null,true]");
    }
}
