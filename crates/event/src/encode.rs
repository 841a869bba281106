//! Building an event's bytes.

use crate::decode::HEADER_LEN;
use crate::record::{MAGIC, Tag};

/// Writes one event: header, length array, parameters, records.
#[derive(Debug, Clone)]
pub struct EventWriter {
    header: [u8; HEADER_LEN],
    large: bool,
    lens: Vec<u32>,
    params: Vec<u8>,
    tail: Vec<u8>,
}

impl EventWriter {
    /// Starts an event of the given code. `ts` is in nanoseconds since the epoch.
    pub fn new(ts: u64, tid: i64, code: u16) -> Self {
        let mut header = [0; HEADER_LEN];
        header[0..8].copy_from_slice(&ts.to_le_bytes());
        header[8..16].copy_from_slice(&tid.to_le_bytes());
        header[20..22].copy_from_slice(&code.to_le_bytes());
        let large = crate::info(code).is_some_and(|info| info.is_large());
        Self { header, large, lens: Vec::new(), params: Vec::new(), tail: Vec::new() }
    }

    /// Appends a parameter; empty means "no value". Past 65,535 bytes a parameter of an ordinary event is cut.
    pub fn push(&mut self, param: &[u8]) -> &mut Self {
        let most = if self.large { u32::MAX as usize } else { usize::from(u16::MAX) };
        let param = &param[..param.len().min(most)];
        self.lens.push(param.len() as u32);
        self.params.extend_from_slice(param);
        self
    }

    /// Appends a text parameter with its closing NUL.
    pub fn push_text(&mut self, text: &[u8]) -> &mut Self {
        let mut bytes = text.to_vec();
        bytes.push(0);
        self.push(&bytes)
    }

    /// Appends one of Peregrine's own records; it is cut at 65,535 bytes.
    pub fn record(&mut self, tag: Tag, value: &[u8]) -> &mut Self {
        if self.tail.is_empty() {
            self.tail.extend_from_slice(&MAGIC);
        }
        let value = &value[..value.len().min(usize::from(u16::MAX))];
        self.tail.extend_from_slice(&(tag as u16).to_le_bytes());
        self.tail.extend_from_slice(&(value.len() as u16).to_le_bytes());
        self.tail.extend_from_slice(value);
        self
    }

    /// The finished bytes.
    pub fn finish(&self) -> Vec<u8> {
        let mut out = self.header.to_vec();
        out[22..26].copy_from_slice(&(self.lens.len() as u32).to_le_bytes());
        for len in &self.lens {
            if self.large {
                out.extend_from_slice(&len.to_le_bytes());
            } else {
                out.extend_from_slice(&(*len as u16).to_le_bytes());
            }
        }
        out.extend_from_slice(&self.params);
        out.extend_from_slice(&self.tail);
        let len = (out.len() as u32).to_le_bytes();
        out[16..20].copy_from_slice(&len);
        out
    }
}
