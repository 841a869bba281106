//! Fields of the event itself: type, parameters, result, what it asked for.

use super::render::{param, time};
use super::row::*;
use peregrine_event::record::{Tag, mark};
use peregrine_event::{calls, category, code, defines, sc, table};
use peregrine_state::fd::FdType;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("evt.latency", T::Reltime, F::Dec, zero, "Always 0; enter events, which it counted from, no longer exist.").flags(flag::DEPRECATED),
    f("evt.latency.s", T::Reltime, F::Dec, zero, "Always 0, see `evt.latency`.").flags(flag::DEPRECATED),
    f("evt.latency.ns", T::Reltime, F::PaddedDec, zero, "Always 0, see `evt.latency`.").json(Json::Number).flags(flag::DEPRECATED),
    f("evt.latency.quantized", T::Uint64, F::Dec, zero, "Always 0, see `evt.latency`.").flags(flag::TABLE_ONLY | flag::DEPRECATED),
    f("evt.latency.human", T::Charbuf, F::Na, no_latency, "Always `0ns`, see `evt.latency`.").flags(flag::DEPRECATED),
    f("evt.deltatime", T::Reltime, F::Dec, deltatime, "Nanoseconds since the event that this field was last taken from."),
    f("evt.deltatime.s", T::Reltime, F::Dec, deltatime_s, "Whole seconds since the event that this field was last taken from."),
    f("evt.deltatime.ns", T::Reltime, F::PaddedDec, deltatime_ns, "Nanoseconds within the second of `evt.deltatime`.").json(Json::Number),
    f("evt.outputtime", T::Charbuf, F::Na, outputtime, "Time of the event as the output's time format prints it.").json(Json::EventTime).flags(flag::PRINT_ONLY),
    f("evt.dir", T::Charbuf, F::Dir, dir, "`>` for an enter event, `<` for an exit event.").flags(flag::DEPRECATED),
    f("evt.type", T::Charbuf, F::Na, event_type, "Name of the event, for a generic event that of its system call."),
    f("evt.type.is", T::Uint32, F::Na, type_is, "1 if the event has the named type, else 0.").arg(A::DotName).flags(flag::ARG_REQUIRED),
    f("syscall.type", T::Charbuf, F::Na, syscall_type, "Name of the system call; nothing for events of other kinds."),
    f("evt.category", T::Charbuf, F::Na, category, "Kind of the event: `file`, `net`, `process` and so on."),
    f("evt.cpu", T::Int16, F::Id, cpu, "Number of the CPU that the event happened on."),
    f("evt.args", T::Charbuf, F::Na, args, "All parameters as `name=value`, blanks between."),
    f("evt.arg", T::Charbuf, F::Na, arg, "One parameter as text, by name or number.").arg(A::ArgNameOrIndex).flags(flag::ARG_REQUIRED | flag::NO_PTR_STABILITY).raw(compared_arg),
    f("evt.rawarg", T::Dyn, F::Na, rawarg, "One parameter in its own type, by name.").arg(A::DotName).flags(flag::ARG_REQUIRED | flag::NO_TRANSFORMER | flag::NO_RHS).raw(compared_rawarg),
    f("evt.info", T::Charbuf, F::Na, args, "All parameters as text, the same as `evt.args`."),
    f("evt.res", T::Charbuf, F::Dec, res, "`SUCCESS`, or the name of the error that the call failed with.").flags(flag::NO_PTR_STABILITY),
    f("evt.rawres", T::Int64, F::Dec, rawres, "Return value of the system call."),
    f("evt.failed", T::Bool, F::Na, failed, "Whether the system call failed."),
    f("evt.around", T::Uint64, F::Dec, around, "Whether the event lies within so many milliseconds of a time.").arg(A::KeyRequired).flags(flag::FILTER_ONLY | flag::ARG_REQUIRED | flag::NO_TRANSFORMER | flag::NO_RHS),
    f("evt.abspath", T::Charbuf, F::Na, abspath, "Absolute path that the call works on; `.src` and `.dst` choose one of two.").arg(A::DotSide).flags(flag::ARG_REQUIRED),
    f("evt.is_open_read", T::Bool, F::Na, is_open_read, "Whether the call opened a file for reading."),
    f("evt.is_open_write", T::Bool, F::Na, is_open_write, "Whether the call opened a file for writing."),
    f("evt.is_open_exec", T::Bool, F::Na, is_open_exec, "Whether the call made a file that may be executed."),
    f("evt.is_open_create", T::Bool, F::Na, is_open_create, "Whether the call made the file that it opened."),
    f("evt.is_compat", T::Bool, F::Na, is_compat, "Whether the call was a 32-bit one on a 64-bit kernel.").flags(flag::OWN),
    f("evt.infra.docker.name", T::Charbuf, F::Na, infra_name, "Name of a Docker event.").flags(flag::TABLE_ONLY),
    f("evt.infra.docker.container.id", T::Charbuf, F::Na, infra_id, "Container id of a Docker event.").flags(flag::TABLE_ONLY),
    f("evt.infra.docker.container.name", T::Charbuf, F::Na, infra_container, "Container name of a Docker event.").flags(flag::TABLE_ONLY),
    f("evt.infra.docker.container.image", T::Charbuf, F::Na, infra_image, "Image name of a Docker event.").flags(flag::TABLE_ONLY),
];

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

