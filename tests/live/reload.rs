//! Rules loaded anew while events go on: none is lost, each alert comes once, what is known of processes stays.

use crate::watched::{Home, Watched};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Most marks whose alerts are not there yet: what is outstanding stays far from filling a buffer.
const OUTSTANDING: usize = 16;
/// Quiet files opened and closed for each mark.
const QUIET: usize = 100;

/// The rules of one round: the one that counts is in all of them, the others need now these programs, now those.
fn write_rules(path: &Path, marks: &Path, round: usize) {
    let other = ["mkdir", "kill", "fchmod", "symlink", "getpriority"][round % 5];
    let text = format!(
        "- rule: Mark\n  desc: d\n  condition: evt.type in (open, openat, openat2) and fd.name startswith {}/\n  \
         output: mark=%fd.filename parent=%proc.pname\n  priority: NOTICE\n\
         - rule: Other {round}\n  desc: d\n  condition: evt.type={other} and proc.name=nobody{round}\n  \
         output: o\n  priority: NOTICE\n",
        marks.display()
    );
    // As editors save: a new file takes the place.
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, path).unwrap();
}

struct Marks {
    directory: PathBuf,
    made: usize,
    seen: BTreeMap<String, usize>,
}

impl Marks {
    /// Opens a file that a rule matches, among many that none does.
    fn make(&mut self, watched: &Watched) {
        for _ in 0..QUIET {
            drop(File::open("/dev/null").unwrap());
        }
        drop(File::create(self.directory.join(self.made.to_string())).unwrap());
        self.made += 1;
        while self.made - self.seen.values().sum::<usize>() > OUTSTANDING {
            self.take(&watched.alert());
        }
    }

    fn take(&mut self, alert: &Value) {
        assert_eq!(alert["rule"], "Mark", "{alert}");
        let name = alert["output_fields"]["fd.filename"].as_str().unwrap();
        *self.seen.entry(name.to_owned()).or_default() += 1;
        // Known from before the first event; a state begun anew would have to look it up once more.
        assert_ne!(alert["output_fields"]["proc.pname"], Value::Null, "{alert}");
    }
}

/// A run over rules of the first round, in a directory of its own.
struct Stage {
    _home: tempfile::TempDir,
    rules: PathBuf,
    stats: PathBuf,
    watched: Watched,
    marks: Marks,
}

impl Stage {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let (rules, stats) = (home.path().join("rules.yaml"), home.path().join("stats"));
        let directory = home.path().join("m");
        std::fs::create_dir(&directory).unwrap();
        write_rules(&rules, &directory, 0);
        let watched = Watched::run(&["-r", rules.to_str().unwrap(), "--stats", stats.to_str().unwrap()]);
        Self { _home: home, rules, stats, watched, marks: Marks { directory, made: 0, seen: BTreeMap::new() } }
    }
}

#[test]
fn rules_are_replaced_under_load_without_losing_an_event() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (reloads, events) = (number("PEREGRINE_RELOADS", 20), number("PEREGRINE_RELOAD_EVENTS", 100_000));
    let Stage { _home, rules, stats, watched, mut marks } = Stage::new();
    let (mut begun, mut done) = (0, 0);
    while done < reloads || marks.made * (QUIET + 1) * 2 < events {
        if begun == done && begun < reloads && marks.made * reloads * (QUIET + 1) * 2 >= begun * events {
            begun += 1;
            if begun % 3 == 0 {
                watched.signal(Signal::HUP);
            } else {
                write_rules(&rules, &marks.directory, begun);
            }
        }
        marks.make(&watched);
        for line in watched.said() {
            assert!(!line.contains("not loaded anew") && !line.contains("dropped in the last"), "{line}");
            done += usize::from(line.contains("loaded anew:"));
        }
    }
    while marks.seen.values().sum::<usize>() < marks.made {
        marks.take(&watched.alert());
    }
    let (status, rest, _) = watched.stop();
    assert!(status.success() && rest.is_empty(), "{} alerts too many", rest.len());
    let stats: Value = serde_json::from_slice(&std::fs::read(&stats).unwrap()).unwrap();
    println!("{} events, {} alerts, reloads {}", stats["events"], marks.made, stats["reloads"]);
    assert!(marks.seen.values().all(|n| *n == 1) && marks.seen.len() == marks.made);
    assert_eq!(stats["drops"], 0);
    assert_eq!(stats["alerts"]["Mark"], marks.made, "counters go on");
    assert_eq!(stats["reloads"]["refused"], 0);
    assert!(stats["reloads"]["done"].as_u64().unwrap() >= reloads as u64);
    assert!(stats["events"].as_u64().unwrap() >= events as u64);
}

