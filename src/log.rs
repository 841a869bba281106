//! The program's own log: to standard error and to syslog, as severe as the configuration says.
//!
//! It begins before there is a configuration, so what it does can be changed while it runs. Two layouts: ours for
//! people at a terminal, and Falco's lines (`Tue Nov 24 16:00:00 2026: text`).

use crate::cli::printable;
use crate::config::{LibsLevel, LogLevel, LogSettings};
use crate::stderr::Stderr;
use jiff::tz::TimeZone;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, OnceLock};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Ours.
    Peregrine,
    /// Falco's.
    Falco,
}

static STDERR: AtomicBool = AtomicBool::new(true);
static VERBOSE: AtomicBool = AtomicBool::new(false);
static SYSLOG: AtomicBool = AtomicBool::new(false);
static ISO: AtomicBool = AtomicBool::new(false);
static LEVEL: AtomicU8 = AtomicU8::new(LogLevel::Info as u8);
/// Least severe of the crates below the program; syslog's numbers.
static LIBS: AtomicU8 = AtomicU8::new(LogLevel::Debug as u8);

/// Begins to log; a `verbose` log says everything, whatever the configuration says later.
pub fn start(style: Style, verbose: bool) {
    VERBOSE.store(verbose, Ordering::Relaxed);
    if verbose {
        LEVEL.store(LogLevel::Debug as u8, Ordering::Relaxed);
    }
    let ours =
        fmt::layer().with_writer(|| Stderr).with_ansi(std::io::stderr().is_terminal()).with_target(false).with_filter(
            filter_fn(move |of| style == Style::Peregrine && STDERR.load(Ordering::Relaxed) && is_logged(of)),
        );
    let lines = Lines { style }.with_filter(filter_fn(is_logged));
    // A second start, as tests make it, changes nothing.
    let _ = tracing_subscriber::registry().with(ours).with(lines).try_init();
}

/// Goes on as the configuration says.
pub fn configure(settings: &LogSettings, iso_time: bool) {
    let level = if VERBOSE.load(Ordering::Relaxed) { LogLevel::Debug } else { settings.level };
    LEVEL.store(level as u8, Ordering::Relaxed);
    let libs = match settings.libs_level {
        LibsLevel::Fatal | LibsLevel::Critical => LogLevel::Critical,
        LibsLevel::Error => LogLevel::Error,
        LibsLevel::Warning => LogLevel::Warning,
        LibsLevel::Notice => LogLevel::Notice,
        LibsLevel::Info => LogLevel::Info,
        LibsLevel::Debug | LibsLevel::Trace => LogLevel::Debug,
    };
    // Below any level: silent.
    LIBS.store(if settings.libs { libs as u8 } else { 0 }, Ordering::Relaxed);
    STDERR.store(settings.stderr, Ordering::Relaxed);
    SYSLOG.store(settings.syslog, Ordering::Relaxed);
    ISO.store(iso_time, Ordering::Relaxed);
}

/// Whether standard error gets the log.
pub fn is_on_stderr() -> bool {
    STDERR.load(Ordering::Relaxed)
}

/// Syslog's number of a level.
fn severity(level: &Level) -> u8 {
    match *level {
        Level::ERROR => LogLevel::Error as u8,
        Level::WARN => LogLevel::Warning as u8,
        Level::INFO => LogLevel::Info as u8,
        _ => LogLevel::Debug as u8,
    }
}

fn is_logged(of: &Metadata<'_>) -> bool {
    let severity = severity(of.level());
    let below = of.target().starts_with("peregrine_") && severity > LIBS.load(Ordering::Relaxed);
    severity <= LEVEL.load(Ordering::Relaxed) && !below && *of.level() != Level::TRACE
}

/// Falco's lines to standard error, and lines of either style to syslog.
struct Lines {
    style: Style,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let to_stderr = self.style == Style::Falco && is_on_stderr();
        let to_syslog = SYSLOG.load(Ordering::Relaxed);
        if !to_stderr && !to_syslog {
            return;
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        let text = printable(text.0.trim_end_matches('\n'));
        if to_stderr {
            // A log that cannot be written has nowhere to complain.
            let line = format!("{}: {text}\n", clock(ISO.load(Ordering::Relaxed)));
            let _ = Stderr.write_all(line.as_bytes());
        }
        if to_syslog {
            syslog(severity(event.metadata().level()), self.style, &text);
        }
    }
}

/// The message, and what else the event carries behind it.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

/// The time as Falco's log has it.
fn clock(iso: bool) -> String {
    let now = jiff::Timestamp::now();
    match iso {
        true => now.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%z").to_string(),
        false => now.to_zoned(TimeZone::system()).strftime("%a %b %e %H:%M:%S %Y").to_string(),
    }
}

/// One datagram to this machine's syslog, facility `user`; where there is none, the line is not missed.
fn syslog(severity: u8, style: Style, text: &str) {
    static SOCKET: OnceLock<Mutex<Option<UnixDatagram>>> = OnceLock::new();
    let ident = if style == Style::Falco { "falco" } else { "peregrine" };
    let time = jiff::Zoned::now().strftime("%b %e %H:%M:%S");
    let line = format!("<{}>{time} {ident}[{}]: {}", 8 | severity, std::process::id(), text.replace('\n', " "));
    let Ok(mut socket) = SOCKET.get_or_init(Mutex::default).lock() else { return };
    if socket.as_ref().is_some_and(|socket| socket.send(line.as_bytes()).is_ok()) {
        return;
    }
    let connect = || {
        let socket = UnixDatagram::unbound()?;
        socket.connect("/dev/log")?;
        socket.set_nonblocking(true)?;
        socket.send(line.as_bytes())?;
        Ok::<_, std::io::Error>(socket)
    };
    *socket = connect().ok();
}
