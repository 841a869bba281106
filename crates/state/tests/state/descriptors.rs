//! Files, copies, closing, and descriptors of other kinds.

use crate::build::{P::*, act, apply, event, fd, state, thread, with_records};
use peregrine_event::code::*;
use peregrine_event::defines::{PPM_O_CLOEXEC, PPM_O_DIRECTORY, PPM_O_F_CREATED, PPM_O_RDONLY};
use peregrine_event::record::Tag;
use peregrine_state::FdType;

const FDCWD: i64 = -100;

#[test]
fn open_joins_with_the_working_directory() {
    let mut state = state();
    let shown = act(&mut state, 10, SYSCALL_OPEN_X, &[I(4), T("../x//y"), W(1), W(0o644), W(0x801), I(77)]);
    let info = shown.fd.unwrap();
    assert_eq!((&info.name[..], &info.nameraw[..]), (&b"/home/x/y"[..], &b"../x//y"[..]));
    assert_eq!((info.ty, info.dev, info.ino), (FdType::File, 0x801, 77));
    assert_eq!((shown.context.fd_num, shown.context.name_changed), (4, true));
    let shown = act(&mut state, 10, SYSCALL_OPEN_X, &[I(-2), T("/none"), W(1), W(0), No, No]);
    assert!(shown.fd.is_none() && shown.context.fd_num == -1);
}

#[test]
fn openat_by_directory_descriptor() {
    let mut state = state();
    for (dirfd, name, want) in
        [(3, "a", "/srv/a"), (FDCWD, "a", "/home/me/a"), (99, "a", "<UNKNOWN>a"), (99, "/abs", "/abs"), (3, "..", "/")]
    {
        let params = [I(5), I(dirfd), T(name), W(PPM_O_DIRECTORY as u32), W(0), W(0), I(0)];
        let info = act(&mut state, 10, SYSCALL_OPENAT_2_X, &params).fd.unwrap();
        assert_eq!((String::from_utf8_lossy(&info.name).as_ref(), info.ty), (want, FdType::Directory));
    }
    let missing = act(&mut state, 10, SYSCALL_OPENAT_2_X, &[I(6), I(FDCWD), No, W(1), W(0), No, No]);
    assert_eq!(missing.fd.unwrap().name, b"/home/me/<NA>");
}

#[test]
fn the_enter_event_of_an_old_capture_wins() {
    let mut state = state();
    act(&mut state, 10, SYSCALL_OPEN_E, &[T("/etc/passwd"), W(PPM_O_RDONLY as u32), W(0)]);
    let created = PPM_O_F_CREATED as u32;
    let params = [I(4), T("/tmp/swapped"), W(2 | created), W(0), No, No];
    let shown = act(&mut state, 10, SYSCALL_OPEN_X, &params);
    assert!(shown.context.enter_seen);
    let info = shown.fd.unwrap();
    assert_eq!((&info.name[..], info.open_flags), (&b"/etc/passwd"[..], 1 | created));
    // It is used once, and only by the same call of the same thread.
    let again = act(&mut state, 10, SYSCALL_OPEN_X, &params);
    assert_eq!((again.context.enter_seen, &again.fd.unwrap().name[..]), (false, &b"/tmp/swapped"[..]));
    act(&mut state, 10, SYSCALL_OPEN_E, &[T("/etc/passwd"), W(1), W(0)]);
    act(&mut state, 10, SYSCALL_CLOSE_X, &[I(0), I(4)]);
    assert!(!act(&mut state, 10, SYSCALL_OPEN_X, &params).context.enter_seen);
    // Without a name it holds nothing.
    act(&mut state, 10, SYSCALL_OPEN_E, &[No, No, No]);
    assert!(!act(&mut state, 10, SYSCALL_OPEN_X, &params).context.enter_seen);
    assert_eq!(state.counters().n_stored_evts, 2);
}

#[test]
fn the_kernels_path_wins_over_what_was_passed() {
    let mut state = state();
    let file = [&0x10u32.to_le_bytes()[..], &5u64.to_le_bytes()].concat();
    let params = [I(4), I(FDCWD), T("link"), W(1), W(0), W(0), I(0)];
    let records: [(Tag, &[u8]); 2] = [(Tag::Path, b"/etc/shadow"), (Tag::File, &file)];
    let info = apply(&mut state, &with_records(1, 10, SYSCALL_OPENAT_2_X, &params, &records)).fd.unwrap();
    assert_eq!((&info.name[..], &info.nameraw[..]), (&b"/etc/shadow"[..], &b"link"[..]));
    assert_eq!((info.dev, info.ino), (0x10, 5));
}

