//! Fields of the thread that caused the event.

use super::render::names::CAPABILITIES;
use super::row::*;
use peregrine_event::code;
use peregrine_state::ThreadInfo;
use std::fmt::Write;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("thread.tid", T::Int64, F::Id, tid, "Id of the thread."),
    f("thread.ismain", T::Bool, F::Na, ismain, "Whether the thread is its process's main one."),
    f("thread.vtid", T::Int64, F::Id, vtid, "Id of the thread within its PID namespace."),
    f("thread.nametid", T::Charbuf, F::Na, nametid, "Short name and thread id, one after the other.").flags(flag::TABLE_ONLY),
    f("thread.exectime", T::Reltime, F::Dec, exectime, "CPU time of the slice that a switch ends, in nanoseconds."),
    f("thread.totexectime", T::Reltime, F::Dec, totexectime, "Sum of the thread's CPU slices so far, in nanoseconds."),
    f("thread.cgroups", T::Charbuf, F::Na, cgroups, "All control groups as `subsystem=path`, blanks between."),
    f("thread.cgroup", T::Charbuf, F::Na, cgroup, "Path of the control group of one subsystem.").arg(A::DotName).flags(flag::ARG_REQUIRED),
    f("thread.cap_permitted", T::Charbuf, F::Na, cap_permitted, "Capabilities that the thread may take."),
    f("thread.cap_inheritable", T::Charbuf, F::Na, cap_inheritable, "Capabilities that the thread passes on at exec."),
    f("thread.cap_effective", T::Charbuf, F::Na, cap_effective, "Capabilities that the thread has."),
    f("thread.pfmajor", T::Uint64, F::Dec, pfmajor, "Number of page faults that needed the disk."),
    f("thread.pfminor", T::Uint64, F::Dec, pfminor, "Number of page faults that needed no disk."),
    f("thread.cpu", T::Double, F::Na, cpu, "CPU use of the last second in per cent."),
    f("thread.cpu.user", T::Double, F::Na, cpu_user, "CPU use in user mode of the last second in per cent."),
    f("thread.cpu.system", T::Double, F::Na, cpu_system, "CPU use in kernel mode of the last second in per cent."),
    f("thread.vmsize", T::Uint64, F::Dec, vmsize, "Virtual memory in kilobytes; 0 for all but the main thread."),
    f("thread.vmrss", T::Uint64, F::Dec, vmrss, "Resident memory in kilobytes; 0 for all but the main thread."),
    f("thread.vmsize.b", T::Uint64, F::Dec, vmsize_b, "Virtual memory in bytes; 0 for all but the main thread.").flags(flag::TABLE_ONLY),
    f("thread.vmrss.b", T::Uint64, F::Dec, vmrss_b, "Resident memory in bytes; 0 for all but the main thread.").flags(flag::TABLE_ONLY),
];

take! {
    tid = |m| visible(m.event.tid);
    ismain = |m| Some(Value::Bool(m.thread()?.is_main()));
    vtid = |m| m.thread().filter(|t| t.vtid != -1).map(|t| Value::Int(t.vtid));
    nametid = |m| {
        let comm = &m.thread()?.comm;
        Some(Value::Bytes(m.build(|out| {
            out.push(comm);
            let _ = write!(out, "{}", m.event.tid);
        })))
    };
    exectime = |m| Some(Value::Uint(match m.event.code {
        code::SCHEDSWITCH_6_E => m.session.slice(m.context.num, m.event.cpu, m.event.ts),
        _ => 0,
    }));
    totexectime = |m| {
        let thread = m.thread()?;
        Some(Value::Uint(match m.event.code {
            code::SCHEDSWITCH_6_E => m.session.total_slice(m.context.num, m.event.cpu, m.event.ts, thread.tid),
            _ => m.session.total(thread.tid),
        }))
    };
    cgroups = |m| {
        let cgroups = &m.thread()?.cgroups;
        (!cgroups.is_empty()).then(|| Value::Bytes(m.blanks(cgroups)))
    };
    cap_permitted = |m| Some(Value::Bytes(capabilities(m, m.thread()?.cap_permitted)));
    cap_inheritable = |m| Some(Value::Bytes(capabilities(m, m.thread()?.cap_inheritable)));
    cap_effective = |m| Some(Value::Bytes(capabilities(m, m.thread()?.cap_effective)));
    pfmajor = |m| Some(Value::Uint(m.thread()?.pfmajor));
    pfminor = |m| Some(Value::Uint(m.thread()?.pfminor));
    cpu = |m| usage(m, true, true);
    cpu_user = |m| usage(m, true, false);
    cpu_system = |m| usage(m, false, true);
    vmsize = |m| Some(Value::Uint(of_main(m.thread()?, |t| t.vmsize_kb)));
    vmrss = |m| Some(Value::Uint(of_main(m.thread()?, |t| t.vmrss_kb)));
    vmsize_b = |m| Some(Value::Uint(of_main(m.thread()?, |t| t.vmsize_kb) * 1024));
    vmrss_b = |m| Some(Value::Uint(of_main(m.thread()?, |t| t.vmrss_kb) * 1024));
}

fn cgroup<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let Arg::Key(subsystem) = arg else { return None };
    let mut cgroups = m.thread()?.cgroups.split(|b| *b == 0);
    cgroups.find_map(|entry| entry.strip_prefix(subsystem.as_bytes())?.strip_prefix(b"=")).map(Value::Bytes)
}

/// An id, unless it is one that no source of events for the host gives.
pub(super) fn visible<'a>(id: i64) -> Option<Value<'a>> {
    (-1..=i64::from(u32::MAX)).contains(&id).then_some(Value::Int(id))
}

fn of_main(thread: &ThreadInfo, value: fn(&ThreadInfo) -> u32) -> u64 {
    if thread.is_main() { u64::from(value(thread)) } else { 0 }
}

fn capabilities<'a>(m: &Moment<'a>, set: u64) -> &'a [u8] {
    m.build(|out| {
        for (bit, name) in CAPABILITIES.iter().enumerate() {
            if set & (1 << bit) != 0 {
                out.separate(b" ");
                out.push(name.as_bytes());
            }
        }
    })
}

/// CPU use since the thread's last information event, in per cent as these events count it.
fn usage<'a>(m: &Moment<'a>, user: bool, system: bool) -> Option<Value<'a>> {
    let thread = m.thread()?;
    if m.event.code != code::PROCINFO_E {
        return None;
    }
    let part = |wanted: bool, index| if wanted { m.event.uint(index).unwrap_or(0) } else { 0 };
    let sum = part(user, 0).wrapping_add(part(system, 1));
    let used = m.session.usage(m.context.num, thread.tid, (user, system), sum);
    Some(Value::Double((used as f64).min(100.0)))
}
