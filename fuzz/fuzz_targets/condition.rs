//! Any text as a condition: parsed, printed, parsed again to the same, checked against the fields.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peregrine_engine::fields::Fields;
use std::sync::LazyLock;

static FIELDS: LazyLock<Fields> = LazyLock::new(Fields::syscall);

fuzz_target!(|data: &str| {
    let Ok(tree) = peregrine_filter::parse(data) else { return };
    let printed = peregrine_filter::print(&tree);
    if !printed.contains('\u{fffd}') {
        let again = peregrine_filter::parse(&printed).expect("what was printed can be parsed");
        assert_eq!(peregrine_filter::print(&again), printed);
    }
    let _ = peregrine_filter::check(&tree, &*FIELDS);
});
