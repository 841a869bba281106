//! A field's value as text, as outputs print it.

use super::{number, socket};
use crate::value::Value;
use peregrine_event::{ParamType as T, PrintFormat as F};
use std::fmt::{self, Write};

/// Writes a value of a field of type `ty` that prints as `fmt`. Texts that are not UTF-8 get U+FFFD for what is wrong;
/// control characters stay.
pub fn write(out: &mut String, value: &Value<'_>, ty: T, fmt: F) {
    let _ = try_write(out, value, ty, fmt);
}

fn try_write(out: &mut String, value: &Value<'_>, ty: T, fmt: F) -> fmt::Result {
    match value {
        Value::Bytes(bytes) if ty == T::Bytebuf => {
            out.extend(bytes.iter().map(|b| if matches!(b, 0x20..=0x7E) { char::from(*b) } else { '.' }));
            Ok(())
        }
        Value::Bytes(bytes) => out.write_str(&String::from_utf8_lossy(bytes)),
        Value::Int(value) => integer(out, *value, ty, fmt),
        Value::Uint(value) => unsigned(out, *value, fmt),
        Value::Double(value) => write!(out, "{value:.1}"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Ip(_) if ty == T::Ipnet => out.write_str("<IPNET>"),
        Value::Ip(addr) => {
            socket::ip(out, *addr);
            Ok(())
        }
        Value::List(values) => {
            out.push('(');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                try_write(out, value, ty, fmt)?;
            }
            out.write_char(')')
        }
    }
}

fn integer(out: &mut String, value: i64, ty: T, fmt: F) -> fmt::Result {
    let bits = ty.fixed_size().map_or(64, |size| 8 * size as u32);
    match fmt {
        // Unlike in a parameter's text there is no leading zero.
        F::Oct if bits <= 32 => write!(out, "{:o}", value as u32),
        F::Oct => write!(out, "{value:o}"),
        _ => number::integer(out, value, bits, fmt),
    }
}

fn unsigned(out: &mut String, value: u64, fmt: F) -> fmt::Result {
    match fmt {
        F::Oct => write!(out, "{value:o}"),
        F::Hex => write!(out, "{value:X}"),
        F::PaddedDec => write!(out, "{value:09}"),
        _ => write!(out, "{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Value<'_>, ty: T, fmt: F) -> String {
        let mut out = String::new();
        write(&mut out, &value, ty, fmt);
        out
    }

    #[test]
    fn texts() {
        assert_eq!(text(Value::Uint(u64::from(u32::MAX)), T::Uint32, F::Id), "4294967295");
        assert_eq!(text(Value::Int(-1), T::Int64, F::Id), "-1");
        assert_eq!(text(Value::Int(0x2D), T::Int32, F::Hex), "2D");
        assert_eq!(text(Value::Uint(42), T::Abstime, F::PaddedDec), "000000042");
        assert_eq!(text(Value::Double(0.02), T::Double, F::Na), "0.0");
        assert_eq!(text(Value::Bytes(b"a\xffb\n"), T::Charbuf, F::Na), "a\u{FFFD}b\n");
        assert_eq!(text(Value::List(&[Value::Bytes(b"a"), Value::Bytes(b"b")]), T::Charbuf, F::Na), "(a,b)");
    }
}
