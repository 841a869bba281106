//! Fields of the process that caused the event.

use super::access::leader;
use super::fd::type_name;
use super::row::*;
use peregrine_state::ThreadInfo;

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

take! {
    pid = |m| super::thread::visible(m.thread()?.pid);
    vpid = |m| m.thread().filter(|t| t.vpid != -1).map(|t| Value::Int(t.vpid));
    name = |m| Some(Value::Bytes(&m.thread()?.comm));
    exe = |m| Some(Value::Bytes(&m.thread()?.exe));
    exepath = |m| Some(Value::Bytes(&m.thread()?.exepath));
    cmdline = |m| Some(Value::Bytes(&m.thread()?.cmdline));
    exeline = |m| {
        let thread = m.thread()?;
        Some(Value::Bytes(m.concat(&[&thread.exe, b" ", joined_args(thread)])))
    };
    cmdnargs = |m| Some(Value::Uint(m.thread()?.args.iter().filter(|b| **b == 0).count() as u64));
    cmdlenargs = |m| Some(Value::Uint(m.thread()?.args.iter().filter(|b| **b != 0).count() as u64));
    cwd = |m| Some(Value::Bytes(m.cwd(m.thread()?)));
    tty = |m| Some(Value::Uint(u64::from(m.thread()?.tty)));
    duration = |m| since(m, m.thread()?);
    pid_ts = |m| not_zero(m.thread()?.clone_ts);
    is_exe_writable = |m| Some(Value::Bool(m.thread()?.exe_writable));
    is_exe_upper_layer = |m| Some(Value::Bool(m.thread()?.exe_upper_layer));
    is_exe_lower_layer = |m| Some(Value::Bool(m.thread()?.exe_lower_layer));
    is_exe_from_memfd = |m| Some(Value::Bool(m.thread()?.exe_from_memfd));
    exe_ino = |m| m.thread().filter(|t| t.exe_ino != 0).map(|t| Value::Int(t.exe_ino as i64));
    exe_ino_ctime = |m| not_zero(m.thread()?.exe_ino_ctime);
    exe_ino_mtime = |m| not_zero(m.thread()?.exe_ino_mtime);
    exe_ino_ctime_proc = |m| not_zero(m.thread()?.exe_ino_ctime_duration_clone_ts);
    exe_ino_ctime_pidns = |m| not_zero(m.thread()?.exe_ino_ctime_duration_pidns_start);
    pidns_init_start_ts = |m| not_zero(m.thread()?.pidns_init_start_ts);
    fdopencount = |m| Some(Value::Uint(open_count(m, m.thread()?)));
    fdlimit = |m| Some(Value::Int(limit(m, m.thread()?)));
    fdusage = |m| {
        let thread = m.thread()?;
        let (open, limit) = (open_count(m, thread), limit(m, thread));
        Some(Value::Double(match limit {
            ..=0 => 0.0,
            _ if open > limit as u64 => 100.0,
            _ => open as f64 * 100.0 / limit as f64,
        }))
    };
    vmsize = |m| Some(Value::Uint(u64::from(m.thread()?.vmsize_kb)));
    vmrss = |m| Some(Value::Uint(u64::from(m.thread()?.vmrss_kb)));
    vmswap = |m| Some(Value::Uint(u64::from(m.thread()?.vmswap_kb)));
    nthreads = |m| Some(Value::Uint(m.state.thread_count(m.thread()?.pid) as u64));
    nchilds = |m| {
        let count = m.state.thread_count(m.thread()?.pid) as u64;
        let leads = m.leader().is_some_and(|leader| !leader.dead);
        Some(Value::Uint(count.saturating_sub(u64::from(leads))))
    };
    stdin_type = |m| Some(Value::Bytes(type_name(m.fd(0)?.ty)));
    stdout_type = |m| Some(Value::Bytes(type_name(m.fd(1)?.ty)));
    stderr_type = |m| Some(Value::Bytes(type_name(m.fd(2)?.ty)));
    stdin_name = |m| Some(Value::Bytes(&m.fd(0)?.name));
    stdout_name = |m| Some(Value::Bytes(&m.fd(1)?.name));
    stderr_name = |m| Some(Value::Bytes(&m.fd(2)?.name));
}

fn args<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let thread = m.thread()?;
    Some(Value::Bytes(match arg {
        // Past the last there is an empty one.
        Arg::Index(index) => entries(&thread.args).nth(*index as usize).unwrap_or_default(),
        _ => joined_args(thread),
    }))
}

fn env<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let environment = environment(m, m.thread()?);
    Some(Value::Bytes(match arg {
        Arg::Key(name) => variable(environment, name.as_bytes()),
        _ => m.blanks(environment),
    }))
}

/// The arguments, blanks between: the command line without the short name before it.
pub(super) fn joined_args(thread: &ThreadInfo) -> &[u8] {
    if thread.args.is_empty() { &[] } else { thread.cmdline.get(thread.comm.len() + 1..).unwrap_or_default() }
}

/// A process's environment: its leader's.
pub(super) fn environment<'a>(m: &Moment<'a>, thread: &'a ThreadInfo) -> &'a [u8] {
    leader(m.state, thread).map_or(&[], |leader| &leader.env)
}

/// The value of an environment's variable, blanks at its ends cut; empty if it is not there.
pub(super) fn variable<'a>(environment: &'a [u8], name: &[u8]) -> &'a [u8] {
    let blank = |b: &u8| *b == b' ';
    let value = entries(environment)
        .filter_map(|entry| entry.strip_prefix(name)?.strip_prefix(b"="))
        .find(|value| !value.is_empty())
        .unwrap_or_default();
    let start = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
    let end = value.iter().rposition(|b| !blank(b)).map_or(start, |last| last + 1);
    &value[start..end]
}

/// Entries that each end in a NUL.
fn entries(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|b| *b == 0).map(|entry| entry.strip_suffix(&[0]).unwrap_or(entry))
}

/// Time since a process began; nothing for those that were there before the first event.
pub(super) fn since<'a>(m: &Moment<'a>, thread: &ThreadInfo) -> Option<Value<'a>> {
    (thread.clone_ts != 0).then(|| Value::Uint(m.event.ts.wrapping_sub(thread.clone_ts)))
}

/// Number of descriptors in the table of a thread's process.
pub(super) fn open_count(m: &Moment<'_>, thread: &ThreadInfo) -> u64 {
    // Upstream counts the main thread's, and a thread whose main thread is not known has none.
    leader(m.state, thread).and_then(|leader| m.state.fd_table(leader)).map_or(0, |table| table.len() as u64)
}

fn limit<'a>(m: &Moment<'a>, thread: &'a ThreadInfo) -> i64 {
    leader(m.state, thread).map_or(0, |leader| leader.fdlimit)
}

fn not_zero<'a>(value: u64) -> Option<Value<'a>> {
    (value != 0).then_some(Value::Uint(value))
}
