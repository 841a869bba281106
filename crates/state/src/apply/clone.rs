//! `clone`, `clone3`, `fork`, `vfork`: both the caller's and the child's event.
//!
//! Which of the two comes first is not fixed; whichever can create the child does, and the other finds it there.
//! Semantics: `parse_clone_exit_caller` and `parse_clone_exit_child` of libsinsp.

use super::{result, text, u32_of};
use crate::inspect::{Context, State};
use crate::thread::{Slot, ThreadInfo, replace};
use peregrine_event::Event;
use peregrine_event::code::SYSCALL_VFORK_20_X;
use peregrine_event::defines::{
    PPM_CL_CHILD_IN_PIDNS, PPM_CL_CLONE_FILES, PPM_CL_CLONE_INVERTED, PPM_CL_CLONE_NEWPID, PPM_CL_CLONE_PARENT,
    PPM_CL_CLONE_THREAD, PPM_CL_CLONE_VFORK,
};

/// A thread that was made longer ago than this, in nanoseconds, is not the one that this event tells of.
const STALE: u64 = 2_000_000_000;

/// Parameters of all these events.
mod param {
    pub(super) const EXE: usize = 1;
    pub(super) const ARGS: usize = 2;
    pub(super) const PID: usize = 4;
    pub(super) const PTID: usize = 5;
    pub(super) const FDLIMIT: usize = 7;
    pub(super) const PGFT_MAJ: usize = 8;
    pub(super) const PGFT_MIN: usize = 9;
    pub(super) const VM_SIZE: usize = 10;
    pub(super) const VM_RSS: usize = 11;
    pub(super) const VM_SWAP: usize = 12;
    pub(super) const COMM: usize = 13;
    pub(super) const CGROUPS: usize = 14;
    pub(super) const FLAGS: usize = 15;
    pub(super) const UID: usize = 16;
    pub(super) const GID: usize = 17;
    pub(super) const VTID: usize = 18;
    pub(super) const VPID: usize = 19;
    pub(super) const PIDNS_START: usize = 20;
}

pub(super) fn clone(state: &mut State, event: &Event<'_>, context: &mut Context) {
    match result(event) {
        Some(0) => in_child(state, event, context),
        Some(child @ 1..) => in_caller(state, event, context, child),
        _ => {}
    }
}

fn in_caller(state: &mut State, event: &Event<'_>, context: &mut Context, child: i64) {
    let Some(caller) = state.get_thread(event.tid, event.ts) else {
        context.thread = None;
        return;
    };
    context.thread = Some(Slot(caller));
    let known = state.threads.get(caller).is_some_and(|thread| !thread.is_invalid());
    if !known {
        complete_caller(state, event, caller);
    }
    let flags = i64::from(u32_of(event, param::FLAGS));
    let namespaced = PPM_CL_CHILD_IN_PIDNS | PPM_CL_CLONE_NEWPID | PPM_CL_CLONE_PARENT;
    let translated = state.threads.get(caller).is_none_or(|thread| thread.vtid != event.tid);
    let vfork = flags & PPM_CL_CLONE_VFORK != 0 || event.code == SYSCALL_VFORK_20_X;
    if flags & namespaced != 0 || translated || vfork || child == event.tid {
        return;
    }
    if state.recent.contains(child, event.tid, event.ts) {
        return;
    }
    if let Some(old) = state.threads.find(child) {
        if state.threads.get(old).is_some_and(|thread| thread.has(PPM_CL_CLONE_INVERTED)) {
            return;
        }
        // Its exit was missed.
        state.remove_thread(child);
    }
    // Removing may have taken the caller along.
    let Some(caller) = state.threads.find(event.tid) else {
        context.thread = None;
        return;
    };
    add_callers_child(state, event, caller, child, known);
    context.thread = state.threads.find(event.tid).map(Slot);
}

/// A stand-in that calls `clone` becomes a real thread by what its event tells.
fn complete_caller(state: &mut State, event: &Event<'_>, caller: u32) {
    let Some(thread) = state.threads.get_mut(caller) else { return };
    thread.pid = event.int(param::PID).unwrap_or(-1);
    thread.ptid = event.int(param::PTID).unwrap_or(-1);
    (thread.vtid, thread.vpid) = match event.int(param::VPID) {
        Some(vpid) => (event.int(param::VTID).unwrap_or(-1), vpid),
        None => (event.tid, -1),
    };
    state.relate_thread(caller);
}

fn add_callers_child(state: &mut State, event: &Event<'_>, caller: u32, child: i64, known: bool) {
    let mut new = state.pool.thread(child);
    new.flags = u32_of(event, param::FLAGS);
    let is_thread = new.has(PPM_CL_CLONE_THREAD);
    let Some(thread) = state.threads.get(caller) else { return };
    if is_thread {
        (new.pid, new.ptid) = (thread.pid, thread.ptid);
        new.flags |= PPM_CL_CLONE_FILES as u32;
        new.lastexec_ts = thread.lastexec_ts;
    } else {
        (new.pid, new.ptid) = (child, event.tid);
    }
    (new.vtid, new.vpid) = (new.tid, new.pid);
    new.pidns_init_start_ts = state.boot_ts();
    fill_from_event(state, event, &mut new);
    if known {
        inherit(state, &mut new, caller, is_thread);
    } else if let Some(thread) = state.threads.get_mut(caller) {
        copy_identity(&new, thread);
    }
    let Some(new) = state.add_thread(new) else { return };
    state.learn_accounts(new);
    if known && !is_thread {
        copy_process_fds(state, caller, new);
    }
}

