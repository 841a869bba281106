//! One of upstream's tests: its options as Falco's command line, and running it.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A test that is covered.
pub struct Case {
    test: Value,
    /// Falco's arguments; of a test that runs the program more than once, each.
    runs: Vec<Vec<String>>,
    env: BTreeMap<String, String>,
    /// The lines that standard output is compared to.
    pub output: Option<PathBuf>,
    /// What is done meanwhile.
    meanwhile: Option<Meanwhile>,
}

/// What a test does while the program runs.
#[derive(Debug, Clone)]
enum Meanwhile {
    /// It asks the web server at a port for its metrics.
    Ask(u16),
    /// It writes this file anew.
    Write(PathBuf),
}

/// The configuration whose file is changed. What is logged when all is set up shows that it is watched.
const HOT_RELOAD: &str = "watch_config_files: true\nlog_level: debug\n";
/// What `StopAfter` becomes: what is waited for takes less, and the test's own five seconds would only be longer.
const STOP_AFTER: &str = "2";

/// What came of it.
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// Standard output, up to the closing figures.
    pub lines: Vec<String>,
    pub stdout: String,
    pub stderr: String,
    /// Whether standard output is JSON.
    pub is_json: bool,
    /// Alerts of a replay.
    pub alerts: Vec<Value>,
    /// One of `falco_load_results` a file, of a validation.
    pub results: Vec<Value>,
    /// What was answered meanwhile.
    pub answer: String,
}

/// Parts of an option or a path of a file by which a test is left out, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("tests/falcoctl/", "it is about falcoctl"),
    ("tests/falcodriverloader/", "it is about the loader of drivers"),
    ("tests/k8saudit/", "its events come from a plugin, and plugins are not loaded yet"),
];

/// What stands in place of the configuration that Falco's package installs.
const CONFIG: &str = "\
engine: {kind: modern_ebpf}
stdout_output: {enabled: true}
log_stderr: true
load_plugins: []
plugins:
  - {name: container, library_path: libcontainer.so, init_config: {label_max_len: 100, with_size: false}}
";

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text"))
}

/// The texts between quotation marks.
fn quoted(option: &str) -> impl Iterator<Item = String> {
    option.split('"').skip(1).step_by(2).map(str::to_owned)
}

/// Name and inner part of `Name(inner)`.
fn call(option: &str) -> (&str, &str) {
    let (name, rest) = option.split_once('(').unwrap_or_else(|| panic!("not understood: {option}"));
    (name, rest.strip_suffix(')').unwrap_or_else(|| panic!("not understood: {option}")))
}

