//! Old event blocks, whose header lacks the number of parameters.

use crate::error::Fault;
use peregrine_event::{DecodeError, HEADER_LEN, code};

/// Bytes of the old header: `ts u64, tid u64, len u32, type u16`.
pub const OLD_HEADER: usize = HEADER_LEN - 4;

/// Writes the event at the start of `old` into `new` with today's header.
///
/// The number of parameters is the greatest, from the table's downwards, whose lengths fill the event exactly; this is
/// how falcosecurity/libs counts them, and the only way, as the file does not say.
pub fn upgrade(old: &[u8], new: &mut Vec<u8>) -> Result<(), Fault> {
    let truncated = |needed| DecodeError::Truncated { needed, available: old.len() };
    let (header, _) = old.split_first_chunk::<OLD_HEADER>().ok_or(truncated(OLD_HEADER))?;
    let code = u16::from_le_bytes([header[20], header[21]]);
    let claimed = u32::from_le_bytes([header[16], header[17], header[18], header[19]]);
    // Writers of these two counted three bytes too many.
    let excess = if matches!(code, code::NOTIFICATION_E | code::INFRASTRUCTURE_EVENT_E) { 3 } else { 0 };
    let len = (claimed as usize).checked_sub(excess).filter(|len| *len >= OLD_HEADER);
    let len = len.ok_or(DecodeError::BadLength(claimed))?;
    let body = old.get(OLD_HEADER..len).ok_or(truncated(len))?;
    let nparams = count(code, body).ok_or(Fault::Uncountable {
        name: peregrine_event::info(code).map_or("?", |info| info.symbol),
        len: claimed,
    })?;
    new.clear();
    new.extend_from_slice(&header[..16]);
    new.extend_from_slice(&(len as u32 + 4).to_le_bytes());
    new.extend_from_slice(&header[20..22]);
    new.extend_from_slice(&nparams.to_le_bytes());
    new.extend_from_slice(body);
    Ok(())
}

fn count(code: u16, body: &[u8]) -> Option<u32> {
    let most = peregrine_event::info(code)?.params.len();
    for nparams in (0..=most).rev() {
        let Some(lens) = body.get(..nparams * 2) else { continue };
        let params: usize = lens.chunks_exact(2).map(|l| usize::from(u16::from_le_bytes([l[0], l[1]]))).sum();
        match (lens.len() + params).cmp(&body.len()) {
            std::cmp::Ordering::Equal => return Some(nparams as u32),
            // Fewer parameters would leave even more bytes over.
            std::cmp::Ordering::Less => return None,
            std::cmp::Ordering::Greater => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use peregrine_event::{Event, EventWriter};

    fn old(ts: u64, code: u16, params: &[&[u8]], excess: u32) -> Vec<u8> {
        let mut writer = EventWriter::new(ts, 9, code);
        for param in params {
            writer.push(param);
        }
        let mut bytes = writer.finish();
        bytes.drain(22..26);
        let len = bytes.len() as u32 + excess;
        bytes[16..20].copy_from_slice(&len.to_le_bytes());
        bytes
    }

    #[test]
    fn counts_the_parameters() {
        for params in [&[][..], &[&[1u8; 8][..]][..], &[&[1u8; 8][..], &[0; 8]][..]] {
            let mut new = Vec::new();
            upgrade(&old(5, code::SYSCALL_CLOSE_X, params, 0), &mut new).unwrap();
            let event = Event::parse(&new, 0).unwrap();
            assert_eq!((event.nparams(), event.ts, event.tid), (params.len(), 5, 9));
            assert_eq!(event.param(0), params.first().copied());
        }
    }

    #[test]
    fn two_codes_counted_three_bytes_too_many() {
        let mut bytes = old(5, code::NOTIFICATION_E, &[b"id\0", b"text\0"], 3);
        bytes.extend_from_slice(&[0; 3]);
        let mut new = Vec::new();
        upgrade(&bytes, &mut new).unwrap();
        assert_eq!(Event::parse(&new, 0).unwrap().param(1), Some(&b"text\0"[..]));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let mut bytes = old(5, code::SYSCALL_CLOSE_X, &[&[1; 8]], 0);
        bytes[22] = 7;
        assert!(matches!(upgrade(&bytes, &mut Vec::new()), Err(Fault::Uncountable { .. })));
        assert!(matches!(upgrade(&bytes[..21], &mut Vec::new()), Err(Fault::Event(_))));
        bytes[16] = 21;
        assert!(matches!(upgrade(&bytes, &mut Vec::new()), Err(Fault::Event(DecodeError::BadLength(21)))));
    }
}
