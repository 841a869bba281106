//! Processes, their executables and ancestors.

use super::Case;
use super::world::{Exec, INIT, P, SOCKET, World, address, tuple};
use peregrine_event::{code, defines};

pub const CASES: &[Case] = &[
    ("execveat_empty_path_flag", |w| {
        execveat(w, 108, Some("/tmp/file_to_run"), "<NA>", defines::PPM_EXVAT_AT_EMPTY_PATH, "/tmp/file_to_run")
    }),
    ("execveat_relative_path", |w| execveat(w, 189, Some("/tmp/dir"), "file", 0, "/tmp/dir/file")),
    ("execveat_invalid_path", |w| execveat(w, 0, Some("/tmp/dir"), "<NA>", 0, "<NA>")),
    ("execveat_absolute_path", |w| execveat(w, 344, None, "/tmp/file", 0, "/tmp/file")),
    ("execveat_relative_path_s390", |w| execveat(w, 507, Some("/tmp/s390x/dir"), "file", 0, "/tmp/s390x/dir/file")),
    ("execveat_absolute_path_s390", |w| execveat(w, 576, None, "/tmp/s390/file", 0, "/tmp/s390/file")),
    ("spawn_process", spawn_process),
    ("chdir_fchdir", chdir_fchdir),
    ("pid_over_32bit", pid_over_32bit),
    ("proc_ppid_apid", ppid_apid),
    ("PROC_FILTER_aname", aname),
    ("PROC_FILTER_nthreads", nthreads),
    ("PROC_FILTER_nchilds", nchilds),
    ("PROC_FILTER_exepath", exepath),
    ("PROC_FILTER_pexepath_aexepath", pexepath),
    ("PROC_FILTER_pgid_family", pgid_family),
    ("PROC_FILTER_stdin_stdout_stderr", standard_descriptors),
    ("sinsp_libs_metrics_collector_prometheus", |w| three_threads(w, 27)),
    ("sinsp_libs_metrics_collector_output_rule", |w| three_threads(w, 259)),
];

/// An `execveat` of an old capture, whose enter event alone says what is run: descriptor 3 may have been opened before.
fn execveat(w: &mut World, line: u32, opened: Option<&str>, path: &str, flags: i64, want: &str) {
    if let Some(opened) = opened {
        w.open(INIT, 3, opened);
    }
    let dirfd = if opened.is_some() { 3 } else { 0 };
    w.event(INIT, code::SYSCALL_EXECVEAT_E, &[P::I(dirfd), P::T(path), P::W(flags as u32)]);
    let mut params = vec![P::I(0), P::T("<NA>"), P::No, P::I(1), P::I(1), P::I(1), P::T("<NA>")];
    params.extend([P::I(0), P::I(0), P::I(0), P::W(0), P::W(0), P::W(0), P::T("<NA>"), P::No, P::No, P::W(0), P::I(0)]);
    params.extend([
        P::W(0),
        P::W(0),
        P::I(0),
        P::I(0),
        P::I(0),
        P::I(0),
        P::I(0),
        P::I(0),
        P::W(0),
        P::No,
        P::I(0),
        P::W(0),
    ]);
    w.event(INIT, code::SYSCALL_EXECVEAT_X, &params);
    w.expect(line, "proc.exepath", want);
}

/// A clone as upstream's tests of whole lives give it.
fn full_clone(w: &mut World, res: i64, [tid, pid, ppid]: [i64; 3], comm: &str, [vtid, vpid]: [i64; 2]) {
    let flags = defines::PPM_CL_CLONE_CHILD_CLEARTID | defines::PPM_CL_CLONE_CHILD_SETTID;
    let mut params = vec![P::I(res), P::T("bash"), P::No, P::I(tid), P::I(pid), P::I(ppid), P::T("")];
    params.extend([P::I(1024), P::I(0), P::I(1), P::W(12088), P::W(7208), P::W(0), P::T(comm), P::R(b"cpuset=/\0")]);
    params.extend([P::W(flags as u32), P::W(1000), P::W(1000), P::I(vtid), P::I(vpid), P::I(1234)]);
    w.event(tid, code::SYSCALL_CLONE_20_X, &params);
}

