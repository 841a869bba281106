//! Alerts that wait for a container to be known, and those behind them: alerts leave in the order of their events.
//!
//! What an alert says of anything else is put down at the moment of its event; only what it says of the container is
//! added when that is known, or when nobody will know it. Waiting is bounded in time and number.

use peregrine_alert::{Alert, Json};
use peregrine_engine::fields::Fields;
use peregrine_engine::late::{Undecided, is_late};
use peregrine_engine::{Lack, Moment, Session, output};
use peregrine_filter::check::TypedOperand;
use peregrine_filter::format::Format;
use peregrine_rules::Rule;
use peregrine_state::{Context, State};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How long and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldLimits {
    /// How long an event waits for its container.
    pub wait: Duration,
    /// How many events wait at most; as many alerts again, and four times as many, may queue behind them.
    pub most: usize,
}

impl Default for HoldLimits {
    fn default() -> Self {
        Self { wait: Duration::from_millis(1000), most: 4096 }
    }
}

/// What became of events that had to wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HoldFigures {
    /// Events that waited.
    pub held: u64,
    /// Those whose container became known in time.
    pub completed: u64,
    /// Those whose container did not.
    pub unknown: u64,
    /// Those of them that went because too many waited.
    pub overflowed: u64,
    /// Alerts that were marked because their container is not known, with or without waiting.
    pub marked: u64,
}

/// The events in waiting and the alerts behind them.
#[derive(Default)]
pub struct Hold {
    queue: VecDeque<Entry>,
    waiting: usize,
    limits: HoldLimits,
    /// What became of them.
    pub figures: HoldFigures,
}

/// One place in the queue.
pub enum Entry {
    /// An alert that waits for nothing but its turn.
    Ready(Alert),
    /// An event whose container is to become known.
    Waiting(Box<Waiting>),
}

/// An event with the rules that match it or may match it.
pub struct Waiting {
    /// Its container.
    pub container: Arc<[u8]>,
    /// Its bytes, and the CPU that it came from.
    pub bytes: (Vec<u8>, u16),
    /// When it was.
    pub ts: u64,
    /// What applying it found.
    pub context: Context,
    /// The rules, in order.
    pub candidates: Vec<Candidate>,
}

/// A rule that matches a waiting event, or may.
pub struct Candidate {
    /// Its place among the rules.
    pub rule: u32,
    /// What is to be decided; nothing if it matches whatever the container is.
    pub open: Option<Undecided>,
    /// Its alert.
    pub draft: Draft,
}

/// What takes part in looking at events once more.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The state as it is now.
    pub state: &'a State,
    /// The session.
    pub session: &'a Session,
    /// Memory for values.
    pub scratch: &'a bumpalo::Bump,
    /// The fields.
    pub fields: &'a Fields,
}

impl Hold {
    /// Bounds from now on.
    pub fn limit(&mut self, limits: HoldLimits) {
        self.limits = limits;
    }

    /// Whether nothing waits, not even for its turn.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Adds what is behind everything else.
    pub fn push(&mut self, entry: Entry) {
        if matches!(entry, Entry::Waiting(_)) {
            self.waiting += 1;
            self.figures.held += 1;
        }
        self.queue.push_back(entry);
    }

    /// Takes the first that need not wait any longer, if it is first in the queue.
    pub fn next(&mut self, state: &State, now: u64) -> Option<Entry> {
        let full = self.waiting > self.limits.most || self.queue.len() > self.limits.most.saturating_mul(5);
        if let Entry::Waiting(waiting) = self.queue.front()? {
            let known = state.container(&waiting.container).is_some();
            let asked = !known && state.container_is_asked(&waiting.container) == Some(true);
            let late = u128::from(now.saturating_sub(waiting.ts)) > self.limits.wait.as_nanos();
            if asked && !late && !full {
                return None;
            }
            self.waiting -= 1;
            self.figures.completed += u64::from(known);
            self.figures.unknown += u64::from(!known);
            self.figures.overflowed += u64::from(asked && !late);
        }
        self.queue.pop_front()
    }
}

/// An alert whose words about the container are still open.
pub struct Draft {
    alert: Alert,
    format: Format,
    late: Vec<(usize, Late)>,
}

/// One of the output's fields that is still open.
enum Late {
    Value(TypedOperand),
    Text(Format),
}

impl Draft {
    /// The alert of a rule at the moment of the event.
    pub fn new(rule: &Rule, moment: &Moment<'_>, fields: &Fields, hostname: &str) -> Self {
        let alert = crate::detector::alert(rule, moment, fields, hostname);
        let keys = rule.format.keys.iter().filter(|key| !key.transformed).enumerate();
        let keys = keys.filter(|(_, key)| is_late(&key.value.operand, fields));
        let mut late: Vec<(usize, Late)> = keys.map(|(at, key)| (at, Late::Value(key.value.clone()))).collect();
        let before = alert.output_fields.len() - rule.extra_fields.len();
        for (at, extra) in rule.extra_fields.iter().enumerate() {
            match extra.format.keys.first().filter(|_| extra.raw) {
                Some(key) if is_late(&key.value.operand, fields) => {
                    late.push((before + at, Late::Value(key.value.clone())));
                }
                Some(_) => {}
                None => late.push((before + at, Late::Text(output::settle(&extra.format, fields, moment)))),
            }
        }
        Self { alert, format: output::settle(&rule.format, fields, moment), late }
    }

