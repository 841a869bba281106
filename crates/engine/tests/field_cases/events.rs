//! What events are: category, source, result, counts, metaevents.

use super::Case;
use super::world::{INIT, P, World};
use peregrine_event::{code, defines};

pub const CASES: &[Case] = &[
    ("event_category", event_category),
    ("event_res", event_res),
    ("event_hostname", event_hostname),
    ("event_sources", event_sources),
    ("signed_int_compare", signed_int_compare),
    ("plugin_syscall_async", plugin_syscall_async),
    ("EVT_FILTER_is_open_create", is_open_create),
    ("EVT_FILTER_cmd_str", cmd_str),
    ("EVT_FILTER_check_evt_arg_uid", evt_arg_uid),
    ("EVT_FILTER_thread_proc_info", thread_proc_info),
    ("USER_FILTER_extract_from_loaded_user_entry", loaded_user_entry),
    ("USER_FILTER_extract_from_existent_user_entry", existent_user_entry),
    ("USER_FILTER_extract_from_existent_user_entry_without_metadata", user_entry_without_metadata),
    ("STATIC_FILTER_filter", static_field),
    ("setuid_setgid", setuid_setgid),
    ("setresuid_setresgid", setresuid_setresgid),
];

fn event_category(w: &mut World) {
    let open = [P::I(4), P::I(5), P::W(defines::PPM_O_RDWR as u32), P::T("/tmp/the_file.txt")];
    w.event(INIT, code::SYSCALL_OPEN_BY_HANDLE_AT_X, &open);
    let of = |category, asynchronous, num| {
        [("evt.category", category), ("evt.source", "syscall"), ("evt.is_async", asynchronous), ("evt.num", num)]
    };
    w.expect_all(44, &of("file", "false", "1"));
    w.exit(INIT, 0);
    w.expect_all(60, &of("process", "false", "2"));
    w.event(INIT, code::NOTIFICATION_E, &[P::No, P::T("data")]);
    w.expect_all(68, &of("other", "true", "3"));
}

fn event_res(w: &mut World) {
    w.event(INIT, code::SYSCALL_EPOLL_CREATE_X, &[P::I(-22), P::W(0)]);
    w.expect_all(86, &[("evt.res", "EINVAL"), ("evt.rawres", "-22")]);
    w.holds("evt.rawres < 0", true);
    w.expect_all(89, &[("evt.failed", "true"), ("evt.count.error", "1")]);
    w.event(INIT, code::SYSCALL_EPOLL_CREATE_X, &[P::I(0), P::W(100)]);
    w.expect_all(99, &[("evt.res", "SUCCESS"), ("evt.rawres", "0"), ("evt.failed", "false")]);
    w.open(INIT, 123, "/tmp/the_file.txt");
    w.expect_all(114, &[("evt.res", "SUCCESS"), ("evt.rawres", "123"), ("evt.failed", "false")]);
    w.open(INIT, -13, "/tmp/the_file.txt");
    w.expect_all(129, &[("evt.res", "EACCES"), ("evt.rawres", "-13"), ("evt.failed", "true")]);
    w.expect_all(132, &[("evt.count.error", "1"), ("evt.count.error.file", "1")]);
}

fn event_hostname(w: &mut World) {
    w.session.hostname = b"testbox".to_vec();
    w.open(INIT, 3, "/tmp/file_to_run");
    w.expect(166, "evt.hostname", "testbox");
}

/// Which source an event is from is for whoever brings it to say; an unknown plugin's has none.
fn event_sources(w: &mut World) {
    const DATA: &[u8] = b"hello world\0";
    w.open(INIT, 3, "/tmp/the_file");
    w.expect_all(136, &[("evt.source", "syscall"), ("evt.is_async", "false")]);
    w.none(138, "evt.asynctype");
    let user = [P::W(0), P::W(0), P::T("root"), P::T("/root"), P::T("/bin/bash"), P::T("foo")];
    w.event(-1, code::USER_ADDED_E, &user);
    w.expect_all(154, &[("evt.source", "syscall"), ("evt.is_async", "true"), ("evt.asynctype", "useradded")]);
    for (line, source, id) in [(163, "", 1), (177, "sample_source", 999)] {
        w.source = source;
        w.event(INIT, code::PLUGINEVENT_E, &[P::W(id), P::R(DATA)]);
        source_is(w, line, source);
        w.expect(line + 1, "evt.is_async", "false");
        w.none(line + 2, "evt.asynctype");
    }
    for (line, source, id) in [(193, "syscall", 0), (209, "sample_source", 999), (226, "", 1)] {
        w.source = source;
        w.event(INIT, code::ASYNCEVENT_E, &[P::W(id), P::T("sampleasync"), P::R(DATA)]);
        source_is(w, line, source);
        let name = "sampleasync";
        w.expect_all(line + 1, &[("evt.is_async", "true"), ("evt.asynctype", name), ("evt.type", name)]);
    }
}

fn source_is(w: &mut World, line: u32, source: &str) {
    if source.is_empty() { w.none(line, "evt.source") } else { w.expect(line, "evt.source", source) }
}

fn signed_int_compare(w: &mut World) {
    w.event(INIT, code::SYSCALL_EPOLL_CREATE_X, &[P::I(-22), P::W(0)]);
    w.expect(36, "evt.cpu", "1");
    for (condition, want) in [("evt.cpu < 300", true), ("evt.cpu > 300", false), ("evt.cpu < 2", true)] {
        w.holds(condition, want);
    }
}

