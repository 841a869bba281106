//! Fields that every event has: number, times, source, host.

use super::row::*;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("evt.num", T::Uint64, F::Id, num, "Number of the event in its stream, counting from 1."),
    f("evt.time", T::Charbuf, F::Na, time, "Local time of the event, to the nanosecond."),
    f("evt.time.s", T::Charbuf, F::Na, time_s, "Local time of the event, to the second."),
    f("evt.time.iso8601", T::Charbuf, F::Na, time_iso8601, "UTC date and time of the event in ISO 8601, to the nanosecond."),
    f("evt.datetime", T::Charbuf, F::Na, datetime, "Local date and time of the event, to the nanosecond."),
    f("evt.datetime.s", T::Charbuf, F::Na, datetime_s, "Local date and time of the event, to the second."),
    f("evt.rawtime", T::Abstime, F::Dec, rawtime, "Time of the event in nanoseconds since the epoch."),
    f("evt.rawtime.s", T::Abstime, F::Dec, rawtime_s, "Whole seconds of the event's time since the epoch."),
    f("evt.rawtime.ns", T::Abstime, F::PaddedDec, rawtime_ns, "Nanoseconds within the second of the event's time."),
    f("evt.reltime", T::Reltime, F::PaddedDec, reltime, "Nanoseconds between the first event and this one."),
    f("evt.reltime.s", T::Reltime, F::Dec, reltime_s, "Whole seconds between the first event and this one."),
    f("evt.reltime.ns", T::Reltime, F::PaddedDec, reltime_ns, "Nanoseconds within the second of the time since the first event."),
    f("evt.pluginname", T::Charbuf, F::Na, no_value, "Name of the plugin that the event comes from."),
    f("evt.plugininfo", T::Charbuf, F::Na, no_value, "The event as one line, as its plugin words it."),
    f("evt.source", T::Charbuf, F::Na, source, "Source of the event: `syscall`, or a plugin's source."),
    f("evt.is_async", T::Bool, F::Na, is_async, "Whether the event is a metaevent that something other than the kernel raised."),
    f("evt.asynctype", T::Charbuf, F::Na, asynctype, "Name that a metaevent carries."),
    f("evt.hostname", T::Charbuf, F::Na, hostname, "Name of the host that the event was seen on."),
];

fn num<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn time<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn time_s<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn time_iso8601<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn datetime<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn datetime_s<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn rawtime<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn rawtime_s<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn rawtime_ns<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn reltime<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn reltime_s<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn reltime_ns<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn source<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_async<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn asynctype<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn hostname<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}
