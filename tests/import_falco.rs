//! `peregrine import-falco` over directories as packages, charts and people leave them.

use peregrine::config::{Config, Dialect, load, load_relocated};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A root directory with files below it.
fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }
    root
}

struct Ran {
    code: i32,
    out: String,
    err: String,
    object: Value,
}

fn import(directory: &Path, arguments: &[&str]) -> Ran {
    let program = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peregrine"));
        command.arg("import-falco").arg(directory);
        command
    };
    let json = program().arg("--json").output().expect("the program starts");
    let run = program().args(arguments).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let object = serde_json::from_slice(&json.stdout).unwrap_or(Value::Null);
    assert_eq!(json.status.code(), run.status.code());
    Ran { code: run.status.code().expect("no signal"), out: text(run.stdout), err: text(run.stderr), object }
}

impl Ran {
    /// Subjects of a verdict.
    fn subjects(&self, verdict: &str) -> Vec<&str> {
        let findings = self.object[verdict].as_array().expect("a list").iter();
        findings.map(|finding| finding["subject"].as_str().expect("a text")).collect()
    }

    fn message(&self, verdict: &str, subject: &str) -> &str {
        let mut findings = self.object[verdict].as_array().expect("a list").iter();
        let finding = findings.find(|finding| finding["subject"] == subject);
        finding.unwrap_or_else(|| panic!("{verdict} has no {subject}: {}", self.out))["message"]
            .as_str()
            .expect("a text")
    }
}

const RULE: &str =
    "- rule: opened\n  desc: d\n  condition: evt.type = openat\n  output: opened %fd.name\n  priority: INFO\n";

/// As a package installs it, with what a person then does to it.
fn packaged() -> tempfile::TempDir {
    root(&[
        (
            "etc/falco/falco.yaml",
            "config_files: [/etc/falco/config.d]\nrules_files:\n  - /etc/falco/falco_rules.yaml\n  - /etc/falco/falco_rules.local.yaml\n  - /etc/falco/rules.d\n\
             engine: {kind: kmod, kmod: {buf_size_preset: 6}}\nload_plugins: []\nplugins:\n  - {name: container, library_path: libcontainer.so, init_config: {label_max_len: 100}}\n\
             json_output: true\nstdout_output: {enabled: true}\nsyslog_output: {enabled: true}\n\
             http_output: {enabled: true, url: http://falcosidekick:2801/}\nbase_syscalls: {repair: true}\ngrpc: {enabled: true}\n\
             webserver: {enabled: true, listen_prot: 1}\nprogram_output:\n  enabled: true\n  program: \"jq '{text: .output}' | curl -d @- https://hooks.example/${TOKEN}\"\n",
        ),
        ("etc/falco/config.d/falco.container_plugin.yaml", "load_plugins: [container]\n"),
        ("etc/falco/falco_rules.yaml", RULE),
        (
            "etc/falco/rules.d/mine.yaml",
            "- rule: audited\n  desc: d\n  condition: ka.verb = create\n  output: o\n  priority: INFO\n  source: k8s_audit\n",
        ),
        ("etc/falcoctl/falcoctl.yaml", "artifact: {}\n"),
        ("usr/lib/systemd/system/falco-kmod.service", "[Service]\nExecStart=/usr/bin/falco -o engine.kind=kmod\n"),
        (
            "etc/systemd/system/falco-kmod.service.d/override.conf",
            "[Service]\nEnvironment=SKIP_DRIVER_LOADER=y\nExecStart=\nExecStart=/usr/bin/falco -A -t network -o engine.kind=kmod -o priority=notice\n",
        ),
    ])
}

#[test]
fn a_packages_directory() {
    let root = packaged();
    let run = import(&root.path().join("etc/falco"), &[]);
    assert_eq!(run.code, 1, "-A and -t are gone: {}", run.out);
    assert_eq!(run.subjects("broken"), ["-A", "-t"]);
    assert!(run.message("broken", "-t").contains("rules[].enable.tag=<tag>"));
    for (verdict, subject, part) in [
        ("ignored", "$SKIP_DRIVER_LOADER", "no driver to load"),
        ("ignored", "/etc/falco/falco_rules.local.yaml", "not there"),
        ("better", "engine.kind", "no kernel module"),
        ("better", "plugin container", "built in"),
        ("better", "base_syscalls", "leave it out"),
        ("better", "program_output.keep_alive", "a program is started for each alert"),
        ("better", "http_output.url", "in the clear"),
    ] {
        assert!(run.message(verdict, subject).contains(part), "{subject}: {}", run.out);
    }
    let ignored = run.subjects("ignored");
    assert!(ignored.iter().any(|subject| subject.ends_with("rules.d/mine.yaml")), "{ignored:?}");
    let messages = run.object["ignored"].to_string();
    assert!(
        messages.contains("the gRPC server is gone") && messages.contains("did you mean webserver.listen_port?"),
        "{messages}"
    );
    for subject in ["json_output", "stdout_output.enabled", "falcosidekick", "falcoctl", "-o priority=notice"] {
        assert!(run.subjects("works").contains(&subject), "{subject}: {}", run.out);
    }
    assert_eq!(run.object["rules"], serde_json::json!({"loaded": 1, "left_out": 1}));
    assert!(
        run.out.contains("\nDoes not work (2):\n") && run.out.contains("Rules: 1 load, 1 are left out."),
        "{}",
        run.out
    );
}

