//! All rules' conditions as one graph.
//!
//! A condition becomes nodes of a [`Pool`], where equal comparisons are one node and so are equal combinations of them.
//! For each kind of event ([`Kind`]) the conditions are specialised: what is constant for that kind is folded away
//! ([`constants`]), comparisons of one field are merged into sets ([`simplify`]). What is left is put in order of cost
//! ([`order`]) and flattened into a [`plan::Plan`], which [`crate::eval`] runs.
//!
//! Comparisons have no side effects and a missing value is merely false, so that reordering `and` and `or` never
//! changes a result.

pub mod atom;
pub mod constants;
pub mod operand;
pub mod order;
pub mod plan;
pub mod print;
pub mod program;
pub mod simplify;

use atom::{Atom, AtomKey};
use operand::{Slot, SlotId};
use peregrine_filter::typed::{Expr, Operand};
use rustc_hash::FxHashMap;

use crate::fields::Fields;
use crate::ops::BuildError;

/// Index of a node in its pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// Index of a comparison in its pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AtomId(pub u32);

/// A node. Children are sorted, distinct, and no constants; a conjunction has no conjunction among its children, a
/// disjunction no disjunction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Node {
    /// Always true or always false.
    Const(bool),
    /// A comparison.
    Atom(AtomId),
    /// The opposite.
    Not(NodeId),
    /// All hold.
    And(Box<[NodeId]>),
    /// One holds.
    Or(Box<[NodeId]>),
}

/// What kind of event it is: its code, and for the generic codes the system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An event code other than the generic ones.
    Code(u16),
    /// A generic event (code 0 or 1) of a system call.
    Generic(u16, u16),
}

/// Nodes, comparisons and operands, each once.
pub struct Pool<'f> {
    /// Where fields come from.
    pub fields: &'f Fields,
    nodes: Vec<Node>,
    node_ids: FxHashMap<Node, NodeId>,
    atoms: Vec<Atom>,
    atom_ids: FxHashMap<AtomKey, AtomId>,
    slots: Vec<Slot>,
    slot_ids: FxHashMap<Operand, SlotId>,
}

impl<'f> Pool<'f> {
    /// An empty pool.
    pub fn new(fields: &'f Fields) -> Self {
        Self {
            fields,
            nodes: Vec::new(),
            node_ids: FxHashMap::default(),
            atoms: Vec::new(),
            atom_ids: FxHashMap::default(),
            slots: Vec::new(),
            slot_ids: FxHashMap::default(),
        }
    }

    /// A node by its id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// A comparison by its id.
    pub fn atom(&self, id: AtomId) -> &Atom {
        &self.atoms[id.0 as usize]
    }

    /// An operand by its id.
    pub fn slot(&self, id: SlotId) -> &Slot {
        &self.slots[id.0 as usize]
    }

    /// Numbers of nodes, comparisons and operands.
    pub fn sizes(&self) -> (usize, usize, usize) {
        (self.nodes.len(), self.atoms.len(), self.slots.len())
    }

    fn intern(&mut self, node: Node) -> NodeId {
        if let Some(id) = self.node_ids.get(&node) {
            return *id;
        }
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(node.clone());
        self.node_ids.insert(node, id);
        id
    }

    /// A constant.
    pub fn constant(&mut self, value: bool) -> NodeId {
        self.intern(Node::Const(value))
    }

