//! Directories, credentials, limits, sizes, accounts, containers, events that belong to nobody.

use crate::build::{P::*, act, apply, event, find, state, thread};
use peregrine_event::code::*;
use peregrine_event::defines::PPM_CL_CLONE_NEWUSER;

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
    assert_eq!(state.container(b"c1").unwrap().image, b"nginx");
    act(&mut state, -1, CONTAINER_JSON_2_E, &[T("{\"id\":")]);
    assert_eq!(state.counters().n_containers, 1);
    assert!(find(&state, -1).is_none(), "such events are nobody's");
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
