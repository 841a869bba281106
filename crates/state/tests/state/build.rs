//! Building events and states for tests.

use peregrine_event::record::Tag;
use peregrine_event::{Event, EventWriter};
use peregrine_state::{Context, FdInfo, Slot, State, ThreadInfo};

/// One parameter of an event.
pub enum P<'a> {
    /// No value.
    No,
    /// 8 bytes.
    I(i64),
    /// 4 bytes.
    W(u32),
    /// 1 byte.
    B(u8),
    /// Text and its NUL.
    T(&'a str),
    /// Bytes as they are.
    R(&'a [u8]),
}

/// The bytes of an event.
pub fn event(ts: u64, tid: i64, code: u16, params: &[P<'_>]) -> Vec<u8> {
    with_records(ts, tid, code, params, &[])
}

/// The bytes of an event with Peregrine's own records.
pub fn with_records(ts: u64, tid: i64, code: u16, params: &[P<'_>], records: &[(Tag, &[u8])]) -> Vec<u8> {
    let mut writer = EventWriter::new(ts, tid, code);
    for param in params {
        match param {
            P::No => writer.push(&[]),
            P::I(value) => writer.push(&value.to_le_bytes()),
            P::W(value) => writer.push(&value.to_le_bytes()),
            P::B(value) => writer.push(&[*value]),
            P::T(text) => writer.push_text(text.as_bytes()),
            P::R(bytes) => writer.push(bytes),
        };
    }
    for (tag, value) in records {
        writer.record(*tag, value);
    }
    writer.finish()
}

/// What an event showed: its context and a copy of its descriptor.
pub struct Shown {
    pub context: Context,
    pub fd: Option<FdInfo>,
}

/// Applies and finishes an event.
pub fn apply(state: &mut State, bytes: &[u8]) -> Shown {
    let event = Event::parse(bytes, 0).expect("a well-formed event");
    let context = state.begin(&event);
    let fd = state.event_fd(&context).cloned();
    state.finish(&event, &context);
    Shown { context, fd }
}

/// Applies and finishes an event of a thread at time 1000.
pub fn act(state: &mut State, tid: i64, code: u16, params: &[P<'_>]) -> Shown {
    apply(state, &event(1000, tid, code, params))
}

pub fn thread(state: &State, tid: i64) -> &ThreadInfo {
    find(state, tid).unwrap_or_else(|| panic!("no thread {tid}"))
}

pub fn find(state: &State, tid: i64) -> Option<&ThreadInfo> {
    state.thread(state.lookup(tid)?)
}

pub fn fd(state: &State, tid: i64, number: i64) -> Option<&FdInfo> {
    state.fd_table(thread(state, tid))?.get(number)
}

/// A state with `init` (1) and a shell (10) in `/home/me`, whose descriptor 3 is the directory `/srv`.
pub fn state() -> State {
    use peregrine_capture::tables::{Fd, FdKind, FdType, Tables, Thread};
    let init = Thread { tid: 1, pid: 1, vtid: 1, vpid: 1, comm: b"init".to_vec(), ..Thread::default() };
    let shell = Thread {
        tid: 10,
        pid: 10,
        ptid: 1,
        vtid: 10,
        vpid: 10,
        sid: 10,
        comm: b"sh".to_vec(),
        exe: b"/bin/sh".to_vec(),
        exepath: b"/bin/sh".to_vec(),
        cwd: b"/home/me".to_vec(),
        env: b"A=1\0".to_vec(),
        uid: 1000,
        gid: 100,
        ..Thread::default()
    };
    let dir = Fd { fd: 3, ino: 9, kind: FdKind::Named(FdType::Directory, b"/srv".to_vec()), cloexec: false };
    State::new(Tables { threads: vec![init, shell], fds: vec![(10, vec![dir])], ..Tables::default() })
}

/// The slot of a thread, which must be there.
pub fn slot(state: &State, tid: i64) -> Slot {
    state.lookup(tid).unwrap_or_else(|| panic!("no thread {tid}"))
}

/// Parameters of a clone event.
pub fn cloned<'a>(result: i64, pid: i64, ptid: i64, flags: i64, vtid: i64) -> Vec<P<'a>> {
    vec![
        P::I(result),
        P::T("/bin/sh"),
        P::R(b"-c\0ls\0"),
        P::I(0),
        P::I(pid),
        P::I(ptid),
        P::T(""),
        P::I(1024),
        P::I(1),
        P::I(2),
        P::W(3),
        P::W(4),
        P::W(5),
        P::T("sh"),
        P::R(b"cpu=/\0"),
        P::W(flags as u32),
        P::W(1000),
        P::W(100),
        P::I(vtid),
        P::I(pid),
        P::I(0),
    ]
}

/// Parameters of an exec event, of the process itself.
pub fn exec<'a>(tid: i64, name: &'a str) -> Vec<P<'a>> {
    let mut params = vec![P::I(0), P::T(name), P::R(b"-x\0"), P::I(tid), P::I(tid), P::I(1), P::T(""), P::I(1024)];
    params.extend([
        P::I(0),
        P::I(0),
        P::W(0),
        P::W(0),
        P::W(0),
        P::T(name),
        P::R(b"cpu=/\0"),
        P::R(b"B=2\0"),
        P::W(7),
        P::I(tid),
        P::W(33),
        P::W(1),
    ]);
    params.extend([
        P::I(1),
        P::I(2),
        P::I(3),
        P::I(99),
        P::I(500),
        P::I(600),
        P::W(0),
        P::T("/bin/it (deleted)"),
        P::I(tid),
        P::W(0),
    ]);
    params
}
