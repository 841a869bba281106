//! What does watching cost? A program that opens, reads and closes a file 666,667 times, without the driver, under it,
//! and two of them at once. Prints a table: the seconds are the programs' own CPU time, which other load on the machine
//! disturbs less than the clock, and the longest of them by the clock beside it.

use peregrine_driver::{Config, LiveSource, Needs, Scope};
use peregrine_event::code;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: u32 = 666_667;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|arg| arg == "work") {
        return work(&args[2]);
    }
    let Some(_guard) = peregrine_testkit::live() else { return };
    println!(
        "{:<26} {:>9} {:>9} {:>9} {:>10} {:>8} {:>9} {:>8}",
        "", "clock s", "own CPU s", "slower", "events", "drops", "CPU s", "RSS MB"
    );
    let file = std::env::temp_dir().join("peregrine-bench");
    std::fs::write(&file, b"some bytes to read").expect("the temporary directory takes a file");
    for workers in [1, 2] {
        let (clock, alone) = (0..3)
            .map(|_| run(&file, workers, None))
            .map(|(clock, cost)| (clock, cost.work))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .expect("three runs");
        println!("{:<26} {:>9.3} {:>9.3}", format!("{workers} alone"), clock.as_secs_f64(), alone);
        for (name, needs) in [
            ("nothing", Needs::nothing()),
            (
                "open, close",
                [code::SYSCALL_OPENAT_2_X, code::SYSCALL_OPEN_X, code::SYSCALL_CLOSE_X].into_iter().collect(),
            ),
            ("state", Needs::state()),
            ("everything", Needs::everything()),
        ] {
            let (took, cost) = run(&file, workers, Some(needs));
            let slower = cost.work / alone - 1.0;
            println!(
                "{:<26} {:>9.3} {:>9.3} {:>8.0}% {:>10} {:>8} {:>9.3} {:>8}",
                format!("{workers} watched, {name}"),
                took.as_secs_f64(),
                cost.work,
                slower * 100.0,
                cost.events,
                cost.drops,
                cost.cpu,
                cost.rss_mb
            );
        }
    }
    let _ = std::fs::remove_file(&file);
}

#[derive(Default)]
struct Cost {
    /// CPU seconds of all workers.
    work: f64,
    events: u64,
    drops: u64,
    cpu: f64,
    rss_mb: u64,
}

/// Runs the workers, watched or not: the time until the last ended, and what watching cost us.
fn run(file: &std::path::Path, workers: usize, needs: Option<Needs>) -> (Duration, Cost) {
    let mut children: Vec<Child> = (0..workers).map(|_| spawn(file)).collect();
    let mut source = needs.map(|needs| {
        let config = Config { needs, scope: Scope::Tree(std::process::id()), ..Config::default() };
        LiveSource::start(&config).expect("the driver starts")
    });
    let (cpu, start) = (cpu_seconds(), Instant::now());
    children.iter_mut().for_each(|child| drop(child.stdin.take()));
    let mut sum = 0;
    while children.iter_mut().any(|child| child.try_wait().expect("a child can be waited for").is_none()) {
        match &mut source {
            Some(source) => drop(source.next_batch(Duration::from_millis(20), |event| sum += event.bytes().len())),
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    let took = start.elapsed();
    let mut cost = Cost { cpu: cpu_seconds() - cpu, rss_mb: status("VmHWM:") / 1024, ..Cost::default() };
    for child in &mut children {
        let mut text = String::new();
        child.stdout.take().map(|mut out| out.read_to_string(&mut text));
        cost.work += text.trim().parse::<f64>().expect("a worker tells its time");
    }
    if let Some(mut source) = source {
        for (name, count, time) in source.driver().run_times().into_iter().filter(|(_, count, _)| *count > 0) {
            println!("  {name}: {count} runs of {} ns", time.as_nanos() / u128::from(count));
        }
        source.stop();
        while source.next_batch(Duration::ZERO, |event| sum += event.bytes().len()).events > 0 {}
        let total = source.stats().expect("the counters can be read").total();
        (cost.events, cost.drops) = (total.events(), total.drops());
    }
    std::hint::black_box(sum);
    (took, cost)
}

fn spawn(file: &std::path::Path) -> Child {
    let program = std::env::current_exe().expect("we know our own path");
    Command::new(program)
        .arg("work")
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the worker starts")
}

/// The worker: waits for the end of its standard input, then works.
fn work(file: &str) {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    let mut buffer = [0; 64];
    for _ in 0..ROUNDS {
        let mut file = std::fs::File::open(file).expect("the file is there");
        let _ = file.read(&mut buffer);
    }
    println!("{}", cpu_seconds());
}

/// User and system time of this process so far.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

fn status(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
}
