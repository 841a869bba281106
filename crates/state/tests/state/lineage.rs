//! Threads: who made whom, what is inherited, what exec changes, who takes orphans.

use crate::build::{P::*, act, apply, cloned, event, exec, fd, find, slot, state, thread, with_records};
use peregrine_event::code::*;
use peregrine_event::defines::*;
use peregrine_event::record::Tag;
use peregrine_state::{Limits, Options, State};

const SECOND: u64 = 1_000_000_000;

fn spawn(state: &mut State, parent: i64, child: i64) {
    apply(state, &event(SECOND, parent, SYSCALL_CLONE_20_X, &cloned(child, parent, 1, 0, parent)));
}

#[test]
fn the_callers_event_makes_the_child() {
    let mut state = state();
    spawn(&mut state, 10, 20);
    let child = thread(&state, 20);
    assert_eq!((child.pid, child.ptid, child.sid, child.clone_ts), (20, 10, 10, SECOND));
    assert_eq!(
        (&child.cmdline[..], &child.cwd[..], &child.env[..]),
        (&b"sh -c ls"[..], &b"/home/me/"[..], &b"A=1\0"[..])
    );
    assert_eq!((&child.exepath[..], child.uid, child.fdlimit), (&b"/bin/sh"[..], 1000, 1024));
    assert_eq!(fd(&state, 20, 3).unwrap().name, b"/srv", "descriptors are copied");
    assert_eq!(state.parent(child).unwrap().tid, 10);
    act(&mut state, 20, SYSCALL_CLOSE_X, &[I(0), I(3)]);
    assert!(fd(&state, 10, 3).is_some(), "and are its own");
    // The child's own event finds it made.
    apply(&mut state, &event(SECOND + 5, 20, SYSCALL_CLONE_20_X, &cloned(0, 20, 10, 0, 20)));
    assert_eq!(thread(&state, 20).clone_ts, SECOND);
}

#[test]
fn the_childs_event_makes_it_where_the_callers_may_not() {
    for flags in [PPM_CL_CHILD_IN_PIDNS, PPM_CL_CLONE_NEWPID, PPM_CL_CLONE_PARENT, PPM_CL_CLONE_VFORK] {
        let mut state = state();
        apply(&mut state, &event(SECOND, 10, SYSCALL_CLONE_20_X, &cloned(20, 10, 1, flags, 10)));
        assert!(find(&state, 20).is_none(), "{flags:x}");
        apply(&mut state, &event(SECOND, 20, SYSCALL_CLONE_20_X, &cloned(0, 20, 10, flags, 5)));
        let child = thread(&state, 20);
        assert_eq!((child.ptid, child.vtid, &child.cwd[..]), (10, 5, &b"/home/me/"[..]));
        assert!(fd(&state, 20, 3).is_some());
        // A caller's event that comes later leaves it.
        apply(&mut state, &event(SECOND + 9, 10, SYSCALL_CLONE_20_X, &cloned(20, 10, 1, 0, 10)));
        assert_eq!(thread(&state, 20).clone_ts, SECOND);
    }
}

#[test]
fn a_child_that_ended_before_is_not_brought_back() {
    let mut state = state();
    apply(&mut state, &event(SECOND, 20, SYSCALL_CLONE_20_X, &cloned(0, 20, 10, 0, 20)));
    apply(&mut state, &event(SECOND + 1, 20, PROCEXIT_1_E, &[I(0), I(0), B(0), B(0), I(0)]));
    apply(&mut state, &event(SECOND + 2, 10, SYSCALL_CLONE_20_X, &cloned(20, 10, 1, 0, 10)));
    assert!(find(&state, 20).is_none());
    apply(&mut state, &event(4 * SECOND, 10, SYSCALL_CLONE_20_X, &cloned(20, 10, 1, 0, 10)));
    assert!(find(&state, 20).is_some(), "two seconds later the id may have come round");
}

