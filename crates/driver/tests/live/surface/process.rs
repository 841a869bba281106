//! Programs executed and tasks born, ids, limits, signals, one task looking into another.

use super::harness::{B, E, Is, N, P, Surface, at, gettid, s};
use std::os::unix::fs::MetadataExt;

const EBADF: i64 = -9;
const EFAULT: i64 = -14;
const ENOENT: i64 = -2;
const EINVAL: i64 = -22;
const EPERM: i64 = -1;
const ESRCH: i64 = -3;
const ALIKE: u64 = u64::MAX;
/// Of a kernel without modules.
const ENOSYS: i64 = -38;
const NO_PID: u64 = 0x3fff_fff0;

/// Every row of this file.
pub fn rows(t: &mut Surface) {
    failed_execs(t);
    identity(t);
    memory_of_others(t);
    modules(t);
}

fn any_u32() -> P {
    Is("four bytes", |bytes| bytes.len() == 4)
}

fn any_u64() -> P {
    Is("eight bytes", |bytes| bytes.len() == 8)
}

fn proc_status(field: &str) -> String {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_once(':').unwrap().1.trim().to_owned()
}

fn capabilities(field: &str) -> P {
    // The schema knows 41 of them.
    N(i64::from_str_radix(&proc_status(field), 16).unwrap() & ((1 << 41) - 1))
}

fn comm() -> String {
    std::fs::read_to_string("/proc/thread-self/comm").unwrap().trim_end().to_owned()
}

fn fd_limit() -> i64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is ours.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
    limit.rlim_cur as i64
}

/// What an event of exec says of a task that went on: parameters 4 to 30, around the environment.
fn of_this_thread(res: i64, exe: P, args: P, env: P) -> Vec<P> {
    let exe_path = std::env::current_exe().unwrap();
    let meta = exe_path.metadata().unwrap();
    let nanoseconds = |seconds: i64, rest: i64| N(seconds * 1_000_000_000 + rest);
    let loginuid: u32 = std::fs::read_to_string("/proc/self/loginuid").map_or(u32::MAX, |id| id.parse().unwrap());
    // SAFETY: it cannot fail.
    let (parent, group) = unsafe { (libc::getppid(), libc::getpgrp()) };
    vec![
        N(res),
        exe,
        args,
        N(gettid()),
        N(std::process::id().into()),
        N(parent.into()),
        E,
        N(fd_limit()),
        any_u64(),
        any_u64(),
        any_u32(),
        any_u32(),
        any_u32(),
        s(&comm()),
        Is("control groups", |bytes| bytes.starts_with(b"cpuset=/") && bytes.ends_with(b"\0")),
        env,
        any_u32(),
        N(group.into()),
        N(loginuid.into()),
        N(1), // writable
        capabilities("CapInh"),
        capabilities("CapPrm"),
        capabilities("CapEff"),
        N(meta.ino() as i64),
        nanoseconds(meta.ctime(), meta.ctime_nsec()),
        nanoseconds(meta.mtime(), meta.mtime_nsec()),
        N(0),
        s(&exe_path.display().to_string()),
        N(group.into()),
        N(0),
    ]
}

fn failed_execs(t: &mut Surface) {
    let nowhere = b"/no/such/program\0";
    let (arg0, arg1, long) = (b"zero\0", b"one\0", [vec![b'x'; 5000], vec![0]].concat());
    let env = (0..200).map(|n| format!("V{n}=x\0").into_bytes()).collect::<Vec<_>>();
    let mut envp: Vec<u64> = env.iter().map(|text| at(&text[..])).collect();
    envp.push(0);
    let all_env = || B(env.concat());
    // An argument that cannot be read is passed over.
    let argv = [at(arg0), at(arg1), 0x10, at(arg1), 0];
    let args = || B(b"one\0one\0".to_vec());
    t.call("execve", &[at(nowhere), at(&argv), at(&envp[..])], |res| {
        let mut params = of_this_thread(res, s("zero"), args(), all_env());
        params.push(s("/no/such/program"));
        params
    });
    t.call("execveat", &[ALIKE, at(nowhere), at(&argv), at(&envp[..]), 0], |res| {
        of_this_thread(res, s("zero"), args(), all_env())
    });
    // 4096 bytes of program and arguments together, and as many of the environment.
    let argv = [at(arg0), at(&long[..]), 0];
    t.call("execve", &[at(nowhere), at(&argv), at(&argv)], |res| {
        let cut = |n: usize| [vec![b'x'; n - 1], vec![0]].concat();
        let env = B([b"zero\0".to_vec(), cut(4096 - 5)].concat());
        let mut params = of_this_thread(res, s("zero"), B(cut(4096 - 5)), env);
        params.push(s("/no/such/program"));
        params
    });
    // No arguments at all: what lies behind them is not taken for some.
    let argv = [0, at(arg1), 0];
    t.call("execve", &[at(nowhere), at(&argv), 0], |res| {
        let mut params = of_this_thread(res, E, E, E);
        params.push(s("/no/such/program"));
        params
    });
    t.call("execve", &[0x10, 0, 0], |res| {
        assert_eq!(res, EFAULT);
        let mut params = of_this_thread(res, s(""), E, E);
        params.push(E);
        params
    });
}

