//! A program's standard input: started by the shell for each alert, or once and kept.
//!
//! A kept program gets one alert at a time, through a pipe of a single page: the pipe can be written to again exactly
//! when the program has read all of it. So it is known which alert a program that dies had read and which not, and the
//! one that it died over is given to its successor. What a program has read counts as taken: one that hoards what it
//! reads before it works on it, as some do with a pipe, may lose with its death what nobody can know of.

use crate::backoff::Backoff;
use crate::counters::Counters;
use crate::error::{Cause, Error};
use crate::message::Message;
use crate::sink::{Desk, Failed, Sink};
use rustix::event::PollFlags;
use rustix::io::{Errno, ioctl_fionread};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long one look at a program waits at most before it looks again; ends and requests come at once.
const LOOK: Duration = Duration::from_secs(3600);
/// How long a program may take to end when its input has ended.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long one that was asked to end may take.
const LAST: Duration = Duration::from_millis(500);
/// How often the same alert may be the last thing that a program does.
const ATTEMPTS: u32 = 3;
/// The longest wait before a program that died is started again.
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// Which program, and how.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The command, for `sh -c`.
    pub program: String,
    /// One program for all alerts instead of one for each.
    pub keep_alive: bool,
}

/// The output.
pub struct Program {
    settings: Settings,
    running: Option<Running>,
    /// The last alert that a kept program read: it may still be at it.
    doubtful: Option<Doubtful>,
    /// How often programs ended badly over the present alert.
    attempts: u32,
    backoff: Backoff,
    started: bool,
}

struct Doubtful {
    message: Message,
    /// The running program has read it.
    read: bool,
    /// Programs that had read it and ended badly.
    deaths: u32,
}

/// A status of the shell that says that the command itself could not be run.
const NOT_RUN: [i32; 2] = [126, 127];

/// A started program, in a process group of its own.
struct Running {
    child: Child,
    pid: Pid,
    pidfd: OwnedFd,
    input: Option<OwnedFd>,
}

impl Program {
    /// Nothing is started yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            running: None,
            doubtful: None,
            attempts: 0,
            backoff: Backoff::new(MAX_BACKOFF),
            started: false,
        }
    }

    fn start(&mut self, desk: &Desk) -> Result<Running, Error> {
        let failed = |e: &dyn std::fmt::Display| {
            Error::passing(Cause::Program, format!("cannot start `{}`: {e}", self.settings.program))
        };
        let running = Running::start(&self.settings.program).map_err(|e| failed(&e))?;
        if self.started && self.settings.keep_alive {
            Counters::add(&desk.counters.reopened);
        }
        self.started = true;
        Ok(running)
    }

    /// One program for one alert.
    fn once(&mut self, message: &Message, desk: &Desk) -> Result<usize, Failed> {
        let mut running = self.start(desk)?;
        let written = running.write(&line(message), desk);
        running.input = None;
        let status = running.wait(LOOK, desk);
        running.end(desk);
        // A program that read nothing and is content is content.
        if status.is_some_and(|status| status.success()) {
            self.attempts = 0;
            desk.delivered(message);
            return Ok(1);
        }
        let how = status.map_or("nothing: it had to be ended".into(), said);
        let error = format!("`{}` ended with {how}", self.settings.program);
        let not_run = status.and_then(|status| status.code()).is_some_and(|code| NOT_RUN.contains(&code));
        self.attempts += u32::from(!not_run);
        // What was read whole may have had its effect: it is not done twice for a bad status.
        let done = matches!(written, Written::Read) && status.is_some_and(|status| status.code().is_some());
        if (done && !not_run) || self.attempts >= ATTEMPTS {
            self.attempts = 0;
            return Err(Error::lasting(Cause::Program, error).into());
        }
        Err(Error::passing(Cause::Program, error).into())
    }

    /// One program for all alerts.
    fn kept(&mut self, message: &Message, desk: &Desk) -> Result<usize, Failed> {
        self.look(desk)?;
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.start(desk)?,
        };
        // What the dead one had read and perhaps not worked off comes first.
        let again = self.doubtful.as_ref().filter(|doubtful| !doubtful.read).map(|d| d.message.clone());
        for next in again.iter().chain(std::iter::once(message)) {
            match running.write(&line(next), desk) {
                Written::Read => self.passed_on(next, desk),
                Written::Gone { touched } => {
                    if touched && !again.as_ref().is_some_and(|again| same(again, next)) {
                        // It had gone on to this one: it was done with the one before.
                        self.confirm(desk);
                    }
                    return Err(self.died(running, desk).into());
                }
                Written::Interrupted => {
                    self.running = Some(running);
                    return Err(Error::passing(Cause::Program, "interrupted").into());
                }
            }
        }
        self.running = Some(running);
        self.backoff.reset();
        Ok(1)
    }

    /// The program has read an alert whole: the one before it is done with, this one may still kill it.
    fn passed_on(&mut self, message: &Message, desk: &Desk) {
        match &mut self.doubtful {
            Some(doubtful) if same(&doubtful.message, message) => doubtful.read = true,
            _ => {
                self.confirm(desk);
                self.doubtful = Some(Doubtful { message: message.clone(), read: true, deaths: 0 });
            }
        }
    }

    fn confirm(&mut self, desk: &Desk) {
        if let Some(done) = self.doubtful.take() {
            desk.delivered(&done.message);
        }
    }

    /// Whether the kept program has ended meanwhile.
    fn look(&mut self, desk: &Desk) -> Result<(), Error> {
        match self.running.take() {
            Some(running) if running.gone() => Err(self.died(running, desk)),
            running => {
                self.running = running;
                Ok(())
            }
        }
    }

    /// What to make of the alert that it read last: content with itself, it is done with; else the next one gets it.
    fn died(&mut self, mut running: Running, desk: &Desk) -> Error {
        running.input = None;
        let status = running.end(desk);
        let how = status.map_or("nothing".into(), said);
        if status.is_some_and(|status| status.success()) && self.doubtful.as_ref().is_some_and(|last| last.read) {
            self.confirm(desk);
        }
        if let Some(doubtful) = self.doubtful.as_mut().filter(|doubtful| doubtful.read) {
            doubtful.read = false;
            doubtful.deaths += 1;
            Counters::add(&desk.counters.retries);
            if doubtful.deaths >= ATTEMPTS {
                let why = format!("`{}` ended with {how} each time that it was given it", self.settings.program);
                desk.lost(&doubtful.message, Cause::Program, &why);
                self.doubtful = None;
            }
        }
        Error::passing(Cause::Program, format!("`{}` ended with {how}", self.settings.program))
    }
}

