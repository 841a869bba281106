//! Compiled conditions as text, for people.

use super::atom::{AtomKey, AtomRhs};
use super::operand::{SlotId, field_text};
use super::{Node, NodeId, Pool};
use crate::ops::{Literal, Quantifier};
use peregrine_filter::ast::Op;
use peregrine_filter::typed::Operand;

/// Most constants that a text names.
const SHOWN: usize = 6;

impl Pool<'_> {
    /// A node as a condition.
    pub fn text(&self, id: NodeId) -> String {
        match self.node(id) {
            Node::Const(value) => value.to_string(),
            Node::Atom(atom) => self.atom_text(&self.atom(*atom).key),
            Node::Not(inner) => format!("not {}", self.text(*inner)),
            Node::And(all) => self.joined(all, " and "),
            Node::Or(all) => self.joined(all, " or "),
        }
    }

    fn joined(&self, all: &[NodeId], word: &str) -> String {
        let texts: Vec<String> = order_of(self, all).map(|id| self.text(id)).collect();
        format!("({})", texts.join(word))
    }

    /// A comparison as a condition writes it.
    pub fn atom_text(&self, key: &AtomKey) -> String {
        let lhs = self.slot_text(key.slot);
        let rhs = match &key.rhs {
            AtomRhs::Slot(slot) => {
                return format!("{lhs} {} val({})", op_text(key.op), self.slot_text(*slot));
            }
            AtomRhs::Consts(consts) => consts,
        };
        if key.op == Op::Exists {
            return format!("{lhs} exists");
        }
        if let ([one], Op::In) = (&rhs[..], key.op) {
            return format!("{lhs} = {}", literal_text(one));
        }
        if let [one] = &rhs[..] {
            return format!("{lhs} {} {}", op_text(key.op), literal_text(one));
        }
        let more = if rhs.len() > SHOWN { format!(", … {} in all", rhs.len()) } else { String::new() };
        let shown: Vec<String> = rhs.iter().take(SHOWN).map(literal_text).collect();
        let quantifier = match (key.op, key.quantifier) {
            (Op::In | Op::Intersects | Op::Pmatch, Quantifier::Any) => "",
            (_, Quantifier::Any) => " anyof",
            (_, Quantifier::All) => " allof",
            (_, Quantifier::One) => " oneof",
        };
        format!("{lhs} {}{quantifier} ({}{more})", op_text(key.op), shown.join(", "))
    }

    /// An operand as a condition writes it.
    pub fn slot_text(&self, id: SlotId) -> String {
        self.operand_text(&self.slot(id).operand)
    }

    fn operand_text(&self, operand: &Operand) -> String {
        let list = |items: &[Operand]| items.iter().map(|o| self.operand_text(o)).collect::<Vec<_>>().join(", ");
        match operand {
            Operand::Field(field) => field_text(field, self.fields),
            Operand::Transform { kind, args, arg } => {
                let bracket = arg.as_ref().map_or(String::new(), |a| format!("[{a}]"));
                format!("{}({}){bracket}", format!("{kind:?}").to_lowercase(), list(args))
            }
            Operand::Literal(text) => literal_text(&Literal::Bytes(text.clone())),
            Operand::List(items) => format!("({})", list(items)),
        }
    }
}

/// Children in the order in which they are evaluated.
fn order_of<'p>(pool: &'p Pool<'_>, all: &'p [NodeId]) -> impl Iterator<Item = NodeId> + 'p {
    let mut order: Vec<NodeId> = all.to_vec();
    order.sort_by_key(|id| super::order::rough(pool, *id));
    order.into_iter()
}

/// An operator as conditions write it.
pub fn op_text(op: Op) -> &'static str {
    match op {
        Op::Exists => "exists",
        Op::Eq => "=",
        Op::Ne => "!=",
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Gt => ">",
        Op::Ge => ">=",
        Op::Contains => "contains",
        Op::Icontains => "icontains",
        Op::Bcontains => "bcontains",
        Op::Startswith => "startswith",
        Op::Bstartswith => "bstartswith",
        Op::Endswith => "endswith",
        Op::Glob => "glob",
        Op::Iglob => "iglob",
        Op::Regex => "regex",
        Op::In => "in",
        Op::Intersects => "intersects",
        Op::Pmatch => "pmatch",
    }
}

/// A constant; texts in quotes where a bare one would not read back, control characters escaped.
pub fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Bytes(bytes) => {
            let text = bytes.escape_ascii().to_string();
            let bare = !text.is_empty() && !text.contains([' ', '(', ')', '"', '\'', '=', ',', '\\']);
            if bare { text } else { format!("\"{text}\"") }
        }
        Literal::Int(n) => n.to_string(),
        Literal::Uint(n) => n.to_string(),
        Literal::Double(bits) => f64::from_bits(*bits).to_string(),
        Literal::Bool(b) => b.to_string(),
        Literal::Ip(ip) => ip.to_string(),
        Literal::Net(ip, bits) => format!("{ip}/{bits}"),
    }
}