#[test]
fn close_takes_effect_when_the_event_is_finished() {
    let mut state = state();
    let bytes = event(1, 10, SYSCALL_CLOSE_X, &[I(0), I(3)]);
    let close = peregrine_event::Event::parse(&bytes, 0).unwrap();
    let context = state.begin(&close);
    assert_eq!(state.event_fd(&context).unwrap().name, b"/srv");
    state.finish(&close, &context);
    assert!(fd(&state, 10, 3).is_none());
    let failed = act(&mut state, 10, SYSCALL_CLOSE_X, &[I(-9), I(3)]);
    assert_eq!((failed.context.fd_num, failed.context.has_fd), (3, false));
    assert_eq!(state.counters().n_removed_fds, 1);
}

#[test]
fn copies_lose_close_on_exec_unless_asked() {
    let mut state = state();
    let cloexec = PPM_O_CLOEXEC as u32;
    act(&mut state, 10, SYSCALL_OPEN_X, &[I(4), T("/f"), W(1 | cloexec), W(0), No, No]);
    assert!(fd(&state, 10, 4).unwrap().cloexec);
    let shown = act(&mut state, 10, SYSCALL_DUP2_X, &[I(7), I(4), I(7)]);
    assert_eq!((shown.context.fd_num, shown.context.name_changed), (7, false));
    act(&mut state, 10, SYSCALL_DUP3_X, &[I(8), I(4), I(8), W(cloexec)]);
    act(&mut state, 10, SYSCALL_FCNTL_X, &[I(9), I(4), B(1), I(0)]);
    act(&mut state, 10, SYSCALL_FCNTL_X, &[I(11), I(4), B(0x1a), I(0)]);
    let marks: Vec<bool> = [7, 8, 9, 11].map(|number| fd(&state, 10, number).unwrap().cloexec).into();
    assert_eq!(marks, [false, true, false, true]);
    act(&mut state, 10, SYSCALL_FCNTL_X, &[I(0), I(7), B(3), I(1)]);
    act(&mut state, 10, SYSCALL_FCNTL_X, &[I(0), I(8), B(3), I(0)]);
    assert!(fd(&state, 10, 7).unwrap().cloexec && !fd(&state, 10, 8).unwrap().cloexec);
    act(&mut state, 10, SYSCALL_DUP_1_X, &[I(12), I(99)]);
    assert!(fd(&state, 10, 12).is_none(), "a copy of nothing known is nothing");
}

#[test]
fn close_range_closes_or_marks() {
    let mut state = state();
    for number in 4..10 {
        act(&mut state, 10, SYSCALL_EVENTFD2_X, &[I(number), W(0), I(0)]);
    }
    act(&mut state, 10, SYSCALL_CLOSE_RANGE_X, &[I(0), W(8), W(u32::MAX), W(4)]);
    assert!(fd(&state, 10, 8).unwrap().cloexec && !fd(&state, 10, 7).unwrap().cloexec);
    act(&mut state, 10, SYSCALL_CLOSE_RANGE_X, &[I(0), W(4), W(7), W(0)]);
    let left: Vec<i64> = state.fd_table(thread(&state, 10)).unwrap().iter().map(|(number, _)| number).collect();
    assert_eq!(left, [3, 8, 9]);
    assert_eq!(state.counters().n_fds, 3);
}

#[test]
fn other_kinds() {
    let mut state = state();
    let shown = act(&mut state, 10, SYSCALL_PIPE2_X, &[I(0), I(20), I(21), I(55), W(PPM_O_CLOEXEC as u32)]);
    assert_eq!((shown.context.fd_num, shown.fd.unwrap().ino), (21, 55));
    assert!(fd(&state, 10, 20).unwrap().cloexec);
    let kinds: [(u16, Vec<_>, FdType); 10] = [
        (SYSCALL_EVENTFD_X, vec![I(30), I(0), W(0)], FdType::Event),
        (SYSCALL_SIGNALFD4_X, vec![I(30), W(0), I(-1), W(0)], FdType::SignalFd),
        (SYSCALL_TIMERFD_CREATE_X, vec![I(30), B(1), B(0)], FdType::TimerFd),
        (SYSCALL_INOTIFY_INIT1_X, vec![I(30), W(0)], FdType::Inotify),
        (SYSCALL_EPOLL_CREATE1_X, vec![I(30), W(1)], FdType::EventPoll),
        (SYSCALL_BPF_2_X, vec![I(30), W(5)], FdType::Bpf),
        (SYSCALL_USERFAULTFD_X, vec![I(30), W(0)], FdType::UserfaultFd),
        (SYSCALL_IO_URING_SETUP_X, vec![I(30), W(8)], FdType::IoUring),
        (SYSCALL_MEMFD_CREATE_X, vec![I(30), T("blob"), W(1)], FdType::MemFd),
        (SYSCALL_PIDFD_OPEN_X, vec![I(30), I(1), W(0)], FdType::PidFd),
    ];
    for (code, params, want) in &kinds {
        assert_eq!(act(&mut state, 10, *code, params).fd.unwrap().ty, *want);
    }
    assert_eq!(fd(&state, 10, 30).unwrap().name, b"/proc/1");
    act(&mut state, 1, SYSCALL_OPEN_X, &[I(5), T("/of/init"), W(1), W(0), No, No]);
    let copy = act(&mut state, 10, SYSCALL_PIDFD_GETFD_X, &[I(31), I(30), I(5), W(0)]).fd.unwrap();
    assert_eq!((&copy.name[..], copy.cloexec), (&b"/of/init"[..], true));
}

