//! `filter_cases.tsv` and `filter_verdicts.jsonl`: does it parse, does it compile, with which message and tree?

use peregrine_engine::fields::Fields;
use peregrine_filter::parser::{DEFAULT_DEPTH, parse_with_depth};
use peregrine_filter::{check, print};
use serde_json::Value;

struct Verdict {
    parse_msg: Option<String>,
    compile_msg: Option<String>,
    ast: Option<String>,
    warnings: Vec<String>,
}

fn verdict(text: &str, fields: &Fields) -> Verdict {
    let mut verdict = Verdict { parse_msg: None, compile_msg: None, ast: None, warnings: Vec::new() };
    match parse_with_depth(text, DEFAULT_DEPTH) {
        Err(error) => {
            verdict.compile_msg = Some(format!("filter error at {}: {}", error.position, error.message));
            verdict.parse_msg = Some(error.message);
        }
        Ok(tree) => {
            verdict.ast = Some(print(&tree));
            match check(&tree, fields) {
                Ok(checked) => verdict.warnings = checked.warnings.into_iter().map(|w| w.message).collect(),
                Err(error) => verdict.compile_msg = Some(error.message),
            }
        }
    }
    verdict
}

fn expected_text(row: &Value, key: &str) -> Option<String> {
    row[key].as_str().map(str::to_owned)
}

#[test]
fn conditions_have_upstreams_verdicts() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let fields = Fields::syscall();
    let rows = std::fs::read_to_string(corpus.join("filter_verdicts.jsonl")).unwrap();
    let mut wrong = Vec::new();
    for line in rows.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = row["expr"].as_str().unwrap();
        let got = verdict(text, &fields);
        let warnings: Vec<String> =
            row["warnings"].as_array().into_iter().flatten().map(|w| w.as_str().unwrap().to_owned()).collect();
        for (what, want, got) in [
            ("parse_msg", expected_text(&row, "parse_msg"), got.parse_msg),
            ("compile_msg", expected_text(&row, "compile_msg"), got.compile_msg),
            ("ast", expected_text(&row, "ast"), got.ast),
            ("warnings", Some(format!("{warnings:?}")), Some(format!("{:?}", got.warnings))),
        ] {
            if want != got {
                wrong.push(format!("{text}\n  {what}: want {want:?}\n  {what}: got  {got:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
