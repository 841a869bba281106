//! Old events in the schema of today.
//!
//! Captures of many years use event codes and parameter lists that have since been replaced, and gave a call's
//! arguments in its enter event. Here they become what today's driver would have written: one exit event that carries
//! everything. Source of the semantics: the converter of falcosecurity/libs.
//!
//! Where that converter fails a whole capture because an exit event's stored enter event belongs to another call
//! (events between were lost), this one takes the enter event as lost and counts it.

mod json;
mod store;
pub mod table;

use peregrine_event::decode::MAX_PARAMS;
use peregrine_event::{Event, HEADER_LEN, ParamInfo, ParamType, code, eflags, info};
use store::EnterStore;

/// What is done with an event.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    /// It is given as it is.
    Pass,
    /// It is kept for its exit event and not given.
    Store,
    /// It is kept for its exit event and given.
    StoreAndPass,
    /// Parameters are appended.
    Add(&'static [Source]),
    /// It becomes an event of another code with these parameters.
    Change(u16, &'static [Source]),
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// That parameter of the event itself.
    Old(u8),
    /// That parameter of the stored enter event; without one the type's default value.
    Enter(u8),
    /// That parameter of the stored enter event; without one no value.
    EnterOrEmpty(u8),
    /// The type's default value: zero, or "none" for user and group ids, or no value for a variable size.
    Default,
    /// No value.
    Empty,
    /// The JSON text of an old container event.
    ContainerJson,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It stays as it is.
    Pass,
    /// [`Converter::bytes`] holds it.
    Converted,
    /// It is not given.
    Drop,
}

/// Why an event cannot be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// The table has no row for it.
    #[error("no conversion for event {name} with {nparams} parameters")]
    NoRow {
        /// The event's symbol.
        name: &'static str,
        /// Parameters that it has.
        nparams: usize,
    },
    /// More parameters than the schema knows.
    #[error("event {name} has {nparams} parameters, the schema has {expected}")]
    TooManyParams {
        /// The event's symbol.
        name: &'static str,
        /// Parameters that it has.
        nparams: usize,
        /// Parameters that the schema has.
        expected: usize,
    },
    /// An event that needs conversion and is larger than an event can be.
    #[error("event {name} of {len} bytes is too large to be converted")]
    TooLarge {
        /// The event's symbol.
        name: &'static str,
        /// Its length.
        len: usize,
    },
    /// The table leads from row to row without end.
    #[error("conversion of event {name} does not end")]
    Endless {
        /// The event's symbol.
        name: &'static str,
    },
}

/// What conversion did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConvertStats {
    /// Events given in another form.
    pub converted: u64,
    /// Events not given: enter events whose parameters moved into their exit event, and unused codes.
    pub dropped: u64,
    /// Exit events whose enter event was missing.
    pub without_enter: u64,
    /// Exit events for which another call's enter event was stored.
    pub mismatched: u64,
    /// Stored enter events that were given up because too many were stored.
    pub overflow: u64,
}

/// Largest event that is converted, as upstream.
const MAX_CONVERTED: usize = 65_536;
/// More steps than any event of the table needs.
const MAX_STEPS: usize = 50;

/// Whether an event needs no look at the table: not unused, and of today's form.
#[inline]
pub fn passes(code: u16, nparams: u32) -> bool {
    let Some(info) = info(code) else { return false };
    if info.has(eflags::EF_CONVERTER_MANAGED) {
        return code & 1 == 1 && !info.has(eflags::EF_OLD_VERSION) && nparams as usize == info.params.len();
    }
    !info.has(eflags::EF_UNUSED | eflags::EF_OLD_VERSION) && nparams as usize <= info.params.len()
}

/// Whether an event of that code only feeds the state: enter events that are still given, because what they say may
/// be missing in the exit event or have been changed by another thread in between. Upstream hides the same seven.
#[inline]
pub fn state_only(code: u16) -> bool {
    code & 1 == 0
        && matches!(
            code,
            code::SYSCALL_OPEN_E
                | code::SYSCALL_OPENAT_2_E
                | code::SYSCALL_OPENAT2_E
                | code::SYSCALL_CREAT_E
                | code::SOCKET_CONNECT_E
                | code::SYSCALL_EXECVE_19_E
                | code::SYSCALL_EXECVEAT_E
        )
}

