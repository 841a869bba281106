//! Whatever events come, nothing panics and every table stays within its bound.

use peregrine_capture::tables::{Fd, FdKind, Thread};
use peregrine_event::code::COUNT;
use peregrine_event::record::Tag;
use peregrine_event::{Event, EventWriter, ParamType, table};
use peregrine_state::{Accounts, Limits, Options, Purging, State, ThreadSource};
use proptest::prelude::*;

const LIMITS: Limits =
    Limits { threads: 6, fds_per_process: 5, fds: 12, users: 4, containers: 2, stored_enters: 2, source_lookups: 2 };

/// One event: code, thread, time, and material for its parameters.
type Seed = (u16, i64, u64, Vec<u8>, bool);

fn seed() -> impl Strategy<Value = Seed> {
    // Half of the events are of the kinds that change most.
    let code = prop_oneof![
        0..COUNT as u16,
        proptest::sample::select(vec![
            3, 5, 19, 21, 23, 31, 53, 35, 43, 61, 186, 223, 247, 293, 307, 363, 365, 405, 407, 451
        ]),
    ];
    (code, -2i64..9, 0u64..5_000_000_000, prop::collection::vec(any::<u8>(), 0..64), any::<bool>())
}

/// Mostly well-formed parameters: small numbers, so that ids and descriptors meet.
fn bytes_of((code, tid, ts, material, own): &Seed) -> Vec<u8> {
    let mut writer = EventWriter::new(*ts, *tid, *code);
    let mut source = material.iter().copied().cycle();
    let mut next = || source.next().unwrap_or(0);
    for param in table::EVENTS[usize::from(*code)].params {
        match param.ty.fixed_size() {
            _ if next() % 16 == 0 => writer.push(&[]),
            Some(8) => {
                let value = i64::from(next() % 10) - if next() % 5 == 0 { 3 } else { 0 };
                writer.push(&value.to_le_bytes())
            }
            Some(size) => {
                let value: Vec<u8> = (0..size).map(|at| if at == 0 { next() } else { 0 }).collect();
                writer.push(&value)
            }
            None if matches!(param.ty, ParamType::Sockaddr | ParamType::Socktuple) => {
                let family = [1, 2, 10, 16][usize::from(next() % 4)];
                let len = [1, 7, 13, 18, 19, 37][usize::from(next() % 6)];
                let body: Vec<u8> = (0..len).map(|at| if at == 0 { family } else { next() % 3 }).collect();
                writer.push(&body)
            }
            None => {
                let text: &[u8] =
                    [&b"/a/b"[..], b"../c", b"x", b"{\"id\":\"c\"}", b"cpu=/docker/a", b""][usize::from(next() % 6)];
                writer.push_text(text)
            }
        };
    }
    if *own {
        writer.record(Tag::Path, b"/k").record(Tag::Tgid, &u32::from(next() % 9).to_le_bytes());
    }
    writer.finish()
}

/// Knows every other thread and descriptor, and says of every third thread that it is gone.
struct World;

impl ThreadSource for World {
    fn thread(&mut self, tid: i64) -> Option<(Thread, Vec<Fd>)> {
        let fd = self.descriptor(tid, tid);
        let thread = Thread { tid, pid: tid / 2 * 2, ptid: tid % 3, vtid: tid, vpid: tid, ..Thread::default() };
        (tid % 2 == 0).then(|| (thread, fd.into_iter().collect()))
    }

    fn descriptor(&mut self, _pid: i64, fd: i64) -> Option<Fd> {
        let kind = FdKind::Unix { source: 1, dest: 2, name: b"s".to_vec() };
        (fd % 2 == 0).then_some(Fd { fd, ino: 1, kind, cloexec: fd % 4 == 0 })
    }

    fn started(&mut self, _pid: i64, tid: i64) -> Option<u64> {
        (tid % 3 != 0).then_some(0)
    }

    fn accounts(&mut self, pid: i64) -> Option<Accounts> {
        (pid % 2 == 0).then(Accounts::default)
    }
}

/// As a capture is replayed, and as a live system is followed.
fn options(live: bool) -> Options {
    let source = live.then(|| Box::new(World) as Box<dyn ThreadSource>);
    Options { limits: LIMITS, purging: Purging { interval_s: 1, timeout_s: 1 }, source, ..Options::default() }
}

fn check(state: &State) -> Result<(), TestCaseError> {
    let counters = state.counters();
    prop_assert!(counters.n_threads as usize <= LIMITS.threads, "{:?}", counters);
    prop_assert!(counters.n_fds as usize <= LIMITS.fds, "{:?}", counters);
    prop_assert!(counters.n_users as usize <= LIMITS.users, "{:?}", counters);
    prop_assert!(counters.n_containers as usize <= LIMITS.containers, "{:?}", counters);
    let mut fds = 0;
    for (slot, thread) in state.threads() {
        prop_assert_eq!(state.lookup(thread.tid), Some(slot));
        if let Some(table) = state.fd_table(thread) {
            prop_assert!(table.len() <= LIMITS.fds_per_process);
            prop_assert_eq!(table.len(), table.iter().count());
        }
        // No walk is endless, and no thread is its own parent.
        let mut at = Some(thread);
        for _ in 0..64 {
            at = at.and_then(|thread| state.parent(thread));
        }
        fds += 1;
    }
    prop_assert_eq!(fds as u64, counters.n_threads);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_events_keep_the_bounds(live in any::<bool>(), seeds in prop::collection::vec(seed(), 1..120)) {
        let mut state = State::with_options(Default::default(), options(live));
        for seed in &seeds {
            let bytes = bytes_of(seed);
            let event = Event::parse(&bytes, 0).expect("built as the table says");
            let context = state.begin(&event);
            if context.has_fd {
                prop_assert!(state.event_fd(&context).is_some() || event.code == peregrine_event::code::SYSCALL_CLOSE_RANGE_X);
            }
            if let Some(slot) = context.thread {
                prop_assert_eq!(state.thread(slot).map(|thread| thread.tid), Some(event.tid));
            }
            state.finish(&event, &context);
            check(&state)?;
        }
    }

    #[test]
    fn any_bytes_as_parameters(code in 0..COUNT as u16, params in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..32)) {
        let mut state = State::with_options(Default::default(), Options { limits: LIMITS, ..Options::default() });
        for tid in [1, 1, 2] {
            let mut writer = EventWriter::new(1, tid, code);
            params.iter().for_each(|param| { writer.push(param); });
            let bytes = writer.finish();
            let event = Event::parse(&bytes, 0).expect("lengths fit");
            let context = state.begin(&event);
            state.finish(&event, &context);
            check(&state)?;
        }
    }
}
