//! Flows through the table of threads that upstream's own unit tests assert, told anew: clone from either side, groups,
//! reapers, exits, executions.

use crate::build::{P::*, act, apply, cloned, event, exec, fd, find, thread};
use peregrine_capture::tables::{Tables, Thread};
use peregrine_event::Event;
use peregrine_event::code::*;
use peregrine_event::defines::*;
use peregrine_state::{Limits, Options, State};

const SECOND: u64 = 1_000_000_000;
/// Far more than fits any small table.
const MANY: i64 = 150;

fn alone() -> State {
    let init = Thread { tid: 1, pid: 1, vtid: 1, vpid: 1, comm: b"init".to_vec(), ..Thread::default() };
    State::new(Tables { threads: vec![init], ..Tables::default() })
}

/// `clone` as its caller sees it.
fn caller(state: &mut State, child: i64, (tid, pid, ptid): (i64, i64, i64), flags: i64) -> Option<i64> {
    let mut params = cloned(child, pid, ptid, flags, tid);
    params[18] = I(tid);
    let shown = apply(state, &event(SECOND, tid, SYSCALL_CLONE_20_X, &params));
    shown.context.thread.and_then(|slot| state.thread(slot)).map(|thread| thread.tid)
}

/// `clone` as the child sees it, with its ids in its own namespace.
fn child(state: &mut State, (tid, pid, ptid): (i64, i64, i64), flags: i64, (vtid, vpid): (i64, i64)) -> Option<i64> {
    let mut params = cloned(0, pid, ptid, flags, vtid);
    params[19] = I(vpid);
    let shown = apply(state, &event(SECOND, tid, SYSCALL_CLONE_20_X, &params));
    shown.context.thread.and_then(|slot| state.thread(slot)).map(|thread| thread.tid)
}

fn exit(state: &mut State, tid: i64, reaper: i64) {
    act(state, tid, PROCEXIT_1_E, &[I(0), I(-1), B(0), B(0), I(reaper)]);
}

fn prctl(state: &mut State, tid: i64, result: i64, option: i64, value: i64) {
    act(state, tid, SYSCALL_PRCTL_X, &[I(result), W(option as u32), T("<NA>"), I(value)]);
}

fn children(state: &State, of: i64) -> Vec<i64> {
    let mut found: Vec<i64> =
        state.threads().filter(|(_, thread)| thread.ptid == of).map(|(_, thread)| thread.tid).collect();
    found.sort_unstable();
    found
}

fn ids(state: &State, tid: i64) -> (i64, i64, i64, i64) {
    let thread = thread(state, tid);
    (thread.pid, thread.ptid, thread.vtid, thread.vpid)
}

/// Process ids up to the first process.
fn ancestors(state: &State, tid: i64) -> Vec<i64> {
    std::iter::successors(state.parent(thread(state, tid)), |at| state.parent(at)).map(|at| at.pid).collect()
}

/// Init's child 2 has a thread 6, which makes 25 as its own sibling; that has threads 23 and 24 and a child 72, which
/// makes a container: its first process 76 with a thread 79, whose children are 82 and 84, of one group; 87 is 84's child.
fn tree() -> State {
    let mut state = alone();
    caller(&mut state, 2, (1, 1, 0), 0);
    caller(&mut state, 6, (2, 2, 1), PPM_CL_CLONE_THREAD);
    caller(&mut state, 25, (6, 2, 1), PPM_CL_CLONE_PARENT);
    child(&mut state, (25, 25, 1), PPM_CL_CLONE_PARENT, (25, 25));
    caller(&mut state, 23, (25, 25, 1), PPM_CL_CLONE_THREAD);
    caller(&mut state, 24, (23, 25, 1), PPM_CL_CLONE_THREAD);
    caller(&mut state, 72, (25, 25, 1), 0);
    caller(&mut state, 76, (72, 72, 25), PPM_CL_CLONE_NEWPID);
    child(&mut state, (76, 76, 72), PPM_CL_CHILD_IN_PIDNS, (1, 1));
    child(&mut state, (79, 76, 72), PPM_CL_CLONE_THREAD | PPM_CL_CHILD_IN_PIDNS, (2, 1));
    child(&mut state, (82, 82, 79), PPM_CL_CHILD_IN_PIDNS, (10, 10));
    child(&mut state, (84, 82, 79), PPM_CL_CHILD_IN_PIDNS, (12, 10));
    child(&mut state, (87, 87, 84), PPM_CL_CHILD_IN_PIDNS, (17, 17));
    state
}

