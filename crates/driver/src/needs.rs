//! Which events are wanted: what the rules can match and what state needs.
//!
//! The set is loaded into the kernel programs' table, so that a call that nobody needs ends at the dispatch. It is a
//! set of exit event codes and, because many calls share the generic event, of system call ids beside it.

use peregrine_event::{code, eflags, sc, table};

const WORDS: usize = code::COUNT.div_ceil(64);
const SC_WORDS: usize = sc::NAMES.len().div_ceil(64);

/// A set of event codes, and of system calls for the generic event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    codes: [u64; WORDS],
    generic: [u64; SC_WORDS],
}

impl Needs {
    /// Nothing.
    pub const fn nothing() -> Self {
        Self { codes: [0; WORDS], generic: [0; SC_WORDS] }
    }

    /// Every event there is.
    pub const fn everything() -> Self {
        Self { codes: [u64::MAX; WORDS], generic: [u64::MAX; SC_WORDS] }
    }

    /// What state cannot do without; see [`state_needs`].
    pub fn state() -> Self {
        (0..code::COUNT as u16).filter(|code| state_needs(*code)).collect()
    }

    /// Adds an event code; unknown ones are ignored. The generic event alone adds every system call that has no event
    /// of its own; use [`Needs::insert_generic`] for single ones.
    pub fn insert(&mut self, code: u16) {
        if let Some(word) = self.codes.get_mut(usize::from(code / 64)) {
            *word |= 1 << (code % 64);
        }
        if code | 1 == code::GENERIC_X {
            self.generic = [u64::MAX; SC_WORDS];
        }
    }

    /// Adds one system call (`ppm_sc` id) that is delivered as the generic event.
    pub fn insert_generic(&mut self, sc: u16) {
        if let Some(word) = self.generic.get_mut(usize::from(sc / 64)) {
            *word |= 1 << (sc % 64);
            self.codes[usize::from(code::GENERIC_X / 64)] |= 1 << (code::GENERIC_X % 64);
        }
    }

    /// Everything of both.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        self.codes.iter_mut().zip(other.codes).for_each(|(a, b)| *a |= b);
        self.generic.iter_mut().zip(other.generic).for_each(|(a, b)| *a |= b);
        self
    }

    /// Whether an event is wanted. Exit and enter codes of one call are one: only exits leave the kernel.
    pub fn contains(&self, code: u16) -> bool {
        let bit = |code: u16| self.codes.get(usize::from(code / 64)).is_some_and(|word| word >> (code % 64) & 1 == 1);
        bit(code) || (code & 1 == 1 && bit(code - 1))
    }

    /// Whether a system call that is delivered as the generic event is wanted.
    pub fn contains_generic(&self, sc: u16) -> bool {
        self.generic.get(usize::from(sc / 64)).is_some_and(|word| word >> (sc % 64) & 1 == 1)
    }
}

impl FromIterator<u16> for Needs {
    fn from_iter<I: IntoIterator<Item = u16>>(codes: I) -> Self {
        let mut needs = Self::nothing();
        codes.into_iter().for_each(|code| needs.insert(code));
        needs
    }
}

/// Whether state needs this event whatever the rules say.
///
/// These are the current events that the schema marks as changing state: threads (clone, fork, exec, exit),
/// descriptors (open, socket, pipe, dup, close, memfd and their kin), their names and addresses (bind, connect,
/// accept, fcntl), and what a thread carries along (cwd, root, credentials, session, capabilities, namespaces' marks).
/// Left out, although marked, are the transfers of data (`send*`, `recv*`): they only refine the address of an
/// unconnected socket, which their own event carries when a rule asks for them; and `getsockopt` and `shutdown`,
/// which change nothing that a rule on another event could read.
pub fn state_needs(code: u16) -> bool {
    const TRANSFERS: [u16; 8] = [
        code::SOCKET_SENDTO_X,
        code::SOCKET_SENDMSG_X,
        code::SOCKET_SENDMMSG_X,
        code::SOCKET_RECVFROM_X,
        code::SOCKET_RECVMSG_X,
        code::SOCKET_RECVMMSG_X,
        code::SOCKET_GETSOCKOPT_X,
        code::SOCKET_SHUTDOWN_X,
    ];
    // Not marked by the schema, since they touch no table of upstream's; ours follows descriptors through them.
    const OURS: [u16; 5] = [
        code::SYSCALL_MEMFD_CREATE_X,
        code::SYSCALL_PIDFD_OPEN_X,
        code::SYSCALL_PIDFD_GETFD_X,
        code::SYSCALL_CLOSE_RANGE_X,
        code::SYSCALL_SETPGID_X,
    ];
    let Some(info) = table::EVENTS.get(usize::from(code)) else { return false };
    let exit = code & 1 == 1 || code == code::PROCEXIT_1_E;
    let marked = info.has(eflags::EF_MODIFIES_STATE) && !info.has(eflags::EF_OLD_VERSION | eflags::EF_UNUSED);
    exit && (OURS.contains(&code) || marked && !TRANSFERS.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_was_put_in() {
        let mut needs: Needs = [code::SYSCALL_OPENAT_2_X].into_iter().collect();
        assert!(needs.contains(code::SYSCALL_OPENAT_2_X) && !needs.contains(code::SYSCALL_CLOSE_X));
        needs.insert_generic(9);
        assert!(needs.contains(code::GENERIC_X) && needs.contains_generic(9) && !needs.contains_generic(10));
        needs.insert(u16::MAX);
        let both = needs.union(&[code::GENERIC_E].into_iter().collect());
        assert!(both.contains_generic(10) && both.contains(code::SYSCALL_OPENAT_2_X));
        assert!(Needs::everything().contains(code::SYSCALL_READ_X));
    }

    #[test]
    fn state_follows_threads_and_descriptors_but_no_data() {
        for code in [
            code::SYSCALL_OPENAT_2_X,
            code::SYSCALL_CLOSE_X,
            code::SYSCALL_CLONE_20_X,
            code::SYSCALL_EXECVE_19_X,
            code::PROCEXIT_1_E,
            code::SYSCALL_DUP_1_X,
            code::SYSCALL_FCNTL_X,
            code::SOCKET_CONNECT_X,
            code::SYSCALL_CHDIR_X,
            code::SYSCALL_SETRESUID_X,
            code::SYSCALL_PRCTL_X,
        ] {
            assert!(state_needs(code), "{}", table::EVENTS[usize::from(code)].symbol);
        }
        for code in [code::SYSCALL_READ_X, code::SYSCALL_WRITE_X, code::SOCKET_SENDTO_X, code::GENERIC_X] {
            assert!(!state_needs(code), "{}", table::EVENTS[usize::from(code)].symbol);
        }
    }
}
