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
fn lists_come_in_three_layouts() {
    let document = |args: &[&str]| -> serde_json::Value {
        serde_json::from_str(&stdout(&peregrine(args))).expect("one JSON document")
    };
    let fields = document(&["list", "fields", "--json"]);
    assert_eq!(fields, document(&["list", "fields", "--format", "json"]));
    assert_eq!(fields["fieldclasses"][0]["fields"][0]["name"], "evt.num");
    let events = document(&["list", "events", "--json"]);
    assert!(events["Syscall events"].as_array().is_some_and(|calls| calls.len() > 300));
    for (args, part) in [
        (&["list", "fields"][..], "\nfd.num                        Number of"),
        (&["list", "fields", "-N"], "\nfd.num\n"),
        (&["list", "fields", "--format", "markdown"], "\n`fd.num` | INT64 | "),
        (&["list", "events"], "\n< close(ERRNO **res**, FD **fd**)\n"),
        (&["list", "events", "--format", "markdown"], "\nYes | `<` | `close` | ERRNO **res**, FD **fd**\n"),
        (&["list", "operators"], "\nstartswith   starts with"),
        (&["list", "operators", "--format", "markdown"], "\n`startswith` | starts with"),
        (&["list", "transformers", "--json"], r#""name":"tolower""#),
        (&["list", "sources"], "syscall  system calls"),
    ] {
        let list = stdout(&peregrine(args));
        assert!(list.contains(part), "{args:?}: {part} in {list}");
    }
}

/// A directory with files of the given names and contents.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).expect("a file");
    }
    dir
}

const GOOD: &str = "- rule: r\n  desc: d\n  condition: evt.type=openat\n  output: o %proc.name\n  priority: INFO\n";
const BAD: &str = "- rule: r\n  desc: d\n  condition: evt.type=openat and proc.nmae=x\n  output: o\n  priority: INFO\n";

#[test]
fn check_tells_good_from_bad() {
    let dir = directory(&[("good.yaml", GOOD), ("bad.yaml", BAD), ("no.yaml", "- rule: [")]);
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let good = peregrine(&["check", &path("good.yaml")]);
    assert_eq!(code(&good), 0);
    let bad = peregrine(&["check", &path("bad.yaml")]);
    assert_eq!(code(&bad), 1);
    let said = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(said.contains("proc.nmae") && said.contains("bad.yaml") && said.contains('3'), "{said}");
    let json = peregrine(&["check", "--json", &path("bad.yaml")]);
    assert_eq!(code(&json), 1);
    let result: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON alone on standard output");
    let report = &result["falco_load_results"][0];
    assert_eq!(report["successful"], false);
    assert_eq!(report["errors"][0]["code"], "LOAD_ERR_COMPILE_CONDITION");
    assert_eq!(code(&peregrine(&["check", &path("no.yaml")])), 1);
    assert_eq!(code(&peregrine(&["check", &path("absent.yaml")])), 1);
}

#[test]
fn static_fields_are_fields() {
    let rule = "- rule: r\n  desc: d\n  condition: evt.type=openat and static.zone=b\n  output: in %static.zone\n  priority: INFO\n";
    let dir = directory(&[("rule.yaml", rule), ("config.yaml", "static_fields:\n  zone: b\n")]);
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let (config, rule) = (path("config.yaml"), path("rule.yaml"));
    let list = stdout(&peregrine(&["list", "rules", "-c", &config, "-r", &rule]));
    assert!(list.starts_with("r  "), "{list}");
    assert_eq!(code(&peregrine(&["list", "rules", "-r", &rule])), 1, "without configuration there is no such field");
    let fields = stdout(&peregrine(&["list", "fields", "-N", "-c", &config]));
    assert!(fields.contains("\nstatic.zone\n"), "{fields}");
}

#[test]
fn listed_rules_show_events_and_condition() {
    let dir = directory(&[("good.yaml", GOOD)]);
    let path = dir.path().to_string_lossy().into_owned();
    let list = stdout(&peregrine(&["list", "rules", "-r", &path, "--json"]));
    let rule: serde_json::Value = serde_json::from_str(list.trim()).expect("one rule, one line");
    assert_eq!(rule["rule"], "r");
    assert_eq!(rule["source"], "syscall");
    assert_eq!(rule["priority"], "Informational");
    assert_eq!(rule["enabled"], true);
    assert_eq!(rule["events"], serde_json::json!(["asyncevent", "openat"]));
    assert_eq!(rule["condition"], "evt.type = openat");
    let off = stdout(&peregrine(&["list", "rules", "-r", &path, "--json", "-o", "rules[].disable.rule=r"]));
    assert!(off.contains("\"enabled\":false"), "{off}");
}

#[test]
fn wrong_input_is_code_1_and_wrong_usage_code_2() {
    let dir =
        directory(&[("good.yaml", GOOD), ("junk.scap", "this is no capture at all"), ("c.yaml", "json_output: maybe")]);
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let (rules, junk, config) = (path("good.yaml"), path("junk.scap"), path("c.yaml"));
    for args in [
        &["replay", &junk, "-r", &rules][..],
        &["replay", "/absent.scap", "-r", &rules],
        &["dump", &junk],
        &["dump", &junk, "--filter", "evt.type="],
        &["dump", &junk, "-p", "%no.such.field"],
        &["replay", &junk, "-r", &rules, "-c", &config],
        &["replay", &junk, "-r", &rules, "-o", "rule_matching=sometimes"],
        &["explain", "no such rule", "-r", &rules],
    ] {
        let wrong = peregrine(args);
        assert_eq!(code(&wrong), 1, "{args:?}: {}", String::from_utf8_lossy(&wrong.stderr));
        assert!(wrong.stdout.is_empty(), "{args:?} prints to standard output");
        assert!(!wrong.stderr.is_empty(), "{args:?} says nothing");
    }
    for args in [
        &["replay", &junk][..],
        &["run", "-r", &rules, "--scope", "everything"],
        &["run", "-r", &rules, "--duration", "soon"],
        &["dump"],
        &["record"],
        &["check"],
    ] {
        assert_eq!(code(&peregrine(args)), 2, "{args:?}");
    }
}

/// Without privilege it says what is missing and what to do, and that the system is to blame.
#[test]
fn without_privilege_it_says_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let dir = directory(&[("good.yaml", GOOD)]);
    // Where another user may read: the build's own directory may be private.
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let program = dir.path().join("peregrine");
    // Copied by another process: a descriptor for writing, taken over by a process that another test starts just then,
    // would keep the copy from being executed.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_peregrine")).arg(&program).status().expect("cp");
    assert!(copied.success());
    let mut command = Command::new(program);
    command.args(["run", "--duration", "1s", "-r"]).arg(dir.path().join("good.yaml")).current_dir(dir.path());
    if rustix::process::geteuid().is_root() {
        command.uid(65_534).gid(65_534);
    }
    let refused = command.output().expect("the program starts");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(code(&refused), 3, "{said}");
    assert!(refused.stdout.is_empty());
    assert!(said.contains("privilege") && said.contains("root"), "{said}");
}
