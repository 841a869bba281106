//! Descriptors that are no sockets.

use super::Case;
use super::world::{INIT, P, SOCKET, World};
use peregrine_event::{code, defines};

pub const CASES: &[Case] = &[
    ("file_open", file_open),
    ("file_open_invalid_utf8", file_open_invalid_utf8),
    ("dup_dup2_dup3", dup),
    ("open_by_handle_at", open_by_handle_at),
    ("path_too_long", path_too_long),
    ("creates_fd_generic", creates_fd),
    ("umount", umount),
    ("umount2", umount2),
    ("pipe", |w| {
        made(
            w,
            431,
            4,
            "pipe",
            "p",
            Some(7_479_253_124),
            code::SYSCALL_PIPE_X,
            &[P::I(0), P::I(3), P::I(4), P::I(7_479_253_124)],
        )
    }),
    ("pipe2", |w| {
        made(
            w,
            486,
            6,
            "pipe",
            "p",
            Some(7_479_253_124),
            code::SYSCALL_PIPE2_X,
            &[P::I(0), P::I(5), P::I(6), P::I(7_479_253_124), P::W(17)],
        )
    }),
    ("inotify_init", |w| made(w, 523, 15, "inotify", "i", None, code::SYSCALL_INOTIFY_INIT_X, &[P::I(15), P::B(79)])),
    ("inotify_init1", |w| made(w, 550, 14, "inotify", "i", None, code::SYSCALL_INOTIFY_INIT1_X, &[P::I(14), P::H(89)])),
    ("eventfd", |w| made(w, 577, 21, "event", "e", None, code::SYSCALL_EVENTFD_X, &[P::I(21), P::I(0), P::W(6)])),
    ("eventfd2", |w| made(w, 605, 22, "event", "e", None, code::SYSCALL_EVENTFD2_X, &[P::I(22), P::H(54), P::I(0)])),
    ("signalfd", |w| {
        made(w, 640, 5, "signalfd", "s", None, code::SYSCALL_SIGNALFD_X, &[P::I(5), P::I(-1), P::W(0), P::B(12)])
    }),
    ("signalfd4", |w| {
        made(w, 675, 5, "signalfd", "s", None, code::SYSCALL_SIGNALFD4_X, &[P::I(5), P::H(47), P::I(-1), P::W(0)])
    }),
    ("fchmod", |w| on_opened(w, 715, code::SYSCALL_FCHMOD_X, &[P::I(0), P::I(3), P::W(0)])),
    ("fchown", |w| on_opened(w, 748, code::SYSCALL_FCHOWN_X, &[P::I(0), P::I(3), P::W(0), P::W(0)])),
    ("memfd_create", memfd_create),
    ("test_fdtypes", fdtypes),
    ("test_pidfd", pidfd),
    ("EVT_FILTER_is_lower_layer", |w| layer(w, 63, defines::PPM_FD_LOWER_LAYER, "true", "false")),
    ("EVT_FILTER_is_upper_layer", |w| layer(w, 89, defines::PPM_FD_UPPER_LAYER, "false", "true")),
    ("FD_FILTER_extract_from_null_type_filename", failed_open),
    ("parse_pread_success", |w| transferred(w, 49, code::SYSCALL_PREAD_X, true)),
    ("parse_pwrite_success", |w| transferred(w, 49, code::SYSCALL_PWRITE_X, true)),
    ("parse_read_success", |w| transferred(w, 47, code::SYSCALL_READ_X, false)),
    ("parse_write_success", |w| transferred(w, 47, code::SYSCALL_WRITE_X, false)),
];

fn file_open(w: &mut World) {
    w.open(INIT, 3, "/tmp/the_file");
    w.expect_all(73, &[("fd.name", "/tmp/the_file"), ("fd.directory", "/tmp"), ("fd.filename", "the_file")]);
}

