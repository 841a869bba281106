//! What a program does is what its events say: parameters and records, whose events they are, and nothing more.

use crate::stage::{Held, Recording};
use peregrine_driver::Needs;
use peregrine_event::record::Tag;
use peregrine_event::{Event, code};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// A directory that ends with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("peregrine-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("the temporary directory takes another");
        Self(dir.canonicalize().expect("it was just made"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn find<'a>(recording: &'a Recording, mut matches: impl FnMut(&Event<'_>) -> bool) -> Event<'a> {
    recording.events().find(|event| matches(event)).expect("the event is there")
}

#[test]
fn an_opened_file_is_named_by_the_kernel() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let scratch = Scratch::new("open");
    std::fs::create_dir(scratch.0.join("real")).unwrap();
    std::fs::write(scratch.0.join("real/file"), b"text").unwrap();
    std::os::unix::fs::symlink("real", scratch.0.join("link")).unwrap();
    let script = format!("cd {} && read x < link/../link/file", scratch.0.display());
    let recording = Held::shell(&script).record(Needs::everything());
    let open =
        find(&recording, |event| event.code == code::SYSCALL_OPENAT_2_X && event.text(2) == Some(b"link/../link/file"));
    let path = scratch.0.join("real/file");
    let meta = path.metadata().unwrap();
    assert!(open.int(0).is_some_and(|fd| fd >= 3));
    assert_eq!(open.record(Tag::Path), Some(path.as_os_str().as_encoded_bytes()));
    assert_eq!((open.uint(5), open.uint(6)), (Some(meta.dev()), Some(meta.ino())));
    assert_eq!(open.record(Tag::Tgid), Some(&recording.root.to_le_bytes()[..]));
    assert!(find(&recording, |event| event.code == code::SYSCALL_CHDIR_X).int(0) == Some(0));
}

#[test]
fn a_program_is_told_with_its_file_and_times() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let scratch = Scratch::new("exec");
    let program = scratch.0.join("own true");
    std::fs::copy("/bin/true", &program).unwrap();
    // Something comes after it, so that no shell becomes the program itself.
    let script = format!("'{}' 'a b' c; :", program.display());
    let recording = Held::shell(&script).record(Needs::state());
    let exec = find(&recording, |event| {
        event.code == code::SYSCALL_EXECVE_19_X && event.text(27) == Some(program.as_os_str().as_encoded_bytes())
    });
    let meta = program.metadata().unwrap();
    let info = exec.info();
    let param = |name: &str| info.param(name).expect("the event has it");
    assert_eq!(exec.int(param("res")), Some(0));
    assert_eq!(exec.param(param("args")), Some(&b"a b\0c\0"[..]));
    assert_eq!(exec.text(param("comm")), Some(&b"own true"[..]));
    assert_eq!(exec.uint(param("exe_ino")), Some(meta.ino()));
    let nanoseconds = |seconds: i64, rest: i64| Some((seconds * 1_000_000_000 + rest) as u64);
    assert_eq!(exec.uint(param("exe_ino_ctime")), nanoseconds(meta.ctime(), meta.ctime_nsec()));
    assert_eq!(exec.uint(param("exe_ino_mtime")), nanoseconds(meta.mtime(), meta.mtime_nsec()));
    assert_eq!(exec.int(param("ptid")), Some(i64::from(recording.root)));
}

#[test]
fn a_scope_holds_descendants_and_nobody_else() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    // Another child of ours, outside the tree, busy all the while.
    let mut outsider =
        std::process::Command::new("/bin/sh").args(["-c", "while :; do : < /dev/null; done"]).spawn().unwrap();
    let recording = Held::shell("(sh -c 'sh -c true; true'; true); true").record(Needs::everything());
    outsider.kill().unwrap();
    outsider.wait().unwrap();
    let mut family = vec![i64::from(recording.root)];
    let mut exits = 0;
    for event in recording.events() {
        if event.code == code::SYSCALL_CLONE_20_X || event.code == code::SYSCALL_VFORK_20_X {
            family.extend(event.int(0).filter(|child| *child > 0));
            // A child may speak before its parent's call has returned.
            family.extend(event.int(0).filter(|child| *child == 0).map(|_| event.tid));
        }
        assert!(family.contains(&event.tid), "{} of {} is none of the family", event.info().symbol, event.tid);
        exits += usize::from(event.code == code::PROCEXIT_1_E);
    }
    assert!(family.len() > 3, "{family:?}");
    family.sort_unstable();
    family.dedup();
    assert_eq!(exits, family.len(), "{family:?}");
}

#[test]
fn failed_calls_stay_in_the_kernel_on_wish() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let script = "cat /no/such/file; cat /dev/null";
    let failed = |recording: &Recording| {
        recording.events().filter(|event| event.code == code::SYSCALL_OPENAT_2_X && event.int(0) < Some(0)).count()
    };
    let with = Held::shell(script).record(Needs::everything());
    let without = Held::shell(script).record_with(|config| config.drop_failed = true);
    assert!(failed(&with) > 0);
    assert_eq!(failed(&without), 0);
    assert!(without.events().any(|event| event.code == code::SYSCALL_OPENAT_2_X));
}

#[test]
fn a_cgroup_is_a_scope() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let Some(cgroup) = Cgroup::new() else { return };
    let script = format!("echo $$ > {}/inner/cgroup.procs; : < /etc/passwd", cgroup.0.display());
    let recording = Held::shell(&script).record_with(|config| {
        config.scope = peregrine_driver::Scope::Cgroup(cgroup.0.clone());
    });
    let paths: Vec<_> = recording
        .events()
        .filter_map(|event| event.text(2).filter(|_| event.code == code::SYSCALL_OPENAT_2_X))
        .collect();
    assert_eq!(paths, [b"/etc/passwd"], "only what came after joining the cgroup below");
}

/// A cgroup of the v2 hierarchy with one below it; both end with the value.
struct Cgroup(PathBuf);

impl Cgroup {
    fn new() -> Option<Self> {
        let roots = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map(PathBuf::from);
        let root = roots
            .into_iter()
            .find(|root| root.join("cgroup.procs").exists() && root.join("cgroup.controllers").exists())?;
        let dir = root.join(format!("peregrine-test-{}", std::process::id()));
        std::fs::create_dir(&dir).ok()?;
        std::fs::create_dir(dir.join("inner")).ok()?;
        Some(Self(dir))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        for dir in [self.0.join("inner"), self.0.clone()] {
            let _ = std::fs::remove_dir(dir);
        }
    }
}
