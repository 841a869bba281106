//! One thread.

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
    pub cgroups: Vec<u8>,
    /// Container id derived from the cgroups; empty for the host.
    pub container_id: Vec<u8>,
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
    /// `prctl(PR_SET_CHILD_SUBREAPER)`.
    pub reaper: bool,
}

impl ThreadInfo {
    /// Whether the thread is its group's leader.
    pub fn is_main(&self) -> bool {
        self.tid == self.pid
    }
}
