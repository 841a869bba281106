//! Any bytes as an event: decoded, every parameter read in every way, converted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peregrine_capture::convert::{Converter, Outcome};
use peregrine_event::record::Tag;
use peregrine_event::{Event, sock};

fn touch(event: &Event<'_>) {
    for index in 0..event.nparams() + 1 {
        let param = event.param(index);
        assert_eq!(param.is_some(), index < event.nparams());
        event.int(index);
        event.uint(index);
        event.text(index);
        if let Some(bytes) = param {
            sock::sockaddr(bytes);
            sock::socktuple(bytes);
        }
    }
    for tag in Tag::ALL {
        event.record(tag);
    }
    let lens: usize = (0..event.nparams()).filter_map(|i| event.param(i)).map(<[u8]>::len).sum();
    assert!(lens + event.tail().len() <= event.bytes().len());
}

fuzz_target!(|data: &[u8]| {
    // Several events one behind the other, so that exits meet enters of their thread.
    let mut converter = Converter::default();
    let mut rest = data;
    while let Ok(event) = Event::parse(rest, 0) {
        touch(&event);
        match converter.convert(&event) {
            Ok(Outcome::Converted) => touch(&Event::parse(converter.bytes(), 0).expect("converted events are whole")),
            Ok(Outcome::Pass | Outcome::Drop) | Err(_) => {}
        }
        rest = &rest[event.bytes().len()..];
    }
});
