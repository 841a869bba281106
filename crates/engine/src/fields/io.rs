//! Fields of input and output, and counts for summing.

use super::render::param;
use super::row::*;
use peregrine_event::{category::*, code, eflags::*};
use peregrine_state::fd::FdType;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("evt.buffer", T::Bytebuf, F::Na, buffer, "Bytes that the call read or wrote, as far as they were captured.").flags(flag::NO_PTR_STABILITY).raw(raw_buffer),
    f("evt.buflen", T::Uint64, F::Dec, buflen, "Number of bytes that the call read or wrote."),
    f("evt.is_io", T::Bool, F::Na, is_io, "Whether the event reads from or writes to a descriptor."),
    f("evt.is_io_read", T::Bool, F::Na, is_io_read, "Whether the event reads from a descriptor."),
    f("evt.is_io_write", T::Bool, F::Na, is_io_write, "Whether the event writes to a descriptor."),
    f("evt.io_dir", T::Charbuf, F::Na, io_dir, "`read` or `write`."),
    f("evt.is_wait", T::Bool, F::Na, is_wait, "Whether the call waits for something to happen."),
    f("evt.wait_latency", T::Reltime, F::Dec, zero, "Always 0, see `evt.latency`.").flags(flag::DEPRECATED),
    f("evt.is_syslog", T::Bool, F::Na, is_syslog, "Whether the event writes to the system log."),
    f("evt.count", T::Uint32, F::Dec, one, "Always 1, for summing."),
    f("evt.count.error", T::Uint32, F::Dec, error, "1 if the call failed, else 0."),
    f("evt.count.error.file", T::Uint32, F::Dec, error_file, "1 if a call on files failed."),
    f("evt.count.error.net", T::Uint32, F::Dec, error_net, "1 if a call on the network failed."),
    f("evt.count.error.memory", T::Uint32, F::Dec, error_memory, "1 if a call on memory failed."),
    f("evt.count.error.other", T::Uint32, F::Dec, error_other, "1 if a call of another kind failed."),
    f("evt.count.exit", T::Uint32, F::Dec, exit, "1 for exit events."),
    f("evt.count.procinfo", T::Uint32, F::Dec, procinfo, "1 for periodic information on a process's main thread.").flags(flag::TABLE_ONLY),
    f("evt.count.threadinfo", T::Uint32, F::Dec, threadinfo, "1 for periodic information on any thread.").flags(flag::TABLE_ONLY),
    f("evt.buflen.in", T::Uint64, F::Dec, buflen_in, "Number of bytes read.").flags(flag::TABLE_ONLY),
    f("evt.buflen.out", T::Uint64, F::Dec, buflen_out, "Number of bytes written.").flags(flag::TABLE_ONLY),
    f("evt.buflen.file", T::Uint64, F::Dec, buflen_file, "Number of bytes read from or written to files.").flags(flag::TABLE_ONLY),
    f("evt.buflen.file.in", T::Uint64, F::Dec, buflen_file_in, "Number of bytes read from files.").flags(flag::TABLE_ONLY),
    f("evt.buflen.file.out", T::Uint64, F::Dec, buflen_file_out, "Number of bytes written to files.").flags(flag::TABLE_ONLY),
    f("evt.buflen.net", T::Uint64, F::Dec, buflen_net, "Number of bytes received or sent.").flags(flag::TABLE_ONLY),
    f("evt.buflen.net.in", T::Uint64, F::Dec, buflen_net_in, "Number of bytes received.").flags(flag::TABLE_ONLY),
    f("evt.buflen.net.out", T::Uint64, F::Dec, buflen_net_out, "Number of bytes sent.").flags(flag::TABLE_ONLY),
];

