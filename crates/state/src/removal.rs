//! Adding and removing threads and descriptors with all that hangs on them.
//!
//! Semantics: libsinsp's thread manager and descriptor table.

use crate::fd::FdInfo;
use crate::inspect::{Context, State};
use crate::source::ThreadSource;
use crate::thread::{NONE, Slot, ThreadInfo, replace};
use peregrine_event::Event;
use peregrine_event::defines::{PPM_CL_CLONE_FILES, PPM_CL_CLONE_THREAD, PPM_CL_CLOSED};
use peregrine_event::record::Tag;
use std::time::Instant;

/// Steps up the tree of parents that a search for a reaper takes at most.
const MAX_ANCESTORS: usize = 4096;

impl State {
    /// Whose descriptor table a thread uses; `None` if it should be its leader's and that is not there.
    pub(crate) fn fds_owner(&self, slot: u32) -> Option<u32> {
        let thread = self.threads.get(slot)?;
        if thread.has(PPM_CL_CLONE_FILES) { self.threads.leader_of(slot) } else { Some(slot) }
    }

    /// Puts a descriptor into the table of the event's thread and makes it the event's. `changed` says whether the
    /// event shows a changed name by it.
    pub(crate) fn add_fd(&mut self, context: &mut Context, fd: i64, info: Box<FdInfo>, changed: bool) {
        let Some(Slot(slot)) = context.thread else { return self.pool.recycle(info) };
        let owner = self.fds_owner(slot);
        let name_changed = changed && !info.name.is_empty();
        let kept = match owner {
            Some(owner) => self.store_fd(owner, fd, info),
            None => {
                self.pool.recycle(info);
                false
            }
        };
        (context.has_fd, context.fd_slot, context.fd_key) = (kept, owner.unwrap_or(NONE), fd);
        context.name_changed = kept && name_changed;
        if owner.is_some() {
            self.set_last_fd(context, fd);
        }
    }

    /// Makes `fd` the number that the event shows.
    pub(crate) fn set_last_fd(&mut self, context: &mut Context, fd: i64) {
        let Some(Slot(slot)) = context.thread else { return };
        if let Some(thread) = self.threads.get_mut(slot) {
            thread.last_fd = fd;
            context.fd_num = fd;
        }
    }

    /// Puts a descriptor into a thread's own table; `false` if there is no room.
    pub(crate) fn store_fd(&mut self, owner: u32, fd: i64, info: Box<FdInfo>) -> bool {
        let Some(thread) = self.threads.get_mut(owner) else {
            self.pool.recycle(info);
            return false;
        };
        let full = thread.fds.len() >= self.limits.fds_per_process || self.counters.n_fds >= self.limits.fds as u64;
        if full && thread.fds.get(fd).is_none() {
            self.counters.n_drops_full_fdtable += 1;
            self.pool.recycle(info);
            return false;
        }
        match thread.fds.insert(fd, info) {
            Some(old) => self.pool.recycle(old),
            None => {
                self.counters.n_added_fds += 1;
                self.counters.n_fds += 1;
            }
        }
        true
    }

    pub(crate) fn remove_fd(&mut self, owner: u32, fd: i64) {
        match self.threads.get_mut(owner).and_then(|thread| thread.fds.remove(fd)) {
            Some(info) => {
                self.pool.recycle(info);
                self.counters.n_removed_fds += 1;
                self.counters.n_fds -= 1;
            }
            None => self.counters.n_failed_fd_lookups += 1,
        }
    }

    /// Removes the descriptors of a thread's own table that `gone` chooses.
    pub(crate) fn remove_fds(&mut self, owner: u32, gone: impl Fn(i64, &FdInfo) -> bool) {
        let Some(thread) = self.threads.get_mut(owner) else { return };
        let (pool, counters) = (&mut self.pool, &mut self.counters);
        thread.fds.drain_if(gone, |info| {
            pool.recycle(info);
            counters.n_removed_fds += 1;
            counters.n_fds -= 1;
        });
    }

