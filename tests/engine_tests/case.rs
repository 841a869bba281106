//! One of upstream's tests: its options as our command line, and running it.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why a test is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It is about another program: the artifact or driver tool.
    OtherProgram,
    /// Its events or its listing come from a plugin.
    Plugin,
    /// The help and listing options of another command line.
    CommandLine,
    /// Metrics, web server, or running without events until it is stopped.
    MetricsAndLive,
    /// Outputs other than standard output.
    Outputs,
    /// It asks for simulated drops and for what is then said.
    SimulatedDrops,
    /// Its capture is not there.
    NoCapture,
}

/// A test that is covered.
pub struct Case {
    test: Value,
    /// Arguments of the program.
    args: Vec<String>,
    env: BTreeMap<String, String>,
    /// The lines that standard output is compared to.
    pub output: Option<PathBuf>,
}

/// What came of it.
pub struct Ran {
    /// Exit code.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// Whether standard output is JSON.
    pub is_json: bool,
    /// Alerts of a replay.
    pub alerts: Vec<Value>,
    /// One of `falco_load_results` a file, of a validation.
    pub results: Vec<Value>,
}

/// Parts of an option or a path of a file by which a test is left out.
const LEFT_OUT: &[(&str, LeftOut)] = &[
    ("tests/falcoctl/", LeftOut::OtherProgram),
    ("tests/falcodriverloader/", LeftOut::OtherProgram),
    ("tests/k8saudit/", LeftOut::Plugin),
    ("--list-plugins", LeftOut::Plugin),
    ("--plugin-info", LeftOut::Plugin),
    ("Args(\"-l\")", LeftOut::CommandLine),
    ("Args(tc.args...)", LeftOut::CommandLine),
    ("PrometheusMetrics", LeftOut::MetricsAndLive),
    ("configs.MetricsEnabled", LeftOut::MetricsAndLive),
    ("engine.kind=nodriver", LeftOut::MetricsAndLive),
    ("configs.FileOutput", LeftOut::Outputs),
    ("configs.ProgramOutput", LeftOut::Outputs),
    ("configs.DropsLog", LeftOut::SimulatedDrops),
    ("configs.DropsAlert", LeftOut::SimulatedDrops),
    ("configs.DropsExit", LeftOut::SimulatedDrops),
    ("configs.DropsIgnore)", LeftOut::SimulatedDrops),
];

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
    /// The test as a command line.
    ///
    /// # Errors
    /// Why it is left out.
    pub fn read(test: &Value, corpus: &Path) -> Result<Self, LeftOut> {
        let parts = || texts(&test["options"]).chain(test["file"].as_str());
        if let Some((_, reason)) = LEFT_OUT.iter().find(|(part, _)| parts().any(|text| text.contains(part))) {
            return Err(*reason);
        }
        let mut case = Self { test: test.clone(), args: Vec::new(), env: BTreeMap::new(), output: None };
        let outputs = test["refs"].as_object().expect("a map").keys().find(|key| key.starts_with("outputs."));
        case.output = outputs.map(|key| case.file(key, corpus));
        if texts(&test["options"]).any(|option| option.starts_with("RulesValidation(")) {
            case.args = vec!["check".into(), "--json".into()];
        } else {
            case.args = vec!["replay".into(), capture(test, corpus).ok_or(LeftOut::NoCapture)?];
        }
        texts(&test["options"]).for_each(|option| case.option(option, corpus));
        Ok(case)
    }

    fn file(&self, key: &str, corpus: &Path) -> PathBuf {
        let name = self.test["refs"][key].as_str().unwrap_or_else(|| panic!("{}: no file {key}", self.name()));
        corpus.join(name)
    }

    fn option(&mut self, option: &str, corpus: &Path) {
        let (name, inner) = call(option);
        let files: Vec<String> = match name {
            "Rules" | "RulesValidation" | "Config" => {
                inner.split(',').map(|key| self.file(key.trim(), corpus).to_string_lossy().into_owned()).collect()
            }
            _ => Vec::new(),
        };
        let replay = self.is_replay();
        let mut add = |more: Vec<String>| self.args.extend(more);
        match name {
            "Rules" => files.into_iter().for_each(|file| add(vec!["-r".into(), file])),
            "RulesValidation" => add(files),
            "Config" => files.into_iter().for_each(|file| add(vec!["-c".into(), file])),
            "OutputJSON" if replay => add(vec!["--json".into()]),
            // A validation's result is JSON anyhow, the capture is known, and we look at all events always.
            "OutputJSON" | "CaptureFile" | "AllEvents" => {}
            // `-t`: none but those with a tag.
            "EnabledTags" => {
                add(vec!["-o".into(), "rules[].disable.rule=*".into()]);
                quoted(inner).for_each(|tag| add(vec!["-o".into(), format!("rules[].enable.tag={tag}")]));
            }
            // `-T`: those with a tag not.
            "DisabledTags" => {
                quoted(inner).for_each(|tag| add(vec!["-o".into(), format!("rules[].disable.tag={tag}")]));
            }
            "Args" if inner.starts_with("\"-o\"") => add(quoted(inner).collect()),
            "EnvVars" => {
                let words: Vec<String> = quoted(inner).collect();
                self.env.extend(words.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())));
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
        self.args[0] == "replay"
    }

    /// Codes of errors and warnings that it must have.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        texts(&self.test["expect"]["codes"])
    }

    /// Rules that must raise nothing.
    pub fn silent_rules(&self) -> BTreeSet<&str> {
        let counts = self.test["expect"]["rule_counts"].as_array().expect("a list");
        counts.iter().filter(|count| count[0] == 0).map(|count| count[1].as_str().expect("a rule")).collect()
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

    /// Runs the program.
    pub fn run(&self) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peregrine"));
        let output = command.args(&self.args).env("TZ", "UTC").envs(&self.env).output().expect("the program starts");
        let code = output.status.code().unwrap_or_else(|| panic!("{}: ended by a signal", self.name()));
        let stdout = String::from_utf8(output.stdout).expect("standard output is UTF-8");
        let stderr = String::from_utf8(output.stderr).expect("standard error is UTF-8");
        let is_json = self.args.iter().any(|arg| arg == "--json");
        let mut objects: Vec<Value> = Vec::new();
        if is_json {
            objects = stdout.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
        }
        let (mut alerts, mut results) = (Vec::new(), Vec::new());
        if self.is_replay() {
            alerts = objects;
        } else {
            assert_eq!(objects.len(), 1, "{}: {stderr}", self.name());
            results = objects[0]["falco_load_results"].as_array().expect("results").clone();
        }
        Ran { code, stdout, stderr, is_json, alerts, results }
    }
}

/// The capture's path, by the name of the file, if it is there.
fn capture(test: &Value, corpus: &Path) -> Option<String> {
    let captures = test["captures"].as_object().expect("a map");
    let name = Path::new(captures.values().next()?.as_str()?).file_name()?.to_str()?;
    let path = corpus.join(format!("captures/falcosecurity_falco__{name}"));
    path.exists().then(|| path.to_string_lossy().into_owned())
}
