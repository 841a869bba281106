//! The table blocks before the first event: machine, interfaces, users, processes, descriptors.
//!
//! Layouts as in falcosecurity/libs' reader; where a block's version lacks a value, its default stays.

use super::cursor::Cursor;
use crate::block::{MAX_ARGS, MAX_CREDENTIAL, MAX_PATH};
use crate::error::Fault;
use crate::tables::{Fd, FdKind, FdType, Group, Interface, Machine, Tables, Thread, User};

/// Reads a machine information block.
pub fn machine(at: &mut Cursor<'_>) -> Result<Machine, Fault> {
    let (num_cpus, memory_size_bytes, max_pid) = (at.u32("machine")?, at.u64("machine")?, at.u64("machine")?);
    let name = at.take(128, "machine")?;
    let hostname = name[..name.iter().position(|b| *b == 0).unwrap_or(127).min(127)].to_vec();
    let boot_ts_epoch = at.u64("machine")?;
    let flags = [at.u64("machine")?, at.u64("machine")?, at.u64("machine")?];
    Ok(Machine { num_cpus, memory_size_bytes, max_pid, hostname, boot_ts_epoch, flags })
}

/// Reads a list of interfaces, which replaces an earlier one.
pub fn interfaces(at: &mut Cursor<'_>, sized: bool) -> Result<Vec<Interface>, Fault> {
    let mut list = Vec::new();
    while at.more() {
        if sized {
            list.push(interface(&mut at.entry(false, "interface")?)?);
        } else {
            list.push(interface(at)?);
        }
    }
    Ok(list)
}

fn interface(at: &mut Cursor<'_>) -> Result<Interface, Fault> {
    let kind = at.u16("interface")?;
    let len = usize::from(at.u16("interface")?);
    let v4 = match kind {
        1 | 3 => true,
        2 | 4 => false,
        other => return Err(Fault::InterfaceType(other)),
    };
    if len >= MAX_PATH {
        return Err(Fault::LongString { what: "interface name", len, limit: MAX_PATH - 1 });
    }
    let mut address = || if v4 { at.v4("interface address") } else { at.v6("interface address") };
    let (addr, netmask, bcast) = (address()?, address()?, address()?);
    let linkspeed = if kind <= 2 { Some(at.u64("link speed")?) } else { None };
    Ok(Interface { name: at.take(len, "interface name")?.to_vec(), addr, netmask, bcast, linkspeed })
}

/// Reads a list of users and groups, which replaces an earlier one.
pub fn users(at: &mut Cursor<'_>, sized: bool, into: &mut Tables) -> Result<(), Fault> {
    into.users.clear();
    into.groups.clear();
    while at.more() {
        if sized {
            user_or_group(&mut at.entry(true, "user")?, into)?;
        } else {
            user_or_group(at, into)?;
        }
    }
    Ok(())
}

fn user_or_group(at: &mut Cursor<'_>, into: &mut Tables) -> Result<(), Fault> {
    let limit = MAX_CREDENTIAL - 1;
    if at.u8("user")? == 0 {
        into.users.push(User {
            uid: at.u32("user")?,
            gid: at.u32("user")?,
            name: at.string(limit, "user name")?,
            homedir: at.string(limit, "home directory")?,
            shell: at.string(limit, "shell")?,
        });
    } else {
        into.groups.push(Group { gid: at.u32("group")?, name: at.string(limit, "group name")? });
    }
    Ok(())
}

/// Reads a list of threads of the given version of the block, adding to those before.
pub fn threads(at: &mut Cursor<'_>, version: u8, into: &mut Tables) -> Result<(), Fault> {
    while at.more() {
        if version >= 9 {
            let mut entry = at.entry(true, "process")?;
            let mut read = thread(&mut entry, version)?;
            extras(&mut entry, &mut read)?;
            into.threads.push(read);
        } else {
            into.threads.push(thread(at, version)?);
        }
    }
    Ok(())
}

fn thread(at: &mut Cursor<'_>, version: u8) -> Result<Thread, Fault> {
    let mut t =
        Thread { tid: at.i64("process")?, pid: at.i64("process")?, ptid: at.i64("process")?, ..Thread::default() };
    if version >= 6 {
        t.sid = at.i64("session")?;
    }
    if version >= 8 {
        t.vpgid = at.i64("process group")?;
    }
    t.comm = at.string(MAX_PATH, "comm")?;
    t.exe = at.string(MAX_PATH, "exe")?;
    if version >= 7 {
        t.exepath = at.string(MAX_PATH, "exepath")?;
    }
    t.args = closed(at.string(MAX_ARGS, "args")?);
    t.cwd = at.string(MAX_PATH, "cwd")?;
    t.fdlimit = at.i64("process")?;
    (t.flags, t.uid, t.gid) = (at.u32("process")?, at.u32("process")?, at.u32("process")?);
    if version >= 2 {
        (t.vmsize_kb, t.vmrss_kb, t.vmswap_kb) = (at.u32("memory")?, at.u32("memory")?, at.u32("memory")?);
        (t.pfmajor, t.pfminor) = (at.u64("page faults")?, at.u64("page faults")?);
    }
    if version >= 3 {
        t.env = closed(at.string(MAX_ARGS, "env")?);
    }
    if version >= 4 {
        (t.vtid, t.vpid) = (at.i64("process")?, at.i64("process")?);
        t.cgroups = at.string(MAX_ARGS, "cgroups")?;
    }
    if version >= 5 {
        t.root = at.string(MAX_PATH, "root")?;
    }
    Ok(t)
}