fn spawn_process(w: &mut World) {
    full_clone(w, 20, [1, 1, 0], "init", [1, 1]);
    full_clone(w, 0, [20, 20, 1], "init", [20, 20]);
    let mut params =
        vec![P::I(0), P::T("/bin/test-exe"), P::R(b"-c\0'echo aGVsbG8K | base64 -d'\0"), P::I(20), P::I(20)];
    params.extend([P::I(1), P::T(""), P::I(1024), P::I(0), P::I(1), P::W(29612), P::W(4), P::W(0), P::T("test-exe")]);
    params
        .extend([P::R(b"cpuset=/\0"), P::R(b"SHELL=/bin/bash\0SHELL_NEW=/bin/sh\0PWD=/home/user\0HOME=/home/user\0")]);
    params.extend([P::W(34818), P::I(1), P::W(u32::MAX - 1), P::W(defines::PPM_EXE_WRITABLE as u32), P::I(1), P::I(1)]);
    params.extend([
        P::I(1),
        P::I(242_048),
        P::I(1_676_262_698_000_004_588),
        P::I(1_676_262_698_000_004_577),
        P::W(2000),
    ]);
    params.extend([P::T("/bin/test-exe"), P::I(1), P::W(2000), P::T("/bin/test-exe")]);
    w.event(20, code::SYSCALL_EXECVE_19_X, &params);
    for (field, want) in SPAWNED {
        w.expect(0, field, want);
    }
    for field in [
        "proc.aexepath[2]",
        "proc.aexepath[3]",
        "proc.aexe[2]",
        "proc.aexe[3]",
        "proc.aname[2]",
        "proc.apid[2]",
        "proc.acmdline[2]",
    ] {
        w.none(0, field);
    }
}

#[rustfmt::skip]
const SPAWNED: &[(&str, &str)] = &[
    ("proc.cwd", "/root/"), ("proc.name", "test-exe"), ("proc.aname[0]", "test-exe"),
    ("proc.pid", "20"), ("proc.vpid", "20"), ("proc.apid[0]", "20"),
    ("proc.exe", "/bin/test-exe"), ("proc.aexe[0]", "/bin/test-exe"),
    ("proc.exepath", "/bin/test-exe"), ("proc.aexepath[0]", "/bin/test-exe"),
    ("proc.sid", "0"), ("proc.sname", "init"), ("proc.sid.exe", "/sbin/init"), ("proc.sid.exepath", "/sbin/init"),
    ("proc.is_sid_leader", "false"),
    ("proc.vpgid", "1"), ("proc.is_vpgid_leader", "false"), ("proc.vpgid.name", "init"),
    ("proc.vpgid.exe", "/sbin/init"), ("proc.vpgid.exepath", "/sbin/init"),
    ("proc.pname", "init"), ("proc.pexepath", "/sbin/init"), ("proc.aexepath[1]", "/sbin/init"),
    ("proc.pexe", "/sbin/init"), ("proc.aexe[1]", "/sbin/init"), ("proc.aname[1]", "init"),
    ("proc.ppid", "1"), ("proc.apid[1]", "1"), ("proc.pvpid", "1"),
    ("proc.cmdline", "test-exe -c 'echo aGVsbG8K | base64 -d'"),
    ("proc.pcmdline", "init context ls --format {{json .}}"),
    ("proc.acmdline[0]", "test-exe -c 'echo aGVsbG8K | base64 -d'"),
    ("proc.acmdline[1]", "init context ls --format {{json .}}"),
    ("proc.args", "-c 'echo aGVsbG8K | base64 -d'"), ("proc.args[0]", "-c"),
    ("proc.args[1]", "'echo aGVsbG8K | base64 -d'"), ("proc.args[8]", ""),
    ("proc.aargs[0]", "-c 'echo aGVsbG8K | base64 -d'"), ("proc.aargs[1]", "context ls --format {{json .}}"),
    ("proc.exeline", "/bin/test-exe -c 'echo aGVsbG8K | base64 -d'"),
    ("proc.tty", "34818"), ("user.loginuid", "4294967294"), ("user.uid", "2000"),
    ("proc.vmsize", "29612"), ("proc.vmrss", "4"), ("proc.vmswap", "0"), ("proc.fdlimit", "1024"),
    ("thread.pfmajor", "0"), ("thread.pfminor", "1"), ("proc.is_exe_writable", "true"),
    ("proc.exe_ino", "242048"), ("proc.exe_ino.ctime", "1676262698000004588"),
    ("proc.exe_ino.mtime", "1676262698000004577"), ("proc.cmdnargs", "2"), ("proc.cmdlenargs", "29"),
    ("proc.env", "SHELL=/bin/bash SHELL_NEW=/bin/sh PWD=/home/user HOME=/home/user"),
    ("proc.env[HOME]", "/home/user"), ("proc.env[SHELL]", "/bin/bash"), ("proc.env[SHELL_NEW]", "/bin/sh"),
    ("proc.aenv", "SHELL=/bin/bash SHELL_NEW=/bin/sh PWD=/home/user HOME=/home/user"),
    ("proc.aenv[0]", "SHELL=/bin/bash SHELL_NEW=/bin/sh PWD=/home/user HOME=/home/user"),
    ("proc.aenv[1]", "TEST_ENV_PARENT_LINEAGE=secret HOME=/home/user/parent"),
    ("proc.aenv[HOME]", "/home/user/parent"), ("proc.aenv[SHELL]", ""),
    ("proc.aenv[TEST_ENV_PARENT_LINEAGE]", "secret"),
];