    /// Gives a thread a descriptor table of its own, a copy of the process's. (A leader that does so leaves the others
    /// with what is its own here, since a process has one table.)
    pub(crate) fn unshare_fds(&mut self, slot: u32) {
        let Some(owner) = self.fds_owner(slot).filter(|owner| *owner != slot) else { return };
        self.copy_fds(owner, slot);
        if let Some(thread) = self.threads.get_mut(slot) {
            thread.flags &= !(PPM_CL_CLONE_FILES as u32);
        }
    }

    /// Copies all descriptors of one thread's table into another's.
    pub(crate) fn copy_fds(&mut self, from: u32, to: u32) {
        let Some((child, parent)) = self.threads.pair(to, from) else { return };
        let limits = &self.limits;
        for (fd, info) in parent.fds.iter() {
            if child.fds.len() >= limits.fds_per_process || self.counters.n_fds >= limits.fds as u64 {
                self.counters.n_drops_full_fdtable += 1;
                continue;
            }
            let mut copy = self.pool.fd();
            copy.copy_from(info);
            if child.fds.insert(fd, copy).is_none() {
                self.counters.n_added_fds += 1;
                self.counters.n_fds += 1;
            }
        }
    }

    /// The thread of an event that is not in the table: asked of the source, or put together from what the event says,
    /// or a stand-in.
    pub(crate) fn get_thread_for(&mut self, event: &Event<'_>) -> Option<u32> {
        self.get_thread_or(event.tid, event.ts, |state| state.adopt(event))
    }

    /// The slot of a thread id, asked of the source or made up if it is not in the table; `None` if there is no room.
    pub(crate) fn get_thread(&mut self, tid: i64, ts: u64) -> Option<u32> {
        self.get_thread_or(tid, ts, |_| None)
    }

    fn get_thread_or(&mut self, tid: i64, ts: u64, known: impl FnOnce(&mut Self) -> Option<u32>) -> Option<u32> {
        if let Some(slot) = self.threads.find(tid) {
            return Some(slot);
        }
        self.counters.n_failed_thread_lookups += 1;
        if !self.make_room() {
            self.counters.n_drops_full_threadtable += 1;
            return None;
        }
        let found = known(self).or_else(|| self.ask_source(tid, ts));
        Some(found.unwrap_or_else(|| self.add_standin(tid)))
    }

    /// A thread of a known process needs no asking: the event names its group.
    fn adopt(&mut self, event: &Event<'_>) -> Option<u32> {
        let tgid = u32::from_le_bytes(*event.record(Tag::Tgid)?.first_chunk()?);
        let pid = i64::from(tgid);
        let leader = self.threads.find(pid).filter(|_| pid != event.tid)?;
        let leader = self.threads.get(leader).filter(|leader| !leader.is_invalid())?;
        let mut thread = self.pool.thread(event.tid);
        thread.inherit(leader);
        (thread.pid, thread.ptid, thread.vpid) = (pid, leader.ptid, leader.vpid);
        thread.vtid = if leader.in_pid_namespace() { -1 } else { event.tid };
        thread.flags = leader.flags | (PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES) as u32;
        (thread.uid, thread.gid, thread.fdlimit) = (leader.uid, leader.gid, leader.fdlimit);
        replace(&mut thread.comm, &leader.comm);
        replace(&mut thread.exe, &leader.exe);
        thread.cgroups.clone_from(&leader.cgroups);
        thread.container_id.clone_from(&leader.container_id);
        thread.set_args(&leader.args);
        let slot = self.insert_thread(thread);
        self.relate_thread(slot);
        Some(slot)
    }

