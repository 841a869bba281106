//! Fields of input and output, and counts for summing.

use super::row::*;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("evt.buffer", T::Bytebuf, F::Na, buffer, "Bytes that the call read or wrote, as far as they were captured.").flags(flag::NO_PTR_STABILITY),
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

fn buffer<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn buflen<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_io<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_io_read<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_io_write<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn io_dir<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_wait<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn zero<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_syslog<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn one<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn error<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn error_file<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn error_net<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn error_memory<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn error_other<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn exit<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn procinfo<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn threadinfo<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn buflen_in<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn buflen_out<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn buflen_file<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn buflen_file_in<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn buflen_file_out<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn buflen_net<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn buflen_net_in<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn buflen_net_out<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}
