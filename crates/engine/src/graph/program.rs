//! Conditions as decision programs.
//!
//! A condition becomes a chain of comparisons, each with the place to go on where it holds and where it does not:
//! conjunctions, disjunctions and negations cost nothing when an event is evaluated. What several conditions have in
//! common is a program of its own, run at most once an event.

use super::plan::Planner;
use super::{AtomId, Node, NodeId};
use rustc_hash::FxHashMap;

/// A place in a [`Program`], or an end: then the highest bit is set, and the rest says which.
pub type Place = u32;

const END: u32 = 1 << 31;

/// The end that carries a number below 2³¹.
pub const fn end(number: u32) -> Place {
    END | number
}

/// The end where a condition does not hold.
pub const NO: Place = end(0);
/// The end where it holds.
pub const YES: Place = end(1);

/// The number of an end.
#[inline]
pub const fn ended(place: Place) -> Option<u32> {
    if place & END != 0 { Some(place & !END) } else { None }
}

/// What an instruction asks, and where to go on.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// What is asked.
    pub what: Question,
    /// Where to go on if the answer is yes.
    pub yes: Place,
    /// Where to go on if it is no.
    pub no: Place,
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether a comparison holds, which only one condition asks.
    Once(u32),
    /// Whether a comparison holds; the answer is kept for the event.
    Check(u32),
    /// Whether a condition of its own holds; the answer is kept for the event.
    Part(u32),
}

/// Programs of all conditions.
#[derive(Debug, Default)]
pub struct Program {
    /// Instructions. They go on at earlier ones only, so that every run ends.
    pub asks: Vec<Ask>,
    /// Where conditions of their own begin.
    pub parts: Vec<Place>,
}

/// Comparisons of a condition from which on it is worth a program of its own where it is a part of another.
const WORTH: usize = 4;

/// What was written already.
#[derive(Debug, Default)]
pub struct Written {
    checks: FxHashMap<AtomId, u32>,
    /// How many instructions ask each check.
    asked: Vec<u32>,
    roots: FxHashMap<NodeId, Place>,
    parts: FxHashMap<NodeId, u32>,
}

impl Planner<'_, '_> {
    /// The program of a whole condition, which ends in [`YES`] or [`NO`].
    pub(super) fn condition(&mut self, id: NodeId) -> Place {
        if let Some(known) = self.written.roots.get(&id) {
            return *known;
        }
        let place = self.inline(id, YES, NO);
        self.written.roots.insert(id, place);
        place
    }

    /// Writes a condition that goes on at one of two places; gives where it begins.
    pub(super) fn inline(&mut self, id: NodeId, yes: Place, no: Place) -> Place {
        let (all, and) = match self.pool.node(id).clone() {
            Node::Const(value) => return if value { yes } else { no },
            Node::Not(inner) => return self.inline(inner, no, yes),
            Node::Atom(atom) => {
                let check = self.check_of(atom);
                self.written.asked[check as usize] += 1;
                return self.ask(Question::Check(check), yes, no);
            }
            Node::And(all) => (all, true),
            Node::Or(all) => (all, false),
        };
        let ordered = self.estimates.sorted(self.pool, &all, and);
        // From the last to the first: each must know where the next begins.
        let mut next = if and { yes } else { no };
        for child in ordered.into_iter().rev() {
            let (yes, no) = if and { (next, no) } else { (yes, next) };
            next = if self.atoms(child, WORTH) < WORTH {
                self.inline(child, yes, no)
            } else {
                let part = self.part(child);
                self.ask(Question::Part(part), yes, no)
            };
        }
        next
    }

    fn ask(&mut self, what: Question, yes: Place, no: Place) -> Place {
        self.plan.program.asks.push(Ask { what, yes, no });
        self.plan.program.asks.len() as u32 - 1
    }

    fn part(&mut self, id: NodeId) -> u32 {
        if let Some(known) = self.written.parts.get(&id) {
            return *known;
        }
        let place = self.condition(id);
        self.plan.program.parts.push(place);
        let part = self.plan.program.parts.len() as u32 - 1;
        self.written.parts.insert(id, part);
        part
    }

    fn check_of(&mut self, atom: AtomId) -> u32 {
        if let Some(known) = self.written.checks.get(&atom) {
            return *known;
        }
        let check = self.check(atom);
        self.written.checks.insert(atom, check);
        self.written.asked.push(0);
        check
    }

    /// Comparisons of a condition, counted up to `most`.
    fn atoms(&self, id: NodeId, most: usize) -> usize {
        match self.pool.node(id) {
            Node::Const(_) => 0,
            Node::Atom(_) => 1,
            Node::Not(inner) => self.atoms(*inner, most),
            Node::And(all) | Node::Or(all) => {
                all.iter().fold(0, |sum, child| if sum >= most { sum } else { sum + self.atoms(*child, most) })
            }
        }
    }

    /// Answers that only one instruction wants need not be kept.
    pub(super) fn forget_single(&mut self) {
        for ask in &mut self.plan.program.asks {
            if let Question::Check(check) = ask.what
                && self.written.asked.get(check as usize) == Some(&1)
            {
                ask.what = Question::Once(check);
            }
        }
    }
}