impl Sink for Program {
    fn deliver(&mut self, messages: &[Message], desk: &Desk) -> Result<usize, Failed> {
        match messages.first() {
            None => Ok(0),
            Some(message) if self.settings.keep_alive => self.kept(message, desk),
            Some(message) => self.once(message, desk),
        }
    }

    fn reopen(&mut self, desk: &Desk) {
        if let Some(mut running) = self.running.take() {
            running.input = None;
            let content = running.end(desk).is_some_and(|status| status.success());
            match &mut self.doubtful {
                Some(doubtful) if content && doubtful.read => self.confirm(desk),
                Some(doubtful) => doubtful.read = false,
                None => {}
            }
        }
        if !self.settings.keep_alive {
            return;
        }
        match self.start(desk) {
            Ok(running) => self.running = Some(running),
            Err(error) => tracing::error!("output {}: {error}", desk.name),
        }
    }

    /// A program that lives a while after it read an alert has survived it; one that did not gets a successor.
    fn idle(&mut self, desk: &Desk) {
        match self.look(desk) {
            Err(error) => tracing::warn!("output {}: {error}; it is started again", desk.name),
            Ok(()) if self.running.is_some() && self.doubtful.as_ref().is_some_and(|last| last.read) => {
                self.confirm(desk);
                return;
            }
            Ok(()) => {}
        }
        let Some(message) = self.doubtful.as_ref().map(|doubtful| doubtful.message.clone()) else { return };
        let running = match self.running.take() {
            Some(running) => Ok(running),
            None => {
                desk.signals.pause(self.backoff.wait());
                self.start(desk)
            }
        };
        match running {
            Ok(mut running) => match running.write(&line(&message), desk) {
                Written::Read => {
                    self.passed_on(&message, desk);
                    self.running = Some(running);
                }
                Written::Interrupted => self.running = Some(running),
                Written::Gone { .. } => {
                    self.died(running, desk);
                }
            },
            Err(error) => tracing::error!("output {}: {error}", desk.name),
        }
    }

    fn watches(&self) -> bool {
        self.doubtful.is_some()
    }

