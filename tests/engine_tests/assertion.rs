//! Upstream's assertions, read and checked.

use crate::case::{Case, Ran};
use peregrine_alert::Priority;
use peregrine_alert::time::iso8601;
use regex::Regex;
use serde_json::Value;

/// Checks an assertion. `answer` is what upstream's engine says of the same replay today.
///
/// # Errors
/// What is so instead.
///
/// # Panics
/// When the assertion is not understood.
pub fn check(text: &str, case: &Case, runs: &[Ran], answer: Option<&Value>) -> Result<(), String> {
    // Of several runs the last is the one that fails; all others must hold what is said.
    let (last, others) = runs.split_last().expect("a run");
    if others.is_empty() || text.starts_with("Error(") {
        return check_one(text, case, last, answer);
    }
    let failing = case.assertions().iter().any(|text| text.starts_with("Error("));
    others.iter().chain((!failing).then_some(last)).try_for_each(|ran| check_one(text, case, ran, answer))
}

fn check_one(text: &str, case: &Case, ran: &Ran, answer: Option<&Value>) -> Result<(), String> {
    let not_understood = || -> ! { panic!("{}: the assertion {text} is not understood", case.name()) };
    let text = text.replace("falcoRes.", "res.");
    let Some((verb, inner)) = text.split_once("(t, ") else { not_understood() };
    let arguments = inner.strip_suffix(')').unwrap_or(inner);
    match verb {
        // The corpus holds the pattern's beginning alone, and of another text nothing at all.
        "Regexp" if arguments == "regexp.MustCompile(" => return Err("the pattern is not given".into()),
        "Contains" if arguments == "out, output" => return Err("the text is not given".into()),
        "Contains" if arguments.starts_with("out, \"") => {
            let part = arguments["out, \"".len()..].trim_end_matches('"');
            return equal(i64::from(ran.stdout.contains(part)), 1);
        }
        "Regexp" | "NotRegexp" => return matches(arguments, verb == "Regexp", ran),
        "NoError" if arguments == "metricsErr" => {
            let told =
                ["falcosecurity_scap_engine_name_info{engine_name=\"nodriver\"", "falcosecurity_falco_version_info"];
            let missing = told.iter().find(|part| !ran.answer.contains(**part));
            return missing.map_or(Ok(()), |part| Err(format!("no {part}")));
        }
        // The test's own files could be read.
        "Nil" | "NoError" if matches!(arguments, "err" | "err1" | "err2" | "scanner.Err()") => return Ok(()),
        "Equal" if arguments == "string(expectedContent), string(actualContent)" => {
            let written = std::fs::read_to_string(case.written()).map_err(|e| e.to_string())?;
            return same_lines(case, &written.lines().map(str::to_owned).collect::<Vec<_>>(), answer);
        }
        "NoError" | "Error" if arguments.starts_with("res.Err()") => {
            return equal(i64::from(ran.code != 0), i64::from(verb == "Error"));
        }
        "True" if arguments == "res.RuleValidation().At(0).Successful" => {
            return equal(i64::from(ran.results[0]["successful"] == true), 1);
        }
        "NotNil" => return present(arguments, case, ran).unwrap_or_else(|| not_understood()),
        "Contains" if arguments == "res.Stdout(), scanner.Text()" => return same_lines(case, &ran.lines, answer),
        "JSONEq" if arguments == "expectedLine, outputLines[i]" => return same_lines(case, &ran.lines, answer),
        _ => {}
    }
    let (expected, quantity) = match verb {
        "Zero" | "NotZero" => (0, arguments),
        "Equal" => {
            let Some((first, second)) = arguments.split_once(", ") else { not_understood() };
            // Some are written the other way around.
            match (first.parse::<i64>(), second.parse::<i64>()) {
                (Ok(number), _) => (number, second),
                (_, Ok(number)) => (number, first),
                _ => not_understood(),
            }
        }
        _ => not_understood(),
    };
    let Some(count) = count(quantity, ran) else { not_understood() };
    if verb == "NotZero" { (count != 0).then_some(()).ok_or_else(|| "0".into()) } else { equal(count, expected) }
}

fn equal(is: i64, expected: i64) -> Result<(), String> {
    if is == expected { Ok(()) } else { Err(is.to_string()) }
}

/// The number that an expression stands for.
fn count(quantity: &str, ran: &Ran) -> Option<i64> {
    let alerts = |wanted: &dyn Fn(&Value) -> bool| {
        assert!(ran.is_json || ran.lines.is_empty(), "alerts are counted from JSON");
        ran.alerts.iter().filter(|alert| wanted(alert)).count() as i64
    };
    match quantity {
        "res.ExitCode()" => return Some(i64::from(ran.code)),
        "res.Detections().Count()" => return Some(alerts(&|_| true)),
        "res.RuleValidation().AllErrors().Count()" => return Some(listed(ran, "errors").count() as i64),
        _ => {}
    }
    let named = |of: &str| {
        let name = quantity.strip_prefix(of)?.strip_suffix(").Count()")?;
        let inner = |mark: char| name.strip_prefix(mark)?.strip_suffix(mark);
        inner('"').or_else(|| inner('`'))
    };
    if let Some(rule) = named("res.Detections().OfRule(") {
        return Some(alerts(&|alert| alert["rule"] == rule));
    }
    let priority: Priority = named("res.Detections().OfPriority(")?.parse().ok()?;
    Some(alerts(&|alert| alert["priority"].as_str().is_some_and(|text| text.parse() == Ok(priority))))
}