fn in_child(state: &mut State, event: &Event<'_>, context: &mut Context) {
    if let Some(Slot(slot)) = context.thread
        && let Some(clone_ts) = state.threads.get(slot).map(|thread| thread.clone_ts).filter(|ts| *ts != 0)
    {
        if event.ts.wrapping_sub(clone_ts) < STALE {
            // The caller's event made it.
            return;
        }
        state.remove_thread(event.tid);
        context.thread = None;
    }
    let mut new = state.pool.thread(event.tid);
    new.pid = event.int(param::PID).unwrap_or(-1);
    new.ptid = event.int(param::PTID).unwrap_or(-1);
    (new.vtid, new.vpid) = match event.int(param::VPID) {
        Some(vpid) => (event.int(param::VTID).unwrap_or(-1), vpid),
        None => (new.tid, -1),
    };
    new.flags = u32_of(event, param::FLAGS) | PPM_CL_CLONE_INVERTED as u32;
    let is_thread = new.has(PPM_CL_CLONE_THREAD);
    if is_thread {
        new.flags |= PPM_CL_CLONE_FILES as u32;
    }
    // A thread takes after its leader, a process after its parent.
    let from = if is_thread { new.pid } else { new.ptid };
    let Some(from) = state.get_thread(from, event.ts) else {
        context.thread = None;
        return;
    };
    let known = state.threads.get(from).is_some_and(|thread| !thread.is_invalid());
    if !known && is_thread {
        complete_leader(state, &new, from);
    }
    fill_from_event(state, event, &mut new);
    new.pidns_init_start_ts = pidns_start(state, event, &new);
    if known {
        inherit(state, &mut new, from, is_thread);
        if is_thread {
            new.lastexec_ts = state.threads.get(from).map_or(0, |thread| thread.lastexec_ts);
        }
    } else if is_thread && let Some(thread) = state.threads.get_mut(from) {
        copy_identity(&new, thread);
    }
    let from_tid = state.threads.get(from).map(|thread| thread.tid);
    context.thread = state.add_thread(new).map(Slot);
    if let Some(Slot(new)) = context.thread {
        state.learn_accounts(new);
    }
    if known
        && !is_thread
        && let Some(Slot(new)) = context.thread
        && let Some(from) = from_tid.and_then(|tid| state.threads.find(tid))
    {
        copy_process_fds(state, from, new);
    }
}

/// The leader's stand-in becomes real by what its new thread's event tells.
fn complete_leader(state: &mut State, new: &ThreadInfo, leader: u32) {
    let Some(thread) = state.threads.get_mut(leader) else { return };
    (thread.pid, thread.ptid) = (new.pid, new.ptid);
    (thread.vpid, thread.vtid) = (new.vpid, new.vpid);
    state.relate_thread(leader);
}

fn pidns_start(state: &State, event: &Event<'_>, new: &ThreadInfo) -> u64 {
    if !new.has(PPM_CL_CHILD_IN_PIDNS | PPM_CL_CLONE_NEWPID) && new.tid == new.vtid {
        return state.boot_ts();
    }
    event.uint(param::PIDNS_START).map_or(0, |since_boot| since_boot.wrapping_add(state.boot_ts()))
}

/// What the event itself tells of the child.
fn fill_from_event(state: &mut State, event: &Event<'_>, new: &mut ThreadInfo) {
    replace(&mut new.exe, text(event, param::EXE));
    let comm = if event.value(param::COMM).is_some() { text(event, param::COMM) } else { text(event, param::EXE) };
    replace(&mut new.comm, comm);
    new.set_args(event.value(param::ARGS).unwrap_or_default());
    new.fdlimit = event.int(param::FDLIMIT).unwrap_or(-1);
    set_memory(event, new);
    (new.uid, new.gid) = (u32_of(event, param::UID), u32_of(event, param::GID));
    if let Some(cgroups) = event.value(param::CGROUPS) {
        new.set_cgroups(state.cgroups_of(cgroups, new.tid));
    }
    new.clone_ts = event.ts;
}

/// Page faults and sizes, present all together or not at all.
pub(super) fn set_memory(event: &Event<'_>, thread: &mut ThreadInfo) {
    if event.value(param::VM_SWAP).is_none() {
        return;
    }
    thread.pfmajor = event.uint(param::PGFT_MAJ).unwrap_or(0);
    thread.pfminor = event.uint(param::PGFT_MIN).unwrap_or(0);
    thread.vmsize_kb = u32_of(event, param::VM_SIZE);
    thread.vmrss_kb = u32_of(event, param::VM_RSS);
    thread.vmswap_kb = u32_of(event, param::VM_SWAP);
}

fn inherit(state: &State, new: &mut ThreadInfo, from: u32, is_thread: bool) {
    let Some(thread) = state.threads.get(from) else { return };
    new.inherit(thread);
    if !is_thread {
        replace(&mut new.cwd, state.cwd(thread));
        // (Odd) the environment is the calling thread's own, which only leaders have.
        let env = if state.own { state.leader(thread).map_or(&[][..], |leader| &leader.env) } else { &thread.env };
        replace(&mut new.env, env);
    }
}

fn copy_process_fds(state: &mut State, from: u32, new: u32) {
    if let Some(owner) = state.fds_owner(from)
        && owner != new
    {
        state.copy_fds(owner, new);
    }
}

fn copy_identity(from: &ThreadInfo, to: &mut ThreadInfo) {
    replace(&mut to.exe, &from.exe);
    replace(&mut to.comm, &from.comm);
    to.set_args(&from.args);
}
