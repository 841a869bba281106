//! Names and files: opened, made, linked, removed, owned, asked about; directories; descriptors copied and closed.

use super::harness::{E, N, Surface, at, s};
use peregrine_event::defines::*;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

pub const ENOENT: i64 = -2;
pub const EBADF: i64 = -9;
pub const EEXIST: i64 = -17;
pub const EINVAL: i64 = -22;
pub const NO_FD: u64 = u64::MAX;
const CWD: i64 = -100;
const AT_CWD: u64 = -100i64 as u64;
const NOWHERE: &str = "/no/such/place";

/// A directory that ends with the value.
pub struct Dir(PathBuf);

impl Dir {
    pub fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("peregrine-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("the temporary directory takes another");
        Self(dir.canonicalize().expect("it was just made"))
    }

    /// The path of a name in it.
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// The flags that the events of an opened file have of the layer of an overlay that it is in.
    fn layer(&self) -> i64 {
        let mut about = std::mem::MaybeUninit::<libc::statfs>::zeroed();
        let path = text(&self.path("."));
        // SAFETY: path and structure are ours.
        unsafe { assert_eq!(libc::statfs(path.as_ptr().cast(), about.as_mut_ptr()), 0) };
        // SAFETY: the call filled it in.
        if unsafe { about.assume_init() }.f_type == 0x794c_7630 { PPM_FD_UPPER_LAYER } else { 0 }
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A string as calls take it.
pub fn text(text: &str) -> Vec<u8> {
    [text.as_bytes(), b"\0"].concat()
}

/// Device and inode of a file.
pub fn identity(path: &str) -> (i64, i64) {
    std::fs::metadata(path).map(|meta| (meta.dev() as i64, meta.ino() as i64)).unwrap_or_default()
}

/// Every row of this file.
pub fn rows(t: &mut Surface) {
    let dir = Dir::new("files");
    opened(t, &dir);
    made(t, &dir);
    linked(t, &dir);
    owned(t, &dir);
    asked(t, &dir);
    directories(t, &dir);
    descriptors(t);
    copied(t, &dir);
}

fn open_dir(dir: &Dir) -> u64 {
    let path = text(&dir.path("."));
    // SAFETY: the path is ours.
    let fd = unsafe { libc::open(path.as_ptr().cast(), libc::O_RDONLY | libc::O_DIRECTORY) };
    assert!(fd >= 0);
    fd as u64
}

fn opened(t: &mut Surface, dir: &Dir) {
    let (path, dirfd) = (dir.path("opened"), open_dir(dir));
    let (name, relative, nowhere) = (text(&path), text("opened"), text(NOWHERE));
    let flags = (libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC) as u64;
    let told = PPM_O_RDWR | PPM_O_CREAT | PPM_O_EXCL | PPM_O_CLOEXEC;
    t.call("openat", &[dirfd, at(&relative[..]), flags, 0o4640], |fd| {
        let (dev, ino) = identity(&path);
        vec![N(fd), N(dirfd as i64), s("opened"), N(told | PPM_O_F_CREATED | dir.layer()), N(0o4640), N(dev), N(ino)]
    });
    t.call("openat", &[AT_CWD, at(&name[..]), flags, 0o600], |_| {
        vec![N(EEXIST), N(CWD), s(&path), N(told), N(0o600), N(0), N(0)]
    });
    let how = [libc::O_WRONLY as u64 | libc::O_APPEND as u64, 0, 0x08];
    t.call("openat2", &[dirfd, at(&relative[..]), at(&how), 24], |fd| {
        let (dev, ino) = identity(&path);
        let flags = PPM_O_WRONLY | PPM_O_APPEND | dir.layer();
        vec![N(fd), N(dirfd as i64), s("opened"), N(flags), N(0), N(PPM_RESOLVE_BENEATH), N(dev), N(ino)]
    });
    let how = [libc::O_CREAT as u64, 0o1777, 0x3f];
    t.call("openat2", &[NO_FD, at(&name[..]), at(&how), 24], |res| {
        vec![N(res), N(-1), s(&path), N(PPM_O_RDONLY | PPM_O_CREAT), N(0o1777), N(0x3f), N(0), N(0)]
    });
    if Surface::has("open") {
        // Descriptor 0 is one like any other.
        let flags = libc::O_RDONLY as u64;
        t.child(|_| {
            let (dev, ino) = identity(&path);
            vec![
                ("close", vec![0], vec![N(0), N(0)]),
                (
                    "open",
                    vec![at(&name[..]), flags, 0],
                    vec![N(0), s(&path), N(PPM_O_RDONLY | dir.layer()), N(0), N(dev), N(ino)],
                ),
            ]
        });
        t.call("open", &[at(&nowhere[..]), (libc::O_TRUNC | libc::O_NONBLOCK) as u64, 0o777], |_| {
            let flags = PPM_O_RDONLY | PPM_O_TRUNC | PPM_O_NONBLOCK;
            vec![N(ENOENT), s(NOWHERE), N(flags), N(0), N(0), N(0)]
        });
        let created = dir.path("created");
        t.call("creat", &[at(&text(&created)[..]), 0o751], |fd| {
            let (dev, ino) = identity(&created);
            let layer = if dir.layer() == 0 { 0 } else { PPM_FD_UPPER_LAYER_CREAT };
            vec![N(fd), s(&created), N(0o751), N(dev), N(ino), N(layer)]
        });
        t.call("creat", &[at(&nowhere[..]), 0o751], |_| vec![N(ENOENT), s(NOWHERE), N(0o751), N(0), N(0), N(0)]);
    }
    by_handle(t, dir, dirfd);
}

fn by_handle(t: &mut Surface, dir: &Dir, dirfd: u64) {
    #[repr(C)]
    struct Handle {
        bytes: u32,
        kind: i32,
        handle: [u8; 128],
    }
    let (mut handle, mut mount) = (Handle { bytes: 128, kind: 0, handle: [0; 128] }, 0i32);
    let path = dir.path("opened");
    let name = text(&path);
    // SAFETY: path, handle and mount id are ours.
    let made =
        unsafe { libc::syscall(libc::SYS_name_to_handle_at, -100, name.as_ptr(), &raw mut handle, &raw mut mount, 0) };
    t.call("open_by_handle_at", &[NO_FD, at(&handle), libc::O_WRONLY as u64], |res| {
        assert!(res < 0);
        vec![N(res), N(-1), N(PPM_O_WRONLY), E, N(0), N(0)]
    });
    if made == 0 {
        t.call("open_by_handle_at", &[dirfd, at(&handle), libc::O_RDWR as u64], |fd| {
            let (dev, ino) = identity(&path);
            vec![N(fd), N(dirfd as i64), N(PPM_O_RDWR | dir.layer()), s(&path), N(dev), N(ino)]
        });
    }
}

fn made(t: &mut Surface, dir: &Dir) {
    let (dirfd, nowhere) = (open_dir(dir), text(NOWHERE));
    let sub = dir.path("sub");
    t.call("mkdirat", &[dirfd, at(&text("sub2")[..]), 0o700], |res| vec![N(res), N(dirfd as i64), s("sub2"), N(0o700)]);
    t.call("mkdirat", &[AT_CWD, at(&nowhere[..]), 0o700], |_| vec![N(ENOENT), N(CWD), s(NOWHERE), N(0o700)]);
    let fifo = u64::from(libc::S_IFIFO) | 0o640;
    t.call("mknodat", &[dirfd, at(&text("fifo")[..]), fifo, 0], |res| {
        vec![N(res), N(dirfd as i64), s("fifo"), N(PPM_S_IFIFO | 0o640), N(0)]
    });
    let device = u64::from(libc::S_IFCHR) | 0o666;
    t.call("mknodat", &[AT_CWD, at(&nowhere[..]), device, 0x0010_0103], |_| {
        vec![N(ENOENT), N(CWD), s(NOWHERE), N(PPM_S_IFCHR | 0o666), N(0x0010_0103)]
    });
    if Surface::has("mkdir") {
        t.call("mkdir", &[at(&text(&sub)[..]), 0o711], |res| vec![N(res), s(&sub), N(0o711)]);
        t.call("mkdir", &[at(&text(&sub)[..]), 0o711], |_| vec![N(EEXIST), s(&sub), N(0o711)]);
        t.call("rmdir", &[at(&text(&sub)[..])], |res| vec![N(res), s(&sub)]);
        t.call("rmdir", &[at(&text(&sub)[..])], |_| vec![N(ENOENT), s(&sub)]);
        let node = dir.path("node");
        t.call("mknod", &[at(&text(&node)[..]), 0o600, 0x103], |res| {
            vec![N(res), s(&node), N(PPM_S_IFREG | 0o600), N(0x103)]
        });
        t.call("mknod", &[at(&nowhere[..]), u64::from(libc::S_IFBLK), 0x801], |_| {
            vec![N(ENOENT), s(NOWHERE), N(PPM_S_IFBLK), N(0x801)]
        });
    }
}

fn linked(t: &mut Surface, dir: &Dir) {
    let (dirfd, nowhere) = (open_dir(dir), text(NOWHERE));
    let fd = dirfd as i64;
    let (one, two, three) = (dir.path("one"), dir.path("two"), dir.path("three"));
    std::fs::write(&one, b"text").unwrap();
    let name = |path: &str| text(path);
    let follow = (libc::AT_SYMLINK_FOLLOW | libc::AT_EMPTY_PATH) as u64;
    t.call("linkat", &[dirfd, at(&name("one")[..]), dirfd, at(&name("linked")[..]), 0x400], |res| {
        vec![N(res), N(fd), s("one"), N(fd), s("linked"), N(PPM_AT_SYMLINK_FOLLOW)]
    });
    t.call("linkat", &[NO_FD, at(&name("one")[..]), AT_CWD, at(&nowhere[..]), follow], |res| {
        vec![N(res), N(-1), s("one"), N(CWD), s(NOWHERE), N(PPM_AT_SYMLINK_FOLLOW | PPM_AT_EMPTY_PATH)]
    });
    t.call("symlinkat", &[at(&name("target")[..]), dirfd, at(&name("soft")[..])], |res| {
        vec![N(res), s("target"), N(fd), s("soft")]
    });
    t.call("symlinkat", &[at(&name("target")[..]), dirfd, at(&name("soft")[..])], |_| {
        vec![N(EEXIST), s("target"), N(fd), s("soft")]
    });
    t.call("unlinkat", &[dirfd, at(&name("soft")[..]), 0], |res| vec![N(res), N(fd), s("soft"), N(0)]);
    t.call("unlinkat", &[dirfd, at(&name("soft")[..]), 0x200], |_| {
        vec![N(ENOENT), N(fd), s("soft"), N(PPM_AT_REMOVEDIR)]
    });
    t.call("renameat2", &[dirfd, at(&name("linked")[..]), dirfd, at(&name("moved")[..]), 1], |res| {
        vec![N(res), N(fd), s("linked"), N(fd), s("moved"), N(1)]
    });
    t.call("renameat2", &[AT_CWD, at(&nowhere[..]), dirfd, at(&name("moved")[..]), 2], |_| {
        vec![N(ENOENT), N(CWD), s(NOWHERE), N(fd), s("moved"), N(2)]
    });
    t.call("renameat", &[dirfd, at(&name("moved")[..]), dirfd, at(&name("again")[..])], |res| {
        vec![N(res), N(fd), s("moved"), N(fd), s("again")]
    });
    t.call("renameat", &[dirfd, at(&name("moved")[..]), AT_CWD, at(&nowhere[..])], |_| {
        vec![N(ENOENT), N(fd), s("moved"), N(CWD), s(NOWHERE)]
    });
    if Surface::has("link") {
        t.call("link", &[at(&name(&one)[..]), at(&name(&two)[..])], |res| vec![N(res), s(&one), s(&two)]);
        t.call("link", &[at(&name(&one)[..]), at(&name(&two)[..])], |_| vec![N(EEXIST), s(&one), s(&two)]);
        t.call("symlink", &[at(&name("else")[..]), at(&name(&three)[..])], |res| vec![N(res), s("else"), s(&three)]);
        t.call("symlink", &[at(&name("else")[..]), at(&name(&three)[..])], |_| vec![N(EEXIST), s("else"), s(&three)]);
        t.call("rename", &[at(&name(&two)[..]), at(&name(&three)[..])], |res| vec![N(res), s(&two), s(&three)]);
        t.call("unlink", &[at(&name(&three)[..])], |res| vec![N(res), s(&three)]);
        t.call("unlink", &[at(&name(&two)[..])], |res| vec![N(res), s(&two)]);
        t.call("unlink", &[at(&name(&two)[..])], |_| vec![N(ENOENT), s(&two)]);
        t.call("rename", &[at(&name(&two)[..]), at(&name(&three)[..])], |_| vec![N(ENOENT), s(&two), s(&three)]);
    }
}

fn owned(t: &mut Surface, dir: &Dir) {
    let (dirfd, nowhere) = (open_dir(dir), text(NOWHERE));
    let path = dir.path("owned");
    std::fs::write(&path, b"text").unwrap();
    let name = text(&path);
    t.call("fchmodat", &[dirfd, at(&text("owned")[..]), 0o6755], |res| {
        vec![N(res), N(dirfd as i64), s("owned"), N(0o6755)]
    });
    t.call("fchmodat", &[AT_CWD, at(&nowhere[..]), 0o600], |_| vec![N(ENOENT), N(CWD), s(NOWHERE), N(0o600)]);
    t.call("fchmod", &[dirfd, 0o1700], |res| vec![N(res), N(dirfd as i64), N(0o1700)]);
    t.call("fchmod", &[NO_FD, 0o100_700], |_| vec![N(EBADF), N(-1), N(0o700)]);
    t.call("fchown", &[dirfd, 0, NO_FD], |res| vec![N(res), N(dirfd as i64), N(0), N(-1)]);
    t.call("fchown", &[NO_FD, 5, 6], |_| vec![N(EBADF), N(-1), N(5), N(6)]);
    t.call("fchownat", &[dirfd, at(&text("owned")[..]), 7, 8, 0x100], |res| {
        vec![N(res), N(dirfd as i64), s("owned"), N(7), N(8), N(0)]
    });
    t.call("fchownat", &[AT_CWD, at(&nowhere[..]), 7, 8, 0x1000], |_| {
        vec![N(ENOENT), N(CWD), s(NOWHERE), N(7), N(8), N(PPM_AT_EMPTY_PATH)]
    });
    if Surface::has("chmod") {
        t.call("chmod", &[at(&name[..]), 0o640], |res| vec![N(res), s(&path), N(0o640)]);
        t.call("chmod", &[at(&nowhere[..]), 0o640], |_| vec![N(ENOENT), s(NOWHERE), N(0o640)]);
        for call in ["chown", "lchown"] {
            t.call(call, &[at(&name[..]), 0, 0], |res| vec![N(res), s(&path), N(0), N(0)]);
            t.call(call, &[at(&nowhere[..]), 3, 4], |_| vec![N(ENOENT), s(NOWHERE), N(3), N(4)]);
        }
    }
}

fn asked(t: &mut Surface, dir: &Dir) {
    let (dirfd, nowhere) = (open_dir(dir), text(NOWHERE));
    let fd = dirfd as i64;
    let about = [0u8; 512];
    let (path, name) = (dir.path("owned"), text(&dir.path("owned")));
    t.call("newfstatat", &[dirfd, at(&text("owned")[..]), at(&about), 0x100], |res| {
        vec![N(res), N(fd), s("owned"), N(PPM_AT_SYMLINK_NOFOLLOW)]
    });
    t.call("newfstatat", &[AT_CWD, at(&nowhere[..]), at(&about), 0x1800], |_| {
        vec![N(ENOENT), N(CWD), s(NOWHERE), N(PPM_AT_EMPTY_PATH | PPM_AT_NO_AUTOMOUNT)]
    });
    t.call("fstat", &[dirfd, at(&about)], |res| vec![N(res), N(fd)]);
    t.call("fstat", &[NO_FD, at(&about)], |_| vec![N(EBADF), N(-1)]);
    t.call("getdents64", &[dirfd, at(&about), 512], |res| vec![N(res), N(fd)]);
    t.call("getdents64", &[NO_FD, at(&about), 512], |_| vec![N(EBADF), N(-1)]);
    t.call("lseek", &[dirfd, 0, 0], |res| vec![N(res), N(fd), N(0), N(PPM_SEEK_SET)]);
    t.call("lseek", &[dirfd, -5i64 as u64, 1], |res| {
        assert!(res < 0);
        vec![N(res), N(fd), N(-5), N(PPM_SEEK_CUR)]
    });
    t.call("flock", &[dirfd, (libc::LOCK_EX | libc::LOCK_NB) as u64], |res| {
        vec![N(res), N(fd), N(PPM_LOCK_EX | PPM_LOCK_NB)]
    });
    t.call("flock", &[NO_FD, libc::LOCK_UN as u64], |_| vec![N(EBADF), N(-1), N(PPM_LOCK_UN)]);
    if Surface::has("stat") {
        for call in ["stat", "lstat"] {
            t.call(call, &[at(&name[..]), at(&about)], |res| vec![N(res), s(&path)]);
            t.call(call, &[at(&nowhere[..]), at(&about)], |_| vec![N(ENOENT), s(NOWHERE)]);
        }
        t.call("access", &[at(&name[..]), 4], |res| vec![N(res), s(&path), N(PPM_R_OK)]);
        t.call("access", &[at(&nowhere[..]), 3], |_| vec![N(ENOENT), s(NOWHERE), N(PPM_W_OK | PPM_X_OK)]);
        t.call("getdents", &[dirfd, at(&about), 512], |res| vec![N(res), N(fd)]);
        t.call("getdents", &[NO_FD, at(&about), 512], |_| vec![N(EBADF), N(-1)]);
    }
}

fn directories(t: &mut Surface, dir: &Dir) {
    let (path, nowhere) = (dir.path("moved into"), text(NOWHERE));
    std::fs::create_dir(&path).unwrap();
    let (name, dirfd, into) = (text(&path), open_dir(dir), [0u8; 4096]);
    // The memory that a child writes to is not ours: it asks for the directory that it starts in, as we do.
    let here = std::env::current_dir().unwrap().display().to_string();
    t.call("getcwd", &[at(&into), 4096], |res| vec![N(res), s(&here)]);
    t.call("getcwd", &[at(&into), 1], |res| vec![N(res), E]);
    t.child(|_| {
        vec![
            ("chdir", vec![at(&name[..])], vec![N(0), s(&path)]),
            ("chdir", vec![at(&nowhere[..])], vec![N(ENOENT), s(NOWHERE)]),
            ("fchdir", vec![dirfd], vec![N(0), N(dirfd as i64)]),
            ("fchdir", vec![NO_FD], vec![N(EBADF), N(-1)]),
            ("chroot", vec![at(&nowhere[..])], vec![N(ENOENT), s(NOWHERE)]),
            ("chroot", vec![at(&name[..])], vec![N(0), s(&path)]),
        ]
    });
}

fn descriptors(t: &mut Surface) {
    let fd = t.call("dup", &[2], |fd| vec![N(fd), N(2)]) as u64;
    t.call("dup", &[NO_FD], |_| vec![N(EBADF), N(-1)]);
    t.call("dup3", &[2, fd, libc::O_CLOEXEC as u64], |res| vec![N(res), N(2), N(fd as i64), N(PPM_O_CLOEXEC)]);
    t.call("dup3", &[fd, fd, 0], |_| vec![N(EINVAL), N(fd as i64), N(fd as i64), N(0)]);
    if Surface::has("dup2") {
        t.call("dup2", &[2, fd], |res| vec![N(res), N(2), N(fd as i64)]);
        t.call("dup2", &[NO_FD, 700], |_| vec![N(EBADF), N(-1), N(700)]);
    }
    t.call("fcntl", &[fd, libc::F_DUPFD_CLOEXEC as u64, 300], |res| {
        vec![N(res), N(fd as i64), N(PPM_FCNTL_F_DUPFD_CLOEXEC), N(300)]
    });
    t.call("fcntl", &[fd, 4242, 1], |_| vec![N(EINVAL), N(fd as i64), N(PPM_FCNTL_UNKNOWN), N(1)]);
    t.call("close_range", &[fd, fd, 4], |res| vec![N(res), N(fd as i64), N(fd as i64), N(PPM_CLOSE_RANGE_CLOEXEC)]);
    t.call("close_range", &[9, 8, 2], |_| vec![N(EINVAL), N(9), N(8), N(PPM_CLOSE_RANGE_UNSHARE)]);
    t.call("close", &[fd], |res| vec![N(res), N(fd as i64)]);
    t.call("close", &[fd], |_| vec![N(EBADF), N(fd as i64)]);
    let fds = [0i32; 2];
    if Surface::has("pipe") {
        t.call("pipe", &[at(&fds)], |res| {
            let fds = told(&fds);
            vec![N(res), N(fds[0]), N(fds[1]), N(identity(&format!("/proc/self/fd/{}", fds[0])).1)]
        });
        t.call("pipe", &[0x10], |_| vec![N(-14), N(-1), N(-1), N(0)]);
    }
    t.call("pipe2", &[0x10, (libc::O_CLOEXEC | libc::O_DIRECT) as u64], |_| {
        vec![N(-14), N(-1), N(-1), N(0), N(PPM_O_CLOEXEC | PPM_O_DIRECT)]
    });
}

/// What the kernel wrote to a pair of descriptors.
pub fn told(fds: &[i32; 2]) -> [i64; 2] {
    // SAFETY: it is a reference; the kernel wrote there behind the compiler's back.
    unsafe { std::ptr::read_volatile(fds) }.map(i64::from)
}

fn copied(t: &mut Surface, dir: &Dir) {
    let (from, to) = (dir.path("from"), dir.path("to"));
    std::fs::write(&from, b"some text").unwrap();
    let open = |path: &str, flags: i32| {
        let path = text(path);
        // SAFETY: the path is ours.
        unsafe { libc::open(path.as_ptr().cast(), flags | libc::O_CREAT, 0o600) as u64 }
    };
    let (from, to) = (open(&from, libc::O_RDONLY), open(&to, libc::O_RDWR));
    let offset = [5u64];
    t.call("copy_file_range", &[from, at(&offset), to, 0, 4, 0], |res| {
        vec![N(res), N(to as i64), N(0), N(from as i64), N(at(&offset) as i64), N(4)]
    });
    t.call("copy_file_range", &[NO_FD, 0, to, 0, 4, 0], |_| vec![N(EBADF), N(to as i64), N(0), N(-1), N(0), N(4)]);
    let offset = [1u64];
    t.call("sendfile", &[to, from, at(&offset), 3], |res| vec![N(res), N(1 + res), N(to as i64), N(from as i64), N(3)]);
    t.call("sendfile", &[to, NO_FD, 0, 3], |_| vec![N(EBADF), N(0), N(to as i64), N(-1), N(3)]);
    let fds = [0i32; 2];
    // SAFETY: the pair is ours.
    assert_eq!(unsafe { libc::pipe(fds.as_ptr().cast_mut()) }, 0);
    let [reader, writer] = told(&fds);
    t.call("splice", &[from, 0, writer as u64, 0, 4, 3], |res| {
        vec![N(res), N(from as i64), N(writer), N(4), N(PPM_SPLICE_F_MOVE | PPM_SPLICE_F_NONBLOCK)]
    });
    t.call("splice", &[NO_FD, 0, reader as u64, 0, 4, 12], |_| {
        vec![N(EBADF), N(-1), N(reader), N(4), N(PPM_SPLICE_F_MORE | PPM_SPLICE_F_GIFT)]
    });
}
