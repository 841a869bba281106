//! A bounds-checked walk over the bytes of a table block.

use crate::error::Fault;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The rest of a block or of one entry of it.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    total: usize,
    /// Where the entry being read begins.
    mark: usize,
    within: &'static str,
}

impl<'a> Cursor<'a> {
    /// Over a block's body.
    pub fn block(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, total: bytes.len(), mark: 0, within: "block" }
    }

    /// Where the entry being read begins, in bytes from the start.
    pub fn entry_start(&self) -> usize {
        self.mark
    }

    /// Bytes left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Whether another entry follows: up to three bytes at the end are padding.
    pub fn more(&mut self) -> bool {
        self.mark = self.total - self.rest.len();
        self.rest.len() >= 4
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Fault::Overrun { what, within: self.within })?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Fault> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(Fault::Overrun { what, within: self.within })?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The next entry, which begins with its own length: `counted` if that length includes itself.
    pub fn entry(&mut self, counted: bool, what: &'static str) -> Result<Cursor<'a>, Fault> {
        let len = self.u32(what)? as usize;
        let body = if counted { len.checked_sub(4).ok_or(Fault::Overrun { what, within: "entry" })? } else { len };
        let bytes = self.take(body, what)?;
        Ok(Cursor { rest: bytes, total: bytes.len(), mark: 0, within: "entry" })
    }

    /// The next byte.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, Fault> {
        Ok(self.array::<1>(what)?[0])
    }

    /// The next two bytes.
    pub fn u16(&mut self, what: &'static str) -> Result<u16, Fault> {
        self.array(what).map(u16::from_le_bytes)
    }

    /// The next four bytes.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, Fault> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// The next eight bytes.
    pub fn u64(&mut self, what: &'static str) -> Result<u64, Fault> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// The next eight bytes, signed.
    pub fn i64(&mut self, what: &'static str) -> Result<i64, Fault> {
        self.array(what).map(i64::from_le_bytes)
    }

    /// An IPv4 address.
    pub fn v4(&mut self, what: &'static str) -> Result<IpAddr, Fault> {
        self.array::<4>(what).map(|b| IpAddr::V4(Ipv4Addr::from(b)))
    }

    /// An IPv6 address.
    pub fn v6(&mut self, what: &'static str) -> Result<IpAddr, Fault> {
        self.array::<16>(what).map(|b| IpAddr::V6(Ipv6Addr::from(b)))
    }

    /// A string behind its 16-bit length, at most `limit` bytes long.
    pub fn string(&mut self, limit: usize, what: &'static str) -> Result<Vec<u8>, Fault> {
        let len = usize::from(self.u16(what)?);
        if len > limit {
            return Err(Fault::LongString { what, len, limit });
        }
        Ok(self.take(len, what)?.to_vec())
    }
}
