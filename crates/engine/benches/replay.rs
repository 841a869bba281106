//! How fast events go through decoding, state and rules: one core, everything in memory.
//!
//! `cargo bench -p peregrine-engine --bench replay -- [--rules FILE]… [--seconds N] [CAPTURE]…`
//!
//! Without captures, a workload is made: open, read, close in a loop, every 4th time write and unlink, as one process
//! with ancestors. With captures, they are read into memory first and replayed with a fresh state each pass, loading
//! not timed. Prints events per second, nanoseconds and allocations per event, and how many events raised an alert.

use allocation_counter::measure as count_allocations;
use bumpalo::Bump;
use peregrine_capture::tables::{Tables, Thread};
use peregrine_capture::{Item, Options, Reader};
use peregrine_engine::fields::Fields;
use peregrine_engine::{Engine, Matching, Moment, Rule, Session};
use peregrine_event::{Event, EventWriter, code};
use peregrine_rules::{LoadResult, RulesFile, Source, load};
use peregrine_state::State;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What is run.
struct Arguments {
    rules: Vec<PathBuf>,
    captures: Vec<PathBuf>,
    seconds: f64,
}

fn arguments() -> Arguments {
    let mut parsed = Arguments { rules: Vec::new(), captures: Vec::new(), seconds: 2.0 };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--rules" => parsed.rules.extend(words.next().map(PathBuf::from)),
            "--seconds" => parsed.seconds = words.next().and_then(|n| n.parse().ok()).unwrap_or(2.0),
            "--bench" => {}
            _ => parsed.captures.push(PathBuf::from(word)),
        }
    }
    if parsed.rules.is_empty() {
        parsed.rules = stock_rules();
    }
    parsed
}

/// The three upstream rules files of the corpus.
fn stock_rules() -> Vec<PathBuf> {
    let Some(corpus) = peregrine_testkit::corpus() else { return Vec::new() };
    ["falco_rules", "falco-incubating_rules", "falco-sandbox_rules"]
        .map(|name| corpus.join(format!("rules/upstream_rules/falcosecurity_rules__rules_{name}.yaml")))
        .to_vec()
}

fn engine(paths: &[PathBuf], fields: &Fields) -> Engine {
    let files: Vec<RulesFile> = paths
        .iter()
        .map(|path| RulesFile { name: path.display().to_string(), content: std::fs::read(path).expect("rules file") })
        .collect();
    let sources = [Source { name: "syscall", catalogue: fields }];
    let LoadResult { ruleset, .. } = load(&files, &sources, &peregrine_rules::Options::default());
    let rules: Vec<Rule> = ruleset
        .rules
        .into_iter()
        .map(|rule| Rule {
            name: rule.name,
            priority: rule.priority,
            source: rule.source,
            tags: rule.tags.into_iter().collect(),
            condition: rule.condition,
            codes: rule.events,
        })
        .collect();
    let begin = Instant::now();
    let engine = Engine::new(rules, fields, Matching::All).expect("rules compile");
    println!("{} rules compiled in {:?}: {:?}", engine.rules().len(), begin.elapsed(), engine.figures());
    engine
}

/// What a run took.
#[derive(Default)]
struct Result {
    events: u64,
    alerts: u64,
    time: Duration,
    allocations: u64,
}

impl Result {
    /// Runs something, and adds what it took.
    fn measure(&mut self, run: impl FnOnce(&mut Self)) {
        let begin = processor_time();
        let allocated = count_allocations(|| run(self));
        self.allocations += allocated.count_total;
        self.time += processor_time() - begin;
    }

    fn print(&self, name: &str) {
        let per_event = self.time.as_nanos() as f64 / self.events as f64;
        println!(
            "{name:50} {:>10} events {:>8.3} M/s {per_event:>7.1} ns {:>8.4} allocations/event {:>8} matches",
            self.events,
            1e3 / per_event,
            self.allocations as f64 / self.events as f64,
            self.alerts,
        );
    }
}

/// One thing to run again and again.
trait Pass {
    /// Runs all events once.
    fn run(&mut self, engine: &mut Engine, session: &Session, result: &mut Result);
}

/// Events in one buffer.
struct Made {
    bytes: Vec<u8>,
    tables: Tables,
}

impl Pass for Made {
    fn run(&mut self, engine: &mut Engine, session: &Session, result: &mut Result) {
        let mut state = State::new(self.tables.clone());
        let mut scratch = Bump::new();
        result.measure(|result| {
            let mut at = 0;
            while at < self.bytes.len() {
                let event = Event::parse(&self.bytes[at..], 0).expect("own event");
                at += event.bytes().len();
                result.alerts += one(&event, false, &mut state, engine, session, &scratch);
                result.events += 1;
                scratch.reset();
            }
        });
    }
}

