//! Upstream's end-to-end tests, carried out by the whole program under Falco's options.
//!
//! Their assertions are read and checked one by one; what differs, and which tests are left out, is listed with its
//! reason in `engine_tests_deviations.txt`. An option or assertion that is not understood fails the test.

mod assertion;
mod case;

use case::Case;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// TEST, ASSERTION, what is so instead, REASON.
const DEVIATIONS: &str = include_str!("../engine_tests_deviations.txt");

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("the corpus' file");
    text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
}

/// The listed deviations, each as the test, the assertion and what is so instead.
fn deviations() -> BTreeSet<String> {
    let rows = DEVIATIONS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|row| {
        let columns: Vec<&str> = row.split('\t').collect();
        let reasoned = columns.len() == 4 && !columns[3].is_empty() || columns[2].starts_with("left out: ");
        assert!(reasoned, "a deviation without reason: {row}");
        columns[..3].join("\t")
    })
    .collect()
}

#[test]
fn upstreams_end_to_end_tests_hold() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    // What upstream's engine says today, without options: its alerts in their order.
    let answers: BTreeMap<String, Value> = lines(&corpus.join("test_replays.jsonl"))
        .into_iter()
        .map(|answer| (answer["test"].as_str().expect("a name").to_owned(), answer))
        .collect();
    let (mut found, mut left_out, mut covered) = (BTreeSet::new(), BTreeMap::<&str, u32>::new(), 0);
    let (mut checked, mut compared, mut replays) = (0, 0, 0);
    for test in lines(&corpus.join("engine_tests.jsonl")) {
        let case = match Case::read(&test, &corpus) {
            Ok(case) => case,
            Err(reason) => {
                *left_out.entry(reason).or_default() += 1;
                found.insert(format!("{}\t-\tleft out: {reason}", test["test"].as_str().expect("a name")));
                continue;
            }
        };
        let runs = case.run();
        covered += 1;
        replays += usize::from(case.is_replay());
        let assertions = case.assertions();
        assert!(!assertions.is_empty(), "{} asserts nothing", case.name());
        for text in assertions {
            checked += 1;
            if let Err(instead) = assertion::check(&text, &case, &runs, answers.get(case.name())) {
                found.insert(format!("{}\t{text}\t{instead}", case.name()));
            }
        }
        if let Some(answer) = answers.get(case.name()).filter(|_| runs[0].code == 0) {
            assertion::same_order(&case, &runs[0], answer);
            compared += 1;
        }
    }
    println!(
        "{covered} tests covered ({replays} of them replays, {compared} compared alert by alert), {checked} assertions"
    );
    for (reason, count) in &left_out {
        println!("{count} left out: {reason}");
    }
    let listed = deviations();
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(new.is_empty(), "differ from upstream:\n{}", new.iter().map(|s| s.as_str()).collect::<Vec<_>>().join("\n"));
    assert!(gone.is_empty(), "listed, but upstream's: {gone:#?}");
    assert!(covered > 90 && replays > 50 && compared > 50, "{covered} tests, {replays} replays, {compared} compared");
}
