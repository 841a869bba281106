//! What the fields' functions reach for: the thread, its leader and ancestors, the descriptor, text built in scratch
//! memory.

use crate::session::Lack;
use crate::value::{Moment, Value};
use bumpalo::collections::Vec as BumpVec;
use peregrine_event::record::Tag;
use peregrine_event::{ParamType, category, code, eflags};
use peregrine_state::{Container, FdInfo, State, ThreadInfo, path};
use std::fmt;
use std::sync::{Arc, LazyLock};

/// Defines functions of [`super::Extract`]'s type that need no argument.
macro_rules! take {
    ($($name:ident = |$m:ident| $value:expr;)*) => {
        $(fn $name<'a>($m: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
            $value
        })*
    };
}
pub(super) use take;

/// Text under construction in scratch memory.
pub(super) struct Text<'a>(BumpVec<'a, u8>);

impl Text<'_> {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice_copy(bytes);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `between`, unless this is the first.
    pub(super) fn separate(&mut self, between: &[u8]) {
        if !self.is_empty() {
            self.push(between);
        }
    }
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

impl<'a> Moment<'a> {
    /// The id of the thread's container, empty for the host.
    pub fn container_of_thread(&self) -> Arc<[u8]> {
        self.thread().map(|thread| Arc::clone(&thread.container_id)).unwrap_or_default()
    }

    /// The thread that caused the event. Events that do not change the state have one too, if it is known.
    pub(super) fn thread(&self) -> Option<&'a ThreadInfo> {
        let slot = self.context.thread.or_else(|| self.state.lookup(self.event.tid))?;
        self.state.thread(slot)
    }

    /// The leader of the thread's group.
    pub(super) fn leader(&self) -> Option<&'a ThreadInfo> {
        leader(self.state, self.thread()?)
    }

    /// The working directory of a thread's process: the leader's.
    pub(super) fn cwd(&self, thread: &'a ThreadInfo) -> &'a [u8] {
        leader(self.state, thread).map_or(b"./", |leader| &leader.cwd)
    }

    /// The container of a thread: empty for the host, and always without container support.
    pub(super) fn container_id(&self, thread: &'a ThreadInfo) -> &'a [u8] {
        if self.session.containers { &thread.container_id } else { &[] }
    }

    /// The id of the event's container, `host` outside of containers; nothing for an unknown thread and without container
    /// support. Rules ask for it on every event: nothing is looked up.
    pub(super) fn shown_container_id(&self) -> Option<&'a [u8]> {
        if !self.session.containers {
            return None;
        }
        if let Some(told) = self.state.container_told(self.context.num) {
            return Some(told.id.as_bytes());
        }
        let id = &self.thread()?.container_id[..];
        Some(if id.is_empty() { b"host" } else { id })
    }

    /// What is known of the event's container: of the one that it tells of, else the thread's. If it ought to be known and
    /// is not, the session learns of the lack.
    pub(super) fn container_info(&self) -> Option<&'a Container> {
        static HOST: LazyLock<Container> = LazyLock::new(Container::host);
        if !self.session.containers {
            return None;
        }
        if let Some(told) = self.state.container_told(self.context.num) {
            return Some(told);
        }
        if let Some(late) = self.session.late(self.state) {
            return late;
        }
        let id = &self.thread()?.container_id[..];
        if id.is_empty() {
            return Some(&HOST);
        }
        let known = self.state.container(id);
        if known.is_none() {
            match self.state.container_is_asked(id) {
                Some(true) => self.session.lacked(Lack::NotYet),
                Some(false) => self.session.lacked(Lack::Unknown),
                None => {}
            }
        }
        known
    }

    /// The event's descriptor, if it is known.
    pub(super) fn event_fd(&self) -> Option<&'a FdInfo> {
        self.context.has_fd.then(|| self.state.event_fd(self.context)).flatten()
    }

    /// A descriptor of the thread's process.
    pub(super) fn fd(&self, fd: i64) -> Option<&'a FdInfo> {
        self.state.fd_table(self.thread()?)?.get(fd)
    }

    /// The path of the file that the call opened, if the kernel's own came with the event: then nothing that names the
    /// file is put together from what the program passed, which may be a link or changed meanwhile.
    pub(super) fn witnessed_path(&self) -> Option<&'a [u8]> {
        let info = self.event.info();
        let opens = info.has(eflags::EF_CREATES_FD) && info.category & (category::EC_SYSCALL - 1) == category::EC_FILE;
        self.event.record(Tag::Path).filter(|_| opens)?;
        self.event_fd().map(|fd| &fd.name[..])
    }

    /// What the system call returned: the first parameter of exit events that have one.
    pub(super) fn return_value(&self) -> Option<i64> {
        let info = self.event.info();
        let has = self.event.code != code::GENERIC_X
            && info.is_syscall()
            && !self.event.is_enter()
            && !info.params.is_empty()
            && self.event.nparams() > 0;
        has.then(|| match self.event.value(0).map(<[u8]>::len) {
            Some(4 | 8) => self.event.int(0).unwrap_or(0),
            _ => 0,
        })
    }

    /// A parameter by its name in this event's table, empty or not.
    pub(super) fn param_index(&self, name: &str) -> Option<usize> {
        self.event.info().param(name).filter(|index| *index < self.event.nparams())
    }

    /// Builds a text in scratch memory.
    pub(super) fn build(&self, write: impl FnOnce(&mut Text<'a>)) -> &'a [u8] {
        let mut text = Text(BumpVec::new_in(self.scratch));
        write(&mut text);
        text.0.into_bump_slice()
    }

    /// Several pieces in one.
    pub(super) fn concat(&self, pieces: &[&[u8]]) -> &'a [u8] {
        let mut text = BumpVec::with_capacity_in(pieces.iter().map(|p| p.len()).sum(), self.scratch);
        for piece in pieces {
            text.extend_from_slice_copy(piece);
        }
        text.into_bump_slice()
    }

    /// A path made absolute.
    pub(super) fn join(&self, base: &[u8], path: &[u8]) -> &'a [u8] {
        let mut buffer = self.session.path.borrow_mut();
        path::join(base, path, &mut buffer);
        self.scratch.alloc_slice_copy(&buffer)
    }

    /// Entries that each end in a NUL, blanks between.
    pub(super) fn blanks(&self, entries: &'a [u8]) -> &'a [u8] {
        let entries = entries.strip_suffix(&[0]).unwrap_or(entries);
        if !entries.contains(&0) {
            return entries;
        }
        let copy = self.scratch.alloc_slice_copy(entries);
        for byte in copy.iter_mut().filter(|b| **b == 0) {
            *byte = b' ';
        }
        copy
    }

    /// A list in scratch memory; `None` if it is empty.
    pub(super) fn list(&self, values: impl Iterator<Item = Value<'a>>) -> Option<Value<'a>> {
        let values = BumpVec::from_iter_in(values, self.scratch).into_bump_slice();
        (!values.is_empty()).then_some(Value::List(values))
    }

    /// The thread's ancestors from the parent of its leader up, as upstream walks them: by parent thread ids, without
    /// going to each one's leader. A loop ends the walk.
    pub(super) fn ancestors(&self) -> Option<Ancestors<'a>> {
        self.leader().map(|leader| Ancestors::of(self.state, leader))
    }

    /// The process that many levels up, 0 for the thread's own leader: at each level the parent's leader.
    pub(super) fn ancestor(&self, level: u32) -> Option<&'a ThreadInfo> {
        let mut process = self.leader()?;
        // A loop of parents would walk in circles for as many levels as were asked for.
        for _ in 0..level.min(MAX_LEVEL) {
            process = leader(self.state, parent(self.state, process)?)?;
        }
        Some(process)
    }
}

