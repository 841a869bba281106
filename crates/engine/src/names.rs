//! Host names of addresses, for `fd.sip.name` and its kin.
//!
//! As upstream: the names that conditions compare with are looked up forward, now and again from time to time, and an
//! address has those of them that it was among the answers for. No other name is ever known, and nothing is asked of the
//! network while events are evaluated.

use crate::fields::Fields;
use peregrine_filter::field::Catalogue;
use peregrine_filter::typed::{Const, Expr, Operand, Rhs};
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Shortest and longest time between two lookups of a name: it doubles while the answer stays the same.
const REFRESH: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(320));

/// Most addresses that are kept of one name.
const MAX_ADDRESSES: usize = 1024;

/// Looks a name up; `None` if nobody could be asked, and what was known before stays.
pub type Lookup = fn(&str) -> Option<Vec<IpAddr>>;

/// Names by address.
type Table = FxHashMap<IpAddr, Vec<Box<[u8]>>>;

/// The names that addresses have.
#[derive(Default)]
pub struct Names {
    shared: Arc<Shared>,
    /// The table that was seen last, and its number.
    table: RefCell<Arc<Table>>,
    version: Cell<u64>,
    /// Ends the thread that looks names up when it is dropped.
    _alive: Option<Sender<()>>,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("addresses", &self.table.borrow().len()).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Shared {
    version: AtomicU64,
    table: Mutex<Arc<Table>>,
}

impl Shared {
    fn publish(&self, known: &[Known]) {
        let mut table = Table::default();
        for name in known {
            for address in &name.addresses {
                table.entry(*address).or_default().push(name.name.as_bytes().into());
            }
        }
        *self.table.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        self.version.fetch_add(1, Ordering::Release);
    }
}

/// A name and what it was last looked up to.
struct Known {
    name: String,
    addresses: BTreeSet<IpAddr>,
    every: Duration,
    due: Instant,
}

impl Known {
    /// Looks the name up again; whether its addresses are others now.
    fn refresh(&mut self, lookup: Lookup) -> bool {
        let found = lookup(&self.name).map(|all| all.into_iter().take(MAX_ADDRESSES).collect::<BTreeSet<_>>());
        let changed = found.as_ref().is_some_and(|found| *found != self.addresses);
        if let Some(found) = found {
            self.addresses = found;
        }
        self.every = if changed { REFRESH.0 } else { (self.every * 2).min(REFRESH.1) };
        self.due = Instant::now() + self.every;
        changed
    }
}

impl Names {
    /// Looks names up on a thread of its own, which ends when this is dropped. Returns when all were looked up once, or
    /// after `patience`: those that take longer are known later.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn watch(names: Vec<String>, lookup: Lookup, patience: Duration) -> std::io::Result<Self> {
        if names.is_empty() {
            return Ok(Self::default());
        }
        let shared = Arc::new(Shared::default());
        let (alive, ended) = mpsc::channel::<()>();
        let (first, looked_up) = mpsc::channel::<()>();
        let of_thread = Arc::clone(&shared);
        thread::Builder::new().name("names".into()).spawn(move || {
            let now = Instant::now();
            let fresh = |name| Known { name, addresses: BTreeSet::new(), every: REFRESH.0 / 2, due: now };
            let mut known: Vec<Known> = names.into_iter().map(fresh).collect();
            loop {
                let now = Instant::now();
                for at in 0..known.len() {
                    if known[at].due <= now && known[at].refresh(lookup) {
                        of_thread.publish(&known);
                    }
                }
                // Nobody waits any longer after the first round.
                let _ = first.send(());
                let due = known.iter().map(|name| name.due).min().unwrap_or(now + REFRESH.1);
                match ended.recv_timeout(due.saturating_duration_since(Instant::now())) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => return,
                }
            }
        })?;
        let _ = looked_up.recv_timeout(patience);
        Ok(Self { shared, _alive: Some(alive), ..Self::default() })
    }

    /// The names of an address.
    pub(crate) fn with<T>(&self, address: IpAddr, look: impl FnOnce(&[Box<[u8]>]) -> T) -> T {
        let version = self.shared.version.load(Ordering::Acquire);
        if version != self.version.get() {
            *self.table.borrow_mut() = self.shared.table.lock().unwrap_or_else(PoisonError::into_inner).clone();
            self.version.set(version);
        }
        look(self.table.borrow().get(&address).map_or(&[], Vec::as_slice))
    }
}

/// The names that a condition compares those of addresses with.
pub(crate) fn asked(expr: &Expr, fields: &Fields, names: &mut BTreeSet<String>) {
    match expr {
        Expr::And(all) | Expr::Or(all) => all.iter().for_each(|expr| asked(expr, fields, names)),
        Expr::Not(inner) => asked(inner, fields, names),
        Expr::Check(check) => {
            if let (Operand::Field(field), Rhs::Consts(consts)) = (&check.lhs, &check.rhs)
                && crate::fields::is_host_name(fields.info(field.id).name)
            {
                let text = |constant: &Const| match constant {
                    Const::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
                    _ => None,
                };
                names.extend(consts.iter().filter_map(text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn two(name: &str) -> Option<Vec<IpAddr>> {
        let address = |text: &str| text.parse().expect("an address");
        match name {
            "both.example" => Some(vec![address("192.0.2.1"), address("2001:db8::1")]),
            "one.example" => Some(vec![address("192.0.2.1")]),
            _ => None,
        }
    }

    #[test]
    fn an_address_has_every_name_that_it_was_found_under() {
        let names = ["both.example", "nobody.example", "one.example"].map(str::to_owned).to_vec();
        let names = Names::watch(names, two, PATIENCE).unwrap();
        let of = |address: &str| {
            let all = |names: &[Box<[u8]>]| names.iter().map(|n| String::from_utf8_lossy(n).into_owned()).collect();
            names.with::<Vec<String>>(address.parse().unwrap(), all)
        };
        assert_eq!(of("192.0.2.1"), ["both.example", "one.example"]);
        assert_eq!(of("2001:db8::1"), ["both.example"]);
        assert!(of("192.0.2.2").is_empty());
    }

    #[test]
    fn an_answer_that_stays_is_asked_for_less_often() {
        let now = Instant::now();
        let mut name = Known { name: "one.example".into(), addresses: BTreeSet::new(), every: REFRESH.0, due: now };
        assert!(name.refresh(two));
        assert_eq!(name.every, REFRESH.0);
        for _ in 0..8 {
            assert!(!name.refresh(two));
        }
        assert_eq!(name.every, REFRESH.1);
        // Whoever cannot be asked says nothing about the name.
        assert!(!name.refresh(|_| None));
        assert_eq!(name.addresses.len(), 1);
    }

    #[test]
    fn without_names_there_is_no_thread() {
        let names = Names::watch(Vec::new(), |_| panic!("nothing to look up"), PATIENCE).unwrap();
        assert_eq!(names.with("192.0.2.1".parse().unwrap(), <[_]>::len), 0);
    }
}