fn file_open_invalid_utf8(w: &mut World) {
    let params = [P::I(3), P::R(b"/tmp/bad\xff\0"), P::W(3), P::W(0), P::W(5), P::I(123)];
    w.event(INIT, code::SYSCALL_OPEN_X, &params);
    // The corpus writes each byte as a character.
    w.expect_bytes(95, "fd.name", b"/tmp/bad\xff", "/tmp/bad\u{ff}");
    w.expect_bytes(96, "evt.arg.name", b"/tmp/bad\xff", "/tmp/bad\u{ff}");
}

fn dup(w: &mut World) {
    w.open(INIT, 3, "/tmp/test");
    let is = |w: &mut World, line, num| w.expect_all(line, &[("fd.name", "/tmp/test"), ("fd.num", num)]);
    w.event(INIT, code::SYSCALL_DUP_1_X, &[P::I(123), P::I(3)]);
    is(w, 119, "123");
    w.event(INIT, code::SYSCALL_DUP2_X, &[P::I(123), P::I(3), P::I(123)]);
    is(w, 126, "123");
    w.event(INIT, code::SYSCALL_DUP3_X, &[P::I(123), P::I(3), P::I(123), P::W(0)]);
    is(w, 130, "123");
    w.event(INIT, code::SYSCALL_DUP_1_X, &[P::I(1), P::I(3)]);
    is(w, 136, "1");
}

fn open_by_handle_at(w: &mut World) {
    let params = [P::I(4), P::I(5), P::W(3), P::T("/tmp/the_file.txt")];
    w.event(INIT, code::SYSCALL_OPEN_BY_HANDLE_AT_X, &params);
    w.expect(0, "fd.name", "/tmp/the_file.txt");
    w.expect(0, "evt.abspath", "/tmp/the_file.txt");
    w.event(INIT, code::SYSCALL_OPEN_BY_HANDLE_AT_X, &[P::I(6), P::I(7), P::W(3), P::T("<NA>")]);
    w.expect(0, "fd.name", "<NA>");
}

fn path_too_long(w: &mut World) {
    let path = ["A", "B", "C"].map(|letter| format!("/{}", letter.repeat(1000))).concat();
    w.open(INIT, 3, &path);
    let short = "/DIR_TOO_LONG/FILENAME_TOO_LONG";
    w.expect_all(202, &[("fd.name", short), ("fd.directory", "/DIR_TOO_LONG"), ("fd.filename", "FILENAME_TOO_LONG")]);
    w.event(INIT, code::SYSCALL_OPEN_BY_HANDLE_AT_X, &[P::I(4), P::I(5), P::W(3), P::T(&path)]);
    w.expect_all(216, &[("fd.name", short), ("evt.abspath", short)]);
}

