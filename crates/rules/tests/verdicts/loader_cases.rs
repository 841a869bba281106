//! `loader_cases.jsonl`: rules YAML that must load, warn or fail, and with which messages.

use peregrine_engine::fields::Fields;
use peregrine_rules::{Diagnostic, LoadResult, Options, RulesFile, Source, load};
use serde_json::Value;

fn loaded(yaml: &[&str], fields: &Fields) -> LoadResult {
    let sources = [Source { name: "syscall", catalogue: fields }];
    let files: Vec<RulesFile> = yaml
        .iter()
        .enumerate()
        .map(|(i, text)| RulesFile { name: format!("case{i}.yaml"), content: text.as_bytes().to_vec() })
        .collect();
    load(&files, &sources, &Options::default())
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A message, or the description that Falco's verbose text holds too.
fn says(all: &[&Diagnostic], text: &str) -> bool {
    let field = |d: &Diagnostic| d.deprecated_field.is_some_and(|f| f.contains(text));
    all.iter().any(|d| d.message.contains(text) || field(d))
}

/// What is wrong with a case's outcome.
fn check(case: &Value, result: &LoadResult) -> Vec<String> {
    let mut wrong = Vec::new();
    let errors: Vec<&Diagnostic> = result.reports.iter().flat_map(|r| &r.errors).collect();
    let warnings: Vec<&Diagnostic> = result.reports.iter().flat_map(|r| &r.warnings).collect();
    let expect = case["expect"].as_str().unwrap_or_default();
    if errors.is_empty() == (expect == "error") {
        wrong.push(format!("expected {expect}, got errors {errors:?}"));
    }
    if expect == "warning" && warnings.is_empty() {
        wrong.push("expected a warning".into());
    }
    if case["no_warnings_at_all"] == true && !warnings.is_empty() {
        wrong.push(format!("expected no warnings, got {warnings:?}"));
    }
    for text in texts(&case["errors"]) {
        if !says(&errors, text) {
            wrong.push(format!("no error says {text:?}: {errors:?}"));
        }
    }
    for text in texts(&case["warnings"]) {
        if !says(&warnings, text) {
            wrong.push(format!("no warning says {text:?}: {warnings:?}"));
        }
    }
    for text in texts(&case["not_warnings"]) {
        if says(&warnings, text) {
            wrong.push(format!("a warning says {text:?}"));
        }
    }
    for text in texts(&case["schema_validation"]) {
        let valid = result.reports.last().is_none_or(|report| report.schema_is_valid());
        if valid != (text == "validation_ok") {
            wrong.push(format!("schema: expected {text}, got {:?}", result.reports.last().map(|r| &r.schema)));
        }
    }
    check_facts(case, result, &mut wrong);
    wrong
}

/// Facts that unit tests assert and that this crate knows: compiled conditions and how many rules are enabled.
fn check_facts(case: &Value, result: &LoadResult, wrong: &mut Vec<String>) {
    for fact in case["facts"].as_array().into_iter().flatten() {
        let fact = texts(fact);
        let [_, left, right] = fact.as_slice() else { continue };
        if let Some(name) = left.strip_prefix("get_compiled_rule_condition ( ") {
            let name = name.trim_end_matches(" )");
            let got = result.ruleset.rules.iter().find(|r| r.name.replace(' ', "_") == name.replace(' ', "_"));
            let got = got.map(|rule| rule.condition_text.as_str());
            if got != Some(right) {
                wrong.push(format!("condition of {name}: want {right:?}, got {got:?}"));
            }
        }
        if *left == "num_rules_for_ruleset ( )" {
            let enabled = result.ruleset.rules.iter().filter(|rule| rule.enabled).count();
            if enabled.to_string() != *right {
                wrong.push(format!("{right} enabled rules expected, got {enabled}"));
            }
        }
    }
}

/// Plugin requirements: each step loads its rules with some plugins there.
fn check_step(step: &Value, fields: &Fields) -> Option<String> {
    let result = loaded(&[step["yaml"].as_str().unwrap_or_default()], fields);
    let plugins: Vec<(&str, &str)> = step["plugins"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|plugin| Some((plugin[0].as_str()?, plugin[1].as_str()?)))
        .collect();
    let outcome = if result.is_successful() { result.ruleset.check_plugins(&plugins) } else { Err("invalid".into()) };
    let failed = step["expect"] == "error";
    (outcome.is_err() != failed).then(|| format!("step {step}: got {outcome:?}"))
}

#[test]
fn loader_cases_have_falcos_verdicts() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let fields = Fields::syscall();
    let rows = std::fs::read_to_string(corpus.join("loader_cases.jsonl")).unwrap();
    let mut wrong = Vec::new();
    let mut judged = 0;
    for line in rows.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        if case["expect"].is_null() {
            continue;
        }
        judged += 1;
        let name = case["name"].as_str().unwrap_or_default();
        let steps = case["steps"].as_array().cloned().unwrap_or_default();
        if steps.is_empty() {
            let mut yaml = vec![case["yaml"].as_str().unwrap_or_default()];
            yaml.extend(texts(&case["more_yaml"]));
            wrong.extend(check(&case, &loaded(&yaml, &fields)).into_iter().map(|what| format!("{name}: {what}")));
        } else {
            wrong.extend(steps.iter().filter_map(|step| check_step(step, &fields)));
        }
    }
    assert!(judged > 50);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
