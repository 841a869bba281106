//! Random conditions over real events and built ones: the compiled graph must agree with the plain interpreter.
//!
//! `PEREGRINE_SEED` chooses other conditions, `PEREGRINE_PAIRS` how many pairs of condition and event are compared.

use crate::generate::{self, Generator, Printer, Program, Random, Sample, Val};
use crate::reference::Reference;
use crate::replay;
use bumpalo::Bump;
use peregrine_capture::tables::{Tables, Thread};
use peregrine_engine::explain::Tracer;
use peregrine_engine::fields::Fields;
use peregrine_engine::{Engine, EventNeeds, Matching, Moment, Session};
use peregrine_event::{Event, EventWriter, ParamType as T, code, sc, table};
use peregrine_rules::{Options, RulesFile, Source, load};
use peregrine_state::State;
use std::cell::Cell;
use std::path::{Path, PathBuf};

/// Pairs that are compared unless the environment says otherwise.
const PAIRS: usize = 150_000;
/// Rules of one program.
const RULES: usize = 40;
/// Events of one capture that are tried, at most.
const EVENTS: usize = 100;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Where events come from.
enum Origin {
    Capture(PathBuf),
    Built,
}

impl Origin {
    fn events(&self, seed: u64, session: &Session, each: impl FnMut(&Moment<'_>)) {
        match self {
            Self::Capture(path) => replay::events(path, session, each),
            Self::Built => built(seed, session, each),
        }
    }
}

/// The captures that are short, and those of today's kernel programs.
fn origins(corpus: &Path) -> Vec<Origin> {
    let short =
        |path: &PathBuf| path.extension().is_some_and(|e| e == "scap") && path.metadata().unwrap().len() < 24_000;
    let mut paths: Vec<PathBuf> = std::fs::read_dir(corpus.join("captures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(short)
        .chain(["deeds_a", "deeds_c", "syscalls_a"].map(|name| corpus.join(format!("newest/{name}.scap"))))
        .collect();
    paths.sort();
    paths.into_iter().flat_map(|path| [Origin::Capture(path), Origin::Built]).collect()
}

/// Events of all kinds with parameters of all sorts, some missing, some of the wrong size, in one story.
fn built(seed: u64, session: &Session, mut each: impl FnMut(&Moment<'_>)) {
    let mut random = Random::new(seed);
    let thread = |tid, ptid, comm: &str| Thread {
        tid,
        pid: tid,
        ptid,
        comm: comm.into(),
        exe: format!("/bin/{comm}").into(),
        args: b"-n\0two words\0".to_vec(),
        env: b"PATH=/bin\0HOME=/root\0".to_vec(),
        cgroups: b"cpuset=/a\0memory=/b\0".to_vec(),
        ..Thread::default()
    };
    let threads = vec![thread(1, 0, "init"), thread(7, 1, "bash"), thread(9, 7, "cat")];
    let mut state = State::new(Tables { threads, ..Tables::default() });
    let mut scratch = Bump::new();
    for number in 1..=4 * EVENTS as u64 {
        let code = random.below(code::COUNT) as u16;
        let tid = *random.pick(&[1, 7, 9, 9, 9, 1234]);
        let mut writer = EventWriter::new(1_700_000_000_000_000_000 + number * 1_000_003, tid, code);
        for param in table::EVENTS[usize::from(code)].params {
            writer.push(&parameter(&mut random, param.ty));
        }
        let bytes = writer.finish();
        let Ok(event) = Event::parse(&bytes, 1) else { continue };
        let context = state.begin(&event);
        let (event, context) = (&event, &context);
        each(&Moment { event, context, state: &state, source: "syscall", scratch: &scratch, session });
        state.finish(event, context);
        scratch.reset();
    }
}

fn parameter(random: &mut Random, ty: T) -> Vec<u8> {
    if random.chance(4) {
        return Vec::new();
    }
    let texts: &[&[u8]] =
        &[b"/etc/passwd", b"/root/.ssh/id", b"..//x", b"sh", b"<NA>", b"", b"\xff\xfe/\n", b"a b", b"YWJj"];
    let n = if random.chance(70) { random.below(12) as u64 } else { random.next() };
    let width = match ty {
        T::Charbuf | T::Fspath | T::Fsrelpath => {
            let mut text = random.pick(texts).to_vec();
            text.push(0);
            return text;
        }
        T::Bytebuf => return random.pick(texts).to_vec(),
        T::Charbufarray | T::CharbufPairArray => return b"a=1\0b=2\0".to_vec(),
        T::Socktuple | T::Sockaddr => return random.pick(SOCKETS).to_vec(),
        T::Dyn | T::Fdlist => return vec![0, 0],
        T::Int8 | T::Uint8 | T::Flags8 | T::Enumflags8 | T::Sigtype | T::L4proto | T::Sockfamily => 1,
        T::Int16 | T::Uint16 | T::Flags16 | T::Enumflags16 | T::Port | T::Syscallid => 2,
        T::Int32 | T::Uint32 | T::Flags32 | T::Enumflags32 | T::Mode | T::Uid | T::Gid | T::Bool => 4,
        T::Fd32 | T::Pid32 => 4,
        _ => 8,
    };
    let wrong = random.chance(1);
    n.to_le_bytes()[..if wrong { 8 - width } else { width }].to_vec()
}

/// Socket tuples: two of IPv4, one of IPv6, one of a unix socket, nothing known.
const SOCKETS: &[&[u8]] = &[
    &[2, 127, 0, 0, 1, 0x39, 0x30, 10, 1, 2, 3, 80, 0],
    &[2, 10, 1, 2, 3, 80, 0, 192, 168, 0, 9, 0x39, 0x30],
    &[
        10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x39, 0x30, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        9, 80, 0,
    ],
    b"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00/run/x.sock\x00",
    &[0],
];

/// All uses of fields, with values that they had.
fn samples(fields: &Fields, origins: &[Origin]) -> Vec<Sample> {
    let mut samples = generate::samples(fields);
    let session = Session::default();
    for (seed, origin) in (1..).zip(origins) {
        let mut count = 0;
        origin.events(seed, &session, |moment| {
            count += 1;
            if count % 53 != 0 {
                return;
            }
            for sample in &mut samples {
                let (extract, _) = fields.field(sample.field.id).for_condition(&sample.field.arg);
                if let Some(value) = extract(moment, &sample.field.arg) {
                    sample.keep(Val::from(value));
                }
            }
        });
    }
    for sample in samples.iter_mut().filter(|sample| matches!(sample.name, "evt.type" | "syscall.type")) {
        sample.values = generate::event_names();
    }
    samples
}

/// A program with the engine that was made of it.
struct Compiled {
    program: Program,
    text: String,
    engine: Engine,
}

impl Compiled {
    fn new(seed: u64, samples: &[Sample], fields: &Fields) -> Self {
        let program = Generator::new(seed, samples).program(RULES);
        let text = Printer { random: Random::new(!seed), samples }.file(&program);
        let file = RulesFile { name: "generated".into(), content: text.clone().into_bytes() };
        let loaded = load(&[file], &[Source { name: "syscall", catalogue: fields }], &Options::default());
        for report in &loaded.reports {
            assert!(report.is_successful(), "PEREGRINE_SEED={seed}: {:#?}", report.errors);
        }
        let rules = loaded.ruleset.rules.iter().map(crate::answers::engine_rule).collect();
        Self { program, text, engine: Engine::new(rules, fields, Matching::All).unwrap() }
    }

    /// Compares each rule's verdict with the interpreter's; gives how many there were, and how many held.
    fn compare(&mut self, samples: &[Sample], fields: &Fields, moment: &Moment<'_>, seed: u64) -> (usize, usize) {
        let found = self.engine.evaluate(moment).to_vec();
        assert!(found.is_empty() || needed(self.engine.needs(), moment), "{} is needed", moment.event.info().name);
        let reference = Reference { program: &self.program, samples, fields, moment };
        for at in 0..self.program.rules.len() {
            let (ours, theirs) = (found.contains(&(at as u32)), reference.rule(at));
            if ours != theirs {
                self.report(at, moment, seed, ours);
            }
        }
        (self.program.rules.len(), found.len())
    }

    fn report(&self, at: usize, moment: &Moment<'_>, seed: u64, ours: bool) -> ! {
        let rule = &self.engine.rules()[at];
        let mut traced = String::new();
        if let Ok(mut tracer) = Tracer::new(rule, &Fields::syscall()) {
            traced = format!("{:#?}", tracer.trace(moment));
        }
        let items: Vec<serde_json::Value> = serde_json::from_str(&self.text).unwrap();
        let name = format!("rule_{at}");
        let shown: Vec<_> = items.iter().filter(|i| i["rule"].is_null() || i["rule"] == name.as_str()).collect();
        panic!(
            "PEREGRINE_SEED={seed}: {} of event {} ({} {}), engine {ours}\n{}\n{traced}",
            name,
            moment.context.num,
            moment.event.info().symbol,
            moment.event.code,
            serde_json::to_string_pretty(&shown).unwrap(),
        );
    }
}

#[test]
fn the_graph_agrees_with_the_interpreter() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let (first, wanted) = (number("PEREGRINE_SEED", 1), number("PEREGRINE_PAIRS", PAIRS as u64) as usize);
    println!("seeds from {first}");
    let (fields, origins) = (Fields::syscall(), origins(&corpus));
    let samples = samples(&fields, &origins);
    let valued = samples.iter().filter(|sample| !sample.values.is_empty()).count();
    assert!(valued > 300, "only {valued} of {} uses of fields have values", samples.len());
    let (pairs, mut hits, mut seed) = (Cell::new(0), 0, first);
    for origin in origins.iter().cycle().take_while(|_| pairs.get() < wanted) {
        let mut compiled = Compiled::new(seed, &samples, &fields);
        let (session, mut count) = (Session::default(), 0);
        origin.events(seed, &session, |moment| {
            count += 1;
            if count % 3 == seed % 3 && count / 3 < EVENTS as u64 {
                let (compared, held) = compiled.compare(&samples, &fields, moment, seed);
                pairs.set(pairs.get() + compared);
                hits += held;
            }
        });
        seed += 1;
    }
    let pairs = pairs.get();
    println!("{pairs} pairs of condition and event, {hits} of them true, seeds {first} to {}", seed - 1);
    assert!(hits * 20 > pairs && hits * 10 < pairs * 9, "{pairs} pairs, {hits} true");
}

/// Whether an event is one that the rules are said to need.
fn needed(needs: &EventNeeds, moment: &Moment<'_>) -> bool {
    let event = moment.event;
    // No kernel program sends calls that the schema does not know; built events have them.
    let generic = event.code <= code::GENERIC_X && event.uint(0).is_some_and(|call| call < sc::NAMES.len() as u64);
    let failed = event.int(0).is_some_and(|result| result < 0);
    needs.codes.contains(event.code)
        && (!generic || needs.generic_calls.contains(event.uint(0).unwrap_or(0) as u16))
        && !(failed && needs.success_only.contains(event.code))
}

#[test]
fn stock_rules_match_only_what_they_need() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let fields = Fields::syscall();
    let rules = crate::answers::stock_rules(&corpus, &fields);
    let mut tracers: Vec<Tracer> = rules.iter().map(|rule| Tracer::new(rule, &fields).unwrap()).collect();
    let mut engine = Engine::new(rules, &fields, Matching::All).unwrap();
    let reads = [code::SYSCALL_READ_X, code::SYSCALL_CLOSE_X, code::SYSCALL_MMAP_X];
    assert!(reads.iter().all(|code| !engine.needs().codes.contains(*code)), "no rule needs reads");
    assert!(engine.needs().codes.contains(code::SYSCALL_OPENAT_2_X));
    assert!(engine.needs().codes.len() < 120, "{:?}", engine.needs().codes);
    let (session, mut hits) = (Session::default(), 0);
    for name in ["deeds_a", "deeds_c", "syscalls_a"] {
        replay::events(&corpus.join(format!("newest/{name}.scap")), &session, |moment| {
            let found = engine.evaluate(moment).to_vec();
            assert!(found.is_empty() || needed(engine.needs(), moment));
            for rule in &found {
                let trace = tracers[*rule as usize].trace(moment);
                assert!(trace.holds && trace.first_false().is_none(), "{}", engine.rules()[*rule as usize].name);
            }
            // What did not match has a part that says why.
            let other = moment.context.num as usize % tracers.len();
            let missed = tracers[other].applies(moment) && !found.contains(&(other as u32));
            assert!(!missed || tracers[other].trace(moment).first_false().is_some());
            hits += found.len();
        });
    }
    assert!(hits > 100, "{hits} matches");
}

#[test]
fn evaluation_allocates_nothing() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let fields = Fields::syscall();
    let mut engine = Engine::new(crate::answers::stock_rules(&corpus, &fields), &fields, Matching::All).unwrap();
    let session = Session::default();
    let mut scratch = Bump::with_capacity(1 << 20);
    let capture = corpus.join("newest/deeds_a.scap");
    // Regular expressions make their caches when they are first used.
    replay::events(&capture, &session, |moment| {
        engine.evaluate(moment);
    });
    replay::events(&capture, &session, |moment| {
        scratch.reset();
        let moment = Moment { scratch: &scratch, ..*moment };
        let allocated = allocation_counter::measure(|| {
            engine.evaluate(&moment);
        });
        assert_eq!(allocated.count_total, 0, "{} {}", moment.event.info().name, moment.context.num);
    });
    assert!(engine.figures().evaluated > 100);
}
