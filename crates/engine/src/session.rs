//! Settings of one run, and what fields remember from event to event.

use crate::names::Names;
use jiff::tz::TimeZone;
use peregrine_event::{Event, category};
use peregrine_state::{Container, State};
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// Most threads whose CPU time is summed for `thread.totexectime`.
const MAX_THREADS: usize = 1 << 17;

/// Room for paths that are joined, in bytes: the longest that the kernel takes.
const PATH: usize = 4096;

/// What values depend on besides the event and the state. One a thread of evaluation: it is not shared.
#[derive(Debug)]
pub struct Session {
    /// Name of the host for `evt.hostname`. Empty on replay: upstream does not take the capture's for it.
    pub hostname: Vec<u8>,
    /// Whether events come live. On replay upstream knows no machine, so that `thread.exectime` is always 0.
    pub live: bool,
    /// Time zone of local times.
    pub time_zone: TimeZone,
    /// Whether `container.*` and `k8s.*` have values (`peregrine.containers.enabled`).
    pub containers: bool,
    /// Whether byte buffers print as base64 (`buffer_format_base64`).
    pub base64_buffers: bool,
    /// Values of the fields `static.NAME`, in the order in which the catalogue has their names.
    pub fixed: Vec<Vec<u8>>,
    /// Host names of addresses, as far as rules ask for them.
    pub names: Names,
    /// Time of the first event, 0 before it.
    first_ts: Cell<u64>,
    /// Number and time of the last event that asked for `evt.deltatime`, and what it got.
    previous: Cell<(u64, u64, u64)>,
    switches: RefCell<Switches>,
    usage: RefCell<FxHashMap<Clock, Usage>>,
    counter: Cell<u64>,
    /// What the container of the event at hand would have been needed for, see [`Session::lack`].
    lack: Cell<Lack>,
    /// The container of an event that is looked at once more, see [`Session::later`].
    late: RefCell<Option<Arc<[u8]>>>,
    /// Where paths are joined.
    pub(crate) path: RefCell<Vec<u8>>,
}

impl Default for Session {
    /// A replay: no host name, UTC, containers on.
    fn default() -> Self {
        Self {
            hostname: Vec::new(),
            live: false,
            time_zone: TimeZone::UTC,
            containers: true,
            base64_buffers: false,
            fixed: Vec::new(),
            names: Names::default(),
            first_ts: Cell::new(0),
            previous: Cell::new((0, 0, 0)),
            switches: RefCell::default(),
            usage: RefCell::default(),
            counter: Cell::new(0),
            lack: Cell::default(),
            late: RefCell::default(),
            path: RefCell::new(Vec::with_capacity(PATH)),
        }
    }
}

/// What was missing of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lack {
    /// Nothing that was asked for.
    #[default]
    Nothing,
    /// Nobody knows it.
    Unknown,
    /// Somebody was asked who has not answered yet.
    NotYet,
}

/// Number of the last information event, the sum of CPU time that it told, and its growth.
type Usage = (u64, u64, u64);

/// A thread, and whether its user and its system time are meant.
type Clock = (i64, (bool, bool));

/// CPU time by switch events.
#[derive(Debug, Default)]
struct Switches {
    /// Number and time of the last switch seen on each CPU, and the slice that it ended.
    cpus: FxHashMap<u16, (u64, u64, u64)>,
    /// Number of the last switch that was added, and the sum of slices, by thread.
    totals: FxHashMap<i64, (u64, u64)>,
}

impl Session {
    /// Tells of every event before its fields are taken: times of `evt.reltime` count from the first that is not about
    /// the capture itself (upstream's `sinsp::next`).
    pub fn saw(&self, event: &Event<'_>) {
        if self.first_ts.get() == 0 && event.info().category & category::EC_METAEVENT == 0 {
            self.first_ts.set(event.ts);
        }
    }

    /// Nanoseconds since the first event; before it, since 1970.
    pub(crate) fn since_start(&self, ts: u64) -> u64 {
        ts.wrapping_sub(self.first_ts.get())
    }

