//! Which events the rules need at all: what the kernel programs may leave out.
//!
//! Everything here is a necessary condition. What is not certain is needed.

use crate::graph::atom::AtomKey;
use crate::graph::{Kind, Node, NodeId, Pool};
use crate::ops::Literal;
use peregrine_event::{code, sc};
use peregrine_filter::ast::Op;
use peregrine_filter::events::CodeSet;

/// What the rules need, by event code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventNeeds {
    /// Codes on which a rule can match.
    pub codes: CodeSet,
    /// For the generic codes, the system calls (by the schema's ids) on which a rule can match.
    pub generic_calls: CodeSet,
    /// Codes on which no rule can match unless the call succeeded (its return value is not negative). Of no meaning for
    /// codes that are not needed.
    pub success_only: CodeSet,
    /// By code: the descriptor kinds on which a rule can match, see [`descriptor_bit`]; only codes that are limited.
    pub descriptors: Vec<(u16, u32)>,
}

/// Letters of `fd.typechar` in the order of the bits of [`EventNeeds::descriptors`].
const TYPECHARS: &[u8; 16] = b"fd46u pesliotnbm";

/// The bit of a descriptor kind, by the letter that `fd.typechar` gives; every letter without a bit of its own shares
/// the highest.
pub fn descriptor_bit(typechar: u8) -> u32 {
    1 << TYPECHARS.iter().position(|c| *c == typechar).unwrap_or(31)
}

impl EventNeeds {
    /// Adds what the rules that can match a kind of event need.
    pub fn add(&mut self, pool: &Pool<'_>, kind: Kind, rules: &[(u32, NodeId)]) {
        if rules.is_empty() {
            return;
        }
        self.codes.insert(kind.code());
        if let Kind::Generic(_, call) = kind {
            if usize::from(call) < sc::NAMES.len() {
                self.generic_calls.insert(call);
            }
            return;
        }
        if rules.iter().all(|(_, root)| requires(pool, *root, &|key| means_success(pool, key, kind))) {
            self.success_only.insert(kind.code());
        }
        let kinds = rules.iter().map(|(_, root)| descriptors(pool, *root)).fold(0, |all, own| all | own);
        if kinds != u32::MAX {
            self.descriptors.push((kind.code(), kinds));
        }
    }

    /// What two rulesets need together.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let codes = self.codes.union(other.codes);
        let lenient = |needs: &Self| needs.codes.minus(needs.success_only);
        let mut descriptors = Vec::new();
        for code in codes.iter() {
            let kinds = self.kinds(code) | other.kinds(code);
            if kinds != u32::MAX {
                descriptors.push((code, kinds));
            }
        }
        Self {
            codes,
            generic_calls: self.generic_calls.union(other.generic_calls),
            success_only: codes.minus(lenient(self)).minus(lenient(other)),
            descriptors,
        }
    }

    /// The descriptor kinds that matter on a code: none if the code is not needed, all if it is not limited.
    fn kinds(&self, code: u16) -> u32 {
        if !self.codes.contains(code) {
            return 0;
        }
        self.descriptors.iter().find(|(c, _)| *c == code).map_or(u32::MAX, |(_, kinds)| *kinds)
    }
}

/// Whether a node can only be true where one of the comparisons that `is` accepts is.
fn requires(pool: &Pool<'_>, id: NodeId, is: &dyn Fn(&AtomKey) -> bool) -> bool {
    match pool.node(id) {
        Node::Const(value) => !value,
        Node::Atom(atom) => is(&pool.atom(*atom).key),
        Node::Not(_) => false,
        Node::And(all) => all.iter().any(|child| requires(pool, *child, is)),
        Node::Or(all) => all.iter().all(|child| requires(pool, *child, is)),
    }
}

/// Whether a comparison holds only for calls that did not fail.
fn means_success(pool: &Pool<'_>, key: &AtomKey, kind: Kind) -> bool {
    let name = pool.slot(key.slot).name(pool.fields);
    let not_negative = match (key.op, key.consts()) {
        (Op::Ge, [Literal::Int(least)]) => *least >= 0,
        (Op::Gt, [Literal::Int(least)]) => *least >= -1,
        (Op::In, consts) => consts.iter().all(|c| matches!(c, Literal::Int(n) if *n >= 0)),
        _ => false,
    };
    let is = |literal: Literal| key.op == Op::In && key.consts() == [literal];
    match name {
        "evt.rawres" => not_negative,
        "evt.res" => is(Literal::Bytes(b"SUCCESS".to_vec())),
        "evt.failed" => is(Literal::Bool(false)),
        // The descriptor of a call that makes one is its result.
        "fd.num" => not_negative && returns_descriptor(kind),
        _ => false,
    }
}

fn returns_descriptor(kind: Kind) -> bool {
    matches!(
        kind.code(),
        code::SYSCALL_OPEN_X | code::SYSCALL_OPENAT_2_X | code::SYSCALL_OPENAT2_X | code::SYSCALL_CREAT_X
    )
}

/// The descriptor kinds with which a node can be true.
fn descriptors(pool: &Pool<'_>, id: NodeId) -> u32 {
    match pool.node(id) {
        Node::Const(value) => {
            if *value {
                u32::MAX
            } else {
                0
            }
        }
        Node::And(all) => all.iter().fold(u32::MAX, |kinds, child| kinds & descriptors(pool, *child)),
        Node::Or(all) => all.iter().fold(0, |kinds, child| kinds | descriptors(pool, *child)),
        Node::Not(_) => u32::MAX,
        Node::Atom(atom) => {
            let key = &pool.atom(*atom).key;
            if key.op != Op::In || pool.slot(key.slot).name(pool.fields) != "fd.typechar" {
                return u32::MAX;
            }
            key.consts().iter().fold(0, |kinds, c| match c {
                Literal::Bytes(text) => kinds | text.first().map_or(u32::MAX, |letter| descriptor_bit(*letter)),
                _ => u32::MAX,
            })
        }
    }
}
