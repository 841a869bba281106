//! Calls that reach into the kernel: mounts, namespaces, keys, quotas, modules, bpf, io_uring, seccomp, prctl, ioctl.

use super::files::{EBADF, EINVAL, ENOENT, NO_FD, text};
use super::harness::{B, E, Is, N, P, Surface, at, s};
use peregrine_event::{calls, code, defines::*};

const EFAULT: i64 = -14;
/// Of a kernel built without.
const ENOSYS: i64 = -38;
const NEWNS: u64 = 0x0002_0000;
const NEWUTS: u64 = 0x0400_0000;

/// Every row of this file.
pub fn rows(t: &mut Surface) {
    mounts(t);
    namespaces(t);
    keys(t);
    quotas(t);
    modules(t);
    rings(t);
    switches(t);
    others(t);
}

fn mounts(t: &mut Surface) {
    let dir = super::files::Dir::new("mount");
    let (path, source, kind) = (dir.path("."), text("none"), text("tmpfs"));
    let (target, nowhere) = (text(&path), text("/no/such/place"));
    let private = libc::MS_PRIVATE | libc::MS_REC;
    t.child(|_| {
        vec![
            ("unshare", vec![NEWNS], vec![N(0), N(PPM_CL_CLONE_NEWNS)]),
            ("mount", vec![0, at(&ROOT), 0, private, 0], vec![N(0), E, s("/"), E, N(private as i64)]),
            (
                "mount",
                vec![at(&source[..]), at(&target[..]), at(&kind[..]), 0xC0ED_0002, 0],
                vec![N(0), s("none"), s(&path), s("tmpfs"), N(PPM_MS_NOSUID)],
            ),
            ("umount2", vec![at(&target[..]), 2], vec![N(0), s(&path), N(PPM_MNT_DETACH)]),
        ]
    });
    t.call("mount", &[at(&source[..]), at(&nowhere[..]), at(&kind[..]), 1, 0], |_| {
        vec![N(ENOENT), s("none"), s("/no/such/place"), s("tmpfs"), N(PPM_MS_RDONLY)]
    });
    t.call("umount2", &[at(&nowhere[..]), 9], |_| {
        vec![N(ENOENT), s("/no/such/place"), N(PPM_MNT_FORCE | PPM_UMOUNT_NOFOLLOW)]
    });
    // SAFETY: the name is ours.
    let fs = unsafe { libc::syscall(libc::SYS_fsopen, kind.as_ptr(), 1) };
    assert!(fs >= 0);
    let (size, value) = (text("size"), text("512k"));
    let set = |res: i64, cmd: i64, key: &str, text: P| vec![N(res), N(fs), N(cmd), s(key), E, text, N(0)];
    t.call("fsconfig", &[fs as u64, 1, at(&size[..]), at(&value[..]), 0], |res| set(res, 1, "size", s("512k")));
    t.call("fsconfig", &[fs as u64, 1, at(&kind[..]), at(&value[..]), 0], |res| {
        assert!(res < 0);
        set(res, 1, "tmpfs", E)
    });
    t.call("fsconfig", &[NO_FD, 2, at(&size[..]), at(&value[..]), 3], |res| {
        assert!(res < 0);
        vec![N(res), N(-1), N(2), s("size"), E, E, N(3)]
    });
}

const ROOT: [u8; 2] = *b"/\0";

fn namespaces(t: &mut Surface) {
    let own = text("/proc/self/ns/uts");
    // SAFETY: the path is ours.
    let fd = unsafe { libc::open(own.as_ptr().cast(), libc::O_RDONLY) } as u64;
    t.child(|_| {
        vec![
            ("unshare", vec![NEWUTS], vec![N(0), N(PPM_CL_CLONE_NEWUTS)]),
            ("setns", vec![fd, NEWUTS], vec![N(0), N(fd as i64), N(PPM_CL_CLONE_NEWUTS)]),
        ]
    });
    t.call("setns", &[NO_FD, 0x4000_0000], |_| vec![N(EBADF), N(-1), N(PPM_CL_CLONE_NEWNET)]);
    // Of what there is no such thing.
    t.call("unshare", &[0x0000_4000], |_| vec![N(EINVAL), N(PPM_CL_CLONE_VFORK)]);
}

fn number(value: i64) -> P {
    B([vec![0], value.to_le_bytes().to_vec()].concat())
}

fn string(value: &str) -> P {
    B([vec![1], text(value)].concat())
}

