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
    by_tid: HashMap<i64, Vec<u8>, FxSeededState>,
    bytes: usize,
    lost: u64,
}

impl Default for EnterStore {
    fn default() -> Self {
        // Thread ids of a hostile capture shall not be chosen to collide.
        let seed = RandomState::new().hash_one(0u8) as usize;
        Self { by_tid: HashMap::with_hasher(FxSeededState::with_seed(seed)), bytes: 0, lost: 0 }
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
        self.bytes = 0;
    }

    /// Keeps this enter event in place of the thread's last.
    pub fn put(&mut self, event: &Event<'_>) {
        if self.bytes + event.bytes().len() > MAX_BYTES || self.by_tid.len() >= MAX_THREADS {
            self.make_room();
        }
        let slot = self.by_tid.entry(event.tid).or_default();
        self.bytes -= slot.capacity();
        slot.clear();
        slot.extend_from_slice(event.bytes());
        self.bytes += slot.capacity();
    }

    /// The stored enter event of this exit event.
    pub fn get(&self, exit: &Event<'_>) -> Enter<'_> {
        let Some(bytes) = self.by_tid.get(&exit.tid).filter(|bytes| !bytes.is_empty()) else { return Enter::Missing };
        match Event::parse(bytes, exit.cpu) {
            Ok(enter) if enter.code + 1 == exit.code => Enter::Found(enter),
            _ => Enter::OtherCall,
        }
    }

    /// The thread's enter event has served.
    pub fn used(&mut self, tid: i64) {
        if let Some(slot) = self.by_tid.get_mut(&tid) {
            slot.clear();
            if slot.capacity() > KEEP {
                self.bytes -= slot.capacity();
                *slot = Vec::new();
            }
        }
    }

    /// Frees buffers that hold no event; where that frees little, all of them, so that the work stays in proportion.
    fn make_room(&mut self) {
        self.by_tid.retain(|_, slot| !slot.is_empty());
        self.bytes = self.by_tid.values().map(Vec::capacity).sum();
        if self.by_tid.len() > MAX_THREADS / 2 || self.bytes > MAX_BYTES / 2 {
            self.lost += self.by_tid.len() as u64;
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
            store.put(&Event::parse(&writer.finish(), 0).unwrap());
            assert!(store.bytes <= MAX_BYTES + 2000 && store.by_tid.len() <= MAX_THREADS);
        }
        assert!(store.lost() > 100_000);
    }

    #[test]
    fn buffers_of_used_events_go_first() {
        let mut store = EnterStore::default();
        let event = |tid| EventWriter::new(1, tid, code::SYSCALL_CLOSE_E).push(&[0; 8]).finish();
        for tid in 0..300_000 {
            store.put(&Event::parse(&event(tid), 0).unwrap());
            store.used(tid);
        }
        assert_eq!((store.lost(), store.by_tid.len() <= MAX_THREADS), (0, true));
    }
}
