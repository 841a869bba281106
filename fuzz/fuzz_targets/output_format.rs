//! Any text as an output format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peregrine_engine::fields::Fields;
use std::sync::LazyLock;

static FIELDS: LazyLock<Fields> = LazyLock::new(Fields::syscall);
use peregrine_filter::format::{MAX_WIDTH, Piece};

fuzz_target!(|data: &str| {
    let Ok(format) = peregrine_filter::format::parse(data, &*FIELDS) else { return };
    for piece in &format.pieces {
        if let Piece::Value { width, .. } = piece {
            assert!(*width <= MAX_WIDTH);
        }
    }
});
