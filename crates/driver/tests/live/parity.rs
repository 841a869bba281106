//! The corpus' programs under our driver give the events of upstream's captures, parameter by parameter.
//!
//! What differs by nature, and where ours is right and upstream's wrong, stands in `parity_deviations.txt`, each with
//! its reason; a line there that explains nothing any more fails the test too.

use crate::stage::{Programs, Recording};
use peregrine_capture::{Item, Options, Reader};
use peregrine_driver::Needs;
use peregrine_event::{Event, EventInfo, ParamType, code};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// An event without what names it: its code and its parameters, process ids replaced by ranks.
#[derive(Debug, Clone)]
struct Plain {
    code: u16,
    params: Vec<Option<Vec<u8>>>,
}

/// The events of each thread, threads in the order of their ids.
type Threads = Vec<Vec<Plain>>;

#[test]
fn the_programs_of_the_corpus_give_upstreams_events() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let Some(_guard) = peregrine_testkit::live() else { return };
    let programs = Programs::build(&corpus);
    let mut deviations = Deviations::read();
    let (mut unexplained, mut compared) = (BTreeMap::<String, Vec<String>>::new(), 0);
    for (name, program) in [("syscalls_a", "sys_a"), ("deeds_a", "deeds_a"), ("deeds_c", "deeds_c")] {
        let recording = programs.start(program).record(Needs::everything());
        assert_eq!(recording.drops, 0);
        let (ours, theirs) = (ours(&recording), upstream(&corpus.join(format!("newest/{name}.scap"))));
        assert_eq!(ours.len(), theirs.len(), "threads of {name}");
        for difference in compare(&ours, &theirs, &mut compared) {
            if !deviations.explain(&difference) {
                unexplained.entry(difference.what()).or_default().push(format!("{name} {difference:?}"));
            }
        }
    }
    for (what, examples) in &unexplained {
        eprintln!("{what}, {} times: {}", examples.len(), examples[0]);
    }
    assert!(compared > 5_000, "{compared} parameters compared");
    assert!(unexplained.is_empty(), "{} kinds of unexplained differences", unexplained.len());
    assert_eq!(deviations.unused(), Vec::<String>::new(), "lines of parity_deviations.txt that explain nothing");
}

/// Ours have ids that may wrap around: ids below the first process' come after the others.
fn ours(recording: &Recording) -> Threads {
    let root = i64::from(recording.root);
    threads(recording.events(), |tid| if tid < root { tid + i64::from(u32::MAX) } else { tid })
}

fn upstream(path: &Path) -> Threads {
    let mut reader = Reader::open(path, Options::default()).expect("the capture opens");
    let mut events = Vec::new();
    while let Some(item) = reader.next().expect("the capture is whole") {
        if let Item::Event { event, .. } = item {
            events.push((event.bytes().to_vec(), event.cpu));
        }
    }
    threads(events.iter().map(|(bytes, cpu)| Event::parse(bytes, *cpu).expect("the reader gave it")), |tid| tid)
}

fn threads<'a>(events: impl Iterator<Item = Event<'a>>, place: impl Fn(i64) -> i64) -> Threads {
    let mut threads: BTreeMap<i64, (i64, Vec<Plain>)> = BTreeMap::new();
    for event in events.filter(|event| compared(event.code)) {
        let params = (0..event.nparams()).map(|index| event.param(index).map(<[u8]>::to_vec)).collect();
        let thread = threads.entry(place(event.tid)).or_insert((event.tid, Vec::new()));
        thread.1.push(Plain { code: event.code, params });
    }
    let ranks: BTreeMap<i64, i64> = threads.values().map(|(tid, _)| *tid).zip(0..).collect();
    for plain in threads.values_mut().flat_map(|(_, events)| events) {
        let info = peregrine_event::info(plain.code).expect("it was parsed");
        for (param, info) in plain.params.iter_mut().zip(info.params) {
            if let (Some(bytes), ParamType::Pid) = (param, info.ty)
                && let Ok(id) = <[u8; 8]>::try_from(bytes.as_slice()).map(i64::from_le_bytes)
                && let Some(rank) = ranks.get(&id)
            {
                *bytes = format!("thread {rank}").into_bytes();
            }
        }
    }
    threads.into_values().map(|(_, events)| events).collect()
}

