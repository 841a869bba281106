//! One output never disturbs another, nor whoever sends; and everything is bounded and counted.

use crate::support::{PATIENCE, Told, alert, assert_settled, outputs, report, saying, settings, wait_until};
use peregrine_outputs::sink::Failed;
use peregrine_outputs::{Cause, Error, Overflow, Settings};
use proptest::prelude::*;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A receiver that never reads: as long as it hangs, sending goes on and the other output gets everything.
#[test]
fn one_that_hangs_stalls_nobody() {
    let (release, released) = channel::<()>();
    let (stuck, entered) = channel();
    let (hanging, _, _) = Told::sink(
        1,
        Box::new(move |messages, _| {
            let _ = stuck.send(());
            let _ = released.recv();
            Ok(messages.len())
        }),
    );
    let (healthy, kept, _) = Told::sink(1, Box::new(|messages, _| Ok(messages.len())));
    let settings = Settings { capacity: 1000, timeout: Duration::from_millis(20), ..settings() };
    let outputs = outputs(&settings, vec![("http", hanging), ("file", healthy)]);
    outputs.send(alert(0));
    entered.recv_timeout(PATIENCE).expect("the output hangs now");
    for number in 1..=5000 {
        // The healthy one is given time to keep up: its queue is as bounded as the other's.
        if number % 500 == 0 {
            wait_until("the healthy output keeps up", || report(&outputs, "file").waiting == 0);
        }
        outputs.send(alert(number));
    }
    wait_until("the healthy output has all", || report(&outputs, "file").delivered == 5001);
    let expected: Vec<String> = (0..=5000).map(|number| alert(number).message).collect();
    assert_eq!(*kept.lock().unwrap(), expected);
    let hung = report(&outputs, "http");
    assert_eq!(hung.delivered, 0);
    assert!(hung.lost_to(Cause::QueueFull) >= 5001 - 1000 - 256, "{hung:?}");
    assert_eq!(hung.lost_to(Cause::QueueFull) + hung.waiting, 5001, "{hung:?}");
    wait_until("the watchdog tells of it", || report(&outputs, "http").timeouts == 1);
    drop(release);
    let reports = outputs.stop();
    reports.iter().for_each(|report| assert_settled(report, 5001));
    assert_eq!(reports[0].lost_total(), hung.lost_total(), "what was queued arrived after all: {:?}", reports[0]);
    assert_eq!(reports[1].timeouts, 0);
}

/// What a sender pays while an output hangs, in the only clock that matters to detection.
#[test]
fn sending_takes_microseconds_while_an_output_hangs() {
    let (release, released) = channel::<()>();
    let (hanging, _, _) = Told::sink(
        1,
        Box::new(move |messages, _| {
            let _ = released.recv();
            Ok(messages.len())
        }),
    );
    let outputs = outputs(&Settings { capacity: 100, ..settings() }, vec![("http", hanging)]);
    let mut slowest = Duration::ZERO;
    for number in 0..2000 {
        let alert = alert(number);
        let begun = Instant::now();
        outputs.send(alert);
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < Duration::from_millis(100), "{slowest:?}");
    drop(release);
    assert_settled(&outputs.stop()[0], 2000);
}

#[test]
fn an_outage_is_bridged_and_order_kept() {
    let mut left = 5;
    let (sink, kept, _) = Told::sink(
        4,
        Box::new(move |messages, _| {
            if left > 0 {
                left -= 1;
                return Err(Error::passing(Cause::Unreachable, "away").into());
            }
            Ok(messages.len())
        }),
    );
    let outputs = outputs(&settings(), vec![("http", sink)]);
    (0..20).for_each(|number| outputs.send(alert(number)));
    let reports = outputs.stop();
    assert_eq!((reports[0].delivered, reports[0].retries, reports[0].lost_total()), (20, 5, 0));
    assert_eq!(*kept.lock().unwrap(), (0..20).map(|number| alert(number).message).collect::<Vec<_>>());
}

#[test]
fn what_is_too_old_is_given_up_under_its_cause() {
    let (sink, _, _) = Told::sink(1, Box::new(|_, _| Err(Error::passing(Cause::Tls, "no trust").into())));
    let settings = Settings { max_age: Duration::from_millis(300), ..settings() };
    let outputs = outputs(&settings, vec![("http", sink)]);
    (0..500).for_each(|number| outputs.send(alert(number)));
    wait_until("all are given up", || report(&outputs, "http").lost_to(Cause::Tls) == 500);
    assert!(report(&outputs, "http").retries < 50, "an outage is not tried again for every alert");
}

#[test]
fn answers_that_do_not_come_are_waited_for_a_few_times() {
    struct Silent(usize);
    impl peregrine_outputs::sink::Sink for Silent {
        fn deliver(
            &mut self,
            _: &[peregrine_outputs::Message],
            _: &peregrine_outputs::sink::Desk,
        ) -> Result<usize, Failed> {
            self.0 += 1;
            Err(Error::passing(Cause::Timeout, format!("no answer {}", self.0)).into())
        }
        fn max_timeouts(&self) -> Option<u32> {
            Some(2)
        }
        fn reopen(&mut self, _: &peregrine_outputs::sink::Desk) {}
    }
    let outputs = outputs(&settings(), vec![("http", Box::new(Silent(0)))]);
    (0..2).for_each(|number| outputs.send(alert(number)));
    let reports = outputs.stop();
    assert_eq!((reports[0].lost_to(Cause::Timeout), reports[0].retries), (2, 4));
}

