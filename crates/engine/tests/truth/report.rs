//! What was compared, as tables: by field for the test, by field and capture for `make parity`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Differences of one field that are printed.
pub const SHOWN: usize = 5;

/// The outcome for one field.
#[derive(Default, Clone)]
pub struct Tally {
    pub compared: u64,
    pub equal: u64,
    /// Values that differ because upstream's is no real answer; see [`crate::excused`].
    pub excused: u64,
    pub telling: u64,
    pub telling_equal: u64,
    pub examples: Vec<String>,
    /// Captures in which the field differs.
    pub differs_in: BTreeSet<String>,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.compared += other.compared;
        self.equal += other.equal;
        self.excused += other.excused;
        self.telling += other.telling;
        self.telling_equal += other.telling_equal;
        self.examples.extend(other.examples.iter().cloned());
        self.examples.truncate(SHOWN);
        self.differs_in.extend(other.differs_in.iter().cloned());
    }

    /// The share of values beyond the trivial ones that agree.
    pub fn share(&self) -> f64 {
        if self.telling == 0 { 1.0 } else { self.telling_equal as f64 / self.telling as f64 }
    }
}

/// The outcome by field.
pub type Table = BTreeMap<String, Tally>;

/// The outcome by capture and field.
pub type Grid = BTreeMap<String, Table>;

/// All captures in one.
pub fn total(grid: &Grid) -> Table {
    let mut total = Table::new();
    for (field, tally) in grid.values().flatten() {
        total.entry(field.clone()).or_default().add(tally);
    }
    total
}

/// By field, with examples of what differs.
pub fn by_field(set: &str, table: &Table) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{set}: {:<44} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "field", "compared", "equal", "excused", "telling", "equal", "share"
    );
    for (field, t) in table {
        let share = 100.0 * t.share();
        let _ = writeln!(
            out,
            "{set}: {field:<44} {:>9} {:>9} {:>9} {:>9} {:>9} {share:>8.3}%",
            t.compared, t.equal, t.excused, t.telling, t.telling_equal
        );
        if !t.differs_in.is_empty() {
            let _ = writeln!(out, "    in {}", t.differs_in.iter().map(String::as_str).collect::<Vec<_>>().join(" "));
        }
        for example in &t.examples {
            let _ = writeln!(out, "    {example}");
        }
    }
    out
}

/// By field and capture: how many values of the field differ in the capture, a dot for none, a blank where the field was
/// not compared. A closing line has the sums.
pub fn by_capture(set: &str, grid: &Grid) -> String {
    let table = total(grid);
    let mut out = format!("\n{set}: {} captures, {} fields\n", grid.len(), table.len() - 1);
    for (number, (capture, fields)) in (1..).zip(grid) {
        let events = fields.get("(rows)").map_or(0, |rows| rows.compared);
        let _ = writeln!(out, "  {number:>2} = {capture} ({events} events)");
    }
    let _ = write!(out, "\n{:<44} {:>9} {:>9} {:>7} {:>7} ", "field", "values", "equal", "excused", "differ");
    (1..=grid.len()).for_each(|number| {
        let _ = write!(out, "{number:>5}");
    });
    let mut sum = Tally::default();
    for (field, t) in &table {
        row(&mut out, field, t);
        for fields in grid.values() {
            let cell = match fields.get(field).map(|t| t.compared - t.equal) {
                None => String::new(),
                Some(0) => ".".into(),
                Some(differ) => differ.to_string(),
            };
            let _ = write!(out, "{cell:>5}");
        }
        sum.add(t);
    }
    row(&mut out, "all", &sum);
    out.push('\n');
    out
}

fn row(out: &mut String, field: &str, t: &Tally) {
    let differ = t.compared - t.equal - t.excused;
    let _ = write!(out, "\n{field:<44} {:>9} {:>9} {:>7} {differ:>7} ", t.compared, t.equal, t.excused);
}
