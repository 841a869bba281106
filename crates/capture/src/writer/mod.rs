//! Writing captures that every reader of the format reads back.
//!
//! A section is its header, the tables, then events; [`Writer::section`] writes the first two. Nothing is converted:
//! an event's bytes go into its block as they are, with whatever follows its last parameter.

mod tables;

use crate::block::{self, types};
use crate::error::{CaptureError, Fault};
use crate::tables::Tables;
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use peregrine_event::Event;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Whether a capture is written compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// As gzip at its fastest level, as upstream's own captures are.
    #[default]
    Gzip,
    /// As it is.
    Plain,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteStats {
    /// Events written.
    pub events: u64,
    /// Bytes written, before compression.
    pub bytes: u64,
    /// Bytes that the file has for them, but for what the compressor and buffers still hold.
    pub file_bytes: u64,
    /// Strings of tables that were longer than the format allows, and were cut.
    pub cut: u64,
    /// Descriptors of a kind that the format cannot hold, left out.
    pub descriptors_left_out: u64,
}

/// Where the file's bytes go, and how many did.
struct Out {
    to: BufWriter<Box<dyn Write + Send>>,
    bytes: u64,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

enum Sink {
    Plain(Out),
    Gzip(Box<GzEncoder<Out>>),
}

/// Writes a capture.
pub struct Writer {
    name: String,
    sink: Sink,
    block: Block,
    stats: WriteStats,
}

impl Writer {
    /// Creates or replaces a capture file. [`Writer::section`] comes next.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path, compression: Compression) -> Result<Self, CaptureError> {
        let name = path.to_string_lossy().into_owned();
        let file = File::create(path).map_err(|e| Fault::from(e).at(&name, 0))?;
        Ok(Self::to_write(&name, file, compression))
    }

    /// Writes a capture to anything, such as standard output; `name` is for error messages.
    pub fn to_write(name: &str, out: impl Write + Send + 'static, compression: Compression) -> Self {
        let out = Out { to: BufWriter::with_capacity(128 << 10, Box::new(out)), bytes: 0 };
        let sink = match compression {
            Compression::Gzip => Sink::Gzip(Box::new(GzEncoder::new(out, Level::fast()))),
            Compression::Plain => Sink::Plain(out),
        };
        Self { name: name.to_owned(), sink, block: Block::default(), stats: WriteStats::default() }
    }

    /// What was written so far.
    pub fn stats(&self) -> WriteStats {
        let file_bytes = match &self.sink {
            Sink::Plain(out) => out.bytes,
            Sink::Gzip(out) => out.get_ref().bytes,
        };
        WriteStats { cut: self.block.cut, file_bytes, ..self.stats }
    }

