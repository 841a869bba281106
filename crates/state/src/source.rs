//! Where threads come from that caused an event but are not in the table.

use crate::users::Accounts;
use peregrine_capture::tables::{Fd, Thread};

/// Someone who can say what a thread is: `/proc` live, a fake in tests, nobody on replay.
///
/// The state asks at most [`crate::Limits::source_lookups`] times a second and remembers who was not found, so that an
/// answer may take some system calls, but must not wait.
pub trait ThreadSource: Send {
    /// The thread and, if it is a leader, its descriptors; `None` if it is gone or out of scope.
    fn thread(&mut self, tid: i64) -> Option<(Thread, Vec<Fd>)>;

    /// One descriptor of a process, with the sockets' addresses if they can be had; `None` if it is not open.
    fn descriptor(&mut self, pid: i64, fd: i64) -> Option<Fd> {
        let _ = (pid, fd);
        None
    }

    /// When a thread of a process started, in nanoseconds since boot; `None` if there is no such thread. Not to know is to
    /// say 0.
    fn started(&mut self, pid: i64, tid: i64) -> Option<u64> {
        let _ = (pid, tid);
        Some(0)
    }

    /// Users and groups as the process with that id sees them: its container's own. `None` if they cannot be read.
    fn accounts(&mut self, pid: i64) -> Option<Accounts> {
        let _ = pid;
        None
    }
}