/// Errors or warnings of all files.
fn listed<'r>(ran: &'r Ran, kind: &'static str) -> impl Iterator<Item = &'r Value> {
    ran.results.iter().flat_map(move |result| result[kind].as_array().expect("a list"))
}

/// An error or warning is there: of an expected code, or about an item with a name.
fn present(arguments: &str, case: &Case, ran: &Ran) -> Option<Result<(), String>> {
    if let Some(item) = arguments.strip_prefix("warnings.OfItemName(\"").and_then(|rest| rest.strip_suffix("\")")) {
        let about = |warning: &Value| {
            let locations = warning["context"]["locations"].as_array().expect("locations");
            case.codes().any(|code| warning["code"] == code)
                && locations.iter().any(|location| location["item_name"] == item)
        };
        return Some(listed(ran, "warnings").any(about).then_some(()).ok_or_else(|| "none".into()));
    }
    let kind = match arguments {
        "res.RuleValidation().AllErrors()." => "errors",
        "res.RuleValidation().AllWarnings()." => "warnings",
        _ => return None,
    };
    let mut expected = case.codes().filter(|code| code.starts_with("LOAD_ERR_") == (kind == "errors")).peekable();
    expected.peek()?;
    let missing: Vec<_> = expected.filter(|code| listed(ran, kind).all(|found| found["code"] != *code)).collect();
    Some(if missing.is_empty() { Ok(()) } else { Err(format!("no {}", missing.join(", "))) })
}

/// `` `pattern`, res.Stderr() ``
fn matches(arguments: &str, wanted: bool, ran: &Ran) -> Result<(), String> {
    let (pattern, stream) = arguments.strip_prefix('`').and_then(|rest| rest.rsplit_once("`, ")).expect("a pattern");
    let text = match stream {
        "res.Stdout()" => &ran.stdout,
        "res.Stderr()" => &ran.stderr,
        other => panic!("the stream {other} is not understood"),
    };
    // As upstream: a `^` is the beginning of the whole text.
    let found = Regex::new(pattern).expect("a pattern").is_match(text);
    if found == wanted { Ok(()) } else { Err((if found { "there" } else { "not there" }).into()) }
}

/// The alerts are what the test says, but for the enter events, which are no events of their own any more: of its
/// lines those remain whose event upstream still alerts on.
fn same_lines(case: &Case, lines: &[String], answer: Option<&Value>) -> Result<(), String> {
    let text = std::fs::read_to_string(case.output.as_ref().expect("an output")).expect("the expected lines");
    let alerts = answer.expect("an answer")["alerts"].as_array().expect("alerts");
    let still: Vec<String> = alerts.iter().map(|a| iso8601(a["ts"].as_u64().expect("a time"))).collect();
    let expected: Vec<&str> = text.lines().filter(|line| still.iter().any(|time| line.contains(time))).collect();
    assert_eq!(expected.len(), alerts.len(), "{}", case.name());
    assert!(!expected.is_empty());
    let ours: Vec<&str> = lines.iter().map(String::as_str).collect();
    let same = |(ours, expected): (&&str, &&str)| match value(expected) {
        Some(expected) => value(ours) == Some(expected),
        None => ours == expected,
    };
    let all = ours.len() == expected.len() && ours.iter().zip(&expected).all(same);
    if all { Ok(()) } else { Err(format!("{} lines: {}", ours.len(), ours.join(" / "))) }
}

fn value(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok()
}

/// Alerts are those of upstream's answer, event by event, in its order; where a test switches rules off, those that are
/// left of it. Of lines that are not JSON the number is compared.
pub fn same_order(case: &Case, ran: &Ran, answer: &Value) {
    let silent = case.silent_rules();
    let theirs: Vec<(&str, String)> = answer["alerts"]
        .as_array()
        .expect("alerts")
        .iter()
        .map(|alert| (alert["rule"].as_str().expect("a rule"), iso8601(alert["ts"].as_u64().expect("a time"))))
        .filter(|(rule, _)| !silent.contains(rule))
        .collect();
    if !ran.is_json {
        // What the program says of itself came without options in no answer.
        let ours = ran.lines.iter().filter(|line| !line.contains(" Falco internal: ")).count();
        assert_eq!(ours, theirs.len(), "{}", case.name());
        return;
    }
    let time = |alert: &Value| alert["time"].as_str().expect("a time").replace('Z', "+0000");
    let ours: Vec<(&str, String)> =
        ran.alerts.iter().map(|alert| (alert["rule"].as_str().expect("a rule"), time(alert))).collect();
    assert_eq!(ours, theirs, "{}", case.name());
}
