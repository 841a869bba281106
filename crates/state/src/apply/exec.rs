//! `execve` and `execveat`.
//!
//! Semantics: `parse_execve_exit` of libsinsp. Failed calls change nothing.

use super::clone::set_memory;
use super::resolve::UNKNOWN;
use super::{success, text, u32_of};
use crate::inspect::{Context, State};
use crate::path::join;
use crate::thread::{NONE, Slot, ThreadInfo, replace};
use peregrine_event::Event;
use peregrine_event::code::{SYSCALL_EXECVE_19_E, SYSCALL_EXECVEAT_E};
use peregrine_event::defines::{
    PPM_CL_ACTIVE, PPM_CL_CHILD_IN_PIDNS, PPM_CL_CLONE_INVERTED, PPM_CL_CLOSED, PPM_CL_IS_MAIN_THREAD,
    PPM_CL_NAME_CHANGED, PPM_CL_PIPE_DST, PPM_CL_PIPE_SRC, PPM_EXE_FROM_MEMFD, PPM_EXE_LOWER_LAYER,
    PPM_EXE_UPPER_LAYER, PPM_EXE_WRITABLE, PPM_EXVAT_AT_EMPTY_PATH,
};
use peregrine_event::record::Tag;

mod param {
    pub(super) const EXE: usize = 1;
    pub(super) const ARGS: usize = 2;
    pub(super) const PID: usize = 4;
    pub(super) const PTID: usize = 5;
    pub(super) const FDLIMIT: usize = 7;
    pub(super) const COMM: usize = 13;
    pub(super) const CGROUPS: usize = 14;
    pub(super) const ENV: usize = 15;
    pub(super) const TTY: usize = 16;
    pub(super) const VPGID: usize = 17;
    pub(super) const LOGINUID: usize = 18;
    pub(super) const FLAGS: usize = 19;
    pub(super) const CAP_INHERITABLE: usize = 20;
    pub(super) const CAP_PERMITTED: usize = 21;
    pub(super) const CAP_EFFECTIVE: usize = 22;
    pub(super) const EXE_INO: usize = 23;
    pub(super) const EXE_CTIME: usize = 24;
    pub(super) const EXE_MTIME: usize = 25;
    pub(super) const UID: usize = 26;
    pub(super) const EXEPATH: usize = 27;
    pub(super) const PGID: usize = 28;
    pub(super) const GID: usize = 29;
}

pub(super) fn exec(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some((slot, _)) = success(event, context) else { return };
    resurrect(state, slot);
    let cgroups = event.value(param::CGROUPS).and_then(|list| state.cgroups_of(list, event.tid));
    let Some(thread) = state.threads.get_mut(slot) else { return };
    set_image(event, thread);
    thread.set_cgroups(cgroups);
    if thread.is_invalid() {
        thread.ptid = event.int(param::PTID).unwrap_or(-1);
        if !thread.has(PPM_CL_CHILD_IN_PIDNS) {
            (thread.vtid, thread.vpid) = (thread.tid, thread.pid);
        }
        state.relate_thread(slot);
    }
    set_exepath(state, event, context, slot);
    let Some(thread) = state.threads.get_mut(slot) else { return };
    set_credentials(event, thread);
    reset_flags(thread);
    if let Some(owner) = state.fds_owner(slot) {
        state.remove_fds(owner, |_, info| info.cloexec);
    }
    end_other_threads(state, slot);
    state.learn_accounts(slot);
    context.thread = state.threads.find(event.tid).map(Slot);
}

/// When a thread other than the leader executes and the leader is dead already, it takes the leader's id: the dead
/// leader lives again.
fn resurrect(state: &mut State, slot: u32) {
    let Some(thread) = state.threads.get_mut(slot) else { return };
    if !std::mem::replace(&mut thread.dead, false) {
        return;
    }
    thread.flags &= !(PPM_CL_CLOSED as u32);
    if let Some(group) = state.threads.group_of_mut(slot) {
        group.alive += 1;
    }
}

fn set_image(event: &Event<'_>, thread: &mut ThreadInfo) {
    replace(&mut thread.exe, text(event, param::EXE));
    thread.lastexec_ts = event.ts;
    let comm = if event.value(param::COMM).is_some() { param::COMM } else { param::EXE };
    replace(&mut thread.comm, text(event, comm));
    thread.set_args(event.value(param::ARGS).unwrap_or_default());
    if let Some(pid) = event.int(param::PID) {
        thread.pid = pid;
    }
    thread.fdlimit = event.int(param::FDLIMIT).unwrap_or(thread.fdlimit);
    set_memory(event, thread);
    if let Some(env) = event.value(param::ENV) {
        thread.set_env(env);
    }
    if let Some(tty) = event.uint(param::TTY) {
        thread.tty = tty as u32;
    }
}

