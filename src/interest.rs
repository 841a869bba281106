//! Which system calls the kernel programs are to tell of: those of the rules, those that the state needs, and what
//! `base_syscalls` says of both.
//!
//! The order is Falco's (`configure_interesting_sets.cpp`, `sinsp_events_ppm_sc.cpp`): rules and base are put together,
//! negative names are taken away, then the calls of high volume unless all are wanted; a custom set may at last be
//! repaired; the end of processes stays in any case. Without any of these settings the base is our own, smaller one
//! ([`Needs::state`]). Names are those of events, as in `evt.type`, so that all calls that share one go together.

use crate::config::BaseSyscalls;
use peregrine_driver::Needs;
use peregrine_engine::EventNeeds;
use peregrine_event::calls::CALLS;
use peregrine_event::category::{self, EC_FILE, EC_IO_OTHER, EC_IO_READ, EC_IO_WRITE, EC_NET};
use peregrine_event::{code, eflags, table};
use std::collections::BTreeSet;

/// Names of events.
pub type Names = BTreeSet<&'static str>;

/// What is watched, and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interest {
    /// For the driver.
    pub needs: Needs,
    /// Lines for the log that warn.
    pub warnings: Vec<String>,
}

/// Puts together what the rules and the state need.
pub fn interest(rules: &EventNeeds, base: &BaseSyscalls) -> Interest {
    let of_rules = names_of(rules);
    let (selected, mut warnings) = select(&of_rules, base);
    let mut needs = Needs::nothing();
    let own_base = !base.repair && !base.custom_set.iter().any(|name| named(name).is_some());
    let add = |needs: &mut Needs, wanted: &dyn Fn(&'static str, u16) -> bool| {
        for (name, event, call) in told() {
            if wanted(name, event) {
                match call {
                    Some(call) if event == code::GENERIC_X => needs.insert_generic(call),
                    _ => needs.insert(event),
                }
            }
        }
    };
    add(&mut needs, &|name, event| match own_base {
        true if of_rules.contains(name) => selected.contains(name),
        // Names that were taken away go; of the rest of upstream's base, what ours needs.
        true => peregrine_driver::needs::state_needs(event) && !removed(base).contains(name),
        false => selected.contains(name),
    });
    needs.insert(code::PROCEXIT_1_E);
    let missing: Vec<&str> = of_rules.difference(&selected).copied().collect();
    if !missing.is_empty() {
        warnings.push(format!(
            "Loaded rules match syscalls that are not activated (e.g. were removed via config settings such as negative \
             base_syscalls elements, or need base_syscalls.all): warning (unsupported-evttype): {}",
            missing.join(", ")
        ));
    }
    Interest { needs, warnings }
}

/// Events that the driver can tell of: name, exit code, and for calls without an event of their own the call.
fn told() -> impl Iterator<Item = (&'static str, u16, Option<u16>)> {
    let calls = CALLS.iter().map(|call| match call.event {
        code::GENERIC_X => (call.name, call.event, Some(call.id())),
        event => (table::EVENTS[usize::from(event)].name, event, None),
    });
    let tracepoints = [code::PROCEXIT_1_E, code::SIGNALDELIVER_E];
    calls.chain(tracepoints.map(|event| (table::EVENTS[usize::from(event)].name, event, None)))
}

/// Names of the events that rules can match.
fn names_of(rules: &EventNeeds) -> Names {
    let wanted = |event: u16, call: Option<u16>| match call {
        Some(call) => rules.generic_calls.contains(call),
        None => rules.codes.contains(event) || (event > 0 && rules.codes.contains(event - 1)),
    };
    told().filter(|(_, event, call)| wanted(*event, *call)).map(|(name, ..)| name).collect()
}

/// The names that are taken away whatever asks for them.
fn removed(base: &BaseSyscalls) -> Names {
    let negative = base.custom_set.iter().filter_map(|name| name.strip_prefix('!'));
    negative.filter_map(named).flatten().collect()
}

