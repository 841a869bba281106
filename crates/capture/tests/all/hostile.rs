//! Damaged, cut, lying and foreign captures: an error with its place, what was whole before it on request, no panic.

use crate::writing::{close, plain};
use peregrine_capture::{CaptureError, Fault, Item, Options, Reader};
use peregrine_event::{Event, EventWriter, code};
use proptest::prelude::*;

const LENIENT: Options = Options { lenient: true, convert: true };

/// Reads all; how many events came and the error at the end, if there was one.
fn read(bytes: Vec<u8>, options: Options) -> (usize, Option<CaptureError>) {
    let mut events = 0;
    let mut reader = match Reader::from_bytes("memory", bytes, options) {
        Ok(reader) => reader,
        Err(error) => return (0, Some(error)),
    };
    loop {
        match reader.next() {
            Ok(Some(Item::Event { .. })) => events += 1,
            Ok(Some(Item::Section(_))) => {}
            Ok(None) => return (events, None),
            Err(error) => {
                assert!(reader.next().is_ok_and(|item| item.is_none()), "something came after an error");
                return (events, Some(error));
            }
        }
    }
}

fn lenient(bytes: Vec<u8>) -> (usize, Option<u64>) {
    let Ok(mut reader) = Reader::from_bytes("memory", bytes, LENIENT) else { return (0, None) };
    let mut events = 0;
    while let Some(item) = reader.next().expect("a lenient reader gives no error after its begin") {
        events += usize::from(matches!(item, Item::Event { .. }));
    }
    (events, reader.warning().map(|w| w.offset))
}

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound.max(1)
    }
}

#[test]
fn captures_cut_anywhere() {
    let mut numbers = Numbers(1);
    for path in crate::captures() {
        let whole = crate::unpacked(&path);
        let (all, _) = lenient(whole.clone());
        for _ in 0..12 {
            let cut = numbers.below(whole.len());
            let part = whole[..cut].to_vec();
            let (strict, error) = read(part.clone(), Options::default());
            let (kept, warned) = lenient(part);
            assert!(strict <= all && kept == strict, "{path:?} cut at {cut}");
            // A cut between two blocks is a shorter capture, any other is an error inside what is left.
            if let Some(error) = error {
                assert!(error.offset <= cut as u64, "{path:?} cut at {cut}: {error}");
                assert!(error.to_string().starts_with("memory: "), "{error}");
                assert!(warned.is_none_or(|offset| offset == error.offset), "{path:?} cut at {cut}");
            }
        }
    }
}

#[test]
fn gzip_cut_anywhere() {
    let mut numbers = Numbers(2);
    for path in crate::captures() {
        let whole = std::fs::read(&path).unwrap();
        for _ in 0..4 {
            let cut = numbers.below(whole.len());
            let (strict, error) = read(whole[..cut].to_vec(), Options::default());
            let (kept, _) = lenient(whole[..cut].to_vec());
            assert!(error.is_some() || !whole.starts_with(&[0x1f, 0x8b]), "{path:?} cut at {cut} passed as whole");
            assert_eq!(kept, strict, "{path:?} cut at {cut}");
        }
    }
}

#[test]
fn captures_with_bytes_changed() {
    let mut numbers = Numbers(3);
    for path in crate::captures() {
        let whole = crate::unpacked(&path);
        for _ in 0..12 {
            let mut damaged = whole.clone();
            for _ in 0..1 + numbers.below(8) {
                let at = numbers.below(damaged.len());
                damaged[at] = numbers.below(256) as u8;
            }
            if let (_, Some(error)) = read(damaged.clone(), Options::default()) {
                assert!(error.offset <= damaged.len() as u64, "{path:?}: {error}");
            }
            lenient(damaged);
        }
    }
}

/// A capture of three closes, and where its event blocks begin.
fn three() -> (Vec<u8>, [usize; 3]) {
    let mut starts = [0; 3];
    let bytes = plain(|writer| {
        for (index, start) in starts.iter_mut().enumerate() {
            *start = writer.stats().bytes as usize;
            let bytes = close(index as u64, 5, 3);
            writer.event(&Event::parse(&bytes, 0).unwrap(), 0).unwrap();
        }
    });
    (bytes, starts)
}

