//! Control groups as threads share them: parsed once, not at every clone and exec.

use super::{id_of, push_cgroup};
use std::sync::Arc;

/// Parsed lists that are remembered. The threads of a busy moment lie in few control groups.
const REMEMBERED: usize = 32;

/// What is known of a thread's control groups.
#[derive(Debug, Clone)]
pub(crate) struct Cgroups {
    /// `subsys=path` entries, NUL-separated, each with its closing NUL.
    pub(crate) entries: Arc<[u8]>,
    /// Id of the container that they belong to; empty for the host.
    pub(crate) container_id: Arc<[u8]>,
}

impl Cgroups {
    /// Parses a list, its last NUL optional. The names of the controllers are made the ones that fields show; `None` if
    /// there is an entry without `=`.
    pub(crate) fn parse(list: &[u8], containers: bool) -> Option<Self> {
        let list = list.strip_suffix(b"\0").unwrap_or(list);
        if !list.is_empty() && list.split(|b| *b == 0).any(|entry| !entry.contains(&b'=')) {
            return None;
        }
        let mut entries = Vec::with_capacity(list.len() + 1);
        for entry in list.split(|b| *b == 0).filter(|entry| !entry.is_empty()) {
            push_cgroup(entry, &mut entries);
        }
        let container_id = if containers { id_of(&entries).into() } else { Arc::default() };
        Some(Self { entries: entries.into(), container_id })
    }
}

/// The lists parsed last.
#[derive(Debug, Default)]
pub(crate) struct Known {
    lists: Vec<(Box<[u8]>, Option<Cgroups>)>,
    /// Which is given up next.
    oldest: usize,
    /// Which was asked for last.
    last: usize,
}

impl Known {
    /// What a list says, see [`Cgroups::parse`]; `containers` must always be the same.
    pub(crate) fn get(&mut self, list: &[u8], containers: bool) -> Option<Cgroups> {
        let same = |(raw, _): &(Box<[u8]>, _)| **raw == *list;
        let found = match self.lists.get(self.last) {
            Some(last) if same(last) => Some(self.last),
            _ => self.lists.iter().position(same),
        };
        self.last = found.unwrap_or_else(|| self.add(list, containers));
        self.lists.get(self.last).and_then(|(_, cgroups)| cgroups.clone())
    }

    fn add(&mut self, list: &[u8], containers: bool) -> usize {
        let new = (list.into(), Cgroups::parse(list, containers));
        let index = self.oldest;
        match self.lists.get_mut(index) {
            Some(place) => *place = new,
            None => self.lists.push(new),
        }
        self.oldest = (index + 1) % REMEMBERED;
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_without_a_name_make_all_be_ignored() {
        let cgroups = Cgroups::parse(b"cpu_cgroup=/a\0mem=/b\0io=/c\0perf=/d\0", true).unwrap();
        assert_eq!(*cgroups.entries, *b"cpu=/a\0memory=/b\0blkio=/c\0perf_event=/d\0");
        assert!(Cgroups::parse(b"cpu=/z\0junk", true).is_none());
        assert!(Cgroups::parse(b"", true).unwrap().entries.is_empty());
    }

    #[test]
    fn few_are_remembered_and_shared() {
        let mut known = Known::default();
        for round in 0..3 {
            for n in 0..2 * REMEMBERED {
                let list = format!("cpu=/{n}\0");
                let first = known.get(list.as_bytes(), true).unwrap();
                let again = known.get(list.as_bytes(), true).unwrap();
                assert_eq!(*first.entries, *list.as_bytes(), "{round}");
                assert!(Arc::ptr_eq(&first.entries, &again.entries));
            }
            assert!(known.get(b"junk", true).is_none());
        }
        assert_eq!(known.lists.len(), REMEMBERED);
    }
}
