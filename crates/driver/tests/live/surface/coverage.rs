//! Which events the rows must show, which they cannot and why; the page `docs/surface.md` is written from it.

use peregrine_event::{calls, code, eflags};
use std::fmt::Write as _;

/// Events whose call does not succeed in the test, and why.
const NEVER_SUCCEEDS: &[(u16, &str)] = &[
    (code::SYSCALL_INIT_MODULE_X, "a test loads no modules"),
    (code::SYSCALL_FINIT_MODULE_X, "a test loads no modules"),
    (code::SYSCALL_DELETE_MODULE_X, "a test unloads no modules"),
    (code::SYSCALL_QUOTACTL_X, "takes a file system with quotas"),
    (code::SYSCALL_EXECVEAT_X, "is told as an execve, as upstream does; checked there"),
];

/// Events whose call does not fail, and why.
const NEVER_FAILS: &[(u16, &str)] = &[
    (code::GENERIC_X, "says only which call it was"),
    (code::SYSCALL_BRK_4_X, "cannot fail"),
    (code::SYSCALL_GETUID_X, "cannot fail"),
    (code::SYSCALL_GETEUID_X, "cannot fail"),
    (code::SYSCALL_GETGID_X, "cannot fail"),
    (code::SYSCALL_GETEGID_X, "cannot fail"),
    (code::SYSCALL_MUNLOCKALL_X, "cannot fail"),
];

/// Current events of which no call of x86-64 or aarch64 tells, and why.
const NEVER_TOLD: &[(u16, &str)] = &[
    (code::SOCKET_SEND_X, "a 32-bit socketcall; told as sendto"),
    (code::SOCKET_RECV_X, "a 32-bit socketcall; told as recvfrom"),
    (code::SYSCALL_STAT64_X, "a 32-bit call; told as stat"),
    (code::SYSCALL_LSTAT64_X, "a 32-bit call; told as lstat"),
    (code::SYSCALL_FSTAT64_X, "a 32-bit call; told as fstat"),
    (code::SYSCALL_LLSEEK_X, "a 32-bit call; told as lseek"),
    (code::SYSCALL_MMAP2_X, "a 32-bit call; told as mmap"),
    (code::SYSCALL_UMOUNT_1_X, "a 32-bit call; told as umount2 without flags"),
    (code::DROP_X, "upstream's sampling of events, which there is none of here"),
];

/// Codes of the calls' ends that are no older version of another.
pub fn current() -> impl Iterator<Item = u16> {
    (0..code::COUNT as u16).filter(|code| {
        code % 2 == 1
            && peregrine_event::info(*code).is_some_and(|info| !info.has(eflags::EF_OLD_VERSION | eflags::EF_UNUSED))
    })
}

/// Whether a call that has a number tells of it.
pub fn is_told(code: u16, number: impl Fn(&calls::Call) -> i64) -> bool {
    calls::CALLS.iter().any(|call| call.event == code && number(call) >= 0)
}

/// The event's symbol.
pub fn symbol(code: u16) -> &'static str {
    peregrine_event::info(code).expect("the table has it").symbol
}

/// Why no row shows the event of a call that succeeds, or fails.
pub fn why_not(code: u16, success: bool) -> Option<&'static str> {
    let table = if success { NEVER_SUCCEEDS } else { NEVER_FAILS };
    table.iter().find(|(of, _)| *of == code).map(|(_, why)| *why)
}

fn page() -> String {
    let mut page = String::from(
        "# The surface: every call that has an event of its own\n\n\
        Written by `make docs`. Each row stands for a live test that makes the call with known arguments and compares every\n\
        parameter of its event (`crates/driver/tests/live/surface`); the same events are compared with upstream's captures of\n\
        the same programs (`crates/driver/tests/live/parity.rs`, what differs and why: `crates/driver/tests/parity_deviations.txt`).\n\n\
        | event | call | that succeeds | that fails |\n|---|---|---|---|\n",
    );
    let any = |call: &calls::Call| i64::from(call.x86_64.max(call.aarch64));
    let (mut told, mut never) = (0, String::new());
    for code in current() {
        let name = peregrine_event::info(code).expect("the table has it").name;
        if is_told(code, any) {
            told += 1;
            let cell = |success: bool| why_not(code, success).unwrap_or("checked");
            let _ = writeln!(page, "| {} | {name} | {} | {} |", symbol(code), cell(true), cell(false));
        } else {
            let why = NEVER_TOLD.iter().find(|(of, _)| *of == code).map(|(_, why)| *why);
            let _ = writeln!(never, "| {} | {} |", symbol(code), why.expect("NEVER_TOLD has its reason"));
        }
    }
    let _ = write!(
        page,
        "\n{told} events. These no call of x86-64 or aarch64 tells of:\n\n| event | why |\n|---|---|\n{never}"
    );
    page
}

#[test]
fn the_page_of_the_surface_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/surface.md");
    if std::env::var_os("PEREGRINE_WRITE_DOCS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    assert!(std::fs::read_to_string(path).unwrap_or_default() == page(), "docs/surface.md is stale: run `make docs`");
}
