//! The rules files of an examined configuration.

use super::report::{Report, Verdict};
use crate::config::{Config, Place, Relocation};
use crate::falco::version::BUILT_IN;
use crate::playback::{Playback, SOURCE};
use crate::ruleset;
use peregrine_rules::{Code, Source, WarningCode, falco};
use std::path::PathBuf;

/// Loads them and says of each how it stands.
pub fn examine(config: &Config, relocation: &Relocation, report: &mut Report) {
    let mut paths: Vec<PathBuf> = Vec::new();
    for written in &config.rules_files {
        let path = relocation.apply(written);
        if path.exists() {
            paths.push(path);
        } else {
            let message = "it is not there, and is skipped as Falco skips it";
            report.add(Verdict::Ignored, written.to_string_lossy(), &Place::default(), message);
        }
    }
    let files = match ruleset::read(&paths) {
        Ok(files) => files,
        Err(failure) => {
            report.add(Verdict::Broken, "rules_files", &Place::default(), format!("{failure:?}"));
            return;
        }
    };
    let playback = Playback::new(config);
    let Ok(options) = ruleset::options(config) else { return };
    let source = Source { name: SOURCE, catalogue: &playback.fields };
    let result = peregrine_rules::load(&files, &[source], &options);
    let mut left_out = 0;
    for file in &result.reports {
        let place = Place { source: file.name.as_str().into(), line: 0, column: 0 };
        let unknown = file.warnings.iter().filter(|w| w.code == Code::Warning(WarningCode::UnknownSource)).count();
        left_out += unknown;
        if !file.is_successful() {
            report.add(Verdict::Broken, &file.name, &place, falco::verbose(file, &result));
        } else if unknown > 0 {
            let message =
                format!("{unknown} items are of event sources that no built-in source has; they are left out");
            report.add(Verdict::Ignored, &file.name, &place, message);
        } else {
            report.add(Verdict::Works, &file.name, &place, "");
        }
    }
    if let Err(missing) = result.ruleset.check_plugins(BUILT_IN) {
        report.add(Verdict::Broken, "required_plugin_versions", &Place::default(), missing);
    }
    report.rules = (result.ruleset.rules.len(), left_out);
}
