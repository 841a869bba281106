//! Peregrine's own records behind an event's last parameter.
//!
//! Upstream's schema has no parameter for some of what the kernel programs witness (the path the kernel resolved,
//! the socket's true addresses, how the call entered). It travels as records after the parameters, inside the event's
//! length: other readers of the format skip what lies there. Layout: [`MAGIC`], then for each record
//! `u16 tag, u16 length, bytes`, little-endian, not aligned.

use crate::decode::Event;

/// Opens the record area, so that stray bytes of foreign files are not taken for records.
pub const MAGIC: [u8; 4] = *b"PGN1";

/// What a record holds.
#[repr(u16)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    /// Path of the opened or executed file as the kernel resolved it, without a NUL.
    Path = 1,
    /// Thread group id (u32), init PID namespace.
    Tgid = 2,
    /// cgroup v2 id of the thread (u64).
    CgroupId = 3,
    /// How the call entered, see [`mark`] (u32).
    Marks = 4,
    /// Device (u32, as `fd.dev`) and inode (u64) of the file, 12 bytes.
    File = 5,
    /// Addresses of the socket after the call, in the encoding of a `SOCKTUPLE` parameter.
    SockTuple = 6,
    /// Second path of calls with two (rename, link), without a NUL. The kernel programs do not write it, nor the first
    /// of these calls and of unlink: when a call ends, the names it took are gone. That needs a hook inside the call.
    Path2 = 7,
}

impl Tag {
    /// Every tag; the kernel programs' header is written from this list.
    pub const ALL: [Tag; 7] = [Tag::Path, Tag::Tgid, Tag::CgroupId, Tag::Marks, Tag::File, Tag::SockTuple, Tag::Path2];
}

/// Bits of a [`Tag::Marks`] record.
pub mod mark {
    /// A 32-bit call on a 64-bit kernel.
    pub const COMPAT: u32 = 1 << 0;
    /// Work that arrived through io_uring.
    pub const IO_URING: u32 = 1 << 1;
    /// The kernel's path walk reached its bound; the path lacks its first components.
    pub const PATH_CUT: u32 = 1 << 2;
    /// The file was already unlinked.
    pub const UNLINKED: u32 = 1 << 3;
}

impl<'a> Event<'a> {
    /// The value of the first record with that tag.
    pub fn record(&self, tag: Tag) -> Option<&'a [u8]> {
        let mut rest = self.tail().strip_prefix(&MAGIC)?;
        while let Some((head, more)) = rest.split_first_chunk::<4>() {
            let len = usize::from(u16::from_le_bytes([head[2], head[3]]));
            let value = more.get(..len)?;
            if u16::from_le_bytes([head[0], head[1]]) == tag as u16 {
                return Some(value);
            }
            rest = &more[len..];
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventWriter, code};

    #[test]
    fn records_follow_the_parameters() {
        let mut writer = EventWriter::new(1, 2, code::SYSCALL_CLOSE_X);
        writer.push(&0i64.to_le_bytes());
        writer.record(Tag::Tgid, &9u32.to_le_bytes()).record(Tag::Path, b"/etc/shadow");
        let bytes = writer.finish();
        let event = Event::parse(&bytes, 0).unwrap();
        assert_eq!(event.record(Tag::Path), Some(&b"/etc/shadow"[..]));
        assert_eq!(event.record(Tag::CgroupId), None);
        assert_eq!(event.int(0), Some(0));
    }

    #[test]
    fn foreign_tails_are_no_records() {
        let mut bytes = EventWriter::new(1, 2, code::SYSCALL_CLOSE_X).finish();
        bytes.extend_from_slice(&[1, 0, 1, 0, b'x']);
        let len = (bytes.len() as u32).to_le_bytes();
        bytes[16..20].copy_from_slice(&len);
        assert_eq!(Event::parse(&bytes, 0).unwrap().record(Tag::Path), None);
    }
}