/// The final set of names, and what is odd about the settings.
fn select(rules: &Names, base: &BaseSyscalls) -> (Names, Vec<String>) {
    let mut warnings = Vec::new();
    let (negative, positive): (Vec<_>, Vec<_>) =
        base.custom_set.iter().filter(|name| !name.is_empty()).partition(|name| name.starts_with('!'));
    let mut known = |sign: &str, texts: &[&str]| -> Names {
        let unknown: Vec<&str> = texts.iter().copied().filter(|name| named(name).is_none()).collect();
        if !unknown.is_empty() {
            let shown = unknown.join(", ").escape_default().to_string();
            warnings.push(format!("Invalid ({sign}) syscall names: warning (base_syscalls override): {shown}"));
        }
        texts.iter().filter_map(|name| named(name)).flatten().collect()
    };
    let positive = known("positive", &positive.iter().map(|name| name.as_str()).collect::<Vec<_>>());
    let negative = known("negative", &negative.iter().map(|name| &name[1..]).collect::<Vec<_>>());

    let mut selected: Names = match (positive.is_empty(), base.repair) {
        (false, _) => rules.union(&positive).copied().collect(),
        (true, true) => repaired(rules),
        (true, false) => rules.union(&state()).copied().collect(),
    };
    selected.retain(|name| !negative.contains(name));
    if !base.all {
        let ignored = ignored();
        selected.retain(|name| !ignored.contains(name));
    }
    if base.repair && !base.custom_set.is_empty() {
        selected = repaired(&selected);
    }
    selected.insert(table::EVENTS[usize::from(code::PROCEXIT_1_E)].name);
    (selected, warnings)
}

/// The events that a name of `base_syscalls` means: every one of which some version has that name. `None` if none.
fn named(name: &str) -> Option<Names> {
    let stems: BTreeSet<&str> =
        table::EVENTS.iter().skip(2).filter(|event| event.name == name).map(|event| stem(event.symbol)).collect();
    let names = told().filter(|(own, event, call)| match call {
        Some(_) => *own == name,
        None => stems.contains(stem(table::EVENTS[usize::from(*event)].symbol)),
    });
    Some(names.map(|(own, ..)| own).collect::<Names>()).filter(|names| !names.is_empty())
}

/// The symbol without what tells versions, and entry and exit, apart.
fn stem(symbol: &str) -> &str {
    let symbol = symbol.trim_end_matches("_E").trim_end_matches("_X");
    match symbol.rsplit_once('_') {
        Some((front, back)) if back.bytes().all(|b| b.is_ascii_digit()) => front,
        _ => symbol,
    }
}

/// What upstream's state is built from: every event that the schema marks, in any version.
fn state() -> Names {
    let marked = |event: &peregrine_event::EventInfo| {
        let kinds = category::EC_SYSCALL | category::EC_TRACEPOINT;
        event.has(eflags::EF_MODIFIES_STATE) && event.category & kinds != 0
    };
    let stems: BTreeSet<&str> =
        table::EVENTS.iter().skip(2).filter(|event| marked(event)).map(|event| stem(event.symbol)).collect();
    let ours = told()
        .filter(|(_, event, call)| call.is_none() && stems.contains(stem(table::EVENTS[usize::from(*event)].symbol)));
    ours.map(|(name, ..)| name).collect()
}

/// Names of the events of some categories.
fn of_category(categories: &[u32]) -> Names {
    let within = |event: u16| {
        let category = table::EVENTS[usize::from(event)].category & (category::EC_SYSCALL - 1);
        categories.contains(&category)
    };
    told().filter(|(_, event, call)| call.is_none() && within(*event)).map(|(name, ..)| name).collect()
}

/// The calls of high volume: reads and writes that the state does not need. What `-i` prints.
pub fn ignored() -> Names {
    of_category(&[EC_IO_READ, EC_IO_WRITE]).difference(&state()).copied().collect()
}

/// What processes are made of.
const PROCESSES: &[&str] = &[
    "clone",
    "clone3",
    "fork",
    "vfork",
    "execve",
    "execveat",
    "fchdir",
    "chdir",
    "chroot",
    "capset",
    "setgid",
    "setpgid",
    "setresgid",
    "setresuid",
    "setsid",
    "setuid",
    "prctl",
    "procexit",
];

