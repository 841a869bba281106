//! The bytes of a capture: plain or gzip, from memory or any reader, in one buffer that events are borrowed from.

use crate::error::{CaptureError, Fault};
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufReader, Read};

/// Bytes that the buffer starts with; it grows to the largest block seen.
const BUFFER: usize = 256 << 10;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A stream of bytes seen through a buffer.
pub struct Input {
    name: String,
    source: Option<Box<dyn Read + Send>>,
    buf: Vec<u8>,
    pos: usize,
    end: usize,
    /// Offset in the stream of the buffer's first byte.
    base: u64,
}

impl Input {
    /// Reads from `source`; its first bytes tell whether it is gzip.
    pub fn stream(name: String, source: impl Read + Send + 'static) -> Result<Self, CaptureError> {
        let mut source = BufReader::with_capacity(64 << 10, source);
        let mut first = Vec::with_capacity(GZIP.len());
        let begun = source.by_ref().take(GZIP.len() as u64).read_to_end(&mut first);
        begun.map_err(|e| Fault::from(e).at(&name, 0))?;
        let gzip = first == GZIP;
        let whole = BufReader::with_capacity(64 << 10, io::Cursor::new(first).chain(source));
        let source: Box<dyn Read + Send> = if gzip { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
        Ok(Self { name, source: Some(source), buf: vec![0; BUFFER], pos: 0, end: 0, base: 0 })
    }

    /// Reads from memory; plain bytes are used where they are.
    pub fn memory(name: String, bytes: Vec<u8>) -> Result<Self, CaptureError> {
        if bytes.starts_with(&GZIP) {
            return Self::stream(name, io::Cursor::new(bytes));
        }
        Ok(Self { name, source: None, end: bytes.len(), buf: bytes, pos: 0, base: 0 })
    }

    /// Starts again, if all bytes are in memory.
    pub fn rewind(&mut self) -> bool {
        if self.source.is_none() {
            self.pos = 0;
        }
        self.source.is_none()
    }

    /// Offset of the next byte in the uncompressed stream.
    pub fn offset(&self) -> u64 {
        self.base + self.pos as u64
    }

    /// This fault at the next byte.
    pub fn fault(&self, fault: impl Into<Fault>) -> CaptureError {
        self.fault_at(fault, self.offset())
    }

    /// This fault at that byte of the stream.
    pub fn fault_at(&self, fault: impl Into<Fault>, offset: u64) -> CaptureError {
        fault.into().at(&self.name, offset)
    }

    /// Makes `want` bytes available, fewer only at the end of the stream, and says how many there are.
    #[inline]
    pub fn fill(&mut self, want: usize) -> Result<usize, CaptureError> {
        if self.end - self.pos < want {
            self.refill(want)?;
        }
        Ok(self.end - self.pos)
    }

    /// Makes `want` bytes available.
    ///
    /// # Errors
    /// When the stream ends before or cannot be read.
    #[inline]
    pub fn need(&mut self, want: usize) -> Result<(), CaptureError> {
        let available = self.fill(want)?;
        if available < want {
            return Err(self.fault(Fault::Truncated { needed: want as u64, available: available as u64 }));
        }
        Ok(())
    }

    /// The bytes that are available, from the next one on.
    #[inline]
    pub fn available(&self) -> &[u8] {
        &self.buf[self.pos..self.end]
    }

    /// Goes on by `count` bytes, which must be available.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        self.pos = (self.pos + count).min(self.end);
    }

    /// The `count` bytes that were consumed last; valid until the next call that makes bytes available.
    #[inline]
    pub fn before(&self, count: usize) -> &[u8] {
        &self.buf[self.pos - count..self.pos]
    }

    /// Type and total length of the block at the next byte, zero where bytes lack.
    #[inline]
    pub fn block_head(&self) -> (u32, u32) {
        let word = |at: usize| self.available().get(at..at + 4).and_then(|b| b.try_into().ok()).unwrap_or_default();
        (u32::from_le_bytes(word(0)), u32::from_le_bytes(word(4)))
    }

    /// Goes on by `count` bytes, available or not.
    ///
    /// # Errors
    /// When the stream ends before or cannot be read.
    pub fn skip(&mut self, count: u64) -> Result<(), CaptureError> {
        let mut left = count;
        while left > 0 {
            let here = self.fill(left.min(BUFFER as u64) as usize)? as u64;
            if here == 0 {
                return Err(self.fault(Fault::Truncated { needed: left, available: 0 }));
            }
            let step = here.min(left);
            self.consume(step as usize);
            left -= step;
        }
        Ok(())
    }

    #[cold]
    fn refill(&mut self, want: usize) -> Result<(), CaptureError> {
        let Some(source) = &mut self.source else { return Ok(()) };
        self.buf.copy_within(self.pos..self.end, 0);
        self.base += self.pos as u64;
        self.end -= self.pos;
        self.pos = 0;
        while self.end < want {
            if self.end == self.buf.len() {
                // Grown by what has arrived, never by what a length field claims.
                self.buf.resize(self.buf.len() * 2, 0);
            }
            match source.read(&mut self.buf[self.end..]) {
                Ok(0) => break,
                Ok(count) => self.end += count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    let offset = self.base + self.end as u64;
                    return Err(Fault::from(e).at(&self.name, offset));
                }
            }
        }
        Ok(())
    }
}
