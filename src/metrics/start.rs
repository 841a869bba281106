//! What the snapshot of the machine held with which detection began: the figures that Falco takes from its iterators.

use peregrine_capture::tables::{Fd, FdKind, FdType, Tables};

/// Threads, and descriptors of nine kinds.
pub const AT_START: usize = 10;

/// Threads and descriptors by kind, in the order of the metrics of Falco's iterators.
pub fn found(tables: &Tables) -> [u64; AT_START] {
    let mut found = [0; AT_START];
    found[0] = tables.threads.len() as u64;
    for fd in tables.fds.iter().flat_map(|(_, fds)| fds) {
        found[place(fd)] += 1;
    }
    found
}

/// The place of a descriptor's kind.
fn place(fd: &Fd) -> usize {
    match &fd.kind {
        FdKind::Named(FdType::Fifo, _) => 1,
        FdKind::Named(FdType::MemFd, _) => 2,
        FdKind::File { .. } | FdKind::Named(FdType::File, _) => 3,
        FdKind::Named(FdType::Directory, _) => 4,
        FdKind::Inet { sip: ip, .. } | FdKind::InetServer { ip, .. } => 5 + usize::from(ip.is_ipv6()),
        FdKind::Unix { .. } => 7,
        FdKind::Named(FdType::Netlink, _) => 8,
        // Events, timers, signals and whatever else has no inode of its own.
        FdKind::Named(..) => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_place() {
        let named = |kind| FdKind::Named(kind, Vec::new());
        let server = |ip: &str| FdKind::InetServer { ip: ip.parse().unwrap(), port: 1, l4proto: 2 };
        let kinds = [
            named(FdType::Fifo),
            named(FdType::MemFd),
            FdKind::File { open_flags: 0, name: Vec::new(), dev: None },
            named(FdType::Directory),
            server("10.0.0.1"),
            server("::1"),
            FdKind::Unix { source: 0, dest: 0, name: Vec::new() },
            named(FdType::Netlink),
            named(FdType::EventPoll),
            named(FdType::TimerFd),
        ];
        let fd = |kind| Fd { fd: 3, ino: 0, kind, cloexec: false };
        let tables = Tables { fds: vec![(7, kinds.map(fd).to_vec())], ..Tables::default() };
        assert_eq!(found(&tables), [0, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
    }
}
