//! The text of every parameter of every event.
//!
//! An example event is built for each code of the table, twice: with ordinary values and with odd ones. What its
//! parameters must read as is put together here from the rules of upstream's `sinsp_evt::get_param_as_str`, one a type,
//! written down again in the plainest way.

use bumpalo::Bump;
use peregrine_capture::tables::{Fd, FdKind, FdType, Tables, Thread, User};
use peregrine_engine::fields::Fields;
use peregrine_engine::{Moment, Session};
use peregrine_event::flags::Flag;
use peregrine_event::{Event, EventInfo, EventWriter, Extra, ParamInfo, ParamType as T, PrintFormat as F, code, table};
use peregrine_filter::field::Catalogue;
use peregrine_state::State;

/// Process 7 in `/root/`, child of 1, whose descriptor 4 is the directory `/srv`; a user 5 called `test`.
fn state() -> State {
    let thread = |tid, ptid, comm: &str| Thread {
        tid,
        pid: tid,
        ptid,
        vtid: tid,
        vpid: tid,
        comm: comm.into(),
        cwd: b"/root/".to_vec(),
        ..Thread::default()
    };
    let srv = Fd { fd: 4, ino: 1, kind: FdKind::Named(FdType::Directory, b"/srv".to_vec()), cloexec: false };
    let user = User { uid: 5, name: b"test".to_vec(), ..User::default() };
    State::new(Tables {
        threads: vec![thread(1, 0, "init"), thread(7, 1, "prog")],
        fds: vec![(7, vec![srv])],
        users: vec![user],
        ..Tables::default()
    })
}

/// Texts of fields of an event of thread 7.
fn texts(event: u16, params: &[Vec<u8>], fields: &[&str]) -> Vec<String> {
    let mut writer = EventWriter::new(1_795_522_412_000_000_500, 7, event);
    for param in params {
        writer.push(param);
    }
    let bytes = writer.finish();
    let event = Event::parse(&bytes, 1).expect("a well-formed event");
    let (mut state, scratch, session, catalogue) = (state(), Bump::new(), Session::default(), Fields::syscall());
    let context = state.begin(&event);
    let moment = Moment {
        event: &event,
        context: &context,
        state: &state,
        source: "syscall",
        scratch: &scratch,
        session: &session,
    };
    let text = |name: &&str| {
        let field = match name.strip_suffix(']').and_then(|text| text.split_once('[')) {
            Some((name, index)) => catalogue.resolve(name, Some(index)),
            None => catalogue.resolve(name, None),
        };
        let (field, mut out) = (field.expect("a field"), String::new());
        catalogue.field(field.id).to_text(&moment, &field, &mut out);
        out
    };
    fields.iter().map(text).collect()
}

/// A value, what it reads as, and what stands in parentheses behind that.
struct Example {
    bytes: Vec<u8>,
    plain: String,
    resolved: String,
}

fn example(bytes: &[u8], plain: &str, resolved: &str) -> Example {
    Example { bytes: bytes.to_vec(), plain: plain.to_owned(), resolved: resolved.to_owned() }
}