/// Whether an event of that code describes state that was there before the capture, if it stands at its very begin.
/// Upstream hides these there too.
#[inline]
pub fn initial_state(code: u16) -> bool {
    matches!(
        code,
        code::CONTAINER_JSON_2_E
            | code::USER_ADDED_E
            | code::USER_DELETED_E
            | code::GROUP_ADDED_E
            | code::GROUP_DELETED_E
            | code::ASYNCEVENT_E
    )
}

/// Converts events of one capture, in their order.
#[derive(Debug, Default)]
pub struct Converter {
    enters: EnterStore,
    /// The event converted last.
    bytes: Vec<u8>,
    /// The step before it.
    from: Vec<u8>,
    stats: ConvertStats,
}

impl Converter {
    /// What conversion did so far.
    pub fn stats(&self) -> ConvertStats {
        ConvertStats { overflow: self.enters.lost(), ..self.stats }
    }

    /// Forgets the stored enter events.
    pub fn clear(&mut self) {
        self.enters.clear();
    }

    /// Forgets the stored enter events and what was counted.
    pub fn restart(&mut self) {
        (self.enters, self.stats) = (EnterStore::default(), ConvertStats::default());
    }

    /// The event of the last [`Outcome::Converted`].
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Converts one event.
    ///
    /// # Errors
    /// A [`ConvertError`] when the event has no form of today.
    pub fn convert(&mut self, event: &Event<'_>) -> Result<Outcome, ConvertError> {
        let mut step = self.step(event)?;
        if step == Step::Pass {
            return Ok(Outcome::Pass);
        }
        for _ in 0..MAX_STEPS {
            if step == Step::Drop {
                self.stats.dropped += 1;
                return Ok(Outcome::Drop);
            }
            let header = self.bytes.first_chunk::<HEADER_LEN>().unwrap_or(&[0; HEADER_LEN]);
            let code = u16::from_le_bytes([header[20], header[21]]);
            let nparams = u32::from_le_bytes([header[22], header[23], header[24], header[25]]);
            if step == Step::Pass || passes(code, nparams) {
                self.stats.converted += 1;
                return Ok(Outcome::Converted);
            }
            step = self.again(event)?;
        }
        Err(endless(event))
    }

    /// Another step on what the last one built.
    fn again(&mut self, first: &Event<'_>) -> Result<Step, ConvertError> {
        let from = std::mem::replace(&mut self.bytes, std::mem::take(&mut self.from));
        // What a step built is whole; were it not, there would be no form of today.
        let step = Event::parse(&from, first.cpu).map_err(|_| endless(first)).and_then(|event| self.step(&event));
        self.from = from;
        if !matches!(step, Ok(Step::Changed)) {
            std::mem::swap(&mut self.from, &mut self.bytes);
        }
        step
    }

    /// One step; [`Step::Changed`] leaves the event's next form in `bytes`.
    fn step(&mut self, event: &Event<'_>) -> Result<Step, ConvertError> {
        let info = event.info();
        if info.has(eflags::EF_UNUSED) {
            return Ok(Step::Drop);
        }
        let (name, nparams, expected) = (info.symbol, event.nparams(), info.params.len());
        if !event.is_enter() || !info.has(eflags::EF_CONVERTER_MANAGED) {
            if nparams > expected {
                return Err(ConvertError::TooManyParams { name, nparams, expected });
            }
            if !info.has(eflags::EF_OLD_VERSION) && (nparams == expected || !info.has(eflags::EF_CONVERTER_MANAGED)) {
                return Ok(Step::Pass);
            }
            if !info.has(eflags::EF_CONVERTER_MANAGED) {
                return Ok(Step::Drop);
            }
        }
        let action = table::find(event.code, nparams).ok_or(ConvertError::NoRow { name, nparams })?;
        if event.bytes().len() > MAX_CONVERTED {
            return Err(ConvertError::TooLarge { name, len: event.bytes().len() });
        }
        Ok(match action {
            Action::Pass => Step::Pass,
            Action::Store => {
                self.enters.put(event);
                Step::Drop
            }
            Action::StoreAndPass => {
                self.enters.put(event);
                Step::Pass
            }
            Action::Add(sources) => {
                self.build(event, event.code, nparams, sources);
                Step::Changed
            }
            Action::Change(code, sources) => {
                self.build(event, code, 0, sources);
                Step::Changed
            }
        })
    }

