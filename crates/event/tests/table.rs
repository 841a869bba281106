//! What the event table promises to everyone who indexes it.

use peregrine_event::{Extra, ParamType, code, eflags, flags, info, table::EVENTS};

#[test]
fn rows_stand_at_their_codes() {
    for (row, symbol) in EVENTS.iter().zip(code::SYMBOLS) {
        assert_eq!(row.symbol, symbol);
    }
    assert_eq!(info(code::SYSCALL_OPENAT_2_X).map(|i| (i.name, i.params.len())), Some(("openat", 7)));
    assert!(info(code::COUNT as u16).is_none());
}

#[test]
fn enter_and_exit_share_a_name() {
    for pair in EVENTS.chunks(2) {
        let [enter, exit] = pair else { panic!("odd number of events") };
        // Placeholders have no name; a scheduler switch or a process exit has only one direction.
        if enter.name != "NA" && exit.name != "NA" {
            assert_eq!(enter.name, exit.name, "{}", enter.symbol);
        }
    }
}

#[test]
fn parameters_are_within_the_schemas_bounds() {
    for event in &EVENTS {
        assert!(event.params.len() <= 32, "{}", event.symbol);
        for (index, param) in event.params.iter().enumerate() {
            assert!(!param.name.is_empty() && param.name.len() <= 31, "{} {}", event.symbol, param.name);
            match (param.ty, param.extra) {
                // The directory's descriptor is another parameter, and a descriptor.
                (_, Extra::DirFd(dirfd)) => {
                    let directory = &event.params[usize::from(dirfd)];
                    assert_eq!(directory.ty, ParamType::Fd, "{} {}", event.symbol, param.name);
                    assert_ne!(usize::from(dirfd), index);
                }
                (ParamType::Dyn, extra) => assert!(matches!(extra, Extra::Dynamic(types) if !types.is_empty())),
                (_, Extra::Dynamic(_)) => panic!("{} {}: dynamic types on a fixed one", event.symbol, param.name),
                _ => {}
            }
        }
    }
}

#[test]
fn counts_are_those_of_schema_4_5_1() {
    assert_eq!(EVENTS.iter().filter(|e| e.has(eflags::EF_OLD_VERSION)).count(), 223);
    assert_eq!(EVENTS.iter().filter(|e| e.has(eflags::EF_CONVERTER_MANAGED)).count(), 224);
    assert_eq!(EVENTS.iter().map(|e| e.params.len()).sum::<usize>(), 1345);
    let large: Vec<_> = EVENTS.iter().filter(|e| e.is_large()).map(|e| e.symbol).collect();
    assert_eq!(large, ["PLUGINEVENT_E", "CONTAINER_JSON_2_E", "ASYNCEVENT_E"]);
}

#[test]
fn flag_tables_have_names() {
    assert_eq!(flags::TABLES.len(), 55);
    for (name, table) in flags::TABLES {
        assert!(!table.is_empty() && table.iter().all(|f| !f.name.is_empty()), "{name}");
    }
    let creat = flags::FILE_FLAGS.iter().find(|f| f.name == "O_CREAT").map(|f| f.value);
    assert_eq!(creat.map(i64::from), Some(peregrine_event::defines::PPM_O_CREAT));
}