/// The end waits for what is queued, but not for ever; one that hangs is left behind and what it had is counted.
#[test]
fn the_end_is_bounded() {
    let (release, released) = channel::<()>();
    let (hanging, _, _) = Told::sink(
        1,
        Box::new(move |messages, _| {
            let _ = released.recv();
            Ok(messages.len())
        }),
    );
    let (failing, _, _) = Told::sink(1, Box::new(|_, _| Err(Error::passing(Cause::Unreachable, "away").into())));
    let settings = Settings { grace: Duration::from_millis(200), ..settings() };
    let outputs = outputs(&settings, vec![("program", hanging), ("http", failing)]);
    (0..700).for_each(|number| outputs.send(alert(number)));
    let begun = Instant::now();
    let reports = outputs.stop();
    assert!(begun.elapsed() < Duration::from_secs(30));
    for report in &reports {
        assert_settled(report, 700);
        assert_eq!(report.lost_to(Cause::Shutdown), 700, "{report:?}");
    }
    outputs.send(alert(700));
    assert_eq!(report(&outputs, "http").lost_to(Cause::Shutdown), 701, "nor is what comes later lost in silence");
    drop(release);
}

/// A capture can wait: whoever sends does, and nothing is lost.
#[test]
fn a_sender_that_may_wait_loses_nothing() {
    let (sink, kept, _) = Told::sink(1, Box::new(|messages, _| Ok(messages.len())));
    let settings = Settings { capacity: 3, overflow: Overflow::Wait, ..settings() };
    let outputs = outputs(&settings, vec![("file", sink)]);
    (0..5000).for_each(|number| outputs.send(alert(number)));
    assert_eq!(outputs.stop()[0].delivered, 5000);
    assert_eq!(kept.lock().unwrap().len(), 5000);
}

#[test]
fn memory_is_bounded_by_bytes_where_the_number_is_not() {
    let (release, released) = channel::<()>();
    let (hanging, _, _) = Told::sink(
        1,
        Box::new(move |messages, _| {
            let _ = released.recv();
            Ok(messages.len())
        }),
    );
    let settings = Settings { capacity: 0, max_bytes: 8 << 20, ..settings() };
    let outputs = outputs(&settings, vec![("http", hanging)]);
    let large = "x".repeat(1 << 20);
    (0..10).for_each(|_| outputs.send(saying(&large)));
    let full = report(&outputs, "http");
    assert_eq!((full.lost_to(Cause::MemoryFull), full.queue_drops(), full.waiting), (7, 7, 3), "two bytes a byte");
    assert!(full.bytes <= 8 << 20);
    drop(release);
    assert_eq!(outputs.stop()[0].delivered, 3);
}

#[test]
fn opening_anew_reaches_every_output() {
    let (one, _, one_news) = Told::sink(1, Box::new(|messages, _| Ok(messages.len())));
    let (two, _, two_news) = Told::sink(1, Box::new(|_, _| Err(Error::passing(Cause::Io, "full").into())));
    let settings = Settings { max_backoff: PATIENCE, grace: Duration::ZERO, ..settings() };
    let outputs = outputs(&settings, vec![("file", one), ("program", two)]);
    outputs.send(alert(0));
    outputs.reopen();
    one_news.recv_timeout(PATIENCE).expect("while nothing is to be done");
    two_news.recv_timeout(PATIENCE).expect("while it waits to try again");
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Take(usize),
    Passing(usize),
    Lasting(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_usize..9).prop_map(Step::Take),
        1 => (0_usize..4).prop_map(Step::Passing),
        1 => (0_usize..4).prop_map(Step::Lasting),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever a sink does, each alert is taken once and in order, or lost once.
    #[test]
    fn each_alert_has_one_fate(steps in proptest::collection::vec(step(), 1..60), batch in 1_usize..20) {
        let lost = Arc::new(Mutex::new(Vec::new()));
        let mut steps = steps.into_iter();
        let gone = Arc::clone(&lost);
        let (sink, kept, _) = Told::sink(batch, Box::new(move |messages, _| {
            let all = messages.len();
            match steps.next().unwrap_or(Step::Take(all)) {
                Step::Take(n) => Ok(n.min(all)),
                Step::Passing(n) => Err(Failed { taken: n.min(all - 1), error: Error::passing(Cause::Io, "x") }),
                Step::Lasting(n) => {
                    let taken = n.min(all - 1);
                    gone.lock().unwrap().push(messages[taken].alert().message.clone());
                    Err(Failed { taken, error: Error::lasting(Cause::Refused, "x") })
                }
            }
        }));
        let settings = Settings { max_backoff: Duration::from_millis(1), ..settings() };
        let outputs = outputs(&settings, vec![("http", sink)]);
        (0..200).for_each(|number| outputs.send(alert(number)));
        let report = outputs.stop().remove(0);
        let (kept, lost) = (kept.lock().unwrap().clone(), lost.lock().unwrap().clone());
        prop_assert_eq!(report.delivered, kept.len() as u64);
        prop_assert_eq!(report.lost_to(Cause::Refused), lost.len() as u64);
        let expected: Vec<String> = (0..200).map(|n| alert(n).message).filter(|m| !lost.contains(m)).collect();
        prop_assert_eq!(kept, expected);
    }
}
