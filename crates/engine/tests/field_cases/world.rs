//! A small world in which events happen one after the other: what upstream's test fixture gives its tests.

use bumpalo::Bump;
use peregrine_alert::Priority;
use peregrine_capture::tables::{Fd, FdKind, FdType, Tables, Thread};
use peregrine_engine::fields::Fields;
use peregrine_engine::{Engine, Matching, Moment, Rule, Session};
use peregrine_event::{Event, EventWriter, code, defines};
use peregrine_filter::events::CodeSet;
use peregrine_filter::field::Catalogue;
use peregrine_filter::{check, parse};
use peregrine_state::{Context, State};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// One parameter of an event.
pub enum P<'a> {
    /// No value.
    No,
    /// 8 bytes.
    I(i64),
    /// 4 bytes.
    W(u32),
    /// 2 bytes.
    H(u16),
    /// 1 byte.
    B(u8),
    /// Text and its NUL.
    T(&'a str),
    /// Bytes as they are.
    R(&'a [u8]),
}

/// What was seen of one assertion of upstream's.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The field, with its argument.
    pub field: String,
    /// The value that we expect, and have; `None` for no value.
    pub value: Option<String>,
}

/// The world.
pub struct World {
    /// Settings that values depend on.
    pub session: Session,
    /// Name of the source of the events to come.
    pub source: &'static str,
    state: State,
    fields: Fields,
    ts: u64,
    last: Option<(Vec<u8>, Context)>,
    /// By line of upstream's test; line 0 is a check that its test has in other words.
    pub seen: BTreeMap<u32, Seen>,
    /// Expectations that do not hold.
    pub faults: Vec<String>,
}

/// The CPU that all events happen on.
const CPU: u16 = 1;
/// The time of the first event, and the time between two.
const START: u64 = 1_566_230_400_000_000_000;
const STEP: u64 = 10_000_000;

