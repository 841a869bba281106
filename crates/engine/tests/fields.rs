//! Fields of single events, built here: what the captures of the corpus do not show.

use bumpalo::Bump;
use peregrine_alert::Json;
use peregrine_capture::tables::{Tables, Thread, User};
use peregrine_engine::fields::Fields;
use peregrine_engine::{Moment, Session};
use peregrine_event::record::{Tag, mark};
use peregrine_event::{Event, EventWriter, code};
use peregrine_filter::field::{Catalogue, FieldRef, flag};
use peregrine_state::State;

const TS: u64 = 1_795_522_412_000_000_500;

/// A process 7, child of 1, of user 5 who is called `test`.
fn state() -> State {
    let thread = |tid, ptid, comm: &str| Thread {
        tid,
        pid: tid,
        ptid,
        vtid: tid,
        vpid: tid,
        comm: comm.into(),
        exe: format!("/bin/{comm}").into(),
        cwd: b"/root/".to_vec(),
        args: b"-x\0two words\0".to_vec(),
        env: b"PATH=/bin\0EMPTY=\0PAD= x \0".to_vec(),
        cgroups: b"cpuset=/a\0memory=/b\0".to_vec(),
        uid: 5,
        ..Thread::default()
    };
    let user = User { uid: 5, name: b"test".to_vec(), ..User::default() };
    State::new(Tables {
        threads: vec![thread(1, 0, "bash"), thread(7, 1, "prog")],
        users: vec![user],
        ..Tables::default()
    })
}

/// Texts of fields of an event of thread 7.
fn texts(event: u16, params: &[&[u8]], fields: &[&str]) -> Vec<String> {
    with(&Session::default(), event, params, fields, |catalogue, moment, field| {
        let mut text = String::new();
        catalogue.field(field.id).to_text(moment, field, &mut text);
        text
    })
}

