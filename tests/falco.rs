//! The program under Falco's name: options, streams, texts and exit codes as Falco's.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const CONFIG: &str = "\
engine: {kind: nodriver}
stdout_output: {enabled: true}
log_stderr: true
log_syslog: false
rules_files: [RULES]
load_plugins: []
plugins:
  - {name: container, library_path: libcontainer.so}
  - {name: k8saudit, library_path: libk8saudit.so, open_params: http://:9765/k8s-audit}
";

const RULES: &str = "\
- required_engine_version: 0.31.0
- required_plugin_versions: [{name: container, version: 0.4.0}]
- list: shells
  items: [bash, sh]
- list: interpreters
  items: [shells, python]
- macro: spawned
  condition: evt.type in (execve, execveat)
- rule: shell
  desc: An interpreter was started, and this description is so long that it needs a second line in the table
  condition: spawned and proc.name in (interpreters) and not fd.name startswith /etc
  output: started %proc.name by %proc.pname (%proc.aname[2])
  priority: WARNING
  tags: [process, T1059]
  exceptions:
    - name: known
      fields: [proc.pname, proc.cmdline]
      comps: [=, startswith]
      values: [[init, sh -c]]
- rule: opened
  desc: short
  condition: evt.type = openat
  output: opened %fd.name
  priority: INFO
  enabled: false
";

/// A directory with a configuration and rules.
struct Stage {
    directory: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let stage = Self { directory };
        let rules = stage.write("rules.yaml", RULES);
        stage.write("falco.yaml", &CONFIG.replace("RULES", &rules.to_string_lossy()));
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Runs with the stage's configuration.
    fn falco(&self, arguments: &[&str]) -> Ran {
        let config = self.path("falco.yaml").to_string_lossy().into_owned();
        ran(Command::new(env!("CARGO_BIN_EXE_peregrine")).args(["falco", "-c", &config]).args(arguments))
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } =
        command.env("TZ", "UTC").env_remove("FALCO_HOSTNAME").output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: status.code().expect("no signal"), out: text(stdout), err: text(stderr) }
}

/// Without a configuration file.
fn falco(arguments: &[&str]) -> Ran {
    ran(Command::new(env!("CARGO_BIN_EXE_peregrine")).arg("falco").args(arguments))
}

#[test]
fn it_goes_by_falcos_name_too() {
    let stage = Stage::new();
    let link = stage.path("falco");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_peregrine"), &link).expect("a link");
    let version = ran(Command::new(&link).arg("--version"));
    assert_eq!(version.code, 0);
    assert!(version.out.starts_with("Falco version: 0.44.0+peregrine."), "{}", version.out);
    assert_eq!(version.out, falco(&["--version"]).out);
    assert!(ran(Command::new(&link).arg("--help")).out.contains("Usage:\n  falco [OPTION...]\n"));
}

#[test]
fn versions_have_falcos_keys() {
    let object: Value = serde_json::from_str(&falco(&["--version", "-o", "json_output=true"]).out).expect("an object");
    let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    let want = [
        "default_driver_version",
        "driver_api_version",
        "driver_schema_version",
        "engine_version",
        "engine_version_semver",
        "falco_version",
        "libs_version",
        "plugin_api_version",
        "plugin_versions",
    ];
    assert_eq!(keys, want);
    assert_eq!((&object["engine_version"], &object["engine_version_semver"]), (&"63".into(), &"0.63.0".into()));
}

#[test]
fn misuse_is_one_line_and_code_1() {
    for (arguments, text) in [
        (&["--nonsense"][..], "Error: Option \u{2018}nonsense\u{2019} does not exist\n"),
        (&["-c", "/absent.yaml"], "Error: Could not find configuration file at /absent.yaml\n"),
        (&["-V"], "Error: Option \u{2018}validate\u{2019} is missing an argument\n"),
        (&["--markdown", "--format", "json"], "Error: Cannot specify both --markdown and --format options together\n"),
    ] {
        let ran = falco(arguments);
        assert_eq!((ran.code, ran.err.as_str(), ran.out.as_str()), (1, text, ""), "{arguments:?}");
    }
}

