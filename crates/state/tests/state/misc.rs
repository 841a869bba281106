//! Directories, credentials, limits, sizes, accounts, containers, events that belong to nobody.

use crate::build::{P::*, act, apply, event, fd, find, state, thread};
use peregrine_capture::tables::{Tables, Thread};
use peregrine_event::code::*;
use peregrine_event::defines::PPM_CL_CLONE_NEWUSER;
use peregrine_state::{Options, State};

#[test]
fn directories() {
    let mut state = state();
    for (code, params, want) in [
        (SYSCALL_CHDIR_X, [I(0), T("../x")], "/home/x/"),
        (SYSCALL_FCHDIR_X, [I(0), I(3)], "/srv/"),
        (SYSCALL_GETCWD_X, [I(5), T("/var")], "/var/"),
        (SYSCALL_CHDIR_X, [I(-2), T("/no")], "/var/"),
        (SYSCALL_FCHDIR_X, [I(0), I(99)], "/var/"),
        (SYSCALL_CHDIR_X, [I(0), T("/")], "/"),
    ] {
        act(&mut state, 10, code, &params);
        assert_eq!(thread(&state, 10).cwd, want.as_bytes());
    }
    act(&mut state, 10, SYSCALL_CHROOT_X, &[I(0), T("jail/../cell")]);
    assert_eq!(thread(&state, 10).root, b"/cell");
}

#[test]
fn ids_and_capabilities() {
    let mut state = state();
    act(&mut state, 10, SYSCALL_SETRESUID_X, &[I(0), W(1), W(2), W(3)]);
    assert_eq!(thread(&state, 10).uid, 2);
    act(&mut state, 10, SYSCALL_SETUID_X, &[I(0), W(7)]);
    act(&mut state, 10, SYSCALL_SETREUID_X, &[I(-1), W(8), W(8)]);
    assert_eq!(thread(&state, 10).uid, 7, "failed calls change nothing");
    act(&mut state, 10, SYSCALL_SETREGID_X, &[I(0), W(8), W(9)]);
    act(&mut state, 10, SYSCALL_SETSID_X, &[I(10)]);
    act(&mut state, 10, SYSCALL_CAPSET_X, &[I(0), I(1), I(2), I(4)]);
    let shell = thread(&state, 10);
    assert_eq!((shell.gid, shell.sid), (9, 10));
    assert_eq!((shell.cap_inheritable, shell.cap_permitted, shell.cap_effective), (1, 2, 4));
    act(&mut state, 10, SYSCALL_UNSHARE_X, &[I(0), W(0x20)]);
    assert_eq!(thread(&state, 10).cap_effective, 4);
    act(&mut state, 10, SYSCALL_SETNS_X, &[I(0), I(3), W(PPM_CL_CLONE_NEWUSER as u32)]);
    assert_eq!(thread(&state, 10).cap_effective, (1 << 41) - 1);
}

#[test]
fn limits_and_sizes() {
    let mut state = state();
    act(&mut state, 10, SYSCALL_SETRLIMIT_X, &[I(0), I(256), I(512), B(7)]);
    act(&mut state, 10, SYSCALL_SETRLIMIT_X, &[I(0), I(1), I(1), B(3)]);
    assert_eq!(thread(&state, 10).fdlimit, 256);
    act(&mut state, 1, SYSCALL_PRLIMIT_X, &[I(0), I(99), I(99), I(-1), I(-1), I(10), B(7)]);
    assert_eq!(thread(&state, 10).fdlimit, 99);
    act(&mut state, 10, SYSCALL_PRLIMIT_X, &[I(0), I(-1), I(-1), I(99), I(99), I(0), B(7)]);
    assert_eq!(thread(&state, 10).fdlimit, 99, "nothing was set");
    act(&mut state, 10, SYSCALL_BRK_4_X, &[I(0), W(11), W(12), W(13), I(0)]);
    act(&mut state, 10, SCHEDSWITCH_6_E, &[I(1), I(21), I(22), W(23), W(24), W(25)]);
    let shell = thread(&state, 10);
    assert_eq!((shell.pfmajor, shell.vmsize_kb, shell.vmswap_kb), (21, 23, 25));
}

