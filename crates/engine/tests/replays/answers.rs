//! Alerts over captures, against those of upstream's own engine: counts, order, texts, and lines byte for byte.

use crate::replay;
use jiff::tz::TimeZone;
use peregrine_alert::{Alert, Layout};
use peregrine_engine::fields::Fields;
use peregrine_engine::{Engine, Matching, Moment, Session, output};
use peregrine_rules::{Options, OutputAddition, Rule, RulesFile, Source, load};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A detector as a program would have it: rules loaded, compiled and run over a capture.
struct Run<'r> {
    rules: Vec<&'r Path>,
    suggested: bool,
    matching: Matching,
    containers: bool,
}

/// An alert with its event's number.
struct Raised {
    num: u64,
    alert: Alert,
}

impl Run<'_> {
    fn replay(&self, capture: &Path) -> Vec<Raised> {
        let fields = Fields::syscall();
        let file = |path: &&Path| RulesFile { name: path.display().to_string(), content: std::fs::read(path).unwrap() };
        let files: Vec<RulesFile> = self.rules.iter().map(file).collect();
        let sources = [Source { name: "syscall", catalogue: &fields }];
        let additions = if self.suggested { vec![OutputAddition::suggested()] } else { Vec::new() };
        let loaded = load(&files, &sources, &Options { additions, ..Options::default() });
        assert!(loaded.is_successful(), "{:?}", self.rules);
        let rules: Vec<Rule> = loaded.ruleset.rules.into_iter().filter(|rule| rule.enabled).collect();
        let mut engine = Engine::new(rules.iter().map(engine_rule).collect(), &fields, self.matching).unwrap();
        let mut session = Session::default();
        session.containers = self.containers;
        let mut raised = Vec::new();
        replay::events(capture, &session, |moment| {
            for rule in engine.evaluate(moment) {
                let alert = alert(&rules[*rule as usize], &fields, moment);
                raised.push(Raised { num: moment.context.num, alert });
            }
        });
        raised
    }
}

pub fn engine_rule(rule: &Rule) -> peregrine_engine::Rule {
    peregrine_engine::Rule {
        name: rule.name.clone(),
        priority: rule.priority,
        source: rule.source.clone(),
        tags: rule.tags.iter().cloned().collect(),
        condition: rule.condition.clone(),
        codes: rule.events,
    }
}

fn alert(rule: &Rule, fields: &Fields, moment: &Moment<'_>) -> Alert {
    let mut message = String::new();
    output::write(&rule.format, fields, moment, &mut message);
    Alert {
        rule: rule.name.clone(),
        priority: rule.priority,
        source: rule.source.clone(),
        tags: rule.tags.iter().cloned().collect(),
        time: moment.event.ts,
        hostname: "demo-host".into(),
        message,
        output_fields: output::values(&rule.format, fields, moment, false),
        internal: false,
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The parts of an answer's alerts, and of ours, that must be equal.
fn told(alerts: &[Value]) -> Vec<(u64, u64, String, String)> {
    let text = |alert: &Value, key: &str| alert[key].as_str().unwrap().to_string();
    alerts
        .iter()
        .map(|a| (a["num"].as_u64().unwrap(), a["ts"].as_u64().unwrap(), text(a, "rule"), text(a, "text")))
        .collect()
}

fn compare(name: &str, case: &Value, raised: &[Raised]) -> usize {
    let ours: Vec<_> =
        raised.iter().map(|r| (r.num, r.alert.time, r.alert.rule.clone(), r.alert.message.clone())).collect();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    raised.iter().for_each(|r| *counts.entry(&r.alert.rule).or_default() += 1);
    let expected: BTreeMap<&str, u64> =
        case["counts"].as_object().unwrap().iter().map(|(k, v)| (k.as_str(), v.as_u64().unwrap())).collect();
    assert_eq!(counts, expected, "{name}");
    let theirs = told(case["alerts"].as_array().unwrap());
    // An answer lists at most so many alerts; it counts them all.
    for (ours, theirs) in ours.iter().zip(&theirs) {
        // Some answers were rendered demanding all values: their texts end where the first was missing.
        let cut = ours.3.starts_with(&format!("{}<NA>", theirs.3));
        assert_eq!((ours.0, ours.1, &ours.2), (theirs.0, theirs.1, &theirs.2), "{name}");
        assert!(cut || ours.3 == theirs.3, "{name}: {} is not {}", ours.3, theirs.3);
    }
    assert!(theirs.len() == ours.len() || theirs.len() >= 100, "{name}: {} of {} alerts", theirs.len(), ours.len());
    theirs.len()
}

fn replayed(case: &Value, corpus: &Path, key: &str, matching: Matching) -> usize {
    let files: Vec<_> = case[key].as_array().unwrap().iter().map(|f| corpus.join(f.as_str().unwrap())).collect();
    let rules = files.iter().map(|f| f.as_path()).collect();
    let run = Run { rules, suggested: false, matching, containers: false };
    let capture = case["capture"].as_str().unwrap();
    compare(case["test"].as_str().unwrap_or(capture), case, &run.replay(&corpus.join(capture)))
}

#[test]
fn small_rulesets_give_upstreams_alerts() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let cases = lines(&corpus.join("test_replays.jsonl"));
    let alerts: usize = cases.iter().map(|case| replayed(case, &corpus, "rules", Matching::First)).sum();
    assert!(cases.len() > 50 && alerts > 100, "{} cases, {alerts} alerts", cases.len());
}

#[test]
fn stock_rules_give_upstreams_alerts() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let cases = lines(&corpus.join("stock_rules_replay.jsonl"));
    let alerts: usize = cases.iter().map(|case| replayed(case, &corpus, "rules_files", Matching::All)).sum();
    println!("{} captures, {alerts} alerts", cases.len());
    assert!(cases.len() > 20);
}

