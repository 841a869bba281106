//! A program waits, and what it waits with: descriptors of events, timers, watches; semaphores.

use super::files::{EBADF, EINVAL, NO_FD};
use super::harness::{B, N, P, Surface, at};
use peregrine_event::defines::*;

const EFAULT: i64 = -14;
const EAGAIN: i64 = -11;
const EMFILE: i64 = -24;

/// Every row of this file.
pub fn rows(t: &mut Surface) {
    polled(t);
    slept(t);
    handles(t);
    semaphores(t);
}

fn list(pairs: &[(i64, i64)]) -> P {
    let pair = |(fd, events): &(i64, i64)| [&fd.to_le_bytes()[..], &(*events as u16).to_le_bytes()].concat();
    B([(pairs.len() as u16).to_le_bytes().to_vec(), pairs.iter().flat_map(pair).collect()].concat())
}

fn polled(t: &mut Surface) {
    let fds = [0i32; 2];
    // SAFETY: the pair is ours.
    assert_eq!(unsafe { libc::pipe(fds.as_ptr().cast_mut()) }, 0);
    let [reader, writer] = super::files::told(&fds);
    let entry = |fd: i64, events: i16| libc::pollfd { fd: fd as i32, events, revents: 0 };
    let polled = [entry(reader, libc::POLLIN), entry(writer, libc::POLLOUT | libc::POLLWRNORM), entry(9999, 0)];
    let told = [(reader, 0), (writer, PPM_POLLOUT | PPM_POLLWRNORM), (9999, PPM_POLLNVAL)];
    let (time, mask) = ([0u64, 5_000_000], [0x0004_0002_u64]);
    t.call("ppoll", &[at(&polled), 3, at(&time), at(&mask), 8], |res| {
        // The kernel writes back what is left of the time.
        // SAFETY: it is a reference; the kernel wrote there behind the compiler's back.
        let left = unsafe { std::ptr::read_volatile(&raw const time) };
        vec![N(res), list(&told), N((left[0] * 1_000_000_000 + left[1]) as i64), N(0x0004_0002)]
    });
    t.call("ppoll", &[0x10, 3, 0, 0, 8], |_| vec![N(EFAULT), list(&[]), N(0), N(0)]);
    if !Surface::has("poll") {
        return;
    }
    t.call("poll", &[at(&polled), 3, -1i64 as u64], |res| vec![N(res), list(&told), N(-1)]);
    let twenty = [entry(-1, 0); 20];
    t.call("poll", &[at(&twenty[..]), 20, 1], |res| vec![N(res), list(&[(-1, 0); 16]), N(1)]);
    t.call("poll", &[0x10, 3, 7], |_| vec![N(EFAULT), list(&[]), N(7)]);
    let none = [0u64; 2];
    t.call("select", &[0, 0, 0, 0, at(&none)], |res| vec![N(res)]);
    t.call("select", &[-1i64 as u64, 0, 0, 0, at(&none)], |_| vec![N(EINVAL)]);
}

fn slept(t: &mut Surface) {
    let time = [0u64, 1000];
    t.call("nanosleep", &[at(&time), 0], |res| vec![N(res), N(1000)]);
    let time = [3u64, 2_000_000_000];
    t.call("nanosleep", &[at(&time), 0], |_| vec![N(EINVAL), N(5_000_000_000)]);
    let word = [7u32];
    t.call("futex", &[at(&word), 0x81, 1], |res| {
        vec![N(res), N(at(&word) as i64), N(PPM_FU_FUTEX_WAKE | PPM_FU_FUTEX_PRIVATE_FLAG), N(1)]
    });
    t.call("futex", &[at(&word), 0x189, 8, 0, 0, 1], |_| {
        let op = PPM_FU_FUTEX_WAIT_BITSET | PPM_FU_FUTEX_PRIVATE_FLAG | PPM_FU_FUTEX_CLOCK_REALTIME;
        vec![N(EAGAIN), N(at(&word) as i64), N(op), N(8)]
    });
}