fn chdir_fchdir(w: &mut World) {
    w.event(INIT, code::SYSCALL_CHDIR_X, &[P::I(0), P::T("/tmp/target-directory")]);
    w.expect(0, "proc.cwd", "/tmp/target-directory/");
    w.open(INIT, 3, "/tmp/target-directory-fd");
    w.event(INIT, code::SYSCALL_FCHDIR_X, &[P::I(0), P::I(3)]);
    w.expect(0, "proc.cwd", "/tmp/target-directory-fd/");
}

/// Ids beyond 32 bits are no ids of the host's; those of the namespace are shown.
fn pid_over_32bit(w: &mut World) {
    const CHILD: i64 = 0x1_0000_0010;
    const GRANDCHILD: i64 = 0x1_0000_0100;
    full_clone(w, CHILD, [1, 1, 0], "bash", [1, 1]);
    full_clone(w, 0, [CHILD, CHILD, 1], "bash", [2, 2]);
    w.exec(&Exec::of(CHILD, 1, "/bin/test-exe", "test-exe", "/bin/test-exe"));
    w.none(1048, "proc.pid");
    w.none(1049, "thread.tid");
    w.expect_all(1053, &[("proc.vpid", "4294967312"), ("thread.vtid", "4294967312")]);
    // Here the child tells of itself before its parent does.
    full_clone(w, 0, [GRANDCHILD, GRANDCHILD, CHILD], "test-exe", [3, 3]);
    full_clone(w, GRANDCHILD, [CHILD, CHILD, CHILD], "test-exe", [2, 2]);
    w.exec(&Exec::of(GRANDCHILD, CHILD, "/bin/test-exe2", "test-exe2", "/bin/test-exe2"));
    for (line, field) in (1149..).zip(["proc.pid", "thread.tid", "proc.ppid", "proc.apid[1]"]) {
        w.none(line, field);
    }
    w.expect_all(1155, &[("proc.vpid", "3"), ("thread.vtid", "3")]);
}

fn ppid_apid(w: &mut World) {
    w.tree();
    w.clone(100, 24, 25, 1, 0, None);
    let parent = w.text("proc.ppid").map(|text| String::from_utf8(text).expect("a number")).expect("a parent");
    w.expect(0, "proc.apid[1]", &parent);
}

/// Without a level a condition is about all ancestors, the process itself not among them.
fn aname(w: &mut World) {
    w.tree();
    w.exec(&Exec::of(87, 84, "/good-exe", "good-exe", "/good-exe"));
    for (condition, want) in [
        ("proc.aname in (init)", true),
        ("proc.aname in (bash)", true),
        ("proc.aname in (good-exe, init)", true),
        ("proc.aname = bash", true),
        ("proc.aname = init", true),
        ("proc.aname in (good-exe)", false),
        ("proc.aname = good-exe", false),
        ("proc.aname in (bad-exe)", false),
        // One that differs is enough.
        ("proc.aname != init", true),
        ("proc.aname startswith in", true),
        ("proc.apid = 72", true),
        ("proc.apid = 87", false),
        ("proc.apid > 84", false),
        ("proc.aexepath contains /sbin", true),
        ("proc.acmdline contains '--format'", true),
        ("proc.aenv contains 'TEST_ENV_PARENT_LINEAGE=secret'", true),
        ("proc.aname[0] = good-exe", true),
        ("proc.aname[5] = init", true),
        ("proc.aname[6] exists", false),
    ] {
        w.holds(condition, want);
    }
}

fn three_threads(w: &mut World, line: u32) {
    w.tree();
    w.any(25);
    w.expect(line, "proc.nthreads", "3");
}

fn nthreads(w: &mut World) {
    three_threads(w, 26);
    w.exit(25, 23);
    w.expect(30, "proc.nthreads", "2");
}