fn with<T>(
    session: &Session,
    event: u16,
    params: &[&[u8]],
    fields: &[&str],
    each: impl Fn(&Fields, &Moment<'_>, &FieldRef) -> T,
) -> Vec<T> {
    let catalogue = Fields::syscall();
    let fields: Vec<FieldRef> = fields.iter().map(|text| resolve(&catalogue, text)).collect();
    at(session, event, params, |moment| fields.iter().map(|field| each(&catalogue, moment, field)).collect())
}

fn resolve(catalogue: &Fields, text: &str) -> FieldRef {
    let bracket = text.strip_suffix(']').and_then(|text| text.split_once('['));
    let (name, arg) = bracket.map_or((text, None), |(name, arg)| (name, Some(arg)));
    catalogue.resolve(name, arg).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// Looks at the moment of an event of thread 7.
fn at<T>(session: &Session, event: u16, params: &[&[u8]], look: impl FnOnce(&Moment<'_>) -> T) -> T {
    let mut writer = EventWriter::new(TS, 7, event);
    for param in params {
        writer.push(param);
    }
    look_at(session, &writer.finish(), look)
}

fn look_at<T>(session: &Session, bytes: &[u8], look: impl FnOnce(&Moment<'_>) -> T) -> T {
    let event = Event::parse(bytes, 1).unwrap();
    let (mut state, scratch) = (state(), Bump::new());
    let context = state.begin(&event);
    look(&Moment { event: &event, context: &context, state: &state, source: "syscall", scratch: &scratch, session })
}

fn long(value: i64) -> [u8; 8] {
    value.to_le_bytes()
}

#[test]
fn parameters_without_value_and_raw_ones() {
    assert_eq!(
        texts(code::SYSCALL_CHDIR_X, &[&long(-2), b""], &["evt.arg.path", "evt.args"]),
        ["<NA>", "res=-2(ENOENT) path=<NA>"]
    );
    assert_eq!(texts(code::SYSCALL_CHDIR_X, &[&long(-2), b"(NULL)\0"], &["evt.arg[1]"]), ["<NA>"]);
    assert_eq!(texts(code::SYSCALL_CHDIR_X, &[&long(0), b"\0"], &["evt.arg.path"]), [""]);
    assert_eq!(
        texts(code::SYSCALL_CHDIR_X, &[&long(0), b"x\0"], &["evt.arg[2]", "evt.arg[-1]", "evt.arg.fd"]),
        ["<NA>"; 3]
    );
    let pwrite: [&[u8]; 5] = [&long(-1), b"", &long(3), &7u32.to_le_bytes(), &long(0)];
    assert_eq!(texts(code::SYSCALL_PWRITE_X, &pwrite, &["evt.arg.data", "evt.rawarg.size"]), ["NULL", "7"]);
    // Type and format are those of the event at hand: here hexadecimal, elsewhere `flags` is a list of names.
    let timerfd: [&[u8]; 3] = [&long(0), &[255], &[255]];
    assert_eq!(texts(code::SYSCALL_TIMERFD_CREATE_X, &timerfd, &["evt.rawarg.flags", "evt.arg.flags"]), ["FF", "FF"]);
    assert_eq!(
        texts(code::SYSCALL_EPOLL_CREATE_X, &[&long(0), &(-22i32).to_le_bytes()], &["evt.rawarg.size"]),
        ["-22"]
    );
}

#[test]
fn addresses_that_are_cut_short() {
    let bind = |addr: &[u8]| texts(code::SOCKET_BIND_X, &[&long(0), addr, &long(3)], &["evt.arg.addr"]).remove(0);
    assert_eq!(bind(&[2, 127, 0, 0, 1, 80, 0]), "127.0.0.1:80");
    assert_eq!((bind(&[2, 127, 0, 0]), bind(&[10, 0])), ("INVALID IPv4".into(), "INVALID IPv6".into()));
    assert_eq!((bind(b"\x01/run/x\0"), bind(&[16]), bind(b"")), ("/run/x".into(), "family 16".into(), "<NA>".into()));
    // A path that does not end is none.
    assert_eq!((bind(b"\x01/run/x"), bind(b"\x01")), ("INVALID PATH".into(), "INVALID PATH".into()));
    let connect =
        |tuple: &[u8]| texts(code::SOCKET_CONNECT_X, &[&long(-2), tuple, &long(3), b""], &["evt.arg.tuple"]).remove(0);
    let unix = [&[1][..], &[0xaa, 0, 0, 0, 0, 0, 0, 0], &[0xbb, 0, 0, 0, 0, 0, 0, 0], b"/x"].concat();
    assert_eq!((connect(&unix), connect(&[&unix[..], &[0]].concat())), ("INVALID PATH".into(), "aa->bb /x".into()));
    // Both ends mapped are IPv4; one alone is not.
    let six = |source: [u8; 4], dest: [u8; 16]| {
        let mapped = [&[0; 10][..], &[0xff; 2], &source].concat();
        connect(&[&[10][..], &mapped, &[80, 0], &dest, &[1, 0]].concat())
    };
    let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 2];
    assert_eq!(six([10, 0, 0, 1], mapped), "10.0.0.1:80->10.0.0.2:1");
    assert_eq!(six([10, 0, 0, 1], [1; 16]), "::ffff:10.0.0.1:80->101:101:101:101:101:101:101:101:1");
}

#[test]
fn docker_events_say_their_parts() {
    let of = |description: &str| {
        let text = [description.as_bytes(), &[0]].concat();
        let params: [&[u8]; 4] = [b"docker\0", b"name\0", &text, b"\0"];
        let fields = ["name", "container.id", "container.name", "container.image"];
        let fields = fields.map(|field| format!("evt.infra.docker.{field}"));
        texts(code::INFRASTRUCTURE_EVENT_E, &params, &fields.each_ref().map(String::as_str))
    };
    assert_eq!(
        of("Event:start; ID: 0123456789abcdef ;name:web;Image:nginx@sha256:00"),
        ["start", "0123456789ab", "web", "nginx"]
    );
    // What follows a second colon is no part of it; a digest alone is whole.
    assert_eq!(of("Event:a:b;Image:nginx:1.25"), ["a", "<NA>", "<NA>", "nginx"]);
    assert_eq!(of("Image: sha256:0011"), ["<NA>", "<NA>", "<NA>", "sha256:0011"]);
    assert_eq!(of(""), ["<NA>"; 4]);
}

#[test]
fn without_an_id_in_the_namespace_there_is_none() {
    let catalogue = Fields::syscall();
    let name = resolve(&catalogue, "proc.sname");
    for (vtid, want) in [(-1, "boss"), (7, "boss"), (3, "")] {
        let thread = |tid, vtid, comm: &str| Thread {
            tid,
            pid: tid,
            vtid,
            vpid: vtid,
            sid: 50,
            comm: comm.into(),
            ..Thread::default()
        };
        let threads = vec![thread(50, 50, "boss"), thread(7, vtid, "prog")];
        let mut state = State::new(Tables { threads, ..Tables::default() });
        let bytes = EventWriter::new(TS, 7, code::SYSCALL_SETSID_X).push(&long(-1)).finish();
        let event = Event::parse(&bytes, 1).unwrap();
        let (context, scratch, session) = (state.begin(&event), Bump::new(), Session::default());
        let moment = Moment {
            event: &event,
            context: &context,
            state: &state,
            source: "syscall",
            scratch: &scratch,
            session: &session,
        };
        let mut out = String::new();
        catalogue.field(name.id).to_text(&moment, &name, &mut out);
        assert_eq!(out, want, "vtid {vtid}");
    }
}

#[test]
fn results_and_counts() {
    let fields =
        ["evt.res", "evt.rawres", "evt.failed", "evt.count.error", "evt.count.error.file", "evt.count.error.net"];
    let epoll = |res: i64| texts(code::SYSCALL_EPOLL_CREATE_X, &[&long(res), &0i32.to_le_bytes()], &fields);
    assert_eq!(epoll(-22), ["EINVAL", "-22", "true", "1", "<NA>", "<NA>"]);
    assert_eq!(epoll(3), ["SUCCESS", "3", "false", "0", "<NA>", "<NA>"]);
    let procinfo = ["evt.count.procinfo", "evt.count.threadinfo", "evt.res", "proc.name"];
    assert_eq!(texts(code::PROCINFO_E, &[&long(0), &long(0)], &procinfo), ["1", "1", "<NA>", "prog"]);
}

#[test]
fn users_are_named() {
    let setuid: [&[u8]; 2] = [&long(0), &5u32.to_le_bytes()];
    assert_eq!(
        texts(code::SYSCALL_SETUID_X, &setuid, &["evt.args", "evt.arg.uid", "evt.rawarg.uid"]),
        ["res=0 uid=5(test)", "test", "5"]
    );
    let unknown: [&[u8]; 2] = [&long(0), &6u32.to_le_bytes()];
    assert_eq!(texts(code::SYSCALL_SETUID_X, &unknown, &["evt.args"]), ["res=0 uid=6(<NA>)"]);
    let none: [&[u8]; 2] = [&long(0), &u32::MAX.to_le_bytes()];
    assert_eq!(texts(code::SYSCALL_SETUID_X, &none, &["evt.args"]), ["res=0 uid=-1(<NONE>)"]);
}

#[test]
fn processes_and_ancestors() {
    let fields = [
        "proc.args",
        "proc.args[1]",
        "proc.args[2]",
        "proc.exeline",
        "proc.cmdnargs",
        "proc.cmdlenargs",
        "proc.env[PATH]",
        "proc.env[EMPTY]",
        "proc.env[PAD]",
        "proc.env[PA]",
        "proc.aname",
        "proc.aname[1]",
        "proc.aname[2]",
        "proc.apid",
        "proc.aenv[PATH]",
        "proc.loginshellid",
        "thread.cgroup.memory",
        "thread.cgroup.mem",
        "thread.cgroups",
        "thread.nametid",
    ];
    assert_eq!(
        texts(code::SYSCALL_GETCWD_X, &[&long(0), b"/\0"], &fields),
        [
            "-x two words",
            "two words",
            "",
            "/bin/prog -x two words",
            "2",
            "11",
            "/bin",
            "",
            "x",
            "",
            "bash",
            "bash",
            "<NA>",
            "7",
            "/bin",
            "1",
            "/b",
            "<NA>",
            "cpuset=/a memory=/b",
            "prog7",
        ]
    );
}

#[test]
fn containers_can_be_off() {
    let fields =
        ["container.id", "container.name", "container.image.repository", "container.privileged", "k8s.pod.name"];
    let json = |session: &Session| {
        with(session, code::SYSCALL_GETCWD_X, &[&long(0), b"/\0"], &fields, |c, m, f| c.field(f.id).to_json(m, f))
    };
    let text = |text: &str| Json::Text(text.into());
    let mut session = Session::default();
    assert_eq!(json(&session), [text("host"), text("host"), text(""), Json::Bool(false), Json::Null]);
    session.containers = false;
    assert_eq!(json(&session), vec![Json::Null; 5]);
}

#[test]
fn times_and_other_general_fields() {
    let fields = [
        "evt.time",
        "evt.time.iso8601",
        "evt.datetime.s",
        "evt.rawtime.ns",
        "evt.cpu",
        "evt.source",
        "evt.type.is.getcwd",
        "evt.type.is.open",
        "evt.asynctype",
        "evt.around[1795522411999999999]",
        "util.cnt",
        "evt.reltime",
    ];
    let mut session = Session::default();
    session.time_zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(2));
    let text = |c: &Fields, m: &Moment<'_>, f: &FieldRef| {
        let mut text = String::new();
        c.field(f.id).to_text(m, f, &mut text);
        text
    };
    assert_eq!(
        with(&session, code::SYSCALL_GETCWD_X, &[&long(0), b"/\0"], &fields, text),
        [
            "14:13:32.000000500",
            "2026-11-24T12:13:32.000000500+0000",
            "2026-11-24 14:13:32",
            "000000500",
            "1",
            "syscall",
            "1",
            "0",
            "<NA>",
            "1",
            "1",
            // No first event was told of.
            "1795522412000000500",
        ]
    );
    let json =
        with(&session, code::SYSCALL_GETCWD_X, &[&long(0), b"/\0"], &["evt.time", "evt.rawtime.ns"], |c, m, f| {
            c.field(f.id).to_json(m, f)
        });
    assert_eq!(json, [Json::Uint(TS), Json::Uint(500)]);
    let user_added: [&[u8]; 6] = [&0u32.to_le_bytes(), &0u32.to_le_bytes(), b"root\0", b"/root\0", b"/bin/sh\0", b"\0"];
    assert_eq!(texts(code::USER_ADDED_E, &user_added, &["evt.asynctype", "evt.is_async"]), ["useradded", "true"]);
}

#[test]
fn polled_descriptors() {
    let mut list = 2u16.to_le_bytes().to_vec();
    for (fd, flags) in [(3i64, 1i16), (9, -1)] {
        list.extend_from_slice(&fd.to_le_bytes());
        list.extend_from_slice(&flags.to_le_bytes());
    }
    let poll: [&[u8]; 3] = [&long(1), &list, &long(-1)];
    assert_eq!(
        texts(code::SYSCALL_POLL_X, &poll, &["evt.arg.fds", "fdlist.nums", "fdlist.names", "fdlist.cips"]),
        ["3:?1 9:?ffffffff", "3,9", "<NA>,<NA>", "<NA>"]
    );
}

#[test]
fn the_kernels_path_goes_before_what_was_passed() {
    let params: [&[u8]; 7] = [
        &long(3),
        &long(-100),
        b"link/../x\0",
        &1u32.to_le_bytes(),
        &0u32.to_le_bytes(),
        &0u32.to_le_bytes(),
        &long(1),
    ];
    let fields = ["fd.name", "fs.path.name", "evt.abspath", "fd.nameraw", "fs.path.nameraw"];
    let passed = texts(code::SYSCALL_OPENAT_2_X, &params, &fields);
    assert_eq!(passed, ["/root/x", "/root/x", "/root/x", "link/../x", "link/../x"]);
    let mut writer = EventWriter::new(TS, 7, code::SYSCALL_OPENAT_2_X);
    for param in params {
        writer.push(param);
    }
    writer.record(Tag::Path, b"/etc/shadow");
    let witnessed = look_at(&Session::default(), &writer.finish(), |moment| {
        let catalogue = Fields::syscall();
        fields.map(|text| {
            let (field, mut out) = (resolve(&catalogue, text), String::new());
            catalogue.field(field.id).to_text(moment, &field, &mut out);
            out
        })
    });
    assert_eq!(witnessed, ["/etc/shadow", "/etc/shadow", "/etc/shadow", "link/../x", "link/../x"]);
}

#[test]
fn marks_say_how_an_event_came() {
    let marked = |marks: u32| {
        let mut writer = EventWriter::new(TS, 7, code::SYSCALL_CLOSE_X);
        writer.push(&long(0)).push(&long(3));
        writer.record(Tag::Marks, &marks.to_le_bytes());
        look_at(&Session::default(), &writer.finish(), |moment| {
            let catalogue = Fields::syscall();
            let (field, mut out) = (resolve(&catalogue, "evt.is_compat"), String::new());
            catalogue.field(field.id).to_text(moment, &field, &mut out);
            out
        })
    };
    assert_eq!((&marked(mark::COMPAT)[..], &marked(mark::UNLINKED)[..]), ("true", "false"));
}

#[test]
fn hostile_parameters_do_no_harm() {
    let catalogue = Fields::syscall();
    let plain = catalogue.iter().map(|(_, field)| field.info).filter(|info| info.flags & flag::ARG_REQUIRED == 0);
    let more =
        ["evt.arg[0]", "evt.arg[1]", "evt.arg[3]", "evt.rawarg.flags", "evt.rawarg.fd", "proc.aname[2000000000]"];
    let fields: Vec<FieldRef> = plain.map(|info| info.name).chain(more).map(|text| resolve(&catalogue, text)).collect();
    let session = Session::default();
    let odd: [&[u8]; 4] = [b"", b"\xff", &[0xff; 19], b"\0"];
    for event in 0..code::COUNT as u16 {
        for bytes in odd {
            let params = vec![bytes; peregrine_event::info(event).unwrap().params.len()];
            at(&session, event, &params, |moment| {
                for field in &fields {
                    let row = catalogue.field(field.id);
                    row.to_json(moment, field);
                    (row.for_condition(&field.arg).0)(moment, &field.arg);
                }
            });
        }
    }
}