#[test]
fn a_broken_file_leaves_the_rules_at_work() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let Stage { _home, rules, stats, watched, mut marks } = Stage::new();
    std::fs::write(&rules, "- rule: Mark\n  condition: nonsense.field = 1\n").unwrap();
    let alert = watched.alert();
    assert_eq!(
        (&alert["rule"], &alert["priority"]),
        (&"Falco internal: hot restart failure".into(), &"Critical".into())
    );
    assert!(alert["output"].as_str().unwrap().contains("rules.yaml"), "{alert}");
    watched.until("not loaded anew");
    marks.make(&watched);
    marks.take(&watched.alert());
    write_rules(&rules, &marks.directory, 1);
    watched.until("loaded anew:");
    marks.make(&watched);
    marks.take(&watched.alert());
    assert!(watched.stop().0.success());
    let stats: Value = serde_json::from_slice(&std::fs::read(&stats).unwrap()).unwrap();
    assert_eq!(stats["reloads"], serde_json::json!({"done": 1, "refused": 1}));
    assert_eq!(stats["alerts"]["Mark"], 2);
}

#[test]
fn captures_begin_and_end_with_the_configuration() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut home = Home::new("");
    let prefix = home.path("capture");
    let write = |home: &Home, enabled: bool| {
        let text = format!(
            "watch_config_files: true\nrules_files: [{}]\n\
             capture: {{enabled: {enabled}, mode: all_rules, path_prefix: {}, default_duration: 60000}}\n",
            home.text("rules.yaml"),
            prefix.display()
        );
        std::fs::write(home.path("peregrine.yaml"), text).unwrap();
    };
    let captures = |home: &Home| -> Vec<PathBuf> {
        let files = std::fs::read_dir(home.path("")).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|end| end == "scap")).collect()
    };
    write(&home, false);
    let watched = Watched::run(&["-c", &home.text("peregrine.yaml")]);
    home.mark();
    watched.alert();
    write(&home, true);
    watched.until("loaded anew");
    assert_eq!(captures(&home), [] as [PathBuf; 0]);
    let marked = home.mark();
    watched.alert();
    write(&home, false);
    watched.until("loaded anew");
    home.mark();
    watched.alert();
    let files = captures(&home);
    assert_eq!(files.len(), 1, "{files:?}");
    let (status, ..) = watched.stop();
    assert!(status.success());
    // What began with a reload is a capture like another: the event in it has the process that caused it.
    let rules = home.text("rules.yaml");
    let replayed = crate::peregrine(&["replay", "--json", files[0].to_str().unwrap(), "-r", &rules]).output().unwrap();
    let alerts: Vec<Value> =
        replayed.stdout.split(|b| *b == b'\n').filter_map(|l| serde_json::from_slice(l).ok()).collect();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0]["output_fields"]["fd.filename"], marked.as_str());
}

#[test]
fn it_ends_after_so_many_alerts() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut home = Home::new("");
    let watched = Watched::run(&["-r", &home.text("rules.yaml"), "--alerts", "2"]);
    (0..3).for_each(|_| drop(home.mark()));
    let (status, lines, _) = watched.end();
    assert!(status.success());
    assert_eq!(lines.len(), 2);
}
