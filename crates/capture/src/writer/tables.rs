//! The table blocks, in the newest version of each.

use super::Block;
use crate::block::{MAX_ARGS, MAX_CREDENTIAL, MAX_PATH};
use crate::tables::{Fd, FdKind, FdType, Interface, Machine, Tables, Thread};
use std::net::IpAddr;

/// Bytes after which a list goes on in another block of its kind.
const SPLIT: usize = 64 << 20;

pub(super) fn machine(block: &mut Block, machine: &Machine) {
    block.u32(machine.num_cpus);
    block.u64(machine.memory_size_bytes);
    block.u64(machine.max_pid);
    let name = block.cut(&machine.hostname, 127);
    let mut field = [0; 128];
    field[..name.len()].copy_from_slice(name);
    block.bytes(&field);
    block.u64(machine.boot_ts_epoch);
    for word in machine.flags {
        block.u64(word);
    }
}

pub(super) fn interfaces(block: &mut Block, list: &[Interface]) {
    for interface in list {
        let v4 = interface.addr.is_ipv4();
        let name = block.cut(&interface.name, MAX_PATH - 1);
        block.entry(false, |block| {
            block.u16(if v4 { 1 } else { 2 } + if interface.linkspeed.is_some() { 0 } else { 2 });
            block.u16(name.len() as u16);
            for addr in [interface.addr, interface.netmask, interface.bcast] {
                address(block, addr, v4);
            }
            if let Some(speed) = interface.linkspeed {
                block.u64(speed);
            }
            block.bytes(name);
        });
    }
}

/// An address in the width of its entry.
fn address(block: &mut Block, addr: IpAddr, v4: bool) {
    match (addr, v4) {
        (IpAddr::V4(a), true) => block.bytes(&a.octets()),
        (IpAddr::V4(a), false) => block.bytes(&a.to_ipv6_mapped().octets()),
        (IpAddr::V6(a), false) => block.bytes(&a.octets()),
        (IpAddr::V6(a), true) => block.bytes(&a.to_ipv4_mapped().map_or([0; 4], |a| a.octets())),
    }
}

pub(super) fn users(block: &mut Block, tables: &Tables) {
    // Upstream writes longer home directories and shells than it reads.
    let limit = MAX_CREDENTIAL - 1;
    for user in &tables.users {
        block.entry(true, |block| {
            block.u8(0);
            block.u32(user.uid);
            block.u32(user.gid);
            block.string(&user.name, limit);
            block.string(&user.homedir, limit);
            block.string(&user.shell, limit);
        });
    }
    for group in &tables.groups {
        block.entry(true, |block| {
            block.u8(1);
            block.u32(group.gid);
            block.string(&group.name, limit);
        });
    }
}

/// Writes threads until the block is full, and gives those that are left.
pub(super) fn threads<'a>(block: &mut Block, mut list: &'a [Thread]) -> &'a [Thread] {
    while let Some((first, rest)) = list.split_first() {
        block.entry(true, |block| thread(block, first));
        list = rest;
        if block.buf.len() > SPLIT {
            break;
        }
    }
    list
}

fn thread(block: &mut Block, t: &Thread) {
    for id in [t.tid, t.pid, t.ptid, t.sid, t.vpgid] {
        block.i64(id);
    }
    block.string(&t.comm, MAX_PATH);
    block.string(&t.exe, MAX_PATH);
    block.string(&t.exepath, MAX_PATH);
    block.list(&t.args, MAX_ARGS);
    block.string(&t.cwd, MAX_PATH);
    block.i64(t.fdlimit);
    for word in [t.flags, t.uid, t.gid, t.vmsize_kb, t.vmrss_kb, t.vmswap_kb] {
        block.u32(word);
    }
    block.u64(t.pfmajor);
    block.u64(t.pfminor);
    block.list(&t.env, MAX_ARGS);
    block.i64(t.vtid);
    block.i64(t.vpid);
    block.list(&t.cgroups, MAX_ARGS);
    block.string(&t.root, MAX_PATH);
    block.u64(t.pidns_init_start_ts);
    block.u32(t.tty);
    block.u32(t.loginuid);
    block.u8(t.exe_writable.into());
    for set in [t.cap_inheritable, t.cap_permitted, t.cap_effective] {
        block.u64(set);
    }
    block.u8(t.exe_upper_layer.into());
    for word in [t.exe_ino, t.exe_ino_ctime, t.exe_ino_mtime] {
        block.u64(word);
    }
    block.u8(t.exe_from_memfd.into());
    block.u8(t.exe_lower_layer.into());
    block.i64(t.pgid);
}

/// Writes descriptors until the block is full, and gives those that are left.
pub(super) fn descriptors<'a>(block: &mut Block, tid: i64, mut list: &'a [Fd], left_out: &mut u64) -> &'a [Fd] {
    block.i64(tid);
    while let Some((fd, rest)) = list.split_first() {
        match number(&fd.kind) {
            Some(number) => block.entry(true, |block| descriptor(block, fd, number)),
            None => *left_out += 1,
        }
        list = rest;
        if block.buf.len() > SPLIT {
            break;
        }
    }
    list
}

/// The type number under which a descriptor is written; `None` if it has none.
fn number(kind: &FdKind) -> Option<u8> {
    use FdType::*;
    let both_v4 = |a: &IpAddr, b: &IpAddr| a.is_ipv4() && b.is_ipv4();
    let ty = match kind {
        FdKind::Named(Unknown | Ipv4Sock | Ipv6Sock | Ipv4ServSock | Ipv6ServSock | UnixSock | FileV2, _) => {
            return None;
        }
        FdKind::Named(ty, _) => *ty,
        FdKind::File { .. } => FileV2,
        FdKind::Inet { sip, dip, .. } if both_v4(sip, dip) => Ipv4Sock,
        FdKind::Inet { .. } => Ipv6Sock,
        FdKind::InetServer { ip: IpAddr::V4(_), .. } => Ipv4ServSock,
        FdKind::InetServer { ip: IpAddr::V6(_), .. } => Ipv6ServSock,
        FdKind::Unix { .. } => UnixSock,
    };
    Some(ty as u8)
}

fn descriptor(block: &mut Block, fd: &Fd, number: u8) {
    block.i64(fd.fd);
    block.u64(fd.ino);
    block.u8(number);
    match &fd.kind {
        FdKind::Named(_, name) => block.string(name, MAX_PATH - 1),
        FdKind::File { open_flags, name, dev } => {
            block.u32(*open_flags);
            block.string(name, MAX_PATH - 1);
            if let Some(dev) = dev {
                block.u32(*dev);
            }
        }
        FdKind::Inet { sip, dip, sport, dport, l4proto } => {
            let v4 = number == FdType::Ipv4Sock as u8;
            address(block, *sip, v4);
            address(block, *dip, v4);
            block.u16(*sport);
            block.u16(*dport);
            block.u8(*l4proto);
        }
        FdKind::InetServer { ip, port, l4proto } => {
            address(block, *ip, ip.is_ipv4());
            block.u16(*port);
            block.u8(*l4proto);
        }
        FdKind::Unix { source, dest, name } => {
            block.u64(*source);
            block.u64(*dest);
            block.string(name, MAX_PATH - 1);
        }
    }
}
