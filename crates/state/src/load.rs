//! Filling the state from a capture's tables or a snapshot.
//!
//! Semantics: `sinsp::on_new_entry_from_proc`, `add_fd_from_scap`, `fix_sockets_coming_from_proc` of libsinsp.

use crate::fd::{FdInfo, FdType, Role, SockName, l4};
use crate::inspect::{Options, State};
use crate::path::join;
use crate::procfs::Snapshot;
use crate::text;
use crate::thread::{ThreadInfo, replace};
use peregrine_capture::tables::{Fd, FdKind, Tables, Thread};
use peregrine_event::defines::PPM_CL_ACTIVE;
use peregrine_event::sock::is_mapped;
use rustc_hash::FxHashSet;
use std::net::IpAddr;

impl State {
    /// A state from a snapshot: what is in scope, and the names of ancestors outside.
    pub fn from_snapshot(snapshot: Snapshot, options: Options) -> Self {
        let mut tables = snapshot.tables;
        tables.threads.extend(snapshot.outside);
        Self::with_options(tables, options)
    }

    /// Adds what a later snapshot knows and the state does not: threads that are missing or only stand-ins, with their
    /// descriptors. What events told stays.
    pub fn merge(&mut self, tables: Tables) {
        let mut added = Vec::new();
        for thread in &tables.threads {
            let known = self.threads.find(thread.tid).and_then(|slot| self.threads.get(slot));
            if known.is_some_and(|known| !known.is_invalid()) {
                continue;
            }
            if known.is_none() && self.threads.len() >= self.limits.threads {
                self.counters.n_drops_full_threadtable += 1;
                continue;
            }
            let thread = self.thread_from(thread);
            added.push(self.insert_thread(thread));
        }
        for slot in &added {
            self.relate_thread(*slot);
        }
        let new: FxHashSet<u32> = added.into_iter().collect();
        for (tid, fds) in tables.fds {
            if let Some(slot) = self.threads.find(tid).filter(|slot| new.contains(slot)) {
                fds.into_iter().for_each(|fd| self.load_fd(slot, fd));
            }
        }
    }

    /// Puts tables into a new state.
    pub(crate) fn load(&mut self, tables: Tables) {
        self.machine = tables.machine;
        for thread in &tables.threads {
            if self.threads.len() >= self.limits.threads {
                self.counters.n_drops_full_threadtable += 1;
                continue;
            }
            let thread = self.thread_from(thread);
            self.insert_thread(thread);
        }
        let slots: Vec<u32> = self.threads.iter().map(|(slot, _)| slot.0).collect();
        for slot in &slots {
            self.relate_thread(*slot);
        }
        for (tid, fds) in tables.fds {
            if let Some(slot) = self.threads.find(tid) {
                fds.into_iter().for_each(|fd| self.load_fd(slot, fd));
            }
        }
        self.direct_sockets(&slots);
        self.interfaces = tables.interfaces;
        for user in tables.users {
            if !self.users.add_user(b"", user, self.limits.users) {
                self.counters.n_drops_full_usertable += 1;
            }
        }
        for group in tables.groups {
            if !self.users.add_group(b"", group, self.limits.users) {
                self.counters.n_drops_full_usertable += 1;
            }
        }
        for slot in &slots {
            self.learn_accounts(*slot);
        }
    }

    /// Time of boot in nanoseconds since the epoch; 0 if unknown.
    pub(crate) fn boot_ts(&self) -> u64 {
        self.machine.as_ref().map_or(0, |machine| machine.boot_ts_epoch)
    }

    /// A thread as a table describes it. Environment and working directory count only for leaders.
    pub(crate) fn thread_from(&mut self, from: &Thread) -> Box<ThreadInfo> {
        let mut thread = self.pool.thread(from.tid);
        (thread.pid, thread.ptid, thread.sid) = (from.pid, from.ptid, from.sid);
        (thread.vtid, thread.vpid, thread.vpgid, thread.pgid) = (from.vtid, from.vpid, from.vpgid, from.pgid);
        thread.flags |= from.flags | PPM_CL_ACTIVE as u32;
        replace(&mut thread.comm, &from.comm);
        replace(&mut thread.exe, &from.exe);
        replace(&mut thread.root, &from.root);
        thread.set_exepath(&from.exepath);
        thread.set_args(&from.args);
        thread.set_cgroups(self.cgroups_of(&from.cgroups, from.tid));
        if thread.is_main() {
            thread.set_env(&from.env);
            join(b"", &from.cwd, &mut thread.cwd);
            if !thread.cwd.ends_with(b"/") {
                thread.cwd.push(b'/');
            }
        }
        thread.fdlimit = from.fdlimit;
        (thread.uid, thread.gid, thread.loginuid, thread.tty) = (from.uid, from.gid, from.loginuid, from.tty);
        thread.cap_permitted = from.cap_permitted;
        thread.cap_effective = from.cap_effective;
        thread.cap_inheritable = from.cap_inheritable;
        (thread.vmsize_kb, thread.vmrss_kb, thread.vmswap_kb) = (from.vmsize_kb, from.vmrss_kb, from.vmswap_kb);
        (thread.pfmajor, thread.pfminor) = (from.pfmajor, from.pfminor);
        thread.exe_writable = from.exe_writable;
        thread.exe_upper_layer = from.exe_upper_layer;
        thread.exe_lower_layer = from.exe_lower_layer;
        thread.exe_from_memfd = from.exe_from_memfd;
        thread.exe_ino = from.exe_ino;
        (thread.exe_ino_ctime, thread.exe_ino_mtime) = (from.exe_ino_ctime, from.exe_ino_mtime);
        thread.pidns_init_start_ts = from.pidns_init_start_ts;
        thread
    }

