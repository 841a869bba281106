//! Borrowed decoding of an event's bytes.

use crate::types::EventInfo;
use std::fmt;

/// Bytes of the packed header: `ts u64, tid u64, len u32, type u16, nparams u32`.
pub const HEADER_LEN: usize = 26;

/// An event, borrowed from the bytes that hold it.
///
/// The bytes were checked by [`Event::parse`]: the length array and every parameter lie inside them, so that reading
/// a parameter cannot fail.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Nanoseconds since the epoch.
    pub ts: u64,
    /// Thread that caused the event; all ones (-1) for plugin events.
    pub tid: i64,
    /// Event code, below [`crate::code::COUNT`].
    pub code: u16,
    /// CPU on which it happened.
    pub cpu: u16,
    nparams: u16,
    /// How many of the first parameters have their place in `ends`; all others are found by adding lengths up.
    placed: u16,
    /// Where the first parameters end, counted from the end of the lengths; two bytes each. In whole words, because they
    /// are read soon after they were written: a wider read would have to wait for the writes.
    ends: [u64; PLACED / 4],
    /// Whether lengths take four bytes.
    large: bool,
    params_end: u32,
    bytes: &'a [u8],
}

/// Parameters that get their place when the event is parsed: few events have more.
const PLACED: usize = 8;

/// Why bytes are no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// Fewer bytes than a header, or than the header's own length says.
    Truncated {
        /// Bytes that were needed.
        needed: usize,
        /// Bytes that were there.
        available: usize,
    },
    /// The header's length is smaller than a header.
    BadLength(u32),
    /// A code that the schema does not have.
    UnknownCode(u16),
    /// More parameters than an event can have, or a length array that runs past the event's end.
    TooManyParams(u32),
    /// A parameter runs past the event's end.
    ParamOverrun {
        /// Index of the parameter.
        index: usize,
        /// Its length in bytes.
        len: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { needed, available } => {
                write!(f, "event truncated: {needed} bytes needed, {available} available")
            }
            Self::BadLength(len) => write!(f, "event length {len} is smaller than an event header"),
            Self::UnknownCode(code) => write!(f, "unknown event code {code}"),
            Self::TooManyParams(n) => write!(f, "event claims {n} parameters, more than it has room for"),
            Self::ParamOverrun { index, len } => {
                write!(f, "parameter {index} of {len} bytes runs past the end of its event")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// The fields of a header.
struct Head {
    ts: u64,
    tid: i64,
    len: u32,
    code: u16,
    nparams: u32,
}

impl Head {
    #[inline]
    fn read(bytes: &[u8; HEADER_LEN]) -> Self {
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap_or_default());
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap_or_default());
        let code = u16::from_le_bytes([bytes[20], bytes[21]]);
        Self { ts: long(0), tid: long(8) as i64, len: word(16), code, nparams: word(22) }
    }

    /// The event of that header, whose number of parameters was checked.
    #[inline]
    fn event<'a>(&self, cpu: u16, placed: u16, ends: [u64; 2], end: usize, bytes: &'a [u8]) -> Event<'a> {
        let Self { ts, tid, code, nparams, .. } = *self;
        let (nparams, params_end) = (nparams as u16, end as u32);
        Event { ts, tid, code, cpu, nparams, placed, ends, large: false, params_end, bytes }
    }
}

/// Bytes of which there are exactly so many.
#[inline]
fn whole<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    <[u8; N]>::try_from(bytes).ok()
}

impl<'a> Event<'a> {
    /// Checks and borrows one event at the start of `bytes`; bytes after its own length are ignored.
    ///
    /// # Errors
    /// A [`DecodeError`] when the bytes do not hold a whole, well-formed event.
    #[inline]
    pub fn parse(bytes: &'a [u8], cpu: u16) -> Result<Self, DecodeError> {
        match Self::parse_usual(bytes, cpu) {
            Some(event) => Ok(event),
            None => Self::parse_any(bytes, cpu),
        }
    }

    /// An event without fault whose parameters are few and short, as nearly all are.
    #[inline]
    fn parse_usual(bytes: &'a [u8], cpu: u16) -> Option<Self> {
        let head = Head::read(bytes.first_chunk()?);
        let bytes = bytes.get(..head.len as usize)?;
        let count = head.nparams as usize;
        if count > PLACED || crate::info(head.code)?.is_large() {
            return None;
        }
        let (ends, total) = place(bytes.get(HEADER_LEN..)?, count)?;
        let end = HEADER_LEN + 2 * count + total;
        (end <= bytes.len()).then(|| head.event(cpu, head.nparams as u16, ends, end, bytes))
    }

