//! What captures tell of containers.

use rustc_hash::FxHashMap;

/// One container, as far as a capture's container event describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name; empty if not told.
    pub name: Vec<u8>,
    /// Its image; empty if not told.
    pub image: Vec<u8>,
}

/// Known containers by id, at most a fixed number of them.
#[derive(Debug, Default)]
pub struct Containers {
    by_id: FxHashMap<Vec<u8>, Container>,
}

impl Containers {
    /// A container by its id.
    pub fn get(&self, id: &[u8]) -> Option<&Container> {
        self.by_id.get(id)
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Forgets a container.
    pub(crate) fn remove(&mut self, id: &[u8]) {
        self.by_id.remove(id);
    }

    /// Adds or replaces a container; `false` if there is no room.
    pub(crate) fn insert(&mut self, id: Vec<u8>, container: Container, most: usize) -> bool {
        if self.by_id.len() >= most && !self.by_id.contains_key(&id) {
            return false;
        }
        self.by_id.insert(id, container);
        true
    }
}