#[test]
fn threads_share_their_leaders_descriptors() {
    let mut state = state();
    let flags = PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES;
    apply(&mut state, &event(SECOND, 10, SYSCALL_CLONE_20_X, &cloned(11, 10, 1, flags, 10)));
    assert_eq!((thread(&state, 11).pid, thread(&state, 11).ptid, state.thread_count(10)), (10, 1, 2));
    act(&mut state, 11, SYSCALL_OPEN_X, &[I(4), T("f"), W(1), W(0), No, No]);
    assert_eq!(fd(&state, 10, 4).unwrap().name, b"/home/me/f");
    act(&mut state, 11, SYSCALL_CHDIR_X, &[I(0), T("/tmp")]);
    assert_eq!(thread(&state, 10).cwd, b"/tmp/");
    // The leader ends first and stays until the group is gone.
    apply(&mut state, &event(SECOND, 10, PROCEXIT_1_E, &[I(0), I(0), B(0), B(0), I(0)]));
    assert!(thread(&state, 10).dead);
    assert_eq!((state.thread_count(10), state.leader(thread(&state, 11)).unwrap().tid), (1, 10));
    apply(&mut state, &event(SECOND, 11, PROCEXIT_1_E, &[I(0), I(0), B(0), B(0), I(0)]));
    assert!(find(&state, 10).is_none() && find(&state, 11).is_none());
    assert_eq!(state.counters().n_fds, 0);
}

#[test]
fn exec_replaces_the_image() {
    let mut state = state();
    act(&mut state, 10, SYSCALL_OPEN_X, &[I(4), T("/f"), W(1 | PPM_O_CLOEXEC as u32), W(0), No, No]);
    let flags = PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES;
    apply(&mut state, &event(SECOND, 10, SYSCALL_CLONE_20_X, &cloned(11, 10, 1, flags, 10)));
    act(&mut state, 10, SYSCALL_EXECVE_19_X, &exec(10, "it"));
    let it = thread(&state, 10);
    assert_eq!((&it.cmdline[..], &it.exepath[..], &it.env[..]), (&b"it -x"[..], &b"/bin/it"[..], &b"B=2\0"[..]));
    assert_eq!((it.uid, it.gid, it.loginuid, it.tty, it.pgid), (0, 0, 33, 7, 10));
    assert_eq!((it.exe_writable, it.cap_effective, it.exe_ino, it.exe_ino_ctime), (true, 3, 99, 500));
    assert!(fd(&state, 10, 4).is_none() && fd(&state, 10, 3).is_some(), "close-on-exec");
    assert!(find(&state, 11).is_none(), "the other threads end");
    let before = it.cmdline.clone();
    let mut failed = exec(10, "other");
    failed[0] = I(-2);
    act(&mut state, 10, SYSCALL_EXECVE_19_X, &failed);
    assert_eq!(thread(&state, 10).cmdline, before);
}

#[test]
fn an_old_exec_takes_its_path_from_the_enter_event() {
    let mut state = state();
    let mut params = exec(10, "it");
    params[27] = No;
    act(&mut state, 10, SYSCALL_EXECVE_19_E, &[T("bin/it")]);
    act(&mut state, 10, SYSCALL_EXECVE_19_X, &params);
    assert_eq!(thread(&state, 10).exepath, b"/home/me/bin/it");
    act(&mut state, 10, SYSCALL_EXECVEAT_E, &[I(3), T("prog"), W(0)]);
    act(&mut state, 10, SYSCALL_EXECVE_19_X, &params);
    assert_eq!(thread(&state, 10).exepath, b"/srv/prog");
    act(&mut state, 10, SYSCALL_EXECVEAT_E, &[I(3), No, W(PPM_EXVAT_AT_EMPTY_PATH as u32)]);
    act(&mut state, 10, SYSCALL_EXECVE_19_X, &params);
    assert_eq!(thread(&state, 10).exepath, b"/srv");
    act(&mut state, 10, SYSCALL_EXECVE_19_X, &params);
    assert_eq!(thread(&state, 10).exepath, b"/srv", "no enter event, no news");
    apply(&mut state, &with_records(1, 10, SYSCALL_EXECVE_19_X, &params, &[(Tag::Path, b"/kernel/says")]));
    assert_eq!(thread(&state, 10).exepath, b"/kernel/says");
}

#[test]
fn orphans_go_to_the_reaper() {
    for (named, subreaper, want) in [(0, false, 1), (10, false, 10), (0, true, 10), (777, false, 1)] {
        let mut state = state();
        if subreaper {
            act(&mut state, 10, SYSCALL_PRCTL_X, &[I(0), W(36), T(""), I(1)]);
        }
        spawn(&mut state, 10, 20);
        spawn(&mut state, 20, 30);
        apply(&mut state, &event(SECOND, 20, PROCEXIT_1_E, &[I(0), I(0), B(0), B(0), I(named)]));
        assert_eq!(thread(&state, 30).ptid, want, "named {named}, subreaper {subreaper}");
    }
}

