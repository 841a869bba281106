//! Loading rules files: each is read into what was collected before, and everything is compiled again, as Falco does;
//! so each file's result tells of all files up to it.

use crate::code::ErrorCode;
use crate::collect::{Collected, Source};
use crate::compile::compile;
use crate::context::Context;
use crate::decode::Fault;
use crate::items::Place;
use crate::output::OutputAddition;
use crate::reader::Reader;
use crate::result::Report;
use crate::ruleset::Ruleset;
use crate::schema;
use crate::yaml;
use peregrine_alert::Priority;
use std::sync::Arc;

/// A rules file: its name in messages, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesFile {
    /// As it was given.
    pub name: String,
    /// Its content; bytes that are no UTF-8 are read as U+FFFD.
    pub content: Vec<u8>,
}

/// What a configuration says of loading.
#[derive(Debug, Clone)]
pub struct Options {
    /// Rules less urgent than this are loaded but not enabled.
    pub min_priority: Priority,
    /// What is added to outputs.
    pub additions: Vec<OutputAddition>,
    /// Whether [`Ruleset::definitions`] are kept, for [`crate::describe`].
    pub definitions: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { min_priority: Priority::Debug, additions: Vec::new(), definitions: false }
    }
}

/// What came of loading files.
#[derive(Debug, Clone)]
pub struct LoadResult {
    /// The rules of the files up to the last that was valid.
    pub ruleset: Ruleset,
    /// One for each file, in order.
    pub reports: Vec<Report>,
    /// The files' texts, in order; labels of diagnostics point into them.
    pub texts: Vec<Arc<str>>,
}

impl LoadResult {
    /// Whether all files are valid.
    pub fn is_successful(&self) -> bool {
        self.reports.iter().all(Report::is_successful)
    }

    /// The text of a file by its name.
    pub fn file_text(&self, name: &str) -> Option<&str> {
        let at = self.reports.iter().position(|report| report.name == name)?;
        self.texts.get(at).map(|text| &**text)
    }
}

/// Largest rules file in bytes.
pub const MAX_FILE: usize = 64 << 20;

/// Loads files in order. Whatever is wrong is in the reports; a file that is invalid leaves the rules of those before.
pub fn load(files: &[RulesFile], sources: &[Source<'_>], options: &Options) -> LoadResult {
    let texts = files.iter().map(|file| String::from_utf8_lossy(&file.content).into());
    let mut result =
        LoadResult { ruleset: Ruleset::default(), reports: Vec::with_capacity(files.len()), texts: texts.collect() };
    let mut collected = Collected::default();
    for (number, file) in files.iter().enumerate() {
        let mut report = Report::new(&file.name);
        if read(number, file, &result.texts[number], sources, &mut collected, &mut report)
            && let Some(ruleset) = compile(&collected, sources, options, &result.texts, &mut report)
        {
            result.ruleset = ruleset;
        }
        result.reports.push(report);
    }
    result.ruleset.min_priority = Some(options.min_priority);
    for rule in &mut result.ruleset.rules {
        rule.enabled &= rule.priority <= options.min_priority;
    }
    result
}

fn read(
    number: usize,
    file: &RulesFile,
    text: &str,
    sources: &[Source<'_>],
    collected: &mut Collected,
    report: &mut Report,
) -> bool {
    let context = Context::file(&file.name);
    if file.content.len() > MAX_FILE {
        let message = format!("the file is larger than {MAX_FILE} bytes");
        report.fail(*Fault::new(ErrorCode::FileRead, message, &context));
        return false;
    }
    let documents = match yaml::load_all(text) {
        Ok(documents) => documents,
        Err(error) => {
            let place = Place { file: number, range: error.mark.offset..error.mark.offset };
            let context = context.at(error.mark, "value for", "");
            report.fail(*Fault::new(ErrorCode::YamlParse, error.message, &context).at(&place));
            return false;
        }
    };
    report.schema = schema::validate(&documents);
    let mut reader = Reader { file: number, sources, collected, report };
    for document in &documents {
        if let Err(fault) = reader.document(document, &context) {
            reader.report.fail(*fault);
            return false;
        }
    }
    true
}
