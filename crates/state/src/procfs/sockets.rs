//! Sockets by inode, each network namespace read once.

use super::parse::{hex, number, words};
use super::reader::ProcDir;
use crate::fd::l4;
use peregrine_capture::tables::{FdKind, FdType};
use rustc_hash::FxHashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Sockets kept of one namespace at most.
const MAX_SOCKETS: usize = 1 << 20;
/// Namespaces kept at most.
const MAX_NAMESPACES: usize = 4096;

/// Sockets of all network namespaces seen so far.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    by_namespace: FxHashMap<Vec<u8>, FxHashMap<u64, FdKind>>,
    link: Vec<u8>,
}

/// Tables of inet sockets, and the protocol that they are about.
const INET: &[(&str, u8)] = &[
    ("tcp", l4::TCP),
    ("tcp6", l4::TCP),
    ("udp", l4::UDP),
    ("udp6", l4::UDP),
    ("raw", l4::RAW),
    ("raw6", l4::RAW),
    ("icmp", l4::ICMP),
    ("icmp6", l4::ICMP),
];

impl Sockets {
    /// Namespaces read.
    pub(super) fn namespaces(&self) -> usize {
        self.by_namespace.len()
    }

    /// What the socket with that inode is; an empty unix name would be a guess, so an unknown one is unsupported.
    pub(super) fn find(&mut self, proc: &ProcDir, pid: i64, ino: u64) -> FdKind {
        let unknown = || FdKind::Named(FdType::Unsupported, format!("socket:[{ino}]").into_bytes());
        let Ok(namespace) = proc.link(&format!("{pid}/ns/net"), &mut self.link) else { return unknown() };
        if !self.by_namespace.contains_key(&namespace) {
            if self.by_namespace.len() >= MAX_NAMESPACES {
                return unknown();
            }
            self.by_namespace.insert(namespace.clone(), read(proc, pid));
        }
        self.by_namespace.get(&namespace).and_then(|sockets| sockets.get(&ino)).cloned().unwrap_or_else(unknown)
    }
}

/// Reads one line of a table.
type Line = dyn Fn(&[u8]) -> Option<(u64, FdKind)>;

fn read(proc: &ProcDir, pid: i64) -> FxHashMap<u64, FdKind> {
    let mut sockets = FxHashMap::default();
    let mut buffer = Vec::new();
    let mut table = |name: &str, parse: &Line| {
        if proc.read(&format!("{pid}/net/{name}"), &mut buffer).is_ok() {
            for line in buffer.split(|b| *b == b'\n').skip(1) {
                if let Some((ino, kind)) = parse(line).filter(|(ino, _)| *ino != 0 && sockets.len() < MAX_SOCKETS) {
                    sockets.insert(ino, kind);
                }
            }
        }
    };
    for (name, proto) in INET {
        table(name, &|line| inet(line, *proto));
    }
    table("unix", &unix);
    table("netlink", &|line| Some((number(words(line).nth(9)?)?, FdKind::Named(FdType::Netlink, Vec::new()))));
    sockets
}

/// One line of `/proc/net/tcp` and its like. Without a peer it is a bound socket.
fn inet(line: &[u8], l4proto: u8) -> Option<(u64, FdKind)> {
    let mut columns = words(line);
    let (ip, port) = endpoint(columns.nth(1)?)?;
    let (dip, dport) = endpoint(columns.next()?)?;
    let ino = number(columns.nth(6)?)?;
    let kind = if dport == 0 && dip.is_unspecified() {
        FdKind::InetServer { ip, port, l4proto }
    } else {
        FdKind::Inet { sip: ip, dip, sport: port, dport, l4proto }
    };
    Some((ino, kind))
}

/// `0100007F:1F90`: 32-bit words as the machine stores them, the port as a number.
fn endpoint(text: &[u8]) -> Option<(IpAddr, u16)> {
    let colon = text.iter().position(|b| *b == b':')?;
    let (addr, port) = (&text[..colon], u16::try_from(hex(&text[colon + 1..])?).ok()?);
    let word = |at: usize| Some((hex(addr.get(at..at + 8)?)? as u32).to_ne_bytes());
    let addr = match addr.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut octets = [0; 16];
            for (nth, part) in octets.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(nth * 8)?);
            }
            IpAddr::V6(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some((addr, port))
}

/// `ffff88…: 00000002 00000000 00010000 0001 01 12345 /run/x`.
fn unix(line: &[u8]) -> Option<(u64, FdKind)> {
    let mut columns = words(line);
    let source = hex(columns.next()?.strip_suffix(b":")?)?;
    let ino_text = columns.nth(5)?;
    let ino = number(ino_text)?;
    let mut name = columns.next().map(<[u8]>::to_vec).unwrap_or_default();
    name.truncate(107);
    Some((ino, FdKind::Unix { source, dest: 0, name }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let line =
            b"   1: 0100007F:1F90 0200007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0";
        let Some((4242, FdKind::Inet { sip, dip, sport: 8080, dport: 50000, l4proto: l4::TCP })) = inet(line, l4::TCP)
        else {
            panic!("not the connection")
        };
        assert_eq!((sip.to_string(), dip.to_string()), ("127.0.0.1".into(), "127.0.0.2".into()));
        let line =
            b" 1: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 0:0 0:0 0 0 0 7 2 0";
        let Some((7, FdKind::InetServer { ip, port: 53, .. })) = inet(line, l4::UDP) else { panic!("not bound") };
        assert_eq!(ip.to_string(), "::1");
        let line = b"00000000fedc: 00000002 00000000 00010000 0001 01 77 @/tmp/.X11";
        assert_eq!(unix(line), Some((77, FdKind::Unix { source: 0xfedc, dest: 0, name: b"@/tmp/.X11".to_vec() })));
        assert_eq!((inet(b"junk", 2), unix(b"junk")), (None, None));
    }
}
