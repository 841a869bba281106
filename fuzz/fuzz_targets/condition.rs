//! Any text as a condition: parsed, printed, and parsed again; checked against the fields.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peregrine_engine::fields::Fields;
use std::sync::LazyLock;

static FIELDS: LazyLock<Fields> = LazyLock::new(Fields::syscall);

fuzz_target!(|data: &str| {
    let Ok(tree) = peregrine_filter::parse(data) else { return };
    let printed = peregrine_filter::print(&tree);
    if !printed.contains('\u{fffd}') {
        // Read back, `not not a` is `a`; from there on nothing changes.
        let again = peregrine_filter::parse(&printed).expect("what was printed can be parsed");
        let once = peregrine_filter::print(&again);
        let again = peregrine_filter::parse(&once).expect("what was printed can be parsed");
        assert_eq!(peregrine_filter::print(&again), once);
    }
    let _ = peregrine_filter::check(&tree, &*FIELDS);
});
