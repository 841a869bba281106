//! Dropped events, and none at all: what is then done, as often as the configuration allows.

use crate::watched::{Home, Line, PATIENCE, Watched, mark_of};
use serde_json::Value;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// Between two deeds.
const PACE: Duration = Duration::from_millis(20);

const DROP: &str = "Falco internal: syscall event drop";

/// Does deeds until the log says so: the lines of standard output that were no marks, and what was said.
fn busy_until(home: &mut Home, watched: &Watched, part: &str) -> (Vec<Line>, Vec<String>) {
    let (begun, mut others, mut said) = (Instant::now(), Vec::new(), Vec::new());
    while !said.iter().any(|line: &String| line.contains(part)) {
        assert!(begun.elapsed() < PATIENCE, "no {part}: {said:#?}");
        home.mark();
        match watched.out.recv_timeout(PACE) {
            Ok(line) if !line.text.contains("mark=") => others.push(line),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            // It ended; what it said is still to come.
            Err(RecvTimeoutError::Disconnected) => said.push(watched.until(part)),
        }
        said.extend(watched.said());
    }
    (others, said)
}

fn drops(home: &Home, more: &[&str]) -> Vec<String> {
    let mut all = vec!["-r".to_owned(), home.text("rules.yaml")];
    for option in ["syscall_event_drops.simulate_drops=true"].iter().chain(more) {
        all.extend(["-o".to_owned(), (*option).to_owned()]);
    }
    all
}

fn strs(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

/// Under Falco's name: two tokens and no new ones, so twice it is logged and alerted, and then only counted. The least
/// priority of rules is above that of the alert: Falco's pages say that it then stays away, its program does not look.
#[test]
fn pretended_drops_are_told_of_as_long_as_tokens_last() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut home = Home::new("");
    let config = "engine: {kind: modern_ebpf}\njson_output: true\nstdout_output: {enabled: true}\nlog_stderr: true\n\
                  log_syslog: false\npriority: notice\nsyscall_event_drops: {actions: [log, alert], rate: 0, max_burst: 2}\n";
    std::fs::write(home.path("falco.yaml"), config).unwrap();
    let watched = Watched::falco(&home.path("falco.yaml"), &strs(&drops(&home, &[])));
    let (mut others, said) = busy_until(&mut home, &watched, "Syscall event drop but token bucket depleted");
    let (status, rest, end) = watched.stop();
    assert!(status.success(), "{end:#?}");
    let of = |part: &str| said.iter().filter(|line| line.contains(part)).count();
    assert!(of("Simulating syscall event drop") >= 3);
    assert_eq!(of(&format!("{DROP}. 1 system calls dropped in last second;")), 2, "{said:#?}");
    others.extend(rest.into_iter().filter(|line| line.text.contains(DROP)));
    let alerts: Vec<Value> = others.iter().map(Line::alert).collect();
    assert_eq!(alerts.len(), 2, "{alerts:#?}");
    for alert in &alerts {
        assert_eq!(
            (&alert["rule"], &alert["priority"], &alert["source"]),
            (&DROP.into(), &"Debug".into(), &"internal".into())
        );
        assert_eq!(alert["output"], format!("{DROP}. 1 system calls dropped in last second."));
        let fields = &alert["output_fields"];
        assert_eq!((&fields["n_drops"], &fields["ebpf_enabled"]), (&"1".into(), &"1".into()), "{fields}");
        assert!(fields["n_evts"].as_str().unwrap().parse::<u64>().unwrap() > 0, "{fields}");
    }
    let noticed = end.iter().find_map(|line| line.split_once("event drop detected: "));
    let noticed: u64 = noticed.unwrap().1.trim_end_matches(" occurrences").parse().unwrap();
    assert!(noticed >= 3, "{end:#?}");
    assert!(end.iter().any(|line| line.ends_with("num times actions taken: 2")), "{end:#?}");
}

#[test]
fn drops_can_be_ignored() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut home = Home::new("");
    let watched = Watched::run(&strs(&drops(&home, &["syscall_event_drops.actions[]=ignore"])));
    let (others, said) = busy_until(&mut home, &watched, "Simulating syscall event drop");
    let (status, rest, end) = watched.stop();
    assert!(status.success(), "{end:#?}");
    assert!(others.is_empty() && rest.iter().all(|line| line.text.contains("mark=")));
    assert!(said.iter().chain(&end).all(|line| !line.contains("system calls dropped in last second")));
}

/// It ends itself, says why, and what was raised before is delivered.
#[test]
fn drops_can_be_the_end() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut home = Home::new("");
    let watched = Watched::run(&strs(&drops(&home, &["syscall_event_drops.actions[]=exit"])));
    let first = home.mark();
    assert_eq!(mark_of(&watched.alert()), first);
    let (_, said) = busy_until(&mut home, &watched, "system calls dropped in last second. Exiting.");
    let (status, _, end) = watched.end();
    assert_eq!(status.code(), Some(3), "{said:#?} {end:#?}");
    let told = |line: &String| line.contains("events were dropped; ending, as configured");
    assert!(said.iter().chain(&end).any(told), "{said:#?} {end:#?}");
}

/// Nothing happens for a while, then something, then nothing again.
#[test]
fn silence_is_told_of() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut home = Home::new("");
    let rules = home.text("rules.yaml");
    let watched = Watched::run(&["-r", &rules, "-o", "syscall_event_timeouts.max_consecutives=3"]);
    let notice = |alert: &Value| {
        let rule = "Falco internal: timeouts notification";
        assert_eq!((&alert["rule"], &alert["priority"]), (&rule.into(), &"Debug".into()), "{alert}");
        assert_eq!(alert["output"], format!("{rule}. 3 consecutive timeouts without event."));
        alert["output_fields"]["last_event_time"].as_str().unwrap().to_owned()
    };
    // Nothing was ever seen, unless the test's other threads had something to do.
    notice(&watched.alert());
    let mark = home.mark();
    let alerts: Vec<Value> = std::iter::repeat_with(|| watched.alert()).take(20).collect();
    let at = alerts.iter().position(|alert| alert["rule"] == "Mark").expect("the mark among the notices");
    assert_eq!(mark_of(&alerts[at]), mark);
    let clock = regex::Regex::new(r"^\d\d:\d\d:\d\d\.\d{9}$").unwrap();
    for alert in &alerts[at + 1..] {
        let last = notice(alert);
        assert!(clock.is_match(&last), "{last}");
    }
    assert!(watched.stop().0.success());
}
