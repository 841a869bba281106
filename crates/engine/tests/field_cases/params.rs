//! Parameters: without value, raw, of enter events.

use super::Case;
use super::world::{Exec, INIT, P, World};
use peregrine_event::{code, defines};

pub const CASES: &[Case] = &[
    ("charbuf_empty_param", charbuf_empty),
    ("param_charbuf_len_1", |w| chdir(w, 96, P::T(""), "")),
    ("charbuf_NULL_param", |w| chdir(w, 115, P::T("(NULL)"), "<NA>")),
    ("bytebuf_empty_param", bytebuf_empty),
    ("filename_toctou", filename_toctou),
    ("enter_event_retrieval", enter_event_retrieval),
    ("execve_invalid_path_entry", execve_invalid_path),
    ("EVT_FILTER_arg_empty_params", arg_empty),
    ("EVT_FILTER_rawarg_empty_params", rawarg_empty),
    ("EVT_FILTER_rawarg_madness", rawarg_madness),
    ("EVT_FILTER_rawarg_int", rawarg_int),
    ("EVT_FILTER_rawarg_str", rawarg_str),
    ("EVT_FILTER_execve_evt_arg_filename_comm_trusted_exepath", execve_args),
    ("parse_brk_updated_prog_break", brk),
    ("EVT_FILTER_data_buffer_str", data_buffer),
];

fn chdir(w: &mut World, line: u32, path: P<'_>, want: &str) {
    w.event(INIT, code::SYSCALL_CHDIR_X, &[P::I(0), path]);
    w.expect(line, "evt.arg.path", want);
}

fn charbuf_empty(w: &mut World) {
    chdir(w, 42, P::No, "<NA>");
    w.event(INIT, code::SYSCALL_CREAT_X, &[P::I(0), P::No, P::W(0), P::W(0), P::I(0), P::H(0)]);
    w.expect(61, "evt.arg.name", "<NA>");
    w.event(INIT, code::SYSCALL_UNLINKAT_2_X, &[P::I(0), P::I(0), P::No, P::W(0)]);
    w.expect(78, "evt.arg.name", "<NA>");
}

fn bytebuf_empty(w: &mut World) {
    w.event(INIT, code::SYSCALL_PWRITE_X, &[P::I(0), P::No, P::I(0), P::W(0), P::I(0)]);
    w.expect(145, "evt.arg.data", "NULL");
}

/// An enter event tells the path before the program can change it.
fn filename_toctou(w: &mut World) {
    const FIRST: &str = "/tmp/the_file";
    w.event(3, code::SYSCALL_OPEN_E, &[P::T(FIRST), P::W(0), P::W(0)]);
    w.open(3, 1, "/tmp/some_other_file");
    w.expect(0, "fd.name", FIRST);
    w.event(INIT, code::SYSCALL_OPENAT_2_E, &[P::I(3), P::T(FIRST), P::W(0), P::W(0)]);
    openat(w, code::SYSCALL_OPENAT_2_X, 2, 3, "/tmp/some_other_file");
    w.expect(0, "fd.name", FIRST);
    w.event(2, code::SYSCALL_CREAT_E, &[P::T(FIRST), P::W(0)]);
    let params = [P::I(4), P::T("/tmp/some_other_file"), P::W(0), P::W(0), P::I(0), P::H(2)];
    w.event(2, code::SYSCALL_CREAT_X, &params);
    w.expect(0, "fd.name", FIRST);
}

fn openat(w: &mut World, event: u16, fd: i64, dirfd: i64, path: &str) {
    let mut params = vec![P::I(fd), P::I(dirfd), P::T(path), P::W(0), P::W(0)];
    if event == code::SYSCALL_OPENAT2_X {
        params.push(P::W(0));
    }
    params.extend([P::W(0), P::I(0)]);
    w.event(INIT, event, &params);
}

/// Enter events whose path is no path do not count.
fn enter_event_retrieval(w: &mut World) {
    const PATH: &str = "/tmp/the_file";
    let nothing = || [P::T("<NA>"), P::T("(NULL)"), P::No];
    let (mut dirfd, mut fd) = (3, 100);
    for name in nothing() {
        w.event(INIT, code::SYSCALL_OPENAT_2_E, &[P::I(dirfd), name, P::W(0), P::W(0)]);
        openat(w, code::SYSCALL_OPENAT_2_X, fd, dirfd, PATH);
        w.expect(290, "fd.name", PATH);
        (dirfd, fd) = (dirfd + 1, fd + 1);
    }
    for _ in nothing() {
        w.event(INIT, code::SYSCALL_OPENAT2_E, &[P::I(dirfd), P::T("<NA>"), P::W(0), P::W(0), P::W(0)]);
        openat(w, code::SYSCALL_OPENAT2_X, fd, dirfd, PATH);
        w.expect(327, "fd.name", PATH);
        (dirfd, fd) = (dirfd + 1, fd + 1);
    }
    for _ in nothing() {
        w.event(INIT, code::SYSCALL_OPEN_E, &[P::No, P::W(0), P::W(0)]);
        w.open(INIT, fd, PATH);
        w.expect(360, "fd.name", PATH);
        fd += 1;
    }
    for _ in nothing() {
        w.event(INIT, code::SYSCALL_CREAT_E, &[P::No, P::W(0)]);
        let layer = P::H(defines::PPM_FD_LOWER_LAYER_CREAT as u16);
        w.event(INIT, code::SYSCALL_CREAT_X, &[P::I(fd), P::T(PATH), P::W(0), P::W(0), P::I(0), layer]);
        w.expect(391, "fd.name", PATH);
        fd += 1;
    }
}