    /// A comparison's node.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn check(&mut self, key: AtomKey) -> Result<NodeId, BuildError> {
        let id = self.atom_of(key)?;
        Ok(self.intern(Node::Atom(id)))
    }

    /// A comparison.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn atom_of(&mut self, key: AtomKey) -> Result<AtomId, BuildError> {
        Ok(match self.atom_ids.get(&key) {
            Some(id) => *id,
            None => {
                let atom = Atom::new(key.clone(), self)?;
                let id = AtomId(self.atoms.len() as u32);
                self.atoms.push(atom);
                self.atom_ids.insert(key, id);
                id
            }
        })
    }

    /// The opposite of a node.
    pub fn not(&mut self, id: NodeId) -> NodeId {
        match self.node(id) {
            Node::Const(value) => {
                let value = !value;
                self.constant(value)
            }
            Node::Not(inner) => *inner,
            _ => self.intern(Node::Not(id)),
        }
    }

    /// The conjunction of nodes; true if there is none.
    pub fn and(&mut self, children: Vec<NodeId>) -> NodeId {
        self.combine(children, true)
    }

    /// The disjunction of nodes; false if there is none.
    pub fn or(&mut self, children: Vec<NodeId>) -> NodeId {
        self.combine(children, false)
    }

    /// Flattens, drops what does not matter, and finds `x and not x`.
    fn combine(&mut self, children: Vec<NodeId>, and: bool) -> NodeId {
        let mut flat = Vec::with_capacity(children.len());
        for child in children {
            match self.node(child) {
                Node::Const(value) if *value == and => {}
                Node::Const(_) => return self.constant(!and),
                Node::And(inner) if and => flat.extend_from_slice(inner),
                Node::Or(inner) if !and => flat.extend_from_slice(inner),
                _ => flat.push(child),
            }
        }
        flat.sort_unstable();
        flat.dedup();
        let opposite = flat.iter().any(|id| match self.node(*id) {
            Node::Not(inner) => flat.binary_search(inner).is_ok(),
            _ => false,
        });
        if opposite {
            return self.constant(!and);
        }
        match flat[..] {
            [] => self.constant(and),
            [only] => only,
            _ if and => self.intern(Node::And(flat.into())),
            _ => self.intern(Node::Or(flat.into())),
        }
    }

    /// Adds a condition.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn add(&mut self, expr: &Expr) -> Result<NodeId, BuildError> {
        Ok(match expr {
            Expr::And(all) => {
                let all = all.iter().map(|e| self.add(e)).collect::<Result<_, _>>()?;
                self.and(all)
            }
            Expr::Or(all) => {
                let all = all.iter().map(|e| self.add(e)).collect::<Result<_, _>>()?;
                self.or(all)
            }
            Expr::Not(inner) => {
                let inner = self.add(inner)?;
                self.not(inner)
            }
            Expr::Check(check) => {
                let key = AtomKey::of(check, self);
                self.check(key)?
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::simplify::Specialise;
    use super::*;
    use peregrine_event::{code, sc};
    use peregrine_filter::{check, parse};

    /// What is left of a condition on a kind of event.
    fn left(condition: &str, kind: Kind) -> String {
        let fields = Fields::syscall();
        let mut pool = Pool::new(&fields);
        let expr = check(&parse(condition).unwrap(), &fields).unwrap().expr;
        let root = pool.add(&expr).unwrap();
        let root = Specialise::new(&mut pool, kind).node(root).unwrap();
        pool.text(root)
    }

    const OPEN: Kind = Kind::Code(code::SYSCALL_OPENAT_2_X);
    const CLOSE: Kind = Kind::Code(code::SYSCALL_CLOSE_X);

    #[test]
    fn event_types_cost_nothing() {
        let condition = "evt.type in (open, openat, openat2) and evt.dir=< and proc.name=cat";
        assert_eq!(left(condition, OPEN), "proc.name = cat");
        assert_eq!(left(condition, CLOSE), "false");
        assert_eq!(left("not evt.type = close or proc.name=cat", OPEN), "true");
        assert_eq!(left("not (evt.type = close and proc.name=cat)", CLOSE), "not proc.name = cat");
        let mknod = Kind::Generic(1, sc::by_name("getpriority").unwrap());
        assert_eq!(left("evt.type=getpriority and proc.name=x", mknod), "proc.name = x");
    }

    #[test]
    fn what_an_event_cannot_have_is_false() {
        assert_eq!(left("evt.is_open_read=true or proc.name=a", CLOSE), "proc.name = a");
        assert_eq!(left("evt.is_open_read=true", OPEN), "evt.is_open_read = true");
        assert_eq!(left("not fd.name startswith /etc", Kind::Code(code::SYSCALL_SETSID_X)), "true");
        assert_eq!(left("evt.arg.flags contains X or evt.num=0", CLOSE), "false");
        assert_eq!(left("evt.res=SUCCESS", Kind::Code(code::PROCEXIT_1_E)), "false");
    }

    #[test]
    fn comparisons_of_a_field_merge() {
        assert_eq!(
            left("proc.name=b or proc.name in (a, b) or proc.pid=1", CLOSE),
            "(proc.name in (a, b) or proc.pid = 1)"
        );
        assert_eq!(
            left("not fd.name startswith /a and not fd.name startswith /b", CLOSE),
            "not fd.name startswith anyof (/a, /b)"
        );
        assert_eq!(left("proc.name != a and proc.name != b", CLOSE), "proc.name != allof (a, b)");
        // Some ancestor other than a, and some other than b: they need not be the same.
        let ancestors = left("proc.aname != a and proc.aname != b", CLOSE);
        assert_eq!(ancestors, "(proc.aname != a and proc.aname != b)");
        let lists = left("fd.types in (file) or fd.types in (ipv4)", CLOSE);
        assert_eq!(lists, "(fd.types = file or fd.types = ipv4)");
    }

    #[test]
    fn equal_conditions_are_one_node() {
        let fields = Fields::syscall();
        let mut pool = Pool::new(&fields);
        let mut add = |text: &str| pool.add(&check(&parse(text).unwrap(), &fields).unwrap().expr).unwrap();
        assert_eq!(
            add("proc.name = a and (fd.num = 1 or fd.num = 2)"),
            add("(fd.num=2 or fd.num=1) and proc.name in (a)")
        );
        assert_eq!(add("not not proc.name = a"), add("proc.name = a"));
        assert_ne!(add("proc.name != a"), add("not proc.name = a"));
        assert_eq!(add("proc.name = a or not proc.name = a"), add("evt.num exists or not evt.num exists"));
    }
}
