//! Fields of the thread that caused the event.

use super::row::*;

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

fn tid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn ismain<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn vtid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn nametid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn exectime<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn totexectime<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cgroups<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cgroup<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cap_permitted<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cap_inheritable<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cap_effective<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn pfmajor<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn pfminor<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cpu<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cpu_user<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cpu_system<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn vmsize<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn vmrss<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn vmsize_b<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn vmrss_b<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}
