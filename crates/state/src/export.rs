//! The state as the tables that a capture begins with: what replaying from here has to know.

use crate::State;
use crate::fd::{FdInfo, SockName};
use crate::thread::ThreadInfo;
use peregrine_capture::tables::{Fd, FdKind, FdType, Tables, Thread};

impl State {
    /// All that is known now, as tables. What the format has no place for (roles of sockets, times of clones) is lost.
    pub fn tables(&self) -> Tables {
        let living = || self.threads().map(|(_, thread)| thread).filter(|thread| !thread.dead && !thread.is_invalid());
        let fds = living().filter(|thread| thread.is_main()).filter_map(|thread| {
            let table = self.fd_table(thread)?;
            Some((thread.tid, table.iter().map(|(number, info)| descriptor(number, info)).collect()))
        });
        Tables {
            machine: self.machine().cloned(),
            interfaces: self.interfaces().to_vec(),
            users: self.host_users().cloned().collect(),
            groups: self.host_groups().cloned().collect(),
            threads: living().map(table_thread).collect(),
            fds: fds.collect(),
        }
    }
}

fn table_thread(from: &ThreadInfo) -> Thread {
    Thread {
        tid: from.tid,
        pid: from.pid,
        ptid: from.ptid,
        sid: from.sid,
        vpgid: from.vpgid,
        comm: from.comm.clone(),
        exe: from.exe.clone(),
        exepath: from.exepath.clone(),
        args: from.args.clone(),
        cwd: from.cwd.clone(),
        fdlimit: from.fdlimit,
        flags: from.flags,
        uid: from.uid,
        gid: from.gid,
        vmsize_kb: from.vmsize_kb,
        vmrss_kb: from.vmrss_kb,
        vmswap_kb: from.vmswap_kb,
        pfmajor: from.pfmajor,
        pfminor: from.pfminor,
        env: from.env.clone(),
        vtid: from.vtid,
        vpid: from.vpid,
        pgid: from.pgid,
        cgroups: from.cgroups.to_vec(),
        root: from.root.clone(),
        pidns_init_start_ts: from.pidns_init_start_ts,
        tty: from.tty,
        loginuid: from.loginuid,
        exe_writable: from.exe_writable,
        cap_inheritable: from.cap_inheritable,
        cap_permitted: from.cap_permitted,
        cap_effective: from.cap_effective,
        exe_upper_layer: from.exe_upper_layer,
        exe_lower_layer: from.exe_lower_layer,
        exe_from_memfd: from.exe_from_memfd,
        exe_ino: from.exe_ino,
        exe_ino_ctime: from.exe_ino_ctime,
        exe_ino_mtime: from.exe_ino_mtime,
    }
}

fn descriptor(fd: i64, info: &FdInfo) -> Fd {
    let l4proto = info.l4proto;
    let kind = match (info.ty, info.sock) {
        (FdType::Ipv4ServSock | FdType::Ipv6ServSock, SockName::Inet { sip, sport, .. }) => {
            FdKind::InetServer { ip: sip, port: sport, l4proto }
        }
        (FdType::Ipv4Sock | FdType::Ipv6Sock, SockName::Inet { sip, sport, dip, dport }) => {
            FdKind::Inet { sip, dip, sport, dport, l4proto }
        }
        (FdType::UnixSock, SockName::Unix { source, dest }) => FdKind::Unix { source, dest, name: info.name.clone() },
        (FdType::File, _) => FdKind::File { open_flags: info.open_flags, name: info.name.clone(), dev: Some(info.dev) },
        (ty, _) => FdKind::Named(ty, info.name.clone()),
    };
    Fd { fd, ino: info.ino, kind, cloexec: info.cloexec }
}