#[test]
fn an_exited_thread_is_there_for_its_last_event() {
    let mut state = state();
    let bytes = event(1, 10, PROCEXIT_1_E, &[I(0), I(0), B(0), B(0), I(0)]);
    let exit = peregrine_event::Event::parse(&bytes, 0).unwrap();
    let context = state.begin(&exit);
    assert!(state.thread(context.thread.unwrap()).unwrap().dead);
    state.finish(&exit, &context);
    assert!(find(&state, 10).is_none());
    let after = act(&mut state, 10, SCHEDSWITCH_6_E, &[I(0), I(0), I(0), W(0), W(0), W(0)]);
    assert!(after.context.thread.is_none() && find(&state, 10).is_none(), "a switch looks up and never creates");
}

#[test]
fn unknown_threads_get_a_stand_in_that_exec_makes_real() {
    let mut state = state();
    act(&mut state, 50, SYSCALL_READ_X, &[I(0), R(b""), I(0), W(0)]);
    let standin = thread(&state, 50);
    assert_eq!((&standin.comm[..], standin.pid, state.cwd(standin)), (&b"<NA>"[..], -1, &b"./"[..]));
    act(&mut state, 50, SYSCALL_EXECVE_19_X, &exec(50, "it"));
    let real = thread(&state, 50);
    assert_eq!((&real.comm[..], real.pid, real.ptid, real.vpid), (&b"it"[..], 50, 1, 50));
    assert_eq!(state.thread_count(50), 1);
}

#[test]
fn a_full_table_evicts_stand_ins_first() {
    let limits = Limits { threads: 4, ..Limits::default() };
    let mut state = State::with_options(Default::default(), Options { limits, ..Options::default() });
    for tid in 1..=3 {
        apply(&mut state, &event(1, tid, SYSCALL_EXECVE_19_X, &exec(tid, "it")));
    }
    for tid in 100..110 {
        let shown = act(&mut state, tid, SYSCALL_CLOSE_X, &[I(0), I(1)]);
        assert_eq!(shown.context.thread, Some(slot(&state, tid)));
    }
    assert_eq!((state.counters().n_threads, state.counters().n_evicted_threads), (4, 9));
    spawn(&mut state, 1, 4);
    assert!(find(&state, 4).is_some() && find(&state, 109).is_none());
    spawn(&mut state, 1, 5);
    assert!(find(&state, 5).is_none());
    assert!(state.counters().n_drops_full_threadtable > 0);
}

#[test]
fn a_source_is_asked_once_for_whom_nobody_knows() {
    use peregrine_capture::tables::{Fd, FdKind, FdType, Thread};
    use std::sync::{Arc, Mutex};
    struct Fake(Arc<Mutex<Vec<i64>>>);
    impl peregrine_state::ThreadSource for Fake {
        fn thread(&mut self, tid: i64) -> Option<(Thread, Vec<Fd>)> {
            self.0.lock().unwrap().push(tid);
            let pid = tid / 100 * 100;
            let kind = FdKind::Named(FdType::Directory, b"/d".to_vec());
            let fds = if tid == pid { vec![Fd { fd: 3, ino: 1, kind, cloexec: false }] } else { Vec::new() };
            let flags = if tid == pid { 0 } else { (PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES) as u32 };
            let thread = Thread { tid, pid, ptid: 1, flags, comm: b"found".to_vec(), ..Thread::default() };
            (tid < 1000).then_some((thread, fds))
        }
    }
    let asked = Arc::new(Mutex::new(Vec::new()));
    let limits = Limits { source_lookups: 4, ..Limits::default() };
    let options = Options { source: Some(Box::new(Fake(asked.clone()))), limits, ..Options::default() };
    let mut state = State::with_options(Default::default(), options);
    for _ in 0..3 {
        let shown = act(&mut state, 201, SYSCALL_FCHDIR_X, &[I(0), I(3)]);
        assert!(shown.context.has_fd, "the leader came along, with its descriptors");
        act(&mut state, 5000, SYSCALL_FCHDIR_X, &[I(0), I(3)]);
    }
    assert_eq!(*asked.lock().unwrap(), [201, 200, 5000]);
    act(&mut state, 300, SYSCALL_FCHDIR_X, &[I(0), I(3)]);
    act(&mut state, 400, SYSCALL_FCHDIR_X, &[I(0), I(3)]);
    assert_eq!((state.counters().n_source_lookups, state.counters().n_source_skipped), (4, 1));
    apply(&mut state, &event(9 * SECOND, 500, SYSCALL_FCHDIR_X, &[I(0), I(3)]));
    assert_eq!(&thread(&state, 500).comm[..], b"found", "a new second, a new budget");
    // The event names the group: no need to ask.
    let tgid = 500u32.to_le_bytes();
    apply(&mut state, &with_records(9 * SECOND, 501, SYSCALL_FCHDIR_X, &[I(0), I(3)], &[(Tag::Tgid, &tgid)]));
    assert_eq!((thread(&state, 501).pid, asked.lock().unwrap().contains(&501)), (500, false));
}

