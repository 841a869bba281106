//! Old events in the schema of today.
//!
//! Captures of many years use event codes and parameter lists that have since been replaced, and gave a call's
//! arguments in its enter event. Here they become what today's driver would have written: one exit event that carries
//! everything. Source of the semantics: the converter of falcosecurity/libs.
//!
//! Where that converter fails a whole capture because an exit event's stored enter event belongs to another call
//! (events between were lost), this one takes the enter event as lost and counts it.

mod json;
mod plan;
mod store;
pub mod table;

use peregrine_event::{Event, HEADER_LEN, code, eflags, info};
use plan::{End, From, PLANS, Plan, Plans, Recipe};
use store::{Enter, EnterStore};

/// What is done with an event.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    /// It is given as it is.
    Pass,
    /// It is not given.
    Drop,
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
#[derive(Debug)]
pub struct Converter {
    plans: &'static Plans,
    enters: EnterStore,
    /// The event converted last.
    bytes: Vec<u8>,
    stats: ConvertStats,
}

impl Default for Converter {
    fn default() -> Self {
        Self { plans: &PLANS, enters: EnterStore::default(), bytes: Vec::new(), stats: ConvertStats::default() }
    }
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
        let plans = self.plans;
        let plan = plans.get(event.code, event.nparams());
        let large = event.bytes().len() > MAX_CONVERTED;
        match plan {
            Plan::Fail => return Err(refusal(event)),
            Plan::Keep(End::Pass) => return Ok(Outcome::Pass),
            Plan::Keep(End::Drop) => {}
            _ if large => {
                return Err(ConvertError::TooLarge { name: event.info().symbol, len: event.bytes().len() });
            }
            Plan::Keep(End::Store) => self.enters.put(event.tid, event.code, event.bytes()),
            Plan::Keep(End::StoreAndPass) => {
                self.enters.put(event.tid, event.code, event.bytes());
                return Ok(Outcome::Pass);
            }
            Plan::Build(recipe) => {
                self.build(event, recipe);
                if matches!(recipe.end, End::Store | End::StoreAndPass) {
                    self.enters.put(event.tid, recipe.code, &self.bytes);
                }
                if matches!(recipe.end, End::Pass | End::StoreAndPass) {
                    self.stats.converted += 1;
                    return Ok(Outcome::Converted);
                }
            }
        }
        self.stats.dropped += 1;
        Ok(Outcome::Drop)
    }

    /// Writes the event's form of today into `bytes`.
    fn build(&mut self, event: &Event<'_>, recipe: &Recipe) {
        let enter = match recipe.enter {
            Some(code) => self.enters.get(event.tid, code),
            None => Enter::Missing,
        };
        let enter = match &enter {
            Enter::Found(enter) => {
                self.stats.without_enter += recipe.asks - 1;
                Some(enter)
            }
            Enter::Missing => {
                self.stats.without_enter += recipe.asks;
                None
            }
            Enter::OtherCall => {
                self.stats.mismatched += recipe.asks;
                None
            }
        };
        let mut out = Build::begin(&mut self.bytes, event, recipe);
        for piece in &recipe.pieces {
            let value = match piece.from {
                From::Event(index) => event.param(usize::from(index)),
                From::Enter(index) => enter.and_then(|enter| enter.param(usize::from(index))),
                From::ContainerJson => {
                    out.push(&json::container(event).unwrap_or_default(), piece.most);
                    continue;
                }
                From::Nowhere => None,
            };
            match value {
                Some(value) => out.push(value, piece.most),
                None => out.push(&[piece.fill; 16][..piece.filled.min(16)], piece.most),
            }
        }
        out.finish();
        if enter.is_some() {
            self.enters.used(event.tid);
        }
    }
}

/// Why an event has no form of today.
#[cold]
fn refusal(event: &Event<'_>) -> ConvertError {
    let name = event.info().symbol;
    plan::of(event.code, event.nparams()).err().unwrap_or(ConvertError::Endless { name })
}

/// Writes an event into a buffer that is used again and again.
struct Build<'a> {
    out: &'a mut Vec<u8>,
    /// Bytes of a length.
    width: usize,
    index: usize,
}

impl<'a> Build<'a> {
    /// The header, and room for the lengths.
    fn begin(out: &'a mut Vec<u8>, from: &Event<'_>, recipe: &Recipe) -> Self {
        let width = if recipe.large { 4 } else { 2 };
        let nparams = recipe.pieces.len();
        out.clear();
        out.extend_from_slice(&from.bytes()[..HEADER_LEN]);
        out[20..22].copy_from_slice(&recipe.code.to_le_bytes());
        out[22..26].copy_from_slice(&(nparams as u32).to_le_bytes());
        out.resize(HEADER_LEN + nparams * width, 0);
        Self { out, width, index: 0 }
    }

    /// Appends a parameter, cut to so many bytes.
    #[inline]
    fn push(&mut self, value: &[u8], most: usize) {
        let value = &value[..value.len().min(most)];
        let at = HEADER_LEN + self.index * self.width;
        let len = (value.len() as u32).to_le_bytes();
        if self.width == 2 {
            self.out[at..at + 2].copy_from_slice(&len[..2]);
        } else {
            self.out[at..at + 4].copy_from_slice(&len);
        }
        // Most parameters are numbers, for which a call that copies any length is long.
        match (value.len(), value.first_chunk::<8>(), value.first_chunk::<4>()) {
            (8, Some(number), _) => self.out.extend_from_slice(number),
            (4, _, Some(number)) => self.out.extend_from_slice(number),
            _ => self.out.extend_from_slice(value),
        }
        self.index += 1;
    }

    fn finish(self) {
        let len = (self.out.len() as u32).to_le_bytes();
        self.out[16..20].copy_from_slice(&len);
    }
}

#[cfg(test)]
mod tests;
