//! The state against the truth: a tree of processes does what pictures drift by, and what its events made of the first
//! snapshot must be what a second one shows.

use crate::stage::actor;
use peregrine_driver::{Config, LiveSource, Needs, Scope};
use peregrine_event::code;
use peregrine_state::{FdInfo, FdType, Options, State, procfs};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn what_events_make_of_a_snapshot_is_the_next_snapshot() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    // Once all is done after the first snapshot, then it is taken when so many threads are there.
    follow(None);
    [1, 2, 4, 6, 8, 10].into_iter().for_each(|threads| follow(Some(threads)));
}

fn follow(amid: Option<usize>) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut child = Command::new(actor())
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the actor starts");
    let mut input = child.stdin.take().expect("piped");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut needs = Needs::state();
    // Few rules ask for the limit of descriptors, and nothing else rests on it.
    needs.insert(code::SYSCALL_PRLIMIT_X);
    let config = Config { scope: Scope::Tree(child.id()), needs, ..Config::default() };
    let mut tell = || writeln!(input, "self\tdrift\t{}", dir.path().display()).expect("the actor listens");
    let mut source = LiveSource::start(&config).expect("it loads");
    if amid.is_some() {
        tell();
    }
    let scope = procfs::Scope::Tree(i64::from(child.id()));
    let take = || procfs::snapshot(&scope, &procfs::Bounds::default()).expect("there is /proc");
    // No source: what an event did not tell must not be looked up.
    let enough = |first: &procfs::Snapshot| first.tables.threads.len() >= amid.unwrap_or(0);
    let first = std::iter::repeat_with(take).find(enough).expect("endless");
    let mut followed = State::from_snapshot(first, Options::default());

    if amid.is_none() {
        tell();
    }
    let mut answer = String::new();
    output.read_line(&mut answer).expect("text");
    assert!(answer.starts_with("done"), "the actor is gone: {answer}");

    source.stop();
    let mut events = 0;
    loop {
        let batch = source.next_batch(Duration::ZERO, |event| {
            let context = followed.begin(event);
            followed.finish(event, &context);
        });
        if batch.events == 0 {
            break;
        }
        events += batch.events;
    }
    assert_eq!(source.stats().expect("they can be read").total().drops(), 0);
    assert!(events > 100, "{events}");
    let truth = State::from_snapshot(take(), Options::default());
    assert!(truth.threads().filter(|(_, thread)| !thread.exe.is_empty()).count() >= 11, "all are there");
    let (followed, truth) = (picture(&followed), picture(&truth));
    let other = |key: &String| format!("{key}: {:?}, in truth {:?}", followed.get(key), truth.get(key));
    let keys = followed.keys().chain(truth.keys()).filter(|key| followed.get(*key) != truth.get(*key));
    let drifted: std::collections::BTreeSet<String> = keys.map(other).collect();
    assert!(drifted.is_empty(), "{events} events, amid {amid:?}: {drifted:#?}");
    drop(input);
    child.wait().expect("it ends");
}

/// All that events and `/proc` both tell, line by line.
fn picture(state: &State) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    // Ancestors outside the tree are known by name only.
    for (_, thread) in state.threads().filter(|(_, thread)| !thread.exe.is_empty()) {
        let key = |what: &str| format!("{}/{} {what}", thread.pid, thread.tid);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let parent = state.parent(thread).map_or(0, |parent| parent.pid);
        lines.insert(key("parent"), parent.to_string());
        lines.insert(key("cwd"), text(state.cwd(thread)));
        lines.insert(key("exepath"), text(&thread.exepath));
        lines.insert(key("args"), text(&thread.args));
        lines.insert(key("ids"), format!("{} {}", thread.uid, thread.gid));
        lines.insert(key("session"), format!("{} {} {} {}", thread.sid, thread.pgid, thread.vpgid, thread.tty));
        lines.insert(key("namespace"), format!("{} {}", thread.vtid, thread.vpid));
        lines.insert(
            key("capabilities"),
            format!("{:x} {:x} {:x}", thread.cap_inheritable, thread.cap_permitted, thread.cap_effective),
        );
        if !thread.is_main() {
            // Its name may be one that it gave itself, and its descriptors are its leader's, or not in the leader's `/proc`.
            continue;
        }
        lines.insert(key("comm"), text(&thread.comm));
        lines.insert(key("limit"), thread.fdlimit.to_string());
        lines.insert(key("threads"), state.thread_count(thread.pid).to_string());
        for (number, info) in state.fd_table(thread).into_iter().flat_map(|table| table.iter()) {
            lines.insert(key(&format!("fd {number}")), describe(info));
        }
    }
    lines
}

/// What both know of a descriptor: the names of pipes and unix sockets are made up differently.
fn describe(info: &FdInfo) -> String {
    let named = match info.ty {
        FdType::File | FdType::Directory | FdType::MemFd => String::from_utf8_lossy(&info.name).into_owned(),
        FdType::Ipv4Sock | FdType::Ipv4ServSock => format!("{:?}", info.sock),
        _ => String::new(),
    };
    format!("{:?} {named} {}", info.ty, if info.cloexec { "closes" } else { "stays" })
}
