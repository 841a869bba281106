//! Upstream's tests of field values, told anew.
//!
//! Upstream's unit tests inject events into a world and ask for fields. Each function here builds the same world and the
//! same events in our terms, and expects what the lines of upstream's test expect; `field_cases.jsonl` of the corpus says
//! which lines there are, and this test fails for one that is neither told nor excused. Checks with line 0 are upstream's
//! as well but have no row.

mod events;
mod files;
mod net;
mod params;
mod processes;
mod world;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use world::{Seen, World};

/// A test of upstream's, and its story.
type Case = (&'static str, fn(&mut World));

/// Rows that are not told: test, the field's beginning (all if empty), why.
const EXCUSED: &[(&str, &str, &str)] = &[
    ("plugin_syscall_parse", "", "fields of a plugin that only upstream's tests have"),
    ("plugin_syscall_async", "sample.", "fields of a plugin that only upstream's tests have"),
];

/// Lines of upstream's tests that differ on purpose: test, line, why.
const OTHERWISE: &[(&str, u32, &str)] =
    &[("PROC_FILTER_nthreads", 38, "the test takes the thread out of its group by hand; no event can")];

fn cases() -> impl Iterator<Item = Case> {
    [events::CASES, files::CASES, net::CASES, params::CASES, processes::CASES].into_iter().flatten().copied()
}

/// What each test saw, and what did not hold.
fn tell() -> (BTreeMap<&'static str, BTreeMap<u32, Seen>>, Vec<String>) {
    let (mut seen, mut faults) = (BTreeMap::new(), Vec::new());
    for (name, story) in cases() {
        let mut world = World::new();
        story(&mut world);
        faults.extend(world.faults.iter().map(|fault| format!("{name}, {fault}")));
        assert!(seen.insert(name, world.seen).is_none(), "{name} is told twice");
    }
    (seen, faults)
}

#[test]
fn cases_hold() {
    let (seen, faults) = tell();
    println!("{} tests of upstream's, {} lines", seen.len(), seen.values().map(BTreeMap::len).sum::<usize>());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_row_of_the_corpus_is_told() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let text = std::fs::read_to_string(corpus.join("field_cases.jsonl")).expect("field_cases.jsonl");
    let (seen, _) = tell();
    let (mut told, mut excused, mut faults) = (0, BTreeMap::<&str, usize>::new(), Vec::new());
    let mut used = BTreeSet::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).expect("a row");
        let test = row["test"].as_str().and_then(|test| test.split_once('.')).expect("fixture.test").1;
        let (field, line) = (row["field"].as_str().expect("a field"), row["line"].as_u64().expect("a line") as u32);
        let reason = EXCUSED.iter().find(|(of, begins, _)| *of == test && field.starts_with(begins)).map(|e| e.2);
        let otherwise = OTHERWISE.iter().find(|(of, at, _)| *of == test && *at == line).map(|e| e.2);
        if let Some(reason) = reason.or(otherwise) {
            *excused.entry(reason).or_default() += 1;
            used.insert(reason);
        } else if let Some(fault) = compare(&row, field, seen.get(test).and_then(|lines| lines.get(&line))) {
            faults.push(format!("{test} line {line}: {field}: {fault}"));
        } else {
            told += 1;
        }
    }
    println!("{told} rows are told");
    for (reason, rows) in &excused {
        println!("{rows} rows are not: {reason}");
    }
    faults.extend(
        EXCUSED
            .iter()
            .chain(OTHERWISE.iter().map(|(a, _, c)| (*a, "", *c)).collect::<Vec<_>>().iter())
            .filter(|excuse| !used.contains(excuse.2))
            .map(|excuse| format!("{}: an excuse that no row needs", excuse.0)),
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Why what was seen is not what the row says.
fn compare(row: &Value, field: &str, seen: Option<&Seen>) -> Option<String> {
    let Some(seen) = seen else { return Some("is not told".into()) };
    if seen.field != field {
        return Some(format!("{} was told", seen.field));
    }
    let literal = row.get("expect").and_then(Value::as_str);
    let has_value = row.get("has_value").and_then(Value::as_bool).unwrap_or(true);
    match &seen.value {
        None if has_value => Some("was told to have no value".into()),
        Some(value) if !has_value => Some(format!("was told to be {value:?}")),
        Some(value) if literal.is_some_and(|literal| literal != value) => Some(format!("was told to be {value:?}")),
        _ => None,
    }
}
