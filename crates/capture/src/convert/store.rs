//! Enter events kept until their exit event comes.

use peregrine_event::Event;
use rustc_hash::FxSeededState;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Most threads with a stored enter event.
const MAX_THREADS: usize = 65_536;
/// Most bytes of stored enter events.
const MAX_BYTES: usize = 32 << 20;
/// A buffer up to this size is kept for the thread's next enter event.
const KEEP: usize = 512;

/// The enter event that belongs to an exit event.
#[derive(Debug)]
pub enum Enter<'a> {
    /// It is there.
    Found(Event<'a>),
    /// None was stored.
    Missing,
    /// One of another call was stored.
    OtherCall,
}

/// The last enter event of every thread, bounded in number and bytes.
#[derive(Debug)]
pub struct EnterStore {
    /// Index of each thread's slot.
    by_tid: HashMap<i64, u32, FxSeededState>,
    slots: Vec<Slot>,
    /// The slot used last: most events come in runs of one thread.
    last: Option<(i64, u32)>,
    bytes: usize,
    lost: u64,
}

/// A thread's enter event; none if there are no bytes.
#[derive(Debug, Default)]
struct Slot {
    code: u16,
    bytes: Vec<u8>,
}

impl Default for EnterStore {
    fn default() -> Self {
        // Thread ids of a hostile capture shall not be chosen to collide.
        let seed = RandomState::new().hash_one(0u8) as usize;
        let by_tid = HashMap::with_hasher(FxSeededState::with_seed(seed));
        Self { by_tid, slots: Vec::new(), last: None, bytes: 0, lost: 0 }
    }
}

impl EnterStore {
    /// Stored events given up so far because there was no room.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.by_tid.clear();
        self.slots.clear();
        self.last = None;
        self.bytes = 0;
    }

    /// Keeps a thread's enter event of that code in place of its last.
    pub fn put(&mut self, tid: i64, code: u16, event: &[u8]) {
        if self.bytes + event.len() > MAX_BYTES || self.slots.len() >= MAX_THREADS {
            self.make_room();
        }
        let index = match self.find(tid) {
            Some(index) => index,
            None => {
                let index = self.slots.len() as u32;
                self.slots.push(Slot::default());
                self.by_tid.insert(tid, index);
                index
            }
        };
        self.last = Some((tid, index));
        let slot = &mut self.slots[index as usize];
        self.bytes -= slot.bytes.capacity();
        slot.code = code;
        slot.bytes.clear();
        slot.bytes.extend_from_slice(event);
        self.bytes += slot.bytes.capacity();
    }

    /// The thread's stored enter event, which should be of that code.
    pub fn get(&self, tid: i64, code: u16) -> Enter<'_> {
        let slot = self.find(tid).and_then(|index| self.slots.get(index as usize));
        let Some(slot) = slot.filter(|slot| !slot.bytes.is_empty()) else { return Enter::Missing };
        if slot.code != code {
            return Enter::OtherCall;
        }
        Event::parse(&slot.bytes, 0).map_or(Enter::OtherCall, Enter::Found)
    }

    /// The thread's enter event has served.
    pub fn used(&mut self, tid: i64) {
        let index = self.find(tid);
        if let Some(slot) = index.and_then(|index| self.slots.get_mut(index as usize)) {
            slot.bytes.clear();
            if slot.bytes.capacity() > KEEP {
                self.bytes -= slot.bytes.capacity();
                slot.bytes = Vec::new();
            }
        }
    }

    #[inline]
    fn find(&self, tid: i64) -> Option<u32> {
        match self.last {
            Some((last, index)) if last == tid => Some(index),
            _ => self.by_tid.get(&tid).copied(),
        }
    }

    /// Frees buffers that hold no event; where that frees little, all of them, so that the work stays in proportion.
    fn make_room(&mut self) {
        let mut old = std::mem::take(&mut self.slots);
        self.last = None;
        self.by_tid.retain(|_, index| {
            let slot = std::mem::take(&mut old[*index as usize]);
            *index = self.slots.len() as u32;
            let holds = !slot.bytes.is_empty();
            if holds {
                self.slots.push(slot);
            }
            holds
        });
        self.bytes = self.slots.iter().map(|slot| slot.bytes.capacity()).sum();
        if self.slots.len() > MAX_THREADS / 2 || self.bytes > MAX_BYTES / 2 {
            self.lost += self.slots.len() as u64;
            self.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use peregrine_event::{EventWriter, code};

    #[test]
    fn bounded_and_counted() {
        let mut store = EnterStore::default();
        for tid in 0..200_000 {
            let mut writer = EventWriter::new(1, tid, code::SYSCALL_OPEN_E);
            writer.push_text(&[b'x'; 1000]);
            store.put(tid, code::SYSCALL_OPEN_E, &writer.finish());
            assert!(store.bytes <= MAX_BYTES + 2000 && store.slots.len() <= MAX_THREADS);
        }
        assert!(store.lost() > 100_000);
    }

    #[test]
    fn buffers_of_used_events_go_first() {
        let mut store = EnterStore::default();
        let event = |tid| EventWriter::new(1, tid, code::SYSCALL_CLOSE_E).push(&[0; 8]).finish();
        for tid in 0..300_000 {
            store.put(tid, code::SYSCALL_CLOSE_E, &event(tid));
            store.used(tid);
        }
        assert_eq!((store.lost(), store.slots.len() <= MAX_THREADS), (0, true));
    }
}
