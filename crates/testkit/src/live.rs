//! Gating live tests: they need root and a kernel with BTF, and run one at a time on a machine.

use std::fs::{File, OpenOptions};
use std::path::Path;

/// Held while a live test runs; dropping it lets the next one start, in whatever process that is.
#[derive(Debug)]
pub struct LiveGuard {
    // The kernel releases the lock when the file closes, so a test that dies leaves nothing locked.
    _lock: File,
}

/// The right to run a live test, or `None` where it cannot run: not root, or no `/sys/kernel/btf/vmlinux`.
///
/// Waits until no other live test runs. Without the means a line says that the test is skipped; with
/// `PEREGRINE_REQUIRE_LIVE=1` that is a failure.
///
/// # Panics
/// When live tests are required and cannot run, or the lock file cannot be opened.
pub fn live() -> Option<LiveGuard> {
    if let Err(why) = able() {
        crate::skip("PEREGRINE_REQUIRE_LIVE", why);
        return None;
    }
    let path = std::env::temp_dir().join("peregrine-live.lock");
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let lock = lock.unwrap_or_else(|e| panic!("cannot open {}: {e}", path.display()));
    lock.lock().unwrap_or_else(|e| panic!("cannot lock {}: {e}", path.display()));
    Some(LiveGuard { _lock: lock })
}

fn able() -> Result<(), &'static str> {
    let root = std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status.lines().any(|line| line.starts_with("Uid:") && line.split('\t').nth(2) == Some("0"))
    });
    if !root {
        return Err("live tests need root");
    }
    if !Path::new("/sys/kernel/btf/vmlinux").exists() {
        return Err("live tests need a kernel with BTF (/sys/kernel/btf/vmlinux)");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let Some(guard) = live() else { return };
        let again = File::open(std::env::temp_dir().join("peregrine-live.lock")).unwrap();
        assert!(again.try_lock().is_err(), "a second live test could start");
        drop(guard);
    }
}