take! {
    buffer = |m| {
        let index = m.param_index("data")?;
        Some(Value::Bytes(param::Param::of(m, index)?.plain(m)))
    };
    raw_buffer = |m| Some(Value::Bytes(m.event.param(m.param_index("data")?)?));
    buflen = |m| length(m, |kind| kind & EC_IO_BASE != 0, |_| true);
    buflen_in = |m| length(m, reads, |_| true);
    buflen_out = |m| length(m, writes, |_| true);
    buflen_file = |m| length(m, |kind| kind & EC_IO_BASE != 0, is_file);
    buflen_file_in = |m| length(m, reads, is_file);
    buflen_file_out = |m| length(m, writes, is_file);
    buflen_net = |m| length(m, |kind| kind & EC_IO_BASE != 0, is_inet);
    buflen_net_in = |m| length(m, reads, is_inet);
    buflen_net_out = |m| length(m, writes, is_inet);
    is_io = |m| Some(Value::Bool(m.event.info().has(EF_READS_FROM_FD | EF_WRITES_TO_FD)));
    is_io_read = |m| Some(Value::Bool(m.event.info().has(EF_READS_FROM_FD)));
    is_io_write = |m| Some(Value::Bool(m.event.info().has(EF_WRITES_TO_FD)));
    io_dir = |m| match m.event.info() {
        info if info.has(EF_WRITES_TO_FD) => Some(Value::Bytes(b"write")),
        info if info.has(EF_READS_FROM_FD) => Some(Value::Bytes(b"read")),
        _ => None,
    };
    is_wait = |m| Some(Value::Bool(m.event.info().has(EF_WAITS)));
    zero = |_m| Some(Value::Uint(0));
    one = |_m| Some(Value::Uint(1));
    is_syslog = |m| Some(Value::Bool(writes_to_syslog(m)));
    error = |m| failure(m);
    error_file = |m| match m.event_fd() {
        Some(fd) if !is_file(fd.ty) && fd.ty != FdType::Directory => None,
        None if !opens_file(m.event.code) => None,
        _ => failure(m),
    };
    error_net = |m| match m.event_fd() {
        Some(fd) if !is_socket(fd.ty) => None,
        None if !opens_socket(m.event.code) => None,
        _ => failure(m),
    };
    error_memory = |m| if is_memory(m) { failure(m) } else { None };
    error_other = |m| match m.event_fd() {
        Some(fd) if is_file(fd.ty) || fd.ty == FdType::Directory || is_socket(fd.ty) => None,
        None if opens_file(m.event.code) || opens_socket(m.event.code) || is_memory(m) => None,
        _ => failure(m),
    };
    exit = |m| (!m.event.is_enter()).then_some(Value::Uint(1));
    procinfo = |m| {
        let main = m.event.code == code::PROCINFO_E && m.thread().is_some_and(|thread| thread.is_main());
        Some(Value::Uint(u64::from(main)))
    };
    threadinfo = |m| Some(Value::Uint(u64::from(m.event.code == code::PROCINFO_E)));
}

fn kind(m: &Moment<'_>) -> u32 {
    m.event.info().category & (EC_SYSCALL - 1)
}

fn reads(kind: u32) -> bool {
    kind == EC_IO_READ
}

fn writes(kind: u32) -> bool {
    kind == EC_IO_WRITE
}

fn is_memory(m: &Moment<'_>) -> bool {
    kind(m) == EC_MEMORY
}

fn is_file(ty: FdType) -> bool {
    matches!(ty, FdType::File | FdType::FileV2)
}

fn is_inet(ty: FdType) -> bool {
    matches!(ty, FdType::Ipv4Sock | FdType::Ipv6Sock | FdType::Ipv4ServSock | FdType::Ipv6ServSock)
}

fn is_socket(ty: FdType) -> bool {
    is_inet(ty) || ty == FdType::UnixSock
}

fn opens_file(code: u16) -> bool {
    use code::*;
    matches!(
        code,
        SYSCALL_OPEN_X | SYSCALL_CREAT_X | SYSCALL_OPENAT_2_X | SYSCALL_OPENAT2_X | SYSCALL_OPEN_BY_HANDLE_AT_X
    )
}

fn opens_socket(code: u16) -> bool {
    matches!(code, code::SOCKET_ACCEPT_5_X | code::SOCKET_ACCEPT4_6_X | code::SOCKET_CONNECT_X)
}

/// The return value of a call on a known descriptor of the wanted kind, if it did not fail.
fn length<'a>(m: &Moment<'a>, wanted: fn(u32) -> bool, of: fn(FdType) -> bool) -> Option<Value<'a>> {
    let fits = wanted(kind(m)) && of(m.event_fd()?.ty);
    m.return_value().filter(|value| fits && *value >= 0).map(|value| Value::Uint(value as u64))
}

/// 1 for a failed call, 0 for another; nothing for events that are no calls.
fn failure<'a>(m: &Moment<'a>) -> Option<Value<'a>> {
    m.return_value().map(|value| Value::Uint(u64::from(value < 0)))
}

fn writes_to_syslog(m: &Moment<'_>) -> bool {
    const LOG: &[u8] = b"/dev/log";
    m.event.info().has(EF_WRITES_TO_FD)
        && m.event_fd().is_some_and(|fd| fd.name.windows(LOG.len()).any(|part| part == LOG))
}
