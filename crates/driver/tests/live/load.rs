//! Loading, attaching, detaching.

use peregrine_driver::{Config, Driver, LiveSource, Needs, Scope};
use peregrine_event::code;
use peregrine_testkit::live;
use std::fs::File;
use std::time::Duration;

/// CPU time of this thread, user and system.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

fn ours(needs: Needs) -> Config {
    Config { scope: Scope::Tree(std::process::id()), exclude_self: false, needs, ..Config::default() }
}

#[test]
fn loads_and_attaches_within_a_second() {
    let Some(_guard) = live() else { return };
    // By the CPU's clock: what else runs on the machine must not decide.
    let start = cpu_time();
    let driver = Driver::load(&ours(Needs::everything())).unwrap();
    let took = cpu_time() - start;
    assert!(driver.verified_instructions().len() > 90);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn only_what_is_wanted_leaves_the_kernel() {
    let Some(_guard) = live() else { return };
    let mut source = LiveSource::start(&ours([code::SYSCALL_CLOSE_X].into_iter().collect())).unwrap();
    let rounds = 1000;
    for _ in 0..rounds {
        drop(File::open("/dev/null").unwrap());
    }
    source.stop();
    let (mut closes, mut others, mut last) = (0, 0, 0);
    while source
        .next_batch(Duration::ZERO, |event| {
            match event.code {
                code::SYSCALL_CLOSE_X => closes += 1,
                _ => others += 1,
            }
            assert!(event.ts >= last, "out of order");
            last = event.ts;
        })
        .events
        > 0
    {}
    assert!(closes >= rounds, "{closes} closes seen of {rounds}");
    assert_eq!(others, 0);
    let counters = source.stats().unwrap().total();
    assert_eq!((counters.events(), counters.drops()), (closes, 0));
    assert_eq!(source.irregular(), Default::default());
}