    /// Asks the source, as long as the second's budget lasts. An answer that takes long counts for several.
    pub(crate) fn ask<T>(&mut self, ts: u64, question: impl FnOnce(&mut dyn ThreadSource) -> Option<T>) -> Option<T> {
        const SECOND: u64 = 1_000_000_000;
        /// What an answer may take, in microseconds.
        const USUAL: u128 = 200;
        let source = self.source.as_mut()?;
        if ts / SECOND != self.lookup_second {
            (self.lookup_second, self.lookups) = (ts / SECOND, 0);
        }
        if self.lookups >= self.limits.source_lookups {
            self.counters.n_source_skipped += 1;
            return None;
        }
        let asked = Instant::now();
        let answer = question(source.as_mut());
        self.lookups += 1 + u64::try_from(asked.elapsed().as_micros() / USUAL).unwrap_or(u64::MAX);
        self.counters.n_source_lookups += 1;
        self.counters.n_source_misses += u64::from(answer.is_none());
        answer
    }

    fn ask_source(&mut self, tid: i64, ts: u64) -> Option<u32> {
        let (thread, fds) = self.ask(ts, |source| source.thread(tid).filter(|(thread, _)| thread.tid == tid))?;
        let leader = thread.pid;
        let thread = self.thread_from(&thread);
        let slot = self.insert_thread(thread);
        self.relate_thread(slot);
        for fd in fds {
            self.load_fd(slot, fd);
        }
        self.learn_accounts(slot);
        if leader != tid && leader > 0 && self.threads.find(leader).is_none() && self.make_room() {
            // Descriptors and working directory are the leader's.
            self.ask_source(leader, ts);
        }
        self.threads.find(tid)
    }

    /// Asks the source for the users and groups of a thread's container, once a container. Where there is a source but
    /// no answer, the container has none that are known: the host's would be wrong.
    pub(crate) fn learn_accounts(&mut self, slot: u32) {
        let Some(thread) = self.threads.get(slot) else { return };
        let Some(source) = &mut self.source else { return };
        if thread.container_id.is_empty() || self.users.knows(&thread.container_id) {
            return;
        }
        let accounts = source.accounts(thread.pid).unwrap_or_default();
        if !self.users.learn(&thread.container_id, accounts, self.limits.users) {
            self.counters.n_drops_full_usertable += 1;
        }
    }

    /// A descriptor that came from elsewhere: whatever was under its number is not it. The source is asked what it is.
    pub(crate) fn receive_fd(&mut self, owner: u32, fd: i64, ts: u64) {
        let Some(pid) = self.threads.get(owner).map(|thread| thread.pid) else { return };
        if self.threads.get(owner).is_some_and(|thread| thread.fds.get(fd).is_some()) {
            self.remove_fd(owner, fd);
        }
        if let Some(received) = self.ask(ts, |source| source.descriptor(pid, fd)) {
            self.load_fd(owner, received);
        }
    }

    fn add_standin(&mut self, tid: i64) -> u32 {
        if self.standins.len() >= self.limits.threads {
            self.evict_standin();
        }
        self.standins.push_back(tid);
        self.insert_thread(Box::new(ThreadInfo::unknown(tid)))
    }

    /// Whether a thread may be added; stand-ins give way.
    fn make_room(&mut self) -> bool {
        while self.threads.len() >= self.limits.threads {
            if !self.evict_standin() {
                return false;
            }
        }
        true
    }

    fn evict_standin(&mut self) -> bool {
        let Some(mut tid) = self.standins.pop_front() else { return false };
        if tid == self.current {
            // The event at hand still needs its thread.
            self.standins.push_back(tid);
            match self.standins.pop_front() {
                Some(next) if next != tid => tid = next,
                _ => {
                    self.standins.push_back(tid);
                    return false;
                }
            }
        }
        if let Some(slot) = self.threads.find(tid)
            && self.threads.get(slot).is_some_and(ThreadInfo::is_invalid)
        {
            self.erase_thread(slot);
            self.counters.n_evicted_threads += 1;
        }
        true
    }

