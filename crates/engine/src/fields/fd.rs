//! Fields of the event's descriptor.

use super::render::param;
use super::row::*;
use peregrine_event::{code, eflags::*};
use peregrine_state::FdInfo;
use peregrine_state::fd::FdType;
use std::fmt::Write;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("fd.num", T::Int64, F::Id, num, "Number of the event's descriptor."),
    f("fd.type", T::Charbuf, F::Dec, fd_type, "Kind of the descriptor: `file`, `directory`, `ipv4`, `pipe` and so on."),
    f("fd.typechar", T::Charbuf, F::Dec, typechar, "Kind of the descriptor as one character."),
    f("fd.name", T::Charbuf, F::Na, name, "Path of a file, both ends of a connection, or what else names the descriptor."),
    f("fd.nameraw", T::Charbuf, F::Na, nameraw, "Path as it was passed to the call, not made absolute."),
    f("fd.directory", T::Charbuf, F::Na, directory, "Directory that holds the file."),
    f("fd.filename", T::Charbuf, F::Na, filename, "Last component of the file's path."),
    f("fd.uid", T::Charbuf, F::Na, uid, "Thread id and descriptor number, one after the other."),
    f("fd.containername", T::Charbuf, F::Na, containername, "Container id and descriptor name, a colon between."),
    f("fd.containerdirectory", T::Charbuf, F::Na, containerdirectory, "Container id and directory, a colon between."),
    f("fd.connected", T::Bool, F::Na, connected, "Whether the socket is connected."),
    f("fd.name_changed", T::Bool, F::Na, name_changed, "Whether this event changed the descriptor's name."),
    f("fd.dev", T::Int32, F::Hex, dev, "Device that holds the file."),
    f("fd.dev.major", T::Int32, F::Dec, dev_major, "Major number of the device that holds the file."),
    f("fd.dev.minor", T::Int32, F::Dec, dev_minor, "Minor number of the device that holds the file."),
    f("fd.ino", T::Int64, F::Dec, ino, "Inode of the file."),
    f("fd.types", T::Charbuf, F::Dec, types, "Kinds of all open descriptors, each once; `[N]` gives that descriptor's.").arg(A::IndexOptional).list().flags(flag::ARG_ALLOWED | flag::NO_RHS),
    f("fd.is_upper_layer", T::Bool, F::Na, is_upper_layer, "Whether the file lies in an overlay's upper layer."),
    f("fd.is_lower_layer", T::Bool, F::Na, is_lower_layer, "Whether the file lies in an overlay's lower layer."),
];

take! {
    num = |m| subject(m).map(|_| Value::Int(m.context.fd_num));
    fd_type = |m| Some(Value::Bytes(type_name(known(m)?.ty)));
    typechar = |m| {
        let kind = subject(m)?.map_or_else(|| char_of_call(m.event.code | 1), param::type_char);
        Some(Value::Bytes(letter(kind)))
    };
    name = |m| Some(Value::Bytes(name_of(m)?));
    nameraw = |m| {
        let name = match subject(m)? {
            Some(fd) => &fd.nameraw,
            None => name_from_call(m, true)?,
        };
        Some(Value::Bytes(single_slashes(m, name)))
    };
    directory = |m| Some(Value::Bytes(directory_of(m)?));
    filename = |m| {
        let fd = known(m).filter(|fd| is_file(fd.ty))?;
        Some(Value::Bytes(match fd.name.iter().rposition(|b| *b == b'/') {
            None => b"/",
            Some(at) if at + 1 < fd.name.len() => &fd.name[at + 1..],
            Some(_) => &fd.name,
        }))
    };
    uid = |m| {
        subject(m)?;
        let tid = m.thread()?.tid;
        Some(Value::Bytes(m.build(|out| {
            let _ = write!(out, "{tid}{}", m.context.fd_num);
        })))
    };
    containername = |m| {
        let name = name_of(m)?;
        Some(Value::Bytes(m.concat(&[m.container_id(m.thread()?), b":", name])))
    };
    containerdirectory = |m| {
        let name = directory_of(m)?;
        Some(Value::Bytes(m.concat(&[m.container_id(m.thread()?), b":", name])))
    };
    connected = |m| Some(Value::Bool(known(m)?.connected));
    name_changed = |m| known(m).map(|_| Value::Bool(m.context.name_changed));
    dev = |m| Some(Value::Int(i64::from(known(m)?.dev as i32)));
    dev_major = |m| Some(Value::Int(i64::from((known(m)?.dev & 0xFFF00) >> 8)));
    dev_minor = |m| {
        let dev = known(m)?.dev;
        Some(Value::Int(i64::from((dev & 0xFF) | ((dev >> 12) & 0xF_FF00))))
    };
    ino = |m| Some(Value::Int(known(m)?.ino as i64));
    is_upper_layer = |m| Some(Value::Bool(known(m)?.upper_layer));
    is_lower_layer = |m| Some(Value::Bool(known(m)?.lower_layer));
}

