//! Results in Falco's own forms: the object `falco_load_results` and the text of `-V`.

use crate::load::LoadResult;
use crate::result::{Code, Diagnostic, Report};
use serde_json::{Value, json};
use std::fmt::Write;

/// `{"falco_load_results": […]}`, one entry a file.
pub fn json(result: &LoadResult) -> Value {
    let reports: Vec<Value> = result.reports.iter().map(|report| report_json(report, result)).collect();
    json!({ "falco_load_results": reports })
}

/// One file's entry.
pub fn report_json(report: &Report, result: &LoadResult) -> Value {
    let list = |all: &[Diagnostic]| all.iter().map(|d| diagnostic_json(d, result)).collect::<Vec<_>>();
    let mut out = json!({
        "name": report.name,
        "successful": report.is_successful(),
        "errors": list(&report.errors),
        "warnings": list(&report.warnings),
    });
    if !report.schema.is_empty() {
        let valid = report.schema_is_valid();
        out["schema_valid"] = valid.into();
        out["schema_warnings"] = if valid { json!([]) } else { json!(report.schema) };
    }
    out
}

fn diagnostic_json(diagnostic: &Diagnostic, result: &LoadResult) -> Value {
    let locations: Vec<Value> = diagnostic
        .context
        .locations
        .iter()
        .map(|location| {
            json!({
                "item_type": location.item_type,
                "item_name": location.item_name,
                "position": {
                    "name": location.name,
                    "line": location.mark.line,
                    "column": location.mark.column,
                    "offset": location.mark.offset,
                },
            })
        })
        .collect();
    let mut out = json!({
        "code": name(diagnostic),
        "codedesc": description(diagnostic),
        "message": diagnostic.message,
        "context": { "locations": locations, "snippet": snippet(diagnostic, result) },
    });
    if let Some(field) = diagnostic.deprecated_field {
        out["deprecated_field"] = field.into();
    }
    out
}

fn snippet(diagnostic: &Diagnostic, result: &LoadResult) -> String {
    diagnostic.context.snippet(result.file_text(diagnostic.context.file_name()))
}

fn name(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.code {
        Code::Error(code) => code.name(),
        Code::Warning(code) => code.name(),
        Code::Note => "note",
    }
}

fn description(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.code {
        Code::Error(code) => code.text(),
        Code::Warning(code) => code.description(),
        Code::Note => "",
    }
}

fn short_text(diagnostic: &Diagnostic) -> String {
    let text = match diagnostic.code {
        Code::Error(code) => code.text(),
        Code::Warning(code) => code.text(),
        Code::Note => "",
    };
    match diagnostic.deprecated_field {
        Some(field) => format!("{text}: field '{field}'"),
        None => text.into(),
    }
}

fn head(report: &Report) -> String {
    let verdict = match (report.is_successful(), report.warnings.is_empty()) {
        (true, true) => "Ok",
        (true, false) => "Ok, with warnings",
        (false, _) => "Invalid",
    };
    if report.name.is_empty() { verdict.into() } else { format!("{}: {verdict}", report.name) }
}

/// Falco's text for one file, short: codes only.
pub fn summary(report: &Report) -> String {
    let mut out = head(report);
    if !report.schema_is_valid() {
        let _ = write!(out, "\n {} schema warnings: [{}]", report.schema.len(), report.schema.join(" "));
    }
    for (what, all) in [("errors", &report.errors), ("warnings", &report.warnings)] {
        if !all.is_empty() {
            let codes: Vec<String> = all.iter().map(|d| format!("{} ({})", name(d), short_text(d))).collect();
            let _ = write!(out, "\n {} {what}: [{}]", all.len(), codes.join(" "));
        }
    }
    out
}

/// Falco's text for one file, long: each with its place and a snippet.
pub fn verbose(report: &Report, result: &LoadResult) -> String {
    let mut out = head(report);
    if !report.schema_is_valid() {
        let _ = writeln!(out, "\n{} Schema warnings:", report.schema.len());
        for line in &report.schema {
            let _ = writeln!(out, "------\n{line}");
        }
        out.push_str("------\n");
    }
    for (what, all) in [("Errors", &report.errors), ("Warnings", &report.warnings)] {
        if all.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{} {what}:", all.len());
        for diagnostic in all {
            push_place(&mut out, diagnostic);
            let _ = writeln!(out, "------\n{}------", snippet(diagnostic, result));
            let _ = writeln!(out, "{} ({}): {}", name(diagnostic), short_text(diagnostic), diagnostic.message);
        }
    }
    out
}

fn push_place(out: &mut String, diagnostic: &Diagnostic) {
    for (i, location) in diagnostic.context.locations.iter().enumerate() {
        let lead = if i == 0 { "In " } else { "    " };
        let name = match location.item_name.as_str() {
            "" => String::new(),
            name => format!(" '{name}'"),
        };
        let (file, mark) = (&location.name, location.mark);
        let _ = writeln!(out, "{lead}{}{name}: ({file}:{}:{})", location.item_type, mark.line, mark.column);
    }
}
