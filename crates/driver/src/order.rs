//! Events of several ring buffers, in the order of their time.
//!
//! Each CPU (or group of CPUs) has its own ring. State has to see a fork before the child's first call, wherever the
//! two ran; so the rings are merged by time. An event is handed on when no ring can still bring an older one: when it
//! is older than a small window, which is far longer than a kernel program takes between reading the clock and
//! committing its record. Within the window order is exact; what arrives later than that is handed on at once and
//! counted.

use crate::ring::{Ring, Slot};
use peregrine_event::Event;

/// How long an event may be on its way into a ring, in nanoseconds.
pub(crate) const WINDOW_NS: u64 = 200_000;
/// Records scanned at once over all rings: bounds memory, and space is given back at least this often. Few enough that
/// what the scan touched is still in the processor's own cache when the events are handed on.
const BATCH: usize = 2_048;

/// What consuming found that should not be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Irregular {
    /// Records that are no whole event.
    pub malformed: u64,
    /// Events that came later than the window, out of order.
    pub late: u64,
}

/// All rings and the records that were scanned but not yet handed on.
#[derive(Debug)]
pub(crate) struct Rings {
    rings: Vec<Reader>,
    /// Scanned records; sorted by time after each drain.
    pending: Vec<Slot>,
    per_ring: usize,
    last_ts: u64,
    irregular: Irregular,
}

#[derive(Debug)]
struct Reader {
    ring: Ring,
    /// The first CPU that writes here; its number is given to every event of the ring.
    cpu: u16,
    /// Records of this ring among the pending ones.
    waiting: usize,
    /// Time of the newest scanned record.
    newest: u64,
    /// Position of the first record among the pending ones.
    oldest: Option<usize>,
}

impl Rings {
    /// Rings with the first CPU of each.
    pub(crate) fn new(rings: Vec<(u16, Ring)>) -> Self {
        let per_ring = (BATCH / rings.len().max(1)).max(256);
        let rings =
            rings.into_iter().map(|(cpu, ring)| Reader { ring, cpu, waiting: 0, newest: 0, oldest: None }).collect();
        Self { rings, pending: Vec::with_capacity(BATCH), per_ring, last_ts: 0, irregular: Irregular::default() }
    }

    /// Hands on every event up to `cutoff` (nanoseconds since the epoch) that is there, oldest first, and returns
    /// their number. At most one batch: call again while it returns more than nothing.
    pub(crate) fn drain(&mut self, cutoff: u64, each: &mut dyn FnMut(&Event<'_>)) -> usize {
        let cutoff = self.scan(cutoff);
        // Stable and adaptive: the rings' runs are recognised and merged.
        self.pending.sort_by_key(|slot| slot.ts);
        let ready = self.pending.partition_point(|slot| slot.ts <= cutoff);
        for slot in &self.pending[..ready] {
            let reader = &self.rings[slot.ring as usize];
            if slot.ts < self.last_ts {
                self.irregular.late += 1;
            } else {
                self.last_ts = slot.ts;
            }
            match reader.ring.bytes(slot).map(|bytes| Event::parse(bytes, reader.cpu)) {
                Some(Ok(event)) => each(&event),
                _ => self.irregular.malformed += 1,
            }
        }
        self.pending.drain(..ready);
        self.release();
        ready
    }

    /// Scans every ring that is not far ahead, and lowers the cutoff to what is surely complete.
    fn scan(&mut self, cutoff: u64) -> u64 {
        let mut cutoff = cutoff;
        for (index, reader) in self.rings.iter_mut().enumerate() {
            let before = self.pending.len();
            let limit = self.per_ring.saturating_sub(reader.waiting);
            let more = reader.ring.scan(index as u32, limit, &mut self.pending, &mut self.irregular.malformed);
            if let Some(newest) = self.pending[before..].iter().map(|slot| slot.ts).max() {
                reader.newest = reader.newest.max(newest);
            }
            if more {
                cutoff = cutoff.min(reader.newest);
            }
        }
        cutoff
    }

    /// Gives back the space before each ring's oldest pending record.
    fn release(&mut self) {
        for reader in &mut self.rings {
            (reader.waiting, reader.oldest) = (0, None);
        }
        for slot in &self.pending {
            let reader = &mut self.rings[slot.ring as usize];
            reader.waiting += 1;
            // By position, not by time: within a ring that CPUs share, times may be swapped.
            let older = |old: usize| (slot.at.wrapping_sub(old) as isize) < 0;
            if reader.oldest.is_none_or(older) {
                reader.oldest = Some(slot.at);
            }
        }
        for reader in &mut self.rings {
            reader.ring.release(reader.oldest);
        }
    }

    /// The largest backlog of any ring, in bytes.
    pub(crate) fn backlog(&self) -> usize {
        self.rings.iter().map(|reader| reader.ring.backlog()).max().unwrap_or(0)
    }

    /// What should not have been there so far.
    pub(crate) fn irregular(&self) -> Irregular {
        self.irregular
    }

    /// Number of rings.
    pub(crate) fn len(&self) -> usize {
        self.rings.len()
    }
}