#[test]
fn threads_whose_end_was_missed_go() {
    use peregrine_capture::tables::{Fd, Thread};
    use peregrine_state::Purging;
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};
    /// Starts by thread id, in nanoseconds since boot, and how often it was asked.
    #[derive(Clone, Default)]
    struct Fake(Arc<Mutex<(HashMap<i64, u64>, usize)>>);
    impl peregrine_state::ThreadSource for Fake {
        fn thread(&mut self, _tid: i64) -> Option<(Thread, Vec<Fd>)> {
            None
        }
        fn started(&mut self, _pid: i64, tid: i64) -> Option<u64> {
            let mut world = self.0.lock().unwrap();
            world.1 += 1;
            world.0.get(&tid).copied()
        }
    }
    let options = |live: Option<Fake>| Options {
        purging: Purging { interval_s: 60, timeout_s: 100 },
        source: live.map(|fake| Box::new(fake) as Box<dyn peregrine_state::ThreadSource>),
        ..Options::default()
    };
    let tables = || {
        let thread = |tid| Thread { tid, pid: tid, ptid: 1, vtid: tid, vpid: tid, ..Thread::default() };
        let threads = (1..=200).map(thread).collect();
        peregrine_capture::tables::Tables { threads, ..Default::default() }
    };
    let world = Fake::default();
    let mut state = State::with_options(tables(), options(Some(world.clone())));
    let beat = |state: &mut State, at: u64| {
        apply(state, &event(at, 1, SYSCALL_CLOSE_X, &[I(0), I(99)]));
    };
    // 2..=50 live, 60 began anew after it was last seen, the others are gone.
    world.0.lock().unwrap().0 = (2..=50).map(|tid| (tid, SECOND)).chain([(60, 50 * SECOND)]).collect();
    beat(&mut state, 10 * SECOND);
    act(&mut state, 5000, SYSCALL_CLOSE_X, &[I(0), I(1)]);
    assert!(find(&state, 5000).unwrap().is_invalid());
    // The first walk comes after 30 seconds: of stand-ins only, the others are not idle for long enough.
    beat(&mut state, 40 * SECOND);
    assert_eq!((find(&state, 5000).is_some(), state.counters().n_purged_threads), (false, 1));
    assert_eq!(world.0.lock().unwrap().1, 0);
    apply(&mut state, &event(90 * SECOND, 70, SYSCALL_CLOSE_X, &[I(0), I(99)]));
    // At most 16 are asked about at once, and the walk goes on 10 ms later.
    beat(&mut state, 150 * SECOND);
    assert_eq!(world.0.lock().unwrap().1, 16);
    beat(&mut state, 150 * SECOND + 1);
    assert_eq!(world.0.lock().unwrap().1, 16);
    for step in 1..20 {
        beat(&mut state, 150 * SECOND + step * 10_000_000);
    }
    let mut left: Vec<i64> = state.threads().map(|(_, thread)| thread.tid).collect();
    left.sort_unstable();
    assert_eq!(left, (1..=50).chain([70]).collect::<Vec<_>>());
    assert_eq!((world.0.lock().unwrap().1, state.counters().n_purged_threads), (198, 150));
    // A capture knows what it knows.
    let mut replayed = State::with_options(tables(), options(None));
    for minute in 0..20 {
        beat(&mut replayed, minute * 60 * SECOND);
    }
    assert_eq!(replayed.counters().n_threads, 200);
}

