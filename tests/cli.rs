//! The command line's contract: what goes to which stream, and the exit codes.

use std::process::{Command, Output};

fn peregrine(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peregrine")).args(args).output().expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("standard output is UTF-8")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

#[test]
fn help_is_output_and_misuse_is_not() {
    let help = peregrine(&["--help"]);
    assert_eq!(code(&help), 0);
    assert!(
        stdout(&help).contains("Exit codes: 0 fine, 1 the input is wrong, 2 the usage is wrong, 3 the system refuses")
    );
    for args in [&[][..], &["nonsense"], &["list"], &["list", "nonsense"], &["list", "events", "--nonsense"]] {
        let wrong = peregrine(args);
        assert_eq!(code(&wrong), 2, "{args:?}");
        assert!(wrong.stdout.is_empty(), "{args:?} prints to standard output");
        assert!(!wrong.stderr.is_empty(), "{args:?} says nothing");
    }
}

#[test]
fn completions_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = peregrine(&["completions", shell]);
        assert_eq!(code(&script), 0, "{shell}");
        assert!(stdout(&script).contains("completions"), "{shell}");
    }
}

#[test]
fn listed_events_are_objects() {
    let list = stdout(&peregrine(&["list", "events", "--json"]));
    let events: Vec<serde_json::Value> = list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let openat = events.iter().find(|e| e["name"] == "openat" && e["direction"] == "exit").unwrap();
    assert_eq!(openat["params"][1], serde_json::json!({"name": "dirfd", "type": "FD"}));
    assert!(events.iter().all(|e| e["name"] != "NA"), "retired events are not offered");
}

#[test]
fn listed_fields_say_type_and_argument() {
    let list = stdout(&peregrine(&["list", "fields", "--json"]));
    let fields: Vec<serde_json::Value> = list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named = |name: &str| fields.iter().find(|f| f["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(named("proc.aname")["argument"], "[N]?");
    assert_eq!(named("fd.num")["type"], "INT64");
    assert!(fields.iter().all(|f| f["doc"].as_str().is_some_and(|doc| !doc.is_empty())));
    assert!(fields.len() > 200, "{}", fields.len());
}
