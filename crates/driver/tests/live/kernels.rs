//! What the programs are to other kernels: how many instructions their verifiers walk, and how long loading takes
//! there. The guests of `make test-kernels` tell it, and the page `docs/kernels.md` is written from what they told.

use peregrine_driver::{Config, Driver, Scope};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

/// Set in a guest: figures are told on standard output.
const TELL: &str = "PEREGRINE_KERNEL_FIGURES";
/// The directory in which each guest's words are, in `NAME.log`.
const LOGS: &str = "PEREGRINE_KERNEL_LOGS";
const GUESTS: &str = include_str!("../../../../tests/kernels/guests");
const BUDGETS: &str = include_str!("../instruction_budgets.txt");

/// Tells the guest's host a line, past the test harness, which keeps what is printed.
pub fn tell(line: std::fmt::Arguments<'_>) {
    if std::env::var_os(TELL).is_some() {
        let line = format!("\nguest: {line}\n");
        std::io::stdout().write_all(line.as_bytes()).expect("standard output takes it");
    }
}

#[test]
fn figures_of_this_kernel_are_told() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let config = Config { scope: Scope::Tree(std::process::id()), ..Config::default() };
    let start = Instant::now();
    let driver = Driver::load(&config).unwrap();
    tell(format_args!("loaded {}", start.elapsed().as_millis()));
    tell(format_args!("hooks {}", driver.hooks()));
    let programs = driver.verified_instructions();
    assert!(programs.len() > 90, "{programs:?}");
    for (name, instructions) in programs {
        tell(format_args!("program {name} {instructions}"));
    }
}

/// What a guest told.
#[derive(Default)]
struct Told {
    words: BTreeMap<String, String>,
    programs: BTreeMap<String, u32>,
}

impl Told {
    fn read(log: &str) -> Self {
        let mut told = Self::default();
        // The machine's firmware ends its words without a line's end.
        for (_, line) in log.lines().filter_map(|line| line.split_once("guest: ")) {
            match line.split_once(' ') {
                Some(("program", rest)) => {
                    let (name, count) = rest.split_once(' ').expect(rest);
                    told.programs.insert(name.to_owned(), count.parse().expect(rest));
                }
                Some((key, rest)) => drop(told.words.insert(key.to_owned(), rest.to_owned())),
                None => {}
            }
        }
        told
    }

    fn word(&self, key: &str) -> &str {
        self.words.get(key).map_or("", String::as_str)
    }

    fn seconds(&self, key: &str) -> f64 {
        self.word(key).parse().unwrap_or(0.0)
    }
}

/// The guests' names, in the order of their list.
fn guests() -> impl Iterator<Item = &'static str> {
    GUESTS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_whitespace().next())
}

/// What the guests told whose logs are there.
fn logs() -> Option<BTreeMap<&'static str, Told>> {
    let dir = PathBuf::from(std::env::var_os(LOGS)?);
    let read = |name| Some((name, Told::read(&std::fs::read_to_string(dir.join(format!("{name}.log"))).ok()?)));
    Some(guests().filter_map(read).collect())
}

const PREFACE: &str = "# Other kernels

Written by `PEREGRINE_WRITE_DOCS=1 make test-kernels` from what its guests told: Debian's kernels in emulated machines,
each with the driver's live tests, and the program with its rules, which must raise an alert. A row is a call with known
arguments, every parameter of its event compared. Seconds are those of an emulated CPU and a busy host, many times what a
real one takes; they are there to be compared with each other.

Hooks beyond tracepoints are probed at every start and told in the first line of `run` and as `peregrine_kernel_hooks_info`.
Nothing rests on them, and no path is taken from them: `bpf_d_path` may be called only from them, before it is known
whether the call succeeds and which descriptor it gives; it names the path as the calling process sees it, below its own
root, where the walk at the call's end crosses all mounts up to the host's; and it would be a second answer beside the
one that every kernel gives.
";

fn page(told: &BTreeMap<&str, Told>) -> String {
    let mut page = String::from(PREFACE);
    page += "\n| kernel | release | hooks | rows | boots in s | loads in s | all tests in s | instructions |\n|---|---|---|---|---|---|---|---|\n";
    for name in guests() {
        let guest = told.get(name).unwrap_or_else(|| panic!("no log of {name}: run `make test-kernels`"));
        let (boot, load) = (guest.seconds("booted"), guest.seconds("loaded") / 1000.0);
        let (tests, all) = (guest.seconds("tested") - boot, guest.programs.values().sum::<u32>());
        let words = [guest.word("release"), guest.word("hooks"), guest.word("rows")];
        let _ = writeln!(page, "| {name} | {} | {boot:.0} | {load:.1} | {tests:.0} | {all} |", words.join(" | "));
    }
    page += "\nInstructions that each kernel's verifier walks to check a program; none where the architecture has no such call.\n\n";
    let names: Vec<_> = guests().collect();
    let _ = writeln!(page, "| program | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
    let programs: BTreeSet<_> = told.values().flat_map(|guest| guest.programs.keys()).collect();
    for program in programs {
        let cell = |name: &&str| told[name].programs.get(program).map_or_else(String::new, u32::to_string);
        let _ = writeln!(page, "| {program} | {} |", names.iter().map(cell).collect::<Vec<_>>().join(" | "));
    }
    page
}

/// The page's counts: by program, one a guest, in the order of their list.
fn counts(page: &str) -> BTreeMap<&str, Vec<Option<u32>>> {
    let rows = page.lines().skip_while(|line| !line.starts_with("| program |")).skip(2);
    let cells = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    cells.map(|row| (row[0], row[1..].iter().map(|cell| cell.parse().ok()).collect())).collect()
}

/// Programs and rows must be those of the page, and no verifier may walk much more than the page says.
#[test]
fn the_page_of_the_kernels_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/kernels.md");
    let told = logs();
    if let Some(told) = told.as_ref().filter(|_| std::env::var_os("PEREGRINE_WRITE_DOCS").is_some()) {
        std::fs::write(path, page(told)).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    let stale = "docs/kernels.md is stale: run `PEREGRINE_WRITE_DOCS=1 make test-kernels`";
    assert!(page.starts_with(PREFACE), "{stale}");
    let counts = counts(&page);
    let programs = BUDGETS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(' ').next());
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), programs.collect::<Vec<_>>(), "{stale}");
    for (name, guest) in told.iter().flatten() {
        let row = page.lines().find(|line| line.starts_with(&format!("| {name} |"))).expect(stale);
        assert_eq!(row.split('|').nth(4).map(str::trim), Some(guest.word("rows")), "rows of {name}; {stale}");
        let column = guests().position(|guest| guest == *name).expect("it is listed");
        for (program, columns) in &counts {
            let (now, then) = (guest.programs.get(*program).copied(), columns[column]);
            // A kernel's newer release may count a little otherwise.
            let within = now.is_none_or(|now| then.is_some_and(|then| now <= then + then / 8 + 50));
            assert!(within, "{program} on {name}: {now:?} instructions, {then:?} in the page; {stale}");
        }
    }
}
