//! Making the calls and comparing their events.

use super::coverage;
use peregrine_driver::{Config, LiveSource, Needs, Scope};
use peregrine_event::{Event, EventInfo, calls, code};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a parameter must be.
#[derive(Clone)]
pub enum P {
    /// A number, as wide as the schema says.
    N(i64),
    /// A string, with its NUL.
    S(String),
    /// These very bytes.
    B(Vec<u8>),
    /// No value.
    E,
    /// A value that the kernel chooses; the words say what must hold.
    Is(&'static str, fn(&[u8]) -> bool),
}
pub use P::{B, E, Is, N};

/// A string parameter.
pub fn s(text: &str) -> P {
    P::S(text.to_owned())
}

impl P {
    fn holds(&self, bytes: &[u8], width: Option<usize>) -> bool {
        match self {
            N(number) => width.is_some_and(|width| bytes == &number.to_le_bytes()[..width]),
            P::S(text) => bytes.strip_suffix(b"\0") == Some(text.as_bytes()),
            B(expected) => bytes == &expected[..],
            E => bytes.is_empty(),
            Is(_, holds) => holds(bytes),
        }
    }

    fn describe(&self) -> String {
        match self {
            N(number) => format!("{number}"),
            P::S(text) => format!("{:?}", &text[..text.len().min(60)]),
            B(bytes) => format!("{} bytes {:?}", bytes.len(), &bytes[..bytes.len().min(60)]),
            E => "nothing".to_owned(),
            Is(what, _) => (*what).to_owned(),
        }
    }
}

/// An event that must be there.
struct Expected {
    what: String,
    tid: i64,
    code: u16,
    params: Vec<P>,
    /// Whether the call succeeded; `None` where that is no question.
    success: Option<bool>,
}

/// The driver over this process, and the events that it must have told of.
pub struct Surface {
    source: LiveSource,
    expected: Vec<Expected>,
}

/// A call of a child: its name, its arguments, the parameters of its event.
pub type ChildCall = (&'static str, Vec<u64>, Vec<P>);

impl Surface {
    /// Watches this process and its children.
    pub fn start() -> Self {
        let scope = Scope::Tree(std::process::id());
        let config = Config { scope, exclude_self: false, needs: Needs::everything(), ..Config::default() };
        Self { source: LiveSource::start(&config).expect("the driver starts"), expected: Vec::new() }
    }

    /// Makes a call and notes what its event must say, given its result (an errno is negative).
    pub fn call(&mut self, name: &str, args: &[u64], params: impl FnOnce(i64) -> Vec<P>) -> i64 {
        let row = calls::by_name(name).expect(name);
        let result = system_call(number(row), args);
        self.expect(&format!("{name}{args:x?}"), row.event, params(result));
        result
    }

    /// Whether this architecture has the call.
    pub fn has(name: &str) -> bool {
        number(calls::by_name(name).expect(name)) >= 0
    }

    /// Notes an event of this thread.
    pub fn expect(&mut self, what: &str, code: u16, params: Vec<P>) {
        self.expect_of(gettid(), what, code, params);
    }

    /// Notes an event of any thread.
    pub fn expect_of(&mut self, tid: i64, what: &str, code: u16, params: Vec<P>) {
        let success = params.first().and_then(|result| if let N(result) = result { Some(*result >= 0) } else { None });
        self.expected.push(Expected { what: what.to_owned(), tid, code, params, success });
    }

    /// Makes calls in a child that then ends, and notes what their events must say. `calls` is asked twice: before the
    /// child is born, for the calls, and again with its id, for the events.
    pub fn child(&mut self, calls: impl Fn(i64) -> Vec<ChildCall>) {
        let to_make = calls(0);
        let numbers: Vec<_> = to_make.iter().map(|(name, ..)| number(calls::by_name(name).expect(name))).collect();
        // SAFETY: the child makes system calls with what was laid out before, and ends.
        let child = unsafe { libc::fork() };
        if child == 0 {
            for (number, (_, args, _)) in numbers.iter().zip(&to_make) {
                system_call(*number, args);
            }
            // SAFETY: as above.
            unsafe { libc::_exit(0) };
        }
        assert!(child > 0, "a child is born");
        wait_for(child);
        for (name, args, params) in calls(child.into()) {
            // A program that was executed is told of as an execve, whichever call it was.
            let executed = name == "execveat" && matches!(params.first(), Some(N(0)));
            let code = if executed { code::SYSCALL_EXECVE_19_X } else { calls::by_name(name).expect(name).event };
            self.expect_of(child.into(), &format!("{name}{args:x?} in a child"), code, params);
        }
        self.expect_of(child.into(), "the end of a child", code::PROCEXIT_1_E, vec![N(0), N(0), N(0), N(0), N(0)]);
    }

    /// Stops watching and compares.
    pub fn check(mut self) {
        self.source.stop();
        let mut events = BTreeMap::<(i64, u16), Vec<Vec<u8>>>::new();
        let mut keep = |event: &Event<'_>| {
            events.entry((event.tid, event.code)).or_default().push(event.bytes().to_vec());
        };
        while self.source.next_batch(Duration::ZERO, &mut keep).events > 0 {}
        assert_eq!(self.source.irregular(), Default::default());
        assert_eq!(self.source.stats().expect("the counters can be read").total().drops(), 0);
        let mut wrong = Vec::new();
        for expected in &self.expected {
            let events = events.get_mut(&(expected.tid, expected.code));
            match events.map(|events| take_match(events, expected)) {
                Some(None) => {}
                Some(Some(nearest)) => wrong.push(format!("{}: {nearest}", expected.what)),
                None => wrong.push(format!("{}: no such event", expected.what)),
            }
        }
        assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), self.expected.len(), wrong.join("\n"));
        crate::kernels::tell(format_args!("rows {}", self.expected.len()));
        self.check_coverage();
    }

    /// Every event that a call of this architecture has of its own must have been seen, of a call that succeeds and of one
    /// that fails, but for those that never do.
    fn check_coverage(&self) {
        let seen = |code: u16, success: bool| {
            self.expected.iter().any(|row| row.code == code && row.success.is_none_or(|of| of == success))
        };
        let mut missing = Vec::new();
        for code in coverage::current().filter(|code| coverage::is_told(*code, number)) {
            for success in [true, false] {
                if !seen(code, success) && coverage::why_not(code, success).is_none() {
                    missing.push((coverage::symbol(code), success));
                }
            }
        }
        assert!(missing.is_empty(), "events without a row of a call that succeeds (true) or fails: {missing:?}");
    }
}