    #[inline(never)]
    fn parse_any(bytes: &'a [u8], cpu: u16) -> Result<Self, DecodeError> {
        let header = bytes.first_chunk();
        let head = Head::read(header.ok_or(DecodeError::Truncated { needed: HEADER_LEN, available: bytes.len() })?);
        let len = head.len as usize;
        if len < HEADER_LEN {
            return Err(DecodeError::BadLength(head.len));
        }
        let bytes = bytes.get(..len).ok_or(DecodeError::Truncated { needed: len, available: bytes.len() })?;
        let info = crate::info(head.code).ok_or(DecodeError::UnknownCode(head.code))?;
        let width = if info.is_large() { 4 } else { 2 };
        let many = DecodeError::TooManyParams(head.nparams);
        let count = usize::try_from(head.nparams).ok().filter(|n| *n <= MAX_PARAMS).ok_or(many)?;
        let start = HEADER_LEN + count * width;
        let lens = bytes.get(HEADER_LEN..start).ok_or(many)?;
        let (placed, ends, total) = if width == 4 {
            (0, [0; 2], sum(lens.as_chunks().0, |b| u32::from_le_bytes(*b) as usize).0)
        } else {
            let total = sum_of_halves(lens, count).unwrap_or_default().0;
            // Of many parameters the first have their place, too.
            match place(&bytes[HEADER_LEN..], count.min(PLACED)) {
                Some((ends, _)) => (count.min(PLACED) as u16, ends, total),
                None => (0, [0; 2], total),
            }
        };
        let end = start + total;
        if end > bytes.len() {
            return Err(overrun(lens, width == 4, bytes.len() - start));
        }
        let event = head.event(cpu, placed, ends, end, bytes);
        Ok(Self { large: width == 4, ..event })
    }

    /// The table's row of this event.
    pub fn info(&self) -> &'static EventInfo {
        &crate::table::EVENTS[usize::from(self.code)]
    }

    /// The event's bytes, header and records included.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Number of parameters in these bytes; old captures may have fewer than the table.
    pub fn nparams(&self) -> usize {
        usize::from(self.nparams)
    }

    /// Whether this is an enter event.
    pub fn is_enter(&self) -> bool {
        self.code & 1 == 0
    }

    /// A parameter's bytes: `None` past the last one, empty if it has no value.
    #[inline]
    pub fn param(&self, index: usize) -> Option<&'a [u8]> {
        if index < usize::from(self.placed) {
            let end = |index: usize| usize::from((self.ends[index / 4 % 2] >> (index % 4 * 16)) as u16);
            let from = if index == 0 { 0 } else { end(index - 1) };
            let start = HEADER_LEN + 2 * usize::from(self.nparams);
            return self.bytes.get(start + from..start + end(index));
        }
        self.far_param(index)
    }

    /// A parameter whose place has to be found.
    fn far_param(&self, index: usize) -> Option<&'a [u8]> {
        if index >= self.nparams() {
            return None;
        }
        let count = self.nparams();
        let lens = self.bytes.get(HEADER_LEN..)?;
        // The sum of the lengths up to this one, and this one: where it ends, and how long it is.
        let (start, (end, len)) = if self.large {
            (count * 4, sum(lens.get(..(index + 1) * 4)?.as_chunks().0, |b| u32::from_le_bytes(*b) as usize))
        } else {
            (count * 2, sum_of_halves(lens, index + 1)?)
        };
        let end = HEADER_LEN + start + end;
        self.bytes.get(end - len..end)
    }

    /// The bytes of all parameters in order, in one walk.
    pub fn params(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (bytes, large, count) = (self.bytes, self.large, self.nparams());
        let mut at = HEADER_LEN + count * if large { 4 } else { 2 };
        (0..count).map(move |index| {
            let start = at;
            at += length(&bytes[HEADER_LEN..], index, large);
            bytes.get(start..at).unwrap_or_default()
        })
    }

    /// A parameter's bytes, if it is there and has a value.
    #[inline]
    pub fn value(&self, index: usize) -> Option<&'a [u8]> {
        self.param(index).filter(|bytes| !bytes.is_empty())
    }

    /// The bytes after the last parameter: Peregrine's own records, or nothing.
    pub fn tail(&self) -> &'a [u8] {
        self.bytes.get(self.params_end as usize..).unwrap_or_default()
    }

    /// An integer parameter of 1, 2, 4 or 8 bytes, sign-extended.
    #[inline]
    pub fn int(&self, index: usize) -> Option<i64> {
        let bytes = self.value(index)?;
        if let Some(number) = whole(bytes) {
            return Some(i64::from_le_bytes(number));
        }
        if let Some(number) = whole(bytes) {
            return Some(i64::from(i32::from_le_bytes(number)));
        }
        match bytes {
            [byte] => Some(i64::from(*byte as i8)),
            [low, high] => Some(i64::from(i16::from_le_bytes([*low, *high]))),
            _ => None,
        }
    }

    /// An integer parameter of 1, 2, 4 or 8 bytes, zero-extended.
    #[inline]
    pub fn uint(&self, index: usize) -> Option<u64> {
        let bytes = self.value(index)?;
        if let Some(number) = whole(bytes) {
            return Some(u64::from_le_bytes(number));
        }
        if let Some(number) = whole(bytes) {
            return Some(u64::from(u32::from_le_bytes(number)));
        }
        match bytes {
            [byte] => Some(u64::from(*byte)),
            [low, high] => Some(u64::from(u16::from_le_bytes([*low, *high]))),
            _ => None,
        }
    }

    /// A text parameter's bytes up to its first NUL; `None` without a value. May be empty and need not be UTF-8.
    pub fn text(&self, index: usize) -> Option<&'a [u8]> {
        let bytes = self.value(index)?;
        Some(&bytes[..until_nul(bytes)])
    }
}

