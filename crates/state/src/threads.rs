//! The table of threads: slots, lookup by id, groups and the tree of parents and children.
//!
//! All relations are slot numbers in intrusive lists, so that removing a thread or giving its children away costs no
//! search and no allocation. This module keeps the lists true; what events mean is decided in `apply`.

use crate::thread::{Links, NONE, Slot, ThreadInfo};
use rustc_hash::FxHashMap;

/// One thread group (a process).
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Its process id.
    pub(crate) pid: i64,
    /// Threads alive.
    pub(crate) alive: u64,
    /// Takes the orphans of its descendants (init of a namespace, or `PR_SET_CHILD_SUBREAPER`).
    pub(crate) reaper: bool,
    /// Slot of its leader, [`NONE`] if not in the table.
    pub(crate) leader: u32,
    /// First and last member; the leader comes first.
    head: u32,
    tail: u32,
}

/// All threads.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    slots: Vec<Option<Box<ThreadInfo>>>,
    free: Vec<u32>,
    by_tid: FxHashMap<i64, u32>,
    /// The last thread found: most events come in runs of one thread.
    last: Option<(i64, u32)>,
    /// How often an event's thread was that one, and how often another that is known.
    cached: u64,
    noncached: u64,
    groups: Vec<Group>,
    free_groups: Vec<u32>,
    by_pid: FxHashMap<i64, u32>,
}

impl Threads {
    pub(crate) fn len(&self) -> usize {
        self.by_tid.len()
    }