    /// Builds the event of that code with the first `keep` parameters of `event` and one for each of `sources`.
    fn build(&mut self, event: &Event<'_>, code: u16, keep: usize, sources: &[Source]) {
        let mut old = [&[][..]; MAX_PARAMS];
        old.iter_mut().zip(event.params()).for_each(|(slot, param)| *slot = param);
        let mut out = Build::begin(&mut self.bytes, event, code, keep + sources.len());
        old[..keep].iter().for_each(|param| out.push(param));
        let wants_enter = sources.iter().any(|s| matches!(s, Source::Enter(_) | Source::EnterOrEmpty(_)));
        let enter = if wants_enter { self.enters.get(event) } else { store::Enter::Missing };
        if wants_enter {
            self.stats.without_enter += u64::from(matches!(enter, store::Enter::Missing));
            self.stats.mismatched += u64::from(matches!(enter, store::Enter::OtherCall));
        }
        let enter = if let store::Enter::Found(enter) = &enter { Some(enter) } else { None };
        for source in sources {
            match *source {
                Source::Old(index) => out.push(old[usize::from(index) % MAX_PARAMS]),
                Source::Enter(index) => match enter.and_then(|e| e.param(usize::from(index))) {
                    Some(value) => out.push(value),
                    None => out.push_default(),
                },
                Source::EnterOrEmpty(index) => {
                    out.push(enter.and_then(|e| e.param(usize::from(index))).unwrap_or_default());
                }
                Source::Default => out.push_default(),
                Source::Empty => out.push(&[]),
                Source::ContainerJson => out.push(&json::container(event).unwrap_or_default()),
            }
        }
        out.finish();
        if enter.is_some() {
            self.enters.used(event.tid);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Pass,
    Drop,
    Changed,
}

fn endless(event: &Event<'_>) -> ConvertError {
    ConvertError::Endless { name: event.info().symbol }
}

/// Writes an event into a buffer that is used again and again.
struct Build<'a> {
    out: &'a mut Vec<u8>,
    params: &'static [ParamInfo],
    width: usize,
    index: usize,
}

impl<'a> Build<'a> {
    fn begin(out: &'a mut Vec<u8>, from: &Event<'_>, code: u16, nparams: usize) -> Self {
        let (params, large) = info(code).map_or((&[][..], false), |info| (info.params, info.is_large()));
        let width = if large { 4 } else { 2 };
        out.clear();
        out.extend_from_slice(&from.bytes()[..HEADER_LEN]);
        out[20..22].copy_from_slice(&code.to_le_bytes());
        out[22..26].copy_from_slice(&(nparams as u32).to_le_bytes());
        out.resize(HEADER_LEN + nparams * width, 0);
        Self { out, params, width, index: 0 }
    }

    /// Appends a parameter, cut to the size of its type.
    fn push(&mut self, value: &[u8]) {
        let fixed = self.params.get(self.index).and_then(|param| param.ty.fixed_size());
        let most = fixed.unwrap_or(if self.width == 2 { usize::from(u16::MAX) } else { u32::MAX as usize });
        let value = &value[..value.len().min(most)];
        let at = HEADER_LEN + self.index * self.width;
        let len = (value.len() as u32).to_le_bytes();
        self.out[at..at + self.width].copy_from_slice(&len[..self.width]);
        self.out.extend_from_slice(value);
        self.index += 1;
    }

    fn push_default(&mut self) {
        let ty = self.params.get(self.index).map(|param| param.ty);
        let size = ty.and_then(ParamType::fixed_size).unwrap_or(0);
        let fill = if matches!(ty, Some(ParamType::Uid | ParamType::Gid)) { 0xff } else { 0 };
        self.push(&[fill; 16][..size]);
    }

    fn finish(self) {
        let len = (self.out.len() as u32).to_le_bytes();
        self.out[16..20].copy_from_slice(&len);
    }
}

#[cfg(test)]
mod tests;