impl Case {
    /// The test as command lines.
    ///
    /// # Errors
    /// Why it is left out.
    pub fn read(test: &Value, corpus: &Path) -> Result<Self, &'static str> {
        let parts = || texts(&test["options"]).chain(test["file"].as_str());
        if let Some((_, reason)) = LEFT_OUT.iter().find(|(part, _)| parts().any(|text| text.contains(part))) {
            return Err(*reason);
        }
        let mut case =
            Self { test: test.clone(), runs: Vec::new(), env: BTreeMap::new(), output: None, meanwhile: None };
        let outputs = test["refs"].as_object().expect("a map").keys().find(|key| key.starts_with("outputs."));
        case.output = outputs.map(|key| case.file(key, corpus));
        let capture = match texts(&test["options"]).any(|option| option.starts_with("CaptureFile(")) {
            true => Some(capture(test, corpus).ok_or("its capture is not there")?),
            false => None,
        };
        let options: Vec<&str> = texts(&test["options"]).collect();
        // An option that comes again begins another run.
        let again = options.iter().position(|option| option.starts_with("Rules(") && Some(option) == options.first());
        let split = options.iter().enumerate().skip(1).find(|(_, o)| again.is_some() && Some(*o) == options.first());
        let parts = match split {
            Some((at, _)) => vec![&options[..at], &options[at..]],
            None => vec![&options[..]],
        };
        for part in parts {
            let run = case.arguments(part, capture.as_deref(), corpus);
            case.runs.push(run);
        }
        // The help's test loops over both of its options.
        if case.name().ends_with("_Help") {
            case.runs = vec![vec!["-h".into()], vec!["--help".into()]];
        }
        Ok(case)
    }

    /// The file that the test has alerts written to.
    pub fn written(&self) -> String {
        format!("{}/engine_tests_{}", env!("CARGO_TARGET_TMPDIR"), self.name())
    }

    fn file(&self, key: &str, corpus: &Path) -> PathBuf {
        let name = self.test["refs"][key].as_str().unwrap_or_else(|| panic!("{}: no file {key}", self.name()));
        corpus.join(name)
    }

    /// Falco's arguments: the configuration, what upstream's harness adds, and the options.
    fn arguments(&mut self, options: &[&str], capture: Option<&str>, corpus: &Path) -> Vec<String> {
        let config = options.iter().find_map(|option| option.strip_prefix("Config(")?.strip_suffix(')'));
        let config = match config {
            None => installed(),
            Some("hotReloadCfg") => {
                let path = tmp("engine_tests_hot_reload.yaml");
                std::fs::write(&path, format!("{CONFIG}{HOT_RELOAD}")).expect("a configuration");
                self.meanwhile = Some(Meanwhile::Write(path.clone()));
                path
            }
            Some(key) => self.file(key, corpus),
        };
        let mut args: Vec<String> = vec!["-c".into(), config.to_string_lossy().into_owned()];
        for fixed in ["stdout_output.enabled=true", "log_syslog=false"] {
            args.extend(["-o".into(), fixed.into()]);
        }
        if let Some(capture) = capture {
            args.extend(["-o".into(), "engine.kind=replay".into()]);
            args.extend(["-o".into(), format!("engine.replay.capture_file={capture}")]);
        }
        options.iter().for_each(|option| args.extend(self.option(option, corpus)));
        args
    }

    fn option(&mut self, option: &str, corpus: &Path) -> Vec<String> {
        let (name, inner) = call(option);
        let files = || inner.split(',').map(|key| self.file(key.trim(), corpus).to_string_lossy().into_owned());
        let each = |flag: &str, values: &mut dyn Iterator<Item = String>| -> Vec<String> {
            values.flat_map(|value| [flag.to_owned(), value]).collect()
        };
        match name {
            "Rules" => each("-r", &mut files()),
            "RulesValidation" => each("-V", &mut files()),
            "OutputJSON" => vec!["-o".into(), "json_output=true".into()],
            "AllEvents" => vec!["-o".into(), "base_syscalls.all=true".into()],
            // Both are put before the others.
            "Config" | "CaptureFile" => Vec::new(),
            // `-t`: none but those with a tag.
            "EnabledTags" => {
                let tags = quoted(inner).map(|tag| format!("rules[].enable.tag={tag}"));
                each("-o", &mut std::iter::once("rules[].disable.rule=*".into()).chain(tags))
            }
            // `-T`: those with a tag not.
            "DisabledTags" => each("-o", &mut quoted(inner).map(|tag| format!("rules[].disable.tag={tag}"))),
            "Args" if inner == "tc.args..." => Vec::new(),
            "StopAfter" => vec!["-M".into(), STOP_AFTER.into()],
            "PrometheusMetrics" => {
                let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
                let port = free.expect("a port").port();
                self.meanwhile = Some(Meanwhile::Ask(port));
                let port = format!("webserver.listen_port={port}");
                let settings = ["metrics.enabled=true", "webserver.enabled=true", &port].map(str::to_owned);
                let serve = ["webserver.prometheus_metrics_enabled=true", "webserver.listen_address=127.0.0.1"];
                each("-o", &mut settings.into_iter().chain(serve.map(str::to_owned)))
            }
            "Args" => {
                let mut words: Vec<String> = quoted(inner).collect();
                if inner.ends_with("+outFilePath") {
                    words.iter_mut().rfind(|word| word.ends_with('=')).expect("a path's key").push_str(&self.written());
                }
                words
            }
            "EnvVars" => {
                let words: Vec<String> = quoted(inner).collect();
                self.env.extend(words.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())));
                Vec::new()
            }
            _ => panic!("{}: the option {option} is not understood", self.name()),
        }
    }

    /// The test's name.
    pub fn name(&self) -> &str {
        self.test["test"].as_str().expect("a name")
    }

    /// Whether a capture is replayed.
    pub fn is_replay(&self) -> bool {
        self.runs.iter().flatten().any(|arg| arg == "engine.kind=replay")
    }

    /// Codes of errors and warnings that it must have.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        texts(&self.test["expect"]["codes"])
    }

    /// Rules that must raise nothing.
    pub fn silent_rules(&self) -> BTreeSet<&str> {
        let counts = self.test["expect"]["rule_counts"].as_array().expect("a list").iter();
        counts.filter(|count| count[0] == 0).map(|count| count[1].as_str().expect("a rule")).collect()
    }

    /// All assertions; those that are only told as expected counts and exit code too.
    pub fn assertions(&self) -> BTreeSet<String> {
        let expect = &self.test["expect"];
        let counts = expect["rule_counts"].as_array().expect("a list").iter();
        let counts =
            counts.map(|count| format!("Equal(t, {}, res.Detections().OfRule({}).Count())", count[0], count[1]));
        let exit = expect["exit"].as_i64().map(|code| format!("Equal(t, {code}, res.ExitCode())"));
        texts(&self.test["asserts"]).map(str::to_owned).chain(counts).chain(exit).collect()
    }

    /// Runs the program, each time that the test does.
    pub fn run(&self) -> Vec<Ran> {
        // What an earlier run of this test left would be appended to.
        let _ = std::fs::remove_file(self.written());
        self.runs.iter().map(|args| self.run_with(args)).collect()
    }

    fn run_with(&self, args: &[String]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peregrine"));
        let command = command.arg("falco").args(args).env("TZ", "UTC").env_remove("FALCO_HOSTNAME").envs(&self.env);
        let (output, answer) = match &self.meanwhile {
            None => (command.output().expect("the program starts"), String::new()),
            Some(meanwhile) => meanwhile.during(command),
        };
        let code = output.status.code().unwrap_or_else(|| panic!("{}: ended by a signal", self.name()));
        let stdout = String::from_utf8(output.stdout).expect("standard output is UTF-8");
        let stderr = String::from_utf8(output.stderr).expect("standard error is UTF-8");
        let is_json = args.iter().any(|arg| arg == "json_output=true");
        let lines: Vec<String> =
            stdout.lines().take_while(|line| !line.starts_with("Events detected: ")).map(str::to_owned).collect();
        if self.is_replay() && code == 0 {
            assert!(stdout.contains("\nTriggered rules by rule name:\n"), "{}: no closing figures", self.name());
        }
        let mut objects: Vec<Value> = Vec::new();
        if is_json && !args.iter().any(|arg| arg == "-l") {
            let object = |line: &String| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            objects = lines.iter().map(object).collect();
        }
        let (mut alerts, mut results) = (Vec::new(), Vec::new());
        if self.is_replay() {
            alerts = objects;
        } else if args.iter().any(|arg| arg == "-V") {
            assert_eq!(objects.len(), 1, "{}: {stderr}", self.name());
            results = objects[0]["falco_load_results"].as_array().expect("results").clone();
        }
        Ran { code, lines, stdout, stderr, is_json, alerts, results, answer }
    }
}

