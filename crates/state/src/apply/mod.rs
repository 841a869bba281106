//! What each event changes.
//!
//! One file a family of events, one function a kind, one row in [`ROWS`] for each event code that changes something.

mod clone;
mod creators;
mod credentials;
mod cwd;
mod dup;
mod exec;
mod exit;
mod io;
mod memory;
mod metaevents;
mod open;
mod resolve;
mod sockets;
mod tuples;

use crate::inspect::{Context, State};
use crate::thread::Slot;
use peregrine_event::code::*;
use peregrine_event::defines::PPM_CL_ACTIVE;
use peregrine_event::{Event, eflags};

/// Applies one event.
pub(crate) type Apply = fn(&mut State, &Event<'_>, &mut Context);

/// Marks threads that caused an event.
pub(crate) const ACTIVE: u32 = PPM_CL_ACTIVE as u32;

/// Every event that changes the state.
#[rustfmt::skip]
const ROWS: &[(u16, Apply)] = &[
    (SYSCALL_OPEN_E, open::store), (SYSCALL_CREAT_E, open::store), (SYSCALL_OPENAT_2_E, open::store),
    (SYSCALL_OPENAT2_E, open::store), (SYSCALL_EXECVE_19_E, open::store),
    (SYSCALL_EXECVEAT_E, open::store_always), (SOCKET_CONNECT_E, open::store_always),
    (SYSCALL_OPEN_X, open::open), (SYSCALL_CREAT_X, open::creat), (SYSCALL_OPENAT_2_X, open::openat),
    (SYSCALL_OPENAT2_X, open::openat2), (SYSCALL_OPEN_BY_HANDLE_AT_X, open::by_handle),
    (SYSCALL_CLOSE_X, dup::close), (SYSCALL_CLOSE_RANGE_X, dup::close_range),
    (SYSCALL_DUP_1_X, dup::dup), (SYSCALL_DUP2_X, dup::dup), (SYSCALL_DUP3_X, dup::dup), (SYSCALL_FCNTL_X, dup::fcntl),
    (SYSCALL_PIDFD_GETFD_X, dup::pidfd_getfd),
    (SYSCALL_PIPE_X, creators::pipe), (SYSCALL_PIPE2_X, creators::pipe),
    (SYSCALL_EVENTFD_X, creators::eventfd), (SYSCALL_EVENTFD2_X, creators::eventfd2),
    (SYSCALL_SIGNALFD_X, creators::signalfd), (SYSCALL_SIGNALFD4_X, creators::signalfd4),
    (SYSCALL_TIMERFD_CREATE_X, creators::timerfd),
    (SYSCALL_INOTIFY_INIT_X, creators::inotify), (SYSCALL_INOTIFY_INIT1_X, creators::inotify1),
    (SYSCALL_EPOLL_CREATE_X, creators::epoll), (SYSCALL_EPOLL_CREATE1_X, creators::epoll1),
    (SYSCALL_BPF_2_X, creators::bpf), (SYSCALL_USERFAULTFD_X, creators::userfaultfd),
    (SYSCALL_IO_URING_SETUP_X, creators::io_uring), (SYSCALL_MEMFD_CREATE_X, creators::memfd),
    (SYSCALL_PIDFD_OPEN_X, creators::pidfd),
    (SOCKET_SOCKET_X, sockets::socket), (SOCKET_SOCKETPAIR_X, sockets::socketpair), (SOCKET_BIND_X, sockets::bind),
    (SOCKET_CONNECT_X, sockets::connect), (SOCKET_ACCEPT_5_X, sockets::accept), (SOCKET_ACCEPT4_6_X, sockets::accept),
    (SYSCALL_READ_X, io::read), (SYSCALL_READV_X, io::read), (SYSCALL_PREAD_X, io::read), (SYSCALL_PREADV_X, io::read),
    (SOCKET_RECV_X, io::recv), (SOCKET_RECVFROM_X, io::recvfrom), (SOCKET_RECVMSG_X, io::recvmsg),
    (SOCKET_RECVMMSG_X, io::recvmmsg),
    (SYSCALL_WRITE_X, io::read), (SYSCALL_WRITEV_X, io::read), (SYSCALL_PWRITE_X, io::read), (SYSCALL_PWRITEV_X, io::read),
    (SOCKET_SEND_X, io::send), (SOCKET_SENDTO_X, io::send), (SOCKET_SENDMSG_X, io::send), (SOCKET_SENDMMSG_X, io::sendmmsg),
    (SYSCALL_CLONE_20_X, clone::clone), (SYSCALL_CLONE3_X, clone::clone), (SYSCALL_FORK_20_X, clone::clone),
    (SYSCALL_VFORK_20_X, clone::clone),
    (SYSCALL_EXECVE_19_X, exec::exec), (SYSCALL_EXECVEAT_X, exec::exec),
    (PROCEXIT_1_E, exit::exit), (SYSCALL_PRCTL_X, exit::prctl),
    (SYSCALL_CHDIR_X, cwd::chdir), (SYSCALL_FCHDIR_X, cwd::fchdir), (SYSCALL_GETCWD_X, cwd::chdir),
    (SYSCALL_CHROOT_X, cwd::chroot),
    (SYSCALL_SETRESUID_X, credentials::set_euid), (SYSCALL_SETREUID_X, credentials::set_euid),
    (SYSCALL_SETUID_X, credentials::setuid),
    (SYSCALL_SETRESGID_X, credentials::set_egid), (SYSCALL_SETREGID_X, credentials::set_egid),
    (SYSCALL_SETGID_X, credentials::setgid), (SYSCALL_SETSID_X, credentials::setsid),
    (SYSCALL_SETPGID_X, credentials::setpgid),
    (SYSCALL_CAPSET_X, credentials::capset), (SYSCALL_UNSHARE_X, credentials::unshare), (SYSCALL_SETNS_X, credentials::setns),
    (SYSCALL_GETRLIMIT_X, memory::rlimit), (SYSCALL_SETRLIMIT_X, memory::rlimit), (SYSCALL_PRLIMIT_X, memory::prlimit),
    (SCHEDSWITCH_6_E, memory::switch), (SYSCALL_BRK_4_X, memory::sizes), (SYSCALL_MMAP_X, memory::sizes),
    (SYSCALL_MMAP2_X, memory::sizes), (SYSCALL_MUNMAP_X, memory::sizes),
    (USER_ADDED_E, metaevents::user_added), (USER_DELETED_E, metaevents::user_deleted),
    (GROUP_ADDED_E, metaevents::group_added), (GROUP_DELETED_E, metaevents::group_deleted),
    (CONTAINER_JSON_2_E, metaevents::container), (ASYNCEVENT_E, metaevents::asynchronous),
];

/// [`ROWS`] by event code.
pub(crate) static APPLY: [Option<Apply>; COUNT] = by_code();

const fn by_code() -> [Option<Apply>; COUNT] {
    let mut table: [Option<Apply>; COUNT] = [None; COUNT];
    let mut at = 0;
    while at < ROWS.len() {
        assert!(table[ROWS[at].0 as usize].is_none(), "one row an event");
        table[ROWS[at].0 as usize] = Some(ROWS[at].1);
        at += 1;
    }
    table
}

/// How an event is related to its thread and descriptor before it is applied.
#[derive(Clone, Copy)]
pub(crate) struct Locate {
    /// The event belongs to no thread, whatever its header says.
    pub(crate) without_thread: bool,
    /// An unknown thread is looked up or made up: not for events that come before a thread is known, after it is gone,
    /// or from the scheduler.
    pub(crate) asks_source: bool,
    /// The parameter with the descriptor's number, -1 if the event uses none.
    pub(crate) fd_param: i8,
}

const WITHOUT_THREAD: &[u16] =
    &[CONTAINER_JSON_2_E, USER_ADDED_E, USER_DELETED_E, GROUP_ADDED_E, GROUP_DELETED_E, PLUGINEVENT_E, ASYNCEVENT_E];

const NOT_ASKING: &[u16] =
    &[SYSCALL_CLONE_20_X, SYSCALL_CLONE3_X, SYSCALL_FORK_20_X, SYSCALL_VFORK_20_X, SCHEDSWITCH_6_E, PROCEXIT_1_E];

/// Where exit events have their descriptor; events that use one and are in no row have none that could be found.
#[rustfmt::skip]
const FD_PARAMS: &[(i8, &[u16])] = &[
    (1, &[
        SYSCALL_SETNS_X, SOCKET_LISTEN_X, SOCKET_SHUTDOWN_X, SYSCALL_FCHDIR_X, SYSCALL_LSEEK_X, SYSCALL_LLSEEK_X,
        SYSCALL_IOCTL_3_X, SYSCALL_FSTAT_X, SYSCALL_CLOSE_X, SYSCALL_GETDENTS_X, SYSCALL_GETDENTS64_X, SYSCALL_FLOCK_X,
        SYSCALL_COPY_FILE_RANGE_X, SYSCALL_FCNTL_X, SYSCALL_DUP_1_X, SYSCALL_DUP2_X, SYSCALL_DUP3_X,
        SYSCALL_NEWFSTATAT_X, SYSCALL_FCHOWNAT_X, SYSCALL_FCHMODAT_X, SYSCALL_MKDIRAT_X, SYSCALL_UNLINKAT_2_X,
        SYSCALL_MKNODAT_X, SOCKET_SENDMMSG_X, SOCKET_RECVMMSG_X, SYSCALL_IO_URING_REGISTER_X, SYSCALL_IO_URING_ENTER_X,
        SOCKET_SETSOCKOPT_X, SOCKET_GETSOCKOPT_X, SYSCALL_FSCONFIG_X, SYSCALL_FINIT_MODULE_X, SYSCALL_FCHMOD_X,
        SYSCALL_FCHOWN_X,
    ]),
    (2, &[
        SYSCALL_READ_X, SYSCALL_PREAD_X, SOCKET_BIND_X, SYSCALL_WRITE_X, SYSCALL_PWRITE_X, SOCKET_RECV_X, SOCKET_SEND_X,
        SOCKET_SENDTO_X, SOCKET_SENDMSG_X, SYSCALL_SENDFILE_X, SYSCALL_SPLICE_X, SYSCALL_WRITEV_X, SYSCALL_PWRITEV_X,
        SOCKET_CONNECT_X, SYSCALL_SYMLINKAT_X,
    ]),
    (3, &[SOCKET_RECVFROM_X, SYSCALL_READV_X, SYSCALL_PREADV_X]),
    (4, &[SYSCALL_MMAP_E, SYSCALL_MMAP2_E]),
    (5, &[SOCKET_RECVMSG_X]),
    (8, &[SYSCALL_MMAP_X, SYSCALL_MMAP2_X]),
    (1, &[SYSCALL_SPLICE_E]),
];

/// How each event is located, by code.
pub(crate) static LOCATE: [Locate; COUNT] = locate();

const fn locate() -> [Locate; COUNT] {
    let mut table = [Locate { without_thread: false, asks_source: true, fd_param: -1 }; COUNT];
    let mut code = 0;
    while code < COUNT {
        // Enter events have it first.
        if code % 2 == 0 && peregrine_event::table::EVENTS[code].has(eflags::EF_USES_FD) {
            table[code].fd_param = 0;
        }
        code += 1;
    }
    let mut at = 0;
    while at < WITHOUT_THREAD.len() {
        table[WITHOUT_THREAD[at] as usize].without_thread = true;
        at += 1;
    }
    at = 0;
    while at < NOT_ASKING.len() {
        table[NOT_ASKING[at] as usize].asks_source = false;
        at += 1;
    }
    at = 0;
    while at < FD_PARAMS.len() {
        let (param, codes) = FD_PARAMS[at];
        let mut nth = 0;
        while nth < codes.len() {
            table[codes[nth] as usize].fd_param = param;
            nth += 1;
        }
        at += 1;
    }
    table
}

/// Whether these are the enter event of an `execveat` and the exit event of the `execve` that it became.
pub(crate) fn is_execveat_of_execve(enter: u16, exit: u16) -> bool {
    enter == SYSCALL_EXECVEAT_E && exit == SYSCALL_EXECVE_19_X
}

/// The call's return value: the first parameter, of 4 or 8 bytes.
fn result(event: &Event<'_>) -> Option<i64> {
    let bytes = event.value(0)?;
    Some(match (bytes.len(), bytes.first_chunk(), bytes.first_chunk()) {
        (8, Some(long), _) => i64::from_le_bytes(*long),
        (4, _, Some(short)) => i64::from(i32::from_le_bytes(*short)),
        _ => 0,
    })
}

/// Slot and return value of a call that succeeded.
fn success(event: &Event<'_>, context: &Context) -> Option<(u32, i64)> {
    let Slot(slot) = context.thread?;
    let result = result(event).filter(|result| *result >= 0)?;
    Some((slot, result))
}

/// A text or path parameter; `<NA>` without a value, which old captures also write as `(NULL)`.
fn text<'a>(event: &Event<'a>, index: usize) -> &'a [u8] {
    match event.text(index) {
        None => b"<NA>",
        Some(b"(NULL)") if event.value(index).is_some_and(|bytes| bytes.len() == 7) => b"<NA>",
        Some(text) => text,
    }
}

