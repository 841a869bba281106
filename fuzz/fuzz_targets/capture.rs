//! Any bytes as a capture: read strictly and leniently, alike up to the error, and what was read survives writing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peregrine_capture::{Compression, Item, Options, Reader, Writer};
use std::io::Write;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic inside").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reads all; the number of events and whether it ended well.
fn read(bytes: &[u8], options: Options) -> (usize, bool) {
    let Ok(mut reader) = Reader::from_bytes("fuzz", bytes.to_vec(), options) else { return (0, false) };
    let mut events = 0;
    loop {
        match reader.next() {
            Ok(Some(Item::Event { .. })) => events += 1,
            Ok(Some(Item::Section(_))) => {}
            Ok(None) => return (events, reader.warning().is_none()),
            Err(_) => return (events, false),
        }
    }
}

/// Writes what can be read of a capture.
fn rewrite(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let out = Shared::default();
    let mut writer = Writer::to_write("fuzz", out.clone(), Compression::Plain);
    let options = Options { lenient: true, convert: false };
    let mut reader = Reader::from_bytes("fuzz", bytes.to_vec(), options).ok()?;
    let mut last_section_has_events = false;
    while let Ok(Some(item)) = reader.next() {
        match item {
            Item::Section(tables) => {
                last_section_has_events = false;
                writer.section(&tables).expect("memory takes all");
            }
            Item::Event { event, flags, .. } => {
                last_section_has_events = true;
                writer.event(&event, flags).expect("memory takes all");
            }
        }
    }
    let events = writer.finish().expect("memory takes all").events as usize;
    let bytes = std::mem::take(&mut *out.0.lock().expect("no panic inside"));
    last_section_has_events.then_some((bytes, events))
}

fuzz_target!(|data: &[u8]| {
    let strict = read(data, Options::default());
    let lenient = read(data, Options { lenient: true, convert: true });
    assert_eq!(strict, lenient, "a lenient reader gives what came before the error, and nothing else");
    if let Some((bytes, events)) = rewrite(data) {
        let again = read(&bytes, Options { lenient: false, convert: false });
        assert_eq!(again, (events, true), "what was written is read back");
    }
});