fn creates_fd(w: &mut World) {
    use code::*;
    let uring = [P::I(10), P::W(0), P::W(0), P::W(0), P::W(0), P::W(0), P::W(0), P::W(0)];
    let pipe = [P::I(0), P::I(3), P::I(4), P::I(81_976_492)];
    let pipe2 = [P::I(0), P::I(6), P::I(7), P::I(81_976_492), P::W(17)];
    let rows: [(u32, u16, &[P<'_>], [&str; 3]); 14] = [
        (235, SYSCALL_SIGNALFD_X, &[P::I(5), P::I(-1), P::W(0), P::B(0)], ["signalfd", "s", "5"]),
        (248, SYSCALL_SIGNALFD4_X, &[P::I(2), P::H(67), P::I(0), P::W(0)], ["signalfd", "s", "2"]),
        (260, SYSCALL_TIMERFD_CREATE_X, &[P::I(6), P::B(0), P::B(0)], ["timerfd", "t", "6"]),
        (266, SYSCALL_INOTIFY_INIT_X, &[P::I(7), P::B(0)], ["inotify", "i", "7"]),
        (273, SYSCALL_BPF_2_X, &[P::I(8)], ["bpf", "b", "8"]),
        (279, SYSCALL_USERFAULTFD_X, &[P::I(9), P::W(0)], ["userfaultfd", "u", "9"]),
        (296, SYSCALL_IO_URING_SETUP_X, &uring, ["io_uring", "r", "10"]),
        (302, SYSCALL_EPOLL_CREATE_X, &[P::I(11), P::W(0)], ["eventpoll", "l", "11"]),
        (313, SYSCALL_EPOLL_CREATE1_X, &[P::I(12), P::W(0)], ["eventpoll", "l", "12"]),
        (326, SYSCALL_PIPE_X, &pipe, ["pipe", "p", "4"]),
        (339, SYSCALL_PIPE2_X, &pipe2, ["pipe", "p", "7"]),
        (349, SYSCALL_INOTIFY_INIT1_X, &[P::I(12), P::H(32)], ["inotify", "i", "12"]),
        (360, SYSCALL_EVENTFD_X, &[P::I(34), P::I(0), P::W(45)], ["event", "e", "34"]),
        (371, SYSCALL_EVENTFD2_X, &[P::I(31), P::H(34), P::I(0)], ["event", "e", "31"]),
    ];
    for (line, event, params, [ty, character, num]) in rows {
        w.event(INIT, event, params);
        w.expect_all(line, &[("fd.type", ty), ("fd.typechar", character), ("fd.num", num)]);
    }
}

fn umount(w: &mut World) {
    w.event(INIT, code::SYSCALL_UMOUNT_1_X, &[P::I(0), P::T("/target_name")]);
    unmounts(w, 0, "umount");
}

fn umount2(w: &mut World) {
    w.event(INIT, code::SYSCALL_UMOUNT2_X, &[P::I(0), P::T("/target_name"), P::W(10)]);
    unmounts(w, 404, "umount2");
}

fn unmounts(w: &mut World, line: u32, name: &str) {
    let rows = [("evt.type", name), ("evt.category", "file"), ("evt.arg.res", "0"), ("evt.arg.name", "/target_name")];
    for (offset, (field, want)) in (0..).zip(rows) {
        w.expect(if line == 0 { 0 } else { line + offset }, field, want);
    }
}

/// A call that makes a descriptor that is no file: five lines, and what upstream says of all of them.
#[allow(clippy::too_many_arguments)]
fn made(w: &mut World, line: u32, fd: i64, ty: &str, character: &str, ino: Option<i64>, event: u16, params: &[P<'_>]) {
    w.event(INIT, event, params);
    let (num, uid) = (fd.to_string(), format!("1{fd}"));
    w.expect_all(line, &[("fd.num", &num), ("fd.type", ty), ("fd.typechar", character)]);
    // Upstream has a line of comment before the next where there are inodes.
    let next = line + 3 + u32::from(ino.is_some());
    w.expect_all(next, &[("fd.uid", &uid), ("fd.ino", &ino.unwrap_or(0).to_string())]);
    for (field, want) in [
        ("fd.name", ""),
        ("fd.l4proto", "<NA>"),
        ("fd.is_server", "false"),
        ("fd.containername", ":"),
        ("fd.connected", "false"),
        ("fd.name_changed", "false"),
        ("fd.dev", "0"),
        ("fd.dev.major", "0"),
        ("fd.dev.minor", "0"),
        ("fd.nameraw", ""),
    ] {
        w.expect(0, field, want);
    }
}

fn on_opened(w: &mut World, line: u32, event: u16, params: &[P<'_>]) {
    w.open(INIT, 3, "/tmp/test");
    w.expect_all(line, &[("fd.name", "/tmp/test"), ("fd.num", "3")]);
    w.event(INIT, event, params);
    w.expect_all(line + 4, &[("fd.name", "/tmp/test"), ("fd.num", "3")]);
}

fn memfd_create(w: &mut World) {
    w.event(INIT, code::SYSCALL_MEMFD_CREATE_X, &[P::I(4), P::T("test_name"), P::W(0)]);
    for (field, want) in [("fd.num", "4"), ("fd.name", "test_name"), ("fd.typechar", "m"), ("fd.type", "memfd")] {
        w.expect(0, field, want);
    }
}

fn fdtypes(w: &mut World) {
    w.open(INIT, 1, "/tmp/the_file");
    w.expect_all(788, &[("fd.name", "/tmp/the_file"), ("fd.num", "1")]);
    w.expect_all(790, &[("fd.types[1]", "(file)"), ("fd.types", "(file)")]);
    w.event(INIT, code::SYSCALL_BPF_2_X, &[P::I(2)]);
    w.expect_all(797, &[("fd.num", "2"), ("fd.type", "bpf"), ("fd.types[1]", "(file)"), ("fd.types[2]", "(bpf)")]);
    w.expect_set(801, "fd.types", "(bpf,file)");
    w.event(INIT, code::SYSCALL_BPF_2_X, &[P::I(3)]);
    w.expect(806, "fd.types[3]", "(bpf)");
    w.expect_set(807, "fd.types", "(bpf,file)");
}

fn pidfd(w: &mut World) {
    w.open(2, 3, "/tmp/the_file");
    w.event(INIT, code::SYSCALL_PIDFD_OPEN_X, &[P::I(1), P::I(2), P::W(0)]);
    w.expect_all(835, &[("fd.num", "1"), ("fd.typechar", "P"), ("fd.type", "pidfd")]);
    w.event(INIT, code::SYSCALL_PIDFD_GETFD_X, &[P::I(4), P::I(1), P::I(3), P::W(0)]);
    w.expect_all(850, &[("fd.num", "4"), ("fd.name", "/tmp/the_file"), ("fd.directory", "/tmp")]);
    w.expect_all(853, &[("fd.filename", "the_file"), ("fd.typechar", "f"), ("fd.type", "file")]);
}

fn layer(w: &mut World, line: u32, flag: i64, lower: &str, upper: &str) {
    let flags = (defines::PPM_O_RDONLY | flag) as u32;
    let params = [P::I(3), P::T("/home/file.txt"), P::W(flags), P::W(0), P::W(5), P::I(123)];
    w.event(INIT, code::SYSCALL_OPEN_X, &params);
    w.expect_all(line, &[("fd.is_lower_layer", lower), ("fd.is_upper_layer", upper)]);
}

fn failed_open(w: &mut World) {
    w.open(INIT, -1, "/home/file.txt");
    w.none(38, "fd.filename");
}

/// Reading or writing `hello` on an opened file, whose lines are the same but for where blank lines stand.
fn transferred(w: &mut World, line: u32, event: u16, positioned: bool) {
    w.open(INIT, SOCKET, "/home/file.txt");
    let mut params = vec![P::I(5), P::R(b"hello"), P::I(SOCKET), P::W(5)];
    if positioned {
        params.push(P::I(0));
    }
    w.event(INIT, event, &params);
    // Of `write` there is no row, but it is numbered alike.
    w.expect_all(line, &[("evt.arg[1]", "hello"), ("evt.rawarg.data", "hello")]);
    w.expect(line + 3, "evt.arg[2]", "<f>/home/file.txt");
    w.expect(line + 5, "evt.rawarg.fd", "4");
    w.expect_all(line + 8, &[("evt.arg[3]", "5"), ("evt.rawarg.size", "5")]);
    for (field, want) in [
        ("fd.num", "4"),
        ("fd.name", "/home/file.txt"),
        ("fd.nameraw", "/home/file.txt"),
        ("fd.directory", "/home"),
        ("fd.filename", "file.txt"),
        ("evt.res", "SUCCESS"),
        ("evt.rawres", "5"),
        ("evt.failed", "false"),
        ("evt.arg[0]", "5"),
        ("evt.rawarg.res", "5"),
    ] {
        w.expect(0, field, want);
    }
}
