//! Rules as Falco loads, validates and describes them.

use super::version::BUILT_IN;
use super::{State, Step, Stop, print};
use crate::config::ConfigFile;
use crate::ruleset::{self, options};
use peregrine_rules::select::{Selection, Which, apply};
use peregrine_rules::{LoadResult, Options, RulesFile, Source, describe, falco};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What was loaded.
pub struct Prepared {
    /// The rules and all that was said of them.
    pub result: LoadResult,
    /// The files, in order.
    pub files: Vec<PathBuf>,
    /// Their digests.
    pub sums: ruleset::Sums,
}

impl Prepared {
    /// The rules to run with; the configuration came from these files.
    pub fn loaded(self, config: &[ConfigFile]) -> ruleset::Loaded {
        let (files, sums) = (self.files.len(), self.sums.with_config(config));
        ruleset::Loaded { rules: self.result.ruleset.rules, files, sums }
    }
}

/// Validates the files of `-V`, or loads the rules to run with and describes them, as the options ask.
pub fn prepare(state: &State) -> Step<Prepared> {
    if !state.options.validate.is_empty() {
        return validate(state).and(Err(Stop::Done));
    }
    load(state)
}

fn is_describing(state: &State) -> bool {
    state.options.describe_all || state.options.describe.is_some()
}

fn compile(state: &State, files: &[RulesFile]) -> Step<LoadResult> {
    let options = Options { definitions: is_describing(state), ..options(&state.config)? };
    let source = Source { name: crate::playback::SOURCE, catalogue: &state.playback.fields };
    Ok(peregrine_rules::load(files, &[source], &options))
}

/// All files are read before the first is loaded.
fn read(paths: &[PathBuf]) -> Step<Vec<RulesFile>> {
    let one = |path: &PathBuf| {
        let content = std::fs::read(path);
        let content = content.map_err(|_| format!("Could not open file {} for reading", path.display()))?;
        Ok(RulesFile { name: path.to_string_lossy().into_owned(), content })
    };
    paths.iter().map(one).collect::<Result<_, _>>().map_err(Stop::Fatal)
}

fn validate(state: &State) -> Step {
    let paths = &state.options.validate;
    let files = read(paths)?;
    tracing::info!("Validating rules file(s):");
    paths.iter().for_each(|path| tracing::info!("   {}", path.display()));
    let result = compile(state, &files)?;
    result.ruleset.check_plugins(BUILT_IN).map_err(Stop::Fatal)?;
    let successful = result.is_successful();
    let summary = summary(&result);
    let described = if successful && is_describing(state) { Some(description(state, &result)?) } else { None };
    if state.config.json_output {
        let mut object = falco::json(&result);
        if let Some(described) = described {
            object["falco_describe_results"] = described;
        }
        let _ = print(&format!("{object}\n"));
    } else {
        let described = described.map(|described| format!("\n{}", table(&described))).unwrap_or_default();
        let _ = print(&format!("{summary}\n{described}"));
    }
    if successful { Ok(()) } else { Err(Stop::Fatal(summary)) }
}

/// A line a file, with its errors; warnings go to the log.
fn summary(result: &LoadResult) -> String {
    let mut lines = Vec::new();
    for report in &result.reports {
        if report.is_successful() && !report.warnings.is_empty() {
            lines.push(format!("{}: Ok, with warnings", report.name));
            tracing::warn!("{}", falco::verbose(report, result));
        } else {
            lines.push(falco::verbose(report, result));
        }
    }
    lines.join("\n")
}