/// The value of a parameter; `odd` chooses an unusual one.
fn example_of(event: &EventInfo, index: usize, odd: bool) -> Example {
    let param = &event.params[index];
    let returned = index == 0 && event.symbol.ends_with("_X");
    let number = |value: i64, size: usize| example(&value.to_le_bytes()[..size], &printed(value, size, param.fmt), "");
    match param.ty {
        T::Int8 | T::Int16 | T::Int32 | T::Int64 => {
            number(if odd { -3 } else { 7 }, param.ty.fixed_size().expect("a number's size"))
        }
        T::Uint8 | T::Uint16 | T::Uint32 | T::Uint64 => {
            number(if odd { 0 } else { 200 }, param.ty.fixed_size().expect("a number's size"))
        }
        // The call fails, so that it changes nothing that the other parameters are resolved by.
        T::Errno | T::Fd if returned => example(&(-2i64).to_le_bytes(), "-2", "ENOENT"),
        T::Pid if returned => example(&(-2i64).to_le_bytes(), "-2", ""),
        T::Errno if odd => example(&(-9_999i64).to_le_bytes(), "-9999", ""),
        T::Errno => example(&5i64.to_le_bytes(), "5", ""),
        T::Fd if odd => example(&(-100i64).to_le_bytes(), "-100", "AT_FDCWD"),
        T::Fd => example(&4i64.to_le_bytes(), "4", "<d>/srv"),
        T::Pid if odd => example(&99i64.to_le_bytes(), "99", ""),
        T::Pid => example(&1i64.to_le_bytes(), "1", "init"),
        T::Charbuf => example(b"some text\0", "some text", ""),
        T::Bytebuf if odd => example(b"\0\n\x7f~", "...~", ""),
        T::Bytebuf => example(b"ab\x01\xff", "ab..", ""),
        T::Fspath if odd => example(b"dir/../x\0", "dir/../x", "/root/x"),
        T::Fsrelpath if odd => example(b"dir/../x\0", "dir/../x", "/root/x"),
        T::Fspath | T::Fsrelpath => example(b"/etc//x\0", "/etc//x", ""),
        T::Sockaddr if odd => example(b"\x01/run/x\0", "/run/x", ""),
        T::Sockaddr => example(&[2, 127, 0, 0, 1, 80, 0], "127.0.0.1:80", ""),
        T::Socktuple if odd => {
            let bytes = [&[1][..], &0xaau64.to_le_bytes(), &0xbbu64.to_le_bytes(), b"/run/x\0"].concat();
            example(&bytes, "aa->bb /run/x", "")
        }
        T::Socktuple => example(&[2, 10, 0, 0, 1, 210, 4, 127, 0, 0, 1, 80, 0], "10.0.0.1:1234->127.0.0.1:80", ""),
        T::Fdlist => {
            let entry = |fd: i64, flags: i16| [&fd.to_le_bytes()[..], &flags.to_le_bytes()].concat();
            let bytes = [&2u16.to_le_bytes()[..], &entry(4, 1), &entry(-1, -1)].concat();
            example(&bytes, "4:d1 18446744073709551615:?ffffffff", "")
        }
        T::Syscallid if odd => example(&60_000u16.to_le_bytes(), "<unknown syscall>", ""),
        T::Syscallid => example(&5u16.to_le_bytes(), "5", "open"),
        T::Sigtype if odd => example(&[40], "40", ""),
        T::Sigtype => example(&[9], "9", "SIGKILL"),
        T::Reltime if odd => example(&u64::MAX.to_le_bytes(), "none", ""),
        T::Reltime => example(&1_500_000_000u64.to_le_bytes(), "1500000000", "1.5s"),
        T::Abstime => example(&1_795_522_412_701_071_879u64.to_le_bytes(), "2026-11-24 12:13:32.701071879", ""),
        T::Uid | T::Gid if odd => example(&u32::MAX.to_le_bytes(), "-1", "<NONE>"),
        T::Uid => example(&5u32.to_le_bytes(), "5", "test"),
        T::Gid => example(&6u32.to_le_bytes(), "6", "<NA>"),
        T::Sigset if odd => example(&0u32.to_le_bytes(), "", ""),
        T::Sigset => example(&0x101u32.to_le_bytes(), "SIGHUP SIGKILL", ""),
        T::Flags8 | T::Flags16 | T::Flags32 | T::Enumflags8 | T::Enumflags16 | T::Enumflags32 | T::Mode => {
            named(param, odd)
        }
        T::Dyn => dynamic(param, odd),
        // No capture has them: they point into the memory of who made the event, or only change the state.
        other => example(&[1; 8][..other.fixed_size().unwrap_or(8).min(8)], "(n.a.)", ""),
    }
}

/// A number as C prints it: `%d`, `%X`, `%#o`, `%09d`.
fn printed(value: i64, size: usize, fmt: F) -> String {
    let unsigned = if size < 8 { u64::from(value as u32) } else { value as u64 };
    match fmt {
        F::Hex => format!("{unsigned:X}"),
        F::Oct if unsigned == 0 => "0".into(),
        F::Oct => format!("0{unsigned:o}"),
        F::PaddedDec => format!("{value:09}"),
        _ => value.to_string(),
    }
}