#[test]
fn the_tree() {
    let state = tree();
    for (tid, want) in [
        (2, (2, 1, 2, 2)),
        (6, (2, 1, 6, 2)),
        (25, (25, 1, 25, 25)),
        (23, (25, 1, 23, 25)),
        (24, (25, 1, 24, 25)),
        (72, (72, 25, 72, 72)),
        (76, (76, 72, 1, 1)),
        (79, (76, 72, 2, 1)),
        (82, (82, 79, 10, 10)),
        (84, (82, 79, 12, 10)),
        (87, (87, 84, 17, 17)),
    ] {
        assert_eq!(ids(&state, tid), want, "{tid}");
        assert_eq!(thread(&state, tid).is_main(), thread(&state, tid).tid == thread(&state, tid).pid);
    }
    for (pid, alive) in [(1, 1), (2, 2), (25, 3), (72, 1), (76, 2), (82, 2), (87, 1)] {
        assert_eq!(state.thread_count(pid), alive, "{pid}");
    }
    assert_eq!(children(&state, 1), [2, 6, 23, 24, 25]);
    assert_eq!(children(&state, 79), [82, 84]);
    assert_eq!(ancestors(&state, 87), [82, 76, 72, 25, 1]);
    assert_eq!(ancestors(&state, 84), ancestors(&state, 82), "the walk goes by processes");
}

#[test]
fn exits_move_children_to_whom_the_kernel_names() {
    let mut state = tree();
    exit(&mut state, 79, 76);
    assert_eq!((state.thread_count(76), children(&state, 76)), (1, vec![82, 84]));
    exit(&mut state, 84, 82);
    assert_eq!(children(&state, 82), [87]);
    exit(&mut state, 82, 76);
    assert_eq!((children(&state, 76), state.thread_count(82)), (vec![87], 0));
    prctl(&mut state, 23, 0, PPM_PR_SET_CHILD_SUBREAPER, 80);
    exit(&mut state, 25, 23);
    assert_eq!(children(&state, 23), [72]);
    exit(&mut state, 23, 24);
    assert_eq!(children(&state, 24), [72]);
    exit(&mut state, 72, 24);
    assert_eq!(children(&state, 24), [76]);
    assert_eq!(ancestors(&state, 87), [76, 25, 1]);
}

#[test]
fn who_was_named_once_is_a_reaper() {
    let mut state = tree();
    exit(&mut state, 84, 82);
    exit(&mut state, 79, 76);
    exit(&mut state, 76, 25);
    assert_eq!(children(&state, 25), [72, 82]);
    // From now on the group takes orphans without being named.
    caller(&mut state, 200, (72, 72, 25), 0);
    exit(&mut state, 72, 0);
    assert_eq!(children(&state, 25), [82, 200]);
    // One that was not named is passed over.
    let mut other = tree();
    caller(&mut other, 200, (87, 87, 84), 0);
    caller(&mut other, 300, (72, 72, 25), 0);
    exit(&mut other, 72, 0);
    assert_eq!(thread(&other, 300).ptid, 1);
}

#[test]
fn a_namespace_keeps_its_orphans() {
    let mut state = tree();
    exit(&mut state, 82, 0);
    exit(&mut state, 84, -1);
    assert_eq!(children(&state, 76), [87], "its first process takes them");
    exit(&mut state, 79, 0);
    exit(&mut state, 76, 0);
    assert_eq!(thread(&state, 87).ptid, 0, "with it the namespace ends");
}

#[test]
fn a_reaper_that_nobody_knows() {
    let mut state = tree();
    exit(&mut state, 25, 50_000);
    assert!(thread(&state, 25).dead && find(&state, 50_000).unwrap().is_invalid());
    assert_eq!((state.thread_count(25), children(&state, 23)), (2, vec![72]), "a thread of the group takes them");
}