#[test]
fn errors_say_what_is_wrong_at_the_end() {
    let stage = Stage::new();
    for (arguments, part) in [
        (
            &["-o", "rule_matching=x"][..],
            "Unknown rule matching strategy \"x\"--must be one of first, all (-o rule_matching=x)",
        ),
        (&["-o", "priority=x"], "Unknown priority \"x\"--must be one of emergency, alert"),
        (&["-o", "nothing"], "Error parsing config option \"nothing\". Must be of the form key=val or key.subkey=val"),
        (&["-o", "a..b=1"], "Config error at key \"a..b\": Parsing error: unexpected character at pos 2"),
        (&["-o", "file_output.enabled=true"], "file output enabled but no filename in configuration block"),
        (&["-o", "engine.kind=ebpf"], "engine.kind 'ebpf' is not a valid kind."),
        (&["-o", "stdout_output.enabled=false"], "No output configured, please make sure at least one output"),
        (&["-o", "load_plugins[]=absent"], "Cannot load plugin 'absent': plugin config not found for given name"),
        (
            &["-o", "load_plugins[]=k8saudit"],
            "Plugin 'k8saudit' (/usr/share/falco/plugins/libk8saudit.so) cannot be loaded",
        ),
        (&["-r", "/absent.yaml"], "Could not open file /absent.yaml for reading"),
        (&["-o", "rules_files=/absent.yaml"], "You must specify at least one rules file/directory via -r"),
        (
            &["--enable-source", "syscall", "--disable-source", "syscall"],
            "You can not mix --enable-source and --disable-source",
        ),
        (&["--enable-source", "k8s_audit"], "Attempted enabling an unknown event source: k8s_audit"),
        (&["--disable-source", "syscall"], "Must enable at least one event source"),
        (&["--list=k8s_audit"], "Value for --list must be a valid source type"),
    ] {
        let ran = stage.falco(arguments);
        let last = ran.err.lines().last().unwrap_or_default();
        assert_eq!(ran.code, 1, "{arguments:?}: {}", ran.err);
        assert!(last.starts_with("Error: ") && last.contains(part), "{arguments:?}: {last}");
        assert!(ran.out.is_empty(), "{arguments:?}: {}", ran.out);
    }
    let unknown = stage.falco(&["-l", "nobody"]);
    assert_eq!(unknown.code, 1);
    assert!(
        unknown.err.trim_end().ends_with(": Runtime error: Rule \"nobody\" is not loaded. Exiting."),
        "{}",
        unknown.err
    );
}

