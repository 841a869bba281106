//! Live: deeds on a stage of their own, under `peregrine run` that looks at that stage only.

mod captures;
mod deeds;
mod drift;
mod gaps;
mod hung;
mod names;
mod reload;
mod rotation;
mod stage;
mod watched;
mod web;

use deeds::{Deed, OWN, STABLE};
use serde_json::Value;
use stage::Stage;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A `peregrine run` that has said that it watches.
struct Watcher {
    child: Child,
    errors: BufReader<std::process::ChildStderr>,
}

impl Watcher {
    fn start(args: &[&str]) -> Self {
        let mut child = peregrine(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut errors = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        while !line.contains("watching") {
            line.clear();
            let read = errors.read_line(&mut line).expect("standard error is text");
            assert!(read > 0, "it ended before it watched: {:?}", child.wait());
        }
        Self { child, errors }
    }

    /// Ends it as an operator does, and gives what it printed and said at the end.
    fn stop(mut self) -> (Output, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is there");
        let mut said = String::new();
        self.errors.read_to_string(&mut said).expect("standard error is text");
        let output = self.child.wait_with_output().expect("it ends");
        (output, said)
    }
}

fn peregrine(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peregrine"));
    command.args(args).env("TZ", "UTC").env("FALCO_HOSTNAME", "stage");
    command
}

fn mark(index: usize, twin: bool) -> String {
    format!("deed-{index:02}{}", if twin { "twin" } else { "real" })
}

fn act(stage: &mut Stage, (side, words): (&str, &[&str]), mark: &str) {
    let words: Vec<&str> = words.iter().map(|word| if *word == "MARK" { mark } else { word }).collect();
    stage.act(side, &words);
}

/// Does all deeds and twins under `run` and gives its JSON alerts, and those of replaying what it recorded.
fn perform(deeds: &[Deed], rules: &Path) -> (Vec<String>, Vec<String>) {
    let mut stage = Stage::new();
    let dir = tempfile::tempdir().expect("a directory");
    let capture = dir.path().join("live.scap");
    let (rules, capture) = (rules.to_str().unwrap(), capture.to_str().unwrap());
    let config = ["--json", "-r", rules, "-o", "append_output[].suggested_output=true"];
    let scope = stage.scope();
    let watcher = Watcher::start(&[&["run", "--scope", &scope, "--record", capture][..], &config].concat());
    for (index, deed) in deeds.iter().enumerate() {
        act(&mut stage, deed.deed, &mark(index, false));
        act(&mut stage, deed.twin, &mark(index, true));
    }
    if deeds.iter().any(|deed| deed.deed.1.contains(&"bg")) {
        stage.act("host", &["/opt/stage/bin/worker", "sleep", "5600"]);
    }
    let (output, said) = watcher.stop();
    assert!(output.status.success(), "{said}");
    let replay = peregrine(&[&["replay", capture][..], &config].concat()).output().expect("it starts");
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stderr));
    (lines(&output), lines(&replay))
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).expect("alerts are UTF-8").lines().map(str::to_owned).collect()
}

/// The alerts whose command line bears a mark.
fn of<'a>(alerts: &'a [Value], mark: &str) -> Vec<&'a Value> {
    let marked =
        |alert: &&Value| alert["output_fields"]["proc.cmdline"].as_str().is_some_and(|line| line.contains(mark));
    alerts.iter().filter(marked).collect()
}

/// Every deed raises its rule once with the right fields, its twin nothing; nothing else raises anything.
fn check(deeds: &[Deed], lines: &[String]) {
    let alerts: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    let mut faults = Vec::new();
    let mut expected = 0;
    for (index, deed) in deeds.iter().enumerate() {
        let raised = of(&alerts, &mark(index, false));
        let names: Vec<_> = raised.iter().map(|alert| &alert["rule"]).collect();
        if names != [deed.rule] {
            faults.push(format!("{}: raised {names:?}", deed.rule));
        }
        expected += raised.len();
        for (field, value) in raised.first().map(|_| deed.fields).unwrap_or_default() {
            let found = &raised[0]["output_fields"][field];
            let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
            if text != *value {
                faults.push(format!("{}: {field} is {text}, not {value}", deed.rule));
            }
        }
        for alert in of(&alerts, &mark(index, true)) {
            faults.push(format!("{}: its twin raised {}", deed.rule, alert["output"]));
            expected += 1;
        }
    }
    if alerts.len() != expected {
        faults.push(format!("{} alerts bear no mark", alerts.len() - expected));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A recording raises the same alerts as were raised live, byte for byte.
fn same(live: &[String], replayed: &[String]) {
    for (live, replayed) in live.iter().zip(replayed) {
        assert_eq!(live, replayed, "live, and replayed");
    }
    assert_eq!(live.len(), replayed.len(), "alerts live, and replayed");
}

#[test]
fn deeds_of_the_stable_rules() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let Some(_guard) = peregrine_testkit::live() else { return };
    let rules = corpus.join("rules/upstream_rules/falcosecurity_rules__rules_falco_rules.yaml");
    let (live, replayed) = perform(STABLE, &rules);
    check(STABLE, &live);
    same(&live, &replayed);
}

/// From the event to the line on standard output, while nothing else happens. The machine may be busy with other
/// things, so half of the alerts must be in time, not each.
#[test]
fn alerts_come_within_100_ms() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut stage = Stage::new();
    let rules = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rules");
    let scope = stage.scope();
    let mut watcher = Watcher::start(&["run", "--json", "--scope", &scope, "-r", rules.to_str().unwrap()]);
    let lines = BufReader::new(watcher.child.stdout.take().expect("piped")).lines();
    let times = std::thread::spawn(move || {
        let delay = |line: std::io::Result<String>| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
            let alert: Value = serde_json::from_str(&line.expect("alerts are UTF-8")).expect("a JSON line");
            now.as_nanos() as u64 - alert["output_fields"]["evt.time"].as_u64().expect("a time")
        };
        lines.map(delay).collect::<Vec<u64>>()
    });
    for index in 0..9 {
        stage.act("host", &["/opt/stage/bin/peek", "read", "/etc/shadow", &mark(index, false)]);
    }
    let (output, said) = watcher.stop();
    assert!(output.status.success(), "{said}");
    let mut times = times.join().expect("no panic");
    times.sort_unstable();
    assert_eq!(times.len(), 9, "{said}");
    assert!(times[4] < 100_000_000, "delays in nanoseconds: {times:?}");
}

