//! The state and how an event is applied to it.

use crate::apply;
use crate::container::{Cgroups, Container, Containers, Known, Wanted, find_in};
use crate::counters::{Counters, Limits};
use crate::fd::{FdInfo, FdTable};
use crate::purge::{Purger, Purging};
use crate::recent::RecentExits;
use crate::source::ThreadSource;
use crate::thread::{NO_EVENT, Slot, ThreadInfo};
use crate::threads::Threads;
use crate::users::{Group, User, Users};
use peregrine_capture::tables::{Interface, Machine, Tables};
use peregrine_event::{Event, EventInfo, code, eflags, record};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// How a state is kept.
pub struct Options {
    /// Bounds of its tables.
    pub limits: Limits,
    /// Whether threads have container ids; without, every thread counts as the host's.
    pub containers: bool,
    /// Whether containers that are met are to be asked for, see [`State::take_wanted`]; not on replay, where nobody
    /// answers.
    pub discover: bool,
    /// The one container that every thread belongs to, whatever its control groups say.
    pub fixed: Option<Box<Container>>,
    /// Whom to ask for threads that caused an event but are not in the table; none on replay.
    pub source: Option<Box<dyn ThreadSource>>,
    /// When threads go whose end was missed; only where there is a source to ask.
    pub purging: Purging,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            containers: true,
            discover: false,
            fixed: None,
            source: None,
            purging: Purging::default(),
        }
    }
}

/// All that is known about the system at one moment.
pub struct State {
    pub(crate) machine: Option<Machine>,
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) threads: Threads,
    pub(crate) users: Users,
    pub(crate) known_containers: Containers,
    /// The container that an event told of, and the event's number.
    pub(crate) told: Option<(u64, Arc<Container>)>,
    /// Id of the one container that every thread belongs to.
    pub(crate) fixed: Option<Arc<[u8]>>,
    pub(crate) cgroups: Known,
    pub(crate) counters: Counters,
    /// Owner and number of the descriptor that an event had last.
    last_fd: (u32, i64),
    pub(crate) limits: Limits,
    pub(crate) containers: bool,
    pub(crate) source: Option<Box<dyn ThreadSource>>,
    /// Whether the events carry Peregrine's own records: then what upstream gets wrong is kept right, live and when
    /// such a recording is replayed. Known from the first event that has a record.
    pub(crate) own: bool,
    pub(crate) recent: RecentExits,
    pub(crate) purger: Purger,
    /// Stand-ins for unknown threads, oldest first; they give way when the table is full.
    pub(crate) standins: VecDeque<i64>,
    pub(crate) stored_enters: usize,
    pub(crate) lookup_second: u64,
    pub(crate) lookups: u64,
    pub(crate) pool: Pool,
    /// Thread id of the event at hand.
    pub(crate) current: i64,
    num: u64,
}

/// Buffers that are kept between events so that steady work allocates nothing.
#[derive(Debug)]
pub(crate) struct Pool {
    #[expect(clippy::vec_box, reason = "the boxes themselves are what is reused")]
    fds: Vec<Box<FdInfo>>,
    #[expect(clippy::vec_box, reason = "likewise")]
    threads: Vec<Box<ThreadInfo>>,
    enters: Vec<Vec<u8>>,
    pub(crate) path: Vec<u8>,
    pub(crate) base: Vec<u8>,
}

/// Descriptors and enter events that a pool keeps at most.
const POOLED: usize = 1024;
/// Larger name buffers are given back to the allocator.
const POOLED_NAME: usize = 4096;
/// Threads that a pool keeps at most.
const POOLED_THREADS: usize = 256;
/// A thread with larger buffers is given back to the allocator.
const POOLED_THREAD: usize = 32 << 10;

impl Default for Pool {
    fn default() -> Self {
        let (fds, threads, enters) = (Vec::new(), Vec::new(), Vec::new());
        Self { fds, threads, enters, path: Vec::with_capacity(POOLED_NAME), base: Vec::with_capacity(POOLED_NAME) }
    }
}

impl Pool {
    /// A blank descriptor.
    pub(crate) fn fd(&mut self) -> Box<FdInfo> {
        self.fds.pop().unwrap_or_default()
    }

    /// Takes a descriptor back.
    pub(crate) fn recycle(&mut self, mut info: Box<FdInfo>) {
        if self.fds.len() < POOLED && info.name.capacity() <= POOLED_NAME && info.nameraw.capacity() <= POOLED_NAME {
            info.reset();
            self.fds.push(info);
        }
    }

