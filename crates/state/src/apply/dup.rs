//! Closing and copying descriptors.

use super::{success, u32_of};
use crate::fd::FdInfo;
use crate::inspect::{Context, State};
use crate::thread::Slot;
use peregrine_event::Event;
use peregrine_event::code::SYSCALL_DUP3_X;
use peregrine_event::defines::{
    PPM_CL_PIPE_DST, PPM_CL_PIPE_SRC, PPM_CLOSE_RANGE_CLOEXEC, PPM_CLOSE_RANGE_UNSHARE, PPM_FCNTL_F_DUPFD,
    PPM_FCNTL_F_DUPFD_CLOEXEC, PPM_FCNTL_F_SETFD, PPM_O_CLOEXEC,
};

/// The descriptor stays until the event is finished.
pub(super) fn close(state: &mut State, event: &Event<'_>, context: &mut Context) {
    match super::result(event) {
        Some(0..) => context.closes = context.has_fd,
        // That a failed close names no descriptor is no failed look-up.
        _ if !context.has_fd => {
            state.counters.n_failed_fd_lookups = state.counters.n_failed_fd_lookups.saturating_sub(1);
        }
        _ => {}
    }
}

pub(super) fn close_range(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some((slot, _)) = success(event, context) else { return };
    if state.own && i64::from(u32_of(event, 3)) & PPM_CLOSE_RANGE_UNSHARE != 0 {
        state.unshare_fds(slot);
    }
    let Some(owner) = state.fds_owner(slot) else { return };
    let (first, last) = (u32_of(event, 1), u32_of(event, 2));
    let in_range = |fd: i64| u32::try_from(fd).is_ok_and(|fd| (first..=last).contains(&fd));
    if i64::from(u32_of(event, 3)) & PPM_CLOSE_RANGE_CLOEXEC == 0 {
        return state.remove_fds(owner, |fd, _| in_range(fd));
    }
    let Some(thread) = state.threads.get_mut(owner) else { return };
    for (_, info) in thread.fds.values_mut().filter(|(fd, _)| in_range(*fd)) {
        info.set_cloexec(true);
    }
}

/// `dup`, `dup2`, `dup3`: a copy without close-on-exec unless asked for.
///
/// (Odd) a `dup2` onto itself changes nothing, but upstream clears close-on-exec; not so for Peregrine's own events.
pub(super) fn dup(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some((slot, fd)) = success(event, context) else { return };
    if !context.has_fd {
        return;
    }
    // Standard input or output that is put in place marks a part of a shell's pipe.
    let mark = [PPM_CL_PIPE_DST, PPM_CL_PIPE_SRC].get(fd as usize).copied().unwrap_or(0);
    if let Some(thread) = state.threads.get_mut(slot) {
        thread.flags |= mark as u32;
    }
    if fd == context.fd_key && state.own {
        return;
    }
    let cloexec = event.code == SYSCALL_DUP3_X && i64::from(u32_of(event, 3)) & PPM_O_CLOEXEC != 0;
    copy_event_fd(state, context, fd, cloexec);
}

pub(super) fn fcntl(state: &mut State, event: &Event<'_>, context: &mut Context) {
    const FD_CLOEXEC: u64 = 1;
    let Some((_, fd)) = success(event, context) else { return };
    if !context.has_fd {
        return;
    }
    match event.uint(2).unwrap_or(0) as i64 {
        PPM_FCNTL_F_SETFD => {
            let on = event.uint(3).unwrap_or(0) & FD_CLOEXEC != 0;
            if let Some(info) = state.event_fd_mut(context) {
                info.set_cloexec(on);
            }
        }
        PPM_FCNTL_F_DUPFD => copy_event_fd(state, context, fd, false),
        PPM_FCNTL_F_DUPFD_CLOEXEC => copy_event_fd(state, context, fd, true),
        _ => {}
    }
}

/// A copy of another process's descriptor, close-on-exec set; nothing if that process or descriptor is not known.
///
/// (Odd) upstream does so for a call that failed as well, under its negative result; not so for Peregrine's own events.
pub(super) fn pidfd_getfd(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let (Some(Slot(slot)), Some(fd)) = (context.thread, super::result(event)) else { return };
    if fd < 0 && state.own {
        return;
    }
    let (pidfd, target) = (event.int(1).unwrap_or(-1), event.int(2).unwrap_or(-1));
    let mut copy = state.pool.fd();
    let found = state.threads.get(slot).and_then(|thread| {
        let pid = state.fd_table(thread)?.get(pidfd).filter(|info| info.ty == crate::fd::FdType::PidFd)?.pidfd_pid;
        let other = state.threads.get(state.threads.find(pid)?)?;
        state.fd_table(other)?.get(target)
    });
    match found {
        Some(info) => {
            copy.copy_from(info);
            copy.set_cloexec(true);
            state.add_fd(context, fd, copy, false);
        }
        None => state.pool.recycle(copy),
    }
}

fn copy_event_fd(state: &mut State, context: &mut Context, fd: i64, cloexec: bool) {
    let mut copy = state.pool.fd();
    let Some(info) = state.event_fd(context) else { return state.pool.recycle(copy) };
    copy.copy_from(info);
    copy.set_cloexec(cloexec);
    state.add_fd(context, fd, copy, false);
}

impl State {
    pub(super) fn event_fd_mut(&mut self, context: &Context) -> Option<&mut FdInfo> {
        if !context.has_fd {
            return None;
        }
        self.threads.get_mut(context.fd_slot)?.fds.get_mut(context.fd_key)
    }
}
