//! What reading costs: no allocation an event, and tens of nanoseconds at most.

use crate::writing::{close, plain};
use peregrine_capture::{Item, Options, Reader};
use peregrine_event::{Event, EventWriter, code};

/// A plain capture of `rounds` times open, read and close.
fn capture(rounds: u64) -> Vec<u8> {
    plain(|writer| {
        for round in 0..rounds {
            let mut open = EventWriter::new(round * 3, 7, code::SYSCALL_OPENAT_2_X);
            open.push(&5i64.to_le_bytes()).push(&(-100i64).to_le_bytes()).push_text(b"/etc/ld.so.cache");
            open.push(&[0; 4]).push(&[0; 4]).push(&[0; 4]).push(&[0; 8]);
            let mut read = EventWriter::new(round * 3 + 1, 7, code::SYSCALL_READ_X);
            read.push(&64i64.to_le_bytes()).push(&[0; 64]).push(&5i64.to_le_bytes()).push(&[0; 4]);
            for bytes in [open.finish(), read.finish(), close(round * 3 + 2, 7, 5)] {
                writer.event(&Event::parse(&bytes, 0).unwrap(), 0).unwrap();
            }
        }
    })
}

fn drain(reader: &mut Reader) -> u64 {
    let (mut events, mut sum) = (0, 0u64);
    while let Some(item) = reader.next().unwrap() {
        if let Item::Event { event, .. } = item {
            events += 1;
            sum = sum.wrapping_add(event.ts);
        }
    }
    assert!(sum > 0);
    events
}

#[test]
fn no_allocation_an_event() {
    let mut reader = Reader::from_bytes("memory", capture(1000), Options::default()).unwrap();
    reader.take_tables();
    let used = allocation_counter::measure(|| assert_eq!(drain(&mut reader), 3000));
    assert_eq!(used.count_total, 0);
    // A stream's buffer is there before its first event.
    let stream = std::io::Cursor::new(capture(10_000));
    let mut reader = Reader::from_read("memory", stream, Options::default()).unwrap();
    reader.take_tables();
    let used = allocation_counter::measure(|| assert_eq!(drain(&mut reader), 30_000));
    assert_eq!(used.count_total, 0);
}

/// Old captures allocate for a thread's first calls, and then no more.
#[test]
fn conversion_settles() {
    for path in crate::captures().into_iter().filter(|p| p.to_string_lossy().contains("full_capture")) {
        let mut reader = Reader::from_bytes("memory", crate::unpacked(&path), Options::default()).unwrap();
        let events = drain(&mut reader);
        let stats = reader.stats();
        assert!(reader.rewind().unwrap());
        reader.take_tables();
        let used = allocation_counter::measure(|| assert_eq!(drain(&mut reader), events));
        assert_eq!(reader.stats(), stats, "the second pass is as the first");
        assert!(used.count_total < events / 20, "{} allocations for {events} events", used.count_total);
    }
}

/// Nanoseconds that this thread ran, so that what else the machine does counts little.
fn on_cpu() -> u64 {
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    line.split(' ').next().unwrap().parse().unwrap()
}

/// Prints what an event costs; run it with `--release -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement: only a release build says something"]
fn nanoseconds_an_event() {
    let measure = |name: &str, bytes: Vec<u8>| {
        let mut reader = Reader::from_bytes(name, bytes, Options::default()).unwrap();
        let (mut given, mut read) = (0, 0);
        // The kernel's account of a thread moves by ticks, so only a long run says something.
        let timed = |pass: &mut dyn FnMut()| {
            let (start, mut passes) = (on_cpu(), 0u32);
            while on_cpu() - start < 100_000_000 {
                pass();
                passes += 1;
            }
            (on_cpu() - start) as f64 / f64::from(passes)
        };
        let head = timed(&mut || assert!(reader.rewind().unwrap()));
        let pass = timed(&mut || {
            reader.rewind().unwrap();
            reader.take_tables();
            given = drain(&mut reader);
            read = reader.stats().events;
        });
        let cost = (pass - head) / read as f64;
        println!("{name}: {cost:.1} ns an event, {given} of {read} given");
        cost
    };
    let cost = measure("open, read, close", capture(200_000));
    for path in crate::captures() {
        measure(&path.file_stem().unwrap().to_string_lossy(), crate::unpacked(&path));
    }
    assert!(cost < 30.0, "{cost} ns an event");
}
