//! Conditions for one kind of event: constants folded, comparisons of one field merged.

use super::atom::{AtomKey, AtomRhs};
use super::constants::{Known, event_number, known};
use super::operand::SlotId;
use super::{AtomId, Kind, Node, NodeId, Pool};
use crate::fields::Multi;
use crate::ops::{BuildError, Quantifier};
use peregrine_filter::ast::Op;
use rustc_hash::FxHashMap;

/// Specialises conditions for one kind of event.
pub struct Specialise<'p, 'f> {
    pool: &'p mut Pool<'f>,
    kind: Kind,
    known: FxHashMap<SlotId, Known>,
    done: FxHashMap<NodeId, NodeId>,
}

impl<'p, 'f> Specialise<'p, 'f> {
    /// For one kind of event.
    pub fn new(pool: &'p mut Pool<'f>, kind: Kind) -> Self {
        Self { pool, kind, known: FxHashMap::default(), done: FxHashMap::default() }
    }

    /// The outcomes of the pool's first `count` comparisons on such events, where they are sure. Kinds of events with
    /// the same outcomes have the same conditions left.
    pub fn outcomes(&mut self, count: usize) -> Vec<Option<bool>> {
        (0..count as u32).map(|atom| self.atom(AtomId(atom))).collect()
    }

    /// The node that is equal to `id` on such events.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn node(&mut self, id: NodeId) -> Result<NodeId, BuildError> {
        if let Some(done) = self.done.get(&id) {
            return Ok(*done);
        }
        let result = match self.pool.node(id).clone() {
            Node::Const(_) => id,
            Node::Atom(atom) => match self.atom(atom) {
                Some(value) => self.pool.constant(value),
                None => id,
            },
            Node::Not(inner) => {
                let inner = self.node(inner)?;
                self.pool.not(inner)
            }
            Node::And(all) => self.children(&all, true)?,
            Node::Or(all) => self.children(&all, false)?,
        };
        self.done.insert(id, result);
        Ok(result)
    }

    fn children(&mut self, all: &[NodeId], and: bool) -> Result<NodeId, BuildError> {
        let mut children = Vec::with_capacity(all.len());
        for child in all {
            let child = self.node(*child)?;
            if *self.pool.node(child) == Node::Const(!and) {
                return Ok(child);
            }
            children.push(child);
        }
        let combined = if and { self.pool.and(children) } else { self.pool.or(children) };
        match self.pool.node(combined).clone() {
            Node::And(all) if and => merge(self.pool, &all, true),
            Node::Or(all) if !and => merge(self.pool, &all, false),
            _ => Ok(combined),
        }
    }

    /// The comparison's outcome, if the kind of event decides it.
    fn atom(&mut self, id: AtomId) -> Option<bool> {
        let atom = self.pool.atom(id);
        let slot = self.pool.slot(atom.key.slot);
        if slot.name(self.pool.fields) == "evt.num" {
            return event_number(&atom.key);
        }
        let fields = self.pool.fields;
        let lhs = *self.known.entry(atom.key.slot).or_insert_with(|| known(slot, fields, self.kind));
        if let AtomRhs::Slot(rhs) = atom.key.rhs {
            let rhs = known(self.pool.slot(rhs), fields, self.kind);
            return (lhs == Known::Missing || rhs == Known::Missing).then_some(false);
        }
        match lhs {
            Known::No => None,
            Known::Missing => Some(false),
            Known::Value(value) if atom.multi == Multi::One => Some(atom.test.matches(&value)),
            Known::Value(_) => None,
        }
    }
}

/// A node that holds where one of others does, and these.
pub type Group = (NodeId, Vec<NodeId>);

/// The fewest comparisons of which one holds where one of `nodes` does, each with the nodes that it stands for.
///
/// # Errors
/// See [`BuildError`].
pub fn alternatives(pool: &mut Pool<'_>, mut nodes: Vec<NodeId>) -> Result<Vec<Group>, BuildError> {
    nodes.sort_unstable();
    nodes.dedup();
    groups(pool, &nodes, false)
}

/// Merges comparisons of one operand: in a disjunction `x = a or x = b` into `x in (a, b)` (and so for every operator
/// that is true if one constant satisfies it), in a conjunction `not x = a and not x = b` into `not x in (a, b)`, and
/// `x != a and x != b` into `x != allof (a, b)`.
fn merge(pool: &mut Pool<'_>, all: &[NodeId], and: bool) -> Result<NodeId, BuildError> {
    let merged = groups(pool, all, and)?.into_iter().map(|group| group.0).collect();
    Ok(if and { pool.and(merged) } else { pool.or(merged) })
}

/// What merging leaves of a conjunction or disjunction, each with what was merged into it.
fn groups(pool: &mut Pool<'_>, all: &[NodeId], and: bool) -> Result<Vec<Group>, BuildError> {
    let mut groups: Vec<(AtomKey, bool, Vec<NodeId>)> = Vec::new();
    let mut kept = Vec::with_capacity(all.len());
    for id in all {
        match mergeable(pool, *id, and) {
            None => kept.push((*id, vec![*id])),
            Some((key, negated)) => match groups.iter_mut().find(|(k, n, _)| *n == negated && same_kind(k, &key)) {
                None => groups.push((key, negated, vec![*id])),
                Some((merged, _, members)) => {
                    extend(merged, &key);
                    members.push(*id);
                }
            },
        }
    }
    for (key, negated, members) in groups {
        if let [only] = members[..] {
            kept.push((only, members));
            continue;
        }
        let id = pool.check(key)?;
        kept.push((if negated { pool.not(id) } else { id }, members));
    }
    Ok(kept)
}

/// A comparison that can be merged with its like, and whether it stands under `not`.
fn mergeable(pool: &Pool<'_>, id: NodeId, and: bool) -> Option<(AtomKey, bool)> {
    let (atom, negated) = match pool.node(id) {
        Node::Atom(atom) => (pool.atom(*atom), false),
        Node::Not(inner) => match pool.node(*inner) {
            Node::Atom(atom) => (pool.atom(*atom), true),
            _ => return None,
        },
        _ => return None,
    };
    let key = &atom.key;
    let slot = pool.slot(key.slot);
    if key.consts().is_empty() || matches!(key.op, Op::Exists | Op::Lt | Op::Le | Op::Gt | Op::Ge) {
        return None;
    }
    let differs = key.op == Op::Ne;
    let fits = if differs {
        and && !negated && key.quantifier == Quantifier::All && slot.multi == Multi::One
    } else {
        let list = slot.is_list && key.op != Op::Intersects;
        let first_only = slot.multi == Multi::Ends;
        negated == and && key.quantifier == Quantifier::Any && !list && !first_only
    };
    fits.then(|| (key.clone(), negated))
}

fn same_kind(a: &AtomKey, b: &AtomKey) -> bool {
    a.slot == b.slot && a.op == b.op && a.quantifier == b.quantifier
}

fn extend(into: &mut AtomKey, other: &AtomKey) {
    if let (AtomRhs::Consts(into), AtomRhs::Consts(other)) = (&mut into.rhs, &other.rhs) {
        into.extend(other.iter().cloned());
        into.sort();
        into.dedup();
    }
}
