//! `rule_file_verdicts.jsonl`: the whole result object, the rules, their printed conditions and event names.

use crate::deviations;
use peregrine_engine::fields::Fields;
use peregrine_rules::{Options, RulesFile, Source, falco, load};
use serde_json::{Value, json};

#[test]
fn rule_files_have_falcos_verdicts() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let fields = Fields::syscall();
    let sources = [Source { name: "syscall", catalogue: &fields }];
    let rows = std::fs::read_to_string(corpus.join("rule_file_verdicts.jsonl")).unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for line in rows.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let name = row["file"].as_str().unwrap();
        let content = std::fs::read(corpus.join(name)).unwrap();
        let files = [RulesFile { name: name.into(), content }];
        let result = load(&files, &sources, &Options::default());
        seen += 1;
        let got = falco::report_json(&result.reports[0], &result);
        compare(name, "", &row["result"], &got, &mut wrong);
        if !row["rules"].is_null() {
            let rules: Vec<Value> = result
                .ruleset
                .rules
                .iter()
                .map(|rule| {
                    json!({
                        "name": rule.name,
                        "priority": rule.priority.name(),
                        "enabled": rule.enabled,
                        "condition_compiled": rule.condition_text,
                        "events": rule.event_names(),
                    })
                })
                .collect();
            compare(name, "rules", &sorted(&row["rules"]), &json!(rules), &mut wrong);
        }
    }
    assert!(seen > 0);
    wrong.retain(|line| !deviations::is_listed(line));
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Rules with their event names sorted; Falco's come out of a hash set.
fn sorted(rules: &Value) -> Value {
    let mut rules = rules.clone();
    for events in rules.as_array_mut().into_iter().flatten().filter_map(|rule| rule["events"].as_array_mut()) {
        events.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    }
    rules
}

/// Notes every leaf that differs.
fn compare(file: &str, path: &str, want: &Value, got: &Value, wrong: &mut Vec<String>) {
    match (want, got) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let null = Value::Null;
                let (a, b) = (a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null));
                compare(file, &format!("{path}.{key}"), a, b, wrong);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                compare(file, &format!("{path}[{i}]"), a, b, wrong);
            }
        }
        _ if want != got => wrong.push(format!("{file}\t{path}\n  want {want}\n  got  {got}")),
        _ => {}
    }
}

#[test]
fn all_upstream_rules_load_without_error() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let fields = Fields::syscall();
    let sources = [Source { name: "syscall", catalogue: &fields }];
    let files: Vec<RulesFile> = ["falco_rules", "falco-incubating_rules", "falco-sandbox_rules"]
        .iter()
        .map(|name| {
            let path = corpus.join(format!("rules/upstream_rules/falcosecurity_rules__rules_{name}.yaml"));
            RulesFile { name: (*name).into(), content: std::fs::read(path).unwrap() }
        })
        .collect();
    let result = load(&files, &sources, &Options::default());
    for report in &result.reports {
        assert!(report.is_successful(), "{:?}", report.errors);
    }
    assert_eq!(result.ruleset.rules.len(), 93);
    let indices: Vec<usize> = result.ruleset.rules.iter().map(|r| r.index).collect();
    assert_eq!(indices, (0..93).collect::<Vec<_>>());
}
