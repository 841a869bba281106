//! Which events a condition can be true for.
//!
//! An over-approximation over event codes: only `evt.type` and `syscall.type` (and what is known of `evt.num`) narrow
//! it; every other comparison is neutral. `and` intersects, `or` unites, `not` is pushed to the leaves, where only
//! comparisons that narrow are complemented. Semantics and messages: upstream's `filter/ppm_codes.cpp`.

use crate::ast::{Check, Expr, Op, Operand, Rhs, TransformerArg};
use crate::constant::unsigned;
use peregrine_event::{code, sc, table};
use std::collections::BTreeSet;
use std::fmt;

/// A set of small numbers below 512: event codes or system calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CodeSet {
    words: [u64; 8],
}

impl CodeSet {
    /// The set of nothing.
    pub const EMPTY: Self = Self { words: [0; 8] };

    /// All numbers below `count`.
    pub fn all(count: usize) -> Self {
        (0..count as u16).collect()
    }

    /// Adds a number below 512; larger ones are left out.
    pub fn insert(&mut self, value: u16) {
        if let Some(word) = self.words.get_mut(usize::from(value / 64)) {
            *word |= 1 << (value % 64);
        }
    }

    /// Whether a number is in it.
    pub fn contains(&self, value: u16) -> bool {
        self.words.get(usize::from(value / 64)).is_some_and(|word| word & (1 << (value % 64)) != 0)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|w| *w == 0)
    }

    /// The numbers in order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (0..512).filter(|v| self.contains(*v))
    }

    fn zip(self, other: Self, with: fn(u64, u64) -> u64) -> Self {
        let mut words = [0; 8];
        for (out, (a, b)) in words.iter_mut().zip(self.words.into_iter().zip(other.words)) {
            *out = with(a, b);
        }
        Self { words }
    }

    /// What is in both.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    /// What is in the first alone.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }
}

impl FromIterator<u16> for CodeSet {
    fn from_iter<I: IntoIterator<Item = u16>>(iter: I) -> Self {
        let mut set = Self::EMPTY;
        iter.into_iter().for_each(|v| set.insert(v));
        set
    }
}

impl fmt::Debug for CodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The event codes that a condition can be true for.
///
/// # Errors
/// Upstream's message when `evt.type` is used in a way that cannot be searched.
pub fn event_codes(expr: &Expr, async_events: &[&str]) -> Result<CodeSet, String> {
    let names = |names: &[&str]| codes_of_names(names, async_events);
    Search { all: CodeSet::all(code::COUNT), shared: CodeSet::EMPTY, names: &names }.expr(expr, false)
}

/// The event codes that a condition outside of rules can be true for. A rule, with `evt.type != acct`, loses all generic
/// events upstream, since one code stands for them; a filter (`sysdig`'s) is evaluated for every event.
///
/// `recorded`: for events of captures. Old ones tell by a generic event of calls that have their own today.
pub fn filter_codes(expr: &Expr, recorded: bool) -> CodeSet {
    let all = CodeSet::all(code::COUNT);
    let shared: CodeSet = [code::GENERIC_E, code::GENERIC_X, code::ASYNCEVENT_E].into_iter().collect();
    let names = |names: &[&str]| {
        let codes = codes_of_names(names, names);
        if recorded { codes.union(shared) } else { codes }
    };
    Search { all, shared, names: &names }.expr(expr, false).unwrap_or(all)
}

/// The system calls (by the schema's ids) that a condition can be true for.
///
/// # Errors
/// As [`event_codes`].
pub fn syscalls(expr: &Expr) -> Result<CodeSet, String> {
    let names = |names: &[&str]| names.iter().filter_map(|n| sc::by_name(n)).collect();
    Search { all: CodeSet::all(sc::NAMES.len()), shared: CodeSet::EMPTY, names: &names }.expr(expr, false)
}

/// Whether a text names an event, a system call or a plugin's event.
pub fn is_event_name(name: &str, async_events: &[&str]) -> bool {
    table::EVENTS.iter().any(|e| e.name == name) || sc::by_name(name).is_some() || async_events.contains(&name)
}

/// The event name nearest to a misspelt one.
pub fn nearest_name(name: &str) -> Option<&'static str> {
    let names = table::EVENTS.iter().map(|e| e.name).chain(sc::NAMES);
    crate::suggest::nearest(name, names)
}

