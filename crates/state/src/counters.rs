//! What happened to the state, and how full it may become.

/// Counters of the state, under the names of Falco's metrics. Those that start with `n_` and name a thing
/// (`n_threads`, `n_fds`, …) are levels, the others only grow.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub n_threads: u64,
    pub n_fds: u64,
    pub n_users: u64,
    pub n_containers: u64,
    pub n_added_threads: u64,
    pub n_removed_threads: u64,
    pub n_added_fds: u64,
    pub n_removed_fds: u64,
    /// Threads of events found because the event before was the same thread's.
    pub n_cached_thread_lookups: u64,
    /// Threads found in the table.
    pub n_noncached_thread_lookups: u64,
    pub n_failed_thread_lookups: u64,
    /// Descriptors of events found that were the same as the event's before.
    pub n_cached_fd_lookups: u64,
    /// Other descriptors found.
    pub n_noncached_fd_lookups: u64,
    pub n_failed_fd_lookups: u64,
    /// Enter events kept for their exit event.
    pub n_stored_evts: u64,
    /// Enter events that could not be kept: unknown thread, too large, or no room.
    pub n_store_evts_drops: u64,
    /// Enter events that their exit event found.
    pub n_retrieved_evts: u64,
    /// Exit events that looked for an enter event in vain.
    pub n_retrieve_evts_drops: u64,
    /// Threads that were not kept because the table is full.
    pub n_drops_full_threadtable: u64,
    /// Descriptors that were not kept because the process's table, or all of them together, are full.
    pub n_drops_full_fdtable: u64,
    /// Users, groups or containers that were not kept for want of room.
    pub n_drops_full_usertable: u64,
    /// Threads asked of the thread source, and those that it did not know.
    pub n_source_lookups: u64,
    pub n_source_misses: u64,
    /// Threads that were not asked for because the budget of the second was used up.
    pub n_source_skipped: u64,
    /// Stand-ins for unknown threads that were dropped to make room.
    pub n_evicted_threads: u64,
    /// Threads that were taken out because they caused nothing for long and are gone.
    pub n_purged_threads: u64,
}

/// How much the state may hold. What comes when a table is full is not kept, and counted; what is in stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Threads. When full, stand-ins for unknown threads give way first.
    pub threads: usize,
    /// Descriptors of one process.
    pub fds_per_process: usize,
    /// Descriptors of all processes.
    pub fds: usize,
    /// Users and groups of host and containers together.
    pub users: usize,
    /// Containers, those included of which only the id is known.
    pub containers: usize,
    /// Enter events kept at one time.
    pub stored_enters: usize,
    /// Unknown threads looked up in the thread source a second of event time.
    pub source_lookups: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            threads: 262_144,
            fds_per_process: 32_768,
            fds: 1_048_576,
            users: 131_072,
            containers: 8_192,
            stored_enters: 65_536,
            source_lookups: 1_000,
        }
    }
}
