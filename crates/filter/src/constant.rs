//! Constants: the text on the right of an operator, read as the left side's type.
//!
//! Upstream reads numbers with `sscanf("%u%c")` and its like: decimal only, blanks and a sign before it allowed,
//! nothing behind it, overflow cut to the type's width. Messages are upstream's (`value_parser.cpp`).

use crate::lexer::value_bytes;
use crate::services;
use crate::typed::Const;
use peregrine_event::ParamType as T;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest text constant in bytes.
pub const MAX_TEXT: usize = 255;

/// Reads a constant of a type.
///
/// # Errors
/// Upstream's message when the text is no value of the type.
pub fn parse_constant(text: &str, ty: T) -> Result<Const, String> {
    let bytes = value_bytes(text);
    if bytes.contains(&0) {
        return Err("filter error: filter value cannot contain a NUL byte (\\x00)".into());
    }
    Ok(match ty {
        T::Int8 => Const::Int(i64::from(signed(text)? as i8)),
        T::Int16 => Const::Int(i64::from(signed(text)? as i16)),
        T::Int32 => Const::Int(i64::from(signed(text)? as i32)),
        T::Int64 | T::Fd | T::Errno | T::Pid => Const::Int(signed(text)?),
        T::L4proto | T::Flags8 | T::Uint8 | T::Enumflags8 => Const::Uint(unsigned(text)? & 0xff),
        T::Flags16 | T::Uint16 | T::Enumflags16 => Const::Uint(unsigned(text)? & 0xffff),
        T::Flags32 | T::Uint32 | T::Mode | T::Enumflags32 | T::Uid | T::Gid => {
            Const::Uint(unsigned(text)? & 0xffff_ffff)
        }
        T::Uint64 | T::Reltime | T::Abstime => Const::Uint(unsigned(text)?),
        T::Port => Const::Uint(u64::from(port(text)?)),
        T::Charbuf | T::Sockaddr | T::Socktuple | T::Sockfamily | T::Fspath | T::Fsrelpath => {
            if bytes.len() > MAX_TEXT {
                let used = bytes.len() + 1;
                return Err(format!("filter parameter too long (used={used}, available={}):{text}", MAX_TEXT + 1));
            }
            Const::Bytes(bytes)
        }
        T::Bool => Const::Bool(match text {
            "true" => true,
            "false" => false,
            _ => return Err(format!("filter error: unrecognized boolean value {text}")),
        }),
        T::Double => Const::Double(f64::from(signed(text)? as i32)),
        T::Ipaddr if text.contains('.') => Const::Ip(ipv4(text)?),
        T::Ipaddr | T::Ipv6addr => Const::Ip(ipv6(text)?),
        T::Ipv4addr => Const::Ip(ipv4(text)?),
        T::Ipnet if text.contains('.') => ipv4net(text)?,
        T::Ipnet | T::Ipv6net => ipv6net(text)?,
        T::Ipv4net => ipv4net(text)?,
        other => return Err(format!("wrong parameter type {}", other as u8)),
    })
}

/// Reads a constant of a byte buffer: any bytes.
///
/// # Errors
/// Upstream's message when it is too long.
pub fn parse_bytes(bytes: Vec<u8>) -> Result<Const, String> {
    if bytes.len() > MAX_TEXT {
        return Err("filter parameter too long (byte buf)".into());
    }
    Ok(Const::Bytes(bytes))
}

/// Reads pairs of hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// A number as `strtoul` reads it: sign and magnitude, saturated.
fn number(text: &str) -> Option<(bool, Option<u64>)> {
    let digits = text.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let negative = digits.starts_with('-');
    let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((negative, digits.parse().ok()))
}

/// Reads an unsigned number; a minus sign wraps, overflow saturates.
pub(crate) fn unsigned(text: &str) -> Result<u64, String> {
    match number(text) {
        None => Err(format!("{text} is not a valid number")),
        Some((_, None)) => Ok(u64::MAX),
        Some((false, Some(value))) => Ok(value),
        Some((true, Some(value))) => Ok(value.wrapping_neg()),
    }
}

