//! Our own rules, event by event: each fires on its deed, and on none of the near misses beside it.

use peregrine::cli::RulesArgs;
use peregrine::config::Config;
use peregrine::detector::Detector;
use peregrine::output::Output;
use peregrine::playback::Playback;
use peregrine::ruleset;
use peregrine_capture::tables::{Tables, Thread, User};
use peregrine_engine::Matching;
use peregrine_event::defines::*;
use peregrine_event::{Event, EventWriter, code};
use peregrine_rules::Rule;
use std::path::Path;

/// What a process does.
#[derive(Clone, Copy)]
enum Deed {
    /// Opens a file to read or to write it.
    Open(&'static str, u32),
    /// Becomes a program: file, arguments, and whether it is in memory only.
    Exec(&'static str, &'static [&'static str], bool),
    /// Connects to an address.
    Connect([u8; 4], u16),
    /// Makes a connection with this peer a descriptor.
    Dup([u8; 4], i64),
    /// Sets a mode.
    Chmod(u32),
    /// Loads a kernel module.
    Module,
    /// Calls ptrace.
    Ptrace(u16, i64),
}

use Deed::*;

const READ: u32 = PPM_O_RDONLY as u32;
const WRITE: u32 = (PPM_O_WRONLY | PPM_O_CREAT) as u32;
const SET_USER_ID: u32 = (PPM_S_ISUID | PPM_S_IRUSR) as u32;
const PLAIN: u32 = PPM_S_IRUSR as u32;
const CLOUD: [u8; 4] = [169, 254, 169, 254];
const PEER: [u8; 4] = [203, 0, 113, 9];

/// Rule, then cases: parent's name, own name, deed, whether the rule fires.
type Cases = &'static [(&'static str, &'static str, Deed, bool)];

#[rustfmt::skip]
const RULES: &[(&str, Cases)] = &[
    ("Password file read by an unexpected program", &[
        ("bash", "cat", Open("/etc/shadow", READ), true),
        ("bash", "tool", Open("/etc/sudoers.d/admins", READ), true),
        ("sshd", "sshd", Open("/etc/shadow", READ), false),
        ("bash", "cat", Open("/etc/shadow.example", READ), false),
        ("bash", "tool", Open("/etc/shadow", WRITE), false),
        ("dpkg", "postinst", Open("/etc/shadow", READ), false),
        ("bash", "cat", Open("/srv/etc/shadow", READ), false),
    ]),
    ("Cloud metadata service contacted", &[
        ("bash", "curl", Connect(CLOUD, 80), true),
        ("systemd", "cloud-init", Connect(CLOUD, 80), false),
        ("bash", "curl", Connect([169, 254, 169, 253], 53), false),
    ]),
    ("Shell started by a server", &[
        ("nginx", "nginx", Exec("/bin/sh", &["-c", "id"], false), true),
        ("postgres", "postgres", Exec("/usr/bin/bash", &["-i"], false), true),
        ("nginx", "nginx", Exec("/usr/sbin/nginx", &["-s", "reload"], false), false),
        ("sshd", "sshd", Exec("/bin/sh", &[], false), false),
    ]),
    ("Program started from shared memory", &[
        ("bash", "bash", Exec("/dev/shm/x", &[], false), true),
        ("bash", "bash", Exec("/bin/sh", &["/dev/shm/run.sh"], false), true),
        ("bash", "bash", Exec("/opt/dev/shm/x", &[], false), false),
        ("bash", "bash", Exec("/bin/ls", &["/dev/shm/"], false), false),
    ]),
    ("Program started from memory", &[
        ("bash", "loader", Exec("memfd:x", &[], true), true),
        ("runc", "loader", Exec("memfd:runc_cloned", &["init"], true), false),
        ("bash", "loader", Exec("/tmp/memfd:x", &[], false), false),
    ]),
    ("Shell connected to the network", &[
        ("bash", "python3", Dup(PEER, 0), true),
        ("bash", "python3", Dup(PEER, 2), true),
        ("bash", "python3", Dup(PEER, 7), false),
        ("bash", "python3", Dup([127, 0, 0, 1], 0), false),
        ("systemd", "xinetd", Dup(PEER, 0), false),
    ]),
    ("Program or startup file written", &[
        ("bash", "tee", Open("/usr/bin/ls", WRITE), true),
        ("bash", "tee", Open("/etc/cron.d/job", WRITE), true),
        ("bash", "vim", Open("/etc/ld.so.preload", WRITE), true),
        ("bash", "cat", Open("/usr/bin/ls", READ), false),
        ("apt-get", "dpkg", Open("/usr/bin/ls", WRITE), false),
        ("bash", "tee", Open("/usr/share/doc/ls", WRITE), false),
        ("bash", "systemctl", Open("/etc/systemd/system/x.service", WRITE), false),
    ]),
    ("Set-user-ID bit added", &[
        ("bash", "chmod", Chmod(SET_USER_ID), true),
        ("bash", "chmod", Chmod(PLAIN), false),
        ("apt", "dpkg", Chmod(SET_USER_ID), false),
    ]),
    ("Kernel module loaded by an unexpected program", &[
        ("bash", "tool", Module, true),
        ("systemd", "systemd-udevd", Module, false),
        ("bash", "modprobe", Module, false),
    ]),
    ("Process taken over through ptrace", &[
        ("bash", "tool", Ptrace(PPM_PTRACE_ATTACH as u16, 0), true),
        ("bash", "tool", Ptrace(PPM_PTRACE_SEIZE as u16, 0), true),
        ("bash", "gdb", Ptrace(PPM_PTRACE_ATTACH as u16, 0), false),
        ("bash", "tool", Ptrace(PPM_PTRACE_PEEKTEXT as u16, 0), false),
        ("bash", "tool", Ptrace(PPM_PTRACE_ATTACH as u16, -1), false),
    ]),
];

/// The process that does the deeds.
const TID: i64 = 30;

fn process(tid: i64, ptid: i64, comm: &str) -> Thread {
    let exepath = format!("/usr/bin/{comm}").into_bytes();
    Thread {
        tid,
        pid: tid,
        ptid,
        vtid: tid,
        vpid: tid,
        comm: comm.as_bytes().to_vec(),
        exe: comm.as_bytes().to_vec(),
        exepath,
        cwd: b"/root/".to_vec(),
        cgroups: b"cpu=/\0".to_vec(),
        ..Thread::default()
    }
}

fn world(parent: &str, name: &str) -> Tables {
    let root = User { uid: 0, gid: 0, name: b"root".to_vec(), ..User::default() };
    let threads = vec![process(1, 0, "systemd"), process(20, 1, parent), process(TID, 20, name)];
    Tables { users: vec![root], threads, ..Tables::default() }
}

fn tuple(peer: [u8; 4], port: u16) -> Vec<u8> {
    let own = if peer[0] == 127 { peer } else { [10, 0, 0, 1] };
    let mut bytes = vec![PPM_AF_INET as u8];
    bytes.extend(own);
    bytes.extend(40_000u16.to_le_bytes());
    bytes.extend(peer);
    bytes.extend(port.to_le_bytes());
    bytes
}

/// An event of the process. Parameters that are not given have no value.
fn event(code: u16, params: &[&[u8]]) -> Vec<u8> {
    let mut writer = EventWriter::new(1_000_000_000, TID, code);
    let known = peregrine_event::info(code).expect("a code").params.len();
    for index in 0..known {
        writer.push(params.get(index).copied().unwrap_or_default());
    }
    writer.finish()
}

fn n(value: i64) -> [u8; 8] {
    value.to_le_bytes()
}

fn text(value: &str) -> Vec<u8> {
    [value.as_bytes(), b"\0"].concat()
}

/// The events of a deed; the last is the one that matters.
fn events(deed: Deed) -> Vec<Vec<u8>> {
    let socket = || {
        event(
            code::SOCKET_SOCKET_X,
            &[&n(5), &(PPM_AF_INET as u32).to_le_bytes(), &1u32.to_le_bytes(), &6u32.to_le_bytes()],
        )
    };
    let connect = |peer, port| event(code::SOCKET_CONNECT_X, &[&n(0), &tuple(peer, port), &n(5)]);
    match deed {
        Open(path, flags) => {
            vec![event(
                code::SYSCALL_OPENAT_2_X,
                &[&n(3), &n(-100), &text(path), &flags.to_le_bytes(), &0u32.to_le_bytes()],
            )]
        }
        Exec(path, args, memory) => vec![exec(path, args, memory)],
        Connect(peer, port) => vec![socket(), connect(peer, port)],
        Dup(peer, onto) => {
            vec![socket(), connect(peer, 4444), event(code::SYSCALL_DUP2_X, &[&n(onto), &n(5), &n(onto)])]
        }
        Chmod(mode) => vec![event(code::SYSCALL_CHMOD_X, &[&n(0), &text("/root/file"), &mode.to_le_bytes()])],
        Module => vec![event(code::SYSCALL_INIT_MODULE_X, &[&n(0), b"", &n(8), &text("")])],
        Ptrace(request, result) => {
            vec![event(code::SYSCALL_PTRACE_X, &[&n(result), b"", b"", &request.to_le_bytes(), &n(77)])]
        }
    }
}

fn exec(path: &str, args: &[&str], memory: bool) -> Vec<u8> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let args: Vec<u8> = args.iter().flat_map(|arg| text(arg)).collect();
    let info = peregrine_event::info(code::SYSCALL_EXECVE_19_X).expect("a code");
    let flags = if memory { PPM_EXE_FROM_MEMFD as u32 } else { 0 };
    let mut writer = EventWriter::new(1_000_000_000, TID, code::SYSCALL_EXECVE_19_X);
    for param in info.params {
        match param.name {
            "res" => writer.push(&n(0)),
            "exe" | "trusted_exepath" | "filename" => writer.push(&text(path)),
            "args" => writer.push(&args),
            "tid" | "pid" => writer.push(&n(TID)),
            "ptid" => writer.push(&n(20)),
            "comm" => writer.push(&text(name)),
            "cgroups" => writer.push(b"cpu=/\0"),
            "flags" => writer.push(&flags.to_le_bytes()),
            "uid" | "gid" => writer.push(&0u32.to_le_bytes()),
            _ => writer.push(b""),
        };
    }
    writer.finish()
}

fn rules() -> Vec<Rule> {
    let config = Config::default();
    let fields = Playback::new(&config).fields;
    let args = RulesArgs { rules: vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")] };
    ruleset::load(&config, &args, &fields).expect("our own rules load").rules
}

/// Names of the rules that fire on a deed.
fn fired(rules: &[Rule], parent: &str, name: &str, deed: Deed) -> Vec<String> {
    let config = Config::default();
    let mut playback = Playback::new(&config);
    let mut detector = Detector::new(rules.to_vec(), &playback.fields, Matching::All).expect("they compile");
    let mut out = Output::none();
    playback.section(world(parent, name));
    for bytes in events(deed) {
        let event = Event::parse(&bytes, 0).expect("a well-formed event");
        let seen = playback.event(&event, false, |moment, fields| detector.look(moment, fields, &mut out));
        seen.expect("seen").expect("nothing is written");
    }
    detector.matches().into_iter().map(|(rule, _)| rule.to_owned()).collect()
}

#[test]
fn each_rule_fires_on_its_deed_and_on_no_near_miss() {
    let rules = rules();
    let mut faults = Vec::new();
    for (rule, cases) in RULES {
        for (index, (parent, name, deed, fires)) in cases.iter().enumerate() {
            let fired = fired(&rules, parent, name, *deed);
            let wanted: &[&str] = if *fires { &[rule] } else { &[] };
            if fired != wanted {
                faults.push(format!("{rule}, case {index} ({parent} -> {name}): {fired:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_rule_has_cases_of_both_kinds() {
    for rule in rules() {
        let cases = RULES.iter().find(|(name, _)| *name == rule.name);
        let (_, cases) = cases.unwrap_or_else(|| panic!("{} has no cases", rule.name));
        assert!(cases.iter().any(|case| case.3) && cases.iter().any(|case| !case.3), "{}", rule.name);
        assert!(rule.desc.len() > 60, "{} says why it matters", rule.name);
    }
}
