//! Old versions of events, as captures of former years hold them, have the state effects of today's: the conversion
//! writes them anew, and nothing that they say is lost on the way.

use crate::build::{P, P::*, Shown, apply, event, fd, find, state, thread};
use peregrine_capture::convert::{Converter, Outcome};
use peregrine_event::code::*;
use peregrine_event::{Event, table};
use peregrine_state::{FdType, Role, State};

const SECOND: u64 = 1_000_000_000;

/// A state that is fed with old events.
struct Old {
    state: State,
    converter: Converter,
}

impl Old {
    fn new() -> Self {
        Self { state: state(), converter: Converter::default() }
    }

    /// What became of an event, if anything.
    fn act(&mut self, tid: i64, code: u16, params: &[P<'_>]) -> Option<Shown> {
        let bytes = event(SECOND, tid, code, params);
        let old = Event::parse(&bytes, 0).expect("a well-formed event");
        match self.converter.convert(&old).expect("it has a form of today") {
            Outcome::Pass => Some(apply(&mut self.state, &bytes)),
            Outcome::Converted => Some(apply(&mut self.state, self.converter.bytes())),
            Outcome::Drop => None,
        }
    }

    /// A call in two events.
    fn call(&mut self, enter: (u16, &[P<'_>]), exit: &[P<'_>]) -> Shown {
        self.act(10, enter.0, enter.1);
        self.act(10, enter.0 + 1, exit).expect("exits are events today")
    }
}

/// The parameters of an old event by their names; those that are not named have no value.
fn by_name<'a>(code: u16, named: &[(&str, P<'a>)]) -> Vec<P<'a>> {
    let copy = |value: &P<'a>| match *value {
        No => No,
        I(v) => I(v),
        W(v) => W(v),
        B(v) => B(v),
        T(v) => T(v),
        R(v) => R(v),
    };
    let params = table::EVENTS[usize::from(code)].params.iter();
    params.map(|p| named.iter().find(|(name, _)| *name == p.name).map_or(No, |(_, value)| copy(value))).collect()
}

#[test]
fn clones_of_all_versions() {
    for code in [
        SYSCALL_CLONE_11_X,
        SYSCALL_CLONE_16_X,
        SYSCALL_CLONE_17_X,
        SYSCALL_CLONE_20_X,
        SYSCALL_FORK_X,
        SYSCALL_FORK_17_X,
        SYSCALL_FORK_20_X,
        SYSCALL_VFORK_X,
        SYSCALL_VFORK_17_X,
        SYSCALL_VFORK_20_X,
        SYSCALL_CLONE3_X,
    ] {
        let symbol = table::EVENTS[usize::from(code)].symbol;
        let named = |result, tid, ptid| {
            let ids = [("res", I(result)), ("tid", I(tid)), ("pid", I(tid)), ("ptid", I(ptid))];
            let texts = [("exe", T("/bin/sh")), ("args", R(b"-c\0ls\0")), ("cwd", T("")), ("comm", T("sh"))];
            let rest = [("fdlimit", I(77)), ("flags", W(0)), ("uid", W(5)), ("gid", W(6)), ("vtid", I(tid))];
            let more = [("vpid", I(tid)), ("cgroups", R(b"cpu=/\0")), ("pgft_maj", I(1)), ("pgft_min", I(2))];
            by_name(code, &ids.into_iter().chain(texts).chain(rest).chain(more).collect::<Vec<_>>())
        };
        let mut old = Old::new();
        old.act(10, code, &named(20, 10, 1));
        let vfork = symbol.contains("VFORK");
        assert_eq!(find(&old.state, 20).is_some(), !vfork, "{symbol}: of vfork, the child tells");
        old.act(20, code, &named(0, 20, 10));
        let child = thread(&old.state, 20);
        assert_eq!((child.pid, child.ptid, child.fdlimit, child.clone_ts), (20, 10, 77, SECOND), "{symbol}");
        assert_eq!((child.uid, child.gid), (5, 6), "{symbol}");
        assert_eq!((&child.exe[..], &child.cwd[..]), (&b"/bin/sh"[..], &b"/home/me/"[..]), "{symbol}");
        assert_eq!(child.args().collect::<Vec<_>>(), [&b"-c"[..], b"ls"], "{symbol}");
        let named = table::EVENTS[usize::from(code)].params.iter().any(|p| p.name == "comm");
        let comm: &[u8] = if named { b"sh" } else { b"/bin/sh" };
        assert_eq!(child.comm, comm, "{symbol}: the first two had no name of their own");
        assert!(fd(&old.state, 20, 3).is_some(), "{symbol}");
    }
}

