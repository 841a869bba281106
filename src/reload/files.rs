//! Which files were loaded, and whether one of them may have changed.
//!
//! Watched are the directories that hold them, so that a file that is replaced, or a link on the way to it that is
//! turned (as Kubernetes turns `..data`), is noticed like one that is written to.

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Links that are followed on the way to one file; the kernel follows as many.
const MAX_LINKS: usize = 40;

/// What a directory is watched for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Watched {
    /// Entries that matter.
    names: BTreeSet<OsString>,
    /// Every entry does: a directory of rules or of configuration.
    all: bool,
}

/// The watches on what was loaded.
pub struct Watches {
    inotify: OwnedFd,
    directories: BTreeMap<i32, Watched>,
}

impl Watches {
    /// Watches files and directories; what cannot be watched, because its directory is not there, is left out.
    ///
    /// # Errors
    /// When the kernel has no more watchers to give.
    pub fn new(paths: &[PathBuf]) -> std::io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let flags = WatchFlags::CLOSE_WRITE
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO;
        let mut directories: BTreeMap<i32, Watched> = BTreeMap::new();
        for (directory, watched) in places(paths) {
            match inotify::add_watch(&inotify, &directory, flags) {
                Ok(number) => {
                    let known = directories.entry(number).or_default();
                    known.names.extend(watched.names);
                    known.all |= watched.all;
                }
                Err(error) => tracing::debug!("{} is not watched: {error}", directory.display()),
            }
        }
        Ok(Self { inotify, directories })
    }

    /// Whether something that was loaded changed since the last call.
    pub fn changed(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        let mut changed = false;
        while let Ok(event) = reader.next() {
            // Too much happened at once to be told of.
            changed |= event.events().contains(ReadFlags::QUEUE_OVERFLOW);
            changed |= self.directories.get(&event.wd()).is_some_and(|known| known.means(event.file_name()));
        }
        changed
    }
}

impl AsFd for Watches {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

impl Watched {
    fn means(&self, name: Option<&CStr>) -> bool {
        self.all || name.is_some_and(|name| self.names.contains(OsStr::from_bytes(name.to_bytes())))
    }
}

/// The directories to watch, each with the entries that matter.
fn places(paths: &[PathBuf]) -> BTreeMap<PathBuf, Watched> {
    let mut places: BTreeMap<PathBuf, Watched> = BTreeMap::new();
    for path in paths {
        for step in steps(path) {
            let (Some(parent), Some(name)) = (step.parent(), step.file_name()) else { continue };
            places.entry(parent.to_owned()).or_default().names.insert(name.to_owned());
        }
        if path.is_dir() {
            places.entry(path.clone()).or_default().all = true;
        }
    }
    places
}

/// The links on the way to a file, and the file: whatever makes the path another file when it changes.
fn steps(path: &Path) -> Vec<PathBuf> {
    let mut steps = Vec::new();
    let Ok(absolute) = std::path::absolute(path) else { return steps };
    let mut left: Vec<PathBuf> = Vec::new();
    let push = |left: &mut Vec<PathBuf>, path: &Path| {
        left.extend(path.components().rev().map(|part| PathBuf::from(part.as_os_str())));
    };
    push(&mut left, &absolute);
    let mut at = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = left.pop() {
        match part.components().next() {
            Some(Component::RootDir) => at = PathBuf::from("/"),
            Some(Component::ParentDir) => {
                at.pop();
            }
            Some(Component::Normal(name)) => {
                let next = at.join(name);
                match std::fs::read_link(&next) {
                    Ok(target) if links < MAX_LINKS => {
                        links += 1;
                        steps.push(next);
                        push(&mut left, &target);
                    }
                    _ => at = next,
                }
            }
            _ => {}
        }
    }
    steps.push(at);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_on_the_way_are_watched() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().canonicalize().unwrap();
        // As Kubernetes mounts a ConfigMap.
        for version in ["..1", "..2"] {
            fs::create_dir(root.join(version)).unwrap();
            fs::write(root.join(version).join("rules.yaml"), version).unwrap();
        }
        symlink("..1", root.join("..data")).unwrap();
        symlink("..data/rules.yaml", root.join("rules.yaml")).unwrap();
        let path = root.join("rules.yaml");
        assert_eq!(steps(&path), [path.clone(), root.join("..data"), root.join("..1/rules.yaml")]);

        let watches = Watches::new(std::slice::from_ref(&path)).unwrap();
        fs::write(root.join("other"), "").unwrap();
        assert!(!watches.changed(), "another file of the directory");
        symlink("..2", root.join("..data_tmp")).unwrap();
        fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        assert!(watches.changed() && !watches.changed());
    }

    #[test]
    fn files_and_directories_are_watched() {
        let home = tempfile::tempdir().unwrap();
        let (file, folder) = (home.path().join("a.yaml"), home.path().join("rules.d"));
        fs::write(&file, "").unwrap();
        fs::create_dir(&folder).unwrap();
        let missing = home.path().join("no/such.yaml");
        let watches = Watches::new(&[file.clone(), folder.clone(), missing]).unwrap();
        assert!(!watches.changed());
        fs::write(&file, "x").unwrap();
        assert!(watches.changed());
        fs::write(home.path().join("b"), "").unwrap();
        fs::rename(home.path().join("b"), &file).unwrap();
        assert!(watches.changed());
        fs::write(&file, "y").unwrap();
        assert!(watches.changed(), "the file that took the place");
        fs::remove_file(&file).unwrap();
        assert!(watches.changed());
        fs::write(folder.join("new.yaml"), "").unwrap();
        assert!(watches.changed() && !watches.changed());
    }

    #[test]
    fn loops_of_links_end() {
        let home = tempfile::tempdir().unwrap();
        symlink("b", home.path().join("a")).unwrap();
        symlink("a", home.path().join("b")).unwrap();
        assert!(steps(&home.path().join("a")).len() <= MAX_LINKS + 1);
    }
}
