//! Socket addresses and tuples as parameters encode them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A `SOCKADDR` parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SockAddr<'a> {
    /// IPv4 or IPv6 address and port.
    Inet(IpAddr, u16),
    /// Path of a unix socket, without its NUL; abstract names keep what the driver wrote.
    Unix(&'a [u8]),
    /// Another family, by the schema's number.
    Other(u8),
}

/// A `SOCKTUPLE` parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SockTuple<'a> {
    /// Source and destination. Both ends v4-mapped count as IPv4.
    Inet {
        /// Source address.
        sip: IpAddr,
        /// Source port.
        sport: u16,
        /// Destination address.
        dip: IpAddr,
        /// Destination port.
        dport: u16,
    },
    /// Kernel pointers of both ends, and the path.
    Unix {
        /// Source socket.
        source: u64,
        /// Destination socket.
        dest: u64,
        /// Path, may be empty.
        path: &'a [u8],
    },
    /// Another family, by the schema's number.
    Other(u8),
}

const AF_UNIX: u8 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

fn v4(bytes: &[u8]) -> Option<IpAddr> {
    bytes.first_chunk::<4>().map(|b| IpAddr::V4(Ipv4Addr::from(*b)))
}

fn v6(bytes: &[u8]) -> Option<Ipv6Addr> {
    bytes.first_chunk::<16>().map(|b| Ipv6Addr::from(*b))
}

fn port(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk::<2>().map(|b| u16::from_le_bytes(*b))
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len())]
}

/// Whether an IPv6 address stands for an IPv4 one: `::ffff:a.b.c.d`, and, as upstream takes it, the unspecified address.
pub fn is_mapped(addr: Ipv6Addr) -> bool {
    addr.is_unspecified() || addr.to_ipv4_mapped().is_some()
}

fn low(addr: Ipv6Addr) -> IpAddr {
    let [.., a, b, c, d] = addr.octets();
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

/// Reads a `SOCKADDR`; `None` for an empty or short parameter.
pub fn sockaddr(bytes: &[u8]) -> Option<SockAddr<'_>> {
    let (family, rest) = bytes.split_first()?;
    Some(match *family {
        AF_INET => SockAddr::Inet(v4(rest)?, port(rest.get(4..)?)?),
        AF_INET6 => SockAddr::Inet(IpAddr::V6(v6(rest)?), port(rest.get(16..)?)?),
        AF_UNIX => SockAddr::Unix(until_nul(rest)),
        other => SockAddr::Other(other),
    })
}

/// Reads a `SOCKTUPLE`; `None` for an empty or short parameter.
pub fn socktuple(bytes: &[u8]) -> Option<SockTuple<'_>> {
    let (family, rest) = bytes.split_first()?;
    Some(match *family {
        AF_INET => SockTuple::Inet {
            sip: v4(rest)?,
            sport: port(rest.get(4..)?)?,
            dip: v4(rest.get(6..)?)?,
            dport: port(rest.get(10..)?)?,
        },
        AF_INET6 => {
            let (sip, dip) = (v6(rest)?, v6(rest.get(18..)?)?);
            let (sport, dport) = (port(rest.get(16..)?)?, port(rest.get(34..)?)?);
            if is_mapped(sip) && is_mapped(dip) {
                SockTuple::Inet { sip: low(sip), sport, dip: low(dip), dport }
            } else {
                SockTuple::Inet { sip: IpAddr::V6(sip), sport, dip: IpAddr::V6(dip), dport }
            }
        }
        AF_UNIX => SockTuple::Unix {
            source: u64::from_le_bytes(*rest.first_chunk()?),
            dest: u64::from_le_bytes(*rest.get(8..)?.first_chunk()?),
            path: until_nul(rest.get(16..)?),
        },
        other => SockTuple::Other(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v4_tuple() {
        let bytes = [2, 10, 0, 0, 1, 0x39, 0x30, 127, 0, 0, 1, 80, 0];
        let Some(SockTuple::Inet { sip, sport, dip, dport }) = socktuple(&bytes) else { panic!("no tuple") };
        assert_eq!(
            (sip.to_string(), sport, dip.to_string(), dport),
            ("10.0.0.1".into(), 12345, "127.0.0.1".into(), 80)
        );
        for cut in 0..bytes.len() {
            assert_eq!(socktuple(&bytes[..cut]), None);
        }
    }

    #[test]
    fn mapped_ends_are_v4() {
        let mut bytes = vec![10];
        for _ in 0..2 {
            bytes.extend_from_slice(&Ipv4Addr::new(1, 2, 3, 4).to_ipv6_mapped().octets());
            bytes.extend_from_slice(&443u16.to_le_bytes());
        }
        assert!(matches!(socktuple(&bytes), Some(SockTuple::Inet { sip: IpAddr::V4(_), dport: 443, .. })));
    }

    #[test]
    fn an_unspecified_end_counts_as_v4_beside_a_mapped_one() {
        let mut bytes = vec![10];
        for addr in [Ipv4Addr::new(1, 2, 3, 4).to_ipv6_mapped(), Ipv6Addr::UNSPECIFIED] {
            bytes.extend_from_slice(&addr.octets());
            bytes.extend_from_slice(&53u16.to_le_bytes());
        }
        let Some(SockTuple::Inet { sip, dip, .. }) = socktuple(&bytes) else { panic!("no tuple") };
        assert_eq!((sip.to_string(), dip.to_string()), ("1.2.3.4".into(), "0.0.0.0".into()));
    }

    #[test]
    fn unix_addresses() {
        assert_eq!(sockaddr(b"\x01/run/x\0"), Some(SockAddr::Unix(b"/run/x")));
        assert_eq!(sockaddr(b"\x10"), Some(SockAddr::Other(16)));
        assert_eq!(sockaddr(b""), None);
    }
}
