//! Running a plan over one event.
//!
//! Answers that are asked for again and values of operands are kept for the event, stamped with its generation: nothing is
//! cleared between events. Values live in a vector whose memory is used again.

use crate::fields::Multi;
use crate::graph::Kind;
use crate::graph::operand::Source;
use crate::graph::plan::{Plan, PlanCheck};
use crate::graph::program::{NO, Place, Question, YES, end, ended};
use crate::transform;
use crate::value::{Moment, Value};
use crate::{dynamic, ops::Test};
use peregrine_filter::ast::Op;
use std::hint::black_box;

/// Memory of an evaluation, used again for every event.
#[derive(Debug, Default)]
pub struct Memory {
    generation: u32,
    /// Answers of checks and after them of parts: generation shifted left by one, and the answer.
    answers: Vec<u32>,
    /// Generation, and index into `values`.
    slots: Vec<(u32, u32)>,
    values: Vec<Value<'static>>,
}

/// Index of a slot that has no value.
const MISSING: u32 = u32::MAX;

impl Memory {
    /// Memory for a plan.
    pub fn new(plan: &Plan) -> Self {
        Self {
            generation: 0,
            answers: vec![0; plan.checks.len() + plan.program.parts.len()],
            slots: vec![(0, 0); plan.slots.len()],
            values: Vec::with_capacity(plan.slots.len()),
        }
    }

    fn next(&mut self) -> u32 {
        self.generation += 1;
        if self.generation >= u32::MAX >> 1 {
            self.generation = 1;
            self.answers.fill(0);
            self.slots.fill((0, 0));
        }
        self.generation
    }
}

/// An empty vector with the memory of `values`, for values of another life.
fn recycle<'b>(mut values: Vec<Value<'_>>) -> Vec<Value<'b>> {
    values.clear();
    values.into_iter().map(|_| Value::Bool(false)).collect()
}

/// Calls `matched` for each rule that matches, in order, until it says `false`.
pub fn rules(plan: &Plan, memory: &mut Memory, kind: Kind, moment: &Moment<'_>, mut matched: impl FnMut(u32) -> bool) {
    let Some(root) = plan.root(kind) else { return };
    let mut run = Run::new(plan, memory, moment);
    let leaf = run.program(root);
    if let Some((start, end)) = plan.leaves.get(leaf as usize) {
        for entry in &plan.entries[*start as usize..*end as usize] {
            if run.holds(entry.begin) && !matched(entry.rule) {
                break;
            }
        }
    }
    memory.values = recycle(run.values);
}

/// Evaluates single comparisons of a plan, whatever the kind of event, and hands on each outcome with the left side's
/// value.
pub fn checks<'a>(
    plan: &Plan,
    memory: &mut Memory,
    moment: &Moment<'a>,
    mut each: impl FnMut(usize, bool, Option<Value<'a>>),
) {
    let mut run = Run::new(plan, memory, moment);
    for (index, check) in plan.checks.iter().enumerate() {
        let holds = run.check(check);
        each(index, holds, run.value(check.slot));
    }
    memory.values = recycle(run.values);
}

struct Run<'p, 'a> {
    plan: &'p Plan,
    moment: &'p Moment<'a>,
    generation: u32,
    answers: &'p mut [u32],
    slots: &'p mut [(u32, u32)],
    values: Vec<Value<'a>>,
}

impl<'p, 'a> Run<'p, 'a> {
    fn new(plan: &'p Plan, memory: &'p mut Memory, moment: &'p Moment<'a>) -> Self {
        let generation = memory.next();
        let values = std::mem::take(&mut memory.values);
        Self { plan, moment, generation, answers: &mut memory.answers, slots: &mut memory.slots, values }
    }

    fn holds(&mut self, begin: Place) -> bool {
        // Most conditions that are decided before they begin are plain "no".
        match begin {
            NO => false,
            YES => true,
            begin => end(self.program(begin)) == YES,
        }
    }

    /// Runs a program and gives the number of its end.
    fn program(&mut self, begin: Place) -> u32 {
        let plan = self.plan;
        let mut at = begin;
        loop {
            if let Some(number) = ended(at) {
                return number;
            }
            let ask = &plan.program.asks[at as usize];
            let yes = match ask.what {
                Question::Once(check) => self.check(&plan.checks[check as usize]),
                Question::Check(check) => match self.answered(check as usize) {
                    Some(answer) => answer,
                    None => {
                        let answer = self.check(&plan.checks[check as usize]);
                        self.answer(check as usize, answer)
                    }
                },
                Question::Part(part) => {
                    let index = plan.checks.len() + part as usize;
                    match self.answered(index) {
                        Some(answer) => answer,
                        None => {
                            let answer = self.holds(plan.program.parts[part as usize]);
                            self.answer(index, answer)
                        }
                    }
                }
            };
            at = if yes { ask.yes } else { ask.no };
        }
    }

