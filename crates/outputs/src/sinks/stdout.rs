//! Standard output.

use crate::error::{Cause, Error};
use crate::lines::Lines;
use crate::message::Message;
use crate::sink::{Desk, Failed, Sink};
use std::borrow::Cow;
use std::io::{ErrorKind, Write};
use std::sync::Arc;

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
        let (taken, result) = self.lines.write(&mut Descriptor, messages, line);
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
