//! A file that is rotated while alerts are written to it.

use crate::watched::{Home, PATIENCE, Watched, mark_of};
use rustix::process::Signal;
use serde_json::Value;
use std::path::Path;
use std::time::Instant;

/// The marks that a file's lines tell of; the last line is whole.
fn marks(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{} ends within a line", path.display());
    text.lines().map(|line| mark_of(&serde_json::from_str::<Value>(line).unwrap()).to_owned()).collect()
}

/// As logrotate does it: renamed, then told by a signal. Every alert is in one of the files, once, in order.
#[test]
fn rotated_files_lose_nothing() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    for keep_alive in [true, false] {
        let mut home = Home::new("");
        let file = home.path("alerts");
        let (rules, stats) = (home.text("rules.yaml"), home.text("stats"));
        let (name, keep) =
            (format!("file_output.filename={}", file.display()), format!("file_output.keep_alive={keep_alive}"));
        let options = ["-o", "file_output.enabled=true", "-o", &name, "-o", &keep];
        let watched = Watched::run(&[&["-r", &rules, "--stats", &stats][..], &options].concat());
        let mut all: Vec<String> = (0..50).map(|_| home.mark()).collect();
        for rotation in 0..5 {
            let begun = Instant::now();
            // There is a file before it is moved away.
            while !file.exists() {
                assert!(begun.elapsed() < PATIENCE, "no file after rotation {rotation}: {:#?}", watched.said());
                all.push(home.mark());
            }
            std::fs::rename(&file, home.path(&format!("alerts.{rotation}"))).unwrap();
            all.extend((0..20).map(|_| home.mark()));
            if keep_alive {
                watched.signal(Signal::USR1);
            }
            all.extend((0..20).map(|_| home.mark()));
        }
        let seen: Vec<String> = all.iter().map(|_| mark_of(&watched.alert()).to_owned()).collect();
        assert_eq!(seen, all, "on standard output");
        let (status, rest, said) = watched.stop();
        assert!(status.success() && rest.is_empty(), "{said:#?}");
        let parts: Vec<Vec<String>> =
            (0..5).map(|rotation| marks(&home.path(&format!("alerts.{rotation}")))).chain([marks(&file)]).collect();
        assert_eq!(parts.concat(), all, "in the files");
        let stats: Value = serde_json::from_slice(&std::fs::read(&stats).unwrap()).unwrap();
        assert_eq!(
            stats["outputs"]["file"],
            serde_json::json!({"offered": all.len(), "delivered": all.len(), "lost": {}})
        );
    }
}
