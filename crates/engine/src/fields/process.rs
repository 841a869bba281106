//! Fields of the process that caused the event.

use super::row::*;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("proc.pid", T::Int64, F::Id, pid, "Id of the process."),
    f("proc.vpid", T::Int64, F::Id, vpid, "Id of the process within its own PID namespace."),
    f("proc.name", T::Charbuf, F::Na, name, "Short name of the process, as the kernel keeps it."),
    f("proc.exe", T::Charbuf, F::Na, exe, "First argument, by which the process was called."),
    f("proc.exepath", T::Charbuf, F::Na, exepath, "Path of the executable file."),
    f("proc.args", T::Charbuf, F::Na, args, "Arguments after the first, blanks between; `[N]` gives one.").arg(A::IndexOptional).flags(flag::ARG_ALLOWED),
    f("proc.cmdline", T::Charbuf, F::Na, cmdline, "Short name and arguments."),
    f("proc.exeline", T::Charbuf, F::Na, exeline, "First argument and the others."),
    f("proc.cmdnargs", T::Uint64, F::Dec, cmdnargs, "Number of arguments."),
    f("proc.cmdlenargs", T::Uint64, F::Dec, cmdlenargs, "Length of all arguments together."),
    f("proc.env", T::Charbuf, F::Na, env, "Environment, blanks between; `[NAME]` gives one variable's value.").arg(A::KeyOptional).flags(flag::ARG_ALLOWED),
    f("proc.cwd", T::Charbuf, F::Na, cwd, "Working directory, with a trailing slash."),
    f("proc.tty", T::Uint32, F::Id, tty, "Controlling terminal, 0 without."),
    f("proc.duration", T::Reltime, F::Dec, duration, "Nanoseconds since the process began."),
    f("proc.pid.ts", T::Reltime, F::Dec, pid_ts, "Time when the process began, in nanoseconds since the epoch."),
    f("proc.is_exe_writable", T::Bool, F::Na, is_exe_writable, "Whether the user could write the executable file."),
    f("proc.is_exe_upper_layer", T::Bool, F::Na, is_exe_upper_layer, "Whether the executable lies in an overlay's upper layer: not from the image."),
    f("proc.is_exe_lower_layer", T::Bool, F::Na, is_exe_lower_layer, "Whether the executable lies in an overlay's lower layer: from the image."),
    f("proc.is_exe_from_memfd", T::Bool, F::Na, is_exe_from_memfd, "Whether the executable is a file in memory only."),
    f("proc.exe_ino", T::Int64, F::Dec, exe_ino, "Inode of the executable."),
    f("proc.exe_ino.ctime", T::Abstime, F::Dec, exe_ino_ctime, "Time of the executable's last status change, in nanoseconds since the epoch."),
    f("proc.exe_ino.mtime", T::Abstime, F::Dec, exe_ino_mtime, "Time of the executable's last modification, in nanoseconds since the epoch."),
    f("proc.exe_ino.ctime_duration_proc_start", T::Abstime, F::Dec, exe_ino_ctime_proc, "Nanoseconds between the executable's status change and the process's start."),
    f("proc.exe_ino.ctime_duration_pidns_start", T::Abstime, F::Dec, exe_ino_ctime_pidns, "Nanoseconds between the PID namespace's start and the executable's status change, if later."),
    f("proc.pidns_init_start_ts", T::Uint64, F::Dec, pidns_init_start_ts, "Start of the PID namespace, in nanoseconds since the epoch."),
    f("proc.fdopencount", T::Uint64, F::Dec, fdopencount, "Number of open descriptors."),
    f("proc.fdlimit", T::Int64, F::Dec, fdlimit, "Number of descriptors that the process may open."),
    f("proc.fdusage", T::Double, F::Na, fdusage, "Open descriptors in per cent of the limit."),
    f("proc.vmsize", T::Uint64, F::Dec, vmsize, "Virtual memory in kilobytes."),
    f("proc.vmrss", T::Uint64, F::Dec, vmrss, "Resident memory in kilobytes."),
    f("proc.vmswap", T::Uint64, F::Dec, vmswap, "Swapped memory in kilobytes."),
    f("proc.nthreads", T::Uint64, F::Dec, nthreads, "Number of the process's threads."),
    f("proc.nchilds", T::Uint64, F::Dec, nchilds, "Number of the process's threads besides the main one."),
    f("proc.stdin.type", T::Charbuf, F::Na, stdin_type, "Kind of descriptor 0."),
    f("proc.stdout.type", T::Charbuf, F::Na, stdout_type, "Kind of descriptor 1."),
    f("proc.stderr.type", T::Charbuf, F::Na, stderr_type, "Kind of descriptor 2."),
    f("proc.stdin.name", T::Charbuf, F::Na, stdin_name, "Name of descriptor 0."),
    f("proc.stdout.name", T::Charbuf, F::Na, stdout_name, "Name of descriptor 1."),
    f("proc.stderr.name", T::Charbuf, F::Na, stderr_name, "Name of descriptor 2."),
];

fn pid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn vpid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn name<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn exe<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn exepath<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn args<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cmdline<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn exeline<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cmdnargs<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cmdlenargs<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn env<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cwd<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn tty<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn duration<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn pid_ts<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_exe_writable<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_exe_upper_layer<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_exe_lower_layer<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_exe_from_memfd<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn exe_ino<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn exe_ino_ctime<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn exe_ino_mtime<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn exe_ino_ctime_proc<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn exe_ino_ctime_pidns<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn pidns_init_start_ts<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn fdopencount<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn fdlimit<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn fdusage<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn vmsize<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn vmrss<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn vmswap<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn nthreads<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn nchilds<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn stdin_type<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn stdout_type<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn stderr_type<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn stdin_name<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn stdout_name<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn stderr_name<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}
