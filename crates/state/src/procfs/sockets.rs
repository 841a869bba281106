//! Sockets by inode, each network namespace read once.

use super::fds::pending_socket;
use super::parse::{hex, number, words};
use super::process::{Budget, Found};
use super::reader::ProcDir;
use crate::fd::l4;
use peregrine_capture::tables::{FdKind, FdType};
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A namespace's table of sockets.
struct Table {
    /// Its file below `net`.
    name: &'static str,
    /// The column with the inode.
    ino: usize,
    /// What a line describes.
    kind: fn(&[u8]) -> Option<FdKind>,
}

const TABLES: &[Table] = &[
    Table { name: "tcp", ino: 9, kind: |line| inet(line, l4::TCP) },
    Table { name: "tcp6", ino: 9, kind: |line| inet(line, l4::TCP) },
    Table { name: "udp", ino: 9, kind: |line| inet(line, l4::UDP) },
    Table { name: "udp6", ino: 9, kind: |line| inet(line, l4::UDP) },
    Table { name: "raw", ino: 9, kind: |line| inet(line, l4::RAW) },
    Table { name: "raw6", ino: 9, kind: |line| inet(line, l4::RAW) },
    Table { name: "icmp", ino: 9, kind: |line| inet(line, l4::ICMP) },
    Table { name: "icmp6", ino: 9, kind: |line| inet(line, l4::ICMP) },
    Table { name: "unix", ino: 6, kind: unix },
    Table { name: "netlink", ino: 9, kind: |_| Some(FdKind::Named(FdType::Netlink, Vec::new())) },
];

/// Looks up what the sockets are that were found, until the time is over. What is in no table stays unsupported: an empty
/// unix name would be a guess.
pub(super) fn resolve(proc: &ProcDir, found: &mut Found, budget: &Budget) {
    let namespace_of: FxHashMap<i64, u64> = found.namespaces.iter().copied().collect();
    let mut wanted: FxHashMap<u64, (i64, FxHashSet<u64>)> = FxHashMap::default();
    for (pid, fds) in &found.fds {
        let Some(namespace) = namespace_of.get(pid) else { continue };
        // Any of a namespace's processes shows its tables; the first may have ended, the last most likely has not.
        let entry = wanted.entry(*namespace).or_default();
        entry.0 = *pid;
        entry.1.extend(fds.iter().filter_map(pending_socket));
    }
    let mut tables: FxHashMap<u64, FxHashMap<u64, FdKind>> = FxHashMap::default();
    for (namespace, (pid, inodes)) in &wanted {
        if budget.is_over() {
            found.stats.left_out += inodes.len();
        } else {
            tables.insert(*namespace, read(proc, *pid, inodes));
        }
    }
    found.stats.net_namespaces = tables.len();
    for (pid, fds) in &mut found.fds {
        let Some(sockets) = namespace_of.get(pid).and_then(|namespace| tables.get(namespace)) else { continue };
        for fd in fds {
            // A socket that was inherited is in several processes.
            if let Some(kind) = pending_socket(fd).and_then(|ino| sockets.get(&ino)) {
                fd.kind = kind.clone();
            }
        }
    }
}

/// The sockets of these inodes.
fn read(proc: &ProcDir, pid: i64, wanted: &FxHashSet<u64>) -> FxHashMap<u64, FdKind> {
    let mut sockets = FxHashMap::default();
    let mut buffer = Vec::new();
    for table in TABLES {
        if sockets.len() == wanted.len() {
            break;
        }
        if proc.read(format!("{pid}/net/{}", table.name), &mut buffer).is_err() {
            continue;
        }
        for line in buffer.split(|b| *b == b'\n').skip(1) {
            if let Some(ino) = words(line).nth(table.ino).and_then(number::<u64>)
                && wanted.contains(&ino)
                && let Some(kind) = (table.kind)(line)
            {
                sockets.insert(ino, kind);
            }
        }
    }
    sockets
}

/// One line of `/proc/net/tcp` and its like. Without a peer it is a bound socket.
fn inet(line: &[u8], l4proto: u8) -> Option<FdKind> {
    let mut columns = words(line);
    let (ip, port) = endpoint(columns.nth(1)?)?;
    let (dip, dport) = endpoint(columns.next()?)?;
    Some(if dport == 0 && dip.is_unspecified() {
        FdKind::InetServer { ip, port, l4proto }
    } else {
        FdKind::Inet { sip: ip, dip, sport: port, dport, l4proto }
    })
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
fn unix(line: &[u8]) -> Option<FdKind> {
    let mut columns = words(line);
    let source = hex(columns.next()?.strip_suffix(b":")?)?;
    let mut name = columns.nth(6).map(<[u8]>::to_vec).unwrap_or_default();
    name.truncate(107);
    Some(FdKind::Unix { source, dest: 0, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let line =
            b"   1: 0100007F:1F90 0200007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0";
        assert_eq!(words(line).nth(TABLES[0].ino), Some(&b"4242"[..]));
        let Some(FdKind::Inet { sip, dip, sport: 8080, dport: 50000, l4proto: l4::TCP }) = inet(line, l4::TCP) else {
            panic!("not the connection")
        };
        assert_eq!((sip.to_string(), dip.to_string()), ("127.0.0.1".into(), "127.0.0.2".into()));
        let line =
            b" 1: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 0:0 0:0 0 0 0 7 2 0";
        let Some(FdKind::InetServer { ip, port: 53, .. }) = inet(line, l4::UDP) else { panic!("not bound") };
        assert_eq!(ip.to_string(), "::1");
        let line = b"00000000fedc: 00000002 00000000 00010000 0001 01 77 @/tmp/.X11";
        assert_eq!(words(line).nth(TABLES[8].ino), Some(&b"77"[..]));
        assert_eq!(unix(line), Some(FdKind::Unix { source: 0xfedc, dest: 0, name: b"@/tmp/.X11".to_vec() }));
        assert_eq!((inet(b"junk", 2), unix(b"junk")), (None, None));
    }
}
