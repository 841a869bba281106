//! Addresses as text: the names of sockets.
//!
//! Semantics: `write_sockaddr_param_to_storage`, `write_socktuple_param_to_storage` and `sockinfo_to_str` of libsinsp.
//! Everything is written into a caller's buffer.

use peregrine_event::sock::{SockAddr, SockTuple};
use std::io::Write;
use std::net::{IpAddr, Ipv6Addr};

/// Appends an address as `inet_ntop` prints it.
pub fn ip(addr: IpAddr, out: &mut Vec<u8>) {
    match addr {
        IpAddr::V4(v4) => ip4(v4.octets(), out),
        IpAddr::V6(v6) => ip6(v6, out),
    }
}

fn ip4(octets: [u8; 4], out: &mut Vec<u8>) {
    for (at, octet) in octets.into_iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        decimal(octet.into(), out);
    }
}

/// Appends a number. The names of sockets are made for every connection: formatting would cost several times as much.
fn decimal(mut number: u16, out: &mut Vec<u8>) {
    let mut digits = [0; 5];
    let mut at = digits.len();
    while at > 0 {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// IPv4-compatible addresses (`::1.2.3.4`) are the one case where Rust and C differ.
fn ip6(addr: Ipv6Addr, out: &mut Vec<u8>) {
    let words = addr.segments();
    if words[..6].iter().all(|w| *w == 0) && words[6] != 0 {
        let [.., a, b, c, d] = addr.octets();
        return push(out, format_args!("::{a}.{b}.{c}.{d}"));
    }
    push(out, format_args!("{addr}"));
}

/// Appends `address:port`, IPv6 without brackets.
pub fn endpoint(addr: IpAddr, port: u16, out: &mut Vec<u8>) {
    ip(addr, out);
    out.push(b':');
    decimal(port, out);
}

/// Appends `sip:sport->dip:dport`.
pub fn tuple(sip: IpAddr, sport: u16, dip: IpAddr, dport: u16, out: &mut Vec<u8>) {
    endpoint(sip, sport, out);
    out.extend_from_slice(b"->");
    endpoint(dip, dport, out);
}

/// Appends `source->dest path` of a unix socket.
pub fn unix_tuple(source: u64, dest: u64, path: &[u8], out: &mut Vec<u8>) {
    push(out, format_args!("{source:x}->{dest:x} "));
    out.extend_from_slice(path);
}

/// Appends a `SOCKADDR` parameter's text.
pub fn sockaddr(addr: &SockAddr<'_>, out: &mut Vec<u8>) {
    match *addr {
        SockAddr::Inet(addr, port) => endpoint(addr, port, out),
        SockAddr::Unix(path) => out.extend_from_slice(path),
        SockAddr::Other(family) => push(out, format_args!("family {family}")),
    }
}

/// Appends a `SOCKTUPLE` parameter's text.
pub fn socktuple(addr: &SockTuple<'_>, out: &mut Vec<u8>) {
    match *addr {
        SockTuple::Inet { sip, sport, dip, dport } => tuple(sip, sport, dip, dport, out),
        SockTuple::Unix { source, dest, path } => unix_tuple(source, dest, path, out),
        SockTuple::Other(family) => push(out, format_args!("family {family}")),
    }
}

fn push(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing into a vector cannot fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(addr: &str) -> String {
        let mut out = Vec::new();
        ip(addr.parse().unwrap(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn addresses_print_as_inet_ntop_does() {
        for (addr, want) in [
            ("127.0.0.1", "127.0.0.1"),
            ("255.100.10.9", "255.100.10.9"),
            ("::", "::"),
            ("::1", "::1"),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
            ("::102:304", "::1.2.3.4"),
            ("fe80:0:0:1:0:0:0:2", "fe80:0:0:1::2"),
        ] {
            assert_eq!(shown(addr), want);
        }
    }

    #[test]
    fn numbers() {
        let mut out = Vec::new();
        for number in [0, 9, 10, 105, 9_999, 65_535] {
            out.clear();
            decimal(number, &mut out);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }

    #[test]
    fn tuples() {
        let mut out = Vec::new();
        socktuple(
            &SockTuple::Inet { sip: "::1".parse().unwrap(), sport: 4, dip: "::2".parse().unwrap(), dport: 80 },
            &mut out,
        );
        assert_eq!(out, b"::1:4->::2:80");
        out.clear();
        socktuple(&SockTuple::Unix { source: 0xABC, dest: 0, path: b"" }, &mut out);
        assert_eq!(out, b"abc->0 ");
        out.clear();
        socktuple(&SockTuple::Other(17), &mut out);
        assert_eq!(out, b"family 17");
    }
}