/// What is compared: the calls' ends, and the ends of tasks. Not the calls without an event of their own, of which a
/// program repeats some (waiting for a child) as often as a signal comes in between, nor signals: when they come differs.
fn compared(code: u16) -> bool {
    code % 2 == 1 && code != code::GENERIC_X || code == code::PROCEXIT_1_E
}

/// One difference between two captures.
#[derive(Debug)]
enum Difference {
    More(&'static str),
    Less(&'static str),
    Param { event: &'static str, name: &'static str, ours: Value, theirs: Value },
}

impl Difference {
    fn what(&self) -> String {
        match self {
            Self::More(event) => format!("{event} more"),
            Self::Less(event) => format!("{event} less"),
            Self::Param { event, name, .. } => format!("{event}.{name}"),
        }
    }
}

/// A parameter's bytes; `None` past the event's last.
struct Value(Option<Vec<u8>>);

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(bytes) if bytes.len() <= 8 => write!(f, "{bytes:?}"),
            Some(bytes) => write!(f, "{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(120)])),
            None => f.write_str("absent"),
        }
    }
}

impl Value {
    fn bytes(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }

    fn number(&self) -> Option<i64> {
        let mut bytes = [0; 8];
        bytes.get_mut(..self.bytes().len())?.copy_from_slice(self.bytes());
        (!self.bytes().is_empty()).then(|| i64::from_le_bytes(bytes))
    }
}

fn compare(ours: &Threads, theirs: &Threads, compared: &mut usize) -> Vec<Difference> {
    let mut found = Vec::new();
    for (left, right) in ours.iter().zip(theirs).flat_map(|(ours, theirs)| align(ours, theirs)) {
        match (left, right) {
            (Some(left), Some(right)) => {
                *compared += right.params.len();
                found.extend(compare_params(left, right));
            }
            (Some(left), None) => found.push(Difference::More(info(left).symbol)),
            (None, Some(right)) => found.push(Difference::Less(info(right).symbol)),
            (None, None) => {}
        }
    }
    found
}

fn info(plain: &Plain) -> &'static EventInfo {
    peregrine_event::info(plain.code).expect("it was parsed")
}

fn compare_params<'a>(ours: &'a Plain, theirs: &'a Plain) -> impl Iterator<Item = Difference> + 'a {
    let value = |plain: &Plain, index: usize| Value(plain.params.get(index).cloned().flatten());
    info(ours).params.iter().enumerate().filter_map(move |(index, param)| {
        let (left, right) = (value(ours, index), value(theirs, index));
        let (event, name) = (info(ours).symbol, param.name);
        (left.0 != right.0).then_some(Difference::Param { event, name, ours: left, theirs: right })
    })
}

/// The lines of the file of deviations, and which of them explained something.
struct Deviations(Vec<(Line, bool)>);

struct Line {
    what: String,
    how: How,
    sometimes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Any,
    Near(i64),
    AbsentOrNear(i64),
    Present,
    Ports,
    Prefix,
    Past,
    More,
    Less,
    Unseen,
}

impl Deviations {
    fn read() -> Self {
        let text = include_str!("../parity_deviations.txt").lines();
        let lines = text.filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(lines.map(|line| (Line::parse(line).unwrap_or_else(|| panic!("not understood: {line}")), false)).collect())
    }

    fn explain(&mut self, difference: &Difference) -> bool {
        let fits = self.0.iter_mut().filter(|(line, _)| line.explains(difference));
        fits.map(|(_, used)| *used = true).count() > 0
    }

