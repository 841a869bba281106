//! Working directory and root.

use super::{success, text};
use crate::inspect::{Context, State};
use crate::path::join;
use crate::thread::{Slot, replace};
use peregrine_event::Event;
use peregrine_event::record::Tag;

/// `chdir`, and `getcwd`, which tells the same.
pub(super) fn chdir(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some((slot, _)) = success(event, context) else { return };
    let path = event.record(Tag::Path).unwrap_or_else(|| text(event, 1));
    set_cwd(state, slot, path);
}

pub(super) fn fchdir(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some((slot, _)) = success(event, context) else { return };
    if let Some(path) = event.record(Tag::Path) {
        return set_cwd(state, slot, path);
    }
    let mut path = std::mem::take(&mut state.pool.base);
    if let Some(info) = state.event_fd(context) {
        replace(&mut path, &info.name);
        set_cwd(state, slot, &path);
    }
    state.pool.base = path;
}

/// The directory is the process's. (Odd) upstream resolves a relative one against the calling thread's own field, which
/// is empty for all but leaders; not so for Peregrine's own events.
fn set_cwd(state: &mut State, slot: u32, path: &[u8]) {
    let Some(leader) = state.threads.leader_of(slot) else { return };
    let from = if state.own { leader } else { slot };
    let mut cwd = std::mem::take(&mut state.pool.path);
    join(state.threads.get(from).map_or(&[][..], |thread| &thread.cwd), path, &mut cwd);
    if !cwd.ends_with(b"/") {
        cwd.push(b'/');
    }
    if let Some(thread) = state.threads.get_mut(leader) {
        replace(&mut thread.cwd, &cwd);
    }
    state.pool.path = cwd;
}

pub(super) fn chroot(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let (Some(Slot(slot)), Some(0)) = (context.thread, super::result(event)) else { return };
    let path = text(event, 1);
    let mut root = std::mem::take(&mut state.pool.path);
    match state.threads.get(slot) {
        Some(thread) if event.value(1).is_some() && !path.is_empty() && !path.starts_with(b"/") => {
            join(state.cwd(thread), path, &mut root);
        }
        _ => replace(&mut root, path),
    }
    if let Some(thread) = state.threads.get_mut(slot) {
        replace(&mut thread.root, &root);
    }
    state.pool.path = root;
}
