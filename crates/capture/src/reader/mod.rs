//! Reading captures.
//!
//! A capture is one or more sections: a header, tables, events. [`Reader::next`] gives each section's tables and then
//! its events, in the schema of today and borrowed from the reader's own buffer.

mod cursor;
mod tables;
mod upgrade;

use crate::block::{self, EventBlock, Kind};
use crate::convert::{self, Converter, Outcome};
use crate::error::{CaptureError, Fault};
use crate::input::Input;
use crate::tables::Tables;
use cursor::Cursor;
use peregrine_event::{Event, HEADER_LEN};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// How a capture is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// On an error, end as if the capture ended there, and keep the error as a warning.
    pub lenient: bool,
    /// Give events in the schema of today; otherwise as they are in the file (but with today's header).
    pub convert: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { lenient: false, convert: true }
    }
}

/// What a capture holds, in its order.
#[derive(Debug)]
pub enum Item<'a> {
    /// A section begins: what was known before its first event. Earlier state does not carry over.
    Section(Box<Tables>),
    /// An event.
    Event {
        /// The event, borrowed until the next call.
        event: Event<'a>,
        /// Whether it only feeds the state and is not for rules or output: an enter event whose exit event tells the
        /// same, a container, user or asynchronous event at the section's very begin, or one that the writer marked
        /// so. It counts in `evt.num` all the same.
        state_only: bool,
        /// The block's flag word, 0 where it has none.
        flags: u32,
    },
}

/// What was read and what was passed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadStats {
    /// Event blocks read.
    pub events: u64,
    /// Events with a code that the schema does not have, passed over.
    pub unknown_events: u64,
    /// Blocks of unknown type, passed over.
    pub unknown_blocks: u64,
    /// Sections begun.
    pub sections: u64,
    /// What conversion did.
    pub convert: convert::ConvertStats,
}

/// Reads a capture.
pub struct Reader {
    input: Input,
    options: Options,
    converter: Converter,
    upgraded: Vec<u8>,
    pending: Option<Box<Tables>>,
    table_bytes: u64,
    warning: Option<CaptureError>,
    ended: bool,
    /// Whether only events of initial state came so far in this section.
    preamble: bool,
    stats: ReadStats,
}

/// Where the event to give lies.
enum Found {
    /// In the input.
    Input,
    /// In the buffer of upgraded events.
    Upgraded,
    /// In the converter's buffer.
    Converted,
}

struct Next {
    found: Found,
    /// Where in its block the event begins.
    at: usize,
    /// Length of the block, which is the input's next.
    block: usize,
    cpu: u16,
    flags: u32,
    offset: u64,
}

impl Reader {
    /// Opens a capture file and reads its first section's tables.
    ///
    /// # Errors
    /// When the file cannot be read or is no capture; unless lenient, also when it is damaged before its first event.
    pub fn open(path: &Path, options: Options) -> Result<Self, CaptureError> {
        let name = path.to_string_lossy().into_owned();
        let file = File::open(path).map_err(|e| Fault::from(e).at(&name, 0))?;
        Self::from_read(&name, file, options)
    }

