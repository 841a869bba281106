//! One thread.

use crate::container::Cgroups;
use crate::fd::FdTable;
use peregrine_event::defines::{PPM_CL_CHILD_IN_PIDNS, PPM_CL_IS_MAIN_THREAD, PPM_CL_NAME_CHANGED};
use std::sync::Arc;

/// Index of a thread in the table. Slots are reused only after a thread is gone and its last event was finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot(pub u32);

/// What is known of one thread. Texts are raw bytes as the kernel or the capture gave them.
///
/// Descriptors, cwd and environment belong to the thread-group leader: read them through
/// [`crate::State::fd_table`] and [`crate::State::leader`].
#[allow(missing_docs)]
#[derive(Debug, Clone)]
pub struct ThreadInfo {
    pub tid: i64,
    pub pid: i64,
    pub ptid: i64,
    pub sid: i64,
    pub vtid: i64,
    pub vpid: i64,
    pub vpgid: i64,
    pub pgid: i64,
    pub comm: Vec<u8>,
    pub exe: Vec<u8>,
    pub exepath: Vec<u8>,
    /// Arguments without argv[0], NUL-separated, each with its closing NUL.
    pub args: Vec<u8>,
    /// `comm` and the arguments, blank between; kept ready because rules read it on the hot path.
    pub cmdline: Vec<u8>,
    /// NUL-separated, each entry with its closing NUL.
    pub env: Vec<u8>,
    /// With a trailing slash.
    pub cwd: Vec<u8>,
    pub root: Vec<u8>,
    /// `subsys=path` entries, NUL-separated, each with its closing NUL.
    pub cgroups: Arc<[u8]>,
    /// Container id derived from the cgroups; empty for the host.
    pub container_id: Arc<[u8]>,
    pub flags: u32,
    pub fdlimit: i64,
    pub uid: u32,
    pub gid: u32,
    pub loginuid: u32,
    pub cap_permitted: u64,
    pub cap_effective: u64,
    pub cap_inheritable: u64,
    pub vmsize_kb: u32,
    pub vmrss_kb: u32,
    pub vmswap_kb: u32,
    pub pfmajor: u64,
    pub pfminor: u64,
    pub tty: u32,
    pub exe_writable: bool,
    pub exe_upper_layer: bool,
    pub exe_lower_layer: bool,
    pub exe_from_memfd: bool,
    pub exe_ino: u64,
    /// Nanoseconds since the epoch.
    pub exe_ino_ctime: u64,
    pub exe_ino_mtime: u64,
    /// `clone_ts - exe_ino_ctime` as of the last exec, wrapping.
    pub exe_ino_ctime_duration_clone_ts: u64,
    pub exe_ino_ctime_duration_pidns_start: u64,
    pub pidns_init_start_ts: u64,
    /// Time of the clone that made it; 0 if it was in the initial table.
    pub clone_ts: u64,
    /// Time of its last exec.
    pub lastexec_ts: u64,
    /// Time of the previous event and of the one before.
    pub lastevent_ts: u64,
    pub prevevent_ts: u64,
    /// Dead but present until its last event is finished, or while its group lives.
    pub dead: bool,
    /// Descriptors; see [`crate::State::fd_table`] for whose table counts.
    pub(crate) fds: FdTable,
    /// Descriptor number of its last event, -1 none.
    pub(crate) last_fd: i64,
    /// Code of its last enter event; [`NO_EVENT`] before the first.
    pub(crate) last_enter: u16,
    /// Bytes of its last enter event that its exit event will read.
    pub(crate) stored_enter: Option<Vec<u8>>,
    /// Whom the kernel named as reaper at exit, -1 none.
    pub(crate) reaper_tid: i64,
    pub(crate) links: Links,
}

/// [`ThreadInfo::last_enter`] of a thread that has not entered anything.
pub(crate) const NO_EVENT: u16 = u16::MAX - 1;

/// No slot.
pub(crate) const NONE: u32 = u32::MAX;

/// Places in the lists that the thread table keeps: members of a group, children of a parent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Links {
    pub(crate) group: u32,
    pub(crate) group_next: u32,
    pub(crate) group_prev: u32,
    pub(crate) parent: u32,
    pub(crate) first_child: u32,
    pub(crate) next_sibling: u32,
    pub(crate) prev_sibling: u32,
}

