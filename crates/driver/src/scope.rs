//! Turning a scope into what the kernel programs compare with.

use crate::{DriverError, Scope};
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A cgroup v2 directory as the kernel knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cgroup {
    /// Inode of its directory.
    pub id: u64,
    /// Depth below the hierarchy's root, which is 0.
    pub level: u32,
}

/// A cgroup by its path in the v2 hierarchy, or below its mount point.
///
/// # Errors
/// [`DriverError::Scope`] when no v2 hierarchy is mounted or the directory is not in it.
pub fn cgroup(path: &Path) -> Result<Cgroup, DriverError> {
    let (mount, dir) = locate(path)?;
    let meta = dir.metadata().map_err(|e| wrong_cgroup(path, e.to_string()))?;
    let level = dir.strip_prefix(&mount).map_or(0, |below| below.components().count());
    Ok(Cgroup { id: meta.ino(), level: level as u32 })
}

/// The path of a cgroup inside the v2 hierarchy, from `/` on, as `/proc/PID/cgroup` shows it.
///
/// # Errors
/// As [`cgroup`].
pub fn cgroup_path(path: &Path) -> Result<PathBuf, DriverError> {
    let (mount, dir) = locate(path)?;
    Ok(Path::new("/").join(dir.strip_prefix(&mount).unwrap_or(&dir)))
}

fn wrong_cgroup(path: &Path, reason: String) -> DriverError {
    DriverError::Scope { scope: format!("cgroup:{}", path.display()), reason }
}

/// The v2 hierarchy's mount point and the cgroup's directory.
fn locate(path: &Path) -> Result<(PathBuf, PathBuf), DriverError> {
    let wrong = |reason: String| wrong_cgroup(path, reason);
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").map_err(|e| wrong(e.to_string()))?;
    let mount = cgroup2_mount(&mounts).ok_or_else(|| wrong("no cgroup v2 hierarchy is mounted".into()))?;
    let dir =
        if path.starts_with(&mount) { path.to_owned() } else { mount.join(path.strip_prefix("/").unwrap_or(path)) };
    let dir = dir.canonicalize().map_err(|e| wrong(format!("{}: {e}", dir.display())))?;
    if !dir.starts_with(&mount) || !dir.join("cgroup.procs").exists() {
        return Err(wrong(format!("{} is no cgroup below {}", dir.display(), mount.display())));
    }
    Ok((mount, dir))
}

/// Where the v2 hierarchy is mounted, from `/proc/self/mountinfo`: `/sys/fs/cgroup`, or on hybrid systems
/// `/sys/fs/cgroup/unified`.
fn cgroup2_mount(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (mount, fs) = line.split_once(" - ")?;
        fs.starts_with("cgroup2 ").then(|| mount.split(' ').nth(4)).flatten().map(PathBuf::from)
    })
}

/// Every process of a tree that exists now: the root and its descendants, by `/proc`.
///
/// Children forked after the kernel programs run are added there; this finds the ones from before. A process whose
/// parent ended before belongs to its reaper's tree and is not found.
///
/// # Errors
/// [`DriverError::Scope`] when the root process does not exist.
pub fn tree_members(root: u32) -> Result<Vec<u32>, DriverError> {
    let wrong = |reason: String| DriverError::Scope { scope: format!("tree:{root}"), reason };
    let entries = std::fs::read_dir("/proc").map_err(|e| wrong(e.to_string()))?;
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, parent_of(pid)?))).collect();
    if !parents.iter().any(|(pid, _)| *pid == root) {
        return Err(wrong("no such process".into()));
    }
    Ok(descendants(root, &parents))
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, so count from its end.
    let after = stat.iter().rposition(|b| *b == b')')?;
    std::str::from_utf8(&stat[after + 1..]).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn descendants(root: u32, parents: &[(u32, u32)]) -> Vec<u32> {
    let mut found = HashSet::from([root]);
    // Pids wrap around, so a child may stand before its parent: go on until nothing is added.
    loop {
        let before = found.len();
        for (pid, parent) in parents {
            if found.contains(parent) {
                found.insert(*pid);
            }
        }
        if found.len() == before {
            return found.into_iter().collect();
        }
    }
}

/// The resolved scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    All,
    Cgroup(Cgroup),
    Tree(u32),
}

impl Target {
    pub(crate) fn resolve(scope: &Scope) -> Result<Self, DriverError> {
        Ok(match scope {
            Scope::All => Self::All,
            Scope::Cgroup(path) => Self::Cgroup(cgroup(path)?),
            Scope::Tree(pid) => {
                parent_of(*pid)
                    .ok_or_else(|| DriverError::Scope { scope: scope.to_string(), reason: "no such process".into() })?;
                Self::Tree(*pid)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_hold_descendants_in_any_order() {
        let parents = [(9, 30), (1, 0), (30, 7), (7, 1), (8, 1), (31, 9)];
        let mut members = descendants(7, &parents);
        members.sort_unstable();
        assert_eq!(members, [7, 9, 30, 31]);
    }

    #[test]
    fn our_own_tree_has_us_and_our_child() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let members = tree_members(std::process::id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(members.contains(&std::process::id()) && members.contains(&child.id()));
        assert!(tree_members(u32::MAX).is_err());
    }

    #[test]
    fn hybrid_and_pure_mounts_are_found() {
        let hybrid = "30 20 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                      31 20 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";
        assert_eq!(cgroup2_mount(hybrid), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(cgroup2_mount("30 20 0:26 / / rw - ext4 x rw\n"), None);
    }

    #[test]
    fn a_directory_elsewhere_is_no_cgroup() {
        for path in ["/no/such/cgroup", "../../../etc", "/../../../etc"] {
            assert!(cgroup(Path::new(path)).is_err(), "{path}");
        }
    }
}