impl World {
    /// `init` alone, whose standard input is `/dev/null`.
    pub fn new() -> Self {
        let mut session = Session::default();
        session.containers = false;
        session.live = true;
        Self {
            session,
            source: "syscall",
            state: State::new(init()),
            fields: Fields::syscall(),
            ts: START,
            last: None,
            seen: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// Gives the events to come a field that the configuration would set.
    pub fn fix(&mut self, name: &str, value: &str) {
        self.fields = Fields::syscall().with_fixed([name.to_owned()]);
        self.session.fixed = vec![value.as_bytes().to_vec()];
    }

    /// Begins again with other threads.
    pub fn begin_with(&mut self, change: impl FnOnce(&mut Tables)) {
        let mut tables = init();
        change(&mut tables);
        self.state = State::new(tables);
    }

    /// An event of a thread. What is expected next is expected of it.
    pub fn event(&mut self, tid: i64, event: u16, params: &[P<'_>]) {
        self.ts += STEP;
        self.event_at(self.ts, tid, event, params);
    }

    fn event_at(&mut self, ts: u64, tid: i64, event: u16, params: &[P<'_>]) {
        self.finish();
        let mut writer = EventWriter::new(ts, tid, event);
        for param in params {
            match param {
                P::No => writer.push(&[]),
                P::I(value) => writer.push(&value.to_le_bytes()),
                P::W(value) => writer.push(&value.to_le_bytes()),
                P::H(value) => writer.push(&value.to_le_bytes()),
                P::B(value) => writer.push(&[*value]),
                P::T(text) => writer.push_text(text.as_bytes()),
                P::R(bytes) => writer.push(bytes),
            };
        }
        let bytes = writer.finish();
        let context = self.state.begin(&Event::parse(&bytes, CPU).expect("a well-formed event"));
        self.last = Some((bytes, context));
    }

    fn finish(&mut self) {
        if let Some((bytes, context)) = self.last.take() {
            self.state.finish(&Event::parse(&bytes, CPU).expect("it was well-formed before"), &context);
        }
    }

    /// A field's text, `None` without value.
    pub fn text(&self, field: &str) -> Option<Vec<u8>> {
        let bracket = field.strip_suffix(']').and_then(|text| text.split_once('['));
        let (name, argument) = bracket.map_or((field, None), |(name, arg)| (name, Some(arg)));
        let found = self.fields.resolve(name, argument).unwrap_or_else(|error| panic!("{field}: {error:?}"));
        let (bytes, context) = self.last.as_ref().expect("an event");
        let event = Event::parse(bytes, CPU).expect("it was well-formed before");
        let scratch = Bump::new();
        let moment = Moment {
            event: &event,
            context,
            state: &self.state,
            source: self.source,
            scratch: &scratch,
            session: &self.session,
        };
        let row = self.fields.field(found.id);
        // Text is UTF-8, what is compared need not be.
        if let Some(peregrine_engine::Value::Bytes(raw)) = (row.extract)(&moment, &found.arg).filter(|_| !found.is_list)
        {
            return Some(raw.to_vec());
        }
        let mut out = String::new();
        row.to_text(&moment, &found, &mut out).then(|| out.into_bytes())
    }

    /// Expects of a condition that it holds, or does not.
    pub fn holds(&mut self, condition: &str, want: bool) {
        let (bytes, context) = self.last.as_ref().expect("an event");
        let event = Event::parse(bytes, CPU).expect("it was well-formed before");
        let mut engine = engine(condition, &self.fields);
        let scratch = Bump::new();
        let moment = Moment {
            event: &event,
            context,
            state: &self.state,
            source: self.source,
            scratch: &scratch,
            session: &self.session,
        };
        if engine.evaluate(&moment).is_empty() == want {
            self.faults.push(format!("{condition} is not {want}"));
        }
    }

    /// The line of upstream's test that expects this text of a field.
    pub fn expect(&mut self, line: u32, field: &str, want: &str) {
        self.expect_bytes(line, field, want.as_bytes(), want);
    }

    /// As [`World::expect`], of a text that is not UTF-8; `row` is how the corpus writes it.
    pub fn expect_bytes(&mut self, line: u32, field: &str, want: &[u8], row: &str) {
        let have = self.text(field);
        if have.as_deref() != Some(want) {
            let have = have.map_or("no value".into(), |text| String::from_utf8_lossy(&text).into_owned());
            self.faults.push(format!("line {line}: {field} is {have:?}, not {row:?}"));
        }
        self.see(line, field, Some(row));
    }

    /// As [`World::expect`], of a list that upstream gives in the order of a hash table.
    pub fn expect_set(&mut self, line: u32, field: &str, want: &str) {
        let sorted = |text: &str| -> Vec<String> {
            let mut all: Vec<String> = text.trim_matches(['(', ')']).split(',').map(str::to_owned).collect();
            all.sort();
            all
        };
        let have = String::from_utf8(self.text(field).unwrap_or_default()).expect("kinds are ASCII");
        if sorted(&have) != sorted(want) {
            self.faults.push(format!("line {line}: {field} is {have:?}, not {want:?}"));
        }
        self.see(line, field, Some(want));
    }

    /// The line of upstream's test that expects no value of a field.
    pub fn none(&mut self, line: u32, field: &str) {
        if let Some(have) = self.text(field) {
            let have = String::from_utf8_lossy(&have).into_owned();
            self.faults.push(format!("line {line}: {field} is {have:?}, not without value"));
        }
        self.see(line, field, None);
    }

    /// Several fields from one line on, one a line.
    pub fn expect_all(&mut self, first: u32, rows: &[(&str, &str)]) {
        for (line, (field, want)) in (first..).zip(rows) {
            self.expect(line, field, want);
        }
    }

    /// What a line of upstream's test says. A loop of upstream's says it several times, and some tests say the same
    /// without a row in the corpus: these have line 0.
    fn see(&mut self, line: u32, field: &str, value: Option<&str>) {
        if line != 0 {
            self.seen.insert(line, Seen { field: field.to_owned(), value: value.map(str::to_owned) });
        }
    }

    // The events that upstream's tests make by name.

    /// `open` of a path without flags.
    pub fn open(&mut self, tid: i64, fd: i64, path: &str) {
        self.event(tid, code::SYSCALL_OPEN_X, &[P::I(fd), P::T(path), P::W(0), P::W(0), P::W(0), P::I(0)]);
    }

    /// `socket`: descriptor 4.
    pub fn socket(&mut self, family: i64, ty: u32) {
        let params = [P::I(SOCKET), P::W(family as u32), P::W(ty), P::W(0), P::W(0)];
        self.event(INIT, code::SOCKET_SOCKET_X, &params);
    }

    /// `connect` on descriptor 4.
    pub fn connect(&mut self, res: i64, tuple: &[u8], server: &[u8]) {
        self.event(INIT, code::SOCKET_CONNECT_X, &[P::I(res), P::R(tuple), P::I(SOCKET), P::R(server)]);
    }

    /// An event without parameters.
    pub fn any(&mut self, tid: i64) {
        self.event(tid, code::SOCKET_GETSOCKNAME_X, &[]);
    }

    /// `clone` as its parent (`res` is the child) or as its child (0) sees it.
    pub fn clone(&mut self, res: i64, tid: i64, pid: i64, ppid: i64, flags: i64, inside: Option<(i64, i64)>) {
        let (vtid, vpid) = inside.unwrap_or((tid, pid));
        let params = [
            P::I(res),
            P::T("bash"),
            P::No,
            P::I(tid),
            P::I(pid),
            P::I(ppid),
            P::T(""),
            P::I(0),
            P::I(0),
            P::I(0),
            P::W(0),
            P::W(0),
            P::W(0),
            P::T("bash"),
            P::No,
            P::W(flags as u32),
            P::W(0),
            P::W(0),
            P::I(vtid),
            P::I(vpid),
            P::I(0),
        ];
        self.event(tid, code::SYSCALL_CLONE_20_X, &params);
    }

    /// `execve`.
    pub fn exec(&mut self, exec: &Exec<'_>) {
        let Exec { tid, pid, ppid, exe, comm, path, pgid, args, env } = *exec;
        let params = [
            P::I(0),
            P::T(exe),
            if args.is_empty() { P::No } else { P::R(args) },
            P::I(tid),
            P::I(pid),
            P::I(ppid),
            P::T(""),
            P::I(0),
            P::I(0),
            P::I(0),
            P::W(0),
            P::W(0),
            P::W(0),
            P::T(comm),
            P::No,
            if env.is_empty() { P::No } else { P::R(env) },
            P::W(0),
            P::I(0),
            P::W(0),
            P::W(0),
            P::I(0),
            P::I(0),
            P::I(0),
            P::I(0),
            P::I(0),
            P::I(0),
            P::W(0),
            P::T(path),
            P::I(pgid),
            P::W(0),
            P::T(exe),
        ];
        self.event(tid, code::SYSCALL_EXECVE_19_X, &params);
    }

    /// The end of a thread.
    pub fn exit(&mut self, tid: i64, reaper: i64) {
        self.event(tid, code::PROCEXIT_1_E, &[P::I(0), P::I(-1), P::B(0), P::B(0), P::I(reaper)]);
    }

    /// A user that a container engine or the host has.
    pub fn user_added(&mut self, uid: u32, gid: u32, name: &str, home: &str, shell: &str) {
        let params = [P::W(uid), P::W(gid), P::T(name), P::T(home), P::T(shell), P::T("")];
        self.event(INIT, code::USER_ADDED_E, &params);
    }

    /// A user that is there no longer.
    pub fn user_deleted(&mut self, uid: u32) {
        let params = [P::W(uid), P::W(0), P::T(""), P::T(""), P::T(""), P::T("")];
        self.event(INIT, code::USER_DELETED_E, &params);
    }

    /// The tree of processes that many of upstream's tests start from: 1 → 2 (thread 6), whose thread makes 25 (threads
    /// 23 and 24) with 1 as its parent → 72 → 76 (thread 79), in a PID namespace from here on → 82 (thread 84) → 87.
    pub fn tree(&mut self) {
        use defines::{
            PPM_CL_CHILD_IN_PIDNS as INSIDE, PPM_CL_CLONE_NEWPID as NEWPID, PPM_CL_CLONE_PARENT as PARENT,
            PPM_CL_CLONE_THREAD as THREAD,
        };
        self.clone(2, 1, 1, 0, 0, None);
        self.clone(6, 2, 2, 1, THREAD, None);
        self.clone(25, 6, 2, 1, PARENT, None);
        self.clone(0, 25, 25, 1, PARENT, None);
        self.clone(23, 25, 25, 1, THREAD, None);
        self.clone(24, 23, 25, 1, THREAD, None);
        self.clone(72, 25, 25, 1, 0, None);
        self.clone(76, 72, 72, 25, NEWPID, None);
        self.clone(0, 76, 76, 72, INSIDE, Some((1, 1)));
        self.clone(0, 79, 76, 72, THREAD | INSIDE, Some((2, 1)));
        self.clone(0, 82, 82, 79, INSIDE, Some((10, 10)));
        self.clone(0, 84, 82, 79, THREAD | INSIDE, Some((12, 10)));
        self.clone(0, 87, 87, 84, INSIDE, Some((17, 17)));
    }
}

/// One condition, compiled for all events.
pub fn engine(condition: &str, fields: &Fields) -> Engine {
    let expr = parse(condition).unwrap_or_else(|error| panic!("{condition}: {error:?}"));
    let expr = check(&expr, fields).unwrap_or_else(|error| panic!("{condition}: {error:?}")).expr;
    let mut codes = CodeSet::default();
    (0..code::COUNT as u16).for_each(|code| codes.insert(code));
    let rule = Rule {
        name: "condition".into(),
        priority: Priority::Debug,
        source: "syscall".into(),
        tags: Vec::new(),
        condition: expr,
        codes,
    };
    Engine::new(vec![rule], fields, Matching::All).expect("a checked condition compiles")
}

/// What an `execve` says.
#[derive(Clone, Copy)]
pub struct Exec<'a> {
    pub tid: i64,
    pub pid: i64,
    pub ppid: i64,
    pub exe: &'a str,
    pub comm: &'a str,
    pub path: &'a str,
    pub pgid: i64,
    pub args: &'a [u8],
    pub env: &'a [u8],
}

impl<'a> Exec<'a> {
    /// Of a main thread.
    pub fn of(pid: i64, ppid: i64, exe: &'a str, comm: &'a str, path: &'a str) -> Self {
        Self { tid: pid, pid, ppid, exe, comm, path, pgid: 0, args: &[], env: &[] }
    }
}

/// The first process.
pub const INIT: i64 = 1;
/// The descriptor of [`World::socket`].
pub const SOCKET: i64 = 4;

/// An address parameter.
pub fn address(ip: &str, port: u16) -> Vec<u8> {
    let ip: IpAddr = ip.parse().expect("an address");
    [&[family(ip)], &end(ip, port)[..]].concat()
}

/// A parameter of two addresses.
pub fn tuple(source: (&str, u16), dest: (&str, u16)) -> Vec<u8> {
    let ip = |text: &str| -> IpAddr { text.parse().expect("an address") };
    let (from, to) = (ip(source.0), ip(dest.0));
    [&[family(from)], &end(from, source.1)[..], &end(to, dest.1)].concat()
}

fn family(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { defines::PPM_AF_INET as u8 } else { defines::PPM_AF_INET6 as u8 }
}

fn end(ip: IpAddr, port: u16) -> Vec<u8> {
    let bytes = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    [&bytes[..], &port.to_le_bytes()].concat()
}

fn init() -> Tables {
    let thread = Thread {
        tid: INIT,
        pid: INIT,
        vtid: INIT,
        vpid: INIT,
        sid: 0,
        vpgid: 1,
        comm: b"init".to_vec(),
        exe: b"/sbin/init".to_vec(),
        exepath: b"/sbin/init".to_vec(),
        args: b"context\0ls\0--format\0{{json .}}\0".to_vec(),
        env: b"TEST_ENV_PARENT_LINEAGE=secret\0HOME=/home/user/parent\0".to_vec(),
        cwd: b"/root/".to_vec(),
        ..Thread::default()
    };
    let null = FdKind::Named(FdType::File, b"/dev/null".to_vec());
    Tables {
        threads: vec![thread],
        fds: vec![(INIT, vec![Fd { fd: 0, ino: 5, kind: null, cloexec: false }])],
        ..Tables::default()
    }
}