/// Time that this thread had a processor: what others on the machine do does not count.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or_default())
}

struct Captured(Vec<u8>);

impl Pass for Captured {
    fn run(&mut self, engine: &mut Engine, session: &Session, result: &mut Result) {
        let mut reader = Reader::from_bytes("capture", self.0.clone(), Options::default()).expect("a capture");
        let mut state = State::new(reader.take_tables().map(|tables| *tables).unwrap_or_default());
        let mut scratch = Bump::new();
        result.measure(|result| {
            while let Some(item) = reader.next().expect("a whole capture") {
                match item {
                    Item::Section(tables) => state = State::new(*tables),
                    Item::Event { event, state_only, .. } => {
                        result.alerts += one(&event, state_only, &mut state, engine, session, &scratch);
                        result.events += 1;
                        scratch.reset();
                    }
                }
            }
        });
    }
}

#[inline]
fn one(
    event: &Event<'_>,
    state_only: bool,
    state: &mut State,
    engine: &mut Engine,
    session: &Session,
    scratch: &Bump,
) -> u64 {
    let context = state.begin(event);
    let mut matches = 0;
    if !state_only {
        let moment = Moment { event, context: &context, state, source: "syscall", scratch, session };
        matches = engine.evaluate(&moment).len() as u64;
    }
    state.finish(event, &context);
    matches
}

/// The workload that is measured without captures.
fn made() -> Made {
    let mut bytes = Vec::new();
    let mut time = 1_700_000_000_000_000_000;
    let mut write = |code: u16, params: &[&[u8]]| {
        time += 500;
        let mut writer = EventWriter::new(time, 1000, code);
        for param in params {
            writer.push(param);
        }
        bytes.extend_from_slice(&writer.finish());
    };
    let (zero, fd, at) = (0i64.to_le_bytes(), 3i64.to_le_bytes(), (-100i64).to_le_bytes());
    let (read_only, create) = (1u32.to_le_bytes(), 0x4106u32.to_le_bytes());
    let (dev, ino, mode) = (2049u32.to_le_bytes(), 4711u64.to_le_bytes(), 0o644u32.to_le_bytes());
    let size = 80u32.to_le_bytes();
    let length = 80i64.to_le_bytes();
    for round in 0..40_000 {
        let path = format!("/var/tmp/work/file{}\0", round % 100);
        write(code::SYSCALL_OPENAT_2_X, &[&fd, &at, path.as_bytes(), &read_only, &[0; 4], &dev, &ino]);
        write(code::SYSCALL_READ_X, &[&length, &[b'x'; 80], &fd, &size]);
        write(code::SYSCALL_CLOSE_X, &[&zero, &fd]);
        if round % 4 == 0 {
            write(code::SYSCALL_OPENAT_2_X, &[&fd, &at, path.as_bytes(), &create, &mode, &dev, &ino]);
            write(code::SYSCALL_WRITE_X, &[&length, &[b'x'; 80], &fd, &size]);
            write(code::SYSCALL_CLOSE_X, &[&zero, &fd]);
            write(code::SYSCALL_UNLINK_2_X, &[&zero, path.as_bytes()]);
        }
    }
    let thread = |tid: i64, ptid: i64, comm: &str| Thread {
        tid,
        pid: tid,
        ptid,
        sid: 1,
        vtid: tid,
        vpid: tid,
        comm: comm.into(),
        exe: comm.into(),
        exepath: format!("/usr/bin/{comm}").into(),
        args: b"--threads\x001\0".to_vec(),
        cwd: b"/var/tmp/work/".to_vec(),
        cgroups: b"cpuset=/user.slice\0memory=/user.slice\0".to_vec(),
        ..Thread::default()
    };
    let threads =
        vec![thread(1, 0, "systemd"), thread(700, 1, "sshd"), thread(900, 700, "bash"), thread(1000, 900, "workload")];
    Made { bytes, tables: Tables { threads, ..Tables::default() } }
}

fn measure(name: &str, pass: &mut dyn Pass, engine: &mut Engine, session: &Session, seconds: f64) {
    pass.run(engine, session, &mut Result::default());
    let mut result = Result::default();
    loop {
        pass.run(engine, session, &mut result);
        if result.time.as_secs_f64() >= seconds {
            break;
        }
    }
    result.print(name);
}

fn main() {
    let arguments = arguments();
    let fields = Fields::syscall();
    let mut engine = engine(&arguments.rules, &fields);
    let session = Session::default();
    if arguments.captures.is_empty() {
        measure("made: open, read, close", &mut made(), &mut engine, &session, arguments.seconds);
    }
    for path in &arguments.captures {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let bytes = std::fs::read(path).expect("capture");
        measure(&name, &mut Captured(bytes), &mut engine, &session, arguments.seconds);
    }
}
