//! The page: every technique by its family, seen by which condition, or why not.

use crate::scripts;
use std::fmt::Write;

/// The families, from 1.
const FAMILIES: [&str; 30] = [
    "Symbolic links to watched files",
    "Links to directories, then up",
    "Roundabout paths through `/proc` and `/dev/fd`",
    "Hard links, bind mounts, overlays, other roots",
    "Paths that change between check and use",
    "`dirfd` replaced",
    "Twin calls",
    "32-bit entry",
    "io_uring",
    "Descriptors handed over",
    "Execution without a named file",
    "Execution by proxy",
    "Names of choice",
    "Arguments",
    "Parents",
    "Environment",
    "Code put into other processes",
    "Image names",
    "Namespaces",
    "Control groups",
    "Sockets that rules forget",
    "Persistence and escape paths",
    "eBPF as a weapon",
    "Kernel modules, memory, messages",
    "Flood",
    "The detector itself",
    "Before and after",
    "Time",
    "`/proc` hidden",
    "Reads without an open of their own",
];

/// What is tested elsewhere, or not seen, with the reason.
const OTHERS: &[(usize, &str, &str, &str)] = &[
    (
        8,
        "`int 0x80` and 32-bit programs, each call that has an event",
        "libs#279",
        "seen: `crates/driver/tests/live/surface/compat.rs`, each parameter",
    ),
    (
        8,
        "`socketcall` and `ipc`, told as the calls they make",
        "libs#279",
        "seen: `crates/driver/tests/live/surface/compat.rs`",
    ),
    (
        8,
        "x32",
        "libs#279",
        "not seen: kernels of distributions are built without it, and no machine of the tests has it",
    ),
    (
        9,
        "What is done through a ring: opens, connections, data, names",
        "ARMO, Curing, 2025; libs#252",
        "not seen: the kernel programs do not listen to io_uring's tracepoints yet; that a ring is made and used is seen",
    ),
    (
        18,
        "Image names like `docker.io/evil/sysdig`",
        "NCC Group 2019; Darkbit 2020",
        "seen by rules that compare `container.image.repository` whole, or the digest",
    ),
    (
        20,
        "A forged cgroup path that looks like another container's",
        "metadata confusion",
        "not seen as forged: a container is known by its cgroup's name",
    ),
    (
        25,
        "A flood, so that the event of interest is dropped",
        "CVE-2019-8339",
        "seen: losses are counted by cause and raise an alert of their own (`src/gaps.rs`)",
    ),
    (
        26,
        "The detector killed, stopped, traced",
        "Cure53 2019",
        "seen by rules on `kill`, `ptrace` and `/proc/PID/mem`; not yet an alert without a rule",
    ),
    (
        26,
        "Its programs detached, its maps rewritten by another with CAP_BPF",
        "Cure53 2019",
        "seen by rules on `bpf`; not yet noticed by itself",
    ),
    (
        27,
        "What ran before the detector started",
        "falco#403",
        "seen: processes and descriptors are read from `/proc` (`crates/state/tests`, `tests/live`)",
    ),
    (27, "What runs while it reloads", "falco#403", "seen: `tests/live/reload.rs` counts them"),
    (
        28,
        "Sleeping longer than a window",
        "sequence rules",
        "not seen: there are no rules over sequences yet; each step is an event",
    ),
];

fn render() -> String {
    let all = scripts();
    let mut out = String::from(
        "# Ways around detection\n\n\
         What is known to fool sensors and rules, by family. Each technique of a table is done for real by a test\n\
         (`tests/evasion`), and the condition beside it has seen it; `$D` is a directory of the test's, `$K` a word of\n\
         the command line. Written by the test from the techniques (`PEREGRINE_WRITE_DOCS=1 cargo test --test evasion`).\n",
    );
    for (index, family) in FAMILIES.iter().enumerate() {
        let number = index + 1;
        let _ = write!(out, "\n## {number}. {family}\n\n");
        let rows: Vec<_> = all.iter().filter(|technique| technique.family() == number).collect();
        if !rows.is_empty() {
            out += "Technique | Published | Condition that sees it\n--- | --- | ---\n";
        }
        for technique in &rows {
            let rule = technique.rule.replace('|', "\\|");
            let _ = writeln!(out, "{} | {} | `{rule}`", technique.what, technique.source);
        }
        let others: Vec<_> = OTHERS.iter().filter(|(of, ..)| *of == number).collect();
        if !rows.is_empty() && !others.is_empty() {
            out += "\n";
        }
        for (_, what, source, how) in others {
            let _ = writeln!(out, "- {what} ({source}): {how}");
        }
    }
    out
}

#[test]
fn the_page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/evasion.md");
    let now = render();
    if std::env::var_os("PEREGRINE_WRITE_DOCS").is_some() {
        std::fs::write(path, &now).expect("the page can be written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == now, "docs/evasion.md is not current: PEREGRINE_WRITE_DOCS=1 cargo test --test evasion");
}

#[test]
fn every_family_has_its_rows() {
    let all = scripts();
    for number in 1..=FAMILIES.len() {
        let told = all.iter().any(|technique| technique.family() == number);
        assert!(told || OTHERS.iter().any(|(of, ..)| *of == number), "family {number} has no row");
    }
    for (_, what, _, how) in OTHERS {
        let reason = how.starts_with("seen") || how.starts_with("not seen: ") || how.starts_with("not seen as");
        assert!(reason, "{what}: {how}");
    }
}
