//! Fields of the ancestors of the process.

use super::row::*;

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

fn ppid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn pvpid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn pname<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn pexe<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn pexepath<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn pcmdline<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn ppid_duration<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn ppid_ts<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn apids<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn apid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn anames<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn aname<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn aexes<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn aexe<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn aexepaths<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn aexepath<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn acmdlines<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn acmdline<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn aargs<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn aenvs<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn aenv<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn loginshellid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}
