//! Captures that a match begins, and what ends a run or a recording.

use crate::watched::{Home, PATIENCE, Watched, mark_of, own_scope};
use crate::{lines, peregrine};
use flate2::read::MultiGzDecoder;
use peregrine_testkit::second_reader;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A rule whose match begins a capture: of opening `begin` in the home, recorded for so many milliseconds.
fn begins(home: &Path, duration: u32) -> String {
    format!(
        "- rule: Begin\n  desc: d\n  condition: evt.type in (open, openat, openat2) and fd.name = {}/begin\n  \
         output: num=%evt.num time=%evt.rawtime\n  priority: NOTICE\n  capture: true\n  capture_duration: {duration}\n",
        home.display()
    )
}

/// A home with that rule.
fn home(duration: u32) -> Home {
    let home = Home::new("");
    let path = home.path("rules.yaml");
    let rules = std::fs::read_to_string(&path).unwrap() + &begins(path.parent().unwrap(), duration);
    std::fs::write(&path, rules).unwrap();
    std::fs::create_dir(home.path("q")).unwrap();
    home
}

/// What a capture holds: every event's time in nanoseconds, name and process. Two readers agree about how many.
fn events(path: &Path) -> Vec<(u64, String, String)> {
    let mut bytes = Vec::new();
    MultiGzDecoder::new(File::open(path).unwrap()).read_to_end(&mut bytes).expect("a whole file");
    let strict = second_reader::read(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert!(strict.sections == 1 && strict.threads > 0, "the state before the first event is there");
    let args = ["dump", path.to_str().unwrap(), "--json", "-p", "%evt.rawtime %fd.name %proc.name"];
    let dump = peregrine(&args).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let events: Vec<_> = lines(&dump)
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|event| (event["evt.rawtime"].as_u64().unwrap(), text(&event["fd.name"]), text(&event["proc.name"])))
        .collect();
    assert_eq!(strict.events.len(), events.len());
    events
}

/// The captures in a directory.
fn captures(home: &Home) -> Vec<PathBuf> {
    let all = std::fs::read_dir(home.path("")).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|extension| extension == "scap")).collect()
}

/// Opens files that no rule tells of for a while: their names.
fn quietly(home: &Home, from: usize, time: Duration) -> Vec<String> {
    let begun = Instant::now();
    let mut names = Vec::new();
    while begun.elapsed() < time {
        let name = home.text(&format!("q/{:05}", from + names.len()));
        drop(File::create(&name).unwrap());
        names.push(name);
        std::thread::park_timeout(Duration::from_millis(20));
    }
    names
}

/// The file has the seconds before the match, the match, and what followed up to the end that a second match put off.
#[test]
fn a_capture_holds_what_led_to_its_match() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let home = home(700);
    let (rules, prefix) = (home.text("rules.yaml"), format!("capture.path_prefix={}", home.text("x")));
    let watched = Watched::run(&["-r", &rules, "-o", "capture.enabled=true", "-o", &prefix]);
    let mut quiet = quietly(&home, 0, Duration::from_millis(2500));
    let figure = |alert: &Value, name: &str| alert["output_fields"][name].as_u64().unwrap();
    let begin = home.path("begin");
    drop(File::create(&begin).unwrap());
    let first = watched.alert();
    quiet.extend(quietly(&home, quiet.len(), Duration::from_millis(350)));
    drop(File::open(&begin).unwrap());
    let second = watched.alert();
    let matched = [&first, &second].map(|alert| figure(alert, "evt.rawtime"));
    let end = matched[1] + 700_000_000;
    let (started, mut said) = (Instant::now(), Vec::new());
    // An event after the end ends the file.
    while !said.iter().any(|line: &String| line.contains(" written, ")) {
        assert!(started.elapsed() < PATIENCE, "{said:#?}");
        quiet.extend(quietly(&home, quiet.len(), Duration::from_millis(50)));
        said.extend(watched.said());
    }
    let path = home.path(&format!("x_{:020}_{:020}.scap", matched[0], figure(&first, "evt.num")));
    assert_eq!(captures(&home), std::slice::from_ref(&path), "one file, named after the match");
    let events = events(&path);
    assert!(events.is_sorted_by_key(|event| event.0));
    let opened: Vec<&String> = events.iter().map(|event| &event.1).filter(|name| name.contains("/q/")).collect();
    // Each is opened and closed.
    let mut once = opened.clone();
    once.dedup();
    assert_eq!(once, quiet.iter().take(once.len()).collect::<Vec<_>>(), "all from the first on, in order");
    assert!(events.first().unwrap().0 + 2_000_000_000 <= matched[0], "seconds before");
    assert!(events.iter().any(|event| event.0 == matched[0] && event.1 == begin.to_str().unwrap()));
    let last = events.last().unwrap().0;
    assert!(last >= end, "up to the end: {last} and {end}");
    assert!(events.iter().filter(|event| event.0 >= end).count() == 1, "and not beyond it");
    let (status, _, said) = watched.stop();
    assert!(status.success(), "{said:#?}");
    assert_eq!(captures(&home).len(), 1);
}

/// A path that does not compress and does not exist.
fn noise(home: &Home, seed: &mut u64) -> PathBuf {
    let mut name = String::new();
    while name.len() < 200 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        name += &format!("{:08x}", *seed >> 32);
    }
    home.path("q").join(name)
}

