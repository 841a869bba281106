//! Fields of containers and pods: from what an event told of the container, and while nobody has told yet.

use bumpalo::Bump;
use peregrine_engine::fields::Fields;
use peregrine_engine::late::{LateRule, Verdict};
use peregrine_engine::{Lack, Moment, Rule, Session, output};
use peregrine_event::{Event, EventWriter, code};
use peregrine_filter::{ast, check, format, parser};
use peregrine_state::{Options, State};

const ID: &str = "3f9a0c27d8e14b5f6a7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c";
const POD: &str = "5c256eafaf9822838414cc557a8daf6c5ed27c70d915578100752a4e2e951f8f";

/// A state with one thread in a container.
fn state() -> State {
    let thread = peregrine_capture::tables::Thread {
        tid: 10,
        pid: 10,
        ptid: 1,
        vtid: 1,
        vpid: 1,
        pidns_init_start_ts: 7,
        cgroups: format!("cpu=/docker/{ID}\0").into_bytes(),
        ..Default::default()
    };
    let tables = peregrine_capture::tables::Tables { threads: vec![thread], ..Default::default() };
    State::with_options(tables, Options { discover: true, ..Options::default() })
}

fn tell(state: &mut State, json: &str) {
    let mut writer = EventWriter::new(1, -1, code::ASYNCEVENT_E);
    writer.push(&0u32.to_le_bytes());
    writer.push_text(b"container");
    writer.push_text(json.as_bytes());
    let bytes = writer.finish();
    let event = Event::parse(&bytes, 0).unwrap();
    let context = state.begin(&event);
    state.finish(&event, &context);
}

/// Shows an event of the thread in the container to `look`.
fn seen<T>(state: &mut State, session: &Session, look: impl FnOnce(&Moment<'_>) -> T) -> T {
    let mut writer = EventWriter::new(1007, 10, code::SYSCALL_CLOSE_X);
    writer.push(&0i64.to_le_bytes());
    writer.push(&3i64.to_le_bytes());
    let bytes = writer.finish();
    let event = Event::parse(&bytes, 0).unwrap();
    let context = state.begin(&event);
    let scratch = Bump::new();
    let moment = Moment { event: &event, context: &context, state, source: "syscall", scratch: &scratch, session };
    look(&moment)
}

fn shown(state: &mut State, fields: &[&str]) -> Vec<String> {
    let session = Session::default();
    let catalogue = Fields::syscall();
    let show = |moment: &Moment<'_>, field: &&str| {
        let format = format::parse(&format!("*%{field}"), &catalogue).unwrap();
        let mut text = String::new();
        output::write(&format, &catalogue, moment, &mut text);
        text
    };
    seen(state, &session, |moment| fields.iter().map(|field| show(moment, field)).collect())
}

fn container() -> String {
    format!(
        r#"{{"container":{{"type":7,"id":"{}","full_id":"{ID}","name":"till","image":"r.io:5/till:2","imageid":"aa",
        "imagerepo":"r.io:5/till","imagetag":"2","imagedigest":"sha256:bb","ip":"10.0.0.9","privileged":true,
        "host_network":true,"labels":{{"tier":"front","empty":"","io.kubernetes.pod.name":"shop-1",
        "io.kubernetes.pod.namespace":"prod","io.kubernetes.pod.uid":"u-1","annotation.x":"y"}},
        "Mounts":[{{"Source":"/var/product","Destination":"/data","Mode":"z","RW":true,"Propagation":"rprivate"}},
        {{"Source":"/proc","Destination":"/host/proc","Mode":"","RW":false,"Propagation":""}}],
        "pod_sandbox_id":"{POD}","pod_sandbox_labels":null}}}}"#,
        &ID[..12]
    )
}