#[test]
fn oddities_of_replay_are_not_those_of_own_events() {
    for own in [false, true] {
        let mut state = state();
        let records: &[(Tag, &[u8])] = if own { &[(Tag::Marks, &[0; 4])] } else { &[] };
        apply(&mut state, &with_records(1, 10, SYSCALL_MEMFD_CREATE_X, &[I(-22), T("x"), W(0)], records));
        let untyped = state.fd_table(thread(&state, 10)).unwrap().get(-22).map(|info| info.typed);
        assert_eq!(untyped, (!own).then_some(false));
        apply(&mut state, &with_records(1, 10, SYSCALL_BPF_2_X, &[I(0), W(1)], records));
        assert_eq!(fd(&state, 10, 0).is_some(), !own, "a look-up makes no descriptor");
        apply(&mut state, &with_records(1, 10, SYSCALL_SETREUID_X, &[I(0), W(5), W(u32::MAX)], records));
        assert_eq!(thread(&state, 10).uid, if own { 1000 } else { u32::MAX });
    }
}

#[test]
fn a_copy_onto_itself_is_none() {
    for (records, kept) in [(&[(Tag::Path, &b"/k"[..])][..], true), (&[], false)] {
        let mut state = state();
        act(&mut state, 10, SYSCALL_OPEN_X, &[I(4), T("/f"), W(1 | PPM_O_CLOEXEC as u32), W(0), No, No]);
        apply(&mut state, &with_records(1, 10, SYSCALL_DUP2_X, &[I(4), I(4), I(4)], records));
        assert_eq!(fd(&state, 10, 4).unwrap().cloexec, kept, "upstream takes it for a copy");
    }
}

#[test]
fn close_on_exec_by_fcntl_dup3_and_close_range() {
    use peregrine_event::defines::*;
    let mut state = state();
    let cloexec = |state: &peregrine_state::State, number| fd(state, 10, number).unwrap().cloexec;
    act(&mut state, 10, SYSCALL_DUP3_X, &[I(5), I(3), I(5), W(PPM_O_CLOEXEC as u32)]);
    act(&mut state, 10, SYSCALL_FCNTL_X, &[I(6), I(3), B(PPM_FCNTL_F_DUPFD_CLOEXEC as u8), I(0)]);
    act(&mut state, 10, SYSCALL_FCNTL_X, &[I(7), I(5), B(PPM_FCNTL_F_DUPFD as u8), I(0)]);
    assert_eq!([3, 5, 6, 7].map(|number| cloexec(&state, number)), [false, true, true, false]);
    act(&mut state, 10, SYSCALL_FCNTL_X, &[I(0), I(3), B(PPM_FCNTL_F_SETFD as u8), I(1)]);
    act(&mut state, 10, SYSCALL_FCNTL_X, &[I(0), I(5), B(PPM_FCNTL_F_SETFD as u8), I(0)]);
    act(&mut state, 10, SYSCALL_FCNTL_X, &[I(-9), I(6), B(PPM_FCNTL_F_SETFD as u8), I(0)]);
    assert_eq!([3, 5, 6, 7].map(|number| cloexec(&state, number)), [true, false, true, false]);
    act(&mut state, 10, SYSCALL_CLOSE_RANGE_X, &[I(0), W(7), W(u32::MAX), W(PPM_CLOSE_RANGE_CLOEXEC as u32)]);
    assert_eq!([5, 7].map(|number| cloexec(&state, number)), [false, true]);
    act(&mut state, 10, SYSCALL_CLOSE_RANGE_X, &[I(-22), W(0), W(u32::MAX), W(0)]);
    assert!(fd(&state, 10, 3).is_some(), "the call failed");
    act(&mut state, 10, SYSCALL_CLOSE_RANGE_X, &[I(0), W(6), W(7), W(0)]);
    assert!(fd(&state, 10, 5).is_some() && fd(&state, 10, 6).is_none() && fd(&state, 10, 7).is_none());
}

#[test]
fn a_namespace_is_named_as_the_program_said() {
    let mut state = state();
    let params = [I(4), I(FDCWD), T("/proc/7/ns/net"), W(1), W(0), W(3), I(4)];
    let opened = with_records(1000, 10, SYSCALL_OPENAT_2_X, &params, &[(Tag::Path, b"/")]);
    assert_eq!(apply(&mut state, &opened).fd.unwrap().name, b"/proc/7/ns/net");
}