/// Changes the second event's block and gives the error; the first event must still come.
fn second(change: impl FnOnce(&mut [u8])) -> CaptureError {
    let (mut bytes, starts) = three();
    change(&mut bytes[starts[1]..starts[2]]);
    assert_eq!(lenient(bytes.clone()), (1, Some(starts[1] as u64)));
    let (events, error) = read(bytes, Options::default());
    assert_eq!(events, 1);
    error.unwrap()
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

#[test]
fn errors_say_what_and_where() {
    let (bytes, starts) = three();
    let at = format!("(at byte {})", starts[1]);
    let text = |change: fn(&mut [u8])| second(change).to_string();
    for (message, change) in [
        ("block of type 0x216 is 20 bytes long, too short for it", (|b| put(b, 4, 20)) as fn(&mut [u8])),
        ("block of type 0x216 is 70000 bytes long, the limit is 65544", |b| put(b, 4, 70_000)),
        ("unexpected block of type 0x999 between events", |b| put(b, 0, 0x999)),
        ("unexpected block of type 0x218 between events", |b| put(b, 0, 0x218)),
        ("event length 3 is smaller than an event header", |b| put(b, 26, 3)),
        ("event claims 400 parameters, more than it has room for", |b| put(b, 32, 400)),
        ("parameter 1 of 4616 bytes runs past the end of its event", |b| b[39] = 18),
        ("no conversion for event SYSCALL_CLOSE_X with 0 parameters", |b| put(b, 32, 0)),
    ] {
        assert_eq!(text(change), format!("memory: {message} {at}"));
    }
    let (events, error) = read(bytes[..starts[2] + 9].to_vec(), Options::default());
    assert_eq!(events, 2);
    let size = bytes.len() - starts[2];
    assert_eq!(
        error.unwrap().to_string(),
        format!("memory: truncated: {size} bytes needed, 9 left (at byte {})", starts[2])
    );
}

#[test]
fn what_is_no_capture() {
    let refused = |bytes: &[u8]| {
        assert!(Reader::from_bytes("memory", bytes.to_vec(), LENIENT).is_err(), "lenient is not blind");
        read(bytes.to_vec(), Options::default()).1.unwrap().fault
    };
    assert!(matches!(refused(b""), Fault::Empty));
    assert!(matches!(refused(b"hello, world; this is a text"), Fault::NotACapture(_)));
    assert!(matches!(refused(b"\x1f\x8bno gzip"), Fault::Io(_)));
    let (mut bytes, _) = three();
    bytes[8..12].reverse();
    assert!(matches!(refused(&bytes), Fault::SwappedBytes));
    bytes[8] = 0;
    assert!(matches!(refused(&bytes), Fault::BadMagic(_)));
    let (mut bytes, _) = three();
    bytes[12] = 2;
    assert!(matches!(refused(&bytes), Fault::Version(2)));
    assert!(matches!(refused(&bytes[..20]), Fault::Truncated { .. }));
    assert!(matches!(read(plain(|_| {}), Options::default()).1.unwrap().fault, Fault::NoEvents));
}

/// A control character in a file's name does not reach a terminal.
#[test]
fn names_are_printed_safely() {
    let error = Reader::from_bytes("a\x1b[31m.scap", Vec::new(), Options::default()).err().unwrap();
    assert_eq!(error.to_string(), "a\\u{1b}[31m.scap: the file is empty (at byte 0)");
}

#[test]
fn codes_of_newer_schemas_are_passed_over() {
    let (mut bytes, starts) = three();
    bytes[starts[1] + 30..starts[1] + 32].copy_from_slice(&2000u16.to_le_bytes());
    let mut reader = Reader::from_bytes("memory", bytes, Options::default()).unwrap();
    reader.take_tables();
    let mut times = Vec::new();
    while let Some(Item::Event { event, .. }) = reader.next().unwrap() {
        times.push(event.ts);
    }
    assert_eq!((times, reader.stats().unknown_events), (vec![0, 2], 1));
}

/// Lengths that promise hundreds of megabytes allocate nothing for them.
#[test]
fn promises_are_not_believed() {
    let (bytes, starts) = three();
    for (kind, len) in [(0x222u32, 60 << 20), (0x215, 500 << 20), (0x999, u32::MAX)] {
        let mut lying = bytes.clone();
        put(&mut lying, starts[0], kind);
        put(&mut lying, starts[0] + 4, len);
        let used = allocation_counter::measure(|| {
            let stream = std::io::Cursor::new(lying.clone());
            let opened = Reader::from_read("memory", stream, Options::default());
            let error = opened.and_then(|mut reader| {
                reader.take_tables();
                reader.next().map(|item| assert!(item.is_none()))
            });
            assert!(matches!(error.unwrap_err().fault, Fault::Truncated { .. }), "block of type {kind:#x}");
        });
        assert!(used.bytes_max < 4 << 20, "{} bytes for a block of type {kind:#x}", used.bytes_max);
    }
}

/// The largest event that needs conversion is refused rather than rebuilt.
#[test]
fn large_events_that_need_conversion_are_refused() {
    let bytes = plain(|writer| {
        let path = EventWriter::new(1, 2, code::SYSCALL_OPEN_X)
            .push(&[0; 8])
            .push_text(&[b'x'; 65_000])
            .push(&[0; 4])
            .finish();
        let mut large = EventWriter::new(1, 2, code::SYSCALL_OPEN_X);
        large.push(&[0; 8]).push_text(&[b'x'; 65_500]).push(&[0; 4]).push(&[0; 4]);
        let mut large = large.finish();
        large.resize(70_000, 0);
        put(&mut large, 16, 70_000);
        writer.event(&Event::parse(&large, 0).unwrap(), 0).unwrap();
        writer.event(&Event::parse(&path, 0).unwrap(), 0).unwrap();
    });
    let error = read(bytes, Options::default()).1.unwrap();
    assert!(error.to_string().contains("too large to be converted"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Blocks of every known type with any content.
    #[test]
    fn any_blocks(blocks in prop::collection::vec((0usize..31, prop::collection::vec(any::<u8>(), 0..200)), 0..6)) {
        const TYPES: [u32; 31] = [
            0x0A0D_0D0A, 0x201, 0x8002_ABCD, 0x202, 0x8000_ABCD, 0x207, 0x8013_ABCD, 0x209, 0x8014_ABCD, 0x210, 0x211,
            0x212, 0x213, 0x214, 0x215, 0x203, 0x8001_ABCD, 0x218, 0x205, 0x8011_ABCD, 0x219, 0x206, 0x8012_ABCD,
            0x220, 0x204, 0x8010_ABCD, 0x208, 0x216, 0x217, 0x221, 0x222,
        ];
        let mut bytes = plain(|_| {});
        for (kind, body) in blocks {
            let total = ((body.len() + 12).next_multiple_of(4) as u32).to_le_bytes();
            let padding = vec![0; (4 - body.len() % 4) % 4];
            bytes.extend([&TYPES[kind].to_le_bytes(), &total, &body[..], &padding, &total].concat());
        }
        read(bytes.clone(), Options::default());
        lenient(bytes);
    }
}
