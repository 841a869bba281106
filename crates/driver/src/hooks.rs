//! What this kernel lets be hooked beyond tracepoints: the entries of its functions (`fentry`), and the decisions of its
//! security modules (`lsm`).
//!
//! Nothing rests on them: every event comes from tracepoints, and paths from a walk over the kernel's own objects at the
//! call's end. It is found out by attaching programs that do nothing (`bpf/programs/hooks.h`), and taking them off again;
//! virtual machines and locked-down hosts refuse what the configuration of their kernel promises.

use aya::programs::{FEntry, Lsm, Program, ProgramError};
use aya::{Btf, Ebpf};
use std::fmt;

/// The functions that are hooked for it, as the kernel's description of its types names them.
pub(crate) const FUNCTIONS: [&str; 2] = [FENTRY, "bpf_lsm_quotactl"];
const FENTRY: &str = "bpf_fentry_test1";
const LSM: &str = "quotactl";
/// The active security modules; the hooks of `bpf` are called only when it is one of them.
const ACTIVE_MODULES: &str = "/sys/kernel/security/lsm";

/// Which hooks can be attached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hooks {
    /// At the entries of kernel functions.
    pub fentry: bool,
    /// At the security modules' decisions.
    pub lsm: bool,
}

impl fmt::Display for Hooks {
    /// `none`, or the names of those that can be attached.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.fentry, self.lsm) {
            (false, false) => "none",
            (true, false) => "fentry",
            (false, true) => "lsm",
            (true, true) => "fentry, lsm",
        })
    }
}

impl Hooks {
    /// Attaches and detaches one of each kind.
    pub(crate) fn probe(ebpf: &mut Ebpf, btf: &Btf) -> Self {
        let fentry = ebpf.program_mut("hook_fentry").is_some_and(|program| attaches_fentry(program, btf).is_ok());
        let lsm = ebpf.program_mut("hook_lsm").is_some_and(|program| attaches_lsm(program, btf).is_ok());
        Self { fentry, lsm: lsm && std::fs::read_to_string(ACTIVE_MODULES).is_ok_and(|active| has_bpf(&active)) }
    }
}

fn attaches_fentry(program: &mut Program, btf: &Btf) -> Result<(), ProgramError> {
    let program: &mut FEntry = program.try_into()?;
    program.load(FENTRY, btf)?;
    let attached = program.attach().map(|_| ());
    program.unload()?;
    attached
}

fn attaches_lsm(program: &mut Program, btf: &Btf) -> Result<(), ProgramError> {
    let program: &mut Lsm = program.try_into()?;
    program.load(LSM, btf)?;
    let attached = program.attach().map(|_| ());
    program.unload()?;
    attached
}

fn has_bpf(active: &str) -> bool {
    active.trim().split(',').any(|module| module == "bpf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_told_apart() {
        assert!(has_bpf("lockdown,capability,landlock,bpf\n") && has_bpf("bpf"));
        assert!(!has_bpf("lockdown,bpfilter") && !has_bpf(""));
    }

    #[test]
    fn levels_have_names() {
        assert_eq!(Hooks::default().to_string(), "none");
        assert_eq!(Hooks { fentry: true, lsm: true }.to_string(), "fentry, lsm");
    }
}
