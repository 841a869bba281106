//! Captures that begin with a match: what is in them, and that replaying one says the same.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Replays and gives the alerts.
fn replay(capture: &Path, rules: &Path, options: &[&str]) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peregrine"));
    command.arg("replay").arg(capture).arg("-r").arg(rules).arg("--json").env("TZ", "UTC");
    options.iter().for_each(|option| {
        command.args(["-o", option]);
    });
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn written(directory: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|extension| extension == "scap"));
    all.sort();
    all
}

/// Reads of a secret, and a rule that sees every event.
const RULES: &str = "
- rule: Secret
  desc: d
  condition: evt.type in (open, openat, openat2) and fd.name=/etc/shadow
  output: num=%evt.num time=%evt.rawtime proc=%proc.cmdline exe=%proc.exepath parent=%proc.pname fd=%fd.name user=%user.uid
  priority: NOTICE
  capture: true
  capture_duration: 50
";
const ALL: &str = "
- rule: All
  desc: d
  condition: evt.num > 0
  output: '%evt.rawtime %evt.type %proc.name %proc.exepath %fd.name'
  priority: NOTICE
";

#[test]
fn a_match_begins_a_capture_that_says_the_same() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let home = tempfile::tempdir().unwrap();
    let (secret, all) = (home.path().join("secret.yaml"), home.path().join("all.yaml"));
    std::fs::write(&secret, RULES).unwrap();
    std::fs::write(&all, ALL).unwrap();
    let capture = corpus.join("newest/deeds_a.scap");
    let whole = replay(&capture, &all, &[]);
    let time = |alert: &Value| alert["output_fields"]["evt.rawtime"].as_u64().unwrap();
    for (name, before) in [("none", 0), ("some", 200), ("much", 600_000)] {
        let directory = home.path().join(name);
        std::fs::create_dir(&directory).unwrap();
        let prefix = format!("capture.path_prefix={}/x", directory.display());
        let keep = format!("peregrine.capture.before={before}");
        let alerts = replay(&capture, &secret, &["capture.enabled=true", &prefix, &keep]);
        let files = written(&directory);
        assert!(!alerts.is_empty() && !files.is_empty(), "{name}");
        let matched = time(&alerts[0]);
        let expected = format!("x_{matched:020}_{:020}.scap", alerts[0]["output_fields"]["evt.num"].as_u64().unwrap());
        assert_eq!(files[0].file_name().unwrap().to_str().unwrap(), expected);

        // What is in the file, and that every event in it is understood as it was in the whole.
        let inside = replay(&files[0], &all, &[]);
        let (first, last) = (time(&inside[0]), time(inside.last().unwrap()));
        let from = matched - before * 1_000_000;
        let at = whole.iter().position(|alert| time(alert) >= from).unwrap();
        assert!(before > 0 || first == matched, "{name}: nothing before");
        if before > 0 {
            assert_eq!(first, time(&whole[at]), "{name}: all that is young enough");
        }
        assert!(last >= matched + 50_000_000 || last == time(whole.last().unwrap()), "{name}: long enough");
        let begin = whole.iter().position(|alert| time(alert) == first).unwrap();
        let texts = |alerts: &[Value]| -> Vec<String> {
            alerts.iter().map(|alert| alert["output"].as_str().unwrap().to_owned()).collect()
        };
        let same = &whole[begin..begin + inside.len()];
        assert_eq!(texts(&inside), texts(same), "{name}");
        // The same alerts once more, but for the events' numbers.
        let again = replay(&files[0], &secret, &[]);
        let shown = |alert: &Value| alert["output"].as_str().unwrap().split_once(" time=").unwrap().1.to_owned();
        assert_eq!(shown(&again[0]), shown(&alerts[0]), "{name}");
    }
}

#[test]
fn no_capture_without_being_asked() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let home = tempfile::tempdir().unwrap();
    let rules = home.path().join("rules.yaml");
    std::fs::write(&rules, RULES).unwrap();
    let prefix = format!("capture.path_prefix={}/x", home.path().display());
    assert!(!replay(&corpus.join("newest/deeds_a.scap"), &rules, &[&prefix]).is_empty());
    assert!(written(home.path()).is_empty());
}