    /// A thread of which nothing is known but its id.
    pub(crate) fn thread(&mut self, tid: i64) -> Box<ThreadInfo> {
        match self.threads.pop() {
            Some(mut thread) => {
                thread.reset(tid);
                thread
            }
            None => Box::new(ThreadInfo::new(tid)),
        }
    }

    /// Takes a thread back that is in no list.
    pub(crate) fn recycle_thread(&mut self, thread: Box<ThreadInfo>) {
        if self.threads.len() < POOLED_THREADS && thread.buffers() <= POOLED_THREAD {
            self.threads.push(thread);
        }
    }

    pub(crate) fn enter(&mut self) -> Vec<u8> {
        self.enters.pop().unwrap_or_default()
    }

    pub(crate) fn recycle_enter(&mut self, mut bytes: Vec<u8>) {
        if self.enters.len() < POOLED {
            bytes.clear();
            self.enters.push(bytes);
        }
    }
}

/// What applying an event found out about it; lives from [`State::begin`] to [`State::finish`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The thread, if known.
    pub thread: Option<Slot>,
    /// The event's descriptor number, -1 if none.
    pub fd_num: i64,
    /// Whether the event has a descriptor that is known; [`State::event_fd`] gives it.
    pub has_fd: bool,
    /// Number of the event, counting from 1.
    pub num: u64,
    /// Whether the event changed the name of its descriptor.
    pub name_changed: bool,
    /// Whether the enter event of the same call was there and was used (old captures).
    pub enter_seen: bool,
    /// Whose table holds the event's descriptor, and under which number (not always `fd_num`: `socketpair` shows the
    /// first descriptor's information under the second's number).
    pub(crate) fd_slot: u32,
    pub(crate) fd_key: i64,
    /// Whether a stored enter event belongs to this event.
    pub(crate) enter_valid: bool,
    /// What [`State::finish`] has to take away.
    pub(crate) closes: bool,
    pub(crate) exits: bool,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            thread: None,
            fd_num: -1,
            has_fd: false,
            num: 0,
            name_changed: false,
            enter_seen: false,
            fd_slot: 0,
            fd_key: -1,
            enter_valid: false,
            closes: false,
            exits: false,
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("num", &self.num).field("counters", &self.counters()).finish_non_exhaustive()
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new(Tables::default())
    }
}

impl State {
    /// A state from a capture's tables or a snapshot, with default options.
    pub fn new(tables: Tables) -> Self {
        Self::with_options(tables, Options::default())
    }

    /// A state from a capture's tables or a snapshot.
    pub fn with_options(tables: Tables, options: Options) -> Self {
        let fixed = options.fixed.filter(|_| options.containers);
        let mut state = Self {
            machine: None,
            interfaces: Vec::new(),
            threads: Threads::default(),
            users: Users::default(),
            known_containers: Containers::new(options.discover && options.containers),
            told: None,
            fixed: fixed.as_ref().map(|container| container.id.as_bytes().into()),
            cgroups: Known::default(),
            counters: Counters::default(),
            last_fd: (u32::MAX, -1),
            limits: options.limits,
            containers: options.containers,
            purger: Purger::new(options.purging, options.source.is_some()),
            source: options.source,
            own: false,
            recent: RecentExits::default(),
            standins: VecDeque::new(),
            stored_enters: 0,
            lookup_second: 0,
            lookups: 0,
            pool: Pool::default(),
            current: -1,
            num: 0,
        };
        if let Some(container) = fixed {
            state.known_containers.insert(*container, state.limits.containers.max(1));
        }
        state.load(tables);
        state
    }

    /// Applies an event: finds its thread and descriptor, updates everything but what must outlive the event's rules
    /// (a closed descriptor, an exited thread).
    pub fn begin(&mut self, event: &Event<'_>) -> Context {
        self.num += 1;
        self.current = event.tid;
        self.recent.stamp(event.ts);
        if event.ts >= self.purger.due {
            self.purge(event.ts);
        }
        if !self.own && !event.tail().is_empty() {
            self.own = event.tail().starts_with(&record::MAGIC);
            if self.own && self.containers {
                // A recording tells of every container, though later than of its first process.
                self.known_containers.discover();
            }
        }
        let mut context = Context { num: self.num, ..Context::default() };
        self.locate(event, &mut context);
        if let Some(apply) = apply::APPLY[usize::from(event.code)] {
            apply(self, event, &mut context);
        }
        context
    }

    /// Number of the event at hand, counting from 1.
    pub(crate) fn num(&self) -> u64 {
        self.num
    }

