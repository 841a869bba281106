//! The stage: namespaces and cgroups of their own, and the actor in them, told line by line what to do.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The hexadecimal name that makes a cgroup look like a container's.
pub const CONTAINER: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Generations between the first process in the scope and the one that does the deed: as many as outputs show, so that a
/// recording, which knows nothing from outside its scope, knows them all.
const DEPTH: u32 = 7;

/// Names under which the actor lies in `/opt/stage/bin`.
const NAMES: &[&str] = &[
    "peek",
    "worker",
    "httpd",
    "sshd",
    "useradd",
    "nginx",
    "find",
    "grep",
    "shred",
    "rm",
    "runc",
    "nc",
    "tracer",
    "shy",
    "ssh",
    "insmod",
    "modprobe",
    "gdb",
    "cloud-init",
    "redis-server",
    "login",
];

/// A running stage.
pub struct Stage {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    cgroups: Cgroups,
}

impl Stage {
    /// Sets the stage up; everything on it runs in the cgroup [`Stage::scope`] or below.
    pub fn new() -> Self {
        let cgroups = Cgroups::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new(root.join("tests/deeds/stage.sh"))
            .arg(actor())
            .args(NAMES)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the stage's script starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut stage = Self { child, input, output, cgroups };
        // The first answer comes when everything is mounted. From then on the actor is in the scope, so that a snapshot
        // of it knows where everything that follows comes from.
        let host = paths(&stage.cgroups.host);
        stage.tell(&format!("self\tjoin\t{host}"));
        stage
    }

    /// The value of `--scope`.
    pub fn scope(&self) -> String {
        format!("cgroup:{}", self.cgroups.host[0].display())
    }

    /// Does one deed on the host's or the container's side and waits for its end.
    pub fn act(&mut self, side: &str, words: &[&str]) {
        let mut line = String::from("/opt/stage/bin/actor\t=demo-init");
        if side == "container" {
            line += &format!("\tjoin\t{}", paths(&self.cgroups.container));
        }
        line += &format!("\tnest\t{DEPTH}\trun\t@1");
        let (words, end) = match words {
            // What goes on is started, by the actor itself, with parents that stay with it.
            ["bg", rest @ ..] => {
                line = format!("self\trun\tbg\t{line}");
                (rest, "\t;;1\t;;")
            }
            words => (words, "\t;;1"),
        };
        for word in words {
            assert!(!word.contains(['\t', '\n']), "words are sent apart by tabs");
            line.push('\t');
            line.push_str(word);
        }
        line.push_str(end);
        self.tell(&line);
    }

    fn tell(&mut self, line: &str) {
        let input = self.input.as_mut().expect("open until dropped");
        writeln!(input, "{line}").expect("the actor listens");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("the actor answers");
        assert_eq!(answer.trim_end(), format!("done {line}"), "the actor is gone");
    }
}

fn paths(cgroups: &[PathBuf]) -> String {
    let paths: Vec<_> = cgroups.iter().map(|path| path.to_string_lossy()).collect();
    paths.join(":")
}

impl Drop for Stage {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

pub fn actor() -> PathBuf {
    let test = std::env::current_exe().expect("own path");
    let target = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let actor = target.join("examples/actor");
    assert!(actor.exists(), "{} is missing: run the tests with cargo test, which builds it", actor.display());
    actor
}

/// Cgroups of this test run in the unified hierarchy and in the old ones beside it, removed at the end.
struct Cgroups {
    /// The run's own group, the unified hierarchy's first.
    host: Vec<PathBuf>,
    /// The same below a directory that looks like a container's.
    container: Vec<PathBuf>,
}

impl Cgroups {
    fn new() -> Self {
        let name = format!("peregrine-test-{}", std::process::id());
        let mut host = Vec::new();
        let mut container = Vec::new();
        for hierarchy in hierarchies() {
            let own = hierarchy.join(&name);
            let below = own.join("docker").join(CONTAINER);
            if std::fs::create_dir_all(&below).is_ok() {
                // A cpuset without CPUs takes no process; the others have no such file.
                for dir in [&own, &own.join("docker"), &below] {
                    for file in ["cpuset.cpus", "cpuset.mems"] {
                        if let Ok(value) = std::fs::read(dir.parent().expect("below").join(file)) {
                            let _ = std::fs::write(dir.join(file), value);
                        }
                    }
                }
                host.push(own);
                container.push(below);
            }
        }
        assert!(!host.is_empty(), "no cgroup hierarchy can be written");
        Self { host, container }
    }
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        for below in &self.container {
            let mut dir = below.clone();
            for _ in 0..3 {
                let _ = std::fs::remove_dir(&dir);
                dir.pop();
            }
        }
    }
}

/// Mount points of cgroup hierarchies, the unified one first.
fn hierarchies() -> Vec<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").expect("/proc/self/mounts");
    let of = |kind: &str| {
        let rows = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        rows.filter(|row| row[2] == kind).map(|row| PathBuf::from(row[1])).collect::<Vec<_>>()
    };
    let mut all = of("cgroup2");
    all.extend(of("cgroup"));
    all
}
