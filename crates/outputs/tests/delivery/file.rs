//! Files: whole lines, rotation, disks that are full.

use crate::support::{alert, assert_settled, line, report, saying, settings, wait_until};
use peregrine_outputs::sinks::file;
use peregrine_outputs::{Cause, Outputs, Settings};
use std::path::Path;

fn start(path: &Path, keep_alive: bool) -> Outputs {
    let file = file::Settings { path: path.into(), keep_alive, buffered: false };
    Outputs::start(&Settings { file: Some(file), ..settings() }).expect("it starts")
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[test]
fn lines_are_appended_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.txt");
    std::fs::write(&path, "from before\n").unwrap();
    let outputs = start(&path, true);
    let large = saying(&"\u{7}\n".repeat(500_000));
    (0..50).for_each(|number| outputs.send(alert(number)));
    outputs.send(large.clone());
    assert_settled(&outputs.stop()[0], 51);
    let mut expected = vec!["from before".to_owned()];
    expected.extend((0..50).map(|number| line(&alert(number), false)));
    expected.push(line(&large, false));
    assert_eq!(lines(&path), expected);
}

/// Rotation by renaming: without keep_alive the next line makes a new file, with it only the signal does.
#[test]
fn a_file_that_is_moved_away() {
    let dir = tempfile::tempdir().unwrap();
    let (path, moved) = (dir.path().join("events.txt"), dir.path().join("events.txt.1"));
    for keep_alive in [false, true] {
        let outputs = start(&path, keep_alive);
        let send = |number, delivered| {
            outputs.send(alert(number));
            wait_until("it is written", || report(&outputs, "file").delivered == delivered);
        };
        send(0, 1);
        std::fs::rename(&path, &moved).unwrap();
        send(1, 2);
        assert_eq!(lines(&moved).len(), if keep_alive { 2 } else { 1 });
        assert_eq!(path.exists(), !keep_alive);
        outputs.reopen();
        wait_until("the file is made anew at once", || path.exists() && report(&outputs, "file").reopened == 1);
        send(2, 3);
        assert_eq!(lines(&path).last(), Some(&line(&alert(2), false)));
        assert_eq!(lines(&path).len() + lines(&moved).len(), 3);
        drop(outputs);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_directory_that_comes_later_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("later/events.txt");
    let outputs = start(&path, false);
    outputs.send(alert(0));
    wait_until("it failed", || report(&outputs, "file").retries > 0);
    std::fs::create_dir(dir.path().join("later")).unwrap();
    outputs.send(alert(1));
    assert_eq!(outputs.stop()[0].delivered, 2);
    assert_eq!(lines(&path), [line(&alert(0), false), line(&alert(1), false)]);
}

#[test]
fn a_full_disk_is_a_loss_with_its_cause() {
    let file = file::Settings { path: "/dev/full".into(), ..file::Settings::default() };
    let max_age = std::time::Duration::from_millis(50);
    let outputs = Outputs::start(&Settings { file: Some(file), max_age, ..settings() }).unwrap();
    outputs.send(alert(0));
    wait_until("it is given up", || report(&outputs, "file").lost_to(Cause::Io) == 1);
}