take! {
    zero = |_m| Some(Value::Uint(0));
    no_latency = |_m| Some(Value::Bytes(b"0ns"));
    deltatime = |m| Some(Value::Uint(m.session.since_previous(m.context.num, m.event.ts)));
    deltatime_s = |m| Some(Value::Uint(m.session.since_previous(m.context.num, m.event.ts) / SECOND));
    deltatime_ns = |m| Some(Value::Uint(m.session.since_previous(m.context.num, m.event.ts) % SECOND));
    dir = |m| Some(Value::Bytes(if m.event.is_enter() { b">" } else { b"<" }));
    event_type = |m| Some(Value::Bytes(type_name(m)));
    syscall_type = |m| m.event.info().is_syscall().then(|| Value::Bytes(type_name(m)));
    category = |m| Some(Value::Bytes(category_name(m)));
    cpu = |m| Some(Value::Int(i64::from(m.event.cpu as i16)));
    args = |m| Some(Value::Bytes(param::all(m)));
    res = |m| match m.return_value()? {
        0.. => Some(Value::Bytes(b"SUCCESS")),
        _ => param::text(m, 0).map(Value::Bytes),
    };
    rawres = |m| m.return_value().map(Value::Int);
    failed = |m| m.return_value().map(|value| Value::Bool(value < 0));
    is_open_read = |m| Some(Value::Bool(open_flags(m) & defines::PPM_O_RDONLY != 0));
    is_open_write = |m| Some(Value::Bool(open_flags(m) & defines::PPM_O_WRONLY != 0));
    is_open_create = |m| Some(Value::Bool(creates(m)));
    is_open_exec = |m| Some(Value::Bool(makes_executable(m)));
    is_compat = |m| Some(Value::Bool(marks(m) & mark::COMPAT != 0));
    infra_name = |m| infrastructure(m, b"Event").and_then(between_colons).map(Value::Bytes);
    infra_id = |m| infrastructure(m, b"ID").and_then(between_colons).map(|id| Value::Bytes(&id[..id.len().min(12)]));
    infra_container = |m| infrastructure(m, b"name").and_then(between_colons).map(Value::Bytes);
    infra_image = |m| infrastructure(m, b"Image").and_then(image_name).map(Value::Bytes);
    outputtime = |m| Some(Value::Bytes(m.build(|out| {
        let _ = time::write(out, m.event.ts, &m.session.time_zone, time::CLOCK);
    })));
}

/// How the event came to be.
fn marks(m: &Moment<'_>) -> u32 {
    m.event.record(Tag::Marks).and_then(|marks| marks.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn type_is<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let Arg::Codes(first, second) = arg else { return None };
    Some(Value::Uint(u64::from(m.event.code == *first || m.event.code == *second)))
}

fn arg<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    param::text(m, arg_index(m, arg)?).map(Value::Bytes)
}

/// As [`arg`], but buffers are never base64: a condition does not depend on how alerts print.
fn compared_arg<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    param::compared_text(m, arg_index(m, arg)?).map(Value::Bytes)
}

fn arg_index(m: &Moment<'_>, arg: &Arg) -> Option<usize> {
    match arg {
        Arg::Index(index) => Some(*index as usize),
        Arg::Key(name) => m.param_index(name),
        _ => None,
    }
}

/// As [`own_rawarg`], but a number without value prints as 0, and a buffer as nothing.
fn rawarg<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    own_rawarg(m, arg).or_else(|| {
        let Arg::Key(name) = arg else { return None };
        let ty = m.event.info().params[m.param_index(name)?].ty;
        match ty {
            T::Bytebuf => Some(Value::Bytes(b"")),
            ty => super::access::typed(ty, &[0; 8][..ty.fixed_size()?.min(8)]),
        }
    })
}

/// A parameter as conditions compare it: one without value compares with nothing.
fn compared_rawarg<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let Arg::Key(name) = arg else { return None };
    own_rawarg(m, arg).map(|value| as_compiled(name, value))
}

