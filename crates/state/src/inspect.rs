//! The state and how an event is applied to it.

use crate::fd::{FdInfo, FdTable};
use crate::thread::{Slot, ThreadInfo};
use crate::users::{Group, User};
use peregrine_capture::tables::{Interface, Machine, Tables};
use peregrine_event::Event;

/// All that is known about the system at one moment.
#[derive(Debug, Default)]
pub struct State {
    machine: Option<Machine>,
    interfaces: Vec<Interface>,
}

/// What applying an event found out about it; lives from [`State::begin`] to [`State::finish`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The thread, if known.
    pub thread: Option<Slot>,
    /// The event's descriptor number, -1 if none.
    pub fd_num: i64,
    /// Whether that descriptor is in the thread's table.
    pub has_fd: bool,
    /// Number of the event, counting from 1.
    pub num: u64,
}

impl State {
    /// A state from a capture's tables or a snapshot.
    pub fn new(tables: Tables) -> Self {
        Self { machine: tables.machine, interfaces: tables.interfaces }
    }

    /// Applies an event: finds its thread and descriptor, updates everything but what must outlive the event's rules
    /// (a closed descriptor, an exited thread).
    pub fn begin(&mut self, event: &Event<'_>) -> Context {
        let _ = event;
        Context { thread: None, fd_num: -1, has_fd: false, num: 0 }
    }

    /// Ends an event after its rules were evaluated: removes what it closed or ended.
    pub fn finish(&mut self, event: &Event<'_>, context: &Context) {
        let _ = (event, context);
    }

    /// A thread by its slot.
    pub fn thread(&self, slot: Slot) -> Option<&ThreadInfo> {
        let _ = slot;
        None
    }

    /// The slot of a thread id.
    pub fn lookup(&self, tid: i64) -> Option<Slot> {
        let _ = tid;
        None
    }

    /// The leader of a thread's group.
    pub fn leader(&self, thread: &ThreadInfo) -> Option<&ThreadInfo> {
        self.lookup(thread.pid).and_then(|slot| self.thread(slot))
    }

    /// The parent's group leader: one step of the ancestors' walk.
    pub fn parent(&self, thread: &ThreadInfo) -> Option<&ThreadInfo> {
        let _ = thread;
        None
    }

    /// The descriptors of a thread's process.
    pub fn fd_table(&self, thread: &ThreadInfo) -> Option<&FdTable> {
        let _ = thread;
        None
    }

    /// The event's descriptor.
    pub fn event_fd(&self, context: &Context) -> Option<&FdInfo> {
        let thread = self.thread(context.thread?)?;
        self.fd_table(thread)?.get(context.fd_num)
    }

    /// A user as the thread's container knows it.
    pub fn user(&self, container_id: &[u8], uid: u32) -> Option<&User> {
        let _ = (container_id, uid);
        None
    }

    /// A group as the thread's container knows it.
    pub fn group(&self, container_id: &[u8], gid: u32) -> Option<&Group> {
        let _ = (container_id, gid);
        None
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
        let _ = pid;
        0
    }
}
