//! A program that watches this test's own processes, its streams line by line as they come, and files that rules match.

use crate::peregrine;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The longest that anything may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A line, and when it came.
pub struct Line {
    /// Without its end.
    pub text: String,
    /// When it was read.
    pub at: Instant,
}

impl Line {
    /// The alert that it is.
    pub fn alert(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
}

/// A program that said that it watches. It is ended with this at the latest.
pub struct Watched {
    pub child: Child,
    /// Standard output.
    pub out: Receiver<Line>,
    said: Receiver<String>,
}

impl Watched {
    /// `peregrine run --json` with more arguments.
    pub fn run(more: &[&str]) -> Self {
        let scope = own_scope();
        let args = [&["run", "--json", "--scope", &scope][..], more].concat();
        Self::start(&mut peregrine(&args), "watching: ")
    }

    /// The same, by a command that becomes the one that its last arguments are.
    pub fn run_within(command: &[&str], more: &[&str]) -> Self {
        let scope = own_scope();
        let mut whole = Command::new(command[0]);
        let own = ["run", "--json", "--scope", &scope];
        whole.args(&command[1..]).arg(env!("CARGO_BIN_EXE_peregrine")).args(own).args(more);
        Self::start(&mut whole, "watching: ")
    }

    /// `peregrine falco` with a configuration and more arguments.
    pub fn falco(config: &Path, more: &[&str]) -> Self {
        let scope = format!("peregrine.scope={}", own_scope());
        let config = config.to_str().unwrap();
        let own = ["falco", "-c", config, "-o", "log_level=debug", "-o", &scope];
        Self::start(&mut peregrine(&[&own[..], more].concat()), "Opened event source 'syscall'")
    }

    fn start(command: &mut Command, ready: &str) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let out = lines(child.stdout.take().expect("piped"), |text| Line { text, at: Instant::now() });
        let said = lines(child.stderr.take().expect("piped"), |line| line);
        let watched = Self { child, out, said };
        watched.until(ready);
        watched
    }

    /// Waits for a line of the log that says so.
    pub fn until(&self, part: &str) -> String {
        let mut said = Vec::new();
        loop {
            match self.said.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => said.push(line),
                Err(e) => panic!("no \"{part}\": {e}: {said:#?}"),
            }
        }
    }

    /// What it said since it was last asked.
    pub fn said(&self) -> Vec<String> {
        self.said.try_iter().collect()
    }

    /// The next line of standard output.
    pub fn line(&self) -> Line {
        self.out.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("no line: {e}: {:#?}", self.said()))
    }

    /// The next alert.
    pub fn alert(&self) -> Value {
        self.line().alert()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is there");
    }

    /// Ends it as an operator does: its status, the lines that were left, and what it said.
    pub fn stop(self) -> (ExitStatus, Vec<Line>, Vec<String>) {
        self.signal(Signal::TERM);
        self.end()
    }

    /// Waits for its end.
    pub fn end(mut self) -> (ExitStatus, Vec<Line>, Vec<String>) {
        // Both streams end with it.
        let said = self.said.iter().collect();
        let out = self.out.iter().collect();
        (self.child.wait().expect("it ends"), out, said)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// This test's processes and no others.
pub fn own_scope() -> String {
    format!("tree:{}", std::process::id())
}

/// Lines as they come, each as `take` gives it.
pub fn lines<T: Send + 'static>(
    from: impl Read + Send + 'static,
    take: impl Fn(String) -> T + Send + 'static,
) -> Receiver<T> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(take(line)).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A directory of files that a rule tells of when they are opened, and room for everything else.
pub struct Home {
    directory: tempfile::TempDir,
    made: usize,
}

impl Home {
    /// With the rule in `rules.yaml`; `more` lines are put to it.
    pub fn new(more: &str) -> Self {
        let home = Self { directory: tempfile::tempdir().unwrap(), made: 0 };
        std::fs::create_dir(home.path("m")).unwrap();
        let rules = format!(
            "- rule: Mark\n  desc: d\n  condition: evt.type in (open, openat, openat2) and fd.name startswith {}/\n  \
             output: mark=%fd.filename\n  priority: NOTICE\n{more}",
            home.path("m").display()
        );
        std::fs::write(home.path("rules.yaml"), rules).unwrap();
        home
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The same as text.
    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Does what the rule tells of, with another file each time: its name.
    pub fn mark(&mut self) -> String {
        let name = format!("mark-{:05}", self.made);
        self.made += 1;
        drop(File::create(self.path("m").join(&name)).unwrap());
        name
    }
}

/// The mark that an alert tells of.
pub fn mark_of(alert: &Value) -> &str {
    alert["output_fields"]["fd.filename"].as_str().unwrap_or_else(|| panic!("no mark: {alert}"))
}
