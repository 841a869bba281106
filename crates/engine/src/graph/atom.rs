//! Comparisons in a normal form, so that equal ones are found.

use super::Pool;
use super::operand::SlotId;
use crate::fields::Multi;
use crate::ops::{BuildError, Literal, Quantifier, Test};
use peregrine_filter::ast::{Modifier, Op};
use peregrine_filter::typed::{Check, Const, Rhs};

/// What makes two comparisons the same.
///
/// `=`, `in` and `= anyof` are [`Op::In`] with [`Quantifier::Any`]; `!=` is [`Op::Ne`] with [`Quantifier::All`];
/// constants are sorted and distinct, unless exactly one must match.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AtomKey {
    /// Left side.
    pub slot: SlotId,
    /// Operator.
    pub op: Op,
    /// How many constants must satisfy it.
    pub quantifier: Quantifier,
    /// Right side.
    pub rhs: AtomRhs,
}

/// Right side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AtomRhs {
    /// Constants; none for `exists`.
    Consts(Vec<Literal>),
    /// Another operand.
    Slot(SlotId),
}

/// A comparison with its test built.
#[derive(Debug)]
pub struct Atom {
    /// What it compares.
    pub key: AtomKey,
    /// The test, for constants.
    pub test: Test,
    /// What several values on the left side mean.
    pub multi: Multi,
}

impl AtomKey {
    /// The normal form of a check.
    pub fn of(check: &Check, pool: &mut Pool<'_>) -> Self {
        let slot = pool.slot_of(&check.lhs);
        let info = pool.slot(slot);
        let list = info.is_list;
        let rhs = match &check.rhs {
            Rhs::None => AtomRhs::Consts(Vec::new()),
            Rhs::Operand(operand) => AtomRhs::Slot(pool.slot_of(operand)),
            Rhs::Consts(consts) => AtomRhs::Consts(literals(consts, check, pool, slot)),
        };
        let mut key = Self { slot, op: check.op, quantifier: Quantifier::Any, rhs };
        let modifier = check.modifier.filter(|_| knows_modifiers(pool, slot));
        key.quantifier = match modifier {
            Some(Modifier::Allof) => Quantifier::All,
            Some(Modifier::Oneof) => Quantifier::One,
            Some(Modifier::Anyof) => Quantifier::Any,
            None if check.op == Op::Ne => Quantifier::All,
            None => Quantifier::Any,
        };
        key.op = match check.op {
            Op::Eq => Op::In,
            Op::Intersects if !list => Op::In,
            op => op,
        };
        key.normalise();
        key
    }

    /// Sorts constants where their order and number do not matter; a lone constant needs no quantifier.
    fn normalise(&mut self) {
        let AtomRhs::Consts(consts) = &mut self.rhs else { return };
        if self.quantifier != Quantifier::One {
            consts.sort();
            consts.dedup();
        }
        if consts.len() == 1 {
            self.quantifier = if self.op == Op::Ne { Quantifier::All } else { Quantifier::Any };
        }
    }

    /// Its constants, if it compares with constants.
    pub fn consts(&self) -> &[Literal] {
        match &self.rhs {
            AtomRhs::Consts(consts) => consts,
            AtomRhs::Slot(_) => &[],
        }
    }
}

/// Whether modifiers mean anything on a field. Upstream's own comparisons of two-sided fields, of ancestors and of raw
/// parameters know none: they take the first value of several.
fn knows_modifiers(pool: &Pool<'_>, slot: SlotId) -> bool {
    let slot = pool.slot(slot);
    slot.multi == Multi::One && slot.name(pool.fields) != "evt.rawarg"
}

/// The constants that count: where modifiers mean nothing the first, and `fd.net in (…)` too looks at its first network
/// only.
fn literals(consts: &[Const], check: &Check, pool: &Pool<'_>, slot: SlotId) -> Vec<Literal> {
    let only_first = (check.modifier.is_some() && !knows_modifiers(pool, slot))
        || (check.op == Op::In && pool.slot(slot).name(pool.fields) == "fd.net");
    let count = if only_first { consts.len().min(1) } else { consts.len() };
    consts[..count].iter().map(literal).collect()
}

fn literal(constant: &Const) -> Literal {
    match constant {
        Const::Bytes(bytes) => Literal::Bytes(bytes.clone()),
        Const::Int(n) => Literal::Int(*n),
        Const::Uint(n) => Literal::Uint(*n),
        Const::Double(n) => Literal::Double(n.to_bits()),
        Const::Bool(b) => Literal::Bool(*b),
        Const::Ip(ip) => Literal::Ip(*ip),
        Const::Net(ip, bits) => Literal::Net(*ip, *bits),
    }
}

impl Atom {
    /// Builds the comparison's test.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn new(key: AtomKey, pool: &Pool<'_>) -> Result<Self, BuildError> {
        let slot = pool.slot(key.slot);
        let (multi, list) = (slot.multi, slot.is_list);
        // Both ends must differ for `!=`: the opposite of one being equal.
        let op = if multi == Multi::Ends && key.op == Op::Ne { Op::In } else { key.op };
        let test = match &key.rhs {
            AtomRhs::Slot(_) => Test::Exists,
            AtomRhs::Consts(_) if key.op == Op::Exists => Test::Exists,
            AtomRhs::Consts(consts) => {
                let test = Test::new(op, key.quantifier, consts)?;
                match key.op {
                    Op::In if list => Test::Every(Box::new(test)),
                    Op::Intersects if list => Test::Some(Box::new(test)),
                    _ => test,
                }
            }
        };
        let test = if multi == Multi::Ends && key.op == Op::Ne { Test::Not(Box::new(test)) } else { test };
        Ok(Self { key, test, multi })
    }
}