impl Meanwhile {
    /// Runs the program and does it once the program is ready; what was answered.
    fn during(&self, command: &mut Command) -> (Output, String) {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut said = BufReader::new(child.stderr.take().expect("piped"));
        let ready = match self {
            Self::Ask(_) => "web server: listening",
            Self::Write(_) => "Opened event source",
        };
        let mut stderr = String::new();
        while !stderr.contains(ready) {
            assert_ne!(said.read_line(&mut stderr).expect("UTF-8"), 0, "not ready: {stderr}");
        }
        let answer = match self {
            Self::Ask(port) => page(*port),
            Self::Write(path) => {
                std::fs::write(path, format!("{CONFIG}{HOT_RELOAD}json_output: true\n")).expect("it can be written");
                String::new()
            }
        };
        said.read_to_string(&mut stderr).expect("UTF-8");
        let output = child.wait_with_output().expect("it ends");
        (Output { stderr: stderr.into_bytes(), ..output }, answer)
    }
}

/// The page of metrics, as soon as it says something.
fn page(port: u16) -> String {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        // Nothing was published yet.
        if !body.is_empty() {
            return body.to_owned();
        }
        assert!(Instant::now() < until, "the page stays empty");
    }
}

fn tmp(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The configuration that is there when a test names none.
fn installed() -> PathBuf {
    let path = tmp("engine_tests_falco.yaml");
    std::fs::write(&path, CONFIG).expect("a configuration");
    path
}

/// The capture's path, by the name of the file, if it is there.
fn capture(test: &Value, corpus: &Path) -> Option<String> {
    let captures = test["captures"].as_object().expect("a map");
    let name = Path::new(captures.values().next()?.as_str()?).file_name()?.to_str()?;
    let path = corpus.join(format!("captures/falcosecurity_falco__{name}"));
    path.exists().then(|| path.to_string_lossy().into_owned())
}
