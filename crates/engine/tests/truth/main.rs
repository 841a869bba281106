//! Every field of every event of the corpus against upstream's answers.
//!
//! Each capture is replayed and each event's fields are compared, as JSON, with the row that upstream's engine wrote.
//! A table by field is printed. Most values are trivial (null, false, 0, empty), and a dead field would agree on them, so what
//! counts are the others: at least 99.5 % of them must agree for each field, and all of them for the fields that name
//! things. Every field that differs at all has its explanation in `deviations.txt`, and no other has one.

mod report;

use bumpalo::Bump;
use flate2::read::GzDecoder;
use peregrine_alert::Json;
use peregrine_capture::{Item, Options, Reader};
use peregrine_engine::fields::Fields;
use peregrine_engine::{Moment, Session};
use peregrine_event::{ParamType, code};
use peregrine_filter::field::{Catalogue, FieldRef};
use peregrine_state::State;
use report::{Grid, SHOWN, Table, Tally};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Fields that must agree always: what events are, who caused them, and what they were done to.
const EXACT: &[&str] = &[
    "(rows)",
    "evt.type",
    "evt.res",
    "fd.name",
    "thread.tid",
    "thread.vtid",
    "proc.name",
    "proc.pname",
    "proc.aname",
    "proc.sname",
    "proc.vpgid",
    "proc.pgid",
    "proc.exe",
    "proc.pexe",
    "proc.aexe",
    "proc.exepath",
    "proc.pexepath",
    "proc.aexepath",
    "proc.sid",
    "proc.cmdline",
    "proc.pcmdline",
    "proc.acmdline",
    "proc.pid",
    "proc.vpid",
    "proc.ppid",
    "proc.pvpid",
    "proc.apid",
];

/// The least share of values beyond the trivial ones that must agree.
const LEAST: f64 = 0.995;

#[test]
fn fields_of_the_captures_agree() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    check("captures", &corpus.join("captures"), &corpus.join("truth"), 98);
}

#[test]
fn fields_of_the_newest_captures_agree() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    check("newest", &corpus.join("newest"), &corpus.join("newest/truth"), 179);
}

/// Compares all captures of a directory and judges the outcome.
fn check(set: &str, captures: &Path, truth: &Path, fields: usize) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(captures)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "scap"))
        .collect();
    paths.sort_by_key(|path| std::fs::metadata(path).unwrap().len());
    assert!(!paths.is_empty(), "no captures in {}", captures.display());
    let (names, count) = (paths.iter().map(|path| stem(path)).collect(), paths.len());
    let (queue, grid) = (Mutex::new(paths), Mutex::new(Grid::new()));
    // `make parity`
    let parity = std::env::var_os("PEREGRINE_PARITY").is_some();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some(path) = queue.lock().unwrap().pop() else { return };
                    let table = compare(&path, truth);
                    let mut grid = grid.lock().unwrap();
                    grid.insert(stem(&path), table);
                    if parity {
                        eprintln!("{set}: {} of {count} compared: {}", grid.len(), stem(&path));
                    }
                }
            });
        }
    });
    let grid = grid.into_inner().unwrap();
    assert_eq!(grid.len(), count, "two captures have one name");
    let total = report::total(&grid);
    assert!(total.len() >= fields, "only {} fields were compared", total.len());
    print!("{}", if parity { report::by_capture(set, &grid) } else { report::by_field(set, &total) });
    let faults = judge(set, &total, &names);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Why a field differs, and in which captures it is known to.
struct Explanation<'a> {
    field: &'a str,
    captures: Vec<&'a str>,
}

/// Reads `SET FIELD in CAPTURE CAPTURE…: reason` lines of one set.
fn explanations<'a>(text: &'a str, set: &str) -> Vec<Explanation<'a>> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let parse = |line: &'a str| {
        let (head, _) = line.split_once(": ")?;
        let (field, captures) = head.split_once(" in ")?;
        let (of, field) = field.split_once(' ')?;
        Some((of, Explanation { field, captures: captures.split(' ').collect() }))
    };
    let all =
        lines.map(|line| parse(line).unwrap_or_else(|| panic!("`SET FIELD in CAPTURE…: reason` expected: {line}")));
    all.filter(|(of, _)| *of == set).map(|(_, explanation)| explanation).collect()
}