impl Default for Links {
    fn default() -> Self {
        Self {
            group: NONE,
            group_next: NONE,
            group_prev: NONE,
            parent: NONE,
            first_child: NONE,
            next_sibling: NONE,
            prev_sibling: NONE,
        }
    }
}

impl ThreadInfo {
    /// A thread of which nothing is known but its id: all other ids are -1, all credentials all ones.
    pub fn new(tid: i64) -> Self {
        Self {
            tid,
            pid: -1,
            ptid: -1,
            sid: -1,
            vtid: -1,
            vpid: -1,
            vpgid: -1,
            pgid: -1,
            comm: Vec::new(),
            exe: Vec::new(),
            exepath: Vec::new(),
            args: Vec::new(),
            cmdline: Vec::new(),
            env: Vec::new(),
            cwd: Vec::new(),
            root: Vec::new(),
            cgroups: Arc::default(),
            container_id: Arc::default(),
            flags: PPM_CL_NAME_CHANGED as u32,
            fdlimit: -1,
            uid: u32::MAX,
            gid: u32::MAX,
            loginuid: u32::MAX,
            cap_permitted: 0,
            cap_effective: 0,
            cap_inheritable: 0,
            vmsize_kb: 0,
            vmrss_kb: 0,
            vmswap_kb: 0,
            pfmajor: 0,
            pfminor: 0,
            tty: 0,
            exe_writable: false,
            exe_upper_layer: false,
            exe_lower_layer: false,
            exe_from_memfd: false,
            exe_ino: 0,
            exe_ino_ctime: 0,
            exe_ino_mtime: 0,
            exe_ino_ctime_duration_clone_ts: 0,
            exe_ino_ctime_duration_pidns_start: 0,
            pidns_init_start_ts: 0,
            clone_ts: 0,
            lastexec_ts: 0,
            lastevent_ts: 0,
            prevevent_ts: 0,
            dead: false,
            fds: FdTable::default(),
            last_fd: -1,
            last_enter: NO_EVENT,
            stored_enter: None,
            reaper_tid: -1,
            links: Links::default(),
        }
    }

    /// Becomes a thread of which nothing is known but its id, keeping the buffers.
    pub(crate) fn reset(&mut self, tid: i64) {
        let emptied = |buffer: &mut Vec<u8>| {
            buffer.clear();
            std::mem::take(buffer)
        };
        let mut fds = std::mem::take(&mut self.fds);
        fds.clear();
        *self = Self {
            comm: emptied(&mut self.comm),
            exe: emptied(&mut self.exe),
            exepath: emptied(&mut self.exepath),
            args: emptied(&mut self.args),
            cmdline: emptied(&mut self.cmdline),
            env: emptied(&mut self.env),
            cwd: emptied(&mut self.cwd),
            root: emptied(&mut self.root),
            fds,
            ..Self::new(tid)
        };
    }

    /// Bytes that its buffers hold.
    pub(crate) fn buffers(&self) -> usize {
        let texts = [&self.comm, &self.exe, &self.exepath, &self.args, &self.cmdline, &self.env, &self.cwd, &self.root];
        texts.iter().map(|text| text.capacity()).sum::<usize>() + self.fds.buffer()
    }

    /// The stand-in for a thread that caused an event but that nothing is known of (`proc.name` is `<NA>`).
    pub fn unknown(tid: i64) -> Self {
        let mut thread = Self { comm: b"<NA>".to_vec(), exe: b"<NA>".to_vec(), ..Self::new(tid) };
        thread.render_cmdline();
        thread
    }

    /// Whether the thread is its group's leader.
    pub fn is_main(&self) -> bool {
        self.tid == self.pid || self.has(PPM_CL_IS_MAIN_THREAD)
    }

    /// Whether too little is known of it to have a group, a parent or children: the stand-ins of
    /// [`ThreadInfo::unknown`].
    pub fn is_invalid(&self) -> bool {
        self.tid < 0 || self.pid < 0 || self.ptid < 0
    }

    /// Whether it lives in a PID namespace other than the first.
    pub fn in_pid_namespace(&self) -> bool {
        self.has(PPM_CL_CHILD_IN_PIDNS) || (self.tid != self.vtid && self.vtid >= 0)
    }

    /// Arguments without argv[0], one by one.
    pub fn args(&self) -> impl Iterator<Item = &[u8]> {
        entries(&self.args)
    }

    /// Whether any of these `PPM_CL_*` bits is set.
    pub(crate) fn has(&self, bits: i64) -> bool {
        i64::from(self.flags) & bits != 0
    }

