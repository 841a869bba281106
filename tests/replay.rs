//! The whole program over real captures: alerts, fields, streams and exit codes as upstream has them.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn peregrine(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peregrine"));
    command.args(args).env("TZ", "UTC").env("FALCO_HOSTNAME", "demo-host").output().expect("the program starts")
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("standard output is UTF-8")
}

fn rules(corpus: &Path, names: &[&str]) -> Vec<String> {
    let dir = corpus.join("rules/upstream_rules");
    let file =
        |name: &&str| dir.join(format!("falcosecurity_rules__rules_{name}_rules.yaml")).to_string_lossy().into_owned();
    names.iter().flat_map(|name| ["-r".to_owned(), file(name)]).collect()
}

/// The configuration that upstream ships, as far as it matters here, as a file.
fn config(dir: &Path) -> String {
    let path = dir.join("peregrine.yaml");
    std::fs::write(&path, "append_output:\n  - suggested_output: true\n").expect("a file");
    path.to_string_lossy().into_owned()
}

fn same_lines(what: &str, got: &str, wanted: &Path) {
    let wanted = std::fs::read_to_string(wanted).expect("the expected alerts");
    for (index, (got, wanted)) in got.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(got, wanted, "{what}, line {}", index + 1);
    }
    assert_eq!(got.lines().count(), wanted.lines().count(), "{what}: number of alerts");
}

#[test]
fn alerts_are_upstreams_byte_for_byte() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let config = config(dir.path());
    for name in ["syscalls_a", "deeds_a", "deeds_c"] {
        let capture = corpus.join(format!("newest/{name}.scap")).to_string_lossy().into_owned();
        let truth = |suffix: &str| corpus.join(format!("newest/truth/{name}.{suffix}"));
        let run = |rules: &[String], more: &[&str]| {
            let mut args = vec!["replay", &capture, "-c", &config];
            args.extend(rules.iter().map(String::as_str));
            args.extend(more);
            stdout(&peregrine(&args))
        };
        let stable = rules(&corpus, &["falco"]);
        same_lines(name, &run(&stable, &[]), &truth("alerts_stable.txt"));
        same_lines(name, &run(&stable, &["--json"]), &truth("alerts_stable.jsonl"));
        let all = rules(&corpus, &["falco", "falco-incubating", "falco-sandbox"]);
        same_lines(name, &run(&all, &["--json", "-o", "rule_matching=all"]), &truth("alerts_all.jsonl"));
    }
}

#[test]
fn dumped_objects_have_the_fields_as_keys() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let capture = corpus.join("newest/deeds_a.scap").to_string_lossy().into_owned();
    let format = "%evt.rawtime %thread.tid %evt.type %fd.name %evt.is_open_read %proc.aname[9]";
    let lines = stdout(&peregrine(&["dump", &capture, "--json", "-p", format, "--filter", "evt.type=openat"]));
    let objects: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    assert!(objects.len() > 100, "{}", objects.len());
    let keys = ["evt.rawtime", "thread.tid", "evt.type", "fd.name", "evt.is_open_read", "proc.aname[9]"];
    for object in &objects {
        let object = object.as_object().expect("an object");
        assert_eq!(object.keys().collect::<Vec<_>>(), {
            let mut keys = keys.to_vec();
            keys.sort_unstable();
            keys
        });
        assert!(
            object["evt.rawtime"].is_u64() && object["thread.tid"].is_i64() && object["evt.is_open_read"].is_boolean()
        );
        assert_eq!(object["evt.type"], "openat");
    }
    assert!(objects.iter().any(|object| object["proc.aname[9]"].is_null()), "a missing value is null");
}

#[test]
fn a_damaged_capture_is_read_up_to_the_damage_on_request() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let whole = corpus.join("captures/falcosecurity_libs__single_ipv6_conn.scap");
    let bytes = std::fs::read(&whole).expect("a capture");
    let damaged: PathBuf = dir.path().join("damaged.scap");
    std::fs::write(&damaged, &bytes[..bytes.len() * 3 / 4]).expect("a file");
    let (whole, damaged) = (whole.to_string_lossy().into_owned(), damaged.to_string_lossy().into_owned());
    let strict = peregrine(&["dump", &damaged]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&strict.stderr).contains("at byte"), "the place is named");
    let some = stdout(&peregrine(&["dump", &damaged, "--lenient"]));
    let all = stdout(&peregrine(&["dump", &whole]));
    assert!(!some.is_empty() && some.lines().count() < all.lines().count());
    assert!(all.starts_with(&some), "what is whole is the same");
}

#[test]
fn a_closed_output_ends_quietly() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let mut child = Command::new(env!("CARGO_BIN_EXE_peregrine"))
        .arg("dump")
        .arg(corpus.join("newest/deeds_a.scap"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{:?}", output.status);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn explain_says_why() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let capture = corpus.join("newest/deeds_a.scap").to_string_lossy().into_owned();
    let rules = rules(&corpus, &["falco"]);
    let args = ["explain", "Clear Log Activities", &rules[0], &rules[1], "--capture", &capture];
    let text = stdout(&peregrine(&args));
    assert!(text.contains("fired on 3"), "{text}");
    assert!(text.contains("failed first at"), "{text}");
    assert!(text.contains("on open openat openat2"), "{text}");
}