#[test]
fn the_log_has_falcos_lines() {
    let stage = Stage::new();
    let run = stage.falco(&["--dry-run", "-o", "grpc.enabled=true", "-o", "rules[].disable.rule=opened"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""));
    let line =
        regex::Regex::new(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}: ").unwrap();
    for text in run.err.lines() {
        assert!(line.is_match(text), "{text}");
    }
    let config = stage.path("falco.yaml").display().to_string();
    let rules = stage.path("rules.yaml").display().to_string();
    for part in [
        ": Falco version: 0.44.0+peregrine.",
        ": Falco initialized with configuration files:\n",
        &format!(":    {config} | schema validation: ok\n"),
        ": -o grpc.enabled=true: the configuration key grpc has no effect: the gRPC server is gone",
        ": Loading rules from:\n",
        &format!(":    {rules} | schema validation: ok\n"),
        ": Disabling rules with name: opened\n",
    ] {
        assert!(run.err.contains(part), "{part}: {}", run.err);
    }
    let iso = stage.falco(&["--dry-run", "-o", "time_format_iso_8601=true"]);
    assert!(regex::Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000: Falco version").unwrap().is_match(&iso.err));
    assert!(stage.falco(&["--dry-run", "-o", "log_stderr=false"]).err.is_empty());
    let debug = stage.falco(&["--dry-run", "-o", "log_level=debug"]).err;
    assert!(debug.contains(": CLI args: falco -c ") && debug.contains("Configured rules filenames:"), "{debug}");
    let error = stage.falco(&["--dry-run", "-o", "log_level=error"]).err;
    assert!(error.is_empty(), "{error}");
}

#[test]
fn validation_in_text_and_json() {
    let stage = Stage::new();
    let good = stage.write("good.yaml", RULES).display().to_string();
    let bad = stage.write("bad.yaml", "- rule: r\n").display().to_string();
    let unused = stage.write("unused.yaml", "- list: l\n  items: [a]\n").display().to_string();
    let ok = stage.falco(&["-V", &good]);
    assert_eq!((ok.code, ok.out), (0, format!("{good}: Ok\n")));
    let warned = stage.falco(&["-V", &unused]);
    assert_eq!((warned.code, warned.out), (0, format!("{unused}: Ok, with warnings\n")));
    assert!(warned.err.contains("LOAD_UNUSED_LIST"), "{}", warned.err);
    let invalid = stage.falco(&["-V", &good, "-V", &bad]);
    assert_eq!(invalid.code, 1);
    assert!(invalid.out.starts_with(&format!("{good}: Ok\n{bad}: Invalid\n1 Errors:\n")), "{}", invalid.out);
    assert!(invalid.err.contains(&format!("Error: {good}: Ok\n{bad}: Invalid\n")), "{}", invalid.err);
    let json = stage.falco(&["-V", &good, "-V", &bad, "-o", "json_output=true"]);
    let object: Value = serde_json::from_str(&json.out).expect("one object");
    assert_eq!(object["falco_load_results"][1]["errors"][0]["code"], "LOAD_ERR_YAML_VALIDATE");
    assert!(object.get("falco_describe_results").is_none());
    let described = stage.falco(&["-V", &good, "-L", "-o", "json_output=true"]);
    let object: Value = serde_json::from_str(&described.out).expect("one object");
    assert_eq!(object["falco_describe_results"]["rules"].as_array().unwrap().len(), 2);
}

#[test]
fn descriptions_as_a_table() {
    let table = Stage::new().falco(&["-L"]);
    let gap = " ".repeat(45);
    let lines: Vec<&str> = table.out.lines().collect();
    assert_eq!(lines[0], format!("Rule{}   Description", &gap[..44]));
    assert_eq!(lines[2], format!("shell{gap} An interpreter was started, and this description is so "));
    assert_eq!(lines[3], format!("{}long that it needs a second line in the table ", " ".repeat(51)));
    assert_eq!(table.code, 0);
}

#[test]
fn descriptions_as_json() {
    let stage = Stage::new();
    let all = stage.falco(&[
        "-L",
        "-o",
        "json_output=true",
        "-o",
        "append_output={}",
        "-o",
        "append_output[]={extra_fields: [{x: 'y %evt.num'}]}",
    ]);
    assert_eq!(all.code, 1, "an append_output that is a map is wrong");
    let all = stage.falco(&[
        "-L",
        "-o",
        "json_output=true",
        "-o",
        "append_output[]={extra_output: (%evt.num), extra_fields: [{x: 'y %evt.num'}, evt.time]}",
    ]);
    let object: Value = serde_json::from_str(&all.out).expect("an object");
    assert_eq!(object["required_engine_version"], "0.31.0");
    assert_eq!(
        object["required_plugin_versions"][0],
        serde_json::json!({"name": "container", "version": "0.4.0", "alternatives": []})
    );
    let rule = &object["rules"][0];
    assert_eq!(
        rule["info"],
        serde_json::json!({
            "name": "shell",
            "condition": "spawned and proc.name in (interpreters) and not fd.name startswith /etc",
            "priority": "Warning",
            "output": "started %proc.name by %proc.pname (%proc.aname[2])",
            "description": "An interpreter was started, and this description is so long that it needs a second line in the table",
            "enabled": true,
            "source": "syscall",
            "capture": false,
            "capture_duration": 0,
            "tags": ["T1059", "process"],
        })
    );
    let details = &rule["details"];
    for (key, want) in [
        ("macros", serde_json::json!(["spawned"])),
        ("lists", serde_json::json!(["interpreters"])),
        ("condition_operators", serde_json::json!(["=", "in", "startswith"])),
        ("condition_fields", serde_json::json!(["evt.type", "fd.name", "proc.cmdline", "proc.name", "proc.pname"])),
        (
            "output_fields",
            serde_json::json!(["%evt.time", "y %evt.num", "proc.name", "proc.pname", "proc.aname[2]", "evt.num"]),
        ),
        ("exception_fields", serde_json::json!(["proc.cmdline", "proc.pname"])),
        ("exception_names", serde_json::json!(["known"])),
        ("exception_operators", serde_json::json!(["=", "startswith"])),
        ("events", serde_json::json!(["asyncevent", "execve", "execveat"])),
        ("extra_output_formatted_fields", serde_json::json!({"x": "y %evt.num"})),
        ("output_compiled", serde_json::json!("started %proc.name by %proc.pname (%proc.aname[2]) (%evt.num)")),
        ("plugins", serde_json::json!([])),
    ] {
        assert_eq!(details[key], want, "{key}");
    }
    let compiled = details["condition_compiled"].as_str().unwrap();
    assert!(
        compiled.contains("proc.name in (bash, sh, python)") && compiled.contains("not fd.name startswith /etc"),
        "{compiled}"
    );
    assert_eq!(object["rules"][1]["info"]["enabled"], false);
    assert_eq!(
        object["macros"][0]["info"],
        serde_json::json!({"name": "spawned", "condition": "evt.type in (execve, execveat)"})
    );
    assert_eq!(object["macros"][0]["details"]["used"], true);
    assert_eq!(
        object["lists"][1],
        serde_json::json!({
            "info": {"name": "interpreters", "items": ["python"]},
            "details": {"used": true, "lists": ["shells"], "items_compiled": ["bash", "sh", "python"], "plugins": []},
        })
    );
    let one: Value = serde_json::from_str(&stage.falco(&["-l", "opened", "-o", "json_output=true"]).out).unwrap();
    assert_eq!(one.as_object().unwrap().len(), 1);
    assert_eq!(one["rules"][0]["info"]["name"], "opened");
}

#[test]
fn lists_and_schemas() {
    let stage = Stage::new();
    let names = stage.falco(&["--list", "-N"]);
    assert!(names.out.lines().any(|line| line == "proc.name") && !names.out.contains("proc.name "), "{}", names.out);
    assert_eq!(names.out, stage.falco(&["--list=syscall", "-N"]).out);
    assert!(stage.falco(&["--list-events", "--markdown"]).err.contains("--markdown is deprecated"));
    assert!(
        falco(&["--list-events"]).out.starts_with("The events below are valid for Falco *Schema Version*: 4.5.1\n")
    );
    let ignored = falco(&["-i"]).out;
    assert!(ignored.starts_with("Ignored syscall(s):\n- ") && ignored.contains("\n- read\n"), "{ignored}");
    let schema: Value = serde_json::from_str(&falco(&["--config-schema"]).out).expect("JSON");
    assert_eq!(schema["properties"]["webserver"]["properties"]["enabled"]["type"], "boolean");
    assert_eq!(schema["properties"]["plugins"]["items"]["required"], serde_json::json!(["name", "library_path"]));
    let schema: Value = serde_json::from_str(&falco(&["--rule-schema"]).out).expect("JSON");
    assert_eq!(schema["items"]["properties"]["rule"]["type"], "string");
    let plugins = stage.falco(&["--list-plugins", "-o", "load_plugins[]=container"]);
    assert!(plugins.out.starts_with("1 Plugins Loaded:\n\nName: container\n"), "{}", plugins.out);
    assert!(stage.falco(&["--page-size"]).err.contains("Your system page size is: "));
}

#[test]
fn support_holds_what_a_report_needs() {
    let support: Value = serde_json::from_str(&Stage::new().falco(&["--support"]).out).expect("an object");
    assert_eq!(support["system_info"]["sysname"], "Linux");
    assert!(support["cmdline"].as_str().unwrap().ends_with("--support"));
    assert!(support["config"].as_str().unwrap().contains("\"stdout_output\": {\"enabled\": \"true\"}"));
    assert_eq!(support["rules_files"][0]["variants"][0]["content"], RULES);
    assert_eq!(support["engine_info"]["engine_version"], "63");
}

#[test]
fn without_driver_it_runs_for_the_time_given() {
    let stage = Stage::new();
    let pid = stage.path("pid");
    let run = stage.falco(&["-M", "1", "-P", &pid.to_string_lossy()]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.out, "Events detected: 0\nRule counts by severity:\nTriggered rules by rule name:\n");
    assert!(std::fs::read_to_string(&pid).expect("the file").parse::<u32>().is_ok());
    for part in
        ["Enabled event sources: syscall\n", "Opening 'syscall' source with no driver\n", "no event will be produced\n"]
    {
        assert!(run.err.contains(part), "{part}: {}", run.err);
    }
}

#[test]
fn replays_close_with_statistics() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let stage = Stage::new();
    let capture = corpus.join("captures/falcosecurity_falco__cat_write.scap");
    let rules = stage.write(
        "cat.yaml",
        "- rule: cat\n  desc: d\n  condition: evt.type = open and proc.name = cat\n  output: o\n  priority: INFO\n",
    );
    let capture = format!("engine.replay.capture_file={}", capture.display());
    let run = stage.falco(&[
        "-r",
        &rules.to_string_lossy(),
        "-o",
        "engine.kind=replay",
        "-o",
        &capture,
        "-p",
        "x=%evt.num",
        "-v",
    ]);
    assert_eq!(run.code, 0, "{}", run.err);
    let (alerts, figures) = run.out.split_once("Events detected: ").expect("figures");
    let figures = figures.split_once('\n').unwrap();
    let count: usize = figures.0.parse().unwrap();
    assert!(count > 0 && alerts.lines().count() == count, "{}", run.out);
    assert_eq!(
        figures.1,
        format!("Rule counts by severity:\n   INFO: {count}\nTriggered rules by rule name:\n   cat: {count}\n")
    );
    assert!(alerts.lines().all(|line| line.contains(": Informational o x=")), "{alerts}");
    assert!(
        run.err.contains("The -p/--print option is deprecated") && run.err.contains("Captured Events: "),
        "{}",
        run.err
    );
    let none = stage.falco(&[
        "-r",
        &rules.to_string_lossy(),
        "-o",
        "engine.kind=replay",
        "-o",
        &capture,
        "-o",
        "rules[].disable.rule=c*",
    ]);
    assert!(none.out.starts_with("Events detected: 0\n"), "{}", none.out);
}