#[test]
fn values_of_what_was_told() {
    let mut state = state();
    tell(&mut state, &container());
    let cases = [
        ("container.id", &ID[..12]),
        ("container.full_id", ID),
        ("container.name", "till"),
        ("container.image", "r.io:5/till:2"),
        ("container.image.repository", "r.io:5/till"),
        ("container.image.tag", "2"),
        ("container.image.digest", "sha256:bb"),
        ("container.image.id", "aa"),
        ("container.type", "containerd"),
        ("container.privileged", "true"),
        ("container.host_pid", "false"),
        ("container.host_network", "true"),
        ("container.ip", "10.0.0.9"),
        ("container.mounts", "/var/product:/data:z:true:rprivate,/proc:/host/proc::false:"),
        ("container.mount[1]", "/proc:/host/proc::false:"),
        ("container.mount[2]", "<NA>"),
        // Upstream looks for the pattern as a regular expression anywhere, and would find the first.
        ("container.mount[/proc*]", "/proc:/host/proc::false:"),
        ("container.mount.source[/data]", "/var/product"),
        ("container.mount.dest[/var/*]", "/data"),
        ("container.mount.mode[0]", "z"),
        ("container.mount.rdwr[/proc]", "false"),
        ("container.mount.propagation[0]", "rprivate"),
        ("container.label[tier]", "front"),
        ("container.label[none]", "<NA>"),
        ("container.labels", "empty, tier:front"),
        ("container.duration", "1000"),
        ("container.healthcheck", "<NA>"),
        ("k8s.pod.name", "shop-1"),
        ("k8s.ns.name", "prod"),
        ("k8s.pod.uid", "u-1"),
        ("k8s.pod.id", "u-1"),
        ("k8s.pod.sandbox_id", &POD[..12]),
        ("k8s.pod.full_sandbox_id", POD),
        ("k8s.pod.ip", "10.0.0.9"),
        ("k8s.pod.labels", ""),
        ("k8s.ns.id", "<NA>"),
    ];
    let values = shown(&mut state, &cases.map(|case| case.0));
    let wrong: Vec<_> = cases.iter().zip(&values).filter(|(case, value)| case.1 != *value).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    // The sandbox knows the pod's labels.
    tell(&mut state, &format!(r#"{{"container":{{"id":"{}","pod_sandbox_labels":{{"app":"shop"}}}}}}"#, &POD[..12]));
    assert_eq!(shown(&mut state, &["k8s.pod.label[app]", "k8s.pod.labels"]), ["shop", "app:shop"]);
}

#[test]
fn what_nobody_has_told_yet_is_lacking() {
    let mut state = state();
    let session = Session::default();
    let lack = |state: &mut State, field: &str| {
        session.forget_lack();
        let format = format::parse(&format!("*%{field}"), &Fields::syscall()).unwrap();
        seen(state, &session, |moment| {
            output::write(&format, &Fields::syscall(), moment, &mut String::new());
            session.lack()
        })
    };
    assert_eq!(lack(&mut state, "container.name"), Lack::NotYet);
    assert_eq!(
        (lack(&mut state, "container.id"), lack(&mut state, "container.duration")),
        (Lack::Nothing, Lack::Nothing)
    );
    tell(&mut state, &format!(r#"{{"container":{{"id":"{}","lookup_state":2}}}}"#, &ID[..12]));
    assert_eq!(lack(&mut state, "k8s.pod.name"), Lack::Unknown);
    tell(&mut state, &container());
    assert_eq!(lack(&mut state, "k8s.pod.name"), Lack::Nothing);
}

fn rule(condition: &str) -> Rule {
    let fields = Fields::syscall();
    let tree: ast::Expr = parser::parse(condition).unwrap();
    let checked = check::check(&tree, &fields).unwrap();
    Rule {
        name: condition.into(),
        priority: peregrine_alert::Priority::Warning,
        source: "syscall".into(),
        tags: Vec::new(),
        condition: checked.expr,
        codes: peregrine_filter::events::CodeSet::all(code::COUNT),
    }
}

/// What is decided at the moment of the event stays so; only what hangs on the container is decided when it is known.
#[test]
fn rules_are_decided_in_two_steps() {
    let fields = Fields::syscall();
    assert!(LateRule::new(&rule("evt.type=close and container.id!=host"), &fields).unwrap().is_none());
    let open = None;
    for (condition, first, last) in [
        ("evt.type=close and container.name=till", open, true),
        ("evt.type=close and not container.name in (till, x)", open, false),
        ("evt.type=open and container.name=till", Some(false), false),
        ("evt.type=close or container.name=till", Some(true), true),
        ("fd.num=3 and (container.name=none or k8s.ns.name startswith pro)", open, true),
        ("fd.num=4 or container.image.repository contains nothing", open, false),
        ("not (fd.num=3 or container.name=till)", Some(false), false),
        ("toupper(container.name)=TILL", open, true),
        ("container.privileged=true and container.mount.dest[/proc] exists", open, true),
    ] {
        let mut state = state();
        let session = Session::default();
        let mut late = LateRule::new(&rule(condition), &fields).unwrap().expect(condition);
        let verdict = seen(&mut state, &session, |moment| late.begin(moment));
        let undecided = match (verdict, first) {
            (Verdict::Decided(decided), Some(expected)) => {
                assert_eq!(decided, expected, "{condition}");
                continue;
            }
            (Verdict::Open(undecided), None) => undecided,
            (verdict, first) => panic!("{condition}: {verdict:?}, not {first:?}"),
        };
        tell(&mut state, &container());
        // By then the thread may be another's: the container is named beside the event.
        session.later(Some(ID.as_bytes()[..12].into()));
        assert_eq!(seen(&mut state, &session, |moment| late.end(moment, &undecided)), last, "{condition}");
    }
}