#[test]
fn a_group_goes_with_its_last_thread() {
    for order in [[82, 84], [84, 82]] {
        let mut state = tree();
        exit(&mut state, order[0], 0);
        assert_eq!(state.thread_count(82), 1);
        exit(&mut state, order[1], 0);
        assert!(find(&state, 82).is_none() && find(&state, 84).is_none() && state.thread_count(82) == 0);
    }
}

#[test]
fn an_exit_in_its_moment() {
    let mut state = tree();
    let before = state.counters().n_threads;
    let bytes = event(SECOND, 84, PROCEXIT_1_E, &[No, No, No, No, No]);
    let exit = Event::parse(&bytes, 0).unwrap();
    let context = state.begin(&exit);
    let ending = state.thread(context.thread.unwrap()).unwrap();
    assert!(ending.dead && i64::from(ending.flags) & PPM_CL_CLOSED != 0);
    assert_eq!((state.thread_count(82), children(&state, 84)), (1, vec![87]), "they move when it is over");
    state.finish(&exit, &context);
    assert_eq!((find(&state, 84).is_some(), children(&state, 82)), (false, vec![87]));
    let unknown = act(&mut state, 50_000, PROCEXIT_1_E, &[I(0), I(0), B(0), B(0), I(1)]);
    assert!(unknown.context.thread.is_none() && find(&state, 50_000).is_none());
    assert_eq!((children(&state, 1).len(), state.counters().n_threads), (5, before - 1));
}

#[test]
fn many_threads_and_many_children() {
    let mut state = alone();
    child(&mut state, (2000, 2000, 1), 0, (2000, 2000));
    for at in 1..MANY {
        child(&mut state, (2000 + at, 2000, 1), PPM_CL_CLONE_THREAD, (2000 + at, 2000));
        child(&mut state, (5000 + at, 5000 + at, 1), 0, (5000 + at, 5000 + at));
    }
    assert_eq!((state.thread_count(2000), children(&state, 1).len()), (150, 2 * 149 + 1));
    for at in 0..100 {
        exit(&mut state, 2000 + at, 0);
    }
    assert_eq!((state.thread_count(2000), thread(&state, 2000).dead), (50, true));
    for at in 1..MANY {
        exit(&mut state, 2000 + at, 0);
        exit(&mut state, 5000 + at, 0);
    }
    assert_eq!((state.thread_count(2000), state.counters().n_threads), (0, 1));
}

#[test]
fn a_table_that_is_full() {
    let limits = Limits { threads: 100, ..Limits::default() };
    let mut state = State::with_options(Tables::default(), Options { limits, ..Options::default() });
    act(&mut state, 1, SYSCALL_EXECVE_19_X, &exec(1, "init"));
    child(&mut state, (20, 20, 1), 0, (20, 20));
    for at in 1..200 {
        child(&mut state, (20 + at, 20, 1), PPM_CL_CLONE_THREAD, (20 + at, 20));
    }
    assert_eq!((state.thread_count(20), state.counters().n_threads), (99, 100));
    assert_eq!(state.counters().n_drops_full_threadtable, 101);
}

#[test]
fn tables_in_any_order() {
    let thread_of = |tid, pid, ptid| Thread { tid, pid, ptid, vtid: tid, vpid: pid, ..Thread::default() };
    let threads = vec![
        thread_of(1, 1, 0),
        thread_of(30, 30, 24),
        thread_of(40, 40, 26),
        thread_of(24, 24, 1),
        thread_of(25, 24, 1),
        thread_of(26, -1, -1),
        thread_of(2, 1, 0),
        thread_of(3, 1, 0),
    ];
    let state = State::new(Tables { threads, ..Tables::default() });
    assert_eq!((children(&state, 1), children(&state, 24), children(&state, 26)), (vec![24, 25], vec![30], vec![]));
    assert_eq!((state.thread_count(1), state.thread_count(24), state.thread_count(40)), (3, 2, 1));
    assert_eq!((thread(&state, 40).ptid, thread(&state, 26).ptid), (0, -1), "a parent that is not valid is none");
    assert_eq!((ids(&state, 2).1, ids(&state, 3).1), (0, 0));
}