/// All stock rules, as the engine takes them.
pub fn stock_rules(corpus: &Path, fields: &Fields) -> Vec<peregrine_engine::Rule> {
    let file = |path: &std::path::PathBuf| RulesFile { name: String::new(), content: std::fs::read(path).unwrap() };
    let sources = [Source { name: "syscall", catalogue: fields }];
    let loaded = load(&stock(corpus).iter().map(file).collect::<Vec<_>>(), &sources, &Options::default());
    loaded.ruleset.rules.iter().map(engine_rule).collect()
}

fn stock(corpus: &Path) -> [std::path::PathBuf; 3] {
    ["falco_rules", "falco-incubating_rules", "falco-sandbox_rules"]
        .map(|name| corpus.join(format!("rules/upstream_rules/falcosecurity_rules__rules_{name}.yaml")))
}

#[test]
fn lines_equal_upstreams_byte_for_byte() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let stock = stock(&corpus);
    for name in ["deeds_a", "deeds_c", "syscalls_a"] {
        let capture = corpus.join(format!("newest/{name}.scap"));
        for (set, count, matching) in [("stable", 1, Matching::First), ("all", 3, Matching::All)] {
            let rules = stock[..count].iter().map(|f| f.as_path()).collect();
            let raised = Run { rules, suggested: true, matching, containers: true }.replay(&capture);
            for (suffix, json) in [("jsonl", true), ("txt", false)] {
                let truth = corpus.join(format!("newest/truth/{name}.alerts_{set}.{suffix}"));
                if let Ok(expected) = std::fs::read_to_string(&truth) {
                    same_lines(&truth, &expected, &raised, json);
                }
            }
        }
    }
}

fn same_lines(truth: &Path, expected: &str, raised: &[Raised], json: bool) {
    let layout = Layout { json, zone: TimeZone::UTC, ..Layout::default() };
    let mut ours = raised.iter().map(|r| r.alert.line(&layout));
    for (number, line) in expected.lines().enumerate() {
        assert_eq!(ours.next().as_deref(), Some(line), "{} line {}", truth.display(), number + 1);
    }
    assert_eq!(ours.next(), None, "{}", truth.display());
}

#[test]
fn container_rules_match_where_containers_are_known() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let stock = stock(&corpus);
    for name in ["mpm-event_full_capture", "mpm-preforked_full_capture"] {
        let rules = stock.iter().map(|f| f.as_path()).collect();
        let run = Run { rules, suggested: false, matching: Matching::All, containers: true };
        let raised = run.replay(&corpus.join(format!("captures/sysflow-telemetry_sf-collector__{name}.scap")));
        let count = |rule: &str| raised.iter().filter(|r| r.alert.rule == rule).count();
        assert_eq!(count("Change namespace privileges via unshare"), 1, "{name}");
        assert_eq!(count("Launch Sensitive Mount Container"), 2, "{name}");
    }
}