/// The event that a plugin raises while nothing else happens.
fn plugin_syscall_async(w: &mut World) {
    w.event(INIT, code::ASYNCEVENT_E, &[P::W(0), P::T("sampleticker"), P::R(b"0\0")]);
    w.none(707, "evt.pluginname");
    w.none(710, "evt.plugininfo");
    let name = "sampleticker";
    w.expect_all(711, &[("evt.is_async", "true"), ("evt.asynctype", name), ("evt.type", name)]);
}

fn is_open_create(w: &mut World) {
    let flags = defines::PPM_O_RDWR | defines::PPM_O_CREAT | defines::PPM_O_F_CREATED;
    let params = [P::I(3), P::T("/home/file.txt"), P::W(flags as u32), P::W(0), P::W(5), P::I(123)];
    w.event(INIT, code::SYSCALL_OPEN_X, &params);
    w.expect(39, "evt.is_open_create", "true");
}

fn cmd_str(w: &mut World) {
    w.event(INIT, code::SYSCALL_BPF_2_X, &[P::I(1), P::W(5)]);
    w.expect(111, "evt.arg.cmd", "BPF_PROG_LOAD");
}

fn setuid(w: &mut World) {
    w.event(INIT, code::SYSCALL_SETUID_X, &[P::I(0), P::W(5)]);
}

fn evt_arg_uid(w: &mut World) {
    setuid(w);
    w.expect(123, "evt.type", "setuid");
    w.expect(126, "evt.rawarg.uid", "5");
    w.user_added(5, 6, "test", "/test", "/bin/test");
    setuid(w);
    w.expect_all(133, &[("evt.arg.uid", "test"), ("evt.arg[1]", "test"), ("evt.args", "res=0 uid=5(test)")]);
    w.user_deleted(5);
    setuid(w);
    w.expect_all(141, &[("evt.arg.uid", "<NA>"), ("evt.arg[1]", "<NA>"), ("evt.args", "res=0 uid=5(<NA>)")]);
}

fn thread_proc_info(w: &mut World) {
    w.tree();
    let counts = |process, thread| [("evt.count.procinfo", process), ("evt.count.threadinfo", thread)];
    w.any(INIT);
    w.expect_all(173, &counts("0", "0"));
    w.any(6);
    w.expect_all(178, &counts("0", "0"));
    w.event(INIT, code::PROCINFO_E, &[P::I(0), P::I(0)]);
    w.expect_all(188, &counts("1", "1"));
    w.event(6, code::PROCINFO_E, &[P::I(0), P::I(0)]);
    w.expect_all(198, &counts("0", "1"));
}

/// A user 0 that nobody describes is root.
fn loaded_user_entry(w: &mut World) {
    w.open(INIT, 3, "/home/file.txt");
    w.expect_all(154, &[("user.uid", "0"), ("user.name", "root"), ("user.homedir", "/root")]);
    w.expect(0, "user.shell", "<NA>");
}

fn existent_user_entry(w: &mut World) {
    w.begin_with(|tables| (tables.threads[0].uid, tables.threads[0].gid, tables.threads[0].loginuid) = (1000, 1000, 0));
    w.user_added(1000, 1000, "foo", "/foo", "/bin/bash");
    w.open(INIT, 3, "/home/file.txt");
    let of = |name, home, shell| {
        [
            ("user.uid", "1000"),
            ("user.loginuid", "0"),
            ("user.name", name),
            ("user.homedir", home),
            ("user.shell", shell),
            ("user.loginname", "root"),
        ]
    };
    of("foo", "/foo", "/bin/bash").iter().for_each(|(field, want)| w.expect(0, field, want));
    w.user_deleted(1000);
    w.any(INIT);
    of("<NA>", "<NA>", "<NA>").iter().for_each(|(field, want)| w.expect(0, field, want));
    w.user_added(1000, 1000, "bar", "/bar", "/bin/bash");
    w.any(INIT);
    of("bar", "/bar", "/bin/bash").iter().for_each(|(field, want)| w.expect(0, field, want));
}

fn user_entry_without_metadata(w: &mut World) {
    w.user_added(0, 0, "", "", "");
    w.any(INIT);
    for (field, want) in [("user.uid", "0"), ("user.name", ""), ("user.homedir", ""), ("user.shell", "")] {
        w.expect(0, field, want);
    }
}

fn static_field(w: &mut World) {
    w.fix("example", "example_value");
    w.open(INIT, 3, "/home/file.txt");
    w.expect(88, "static.example", "example_value");
}

fn setuid_setgid(w: &mut World) {
    for (event, res, id, field, want) in [
        (code::SYSCALL_SETUID_X, 0, 500, "user.uid", "500"),
        (code::SYSCALL_SETGID_X, 0, 600, "group.gid", "600"),
        (code::SYSCALL_SETUID_X, -1, 0, "user.uid", "500"),
        (code::SYSCALL_SETGID_X, -1, 0, "group.gid", "600"),
    ] {
        w.event(INIT, event, &[P::I(res), P::W(id)]);
        w.expect(0, field, want);
    }
}

fn setresuid_setresgid(w: &mut World) {
    for (event, res, id, field, want) in [
        (code::SYSCALL_SETRESUID_X, 0, 600, "user.uid", "600"),
        (code::SYSCALL_SETRESUID_X, -1, 0, "user.uid", "600"),
        (code::SYSCALL_SETRESGID_X, 0, 600, "group.gid", "600"),
    ] {
        w.event(INIT, event, &[P::I(res), P::W(id), P::W(id), P::W(id)]);
        w.expect(0, field, want);
    }
}