    /// Adds a thread that an event tells of, with its relations; `None` if there is no room.
    pub(crate) fn add_thread(&mut self, thread: Box<ThreadInfo>) -> Option<u32> {
        if self.threads.find(thread.tid).is_none() && !self.make_room() {
            self.counters.n_drops_full_threadtable += 1;
            return None;
        }
        let slot = self.insert_thread(thread);
        self.relate_thread(slot);
        Some(slot)
    }

    /// Puts a thread into the table, in the place of one of the same id.
    ///
    /// (Odd) upstream does not count the replaced thread out of its group, and its children keep their parent's id but
    /// are nobody's to give away. With Peregrine's own events the old thread is removed properly.
    pub(crate) fn insert_thread(&mut self, thread: Box<ThreadInfo>) -> u32 {
        if self.own {
            self.discard(thread.tid);
        } else if let Some(old) = self.threads.find(thread.tid) {
            self.erase_thread(old);
        }
        self.counters.n_added_threads += 1;
        self.threads.insert(thread)
    }

    fn discard(&mut self, tid: i64) {
        if self.threads.find(tid).is_some() {
            self.remove_thread(tid);
        }
        // A leader whose group lives on is not removed but must still give way.
        if let Some(slot) = self.threads.find(tid) {
            self.erase_thread(slot);
        }
    }

    /// Gives a thread its group and its parent. Stand-ins get neither; a parent that is not known becomes 0.
    pub(crate) fn relate_thread(&mut self, slot: u32) {
        let Some(thread) = self.threads.get(slot) else { return };
        if thread.is_invalid() || thread.links.group != NONE {
            return;
        }
        let (pid, ptid) = (thread.pid, thread.ptid);
        self.threads.join_group(slot);
        if pid == 1 {
            return;
        }
        let parent = self
            .threads
            .find(ptid)
            .filter(|parent| *parent != slot && self.threads.get(*parent).is_some_and(|parent| !parent.is_invalid()));
        match parent {
            Some(parent) => self.threads.add_child(parent, slot),
            None => {
                if let Some(thread) = self.threads.get_mut(slot) {
                    thread.ptid = 0;
                }
            }
        }
    }

    /// Takes a thread out of the table, its descriptors and stored event with it.
    fn erase_thread(&mut self, slot: u32) {
        self.drop_enter(slot);
        self.remove_fds(slot, |_, _| true);
        if let Some(thread) = self.threads.erase(slot) {
            self.pool.recycle_thread(thread);
        }
    }

    /// Removes a thread that ended: reparents its children, and its group's leader too if it was the last.
    pub(crate) fn remove_thread(&mut self, tid: i64) {
        let Some(slot) = self.threads.find(tid) else {
            self.counters.n_failed_thread_lookups += 1;
            return;
        };
        let Some(thread) = self.threads.get_mut(slot) else { return };
        if thread.is_invalid() || thread.links.group == NONE {
            return self.erase_thread(slot);
        }
        let (pid, main) = (thread.pid, thread.is_main());
        self.mark_dead(slot);
        if self.threads.has_children(slot) {
            self.reparent_children(slot, pid);
        }
        if self.threads.group_of(slot).is_some_and(|group| group.alive == 0) {
            let leader = self.threads.find(pid);
            self.threads.forget_group(pid);
            if let Some(leader) = leader {
                self.erase_thread(leader);
            }
        }
        if !main && self.threads.find(tid) == Some(slot) {
            self.erase_thread(slot);
        }
        self.counters.n_removed_threads += 1;
    }

    /// Counts a thread out of its group, once.
    pub(crate) fn mark_dead(&mut self, slot: u32) {
        let Some(thread) = self.threads.get_mut(slot) else { return };
        if std::mem::replace(&mut thread.dead, true) {
            return;
        }
        thread.flags |= PPM_CL_CLOSED as u32;
        if let Some(group) = self.threads.group_of_mut(slot) {
            group.alive = group.alive.saturating_sub(1);
        }
    }