/// The files of `-r`, or else of the configuration; of directories those with a name of YAML.
fn paths(state: &State) -> Step<Vec<PathBuf>> {
    let configured = match state.options.rules.as_slice() {
        [] => state.config.rules_files.iter().filter(|path| path.exists()).cloned().collect(),
        given => given.to_vec(),
    };
    if configured.is_empty() {
        let text = "You must specify at least one rules file/directory via -r or a rules_file entry in falco.yaml";
        return Err(Stop::Fatal(text.into()));
    }
    tracing::debug!("Configured rules filenames:");
    configured.iter().for_each(|path| tracing::debug!("   {}", path.display()));
    let mut files = Vec::new();
    for path in configured {
        if path.is_dir() {
            files.extend(ruleset::directory(&path)?);
        } else if path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml") {
            files.push(path);
        }
    }
    Ok(files)
}

fn load(state: &State) -> Step<Prepared> {
    let paths = paths(state)?;
    let files = read(&paths)?;
    tracing::info!("Loading rules from:");
    let mut result = compile(state, &files)?;
    let mut error = None;
    for report in &result.reports {
        let name = &report.name;
        match report.schema.first().map_or("none", String::as_str) {
            "ok" => tracing::info!("   {name} | schema validation: ok"),
            schema => tracing::warn!("   {name} | schema validation: {schema}"),
        }
        if !report.is_successful() {
            error = Some(falco::verbose(report, &result));
            break;
        }
        if !report.warnings.is_empty() {
            tracing::warn!("{}", falco::verbose(report, &result));
        }
    }
    // A missing plugin is the reason for what else is wrong.
    if let Some(error) = result.ruleset.check_plugins(BUILT_IN).err().or(error) {
        return Err(Stop::Fatal(error));
    }
    select(state, &mut result);
    if is_describing(state) {
        let described = description(state, &result)?;
        return print(&if state.config.json_output { format!("{described}\n") } else { table(&described) })
            .and(Err(Stop::Done));
    }
    Ok(Prepared { result, files: paths, sums: ruleset::Sums::of_rules(&files) })
}

fn select(state: &State, result: &mut LoadResult) {
    let selections: Vec<Selection> = state.config.rules.iter().flat_map(ruleset::selections).collect();
    for selection in &selections {
        let verb = if selection.enable { "Enabling" } else { "Disabling" };
        match &selection.which {
            Which::Name(name) | Which::NamePart(name) => tracing::info!("{verb} rules with name: {name}"),
            Which::Tag(tag) => tracing::info!("{verb} rules with tag: {tag}"),
        }
    }
    apply(&mut result.ruleset, &selections);
}

fn description(state: &State, result: &LoadResult) -> Step<Value> {
    let rule =
        state.options.describe.as_deref().filter(|_| !state.options.describe_all || state.options.describe.is_some());
    describe(&result.ruleset, rule).map_err(Stop::Runtime)
}

/// Names and descriptions in two columns.
fn table(described: &Value) -> String {
    let row = |left: &str, right: &str| format!("{left:<50} {right}\n");
    let mut out = row("Rule", "Description") + &row("----", "-----------");
    for rule in described["rules"].as_array().map_or(&[][..], Vec::as_slice) {
        let text = |key: &str| rule["info"][key].as_str().unwrap_or_default().to_owned();
        out += &row(&text("name"), &(wrap(&text("description")) + "\n"));
    }
    out
}

/// Words in lines of 59 characters, those after the first below each other; a blank behind each word.
fn wrap(text: &str) -> String {
    let (mut out, mut length) = (String::new(), 0);
    for word in text.split_whitespace() {
        let size = word.len() + 1;
        if length + size > 110 - 51 {
            out += &format!("\n{:<51}", " ");
            length = 0;
        }
        length += size;
        out += word;
        out.push(' ');
    }
    out
}

/// The contents of the files, as `--support` shows them.
pub fn contents(files: &[PathBuf]) -> Vec<Value> {
    let one = |path: &PathBuf| {
        let content = std::fs::read(path).unwrap_or_default();
        let content = String::from_utf8_lossy(&content).into_owned();
        json!({"name": path.to_string_lossy(), "variants": [{"content": content}]})
    };
    files.iter().map(one).collect()
}