/// Bytes of the values that an entry has whose writer did not know the PID namespace's start and the terminal.
const EXTRAS_BEFORE_TTY: usize = 29;

/// Reads the values at the end of a version 9 entry, each only if there is room for it: writers of different age end
/// at different ones, and two of them came to stand in the middle.
fn extras(at: &mut Cursor<'_>, t: &mut Thread) -> Result<(), Fault> {
    let what = "process";
    if at.left() > EXTRAS_BEFORE_TTY {
        t.pidns_init_start_ts = at.u64(what)?;
        t.tty = at.u32(what)?;
    }
    macro_rules! next {
        ($field:ident, $size:literal, $value:expr) => {
            if at.left() >= $size {
                t.$field = $value;
            }
        };
    }
    next!(loginuid, 4, at.u32(what)?);
    next!(exe_writable, 1, at.u8(what)? != 0);
    next!(cap_inheritable, 8, at.u64(what)?);
    next!(cap_permitted, 8, at.u64(what)?);
    next!(cap_effective, 8, at.u64(what)?);
    next!(exe_upper_layer, 1, at.u8(what)? != 0);
    next!(exe_ino, 8, at.u64(what)?);
    next!(exe_ino_ctime, 8, at.u64(what)?);
    next!(exe_ino_mtime, 8, at.u64(what)?);
    next!(exe_from_memfd, 1, at.u8(what)? != 0);
    next!(exe_lower_layer, 1, at.u8(what)? != 0);
    next!(pgid, 8, at.i64(what)?);
    Ok(())
}

/// Old writers left out the NUL after the last argument.
fn closed(mut list: Vec<u8>) -> Vec<u8> {
    if list.last().is_some_and(|last| *last != 0) {
        list.push(0);
    }
    list
}

/// Reads one thread's descriptors.
pub fn descriptors(at: &mut Cursor<'_>, sized: bool) -> Result<(i64, Vec<Fd>), Fault> {
    let tid = at.i64("descriptor list")?;
    let mut list = Vec::new();
    while at.more() {
        if sized {
            list.push(descriptor(&mut at.entry(true, "descriptor")?, true)?);
        } else {
            list.push(descriptor(at, false)?);
        }
    }
    Ok((tid, list))
}

fn descriptor(at: &mut Cursor<'_>, sized: bool) -> Result<Fd, Fault> {
    let (fd, ino) = (at.i64("descriptor")?, at.u64("descriptor")?);
    let number = at.u8("descriptor")?;
    let kind = match FdType::from_number(number) {
        // A kind of a newer writer: its entry's own length lets the rest be skipped.
        None => FdKind::Named(FdType::Unsupported, format!("unknown-type:[{number}]").into_bytes()),
        Some(FdType::Unknown) => FdKind::Named(FdType::Unknown, Vec::new()),
        Some(ty) => descriptor_body(at, ty, sized)?,
    };
    Ok(Fd { fd, ino, kind, cloexec: false })
}

fn descriptor_body(at: &mut Cursor<'_>, ty: FdType, sized: bool) -> Result<FdKind, Fault> {
    let what = "descriptor";
    let name = |at: &mut Cursor<'_>| at.string(MAX_PATH - 1, "descriptor name");
    Ok(match ty {
        FdType::Ipv4Sock => FdKind::Inet {
            sip: at.v4(what)?,
            dip: at.v4(what)?,
            sport: at.u16(what)?,
            dport: at.u16(what)?,
            l4proto: at.u8(what)?,
        },
        FdType::Ipv6Sock => FdKind::Inet {
            sip: at.v6(what)?,
            dip: at.v6(what)?,
            sport: at.u16(what)?,
            dport: at.u16(what)?,
            l4proto: at.u8(what)?,
        },
        FdType::Ipv4ServSock => FdKind::InetServer { ip: at.v4(what)?, port: at.u16(what)?, l4proto: at.u8(what)? },
        FdType::Ipv6ServSock => FdKind::InetServer { ip: at.v6(what)?, port: at.u16(what)?, l4proto: at.u8(what)? },
        FdType::UnixSock => FdKind::Unix { source: at.u64(what)?, dest: at.u64(what)?, name: name(at)? },
        FdType::FileV2 => {
            let (open_flags, name) = (at.u32(what)?, name(at)?);
            let dev = if sized && at.left() >= 4 { Some(at.u32(what)?) } else { None };
            FdKind::File { open_flags, name, dev }
        }
        named => FdKind::Named(named, name(at)?),
    })
}