fn u32_of(event: &Event<'_>, index: usize) -> u32 {
    event.uint(index).unwrap_or(0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use peregrine_event::table::EVENTS;

    /// What upstream's parser looks at. Old events reach it, as they reach us, in the form of these.
    #[rustfmt::skip]
    const PARSED: &[u16] = &[
        SYSCALL_OPEN_E, SYSCALL_CREAT_E, SYSCALL_OPENAT_2_E, SYSCALL_OPENAT2_E, SYSCALL_EXECVE_19_E, SYSCALL_EXECVEAT_E,
        SOCKET_CONNECT_E, SYSCALL_READ_X, SYSCALL_READV_X, SYSCALL_PREAD_X, SYSCALL_PREADV_X, SOCKET_RECV_X,
        SOCKET_RECVFROM_X, SOCKET_RECVMSG_X, SOCKET_RECVMMSG_X, SYSCALL_WRITE_X, SYSCALL_WRITEV_X, SYSCALL_PWRITE_X,
        SYSCALL_PWRITEV_X, SOCKET_SEND_X, SOCKET_SENDTO_X, SOCKET_SENDMSG_X, SOCKET_SENDMMSG_X, SYSCALL_SENDFILE_X,
        SYSCALL_OPEN_X, SYSCALL_CREAT_X, SYSCALL_OPENAT_2_X, SYSCALL_OPENAT2_X, SYSCALL_OPEN_BY_HANDLE_AT_X,
        SYSCALL_UNSHARE_X, SYSCALL_SETNS_X, SYSCALL_MEMFD_CREATE_X, SYSCALL_CLONE_20_X, SYSCALL_FORK_20_X,
        SYSCALL_VFORK_20_X, SYSCALL_CLONE3_X, SYSCALL_PIDFD_OPEN_X, SYSCALL_PIDFD_GETFD_X, SYSCALL_EXECVE_19_X,
        SYSCALL_EXECVEAT_X, PROCEXIT_1_E, SYSCALL_PIPE_X, SYSCALL_PIPE2_X, SOCKET_SOCKET_X, SOCKET_BIND_X,
        SOCKET_CONNECT_X, SOCKET_ACCEPT_5_X, SOCKET_ACCEPT4_6_X, SYSCALL_CLOSE_X, SYSCALL_CLOSE_RANGE_X, SYSCALL_FCNTL_X,
        SYSCALL_EVENTFD_X, SYSCALL_EVENTFD2_X, SYSCALL_CHDIR_X, SYSCALL_FCHDIR_X, SYSCALL_GETCWD_X, SOCKET_SHUTDOWN_X,
        SYSCALL_DUP_1_X, SYSCALL_DUP2_X, SYSCALL_DUP3_X, SYSCALL_SIGNALFD_X, SYSCALL_SIGNALFD4_X,
        SYSCALL_TIMERFD_CREATE_X, SYSCALL_INOTIFY_INIT_X, SYSCALL_INOTIFY_INIT1_X, SYSCALL_BPF_2_X, SYSCALL_USERFAULTFD_X,
        SYSCALL_IO_URING_SETUP_X, SYSCALL_EPOLL_CREATE_X, SYSCALL_EPOLL_CREATE1_X, SYSCALL_GETRLIMIT_X,
        SYSCALL_SETRLIMIT_X, SYSCALL_PRLIMIT_X, SOCKET_SOCKETPAIR_X, SCHEDSWITCH_6_E, SYSCALL_BRK_4_X, SYSCALL_MMAP_X,
        SYSCALL_MMAP2_X, SYSCALL_MUNMAP_X, SYSCALL_SETRESUID_X, SYSCALL_SETREUID_X, SYSCALL_SETRESGID_X,
        SYSCALL_SETREGID_X, SYSCALL_SETUID_X, SYSCALL_SETGID_X, CPU_HOTPLUG_E, SYSCALL_CHROOT_X, SYSCALL_SETSID_X,
        SOCKET_GETSOCKOPT_X, SYSCALL_CAPSET_X, USER_ADDED_E, USER_DELETED_E, GROUP_ADDED_E, GROUP_DELETED_E,
        SYSCALL_PRCTL_X,
    ];

    /// Of those, what changes nothing there: it calls an observer that Falco has not (`sendfile`, `shutdown`), counts
    /// only with the status of connections tracked, which Falco does not (`getsockopt`), or ends the program, which
    /// this one need not (a processor that came or went).
    const IDLE: &[u16] = &[SYSCALL_SENDFILE_X, SOCKET_SHUTDOWN_X, SOCKET_GETSOCKOPT_X, CPU_HOTPLUG_E];

    /// What upstream's plugin for containers looks at, and what only Peregrine's own events change.
    const OTHERS: &[u16] = &[CONTAINER_JSON_2_E, ASYNCEVENT_E, SYSCALL_SETPGID_X];

    #[test]
    fn every_event_that_upstream_parses_has_its_row() {
        for code in PARSED {
            let row = APPLY[usize::from(*code)].is_some();
            assert_eq!(row, !IDLE.contains(code), "{}", EVENTS[usize::from(*code)].symbol);
        }
        for (code, _) in ROWS {
            assert!(PARSED.contains(code) || OTHERS.contains(code), "{}", EVENTS[usize::from(*code)].symbol);
        }
        assert_eq!((PARSED.len(), ROWS.len()), (95, 94));
    }

    #[test]
    fn descriptor_parameters_are_descriptors() {
        use peregrine_event::ParamType;
        for (code, (row, info)) in LOCATE.iter().zip(&EVENTS).enumerate() {
            if let Ok(param) = usize::try_from(row.fd_param)
                && info.has(eflags::EF_USES_FD)
            {
                assert_eq!(info.params.get(param).map(|p| p.ty), Some(ParamType::Fd), "{code} {}", info.symbol);
            }
        }
    }

    #[test]
    fn current_events_that_use_a_descriptor_say_where() {
        for (row, info) in LOCATE.iter().zip(&EVENTS) {
            if info.has(eflags::EF_USES_FD) && !info.has(eflags::EF_OLD_VERSION | eflags::EF_UNUSED) {
                assert!(row.fd_param >= 0, "{}", info.symbol);
            }
        }
    }
}