fn identity(t: &mut Surface) {
    t.child(vec![
        ("setresgid", vec![5, 6, 7], vec![N(0), N(5), N(6), N(7)]),
        ("setregid", vec![ALIKE, 5], vec![N(0), N(-1), N(5)]),
        ("setgid", vec![8], vec![N(0), N(8)]),
        ("setresuid", vec![0, 6, 7], vec![N(0), N(0), N(6), N(7)]),
        ("setreuid", vec![ALIKE, 0], vec![N(0), N(-1), N(0)]),
        ("setuid", vec![9], vec![N(0), N(9)]),
        ("setuid", vec![0], vec![N(EPERM), N(0)]),
        ("setgid", vec![0], vec![N(EPERM), N(0)]),
        ("setreuid", vec![0, 1], vec![N(EPERM), N(0), N(1)]),
        ("setregid", vec![0, 1], vec![N(EPERM), N(0), N(1)]),
        ("setresuid", vec![0, 1, 2], vec![N(EPERM), N(0), N(1), N(2)]),
        ("setresgid", vec![0, 1, 2], vec![N(EPERM), N(0), N(1), N(2)]),
        ("setpgid", vec![0, 0], vec![N(0), N(0), N(0)]),
        ("setsid", vec![], vec![N(EPERM)]),
        ("setpgid", vec![0, NO_PID], vec![N(EPERM), N(0), N(NO_PID as i64)]),
        ("kill", vec![NO_PID, 9], vec![N(ESRCH), N(NO_PID as i64), N(9)]),
        ("tkill", vec![NO_PID, 15], vec![N(ESRCH), N(NO_PID as i64), N(15)]),
        ("tgkill", vec![NO_PID, NO_PID, 15], vec![N(ESRCH), N(NO_PID as i64), N(NO_PID as i64), N(15)]),
        ("chroot", vec![0x10], vec![N(EPERM).or_efault(), E]),
    ]);
}

impl P {
    /// Either errno.
    fn or_efault(self) -> P {
        Is("EPERM or EFAULT", |bytes| [EPERM, EFAULT].iter().any(|errno| bytes == errno.to_le_bytes()))
    }
}

fn memory_of_others(t: &mut Surface) {
    let (from, into) = (b"of another", [0u8; 16]);
    let (remote, local) = ([at(from), 10], [at(&into), 16]);
    let me = u64::from(std::process::id());
    t.call("process_vm_readv", &[me, at(&local), 1, at(&remote), 1, 0], |res| {
        vec![N(res), N(me as i64), B(from.to_vec())]
    });
    t.call("process_vm_writev", &[me, at(&remote), 1, at(&local), 1, 0], |res| {
        vec![N(res), N(me as i64), B(from.to_vec())]
    });
    for call in ["process_vm_readv", "process_vm_writev"] {
        // Only the lower half of a register is a pid.
        t.call(call, &[0xffff_ffff, at(&local), 1, at(&remote), 1, 0], |_| vec![N(ESRCH), N(-1), E]);
    }
    let failed = |value: i64| B([vec![0], value.to_le_bytes().to_vec()].concat());
    t.call("ptrace", &[16, NO_PID, 5, 6], |_| vec![N(ESRCH), failed(0), failed(0), N(11), N(NO_PID as i64)]);
}

fn modules(t: &mut Surface) {
    // More than an event holds: the image is cut, the event is there. Nothing of it is a module.
    let image = vec![b'm'; 100_000];
    t.call("init_module", &[at(&image[..]), 100_000, at(b"a=b\0")], |res| {
        vec![N(res), B(vec![b'm'; 65_536 - 4096 - 512]), N(100_000), s("a=b")]
    });
    t.call("finit_module", &[ALIKE, at(b"a=b\0"), 3], |res| {
        assert!([EBADF, ENOSYS].contains(&res));
        vec![N(res), N(-1), s("a=b"), N(3)]
    });
    t.call("delete_module", &[at(b"no_such_module\0"), libc::O_NONBLOCK as u64], |res| {
        assert!([ENOENT, ENOSYS].contains(&res));
        vec![N(res), s("no_such_module"), N(2)]
    });
    t.call("bpf", &[9999, 0, 0], |_| vec![N(EINVAL), N(9999)]);
}