/// The event codes of names: every version, enter and exit; other system calls have the generic pair; a plugin's event
/// has the asynchronous event's code.
fn codes_of_names(names: &[&str], async_events: &[&str]) -> CodeSet {
    let mut codes = CodeSet::EMPTY;
    let mut left: BTreeSet<&str> = names.iter().copied().collect();
    let wanted = left.clone();
    for (event, info) in table::EVENTS.iter().enumerate().skip(2) {
        if wanted.contains(info.name) {
            codes.insert(event as u16);
            left.remove(info.name);
        }
    }
    left.retain(|name| {
        let declared = async_events.contains(name);
        if declared {
            codes.insert(code::ASYNCEVENT_E);
        }
        !declared
    });
    if left.iter().any(|name| sc::by_name(name).is_some()) {
        codes.insert(code::GENERIC_E);
        codes.insert(code::GENERIC_X);
    }
    codes
}

/// Names of the schema's system calls that are not told by the generic events though no event bears their name: the
/// 16- and 32-bit variants of calls, whose event is that of the call itself, and what is no call at all.
const NOT_GENERIC: [&str; 24] = [
    "unknown",
    "_llseek",
    "fcntl64",
    "getegid32",
    "geteuid32",
    "getgid32",
    "getresgid32",
    "getresuid32",
    "getuid32",
    "na_1",
    "page_fault_kernel",
    "page_fault_user",
    "pread64",
    "prlimit64",
    "pwrite64",
    "sched_process_exit",
    "sched_switch",
    "sendfile64",
    "setgid32",
    "setresgid32",
    "setresuid32",
    "setuid32",
    "signal_deliver",
    "ugetrlimit",
];

/// Sorted names of event codes. The generic pair stands for every system call without an event of its own.
pub fn names(codes: &CodeSet) -> Vec<&'static str> {
    let generic = |code: u16| code == code::GENERIC_E || code == code::GENERIC_X;
    let own = codes.iter().filter(|c| !generic(*c)).filter_map(|c| table::EVENTS.get(usize::from(c))).map(|e| e.name);
    let mut set: BTreeSet<&str> = own.collect();
    if codes.contains(code::GENERIC_E) || codes.contains(code::GENERIC_X) {
        let with_event: BTreeSet<&str> = table::EVENTS.iter().map(|e| e.name).collect();
        let calls = sc::NAMES.into_iter().filter(|n| !with_event.contains(n) && !NOT_GENERIC.contains(n));
        set.extend(calls);
    }
    set.into_iter().collect()
}

struct Search<'a> {
    all: CodeSet,
    /// Codes that stand for many names, so that they stay though one of these is excluded.
    shared: CodeSet,
    names: &'a dyn Fn(&[&str]) -> CodeSet,
}

const TRANSFORMED: &str = "event code search does not support `evt.type` checks with transformers";
const RIGHT_FIELD: &str = "right-hand field comparisons on `evt.type`/`syscall.type` checks are not supported \
                           by event code search";

impl Search<'_> {
    fn expr(&self, expr: &Expr, negated: bool) -> Result<CodeSet, String> {
        match expr {
            Expr::And(children) => self.children(children, negated, !negated),
            Expr::Or(children) => self.children(children, negated, negated),
            Expr::Not(child) => self.expr(child, !negated),
            Expr::Identifier(..) => Ok(self.all),
            Expr::Check(check) => self.leaf(check, negated),
        }
    }

    fn children(&self, children: &[Expr], negated: bool, conjunction: bool) -> Result<CodeSet, String> {
        let mut codes = if conjunction { self.all } else { CodeSet::EMPTY };
        for child in children {
            let child = self.expr(child, negated)?;
            codes = if conjunction { codes.intersect(child) } else { codes.union(child) };
        }
        Ok(codes)
    }

    fn invert_if(&self, negated: bool, codes: CodeSet) -> CodeSet {
        if negated { self.all.minus(codes.minus(self.shared)) } else { codes }
    }

    fn leaf(&self, check: &Check, negated: bool) -> Result<CodeSet, String> {
        if let Some(always) = number_invariant(check) {
            return Ok(self.invert_if(negated, if always { self.all } else { CodeSet::EMPTY }));
        }
        let searched = check.modifier.is_none() && matches!(check.op, Op::Eq | Op::Ne | Op::In | Op::Exists);
        if !searched || !is_event_type(&check.lhs)? {
            return Ok(self.all);
        }
        let codes = match &check.rhs {
            Rhs::None => self.all,
            Rhs::Value(name, _) | Rhs::ListName(name, _) => (self.names)(&[name.as_str()]),
            Rhs::List(values) => (self.names)(&values.iter().map(|(v, _)| v.as_str()).collect::<Vec<_>>()),
            Rhs::Operand(operand) => {
                is_event_type(operand)?;
                return Err(RIGHT_FIELD.into());
            }
        };
        Ok(self.invert_if(negated != (check.op == Op::Ne), codes))
    }
}