    /// Ends an event after its rules were evaluated: removes what it closed or ended.
    pub fn finish(&mut self, event: &Event<'_>, context: &Context) {
        let Some(Slot(slot)) = context.thread else { return };
        if context.closes {
            self.remove_fd(context.fd_slot, context.fd_key);
        }
        let Some(thread) = self.threads.get_mut(slot) else { return };
        if event.code != code::SCHEDSWITCH_6_E {
            thread.prevevent_ts = thread.lastevent_ts;
            thread.lastevent_ts = event.ts;
        }
        if !event.is_enter() && thread.stored_enter.is_some() {
            self.drop_enter(slot);
        }
        if context.exits {
            self.forget_container_of(slot);
            let ptid = self.threads.get(slot).map_or(-1, |thread| thread.ptid);
            self.recent.record(event.tid, ptid);
            self.remove_thread(event.tid);
        }
    }

    /// With the first process of a container its users and groups go. On replay of others' captures they stay.
    fn forget_container_of(&mut self, slot: u32) {
        let Some(thread) = self.threads.get(slot) else { return };
        if self.own && thread.vtid == 1 && thread.vpid == 1 && !thread.container_id.is_empty() {
            self.users.remove_container(&thread.container_id);
            self.known_containers.end(&thread.container_id);
        }
    }

    /// Finds the event's thread and descriptor.
    fn locate(&mut self, event: &Event<'_>, context: &mut Context) {
        let info = event.info();
        let row = &apply::LOCATE[usize::from(event.code)];
        if row.without_thread {
            return;
        }
        if info.has(eflags::EF_SKIPPARSERESET) {
            context.thread = self.threads.find_cached(event.tid).map(Slot);
            return;
        }
        let found = match self.threads.find_cached(event.tid) {
            None if row.asks_source => self.get_thread_for(event),
            found => found,
        };
        context.thread = found.map(Slot);
        let Some(slot) = found.filter(|_| event.code != code::SCHEDSWITCH_6_E) else { return };
        self.relate(event, info, row, slot, context);
    }

    /// Relates an event to its thread's enter event and its descriptor.
    fn relate(&mut self, event: &Event<'_>, info: &EventInfo, row: &apply::Locate, slot: u32, context: &mut Context) {
        let Some(thread) = self.threads.get_mut(slot) else { return };
        if row.asks_source {
            thread.flags |= apply::ACTIVE;
        }
        if event.is_enter() {
            thread.last_fd = -1;
            thread.last_enter = event.code;
        } else {
            let expected = thread.last_enter == event.code - 1
                || (event.code == code::SYSCALL_EXECVE_19_X && thread.last_enter == code::SYSCALL_EXECVEAT_E);
            context.enter_valid = expected;
            if !expected {
                // What the thread did last may have nothing to do with this event.
                thread.last_fd = -1;
            }
        }
        if info.has(eflags::EF_USES_FD) && thread.last_fd == -1 {
            let param = usize::try_from(row.fd_param).ok();
            thread.last_fd = param.and_then(|param| event.int(param)).unwrap_or(-1);
        }
        context.fd_num = thread.last_fd;
        if info.has(eflags::EF_USES_FD) {
            self.find_event_fd(slot, context);
        }
    }

    fn find_event_fd(&mut self, slot: u32, context: &mut Context) {
        if context.fd_num < 0 {
            return;
        }
        let owner = self.fds_owner(slot);
        let known = owner.is_some_and(|owner| self.fds(owner).is_some_and(|fds| fds.get(context.fd_num).is_some()));
        match owner {
            Some(owner) if known => {
                (context.has_fd, context.fd_slot, context.fd_key) = (true, owner, context.fd_num);
                let cached = std::mem::replace(&mut self.last_fd, (owner, context.fd_num)) == (owner, context.fd_num);
                self.counters.n_cached_fd_lookups += u64::from(cached);
                self.counters.n_noncached_fd_lookups += u64::from(!cached);
            }
            _ => self.counters.n_failed_fd_lookups += 1,
        }
    }

    /// A thread by its slot.
    pub fn thread(&self, slot: Slot) -> Option<&ThreadInfo> {
        self.threads.get(slot.0)
    }

    /// The slot of a thread id.
    pub fn lookup(&self, tid: i64) -> Option<Slot> {
        self.threads.find(tid).map(Slot)
    }

    /// All threads with their slots.
    pub fn threads(&self) -> impl Iterator<Item = (Slot, &ThreadInfo)> {
        self.threads.iter()
    }

    /// The leader of a thread's group, itself if it is one.
    pub fn leader(&self, thread: &ThreadInfo) -> Option<&ThreadInfo> {
        self.threads.get(self.threads.leader_of(self.threads.find(thread.tid)?)?)
    }