    /// One more than the highest slot that was ever taken.
    pub(crate) fn slots(&self) -> u32 {
        self.slots.len() as u32
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&ThreadInfo> {
        self.slots.get(slot as usize)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut ThreadInfo> {
        self.slots.get_mut(slot as usize)?.as_deref_mut()
    }

    /// Two threads at once, the first to change and the second to read; `None` if either is missing or both are one.
    pub(crate) fn pair(&mut self, change: u32, read: u32) -> Option<(&mut ThreadInfo, &ThreadInfo)> {
        let [change, read] = self.slots.get_disjoint_mut([change as usize, read as usize]).ok()?;
        Some((change.as_deref_mut()?, read.as_deref()?))
    }

    /// The slot of a thread id.
    pub(crate) fn find(&self, tid: i64) -> Option<u32> {
        match self.last {
            Some((last, slot)) if last == tid => Some(slot),
            _ => self.by_tid.get(&tid).copied(),
        }
    }

    /// Likewise, and remembers it for the next event.
    pub(crate) fn find_cached(&mut self, tid: i64) -> Option<u32> {
        if let Some((last, slot)) = self.last
            && last == tid
        {
            self.cached += 1;
            return Some(slot);
        }
        let slot = *self.by_tid.get(&tid)?;
        self.noncached += 1;
        self.last = Some((tid, slot));
        Some(slot)
    }

    /// How often an event's thread was that of the event before, and how often another one that is known.
    pub(crate) fn found(&self) -> (u64, u64) {
        (self.cached, self.noncached)
    }

    /// Every thread with its slot.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &ThreadInfo)> {
        self.slots.iter().enumerate().filter_map(|(n, thread)| Some((Slot(n as u32), thread.as_deref()?)))
    }

    /// Puts a thread in, without relations.
    pub(crate) fn insert(&mut self, mut thread: Box<ThreadInfo>) -> u32 {
        let tid = thread.tid;
        thread.links = Links::default();
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        match self.slots.get_mut(slot as usize) {
            Some(place) => *place = Some(thread),
            None => self.slots.push(Some(thread)),
        }
        self.by_tid.insert(tid, slot);
        self.last = None;
        slot
    }

    /// Takes a thread out of the table and of every list. Its children lose their parent but keep its id.
    pub(crate) fn erase(&mut self, slot: u32) -> Option<Box<ThreadInfo>> {
        self.unlink_parent(slot);
        self.orphan_children(slot);
        self.leave_group(slot);
        let thread = self.slots.get_mut(slot as usize)?.take()?;
        if self.by_tid.get(&thread.tid) == Some(&slot) {
            self.by_tid.remove(&thread.tid);
        }
        self.free.push(slot);
        self.last = None;
        Some(thread)
    }

    // Groups.

    pub(crate) fn group(&self, pid: i64) -> Option<&Group> {
        self.groups.get(*self.by_pid.get(&pid)? as usize)
    }

    /// The group of a thread; stand-ins have none.
    pub(crate) fn group_of(&self, slot: u32) -> Option<&Group> {
        self.groups.get(self.get(slot)?.links.group as usize)
    }

    pub(crate) fn group_of_mut(&mut self, slot: u32) -> Option<&mut Group> {
        let group = self.get(slot)?.links.group;
        self.groups.get_mut(group as usize)
    }

    /// The leader of a thread's group, itself included.
    pub(crate) fn leader_of(&self, slot: u32) -> Option<u32> {
        if self.get(slot)?.is_main() {
            return Some(slot);
        }
        self.group_of(slot).map(|group| group.leader).filter(|leader| *leader != NONE)
    }

    /// Makes a thread a member of the group of its `pid`, the first of it if need be.
    pub(crate) fn join_group(&mut self, slot: u32) {
        let Some(thread) = self.get(slot) else { return };
        let (pid, main, reaper) = (thread.pid, thread.is_main(), thread.pid == 1 || thread.vpid == 1);
        let index = match self.by_pid.get(&pid) {
            Some(index) => *index,
            None => self.new_group(pid, reaper),
        };
        let Some(group) = self.groups.get_mut(index as usize) else { return };
        group.alive += 1;
        let (mut next, mut prev) = (NONE, NONE);
        if main {
            group.leader = slot;
            next = std::mem::replace(&mut group.head, slot);
        } else {
            prev = std::mem::replace(&mut group.tail, slot);
        }
        if group.tail == NONE {
            group.tail = slot;
        }
        if group.head == NONE {
            group.head = slot;
        }
        self.set_links(next, |links| links.group_prev = slot);
        self.set_links(prev, |links| links.group_next = slot);
        self.set_links(slot, |links| {
            (links.group, links.group_next, links.group_prev) = (index, next, prev);
        });
    }

    fn new_group(&mut self, pid: i64, reaper: bool) -> u32 {
        let group = Group { pid, alive: 0, reaper, leader: NONE, head: NONE, tail: NONE };
        let index = match self.free_groups.pop() {
            Some(index) => {
                self.groups[index as usize] = group;
                index
            }
            None => {
                self.groups.push(group);
                self.groups.len() as u32 - 1
            }
        };
        self.by_pid.insert(pid, index);
        index
    }

    /// Forgets which group a process id means; the members still in it keep their list.
    pub(crate) fn forget_group(&mut self, pid: i64) {
        self.by_pid.remove(&pid);
    }

    fn leave_group(&mut self, slot: u32) {
        let Some(links) = self.get(slot).map(|thread| thread.links) else { return };
        let Some(group) = self.groups.get_mut(links.group as usize) else { return };
        if group.head == slot {
            group.head = links.group_next;
        }
        if group.tail == slot {
            group.tail = links.group_prev;
        }
        if group.leader == slot {
            group.leader = NONE;
        }
        if group.head == NONE {
            let pid = group.pid;
            if self.by_pid.get(&pid) == Some(&links.group) {
                self.by_pid.remove(&pid);
            }
            self.free_groups.push(links.group);
        }
        self.set_links(links.group_prev, |prev| prev.group_next = links.group_next);
        self.set_links(links.group_next, |next| next.group_prev = links.group_prev);
        self.set_links(slot, |links| links.group = NONE);
    }

    /// The members of a thread's group, the leader first.
    pub(crate) fn members(&self, slot: u32) -> impl Iterator<Item = u32> {
        let head = self.group_of(slot).map_or(NONE, |group| group.head);
        std::iter::successors(Some(head), |at| self.get(*at).map(|thread| thread.links.group_next))
            .take_while(|at| *at != NONE)
    }

    // Parents and children.

    /// Makes one thread the child of another, whatever its parent was.
    pub(crate) fn add_child(&mut self, parent: u32, child: u32) {
        self.unlink_parent(child);
        let Some(thread) = self.get_mut(parent) else { return };
        let ptid = thread.tid;
        let next = std::mem::replace(&mut thread.links.first_child, child);
        self.set_links(next, |links| links.prev_sibling = child);
        if let Some(thread) = self.get_mut(child) {
            thread.ptid = ptid;
            thread.links.parent = parent;
            thread.links.next_sibling = next;
            thread.links.prev_sibling = NONE;
        }
    }

    /// Whether a thread has children that are in the table.
    pub(crate) fn has_children(&self, slot: u32) -> bool {
        self.get(slot).is_some_and(|thread| thread.links.first_child != NONE)
    }

    /// Gives the children of a thread to another, or to nobody (their parent's id is then 0).
    pub(crate) fn give_children(&mut self, from: u32, to: Option<u32>) {
        while let Some(child) = self.get(from).map(|thread| thread.links.first_child).filter(|child| *child != NONE) {
            self.unlink_parent(child);
            match to {
                Some(to) => self.add_child(to, child),
                None => {
                    if let Some(thread) = self.get_mut(child) {
                        thread.ptid = 0;
                    }
                }
            }
        }
    }

    fn orphan_children(&mut self, slot: u32) {
        while let Some(child) = self.get(slot).map(|thread| thread.links.first_child).filter(|child| *child != NONE) {
            self.unlink_parent(child);
        }
    }

    fn unlink_parent(&mut self, slot: u32) {
        let Some(links) = self.get(slot).map(|thread| thread.links) else { return };
        if links.parent == NONE {
            return;
        }
        if links.prev_sibling == NONE {
            self.set_links(links.parent, |parent| parent.first_child = links.next_sibling);
        }
        self.set_links(links.prev_sibling, |prev| prev.next_sibling = links.next_sibling);
        self.set_links(links.next_sibling, |next| next.prev_sibling = links.prev_sibling);
        self.set_links(slot, |links| {
            (links.parent, links.next_sibling, links.prev_sibling) = (NONE, NONE, NONE);
        });
    }

    fn set_links(&mut self, slot: u32, set: impl FnOnce(&mut Links)) {
        if let Some(thread) = self.get_mut(slot) {
            set(&mut thread.links);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(threads: &mut Threads, tid: i64, pid: i64) -> u32 {
        let slot = threads.insert(Box::new(ThreadInfo { pid, ptid: 1, ..ThreadInfo::new(tid) }));
        threads.join_group(slot);
        slot
    }

    #[test]
    fn leaders_come_first_and_slots_are_reused() {
        let mut threads = Threads::default();
        let (second, leader, third) = (add(&mut threads, 11, 10), add(&mut threads, 10, 10), add(&mut threads, 12, 10));
        assert_eq!(threads.members(second).collect::<Vec<_>>(), [leader, second, third]);
        assert_eq!(threads.leader_of(third), Some(leader));
        threads.erase(second);
        assert_eq!(threads.members(third).collect::<Vec<_>>(), [leader, third]);
        threads.erase(leader);
        assert_eq!((threads.leader_of(third), threads.members(third).count()), (None, 1));
        threads.erase(third);
        assert!(threads.group(10).is_none());
        assert_eq!(threads.len(), 0);
        assert_eq!(add(&mut threads, 13, 13), third);
        assert_eq!(threads.groups.len(), 1);
    }

    #[test]
    fn children_move_to_the_reaper() {
        let mut threads = Threads::default();
        let (init, parent) = (add(&mut threads, 1, 1), add(&mut threads, 2, 2));
        let children: Vec<u32> = (3..6).map(|tid| add(&mut threads, tid, tid)).collect();
        for child in &children {
            threads.add_child(parent, *child);
        }
        threads.erase(children[1]);
        threads.give_children(parent, Some(init));
        assert!(!threads.has_children(parent) && threads.has_children(init));
        assert_eq!(threads.get(children[2]).unwrap().ptid, 1);
        threads.give_children(init, None);
        assert_eq!(threads.get(children[0]).unwrap().ptid, 0);
    }

    #[test]
    fn the_cache_never_outlives_its_thread() {
        let mut threads = Threads::default();
        let slot = add(&mut threads, 7, 7);
        assert_eq!(threads.find_cached(7), Some(slot));
        threads.erase(slot);
        assert_eq!((threads.find(7), threads.find_cached(7)), (None, None));
    }
}
