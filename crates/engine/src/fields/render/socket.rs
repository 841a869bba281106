//! Socket addresses as text: address and port joined by a colon, IPv6 without brackets.

use crate::fields::access::Text;
use peregrine_event::defines;
use peregrine_event::sock::{SockAddr, SockTuple, sockaddr, socktuple};
use std::fmt::Write;
use std::net::{IpAddr, Ipv6Addr};

/// Writes an address as `inet_ntop` does.
pub(crate) fn ip(out: &mut impl Write, addr: IpAddr) {
    let _ = match addr {
        IpAddr::V6(v6) => match compatible(v6) {
            Some(text) => out.write_str(&text),
            None => write!(out, "{v6}"),
        },
        IpAddr::V4(v4) => write!(out, "{v4}"),
    };
}

/// `inet_ntop` writes the last 32 bits of `::a.b.c.d` dotted if the first of them are not zero; Rust does not.
fn compatible(addr: Ipv6Addr) -> Option<String> {
    let segments = addr.segments();
    let v4 = segments[..6].iter().all(|s| *s == 0) && segments[6] != 0;
    v4.then(|| {
        let o = addr.octets();
        format!("::{}.{}.{}.{}", o[12], o[13], o[14], o[15])
    })
}

fn end(out: &mut Text<'_>, addr: IpAddr, port: u16) {
    ip(out, addr);
    let _ = write!(out, ":{port}");
}

/// Whether the path of a unix socket ends as it must. Upstream prints no other.
fn ends_in_nul(bytes: &[u8], least: usize) -> bool {
    bytes.len() >= least && bytes.last() == Some(&0)
}

/// What stands for an address that is cut short.
fn invalid(bytes: &[u8]) -> &'static [u8] {
    match bytes.first().map(|family| i64::from(*family)) {
        Some(defines::PPM_AF_INET) => b"INVALID IPv4",
        Some(defines::PPM_AF_INET6) => b"INVALID IPv6",
        _ => b"INVALID PATH",
    }
}

/// A `SOCKADDR` parameter.
pub(crate) fn address(out: &mut Text<'_>, bytes: &[u8]) {
    match sockaddr(bytes) {
        Some(SockAddr::Inet(addr, port)) => end(out, addr, port),
        Some(SockAddr::Unix(path)) if ends_in_nul(bytes, 2) => out.push(path),
        Some(SockAddr::Other(family)) => {
            let _ = write!(out, "family {family}");
        }
        _ => out.push(invalid(bytes)),
    }
}

/// A `SOCKTUPLE` parameter.
pub(crate) fn tuple(out: &mut Text<'_>, bytes: &[u8]) {
    match socktuple(bytes) {
        Some(SockTuple::Inet { sip, sport, dip, dport }) => {
            end(out, sip, sport);
            out.push(b"->");
            end(out, dip, dport);
        }
        Some(SockTuple::Unix { source, dest, path }) if ends_in_nul(bytes, 18) => {
            let _ = write!(out, "{source:x}->{dest:x} ");
            out.push(path);
        }
        Some(SockTuple::Other(family)) => {
            let _ = write!(out, "family {family}");
        }
        _ => out.push(invalid(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in ["1.2.3.4", "::1", "::", "fe80::1", "::ffff:1.2.3.4", "::1.2.3.4", "2001:db8::2:0:0:1"] {
            let mut out = String::new();
            ip(&mut out, text.parse().unwrap());
            assert_eq!(out, text);
        }
    }
}