/// Most parameters that an event can have.
pub const MAX_PARAMS: usize = 32;

/// The first parameter that runs past the event's end, with `room` bytes for all.
#[cold]
fn overrun(lens: &[u8], large: bool, room: usize) -> DecodeError {
    let (mut index, mut end) = (0, 0);
    loop {
        let len = length(lens, index, large);
        end += len;
        if end > room || index >= MAX_PARAMS {
            return DecodeError::ParamOverrun { index, len };
        }
        index += 1;
    }
}

/// The sum of all lengths, and the last.
#[inline]
fn sum<const N: usize>(lens: &[[u8; N]], read: impl Fn(&[u8; N]) -> usize) -> (usize, usize) {
    lens.iter().map(read).fold((0, 0), |(sum, _), len| (sum + len, len))
}

/// Where the first parameters end (at most [`PLACED`] of them), and the sum of their lengths: these have two bytes and are
/// added up four at a time. `None` where a length is so great that sums could leave their lanes.
#[inline]
fn place(lens: &[u8], count: usize) -> Option<([u64; PLACED / 4], usize)> {
    /// Bits of lengths of which eight could add up to more than two bytes hold.
    const GREAT: u64 = 0xe000_e000_e000_e000;
    /// Multiplied by this, each lane becomes the sum of those up to it.
    const SUMS: u64 = 0x0001_0001_0001_0001;
    /// The highest lane.
    const LAST: u32 = 48;
    if count == 0 {
        return Some(([0; 2], 0));
    }
    let word = |at: usize, count: usize| {
        let unused = 64 - 16 * count.min(4) as u32;
        let word = array(lens, at).map_or_else(|| last_word(lens.get(at..).unwrap_or_default()), u64::from_le_bytes);
        let word = word & (u64::MAX >> unused);
        (word & GREAT == 0).then(|| word.wrapping_mul(SUMS))
    };
    let first = word(0, count)?;
    let mut ends = [first, 0];
    let mut total = first >> LAST;
    if count > 4 {
        let second = word(8, count - 4)?.wrapping_add(total.wrapping_mul(SUMS));
        ends[1] = second;
        total = second >> LAST;
    }
    Some((ends, total as usize))
}

/// The word that fewer than eight bytes begin.
fn last_word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Number of bytes before the first NUL, or of all.
#[inline]
fn until_nul(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The highest bit of every byte that is zero, and perhaps of bytes after the first such.
        let zeros = word.wrapping_sub(ONES) & !word & (ONES << 7);
        if zeros != 0 {
            return at * 8 + zeros.trailing_zeros() as usize / 8;
        }
    }
    let before = words.len() * 8;
    rest.iter().position(|byte| *byte == 0).map_or(bytes.len(), |at| before + at)
}

/// The sum of the first `count` lengths of two bytes, and the last of them. Four are added at a time: events have few
/// parameters, and this is asked for each of them.
#[inline]
fn sum_of_halves(lens: &[u8], count: usize) -> Option<(usize, usize)> {
    const LANES: u64 = 0x0000_ffff_0000_ffff;
    let (mut total, mut last) = (0, 0);
    let mut left = count;
    let mut at = 0;
    while left > 0 {
        let Some(word) = array(lens, at) else {
            let lens = lens.get(..count * 2)?;
            return Some(sum(lens.as_chunks().0, |b| usize::from(u16::from_le_bytes(*b))));
        };
        let taken = left.min(4);
        let word = u64::from_le_bytes(word) & (u64::MAX >> (64 - 16 * taken));
        let pairs = (word & LANES) + (word >> 16 & LANES);
        total += (pairs + (pairs >> 32)) & 0xffff_ffff;
        last = word >> (16 * (taken - 1));
        left -= taken;
        at += 8;
    }
    Some((total as usize, last as usize))
}

