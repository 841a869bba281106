//! `open`, `openat`, `openat2`, `creat`, `open_by_handle_at`, and the enter events that are kept for their exit.

use super::{result, text, u32_of};
use crate::fd::FdType;
use crate::inspect::{Context, State};
use crate::path::join;
use crate::thread::{Slot, replace};
use peregrine_event::Event;
use peregrine_event::defines::{
    PPM_AT_FDCWD, PPM_FD_LOWER_LAYER, PPM_FD_LOWER_LAYER_CREAT, PPM_FD_UPPER_LAYER, PPM_FD_UPPER_LAYER_CREAT,
    PPM_O_DIRECTORY, PPM_O_F_CREATED,
};
use peregrine_event::record::Tag;

/// Keeps an enter event, unless it holds nothing.
pub(super) fn store(state: &mut State, event: &Event<'_>, context: &mut Context) {
    if event.value(0).is_some() {
        store_always(state, event, context);
    }
}

/// Keeps an enter event.
pub(super) fn store_always(state: &mut State, event: &Event<'_>, context: &mut Context) {
    match context.thread {
        Some(Slot(slot)) => state.store_enter(slot, event),
        None => state.counters.n_store_evts_drops += 1,
    }
}

/// Where a call of this family has its parameters.
struct Layout {
    dirfd: Option<usize>,
    name: usize,
    flags: Option<usize>,
    dev: usize,
    ino: usize,
    /// Directory, name and flags of the enter event; `None` if it has none.
    enter: Option<(Option<usize>, usize, Option<usize>)>,
    /// The name is absolute whatever it looks like.
    absolute: bool,
}

const OPEN: Layout =
    Layout { dirfd: None, name: 1, flags: Some(2), dev: 4, ino: 5, enter: Some((None, 0, Some(1))), absolute: false };
const CREAT: Layout = Layout { flags: None, dev: 3, ino: 4, enter: Some((None, 0, None)), ..OPEN };
const OPENAT: Layout =
    Layout { dirfd: Some(1), name: 2, flags: Some(3), dev: 5, ino: 6, enter: Some((Some(0), 1, Some(2))), ..OPEN };
const OPENAT2: Layout = Layout { dev: 6, ino: 7, ..OPENAT };
const BY_HANDLE: Layout = Layout { name: 3, flags: Some(2), dev: 4, ino: 5, enter: None, absolute: true, ..OPEN };

pub(super) fn open(state: &mut State, event: &Event<'_>, context: &mut Context) {
    opened(state, event, context, &OPEN);
}

pub(super) fn creat(state: &mut State, event: &Event<'_>, context: &mut Context) {
    opened(state, event, context, &CREAT);
}

pub(super) fn openat(state: &mut State, event: &Event<'_>, context: &mut Context) {
    opened(state, event, context, &OPENAT);
}

pub(super) fn openat2(state: &mut State, event: &Event<'_>, context: &mut Context) {
    opened(state, event, context, &OPENAT2);
}

pub(super) fn by_handle(state: &mut State, event: &Event<'_>, context: &mut Context) {
    opened(state, event, context, &BY_HANDLE);
}

fn opened(state: &mut State, event: &Event<'_>, context: &mut Context, layout: &Layout) {
    let Some(Slot(slot)) = context.thread else { return };
    let stored = layout.enter.and_then(|_| state.take_enter(event, context));
    if let Some(fd) = result(event).filter(|fd| *fd >= 0) {
        let enter = stored.as_deref().and_then(|bytes| Event::parse(bytes, event.cpu).ok());
        add_file(state, event, enter.as_ref(), context, layout, slot, fd);
    }
    if let Some(bytes) = stored {
        state.pool.recycle_enter(bytes);
    }
}

fn add_file(
    state: &mut State,
    event: &Event<'_>,
    enter: Option<&Event<'_>>,
    context: &mut Context,
    layout: &Layout,
    slot: u32,
    fd: i64,
) {
    let mut flags = match layout.flags {
        Some(index) => u32_of(event, index),
        None => creat_flags(event),
    };
    let mut name = text(event, layout.name);
    let mut dirfd = layout.dirfd.map(|index| event.int(index));
    if let (Some(enter), Some((enter_dirfd, enter_name, enter_flags))) = (enter, layout.enter)
        && text(enter, enter_name) != b"<NA>"
    {
        // The enter event saw the arguments before the program could change them.
        name = text(enter, enter_name);
        dirfd = enter_dirfd.map(|index| enter.int(index));
        if let Some(index) = enter_flags {
            let added = flags & !(PPM_O_F_CREATED as u32 - 1);
            flags = u32_of(enter, index) | added;
        }
    }
    let directory = match dirfd {
        None => Some(PPM_AT_FDCWD),
        Some(dirfd) => dirfd,
    };
    let mut info = state.pool.fd();
    info.set_kind(if flags & PPM_O_DIRECTORY as u32 != 0 { FdType::Directory } else { FdType::File }, flags);
    info.upper_layer = flags & PPM_FD_UPPER_LAYER as u32 != 0;
    info.lower_layer = flags & PPM_FD_LOWER_LAYER as u32 != 0;
    info.dev = u32_of(event, layout.dev);
    info.ino = event.uint(layout.ino).unwrap_or(0);
    replace(&mut info.nameraw, name);
    // A namespace's file has no name but the root's of its own file system: what the program said tells more.
    let nameless = |path: &&[u8]| *path == b"/" && name.windows(4).any(|part| part == b"/ns/");
    match event.record(Tag::Path).filter(|path| !nameless(path)) {
        Some(path) => replace(&mut info.name, path),
        None => {
            let mut buffer = std::mem::take(&mut state.pool.base);
            let base = match directory {
                _ if layout.absolute => &[][..],
                None => &[],
                // A plain `open` counts the directory's length even for an absolute name.
                Some(_) if dirfd.is_none() => state.threads.get(slot).map_or(&[][..], |thread| state.cwd(thread)),
                Some(dirfd) => state.dir_of(slot, name, dirfd, &mut buffer),
            };
            join(base, name, &mut info.name);
            state.pool.base = buffer;
        }
    }
    if let Some((dev, ino)) = event.record(Tag::File).and_then(|file| file.split_first_chunk::<4>()) {
        info.dev = u32::from_le_bytes(*dev);
        info.ino = ino.first_chunk().map_or(0, |ino| u64::from_le_bytes(*ino));
    }
    state.add_fd(context, fd, info, true);
}

/// `creat` has no flags; the overlay layer comes in a parameter of its own.
fn creat_flags(event: &Event<'_>) -> u32 {
    let flags = i64::from(u32_of(event, 5));
    if flags & PPM_FD_UPPER_LAYER_CREAT != 0 {
        PPM_FD_UPPER_LAYER as u32
    } else if flags & PPM_FD_LOWER_LAYER_CREAT != 0 {
        PPM_FD_LOWER_LAYER as u32
    } else {
        0
    }
}
