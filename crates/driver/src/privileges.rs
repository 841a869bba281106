//! Capabilities: which loading needs, and giving up those that nothing needs any more.

use crate::DriverError;
use crate::error::kernel_release;
use caps::{CapSet, Capability};
use std::collections::HashSet;

/// What loading and attaching needs on a kernel that splits these off CAP_SYS_ADMIN (5.8).
const LOADING: [Capability; 2] = [Capability::CAP_BPF, Capability::CAP_PERFMON];

/// What reading `/proc` of other users' processes and containers' files goes on needing.
const READING: [Capability; 2] = [Capability::CAP_SYS_PTRACE, Capability::CAP_DAC_READ_SEARCH];

/// Checks that loading may succeed.
///
/// # Errors
/// [`DriverError::Privilege`] with what is missing.
pub(crate) fn check() -> Result<(), DriverError> {
    let effective = caps::read(None, CapSet::Effective).unwrap_or_default();
    if effective.contains(&Capability::CAP_SYS_ADMIN) {
        return Ok(());
    }
    let missing: Vec<String> = LOADING.iter().filter(|cap| !effective.contains(cap)).map(ToString::to_string).collect();
    if missing.is_empty() { Ok(()) } else { Err(DriverError::Privilege { missing: missing.join(", ") }) }
}

/// Gives up every capability but those for reading `/proc`, for good: they leave the bounding set too, and no program
/// started later can regain them. Returns the names of what was kept.
///
/// Capabilities belong to threads: call this once everything is attached, before any other thread is started, and
/// after every child that has to keep its privileges. The user stays as it is: files of its own remain readable and
/// writable. CAP_BPF is kept on kernels before 5.19, which ask for it to read and write maps that are already open
/// when unprivileged BPF is off. With `loading` what [`crate::Control::set_needs`] needs stays too.
///
/// # Errors
/// [`DriverError::DropPrivileges`] when other threads run already or the kernel refuses; then nothing may rely on
/// the privileges being gone.
pub fn drop_privileges(loading: bool) -> Result<Vec<String>, DriverError> {
    let refused = |what: &str, e: &dyn std::fmt::Display| DriverError::DropPrivileges(format!("{what}: {e}"));
    let threads = std::fs::read_dir("/proc/self/task").map_err(|e| refused("/proc/self/task", &e))?.count();
    if threads != 1 {
        return Err(DriverError::DropPrivileges(format!("{threads} threads run already, each with its own")));
    }
    let mut keep: HashSet<Capability> = READING.into();
    if loading {
        keep.extend(LOADING);
    }
    if needs_bpf_for_maps(&kernel_release()) {
        keep.insert(Capability::CAP_BPF);
    }
    let permitted = caps::read(None, CapSet::Permitted).map_err(|e| refused("permitted set", &e))?;
    let keep: HashSet<Capability> = keep.intersection(&permitted).copied().collect();
    if permitted.contains(&Capability::CAP_SETPCAP) {
        let bounding = caps::read(None, CapSet::Bounding).map_err(|e| refused("bounding set", &e))?;
        for cap in bounding {
            caps::drop(None, CapSet::Bounding, cap).map_err(|e| refused("bounding set", &e))?;
        }
    }
    caps::clear(None, CapSet::Ambient).map_err(|e| refused("ambient set", &e))?;
    caps::clear(None, CapSet::Inheritable).map_err(|e| refused("inheritable set", &e))?;
    caps::set(None, CapSet::Effective, &keep).map_err(|e| refused("effective set", &e))?;
    caps::set(None, CapSet::Permitted, &keep).map_err(|e| refused("permitted set", &e))?;
    rustix::thread::set_no_new_privs(true).map_err(|e| refused("no_new_privs", &e))?;
    let mut names: Vec<String> = keep.iter().map(ToString::to_string).collect();
    names.sort_unstable();
    Ok(names)
}

fn needs_bpf_for_maps(release: &str) -> bool {
    let mut numbers = release.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < (5, 19)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_kernels_ask_for_bpf() {
        assert!(needs_bpf_for_maps("5.10.0-28-amd64") && needs_bpf_for_maps("5.18"));
        assert!(!needs_bpf_for_maps("5.19.1") && !needs_bpf_for_maps("6.1.0-rt") && !needs_bpf_for_maps("10.0"));
    }

    #[test]
    fn refuses_where_threads_would_keep_theirs() {
        // The test harness runs tests on threads of their own, so this process has at least two.
        let (stop, wait) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || wait.recv());
        assert!(matches!(drop_privileges(false), Err(DriverError::DropPrivileges(_))));
        drop(stop);
        let _ = thread.join();
    }
}
