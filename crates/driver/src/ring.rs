//! One ring buffer, read where it lies.
//!
//! The kernel's ring (`BPF_MAP_TYPE_RINGBUF`) is mapped twice in a row, so that a record is always contiguous. Records
//! are scanned up to the producer's position without a system call, and their space is given back when the caller is
//! done with them, many at a time: the position is one shared cache line that every producer reads.

use peregrine_event::HEADER_LEN;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering};

/// Bytes of the kernel's header before each record: length with flags, page offset.
const RECORD_HEADER: usize = 8;
/// Set in a record's length while the producer still writes it.
const BUSY: u32 = 1 << 31;
/// Set in a record's length when the producer gave it up.
const DISCARD: u32 = 1 << 30;

/// A mapping that ends with its value.
struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: a mapping is plain memory that belongs to the value; nothing in it is tied to a thread.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(fd: BorrowedFd<'_>, len: usize, prot: ProtFlags, offset: u64) -> io::Result<Self> {
        // SAFETY: a fresh mapping at an address of the kernel's choice disturbs no other memory.
        let base = unsafe { mmap(std::ptr::null_mut(), len, prot, MapFlags::SHARED, fd, offset)? };
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mapped at address zero"))?;
        Ok(Self { base, len })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this length, and no borrow of it outlives the value.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}

/// A table of bytes that the kernel programs read and write as well.
pub(crate) struct Marks(Mapping);

impl Marks {
    /// Maps the table behind a map's descriptor.
    pub(crate) fn map(fd: BorrowedFd<'_>, len: usize) -> io::Result<Self> {
        Mapping::new(fd, len, ProtFlags::READ | ProtFlags::WRITE, 0).map(Self)
    }

    /// Sets a mark; whether there is one of that number, and it was not set.
    pub(crate) fn set(&self, number: usize) -> bool {
        if number >= self.0.len {
            return false;
        }
        // SAFETY: inside the mapping, which lives as long as `self`; the byte is only accessed atomically here, and by
        // single stores and loads in the kernel.
        let mark = unsafe { &*self.0.base.as_ptr().add(number).cast::<AtomicU8>() };
        mark.swap(1, Ordering::Relaxed) == 0
    }
}

/// Where a committed record lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    /// The event's time, from its first eight bytes.
    pub(crate) ts: u64,
    /// Position of the record's header, counted from the ring's beginning of time.
    pub(crate) at: usize,
    /// Bytes of the record without its header.
    pub(crate) len: u32,
    /// Index of the ring.
    pub(crate) ring: u32,
}

/// The consumer's end of one ring buffer.
pub(crate) struct Ring {
    consumer: Mapping,
    producer: Mapping,
    page: usize,
    size: usize,
    /// Up to here records were scanned.
    scanned: usize,
    /// Up to here their space was given back.
    released: usize,
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").field("size", &self.size).field("scanned", &self.scanned).finish_non_exhaustive()
    }
}

impl Ring {
    /// Maps the ring behind a map's descriptor; `size` is its number of bytes, a power of two and pages.
    pub(crate) fn map(fd: BorrowedFd<'_>, size: usize) -> io::Result<Self> {
        let page = rustix::param::page_size();
        if !size.is_power_of_two() || size < page {
            return Err(io::Error::other(format!("{size} is no size of a ring buffer")));
        }
        let consumer = Mapping::new(fd, page, ProtFlags::READ | ProtFlags::WRITE, 0)?;
        let producer = Mapping::new(fd, page + 2 * size, ProtFlags::READ, page as u64)?;
        let mut ring = Self { consumer, producer, page, size, scanned: 0, released: 0 };
        ring.released = ring.consumer_pos().load(Ordering::Acquire);
        ring.scanned = ring.released;
        Ok(ring)
    }

    /// Bytes that wait to be consumed, including those that were scanned but not yet released.
    pub(crate) fn backlog(&self) -> usize {
        self.producer_pos().load(Ordering::Acquire).wrapping_sub(self.released)
    }

    /// Appends the records that were committed since the last scan, at most `limit` of them, and returns whether more
    /// wait. A record that its producer still writes ends the scan.
    pub(crate) fn scan(&mut self, index: u32, limit: usize, out: &mut Vec<Slot>, malformed: &mut u64) -> bool {
        let end = self.producer_pos().load(Ordering::Acquire);
        let mut found = 0;
        while self.scanned != end {
            if found == limit {
                return true;
            }
            if end.wrapping_sub(self.scanned) > self.size {
                // Lengths that lead past the producer: nothing between can be trusted.
                *malformed += 1;
                self.scanned = end;
                return false;
            }
            let at = self.scanned;
            // Pairs with the producer's release when it commits: the record's bytes are visible after this.
            let head = self.record_len(at).load(Ordering::Acquire);
            if head & BUSY != 0 {
                return false;
            }
            let len = (head & !(BUSY | DISCARD)) as usize;
            self.scanned = at.wrapping_add((RECORD_HEADER + len).next_multiple_of(8));
            if head & DISCARD != 0 {
                continue;
            }
            let slot = Slot { ts: 0, at, len: len as u32, ring: index };
            let Some(ts) = self.bytes(&slot).filter(|b| b.len() >= HEADER_LEN).and_then(|b| b.first_chunk()) else {
                *malformed += 1;
                continue;
            };
            out.push(Slot { ts: u64::from_le_bytes(*ts), ..slot });
            found += 1;
        }
        false
    }

    /// The bytes of a scanned record that was not released; `None` if the length cannot be a record's.
    pub(crate) fn bytes(&self, slot: &Slot) -> Option<&[u8]> {
        let len = slot.len as usize;
        if len > self.size - RECORD_HEADER {
            return None;
        }
        let offset = self.page + (slot.at & (self.size - 1)) + RECORD_HEADER;
        // SAFETY: `offset + len` is below `page + 2 * size`, the mapping's length. The record was committed, so that
        // the kernel does not write it again before `release` moves the consumer position past it, which needs
        // `&mut self` and thereby ends this borrow.
        Some(unsafe { std::slice::from_raw_parts(self.producer.base.as_ptr().add(offset), len) })
    }

    /// Gives back the space of everything before `at`, or of everything scanned.
    pub(crate) fn release(&mut self, at: Option<usize>) {
        let at = at.unwrap_or(self.scanned);
        if at != self.released {
            self.released = at;
            // Pairs with the producer's acquire before it reuses the space.
            self.consumer_pos().store(at, Ordering::Release);
        }
    }

    fn consumer_pos(&self) -> &AtomicUsize {
        // SAFETY: the mapping's first word is the consumer position; it is aligned to a page, lives as long as
        // `self`, and is only accessed atomically on both sides.
        unsafe { &*self.consumer.base.as_ptr().cast::<AtomicUsize>() }
    }

    fn producer_pos(&self) -> &AtomicUsize {
        // SAFETY: as `consumer_pos`, for the producer's page, which is mapped for reading and only loaded from.
        unsafe { &*self.producer.base.as_ptr().cast::<AtomicUsize>() }
    }

    fn record_len(&self, at: usize) -> &AtomicU32 {
        let offset = self.page + (at & (self.size - 1));
        debug_assert!(offset.is_multiple_of(8) && offset + RECORD_HEADER <= self.producer.len);
        // SAFETY: positions are multiples of eight (the kernel rounds records up, and so does `scan`), and the offset
        // is below `page + size`, inside the mapping. The word is only loaded from.
        unsafe { &*self.producer.base.as_ptr().add(offset).cast::<AtomicU32>() }
    }
}