fn is_event_type(operand: &Operand) -> Result<bool, String> {
    match operand {
        Operand::Field { name, arg, .. } => Ok(arg.is_none() && matches!(name.as_str(), "evt.type" | "syscall.type")),
        Operand::Transformer { args, .. } => {
            for arg in args {
                if arg_is_event_type(arg)? {
                    return Err(TRANSFORMED.into());
                }
            }
            Ok(false)
        }
    }
}

fn arg_is_event_type(arg: &TransformerArg) -> Result<bool, String> {
    match arg {
        TransformerArg::Operand(operand) => is_event_type(operand),
        TransformerArg::Literal(_) => Ok(false),
        // Upstream looks at the last element alone; so do we, to refuse the same rules.
        TransformerArg::List(items) => {
            let mut last = false;
            for item in items {
                last = arg_is_event_type(item)?;
            }
            Ok(last)
        }
    }
}

/// What is known of `evt.num`, which starts at 1: `Some(true)` always, `Some(false)` never.
fn number_invariant(check: &Check) -> Option<bool> {
    match &check.lhs {
        Operand::Field { name, arg: None, .. } if name == "evt.num" && check.modifier.is_none() => {}
        _ => return None,
    }
    if check.op == Op::In {
        let Rhs::List(values) = &check.rhs else { return None };
        return values.iter().all(|(v, _)| unsigned(v) == Ok(0)).then_some(false);
    }
    let (Rhs::Value(value, _) | Rhs::ListName(value, _)) = &check.rhs else { return None };
    let number = unsigned(value).ok()?;
    match check.op {
        Op::Eq | Op::Le => (number == 0).then_some(false),
        Op::Ne | Op::Gt => (number == 0).then_some(true),
        Op::Lt => (number <= 1).then_some(false),
        Op::Ge => (number <= 1).then_some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parser::parse;

    fn found(text: &str) -> Vec<&'static str> {
        names(&event_codes(&parse(text).unwrap(), &[]).unwrap())
    }

    #[test]
    fn conditions_narrow_events() {
        assert_eq!(found("evt.type=open"), ["open"]);
        assert_eq!(found("evt.type in (open, execve) and evt.type!=open"), ["execve"]);
        assert_eq!(found("not (evt.type!=open or proc.name=a)"), ["open"]);
        assert_eq!(found("evt.type=open or proc.name=a").len(), found("proc.name=a").len());
        assert_eq!(found("evt.type=open and not proc.name=a"), ["open"]);
        assert!(found("evt.num=0").is_empty());
        assert_eq!(found("not evt.num<1").len(), found("evt.num exists").len());
        assert!(found("not evt.type exists").is_empty());
    }

    #[test]
    fn names_without_events_are_generic() {
        let generic = found("evt.type=acct");
        assert!(generic.contains(&"acct") && generic.contains(&"mincore") && !generic.contains(&"open"));
        assert!(!generic.contains(&"syscall") && !generic.contains(&"setuid32"));
        let codes = event_codes(&parse("evt.type=plugin_event").unwrap(), &["plugin_event"]).unwrap();
        assert_eq!(codes.iter().collect::<Vec<_>>(), [402]);
        assert!(event_codes(&parse("syscall.type=nosuch").unwrap(), &[]).unwrap().is_empty());
    }

    #[test]
    fn filters_keep_what_shares_a_code() {
        let codes = |text: &str, recorded| filter_codes(&parse(text).unwrap(), recorded);
        let open = code::SYSCALL_OPEN_X;
        assert!(!event_codes(&parse("evt.type!=acct").unwrap(), &[]).unwrap().contains(code::GENERIC_X));
        for condition in ["evt.type!=acct", "not evt.type in (acct, mincore)"] {
            assert!(codes(condition, false).contains(code::GENERIC_X), "{condition}");
            assert!(codes(condition, false).contains(open), "{condition}");
        }
        assert!(!codes("evt.type!=open", true).contains(open));
        assert!(codes("evt.type=open", true).contains(code::GENERIC_X));
        assert!(!codes("evt.type=open", false).contains(code::GENERIC_X));
        assert_eq!(codes("syscall.type=val(evt.type)", false), CodeSet::all(code::COUNT));
    }

    #[test]
    fn unsearchable_uses_are_refused() {
        let codes = |text: &str| event_codes(&parse(text).unwrap(), &[]);
        assert_eq!(codes("toupper(evt.type)=OPEN"), Err(TRANSFORMED.into()));
        assert_eq!(codes("evt.type=val(proc.name)"), Err(RIGHT_FIELD.into()));
        assert!(codes("toupper(evt.type) contains OPEN").is_ok());
    }
}