#[test]
fn executions_of_all_versions() {
    for code in [
        SYSCALL_EXECVE_8_X,
        SYSCALL_EXECVE_13_X,
        SYSCALL_EXECVE_14_X,
        SYSCALL_EXECVE_15_X,
        SYSCALL_EXECVE_16_X,
        SYSCALL_EXECVE_17_X,
        SYSCALL_EXECVE_18_X,
        SYSCALL_EXECVE_19_X,
        SYSCALL_EXECVEAT_X,
    ] {
        let symbol = table::EVENTS[usize::from(code)].symbol;
        let ids = [("res", I(0)), ("tid", I(10)), ("pid", I(10)), ("ptid", I(1)), ("fdlimit", I(77)), ("pgid", I(9))];
        let texts =
            [("exe", T("/bin/it")), ("args", R(b"-x\0")), ("cwd", T("")), ("comm", T("it")), ("env", R(b"B=2\0"))];
        let rest = [("cgroups", R(b"cpu=/a\0")), ("tty", W(3)), ("loginuid", W(8)), ("uid", W(5)), ("vpgid", I(4))];
        let params = by_name(code, &ids.into_iter().chain(texts).chain(rest).collect::<Vec<_>>());
        let has = |name| table::EVENTS[usize::from(code)].params.iter().any(|p| p.name == name);
        let mut old = Old::new();
        old.act(10, SYSCALL_OPEN_X, &[I(4), T("/f"), W(0x1001), W(0), No, No]);
        if matches!(code, SYSCALL_EXECVE_18_X | SYSCALL_EXECVE_19_X) {
            old.act(10, code - 1, &[T("bin/it")]);
        }
        old.act(10, code, &params);
        let it = thread(&old.state, 10);
        assert_eq!((&it.exe[..], it.args().count(), it.lastexec_ts), (&b"/bin/it"[..], 1, SECOND), "{symbol}");
        assert_eq!((it.pid, it.ptid, it.fdlimit), (10, 1, 77), "{symbol}");
        assert_eq!(&it.comm[..], if has("comm") { &b"it"[..] } else { b"/bin/it" }, "{symbol}");
        assert_eq!(&it.env[..], if has("env") { &b"B=2\0"[..] } else { b"A=1\0" }, "{symbol}: kept where not told");
        assert_eq!(it.uid, if has("uid") { 5 } else { 1000 }, "{symbol}");
        assert_eq!(it.tty, if has("tty") { 3 } else { 0 }, "{symbol}");
        if matches!(code, SYSCALL_EXECVE_18_X | SYSCALL_EXECVE_19_X) {
            assert_eq!(it.exepath, b"/home/me/bin/it", "{symbol}: the enter event has the path");
        }
        assert!(fd(&old.state, 10, 4).is_none() && fd(&old.state, 10, 3).is_some(), "{symbol}: close-on-exec");
    }
}