/// Takes the first event with every parameter as expected, or says how the nearest one differs.
fn take_match(events: &mut Vec<Vec<u8>>, expected: &Expected) -> Option<String> {
    let mut nearest: Option<Vec<String>> = None;
    for index in 0..events.len() {
        let event = Event::parse(&events[index], 0).expect("it was parsed before");
        let differences = differences(&event, expected);
        if differences.is_empty() {
            events.remove(index);
            return None;
        }
        if nearest.as_ref().is_none_or(|nearest| differences.len() < nearest.len()) {
            nearest = Some(differences);
        }
    }
    Some(nearest.map_or_else(|| "no further event".to_owned(), |nearest| nearest.join("; ")))
}

fn differences(event: &Event<'_>, expected: &Expected) -> Vec<String> {
    let info: &EventInfo = event.info();
    if event.nparams() != expected.params.len() {
        return vec![format!("{} parameters, {} expected", event.nparams(), expected.params.len())];
    }
    let params = info.params.iter().zip(&expected.params).enumerate();
    let wrong = params.filter_map(|(index, (param, must))| {
        let bytes = event.param(index).unwrap_or_default();
        (!must.holds(bytes, param.ty.fixed_size())).then(|| {
            let is = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
            format!(
                "{} is {bytes:?} {is:?}, not {}",
                param.name,
                must.describe(),
                bytes = &bytes[..bytes.len().min(80)]
            )
        })
    });
    wrong.collect()
}

fn number(row: &calls::Call) -> i64 {
    i64::from(if cfg!(target_arch = "aarch64") { row.aarch64 } else { row.x86_64 })
}

/// The call itself; an error as a negative errno.
pub fn system_call(number: i64, args: &[u64]) -> i64 {
    let mut a = [0; 6];
    a[..args.len()].copy_from_slice(args);
    // SAFETY: every row's arguments are fit for its call, or such that the kernel refuses them.
    let result = unsafe { libc::syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]) };
    if result == -1 { -i64::from(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)) } else { result }
}

/// This thread's id.
pub fn gettid() -> i64 {
    // SAFETY: it takes nothing and cannot fail.
    i64::from(unsafe { libc::gettid() })
}

/// Waits until a child has ended.
pub fn wait_for(child: i32) {
    // SAFETY: the status is not asked for.
    while unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) } == -1 {}
}

/// The address of what lasts as long as the call.
pub fn at<T: ?Sized>(value: &T) -> u64 {
    std::ptr::from_ref(value).cast::<u8>() as u64
}
