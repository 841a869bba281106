//! Programs executed and tasks born, ids, limits, signals, one task looking into another.

use super::files::{EINVAL, text};
use super::harness::{B, E, Is, N, P, Surface, at, gettid, s, wait_for};
use peregrine_event::{calls, code, defines::*};
use std::os::unix::fs::MetadataExt;

const EFAULT: i64 = -14;
const EAGAIN: i64 = -11;
const EPERM: i64 = -1;
const ESRCH: i64 = -3;
const ALIKE: u64 = u64::MAX;
const NO_PID: u64 = 0x3fff_fff0;

/// Every row of this file.
pub fn rows(t: &mut Surface) {
    failed_execs(t);
    executed(t);
    executed_from_memory(t);
    let overlays = std::fs::read_to_string("/proc/filesystems").is_ok_and(|known| known.contains("overlay"));
    if !overlays {
        println!("skipped: this kernel has no overlays");
    } else if Surface::has("open") {
        layers(t);
    }
    born(t);
    identity(t);
    limits(t);
    signals(t);
    memory_of_others(t);
    traced(t);
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

/// Bytes of the control groups that the events tell of.
fn cgroups() -> P {
    Is("control groups", |bytes| bytes.starts_with(b"cpuset=/") && bytes.ends_with(b"\0"))
}

/// A program that is executed by a child, also through a descriptor.
fn executed(t: &mut Surface) {
    let path = std::fs::canonicalize("/bin/true").unwrap();
    let meta = path.metadata().unwrap();
    let (path, parent) = (path.display().to_string(), gettid());
    let name = text("/bin/true");
    // SAFETY: the path is ours.
    let fd = unsafe { libc::open(name.as_ptr().cast(), libc::O_RDONLY) } as u64;
    let (arg0, arg1, variable) = (text("own name"), text("one"), text("A=b"));
    let (argv, envp) = ([at(&arg0[..]), at(&arg1[..]), 0], [at(&variable[..]), 0]);
    // SAFETY: it cannot fail.
    let group = i64::from(unsafe { libc::getpgrp() });
    let nanoseconds = |seconds: i64, rest: i64| N(seconds * 1_000_000_000 + rest);
    let loginuid: u32 = std::fs::read_to_string("/proc/self/loginuid").map_or(u32::MAX, |id| id.parse().unwrap());
    let told = |child: i64, comm: &str, filename: &str| {
        vec![
            N(0),
            s("own name"),
            s("one"),
            N(child),
            N(child),
            N(parent),
            E,
            N(fd_limit()),
            any_u64(),
            any_u64(),
            any_u32(),
            any_u32(),
            any_u32(),
            s(comm),
            cgroups(),
            s("A=b"),
            any_u32(),
            N(group),
            N(loginuid.into()),
            N(1),
            capabilities("CapInh"),
            capabilities("CapPrm"),
            capabilities("CapEff"),
            N(meta.ino() as i64),
            nanoseconds(meta.ctime(), meta.ctime_nsec()),
            nanoseconds(meta.mtime(), meta.mtime_nsec()),
            N(0),
            s(&path),
            N(group),
            N(0),
            s(filename),
        ]
    };
    t.child(|child| vec![("execve", vec![at(&name[..]), at(&argv), at(&envp)], told(child, "true", "/bin/true"))]);
    let empty = text("");
    let through = format!("/dev/fd/{fd}");
    // The kernel names such a task after the file since 6.14, after the descriptor before.
    let comm = Is("its file or descriptor", |bytes| bytes == b"true\0" || bytes[..1].iter().all(u8::is_ascii_digit));
    t.child(|child| {
        let mut told = told(child, "true", &through);
        told[13] = comm.clone();
        vec![("execveat", vec![fd, at(&empty[..]), at(&argv), at(&envp), libc::AT_EMPTY_PATH as u64], told)]
    });
}

/// A program that lives in memory only.
fn executed_from_memory(t: &mut Surface) {
    let name = text("in memory");
    // SAFETY: the name is ours.
    let fd = unsafe { libc::memfd_create(name.as_ptr().cast(), 0) };
    assert!(fd >= 0);
    std::fs::write(format!("/proc/self/fd/{fd}"), std::fs::read("/bin/true").unwrap()).unwrap();
    let (empty, arg0) = (text(""), text("ghost"));
    let argv = [at(&arg0[..]), 0];
    t.child(|_| {
        let anything = || Is("anything", |_| true);
        let mut told: Vec<P> = std::iter::repeat_with(anything).take(31).collect();
        told[0] = N(0);
        told[1] = s("ghost");
        told[19] = N(PPM_EXE_WRITABLE | PPM_EXE_FROM_MEMFD);
        told[27] = s("memfd:in memory");
        vec![("execveat", vec![fd as u64, at(&empty[..]), at(&argv), at(&argv[1..]), libc::AT_EMPTY_PATH as u64], told)]
    });
}

/// Files of an overlay: of its lower layer, of its upper one, and a program of each.
fn layers(t: &mut Surface) {
    let dir = super::files::Dir::new("layers");
    let [upper, work, merged] = ["upper", "work", "merged"].map(|name| dir.path(name));
    let [true_, made] = ["merged/true", "merged/made"].map(|name| dir.path(name));
    let options = text(&format!("lowerdir=/usr/bin,upperdir={upper},workdir={work}"));
    let [base, kind, memory] = [dir.path("."), "overlay".to_owned(), "tmpfs".to_owned()].map(|it| text(&it));
    let [upper_c, work_c, merged_c, true_c, made_c] = [&upper, &work, &merged, &true_, &made].map(|it| text(it));
    let argv = [at(&kind[..]), 0];
    let number = || Is("eight bytes", |bytes| bytes.len() == 8);
    let mkdir = |path: &[u8], told: &str| ("mkdir", vec![at(path), 0o755], vec![N(0), s(told), N(0o755)]);
    let open = |path: &[u8], told: &str, flags: i32, ppm: i64| {
        let fd = || Is("a descriptor", |bytes| bytes.len() == 8 && bytes[4..] == [0; 4]);
        ("open", vec![at(path), flags as u64, 0], vec![fd(), s(told), N(ppm), N(0), any_u32(), number()])
    };
    t.child(|_| {
        let anything = || Is("anything", |_| true);
        let mut executed: Vec<P> = std::iter::repeat_with(anything).take(31).collect();
        executed[0] = N(0);
        executed[19] = N(PPM_EXE_WRITABLE | PPM_EXE_LOWER_LAYER);
        executed[27] = s(&true_);
        let mounted = |from: &str, kind: &str, to: &str| vec![N(0), s(from), s(to), s(kind), N(0)];
        vec![
            ("unshare", vec![0x0002_0000], vec![N(0), N(PPM_CL_CLONE_NEWNS)]),
            ("mount", vec![0, at(b"/\0"), 0, libc::MS_REC | libc::MS_PRIVATE, 0], {
                vec![N(0), E, s("/"), E, N(PPM_MS_REC | PPM_MS_PRIVATE)]
            }),
            (
                "mount",
                vec![at(&memory[..]), at(&base[..]), at(&memory[..]), 0, 0],
                mounted("tmpfs", "tmpfs", &dir.path(".")),
            ),
            mkdir(&upper_c, &upper),
            mkdir(&work_c, &work),
            mkdir(&merged_c, &merged),
            (
                "mount",
                vec![at(&kind[..]), at(&merged_c[..]), at(&kind[..]), 0, at(&options[..])],
                mounted("overlay", "overlay", &merged),
            ),
            open(&true_c, &true_, libc::O_RDONLY, PPM_O_RDONLY | PPM_FD_LOWER_LAYER),
            ("creat", vec![at(&made_c[..]), 0o600], {
                let fd = Is("a descriptor", |bytes| bytes.len() == 8 && bytes[4..] == [0; 4]);
                vec![fd, s(&made), N(0o600), any_u32(), number(), N(PPM_FD_UPPER_LAYER_CREAT)]
            }),
            open(&made_c, &made, libc::O_RDWR, PPM_O_RDWR | PPM_FD_UPPER_LAYER),
            ("execve", vec![at(&true_c[..]), at(&argv), at(&argv[1..])], executed),
        ]
    });
}

/// How deep the PID namespace of this process is.
fn namespace_depth() -> usize {
    proc_status("NSpid").split_whitespace().count()
}

/// What the events of clone and its kin say: of the parent, or of the child when `res` is 0.
fn of_clone(res: i64, task: (i64, i64, i64), seen: (i64, i64), flags: i64, start: P) -> Vec<P> {
    let arguments = std::fs::read("/proc/self/cmdline").unwrap();
    let split = arguments.iter().position(|byte| *byte == 0).unwrap() + 1;
    let (exe, args) = arguments.split_at(split);
    let given = |bytes: &[u8]| if res < 0 || bytes.is_empty() { E } else { B(bytes[..bytes.len().min(4096)].to_vec()) };
    vec![
        N(res),
        given(exe),
        given(args),
        N(task.0),
        N(task.1),
        N(task.2),
        E,
        N(fd_limit()),
        any_u64(),
        any_u64(),
        any_u32(),
        any_u32(),
        any_u32(),
        s(&comm()),
        cgroups(),
        N(flags),
        N(0),
        N(0),
        N(seen.0),
        N(seen.1),
        start,
    ]
}

/// A call that bears a child, which ends at once without touching the memory that it may share with us.
#[cfg(target_arch = "x86_64")]
fn bear(number: i64, args: [u64; 2]) -> i64 {
    let mut result = number;
    // SAFETY: the child leaves before it comes back to Rust code.
    unsafe {
        std::arch::asm!(
            "syscall", "test rax, rax", "jnz 2f", "mov eax, 60", "xor edi, edi", "syscall", "2:",
            inout("rax") result, in("rdi") args[0], in("rsi") args[1], in("rdx") 0, in("r10") 0, in("r8") 0,
            out("rcx") _, out("r11") _,
        );
    }
    result
}

#[cfg(not(target_arch = "x86_64"))]
fn bear(number: i64, args: [u64; 2]) -> i64 {
    let result = super::harness::system_call(number, &[args[0], args[1], 0, 0, 0]);
    if result == 0 {
        // SAFETY: the child's whole life.
        unsafe { libc::_exit(0) };
    }
    result
}

fn born(t: &mut Surface) {
    let (me, pid) = (gettid(), i64::from(std::process::id()));
    // SAFETY: it cannot fail.
    let parent = i64::from(unsafe { libc::getppid() });
    let inside = if namespace_depth() > 1 { PPM_CL_CHILD_IN_PIDNS } else { 0 };
    let seen = |field: &str| proc_status(field).split_whitespace().last().unwrap().parse::<i64>().unwrap();
    let ours = (seen("NSpid"), seen("NStgid"));
    let number = |name: &str| {
        let row = calls::by_name(name).unwrap();
        (row.event, i64::from(if cfg!(target_arch = "aarch64") { row.aarch64 } else { row.x86_64 }))
    };
    let sigchld = libc::SIGCHLD as u64;
    let new_pidns = libc::CLONE_NEWPID as u64;
    // struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, ...
    let args3 = [libc::CLONE_NEWUTS as u64, 0, 0, 0, sigchld, 0, 0, 0];
    let shared = PPM_CL_CLONE_FILES | PPM_CL_CLONE_FS;
    for (name, args, flags) in [
        ("clone", [sigchld | (libc::CLONE_FILES | libc::CLONE_FS) as u64, 0], shared),
        ("clone", [sigchld | new_pidns, 0], PPM_CL_CLONE_NEWPID),
        ("clone3", [at(&args3), 64], PPM_CL_CLONE_NEWUTS),
        ("fork", [0, 0], 0),
        ("vfork", [0, 0], 0),
    ] {
        let (code, number) = number(name);
        if number < 0 {
            continue;
        }
        let child = bear(number, args);
        assert!(child > 0, "{name}");
        wait_for(child as i32);
        t.expect(name, code, of_clone(child, (me, pid, parent), ours, flags | inside, N(0)));
        let apart = flags & PPM_CL_CLONE_NEWPID != 0;
        let seen = if apart { (1, 1) } else { (child, child) };
        let flags = if apart { flags | PPM_CL_CHILD_IN_PIDNS } else { flags | inside };
        // In a namespace of its own the child itself is the first process.
        let start = if apart { Is("a start", |bytes| bytes.len() == 8 && bytes != [0; 8]) } else { any_u64() };
        // Where the child does not return through the call's end, its parent's birth of it tells, of what it then sees.
        let (code, flags) = match cfg!(target_arch = "x86_64") {
            true => (code, flags),
            false => (code::SYSCALL_CLONE_20_X, flags & (PPM_CL_CLONE_FILES | PPM_CL_CHILD_IN_PIDNS)),
        };
        if apart || inside == 0 {
            t.expect_of(child, name, code, of_clone(0, (child, child, me), seen, flags, start));
        }
    }
    let sighand = libc::CLONE_SIGHAND as u64;
    t.call("clone", &[sighand, 0, 0, 0, 0], |res| {
        of_clone(res, (me, pid, parent), ours, PPM_CL_CLONE_SIGHAND | inside, N(0))
    });
    t.call("clone3", &[0x10, 64], |res| of_clone(res, (me, pid, parent), ours, inside, N(0)));
    if Surface::has("fork") {
        // A user with as many processes as it may have.
        let (limit, user) = ([0u64, 0], 12_345);
        t.child(|child| {
            let told = |res: i64| {
                let mut told = of_clone(res, (child, child, me), (child, child), inside, N(0));
                told[16] = N(user);
                told
            };
            vec![
                ("setrlimit", vec![6, at(&limit)], vec![N(0), N(0), N(0), N(PPM_RLIMIT_NPROC)]),
                ("setresuid", vec![user as u64; 3], vec![N(0), N(user), N(user), N(user)]),
                ("fork", vec![], told(EAGAIN)),
                ("vfork", vec![], told(EAGAIN)),
            ]
        });
    }
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
    t.child(|_| {
        vec![
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
        ]
    });
}

fn limits(t: &mut Surface) {
    let (limit, old) = ([1000u64, u64::MAX], [0u64; 2]);
    let read = || {
        // SAFETY: it is a reference; the kernel wrote there behind the compiler's back.
        unsafe { std::ptr::read_volatile(&raw const old) }.map(|value| N(value as i64))
    };
    t.call("getrlimit", &[7, at(&old)], |res| {
        let [soft, hard] = read();
        vec![N(res), soft, hard, N(PPM_RLIMIT_NOFILE)]
    });
    t.call("getrlimit", &[99, at(&old)], |_| vec![N(EINVAL), N(-1), N(-1), N(PPM_RLIMIT_UNKNOWN)]);
    t.call("setrlimit", &[99, at(&limit)], |_| vec![N(EINVAL), N(1000), N(-1), N(PPM_RLIMIT_UNKNOWN)]);
    let me = i64::from(std::process::id());
    t.call("prlimit64", &[me as u64, 4, 0, at(&old)], |res| {
        let [soft, hard] = read();
        vec![N(res), N(0), N(0), soft, hard, N(me), N(PPM_RLIMIT_CORE)]
    });
    t.call("prlimit64", &[NO_PID, 4, at(&limit), at(&old)], |_| {
        vec![N(ESRCH), N(1000), N(-1), N(-1), N(-1), N(NO_PID as i64), N(PPM_RLIMIT_CORE)]
    });
    let ids = [7u32; 3];
    for name in ["getresuid", "getresgid"] {
        t.call(name, &[at(&ids), at(&ids) + 4, at(&ids) + 8], |res| vec![N(res), N(0), N(0), N(0)]);
        t.call(name, &[0x10, at(&ids), 0], |_| vec![N(EFAULT), N(0), N(0), N(0)]);
    }
    for name in ["getuid", "geteuid", "getgid", "getegid"] {
        t.call(name, &[], |res| vec![N(res)]);
    }
    // The header's version, this task; effective, permitted, inheritable, twice for the upper half.
    let (header, none) = ([0x2008_0522u32, 0], [0u32; 6]);
    t.child(|_| {
        vec![
            ("capset", vec![at(&header), at(&none)], vec![N(0), N(0), N(0), N(0)]),
            ("setsid", vec![], vec![Is("its own id", |bytes| bytes.len() == 8 && bytes[4..] == [0; 4])]),
        ]
    });
    t.call("capset", &[0x10, at(&none)], |_| {
        vec![N(EFAULT), capabilities("CapInh"), capabilities("CapPrm"), capabilities("CapEff")]
    });
}

extern "C" fn nothing(_: i32) {}

fn signals(t: &mut Surface) {
    let (me, pid) = (gettid(), std::process::id());
    let signal = libc::SIGRTMIN() + 3;
    // SAFETY: the handler does nothing.
    unsafe { libc::signal(signal, nothing as *const () as libc::sighandler_t) };
    t.call("kill", &[pid.into(), 0], |res| vec![N(res), N(pid.into()), N(0)]);
    t.call("tkill", &[me as u64, signal as u64], |res| vec![N(res), N(me), N(signal.into())]);
    t.expect("a signal arrives", code::SIGNALDELIVER_E, vec![N(pid.into()), N(me), N(signal.into())]);
    t.call("tgkill", &[pid.into(), me as u64, signal as u64], |res| {
        vec![N(res), N(pid.into()), N(me), N(signal.into())]
    });
    t.expect("a signal arrives", code::SIGNALDELIVER_E, vec![N(pid.into()), N(me), N(signal.into())]);
}

/// A child that stops until it is let go, looked into by us.
fn traced(t: &mut Surface) {
    let secret = Box::new(0x1122_3344_5566_7788u64);
    // SAFETY: the child waits for a signal that ends it.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: as above.
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            loop {
                libc::pause();
            }
        }
    }
    let word = [0u64];
    let word_of = |value: u64| B([vec![0], value.to_le_bytes().to_vec()].concat());
    t.call("ptrace", &[16, child as u64, 0, 0], |res| {
        vec![N(res), word_of(0), word_of(0), N(PPM_PTRACE_ATTACH), N(child.into())]
    });
    wait_stopped(child);
    t.call("ptrace", &[2, child as u64, at(&*secret), at(&word)], |res| {
        vec![N(res), word_of(at(&*secret)), word_of(*secret), N(PPM_PTRACE_PEEKDATA), N(child.into())]
    });
    t.call("ptrace", &[5, child as u64, at(&*secret), 42], |res| {
        vec![N(res), word_of(at(&*secret)), word_of(42), N(PPM_PTRACE_POKEDATA), N(child.into())]
    });
    t.call("ptrace", &[0x4200, child as u64, 0, 1], |res| {
        vec![N(res), word_of(0), word_of(1), N(PPM_PTRACE_SETOPTIONS), N(child.into())]
    });
    t.call("ptrace", &[17, child as u64, 0, 9], |res| {
        vec![N(res), word_of(0), B(vec![1, 9]), N(PPM_PTRACE_DETACH), N(child.into())]
    });
    wait_for(child);
}

/// Waits until a traced child has stopped.
fn wait_stopped(child: i32) {
    // SAFETY: the status is not asked for.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), libc::__WALL) };
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
