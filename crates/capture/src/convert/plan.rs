//! What becomes of an event of each code and number of parameters: all steps that the table prescribes, in one.
//!
//! The table leads from form to form, one schema change a row; followed once for every form when the first capture is
//! opened, it says where each parameter of the last form comes from, so that an event is written once.

use super::table;
use super::{Action, ConvertError, Source};
use peregrine_event::decode::MAX_PARAMS;
use peregrine_event::{ParamType, code, eflags, info};
use std::sync::LazyLock;

/// More steps than any event of the table needs.
const MAX_STEPS: usize = 50;

/// What is done with an event.
#[derive(Debug)]
pub(super) enum Plan {
    /// It is given or dropped as it is.
    Keep(End),
    /// It is written anew.
    Build(Box<Recipe>),
    /// It has no form of today; [`of`] says why.
    Fail,
}

/// How conversion ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The event is given.
    Pass,
    /// It is not given.
    Drop,
    /// It is kept for its exit event and not given.
    Store,
    /// It is kept for its exit event and given.
    StoreAndPass,
}

/// How an event is written anew.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    /// Its new code.
    pub(super) code: u16,
    /// Whether its lengths take four bytes.
    pub(super) large: bool,
    /// Its parameters.
    pub(super) pieces: Vec<Piece>,
    /// The code of the enter event that it takes parameters from.
    pub(super) enter: Option<u16>,
    /// Steps that ask for an enter event. Only the first can get it: it is used up then.
    pub(super) asks: u64,
    /// What then becomes of it.
    pub(super) end: End,
}

/// A parameter of the new event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) from: From,
    /// It is cut to so many bytes.
    pub(super) most: usize,
    /// Without a value there: so many bytes of that value.
    pub(super) fill: u8,
    pub(super) filled: usize,
}

/// Where a parameter comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// That parameter of the event.
    Event(u8),
    /// That parameter of the stored enter event.
    Enter(u8),
    /// The text of an old container event.
    ContainerJson,
    /// Nowhere.
    Nowhere,
}

/// The plans of all forms of all events.
#[derive(Debug)]
pub(super) struct Plans {
    /// Where a code's plans begin, one for each number of parameters.
    start: Vec<u32>,
    plans: Vec<Plan>,
}

/// All plans.
pub(super) static PLANS: LazyLock<Plans> = LazyLock::new(|| {
    let mut plans = Plans { start: Vec::with_capacity(code::COUNT + 1), plans: Vec::new() };
    for code in 0..code::COUNT as u16 {
        plans.start.push(plans.plans.len() as u32);
        let most = info(code).map_or(0, |info| info.params.len());
        plans.plans.extend((0..=most).map(|nparams| of(code, nparams).unwrap_or(Plan::Fail)));
    }
    plans.start.push(plans.plans.len() as u32);
    plans
});

impl Plans {
    /// The plan for an event of that code with so many parameters.
    #[inline]
    pub(super) fn get(&self, code: u16, nparams: usize) -> &Plan {
        let code = usize::from(code);
        let range = self.start.get(code).zip(self.start.get(code + 1));
        let own = range.and_then(|(from, to)| self.plans.get(*from as usize..*to as usize));
        own.and_then(|own| own.get(nparams)).unwrap_or(&Plan::Fail)
    }
}

/// Follows the table from one form.
///
/// # Errors
/// The form has no form of today.
pub(super) fn of(code: u16, nparams: usize) -> Result<Plan, ConvertError> {
    let mut draft: Option<Recipe> = None;
    let (mut at, mut count) = (code, nparams);
    for _ in 0..MAX_STEPS {
        let end = match action(at, count)? {
            Action::Pass => End::Pass,
            Action::Drop => End::Drop,
            Action::Store => End::Store,
            Action::StoreAndPass => End::StoreAndPass,
            Action::Add(sources) => {
                draft = Some(step(draft, at, count, at, count, sources));
                count += sources.len();
                continue;
            }
            Action::Change(to, sources) => {
                draft = Some(step(draft, at, count, to, 0, sources));
                (at, count) = (to, sources.len());
                continue;
            }
        };
        return Ok(match draft {
            None => Plan::Keep(end),
            Some(mut recipe) => {
                recipe.end = end;
                recipe.large = info(recipe.code).is_some_and(|info| info.is_large());
                Plan::Build(Box::new(recipe))
            }
        });
    }
    Err(ConvertError::Endless { name: info(code).map_or("", |info| info.symbol) })
}

