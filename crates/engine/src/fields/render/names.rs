//! Names of numbers: flags, enum values, modes, signals, capabilities.

use peregrine_event::flags::Flag;

/// Calls `each` with the names of the set flags, in the table's order: an entry is named if all of its bits are set
/// and not yet named; a zero entry only if the whole value is zero; an entry that is the whole value ends the walk.
pub(crate) fn flags(table: &[Flag], value: u32, each: &mut dyn FnMut(&'static str)) {
    let mut rest = value;
    for flag in table {
        if named(flag, value, rest) {
            each(flag.name);
            rest &= !flag.value;
            if flag.value == value {
                return;
            }
        }
    }
}

fn named(flag: &Flag, value: u32, rest: u32) -> bool {
    if flag.value == 0 { value == 0 } else { rest & flag.value == flag.value }
}

/// Calls `each` with every name of an enum's value.
pub(crate) fn values(table: &[Flag], value: u32, each: &mut dyn FnMut(&'static str)) {
    table.iter().filter(|flag| flag.value == value).map(|flag| flag.name).for_each(each);
}

/// As [`flags`], but the walk ends at the entry that is the whole value, and names it last.
pub(crate) fn mode(table: &[Flag], value: u32, each: &mut dyn FnMut(&'static str)) {
    let mut rest = value;
    for flag in table {
        if flag.value == value {
            return each(flag.name);
        }
        if named(flag, value, rest) {
            each(flag.name);
            rest &= !flag.value;
        }
    }
}

/// Name of a signal; real-time signals have none.
pub(crate) fn signal(number: u8) -> Option<&'static str> {
    SIGNALS.get(usize::from(number).checked_sub(1)?).copied()
}

const SIGNALS: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// Names of capabilities by bit.
pub(crate) const CAPABILITIES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

#[cfg(test)]
mod tests {
    use super::*;
    use peregrine_event::flags::{FILE_FLAGS, SOCKET_FAMILIES};

    fn joined(walk: impl FnOnce(&mut dyn FnMut(&'static str))) -> String {
        let mut names = Vec::new();
        walk(&mut |name| names.push(name));
        names.join("|")
    }

    #[test]
    fn flags_are_named_once() {
        assert_eq!(joined(|each| flags(FILE_FLAGS, 3, each)), "O_RDWR");
        assert_eq!(joined(|each| flags(FILE_FLAGS, 0x1001, each)), "O_RDONLY|O_CLOEXEC");
        assert_eq!(joined(|each| flags(FILE_FLAGS, 0, each)), "O_NONE");
    }

    #[test]
    fn enum_values_have_all_their_names() {
        assert_eq!(joined(|each| values(SOCKET_FAMILIES, 1, each)), "AF_LOCAL|AF_UNIX");
    }

    #[test]
    fn whole_modes_come_last() {
        const TABLE: &[Flag] =
            &[Flag { name: "A", value: 1 }, Flag { name: "B", value: 2 }, Flag { name: "AB", value: 3 }];
        assert_eq!(joined(|each| mode(TABLE, 3, each)), "A|B|AB");
        assert_eq!(joined(|each| mode(TABLE, 1, each)), "A");
    }

    #[test]
    fn signals_by_number() {
        assert_eq!((signal(9), signal(31), signal(0), signal(34)), (Some("SIGKILL"), Some("SIGSYS"), None, None));
    }
}
