//! Where the runtimes of a test keep what they make: a directory and control groups of its own, gone when it ends.

use peregrine_testkit::LiveGuard;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The image that containers run.
pub const IMAGE: &str = "localhost/busy:1.0";

/// The stage of one test.
pub struct Stage {
    dir: tempfile::TempDir,
    group: String,
    _guard: LiveGuard,
}

impl Stage {
    /// A stage if live tests can run and these programs are there.
    pub fn new(programs: &[&str]) -> Option<Self> {
        if !peregrine_testkit::programs("PEREGRINE_REQUIRE_LIVE", programs) {
            return None;
        }
        let guard = peregrine_testkit::live()?;
        let dir = tempfile::Builder::new().prefix("pct").tempdir().expect("a directory");
        let group = format!("peregrine-containers-{}", std::process::id());
        Some(Self { dir, group, _guard: guard })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A path below it, as text.
    pub fn path(&self, name: &str) -> String {
        self.dir().join(name).to_str().expect("paths of tests are UTF-8").to_owned()
    }

    /// The control group that everything lies below.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// A root directory of nothing but busybox.
    pub fn tree(&self) -> PathBuf {
        let tree = self.dir().join("tree");
        for name in ["bin", "proc", "sys", "dev", "tmp", "mnt"] {
            std::fs::create_dir_all(tree.join(name)).expect("a directory");
        }
        std::fs::copy("/bin/busybox", tree.join("bin/busybox")).expect("busybox-static is installed");
        for applet in ["sh", "cp", "mkdir", "true", "sleep"] {
            let link = tree.join("bin").join(applet);
            if !link.exists() {
                std::os::unix::fs::symlink("busybox", link).expect("a link");
            }
        }
        tree
    }

    /// The same as an archive.
    pub fn archive(&self) -> String {
        let (tree, archive) = (self.tree(), self.path("image.tar"));
        run(Command::new("tar").arg("-C").arg(tree).args(["-cf", &archive, "."]));
        archive
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Docker leaves the mount of its network namespace.
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let mounted = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for below in mounted.filter(|path| Path::new(path).starts_with(self.dir())) {
            let _ = nix::mount::umount2(below, nix::mount::MntFlags::MNT_DETACH);
        }
        let hierarchies = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
        for hierarchy in hierarchies.map(|entry| entry.path()).chain(["/sys/fs/cgroup".into()]) {
            remove_groups(&hierarchy.join(&self.group));
        }
    }
}

/// Removes a control group and those below it.
pub fn remove_groups(group: &Path) {
    for below in std::fs::read_dir(group).into_iter().flatten().flatten() {
        if below.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_groups(&below.path());
        }
    }
    let _ = std::fs::remove_dir(group);
}

/// Runs a program to its end, which must be a good one, and gives what it printed.
pub fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A daemon that is ended when the test is.
pub struct Daemon(Child);

impl Daemon {
    /// Starts one and waits until it answers.
    pub fn start(command: &mut Command, log: &Path, answers: impl Fn() -> bool) -> Self {
        let log_file = std::fs::File::create(log).expect("a file");
        let errors = log_file.try_clone().expect("a descriptor");
        let child = command.stdin(Stdio::null()).stdout(log_file).stderr(errors).spawn().expect("it starts");
        let mut daemon = Self(child);
        let until = Instant::now() + Duration::from_secs(30);
        while !answers() {
            let text = || std::fs::read_to_string(log).unwrap_or_default();
            assert!(Instant::now() < until, "it does not answer: {}", text());
            assert!(daemon.0.try_wait().expect("it is ours").is_none(), "it ended: {}", text());
            std::thread::sleep(Duration::from_millis(50));
        }
        daemon
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), rustix::process::Signal::TERM);
        let _ = self.0.wait();
    }
}