fn keys(t: &mut Surface) {
    let (kind, name) = (text("user"), text("peregrine-no-such-key"));
    t.child(|_| {
        let serial = Is("a keyring", |bytes| bytes.len() == 8 && bytes[4..] == [0; 4] && bytes != [0; 8]);
        vec![(
            "keyctl",
            vec![1, at(&name[..]), 5, 6, 7],
            vec![
                serial,
                N(PPM_KEYCTL_JOIN_SESSION_KEYRING),
                string("peregrine-no-such-key"),
                number(0),
                number(0),
                number(0),
            ],
        )]
    });
    t.call("keyctl", &[31, 0x10, 0, 9, 9], |res| {
        assert!(res >= 0 || res == EFAULT);
        vec![N(res), N(PPM_KEYCTL_CAPABILITIES), number(16), number(0), number(0), number(0)]
    });
    t.call("keyctl", &[10, -1i64 as u64, at(&kind[..]), at(&name[..]), 0], |res| {
        assert!(res < 0);
        vec![N(res), N(PPM_KEYCTL_SEARCH), number(-1), string("user"), string("peregrine-no-such-key"), number(0)]
    });
    t.call("keyctl", &[11, 0x7fff_fff0, 3, 4, 5], |res| {
        assert!(res < 0);
        vec![N(res), N(PPM_KEYCTL_READ), number(0x7fff_fff0), number(3), number(4), number(0)]
    });
    t.call("keyctl", &[4711, 1, 2, 3, 4], |res| vec![N(res), N(4711), number(0), number(0), number(0), number(0)]);
}

#[repr(C)]
struct Quota {
    limits: [u64; 8],
    valid: u64,
}

fn quotas(t: &mut Surface) {
    let (device, file) = (text("/no/such/device"), text("/no/such/file"));
    let command = |command: u64, kind: u64| 0x8000_0000 | command << 8 | kind;
    let zeros = |n: usize| std::iter::repeat_with(|| N(0)).take(n);
    let head = |res: i64, path: P| {
        assert!(res < 0);
        vec![N(res), s("/no/such/device"), path]
    };
    t.call("quotactl", &[command(2, 0), at(&device[..]), 2, at(&file[..])], |res| {
        let tail = vec![N(1), N(PPM_Q_QUOTAON), N(PPM_USRQUOTA), N(0), N(PPM_QFMT_VFS_V0)];
        head(res, s("/no/such/file")).into_iter().chain(zeros(10)).chain(tail).collect()
    });
    let quota = Quota { limits: [11, 12, 13, 14, 15, 16, 17, 18], valid: 1 | 2 | 16 };
    t.call("quotactl", &[command(8, 1), at(&device[..]), 77, at(&quota)], |res| {
        let values = [11, 12, 13, 0, 0, 17, 0, 0, 0, 0].map(N).into_iter();
        let tail = vec![N(1), N(PPM_Q_SETQUOTA), N(PPM_GRPQUOTA), N(77), N(1)];
        head(res, E).into_iter().chain(values).chain(tail).collect()
    });
    let info = [21u64, 22, 0x0000_0005_0000_0003];
    t.call("quotactl", &[command(6, 2), at(&device[..]), 77, at(&info)], |res| {
        let values = [0, 0, 0, 0, 0, 0, 0, 21, 0, 3].map(N).into_iter();
        let tail = vec![N(1), N(PPM_Q_SETINFO), N(0), N(0), N(1)];
        head(res, E).into_iter().chain(values).chain(tail).collect()
    });
    let format = [4u32];
    t.call("quotactl", &[command(4, 0), at(&device[..]), 77, at(&format)], |res| {
        let tail = vec![N(PPM_QFMT_VFS_V1), N(PPM_Q_GETFMT), N(PPM_USRQUOTA), N(0), N(1)];
        head(res, E).into_iter().chain(zeros(10)).chain(tail).collect()
    });
    t.call("quotactl", &[0x0058_0300, at(&device[..]), 77, 0], |res| {
        let tail = vec![N(1), N(PPM_Q_XGETQUOTA), N(PPM_USRQUOTA), N(77), N(1)];
        head(res, E).into_iter().chain(zeros(10)).chain(tail).collect()
    });
}