/// More levels of ancestors than processes can have.
const MAX_LEVEL: u32 = 1 << 16;

/// The leader of a thread's group.
pub(super) fn leader<'a>(state: &'a State, thread: &'a ThreadInfo) -> Option<&'a ThreadInfo> {
    // Most threads are their own.
    if thread.is_main() { Some(thread) } else { state.leader(thread) }
}

/// The thread of the parent id.
pub(super) fn parent<'a>(state: &'a State, thread: &ThreadInfo) -> Option<&'a ThreadInfo> {
    state.thread(state.lookup(thread.ptid)?)
}

/// The walk over ancestors.
pub(super) struct Ancestors<'a> {
    state: &'a State,
    slow: Option<&'a ThreadInfo>,
    /// Runs ahead two steps at a time; meeting it means a loop.
    fast: Option<&'a ThreadInfo>,
}

impl<'a> Ancestors<'a> {
    pub(super) fn of(state: &'a State, thread: &ThreadInfo) -> Self {
        let slow = parent(state, thread);
        Self { state, slow, fast: slow.and_then(|t| parent(state, t)) }
    }

    fn step(&mut self, from: &ThreadInfo) {
        self.slow = parent(self.state, from);
        for _ in 0..2 {
            self.fast = self.fast.and_then(|t| parent(self.state, t));
            if let Some(slow) = self.slow
                && (slow.tid == slow.ptid || self.fast.is_some_and(|fast| fast.tid == slow.tid))
            {
                self.slow = None;
                return;
            }
        }
    }
}

impl<'a> Iterator for Ancestors<'a> {
    type Item = &'a ThreadInfo;

    fn next(&mut self) -> Option<&'a ThreadInfo> {
        let current = self.slow.filter(|thread| thread.tid != -1)?;
        self.step(current);
        Some(current)
    }
}

/// A parameter's bytes as a value of its type.
pub(super) fn typed(ty: ParamType, bytes: &[u8]) -> Option<Value<'_>> {
    use ParamType as T;
    let mut wide = [0; 8];
    let len = bytes.len().min(8);
    wide[..len].copy_from_slice(&bytes[..len]);
    let number = u64::from_le_bytes(wide);
    let signed = |bits: usize| (number << (64 - bits)) as i64 >> (64 - bits);
    Some(match ty {
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::Errno | T::Fd | T::Pid | T::Fd32 | T::Pid32 => {
            if bytes.is_empty() {
                return None;
            }
            Value::Int(signed(len * 8))
        }
        T::Bool => Value::Bool(number != 0),
        T::Double => Value::Double(f64::from_bits(number)),
        T::Ipv4addr | T::Ipv6addr | T::Ipaddr => match bytes.len() {
            4 => Value::Ip(<[u8; 4]>::try_from(bytes).ok()?.into()),
            16 => Value::Ip(<[u8; 16]>::try_from(bytes).ok()?.into()),
            _ => return None,
        },
        T::Charbuf | T::Fspath | T::Fsrelpath => {
            Value::Bytes(&bytes[..bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len())])
        }
        _ if ty.fixed_size().is_some() => {
            if bytes.is_empty() {
                return None;
            }
            Value::Uint(number)
        }
        _ => Value::Bytes(bytes),
    })
}