    /// Adds a descriptor of a table to a thread's own descriptors.
    pub(crate) fn load_fd(&mut self, slot: u32, fd: Fd) {
        let mut info = self.pool.fd();
        let number = fd.fd;
        let cloexec = fd.cloexec;
        fill(&mut info, fd, &self.interfaces);
        if cloexec {
            info.set_cloexec(true);
        }
        self.store_fd(slot, number, info);
    }

    /// Gives the IPv4 sockets of the first tables their role: those on a port that someone is bound to are the server's
    /// side, and their ends are exchanged so that the source is the client.
    fn direct_sockets(&mut self, slots: &[u32]) {
        let mut bound = vec![false; usize::from(u16::MAX) + 1];
        for thread in slots.iter().filter_map(|slot| self.threads.get(*slot)) {
            for (_, info) in thread.fds.iter() {
                if let (FdType::Ipv4ServSock | FdType::Ipv6ServSock, SockName::Inet { sport, .. }) =
                    (info.ty, info.sock)
                {
                    bound[usize::from(sport)] = true;
                }
            }
        }
        let mut name = Vec::new();
        for slot in slots {
            let Some(thread) = self.threads.get_mut(*slot) else { continue };
            for (_, info) in thread.fds.values_mut().filter(|(_, info)| info.ty == FdType::Ipv4Sock) {
                let SockName::Inet { sip, sport, dip, dport } = info.sock else { continue };
                if !bound[usize::from(sport)] {
                    info.role = Role::Client;
                    continue;
                }
                info.raw.set_tuple(FdType::Ipv4Sock, (dip, dport, sip, sport));
                info.sync_sock();
                name.clear();
                text::tuple(dip, dport, sip, sport, &mut name);
                replace(&mut info.name, &name);
                info.role = Role::Server;
            }
        }
    }
}

fn fill(info: &mut FdInfo, fd: Fd, interfaces: &[peregrine_capture::tables::Interface]) {
    info.ino = fd.ino;
    match fd.kind {
        FdKind::Named(ty, name) => {
            info.set_kind(if ty == FdType::FileV2 { FdType::File } else { ty }, 0);
            info.name = name;
        }
        FdKind::File { open_flags, name, dev } => {
            info.set_kind(FdType::File, open_flags);
            info.name = name;
            info.dev = dev.unwrap_or(0);
        }
        FdKind::Inet { sip, dip, sport, dport, l4proto } => {
            let (sip, dip) = both_plain(sip, dip);
            let ty = sock_type(sip);
            info.set_kind(ty, 0);
            info.raw.set_tuple(ty, (sip, sport, dip, dport));
            info.raw.set_proto(ty, l4proto);
            info.sync_sock();
            info.connected = l4proto == l4::TCP;
            if ty == FdType::Ipv4Sock {
                info.complete(interfaces);
            }
            if let SockName::Inet { sip, sport, dip, dport } = info.sock {
                text::tuple(sip, sport, dip, dport, &mut info.name);
            }
        }
        FdKind::InetServer { ip, port, l4proto } => {
            let ty = if ip.is_ipv4() { FdType::Ipv4ServSock } else { FdType::Ipv6ServSock };
            info.set_kind(ty, 0);
            info.raw.set_server(ty, ip, port);
            info.raw.set_proto(ty, l4proto);
            info.sync_sock();
            text::endpoint(ip, port, &mut info.name);
        }
        FdKind::Unix { source, dest, name } => {
            info.set_kind(FdType::UnixSock, 0);
            info.raw.set_unix(source, dest);
            info.sync_sock();
            info.role = if name.is_empty() { Role::Client } else { Role::Server };
            info.name = name;
        }
    }
}

fn sock_type(addr: IpAddr) -> FdType {
    if addr.is_ipv4() { FdType::Ipv4Sock } else { FdType::Ipv6Sock }
}

/// Both ends as IPv4 if both are v4-mapped.
fn both_plain(sip: IpAddr, dip: IpAddr) -> (IpAddr, IpAddr) {
    match (sip, dip) {
        (IpAddr::V6(s), IpAddr::V6(d)) if is_mapped(s) && is_mapped(d) => (low_v4(s), low_v4(d)),
        both => both,
    }
}

fn low_v4(addr: std::net::Ipv6Addr) -> IpAddr {
    let [.., a, b, c, d] = addr.octets();
    IpAddr::V4(std::net::Ipv4Addr::new(a, b, c, d))
}
