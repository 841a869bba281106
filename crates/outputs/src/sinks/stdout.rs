//! Standard output.

use crate::error::{Cause, Error};
use crate::lines::Lines;
use crate::message::Message;
use crate::sink::{Desk, Failed, Sink};
use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Whose turn it is to write: lines of alerts, and answers of receivers where those are shown, stay whole.
static TURN: Mutex<()> = Mutex::new(());

/// Makes an alert's line for one receiver only.
pub type Render = Arc<dyn Fn(&Message) -> String + Send + Sync>;

/// How standard output is written to.
#[derive(Clone, Default)]
pub struct Settings {
    /// Several waiting alerts in one write; else one write an alert. Nothing is ever kept back.
    pub buffered: bool,
    /// A layout of its own instead of the one of all outputs: a terminal's.
    pub render: Option<Render>,
}

/// The output.
pub struct Stdout {
    settings: Settings,
    lines: Lines,
}

impl Stdout {
    /// Nothing is written yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, lines: Lines::default() }
    }
}

impl Sink for Stdout {
    fn deliver(&mut self, messages: &[Message], desk: &Desk) -> Result<usize, Failed> {
        let render = self.settings.render.as_deref();
        let line =
            |message| render.map_or_else(|| Cow::Borrowed(Message::line(message)), |own| Cow::Owned(own(message)));
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let (taken, result) = self.lines.write(&mut Descriptor, messages, line);
        drop(turn);
        messages[..taken].iter().for_each(|message| desk.delivered(message));
        match result {
            Ok(()) => Ok(taken),
            Err(e) => Err(Failed { taken, error: failure(&e) }),
        }
    }

    fn batch(&self) -> usize {
        if self.settings.buffered { 256 } else { 1 }
    }

    fn reopen(&mut self, _desk: &Desk) {}
}

/// Writes what a receiver answered, between the lines of alerts; what has no line break at its end gets one, and a
/// terminal sees no raw control character of it.
pub(crate) fn show(answer: &[u8]) -> std::io::Result<()> {
    let mut bytes = answer.to_vec();
    if std::io::stdout().is_terminal() {
        bytes = crate::error::printable(&String::from_utf8_lossy(answer)).into_bytes();
    }
    if bytes.last().is_some_and(|last| *last != b'\n') {
        bytes.push(b'\n');
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    Descriptor.write_all(&bytes)
}

/// Standard output without the library's buffer, which would hide how much was written.
struct Descriptor;

impl Write for Descriptor {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(rustix::io::write(rustix::stdio::stdout(), bytes)?)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A reader that left does not come back; one that is slow on a descriptor that does not wait may.
fn failure(error: &std::io::Error) -> Error {
    let text = format!("cannot write to standard output: {error}");
    match error.kind() {
        ErrorKind::BrokenPipe => Error::lasting(Cause::Closed, text),
        ErrorKind::WouldBlock => Error::passing(Cause::Io, text),
        _ => Error::lasting(Cause::Io, text),
    }
}