fn handles(t: &mut Surface) {
    let nonblock = libc::O_NONBLOCK as u64;
    let cloexec = libc::O_CLOEXEC as u64;
    t.call("eventfd2", &[7, nonblock | cloexec], |fd| vec![N(fd), N(PPM_O_NONBLOCK | PPM_O_CLOEXEC), N(7)]);
    t.call("eventfd2", &[7, 0x10], |_| vec![N(EINVAL), N(0), N(7)]);
    let mask = [0u64];
    let fd = t.call("signalfd4", &[NO_FD, at(&mask), 8, cloexec], |fd| vec![N(fd), N(PPM_O_CLOEXEC), N(-1), N(0)]);
    t.call("signalfd4", &[fd as u64, at(&mask), 3, nonblock], |_| vec![N(EINVAL), N(PPM_O_NONBLOCK), N(fd), N(0)]);
    t.call("timerfd_create", &[1, nonblock], |fd| vec![N(fd), N(1), N(PPM_O_NONBLOCK)]);
    t.call("timerfd_create", &[99, 0], |_| vec![N(EINVAL), N(99), N(0)]);
    t.call("inotify_init1", &[cloexec], |fd| vec![N(fd), N(PPM_O_CLOEXEC)]);
    t.call("inotify_init1", &[1], |_| vec![N(EINVAL), N(0)]);
    t.call("epoll_create1", &[cloexec], |fd| vec![N(fd), N(PPM_EPOLL_CLOEXEC)]);
    t.call("epoll_create1", &[1], |_| vec![N(EINVAL), N(0)]);
    let me = u64::from(std::process::id());
    let pidfd = t.call("pidfd_open", &[me, nonblock], |fd| vec![N(fd), N(me as i64), N(PPM_PIDFD_NONBLOCK)]);
    t.call("pidfd_open", &[NO_FD, 0], |_| vec![N(EINVAL), N(-1), N(0)]);
    t.call("pidfd_getfd", &[pidfd as u64, 2, 0], |fd| vec![N(fd), N(pidfd), N(2), N(0)]);
    t.call("pidfd_getfd", &[NO_FD, 2, 1], |res| vec![N(res), N(-1), N(2), N(1)]);
    let none = [0u64; 2];
    t.child(|_| vec![("setrlimit", vec![7, at(&none)], vec![N(0), N(0), N(0), N(PPM_RLIMIT_NOFILE)])]);
    if !Surface::has("epoll_create") {
        return;
    }
    let epoll = t.call("epoll_create", &[5], |fd| vec![N(fd), N(5)]);
    t.call("epoll_create", &[0], |_| vec![N(EINVAL), N(0)]);
    let events = [0u8; 64];
    t.call("epoll_wait", &[epoll as u64, at(&events), 3, 0], |res| vec![N(res), N(3)]);
    t.call("epoll_wait", &[NO_FD, at(&events), 4, 0], |_| vec![N(EBADF), N(4)]);
    t.call("eventfd", &[9], |fd| vec![N(fd), N(9), N(0)]);
    t.call("signalfd", &[NO_FD, at(&mask), 8], |fd| vec![N(fd), N(-1), N(0), N(0)]);
    t.call("signalfd", &[NO_FD, at(&mask), 3], |_| vec![N(EINVAL), N(-1), N(0), N(0)]);
    t.call("inotify_init", &[], |fd| vec![N(fd), N(0)]);
    t.child(|_| {
        vec![
            ("setrlimit", vec![7, at(&none)], vec![N(0), N(0), N(0), N(PPM_RLIMIT_NOFILE)]),
            ("eventfd", vec![9], vec![N(EMFILE), N(9), N(0)]),
            ("inotify_init", vec![], vec![N(EMFILE), N(0)]),
        ]
    });
}

#[repr(C)]
struct Operation {
    number: u16,
    change: i16,
    flags: i16,
}

fn semaphores(t: &mut Surface) {
    let id = t.call("semget", &[0, 3, 0o1600], |id| vec![N(id), N(0), N(3), N(PPM_IPC_CREAT)]) as u64;
    t.call("semget", &[0x7eed, NO_FD, 0o3600], |_| vec![N(EINVAL), N(0x7eed), N(-1), N(PPM_IPC_CREAT | PPM_IPC_EXCL)]);
    let operations = [
        Operation { number: 1, change: 4, flags: 0 },
        Operation { number: 2, change: 1, flags: 0o4000 | 0x1000 },
        Operation { number: 0, change: 1, flags: 0 },
    ];
    t.call("semop", &[id, at(&operations), 1], |res| {
        vec![N(res), N(1), N(1), N(4), N(0), N(0), N(0), N(0), N(id as i64)]
    });
    t.call("semop", &[id, at(&operations), 3], |res| {
        let flags = PPM_IPC_NOWAIT | PPM_SEM_UNDO;
        vec![N(res), N(3), N(1), N(4), N(0), N(2), N(1), N(flags), N(id as i64)]
    });
    t.call("semop", &[NO_FD, at(&operations), 2], |_| vec![N(EINVAL), N(2), N(0), N(0), N(0), N(0), N(0), N(0), N(-1)]);
    t.call("semctl", &[id, 1, 16, 42], |res| vec![N(res), N(id as i64), N(1), N(PPM_SETVAL), N(42)]);
    t.call("semctl", &[id, 1, 12, 7], |res| {
        assert_eq!(res, 42);
        vec![N(res), N(id as i64), N(1), N(PPM_GETVAL), N(0)]
    });
    t.call("semctl", &[NO_FD, 2, 99, 7], |_| vec![N(EINVAL), N(-1), N(2), N(0), N(0)]);
    t.call("semctl", &[id, 0, 0, 0], |res| vec![N(res), N(id as i64), N(0), N(PPM_IPC_RMID), N(0)]);
}
