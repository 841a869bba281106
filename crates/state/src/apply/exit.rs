//! The end of a thread, and who takes its children.

use super::success;
use crate::inspect::{Context, State};
use crate::thread::Slot;
use peregrine_event::Event;
use peregrine_event::defines::{PPM_PR_GET_CHILD_SUBREAPER, PPM_PR_SET_CHILD_SUBREAPER};

/// The thread is dead from now on, but stays for the event's rules; it goes when the event is finished.
pub(super) fn exit(state: &mut State, event: &Event<'_>, context: &mut Context) {
    const REAPER: usize = 4;
    let Some(Slot(slot)) = context.thread else { return };
    state.mark_dead(slot);
    context.exits = true;
    if !state.threads.has_children(slot) {
        return;
    }
    if let Some(thread) = state.threads.get_mut(slot) {
        thread.reaper_tid = match event.int(REAPER) {
            Some(reaper) => reaper,
            None if event.nparams() > REAPER => thread.reaper_tid,
            None => -1,
        };
    }
}

/// `PR_SET_CHILD_SUBREAPER` marks the group. (Odd) upstream takes `PR_GET_CHILD_SUBREAPER` for the same, whose
/// argument is a pointer; not so for Peregrine's own events.
pub(super) fn prctl(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some((slot, _)) = success(event, context) else { return };
    let option = event.uint(1).unwrap_or(0) as i64;
    let reads = option == PPM_PR_GET_CHILD_SUBREAPER && !state.own;
    if option != PPM_PR_SET_CHILD_SUBREAPER && !reads {
        return;
    }
    if let Some(group) = state.threads.group_of_mut(slot) {
        group.reaper = event.int(3).unwrap_or(0) != 0;
    }
}
