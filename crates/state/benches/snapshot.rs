//! What the snapshot of `/proc` costs a thread: `cargo bench -p peregrine-state --bench snapshot`.
//!
//! Alone in a PID namespace, as `unshare -pf --mount-proc target/release/deps/snapshot-* --all`, it takes all of `/proc`,
//! as the program does; otherwise it goes down its own tree.
//!
//! It starts processes of its own, some with many threads and many with one, looks at them alone, and ends them.

use peregrine_state::procfs::{Bounds, Scope, Snapshot, snapshot};
use peregrine_state::{Options, State};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Processes, threads of each, descriptors of each besides the standard ones.
const CASES: &[(usize, usize, usize)] = &[(30, 100, 10), (600, 1, 10), (60, 10, 100)];
/// The best of so many.
const ROUNDS: usize = 5;
const HOLD: &str = "--hold";

fn main() {
    let mut args = std::env::args().skip(1);
    let mut scope = Scope::Tree(i64::from(std::process::id()));
    while let Some(arg) = args.next() {
        if arg == "--all" {
            scope = Scope::All;
        }
        if arg == HOLD {
            let mut number = || args.next().and_then(|n| n.parse().ok()).unwrap_or(0);
            return hold(number(), number());
        }
    }
    for (processes, threads, files) in CASES {
        let children: Vec<Child> = (0..*processes).map(|_| spawn(*threads, *files)).collect();
        // At first the kernel has none of the directories at hand.
        let first = take(&scope).stats.time;
        let taken = (0..ROUNDS).map(|_| take(&scope)).min_by_key(|taken| taken.stats.time).unwrap_or_default();
        let stats = taken.stats;
        let began = Instant::now();
        let state = State::from_snapshot(taken, Options::default());
        let loaded = began.elapsed();
        println!(
            "{processes} processes of {threads} threads and {files} files: {} threads, {} descriptors in {first:.1?}, then {:.1?}: {:.1} µs a thread, then {:.1}; into a state of {} threads in {loaded:.1?}",
            stats.threads,
            stats.fds,
            stats.time,
            first.as_secs_f64() * 1e6 / stats.threads.max(1) as f64,
            stats.time.as_secs_f64() * 1e6 / stats.threads.max(1) as f64,
            state.counters().n_threads
        );
        for mut child in children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn take(scope: &Scope) -> Snapshot {
    snapshot(scope, &Bounds::default()).unwrap_or_default()
}

/// Starts a process like this one that holds threads and files, and waits until it does.
fn spawn(threads: usize, files: usize) -> Child {
    let exe = std::env::current_exe().expect("an executable");
    let mut command = Command::new(exe);
    command.args([HOLD, &threads.to_string(), &files.to_string()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
    let ready = child.stdout.as_mut().is_some_and(|out| out.read_exact(&mut [0]).is_ok());
    assert!(ready, "the process ended");
    child
}

fn hold(threads: usize, files: usize) {
    let _files: Vec<_> = (0..files).map(|_| std::fs::File::open("/dev/null")).collect();
    for _ in 1..threads {
        std::thread::spawn(|| {
            loop {
                std::thread::park();
            }
        });
    }
    let _ = std::io::stdout().write_all(b".").and_then(|()| std::io::stdout().flush());
    // Until the parent ends it, or ends.
    let _ = std::io::stdin().read(&mut [0]);
}
