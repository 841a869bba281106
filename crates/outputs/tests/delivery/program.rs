//! Programs: kept or started for each alert, dying, slow, deaf.

use crate::support::{alert, assert_settled, line, report, saying, settings, wait_until};
use peregrine_outputs::sinks::program;
use peregrine_outputs::{Cause, Outputs, Settings};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn start(command: &str, keep_alive: bool) -> Outputs {
    with(command, keep_alive, settings())
}

fn with(command: &str, keep_alive: bool, settings: Settings) -> Outputs {
    let program = program::Settings { program: command.into(), keep_alive };
    Outputs::start(&Settings { program: Some(program), ..settings }).expect("it starts")
}

struct Stage {
    dir: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn lines(&self, name: &str) -> Vec<String> {
        std::fs::read_to_string(self.path(name)).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

fn expected(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    numbers.map(|number| line(&alert(number), false)).collect()
}

/// Dies over every tenth alert that it is given, after it read it and before it did anything with it.
#[test]
fn one_that_dies_every_tenth_alert_loses_none() {
    let stage = Stage::new();
    let out = stage.path("out");
    let command = format!(
        "n=0; while IFS= read -r l; do n=$((n+1)); [ $n -eq 10 ] && exit 7; printf '%s\\n' \"$l\" >> {}; done",
        out.display()
    );
    let outputs = start(&command, true);
    (0..105).for_each(|number| outputs.send(alert(number)));
    let report = outputs.stop().remove(0);
    assert_settled(&report, 105);
    assert_eq!(report.delivered, 105, "{report:?}");
    assert!(report.reopened >= 10, "{report:?}");
    assert_eq!(stage.lines("out"), expected(0..105), "each once, in order");
}

/// Killed by a signal instead, and reading as much at a time as it can get.
#[test]
fn one_that_reads_ahead_has_nothing_to_read_ahead() {
    let stage = Stage::new();
    let script = stage.path("reader.pl");
    let text = "open(O, '>>', $ARGV[0]); O->autoflush(1); \
                while (sysread(STDIN, $b, 65536)) { for (split /^/, $b) { kill 9, $$ if ++$n == 10; print O } }";
    std::fs::write(&script, format!("use IO::Handle; {text}")).unwrap();
    let outputs = start(&format!("exec perl {} {}", script.display(), stage.path("out").display()), true);
    (0..25).for_each(|number| outputs.send(alert(number)));
    let report = outputs.stop().remove(0);
    assert_eq!(report.delivered, 25, "{report:?}");
    assert_eq!(stage.lines("out"), expected(0..25));
}

/// One alert kills whoever gets it: it is given up, the others arrive.
#[test]
fn an_alert_that_kills_is_given_up() {
    let stage = Stage::new();
    let command = format!(
        "while IFS= read -r l; do case \"$l\" in *poison*) kill -9 $$;; esac; printf '%s\\n' \"$l\" >> {}; done",
        stage.path("out").display()
    );
    let outputs = start(&command, true);
    outputs.send(alert(0));
    outputs.send(saying("poison"));
    outputs.send(alert(1));
    let report = outputs.stop().remove(0);
    assert_settled(&report, 3);
    assert_eq!((report.delivered, report.lost_to(Cause::Program)), (2, 1), "{report:?}");
    assert_eq!(stage.lines("out"), expected(0..2));
}

/// It dies over the last alert for a long time: nobody needs to wait for the next one to notice.
#[test]
fn a_death_is_noticed_without_another_alert() {
    let stage = Stage::new();
    let (mark, out) = (stage.path("mark"), stage.path("out"));
    let command = format!(
        "while IFS= read -r l; do [ -e {m} ] || {{ : > {m}; exit 1; }}; printf '%s\\n' \"$l\" >> {o}; done",
        m = mark.display(),
        o = out.display()
    );
    let outputs = start(&command, true);
    outputs.send(alert(0));
    wait_until("its successor got it", || stage.lines("out") == expected(0..1));
    wait_until("that counts", || report(&outputs, "program").delivered == 1);
}

#[test]
fn one_a_line_for_each_alert() {
    let stage = Stage::new();
    let outputs = start(&format!("cat >> {}", stage.path("out").display()), false);
    let large = saying(&"é\n".repeat(300_000));
    (0..5).for_each(|number| outputs.send(alert(number)));
    outputs.send(large.clone());
    assert_eq!(outputs.stop()[0].delivered, 6);
    let mut lines = expected(0..5);
    lines.push(line(&large, false));
    assert_eq!(stage.lines("out"), lines);
}

#[test]
fn one_that_reads_nothing_and_is_content_is_content() {
    let stage = Stage::new();
    let outputs = start(&format!("echo called >> {}", stage.path("out").display()), false);
    (0..3).for_each(|number| outputs.send(alert(number)));
    outputs.send(saying(&"x".repeat(1 << 20)));
    let report = outputs.stop().remove(0);
    assert_eq!((report.delivered, report.lost_total()), (4, 0), "{report:?}");
    assert_eq!(stage.lines("out").len(), 4);
}

/// A bad status after the alert was read is a loss, and no reason to call a pager twice.
#[test]
fn a_bad_status_is_a_loss_and_is_not_repeated() {
    let stage = Stage::new();
    let outputs = start(&format!("cat >> {}; exit 1", stage.path("out").display()), false);
    outputs.send(alert(0));
    let report = outputs.stop().remove(0);
    assert_eq!((report.delivered, report.lost_to(Cause::Program)), (0, 1), "{report:?}");
    assert_eq!(stage.lines("out").len(), 1);
}

#[test]
fn a_command_that_is_not_there_yet_is_waited_for() {
    for keep_alive in [false, true] {
        let stage = Stage::new();
        let tool = stage.path("tool");
        let outputs = start(&tool.display().to_string(), keep_alive);
        outputs.send(alert(0));
        wait_until("it is tried again and again", || report(&outputs, "program").retries > 4);
        script(&tool, &format!("#!/bin/sh\nexec cat >> {}\n", stage.path("out").display()));
        let report = outputs.stop().remove(0);
        assert_eq!((report.delivered, report.lost_total()), (1, 0), "{report:?}");
        assert_eq!(stage.lines("out"), expected(0..1));
    }
}

/// Written under another name and moved, so that it is never started half written.
fn script(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    let draft = path.with_extension("draft");
    std::fs::write(&draft, text).unwrap();
    std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::rename(&draft, path).unwrap();
}

/// One that never reads hangs alone; opening anew replaces it, and its successor gets what it would not take.
#[test]
fn a_deaf_one_is_replaced_when_it_is_opened_anew() {
    let stage = Stage::new();
    let command = format!(
        "if mkdir {} 2>/dev/null; then echo $$ > {}; exec sleep 600; fi; exec cat >> {}",
        stage.path("first").display(),
        stage.path("pid").display(),
        stage.path("out").display()
    );
    let outputs = with(&command, true, Settings { timeout: Duration::from_millis(20), ..settings() });
    outputs.send(alert(0));
    wait_until("it hangs", || report(&outputs, "program").timeouts == 1 && !stage.lines("pid").is_empty());
    let pid = stage.lines("pid").remove(0);
    outputs.reopen();
    let report = outputs.stop().remove(0);
    assert_eq!((report.delivered, report.lost_total()), (1, 0), "{report:?}");
    assert_eq!(stage.lines("out"), expected(0..1));
    assert!(!Path::new("/proc").join(&pid).exists(), "neither alive nor a zombie");
}

/// At the end a kept program is given time to finish, one that will not is ended, and none is left.
#[test]
fn nothing_is_left_running() {
    let short = Duration::from_millis(700);
    for (command, grace, delivered) in [
        ("cat > /dev/null; sleep 0.05; echo done >", settings().grace, 1),
        ("trap '' TERM; cat >/dev/null; sleep 600 #", short, 0),
    ] {
        let stage = Stage::new();
        let command = format!("echo $$ > {}; {command} {}", stage.path("pid").display(), stage.path("out").display());
        let outputs = with(&command, true, Settings { grace, ..settings() });
        outputs.send(alert(0));
        let report = outputs.stop().remove(0);
        assert_settled(&report, 1);
        assert_eq!(report.delivered, delivered, "{command}: {report:?}");
        assert_eq!(stage.lines("out").len() as u64, delivered);
        let pid = stage.lines("pid").remove(0);
        assert!(!Path::new("/proc").join(&pid).exists(), "{command}: neither alive nor a zombie");
    }
}