/// Live, over a process of the test's own: an alert while it runs, and the figures when it is told to stop.
#[test]
fn live_it_alerts_until_it_is_told_to_stop() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let stage = Stage::new();
    let opened = stage.write("opened", "");
    let rules = format!(
        "- rule: mine\n  desc: d\n  condition: evt.type in (open, openat, openat2) and fd.name = {}\n  output: by %proc.name\n  priority: INFO\n",
        opened.display()
    );
    let rules = stage.write("mine.yaml", &rules);
    // It opens the file when it is told to.
    let script = format!("read line; exec 3<{}; read line", opened.display());
    let mut watched = Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().expect("the shell starts");
    let mut falco = Command::new(env!("CARGO_BIN_EXE_peregrine"))
        .args(["falco", "-M", "60", "-c"])
        .arg(stage.path("falco.yaml"))
        .arg("-r")
        .arg(rules)
        .args(["-o", "engine.kind=modern_ebpf", "-o", "log_level=debug", "-o"])
        .arg(format!("peregrine.scope=tree:{}", watched.id()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut log = BufReader::new(falco.stderr.take().expect("piped")).lines().map(|line| line.expect("UTF-8"));
    let mut said: Vec<String> = Vec::new();
    while !said.last().is_some_and(|line| line.ends_with("Opened event source 'syscall'")) {
        said.push(log.next().unwrap_or_else(|| panic!("it ended: {said:#?}")));
    }
    assert!(said.iter().any(|line| line.ends_with("Opening 'syscall' source with modern BPF probe.")), "{said:#?}");
    let mut stdin = watched.stdin.take().expect("piped");
    stdin.write_all(b"go\n").expect("it listens");
    let mut out = BufReader::new(falco.stdout.take().expect("piped")).lines().map(|line| line.expect("UTF-8"));
    let alert = out.next().expect("an alert");
    assert!(alert.ends_with(": Informational by sh"), "{alert}");
    let pid = rustix::process::Pid::from_child(&falco);
    // A reload goes on with what was counted.
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("it is there");
    let restarting = log.by_ref().any(|line| line.ends_with(": SIGHUP received, restarting..."));
    assert!(restarting && log.by_ref().any(|line| line.ends_with(": Loading rules from:")));
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it is there");
    let figures: Vec<String> = out.collect();
    assert_eq!(figures[..2], ["Events detected: 1", "Rule counts by severity:"]);
    assert_eq!(figures[2..], ["   INFO: 1", "Triggered rules by rule name:", "   mine: 1"]);
    assert!(log.by_ref().any(|line| line.ends_with(": SIGINT received, exiting...")));
    assert!(falco.wait().expect("its end").success(), "{:#?}", log.collect::<Vec<_>>());
    drop(stdin);
    watched.wait().expect("its end");
}

#[test]
fn included_files_merge_by_strategy() {
    let stage = Stage::new();
    let rules = stage.path("rules.yaml").display().to_string();
    let main = "stdout_output: {enabled: true}\nlog_stderr: true\nlog_syslog: false\nengine: {kind: nodriver}\npriority: ${LEVEL}\nappend_output: [{extra_output: a}]\nwebserver: {enabled: false, listen_port: 1}\n";
    stage.write("d/2.yaml", "append_output: [{extra_output: c}]\n");
    stage.write("d/1.yaml", "append_output: [{extra_output: b}]\nwebserver: {threadiness: 4}\n");
    stage.write("over.yaml", "append_output: [{extra_output: z}]\n");
    stage.write("add.yaml", "priority: alert\njson_output: true\n");
    let dump = |includes: &str| {
        stage.write("m.yaml", &format!("{main}config_files: {includes}\n"));
        let path = stage.path("m.yaml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_peregrine"));
        let run = ran(command.args(["falco", "-c"]).arg(&path).args(["--support", "-r", &rules]).env("LEVEL", "error"));
        serde_json::from_str::<Value>(&run.out).map(|o| o["config"].as_str().unwrap().to_owned()).unwrap_or(run.err)
    };
    let at = |name: &str| stage.path(name).display().to_string();
    let merged = dump(&format!("[{}]", at("d")));
    assert!(merged.contains(r#"[{"extra_output": "a"}, {"extra_output": "b"}, {"extra_output": "c"}]"#), "{merged}");
    assert!(
        merged.contains(r#""webserver": {"threadiness": "4"}"#) && merged.contains(r#""priority": "error""#),
        "{merged}"
    );
    let merged = dump(&format!("[{{path: {}, strategy: override}}]", at("over.yaml")));
    assert!(merged.contains(r#""append_output": [{"extra_output": "z"}]"#), "{merged}");
    let merged = dump(&format!("[{{path: {}, strategy: add-only}}, /absent.yaml]", at("add.yaml")));
    assert!(merged.contains(r#""priority": "error""#) && merged.contains(r#""json_output": "true""#), "{merged}");
    let recursive = dump(&format!("[{}]", at("m.yaml")));
    assert!(
        recursive.contains("'config_files' directive tried to recursively include main config file"),
        "{recursive}"
    );
    stage.write("over.yaml", "config_files: []\n");
    let nested = dump(&format!("[{}]", at("over.yaml")));
    assert!(nested.contains("'config_files' directive in included config file"), "{nested}");
}

#[test]
fn check_validates_configurations() {
    let stage = Stage::new();
    let good = stage.path("falco.yaml");
    let bad = stage.write(
        "bad.yaml",
        "json_output: true\nwebserver:\n  listen_prot: 1\nappend_output:\n  - {suggested_output: maybe}\n",
    );
    let check = |path: &Path, more: &[&str]| {
        ran(Command::new(env!("CARGO_BIN_EXE_peregrine")).args(["check", "-c"]).arg(path).args(more))
    };
    let ok = check(&good, &[]);
    assert_eq!((ok.code, ok.out), (0, format!("{}: Ok\n", good.display())));
    let wrong = check(&bad, &[]);
    assert_eq!(wrong.code, 1);
    assert!(
        wrong.err.contains(&format!("{}:5:24: append_output: \"maybe\" is neither true nor false", bad.display())),
        "{}",
        wrong.err
    );
    let odd = stage.write("odd.yaml", "json_output: true\nwebserver:\n  listen_prot: 1\n");
    let odd = check(&odd, &["--json"]);
    let object: Value = serde_json::from_str(&odd.out).expect("an object");
    let fault = &object["config_results"][0]["faults"][0];
    assert_eq!((fault["line"].as_u64(), fault["column"].as_u64(), odd.code), (Some(3), Some(3), 0));
    assert_eq!(
        fault["message"],
        "unknown configuration key webserver.listen_prot; did you mean webserver.listen_port?"
    );
    let schema = ran(Command::new(env!("CARGO_BIN_EXE_peregrine")).args(["check", "--config-schema"]));
    assert_eq!(schema.out, falco(&["--config-schema"]).out);
}
