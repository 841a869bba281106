//! Events that no thread causes: users, groups and containers that came or went.

use super::{text, u32_of};
use crate::container::Container;
use crate::inspect::{Context, State};
use crate::users::{Group, User};
use peregrine_event::Event;
use std::sync::Arc;

pub(super) fn user_added(state: &mut State, event: &Event<'_>, _context: &mut Context) {
    let user = User {
        uid: u32_of(event, 0),
        gid: u32_of(event, 1),
        name: text(event, 2).to_vec(),
        homedir: text(event, 3).to_vec(),
        shell: text(event, 4).to_vec(),
    };
    if !state.users.add_user(container_id(event, 5), user, state.limits.users) {
        state.counters.n_drops_full_usertable += 1;
    }
}

pub(super) fn user_deleted(state: &mut State, event: &Event<'_>, _context: &mut Context) {
    state.users.remove_user(container_id(event, 5), u32_of(event, 0));
}

pub(super) fn group_added(state: &mut State, event: &Event<'_>, _context: &mut Context) {
    let group = Group { gid: u32_of(event, 0), name: text(event, 1).to_vec() };
    if !state.users.add_group(container_id(event, 2), group, state.limits.users) {
        state.counters.n_drops_full_usertable += 1;
    }
}

pub(super) fn group_deleted(state: &mut State, event: &Event<'_>, _context: &mut Context) {
    state.users.remove_group(container_id(event, 2), u32_of(event, 0));
}

/// Which container an account belongs to; empty for the host.
fn container_id<'a>(event: &Event<'a>, index: usize) -> &'a [u8] {
    event.text(index).unwrap_or_default()
}

/// A container that an old capture tells of, as JSON.
pub(super) fn container(state: &mut State, event: &Event<'_>, _context: &mut Context) {
    container_came(state, event.text(0).unwrap_or_default());
}

/// Events that plugins injected: the container plugin tells so of containers that came or went. Others change nothing.
pub(super) fn asynchronous(state: &mut State, event: &Event<'_>, _context: &mut Context) {
    let data = event.value(2).unwrap_or_default();
    let json = data.split(|b| *b == 0).next().unwrap_or_default();
    match event.text(1) {
        Some(b"container") => container_came(state, json),
        Some(b"container_removed") => {
            if let Some(container) = Container::from_json(json) {
                state.known_containers.remove(container.id.as_bytes());
                state.told = Some((state.num(), Arc::new(container)));
            }
        }
        _ => {}
    }
}

fn container_came(state: &mut State, json: &[u8]) {
    let Some(container) = Container::from_json(json) else { return };
    let id = container.id.clone();
    if !state.known_containers.insert(container, state.limits.containers) {
        state.counters.n_drops_full_usertable += 1;
    }
    state.told = state.known_containers.get(id.as_bytes()).map(|container| (state.num(), Arc::clone(container)));
}
