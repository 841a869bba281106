//! Calling a function where there is no `/sys`.
//!
//! The library that loads the programs reads and parses the description of all of the kernel's types when its loader is
//! made, before it can be told of the few that are needed. That would be a tenth of what starting costs; where it finds
//! none it goes on without.

use rustix::thread::UnshareFlags;

/// Calls `make` on a thread of its own, whose root is a directory without `sys`; where that is not allowed, with the
/// root that everybody has. `None` if it panicked.
pub(crate) fn without_sys<T: Send + 'static>(make: fn() -> T) -> Option<T> {
    let thread = std::thread::spawn(move || {
        // SAFETY: what the thread no longer shares are its root and directory alone; nobody's safety rests on those.
        let apart = unsafe { rustix::thread::unshare_unsafe(UnshareFlags::FS) };
        let _ = apart.and_then(|()| rustix::process::chroot("/proc/self/task"));
        make()
    });
    thread.join().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_keep_their_root() {
        let sees = || std::path::Path::new("/sys").exists();
        let inside = without_sys(sees).unwrap();
        assert!(sees());
        if rustix::process::geteuid().is_root() {
            assert!(!inside);
        }
    }
}