#[test]
fn what_cannot_be_loaded_is_told() {
    let root = root(&[
        (
            "etc/falco/falco.yaml",
            "rules_files: [/etc/falco/a.yaml, /etc/falco/b.yaml]\nstdout_output: {enabled: true}\nplugins:\n  - {name: k8saudit, library_path: libk8saudit.so}\n  - {name: json, library_path: libjson.so}\nload_plugins: [k8saudit, json]\n",
        ),
        ("etc/falco/a.yaml", "- required_plugin_versions: [{name: json, version: 0.7.0}]\n"),
        ("etc/falco/b.yaml", "- rule: r\n  desc: d\n  condition: proc.nmae = x\n  output: o\n  priority: INFO\n"),
    ]);
    let run = import(&root.path().join("etc/falco"), &[]);
    assert_eq!(run.code, 1);
    assert!(run.message("broken", "plugin k8saudit").contains("rules of the source k8s_audit raise nothing"));
    assert!(run.message("broken", "required_plugin_versions").contains("json (>= 0.7.0)"));
    let file = root.path().join("etc/falco/b.yaml").display().to_string();
    assert!(run.message("broken", &file).contains("LOAD_ERR_COMPILE_CONDITION"), "{}", run.out);
}

#[test]
fn a_broken_configuration_and_none() {
    let broken = root(&[("falco.yaml", "rule_matching: some\n")]);
    let run = import(broken.path(), &[]);
    assert_eq!(run.code, 1);
    assert!(run.message("broken", "falco.yaml").contains("must be one of first, all"), "{}", run.out);
    assert_eq!(run.object["broken"][0]["line"], 1);
    let empty = root(&[("other.yaml", "")]);
    let run = import(empty.path(), &[]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("falco.yaml is not there"), "{}", run.err);
}

/// What is written does the same: loaded in our own dialect it is equal to what Falco's reading of the directory gives.
#[test]
fn the_written_configuration_does_the_same() {
    let config = |root: &Path, overrides: &[&str]| -> Config {
        let relocation = peregrine::config::Relocation { from: "/etc/falco".into(), to: root.join("etc/falco") };
        let overrides: Vec<String> = overrides.iter().map(|o| (*o).to_owned()).collect();
        let main = root.join("etc/falco/falco.yaml");
        load_relocated(Dialect::Falco, Some(&main), &overrides, Some(&relocation)).expect("it loads").config
    };
    let same = |root: &Path, overrides: &[&str]| {
        let out: PathBuf = root.join("peregrine.yaml");
        import(&root.join("etc/falco"), &["-o", &out.to_string_lossy()]);
        let written = load(Some(&out), &[]).unwrap_or_else(|e| panic!("{e}"));
        assert!(written.warnings.is_empty(), "{:?}", written.warnings);
        let want = Config {
            // No kernel module is asked for any more, and no plugin.
            engine: peregrine::config::EngineKind::ModernEbpf,
            kmod: written.config.kmod,
            plugins: Vec::new(),
            load_plugins: None,
            ..config(root, overrides)
        };
        assert_eq!(written.config, want, "{}", std::fs::read_to_string(&out).unwrap());
    };
    same(packaged().path(), &["engine.kind=kmod", "priority=notice"]);
    let bare = root(&[(
        "etc/falco/falco.yaml",
        "rules_file: /etc/falco/x.yaml\nstatic_fields: {a b: 'null', c: \"$${X} \\n#\", d: ' '}\n\
        append_output:\n  - match: {source: syscall, tags: [x, 'y: z']}\n    extra_fields: [evt.num, {k: '%evt.num: -'}]\n  - suggested_output: on\n\
        rules: [{disable: {rule: '*'}}, {enable: {tag: t}}]\n",
    )]);
    same(bare.path(), &[]);
}