    fn close(&mut self, desk: &Desk) {
        // One that was left behind by a dead program has its last chance.
        if self.running.is_none() && self.doubtful.is_some() {
            self.idle(desk);
        }
        let status = self.running.take().and_then(|mut running| {
            running.input = None;
            running.end(desk)
        });
        match self.doubtful.take() {
            Some(done) if status.is_some_and(|status| status.success()) => desk.delivered(&done.message),
            Some(left) => {
                let how = status.map_or("no status in time".into(), said);
                desk.lost(&left.message, Cause::Program, &format!("the program had read it and ended with {how}"));
            }
            None => {}
        }
    }
}

/// What became of bytes for a program.
enum Written {
    /// It has read them all.
    Read,
    /// Nobody reads any more; whether some of them were read.
    Gone { touched: bool },
    /// There is something more urgent.
    Interrupted,
}

impl Running {
    /// Starts a command, in a group of its own so that a pipeline ends as a whole.
    fn start(command: &str) -> std::io::Result<Self> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        fcntl_setpipe_size(&write, 4096)?;
        rustix::io::ioctl_fionbio(&write, true)?;
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(command).stdin(Stdio::from(read)).process_group(0);
        let child = shell.spawn()?;
        let pid = Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Self { child, pid, pidfd, input: Some(write) })
    }

    /// Whether nobody reads any more.
    fn gone(&self) -> bool {
        let Some(input) = &self.input else { return true };
        let mut fds = [
            rustix::event::PollFd::new(input, PollFlags::empty()),
            rustix::event::PollFd::new(&self.pidfd, PollFlags::IN),
        ];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        let _ = rustix::event::poll(&mut fds, Some(&now));
        !fds[0].revents().is_empty() || !fds[1].revents().is_empty()
    }

    /// Writes bytes and waits until they are read.
    fn write(&mut self, bytes: &[u8], desk: &Desk) -> Written {
        let Some(input) = &self.input else { return Written::Gone { touched: false } };
        let mut written = 0;
        loop {
            let mut gone = false;
            if written < bytes.len() {
                match rustix::io::write(input, &bytes[written..]) {
                    Ok(n) => written += n,
                    Err(Errno::INTR | Errno::AGAIN) => {}
                    Err(_) => gone = true,
                }
            }
            // The pipe has one page: it takes more exactly when it is empty.
            let state =
                if gone { PollFlags::ERR } else { desk.signals.watch(Some((input.as_fd(), PollFlags::OUT)), LOOK) };
            if state.intersects(PollFlags::ERR | PollFlags::HUP) {
                let unread = ioctl_fionread(input).map_or(written, |n| usize::try_from(n).unwrap_or(written));
                return match unread {
                    0 if written == bytes.len() => Written::Read,
                    unread => Written::Gone { touched: unread < written },
                };
            }
            if state.contains(PollFlags::OUT) && written == bytes.len() {
                return Written::Read;
            }
            if desk.signals.reopen() || desk.signals.over() {
                return Written::Interrupted;
            }
        }
    }

    /// Waits for its end.
    fn wait(&mut self, time: Duration, desk: &Desk) -> Option<ExitStatus> {
        let until = Instant::now() + time;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || desk.signals.reopen() || desk.signals.over() {
                return None;
            }
            desk.signals.watch(Some((self.pidfd.as_fd(), PollFlags::IN)), left);
        }
    }

    /// Has it end: its input is over; then it is asked to, then it is made to.
    fn end(&mut self, desk: &Desk) -> Option<ExitStatus> {
        self.input = None;
        let mut status = self.wait_alone(desk.signals.at_most(FAREWELL));
        for signal in [Signal::TERM, Signal::KILL] {
            if status.is_none() {
                let _ = kill_process_group(self.pid, signal);
                status = self.wait_alone(LAST);
            }
        }
        status
    }

    /// Waits for its end, whatever else is asked for.
    fn wait_alone(&mut self, time: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + time;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let left = rustix::event::Timespec::try_from(left).ok();
            let _ = rustix::event::poll(&mut [rustix::event::PollFd::new(&self.pidfd, PollFlags::IN)], left.as_ref());
        }
    }
}

impl Drop for Running {
    /// Nothing that was started is left behind.
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = kill_process_group(self.pid, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

fn line(message: &Message) -> Vec<u8> {
    [message.line().as_bytes(), b"\n"].concat()
}

fn same(one: &Message, other: &Message) -> bool {
    std::ptr::eq(one.alert(), other.alert())
}

fn said(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".into(),
    }
}
