//! A `peregrine run` over the test's own descendants.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::JoinHandle;

/// One that has said that it watches.
pub struct Watch {
    child: Child,
    errors: BufReader<ChildStderr>,
    lines: JoinHandle<Vec<String>>,
    stats: PathBuf,
}

fn peregrine(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peregrine"));
    command.args(args).env("TZ", "UTC").env("FALCO_HOSTNAME", "stage");
    command
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

impl Watch {
    /// Starts one that records as well.
    pub fn start(rules: &Path, capture: &Path) -> Self {
        let stats = rules.with_file_name("stats.json");
        let scope = format!("tree:{}", std::process::id());
        let args = ["run", "--json", "--scope", &scope, "-r", text(rules), "--stats", text(&stats)];
        let record = ["--record", text(capture), "-o", "rule_matching=all"];
        let mut child = peregrine(&[&args[..], &record].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let lines = std::thread::spawn(move || output.lines().map(|line| line.expect("text")).collect());
        let mut errors = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        while !line.contains("watching") {
            line.clear();
            let read = errors.read_line(&mut line).expect("standard error is text");
            assert!(read > 0, "it ended before it watched: {:?}", child.wait());
        }
        Self { child, errors, lines, stats }
    }

    /// Ends it as an operator does, and gives its lines and closing figures.
    pub fn stop(mut self) -> (Vec<String>, Value) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it is there");
        let mut said = String::new();
        self.errors.read_to_string(&mut said).expect("standard error is text");
        assert!(self.child.wait().expect("it ends").success(), "{said}");
        let stats = std::fs::read(&self.stats).expect("closing figures");
        (self.lines.join().expect("lines"), serde_json::from_slice(&stats).expect("JSON"))
    }
}

/// The lines of a recording under the same rules.
pub fn replay(rules: &Path, capture: &Path) -> Vec<String> {
    let args = ["replay", text(capture), "--json", "-r", text(rules), "-o", "rule_matching=all"];
    let replayed = peregrine(&args).output().expect("it starts");
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    String::from_utf8(replayed.stdout).expect("alerts are UTF-8").lines().map(str::to_owned).collect()
}