fn signed(text: &str) -> Result<i64, String> {
    match number(text) {
        None => Err(format!("{text} is not a valid number")),
        Some((negative, value)) => {
            let magnitude = i128::from(value.unwrap_or(u64::MAX));
            let value = if negative { -magnitude } else { magnitude };
            Ok(value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
        }
    }
}

fn port(text: &str) -> Result<u16, String> {
    if text.is_empty() {
        return Ok(0);
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        // Upstream cuts what `stoi` yields, and refuses what `stoi` cannot hold.
        return text.parse::<i32>().map(|v| v as u16).map_err(|_| format!("{text} is not a valid number"));
    }
    services::port(text).ok_or_else(|| format!("unrecognized protocol {text}"))
}

fn ipv4(text: &str) -> Result<IpAddr, String> {
    text.parse::<Ipv4Addr>().map(IpAddr::V4).map_err(|_| format!("unrecognized IPv4 address {text}"))
}

fn ipv6(text: &str) -> Result<IpAddr, String> {
    text.parse::<Ipv6Addr>().map(IpAddr::V6).map_err(|_| format!("unrecognized IPv6 address {text}"))
}

fn ipv4net(text: &str) -> Result<Const, String> {
    let Some((address, mask)) = text.split_once('/') else {
        return Err(format!("unrecognized IP network {text}"));
    };
    let address = address.parse::<Ipv4Addr>().map_err(|_| format!("unrecognized IP address {text}"))?;
    match (unsigned(mask)? & 0xff) as u8 {
        len @ 0..=32 => Ok(Const::Net(IpAddr::V4(address), len)),
        _ => Err(format!("invalid netmask {mask}")),
    }
}

fn ipv6net(text: &str) -> Result<Const, String> {
    let Some((address, mask)) = text.split_once('/') else {
        return Err(format!("invalid v6 netmask: {text}"));
    };
    let address = address.parse::<Ipv6Addr>().map_err(|_| format!("unrecognized IPv6 address {text}"))?;
    match (unsigned(mask)? & 0xff) as u8 {
        len @ 1..=128 => Ok(Const::Net(IpAddr::V6(address), len)),
        _ => Err(format!("invalid v6 netmask {mask}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_scanf() {
        assert_eq!(parse_constant("-1", T::Uint32), Ok(Const::Uint(0xffff_ffff)));
        assert_eq!(parse_constant(" +7", T::Int64), Ok(Const::Int(7)));
        assert_eq!(parse_constant("300", T::Uint8), Ok(Const::Uint(44)));
        assert_eq!(parse_constant("99999999999999999999", T::Int64), Ok(Const::Int(i64::MAX)));
        assert_eq!(parse_constant("-5", T::Double), Ok(Const::Double(-5.0)));
        for bad in ["0x10", "1.5", "1e+3", "", "7 ", "a"] {
            assert_eq!(parse_constant(bad, T::Int64), Err(format!("{bad} is not a valid number")));
        }
    }

    #[test]
    fn ports_have_names() {
        assert_eq!(parse_constant("http", T::Port), Ok(Const::Uint(80)));
        assert_eq!(parse_constant("", T::Port), Ok(Const::Uint(0)));
        assert_eq!(parse_constant("nosuch", T::Port), Err("unrecognized protocol nosuch".into()));
        assert!(parse_constant("99999999999", T::Port).is_err());
    }

    #[test]
    fn addresses_and_networks() {
        let v4 = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0));
        assert_eq!(parse_constant("10.0.0.0/8", T::Ipnet), Ok(Const::Net(v4, 8)));
        assert_eq!(parse_constant("10.0.0.0", T::Ipaddr), Ok(Const::Ip(v4)));
        assert_eq!(parse_constant("10.0.0.0/33", T::Ipnet), Err("invalid netmask 33".into()));
        assert_eq!(parse_constant("::1/0", T::Ipnet), Err("invalid v6 netmask 0".into()));
        assert_eq!(parse_constant("10.0.0", T::Ipaddr), Err("unrecognized IPv4 address 10.0.0".into()));
        assert_eq!(parse_constant("x", T::Ipaddr), Err("unrecognized IPv6 address x".into()));
    }

    #[test]
    fn texts_are_bounded() {
        assert!(parse_constant(&"a".repeat(255), T::Charbuf).is_ok());
        let error = parse_constant(&"a".repeat(256), T::Charbuf).unwrap_err();
        assert!(error.starts_with("filter parameter too long (used=257, available=256):aaa"));
        assert!(parse_constant("a\0", T::Charbuf).unwrap_err().contains("NUL byte"));
    }
}