fn nchilds(w: &mut World) {
    w.tree();
    w.any(25);
    w.expect(0, "proc.nchilds", "2");
    w.exit(25, 23);
    w.expect(0, "proc.nchilds", "2");
    w.exit(24, 23);
    w.expect(0, "proc.nchilds", "1");
}

fn exepath(w: &mut World) {
    w.tree();
    w.exec(&Exec::of(87, 84, "/good-exe", "good-exe", "/usr/bin/bad-exe (deleted)"));
    w.expect(0, "proc.exepath", "/usr/bin/bad-exe");
    w.expect(0, "proc.name", "good-exe");
}

fn pexepath(w: &mut World) {
    w.tree();
    w.exec(&Exec::of(72, 25, "/p3_t1_exepath", "p3_t1", "/usr/bin/p3_t1_trusted_exepath"));
    // Of 76 and 82 another thread called; the main one goes on.
    w.exec(&Exec::of(76, 72, "/p4_t1_exepath", "p4_t1", "/usr/bin/p4_t1_trusted_exepath"));
    w.exec(&Exec::of(82, 79, "/p5_t1_exepath", "p5_t1", "/usr/bin/p5_t1_trusted_exepath"));
    w.exec(&Exec::of(87, 84, "/p6_t1_exepath", "p6_t1", "/usr/bin/p6_t1_trusted_exepath"));
    let own = "/usr/bin/p6_t1_trusted_exepath";
    let parent = "/usr/bin/p5_t1_trusted_exepath";
    w.expect_all(
        128,
        &[("proc.exepath", own), ("proc.aexepath[0]", own), ("proc.pexepath", parent), ("proc.aexepath[1]", parent)],
    );
    w.expect(133, "proc.aexepath[2]", "/usr/bin/p4_t1_trusted_exepath");
    w.expect(134, "proc.aexepath[3]", "/usr/bin/p3_t1_trusted_exepath");
    w.expect(136, "proc.aexepath[4]", "/sbin/init");
    w.expect(138, "proc.aexepath[5]", "/sbin/init");
    w.none(140, "proc.aexepath[6]");
}

/// Upstream's test sets groups and names by hand; here programs are run that have them.
fn pgid_family(w: &mut World) {
    w.tree();
    let run = |w: &mut World, pid, ppid, name: &str, pgid| {
        let (exe, path) = (format!("{name}_exe"), format!("/{name}_exepath"));
        w.exec(&Exec { pgid, ..Exec::of(pid, ppid, &exe, &format!("{name}_comm"), &path) });
    };
    let group = |w: &mut World, line, pgid, leader: &str, is_leader| {
        let [comm, exe, path] = ["comm", "exe", "exepath"].map(|what| format!("{leader}_{what}"));
        let path = format!("/{path}");
        w.expect_all(line, &[("proc.pgid", pgid), ("proc.pgid.name", &comm), ("proc.pgid.exe", &exe)]);
        w.expect_all(line + 3, &[("proc.pgid.exepath", &path), ("proc.is_pgid_leader", is_leader)]);
    };
    run(w, 2, 1, "p1_t1", 2);
    run(w, 72, 25, "p3_t1", 2);
    w.any(72);
    group(w, 193, "2", "p1_t1", "false");
    run(w, 72, 25, "p3_t1", 72);
    w.any(72);
    group(w, 208, "72", "p3_t1", "true");
    // The leader is gone: the eldest ancestor of the same group stands for it.
    run(w, 72, 25, "p3_t1", 100_000);
    run(w, 25, 1, "p2_t1", 100_000);
    w.any(72);
    group(w, 229, "100000", "p2_t1", "false");
}

fn standard_descriptors(w: &mut World) {
    w.tree();
    let (client, server) = (("172.40.111.222", 54321), ("142.251.111.147", 443));
    w.socket(defines::PPM_AF_INET, 1);
    w.connect(0, &tuple(client, server), &address(server.0, server.1));
    for fd in 0..3 {
        w.event(INIT, code::SYSCALL_DUP2_X, &[P::I(fd), P::I(SOCKET), P::I(fd)]);
    }
    w.exec(&Exec::of(1, 1, "/prog", "prog", "/usr/bin/prog"));
    for name in ["stdin", "stdout", "stderr"] {
        w.expect(0, &format!("proc.{name}.type"), "ipv4");
        w.expect(0, &format!("proc.{name}.name"), "172.40.111.222:54321->142.251.111.147:443");
    }
}