    /// Begins a section: its header and its tables.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn section(&mut self, tables: &Tables) -> Result<(), CaptureError> {
        self.write_block(types::SECTION, |block| {
            block.u32(block::MAGIC);
            block.u16(block::MAJOR);
            block.u16(block::MINOR);
            block.u64(u64::MAX);
        })?;
        if let Some(machine) = &tables.machine {
            self.write_block(types::MACHINE, |block| tables::machine(block, machine))?;
        }
        if !tables.interfaces.is_empty() {
            self.write_block(types::INTERFACES, |block| tables::interfaces(block, &tables.interfaces))?;
        }
        if !tables.users.is_empty() || !tables.groups.is_empty() {
            self.write_block(types::USERS, |block| tables::users(block, tables))?;
        }
        let mut threads = &tables.threads[..];
        while !threads.is_empty() {
            self.write_block(types::PROCESSES, |block| threads = tables::threads(block, threads))?;
        }
        for (tid, list) in &tables.fds {
            let mut rest = &list[..];
            let mut left_out = 0;
            loop {
                self.write_block(types::DESCRIPTORS, |block| {
                    rest = tables::descriptors(block, *tid, rest, &mut left_out);
                })?;
                if rest.is_empty() {
                    break;
                }
            }
            self.stats.descriptors_left_out += left_out;
        }
        Ok(())
    }

    /// Writes an event with the flag word of its block, 0 for none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn event(&mut self, event: &Event<'_>, flags: u32) -> Result<(), CaptureError> {
        let bytes = event.bytes();
        let head = block::HEAD + 2 + if flags == 0 { 0 } else { 4 };
        let total = (head + bytes.len() + block::TRAILER).next_multiple_of(4);
        let fits = total - block::HEAD <= block::MAX_EVENT_BLOCK;
        let kind = match (event.info().is_large() || !fits, flags) {
            (false, 0) => types::EVENT,
            (false, _) => types::EVENT_FLAGS,
            (true, 0) => types::EVENT_LARGE,
            (true, _) => types::EVENT_FLAGS_LARGE,
        };
        self.write_block(kind, |block| {
            block.u16(event.cpu);
            if flags != 0 {
                block.u32(flags);
            }
            block.bytes(bytes);
        })?;
        self.stats.events += 1;
        Ok(())
    }

    /// Makes what was written readable by others, even if this program then dies.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> Result<(), CaptureError> {
        let done = match &mut self.sink {
            Sink::Plain(out) => out.flush(),
            Sink::Gzip(out) => out.flush(),
        };
        done.map_err(|e| Fault::from(e).at(&self.name, self.stats.bytes))
    }

    /// Ends the capture.
    ///
    /// # Errors
    /// When the end cannot be written. A writer dropped without this may leave a capture without its end.
    pub fn finish(self) -> Result<WriteStats, CaptureError> {
        let stats = self.stats();
        let done = match self.sink {
            Sink::Plain(out) => Ok(out),
            Sink::Gzip(out) => out.finish(),
        };
        let ended = done.and_then(|mut out| out.flush().map(|()| out.bytes));
        let file_bytes = ended.map_err(|e| Fault::from(e).at(&self.name, stats.bytes))?;
        Ok(WriteStats { file_bytes, ..stats })
    }

    fn write_block(&mut self, kind: u32, body: impl FnOnce(&mut Block)) -> Result<(), CaptureError> {
        self.block.begin(kind);
        body(&mut self.block);
        let bytes = self.block.end();
        let done = match &mut self.sink {
            Sink::Plain(out) => out.write_all(bytes),
            Sink::Gzip(out) => out.write_all(bytes),
        };
        done.map_err(|e| Fault::from(e).at(&self.name, self.stats.bytes))?;
        self.stats.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// A block being built, in a buffer that is used again and again.
#[derive(Default)]
struct Block {
    buf: Vec<u8>,
    cut: u64,
}

impl Block {
    fn begin(&mut self, kind: u32) {
        self.buf.clear();
        self.u32(kind);
        self.u32(0);
    }

    /// Closes the block: padding, trailer, and the length in its head.
    fn end(&mut self) -> &[u8] {
        let total = (self.buf.len() + block::TRAILER).next_multiple_of(4);
        self.buf.resize(total - block::TRAILER, 0);
        let len = (total as u32).to_le_bytes();
        self.buf[4..8].copy_from_slice(&len);
        self.bytes(&len);
        &self.buf
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    fn u8(&mut self, value: u8) {
        self.buf.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    fn i64(&mut self, value: i64) {
        self.bytes(&value.to_le_bytes());
    }

    /// The first `limit` bytes of a text, which is counted if it has more.
    fn cut<'a>(&mut self, text: &'a [u8], limit: usize) -> &'a [u8] {
        self.cut += u64::from(text.len() > limit);
        &text[..text.len().min(limit)]
    }

    /// A string of at most `limit` bytes behind its 16-bit length.
    fn string(&mut self, text: &[u8], limit: usize) {
        let text = self.cut(text, limit);
        self.u16(text.len() as u16);
        self.bytes(text);
    }

    /// A list of strings, each closed by a NUL, of at most `limit` bytes: the last that fits only in part is cut.
    fn list(&mut self, list: &[u8], limit: usize) {
        if list.len() <= limit {
            return self.string(list, limit);
        }
        self.cut += 1;
        self.u16(limit as u16);
        self.bytes(&list[..limit - 1]);
        self.u8(0);
    }

    /// An entry that begins with its own length, which counts itself if `counted`.
    fn entry(&mut self, counted: bool, body: impl FnOnce(&mut Self)) {
        let at = self.buf.len();
        self.u32(0);
        body(self);
        let from = if counted { at } else { at + 4 };
        let len = ((self.buf.len() - from) as u32).to_le_bytes();
        self.buf[at..at + 4].copy_from_slice(&len);
    }
}
