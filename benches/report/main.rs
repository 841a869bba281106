//! `make bench`: records its own workload, measures replay and live detection, writes `docs/benchmarks.md`.
//!
//! The rules are the 93 of upstream's three files where the corpus is there (`PEREGRINE_CORPUS`, or `../shared/corpus`
//! beside the checkout), else our own; the page says which. Live figures need root and a kernel with BTF.
#![forbid(unsafe_code)]

mod workload;

use peregrine::bench::{Figures, measure};
use peregrine::cli::RulesArgs;
use peregrine::config::Config;
use peregrine::playback::Playback;
use peregrine::ruleset;
use serde_json::Value;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Rounds of the recorded workload: more than five million events.
const ROUNDS: u64 = 1_300_000;
/// Rounds of the program that is watched live; upstream's figures are of as many.
const PLAIN: u64 = 666_667;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["workload", kind, times, dir] => work(kind, times.parse().expect("a number"), Path::new(dir)),
        _ => report(),
    }
}

fn work(kind: &str, times: u64, dir: &Path) {
    let done = if kind == "mixed" { workload::mixed(dir, times) } else { workload::plain(dir, times) };
    done.expect("the workload runs");
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    println!("{}", time.tv_sec as f64 + time.tv_nsec as f64 / 1e9);
}

fn report() {
    let dir = tempfile::tempdir().expect("a directory");
    let corpus = corpus();
    let (rules, which) = rules(corpus.as_deref());
    let mut page = header(&which);
    let live = Path::new("/sys/kernel/btf/vmlinux").exists() && rustix::process::geteuid().is_root();
    let mut captures = Vec::new();
    if live {
        let recorded = dir.path().join("workload.scap");
        record(&recorded, dir.path());
        captures.push(("the workload below".to_owned(), recorded));
    }
    captures.extend(corpus.iter().flat_map(|corpus| corpus_captures(corpus)));
    replay_table(&mut page, &captures, &rules);
    if live {
        live_table(&mut page, dir.path(), &rules);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/benchmarks.md");
    std::fs::write(&path, &page).expect("docs/benchmarks.md can be written");
    print!("{page}");
}

fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("PEREGRINE_CORPUS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    named.into_iter().chain([beside]).find(|dir| dir.join("captures").is_dir())
}

fn rules(corpus: Option<&Path>) -> (Vec<PathBuf>, String) {
    let Some(corpus) = corpus else {
        return (vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")], "our own 10 rules".into());
    };
    let file = |name| corpus.join(format!("rules/upstream_rules/falcosecurity_rules__rules_{name}_rules.yaml"));
    (
        ["falco", "falco-incubating", "falco-sandbox"].map(file).into(),
        "upstream's 93 rules (stable, incubating, sandbox)".into(),
    )
}

fn header(rules: &str) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("\t: unknown");
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = rustix::system::uname();
    format!(
        "# What it costs\n\n\
         Written by `make bench` (`benches/report/`). Machine: {} ({cpus} cores), kernel {}. Rules: {rules}.\n",
        model.trim_start_matches(['\t', ':', ' ']),
        kernel.release().to_string_lossy(),
    )
}

fn corpus_captures(corpus: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for dir in ["captures", "newest"] {
        for entry in std::fs::read_dir(corpus.join(dir)).expect("the corpus can be read") {
            let path = entry.expect("the corpus can be read").path();
            if path.extension().is_some_and(|ext| ext == "scap") {
                found.push((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), path));
            }
        }
    }
    found.sort();
    found
}

fn peregrine() -> Command {
    Command::new(env!("CARGO_BIN_EXE_peregrine"))
}

/// Records the mixed workload.
fn record(to: &Path, dir: &Path) {
    eprintln!("recording {ROUNDS} rounds of the workload");
    let own = std::env::current_exe().expect("own path");
    let status = peregrine()
        .args(["record", "--plain", "-o"])
        .arg(to)
        .arg("--")
        .arg(own)
        .args(["workload", "mixed", &ROUNDS.to_string()])
        .arg(dir)
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("it starts").success(), "recording failed");
}

