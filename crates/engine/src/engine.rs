//! The engine of one event source: rules in, matches out.

use crate::eval::{self, Memory};
use crate::fields::Fields;
use crate::graph::plan::{Plan, Planner, kinds};
use crate::graph::simplify::Specialise;
use crate::graph::{Kind, Node, NodeId, Pool};
use crate::names;
use crate::needs::EventNeeds;
use crate::ops::BuildError;
use crate::value::Moment;
use peregrine_alert::Priority;
use peregrine_event::{Event, code, sc};
use peregrine_filter::events::CodeSet;
use peregrine_filter::typed::Expr;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::collections::hash_map::Entry;
use std::fmt;

/// A rule to evaluate. Which rules are enabled, and which have the wanted tags, sources and priorities, was decided before.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Name.
    pub name: String,
    /// Severity of its alerts.
    pub priority: Priority,
    /// Event source.
    pub source: String,
    /// Tags, sorted and distinct.
    pub tags: Vec<String>,
    /// The condition.
    pub condition: Expr,
    /// The event codes on which the condition is tried.
    pub codes: CodeSet,
}

/// How many rules may match one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Matching {
    /// The first in order (`rule_matching: first`).
    #[default]
    First,
    /// All of them (`rule_matching: all`).
    All,
}

/// A rule whose condition cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineError {
    /// Name of the rule.
    pub rule: String,
    /// What is wrong.
    pub error: BuildError,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {:?}: {}", self.rule, self.error)
    }
}

impl std::error::Error for EngineError {}

/// What an engine consists of and has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Distinct nodes of all conditions, of all kinds of events.
    pub nodes: usize,
    /// Distinct comparisons.
    pub checks: usize,
    /// Distinct fields and transformed fields.
    pub operands: usize,
    /// Events that were evaluated.
    pub events: u64,
    /// Of these, the ones of a kind for which there are rules.
    pub evaluated: u64,
}

/// All rules of one source, compiled.
#[derive(Debug)]
pub struct Engine {
    rules: Vec<Rule>,
    matching: Matching,
    plan: Plan,
    memory: Memory,
    needs: EventNeeds,
    hits: Vec<u32>,
    matches: Vec<u64>,
    figures: Figures,
    host_names: Vec<String>,
}

impl Engine {
    /// Compiles rules, which are tried in the given order.
    ///
    /// # Errors
    /// The first rule that cannot be compiled. Conditions that the language's check passed all can.
    pub fn new(rules: Vec<Rule>, fields: &Fields, matching: Matching) -> Result<Self, EngineError> {
        let mut pool = Pool::new(fields);
        let roots = add_all(&mut pool, &rules)?;
        let mut needs = EventNeeds::default();
        let (_, checks, _) = pool.sizes();
        let mut planner = Planner::new(&mut pool);
        // Most kinds of events differ in nothing that the rules ask for.
        let mut known = FxHashMap::default();
        for kind in kinds() {
            let tried: Vec<u32> = tried(&rules, kind).collect();
            if tried.is_empty() {
                continue;
            }
            let outcomes = Specialise::new(planner.pool(), kind).outcomes(checks);
            // An error here is that of a merged comparison, so that no single rule can be named.
            let whole = |error| EngineError { rule: "all rules together".into(), error };
            let left = match known.entry((tried, outcomes)) {
                Entry::Occupied(same) => same.into_mut(),
                Entry::Vacant(place) => {
                    let left = specialise(planner.pool(), &rules, &roots, kind, &place.key().0)?;
                    place.insert(left)
                }
            };
            needs.add(planner.pool(), kind, left);
            planner.kind(kind, left).map_err(whole)?;
        }
        let plan = planner.finish();
        let (nodes, checks, operands) = pool.sizes();
        let figures = Figures { nodes, checks, operands, ..Figures::default() };
        let memory = Memory::new(&plan);
        let (matches, hits) = (vec![0; rules.len()], Vec::with_capacity(rules.len()));
        let mut host_names = BTreeSet::new();
        rules.iter().for_each(|rule| names::asked(&rule.condition, fields, &mut host_names));
        let host_names = host_names.into_iter().collect();
        Ok(Self { rules, matching, plan, memory, needs, hits, matches, figures, host_names })
    }

