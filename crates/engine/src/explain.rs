//! What a rule compiles to, and why it did or did not match an event.

use crate::engine::{EngineError, Rule};
use crate::eval::{self, Memory};
use crate::fields::Fields;
use crate::graph::atom::AtomKey;
use crate::graph::order::Estimates;
use crate::graph::plan::{Plan, Planner, kinds};
use crate::graph::simplify::Specialise;
use crate::graph::{AtomId, Kind, Node, NodeId, Pool};
use crate::ops::BuildError;
use crate::value::{Moment, Value};
use peregrine_filter::ast::Span;
use peregrine_filter::typed::Expr;

/// What a rule compiles to.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// What is left of the condition on which events; events on which it cannot match are not listed.
    pub forms: Vec<Form>,
    /// The fields that are taken, as conditions write them, each once.
    pub fields: Vec<String>,
}

/// A condition as it is evaluated on some events.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// Names of the events, sorted.
    pub events: Vec<String>,
    /// The condition, cheapest first.
    pub condition: String,
    /// Estimated cost of an evaluation in nanoseconds, sharing with other rules not counted.
    pub cost: f32,
    /// Estimated share of such events that match.
    pub selectivity: f32,
}

/// Describes a rule.
///
/// # Errors
/// The rule cannot be compiled.
pub fn describe(rule: &Rule, fields: &Fields) -> Result<Description, EngineError> {
    let failed = |error: BuildError| EngineError { rule: rule.name.clone(), error };
    let mut pool = Pool::new(fields);
    let root = pool.add(&rule.condition).map_err(failed)?;
    let mut forms: Vec<(NodeId, Vec<String>)> = Vec::new();
    for kind in kinds().filter(|kind| rule.codes.contains(kind.code())) {
        let left = Specialise::new(&mut pool, kind).node(root).map_err(failed)?;
        if *pool.node(left) == Node::Const(false) {
            continue;
        }
        let name = event_name(kind);
        match forms.iter_mut().find(|(id, _)| *id == left) {
            Some((_, events)) => events.push(name),
            None => forms.push((left, vec![name])),
        }
    }
    let mut used = Vec::new();
    let mut estimates = Estimates::default();
    let mut result = Vec::with_capacity(forms.len());
    for (id, mut events) in forms {
        collect_fields(&pool, id, &mut used);
        events.sort();
        events.dedup();
        let estimate = estimates.of(&pool, id);
        result.push(Form { events, condition: pool.text(id), cost: estimate.cost, selectivity: estimate.truth });
    }
    used.sort();
    used.dedup();
    Ok(Description { forms: result, fields: used })
}

fn event_name(kind: Kind) -> String {
    kind.name().unwrap_or(kind.info().name).to_string()
}

fn collect_fields(pool: &Pool<'_>, id: NodeId, into: &mut Vec<String>) {
    match pool.node(id) {
        Node::Const(_) => {}
        Node::Atom(atom) => into.push(pool.slot_text(pool.atom(*atom).key.slot)),
        Node::Not(inner) => collect_fields(pool, *inner, into),
        Node::And(all) | Node::Or(all) => all.iter().for_each(|child| collect_fields(pool, *child, into)),
    }
}

/// The outcome of one comparison, or of a combination of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// What it is.
    pub kind: TraceKind,
    /// Whether it holds.
    pub holds: bool,
}

/// What was evaluated.
#[derive(Debug, Clone, PartialEq)]
pub enum TraceKind {
    /// All must hold.
    And(Vec<Trace>),
    /// One must hold.
    Or(Vec<Trace>),
    /// Must not hold.
    Not(Box<Trace>),
    /// A comparison.
    Check {
        /// As conditions write it.
        text: String,
        /// Where it stands in the expanded condition.
        span: Span,
        /// The value of its left side as text, control characters escaped; `None` if there is none.
        value: Option<String>,
    },
}

impl Trace {
    /// The first part, in the order of writing, for which the whole does not hold; `None` if it does.
    pub fn first_false(&self) -> Option<&Trace> {
        if self.holds {
            return None;
        }
        match &self.kind {
            TraceKind::And(all) => all.iter().find_map(Trace::first_false),
            _ => Some(self),
        }
    }
}

