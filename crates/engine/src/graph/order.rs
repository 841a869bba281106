//! Estimates: what evaluating a node costs, and how often it is true. They decide order, never results.

use super::atom::{AtomKey, AtomRhs};
use super::operand::{SlotId, Source};
use super::{Node, NodeId, Pool};
use crate::fields::Multi;
use crate::ops::Quantifier;
use peregrine_filter::ast::Op;
use rustc_hash::FxHashMap;

/// An estimate. Costs are in nanoseconds, roughly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Cost of one evaluation.
    pub cost: f32,
    /// Share of events on which it is true.
    pub truth: f32,
}

/// Cost of taking a field, by the beginning of its name; the first that fits counts.
const FIELD_COSTS: &[(&str, f32)] = &[
    ("evt.is_open", 3.0),
    ("evt.type", 3.0),
    ("evt.arg", 60.0),
    ("evt.", 4.0),
    ("fd.num", 2.0),
    ("fd.typechar", 4.0),
    ("fd.type", 5.0),
    ("fd.name", 5.0),
    ("fd.directory", 8.0),
    ("fd.filename", 8.0),
    ("fd.", 10.0),
    ("proc.name", 4.0),
    ("proc.exepath", 4.0),
    ("proc.cmdline", 5.0),
    ("proc.pname", 10.0),
    ("proc.p", 12.0),
    ("proc.a", 18.0),
    ("proc.", 6.0),
    ("container.id", 4.0),
    ("user.", 12.0),
    ("fs.path", 40.0),
];

/// Estimates of a pool's nodes, each made once.
#[derive(Debug, Default)]
pub struct Estimates {
    nodes: FxHashMap<NodeId, Estimate>,
}

impl Estimates {
    /// A node's estimate.
    pub fn of(&mut self, pool: &Pool<'_>, id: NodeId) -> Estimate {
        if let Some(known) = self.nodes.get(&id) {
            return *known;
        }
        let estimate = match pool.node(id) {
            Node::Const(value) => Estimate { cost: 0.0, truth: f32::from(u8::from(*value)) },
            Node::Atom(atom) => check(pool, &pool.atom(*atom).key),
            Node::Not(inner) => {
                let inner = self.of(pool, *inner);
                Estimate { cost: inner.cost, truth: 1.0 - inner.truth }
            }
            Node::And(all) => self.sequence(pool, all, true),
            Node::Or(all) => self.sequence(pool, all, false),
        };
        self.nodes.insert(id, estimate);
        estimate
    }

    /// Children, the one first that most cheaply decides.
    pub fn sorted(&mut self, pool: &Pool<'_>, all: &[NodeId], and: bool) -> Vec<NodeId> {
        let mut order: Vec<(f32, NodeId)> = all.iter().map(|id| (self.rank(pool, *id, and), *id)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        order.into_iter().map(|(_, id)| id).collect()
    }

    /// Cost for each decision: a conjunction is decided by what is false, a disjunction by what is true.
    fn rank(&mut self, pool: &Pool<'_>, id: NodeId, and: bool) -> f32 {
        let estimate = self.of(pool, id);
        let decides = if and { 1.0 - estimate.truth } else { estimate.truth };
        estimate.cost / decides.max(0.01)
    }

    fn sequence(&mut self, pool: &Pool<'_>, all: &[NodeId], and: bool) -> Estimate {
        let (mut cost, mut reached) = (0.0, 1.0);
        for id in self.sorted(pool, all, and) {
            let estimate = self.of(pool, id);
            cost += reached * estimate.cost;
            reached *= if and { estimate.truth } else { 1.0 - estimate.truth };
        }
        Estimate { cost, truth: if and { reached } else { 1.0 - reached } }
    }
}

/// A node's rank among its siblings, from scratch.
pub fn rough(pool: &Pool<'_>, id: NodeId) -> u32 {
    (Estimates::default().of(pool, id).cost * 100.0) as u32
}

/// Shares of events on which comparisons of a field are true, whatever they compare with, where this is known better.
const FIELD_TRUTHS: &[(&str, Op, f32)] = &[
    ("evt.is_open_read", Op::In, 0.7),
    ("evt.is_open_write", Op::In, 0.3),
    ("evt.is_open_create", Op::In, 0.2),
    ("fd.typechar", Op::In, 0.7),
    ("fd.type", Op::In, 0.5),
    ("fd.num", Op::Ge, 0.8),
    ("evt.rawres", Op::Ge, 0.8),
    ("container.id", Op::Ne, 0.3),
    // Words in the texts of flags are common.
    ("evt.arg", Op::Contains, 0.5),
    ("user.uid", Op::In, 0.6),
];

fn check(pool: &Pool<'_>, key: &AtomKey) -> Estimate {
    let count = key.consts().len() as f32;
    let (work, truth): (f32, f32) = match key.op {
        Op::Exists => (1.0, 0.9),
        Op::In | Op::Intersects | Op::Eq => (3.0, (0.05 * count).min(0.4)),
        Op::Ne => (3.0, 0.8),
        Op::Lt | Op::Le | Op::Gt | Op::Ge => (2.0, 0.5),
        Op::Startswith | Op::Endswith | Op::Bstartswith => (3.0, (0.05 * count).min(0.3)),
        Op::Contains | Op::Bcontains => (15.0 + 10.0 * count.min(4.0), 0.05),
        Op::Icontains => (40.0, 0.05),
        Op::Glob | Op::Iglob => (30.0 * count, 0.1),
        Op::Regex => (150.0 * count, 0.1),
        Op::Pmatch => (40.0, 0.1),
    };
    let truth = if key.quantifier == Quantifier::All && key.op != Op::Ne { truth * truth } else { truth };
    let name = pool.slot(key.slot).name(pool.fields);
    let better = FIELD_TRUTHS.iter().find(|(field, op, _)| *field == name && *op == key.op);
    let truth = better.map_or(truth, |(_, _, share)| *share);
    let rhs = match key.rhs {
        AtomRhs::Slot(slot) => slot_cost(pool, slot),
        AtomRhs::Consts(_) => 0.0,
    };
    let values = if pool.slot(key.slot).multi == Multi::Ancestors { 5.0 } else { 1.0 };
    Estimate { cost: slot_cost(pool, key.slot) * values + work * values + rhs, truth }
}

fn slot_cost(pool: &Pool<'_>, id: SlotId) -> f32 {
    match &pool.slot(id).source {
        Source::Field(..) => {
            let name = pool.slot(id).name(pool.fields);
            FIELD_COSTS.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or(15.0, |(_, cost)| *cost)
        }
        Source::Transform(_, args, _) | Source::List(args) => {
            40.0 + args.iter().map(|arg| slot_cost(pool, *arg)).sum::<f32>()
        }
        Source::Literal(_) => 0.0,
    }
}