    /// The alert as it is sent, whatever is known by now.
    pub fn finish(self, moment: &Moment<'_>, fields: &Fields) -> Alert {
        let mut alert = self.alert;
        alert.message.clear();
        output::write(&self.format, fields, moment, &mut alert.message);
        for (at, late) in self.late {
            let value = match late {
                Late::Value(value) => output::json(&value, fields, moment),
                Late::Text(format) => {
                    let mut text = String::new();
                    output::write(&format, fields, moment, &mut text);
                    Json::Text(text)
                }
            };
            if let Some(place) = alert.output_fields.get_mut(at) {
                place.1 = value;
            }
        }
        alert
    }
}

/// Says in an alert that its container is not known, if it asked for it: a value that is missing for that reason is not
/// one that does not exist.
pub fn mark(alert: &mut Alert, lack: Lack) -> bool {
    if lack == Lack::Nothing {
        return false;
    }
    alert.message.push_str(" (container unknown)");
    alert.output_fields.push(("container.metadata".into(), Json::Text("unknown".into())));
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use peregrine_alert::Priority;
    use peregrine_capture::tables::{Tables, Thread};
    use peregrine_event::Event;
    use peregrine_state::{Container, Options};

    const ID: &str = "3f9a0c27d8e14b5f6a7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c";
    const SECOND: u64 = 1_000_000_000;

    /// A state that has asked for a container.
    fn state() -> State {
        let cgroups = format!("cpu=/docker/{ID}\0").into_bytes();
        let threads = vec![Thread { tid: 10, pid: 10, ptid: 1, cgroups, ..Thread::default() }];
        let options = Options { discover: true, ..Options::default() };
        State::with_options(Tables { threads, ..Tables::default() }, options)
    }

    fn tell(state: &mut State, container: &Container) {
        let bytes = crate::containers::event(container, 1);
        let event = Event::parse(&bytes, 0).unwrap();
        let context = state.begin(&event);
        state.finish(&event, &context);
    }

    fn waiting(ts: u64) -> Entry {
        let container = ID.as_bytes()[..12].into();
        let (bytes, context) = ((Vec::new(), 0), Context::default());
        Entry::Waiting(Box::new(Waiting { container, bytes, ts, context, candidates: Vec::new() }))
    }

    fn ready(rule: &str) -> Entry {
        Entry::Ready(Alert::internal(rule, Priority::Warning, String::new(), Vec::new(), 1, "h"))
    }

    fn hold(most: usize) -> Hold {
        let mut hold = Hold::default();
        hold.limit(HoldLimits { wait: Duration::from_secs(1), most });
        hold
    }

    /// What leaves at a time: the rules of alerts, `?` for events.
    fn leaving(hold: &mut Hold, state: &State, now: u64) -> Vec<String> {
        let named = |entry| match entry {
            Entry::Ready(alert) => alert.rule,
            Entry::Waiting(_) => "?".to_owned(),
        };
        std::iter::from_fn(|| hold.next(state, now)).map(named).collect()
    }

    #[test]
    fn order_is_kept_until_the_container_is_known() {
        let (mut state, mut hold) = (state(), hold(9));
        hold.push(ready("a"));
        hold.push(waiting(SECOND));
        hold.push(ready("b"));
        assert_eq!(leaving(&mut hold, &state, SECOND), ["a"]);
        assert_eq!(leaving(&mut hold, &state, 2 * SECOND), [""; 0]);
        tell(&mut state, &Container { id: ID[..12].into(), ..Container::default() });
        assert_eq!(leaving(&mut hold, &state, 2 * SECOND), ["?", "b"]);
        assert!(hold.is_empty());
        assert_eq!(hold.figures, HoldFigures { held: 1, completed: 1, ..HoldFigures::default() });
    }

    #[test]
    fn time_and_number_are_bounded() {
        let (mut state, mut hold) = (state(), hold(2));
        for ts in 1..=3 {
            hold.push(waiting(ts * SECOND));
        }
        assert_eq!(leaving(&mut hold, &state, 3 * SECOND / 2), ["?"], "too many wait");
        hold.push(ready("b"));
        assert_eq!(leaving(&mut hold, &state, 3 * SECOND + 1), ["?"], "one has waited for too long");
        tell(&mut state, &Container::unknown(&ID[..12]));
        assert_eq!(leaving(&mut hold, &state, 3 * SECOND + 1), ["?", "b"], "nobody knows the container");
        assert_eq!(hold.figures, HoldFigures { held: 3, unknown: 3, overflowed: 1, ..HoldFigures::default() });
    }
}