/// The descriptor of an event that has to do with one: `None` if the event has not or its thread is unknown,
/// `Some(None)` if the descriptor is unknown.
pub(super) fn subject<'a>(m: &Moment<'a>) -> Option<Option<&'a FdInfo>> {
    let concerned = m.event.info().has(EF_CREATES_FD | EF_USES_FD | EF_DESTROYS_FD);
    // Where the descriptor is known its thread is, too.
    (concerned && (m.context.has_fd || m.thread().is_some())).then(|| m.state.event_fd(m.context))
}

/// The descriptor of an event, if it is known.
pub(super) fn known<'a>(m: &Moment<'a>) -> Option<&'a FdInfo> {
    subject(m)?
}

fn types<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    subject(m)?;
    if let Arg::Index(fd) = arg {
        // Still a list, of one.
        return m.list(std::iter::once(Value::Bytes(type_name(m.fd(i64::from(*fd))?.ty))));
    }
    let mut seen = 0u32;
    let table = m.state.fd_table(m.thread()?)?;
    let distinct = table.iter().filter_map(|(_, fd)| {
        // Kinds that print alike are one.
        let bit = 1 << TYPE_NAMES.iter().position(|name| *name == type_text(fd.ty)).unwrap_or(0);
        let is_new = seen & bit == 0;
        seen |= bit;
        is_new.then(|| Value::Bytes(type_name(fd.ty)))
    });
    Some(m.list(distinct).unwrap_or(Value::List(&[])))
}

const TYPE_NAMES: [&str; 18] = [
    "<NA>",
    "file",
    "directory",
    "ipv4",
    "ipv6",
    "unix",
    "pipe",
    "event",
    "signalfd",
    "eventpoll",
    "inotify",
    "timerfd",
    "netlink",
    "bpf",
    "userfaultfd",
    "io_uring",
    "memfd",
    "pidfd",
];

fn type_text(ty: FdType) -> &'static str {
    use FdType::*;
    match ty {
        File | FileV2 => "file",
        Directory => "directory",
        Ipv4Sock | Ipv4ServSock => "ipv4",
        Ipv6Sock | Ipv6ServSock => "ipv6",
        UnixSock => "unix",
        Fifo => "pipe",
        Event => "event",
        SignalFd => "signalfd",
        EventPoll => "eventpoll",
        Inotify => "inotify",
        TimerFd => "timerfd",
        Netlink => "netlink",
        Bpf => "bpf",
        UserfaultFd => "userfaultfd",
        IoUring => "io_uring",
        MemFd => "memfd",
        PidFd => "pidfd",
        Unknown | Unsupported => "<NA>",
    }
}

/// A descriptor's kind as a word.
pub(super) fn type_name(ty: FdType) -> &'static [u8] {
    type_text(ty).as_bytes()
}

/// One ASCII character as a text, without building it: rules ask for it on every event of a descriptor.
fn letter(character: char) -> &'static [u8] {
    static ASCII: [u8; 128] = {
        let mut all = [0; 128];
        let mut at = 0;
        while at < all.len() {
            all[at] = at as u8;
            at += 1;
        }
        all
    };
    ASCII.get(character as usize..character as usize + 1).unwrap_or(b"?")
}

/// What a failed or missed call would have made, as one character.
fn char_of_call(exit: u16) -> char {
    use code::*;
    match exit {
        SYSCALL_OPENAT_2_X | SYSCALL_OPENAT2_X | SYSCALL_CREAT_X => 'f',
        SOCKET_SOCKET_X | SOCKET_ACCEPT_5_X | SOCKET_ACCEPT4_6_X => '4',
        SYSCALL_PIPE_X | SYSCALL_PIPE2_X => 'p',
        SYSCALL_EVENTFD_X | SYSCALL_EVENTFD2_X => 'e',
        SYSCALL_SIGNALFD_X | SYSCALL_SIGNALFD4_X => 's',
        SYSCALL_TIMERFD_CREATE_X => 't',
        SYSCALL_INOTIFY_INIT_X | SYSCALL_INOTIFY_INIT1_X => 'i',
        _ => 'o',
    }
}

