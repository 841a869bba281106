//! Running a plan over one event.
//!
//! Outcomes of shared steps and values of operands are kept for the event, stamped with its generation: nothing is
//! cleared between events. Values live in a vector whose memory is used again.

use crate::fields::Multi;
use crate::graph::Kind;
use crate::graph::operand::Source;
use crate::graph::plan::{Branch, Plan, PlanCheck, Ref, StepKind};
use crate::transform;
use crate::value::{Moment, Value};
use crate::{dynamic, ops::Test};
use peregrine_filter::ast::Op;

/// Memory of an evaluation, used again for every event.
#[derive(Debug, Default)]
pub struct Memory {
    generation: u32,
    /// Generation shifted left by one, and the outcome.
    steps: Vec<u32>,
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
            steps: vec![0; plan.steps.len()],
            slots: vec![(0, 0); plan.slots.len()],
            values: Vec::with_capacity(plan.slots.len()),
        }
    }

    fn next(&mut self) -> u32 {
        self.generation += 1;
        if self.generation >= u32::MAX >> 1 {
            self.generation = 1;
            self.steps.fill(0);
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
    let Some(mut at) = plan.root(kind) else { return };
    let generation = memory.next();
    let mut run = Run {
        plan,
        moment,
        generation,
        steps: &mut memory.steps,
        slots: &mut memory.slots,
        values: recycle(std::mem::take(&mut memory.values)),
    };
    loop {
        match plan.branches[at as usize] {
            Branch::Split(test, yes, no) => at = if run.holds(test) { yes } else { no },
            Branch::Rules(start, end) => {
                for entry in &plan.entries[start as usize..end as usize] {
                    if run.holds(entry.root) && !matched(entry.rule) {
                        break;
                    }
                }
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
    let generation = memory.next();
    let values = recycle(std::mem::take(&mut memory.values));
    let mut run = Run { plan, moment, generation, steps: &mut memory.steps, slots: &mut memory.slots, values };
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
    steps: &'p mut [u32],
    slots: &'p mut [(u32, u32)],
    values: Vec<Value<'a>>,
}

impl<'a> Run<'_, 'a> {
    fn holds(&mut self, step: Ref) -> bool {
        self.step(step.index()) != step.negated()
    }

    fn step(&mut self, index: usize) -> bool {
        let plan = self.plan;
        let step = &plan.steps[index];
        if step.shared {
            let kept = self.steps[index];
            if kept >> 1 == self.generation {
                return kept & 1 == 1;
            }
        }
        let children = || &plan.children[step.start as usize..step.end as usize];
        let outcome = match step.kind {
            StepKind::Check => self.check(&plan.checks[step.start as usize]),
            StepKind::And => children().iter().all(|child| self.holds(*child)),
            StepKind::Or => children().iter().any(|child| self.holds(*child)),
            StepKind::Const => step.start == 1,
        };
        if step.shared {
            self.steps[index] = self.generation << 1 | u32::from(outcome);
        }
        outcome
    }

    fn check(&mut self, check: &PlanCheck) -> bool {
        let Some(value) = self.value(check.slot) else { return false };
        if check.plain { check.test.matches(&value) } else { self.compare(check, value) }
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

    /// A slot's value, taken at most once an event.
    #[inline]
    fn value(&mut self, slot: u32) -> Option<Value<'a>> {
        let (generation, index) = self.slots[slot as usize];
        if generation == self.generation { self.values.get(index as usize).copied() } else { self.fill(slot) }
    }

    #[inline(never)]
    fn fill(&mut self, slot: u32) -> Option<Value<'a>> {
        let value = self.take(slot);
        let index = match value {
            Some(value) => {
                self.values.push(value);
                self.values.len() as u32 - 1
            }
            None => MISSING,
        };
        self.slots[slot as usize] = (self.generation, index);
        value
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