/// What is wrong with the outcome: too many differences, unexplained ones, explanations of none. An explanation holds
/// for its field in every capture, but must be true of those that it names, as far as they were compared.
fn judge(set: &str, table: &Table, compared: &BTreeSet<String>) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deviations.txt")).unwrap();
    let explained = explanations(&text, set);
    let mut faults = Vec::new();
    for (field, t) in table {
        let unexcused = t.compared - t.equal - t.excused;
        let name = field.split('[').next().unwrap_or(field);
        if unexcused > 0 && EXACT.contains(&name) {
            faults.push(format!("{field} must agree always, {unexcused} differ"));
        }
        if t.share() < LEAST {
            faults.push(format!("{field} agrees on {} of {} telling values", t.telling_equal, t.telling));
        }
        if !t.differs_in.is_empty() && explained.iter().all(|e| e.field != field) {
            faults.push(format!("{field} differs in {:?}, unexplained", t.differs_in));
        }
    }
    for explanation in explained {
        let differs_in = table.get(explanation.field).map(|t| &t.differs_in);
        for capture in explanation.captures.iter().filter(|capture| compared.contains(**capture)) {
            if !differs_in.is_some_and(|captures| captures.contains(*capture)) {
                faults.push(format!("{} is said to differ in {capture}, and does not", explanation.field));
            }
        }
    }
    faults
}

/// A capture's name in explanations: that of its file without the repository that it comes from.
fn stem(path: &Path) -> String {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    name.rsplit_once("__").map_or(name.clone(), |(_, short)| short.to_owned())
}

/// Upstream's rows, by time, thread and type.
struct Rows {
    text: String,
    by_key: HashMap<(u64, i64, String), Vec<std::ops::Range<usize>>>,
}

impl Rows {
    fn read(path: &Path) -> Self {
        let mut text = String::new();
        GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        let mut by_key: HashMap<_, Vec<_>> = HashMap::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let number = |key: &str| -> i64 {
                let start = line.find(key).unwrap() + key.len();
                let digits = line[start..].split([',', '}']).next().unwrap();
                digits.parse().unwrap_or(-1)
            };
            let start = line.find("\"evt.type\":\"").unwrap() + 12;
            let name = line[start..].split('"').next().unwrap().to_owned();
            let key = (number("\"evt.rawtime\":") as u64, number("\"thread.tid\":"), name);
            by_key.entry(key).or_default().push(at..at + line.len());
            at += line.len();
        }
        for rows in by_key.values_mut() {
            rows.reverse();
        }
        Self { text, by_key }
    }

    fn take(&mut self, key: &(u64, i64, String)) -> Option<serde_json::Map<String, Value>> {
        let range = self.by_key.get_mut(key)?.pop()?;
        Some(serde_json::from_str(&self.text[range]).unwrap())
    }

    fn left(&self) -> usize {
        self.by_key.values().map(Vec::len).sum()
    }
}

/// Replays one capture.
fn compare(path: &Path, truth: &Path) -> Table {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut rows = Rows::read(&truth.join(format!("{name}.fields.json.gz")));
    let short = stem(path);
    let fields = Fields::syscall();
    let mut session = Session::default();
    session.containers = false;
    let mut wanted: Vec<(String, FieldRef, Tally)> = Vec::new();
    let mut state = State::default();
    let mut scratch = Bump::new();
    let mut reader = Reader::open(path, Options::default()).unwrap();
    let (mut events, mut without_row) = (0u64, 0u64);
    while let Some(item) = reader.next().unwrap() {
        let (event, state_only) = match item {
            Item::Section(tables) => {
                state = State::new(*tables);
                continue;
            }
            Item::Event { event, state_only, .. } => (event, state_only),
        };
        let context = state.begin(&event);
        if !state_only {
            events += 1;
            let moment = Moment {
                event: &event,
                context: &context,
                state: &state,
                source: "syscall",
                scratch: &scratch,
                session: &session,
            };
            let key = (event.ts, event.tid, event_type(&fields, &moment));
            match rows.take(&key) {
                None => {
                    println!("{name}: no row for {key:?}");
                    without_row += 1;
                }
                Some(row) => {
                    if wanted.is_empty() {
                        wanted = row.keys().map(|key| (key.clone(), resolve(&fields, key), Tally::default())).collect();
                    }
                    compare_row(&short, &fields, &moment, &row, &mut wanted);
                }
            }
        }
        state.finish(&event, &context);
        scratch.reset();
    }
    for key in rows.by_key.iter().filter(|(_, rows)| !rows.is_empty()).map(|(key, _)| key).take(SHOWN) {
        println!("{name}: no event for {key:?}");
    }
    println!("{name}: {events} events, {without_row} without row, {} rows without event", rows.left());
    let missing = without_row + rows.left() as u64;
    let unmatched = Tally {
        excused: 0,
        differs_in: if missing > 0 { BTreeSet::from([stem(path)]) } else { BTreeSet::new() },
        compared: events + missing,
        equal: events,
        telling: events + missing,
        telling_equal: events,
        examples: vec![],
    };
    wanted.into_iter().map(|(key, _, tally)| (key, tally)).chain([("(rows)".to_owned(), unmatched)]).collect()
}

fn event_type(fields: &Fields, moment: &Moment<'_>) -> String {
    let field = fields.resolve("evt.type", None).unwrap();
    let mut text = String::new();
    fields.field(field.id).to_text(moment, &field, &mut text);
    text
}

