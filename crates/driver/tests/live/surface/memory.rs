//! Memory mapped, protected, locked, and made into files.

use super::files::{EINVAL, text};
use super::harness::{Is, N, P, Surface, at, s};
use peregrine_event::defines::*;

const ENOMEM: i64 = -12;
const PAGE: u64 = 4096;

/// Every row of this file.
pub fn rows(t: &mut Surface) {
    mapped(t);
    locked(t);
    files(t);
}

fn kib() -> P {
    Is("KiB of this process", |bytes| bytes.len() == 4)
}

fn mapped(t: &mut Surface) {
    let protection = (libc::PROT_READ | libc::PROT_WRITE) as u64;
    let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE) as u64;
    let told = PPM_MAP_PRIVATE | PPM_MAP_ANONYMOUS | PPM_MAP_NORESERVE;
    let numbers = |res: i64| vec![N(res), kib(), kib(), kib()];
    let at = t.call("mmap", &[0, 2 * PAGE, protection, flags, u64::MAX, 0], |res| {
        [numbers(res), vec![N(0), N(2 * PAGE as i64), N(3), N(told), N(-1), N(0)]].concat()
    });
    t.call("mmap", &[PAGE, 0, 4, 0x1, 99, 7 * PAGE], |_| {
        let rest = vec![N(PAGE as i64), N(0), N(PPM_PROT_EXEC), N(PPM_MAP_SHARED), N(99), N(7 * PAGE as i64)];
        [numbers(EINVAL), rest].concat()
    });
    t.call("mprotect", &[at as u64, PAGE, 5], |res| {
        vec![N(res), N(at), N(PAGE as i64), N(PPM_PROT_READ | PPM_PROT_EXEC)]
    });
    t.call("mprotect", &[at as u64 + 1, PAGE, 0x0100_0001], |_| {
        vec![N(EINVAL), N(at + 1), N(PAGE as i64), N(PPM_PROT_READ | PPM_PROT_GROWSDOWN)]
    });
    t.call("munmap", &[at as u64, 2 * PAGE], |res| [numbers(res), vec![N(at), N(2 * PAGE as i64)]].concat());
    t.call("munmap", &[1, PAGE], |_| [numbers(EINVAL), vec![N(1), N(PAGE as i64)]].concat());
    t.call("brk", &[0], |res| [numbers(res), vec![N(0)]].concat());
}

fn locked(t: &mut Surface) {
    let page = vec![0u8; 3 * PAGE as usize];
    let start = at(&page[..]);
    t.call("mlock", &[start, PAGE], |res| vec![N(res), N(start as i64), N(PAGE as i64)]);
    t.call("mlock", &[0x1000, PAGE], |_| vec![N(ENOMEM), N(0x1000), N(PAGE as i64)]);
    t.call("mlock2", &[start, PAGE, 1], |res| vec![N(res), N(start as i64), N(PAGE as i64), N(PPM_MLOCK_ONFAULT)]);
    t.call("mlock2", &[start, PAGE, 6], |_| vec![N(EINVAL), N(start as i64), N(PAGE as i64), N(0)]);
    t.call("munlock", &[start, PAGE], |res| vec![N(res), N(start as i64), N(PAGE as i64)]);
    t.call("munlock", &[0x1000, PAGE], |_| vec![N(ENOMEM), N(0x1000), N(PAGE as i64)]);
    t.child(|_| {
        vec![
            ("mlockall", vec![6], vec![N(0), N(PPM_MLOCKALL_MCL_FUTURE | PPM_MLOCKALL_MCL_ONFAULT)]),
            ("mlockall", vec![0], vec![N(EINVAL), N(0)]),
            ("munlockall", vec![], vec![N(0)]),
        ]
    });
}

fn files(t: &mut Surface) {
    t.call("memfd_create", &[at(&text("named")[..]), 3], |fd| {
        vec![N(fd), s("named"), N(PPM_MFD_CLOEXEC | PPM_MFD_ALLOW_SEALING)]
    });
    t.call("memfd_create", &[at(&text("named")[..]), 0x4000_0000], |_| vec![N(EINVAL), s("named"), N(0)]);
}