/// A thread that executes takes its dead leader's place: its own id is gone without an exit of its own.
#[test]
fn a_thread_that_is_no_leader_executes() {
    let mut state = state();
    let flags = PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES;
    for tid in [11, 12] {
        apply(&mut state, &event(SECOND, 10, SYSCALL_CLONE_20_X, &cloned(tid, 10, 1, flags, 10)));
    }
    // 12 has a child and calls execve: the kernel ends 11 and the leader, then 12 is 10.
    spawn(&mut state, 12, 30);
    apply(&mut state, &event(SECOND, 11, PROCEXIT_1_E, &[I(0), I(0), B(0), B(0), I(0)]));
    apply(&mut state, &event(SECOND, 10, PROCEXIT_1_E, &[I(0), I(0), B(0), B(0), I(12)]));
    assert!(thread(&state, 10).dead && state.thread_count(10) == 1);
    act(&mut state, 10, SYSCALL_EXECVE_19_X, &exec(10, "it"));
    let it = thread(&state, 10);
    assert_eq!((it.dead, &it.comm[..], it.ptid, state.thread_count(10)), (false, &b"it"[..], 1, 1));
    assert!(find(&state, 11).is_none() && find(&state, 12).is_none());
    assert_eq!(thread(&state, 30).ptid, 10, "the child is the process's");
    assert!(fd(&state, 10, 3).is_some(), "and so are the descriptors");
    // It ends as any process does.
    apply(&mut state, &event(SECOND, 10, PROCEXIT_1_E, &[I(0), I(0), B(0), B(0), I(1)]));
    assert!(find(&state, 10).is_none());
    assert_eq!(thread(&state, 30).ptid, 1);
}

/// A leader's children go to a thread of its group that still lives, then to the reaper.
#[test]
fn children_of_a_leader_that_ends_before_its_threads() {
    let mut state = state();
    let flags = PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES;
    apply(&mut state, &event(SECOND, 10, SYSCALL_CLONE_20_X, &cloned(11, 10, 1, flags, 10)));
    spawn(&mut state, 10, 20);
    apply(&mut state, &event(SECOND, 10, PROCEXIT_1_E, &[I(0), I(0), B(0), B(0), I(11)]));
    assert_eq!((thread(&state, 20).ptid, state.parent(thread(&state, 20)).unwrap().tid), (11, 10));
    assert_eq!(thread(&state, 11).tid, 11, "and the thread still finds its leader");
    apply(&mut state, &event(SECOND, 11, PROCEXIT_1_E, &[I(0), I(0), B(0), B(0), I(1)]));
    assert_eq!((thread(&state, 20).ptid, find(&state, 10).is_some()), (1, false));
}

/// As the kernel does it, which upstream does not follow.
#[test]
fn a_thread_parts_from_its_process_descriptors() {
    let own = [(Tag::Path, &b"/k"[..])];
    let threads = |own: &[(Tag, &[u8])]| {
        let mut state = state();
        let flags = PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES;
        apply(&mut state, &event(SECOND, 10, SYSCALL_CLONE_20_X, &cloned(11, 10, 1, flags, 10)));
        let files = W(PPM_CL_CLONE_FILES as u32);
        apply(&mut state, &with_records(SECOND, 11, SYSCALL_UNSHARE_X, &[I(0), files], own));
        act(&mut state, 11, SYSCALL_CLOSE_X, &[I(0), I(3)]);
        state
    };
    let mut ours = threads(&own);
    assert!(fd(&ours, 11, 3).is_none() && fd(&ours, 10, 3).is_some());
    apply(&mut ours, &event(SECOND, 11, PROCEXIT_1_E, &[I(0), I(0), B(0), B(0), I(0)]));
    assert_eq!((fd(&ours, 10, 3).is_some(), ours.counters().n_fds), (true, 1));
    assert!(fd(&threads(&[]), 10, 3).is_none(), "in a capture of upstream's");

    let mut state = state();
    let flags = PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES;
    apply(&mut state, &event(SECOND, 10, SYSCALL_CLONE_20_X, &cloned(11, 10, 1, flags, 10)));
    let range = [I(0), W(3), W(u32::MAX), W(PPM_CLOSE_RANGE_UNSHARE as u32)];
    apply(&mut state, &with_records(SECOND, 11, SYSCALL_CLOSE_RANGE_X, &range, &own));
    assert!(fd(&state, 11, 3).is_none() && fd(&state, 10, 3).is_some());
}
