//! Fields of the ancestors of the process.

use super::access::parent;
use super::process::{environment, joined_args, open_count, since, variable};
use super::row::*;
use super::thread::visible;
use peregrine_state::ThreadInfo;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("proc.ppid", T::Int64, F::Id, ppid, "Id of the parent."),
    f("proc.pvpid", T::Int64, F::Id, pvpid, "Id of the parent within its PID namespace."),
    f("proc.pname", T::Charbuf, F::Na, pname, "Short name of the parent."),
    f("proc.pexe", T::Charbuf, F::Na, pexe, "First argument of the parent."),
    f("proc.pexepath", T::Charbuf, F::Na, pexepath, "Path of the parent's executable."),
    f("proc.pcmdline", T::Charbuf, F::Na, pcmdline, "Short name and arguments of the parent."),
    f("proc.ppid.duration", T::Reltime, F::Dec, ppid_duration, "Nanoseconds since the parent began."),
    f("proc.ppid.ts", T::Reltime, F::Dec, ppid_ts, "Time when the parent began, in nanoseconds since the epoch."),
    f("proc.apid", T::Int64, F::Id, apid, "Id of an ancestor, or of any; level 0 is the process itself, 1 its parent.").arg(A::IndexOptional).flags(ANCESTOR).multi(Multi::Ancestors, apids),
    f("proc.aname", T::Charbuf, F::Na, aname, "Short name of an ancestor, or of any.").arg(A::IndexOptional).flags(ANCESTOR).multi(Multi::Ancestors, anames),
    f("proc.aexe", T::Charbuf, F::Na, aexe, "First argument of an ancestor, or of any.").arg(A::IndexOptional).flags(ANCESTOR).multi(Multi::Ancestors, aexes),
    f("proc.aexepath", T::Charbuf, F::Na, aexepath, "Path of an ancestor's executable, or of any's.").arg(A::IndexOptional).flags(ANCESTOR).multi(Multi::Ancestors, aexepaths),
    f("proc.acmdline", T::Charbuf, F::Na, acmdline, "Short name and arguments of an ancestor, or of any.").arg(A::IndexOptional).flags(ANCESTOR).multi(Multi::Ancestors, acmdlines),
    f("proc.aargs", T::Charbuf, F::Na, aargs, "Arguments of an ancestor, or of all, blanks between.").arg(A::IndexOptional).flags(flag::ARG_ALLOWED),
    f("proc.aenv", T::Charbuf, F::Na, aenv, "Environment of an ancestor, or of any; `[NAME]` gives the nearest ancestor's variable.").arg(A::KeyOptional).flags(ANCESTOR).multi(Multi::Ancestors, aenvs),
    f("proc.loginshellid", T::Int64, F::Id, loginshellid, "Id of the eldest ancestor that is a shell."),
];

/// Most ancestors that are searched for a variable.
const SEARCHED: usize = 20;

take! {
    ppid = |m| visible(m.ancestor(1)?.pid);
    pvpid = |m| Some(Value::Int(parent(m.state, m.thread()?)?.vpid));
    pname = |m| Some(Value::Bytes(&m.ancestor(1)?.comm));
    pexe = |m| Some(Value::Bytes(&m.ancestor(1)?.exe));
    pexepath = |m| Some(Value::Bytes(&m.ancestor(1)?.exepath));
    pcmdline = |m| Some(Value::Bytes(&m.ancestor(1)?.cmdline));
    ppid_duration = |m| {
        // Upstream falls through to the number of descriptors for a parent that was there before the first event.
        let instead = || Some(Value::Uint(open_count(m, m.thread()?)));
        since(m, m.ancestor(1)?).or_else(instead)
    };
    ppid_ts = |m| Some(Value::Uint(parent(m.state, m.thread()?)?.clone_ts));
    loginshellid = |m| {
        let is_shell = |thread: &&ThreadInfo| thread.comm.ends_with(b"sh");
        let eldest = std::iter::once(m.leader()?).chain(m.ancestors()?).filter(is_shell).last();
        eldest.map(|thread| Value::Int(thread.pid))
    };
}

/// A field of one ancestor, or of all with blanks between.
macro_rules! ancestor_fields {
    ($($one:ident, $many:ident = |$m:ident, $thread:ident| $value:expr;)*) => {
        $(
            fn $one<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
                let value = |$m: &Moment<'a>, $thread: &'a ThreadInfo| -> &'a [u8] { $value };
                match arg {
                    Arg::Index(level) => m.ancestor(*level).map(|thread| Value::Bytes(value(m, thread))),
                    _ => joined(m, value),
                }
            }

            fn $many<'a>($m: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
                $m.list($m.ancestors()?.map(|$thread| Value::Bytes($value)))
            }
        )*
    };
}

ancestor_fields! {
    aname, anames = |_m, thread| &thread.comm;
    aexe, aexes = |_m, thread| &thread.exe;
    aexepath, aexepaths = |_m, thread| &thread.exepath;
    acmdline, acmdlines = |_m, thread| &thread.cmdline;
}

fn aargs<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    match arg {
        Arg::Index(level) => m.ancestor(*level).map(|thread| Value::Bytes(joined_args(thread))),
        _ => joined(m, |_, thread| joined_args(thread)),
    }
}

/// All ancestors' texts, blanks between; nothing if that is empty.
fn joined<'a>(m: &Moment<'a>, text: impl Fn(&Moment<'a>, &'a ThreadInfo) -> &'a [u8]) -> Option<Value<'a>> {
    let ancestors = m.ancestors()?;
    let all = m.build(|out| {
        for thread in ancestors {
            out.separate(b" ");
            out.push(text(m, thread));
        }
    });
    (!all.is_empty()).then_some(Value::Bytes(all))
}

fn apid<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let level = if let Arg::Index(level) = arg { *level } else { 0 };
    visible(m.ancestor(level)?.pid)
}

fn apids<'a>(m: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    m.list(m.ancestors()?.map(|thread| Value::Int(thread.pid)))
}

fn aenv<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let thread = m.thread()?;
    Some(Value::Bytes(match arg {
        Arg::Key(name) => {
            // Unlike [`Moment::ancestors`] this walk does not look for loops, but is short.
            let first = m.leader().and_then(|leader| parent(m.state, leader));
            let line = std::iter::successors(first, |thread| parent(m.state, thread)).take(SEARCHED);
            let mut values = line.map(|thread| variable(environment(m, thread), name.as_bytes()));
            values.find(|value| !value.is_empty()).unwrap_or_default()
        }
        Arg::Index(level @ 1..) => {
            let Some(mut ancestor) = m.leader() else { return Some(Value::Bytes(b"")) };
            for _ in 0..*level {
                ancestor = parent(m.state, ancestor)?;
            }
            m.blanks(environment(m, ancestor))
        }
        _ => m.blanks(environment(m, thread)),
    }))
}

fn aenvs<'a>(m: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    m.list(m.ancestors()?.map(|thread| Value::Bytes(m.blanks(environment(m, thread)))))
}