/// The set with the least that makes its events understandable.
fn repaired(selected: &Names) -> Names {
    let any = |names: &Names| !names.is_disjoint(selected);
    let network = any(&of_category(&[EC_NET]));
    let descriptors = network || any(&of_category(&[EC_FILE, EC_IO_READ, EC_IO_WRITE, EC_IO_OTHER]));
    let accepting = ["accept", "accept4", "listen"].iter().any(|name| selected.contains(name));
    let mut all: Names = selected.iter().chain(PROCESSES).copied().collect();
    let more = [(network, &["socket", "getsockopt"][..]), (accepting, &["bind"]), (descriptors, &["close"])];
    all.extend(more.iter().filter(|(wanted, _)| *wanted).flat_map(|(_, names)| names.iter()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules of upstream's tests: `evt.type in (connect, accept, accept4, umount2)` and so on.
    const RULES: &[&str] = &["connect", "accept", "accept4", "umount2", "open", "ptrace", "mmap", "execve", "read"];

    fn base(custom: &[&str], repair: bool, all: bool) -> BaseSyscalls {
        BaseSyscalls { custom_set: custom.iter().map(|name| (*name).to_owned()).collect(), repair, all }
    }

    fn selected(custom: &[&str], repair: bool, all: bool) -> Names {
        select(&RULES.iter().copied().collect(), &base(custom, repair, all)).0
    }

    fn set(more: &[&'static str], without: &[&str]) -> Names {
        RULES.iter().chain(more).copied().filter(|name| !without.contains(name)).collect()
    }

    #[test]
    fn the_sets_are_upstreams() {
        // Its test counts calls: sendfile's two share a name.
        assert_eq!(ignored().len(), 11, "{:?}", ignored());
        assert!(ignored().contains("read") && ignored().is_disjoint(&state()));
        assert!(["clone3", "bind", "close", "prctl", "procexit"].iter().all(|name| state().contains(name)));
    }

    #[test]
    fn a_custom_set_replaces_the_base() {
        // An old version of accept4's event is named accept.
        let expected = set(&["syncfs", "procexit"], &["accept", "accept4"]);
        assert_eq!(selected(&["syncfs", "!accept"], false, true), expected);
        assert_eq!(selected(&["syncfs", "accept", "!accept"], false, true), expected);
        assert_eq!(selected(&["syncfs"], false, true), set(&["syncfs", "procexit"], &[]));
        let all: Names = state().union(&set(&[], &[])).copied().filter(|n| !n.starts_with("accept")).collect();
        assert_eq!(selected(&["!accept"], false, true), all);
        assert_eq!(selected(&["read"], false, false), set(&["procexit"], &["read"]));
    }

    #[test]
    fn repair_adds_the_least() {
        let names = selected(&["openat", "!bind"], true, false);
        let expected = set(&["procexit", "bind", "socket", "clone3", "close", "setuid", "openat"], &["read"]);
        assert!(names.is_superset(&expected) && names.is_disjoint(&ignored()), "{names:?}");
        assert_eq!(selected(&[], true, true), repaired(&set(&[], &[])));
        let little = repaired(&["setns"].into_iter().collect());
        assert_eq!(little, PROCESSES.iter().chain(&["setns"]).copied().collect());
    }

    #[test]
    fn unknown_names_are_told() {
        let (_, warnings) = select(&Names::new(), &base(&["opennn", "!clos", "open"], false, false));
        assert_eq!(
            warnings,
            [
                "Invalid (positive) syscall names: warning (base_syscalls override): opennn",
                "Invalid (negative) syscall names: warning (base_syscalls override): clos"
            ]
        );
    }

    #[test]
    fn the_driver_gets_what_was_selected() {
        let rules = EventNeeds {
            codes: [code::SYSCALL_READ_X, code::SYSCALL_OPENAT_2_X, code::GENERIC_X].into_iter().collect(),
            generic_calls: peregrine_event::sc::by_name("syncfs").into_iter().collect(),
            ..EventNeeds::default()
        };
        let of = |custom: &[&str], repair, all| interest(&rules, &base(custom, repair, all));
        let plain = of(&[], false, true);
        let (state, sync) = (Needs::state(), peregrine_event::sc::by_name("syncfs").unwrap());
        let expected = state.union(&[code::SYSCALL_READ_X].into_iter().collect());
        assert!((2..code::COUNT as u16).all(|code| plain.needs.contains(code) == expected.contains(code)));
        assert!(plain.warnings.is_empty() && plain.needs.contains_generic(sync), "{plain:?}");
        let falcos = of(&[], false, false);
        assert!(!falcos.needs.contains(code::SYSCALL_READ_X));
        assert!(falcos.warnings[0].ends_with("(unsupported-evttype): read"), "{:?}", falcos.warnings);
        let without = of(&["!openat", "!close"], false, true);
        assert!(!without.needs.contains(code::SYSCALL_OPENAT_2_X) && !without.needs.contains(code::SYSCALL_CLOSE_X));
        assert!(without.needs.contains(code::SYSCALL_DUP_1_X));
        let custom = of(&["dup"], false, true);
        assert!(custom.needs.contains(code::SYSCALL_DUP_1_X) && !custom.needs.contains(code::SYSCALL_CLOSE_X));
        assert!(custom.needs.contains(code::PROCEXIT_1_E));
    }
}
