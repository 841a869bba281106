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
fn what_is_wanted_changes_without_a_gap() {
    let Some(_guard) = live() else { return };
    let first: Needs = [code::SYSCALL_CLOSE_X].into_iter().collect();
    let mut source = LiveSource::start(&ours(first)).unwrap();
    let control = source.control();
    let rounds = 2000;
    let opener = std::thread::spawn(move || (0..rounds).for_each(|_| drop(File::open("/dev/null").unwrap())));
    // Opens come and go, which takes another program; closes are wanted all the time.
    let changer = std::thread::spawn(move || {
        for _ in 0..10 {
            control.set_needs(&first.union(&[code::SYSCALL_OPENAT_2_X].into_iter().collect())).unwrap();
            drop(File::open("/dev/zero").unwrap());
            control.set_needs(&first).unwrap();
        }
    });
    let (mut closes, mut zeros) = (0, 0);
    let mut each = |event: &peregrine_event::Event<'_>| match event.code {
        code::SYSCALL_CLOSE_X => closes += 1,
        _ => zeros += usize::from(event.text(2) == Some(b"/dev/zero")),
    };
    while !opener.is_finished() || !changer.is_finished() {
        source.next_batch(Duration::from_millis(10), &mut each);
    }
    opener.join().unwrap();
    changer.join().unwrap();
    let control = source.control();
    source.stop();
    while source.next_batch(Duration::ZERO, &mut each).events > 0 {}
    assert!(closes >= rounds + 10, "{closes} closes seen of {rounds}");
    assert_eq!(zeros, 10, "opens that were wanted");
    assert_eq!(source.stats().unwrap().total().drops(), 0);
    // The programs are gone for good.
    control.set_needs(&Needs::everything()).unwrap();
    assert_eq!(source.next_batch(Duration::from_millis(20), |_| ()).events, 0);
}

#[test]
fn only_what_is_wanted_leaves_the_kernel() {
    let Some(_guard) = live() else { return };
    let mut source = LiveSource::start(&ours([code::SYSCALL_CLOSE_X].into_iter().collect())).unwrap();
    let verified = source.driver().verified_instructions();
    let loaded = verified.keys().filter(|name| name.starts_with("sys_"));
    assert_eq!(loaded.collect::<Vec<_>>(), ["sys_close", "sys_exit"], "programs of calls nobody wants are not loaded");
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
