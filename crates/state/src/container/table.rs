//! The containers that are known, that are asked for, and that cannot be known.

use super::info::{Container, Lookup};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::Arc;

/// Containers whose first process has ended stay known for what is still said of them, so many of them.
const ENDED: usize = 1024;
/// Containers that nobody has asked for yet, at most.
const WANTED: usize = 4096;

/// A container that was met for the first time, for whoever can find out about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its id as threads have it.
    pub id: Arc<[u8]>,
    /// The whole id, as far as the path has it.
    pub full_id: Box<[u8]>,
    /// Path of the control group that names it.
    pub cgroup: Box<[u8]>,
    /// The thread that it was met with.
    pub tid: i64,
}

#[derive(Debug, Clone)]
enum Entry {
    Asked,
    Known(Arc<Container>),
    /// Nobody knows more than its id.
    Nameless,
}

impl Entry {
    fn fail(&mut self) {
        if matches!(self, Self::Asked) {
            *self = Self::Nameless;
        }
    }
}

/// Containers by id, at most a fixed number of them.
#[derive(Debug, Default)]
pub(crate) struct Containers {
    by_id: FxHashMap<Box<[u8]>, Entry>,
    known: usize,
    /// Whether new ones are to be asked for.
    discover: bool,
    wanted: Vec<Wanted>,
    ended: VecDeque<Box<[u8]>>,
}

impl Containers {
    /// None known; with `discover` those that are met are to be asked for.
    pub(crate) fn new(discover: bool) -> Self {
        Self { discover, ..Self::default() }
    }

    /// A container by its id.
    pub(crate) fn get(&self, id: &[u8]) -> Option<&Arc<Container>> {
        match self.by_id.get(id) {
            Some(Entry::Known(container)) => Some(container),
            _ => None,
        }
    }

    /// Whether an answer is still to come: somebody was asked, or the capture tells of the container later on. `None`
    /// where nobody tells of containers.
    pub(crate) fn is_asked(&self, id: &[u8], most: usize) -> Option<bool> {
        match self.by_id.get(id) {
            Some(entry) => Some(matches!(entry, Entry::Asked)),
            // Without room it is not asked for.
            None => self.discover.then_some(self.by_id.len() < most),
        }
    }

    /// From now on those that are met are asked for.
    pub(crate) fn discover(&mut self) {
        self.discover = true;
    }

    /// Whether some were met since [`Containers::take_wanted`].
    pub(crate) fn has_wanted(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// How many are known.
    pub(crate) fn len(&self) -> usize {
        self.known
    }

    /// A thread was seen in this container; `false` if there is no room to remember it.
    pub(crate) fn meet(&mut self, wanted: impl FnOnce() -> Wanted, id: &[u8], most: usize) -> bool {
        if !self.discover || id.is_empty() || self.by_id.contains_key(id) {
            return true;
        }
        if self.by_id.len() >= most || self.wanted.len() >= WANTED {
            return false;
        }
        self.by_id.insert(id.into(), Entry::Asked);
        self.wanted.push(wanted());
        true
    }

    /// Those that were met since the last call.
    pub(crate) fn take_wanted(&mut self) -> Vec<Wanted> {
        std::mem::take(&mut self.wanted)
    }

    /// Forgets a container.
    pub(crate) fn remove(&mut self, id: &[u8]) {
        if let Some(Entry::Known(_)) = self.by_id.remove(id) {
            self.known -= 1;
        }
    }

    /// Its first process ended: it stays known for a while.
    pub(crate) fn end(&mut self, id: &[u8]) {
        if !self.discover || !self.by_id.contains_key(id) || self.ended.iter().rev().take(8).any(|e| **e == *id) {
            return;
        }
        self.ended.push_back(id.into());
        if self.ended.len() > ENDED
            && let Some(oldest) = self.ended.pop_front()
        {
            self.remove(&oldest);
        }
    }

    /// Adds or replaces a container; `false` if there is no room.
    pub(crate) fn insert(&mut self, container: Container, most: usize) -> bool {
        let id = container.id.clone().into_bytes();
        while self.by_id.len() >= most && !self.by_id.contains_key(&id[..]) {
            let Some(oldest) = self.ended.pop_front() else { return false };
            self.remove(&oldest);
        }
        if container.lookup == Lookup::Failed {
            // Whoever told more of it before was right.
            self.by_id.entry(id.into()).and_modify(Entry::fail).or_insert(Entry::Nameless);
            return true;
        }
        if !matches!(self.by_id.insert(id.into(), Entry::Known(Arc::new(container))), Some(Entry::Known(_))) {
            self.known += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: &str) -> Container {
        Container { id: id.into(), ..Container::default() }
    }

    fn meet(containers: &mut Containers, id: &str, most: usize) -> bool {
        let wanted = || Wanted { id: id.as_bytes().into(), full_id: [].into(), cgroup: [].into(), tid: 1 };
        containers.meet(wanted, id.as_bytes(), most)
    }

    #[test]
    fn asked_once_then_known_or_given_up() {
        let mut containers = Containers::default();
        assert!(meet(&mut containers, "a", 9) && containers.take_wanted().is_empty(), "a replay asks nobody");
        containers.discover = true;
        for id in ["a", "b", "a", ""] {
            assert!(meet(&mut containers, id, 9));
        }
        assert_eq!(containers.take_wanted().iter().map(|w| w.id[0]).collect::<Vec<_>>(), b"ab");
        assert!(containers.insert(Container::unknown("b"), 9));
        assert_eq!((containers.is_asked(b"a", 9), containers.is_asked(b"b", 9)), (Some(true), Some(false)));
        assert_eq!((containers.is_asked(b"c", 9), containers.is_asked(b"c", 2)), (Some(true), Some(false)));
        assert!(containers.insert(named("a"), 9) && containers.insert(named("b"), 9));
        assert!(containers.insert(Container::unknown("a"), 9));
        assert!(containers.get(b"a").is_some() && containers.get(b"b").is_some() && containers.len() == 2);
        containers.remove(b"a");
        assert_eq!(containers.len(), 1);
    }

    #[test]
    fn the_ended_give_way() {
        let mut containers = Containers::new(true);
        assert!(containers.insert(named("a"), 2) && containers.insert(named("b"), 2));
        assert!(!containers.insert(named("c"), 2) && !meet(&mut containers, "d", 2));
        containers.end(b"a");
        assert!(containers.get(b"a").is_some(), "what is still said of it has its name");
        assert!(containers.insert(named("c"), 2) && containers.get(b"a").is_none());
        for n in 0..3 * ENDED {
            let id = format!("{n}");
            assert!(containers.insert(named(&id), 2 * ENDED));
            containers.end(id.as_bytes());
        }
        assert!(containers.len() <= ENDED + 3, "{}", containers.len());
    }
}
