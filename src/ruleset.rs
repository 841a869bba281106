//! Rules from files: which files, how they are loaded, which rules are then on, and what is said of those that are wrong.

use crate::cli::RulesArgs;
use crate::config::{AppendOutput, Config, ConfigFile};
use crate::failure::Failure;
use crate::playback::SOURCE;
use peregrine_alert::Priority;
use peregrine_engine::fields::Fields;
use peregrine_rules::select::{Selection, Which, apply};
use peregrine_rules::{AddedField, LoadResult, Options, OutputAddition, Rule, RulesFile, Source, falco, pretty};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Rules to run with.
pub struct Loaded {
    /// All rules, also those that are off.
    pub rules: Vec<Rule>,
    /// From how many files.
    pub files: usize,
    /// The files' digests.
    pub sums: Sums,
}

/// SHA-256 of the files that are at work: their names without directories, and the digests in hexadecimal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// Of rules.
    pub rules: Vec<(String, String)>,
    /// Of the configuration.
    pub config: Vec<(String, String)>,
}

impl Sums {
    /// The digests of rules.
    pub fn of_rules(files: &[RulesFile]) -> Self {
        let rules = files.iter().map(|file| (file_name(Path::new(&file.name)), sha256(&file.content))).collect();
        Self { rules, config: Vec::new() }
    }