/// A parameter in the type that this event gives it.
fn own_rawarg<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let Arg::Key(name) = arg else { return None };
    let index = m.param_index(name)?;
    let ty = m.event.info().params[index].ty;
    match ty {
        T::Charbuf | T::Fspath | T::Fsrelpath => Some(Value::Bytes(param::Param::of(m, index)?.text())),
        _ => super::access::typed(ty, m.event.value(index)?),
    }
}

/// A number in the width and sign of the first parameter of that name in the table, which is what the condition's
/// constants were read as.
fn as_compiled<'a>(name: &str, value: Value<'a>) -> Value<'a> {
    static TYPES: LazyLock<FxHashMap<&str, T>> = LazyLock::new(|| {
        let params = table::EVENTS.iter().flat_map(|event| event.params);
        params.rev().map(|param| (param.name, param.ty)).collect()
    });
    let n = match value {
        Value::Int(n) => n,
        Value::Uint(n) => n as i64,
        other => return other,
    };
    match TYPES.get(name) {
        Some(T::Int8) => Value::Int((n as i8).into()),
        Some(T::Int16) => Value::Int((n as i16).into()),
        Some(T::Int32) => Value::Int((n as i32).into()),
        Some(T::Int64 | T::Fd | T::Pid | T::Errno) => Value::Int(n),
        Some(T::Uint8 | T::Flags8 | T::Enumflags8 | T::Sigtype) => Value::Uint((n as u8).into()),
        Some(T::Uint16 | T::Flags16 | T::Enumflags16 | T::Port | T::Syscallid) => Value::Uint((n as u16).into()),
        Some(T::Uint32 | T::Flags32 | T::Enumflags32 | T::Mode) => Value::Uint((n as u32).into()),
        Some(T::Uint64 | T::Reltime | T::Abstime) => Value::Uint(n as u64),
        _ => value,
    }
}

/// Type and print format of the parameter that `evt.rawarg.NAME` takes from this event: not in every event they are what
/// the condition was compiled with.
pub(super) fn rawarg_shape(m: &Moment<'_>, arg: &Arg) -> Option<(T, F)> {
    let Arg::Key(name) = arg else { return None };
    let param = &m.event.info().params[m.param_index(name)?];
    Some((param.ty, param.fmt))
}

/// The distance from the time in the argument, in milliseconds rounded up: at most D for all events that
/// `evt.around[T] = D` means.
fn around<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let Arg::Key(at) = arg else { return None };
    let at: u64 = at.parse().ok()?;
    Some(Value::Uint(m.event.ts.abs_diff(at).div_ceil(1_000_000)))
}

/// The event's name; a generic event is named after its call.
pub(super) fn type_name<'a>(m: &Moment<'a>) -> &'a [u8] {
    match m.event.code {
        code::GENERIC_X => call_name(m).as_bytes(),
        code::ASYNCEVENT_E => m.event.text(1).unwrap_or_default(),
        _ => m.event.info().name.as_bytes(),
    }
}

