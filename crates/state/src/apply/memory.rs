//! Limits, sizes and page faults.

use super::{result, success, u32_of};
use crate::inspect::{Context, State};
use crate::thread::{Slot, ThreadInfo};
use peregrine_event::Event;
use peregrine_event::defines::PPM_RLIMIT_NOFILE;

/// `getrlimit`, `setrlimit`.
pub(super) fn rlimit(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some((slot, _)) = success(event, context) else { return };
    if event.uint(3) == Some(PPM_RLIMIT_NOFILE as u64) {
        set_limit(state, slot, event.int(1));
    }
}

/// Of the process named by the fifth parameter, 0 the caller itself.
pub(super) fn prlimit(state: &mut State, event: &Event<'_>, _context: &mut Context) {
    if result(event) != Some(0) || event.uint(6) != Some(PPM_RLIMIT_NOFILE as u64) {
        return;
    }
    let mut limit = event.int(1);
    // (Odd) a call that only asks has zeros for what it set; upstream takes them for the limit.
    if state.own && limit == Some(0) && event.int(2) == Some(0) {
        limit = event.int(3);
    }
    let Some(limit) = limit.filter(|limit| *limit != -1) else { return };
    let Some(tid) = event.int(5) else { return };
    let Some(slot) = state.get_thread(if tid == 0 { event.tid } else { tid }, event.ts) else { return };
    if state.threads.get(slot).is_some_and(|thread| !thread.is_invalid()) {
        set_limit(state, slot, Some(limit));
    }
}

/// The limit is the process's; all ones is none.
fn set_limit(state: &mut State, slot: u32, limit: Option<i64>) {
    let Some(limit) = limit.filter(|limit| *limit != -1) else { return };
    if let Some(leader) = state.threads.leader_of(slot)
        && let Some(thread) = state.threads.get_mut(leader)
    {
        thread.fdlimit = limit;
    }
}

/// A switch tells faults of the thread and sizes of its process.
pub(super) fn switch(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let (Some(Slot(slot)), Some(swap)) = (context.thread, event.uint(5)) else { return };
    if let Some(thread) = state.threads.get_mut(slot) {
        thread.pfmajor = event.uint(1).unwrap_or(0);
        thread.pfminor = event.uint(2).unwrap_or(0);
    }
    let leader = state.threads.leader_of(slot);
    if let Some(thread) = leader.and_then(|leader| state.threads.get_mut(leader)) {
        set_sizes(thread, u32_of(event, 3), u32_of(event, 4), swap as u32);
    }
}

/// `brk`, `mmap`, `munmap`, whatever their result.
pub(super) fn sizes(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some(thread) = context.thread.and_then(|slot| state.threads.get_mut(slot.0)) else { return };
    if let Some(size) = event.uint(1) {
        thread.vmsize_kb = size as u32;
    }
    if let Some(swap) = event.uint(3) {
        set_sizes(thread, thread.vmsize_kb, u32_of(event, 2), swap as u32);
    }
}

fn set_sizes(thread: &mut ThreadInfo, size: u32, rss: u32, swap: u32) {
    (thread.vmsize_kb, thread.vmrss_kb, thread.vmswap_kb) = (size, rss, swap);
}