fn execve_invalid_path(w: &mut World) {
    w.exec(&Exec::of(1, 1, "/bin/test-exe", "test-exe", "/bin/test-exe"));
    w.expect(443, "proc.name", "test-exe");
}

/// An `execve` of an old capture: the parameters 18 to 29 have no value.
fn old_exec(w: &mut World) {
    let mut params = vec![P::I(0), P::T("/bin/test-exe"), P::No, P::I(1), P::I(1), P::I(1), P::T("")];
    params.extend([
        P::I(0),
        P::I(0),
        P::I(0),
        P::W(0),
        P::W(0),
        P::W(0),
        P::T("test-exe"),
        P::No,
        P::No,
        P::W(0),
        P::I(0),
    ]);
    params.extend((18..=29).map(|_| P::No));
    params.push(P::T("/bin/test-exe"));
    w.event(INIT, code::SYSCALL_EXECVE_19_X, &params);
}

/// One field of each type.
const OLD: [&str; 7] = ["flags", "cap_inheritable", "exe_ino_ctime", "uid", "trusted_exepath", "pgid", "gid"];

fn arg_empty(w: &mut World) {
    old_exec(w);
    for (line, name) in (88..).zip(OLD) {
        w.expect(line, &format!("evt.arg.{name}"), "<NA>");
    }
}

fn rawarg_empty(w: &mut World) {
    old_exec(w);
    for name in OLD {
        w.expect(0, &format!("evt.rawarg.{name}"), if name == "trusted_exepath" { "<NA>" } else { "0" });
    }
    // What has no value compares with nothing.
    for condition in ["evt.rawarg.flags = 0", "evt.rawarg.uid = 0", "evt.rawarg.gid >= 0", "evt.rawarg.pgid exists"] {
        w.holds(condition, false);
    }
}

/// Type and print format are those of the event at hand.
fn rawarg_madness(w: &mut World) {
    w.event(INIT, code::SYSCALL_EPOLL_CREATE_X, &[P::I(0), P::W(-22i32 as u32)]);
    w.expect(36, "evt.rawarg.size", "-22");
    w.holds("evt.rawarg.size < -20", true);
    w.event(INIT, code::SYSCALL_SIGNALFD4_X, &[P::I(-1), P::H(512), P::I(9), P::W(0)]);
    w.expect(50, "evt.rawarg.flags", "200");
    w.holds("evt.rawarg.flags < 515", true);
    w.expect(52, "evt.rawarg.fd", "9");
    w.event(INIT, code::SYSCALL_TIMERFD_CREATE_X, &[P::I(0), P::B(255), P::B(255)]);
    w.expect(65, "evt.rawarg.flags", "FF");
    w.holds("evt.rawarg.flags <= 255", true);
    w.event(INIT, code::SYSCALL_SPLICE_X, &[P::I(-1), P::I(-1), P::I(-1), P::I(512), P::W(0)]);
    w.expect(89, "evt.rawarg.size", "512");
    w.holds("evt.rawarg.size < 515", true);
}

fn rawarg_int(w: &mut World) {
    w.event(INIT, code::SYSCALL_SETUID_X, &[P::I(0), P::W(1000)]);
    w.expect(0, "evt.rawarg.uid", "1000");
}

fn rawarg_str(w: &mut World) {
    w.open(INIT, 0, "/home/file.txt");
    w.expect(0, "evt.rawarg.name", "/home/file.txt");
}

fn execve_args(w: &mut World) {
    w.exec(&Exec::of(1, 0, "/usr/../usr/./bin/python3", "python3", "/usr/bin/python3"));
    w.expect(0, "evt.arg.filename", "/usr/../usr/./bin/python3");
    w.expect(0, "evt.arg.comm", "python3");
    w.expect(0, "evt.arg.trusted_exepath", "/usr/bin/python3");
}

/// How alerts print buffers does not change what conditions compare.
fn data_buffer(w: &mut World) {
    w.event(INIT, code::SYSCALL_READ_X, &[P::I(4), P::R(b"gigi"), P::I(0), P::W(4)]);
    w.holds("evt.arg.data = gigi", true);
    w.session.base64_buffers = true;
    w.expect(0, "evt.arg.data", "Z2lnaQ==");
    w.expect(0, "evt.buffer", "Z2lnaQ==");
    for condition in ["evt.arg.data = gigi", "evt.arg[1] = gigi", "evt.buffer contains gig"] {
        w.holds(condition, true);
    }
}

fn brk(w: &mut World) {
    w.event(INIT, code::SYSCALL_BRK_4_X, &[P::I(83_983_092), P::W(294), P::W(295), P::W(296), P::I(8)]);
    for (index, name, want) in [(1, "vm_size", "294"), (2, "vm_rss", "295"), (3, "vm_swap", "296"), (4, "addr", "8")] {
        w.expect(0, &format!("evt.arg[{index}]"), want);
        w.expect(0, &format!("evt.rawarg.{name}"), want);
    }
    w.expect(0, "evt.rawres", "83983092");
    w.expect(0, "evt.arg[0]", "5017AF4");
    w.expect(0, "proc.vmsize", "294");
}