    /// Takes arguments as a parameter or a capture has them: NUL-separated, the last NUL optional.
    pub(crate) fn set_args(&mut self, args: &[u8]) {
        set_entries(&mut self.args, args);
        self.render_cmdline();
    }

    /// Takes the environment, likewise.
    pub(crate) fn set_env(&mut self, env: &[u8]) {
        set_entries(&mut self.env, env);
    }

    /// Derives `cmdline` after `comm` or the arguments changed.
    pub(crate) fn render_cmdline(&mut self) {
        self.cmdline.clear();
        self.cmdline.extend_from_slice(&self.comm);
        for arg in entries(&self.args) {
            self.cmdline.push(b' ');
            self.cmdline.extend_from_slice(arg);
        }
    }

    /// Takes the path of the executable; the kernel's mark of an unlinked file is no part of it.
    pub(crate) fn set_exepath(&mut self, path: &[u8]) {
        const DELETED: &[u8] = b" (deleted)";
        let path = match path.strip_suffix(DELETED) {
            Some(rest) if !rest.is_empty() => rest,
            _ => path,
        };
        replace(&mut self.exepath, path);
    }

    /// Takes control groups; `None` of them changes nothing.
    pub(crate) fn set_cgroups(&mut self, cgroups: Option<Cgroups>) {
        if let Some(cgroups) = cgroups {
            (self.cgroups, self.container_id) = (cgroups.entries, cgroups.container_id);
        }
    }

    /// Takes what a child has from the thread that made it, whichever event tells of the child.
    pub(crate) fn inherit(&mut self, from: &Self) {
        replace(&mut self.exepath, &from.exepath);
        replace(&mut self.root, &from.root);
        self.exe_writable = from.exe_writable;
        self.exe_upper_layer = from.exe_upper_layer;
        self.exe_lower_layer = from.exe_lower_layer;
        self.exe_from_memfd = from.exe_from_memfd;
        self.sid = from.sid;
        self.vpgid = from.vpgid;
        self.pgid = from.pgid;
        self.tty = from.tty;
        self.loginuid = from.loginuid;
        self.cap_permitted = from.cap_permitted;
        self.cap_inheritable = from.cap_inheritable;
        self.cap_effective = from.cap_effective;
        self.exe_ino = from.exe_ino;
        self.exe_ino_ctime = from.exe_ino_ctime;
        self.exe_ino_mtime = from.exe_ino_mtime;
        self.exe_ino_ctime_duration_clone_ts = from.exe_ino_ctime_duration_clone_ts;
    }
}

/// Overwrites a buffer without giving up its memory.
pub(crate) fn replace(buffer: &mut Vec<u8>, with: &[u8]) {
    buffer.clear();
    buffer.extend_from_slice(with);
}

/// The entries of a NUL-closed list.
pub fn entries(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let list = list.strip_suffix(b"\0").unwrap_or(list);
    let none = list.is_empty();
    list.split(|b| *b == 0).filter(move |_| !none)
}

/// Takes a NUL-separated list whose last NUL may be missing.
fn set_entries(list: &mut Vec<u8>, bytes: &[u8]) {
    replace(list, bytes.strip_suffix(b"\0").unwrap_or(bytes));
    if !list.is_empty() {
        list.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_and_command_line() {
        let mut thread = ThreadInfo { comm: b"ls".to_vec(), ..ThreadInfo::new(1) };
        for (bytes, list, cmdline) in [
            (&b"-l\0/tmp"[..], &b"-l\0/tmp\0"[..], &b"ls -l /tmp"[..]),
            (b"-l\0\0", b"-l\0\0", b"ls -l "),
            (b"\0", b"", b"ls"),
            (b"", b"", b"ls"),
        ] {
            thread.set_args(bytes);
            assert_eq!((&thread.args[..], &thread.cmdline[..]), (list, cmdline));
        }
        thread.set_args(b"a\0\0c");
        assert_eq!(thread.args().collect::<Vec<_>>(), [&b"a"[..], b"", b"c"]);
    }

    #[test]
    fn unlinked_executables_keep_their_path() {
        let mut thread = ThreadInfo::new(1);
        for (path, want) in [("/bin/x (deleted)", "/bin/x"), (" (deleted)", " (deleted)"), ("/a", "/a")] {
            thread.set_exepath(path.as_bytes());
            assert_eq!(thread.exepath, want.as_bytes());
        }
    }
}