/// The kernel's path; old captures lack it, and it is put together from the enter event.
fn set_exepath(state: &mut State, event: &Event<'_>, context: &mut Context, slot: u32) {
    if event.record(Tag::Path).or_else(|| event.value(param::EXEPATH)).is_some() {
        let path = event.record(Tag::Path).unwrap_or_else(|| text(event, param::EXEPATH));
        if let Some(thread) = state.threads.get_mut(slot) {
            thread.set_exepath(path);
        }
        return;
    }
    let Some(bytes) = state.take_enter(event, context) else { return };
    if let Ok(enter) = Event::parse(&bytes, event.cpu) {
        let mut path = std::mem::take(&mut state.pool.path);
        path_of_enter(state, &enter, slot, &mut path);
        if let Some(thread) = state.threads.get_mut(slot) {
            thread.set_exepath(&path);
        }
        state.pool.path = path;
    }
    state.pool.recycle_enter(bytes);
}

fn path_of_enter(state: &mut State, enter: &Event<'_>, slot: u32, path: &mut Vec<u8>) {
    path.clear();
    let Some(thread) = state.threads.get(slot) else { return };
    match enter.code {
        SYSCALL_EXECVE_19_E => match text(enter, 0) {
            b"<NA>" => path.extend_from_slice(b"<NA>"),
            name => join(state.cwd(thread), name, path),
        },
        SYSCALL_EXECVEAT_E => {
            let (dirfd, name) = (enter.int(0).unwrap_or(-1), text(enter, 1));
            let empty_path = i64::from(u32_of(enter, 2)) & PPM_EXVAT_AT_EMPTY_PATH != 0;
            let mut buffer = std::mem::take(&mut state.pool.base);
            let dir = state.dir_of(slot, name, dirfd, &mut buffer);
            if (!empty_path && name == b"<NA>") || dir == UNKNOWN {
                path.extend_from_slice(b"<NA>");
            } else if empty_path {
                join(b"", dir, path);
            } else {
                join(dir, name, path);
            }
            state.pool.base = buffer;
        }
        _ => {}
    }
}

/// Each only as far as the event has it.
fn set_credentials(event: &Event<'_>, thread: &mut ThreadInfo) {
    if let Some(vpgid) = event.int(param::VPGID) {
        thread.vpgid = vpgid;
    }
    if let Some(loginuid) = event.uint(param::LOGINUID) {
        thread.loginuid = loginuid as u32;
    }
    if let Some(flags) = event.uint(param::FLAGS) {
        let has = |bit: i64| flags as i64 & bit != 0;
        thread.exe_writable = has(PPM_EXE_WRITABLE);
        thread.exe_upper_layer = has(PPM_EXE_UPPER_LAYER);
        thread.exe_lower_layer = has(PPM_EXE_LOWER_LAYER);
        thread.exe_from_memfd = has(PPM_EXE_FROM_MEMFD);
    }
    if let Some(effective) = event.uint(param::CAP_EFFECTIVE) {
        thread.cap_inheritable = event.uint(param::CAP_INHERITABLE).unwrap_or(0);
        thread.cap_permitted = event.uint(param::CAP_PERMITTED).unwrap_or(0);
        thread.cap_effective = effective;
    }
    if let Some(mtime) = event.uint(param::EXE_MTIME) {
        thread.exe_ino = event.uint(param::EXE_INO).unwrap_or(0);
        thread.exe_ino_ctime = event.uint(param::EXE_CTIME).unwrap_or(0);
        thread.exe_ino_mtime = mtime;
        if thread.clone_ts != 0 {
            thread.exe_ino_ctime_duration_clone_ts = thread.clone_ts.wrapping_sub(thread.exe_ino_ctime);
        }
        if thread.pidns_init_start_ts != 0 && thread.exe_ino_ctime > thread.pidns_init_start_ts {
            thread.exe_ino_ctime_duration_pidns_start = thread.exe_ino_ctime - thread.pidns_init_start_ts;
        }
    }
    if let Some(uid) = event.uint(param::UID) {
        thread.uid = uid as u32;
    }
    thread.pgid = event.int(param::PGID).unwrap_or(-1);
    if let Some(gid) = event.uint(param::GID) {
        thread.gid = gid as u32;
    }
}

fn reset_flags(thread: &mut ThreadInfo) {
    let kept = PPM_CL_PIPE_SRC | PPM_CL_PIPE_DST | PPM_CL_IS_MAIN_THREAD | PPM_CL_CLONE_INVERTED;
    thread.flags = thread.flags & kept as u32 | (PPM_CL_ACTIVE | PPM_CL_NAME_CHANGED) as u32;
}

/// The other threads of the process end with it; the leader stays, and whoever called.
fn end_other_threads(state: &mut State, slot: u32) {
    if state.threads.group_of(slot).is_none_or(|group| group.alive <= 1) {
        return;
    }
    let caller = state.threads.get(slot).map_or(-1, |thread| thread.tid);
    let others: Vec<i64> = state
        .threads
        .members(slot)
        .filter_map(|member| state.threads.get(member))
        .filter(|thread| !thread.is_main() && thread.tid != caller)
        .map(|thread| thread.tid)
        .collect();
    debug_assert!(state.threads.get(slot).is_some_and(|thread| thread.links.group != NONE));
    for tid in others {
        state.remove_thread(tid);
    }
}