/// Under Falco's name: the size of the file is what counts, and an alert says that it was reached.
#[test]
fn a_capture_ends_at_its_size() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let home = home(600_000);
    let config = format!(
        "engine: {{kind: modern_ebpf}}\njson_output: true\nstdout_output: {{enabled: true}}\nlog_stderr: true\n\
         log_syslog: false\nrules_files: [{}]\ncapture: {{enabled: true, path_prefix: {}, max_file_size_mb: 1}}\n",
        home.text("rules.yaml"),
        home.text("x")
    );
    std::fs::write(home.path("falco.yaml"), config).unwrap();
    let watched = Watched::falco(&home.path("falco.yaml"), &[]);
    let mut seed = 1;
    // More than a whole file before the match.
    for _ in 0..10_000 {
        assert!(File::open(noise(&home, &mut seed)).is_err());
    }
    drop(File::create(home.path("begin")).unwrap());
    assert_eq!(watched.alert()["rule"], "Begin");
    let begun = Instant::now();
    let full = loop {
        assert!(begun.elapsed() < PATIENCE, "{:#?}", watched.said());
        for _ in 0..100 {
            assert!(File::open(noise(&home, &mut seed)).is_err());
        }
        // Not faster than a small machine follows.
        if let Ok(line) = watched.out.recv_timeout(Duration::from_millis(5)) {
            break line.alert();
        }
    };
    let rule = "Falco internal: capture size limit reached";
    assert_eq!((&full["rule"], &full["priority"]), (&rule.into(), &"Informational".into()), "{full}");
    assert_eq!(full["output"], format!("{rule}. Configured limit: 1 MB."));
    let written = full["output_fields"]["written_bytes"].as_u64().unwrap();
    assert_eq!(full["output_fields"]["max_file_size_mb"], 1);
    let (status, _, said) = watched.stop();
    assert!(status.success(), "{said:#?}");
    let files = captures(&home);
    assert_eq!(files.len(), 1);
    let size = files[0].metadata().unwrap().len();
    let mib = 1 << 20;
    assert!(written >= mib && size >= written && size < mib + mib / 2, "said {written}, is {size}");
    let begin = home.text("begin");
    let events = events(&files[0]);
    let at = events.iter().position(|event| event.1 == begin).expect("the match");
    assert!(at > 100 && events.len() - at > 1000, "{at} before the match, {} in all", events.len());
}

#[test]
fn a_run_ends_after_its_time() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut home = Home::new("");
    let rules = home.text("rules.yaml");
    let config = "engine: {kind: modern_ebpf}\njson_output: true\nstdout_output: {enabled: true}\nlog_stderr: true\n\
                  log_syslog: false\n";
    std::fs::write(home.path("falco.yaml"), config).unwrap();
    for falco in [false, true] {
        let watched = match falco {
            false => Watched::run(&["-r", &rules, "--duration", "1s"]),
            true => Watched::falco(&home.path("falco.yaml"), &["-r", &rules, "-M", "1"]),
        };
        let begun = Instant::now();
        let mark = home.mark();
        assert_eq!(mark_of(&watched.alert()), mark);
        let (status, rest, said) = watched.end();
        assert!(status.success(), "{said:#?}");
        let figures = rest.first().map(|line| line.text.as_str());
        assert_eq!(figures, falco.then_some("Events detected: 1"));
        assert!(begun.elapsed() > Duration::from_millis(500), "it did not end at once");
    }
}

#[test]
fn a_run_ends_after_so_many_events() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut home = Home::new("");
    let (rules, stats) = (home.text("rules.yaml"), home.text("stats"));
    let mut watched = Watched::run(&["-r", &rules, "--stats", &stats, "--events", "40"]);
    let begun = Instant::now();
    while watched.child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "{:#?}", watched.said());
        home.mark();
        let _ = watched.out.recv_timeout(Duration::from_millis(20));
    }
    let (status, ..) = watched.end();
    assert!(status.success());
    let stats: Value = serde_json::from_slice(&std::fs::read(&stats).unwrap()).unwrap();
    let alerts = stats["alerts"]["Mark"].as_u64().unwrap();
    assert!((1..=40).contains(&alerts), "{stats}");
    assert_eq!(stats["outputs"]["stdout"]["delivered"], alerts);
}

/// The size and the number of events end a recording; what is there is whole.
#[test]
fn a_recording_ends_by_size_and_by_events() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    for limit in [["--max-size", "1"], ["--events", "500"]] {
        let home = home(1);
        let (file, scope) = (home.text("r.scap"), own_scope());
        let args = [&["record", "-o", &file, "--scope", &scope][..], &limit].concat();
        let mut recorder = peregrine(&args).stderr(std::process::Stdio::null()).spawn().unwrap();
        let (begun, mut seed) = (Instant::now(), 1);
        let status = loop {
            assert!(begun.elapsed() < PATIENCE, "{limit:?} never ends");
            assert!(File::open(noise(&home, &mut seed)).is_err());
            if let Some(status) = recorder.try_wait().unwrap() {
                break status;
            }
        };
        assert!(status.success(), "{limit:?}");
        let events = events(Path::new(&file));
        if limit[0] == "--events" {
            assert_eq!(events.len(), 500);
        } else {
            assert!(events.len() > 1000, "{}", events.len());
        }
    }
}
