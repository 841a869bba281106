//! Rules whose outcome hangs on what nobody has told yet: the container of the event.
//!
//! What does not hang on it is decided at the moment of the event, whose state is soon another; what does is decided
//! when the container is known, or will not be.

use crate::engine::{EngineError, Rule};
use crate::explain::Tracer;
use crate::fields::Fields;
use crate::value::Moment;
use peregrine_filter::typed::{Expr, Operand, Rhs};

/// Whether a value is one of those that are only known once somebody has told of the container.
pub fn is_late(operand: &Operand, fields: &Fields) -> bool {
    match operand {
        Operand::Field(field) => {
            let name = fields.field(field.id).info.name;
            let at_once = ["container.id", "container.start_ts", "container.duration"];
            (name.starts_with("container.") && !at_once.contains(&name)) || name.starts_with("k8s.")
        }
        Operand::Transform { args, .. } => args.iter().any(|arg| is_late(arg, fields)),
        Operand::List(items) => items.iter().any(|item| is_late(item, fields)),
        Operand::Literal(_) => false,
    }
}

/// Outcomes of the comparisons that were decided at the moment of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided(Vec<bool>);

/// What can be said of a rule before the container is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It matches whatever the container is, or not.
    Decided(bool),
    /// It hangs on the container.
    Open(Undecided),
}

/// A rule whose condition asks for the container.
#[derive(Debug)]
pub struct LateRule {
    condition: Expr,
    tracer: Tracer,
    /// Of each comparison, in the order of writing, whether it waits for the container.
    late: Vec<bool>,
}

impl LateRule {
    /// The rule, if its condition asks for the container.
    ///
    /// # Errors
    /// The rule cannot be compiled.
    pub fn new(rule: &Rule, fields: &Fields) -> Result<Option<Self>, EngineError> {
        let mut late = Vec::new();
        find(&rule.condition, fields, &mut late);
        if !late.contains(&true) {
            return Ok(None);
        }
        Ok(Some(Self { condition: rule.condition.clone(), tracer: Tracer::new(rule, fields)?, late }))
    }

    /// Decides at the moment of the event what can be.
    pub fn begin(&mut self, moment: &Moment<'_>) -> Verdict {
        let outcomes = self.tracer.outcomes(moment);
        let mut known = outcomes.iter().zip(&self.late).map(|(holds, late)| (!late).then_some(*holds));
        match decide(&self.condition, &mut known) {
            Some(decided) => Verdict::Decided(decided),
            None => Verdict::Open(Undecided(outcomes)),
        }
    }

    /// Whether it matches, now that everything is known of the container that ever will be.
    pub fn end(&mut self, moment: &Moment<'_>, undecided: &Undecided) -> bool {
        let now = self.tracer.outcomes(moment);
        let mut all = now.iter().zip(&undecided.0).zip(&self.late);
        let mut all = all.by_ref().map(|((now, before), late)| Some(if *late { *now } else { *before }));
        decide(&self.condition, &mut all).unwrap_or(false)
    }
}

/// Whether each comparison waits, in the order of writing.
fn find(expr: &Expr, fields: &Fields, into: &mut Vec<bool>) {
    match expr {
        Expr::And(all) | Expr::Or(all) => all.iter().for_each(|part| find(part, fields, into)),
        Expr::Not(inner) => find(inner, fields, into),
        Expr::Check(check) => {
            let other = matches!(&check.rhs, Rhs::Operand(operand) if is_late(operand, fields));
            into.push(other || is_late(&check.lhs, fields));
        }
    }
}

/// The truth of an expression of whose comparisons some are not decided. Takes an outcome for each comparison.
fn decide(expr: &Expr, outcomes: &mut impl Iterator<Item = Option<bool>>) -> Option<bool> {
    match expr {
        Expr::And(all) => together(all, false, outcomes),
        Expr::Or(all) => together(all, true, outcomes),
        Expr::Not(inner) => decide(inner, outcomes).map(|holds| !holds),
        Expr::Check(_) => outcomes.next().flatten(),
    }
}

/// One part that is `decisive` decides, whatever the others are.
fn together(parts: &[Expr], decisive: bool, outcomes: &mut impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let (mut decided, mut open) = (false, false);
    for part in parts {
        match decide(part, outcomes) {
            Some(holds) => decided |= holds == decisive,
            None => open = true,
        }
    }
    if decided { Some(decisive) } else { (!open).then_some(!decisive) }
}
