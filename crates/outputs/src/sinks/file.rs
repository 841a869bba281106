//! A file: a line an alert, appended.

use crate::counters::Counters;
use crate::error::{Cause, Error};
use crate::lines::Lines;
use crate::message::Message;
use crate::sink::{Desk, Failed, Sink};
use std::borrow::Cow;
use std::fs;
use std::path::PathBuf;

/// Which file, and how.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The file; made where it is not there, with the permissions that the process's mask leaves.
    pub path: PathBuf,
    /// The file stays open until it is opened anew; else it is opened for each write, and may be moved away in between.
    pub keep_alive: bool,
    /// Several waiting alerts in one write; else one write an alert. Nothing is ever kept back.
    pub buffered: bool,
}

/// The output.
pub struct File {
    settings: Settings,
    open: Option<fs::File>,
    lines: Lines,
}

impl File {
    /// Nothing is opened yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, open: None, lines: Lines::default() }
    }

    fn open(&mut self) -> Result<fs::File, Error> {
        if let Some(file) = self.open.take() {
            return Ok(file);
        }
        let path = &self.settings.path;
        let opened = fs::OpenOptions::new().append(true).create(true).open(path);
        opened.map_err(|e| Error::passing(Cause::Io, format!("cannot open {}: {e}", path.display())))
    }
}

impl Sink for File {
    fn deliver(&mut self, messages: &[Message], desk: &Desk) -> Result<usize, Failed> {
        let mut file = self.open()?;
        let (taken, result) = self.lines.write(&mut file, messages, |message| Cow::Borrowed(message.line()));
        messages[..taken].iter().for_each(|message| desk.delivered(message));
        if self.settings.keep_alive {
            self.open = Some(file);
        }
        let path = &self.settings.path;
        result.map(|()| taken).map_err(|e| {
            let error = Error::passing(Cause::Io, format!("cannot write to {}: {e}", path.display()));
            Failed { taken, error }
        })
    }

    fn batch(&self) -> usize {
        if self.settings.buffered { 256 } else { 1 }
    }

    /// Opens at once, so that whoever moved the old file away finds the new one.
    fn reopen(&mut self, desk: &Desk) {
        self.open = None;
        self.lines.renew();
        Counters::add(&desk.counters.reopened);
        match self.open() {
            Ok(file) if self.settings.keep_alive => self.open = Some(file),
            Ok(_) => {}
            Err(error) => tracing::error!("output {}: {error}", desk.name),
        }
    }
}
