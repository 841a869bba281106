//! What is evaluated: the graph flattened, and for each kind of event a tree that leads to the rules that can match.

use super::atom::AtomRhs;
use super::operand::Source;
use super::order::Estimates;
use super::program::{self, Place, Program, Written};
use super::simplify::{Group, alternatives};
use super::{Kind, Node, NodeId, Pool};
use crate::fields::Multi;
use crate::ops::{BuildError, Quantifier, Test};
use peregrine_event::{code, sc};
use peregrine_filter::ast::Op;
use rustc_hash::FxHashMap;

/// A comparison, ready.
#[derive(Debug)]
pub struct PlanCheck {
    /// Whether it is nothing but a test of one value.
    pub plain: bool,
    /// Slot of the left side.
    pub slot: u32,
    /// Slot of the right side, if it is none of constants.
    pub rhs: Option<u32>,
    /// The operator.
    pub op: Op,
    /// How many of the right side's values must satisfy it.
    pub quantifier: Quantifier,
    /// What several values on the left side mean.
    pub multi: Multi,
    /// The test of constants.
    pub test: Test,
}

/// A rule and its condition in one leaf.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Index of the rule.
    pub rule: u32,
    /// Where its condition begins, given the splits that led here; ends in [`program::YES`] or [`program::NO`].
    pub begin: Place,
}

/// Everything that is evaluated.
#[derive(Debug, Default)]
pub struct Plan {
    /// Conditions and trees.
    pub program: Program,
    /// Comparisons.
    pub checks: Vec<PlanCheck>,
    /// Where slots' values come from.
    pub slots: Vec<Source>,
    /// Leaves: ranges of [`Plan::entries`], whose rules are tried in order.
    pub leaves: Vec<(u32, u32)>,
    /// Rules of leaves.
    pub entries: Vec<Entry>,
    /// Where each kind's tree begins, which ends in a leaf's index; by code, then by call for code 0 and for code 1.
    roots: Vec<u32>,
}

/// Root of a kind that no rule can match.
const NOTHING: u32 = u32::MAX;

/// Number of kinds.
const KINDS: usize = code::COUNT + 2 * sc::NAMES.len();

/// Rules that a leaf may hold without being split further.
const FEW: usize = 2;

/// Rules that must require a comparison for it to split a tree.
const MANY: usize = 3;

/// Most leaves of one kind's tree, those behind guards not counted.
const MAX_LEAVES: usize = 64;

/// Most guards of a leaf.
const MAX_GUARDS: usize = 8;

fn position(kind: Kind) -> usize {
    match kind {
        Kind::Code(code) => usize::from(code),
        Kind::Generic(code, call) => {
            let call = usize::from(call).min(sc::NAMES.len() - 1);
            code::COUNT + usize::from(code & 1) * sc::NAMES.len() + call
        }
    }
}

/// All kinds of events.
pub fn kinds() -> impl Iterator<Item = Kind> {
    let codes = (2..code::COUNT as u16).map(Kind::Code);
    let calls = 0..sc::NAMES.len() as u16;
    codes.chain([0, 1].into_iter().flat_map(move |code| calls.clone().map(move |call| Kind::Generic(code, call))))
}

impl Plan {
    /// The root of a kind's tree, or `None` if no rule can match such events.
    #[inline]
    pub fn root(&self, kind: Kind) -> Option<Place> {
        self.roots.get(position(kind)).copied().filter(|root| *root != NOTHING)
    }
}

/// Makes a plan from a pool.
pub struct Planner<'p, 'f> {
    pub(super) pool: &'p mut Pool<'f>,
    pub(super) plan: Plan,
    pub(super) estimates: Estimates,
    pub(super) written: Written,
    /// Trees by what they were made of: many kinds share one.
    trees: FxHashMap<Vec<(u32, NodeId)>, u32>,
}

impl<'p, 'f> Planner<'p, 'f> {
    /// Starts an empty plan.
    pub fn new(pool: &'p mut Pool<'f>) -> Self {
        let plan = Plan { roots: vec![NOTHING; KINDS], ..Plan::default() };
        Self { pool, plan, estimates: Estimates::default(), written: Written::default(), trees: FxHashMap::default() }
    }

