//! Paths that file system calls work on.

use super::fd::{directory_of_call, name_of};
use super::render::param::{self, Param};
use super::row::*;
use peregrine_event::code::*;
use peregrine_state::fd::FdType;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("fs.path.name", T::Charbuf, F::Na, name, "Absolute path that the call works on."),
    f("fs.path.nameraw", T::Charbuf, F::Na, nameraw, "Path that the call works on, as it was passed."),
    f("fs.path.source", T::Charbuf, F::Na, source, "Absolute path that the call takes from."),
    f("fs.path.sourceraw", T::Charbuf, F::Na, sourceraw, "Path that the call takes from, as it was passed."),
    f("fs.path.target", T::Charbuf, F::Na, target, "Absolute path that the call gives to."),
    f("fs.path.targetraw", T::Charbuf, F::Na, targetraw, "Path that the call gives to, as it was passed."),
];

take! {
    name = |m| absolute(m, Side::Name);
    nameraw = |m| Some(Value::Bytes(passed(m, Side::Name)?));
    source = |m| absolute(m, Side::Source);
    sourceraw = |m| Some(Value::Bytes(passed(m, Side::Source)?));
    target = |m| absolute(m, Side::Target);
    targetraw = |m| Some(Value::Bytes(passed(m, Side::Target)?));
}

/// Which path of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// The only one.
    Name,
    /// Of two, the one that is there already.
    Source,
    /// Of two, the new one.
    Target,
}

/// Where a call's path stands.
enum Place {
    /// In the parameter of that name.
    Param(&'static str),
    /// In the name of the event's descriptor.
    Descriptor,
}

/// The place of a call's path. Links have source and target the other way round than renames, as upstream.
fn place(code: u16, side: Side) -> Option<Place> {
    use Side::*;
    Some(Place::Param(match (code, side) {
        (SYSCALL_MKDIR_2_X | SYSCALL_MKDIRAT_X | SYSCALL_RMDIR_2_X | SYSCALL_UNLINK_2_X, Name) => "path",
        (SYSCALL_CHOWN_X | SYSCALL_LCHOWN_X, Name) => "path",
        (SYSCALL_UNLINKAT_2_X | SYSCALL_OPEN_X | SYSCALL_OPENAT_2_X | SYSCALL_OPENAT2_X, Name) => "name",
        (SYSCALL_UMOUNT_1_X | SYSCALL_UMOUNT2_X, Name) => "name",
        (SYSCALL_CHMOD_X | SYSCALL_FCHMODAT_X, Name) => "filename",
        (SYSCALL_FCHOWNAT_X, Name) => "pathname",
        (SYSCALL_QUOTACTL_X, Name) => "special",
        (SYSCALL_FCHMOD_X | SYSCALL_FCHOWN_X, Name) => return Some(Place::Descriptor),
        (SYSCALL_RENAME_X | SYSCALL_RENAMEAT_X | SYSCALL_RENAMEAT2_X, Source) => "oldpath",
        (SYSCALL_RENAME_X | SYSCALL_RENAMEAT_X | SYSCALL_RENAMEAT2_X, Target) => "newpath",
        (SYSCALL_LINK_2_X | SYSCALL_LINKAT_2_X, Source) => "newpath",
        (SYSCALL_LINK_2_X | SYSCALL_LINKAT_2_X, Target) => "oldpath",
        (SYSCALL_SYMLINK_X | SYSCALL_SYMLINKAT_X, Source) => "linkpath",
        (SYSCALL_SYMLINK_X | SYSCALL_SYMLINKAT_X, Target) => "target",
        (SYSCALL_MOUNT_X, Source) => "dev",
        (SYSCALL_MOUNT_X, Target) => "dir",
        _ => return None,
    }))
}

/// Whether the call did what it should: it returned 0, or of the open calls anything but -1.
fn succeeded(m: &Moment<'_>) -> bool {
    let result = m.event.int(0);
    match m.event.code {
        SYSCALL_OPEN_X | SYSCALL_OPENAT_2_X | SYSCALL_OPENAT2_X => result.is_some_and(|fd| fd != -1),
        _ => result == Some(0),
    }
}

/// The path as it was passed.
fn passed<'a>(m: &Moment<'a>, side: Side) -> Option<&'a [u8]> {
    let place = place(m.event.code, side).filter(|_| succeeded(m))?;
    match place {
        Place::Param(name) => Some(Param::of(m, m.param_index(name)?)?.text()),
        Place::Descriptor => name_of(m),
    }
}

/// The path made absolute, if it is not.
fn absolute<'a>(m: &Moment<'a>, side: Side) -> Option<Value<'a>> {
    let path = passed(m, side)?;
    let thread = m.thread()?;
    if let Some(witnessed) = m.witnessed_path() {
        return Some(Value::Bytes(witnessed));
    }
    let (base, path): (&[u8], &[u8]) = match m.event.code {
        _ if path.first() == Some(&b'/') => (b"", path),
        // The descriptor's name is the path made absolute.
        SYSCALL_OPENAT_2_X | SYSCALL_OPENAT2_X => (b"", m.event_fd().map_or(b"<UNKNOWN>", |fd| &fd.name)),
        SYSCALL_FCHOWNAT_X | SYSCALL_FCHMODAT_X | SYSCALL_MKDIRAT_X | SYSCALL_UNLINKAT_2_X => {
            (event_directory(m), path)
        }
        SYSCALL_SYMLINKAT_X if side == Side::Source => (event_directory(m), path),
        SYSCALL_SYMLINKAT_X => (b"<UNKNOWN>", path),
        SYSCALL_RENAMEAT2_X => {
            let dirfd = m.event.int(if side == Side::Target { 3 } else { 1 }).unwrap_or(param::AT_FDCWD);
            (directory_of_call(m, path, dirfd), path)
        }
        _ => (m.cwd(thread), path),
    };
    Some(Value::Bytes(m.join(base, path)))
}

/// The event's descriptor as a directory to start from.
fn event_directory<'a>(m: &Moment<'a>) -> &'a [u8] {
    match m.event_fd() {
        Some(fd) if fd.ty == FdType::Directory => param::directory(m, &fd.name),
        _ => b"<UNKNOWN>",
    }
}
