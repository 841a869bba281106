//! The syntax tree of a condition.

/// A range of bytes in a source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset past the last byte.
    pub end: u32,
}

/// A condition as written. `And`/`Or` of the same kind are flattened by printing, not by parsing.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// All must hold.
    And(Vec<Expr>),
    /// One must hold.
    Or(Vec<Expr>),
    /// Must not hold.
    Not(Box<Expr>),
    /// A macro's name.
    Identifier(String, Span),
    /// A comparison.
    Check(Box<Check>),
}

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Left side.
    pub lhs: Operand,
    /// Operator.
    pub op: Op,
    /// The operator as written (`=` and `==` are one operator, but print as they were).
    pub spelling: &'static str,
    /// `oneof`, `anyof`, `allof`.
    pub modifier: Option<Modifier>,
    /// Right side.
    pub rhs: Rhs,
    /// Where the right side starts.
    pub rhs_start: u32,
    /// The whole comparison.
    pub span: Span,
}

/// A field or a transformer's result.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// `name` or `name[arg]`.
    Field {
        /// Field name with its dots.
        name: String,
        /// Text between brackets.
        arg: Option<String>,
        /// Place.
        span: Span,
    },
    /// `name(args…)[arg]`.
    Transformer {
        /// Transformer name.
        name: String,
        /// Its arguments.
        args: Vec<TransformerArg>,
        /// Text between brackets.
        arg: Option<String>,
        /// Place.
        span: Span,
    },
}

/// An argument of a transformer.
#[derive(Debug, Clone, PartialEq)]
pub enum TransformerArg {
    /// A field or a nested transformer.
    Operand(Operand),
    /// A quoted text or a number, unescaped.
    Literal(String),
    /// A parenthesised list.
    List(Vec<TransformerArg>),
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Rhs {
    /// Nothing (`exists`).
    None,
    /// One value.
    Value(String, Span),
    /// A parenthesised list of values.
    List(Vec<(String, Span)>),
    /// The name of a list, not yet substituted.
    ListName(String, Span),
    /// `val(field)` or a transformer.
    Operand(Operand),
}

/// Operators; `=` and `==` are one.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    Exists,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Contains,
    Icontains,
    Bcontains,
    Startswith,
    Bstartswith,
    Endswith,
    Glob,
    Iglob,
    Regex,
    In,
    Intersects,
    Pmatch,
}

/// How many of the values must satisfy a text operator.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Modifier {
    Oneof,
    Anyof,
    Allof,
}