    /// Reads a capture from any reader, such as standard input; `name` is for error messages.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn from_read(name: &str, source: impl Read + Send + 'static, options: Options) -> Result<Self, CaptureError> {
        Self::begin(Input::stream(name.to_owned(), source)?, options)
    }

    /// Reads a capture from memory; `name` is for error messages.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn from_bytes(name: &str, bytes: Vec<u8>, options: Options) -> Result<Self, CaptureError> {
        Self::begin(Input::memory(name.to_owned(), bytes)?, options)
    }

    fn begin(input: Input, options: Options) -> Result<Self, CaptureError> {
        let mut reader = Self {
            input,
            options,
            converter: Converter::default(),
            upgraded: Vec::new(),
            pending: None,
            table_bytes: 0,
            warning: None,
            ended: false,
            preamble: true,
            stats: ReadStats::default(),
        };
        reader.start()?;
        Ok(reader)
    }

    fn start(&mut self) -> Result<(), CaptureError> {
        if self.input.fill(1)? == 0 {
            return Err(self.input.fault(Fault::Empty));
        }
        // A file that does not even begin as a capture is refused, lenient or not.
        self.section_header()?;
        if let Err(error) = self.head() {
            self.end_with(error)?;
        }
        Ok(())
    }

    /// Starts again at the first section, if the capture is plain bytes in memory; otherwise `false`.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn rewind(&mut self) -> Result<bool, CaptureError> {
        if !self.input.rewind() {
            return Ok(false);
        }
        self.converter.restart();
        (self.pending, self.warning, self.ended) = (None, None, false);
        self.stats = ReadStats::default();
        self.start().map(|()| true)
    }

    /// The tables of the section just begun, if neither this nor [`Reader::next`] has given them yet.
    pub fn take_tables(&mut self) -> Option<Box<Tables>> {
        self.pending.take()
    }

    /// The error at which a lenient reader ended.
    pub fn warning(&self) -> Option<&CaptureError> {
        self.warning.as_ref()
    }

    /// What was read so far.
    pub fn stats(&self) -> ReadStats {
        ReadStats { convert: self.converter.stats(), ..self.stats }
    }

    /// The next section or event, `None` at the end.
    ///
    /// # Errors
    /// Unless lenient, when the capture is damaged; every later call gives `None`.
    #[allow(clippy::should_implement_trait)] // What it gives borrows from the reader.
    #[inline]
    pub fn next(&mut self) -> Result<Option<Item<'_>>, CaptureError> {
        match self.usual() {
            Some(next) => self.event(&next),
            None => self.next_unusual(),
        }
    }

    fn next_unusual(&mut self) -> Result<Option<Item<'_>>, CaptureError> {
        if let Some(tables) = self.pending.take() {
            return Ok(Some(Item::Section(tables)));
        }
        if self.ended {
            return Ok(None);
        }
        let next = match self.advance() {
            Ok(next) => next,
            Err(error) => {
                self.end_with(error)?;
                None
            }
        };
        let Some(next) = next else {
            return Ok(self.pending.take().map(Item::Section));
        };
        self.event(&next)
    }

    /// The next event, as long as blocks are of the usual kind, whole in the buffer and without fault. All else is left to
    /// [`Reader::advance`], which begins with the same block.
    #[inline]
    fn usual(&mut self) -> Option<Next> {
        /// Where the event begins in its block, and the length of the smallest block.
        const AT: usize = block::HEAD + 2;
        const SMALLEST: usize = AT + HEADER_LEN + block::TRAILER;
        if self.pending.is_some() || self.ended {
            return None;
        }
        loop {
            let bytes = self.input.available();
            let head: &[u8; SMALLEST] = bytes.first_chunk()?;
            let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
            let half = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
            let len = word(4) as usize;
            if word(0) != block::types::EVENT || !(SMALLEST..=block::HEAD + block::MAX_EVENT_BLOCK).contains(&len) {
                return None;
            }
            let event = bytes.get(AT..len - block::TRAILER).filter(|_| len <= bytes.len())?;
            let (cpu, code, nparams) = (half(block::HEAD), half(AT + 20), word(AT + 22));
            peregrine_event::info(code)?;
            let found = if !self.options.convert || convert::passes(code, nparams) {
                Found::Input
            } else {
                match self.converter.convert(&Event::parse(event, cpu).ok()?).ok()? {
                    Outcome::Pass => Found::Input,
                    Outcome::Converted => Found::Converted,
                    Outcome::Drop => {
                        self.stats.events += 1;
                        self.preamble = false;
                        self.input.consume(len);
                        continue;
                    }
                }
            };
            self.stats.events += 1;
            let offset = self.input.offset();
            return Some(Next { found, at: AT, block: len, cpu, flags: 0, offset });
        }
    }

    /// Decodes the event found and goes on behind its block.
    #[inline]
    fn event(&mut self, next: &Next) -> Result<Option<Item<'_>>, CaptureError> {
        self.input.consume(next.block);
        let bytes = match next.found {
            Found::Input => &self.input.before(next.block)[next.at..next.block - block::TRAILER],
            Found::Upgraded => &self.upgraded[..],
            Found::Converted => self.converter.bytes(),
        };
        match Event::parse(bytes, next.cpu) {
            Ok(event) => {
                if self.preamble {
                    self.preamble = convert::initial_state(event.code);
                }
                let marked = next.flags & block::FLAG_STATE_ONLY != 0;
                let state_only = marked || self.preamble || convert::state_only(event.code);
                Ok(Some(Item::Event { event, state_only, flags: next.flags }))
            }
            Err(fault) => {
                let error = self.input.fault_at(fault, next.offset);
                self.ended = true;
                if !self.options.lenient {
                    return Err(error);
                }
                self.warning = Some(error);
                Ok(None)
            }
        }
    }

    #[cold]
    fn end_with(&mut self, error: CaptureError) -> Result<(), CaptureError> {
        self.ended = true;
        if !self.options.lenient {
            self.pending = None;
            return Err(error);
        }
        self.warning = Some(error);
        Ok(())
    }

    /// Finds the next event that survives conversion; `None` at the end or when a new section begins.
    fn advance(&mut self) -> Result<Option<Next>, CaptureError> {
        loop {
            match self.input.fill(block::HEAD)? {
                0 => {
                    self.ended = true;
                    return Ok(None);
                }
                available if available < block::HEAD => {
                    self.input.need(block::HEAD)?;
                }
                _ => {}
            }
            let (number, total) = self.input.block_head();
            let Some(block) = block::event_kind(number) else {
                if number != block::types::SECTION {
                    return Err(self.input.fault(Fault::UnexpectedBlock(number)));
                }
                self.section_header()?;
                self.head()?;
                return Ok(None);
            };
            if let Some(next) = self.event_block(block, number, total)? {
                return Ok(Some(next));
            }
        }
    }

    /// Looks at one event block: the event in it, or `None` if nothing is to be given for it.
    fn event_block(&mut self, block: EventBlock, number: u32, total: u32) -> Result<Option<Next>, CaptureError> {
        let at = block::HEAD + 2 + if block.flags { 4 } else { 0 };
        let header = if block.counted { HEADER_LEN } else { upgrade::OLD_HEADER };
        let len = total as usize;
        if len < at + header + block::TRAILER {
            return Err(self.input.fault(Fault::ShortBlock { kind: number, len: total }));
        }
        let limit = if block.large { block::MAX_LARGE_BLOCK } else { block::MAX_EVENT_BLOCK };
        if len - block::HEAD > limit {
            let limit = (limit + block::HEAD) as u64;
            return Err(self.input.fault(Fault::LongBlock { kind: number, len: total, limit }));
        }
        self.input.need(len)?;
        let bytes = &self.input.available()[..len - block::TRAILER];
        let cpu = u16::from_le_bytes([bytes[8], bytes[9]]);
        let flags = if block.flags { u32::from_le_bytes([bytes[10], bytes[11], bytes[12], bytes[13]]) } else { 0 };
        let code = u16::from_le_bytes([bytes[at + 20], bytes[at + 21]]);
        let offset = self.input.offset();
        self.stats.events += 1;
        if peregrine_event::info(code).is_none() {
            // Written by a newer schema: all that can be done with it is to say so.
            self.stats.unknown_events += 1;
            self.input.consume(len);
            return Ok(None);
        }
        let next = self.convert(block, at, len).map_err(|fault| self.input.fault_at(fault, offset))?;
        let Some(found) = next else {
            self.preamble = false;
            self.input.consume(len);
            return Ok(None);
        };
        Ok(Some(Next { found, at, block: len, cpu, flags, offset }))
    }

    /// Where the event in the block of `len` bytes lies once it is as today's schema wants it; `None` if it is dropped.
    #[inline]
    fn convert(&mut self, block: EventBlock, at: usize, len: usize) -> Result<Option<Found>, Fault> {
        let mut event = &self.input.available()[at..len - block::TRAILER];
        let mut place = Found::Input;
        if !block.counted {
            upgrade::upgrade(event, &mut self.upgraded)?;
            event = &self.upgraded;
            place = Found::Upgraded;
        }
        let code = u16::from_le_bytes([event[20], event[21]]);
        let nparams = u32::from_le_bytes([event[22], event[23], event[24], event[25]]);
        if !self.options.convert || convert::passes(code, nparams) {
            return Ok(Some(place));
        }
        Ok(match self.converter.convert(&Event::parse(event, 0)?)? {
            Outcome::Pass => Some(place),
            Outcome::Converted => Some(Found::Converted),
            Outcome::Drop => None,
        })
    }

    /// Reads the section header, which must be the next block.
    fn section_header(&mut self) -> Result<(), CaptureError> {
        let smallest = block::HEAD + block::SECTION_BODY + block::TRAILER;
        let offset = self.input.offset();
        let fail = |input: &Input, fault: Fault| Err(input.fault_at(fault, offset));
        if self.input.fill(block::HEAD)? >= 4 && self.input.block_head().0 != block::types::SECTION {
            return fail(&self.input, Fault::NotACapture(self.input.block_head().0));
        }
        self.input.need(smallest)?;
        let (number, total) = self.input.block_head();
        if (total as usize) < smallest {
            return fail(&self.input, Fault::ShortBlock { kind: number, len: total });
        }
        let body = &self.input.available()[block::HEAD..];
        let magic = u32::from_le_bytes([body[0], body[1], body[2], body[3]]);
        let major = u16::from_le_bytes([body[4], body[5]]);
        if magic == block::MAGIC.swap_bytes() {
            return fail(&self.input, Fault::SwappedBytes);
        }
        if magic != block::MAGIC {
            return fail(&self.input, Fault::BadMagic(magic));
        }
        if major > block::MAJOR {
            return fail(&self.input, Fault::Version(major));
        }
        self.input.consume(smallest - block::TRAILER);
        self.input.skip(u64::from(total) - smallest as u64)?;
        self.trailer(number, total, offset)?;
        self.stats.sections += 1;
        Ok(())
    }

    /// Reads the tables of a section, up to its first event.
    fn head(&mut self) -> Result<(), CaptureError> {
        self.pending = Some(Box::default());
        self.table_bytes = 0;
        self.preamble = true;
        self.converter.clear();
        loop {
            if self.input.fill(block::HEAD)? == 0 {
                return Err(self.input.fault(Fault::NoEvents));
            }
            self.input.need(block::HEAD)?;
            let (number, total) = self.input.block_head();
            let kind = block::kind(number);
            if matches!(kind, Some(Kind::Event(_))) {
                return Ok(());
            }
            if kind == Some(Kind::Section) {
                return Err(self.input.fault(Fault::UnexpectedBlock(number)));
            }
            if (total as usize) < block::HEAD + block::TRAILER {
                return Err(self.input.fault(Fault::ShortBlock { kind: number, len: total }));
            }
            let offset = self.input.offset();
            let body = total as usize - block::HEAD - block::TRAILER;
            match kind {
                Some(kind) => self.table(kind, number, body)?,
                None => {
                    self.stats.unknown_blocks += 1;
                    self.input.consume(block::HEAD);
                    self.input.skip(body as u64)?;
                }
            }
            self.trailer(number, total, offset)?;
        }
    }

    fn table(&mut self, kind: Kind, number: u32, body: usize) -> Result<(), CaptureError> {
        self.table_bytes += body as u64;
        if self.table_bytes > block::MAX_TABLES {
            let len = (body + block::HEAD + block::TRAILER) as u32;
            return Err(self.input.fault(Fault::LongBlock { kind: number, len, limit: block::MAX_TABLES }));
        }
        self.input.need(block::HEAD + body + block::TRAILER)?;
        let tables = self.pending.get_or_insert_default();
        let mut at = Cursor::block(&self.input.available()[block::HEAD..block::HEAD + body]);
        let read = match kind {
            Kind::Machine => tables::machine(&mut at).map(|machine| tables.machine = Some(machine)),
            Kind::Interfaces { sized } => tables::interfaces(&mut at, sized).map(|list| tables.interfaces = list),
            Kind::Users { sized } => tables::users(&mut at, sized, tables),
            Kind::Processes { version } => tables::threads(&mut at, version, tables),
            Kind::Descriptors { sized } => tables::descriptors(&mut at, sized).map(|list| tables.fds.push(list)),
            Kind::Section | Kind::Event(_) => Err(Fault::UnexpectedBlock(number)),
        };
        let start = (block::HEAD + at.entry_start()) as u64;
        read.map_err(|fault| self.input.fault_at(fault, self.input.offset() + start))?;
        self.input.consume(block::HEAD + body);
        Ok(())
    }

    fn trailer(&mut self, kind: u32, head: u32, offset: u64) -> Result<(), CaptureError> {
        self.input.need(block::TRAILER)?;
        let bytes = self.input.available();
        let trailer = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        if trailer != head {
            return Err(self.input.fault_at(Fault::Trailer { kind, head, trailer }, offset));
        }
        self.input.consume(block::TRAILER);
        Ok(())
    }
}