    /// Host names that the rules compare addresses with, for [`crate::names::Names::watch`].
    pub fn host_names(&self) -> &[String] {
        &self.host_names
    }

    /// The rules that match, by index and in order; at most one with [`Matching::First`].
    #[inline]
    pub fn evaluate(&mut self, moment: &Moment<'_>) -> &[u32] {
        self.hits.clear();
        self.figures.events += 1;
        let kind = kind_of(moment.event);
        if self.plan.root(kind).is_none() {
            return &self.hits;
        }
        self.figures.evaluated += 1;
        let (hits, matches, all) = (&mut self.hits, &mut self.matches, self.matching == Matching::All);
        eval::rules(&self.plan, &mut self.memory, kind, moment, |rule| {
            hits.push(rule);
            matches[rule as usize] += 1;
            all
        });
        &self.hits
    }

    /// All rules that match, whatever [`Matching`] says; none is counted.
    pub fn all_matches(&mut self, moment: &Moment<'_>) -> Vec<u32> {
        let mut hits = Vec::new();
        eval::rules(&self.plan, &mut self.memory, kind_of(moment.event), moment, |rule| {
            hits.push(rule);
            true
        });
        hits
    }

    /// The last event's matches count as none: it is decided later whether they are any.
    pub fn take_back(&mut self) {
        self.hits.drain(..).for_each(|rule| self.matches[rule as usize] -= 1);
    }

    /// Counts a match that was decided later.
    pub fn count(&mut self, rule: u32) {
        if let Some(matches) = self.matches.get_mut(rule as usize) {
            *matches += 1;
        }
    }

    /// How many rules may match one event.
    pub fn matching(&self) -> Matching {
        self.matching
    }

    /// The rules that matched the last event, as [`Engine::evaluate`] gave them.
    pub fn hits(&self) -> &[u32] {
        &self.hits
    }

    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How often each rule matched.
    pub fn matches(&self) -> &[u64] {
        &self.matches
    }

    /// Goes on counting from there; one number a rule, in the order of the rules.
    pub fn set_matches(&mut self, matches: Vec<u64>) {
        if matches.len() == self.rules.len() {
            self.matches = matches;
        }
    }

    /// Sizes and counts.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Which events the rules need at all.
    pub fn needs(&self) -> &EventNeeds {
        &self.needs
    }
}

/// The kind of an event.
#[inline]
pub fn kind_of(event: &Event<'_>) -> Kind {
    match event.code {
        code::GENERIC_E | code::GENERIC_X => {
            // No call has a number past these; what is said of one is what is said of an unknown one.
            let call = event.uint(0).and_then(|call| u16::try_from(call).ok());
            Kind::Generic(event.code, call.filter(|call| usize::from(*call) < sc::NAMES.len()).unwrap_or(0))
        }
        code => Kind::Code(code),
    }
}

fn add_all(pool: &mut Pool<'_>, rules: &[Rule]) -> Result<Vec<NodeId>, EngineError> {
    rules.iter().map(|rule| pool.add(&rule.condition).map_err(|error| failed(rule, error))).collect()
}

fn failed(rule: &Rule, error: BuildError) -> EngineError {
    EngineError { rule: rule.name.clone(), error }
}

/// The rules that are tried on a kind of event.
fn tried(rules: &[Rule], kind: Kind) -> impl Iterator<Item = u32> {
    let tried = rules.iter().enumerate().filter(move |(_, rule)| rule.codes.contains(kind.code()));
    tried.map(|(index, _)| index as u32)
}

/// The rules that can match a kind of event, with what is left of their conditions.
fn specialise(
    pool: &mut Pool<'_>,
    rules: &[Rule],
    roots: &[NodeId],
    kind: Kind,
    tried: &[u32],
) -> Result<Vec<(u32, NodeId)>, EngineError> {
    let mut left = Vec::new();
    let mut special = Specialise::new(pool, kind);
    for index in tried {
        let at = *index as usize;
        let root = special.node(roots[at]).map_err(|error| failed(&rules[at], error))?;
        left.push((*index, root));
    }
    left.retain(|(_, root)| *pool.node(*root) != Node::Const(false));
    Ok(left)
}
