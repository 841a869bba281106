//! Steady work allocates nothing; what it costs is measured on demand.

use crate::build::{P::*, act, event, state};
use peregrine_event::Event;
use peregrine_event::code::*;
use peregrine_state::State;
use rustix::time::{ClockId, clock_gettime};

/// An open, two reads, a write and a close of the same thread.
fn work() -> Vec<Vec<u8>> {
    let open = [I(4), I(-100), T("some/file.txt"), W(1), W(0), W(0x801), I(77)];
    vec![
        event(1, 10, SYSCALL_OPENAT_2_X, &open),
        event(2, 10, SYSCALL_READ_X, &[I(5), R(b"hello"), I(4), W(5)]),
        event(3, 10, SYSCALL_READ_X, &[I(0), R(b""), I(4), W(5)]),
        event(4, 10, SYSCALL_WRITE_X, &[I(5), R(b"hello"), I(3), W(5)]),
        event(5, 10, SYSCALL_CLOSE_X, &[I(0), I(4)]),
    ]
}

/// This thread's own time in nanoseconds: others on the machine do not count.
fn now() -> i128 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

fn apply(state: &mut State, event: &Event<'_>) -> bool {
    let context = state.begin(event);
    state.finish(event, &context);
    context.has_fd
}

#[test]
fn opening_reading_and_closing_allocates_nothing() {
    let mut state = state();
    let bytes = work();
    let events: Vec<Event<'_>> = bytes.iter().map(|bytes| Event::parse(bytes, 0).unwrap()).collect();
    let mut round = || events.iter().all(|event| apply(&mut state, event));
    assert!(round(), "every event finds its descriptor");
    let measured = allocation_counter::measure(|| {
        for _ in 0..1000 {
            assert!(round());
        }
    });
    assert_eq!(measured.count_total, 0);
}

#[test]
fn transfers_on_sockets_allocate_nothing() {
    let mut state = state();
    act(&mut state, 10, SOCKET_SOCKET_X, &[I(5), W(2), W(2), W(0), W(0)]);
    let tuple = |port: u8| [&[2, 127, 0, 0, 1, port, 9, 127, 0, 0, 1, 53, 0][..]].concat();
    let bytes: Vec<Vec<u8>> =
        [1, 2, 1].map(|port| event(1, 10, SOCKET_SENDTO_X, &[I(1), R(b"x"), I(5), W(1), R(&tuple(port))])).into();
    let events: Vec<Event<'_>> = bytes.iter().map(|bytes| Event::parse(bytes, 0).unwrap()).collect();
    let mut round = || events.iter().all(|event| apply(&mut state, event));
    assert!(round());
    assert_eq!(allocation_counter::measure(|| assert!(round())).count_total, 0);
}

/// Run with `cargo test --release -p peregrine-state --test state -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, of use in release builds only"]
fn cost_of_an_event() {
    const ROUNDS: u32 = 400_000;
    let mut state = state();
    let bytes = work();
    let events: Vec<Event<'_>> = bytes.iter().map(|bytes| Event::parse(bytes, 0).unwrap()).collect();
    let mut spent = vec![0i128; events.len()];
    for _ in 0..ROUNDS {
        assert!(events.iter().all(|event| apply(&mut state, event)));
    }
    let started = now();
    for _ in 0..ROUNDS {
        assert!(events.iter().all(|event| apply(&mut state, event)));
    }
    let all = (now() - started) / i128::from(ROUNDS) / events.len() as i128;
    for (nth, event) in events.iter().enumerate().filter(|(_, event)| event.code != SYSCALL_CLOSE_X) {
        let started = now();
        for _ in 0..ROUNDS {
            std::hint::black_box(apply(&mut state, event));
        }
        spent[nth] = (now() - started) / i128::from(ROUNDS);
    }
    println!("ns an event: mixed {all}, open, read, read, write alone {:?}", &spent[..4]);
}

/// Likewise.
#[test]
#[ignore = "a measurement, of use in release builds only"]
fn cost_of_a_snapshot() {
    use peregrine_state::procfs::{Bounds, Scope, snapshot};
    use std::process::{Child, Command};
    const THREADS: usize = 2000;
    const PROCESSES: usize = 200;
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let stopped = std::sync::Arc::new(std::sync::Mutex::new(stopped));
    let wait = |_| {
        let stopped = stopped.clone();
        let thread = std::thread::Builder::new().stack_size(32 << 10);
        thread.spawn(move || drop(stopped.lock().map(|stopped| stopped.recv()))).unwrap()
    };
    let measured = |what: &str| {
        let scope = Scope::Tree(i64::from(std::process::id()));
        let started = now();
        let snapshot = snapshot(&scope, &Bounds::default()).unwrap();
        let spent = (now() - started) / 1000;
        println!("{what}: {spent} µs of CPU, {:?}", snapshot.stats);
    };
    measured("alone");
    let threads: Vec<_> = (0..THREADS).map(wait).collect();
    measured("threads");
    drop(stop);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let mut children: Vec<Child> = (0..PROCESSES).map(|_| Command::new("sleep").arg("600").spawn().unwrap()).collect();
    measured("processes");
    for child in &mut children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