/// The name of a generic event's call; one that the schema did not know when the event was written goes by the
/// kernel's number.
fn call_name(m: &Moment<'_>) -> &'static str {
    let id = m.event.uint(0).and_then(|id| u16::try_from(id).ok()).unwrap_or(0);
    let number = || m.event.uint(1).and_then(|number| u16::try_from(number).ok()).and_then(calls::by_number);
    match id {
        0 => number().map_or("unknown", |call| call.name),
        _ => sc::name(id).unwrap_or("unknown"),
    }
}

fn category_name(m: &Moment<'_>) -> &'static [u8] {
    use category::*;
    let kind = m.event.info().category & (EC_SYSCALL - 1);
    match kind {
        EC_OTHER => b"other",
        EC_FILE => b"file",
        EC_NET => b"net",
        EC_IPC => b"IPC",
        EC_MEMORY => b"memory",
        EC_PROCESS => b"process",
        EC_SLEEP => b"sleep",
        EC_SYSTEM => b"system",
        EC_SIGNAL => b"signal",
        EC_USER => b"user",
        EC_TIME => b"time",
        EC_PROCESSING => b"processing",
        EC_IO_READ | EC_IO_WRITE | EC_IO_OTHER => io_category(m),
        EC_WAIT => b"wait",
        EC_SCHEDULER => b"scheduler",
        EC_INTERNAL => b"internal",
        _ => b"unknown",
    }
}

/// Input and output are of the kind of their descriptor.
fn io_category(m: &Moment<'_>) -> &'static [u8] {
    use FdType::*;
    match m.event_fd().map(|fd| fd.ty) {
        Some(File | FileV2 | Directory) => b"file",
        Some(Ipv4Sock | Ipv6Sock | Ipv4ServSock | Ipv6ServSock) => b"net",
        Some(Fifo | UnixSock | Event | SignalFd | Inotify | UserfaultFd) => b"ipc",
        _ => b"unknown",
    }
}

/// Index of the flags of an open call.
fn flags_index(code: u16) -> Option<usize> {
    match code {
        code::SYSCALL_OPEN_X | code::SYSCALL_OPEN_BY_HANDLE_AT_X => Some(2),
        code::SYSCALL_OPENAT_2_X | code::SYSCALL_OPENAT2_X => Some(3),
        _ => None,
    }
}

fn open_flags(m: &Moment<'_>) -> i64 {
    flags_index(m.event.code).and_then(|index| m.event.uint(index)).unwrap_or(0) as i64
}

fn creates(m: &Moment<'_>) -> bool {
    let flags = open_flags(m);
    flags & defines::PPM_O_F_CREATED != 0
        || (flags & defines::PPM_O_TMPFILE != 0 && m.return_value().is_some_and(|value| value >= 0))
}

fn makes_executable(m: &Moment<'_>) -> bool {
    let mode = match m.event.code {
        code::SYSCALL_CREAT_X => m.event.uint(2),
        code::SYSCALL_OPEN_BY_HANDLE_AT_X => None,
        _ if open_flags(m) & (defines::PPM_O_TMPFILE | defines::PPM_O_CREAT) == 0 => None,
        code => flags_index(code).and_then(|index| m.event.uint(index + 1)),
    };
    mode.is_some_and(|mode| mode & 0o111 != 0)
}

/// What stands between the first colon of a part and the next.
fn between_colons(part: &[u8]) -> Option<&[u8]> {
    part.split(|b| *b == b':').nth(1).map(<[u8]>::trim_ascii)
}

/// The image of a part: without its tag and its digest, but a digest alone is whole.
fn image_name(part: &[u8]) -> Option<&[u8]> {
    let image = between_colons(part)?;
    if let Some(at) = image.iter().position(|b| *b == b'@') {
        return Some(image[..at].trim_ascii());
    }
    if image.windows(6).any(|word| word == b"sha256") {
        return part.splitn(2, |b| *b == b':').nth(1).map(<[u8]>::trim_ascii);
    }
    Some(image)
}

/// The part that begins with `key` of the description of an infrastructure event: `key:value`, semicolons between.
fn infrastructure<'a>(m: &Moment<'a>, key: &[u8]) -> Option<&'a [u8]> {
    if m.event.code != code::INFRASTRUCTURE_EVENT_E {
        return None;
    }
    m.event.text(2)?.split(|b| *b == b';').map(<[u8]>::trim_ascii).find(|part| part.starts_with(key))
}

/// Indexes of the directory's descriptor and the path that the call works on; of the two of a call with two,
/// `second` chooses.
fn path_params(code: u16, second: bool) -> Option<(&'static str, &'static str)> {
    Some(match code {
        code::SYSCALL_RENAMEAT_X | code::SYSCALL_RENAMEAT2_X if second => ("newdirfd", "newpath"),
        code::SYSCALL_RENAMEAT_X | code::SYSCALL_RENAMEAT2_X => ("olddirfd", "oldpath"),
        code::SYSCALL_LINKAT_2_X if second => ("newdir", "newpath"),
        code::SYSCALL_LINKAT_2_X => ("olddir", "oldpath"),
        code::SYSCALL_SYMLINKAT_X => ("linkdirfd", "linkpath"),
        code::SYSCALL_OPENAT_2_X | code::SYSCALL_OPENAT2_X | code::SYSCALL_UNLINKAT_2_X => ("dirfd", "name"),
        code::SYSCALL_MKDIRAT_X => ("dirfd", "path"),
        code::SYSCALL_FCHMODAT_X => ("dirfd", "filename"),
        code::SYSCALL_FCHOWNAT_X => ("dirfd", "pathname"),
        _ => return None,
    })
}

fn abspath<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let thread = m.thread()?;
    if let Some(witnessed) = m.witnessed_path() {
        return Some(Value::Bytes(witnessed));
    }
    if m.event.code == code::SYSCALL_OPEN_BY_HANDLE_AT_X {
        let opened = m.return_value().is_some_and(|fd| fd > 0);
        return opened.then(|| Value::Bytes(m.join(b"", m.event.text(3).unwrap_or_default())));
    }
    let (dirfd, path) = path_params(m.event.code, *arg == Arg::Index(2))?;
    let dirfd = m.event.int(m.param_index(dirfd)?)?;
    let path = m.event.text(m.param_index(path)?)?;
    let base: &[u8] = if path.first() == Some(&b'/') {
        b"."
    } else if dirfd == param::AT_FDCWD {
        m.cwd(thread)
    } else {
        // A slash is added to every name, also to one that has it.
        m.fd(dirfd).map_or(b"<UNKNOWN>/", |fd| m.concat(&[&fd.name, b"/"]))
    };
    Some(Value::Bytes(m.join(base, path)))
}