    #[inline]
    fn answered(&self, index: usize) -> Option<bool> {
        let kept = self.answers[index];
        (kept >> 1 == self.generation).then_some(kept & 1 == 1)
    }

    #[inline]
    fn answer(&mut self, index: usize, answer: bool) -> bool {
        self.answers[index] = self.generation << 1 | u32::from(answer);
        answer
    }

    #[inline]
    fn check(&mut self, check: &PlanCheck) -> bool {
        let index = self.index(check.slot);
        let Some(value) = self.values.get(index as usize) else { return false };
        if check.plain { check.test.matches(value) } else { self.compare(check, *value) }
    }

    /// Comparisons with another operand, or of several values.
    #[cold]
    fn compare(&mut self, check: &PlanCheck, value: Value<'a>) -> bool {
        let rhs = match check.rhs {
            None => None,
            Some(slot) => match self.value(slot) {
                None => return false,
                rhs => rhs,
            },
        };
        match check.multi {
            Multi::One => one(check, value, rhs),
            _ => several(check, value, rhs),
        }
    }

    /// Where a slot's value lies, which is taken at most once an event; [`MISSING`] if it has none.
    #[inline]
    fn index(&mut self, slot: u32) -> u32 {
        let (generation, index) = self.slots[slot as usize];
        if generation == self.generation { index } else { self.fill(slot) }
    }

    fn value(&mut self, slot: u32) -> Option<Value<'a>> {
        let index = self.index(slot);
        self.values.get(index as usize).copied()
    }

    #[inline(never)]
    fn fill(&mut self, slot: u32) -> u32 {
        let index = match self.take(slot) {
            // Apart, so that it is moved field by field: as a whole it would be read wider than it was just written,
            // which makes the processor wait for the writes. The compiler is kept from making one of all.
            Some(Value::Bytes(bytes)) => self.keep(Value::Bytes(black_box(bytes))),
            Some(Value::Bool(truth)) => self.keep(Value::Bool(black_box(truth))),
            Some(Value::Int(number)) => self.keep(Value::Int(black_box(number))),
            Some(Value::Uint(number)) => self.keep(Value::Uint(black_box(number))),
            Some(value) => self.keep(value),
            None => MISSING,
        };
        self.slots[slot as usize] = (self.generation, index);
        index
    }

    #[inline]
    fn keep(&mut self, value: Value<'a>) -> u32 {
        self.values.push(value);
        self.values.len() as u32 - 1
    }

    #[inline]
    fn take(&mut self, slot: u32) -> Option<Value<'a>> {
        let plan = self.plan;
        match &plan.slots[slot as usize] {
            Source::Field(extract, arg) => extract(self.moment, arg),
            source => self.compose(source),
        }
    }

    /// Transformers and literals. They are rare, and they may build texts in the event's scratch memory.
    #[cold]
    fn compose(&mut self, source: &Source) -> Option<Value<'a>> {
        let scratch = self.moment.scratch;
        match source {
            Source::Field(extract, arg) => extract(self.moment, arg),
            Source::Literal(text) => Some(Value::Bytes(scratch.alloc_slice_copy(text))),
            Source::List(items) => {
                let mut values = bumpalo::collections::Vec::with_capacity_in(items.len(), scratch);
                for item in items {
                    values.push(self.value(item.0)?);
                }
                Some(Value::List(values.into_bump_slice()))
            }
            Source::Transform(kind, args, selected) => {
                let mut values = bumpalo::collections::Vec::with_capacity_in(args.len(), scratch);
                for arg in args {
                    values.push(self.value(arg.0)?);
                }
                transform::apply(*kind, values.into_bump_slice(), *selected, scratch)
            }
        }
    }
}

#[inline]
fn one(check: &PlanCheck, value: Value<'_>, rhs: Option<Value<'_>>) -> bool {
    match rhs {
        None => check.test.matches(&value),
        Some(rhs) => dynamic::compare(check.op, check.quantifier, value, rhs),
    }
}

/// Comparisons of fields that stand for several values.
fn several(check: &PlanCheck, value: Value<'_>, rhs: Option<Value<'_>>) -> bool {
    if matches!(check.test, Test::Exists) && check.op == Op::Exists {
        return true;
    }
    let Value::List(values) = value else { return one(check, value, rhs) };
    match (check.multi, check.op) {
        (Multi::Ends, Op::Ne) => !values.is_empty() && values.iter().all(|value| one(check, *value, rhs)),
        _ => values.iter().any(|value| one(check, *value, rhs)),
    }
}