/// Evaluates a rule's condition part by part.
#[derive(Debug)]
pub struct Tracer {
    expr: Expr,
    plan: Plan,
    memory: Memory,
    texts: Vec<String>,
    codes: peregrine_filter::events::CodeSet,
}

impl Tracer {
    /// A tracer of a rule.
    ///
    /// # Errors
    /// The rule cannot be compiled.
    pub fn new(rule: &Rule, fields: &Fields) -> Result<Self, EngineError> {
        let mut pool = Pool::new(fields);
        let mut atoms = Vec::new();
        add_checks(&rule.condition, &mut pool, &mut atoms)
            .map_err(|error| EngineError { rule: rule.name.clone(), error })?;
        let texts = atoms.iter().map(|atom| pool.atom_text(&pool.atom(*atom).key)).collect();
        let mut planner = Planner::new(&mut pool);
        planner.checks(&atoms);
        let plan = planner.finish();
        let memory = Memory::new(&plan);
        Ok(Self { expr: rule.condition.clone(), plan, memory, texts, codes: rule.codes })
    }

    /// Whether the rule is tried on the moment's event at all.
    pub fn applies(&self, moment: &Moment<'_>) -> bool {
        self.codes.contains(moment.event.code)
    }

    /// The outcome of each comparison, in the order of writing.
    pub(crate) fn outcomes(&mut self, moment: &Moment<'_>) -> Vec<bool> {
        let mut outcomes = Vec::with_capacity(self.texts.len());
        eval::checks(&self.plan, &mut self.memory, moment, |_, holds, _| outcomes.push(holds));
        outcomes
    }

    /// Evaluates every part, also those that an ordinary evaluation would pass over.
    pub fn trace(&mut self, moment: &Moment<'_>) -> Trace {
        let mut outcomes = Vec::with_capacity(self.texts.len());
        eval::checks(&self.plan, &mut self.memory, moment, |_, holds, value| {
            outcomes.push((holds, value.map(|value| value_text(&value))));
        });
        let mut outcomes = outcomes.into_iter().zip(&self.texts);
        build(&self.expr, &mut outcomes)
    }
}

/// The comparisons in order of writing, each as often as it is written.
fn add_checks(expr: &Expr, pool: &mut Pool<'_>, into: &mut Vec<AtomId>) -> Result<(), BuildError> {
    match expr {
        Expr::And(all) | Expr::Or(all) => all.iter().try_for_each(|part| add_checks(part, pool, into)),
        Expr::Not(inner) => add_checks(inner, pool, into),
        Expr::Check(check) => {
            let key = AtomKey::of(check, pool);
            into.push(pool.atom_of(key)?);
            Ok(())
        }
    }
}

type Outcome<'t> = ((bool, Option<String>), &'t String);

fn build<'t>(expr: &Expr, outcomes: &mut impl Iterator<Item = Outcome<'t>>) -> Trace {
    match expr {
        Expr::And(all) => {
            let all: Vec<Trace> = all.iter().map(|part| build(part, outcomes)).collect();
            Trace { holds: all.iter().all(|part| part.holds), kind: TraceKind::And(all) }
        }
        Expr::Or(all) => {
            let all: Vec<Trace> = all.iter().map(|part| build(part, outcomes)).collect();
            Trace { holds: all.iter().any(|part| part.holds), kind: TraceKind::Or(all) }
        }
        Expr::Not(inner) => {
            let inner = build(inner, outcomes);
            Trace { holds: !inner.holds, kind: TraceKind::Not(Box::new(inner)) }
        }
        Expr::Check(check) => {
            let ((holds, value), text) =
                outcomes.next().map_or(((false, None), String::new()), |(o, t)| (o, t.clone()));
            Trace { holds, kind: TraceKind::Check { text, span: check.span, value } }
        }
    }
}

/// A value for people: texts with control characters escaped.
pub fn value_text(value: &Value<'_>) -> String {
    match value {
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).escape_debug().to_string(),
        Value::Int(n) => n.to_string(),
        Value::Uint(n) => n.to_string(),
        Value::Double(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Ip(ip) => ip.to_string(),
        Value::List(values) => {
            format!("({})", values.iter().map(value_text).collect::<Vec<_>>().join(","))
        }
    }
}