#[test]
fn clone_seen_by_its_caller() {
    let mut state = alone();
    assert_eq!(caller(&mut state, -3, (1, 1, 0), 0), Some(1), "it failed, and is init's all the same");
    assert_eq!(state.counters().n_threads, 1);
    assert_eq!(caller(&mut state, 24, (1, 1, 0), PPM_CL_CLONE_NEWPID), Some(1));
    assert!(find(&state, 24).is_none(), "a new namespace: only the child knows its ids");
    for (child, of, flags) in [
        (11, (1, 1, 0), 0),
        (13, (24, 24, 26), 0),
        (14, (33, 32, 30), PPM_CL_CLONE_THREAD),
        (15, (37, 37, 36), PPM_CL_CLONE_NEWNS),
        (2, (38, 38, 37), PPM_CL_CHILD_IN_PIDNS),
    ] {
        assert_eq!(caller(&mut state, child, of, flags), Some(of.0), "the event is its caller's");
    }
}

#[test]
fn clone_seen_by_its_child() {
    let mut state = alone();
    for (of, flags) in [
        ((11, 11, 1), 0),
        ((24, 24, 26), 0),
        ((33, 32, 30), PPM_CL_CLONE_THREAD),
        ((37, 37, 36), PPM_CL_CLONE_NEWNS | PPM_CL_CHILD_IN_PIDNS),
        ((38, 38, 37), PPM_CL_CHILD_IN_PIDNS),
    ] {
        assert_eq!(child(&mut state, of, flags, (of.0, of.1)), Some(of.0), "the event is the child's");
    }
    child(&mut state, (40, 11, 1), PPM_CL_CLONE_THREAD, (40, 11));
    let flags = i64::from(thread(&state, 40).flags);
    assert_eq!(flags & (PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES), PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES);
}

#[test]
fn both_events_of_a_parent_were_missed() {
    let mut state = alone();
    caller(&mut state, 24, (1, 1, 0), 0);
    // 30 is 24's child, of which nothing was heard until it clones.
    caller(&mut state, 50, (30, 30, 24), 0);
    assert_eq!((ids(&state, 30), ids(&state, 50)), ((30, 24, 30, 30), (50, 30, 50, 50)));
    assert_eq!((children(&state, 24), state.thread_count(30)), (vec![30], 1));
    for seen_by_child in [false, true] {
        let mut state = alone();
        if seen_by_child {
            child(&mut state, (30, 24, 1), PPM_CL_CLONE_THREAD, (30, 24));
        } else {
            caller(&mut state, 30, (24, 24, 1), PPM_CL_CLONE_THREAD);
        }
        assert_eq!((ids(&state, 24), ids(&state, 30)), ((24, 1, 24, 24), (24, 1, 30, 24)));
        assert_eq!((state.thread_count(24), children(&state, 1)), (2, vec![24, 30]));
    }
}

#[test]
fn an_id_that_came_round() {
    let named = |state: &mut State, ts: u64, tid: i64, result: i64, of: (i64, i64), name: &'static str| {
        let mut params = cloned(result, of.0, of.1, 0, tid);
        params[13] = T(name);
        apply(state, &event(ts, tid, SYSCALL_CLONE_20_X, &params));
    };
    let mut state = alone();
    named(&mut state, SECOND, 1, 24, (1, 0), "old");
    assert_eq!((&thread(&state, 1).comm[..], &thread(&state, 24).comm[..]), (&b"init"[..], &b"old"[..]));
    // The child's own event within two seconds is the same clone, whatever it says; later it is another.
    named(&mut state, 2 * SECOND, 24, 0, (35, 1), "new");
    assert_eq!((thread(&state, 24).pid, &thread(&state, 24).comm[..]), (24, &b"old"[..]));
    named(&mut state, 3 * SECOND, 24, 0, (35, 1), "new");
    assert_eq!((thread(&state, 24).pid, &thread(&state, 24).comm[..]), (35, &b"new"[..]));
    // What the child's event made is kept by the caller's; what a caller's event made is not.
    named(&mut state, 3 * SECOND, 1, 24, (1, 0), "newer");
    assert_eq!(thread(&state, 24).comm, b"new");
    named(&mut state, 3 * SECOND, 1, 40, (1, 0), "old");
    named(&mut state, 3 * SECOND, 1, 40, (1, 0), "newer");
    assert_eq!((&thread(&state, 40).comm[..], state.thread_count(40)), (&b"newer"[..], 1));
}

