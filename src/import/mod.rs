//! Looking at an existing Falco's configuration: what works here as it is, what has no effect, what is better done
//! otherwise, what does not work; and a `peregrine.yaml` that does the same.

mod report;
mod rules;
mod service;
mod write;

pub use report::{Finding, Report, Verdict};

use crate::config::{
    self, Config, Dialect, DropAction, EngineKind, Fault, KEYS, Loaded, Node, Place, Relocation, Weight,
};
use crate::failure::Failure;
use crate::falco::options::{self, Options};
use service::Service;
use std::path::Path;

/// Where Falco's configuration is, and so what paths in it begin with.
const HOME: &str = "/etc/falco";

/// An examined configuration.
pub struct Import {
    /// What was found.
    pub report: Report,
    loaded: Option<Loaded>,
}

/// Examines a directory.
///
/// # Errors
/// When there is no `falco.yaml` in it.
pub fn examine(directory: &Path) -> Result<Import, Failure> {
    let main = directory.join("falco.yaml");
    if !main.is_file() {
        let text = format!("{} is not there: name Falco's configuration directory, as /etc/falco", main.display());
        return Err(Failure::Input(anyhow::anyhow!(text)));
    }
    let mut report = Report { directory: directory.to_string_lossy().into_owned(), ..Report::default() };
    let service = service::read(directory);
    let options = command_lines(&service, &mut report);
    variables(&service, &mut report);
    let relocation = Relocation { from: HOME.into(), to: directory.to_owned() };
    let loaded = config::load_relocated(Dialect::Falco, Some(&main), &options.overrides, Some(&relocation));
    let mut loaded = match loaded {
        Ok(loaded) => loaded,
        Err(fault) => {
            report.add(Verdict::Broken, "falco.yaml", &fault.place, format!("{}{}", named(&fault), fault.message));
            return Ok(Import { report, loaded: None });
        }
    };
    keys(&loaded, &mut report);
    loaded.warnings.iter().for_each(|fault| warning(fault, &mut report));
    advice(&loaded, &mut report);
    plugins(&loaded.config, &loaded.tree, &mut report);
    if !options.rules.is_empty() {
        loaded.config.rules_files.clone_from(&options.rules);
    }
    rules::examine(&loaded.config, &relocation, &mut report);
    neighbours(directory, &mut report);
    Ok(Import { report, loaded: Some(loaded) })
}

impl Import {
    /// A `peregrine.yaml` that does the same; none where the configuration cannot be read.
    pub fn configuration(&self) -> Option<String> {
        self.loaded.as_ref().map(write::configuration)
    }
}

fn named(fault: &Fault) -> String {
    if fault.key.is_empty() { String::new() } else { format!("{}: ", fault.key) }
}

/// What the service's command lines say; of several units, all together.
fn command_lines(service: &Service, report: &mut Report) -> Options {
    let mut all = Options::default();
    for said in &service.commands {
        let place = Place::file(&said.file);
        let mut arguments = said.what.clone();
        // What is gone is told of, one after the other, and the rest read.
        while let Some(at) = arguments.iter().position(|a| options::removed(a).is_some()) {
            let gone = arguments.remove(at);
            let (takes_value, advice) = options::removed(&gone).unwrap_or_default();
            if takes_value && at < arguments.len() && !arguments[at].starts_with('-') {
                arguments.remove(at);
            }
            report.add(Verdict::Broken, gone, &place, format!("Falco 0.44 has no such option; {advice}"));
        }
        match options::parse(&arguments) {
            Err(error) => report.add(Verdict::Broken, arguments.join(" "), &place, error),
            Ok(options) => {
                for option in &options.overrides {
                    report.add(Verdict::Works, format!("-o {option}"), &place, "");
                }
                all.overrides.extend(options.overrides);
                all.rules.extend(options.rules);
            }
        }
    }
    all
}

/// Variables of the environment that Falco or its packages read.
const VARIABLES: &[(&str, Verdict, &str)] = &[
    ("FALCO_HOSTNAME", Verdict::Works, ""),
    ("HOST_ROOT", Verdict::Ignored, "the host's files are reached through its mount namespace; run with its /proc"),
    ("FALCO_CGROUP_MEM_PATH", Verdict::Ignored, "the cgroup's memory is found by itself"),
    ("SKIP_DRIVER_LOADER", Verdict::Ignored, "there is no driver to load: the BPF programs are built in"),
    ("FALCO_DRIVER_CHOICE", Verdict::Ignored, "there is no driver to choose: the BPF programs are built in"),
    ("FALCO_BPF_PROBE", Verdict::Ignored, "there is no probe to load: the BPF programs are built in"),
    ("FALCO_FRONTEND", Verdict::Ignored, "it is the package's, for choosing a driver"),
    ("FALCOCTL_ENABLED", Verdict::Works, ""),
];

fn variables(service: &Service, report: &mut Report) {
    for said in &service.variables {
        let (name, _) = &said.what;
        if let Some((_, verdict, message)) = VARIABLES.iter().find(|(known, ..)| known == name) {
            report.add(*verdict, format!("${name}"), &Place::file(&said.file), *message);
        }
    }
}

/// Every key that is set.
fn keys(loaded: &Loaded, report: &mut Report) {
    for row in KEYS {
        let Some((node, place)) = find(&loaded.tree, row.path) else { continue };
        if loaded.without_effect.contains(&row.path) {
            report.add(Verdict::Ignored, row.path, place, "it is read, but nothing acts on it yet");
        } else if is_otherwise(row, node) {
            report.add(Verdict::Better, row.path, place, row.differs);
        } else {
            report.add(Verdict::Works, row.path, place, "");
        }
    }
}

