//! Rules files made to hurt: each ends in a clear error or loads, in bounded time and memory.

use peregrine_engine::fields::Fields;
use peregrine_rules::{LoadResult, Options, RulesFile, Source, falco, load};
use std::time::{Duration, Instant};

fn loaded(content: impl Into<Vec<u8>>) -> LoadResult {
    let fields = Fields::syscall();
    let sources = [Source { name: "syscall", catalogue: &fields }];
    let started = Instant::now();
    let result = load(&[RulesFile { name: "r.yaml".into(), content: content.into() }], &sources, &Options::default());
    // Many times what any of these takes in a debug build; without the bounds they would take hours.
    assert!(started.elapsed() < Duration::from_secs(60), "took {:?}", started.elapsed());
    // Every form of the result must be possible too.
    falco::json(&result).to_string();
    peregrine_rules::pretty::render(&result, peregrine_rules::pretty::Style { notes: true, ..Default::default() });
    result
}

fn error(content: impl Into<Vec<u8>>) -> String {
    let result = loaded(content);
    let error = result.reports[0].errors.first().expect("an error");
    error.message.clone()
}

fn rule(condition: &str) -> String {
    format!("- rule: r\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n")
}

#[test]
fn deep_conditions_hit_upstreams_limit() {
    for nested in ["(", "not("] {
        let text = rule(&format!("evt.num=1 and {}evt.num=1{}", nested.repeat(5000), ")".repeat(5000)));
        assert_eq!(error(text), "exceeded max depth limit of 1000");
    }
    let just = rule(&format!("evt.num=1 and {}evt.num=1{}", "(".repeat(190), ")".repeat(190)));
    assert!(loaded(just).is_successful());
}

#[test]
fn macros_of_macros_cannot_explode() {
    let doubling: String = (1..64).map(|i| format!("- macro: m{i}\n  condition: m{0} and m{0}\n", i - 1)).collect();
    let text = format!("- macro: m0\n  condition: evt.num=1\n{doubling}{}", rule("m63"));
    assert!(error(text).contains("too large"));
    let chain: String = (1..5000).map(|i| format!("- macro: m{i}\n  condition: not m{}\n", i - 1)).collect();
    let text = format!("- macro: m0\n  condition: evt.num=1\n{chain}{}", rule("m4999"));
    assert!(error(text).contains("too large"));
    let growing: String = (1..3000).map(|i| format!("- macro: m{i}\n  condition: m{} or evt.num=2\n", i - 1)).collect();
    let text = format!("- macro: m0\n  condition: evt.num=1\n{growing}{}", rule("m2999"));
    assert!(error(text).contains("too large"));
}

#[test]
fn lists_cannot_explode() {
    let doubling: String = (1..64).map(|i| format!("- list: l{i}\n  items: [l{0}, l{0}]\n", i - 1)).collect();
    // Lists of lists are put in one level deep, then by name in the order of definition.
    let text = format!("- list: l0\n  items: [a, b]\n{doubling}{}", rule("proc.name in (l63)"));
    assert!(loaded(text).is_successful());
    let forward: String = (0..40).map(|i| format!("- list: l{i}\n  items: [l{0}, l{0}, l{0}]\n", i + 1)).collect();
    let text = format!("{forward}{}", rule("proc.name in (l0)"));
    assert!(error(text).contains("too large"));
}

#[test]
fn cycles_of_lists_and_macros_end() {
    let lists = "- list: a\n  items: [b]\n- list: b\n  items: [a]\n- list: a\n  items: [b]\n";
    assert!(loaded(format!("{lists}{}", rule("proc.name in (a, b)"))).is_successful());
    let macros = "- macro: a\n  condition: b\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n";
    assert_eq!(error(format!("{macros}{}", rule("a"))), "reference loop in macro 'b'");
}

#[test]
fn huge_lists_load() {
    let items: Vec<String> = (0..50_000).map(|i| format!("name{i}")).collect();
    let text =
        format!("- list: big\n  items: [{}]\n{}", items.join(", "), rule("evt.type=open and proc.name in (big)"));
    let result = loaded(text);
    assert!(result.is_successful());
    assert!(result.ruleset.rules[0].condition_text.contains("name49999"));
}

#[test]
fn yaml_bombs_and_bad_bytes_are_named() {
    let bomb: String = (1..40).map(|i| format!("- &a{i} [*a{0}, *a{0}, *a{0}]\n", i - 1)).collect();
    assert!(error(format!("- &a0 [x, x]\n{bomb}")).contains("aliases included"));
    assert!(!error("[".repeat(200_000)).is_empty());
    assert!(!error("- a: {b: [\n").is_empty());
    let mut bytes = rule("evt.type = open and proc.name = \"").into_bytes();
    bytes.extend([0xff, 0xfe, 0x00]);
    assert!(!error(bytes).is_empty());
    let mut bytes = b"- macro: m\n  condition: proc.name = caf".to_vec();
    bytes.extend([0xe9, b'\n']);
    assert!(loaded(bytes).is_successful());
    assert!(loaded("").is_successful());
    assert!(loaded("\u{feff}- macro: m\n  condition: evt.num=1\n").is_successful());
}

#[test]
fn many_warnings_stay_cheap() {
    let values = vec!["proc.name"; 20_000].join(", ");
    let result = loaded(rule(&format!("evt.type=open and proc.name in ({values})")));
    assert!(result.is_successful());
    assert_eq!(result.reports[0].warnings.len(), 20_000);
}

#[test]
fn odd_documents_have_falcos_words() {
    assert_eq!(error("just text"), "Rules content is not yaml");
    assert_eq!(error("rule: x"), "Rules content is not yaml array of objects");
    assert_eq!(error("- x"), "Unexpected element type. Each element should be a yaml associative array.");
    assert_eq!(error("- list: l\n  items: x"), "Value is not a sequence");
    assert_eq!(error("- list: l\n  items: [[x]]"), "sequence value is not scalar");
    assert_eq!(error("- macro: m\n  condition: ''"), "Value must be non-empty");
    assert_eq!(error("- macro: m\n  condition: [a]"), "Value is not a scalar value");
}
