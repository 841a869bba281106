//! Fields of the session and the process group, and of their leaders.

use super::row::*;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("proc.sid", T::Int64, F::Id, sid, "Session id."),
    f("proc.sname", T::Charbuf, F::Na, sname, "Short name of the session's leader."),
    f("proc.sid.exe", T::Charbuf, F::Na, sid_exe, "First argument of the session's leader."),
    f("proc.sid.exepath", T::Charbuf, F::Na, sid_exepath, "Path of the executable of the session's leader."),
    f("proc.vpgid", T::Int64, F::Id, vpgid, "Process group id within the PID namespace."),
    f("proc.vpgid.name", T::Charbuf, F::Na, vpgid_name, "Short name of the process group's leader, sought by the namespace's id."),
    f("proc.vpgid.exe", T::Charbuf, F::Na, vpgid_exe, "First argument of the process group's leader, sought by the namespace's id."),
    f("proc.vpgid.exepath", T::Charbuf, F::Na, vpgid_exepath, "Path of the executable of the process group's leader, sought by the namespace's id."),
    f("proc.pgid", T::Int64, F::Id, pgid, "Process group id, as the host sees it."),
    f("proc.pgid.name", T::Charbuf, F::Na, pgid_name, "Short name of the process group's leader."),
    f("proc.pgid.exe", T::Charbuf, F::Na, pgid_exe, "First argument of the process group's leader."),
    f("proc.pgid.exepath", T::Charbuf, F::Na, pgid_exepath, "Path of the executable of the process group's leader."),
    f("proc.is_sid_leader", T::Bool, F::Na, is_sid_leader, "Whether the process leads its session."),
    f("proc.is_vpgid_leader", T::Bool, F::Na, is_vpgid_leader, "Whether the process leads its process group, by the namespace's ids."),
    f("proc.is_pgid_leader", T::Bool, F::Na, is_pgid_leader, "Whether the process leads its process group."),
];

fn sid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn sname<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn sid_exe<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn sid_exepath<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn vpgid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn vpgid_name<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn vpgid_exe<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn vpgid_exepath<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn pgid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn pgid_name<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn pgid_exe<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn pgid_exepath<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_sid_leader<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_vpgid_leader<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_pgid_leader<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}