    /// The pool that it plans for.
    pub fn pool(&mut self) -> &mut Pool<'f> {
        self.pool
    }

    /// Plans a kind: the rules that can match such events, in order, with their conditions specialised.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn kind(&mut self, kind: Kind, rules: &[(u32, NodeId)]) -> Result<(), BuildError> {
        if rules.is_empty() {
            return Ok(());
        }
        let root = match self.trees.get(rules) {
            Some(root) => *root,
            None => {
                let root = self.branch(rules.to_vec(), MAX_LEAVES)?;
                self.trees.insert(rules.to_vec(), root);
                root
            }
        };
        self.plan.roots[position(kind)] = root;
        Ok(())
    }

    /// Plans comparisons alone, in the given order.
    pub fn checks(&mut self, atoms: &[super::AtomId]) {
        for atom in atoms {
            self.check(*atom);
        }
    }

    /// The finished plan. Comparisons' tests are moved out of the pool by cloning.
    pub fn finish(mut self) -> Plan {
        self.forget_single();
        self.plan.slots = self.pool.slots.iter().map(|slot| slot.source.clone()).collect();
        self.plan
    }

    /// Plans a tree of at most `leaves` leaves for rules; guards of leaves not counted.
    fn branch(&mut self, rules: Vec<(u32, NodeId)>, leaves: usize) -> Result<Place, BuildError> {
        let split = if rules.len() > FEW && leaves > 1 { self.best_split(&rules) } else { None };
        let Some(node) = split else { return self.guarded(rules) };
        let yes = self.assuming(&rules, node, true);
        let no = self.assuming(&rules, node, false);
        let yes = self.branch(yes, leaves / 2)?;
        let no = self.branch(no, leaves / 2)?;
        Ok(self.inline(node, yes, no))
    }

    /// Leaves behind comparisons that rules cannot match without: what each rule most tellingly needs, all of it merged
    /// into few comparisons, which are asked one after the other. Where one holds, those before it did not, so that the
    /// rules are left that need it or one after it. Where none holds only the rules without such a need are left.
    fn guarded(&mut self, rules: Vec<(u32, NodeId)>) -> Result<Place, BuildError> {
        let needs: Vec<Option<Vec<NodeId>>> =
            rules.iter().map(|(_, root)| self.clause(*root).filter(|clause| self.worth(clause) < 1.0)).collect();
        if needs.iter().flatten().count() <= FEW {
            return Ok(self.leaf(rules));
        }
        let left = |open: &[NodeId]| -> Vec<(u32, NodeId)> {
            let needing = rules.iter().zip(&needs);
            let tried = needing.filter(|(_, need)| need.as_ref().is_none_or(|n| n.iter().any(|id| open.contains(id))));
            tried.map(|(rule, _)| *rule).collect()
        };
        let guards = self.guards(needs.iter().flatten().flatten().copied().collect())?;
        let mut open = Vec::new();
        let mut next = self.leaf(left(&open));
        for (guard, stands_for) in guards.into_iter().rev() {
            open.extend(stands_for);
            let yes = self.leaf(left(&open));
            next = self.inline(guard, yes, next);
        }
        Ok(next)
    }

    /// Comparisons of which one holds where one of `needed` does, in the order in which they are best asked.
    fn guards(&mut self, needed: Vec<NodeId>) -> Result<Vec<Group>, BuildError> {
        let mut groups = alternatives(self.pool, needed)?;
        let order = self.estimates.sorted(self.pool, &groups.iter().map(|group| group.0).collect::<Vec<_>>(), false);
        groups.sort_by_key(|(guard, _)| order.iter().position(|id| id == guard));
        if groups.len() > MAX_GUARDS {
            let (guards, stand_for): (Vec<_>, Vec<_>) = groups.drain(MAX_GUARDS - 1..).unzip();
            groups.push((self.pool.or(guards), stand_for.concat()));
        }
        Ok(groups)
    }

    fn leaf(&mut self, rules: Vec<(u32, NodeId)>) -> Place {
        let start = self.plan.entries.len() as u32;
        for (rule, root) in rules {
            let begin = self.condition(root);
            self.plan.entries.push(Entry { rule, begin });
        }
        self.plan.leaves.push((start, self.plan.entries.len() as u32));
        program::end(self.plan.leaves.len() as u32 - 1)
    }

    /// Comparisons of which one must hold where the node holds: the fewest and cheapest that there are.
    fn clause(&mut self, id: NodeId) -> Option<Vec<NodeId>> {
        match self.pool.node(id).clone() {
            Node::Const(value) => (!value).then(Vec::new),
            Node::Atom(_) => Some(vec![id]),
            Node::Not(_) => None,
            Node::Or(all) => {
                let clauses: Option<Vec<_>> = all.iter().map(|child| self.clause(*child)).collect();
                Some(clauses?.concat())
            }
            Node::And(all) => {
                let clauses: Vec<_> = all.iter().filter_map(|child| self.clause(*child)).collect();
                let worth = |clause: &Vec<NodeId>, planner: &mut Self| planner.worth(clause);
                let mut best: Option<(f32, Vec<NodeId>)> = None;
                for clause in clauses {
                    let own = worth(&clause, self);
                    if best.as_ref().is_none_or(|(least, _)| own < *least) {
                        best = Some((own, clause));
                    }
                }
                best.map(|(_, clause)| clause)
            }
        }
    }

    /// How little a clause is worth as a guard: how often it holds, and what it costs.
    fn worth(&mut self, clause: &[NodeId]) -> f32 {
        let estimates = clause.iter().map(|id| self.estimates.of(self.pool, *id));
        estimates.map(|e| e.truth + e.cost / 200.0).sum()
    }

    /// The node that most cheaply rules out most, of those that several rules require.
    fn best_split(&mut self, rules: &[(u32, NodeId)]) -> Option<NodeId> {
        let mut counts: FxHashMap<NodeId, usize> = FxHashMap::default();
        for (_, root) in rules {
            let own = [*root];
            let conjuncts: &[NodeId] = match self.pool.node(*root) {
                Node::And(all) => all,
                _ => &own,
            };
            for id in conjuncts.iter().filter(|id| matches!(self.pool.node(**id), Node::Atom(_))) {
                *counts.entry(*id).or_default() += 1;
            }
        }
        let mut best: Option<(f32, NodeId)> = None;
        for (id, required) in counts {
            if required < MANY {
                continue;
            }
            let estimate = self.estimates.of(self.pool, id);
            let score = required as f32 * (1.0 - estimate.truth) / (estimate.cost + 2.0);
            if best.is_none_or(|(most, other)| score > most || (score == most && id < other)) {
                best = Some((score, id));
            }
        }
        best.map(|(_, id)| id)
    }

    fn assuming(&mut self, rules: &[(u32, NodeId)], node: NodeId, value: bool) -> Vec<(u32, NodeId)> {
        let mut memo = FxHashMap::default();
        let mut left = Vec::with_capacity(rules.len());
        for (rule, root) in rules {
            let root = assume(self.pool, *root, node, value, &mut memo);
            if *self.pool.node(root) != Node::Const(false) {
                left.push((*rule, root));
            }
        }
        left
    }

    pub(super) fn check(&mut self, id: super::AtomId) -> u32 {
        let atom = self.pool.atom(id);
        let rhs = match atom.key.rhs {
            AtomRhs::Slot(slot) => Some(slot.0),
            AtomRhs::Consts(_) => None,
        };
        self.plan.checks.push(PlanCheck {
            plain: rhs.is_none() && atom.multi == Multi::One,
            slot: atom.key.slot.0,
            rhs,
            op: atom.key.op,
            quantifier: atom.key.quantifier,
            multi: atom.multi,
            test: atom.test.clone(),
        });
        self.plan.checks.len() as u32 - 1
    }
}

/// The node that is equal to `id` where `given` has that value.
fn assume(pool: &mut Pool<'_>, id: NodeId, given: NodeId, value: bool, memo: &mut FxHashMap<NodeId, NodeId>) -> NodeId {
    if id == given {
        return pool.constant(value);
    }
    if let Some(done) = memo.get(&id) {
        return *done;
    }
    let result = match pool.node(id).clone() {
        Node::Const(_) | Node::Atom(_) => id,
        Node::Not(inner) => {
            let inner = assume(pool, inner, given, value, memo);
            pool.not(inner)
        }
        Node::And(all) => {
            let all = all.iter().map(|child| assume(pool, *child, given, value, memo)).collect();
            pool.and(all)
        }
        Node::Or(all) => {
            let all = all.iter().map(|child| assume(pool, *child, given, value, memo)).collect();
            pool.or(all)
        }
    };
    memo.insert(id, result);
    result
}