/// The descriptor's name; of an unknown one, what the call says.
pub(super) fn name_of<'a>(m: &Moment<'a>) -> Option<&'a [u8]> {
    match subject(m)? {
        Some(fd) => Some(&fd.name),
        None => name_from_call(m, false),
    }
}

/// A name from the parameters of a call whose descriptor is unknown, mostly because the call failed.
fn name_from_call<'a>(m: &Moment<'a>, raw: bool) -> Option<&'a [u8]> {
    use code::*;
    if m.event.is_enter() {
        return None;
    }
    match m.event.code {
        SYSCALL_OPEN_X | SOCKET_ACCEPT_5_X | SOCKET_ACCEPT4_6_X | SYSCALL_CREAT_X | SOCKET_CONNECT_X => {
            param::text(m, 1)
        }
        SYSCALL_OPENAT_2_X | SYSCALL_OPENAT2_X => {
            let name = m.event.text(2)?;
            if raw {
                return Some(name);
            }
            Some(m.join(directory_of_call(m, name, m.event.int(1)?), name))
        }
        SYSCALL_OPEN_BY_HANDLE_AT_X => param::text(m, 3),
        _ => Some(b""),
    }
}

/// The directory that a call's path starts from.
pub(super) fn directory_of_call<'a>(m: &Moment<'a>, path: &[u8], dirfd: i64) -> &'a [u8] {
    match (m.thread(), dirfd) {
        _ if path.first() == Some(&b'/') => b".",
        (None, _) => b"<UNKNOWN>",
        (Some(thread), param::AT_FDCWD) => m.cwd(thread),
        _ => m.fd(dirfd).map_or(b"<UNKNOWN>", |fd| param::directory(m, &fd.name)),
    }
}

fn is_file(ty: FdType) -> bool {
    matches!(ty, FdType::File | FdType::FileV2)
}

/// A directory's name, the directory of a file's; the name of an unknown descriptor counts as a file's.
fn directory_of<'a>(m: &Moment<'a>) -> Option<&'a [u8]> {
    let subject = subject(m)?;
    match subject {
        Some(fd) if fd.ty == FdType::Directory => return Some(&fd.name),
        Some(fd) if !is_file(fd.ty) => return None,
        _ => {}
    }
    let name = match subject {
        Some(fd) => &fd.name,
        None => name_from_call(m, false)?,
    };
    Some(match name.iter().rposition(|b| *b == b'/') {
        None | Some(0) => b"/",
        Some(at) if at + 1 < name.len() => &name[..at],
        Some(_) => name,
    })
}

/// A path with repeated slashes merged.
fn single_slashes<'a>(m: &Moment<'a>, path: &'a [u8]) -> &'a [u8] {
    if !has_double_slash(path) {
        return path;
    }
    m.build(|out| {
        for (at, byte) in path.iter().enumerate() {
            if *byte != b'/' || at == 0 || path[at - 1] != b'/' {
                out.push(&[*byte]);
            }
        }
    })
}

/// Whether two slashes follow each other; eight bytes are looked at at a time.
fn has_double_slash(path: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let words = path.as_chunks::<8>().0.iter().zip(path.get(1..).unwrap_or_default().as_chunks::<8>().0);
    let mut looked = 0;
    for (word, next) in words {
        // A byte is zero where both are slashes; what a borrow adds to that is above a true one.
        let slashes = ONES * u64::from(b'/');
        let either = (u64::from_le_bytes(*word) ^ slashes) | (u64::from_le_bytes(*next) ^ slashes);
        if either.wrapping_sub(ONES) & !either & (ONES << 7) != 0 {
            return true;
        }
        looked += 8;
    }
    path[looked..].windows(2).any(|pair| pair == b"//")
}

#[cfg(test)]
mod tests {
    use super::has_double_slash;

    #[test]
    fn double_slashes_are_found_wherever_they_are() {
        for len in 0..40 {
            let mut path: Vec<u8> = (0..len).map(|n| if n % 2 == 0 { b'/' } else { b'a' }).collect();
            assert!(!has_double_slash(&path), "{len}");
            for at in 1..len {
                let kept = std::mem::replace(&mut path[at], b'/');
                let double = path.windows(2).any(|pair| pair == b"//");
                assert_eq!(has_double_slash(&path), double, "{at} of {len}");
                path[at] = kept;
            }
        }
    }
}