#[test]
fn subreapers() {
    for option in [PPM_PR_SET_CHILD_SUBREAPER, PPM_PR_GET_CHILD_SUBREAPER] {
        let orphan = |calls: &[(i64, i64, i64)]| {
            let mut state = tree();
            calls.iter().for_each(|(tid, result, value)| prctl(&mut state, *tid, *result, option, *value));
            caller(&mut state, 300, (72, 72, 25), 0);
            exit(&mut state, 72, 0);
            thread(&state, 300).ptid
        };
        assert_eq!(orphan(&[]), 1);
        assert_eq!(orphan(&[(23, -1, 1)]), 1, "it failed");
        assert_eq!(orphan(&[(23, 0, 80)]), 25, "whichever thread called, it is the group's");
        assert_eq!(orphan(&[(23, 0, 80), (24, 0, 0)]), 1);
    }
    let mut state = tree();
    prctl(&mut state, 61_004, 0, PPM_PR_SET_CHILD_SUBREAPER, 1);
    assert!(find(&state, 61_004).unwrap().is_invalid() && state.thread_count(61_004) == 0);
}

#[test]
fn executions_end_the_other_threads() {
    // Whether the leader calls, or another thread whose exit the leader's event comes without.
    for caller_tid in [25, 23] {
        let mut state = tree();
        caller(&mut state, 100, (24, 25, 1), 0);
        act(&mut state, caller_tid, SYSCALL_EXECVE_19_E, &[T("/bin/it")]);
        act(&mut state, 25, SYSCALL_EXECVE_19_X, &exec(25, "it"));
        assert_eq!(state.thread_count(25), 1);
        assert!(find(&state, 23).is_none() && find(&state, 24).is_none());
        assert_eq!(children(&state, 25), [72, 100], "what was the other threads' is the leader's");
    }
    let mut state = tree();
    exit(&mut state, 25, 23);
    assert_eq!((children(&state, 23), thread(&state, 25).dead), (vec![72], true));
    act(&mut state, 25, SYSCALL_EXECVE_19_X, &exec(25, "it"));
    assert_eq!((children(&state, 25), thread(&state, 25).dead, state.thread_count(25)), (vec![72], false, 1));
}

#[test]
fn children_take_the_kernels_path() {
    let mut state = tree();
    let mut params = exec(87, "good-exe");
    params[27] = T("/usr/bin/bad-exe");
    params[28] = I(100);
    act(&mut state, 87, SYSCALL_EXECVE_19_X, &params);
    let it = thread(&state, 87);
    assert_eq!((&it.exepath[..], &it.comm[..], it.pgid), (&b"/usr/bin/bad-exe"[..], &b"good-exe"[..], 100));
    child(&mut state, (100, 100, 87), PPM_CL_CHILD_IN_PIDNS, (20, 20));
    let made = thread(&state, 100);
    assert_eq!((&made.exepath[..], &made.comm[..], made.pgid), (&b"/usr/bin/bad-exe"[..], &b"sh"[..], 100));
    assert_eq!(made.lastexec_ts, 0);
}

#[test]
fn the_path_of_an_execveat() {
    for exit_code in [SYSCALL_EXECVEAT_X, SYSCALL_EXECVE_19_X] {
        for (dirfd, name, flags, want) in [
            (3, "<NA>", PPM_EXVAT_AT_EMPTY_PATH, "/tmp/it"),
            (3, "file", 0, "/tmp/it/file"),
            (3, "<NA>", 0, "<NA>"),
            (0, "/tmp/file", 0, "/tmp/file"),
            (0, "file", 0, "<NA>"),
        ] {
            let mut state = alone();
            act(&mut state, 1, SYSCALL_OPEN_X, &[I(3), T("/tmp/it"), W(0), W(0), W(0), I(0)]);
            act(&mut state, 1, SYSCALL_EXECVEAT_E, &[I(dirfd), T(name), W(flags as u32)]);
            let mut params = exec(1, "it");
            params[27] = No;
            act(&mut state, 1, exit_code, &params);
            assert_eq!(String::from_utf8_lossy(&thread(&state, 1).exepath), want, "{dirfd} {name} {flags}");
            assert!(fd(&state, 1, 3).is_some());
        }
    }
}
