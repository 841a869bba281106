//! Fields of the event itself: type, parameters, result, what it asked for.

use super::row::*;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("evt.latency", T::Reltime, F::Dec, zero, "Always 0; enter events, which it counted from, no longer exist.").flags(flag::DEPRECATED),
    f("evt.latency.s", T::Reltime, F::Dec, zero, "Always 0, see `evt.latency`.").flags(flag::DEPRECATED),
    f("evt.latency.ns", T::Reltime, F::PaddedDec, zero, "Always 0, see `evt.latency`.").flags(flag::DEPRECATED),
    f("evt.latency.quantized", T::Uint64, F::Dec, zero, "Always 0, see `evt.latency`.").flags(flag::TABLE_ONLY | flag::DEPRECATED),
    f("evt.latency.human", T::Charbuf, F::Na, no_latency, "Always `0ns`, see `evt.latency`.").flags(flag::DEPRECATED),
    f("evt.deltatime", T::Reltime, F::Dec, deltatime, "Nanoseconds since the event that this field was last taken from."),
    f("evt.deltatime.s", T::Reltime, F::Dec, deltatime_s, "Whole seconds since the event that this field was last taken from."),
    f("evt.deltatime.ns", T::Reltime, F::PaddedDec, deltatime_ns, "Nanoseconds within the second of `evt.deltatime`."),
    f("evt.outputtime", T::Charbuf, F::Na, outputtime, "Time of the event as the output's time format prints it.").flags(flag::PRINT_ONLY),
    f("evt.dir", T::Charbuf, F::Dir, dir, "`>` for an enter event, `<` for an exit event.").flags(flag::DEPRECATED),
    f("evt.type", T::Charbuf, F::Na, event_type, "Name of the event, for a generic event that of its system call."),
    f("evt.type.is", T::Uint32, F::Na, type_is, "1 if the event has the named type, else 0.").arg(A::DotName).flags(flag::ARG_REQUIRED),
    f("syscall.type", T::Charbuf, F::Na, syscall_type, "Name of the system call; nothing for events of other kinds."),
    f("evt.category", T::Charbuf, F::Na, category, "Kind of the event: `file`, `net`, `process` and so on."),
    f("evt.cpu", T::Int16, F::Id, cpu, "Number of the CPU that the event happened on."),
    f("evt.args", T::Charbuf, F::Na, args, "All parameters as `name=value`, blanks between."),
    f("evt.arg", T::Charbuf, F::Na, arg, "One parameter as text, by name or number.").arg(A::ArgNameOrIndex).flags(flag::ARG_REQUIRED | flag::NO_PTR_STABILITY),
    f("evt.rawarg", T::Dyn, F::Na, rawarg, "One parameter in its own type, by name.").arg(A::DotName).flags(flag::ARG_REQUIRED | flag::NO_TRANSFORMER | flag::NO_RHS),
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
    f("evt.infra.docker.name", T::Charbuf, F::Na, infra_name, "Name of a Docker event.").flags(flag::TABLE_ONLY),
    f("evt.infra.docker.container.id", T::Charbuf, F::Na, infra_id, "Container id of a Docker event.").flags(flag::TABLE_ONLY),
    f("evt.infra.docker.container.name", T::Charbuf, F::Na, infra_container, "Container name of a Docker event.").flags(flag::TABLE_ONLY),
    f("evt.infra.docker.container.image", T::Charbuf, F::Na, infra_image, "Image name of a Docker event.").flags(flag::TABLE_ONLY),
];

fn zero<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn no_latency<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn deltatime<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn deltatime_s<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn deltatime_ns<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn outputtime<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn dir<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn event_type<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn type_is<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn syscall_type<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn category<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cpu<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn args<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn arg<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn rawarg<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn res<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn rawres<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn failed<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn around<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn abspath<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_open_read<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_open_write<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_open_exec<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_open_create<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn infra_name<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn infra_id<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn infra_container<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn infra_image<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}