    /// And of the configuration.
    #[must_use]
    pub fn with_config(self, files: &[ConfigFile]) -> Self {
        Self { config: files.iter().map(|file| (file_name(&file.path), file.sha256.clone())).collect(), ..self }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// SHA-256 in hexadecimal.
pub fn sha256(content: &[u8]) -> String {
    use std::fmt::Write;
    let digest = ring::digest::digest(&ring::digest::SHA256, content);
    digest.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Loads the rules that the command line or else the configuration names, switches them on and off, and says what is
/// odd about them.
///
/// # Errors
/// [`Failure::Told`] when a file is wrong, after saying why; [`Failure::Usage`] when no rules are named.
pub fn load(config: &Config, args: &RulesArgs, fields: &Fields) -> Result<Loaded, Failure> {
    let (result, files) = told(config, args, fields)?;
    if !result.is_successful() {
        return Err(Failure::Told);
    }
    Ok(switched(config, result, &files))
}

/// As [`load`], but what is wrong is in the error too.
///
/// # Errors
/// As there, but never [`Failure::Told`].
pub fn load_or_say(config: &Config, args: &RulesArgs, fields: &Fields) -> Result<Loaded, Failure> {
    let (result, files) = told(config, args, fields)?;
    if let Some(report) = result.reports.iter().find(|report| !report.is_successful()) {
        return Err(Failure::Input(anyhow::anyhow!(falco::verbose(report, &result))));
    }
    Ok(switched(config, result, &files))
}

/// Loads what is named and says what is odd or wrong about it.
fn told(config: &Config, args: &RulesArgs, fields: &Fields) -> Result<(LoadResult, Vec<RulesFile>), Failure> {
    let paths = if args.rules.is_empty() { present(&config.rules_files) } else { args.rules.clone() };
    let files = read(&paths)?;
    if files.is_empty() {
        return Err(Failure::Usage(anyhow::anyhow!(
            "no rules: name a file or a directory with -r, or rules_files in -c"
        )));
    }
    let result = compile(&files, config, fields)?;
    explain(&result, false);
    Ok((result, files))
}

/// Switches rules on and off as the configuration says.
fn switched(config: &Config, mut result: LoadResult, files: &[RulesFile]) -> Loaded {
    let selections: Vec<Selection> = config.rules.iter().flat_map(selections).collect();
    let counts = apply(&mut result.ruleset, &selections);
    for (selection, _) in selections.iter().zip(counts).filter(|(_, count)| *count == 0) {
        tracing::warn!("the configuration selects {:?}, which is no loaded rule's", selection.which);
    }
    Loaded { rules: result.ruleset.rules, files: files.len(), sums: Sums::of_rules(files) }
}

/// Compiles files with the fields of all sources.
pub fn compile(files: &[RulesFile], config: &Config, fields: &Fields) -> Result<LoadResult, Failure> {
    Ok(peregrine_rules::load(files, &[Source { name: SOURCE, catalogue: fields }], &options(config)?))
}

/// What the configuration says of loading.
///
/// # Errors
/// When its priority is none.
pub fn options(config: &Config) -> Result<Options, Failure> {
    let unknown = || format!("unknown priority \"{}\"", config.priority.escape_default());
    let min_priority: Priority = config.priority.parse().map_err(|_| Failure::Input(anyhow::anyhow!(unknown())))?;
    let mut fixed: Vec<String> = config.static_fields.iter().map(|(name, _)| format!("static.{name}")).collect();
    fixed.sort();
    let additions = config.append_output.iter().flat_map(|entry| additions(entry, &fixed)).collect();
    Ok(Options { min_priority, additions, ..Options::default() })
}

/// Reads rules files; of a directory those that end in `.yaml` or `.yml`, by name.
///
/// # Errors
/// [`Failure::Input`] when one cannot be read.
pub fn read(paths: &[PathBuf]) -> Result<Vec<RulesFile>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let wrong = |path: &Path, e| Failure::Input(anyhow::Error::new(e).context(format!("{}", path.display())));
        let listed = if path.is_dir() { directory(path).map_err(|e| wrong(path, e))? } else { vec![path.clone()] };
        for file in listed {
            let content = std::fs::read(&file).map_err(|e| wrong(&file, e))?;
            files.push(RulesFile { name: file.to_string_lossy().into_owned(), content });
        }
    }
    Ok(files)
}

/// Says on standard error what is wrong or odd; with `notes`, also what Falco has no warning for.
pub fn explain(result: &LoadResult, notes: bool) {
    let style = pretty::Style { color: std::io::stderr().is_terminal(), notes, ..pretty::Style::default() };
    eprint!("{}", pretty::render(result, style));
}

/// Those of the configuration's files that are there; the others are skipped, as upstream does.
fn present(paths: &[PathBuf]) -> Vec<PathBuf> {
    let (there, missing): (Vec<_>, Vec<_>) = paths.iter().cloned().partition(|path| path.exists());
    for path in missing {
        tracing::warn!("{} is not there; it is skipped", path.display());
    }
    there
}

/// The rules files of a directory, by name.
///
/// # Errors
/// When it cannot be read.
pub fn directory(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        let yaml = file.extension().is_some_and(|ext| ext == "yaml" || ext == "yml");
        if yaml && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// An entry that names a rule and a tag means both, one after the other.
pub fn selections(entry: &crate::config::Selection) -> impl Iterator<Item = Selection> + use<> {
    let enable = entry.enable;
    let which = [entry.rule.clone().map(Which::Name), entry.tag.clone().map(Which::Tag)];
    which.into_iter().flatten().map(move |which| Selection { enable, which })
}

/// What an entry adds; `fixed` are the fields that the configuration itself sets.
fn additions(entry: &AppendOutput, fixed: &[String]) -> Vec<OutputAddition> {
    let fields = entry.formatted_fields.iter().map(|(key, format)| (key, format.clone(), false));
    let raw = entry.raw_fields.iter().map(|field| (field, format!("%{field}"), true));
    let added = OutputAddition {
        source: entry.source.clone().unwrap_or_default(),
        tags: entry.tags.iter().cloned().collect(),
        rule: entry.rule.clone().unwrap_or_default(),
        text: (!entry.extra_output.is_empty()).then(|| entry.extra_output.clone()),
        fields: fields.chain(raw).map(|(key, format, raw)| AddedField { key: key.clone(), format, raw }).collect(),
    };
    // The suggested fields go to the sources that the entry is for; the source whose events have them is this one.
    let suggests = entry.suggested_output && entry.source.as_deref().is_none_or(|source| source == SOURCE);
    let suggested = suggests.then(|| OutputAddition {
        tags: added.tags.clone(),
        rule: added.rule.clone(),
        ..OutputAddition::suggested_with(fixed)
    });
    std::iter::once(added).chain(suggested).collect()
}