    /// Nanoseconds since the event before that asked; 0 for the first.
    pub(crate) fn since_previous(&self, num: u64, ts: u64) -> u64 {
        let (number, last, delta) = self.previous.get();
        if number == num {
            return delta;
        }
        let delta = if last == 0 { 0 } else { ts.wrapping_sub(last) };
        self.previous.set((num, ts, delta));
        delta
    }

    /// The slice of CPU time that a switch event ends; however often it is asked of one event. The first on a CPU is 0.
    pub(crate) fn slice(&self, num: u64, cpu: u16, ts: u64) -> u64 {
        if !self.live {
            return 0;
        }
        let mut switches = self.switches.borrow_mut();
        let last = switches.cpus.entry(cpu).or_insert((num, ts, 0));
        if last.0 != num {
            *last = (num, ts, ts.wrapping_sub(last.1));
        }
        last.2
    }

    /// The sum of a thread's slices with the one that this switch event ends.
    pub(crate) fn total_slice(&self, num: u64, cpu: u16, ts: u64, tid: i64) -> u64 {
        let slice = self.slice(num, cpu, ts);
        let mut switches = self.switches.borrow_mut();
        if switches.totals.len() >= MAX_THREADS {
            switches.totals.clear();
        }
        let total = switches.totals.entry(tid).or_insert((0, 0));
        if total.0 != num {
            *total = (num, total.1.wrapping_add(slice));
        }
        total.1
    }

    /// The sum of a thread's slices.
    pub(crate) fn total(&self, tid: i64) -> u64 {
        self.switches.borrow().totals.get(&tid).map_or(0, |total| total.1)
    }

    /// The growth of a thread's sum of CPU time since the event before; 0 for the first. Sums of user time, system
    /// time and both are kept apart.
    pub(crate) fn usage(&self, num: u64, tid: i64, parts: (bool, bool), sum: u64) -> u64 {
        let mut usage = self.usage.borrow_mut();
        if usage.len() >= MAX_THREADS {
            usage.clear();
        }
        let entry = usage.entry((tid, parts)).or_insert((num, sum, 0));
        if entry.0 != num {
            *entry = (num, sum, if entry.1 == 0 { 0 } else { sum.wrapping_sub(entry.1) });
        }
        entry.2
    }

    /// What was missing of the event's container since [`Session::forget_lack`].
    pub fn lack(&self) -> Lack {
        self.lack.get()
    }

    /// Nothing is missing as yet.
    pub fn forget_lack(&self) {
        self.lack.set(Lack::Nothing);
    }

    /// A value of the container is missing.
    pub(crate) fn lacked(&self, lack: Lack) {
        self.lack.set(lack);
    }

    /// From now on events belong to this container, whatever their threads, which may be gone; until told otherwise.
    pub fn later(&self, container: Option<Arc<[u8]>>) {
        *self.late.borrow_mut() = container;
    }

    /// The container that [`Session::later`] set.
    pub(crate) fn late<'a>(&self, state: &'a State) -> Option<Option<&'a Container>> {
        self.late.borrow().as_ref().map(|id| state.container(id))
    }

    /// 1, 2, 3, … at each call.
    pub(crate) fn count(&self) -> u64 {
        self.counter.set(self.counter.get() + 1);
        self.counter.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use peregrine_event::{EventWriter, code};

    #[test]
    fn time_counts_from_the_first_event_that_is_no_metaevent() {
        let session = Session::default();
        let saw = |ts, event| {
            let bytes = EventWriter::new(ts, 1, event).finish();
            session.saw(&Event::parse(&bytes, 1).unwrap());
        };
        saw(5, code::PROCINFO_E);
        assert_eq!(session.since_start(7), 7);
        saw(10, code::SYSCALL_GETCWD_X);
        saw(11, code::SYSCALL_GETCWD_X);
        assert_eq!(session.since_start(25), 15);
    }
}
