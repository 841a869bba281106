//! Users, groups, sessions, capabilities.

use super::{result, success, u32_of};
use crate::inspect::{Context, State};
use crate::thread::{Slot, ThreadInfo};
use peregrine_event::Event;
use peregrine_event::defines::{PPM_CL_CLONE_FILES, PPM_CL_CLONE_NEWUSER};

/// All 41 capabilities.
const ALL_CAPS: u64 = (1 << 41) - 1;

/// `setresuid`, `setreuid`: the effective id.
pub(super) fn set_euid(state: &mut State, event: &Event<'_>, context: &mut Context) {
    set_uid(state, event, context, 2, event.nparams());
}

/// Of the superuser, all three ids.
pub(super) fn setuid(state: &mut State, event: &Event<'_>, context: &mut Context) {
    set_uid(state, event, context, 1, 2);
}

/// Who is no longer the superuser loses what he was able to do, and who becomes it is able to what he may. Upstream
/// leaves the capabilities as they are; Peregrine's own events follow the kernel, as it does without `SECBIT_*` and
/// `PR_SET_KEEPCAPS`. The user ids are the parameters from the first up to `end`.
fn set_uid(state: &mut State, event: &Event<'_>, context: &Context, effective: usize, end: usize) {
    let uid = |state: &State| context.thread.and_then(|slot| Some(state.threads.get(slot.0)?.uid));
    let before = uid(state);
    set_id(state, event, context, effective, |thread| &mut thread.uid);
    let after = uid(state);
    if !state.own || before == after {
        return;
    }
    // An id that is left as it is may be the superuser's.
    let none_left = (1..end).all(|param| !matches!(u32_of(event, param), 0 | u32::MAX));
    if let Some(thread) = context.thread.and_then(|slot| state.threads.get_mut(slot.0)) {
        if before == Some(0) {
            thread.cap_effective = 0;
            if none_left {
                thread.cap_permitted = 0;
            }
        } else if after == Some(0) {
            thread.cap_effective = thread.cap_permitted;
        }
    }
}

/// `setresgid`, `setregid`: the effective id.
pub(super) fn set_egid(state: &mut State, event: &Event<'_>, context: &mut Context) {
    set_id(state, event, context, 2, |thread| &mut thread.gid);
}

pub(super) fn setgid(state: &mut State, event: &Event<'_>, context: &mut Context) {
    set_id(state, event, context, 1, |thread| &mut thread.gid);
}

/// (Odd) all ones means "unchanged" to the kernel, but upstream takes it for the id; not so for Peregrine's own events.
fn set_id(
    state: &mut State,
    event: &Event<'_>,
    context: &Context,
    param: usize,
    field: impl Fn(&mut ThreadInfo) -> &mut u32,
) {
    let (Some(Slot(slot)), Some(0)) = (context.thread, result(event)) else { return };
    let Some(id) = event.uint(param).map(|id| id as u32) else { return };
    if id == u32::MAX && state.own {
        return;
    }
    if let Some(thread) = state.threads.get_mut(slot) {
        *field(thread) = id;
    }
}

/// A new session, and with it a new process group and no terminal. (Odd) upstream takes the session alone, of the calling
/// thread alone.
pub(super) fn setsid(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some((slot, sid)) = success(event, context) else { return };
    if let Some(thread) = state.threads.get_mut(slot) {
        thread.sid = sid;
    }
    if state.own {
        each_thread(state, slot, |thread| {
            (thread.sid, thread.tty) = (sid, 0);
            (thread.pgid, thread.vpgid) = (thread.pid, thread.vpid);
        });
    }
}

/// Upstream does not follow it; Peregrine's own events do. The call's ids are those of the caller's PID namespace: in one
/// other than the first they are understood as far as they mean the caller itself.
pub(super) fn setpgid(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some((slot, _)) = success(event, context).filter(|_| state.own) else { return };
    let (Some(of), Some(group)) = (event.int(1), event.int(2)) else { return };
    let Some(caller) = state.threads.get(slot) else { return };
    let translated = caller.in_pid_namespace();
    let target = match of {
        0 => Some(slot),
        _ if of == caller.vpid => Some(slot),
        _ if translated => None,
        _ => state.threads.find(of),
    };
    let Some((target, thread)) = target.and_then(|target| Some((target, state.threads.get(target)?))) else { return };
    let ids = if group == 0 || group == thread.vpid { (thread.pid, thread.vpid) } else { (group, group) };
    if ids.0 == thread.pid || !translated {
        each_thread(state, target, |thread| (thread.pgid, thread.vpgid) = ids);
    }
}

/// Changes all threads of a process.
fn each_thread(state: &mut State, slot: u32, change: impl Fn(&mut ThreadInfo)) {
    let members: Vec<u32> = state.threads.members(slot).collect();
    for member in members {
        if let Some(thread) = state.threads.get_mut(member) {
            change(thread);
        }
    }
}

pub(super) fn capset(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some((slot, _)) = success(event, context) else { return };
    if let Some(thread) = state.threads.get_mut(slot) {
        thread.cap_inheritable = event.uint(1).unwrap_or(0);
        thread.cap_permitted = event.uint(2).unwrap_or(0);
        thread.cap_effective = event.uint(3).unwrap_or(0);
    }
}

/// Upstream does not follow a thread that parts from its process's descriptors; Peregrine's own events do.
pub(super) fn unshare(state: &mut State, event: &Event<'_>, context: &mut Context) {
    new_user_namespace(state, event, context, 1);
    if let Some((slot, _)) = success(event, context)
        && i64::from(u32_of(event, 1)) & PPM_CL_CLONE_FILES != 0
        && state.own
    {
        state.unshare_fds(slot);
    }
}

pub(super) fn setns(state: &mut State, event: &Event<'_>, context: &mut Context) {
    new_user_namespace(state, event, context, 2);
}

/// Whoever enters a user namespace has all capabilities there.
fn new_user_namespace(state: &mut State, event: &Event<'_>, context: &Context, flags: usize) {
    let Some((slot, _)) = success(event, context) else { return };
    if i64::from(u32_of(event, flags)) & PPM_CL_CLONE_NEWUSER == 0 {
        return;
    }
    if let Some(thread) = state.threads.get_mut(slot) {
        (thread.cap_inheritable, thread.cap_permitted, thread.cap_effective) = (ALL_CAPS, ALL_CAPS, ALL_CAPS);
    }
}