fn replay_table(page: &mut String, captures: &[(String, PathBuf)], rules: &[PathBuf]) {
    let config = Config::default();
    let playback = Playback::new(&config);
    let args = RulesArgs { rules: rules.to_vec() };
    let loaded = ruleset::load(&config, &args, &playback.fields).unwrap_or_else(|e| panic!("{e:?}"));
    page.push_str(
        "\n## Replay\n\nCPU time on one core; each pass begins with a fresh state, loading is not timed; the fastest pass. Allocations are \
         those on events that\nraise no alert and bring no new state (no process or descriptor made, changed or ended), all together.\n\n\
         | capture | events | alerts | ns/event | events/s | allocations |\n|---|--:|--:|--:|--:|--:|\n",
    );
    let allocated = || ALLOCATOR.stats().allocations as u64 + ALLOCATOR.stats().reallocations as u64;
    for (name, path) in captures {
        eprintln!("replaying {name}");
        match measure(path, &loaded.rules, &config, Some(&allocated)) {
            Ok(figures) => row(page, name, &figures),
            Err(error) => panic!("{name}: {error:?}"),
        }
    }
    page.push_str("\nThe workload: open, read and close a file; every 4th time write and remove one, every 8th a loopback TCP exchange,\nevery 200th start a program.\n");
}

fn row(page: &mut String, name: &str, figures: &Figures) {
    let Figures { events, alerts, best, allocations: (allocations, counted), .. } = *figures;
    let rate = if best > 0.0 { 1e3 / best } else { 0.0 };
    let _ = writeln!(page, "| {name} | {events} | {alerts} | {best:.0} | {rate:.2} M | {allocations} on {counted} |");
}

fn live_table(page: &mut String, dir: &Path, rules: &[PathBuf]) {
    let _ = write!(
        page,
        "\n## Live\n\nA program that opens, reads and closes a file {PLAIN} times, alone and watched; every open and close is delivered with its\n\
         path. Rings of 8 MiB for each CPU, counted once in the memory. The program's time is its CPU time, of two programs the sum; what\n\
         the kernel programs cost is charged to it.\n\n\
         | programs at once | CPU s alone | CPU s watched | slower | events | dropped | Peregrine CPU s | peak RSS MiB |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    for programs in [1, 2] {
        eprintln!("watching {programs} programs");
        let alone = best_of(3, || seconds(programs, dir));
        let watched = (0..3).map(|_| watched(programs, dir, rules)).min_by(|a, b| a.0.total_cmp(&b.0)).expect("three");
        let (time, stats) = watched;
        let number = |key: &str| stats[key].as_f64().unwrap_or(0.0);
        let _ = writeln!(
            page,
            "| {programs} | {alone:.2} | {time:.2} | {:+.0} % | {} | {} | {:.2} | {:.0} |",
            (time / alone - 1.0) * 100.0,
            number("events"),
            number("drops"),
            number("cpu_seconds"),
            number("peak_rss_kib") / 1024.0,
        );
    }
}

fn best_of(times: u32, run: impl Fn() -> f64) -> f64 {
    (0..times).map(|_| run()).fold(f64::INFINITY, f64::min)
}

/// CPU seconds that the programs take, all at once.
fn seconds(programs: u32, dir: &Path) -> f64 {
    let own = std::env::current_exe().expect("own path");
    let spawn = |n| {
        let dir = dir.join(format!("program{n}"));
        std::fs::create_dir_all(&dir).expect("a directory");
        let times = PLAIN.to_string();
        Command::new(&own)
            .args(["workload", "plain", &times])
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the workload starts")
    };
    let children: Vec<Child> = (0..programs).map(spawn).collect();
    let seconds = children.into_iter().map(|child| {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stdout).trim().parse::<f64>().expect("it prints its CPU time")
    });
    seconds.sum()
}

/// The same under `peregrine run`: seconds, and its closing figures.
fn watched(programs: u32, dir: &Path, rules: &[PathBuf]) -> (f64, Value) {
    let stats = dir.join("stats.json");
    let scope = format!("tree:{}", std::process::id());
    let mut command = peregrine();
    command.args(["run", "--json", "--scope", &scope, "--stats"]).arg(&stats);
    for file in rules {
        command.arg("-r").arg(file);
    }
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let ready = lines.by_ref().map_while(Result::ok).find(|line| line.contains("watching"));
    assert!(ready.is_some(), "it ended before it watched");
    let time = seconds(programs, dir);
    // Its last look at the buffers comes after this; only then it is told to stop.
    std::thread::sleep(Duration::from_millis(200));
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
        .expect("it is there");
    lines.for_each(drop);
    assert!(child.wait().expect("it ends").success());
    let text = std::fs::read_to_string(&stats).expect("it wrote its figures");
    (time, serde_json::from_str(&text).expect("they are JSON"))
}
