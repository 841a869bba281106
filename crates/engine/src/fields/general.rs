//! Fields that every event has: number, times, source, host.

use super::render::time;
use super::row::*;
use jiff::tz::TimeZone;
use peregrine_event::{category, code};

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("evt.num", T::Uint64, F::Id, num, "Number of the event in its stream, counting from 1."),
    f("evt.time", T::Charbuf, F::Na, time, "Local time of the event, to the nanosecond.").json(Json::EventTime),
    f("evt.time.s", T::Charbuf, F::Na, time_s, "Local time of the event, to the second.").json(Json::EventTime),
    f("evt.time.iso8601", T::Charbuf, F::Na, time_iso8601, "UTC date and time of the event in ISO 8601, to the nanosecond.").json(Json::EventTime),
    f("evt.datetime", T::Charbuf, F::Na, datetime, "Local date and time of the event, to the nanosecond.").json(Json::EventTime),
    f("evt.datetime.s", T::Charbuf, F::Na, datetime_s, "Local date and time of the event, to the second.").json(Json::EventTime),
    f("evt.rawtime", T::Abstime, F::Dec, rawtime, "Time of the event in nanoseconds since the epoch.").json(Json::Number),
    f("evt.rawtime.s", T::Abstime, F::Dec, rawtime_s, "Whole seconds of the event's time since the epoch.").json(Json::Number),
    f("evt.rawtime.ns", T::Abstime, F::PaddedDec, rawtime_ns, "Nanoseconds within the second of the event's time.").json(Json::Number),
    f("evt.reltime", T::Reltime, F::PaddedDec, reltime, "Nanoseconds between the first event and this one.").json(Json::Number),
    f("evt.reltime.s", T::Reltime, F::Dec, reltime_s, "Whole seconds between the first event and this one.").json(Json::Number),
    f("evt.reltime.ns", T::Reltime, F::PaddedDec, reltime_ns, "Nanoseconds within the second of the time since the first event.").json(Json::Number),
    f("evt.pluginname", T::Charbuf, F::Na, no_value, "Name of the plugin that the event comes from."),
    f("evt.plugininfo", T::Charbuf, F::Na, no_value, "The event as one line, as its plugin words it."),
    f("evt.source", T::Charbuf, F::Na, source, "Source of the event: `syscall`, or a plugin's source."),
    f("evt.is_async", T::Bool, F::Na, is_async, "Whether the event is a metaevent that something other than the kernel raised."),
    f("evt.asynctype", T::Charbuf, F::Na, asynctype, "Name that a metaevent carries."),
    f("evt.hostname", T::Charbuf, F::Na, hostname, "Name of the host that the event was seen on."),
];

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

take! {
    num = |m| Some(Value::Uint(m.context.num));
    rawtime = |m| Some(Value::Uint(m.event.ts));
    rawtime_s = |m| Some(Value::Uint(m.event.ts / SECOND));
    rawtime_ns = |m| Some(Value::Uint(m.event.ts % SECOND));
    reltime = |m| Some(Value::Uint(m.session.since_start(m.event.ts)));
    reltime_s = |m| Some(Value::Uint(m.session.since_start(m.event.ts) / SECOND));
    reltime_ns = |m| Some(Value::Uint(m.session.since_start(m.event.ts) % SECOND));
    time = |m| local(m, time::CLOCK);
    time_s = |m| local(m, time::CLOCK_S);
    datetime = |m| local(m, time::DATETIME);
    datetime_s = |m| local(m, time::DATETIME_S);
    time_iso8601 = |m| formatted(m, &TimeZone::UTC, time::ISO8601);
    source = |m| (!m.source.is_empty()).then_some(Value::Bytes(m.source.as_bytes()));
    is_async = |m| Some(Value::Bool(is_metaevent(m)));
    asynctype = |m| is_metaevent(m).then(|| Value::Bytes(async_name(m)));
    hostname = |m| Some(Value::Bytes(&m.session.hostname));
}

fn local<'a>(m: &Moment<'a>, pattern: &str) -> Option<Value<'a>> {
    formatted(m, &m.session.time_zone, pattern)
}

fn formatted<'a>(m: &Moment<'a>, zone: &TimeZone, pattern: &str) -> Option<Value<'a>> {
    Some(Value::Bytes(m.build(|out| {
        let _ = time::write(out, m.event.ts, zone, pattern);
    })))
}

fn is_metaevent(m: &Moment<'_>) -> bool {
    m.event.info().category & category::EC_METAEVENT != 0
}

/// The name that an asynchronous event carries, of other metaevents the event's own.
fn async_name<'a>(m: &Moment<'a>) -> &'a [u8] {
    match m.event.code {
        code::ASYNCEVENT_E => m.event.text(1).unwrap_or_default(),
        _ => m.event.info().name.as_bytes(),
    }
}