/// A number that has names: of flags the first two that share no bit, or none; of enumerations the last.
fn named(param: &ParamInfo, odd: bool) -> Example {
    let flags: &[Flag] = if let Extra::Flags(flags) = param.extra { flags } else { &[] };
    let size = param.ty.fixed_size().expect("a number's size");
    let mut bits = flags.iter().map(|flag| flag.value).filter(|value| *value != 0);
    let (first, last) = (bits.next().unwrap_or(1), bits.next_back().unwrap_or(0));
    let enumeration = matches!(param.ty, T::Enumflags8 | T::Enumflags16 | T::Enumflags32);
    let value = if odd {
        0
    } else if enumeration {
        last
    } else {
        first | last
    };
    let value = if size < 4 { value & ((1 << (8 * size)) - 1) } else { value };
    let plain = if param.ty == T::Mode { printed(i64::from(value), 4, param.fmt) } else { value.to_string() };
    let names = if enumeration {
        flags.iter().filter(|flag| flag.value == value).map(|flag| flag.name).collect()
    } else if param.ty == T::Mode {
        mode_names(flags, value)
    } else {
        flag_names(flags, value)
    };
    example(&value.to_le_bytes()[..size], &plain, &names.join("|"))
}

/// Upstream's walk over flags.
fn flag_names(flags: &[Flag], whole: u32) -> Vec<&'static str> {
    let (mut names, mut rest) = (Vec::new(), whole);
    for flag in flags {
        let is_set = if flag.value == 0 { whole == 0 } else { rest != 0 && rest & flag.value == flag.value };
        if is_set {
            names.push(flag.name);
            rest &= !flag.value;
            if flag.value == whole {
                break;
            }
        }
    }
    names
}

/// Upstream's walk over modes: it ends at the entry that is the whole value, which is named last.
fn mode_names(flags: &[Flag], whole: u32) -> Vec<&'static str> {
    let end = flags.iter().position(|flag| flag.value == whole);
    let mut names = flag_names(&flags[..end.unwrap_or(flags.len())], whole);
    names.extend(end.map(|end| flags[end].name));
    names
}

/// The first byte chooses the type, the print format stays the parameter's.
fn dynamic(param: &ParamInfo, odd: bool) -> Example {
    let Extra::Dynamic(types) = param.extra else { panic!("a dynamic parameter without types") };
    let index = if odd { types.len() - 1 } else { 0 };
    let Example { bytes, plain, resolved } = match types[index].ty {
        T::Bytebuf => example(b"a\0", "a.", ""),
        T::Uint64 | T::Int64 => example(&255i64.to_le_bytes(), &printed(255, 8, param.fmt), ""),
        T::Errno => example(&(-22i64).to_le_bytes(), "-22", "EINVAL"),
        T::Reltime => example(&2_000_000_000u64.to_le_bytes(), "2000000000", "2s"),
        T::Sigtype => example(&[15], "15", "SIGTERM"),
        T::Fd => example(&4i64.to_le_bytes(), "4", "<d>/srv"),
        T::Charbuf => example(b"key\0", "key", ""),
        other => panic!("no example of {other:?}"),
    };
    Example { bytes: [&[index as u8], &bytes[..]].concat(), plain, resolved }
}

/// `name=plain(resolved)`, as `evt.args` words it.
fn worded(param: &ParamInfo, example: &Example) -> String {
    let Example { plain, resolved, .. } = example;
    if resolved.is_empty() { format!("{}={plain}", param.name) } else { format!("{}={plain}({resolved})", param.name) }
}