#[test]
fn accounts_and_containers() {
    let mut state = state();
    act(&mut state, -1, USER_ADDED_E, &[W(5), W(6), T("ann"), T("/h"), T("/s"), T("")]);
    act(&mut state, -1, USER_ADDED_E, &[W(5), W(6), T("bob"), T("/h"), T("/s"), T("c1")]);
    act(&mut state, -1, GROUP_ADDED_E, &[W(6), T("grp"), T("")]);
    assert_eq!(state.user(b"", 5).unwrap().name, b"ann");
    assert_eq!(state.user(b"c1", 5).unwrap().name, b"bob");
    assert_eq!(state.group(b"", 6).unwrap().name, b"grp");
    act(&mut state, -1, USER_DELETED_E, &[W(5), W(6), T(""), T(""), T(""), T("")]);
    assert!(state.user(b"", 5).is_none() && state.user(b"c1", 5).is_some());
    act(&mut state, -1, CONTAINER_JSON_2_E, &[T(r#"{"id":"c1","type":0,"name":"web","image":"nginx"}"#)]);
    assert_eq!(state.container(b"c1").unwrap().image, "nginx");
    act(&mut state, -1, CONTAINER_JSON_2_E, &[T("{\"id\":")]);
    assert_eq!(state.counters().n_containers, 1);
    assert!(find(&state, -1).is_none(), "such events are nobody's");
}

#[test]
fn containers_that_a_plugin_tells_of() {
    let mut state = state();
    let tell = |state: &mut State, name: &str, json: &str| {
        act(state, -1, ASYNCEVENT_E, &[W(0), T(name), T(json)]);
    };
    let json = r#"{"container":{"id":"c1","name":"web","image":"nginx","type":0}}"#;
    tell(&mut state, "else", json);
    assert!(state.container(b"c1").is_none(), "another plugin's");
    tell(&mut state, "container", json);
    assert_eq!(state.container(b"c1").unwrap().name, "web");
    tell(&mut state, "container_removed", r#"{"container":{"id":"c2"}}"#);
    tell(&mut state, "container_removed", "junk");
    assert_eq!(state.counters().n_containers, 1);
    tell(&mut state, "container_removed", json);
    assert_eq!((state.counters().n_containers, find(&state, -1).is_none()), (0, true));
}

/// A thread in a container that nobody told of makes it wanted, once; the answer comes as an event.
#[test]
fn containers_that_are_met() {
    let id = "3f9a0c27d8e14b5f6a7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c";
    let cgroups = format!("cpu=/docker/{id}\0").into_bytes();
    let thread = Thread { tid: 10, pid: 10, ptid: 1, cgroups, ..Thread::default() };
    let tables = || Tables { threads: vec![thread.clone()], ..Tables::default() };
    assert!(State::new(tables()).take_wanted().is_empty(), "on replay nobody answers");
    let mut state = State::with_options(tables(), Options { discover: true, ..Options::default() });
    let wanted = state.take_wanted();
    assert_eq!((wanted.len(), &*wanted[0].id, wanted[0].tid), (1, &id.as_bytes()[..12], 10));
    assert_eq!((&*wanted[0].full_id, &*wanted[0].cgroup), (id.as_bytes(), format!("/docker/{id}").as_bytes()));
    assert!(state.container_is_asked(b"3f9a0c27d8e1") == Some(true) && !state.has_wanted());
    act(&mut state, -1, ASYNCEVENT_E, &[W(0), T("container"), T(r#"{"container":{"id":"3f9a0c27d8e1"}}"#)]);
    assert!(state.container_is_asked(b"3f9a0c27d8e1") == Some(false) && state.container(b"3f9a0c27d8e1").is_some());
}

/// Joined to more than a capture holds, a path is none.
#[test]
fn paths_that_are_too_long() {
    let mut state = state();
    let long = format!("/{}", ["A", "B", "C"].map(|c| c.repeat(1000)).join("/"));
    for (code, params) in [
        (SYSCALL_OPEN_X, vec![I(7), T(&long), W(1), W(0), W(5), I(123)]),
        (SYSCALL_OPEN_BY_HANDLE_AT_X, vec![I(7), I(5), W(1), T(&long), W(0), I(0)]),
    ] {
        assert_eq!(act(&mut state, 10, code, &params).fd.unwrap().name, b"/DIR_TOO_LONG/FILENAME_TOO_LONG");
    }
    let unknown = act(&mut state, 10, SYSCALL_OPEN_BY_HANDLE_AT_X, &[I(7), I(5), W(1), T("<NA>"), W(0), I(0)]);
    assert_eq!(unknown.fd.unwrap().name, b"<NA>");
    let odd = act(&mut state, 10, SYSCALL_OPEN_X, &[I(8), R(b"/tmp/bad\xff\0"), W(1), W(0), W(5), I(1)]);
    assert_eq!(odd.fd.unwrap().name, b"/tmp/bad\xff", "bytes that are no text stay");
}

/// What upstream's parser looks at without changing anything.
#[test]
fn events_without_effect() {
    let mut state = state();
    act(&mut state, 10, SOCKET_SOCKET_X, &[I(4), W(2), W(1), W(0), W(0)]);
    let before = thread(&state, 10).clone();
    for (code, params) in [
        (SOCKET_SHUTDOWN_X, vec![I(0), I(4), B(2)]),
        (SOCKET_GETSOCKOPT_X, vec![I(0), I(4), B(1), B(4), R(&[1, 111, 0, 0, 0, 0, 0, 0, 0]), W(4)]),
        (SYSCALL_SENDFILE_X, vec![I(5), I(0), I(4), I(3), I(5)]),
        (SYSCALL_WRITE_X, vec![I(-32), R(b""), I(4), W(1)]),
        (SYSCALL_SETPGID_X, vec![I(0), I(10), I(77)]),
        (SYSCALL_PRCTL_X, vec![I(0), W(15), T("other"), I(0)]),
    ] {
        act(&mut state, 10, code, &params);
        let (now, then) = (thread(&state, 10), &before);
        assert_eq!((now.pgid, now.vpgid, &now.comm), (then.pgid, then.vpgid, &then.comm), "{code}");
        let socket = fd(&state, 10, 4).unwrap();
        assert_eq!(
            (socket.connected, &socket.name[..], fd(&state, 10, 3).is_some()),
            (false, &b""[..], true),
            "{code}"
        );
    }
    act(&mut state, -1, CPU_HOTPLUG_E, &[W(1), W(0)]);
    act(&mut state, -1, PLUGINEVENT_E, &[W(1), R(b"x")]);
    assert_eq!(state.counters().n_threads, 2, "and none of them makes a thread of nobody");
}

#[test]
fn every_event_counts_and_times_follow() {
    let mut state = state();
    assert_eq!(apply(&mut state, &event(5, -1, USER_DELETED_E, &[])).context.num, 1);
    assert_eq!(apply(&mut state, &event(6, 10, SYSCALL_CHDIR_X, &[I(0), T("/")])).context.num, 2);
    apply(&mut state, &event(9, 10, SYSCALL_CHDIR_X, &[I(0), T("/")]));
    apply(&mut state, &event(20, 10, SCHEDSWITCH_6_E, &[]));
    assert_eq!((thread(&state, 10).lastevent_ts, thread(&state, 10).prevevent_ts), (9, 6));
}

/// As the kernel does it; upstream follows `setsid` in part and `setpgid` not at all.
#[test]
fn sessions_and_process_groups() {
    use crate::build::{cloned, with_records};
    use peregrine_event::defines::{PPM_CL_CHILD_IN_PIDNS, PPM_CL_CLONE_FILES, PPM_CL_CLONE_THREAD};
    use peregrine_event::record::Tag;
    let own: &[(Tag, &[u8])] = &[(Tag::Marks, &[0; 4])];
    let grown = || {
        let mut state = state();
        let flags = PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES;
        act(&mut state, 10, SYSCALL_CLONE_20_X, &cloned(11, 10, 1, flags, 10));
        act(&mut state, 10, SYSCALL_CLONE_20_X, &cloned(20, 10, 1, 0, 10));
        // In a namespace of its own, where it is 7.
        let mut params = cloned(0, 30, 10, PPM_CL_CHILD_IN_PIDNS, 7);
        params[19] = I(7);
        act(&mut state, 30, SYSCALL_CLONE_20_X, &params);
        state
    };
    let groups = |state: &State, tid: i64| (thread(state, tid).pgid, thread(state, tid).vpgid);
    let before = groups(&grown(), 20);
    for (caller, pid, group, changed, want) in [
        (20, 0, 0, 20, (20, 20)),
        (10, 20, 0, 20, (20, 20)),
        (10, 20, 10, 20, (10, 10)),
        (11, 0, 0, 10, (10, 10)),
        (11, 10, 10, 11, (10, 10)),
        (30, 0, 0, 30, (30, 7)),
        (30, 7, 7, 30, (30, 7)),
        (30, 0, 1, 30, before),
        (30, 20, 0, 20, before),
    ] {
        let mut state = grown();
        let params = [I(0), I(pid), I(group)];
        apply(&mut state, &with_records(1, caller, SYSCALL_SETPGID_X, &params, own));
        assert_eq!(groups(&state, changed), want, "setpgid({pid}, {group}) by {caller}");
        apply(&mut state, &with_records(1, caller, SYSCALL_SETPGID_X, &[I(-1), I(pid), I(77)], own));
        assert_eq!(groups(&state, changed), want, "it failed");
    }
    let mut state = grown();
    apply(&mut state, &with_records(1, 11, SYSCALL_SETSID_X, &[I(10)], own));
    for tid in [10, 11] {
        let thread = thread(&state, tid);
        assert_eq!((thread.sid, thread.pgid, thread.vpgid, thread.tty), (10, 10, 10, 0));
    }
    let mut replayed = grown();
    act(&mut replayed, 20, SYSCALL_SETSID_X, &[I(20)]);
    assert_eq!((thread(&replayed, 20).sid, groups(&replayed, 20)), (20, before));
}

/// As the kernel does it, which upstream does not follow.
#[test]
fn capabilities_go_with_the_superuser() {
    use crate::build::with_records;
    use peregrine_event::record::Tag;
    let own: &[(Tag, &[u8])] = &[(Tag::Marks, &[0; 4])];
    for (before, code, params, want) in [
        (0, SYSCALL_SETUID_X, vec![I(0), W(5)], (1, 0, 0)),
        (0, SYSCALL_SETRESUID_X, vec![I(0), W(5), W(5), W(5)], (1, 0, 0)),
        (0, SYSCALL_SETRESUID_X, vec![I(0), W(u32::MAX), W(5), W(u32::MAX)], (1, 7, 0)),
        (0, SYSCALL_SETREUID_X, vec![I(0), W(0), W(5)], (1, 7, 0)),
        (0, SYSCALL_SETRESUID_X, vec![I(0), W(5), W(u32::MAX), W(5)], (1, 7, 4)),
        (0, SYSCALL_SETUID_X, vec![I(0), W(0)], (1, 7, 4)),
        (0, SYSCALL_SETUID_X, vec![I(-1), W(5)], (1, 7, 4)),
        (5, SYSCALL_SETRESUID_X, vec![I(0), W(u32::MAX), W(0), W(u32::MAX)], (1, 7, 7)),
        (5, SYSCALL_SETUID_X, vec![I(0), W(6)], (1, 7, 4)),
    ] {
        for (records, want) in [(own, want), (&[], (1, 7, 4))] {
            let mut state = state();
            act(&mut state, 10, SYSCALL_SETUID_X, &[I(0), W(before)]);
            act(&mut state, 10, SYSCALL_CAPSET_X, &[I(0), I(1), I(7), I(4)]);
            apply(&mut state, &with_records(1, 10, code, &params, records));
            let thread = thread(&state, 10);
            let caps = (thread.cap_inheritable, thread.cap_permitted, thread.cap_effective);
            assert_eq!(caps, want, "{code} from {before}");
        }
    }
}

#[test]
fn asking_for_a_limit_sets_none() {
    use crate::build::with_records;
    use peregrine_event::record::Tag;
    let mut state = state();
    let asks = [I(0), I(0), I(0), I(99), I(100), I(0), B(7)];
    act(&mut state, 10, SYSCALL_PRLIMIT_X, &[I(0), I(50), I(50), I(1), I(1), I(0), B(7)]);
    act(&mut state, 10, SYSCALL_PRLIMIT_X, &asks);
    assert_eq!(thread(&state, 10).fdlimit, 0, "upstream");
    apply(&mut state, &with_records(1, 10, SYSCALL_PRLIMIT_X, &asks, &[(Tag::Marks, &[0; 4])]));
    assert_eq!(thread(&state, 10).fdlimit, 99);
}
