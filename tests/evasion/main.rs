//! Ways around detection, one published technique a file: done for real, by processes of the test's own, in a directory of
//! its own, under one `peregrine run` that looks at this process tree only.
//!
//! A deed is a shell script in `deeds/`; its head says what it does, where it was published, and the condition of a rule
//! that sees it. `$D` is the deed's directory, `$K` its name. The page
//! `docs/evasion.md` is written from the heads; every row of it that says *seen* was seen by this test.

mod page;

use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One technique.
pub struct Technique {
    /// Family and name, as `07-openat2`.
    pub key: String,
    /// What is done.
    pub what: String,
    /// Where it was published.
    pub source: String,
    /// Condition of the rule that sees it.
    pub rule: String,
}

impl Technique {
    /// The number of its family.
    pub fn family(&self) -> usize {
        self.key[..2].parse().expect("names begin with the family")
    }
}

fn deeds_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evasion/deeds")
}

/// Every technique that a script does, in the order of their names.
pub fn scripts() -> Vec<Technique> {
    let files = std::fs::read_dir(deeds_dir()).expect("the deeds are there").map(|file| file.expect("a file").path());
    let mut all: Vec<Technique> = files
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a script is text");
            let head = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(&format!("# {name}: ")));
                line.unwrap_or_else(|| panic!("{}: no {name}", path.display())).to_owned()
            };
            let key = path.file_stem().expect("a name").to_string_lossy().into_owned();
            Technique { key, what: head("technique"), source: head("source"), rule: head("rule") }
        })
        .collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}

/// A rules file with one rule a technique.
fn rules(techniques: &[Technique], top: &Path) -> String {
    let rule = |technique: &Technique| {
        let dir = top.join(&technique.key);
        let condition = technique.rule.replace("$D", &dir.to_string_lossy()).replace("$K", &technique.key);
        let (key, what) = (&technique.key, serde_json::to_string(&technique.what).expect("text"));
        format!(
            "- rule: {key}\n  desc: {what}\n  condition: >\n    {condition}\n  output: \"%evt.type\"\n  priority: NOTICE\n"
        )
    };
    techniques.iter().map(rule).collect()
}

#[test]
#[cfg(target_arch = "x86_64")]
fn every_technique_is_seen() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let top = tempfile::tempdir().expect("a directory");
    let top = top.path().canonicalize().expect("it is there");
    let all = scripts();
    let file = top.join("rules.yaml");
    std::fs::write(&file, rules(&all, &top)).expect("it can be written");
    let scope = format!("tree:{}", std::process::id());
    let mut watcher = Command::new(env!("CARGO_BIN_EXE_peregrine"))
        .args(["run", "--json", "--scope", &scope, "-o", "rule_matching=all", "-r"])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut errors = BufReader::new(watcher.stderr.take().expect("piped"));
    let mut said = String::new();
    while !said.contains("watching") {
        assert!(errors.read_line(&mut said).expect("standard error is text") > 0, "it ended: {said}");
    }
    // Alerts are taken as they come: what nobody reads is lost in the end, and counted.
    let mut alerts = watcher.stdout.take().expect("piped");
    let reader = std::thread::spawn(move || {
        let mut lines = String::new();
        alerts.read_to_string(&mut lines).map(|_| lines)
    });
    for technique in &all {
        let dir = top.join(&technique.key);
        std::fs::create_dir(&dir).expect("a directory of its own");
        act_by_script(technique, &dir);
    }
    let pid = rustix::process::Pid::from_child(&watcher);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is there");
    errors.read_to_string(&mut said).expect("standard error is text");
    let status = watcher.wait().expect("it ends");
    assert!(status.success() && said.contains(" 0 dropped"), "{said}");
    let lines = reader.join().expect("no panic").expect("alerts are UTF-8");
    let rule = |line: &str| Some(serde_json::from_str::<Value>(line).ok()?["rule"].as_str()?.to_owned());
    let seen: BTreeSet<String> = lines.lines().filter_map(rule).collect();
    let missed: Vec<_> = all.iter().filter(|technique| !seen.contains(&technique.key)).map(|t| &t.key).collect();
    assert!(missed.is_empty(), "not seen: {missed:?}\n{said}");
}

#[cfg(target_arch = "x86_64")]
fn act_by_script(technique: &Technique, dir: &Path) {
    // What the deeds say of themselves is of no use; many are refused, and are to be seen all the same.
    let mut command = Command::new("/bin/sh");
    command.arg(deeds_dir().join(format!("{}.sh", technique.key))).env("D", dir).env("K", &technique.key);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().expect("a shell runs");
}
