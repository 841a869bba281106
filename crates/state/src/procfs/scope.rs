//! Which processes are in scope, and who their ancestors are.

use super::reader::ProcDir;
use super::{Bounds, Scope, parse};
use peregrine_capture::tables::Thread;
use rustc_hash::FxHashSet;

/// Processes that a system can have at most.
const MAX_PIDS: usize = 1 << 22;
/// Steps up to the first process at most.
const MAX_DEPTH: usize = 4096;

/// Process ids in scope, each once.
pub(super) fn select(proc: &ProcDir, scope: &Scope, bounds: &Bounds) -> Vec<i64> {
    match scope {
        Scope::All => proc.numbers(".", MAX_PIDS).unwrap_or_default(),
        Scope::Tree(root) => tree(proc, *root, bounds.threads),
        Scope::Cgroup(path) => {
            let path = path.strip_prefix(b"/sys/fs/cgroup").unwrap_or(path);
            let path = path.strip_suffix(b"/").unwrap_or(path);
            let mut buffer = Vec::new();
            let mut pids = proc.numbers(".", MAX_PIDS).unwrap_or_default();
            pids.retain(|pid| proc.read(format!("{pid}/cgroup"), &mut buffer).is_ok() && is_in(&buffer, path));
            pids
        }
    }
}

/// Whether one of a process's cgroups is the one at `path` or below it.
fn is_in(cgroups: &[u8], path: &[u8]) -> bool {
    cgroups.split(|b| *b == b'\n').any(|line| {
        let own = line.splitn(3, |b| *b == b':').nth(2).unwrap_or_default();
        own.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    })
}

/// A process and its descendants, by the kernel's lists of children, so that no other process is looked at.
fn tree(proc: &ProcDir, root: i64, most: usize) -> Vec<i64> {
    let mut found = vec![root];
    let mut seen = FxHashSet::from_iter([root]);
    let mut buffer = Vec::new();
    let mut at = 0;
    while let Some(pid) = found.get(at).copied() {
        at += 1;
        for tid in proc.numbers(format!("{pid}/task"), most).unwrap_or_default() {
            if proc.read(format!("{pid}/task/{tid}/children"), &mut buffer).is_err() {
                continue;
            }
            let children = parse::words(&buffer).filter_map(parse::number::<i64>);
            let new: Vec<i64> = children.filter(|child| found.len() < most && seen.insert(*child)).collect();
            found.extend(new);
        }
    }
    found.truncate(most);
    found
}

/// The ancestors of these threads that are not among them, by id, parent and name.
pub(super) fn ancestors(proc: &ProcDir, threads: &[Thread]) -> Vec<Thread> {
    let mut known: FxHashSet<i64> = threads.iter().map(|thread| thread.tid).collect();
    let mut found = Vec::new();
    let mut buffer = Vec::new();
    for thread in threads {
        let mut at = thread.ptid;
        for _ in 0..MAX_DEPTH {
            if at <= 0 || !known.insert(at) || proc.read(format!("{at}/status"), &mut buffer).is_err() {
                break;
            }
            let Some(status) = parse::status(&buffer) else { break };
            found.push(Thread {
                tid: at,
                pid: at,
                ptid: status.ppid,
                vtid: status.vpid,
                vpid: status.vpid,
                comm: status.name,
                uid: u32::MAX,
                gid: u32::MAX,
                fdlimit: -1,
                ..Thread::default()
            });
            at = status.ppid;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cgroups_below_a_path() {
        for (line, path, want) in [
            ("0::/a/b", "/a", true),
            ("0::/a", "/a", true),
            ("0::/ab", "/a", false),
            ("0::/", "/a", false),
            ("3:cpu:/x\n0::/a/b", "/a/b", true),
            ("0::/a", "", true),
        ] {
            assert_eq!(is_in(line.as_bytes(), path.as_bytes()), want, "{line} in {path}");
        }
    }
}