    fn reparent_children(&mut self, slot: u32, pid: i64) {
        let named = self.threads.get(slot).map_or(-1, |thread| thread.reaper_tid);
        let ts = self.threads.get(slot).map_or(0, |thread| thread.lastevent_ts);
        let named = if named > 0 { self.get_thread(named, ts) } else { None };
        let valid = |state: &Self, slot: u32| state.threads.get(slot).is_some_and(|thread| !thread.is_invalid());
        let reaper = named.filter(|reaper| *reaper != slot && valid(self, *reaper)).or_else(|| self.find_reaper(slot));
        if let Some(reaper) = reaper
            && self.threads.get(reaper).is_some_and(|thread| thread.pid != pid)
            && let Some(group) = self.threads.group_of_mut(reaper)
        {
            group.reaper = true;
        }
        self.threads.give_children(slot, reaper);
    }

    /// Who takes a dead thread's children when the kernel did not say: a live thread of its group, else of the nearest
    /// ancestor that is a reaper, as long as the PID namespace stays the same.
    fn find_reaper(&self, slot: u32) -> Option<u32> {
        let live = |of: u32| {
            let mut members = self.threads.members(of);
            members.find(|at| *at != slot && self.threads.get(*at).is_some_and(|thread| !thread.dead))
        };
        if let Some(sibling) = live(slot) {
            return Some(sibling);
        }
        let thread = self.threads.get(slot)?;
        let mut at = self.threads.find(thread.ptid);
        for _ in 0..MAX_ANCESTORS {
            let (parent_slot, parent) = at.and_then(|slot| Some((slot, self.threads.get(slot)?)))?;
            if parent_slot == slot || parent.in_pid_namespace() != thread.in_pid_namespace() {
                return None;
            }
            if self.threads.group_of(parent_slot).is_some_and(|group| group.reaper && group.alive > 0)
                && let Some(reaper) = live(parent_slot)
            {
                return Some(reaper);
            }
            at = self.threads.find(parent.ptid).filter(|next| *next != parent_slot);
        }
        None
    }

    /// Keeps an enter event for its exit event.
    pub(crate) fn store_enter(&mut self, slot: u32, event: &Event<'_>) {
        /// Longer events are not worth keeping.
        const MAX_STORED: usize = 4096;
        self.drop_enter(slot);
        if event.bytes().len() > MAX_STORED || self.stored_enters >= self.limits.stored_enters {
            self.counters.n_store_evts_drops += 1;
            return;
        }
        let mut bytes = self.pool.enter();
        bytes.extend_from_slice(event.bytes());
        if let Some(thread) = self.threads.get_mut(slot) {
            thread.stored_enter = Some(bytes);
            self.stored_enters += 1;
            self.counters.n_stored_evts += 1;
        }
    }

    /// Takes the enter event that belongs to this exit event, if it was kept.
    pub(crate) fn take_enter(&mut self, event: &Event<'_>, context: &mut Context) -> Option<Vec<u8>> {
        let Slot(slot) = context.thread?;
        let stored = self.threads.get_mut(slot)?.stored_enter.take();
        self.stored_enters -= usize::from(stored.is_some());
        let bytes = stored.filter(|_| context.enter_valid);
        let of_this_call = bytes.filter(|bytes| {
            let code = bytes.get(20..).and_then(<[u8]>::first_chunk).map_or(u16::MAX, |code| u16::from_le_bytes(*code));
            code == event.code - 1 || crate::apply::is_execveat_of_execve(code, event.code)
        });
        match &of_this_call {
            Some(_) => self.counters.n_retrieved_evts += 1,
            None => self.counters.n_retrieve_evts_drops += 1,
        }
        context.enter_seen = of_this_call.is_some();
        of_this_call
    }

    pub(crate) fn drop_enter(&mut self, slot: u32) {
        if let Some(bytes) = self.threads.get_mut(slot).and_then(|thread| thread.stored_enter.take()) {
            self.stored_enters -= 1;
            self.pool.recycle_enter(bytes);
        }
    }
}
