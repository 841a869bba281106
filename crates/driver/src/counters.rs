//! What the kernel programs count, on each CPU: events and every cause of a loss.
//!
//! One row a counter: the kernel programs' enum, the loader's reader and the metrics' names are written from it.
//! The names are Falco's where it has the counter.

/// Name and meaning of each counter, in the order of the kernel's array of `u64`.
pub const COUNTERS: &[(&str, &str)] = &[
    ("n_evts", "events that the programs wanted to hand over, dropped ones included"),
    ("n_drops_buffer", "events lost because the ring buffer was full"),
    ("n_drops_buffer_clone_fork_exit", "of these: clone, fork, vfork"),
    ("n_drops_buffer_execve_exit", "of these: execve, execveat"),
    ("n_drops_buffer_connect_exit", "of these: connect"),
    ("n_drops_buffer_open_exit", "of these: the open family"),
    ("n_drops_buffer_dir_file_exit", "of these: calls that change files and directories"),
    ("n_drops_buffer_other_interest_exit", "of these: credentials, namespaces, ptrace, bpf and their like"),
    ("n_drops_buffer_close_exit", "of these: close"),
    ("n_drops_buffer_proc_exit", "of these: process exits"),
    ("n_drops_scratch_map", "events lost because they were larger than an event can be"),
    ("n_drops_pf", "parameters left empty because the program's memory could not be read without a fault"),
    ("n_scope_full", "processes that fell out of a process tree's scope because its table was full"),
];