    /// The parent's group leader: one step of the ancestors' walk.
    pub fn parent(&self, thread: &ThreadInfo) -> Option<&ThreadInfo> {
        let leader = self.leader(thread)?;
        self.leader(self.threads.get(self.threads.find(leader.ptid)?)?)
    }

    /// The descriptors of a thread's process.
    pub fn fd_table(&self, thread: &ThreadInfo) -> Option<&FdTable> {
        self.fds(self.fds_owner(self.threads.find(thread.tid)?)?)
    }

    /// A thread's working directory, with its closing slash; it is the leader's, `./` if that is not known.
    pub fn cwd(&self, thread: &ThreadInfo) -> &[u8] {
        self.leader(thread).map_or(b"./", |leader| &leader.cwd)
    }

    /// The event's descriptor.
    pub fn event_fd(&self, context: &Context) -> Option<&FdInfo> {
        if !context.has_fd {
            return None;
        }
        self.fds(context.fd_slot)?.get(context.fd_key)
    }

    /// A user as the thread's container knows it: none, if the container's accounts are not known.
    pub fn user(&self, container_id: &[u8], uid: u32) -> Option<&User> {
        self.users.user(container_id, uid)
    }

    /// A group as the thread's container knows it: none, if the container's accounts are not known.
    pub fn group(&self, container_id: &[u8], gid: u32) -> Option<&Group> {
        self.users.group(container_id, gid)
    }

    /// The host's users, in no order.
    pub fn host_users(&self) -> impl Iterator<Item = &User> {
        self.users.host().0
    }

    /// The host's groups, in no order.
    pub fn host_groups(&self) -> impl Iterator<Item = &Group> {
        self.users.host().1
    }

    /// What is known of a container.
    pub fn container(&self, id: &[u8]) -> Option<&Container> {
        self.known_containers.get(id).map(|container| &**container)
    }

    /// Whether a container was asked for and nobody has answered yet; `None` where nobody is asked.
    pub fn container_is_asked(&self, id: &[u8]) -> Option<bool> {
        self.known_containers.is_asked(id, self.limits.containers)
    }

    /// The container that the event of this number told of.
    pub fn container_told(&self, num: u64) -> Option<&Container> {
        self.told.as_ref().filter(|(at, _)| *at == num).map(|(_, container)| &**container)
    }

    /// The containers that were met for the first time since the last call.
    pub fn take_wanted(&mut self) -> Vec<Wanted> {
        self.known_containers.take_wanted()
    }

    /// Whether there are any.
    pub fn has_wanted(&self) -> bool {
        self.known_containers.has_wanted()
    }

    /// What a thread's control groups say. Their container may be one that was not met before.
    pub(crate) fn cgroups_of(&mut self, list: &[u8], tid: i64) -> Option<Cgroups> {
        let mut cgroups = self.cgroups.get(list, self.containers)?;
        if let Some(fixed) = &self.fixed {
            cgroups.container_id = Arc::clone(fixed);
            return Some(cgroups);
        }
        let wanted = || {
            let found = find_in(&cgroups.entries);
            let full_id = found.map_or(&[][..], |found| found.full_id()).into();
            let cgroup = found.map_or(&[][..], |found| found.path).into();
            Wanted { id: Arc::clone(&cgroups.container_id), full_id, cgroup, tid }
        };
        if !self.known_containers.meet(wanted, &cgroups.container_id, self.limits.containers) {
            self.counters.n_drops_full_usertable += 1;
        }
        Some(cgroups)
    }

    /// The host's interfaces.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// The machine.
    pub fn machine(&self) -> Option<&Machine> {
        self.machine.as_ref()
    }

    /// Live threads of a group.
    pub fn thread_count(&self, pid: i64) -> usize {
        self.threads.group(pid).map_or(0, |group| usize::try_from(group.alive).unwrap_or(usize::MAX))
    }

    /// Events applied so far.
    pub fn events(&self) -> u64 {
        self.num
    }

    /// Counters and levels at this moment.
    pub fn counters(&self) -> Counters {
        let (n_cached_thread_lookups, n_noncached_thread_lookups) = self.threads.found();
        Counters {
            n_cached_thread_lookups,
            n_noncached_thread_lookups,
            n_threads: self.threads.len() as u64,
            n_users: self.users.len() as u64,
            n_containers: self.known_containers.len() as u64,
            ..self.counters
        }
    }

    pub(crate) fn fds(&self, slot: u32) -> Option<&FdTable> {
        self.threads.get(slot).map(|thread| &thread.fds)
    }
}

const _: () = assert!(NO_EVENT as usize > code::COUNT, "no exit event may follow the mark of a thread without events");