#[test]
fn every_parameter_of_every_event() {
    let mut faults = Vec::new();
    for (code, info) in (0u16..).zip(&table::EVENTS) {
        for odd in [false, true] {
            let examples: Vec<Example> = (0..info.params.len()).map(|index| example_of(info, index, odd)).collect();
            let params: Vec<Vec<u8>> = examples.iter().map(|example| example.bytes.clone()).collect();
            let want: Vec<String> =
                info.params.iter().zip(&examples).map(|(param, example)| worded(param, example)).collect();
            let want = if code == code::GENERIC_X { String::new() } else { want.join(" ") };
            let have = texts(code, &params, &["evt.args", "evt.info"]);
            if have != [want.clone(), want.clone()] {
                faults.push(format!("{}:\n    is {}\n not {want}", info.symbol, have[0]));
            }
            faults.extend(one_by_one(code, info, &params, &examples));
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// `evt.arg[N]`, by number, which is the resolved text if there is one.
fn one_by_one(code: u16, info: &EventInfo, params: &[Vec<u8>], examples: &[Example]) -> Option<String> {
    let names: Vec<String> = (0..info.params.len()).map(|index| format!("evt.arg[{index}]")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let want = examples
        .iter()
        .map(|example| if example.resolved.is_empty() { example.plain.clone() } else { example.resolved.clone() });
    let (want, have): (Vec<String>, _) = (want.collect(), texts(code, params, &names));
    (want != have).then(|| format!("{}: evt.arg is {have:?}, not {want:?}", info.symbol))
}

#[test]
fn parameters_without_value_and_missing_ones() {
    for (code, info) in (0u16..).zip(&table::EVENTS).filter(|(code, _)| *code != code::GENERIC_X) {
        let empty = |param: &ParamInfo| match param.ty {
            T::Bytebuf | T::Socktuple | T::Fdlist | T::Charbufarray | T::CharbufPairArray | T::Dyn => "NULL",
            _ => "<NA>",
        };
        let worded = |params: &[ParamInfo]| -> String {
            let all: Vec<String> = params.iter().map(|param| format!("{}={}", param.name, empty(param))).collect();
            all.join(" ")
        };
        let params = vec![Vec::new(); info.params.len()];
        assert_eq!(texts(code, &params, &["evt.args"]), [worded(info.params)], "{}", info.symbol);
        // An older schema had fewer parameters.
        let few = info.params.len() / 2;
        let past = format!("evt.arg[{few}]");
        let have = texts(code, &params[..few], &["evt.args", &past]);
        assert_eq!(have, [worded(&info.params[..few]), "<NA>".into()], "{}", info.symbol);
    }
}

#[test]
fn what_every_event_is() {
    for (code, info) in (0u16..).zip(&table::EVENTS) {
        let params: Vec<Vec<u8>> = (0..info.params.len()).map(|index| example_of(info, index, false).bytes).collect();
        let have = texts(code, &params, &["evt.type", "evt.dir", "syscall.type", "evt.rawres", "evt.failed"]);
        let name = match code {
            code::GENERIC_X => "open",
            code::ASYNCEVENT_E => "some text",
            _ => info.name,
        };
        assert_eq!(have[0], name, "{}", info.symbol);
        assert_eq!(have[1], if code % 2 == 0 { ">" } else { "<" }, "{}", info.symbol);
        assert_eq!(have[2], if info.is_syscall() { name } else { "<NA>" }, "{}", info.symbol);
        let returns = info.is_syscall() && code % 2 == 1 && code != code::GENERIC_X && !info.params.is_empty();
        let failed = returns && matches!(info.params[0].ty, T::Errno | T::Fd);
        if failed {
            assert_eq!((have[3].as_str(), have[4].as_str()), ("-2", "true"), "{}", info.symbol);
        } else if !returns {
            assert_eq!((have[3].as_str(), have[4].as_str()), ("<NA>", "<NA>"), "{}", info.symbol);
        }
    }
}

#[test]
fn texts_of_some_events() {
    let long = |value: i64| value.to_le_bytes().to_vec();
    let word = |value: u32| value.to_le_bytes().to_vec();
    let text = |text: &str| [text.as_bytes(), &[0]].concat();
    let rows: &[(u16, Vec<Vec<u8>>, &str)] = &[
        (
            code::SYSCALL_OPENAT_2_X,
            vec![long(-13), long(4), text("a/b"), word(0x1001), word(0o640), word(0x2d), long(9)],
            "fd=-13(EACCES) dirfd=4(<d>/srv) name=a/b(/srv/a/b) flags=4097(O_RDONLY|O_CLOEXEC) mode=0640 dev=2D ino=9",
        ),
        (
            code::SYSCALL_CHMOD_X,
            vec![long(0), text("/x"), word(0o4755)],
            "res=0 filename=/x mode=04755(S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID)",
        ),
        (code::SYSCALL_KILL_X, vec![long(0), long(1), vec![15]], "res=0 pid=1(init) sig=15(SIGTERM)"),
        (
            code::SYSCALL_SETRESUID_X,
            vec![long(0), word(5), word(0), word(u32::MAX)],
            "res=0 ruid=5(test) euid=0(<NA>) suid=-1(<NONE>)",
        ),
        (code::SYSCALL_NANOSLEEP_X, vec![long(0), long(250_000)], "res=0 interval=250000(0.00025s)"),
        (
            code::SOCKET_SOCKET_X,
            vec![long(-97), word(10), word(1), word(6), word(0)],
            "fd=-97(EAFNOSUPPORT) domain=10(AF_INET6) type=1 proto=6 flags=0(O_NONE)",
        ),
    ];
    for (event, params, want) in rows {
        assert_eq!(texts(*event, params, &["evt.args"]), [*want]);
    }
}