    fn unused(&self) -> Vec<String> {
        let unused = self.0.iter().filter(|(line, used)| !used && !line.sometimes);
        unused.map(|(line, _)| format!("{} {:?}", line.what, line.how)).collect()
    }
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let what = words.next()?;
        let sometimes = what.starts_with('?');
        let what = what.trim_start_matches('?').to_owned();
        let how = match words.next()? {
            "any" => How::Any,
            "near" => How::Near(words.next()?.parse().ok()?),
            "absent-or-near" => How::AbsentOrNear(words.next()?.parse().ok()?),
            "present" => How::Present,
            "ports" => How::Ports,
            "prefix" => How::Prefix,
            "past" => How::Past,
            "more" => How::More,
            "less" => How::Less,
            "unseen" => How::Unseen,
            _ => return None,
        };
        let sometimes = sometimes || how == How::Unseen;
        words.next().map(|_| Self { what, how, sometimes })
    }

    fn explains(&self, difference: &Difference) -> bool {
        match difference {
            Difference::More(event) => self.how == How::More && self.what == *event,
            Difference::Less(event) => self.how == How::Less && self.what == *event,
            Difference::Param { event, name, ours, theirs } => {
                let (line_event, line_name) = self.what.split_once('.').unwrap_or_default();
                (line_event == "*" || line_event == *event) && line_name == *name && self.allows(ours, theirs)
            }
        }
    }

    fn allows(&self, ours: &Value, theirs: &Value) -> bool {
        let near = |most: i64| match (ours.number(), theirs.number()) {
            (Some(ours), Some(theirs)) => ours.abs_diff(theirs) <= most.unsigned_abs(),
            _ => false,
        };
        match self.how {
            How::Any => true,
            How::Near(most) => near(most),
            How::AbsentOrNear(most) => theirs.number().unwrap_or(0) == 0 || near(most),
            How::Present => [ours, theirs].iter().all(|value| value.bytes().iter().any(|byte| *byte != 0)),
            How::Ports => same_but_ports(ours.bytes(), theirs.bytes()),
            How::Prefix => theirs.bytes().starts_with(ours.bytes().strip_suffix(b"\0").unwrap_or(ours.bytes())),
            How::Past => ours.number().is_some_and(|ours| {
                let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("the clock is set").as_nanos() as i64;
                (YEAR_2015..=now).contains(&ours)
            }),
            How::More | How::Less | How::Unseen => false,
        }
    }
}

const YEAR_2015: i64 = 1_420_070_400_000_000_000;

/// Address pairs that differ in the ports alone; of unix sockets, in the kernel's pointers alone.
fn same_but_ports(ours: &[u8], theirs: &[u8]) -> bool {
    let ports: &[Range<usize>] = match ours.first() {
        Some(2) => &[5..7, 11..13],
        Some(10) => &[17..19, 35..37],
        Some(1) => &[1..9, 9..17],
        _ => &[],
    };
    let may_differ = |at: usize| ports.iter().any(|range| range.contains(&at));
    ours.len() == theirs.len() && (0..ours.len()).all(|at| ours[at] == theirs[at] || may_differ(at))
}

/// Pairs two sequences by their codes, so that the fewest stay alone.
fn align<'a>(ours: &'a [Plain], theirs: &'a [Plain]) -> Vec<(Option<&'a Plain>, Option<&'a Plain>)> {
    let mut longest = vec![vec![0u32; theirs.len() + 1]; ours.len() + 1];
    for (i, left) in ours.iter().enumerate().rev() {
        for (j, right) in theirs.iter().enumerate().rev() {
            longest[i][j] = if left.code == right.code {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < ours.len() || j < theirs.len() {
        let (left, right) = (ours.get(i), theirs.get(j));
        match (left, right) {
            (Some(a), Some(b)) if a.code == b.code => pairs.push((left, right)),
            (Some(_), Some(_)) if longest[i + 1][j] >= longest[i][j + 1] => pairs.push((left, None)),
            (Some(_), None) => pairs.push((left, None)),
            _ => pairs.push((None, right)),
        }
        let (a, b) = pairs.last().expect("one was pushed");
        (i, j) = (i + usize::from(a.is_some()), j + usize::from(b.is_some()));
    }
    pairs
}
