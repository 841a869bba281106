//! A socket's addresses in the overlapping layouts that upstream keeps them in.
//!
//! Upstream stores the five kinds of socket information in one union and reads it by the descriptor's current type. When
//! the type changes (a bound UDP server that receives, an IPv6 socket connected to a v4-mapped address), what is read
//! then is what the other layout left there, and names show it. Keeping the same bytes is the one way to give the same
//! names on replay. Where Peregrine's own records give the true addresses, all bytes are set anew and nothing shines
//! through.

use crate::fd::SockName;
use peregrine_capture::tables::FdType;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The bytes of the union; ports in host order, addresses as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SockBytes([u8; 40]);

impl Default for SockBytes {
    fn default() -> Self {
        Self([0; 40])
    }
}

/// Offsets of one layout.
struct Layout {
    sip: usize,
    dip: usize,
    sport: usize,
    dport: usize,
    proto: usize,
}

const V4: Layout = Layout { sip: 0, dip: 4, sport: 8, dport: 10, proto: 12 };
const V6: Layout = Layout { sip: 0, dip: 16, sport: 32, dport: 34, proto: 36 };
const V4_SERVER: Layout = Layout { sip: 0, dip: 0, sport: 4, dport: 4, proto: 6 };
const V6_SERVER: Layout = Layout { sip: 0, dip: 0, sport: 16, dport: 16, proto: 18 };

fn layout(ty: FdType) -> Option<&'static Layout> {
    Some(match ty {
        FdType::Ipv4Sock => &V4,
        FdType::Ipv6Sock => &V6,
        FdType::Ipv4ServSock => &V4_SERVER,
        FdType::Ipv6ServSock => &V6_SERVER,
        _ => return None,
    })
}

impl SockBytes {
    fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.0[at], self.0[at + 1]])
    }

    fn u64(&self, at: usize) -> u64 {
        self.0[at..at + 8].first_chunk().map_or(0, |b| u64::from_le_bytes(*b))
    }

    fn v4(&self, at: usize) -> Ipv4Addr {
        self.0[at..].first_chunk::<4>().map_or(Ipv4Addr::UNSPECIFIED, |b| Ipv4Addr::from(*b))
    }

    fn v6(&self, at: usize) -> Ipv6Addr {
        self.0[at..].first_chunk::<16>().map_or(Ipv6Addr::UNSPECIFIED, |b| Ipv6Addr::from(*b))
    }

    fn set(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn set_ip(&mut self, at: usize, addr: IpAddr) {
        match addr {
            IpAddr::V4(v4) => self.set(at, &v4.octets()),
            IpAddr::V6(v6) => self.set(at, &v6.octets()),
        }
    }

    /// What a descriptor of this type shows.
    pub(crate) fn view(&self, ty: FdType) -> SockName {
        match ty {
            FdType::Ipv4Sock | FdType::Ipv6Sock => {
                let (sip, sport, dip, dport) = self.tuple(ty);
                SockName::Inet { sip, sport, dip, dport }
            }
            FdType::Ipv4ServSock => SockName::Inet {
                sip: IpAddr::V4(self.v4(V4_SERVER.sip)),
                sport: self.u16(V4_SERVER.sport),
                dip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                dport: 0,
            },
            FdType::Ipv6ServSock => SockName::Inet {
                sip: IpAddr::V6(self.v6(V6_SERVER.sip)),
                sport: self.u16(V6_SERVER.sport),
                dip: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
                dport: 0,
            },
            FdType::UnixSock => SockName::Unix { source: self.u64(0), dest: self.u64(8) },
            _ => SockName::None,
        }
    }

    /// Source and destination, read as IPv6 for that type and as IPv4 for all others.
    pub(crate) fn tuple(&self, ty: FdType) -> (IpAddr, u16, IpAddr, u16) {
        let at = if ty == FdType::Ipv6Sock { &V6 } else { &V4 };
        let read = |o: usize| if ty == FdType::Ipv6Sock { IpAddr::V6(self.v6(o)) } else { IpAddr::V4(self.v4(o)) };
        (read(at.sip), self.u16(at.sport), read(at.dip), self.u16(at.dport))
    }

    /// Overwrites source and destination in the layout of the type.
    pub(crate) fn set_tuple(&mut self, ty: FdType, (sip, sport, dip, dport): (IpAddr, u16, IpAddr, u16)) {
        let at = if ty == FdType::Ipv6Sock { &V6 } else { &V4 };
        self.set_ip(at.sip, sip);
        self.set_ip(at.dip, dip);
        self.set(at.sport, &sport.to_le_bytes());
        self.set(at.dport, &dport.to_le_bytes());
    }

    /// Overwrites address and port in the layout of a server socket.
    pub(crate) fn set_server(&mut self, ty: FdType, addr: IpAddr, port: u16) {
        if let Some(at) = layout(ty) {
            self.set_ip(at.sip, addr);
            self.set(at.sport, &port.to_le_bytes());
        }
    }

    /// Overwrites both ends of a unix socket.
    pub(crate) fn set_unix(&mut self, source: u64, dest: u64) {
        self.set(0, &source.to_le_bytes());
        self.set(8, &dest.to_le_bytes());
    }

    /// The protocol as a descriptor of this type shows it; 0 for other types.
    pub(crate) fn proto(&self, ty: FdType) -> u8 {
        layout(ty).map_or(0, |at| self.0[at.proto])
    }

    /// Sets the protocol in the layout of the type.
    pub(crate) fn set_proto(&mut self, ty: FdType, proto: u8) {
        if let Some(at) = layout(ty) {
            self.0[at.proto] = proto;
        }
    }

    /// The destination port as the IPv4 layout has it, whatever the type.
    pub(crate) fn v4_dport(&self) -> u16 {
        self.u16(V4.dport)
    }

    /// The source port as the IPv4 layout has it, whatever the type.
    pub(crate) fn v4_sport(&self) -> u16 {
        self.u16(V4.sport)
    }
}