/// What the table does with one form.
fn action(code: u16, nparams: usize) -> Result<Action, ConvertError> {
    let Some(info) = info(code) else { return Ok(Action::Drop) };
    if info.has(eflags::EF_UNUSED) {
        return Ok(Action::Drop);
    }
    let (name, expected, managed) = (info.symbol, info.params.len(), info.has(eflags::EF_CONVERTER_MANAGED));
    if code & 1 == 1 || !managed {
        if nparams > expected {
            return Err(ConvertError::TooManyParams { name, nparams, expected });
        }
        if !info.has(eflags::EF_OLD_VERSION) && (nparams == expected || !managed) {
            return Ok(Action::Pass);
        }
        if !managed {
            return Ok(Action::Drop);
        }
    }
    table::find(code, nparams).ok_or(ConvertError::NoRow { name, nparams })
}

/// The recipe for the form that a row makes: `keep` parameters of the form before it, then the sources.
fn step(before: Option<Recipe>, code: u16, nparams: usize, to: u16, keep: usize, sources: &[Source]) -> Recipe {
    let mut before = before.unwrap_or_else(|| Recipe {
        code,
        large: false,
        pieces: (0..nparams.min(MAX_PARAMS) as u8).map(|index| Piece::of(From::Event(index))).collect(),
        enter: None,
        asks: 0,
        end: End::Pass,
    });
    let asks = sources.iter().any(|source| matches!(source, Source::Enter(_) | Source::EnterOrEmpty(_)));
    let first = asks && before.asks == 0;
    let row = info(to);
    let width = if row.is_some_and(|row| row.is_large()) { u32::MAX as usize } else { usize::from(u16::MAX) };
    let old = |index: usize| before.pieces.get(index).copied().unwrap_or(Piece::of(From::Nowhere));
    let enter = |index| Piece::of(if first { From::Enter(index) } else { From::Nowhere });
    let all = (0..keep as u8).map(Source::Old).chain(sources.iter().copied());
    let pieces = all.enumerate().map(|(index, source)| {
        let ty = row.and_then(|row| row.params.get(index)).map(|param| param.ty);
        let piece = match source {
            Source::Old(index) => old(usize::from(index)),
            Source::Enter(index) => enter(index).or_default(ty),
            Source::EnterOrEmpty(index) => enter(index),
            Source::Default => Piece::of(From::Nowhere).or_default(ty),
            Source::Empty => Piece::of(From::Nowhere),
            Source::ContainerJson => Piece::of(From::ContainerJson),
        };
        piece.cut(ty.and_then(ParamType::fixed_size).unwrap_or(width))
    });
    before.pieces = pieces.collect();
    before.code = to;
    before.asks += u64::from(asks);
    if first {
        before.enter = code.checked_sub(1);
    }
    before
}

impl Piece {
    pub(super) fn of(from: From) -> Self {
        Self { from, most: usize::MAX, fill: 0, filled: 0 }
    }

    /// The type's default value where there is none.
    pub(super) fn or_default(self, ty: Option<ParamType>) -> Self {
        let fill = if matches!(ty, Some(ParamType::Uid | ParamType::Gid)) { 0xff } else { 0 };
        Self { fill, filled: ty.and_then(ParamType::fixed_size).unwrap_or(0), ..self }
    }

    fn cut(self, most: usize) -> Self {
        Self { most: self.most.min(most), filled: self.filled.min(most), ..self }
    }
}