#[test]
fn deeds_of_our_own_rules() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let rules = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rules");
    let (live, replayed) = perform(OWN, &rules);
    check(OWN, &live);
    same(&live, &replayed);
}

/// A recording of a command holds what it did, from its first instruction on, and nothing of anybody else.
#[test]
fn a_command_is_recorded_alone() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("read-me");
    std::fs::write(&file, "content").expect("a file");
    let capture = dir.path().join("command.scap");
    let (file, capture) = (file.to_str().unwrap(), capture.to_str().unwrap());
    let recorded = peregrine(&["record", "-o", capture, "--", "cat", file]).output().expect("it starts");
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    assert_eq!(recorded.stdout, b"content", "the command's output is its own");
    let dump = peregrine(&["dump", capture, "--json", "-p", "%evt.type %proc.name %fd.name %evt.res"])
        .output()
        .expect("it starts");
    let events: Vec<Value> = lines(&dump).iter().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let opened =
        |event: &&Value| event["evt.type"] == "openat" && event["fd.name"] == file && event["proc.name"] == "cat";
    assert_eq!(events.iter().filter(opened).count(), 1, "{events:?}");
    // No search through PATH, no shell: the first call with an event of its own is the one that makes it the command.
    let execs: Vec<_> = events.iter().filter(|event| event["evt.type"] == "execve").collect();
    assert_eq!(execs.len(), 1, "{execs:?}");
    assert_eq!(execs[0]["evt.res"], "SUCCESS");
    let others: Vec<_> = events
        .iter()
        .filter(|event| !["peregrine", "cat"].contains(&event["proc.name"].as_str().unwrap_or("?")))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

/// A recording that is stopped ends the command that it started, and is whole.
#[test]
fn a_stopped_recording_ends_its_command() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let capture = dir.path().join("stopped.scap");
    let capture = capture.to_str().unwrap();
    let args = ["record", "-o", capture, "--", "sh", "-c", "trap 'echo asked; exit' TERM; echo $$; read x"];
    let mut recorder =
        peregrine(&args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut output = BufReader::new(recorder.stdout.take().expect("piped"));
    let mut command = String::new();
    output.read_line(&mut command).expect("a line");
    let recorder_pid = rustix::process::Pid::from_child(&recorder);
    rustix::process::kill_process(recorder_pid, rustix::process::Signal::TERM).expect("it runs");
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("text, up to the end of all who could write");
    assert_eq!(rest, "asked\n");
    assert_eq!(recorder.wait().expect("it ends").code(), Some(0));
    assert!(!std::path::Path::new("/proc").join(command.trim()).exists(), "the command is gone");
    let dump = peregrine(&["dump", capture, "-p", "%proc.name"]).output().expect("it starts");
    assert!(dump.status.success() && !dump.stdout.is_empty());
}

/// Events as they happen, of one process tree; a signal ends it and it exits with 0.
#[test]
fn a_live_dump_shows_one_tree() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let own = format!("tree:{}", std::process::id());
    let args = [
        "dump",
        "--live",
        "--scope",
        &own,
        "--duration",
        "3s",
        "--filter",
        "evt.type=execve",
        "--json",
        "-p",
        "%proc.name %proc.args",
    ];
    let mut child = peregrine(&args).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    // It does not say when it is attached, so the deed is done again and again until it is seen.
    let (seen, until) = std::sync::mpsc::channel::<()>();
    let doer = std::thread::spawn(move || {
        let pace = std::time::Duration::from_millis(20);
        while until.recv_timeout(pace) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let _ = Command::new("/bin/true").arg("seen").status();
        }
    });
    output.read_line(&mut line).expect("a line");
    drop(seen);
    let event: Value = serde_json::from_str(&line).expect("an object");
    assert_eq!((&event["proc.name"], &event["proc.args"]), (&"true".into(), &"seen".into()));
    doer.join().expect("no panic");
    output.read_to_string(&mut line).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
