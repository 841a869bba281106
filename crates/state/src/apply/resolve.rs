//! Directories that relative paths are resolved against.

use crate::inspect::State;
use peregrine_event::defines::PPM_AT_FDCWD;

/// What stands for a directory that is not known.
pub(super) const UNKNOWN: &[u8] = b"<UNKNOWN>";

impl State {
    /// The directory that `name`, passed together with the descriptor `dirfd`, is relative to, with its closing slash:
    /// `.` for an absolute name (it is not used then). `buffer` is where it is put together if need be.
    pub(super) fn dir_of<'a>(&'a self, slot: u32, name: &[u8], dirfd: i64, buffer: &'a mut Vec<u8>) -> &'a [u8] {
        if name.first() == Some(&b'/') {
            return b".";
        }
        let Some(thread) = self.threads.get(slot) else { return UNKNOWN };
        if dirfd == PPM_AT_FDCWD {
            return self.cwd(thread);
        }
        let Some(info) = self.fd_table(thread).and_then(|fds| fds.get(dirfd)) else { return UNKNOWN };
        if info.name.is_empty() || info.name.ends_with(b"/") {
            return &info.name;
        }
        buffer.clear();
        buffer.extend_from_slice(&info.name);
        buffer.push(b'/');
        buffer
    }
}
