//! Calls that make descriptors which are neither files nor sockets.

use super::{success, text, u32_of};
use crate::fd::{FdInfo, FdType};
use crate::inspect::{Context, State};
use crate::thread::replace;
use peregrine_event::Event;
use peregrine_event::code::SYSCALL_PIPE2_X;
use peregrine_event::defines::{
    PPM_BPF_BTF_GET_FD_BY_ID, PPM_BPF_BTF_LOAD, PPM_BPF_ENABLE_STATS, PPM_BPF_ITER_CREATE, PPM_BPF_LINK_CREATE,
    PPM_BPF_LINK_GET_FD_BY_ID, PPM_BPF_MAP_CREATE, PPM_BPF_MAP_GET_FD_BY_ID, PPM_BPF_OBJ_GET,
    PPM_BPF_PROG_GET_FD_BY_ID, PPM_BPF_PROG_LOAD, PPM_BPF_RAW_TRACEPOINT_OPEN, PPM_EPOLL_CLOEXEC, PPM_O_CLOEXEC,
};
use std::io::Write;

/// Both ends; the event shows the second.
pub(super) fn pipe(state: &mut State, event: &Event<'_>, context: &mut Context) {
    if success(event, context).is_none() {
        return;
    }
    let flags = if event.code == SYSCALL_PIPE2_X { u32_of(event, 4) } else { 0 };
    for end in [1, 2] {
        let Some(fd) = event.int(end) else { return };
        let mut info = state.pool.fd();
        info.set_kind(FdType::Fifo, flags);
        info.ino = event.uint(3).unwrap_or(0);
        state.add_fd(context, fd, info, true);
    }
}

pub(super) fn eventfd(state: &mut State, event: &Event<'_>, context: &mut Context) {
    add(state, event, context, FdType::Event, 0);
}

pub(super) fn eventfd2(state: &mut State, event: &Event<'_>, context: &mut Context) {
    add(state, event, context, FdType::Event, u32_of(event, 1));
}

pub(super) fn signalfd(state: &mut State, event: &Event<'_>, context: &mut Context) {
    add(state, event, context, FdType::SignalFd, 0);
}

pub(super) fn signalfd4(state: &mut State, event: &Event<'_>, context: &mut Context) {
    add(state, event, context, FdType::SignalFd, u32_of(event, 1));
}

pub(super) fn timerfd(state: &mut State, event: &Event<'_>, context: &mut Context) {
    add(state, event, context, FdType::TimerFd, u32_of(event, 2));
}

pub(super) fn inotify(state: &mut State, event: &Event<'_>, context: &mut Context) {
    add(state, event, context, FdType::Inotify, 0);
}

pub(super) fn inotify1(state: &mut State, event: &Event<'_>, context: &mut Context) {
    add(state, event, context, FdType::Inotify, u32_of(event, 1));
}

pub(super) fn epoll(state: &mut State, event: &Event<'_>, context: &mut Context) {
    add(state, event, context, FdType::EventPoll, 0);
}

pub(super) fn epoll1(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let cloexec = i64::from(u32_of(event, 1)) & PPM_EPOLL_CLOEXEC != 0;
    add(state, event, context, FdType::EventPoll, if cloexec { PPM_O_CLOEXEC as u32 } else { 0 });
}

pub(super) fn userfaultfd(state: &mut State, event: &Event<'_>, context: &mut Context) {
    add(state, event, context, FdType::UserfaultFd, 0);
}

pub(super) fn io_uring(state: &mut State, event: &Event<'_>, context: &mut Context) {
    add(state, event, context, FdType::IoUring, 0);
}

/// Commands of `bpf` whose result is a descriptor.
const BPF_CREATORS: &[i64] = &[
    PPM_BPF_MAP_CREATE,
    PPM_BPF_PROG_LOAD,
    PPM_BPF_OBJ_GET,
    PPM_BPF_PROG_GET_FD_BY_ID,
    PPM_BPF_MAP_GET_FD_BY_ID,
    PPM_BPF_RAW_TRACEPOINT_OPEN,
    PPM_BPF_BTF_LOAD,
    PPM_BPF_BTF_GET_FD_BY_ID,
    PPM_BPF_LINK_CREATE,
    PPM_BPF_LINK_GET_FD_BY_ID,
    PPM_BPF_ENABLE_STATS,
    PPM_BPF_ITER_CREATE,
];

/// (Odd) upstream takes any command's result for a descriptor: a look-up in a map that returns 0 turns standard input
/// into a BPF object. Not so for Peregrine's own events.
pub(super) fn bpf(state: &mut State, event: &Event<'_>, context: &mut Context) {
    if !state.own || BPF_CREATORS.contains(&i64::from(u32_of(event, 1))) {
        add(state, event, context, FdType::Bpf, 0);
    }
}

/// (Odd) a call that failed leaves an entry without a type under its negative result, which upstream counts among the
/// open descriptors and shows as the event's. Not so for Peregrine's own events.
pub(super) fn memfd(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some(fd) = super::result(event) else { return };
    if fd < 0 && state.own {
        return;
    }
    let mut info = state.pool.fd();
    if fd >= 0 {
        info.set_kind(FdType::MemFd, u32_of(event, 2));
        replace(&mut info.name, text(event, 1));
    }
    state.add_fd(context, fd, info, true);
}

pub(super) fn pidfd(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some((_, fd)) = success(event, context) else { return };
    let pid = event.int(1).unwrap_or(0);
    let mut info = state.pool.fd();
    info.set_kind(FdType::PidFd, u32_of(event, 2));
    info.pidfd_pid = pid;
    // All of them close on exec, which upstream does not know.
    info.cloexec |= state.own;
    // Writing into a vector cannot fail.
    let _ = write!(info.name, "/proc/{pid}");
    state.add_fd(context, fd, info, true);
}

fn add(state: &mut State, event: &Event<'_>, context: &mut Context, ty: FdType, flags: u32) {
    let Some((_, fd)) = success(event, context) else { return };
    let mut info: Box<FdInfo> = state.pool.fd();
    info.set_kind(ty, flags);
    state.add_fd(context, fd, info, true);
}
