//! What the ring buffers bring: in order whatever the number of buffers, and every loss counted by its cause.

use crate::stage::Held;
use peregrine_driver::{BufferSize, Config, LiveSource, Needs, Scope};
use peregrine_event::code;
use std::fs::File;
use std::time::Duration;

/// Two busy processes, forking all the while.
const BUSY: &str = "for side in 1 2; do (for n in $(seq 200); do (: < /dev/null); done) & done; wait";

fn in_order(cpus_per_buffer: u16) {
    let recording = Held::shell(BUSY).record_with(|config| config.cpus_per_buffer = cpus_per_buffer);
    let times: Vec<u64> = recording.events().map(|event| event.ts).collect();
    assert!(times.len() > 2_000, "{}", times.len());
    assert!(times.is_sorted());
    // Whoever is born is told of before it acts: by its parent, or by its own return from the same call.
    let mut known = vec![i64::from(recording.root)];
    for event in recording.events() {
        if matches!(event.code, code::SYSCALL_CLONE_20_X | code::SYSCALL_VFORK_20_X) {
            known.extend(event.int(0).map(|child| if child > 0 { child } else { event.tid }));
        }
        assert!(known.contains(&event.tid), "{} of an unknown thread", event.info().symbol);
    }
    assert_eq!(recording.drops, 0);
}

#[test]
fn one_buffer_for_each_cpu_is_merged_in_order() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    in_order(1);
}

#[test]
fn one_buffer_for_all_cpus_is_in_order() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    in_order(0);
}

#[test]
fn losses_are_counted_by_cause_and_reported() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let config = Config {
        buffer: BufferSize::preset(1).unwrap(),
        scope: Scope::Tree(std::process::id()),
        exclude_self: false,
        needs: [code::SYSCALL_OPENAT_2_X, code::SYSCALL_CLOSE_X].into_iter().collect::<Needs>(),
        ..Config::default()
    };
    let mut source = LiveSource::start(&config).unwrap();
    // More than both buffers hold, and nobody reads.
    for _ in 0..20_000 {
        drop(File::open("/dev/null").unwrap());
    }
    let (mut seen, mut report) = (0, None);
    source.stop();
    loop {
        let batch = source.next_batch(Duration::ZERO, |_| seen += 1);
        report = report.or(batch.drops);
        if batch.events == 0 {
            break;
        }
    }
    let report = report.expect("the loss is reported");
    let total = source.stats().unwrap().total();
    let (opens, closes) = (total.get("n_drops_buffer_open_exit"), total.get("n_drops_buffer_close_exit"));
    assert!(opens > 1_000 && closes > 1_000, "{opens} {closes}");
    assert_eq!(total.get("n_drops_buffer"), opens + closes);
    assert_eq!(total.events(), seen + total.drops(), "every event was seen or counted as lost");
    assert_eq!(report.delta.drops(), total.drops());
    assert!(report.ratio() > 0.1);
}