/// The value of a key and where the key stands.
fn find<'t>(tree: &'t Node, path: &str) -> Option<(&'t Node, &'t Place)> {
    let mut at = (tree, &tree.place);
    for name in path.split('.') {
        let entry = at.0.entries().iter().find(|entry| entry.key == name)?;
        at = (&entry.value, &entry.place);
    }
    Some(at)
}

/// Whether a key is set to something that is otherwise here; engine and plugins have their own findings.
fn is_otherwise(row: &config::Key, node: &Node) -> bool {
    let told_apart = matches!(row.path, "engine.kind" | "plugins");
    let is = |text: &str| Node::parse(text, "").is_ok_and(|value| value == *node);
    !row.differs.is_empty() && !told_apart && !is(row.falco.unwrap_or(row.default)) && !is("false")
}

fn warning(fault: &Fault, report: &mut Report) {
    let verdict = match fault.weight {
        Weight::Mistyped => Verdict::Better,
        Weight::Warning | Weight::Fatal => Verdict::Ignored,
    };
    let subject = if fault.key.is_empty() { "configuration" } else { &fault.key };
    report.add(verdict, subject, &fault.place, &fault.message);
}

/// What works, but is better done otherwise.
fn advice(loaded: &Loaded, report: &mut Report) {
    let config = &loaded.config;
    let rows: [(bool, &str, &str); 8] = [
        (
            config.engine == EngineKind::Kmod,
            "engine.kind",
            "there is no kernel module to build, sign and load: write modern_ebpf",
        ),
        (
            config.drops.actions.is_empty() || config.drops.actions == [DropAction::Ignore],
            "syscall_event_drops.actions",
            "gaps in what is seen pass in silence: write [log, alert]",
        ),
        (
            !config.base_syscalls.custom_set.is_empty() || config.base_syscalls.repair,
            "base_syscalls",
            "leave it out: the kernel programs are asked for what the loaded rules can match and the state needs, and for no more",
        ),
        (
            config.program.enabled && !config.program.keep_alive,
            "program_output.keep_alive",
            "a program is started for each alert; with true one program reads them all",
        ),
        (
            config.file.enabled && !config.file.keep_alive,
            "file_output.keep_alive",
            "the file is opened for each alert; with true it stays open, and SIGUSR1 reopens it after a rotation",
        ),
        (
            config.http.enabled && config.http.url.starts_with("http:") && !is_local(&config.http.url),
            "http_output.url",
            "alerts leave this machine in the clear: use https, or a receiver on this machine",
        ),
        (
            config.http.enabled && config.http.insecure,
            "http_output.insecure",
            "whoever answers gets the alerts: give the authority's certificate in ca_cert",
        ),
        (
            config.http.enabled && !config.http.keep_alive,
            "http_output.keep_alive",
            "a connection is made for each alert; true keeps it",
        ),
    ];
    for (applies, key, message) in rows {
        if applies {
            let place = find(&loaded.tree, key).map_or_else(Place::default, |(_, place)| place.clone());
            report.add(Verdict::Better, key, &place, message);
        }
    }
    if config.http.enabled && (config.http.url.contains("sidekick") || config.http.url.contains(":2801")) {
        report.add(Verdict::Works, "falcosidekick", &Place::default(), "");
    }
}

fn is_local(url: &str) -> bool {
    ["http://127.", "http://localhost", "http://[::1]"].iter().any(|local| url.starts_with(local))
}

/// Sources of well-known plugins, for saying what is lost.
const SOURCES: &[(&str, &str)] = &[
    ("k8saudit", "k8s_audit"),
    ("k8saudit-eks", "k8s_audit"),
    ("k8saudit-gke", "k8s_audit"),
    ("k8saudit-aks", "k8s_audit"),
    ("k8saudit-ovh", "k8s_audit"),
    ("cloudtrail", "aws_cloudtrail"),
    ("okta", "okta"),
    ("github", "github"),
    ("gcpaudit", "gcp_auditlog"),
    ("kafka", "kafka"),
    ("keycloak", "keycloak"),
];

fn plugins(config: &Config, tree: &Node, report: &mut Report) {
    let place = find(tree, "plugins").map_or_else(Place::default, |(_, place)| place.clone());
    for plugin in config.plugins_to_load() {
        let subject = format!("plugin {}", plugin.name);
        if plugin.name == "container" {
            let message = "container fields are built in; of the plugin's own settings its engines are taken over";
            report.add(Verdict::Better, subject, &place, message);
            continue;
        }
        let lost = SOURCES.iter().find(|(name, _)| *name == plugin.name);
        let lost = lost.map(|(_, source)| format!(": rules of the source {source} raise nothing")).unwrap_or_default();
        report.add(Verdict::Broken, subject, &place, format!("plugins are not loaded yet{lost}"));
    }
}

/// What stands beside the configuration.
fn neighbours(directory: &Path, report: &mut Report) {
    let falcoctl = directory.with_file_name("falcoctl").join("falcoctl.yaml");
    if falcoctl.is_file() {
        let message = "falcoctl goes on updating the rules files; those it changes are loaded anew while watch_config_files is on";
        report.add(Verdict::Works, "falcoctl", &Place::file(&falcoctl), message);
    }
}