fn length(lens: &[u8], index: usize, large: bool) -> usize {
    if large {
        array(lens, index * 4).map_or(0, |b| u32::from_le_bytes(b) as usize)
    } else {
        array(lens, index * 2).map_or(0, |b| usize::from(u16::from_le_bytes(b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventWriter, code};

    fn close(fd: i64) -> Vec<u8> {
        let mut writer = EventWriter::new(7, 42, code::SYSCALL_CLOSE_X);
        writer.push(&0i64.to_le_bytes());
        writer.push(&fd.to_le_bytes());
        writer.finish()
    }

    #[test]
    fn reads_what_was_written() {
        let bytes = close(5);
        let event = Event::parse(&bytes, 3).unwrap();
        assert_eq!((event.ts, event.tid, event.cpu, event.nparams()), (7, 42, 3, 2));
        assert_eq!((event.int(0), event.int(1), event.param(2)), (Some(0), Some(5), None));
        assert!(event.tail().is_empty());
        assert_eq!(event.params().collect::<Vec<_>>(), [event.param(0).unwrap(), event.param(1).unwrap()]);
    }

    #[test]
    fn lengths_add_up_however_many_there_are() {
        let lens: Vec<u8> = (0..40u16).flat_map(|n| (60_000 + n * 137).to_le_bytes()).collect();
        for room in [2, 6, 8, 34, 80] {
            for count in 0..=room / 2 {
                let each = |n: usize| 60_000 + n * 137;
                let expected = ((0..count).map(each).sum(), count.checked_sub(1).map_or(0, each));
                assert_eq!(sum_of_halves(&lens[..room], count), Some(expected), "{count} of {room}");
            }
        }
        assert_eq!(sum_of_halves(&lens[..6], 4), None);
    }

    #[test]
    fn parameters_have_their_place_however_many_and_long_they_are() {
        for count in 0..=MAX_PARAMS {
            for long in [0, 3, 8_191, 8_192, 40_000] {
                let len = |n: usize| if n == 2 || n == 9 { long } else { n % 5 };
                let params: Vec<Vec<u8>> = (0..count).map(|n| vec![n as u8; len(n)]).collect();
                let mut writer = EventWriter::new(1, 1, code::SYSCALL_EXECVE_19_X);
                params.iter().for_each(|param| {
                    writer.push(param);
                });
                let bytes = writer.finish();
                let event = Event::parse(&bytes, 0).unwrap();
                for (n, param) in params.iter().enumerate() {
                    assert_eq!(event.param(n), Some(&param[..]), "{n} of {count}");
                }
                assert_eq!((event.param(count), event.tail().len()), (None, 0));
                let mut short = bytes.clone();
                short[16..20].copy_from_slice(&(bytes.len() as u32 - 1).to_le_bytes());
                assert!(Event::parse(&short, 0).is_err(), "{count} in a byte less");
            }
        }
    }

    #[test]
    fn texts_end_at_their_first_nul() {
        for len in 0..40 {
            assert_eq!(until_nul(&vec![0x80; len]), len);
            for at in 0..len {
                let mut text = vec![1; len];
                text[at] = 0;
                text[len - 1] = 0;
                assert_eq!(until_nul(&text), at);
            }
        }
    }

    #[test]
    fn every_cut_is_an_error_and_no_panic() {
        let bytes = close(5);
        for cut in 0..bytes.len() {
            assert!(matches!(Event::parse(&bytes[..cut], 0), Err(DecodeError::Truncated { .. })));
        }
    }

    #[test]
    fn lengths_past_the_end_are_refused() {
        let mut bytes = close(5);
        bytes[HEADER_LEN] = 200;
        assert_eq!(Event::parse(&bytes, 0).unwrap_err(), DecodeError::ParamOverrun { index: 0, len: 200 });
        let mut bytes = close(5);
        bytes[20..22].copy_from_slice(&9999u16.to_le_bytes());
        assert_eq!(Event::parse(&bytes, 0).unwrap_err(), DecodeError::UnknownCode(9999));
        let mut bytes = close(5);
        bytes[22..26].copy_from_slice(&33u32.to_le_bytes());
        assert_eq!(Event::parse(&bytes, 0).unwrap_err(), DecodeError::TooManyParams(33));
    }
}