fn resolve(fields: &Fields, text: &str) -> FieldRef {
    let (name, bracket) = match text.strip_suffix(']').and_then(|t| t.split_once('[')) {
        Some((name, arg)) => (name, Some(arg)),
        None => (text, None),
    };
    fields.resolve(name, bracket).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn compare_row(
    capture: &str,
    fields: &Fields,
    moment: &Moment<'_>,
    row: &serde_json::Map<String, Value>,
    wanted: &mut [(String, FieldRef, Tally)],
) {
    for (key, field, tally) in wanted {
        let theirs = row.get(key.as_str()).unwrap_or(&Value::Null);
        let ours = fields.field(field.id).to_json(moment, field);
        let equal = same(key, &ours, theirs);
        tally.compared += 1;
        if !equal && !tally.differs_in.contains(capture) {
            tally.differs_in.insert(capture.to_owned());
        }
        if !equal && excused(key, moment, &ours, theirs) {
            tally.excused += 1;
            continue;
        }
        let telling = !(trivial_json(&ours) && trivial(theirs));
        tally.equal += u64::from(equal);
        tally.telling += u64::from(telling);
        tally.telling_equal += u64::from(telling && equal);
        if !equal && tally.examples.len() < SHOWN {
            let mut text = String::new();
            ours.write(&mut text);
            let name = event_type(fields, moment);
            tally.examples.push(format!("{capture} {} {name}: ours {text} theirs {theirs}", moment.context.num));
        }
    }
}

/// Whether upstream's value is no real answer. The fields still need their explanation.
///
/// - `proc.exe_ino.ctime_duration_proc_start` of threads that were there before the capture, and of what they cloned, is
///   an uninitialised number until the next exec.
/// - `evt.buffer` of what is no buffer or an empty one is its text in the length of an earlier buffer: cut, or with what
///   earlier texts left in memory behind it.
/// - Upstream's `evt.abspath` has a side effect: for a relative path in a known directory it makes the directory the
///   event's descriptor, for all fields that are taken later. The rows were made with it before `fd.*`.
fn excused(key: &str, moment: &Moment<'_>, ours: &Json, theirs: &Value) -> bool {
    match key {
        "proc.exe_ino.ctime_duration_proc_start" => {
            let thread = moment.context.thread.or_else(|| moment.state.lookup(moment.event.tid));
            thread.and_then(|slot| moment.state.thread(slot)).is_some_and(|thread| thread.lastexec_ts == 0)
        }
        "evt.buffer" => {
            let index = moment.event.info().param("data");
            let length = index.and_then(|index| moment.event.param(index)).map_or(0, <[u8]>::len);
            let buffer = index.is_some_and(|index| moment.event.info().params[index].ty == ParamType::Bytebuf);
            let (Json::Text(ours), Some(theirs)) = (ours, theirs.as_str()) else { return false };
            (length == 0 || !buffer) && (theirs.starts_with(ours.as_str()) || ours.starts_with(theirs))
        }
        "fs.path.name" => abspath_changes_descriptor(moment),
        _ => key.starts_with("fd.") && abspath_changes_descriptor(moment),
    }
}

fn abspath_changes_descriptor(moment: &Moment<'_>) -> bool {
    let event = moment.event;
    let opens = matches!(event.code, code::SYSCALL_OPENAT_2_X | code::SYSCALL_OPENAT2_X);
    let relative = event.text(2).is_some_and(|path| path.first().is_some_and(|b| *b != b'/'));
    opens
        && relative
        && event.int(1).is_some_and(|dirfd| {
            let thread = moment.context.thread.and_then(|slot| moment.state.thread(slot));
            thread.and_then(|thread| moment.state.fd_table(thread)).is_some_and(|table| table.get(dirfd).is_some())
        })
}

fn same(key: &str, ours: &Json, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(a), Value::Bool(b)) => a == b,
        (Json::Int(a), Value::Number(b)) => b.as_i64() == Some(*a),
        (Json::Uint(a), Value::Number(b)) => b.as_u64() == Some(*a),
        (Json::Double(a), Value::Number(b)) => b.as_f64() == Some(*a),
        (Json::Text(a), Value::String(b)) => a == b,
        // Upstream gives these in the order of a hash table.
        (Json::Array(a), Value::Array(b)) if key == "fd.types" => {
            a.len() == b.len() && a.iter().all(|x| b.iter().any(|y| same("", x, y)))
        }
        (Json::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same("", x, y)),
        _ => false,
    }
}

fn trivial(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(value) => value.as_f64() == Some(0.0),
        Value::String(value) => value.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(_) => false,
    }
}

fn trivial_json(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Bool(value) => !value,
        Json::Int(value) => *value == 0,
        Json::Uint(value) => *value == 0,
        Json::Double(value) => *value == 0.0,
        Json::Text(value) => value.is_empty(),
        Json::Array(values) => values.is_empty(),
    }
}
