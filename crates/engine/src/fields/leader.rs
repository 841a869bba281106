//! Fields of the session and the process group, and of their leaders.

use super::access::Ancestors;
use super::row::*;
use peregrine_event::defines;
use peregrine_state::ThreadInfo;

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

take! {
    sid = |m| Some(Value::Int(m.thread()?.sid));
    sname = |m| of_leader(m, Id::Session, |leader| &leader.comm);
    sid_exe = |m| of_leader(m, Id::Session, |leader| &leader.exe);
    sid_exepath = |m| of_leader(m, Id::Session, |leader| &leader.exepath);
    vpgid = |m| Some(Value::Int(m.thread()?.vpgid));
    vpgid_name = |m| of_leader(m, Id::VirtualGroup, |leader| &leader.comm);
    vpgid_exe = |m| of_leader(m, Id::VirtualGroup, |leader| &leader.exe);
    vpgid_exepath = |m| of_leader(m, Id::VirtualGroup, |leader| &leader.exepath);
    pgid = |m| Some(Value::Int(m.thread()?.pgid));
    pgid_name = |m| of_leader(m, Id::Group, |leader| &leader.comm);
    pgid_exe = |m| of_leader(m, Id::Group, |leader| &leader.exe);
    pgid_exepath = |m| of_leader(m, Id::Group, |leader| &leader.exepath);
    is_sid_leader = |m| m.thread().map(|t| Value::Bool(t.sid == t.vpid));
    is_vpgid_leader = |m| m.thread().map(|t| Value::Bool(t.vpgid == t.vpid));
    is_pgid_leader = |m| m.thread().map(|t| Value::Bool(t.pgid == t.pid));
}

/// By which id a leader is sought.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Id {
    Session,
    VirtualGroup,
    Group,
}

impl Id {
    fn of(self, thread: &ThreadInfo) -> i64 {
        match self {
            Self::Session => thread.sid,
            Self::VirtualGroup => thread.vpgid,
            Self::Group => thread.pgid,
        }
    }

    /// Whether the number counts within a PID namespace.
    fn is_virtual(self) -> bool {
        self != Self::Group
    }
}

/// A text of the leader, empty if it is not found.
fn of_leader<'a>(m: &Moment<'a>, id: Id, text: fn(&'a ThreadInfo) -> &'a Vec<u8>) -> Option<Value<'a>> {
    let thread = m.thread()?;
    Some(Value::Bytes(find(m, thread, id).map_or(b"", |leader| text(leader))))
}

/// The thread with the id; else, and if the id counts within the thread's own namespace, the eldest of the ancestors
/// up to which the id stays the same.
fn find<'a>(m: &Moment<'a>, thread: &'a ThreadInfo, id: Id) -> Option<&'a ThreadInfo> {
    let wanted = id.of(thread);
    if wanted == -1 {
        return None;
    }
    let direct = || m.state.thread(m.state.lookup(wanted)?);
    let found = if id.is_virtual() && in_pid_namespace(thread) { None } else { direct() };
    found.or_else(|| Ancestors::of(m.state, thread).take_while(|ancestor| id.of(ancestor) == wanted).last())
}

fn in_pid_namespace(thread: &ThreadInfo) -> bool {
    i64::from(thread.flags) & defines::PPM_CL_CHILD_IN_PIDNS != 0 || (thread.tid != thread.vtid && thread.vtid >= 0)
}