#[test]
fn calls_whose_exit_told_only_the_result() {
    let tuple = [&[2, 10, 0, 0, 1][..], &4000u16.to_le_bytes(), &[10, 0, 0, 2], &80u16.to_le_bytes()].concat();
    let addr = [&[2, 10, 0, 0, 2][..], &80u16.to_le_bytes()].concat();
    type Check = fn(&State, &Shown) -> bool;
    #[rustfmt::skip]
    let calls: &[(u16, Vec<P<'_>>, Vec<P<'_>>, Check)] = &[
        (SYSCALL_CLOSE_E, vec![I(3)], vec![I(0)], |s, _| fd(s, 10, 3).is_none()),
        (SYSCALL_DUP_E, vec![I(3)], vec![I(7)], |s, e| fd(s, 10, 7).unwrap().name == b"/srv" && e.context.fd_num == 7),
        (SYSCALL_OPENAT_E, vec![I(3), T("a"), W(1), W(0)], vec![I(7)], |s, _| fd(s, 10, 7).unwrap().name == b"/srv/a"),
        (SYSCALL_OPENAT_E, vec![I(-100), T("a"), W(1), W(0)], vec![I(7)],
            |s, _| fd(s, 10, 7).unwrap().name == b"/home/me/a"),
        (SYSCALL_FCHDIR_E, vec![I(3)], vec![I(0)], |s, _| thread(s, 10).cwd == b"/srv/"),
        (SYSCALL_SETUID_E, vec![W(7)], vec![I(0)], |s, _| thread(s, 10).uid == 7),
        (SYSCALL_SETUID_E, vec![W(7)], vec![I(-1)], |s, _| thread(s, 10).uid == 1000),
        (SYSCALL_SETGID_E, vec![W(7)], vec![I(0)], |s, _| thread(s, 10).gid == 7),
        (SYSCALL_SETRESUID_E, vec![W(1), W(7), W(3)], vec![I(0)], |s, _| thread(s, 10).uid == 7),
        (SYSCALL_SETRESGID_E, vec![W(1), W(7), W(3)], vec![I(0)], |s, _| thread(s, 10).gid == 7),
        (SYSCALL_UNSHARE_E, vec![W(0x1000_0000)], vec![I(0)], |s, _| thread(s, 10).cap_effective == 0),
        (SYSCALL_SETRLIMIT_E, vec![B(7)], vec![I(0), I(99), I(100)], |s, _| thread(s, 10).fdlimit == 99),
        (SYSCALL_GETRLIMIT_E, vec![B(7)], vec![I(0), I(98), I(100)], |s, _| thread(s, 10).fdlimit == 98),
        (SYSCALL_GETRLIMIT_E, vec![B(3)], vec![I(0), I(98), I(100)], |s, _| thread(s, 10).fdlimit == 0),
        (SYSCALL_PRLIMIT_E, vec![I(0), B(7)], vec![I(0), I(97), I(9), I(9), I(9)], |s, _| thread(s, 10).fdlimit == 97),
        (SYSCALL_FCNTL_E, vec![I(3), B(1)], vec![I(7)], |s, _| fd(s, 10, 7).unwrap().name == b"/srv"),
        (SYSCALL_FCNTL_E, vec![I(3), B(0x1a)], vec![I(7)], |s, _| fd(s, 10, 7).unwrap().cloexec),
        (SYSCALL_EVENTFD_E, vec![I(0), W(0)], vec![I(7)], |s, _| fd(s, 10, 7).unwrap().ty == FdType::Event),
        (SYSCALL_SIGNALFD_E, vec![I(-1), W(0), B(0)], vec![I(7)], |s, _| fd(s, 10, 7).unwrap().ty == FdType::SignalFd),
        (SYSCALL_TIMERFD_CREATE_E, vec![B(0), B(0)], vec![I(7)], |s, _| fd(s, 10, 7).unwrap().ty == FdType::TimerFd),
        (SYSCALL_INOTIFY_INIT_E, vec![B(0)], vec![I(7)], |s, _| fd(s, 10, 7).unwrap().ty == FdType::Inotify),
        (SYSCALL_EPOLL_CREATE_E, vec![W(5)], vec![I(7)], |s, _| fd(s, 10, 7).unwrap().ty == FdType::EventPoll),
        (SYSCALL_EPOLL_CREATE1_E, vec![W(1)], vec![I(7)], |s, _| fd(s, 10, 7).unwrap().cloexec),
        (SOCKET_SOCKET_E, vec![W(2), W(2), W(0)], vec![I(7)],
            |s, _| (fd(s, 10, 7).unwrap().ty, fd(s, 10, 7).unwrap().l4proto) == (FdType::Ipv4Sock, 3)),
        (SOCKET_SOCKETPAIR_E, vec![W(1), W(1), W(0)], vec![I(0), I(7), I(8), I(0xa), I(0xb)],
            |s, _| fd(s, 10, 7).unwrap().ty == FdType::UnixSock && fd(s, 10, 8).is_some()),
        (SOCKET_ACCEPT_E, vec![], vec![I(7), R(&tuple), B(0)],
            |s, _| fd(s, 10, 7).unwrap().role == Role::Server && fd(s, 10, 7).unwrap().name.ends_with(b"10.0.0.2:80")),
        (SOCKET_ACCEPT4_E, vec![W(0)], vec![I(7), R(&tuple), B(0)], |s, _| fd(s, 10, 7).unwrap().role == Role::Server),
        (SOCKET_ACCEPT4_5_E, vec![W(0)], vec![I(7), R(&tuple), B(0), W(0), W(0)],
            |s, _| fd(s, 10, 7).unwrap().role == Role::Server),
        (SOCKET_SENDTO_E, vec![I(7), W(1), R(&tuple)], vec![I(1), R(b"x")],
            |s, _| fd(s, 10, 7).unwrap().name == b"10.0.0.1:4000->10.0.0.2:80"),
        (SOCKET_SENDMSG_E, vec![I(7), W(1), R(&tuple)], vec![I(1), R(b"x")], |s, _| fd(s, 10, 7).is_some()),
        (SYSCALL_BRK_4_E, vec![I(0)], vec![I(0), W(11), W(12), W(13)], |s, _| thread(s, 10).vmrss_kb == 12),
        (SYSCALL_MUNMAP_E, vec![I(0), I(0)], vec![I(0), W(11), W(12), W(13)], |s, _| thread(s, 10).vmswap_kb == 13),
        (SYSCALL_MMAP_E, vec![I(0), I(0), W(0), W(0), I(3), I(0)], vec![I(0), W(11), W(12), W(13)],
            |s, e| thread(s, 10).vmsize_kb == 11 && e.fd.as_ref().unwrap().name == b"/srv"),
    ];
    for (enter, at_enter, at_exit, check) in calls {
        let mut old = Old::new();
        let shown = old.call((*enter, at_enter), at_exit);
        assert!(check(&old.state, &shown), "{} {:?}", table::EVENTS[usize::from(*enter)].symbol, shown.fd);
    }
    // A socket from its first call to its last.
    let mut old = Old::new();
    old.call((SOCKET_SOCKET_E, &[W(2), W(1), W(0)]), &[I(7)]);
    old.call((SOCKET_CONNECT_E, &[I(7)]), &[I(0), R(&tuple)]);
    let socket = fd(&old.state, 10, 7).unwrap();
    assert_eq!((&socket.name[..], socket.role), (&b"10.0.0.1:4000->10.0.0.2:80"[..], Role::Client));
    let read = old.call((SYSCALL_READ_E, &[I(7), W(1)]), &[I(1), R(b"x")]);
    assert!(read.fd.unwrap().connected);
    old.call((SOCKET_SOCKET_E, &[W(2), W(1), W(0)]), &[I(8)]);
    old.call((SOCKET_BIND_E, &[I(8)]), &[I(0), R(&addr)]);
    assert_eq!(fd(&old.state, 10, 8).unwrap().ty, FdType::Ipv4ServSock);
    let received = old.call((SOCKET_RECVFROM_E, &[I(8), W(1)]), &[I(1), R(b"x"), R(&tuple)]);
    assert_eq!(received.fd.unwrap().name, b"10.0.0.1:4000->10.0.0.2:80");
}

#[test]
fn events_that_are_no_calls() {
    let mut old = Old::new();
    old.act(-1, CONTAINER_E, &[T("c1"), W(0), T("web \"one\""), T("nginx")]);
    old.act(-1, CONTAINER_JSON_E, &[T(r#"{"container":{"id":"c2","image":"redis"}}"#)]);
    assert_eq!(old.state.container(b"c1").unwrap().name, "web \"one\"");
    assert_eq!(old.state.container(b"c2").unwrap().image, "redis");
    old.act(10, SCHEDSWITCH_1_E, &[I(1)]);
    assert_eq!(thread(&old.state, 10).pfmajor, 0, "the first told nothing of the thread");
    old.act(10, PROCEXIT_E, &[]);
    assert!(find(&old.state, 10).is_none());
    let mut short = Old::new();
    short.act(10, PROCEXIT_1_E, &[I(0)]);
    assert!(find(&short.state, 10).is_none());
}
