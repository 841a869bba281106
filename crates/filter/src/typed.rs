//! A checked condition: fields resolved, constants parsed to the fields' types. What the engine compiles.

use crate::ast::{Modifier, Op, Span};
use crate::field::FieldRef;
use std::net::IpAddr;

/// A checked expression. Nested `And` in `And` and `Or` in `Or` are flattened.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// All must hold, left to right.
    And(Vec<Expr>),
    /// One must hold, left to right.
    Or(Vec<Expr>),
    /// Must not hold.
    Not(Box<Expr>),
    /// A comparison.
    Check(Check),
}

/// A checked comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Left side.
    pub lhs: Operand,
    /// Operator.
    pub op: Op,
    /// `oneof`, `anyof`, `allof`.
    pub modifier: Option<Modifier>,
    /// Right side.
    pub rhs: Rhs,
    /// Where it stands in the rule's expanded condition.
    pub span: Span,
}

/// A field or a transformer's result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A field.
    Field(FieldRef),
    /// A transformer over operands.
    Transform {
        /// Which.
        kind: Transformer,
        /// Its arguments; one for all but join, concat and getopt.
        args: Vec<Operand>,
        /// `getopt`'s option letter.
        arg: Option<String>,
    },
    /// A text literal among a transformer's arguments.
    Literal(Vec<u8>),
    /// A list literal among a transformer's arguments.
    List(Vec<Operand>),
}

/// The transformers.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transformer {
    Toupper,
    Tolower,
    B64,
    Basename,
    Len,
    Join,
    Concat,
    Getopt,
}

/// The right side of a checked comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Rhs {
    /// Nothing (`exists`).
    None,
    /// Constants; one for operators that take one value.
    Consts(Vec<Const>),
    /// A field or a transformer.
    Operand(Operand),
}

/// A constant of the left side's type.
#[derive(Debug, Clone, PartialEq)]
pub enum Const {
    /// Texts, paths, byte buffers (hex already decoded for `bcontains`, `bstartswith`).
    Bytes(Vec<u8>),
    /// Signed integers of any width.
    Int(i64),
    /// Unsigned integers, flags, ids, ports, times.
    Uint(u64),
    /// Doubles.
    Double(f64),
    /// Booleans.
    Bool(bool),
    /// Addresses.
    Ip(IpAddr),
    /// Networks: address and prefix length in bits.
    Net(IpAddr, u8),
}
