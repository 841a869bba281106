//! Giving memory back to the system.

/// Returns what the allocator holds but does not use: after loading, tens of megabytes of type information.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the function takes the allocator's own locks and moves no memory that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}