fn modules(t: &mut Surface) {
    // More than an event holds: the image is cut, the event is there. Nothing of it is a module.
    let image = vec![b'm'; 100_000];
    t.call("init_module", &[at(&image[..]), 100_000, at(b"a=b\0")], |res| {
        assert!(res < 0);
        vec![N(res), B(vec![b'm'; 65_536 - 4096 - 512]), N(100_000), s("a=b")]
    });
    t.call("finit_module", &[NO_FD, at(b"a=b\0"), 3], |res| {
        assert!([EBADF, ENOSYS].contains(&res));
        vec![N(res), N(-1), s("a=b"), N(3)]
    });
    t.call("delete_module", &[at(b"no_such_module\0"), libc::O_NONBLOCK as u64], |res| {
        assert!([ENOENT, ENOSYS].contains(&res));
        vec![N(res), s("no_such_module"), N(PPM_DELETE_MODULE_O_NONBLOCK)]
    });
    // A map of one element.
    let attributes = [2u32, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    t.call("bpf", &[0, at(&attributes), 72], |fd| vec![N(fd), N(0)]);
    t.call("bpf", &[9999, 0, 0], |_| vec![N(EINVAL), N(9999)]);
}

fn rings(t: &mut Surface) {
    let parameters = [0u32; 30];
    let word = |index: usize| {
        // SAFETY: inside the array; the kernel wrote there behind the compiler's back.
        i64::from(unsafe { std::ptr::read_volatile(&raw const parameters[index]) })
    };
    let ring = t.call("io_uring_setup", &[4, at(&parameters)], |fd| {
        vec![N(fd), N(4), N(word(0)), N(word(1)), N(0), N(0), N(0), N(word(5) & 0x7ff)]
    });
    let broken =
        [0u32, 0, 0x8000_0000 | 0x08, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    t.call("io_uring_setup", &[4, at(&broken)], |res| {
        assert!(res < 0);
        vec![N(res), N(4), N(0), N(0), N(PPM_IORING_SETUP_CQSIZE), N(3), N(4), N(0)]
    });
    t.call("io_uring_enter", &[NO_FD, 1, 2, 0xb, 0x1_0000_0007, 8], |res| {
        assert!(res < 0);
        vec![N(res), N(-1), N(1), N(2), N(0xb), N(7)]
    });
    t.call("io_uring_register", &[NO_FD, 3, 0x55, 6], |res| {
        assert!(res < 0);
        vec![N(res), N(-1), N(3), N(0x55), N(6)]
    });
    if ring >= 0 {
        t.call("io_uring_enter", &[ring as u64, 0, 0, 0, 0, 0], |res| vec![N(res), N(ring), N(0), N(0), N(0), N(0)]);
        // A personality: the number of the credentials that were kept.
        t.call("io_uring_register", &[ring as u64, 9, 0, 0], |res| vec![N(res), N(ring), N(9), N(0), N(0)]);
    }
}

fn switches(t: &mut Surface) {
    let (name, into) = (text("renamed"), [0u8; 16]);
    t.call("prctl", &[16, at(&into), 0, 0, 0], |res| {
        let comm = std::fs::read_to_string("/proc/thread-self/comm").unwrap();
        vec![N(res), N(16), s(comm.trim_end()), N(0)]
    });
    let subreaper = [9i32];
    t.call("prctl", &[37, at(&subreaper), 0, 0, 0], |res| vec![N(res), N(37), E, N(0)]);
    t.call("prctl", &[37, 0x10, 0, 0, 0], |_| vec![N(EFAULT), N(37), E, N(0)]);
    t.call("prctl", &[0x7fff_0000, 42, 0, 0, 0], |_| vec![N(EINVAL), N(0x7fff_0000), E, N(42)]);
    t.child(|_| {
        vec![
            ("prctl", vec![15, at(&name[..]), 0, 0, 0], vec![N(0), N(15), s("renamed"), N(0)]),
            ("prctl", vec![38, 1, 0, 0, 0], vec![N(0), N(38), E, N(1)]),
        ]
    });
    let allow = [0x7fff_0000u32];
    t.call("seccomp", &[2, 0, at(&allow)], |res| vec![N(res), N(2), N(0)]);
    t.call("seccomp", &[77, 5, 0], |_| vec![N(EINVAL), N(77), N(5)]);
}

fn others(t: &mut Surface) {
    let bytes = [0i32];
    let fds = [0i32; 2];
    // SAFETY: the pair is ours.
    assert_eq!(unsafe { libc::pipe(fds.as_ptr().cast_mut()) }, 0);
    let [reader, _] = super::files::told(&fds);
    t.call("ioctl", &[reader as u64, libc::FIONREAD, at(&bytes)], |res| {
        vec![N(res), N(reader), N(libc::FIONREAD as i64), N(at(&bytes) as i64)]
    });
    t.call("ioctl", &[NO_FD, 0xdead_beef, 7], |_| vec![N(EBADF), N(-1), N(0xdead_beef), N(7)]);
    t.call("userfaultfd", &[1], |fd| vec![N(fd), N(1)]);
    t.call("userfaultfd", &[0x40], |res| {
        assert!(res < 0);
        vec![N(res), N(0x40)]
    });
    // Calls without an event of their own say which they were.
    for name in ["getpid", "uname", "sched_yield", "getppid"] {
        let row = calls::by_name(name).expect(name);
        let native = if cfg!(target_arch = "aarch64") { row.aarch64 } else { row.x86_64 };
        assert_eq!(row.event, code::GENERIC_X);
        t.call(name, &[0x10], |_| vec![N(row.id().into()), N(native.into())]);
    }
}
