//! Operators: what a comparison does with a value.
//!
//! A [`Test`] is built once, when rules are loaded; several constants become one set, tree or automaton.

pub mod glob;
pub mod path;
pub mod set;
pub mod text;

use crate::value::Value;
use peregrine_filter::ast::Op;
use std::fmt;
use std::net::IpAddr;
use text::{Text, ordered};

/// Why a comparison cannot be built. All of these are found by the language's check first; they are kept apart from
/// panics for conditions that were built otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildError {
    /// A regular expression does not compile.
    Regex(String),
    /// A set of needles is too large.
    Automaton(String),
    /// The operator does not compare constants.
    Operator(Op),
    /// Constants of several kinds in one comparison.
    Mixed,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Regex(text) => write!(f, "invalid regular expression: {text}"),
            Self::Automaton(text) => write!(f, "too many or too long values: {text}"),
            Self::Operator(op) => write!(f, "operator {op:?} does not compare with constants of that type"),
            Self::Mixed => f.write_str("values of different types in one comparison"),
        }
    }
}

impl std::error::Error for BuildError {}

/// How many of a comparison's constants must satisfy its operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantifier {
    /// At least one.
    Any,
    /// Every one; of none, false.
    All,
    /// Exactly one.
    One,
}

/// A constant that can be compared, ordered and hashed, so that equal comparisons are found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Literal {
    /// Text, path, bytes.
    Bytes(Vec<u8>),
    /// Signed number.
    Int(i64),
    /// Unsigned number.
    Uint(u64),
    /// Bits of a fraction.
    Double(u64),
    /// Truth.
    Bool(bool),
    /// Address.
    Ip(IpAddr),
    /// Network and its prefix length.
    Net(IpAddr, u8),
}

/// What is asked of a value that is there.
#[derive(Debug, Clone)]
pub enum Test {
    /// Nothing more.
    Exists,
    /// A byte string.
    Text(Text),
    /// A number, one of these (sorted; signed ones by their bits).
    Number(Vec<u64>),
    /// A fraction, one of these.
    Double(Vec<f64>),
    /// A number in order; the constant by its bits.
    Order(Op, Literal),
    /// A truth value: whether false, and whether true is asked for.
    Truth([bool; 2]),
    /// One of these addresses.
    Address(Vec<IpAddr>),
    /// Inside one of these networks.
    Network(Vec<(IpAddr, u8)>),
    /// Not this.
    Not(Box<Test>),
    /// A number of tests, so many of which must hold.
    Count(Quantifier, Vec<Test>),
    /// A list, each of whose elements satisfies this.
    Every(Box<Test>),
    /// A list, one of whose elements satisfies this.
    Some(Box<Test>),
    /// Never.
    Never,
}

impl Test {
    /// Builds the test for an operator, a quantifier and constants of one kind.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn new(op: Op, quantifier: Quantifier, consts: &[Literal]) -> Result<Self, BuildError> {
        if op == Op::Exists {
            return Ok(Self::Exists);
        }
        if consts.is_empty() {
            return Ok(Self::Never);
        }
        match (op, quantifier) {
            (Op::Ne, Quantifier::All) => Ok(Self::Not(Box::new(Self::any(Op::Eq, consts)?))),
            (Op::Ne, _) => Self::count(quantifier, consts, |c| Ok(Self::Not(Box::new(Self::any(Op::Eq, c)?)))),
            (Op::Lt | Op::Le | Op::Gt | Op::Ge, _) => Self::count(quantifier, consts, |c| Self::any(op, c)),
            (_, Quantifier::Any) => Self::any(op, consts),
            _ => Self::count(quantifier, consts, |c| Self::any(op, c)),
        }
    }

    fn count(
        quantifier: Quantifier,
        consts: &[Literal],
        each: impl Fn(&[Literal]) -> Result<Self, BuildError>,
    ) -> Result<Self, BuildError> {
        if let [_] = consts {
            return each(consts);
        }
        Ok(Self::Count(quantifier, consts.chunks(1).map(each).collect::<Result<_, _>>()?))
    }

    fn any(op: Op, consts: &[Literal]) -> Result<Self, BuildError> {
        let Some(first) = consts.first() else { return Ok(Self::Never) };
        let equality = matches!(op, Op::Eq | Op::In | Op::Intersects);
        if !equality && matches!(op, Op::Lt | Op::Le | Op::Gt | Op::Ge) && !matches!(first, Literal::Bytes(_)) {
            return match first {
                Literal::Int(_) | Literal::Uint(_) | Literal::Double(_) => Ok(Self::Order(op, first.clone())),
                _ => Err(BuildError::Operator(op)),
            };
        }
        if !equality && !matches!(first, Literal::Bytes(_)) {
            return Err(BuildError::Operator(op));
        }
        macro_rules! all {
            ($pattern:pat => $value:expr) => {
                consts.iter().map(|c| match c {
                    $pattern => Ok($value),
                    _ => Err(BuildError::Mixed),
                })
            };
        }
        Ok(match first {
            Literal::Bytes(_) => {
                Self::Text(Text::new(op, &all!(Literal::Bytes(b) => &b[..]).collect::<Result<Vec<_>, _>>()?)?)
            }
            Literal::Int(_) => Self::Number(sorted(all!(Literal::Int(n) => *n as u64).collect::<Result<_, _>>()?)),
            Literal::Uint(_) => Self::Number(sorted(all!(Literal::Uint(n) => *n).collect::<Result<_, _>>()?)),
            Literal::Double(_) => {
                Self::Double(all!(Literal::Double(bits) => f64::from_bits(*bits)).collect::<Result<_, _>>()?)
            }
            Literal::Bool(_) => {
                let asked = all!(Literal::Bool(b) => *b).collect::<Result<Vec<_>, _>>()?;
                Self::Truth([asked.contains(&false), asked.contains(&true)])
            }
            Literal::Ip(_) => Self::Address(all!(Literal::Ip(ip) => *ip).collect::<Result<_, _>>()?),
            Literal::Net(..) => Self::Network(all!(Literal::Net(ip, bits) => (*ip, *bits)).collect::<Result<_, _>>()?),
        })
    }

    /// Whether a value satisfies the test. A value of another type satisfies none but [`Test::Exists`].
    #[inline]
    pub fn matches(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Text(text) => match value {
                Value::Bytes(bytes) => text.matches(bytes),
                _ => false,
            },
            Self::Number(members) => match value {
                Value::Int(n) => member(members, *n as u64),
                Value::Uint(n) => member(members, *n),
                _ => false,
            },
            Self::Truth(asked) => match value {
                Value::Bool(b) => asked[usize::from(*b)],
                _ => false,
            },
            Self::Not(inner) => !inner.matches(value),
            _ => self.matches_rarely(value),
        }
    }

    #[inline(never)]
    fn matches_rarely(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Exists, _) => true,
            (Self::Order(op, constant), value) => compare(*value, constant).is_some_and(|o| ordered(*op, o)),
            (Self::Double(members), Value::Double(n)) => members.contains(n),
            (Self::Address(members), Value::Ip(ip)) => members.contains(ip),
            (Self::Network(nets), Value::Ip(ip)) => nets.iter().any(|(net, bits)| inside(*ip, *net, *bits)),
            (Self::Count(quantifier, tests), value) => {
                let mut hits = tests.iter().filter(|test| test.matches(value));
                match quantifier {
                    Quantifier::Any => hits.next().is_some(),
                    Quantifier::All => hits.count() == tests.len(),
                    Quantifier::One => hits.next().is_some() && hits.next().is_none(),
                }
            }
            (Self::Every(inner), Value::List(values)) => values.iter().all(|value| inner.matches(value)),
            (Self::Some(inner), Value::List(values)) => values.iter().any(|value| inner.matches(value)),
            _ => false,
        }
    }
}

fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn member(members: &[u64], n: u64) -> bool {
    if members.len() <= 8 { members.contains(&n) } else { members.binary_search(&n).is_ok() }
}

/// The order of a value and a constant of its kind.
pub fn compare(value: Value<'_>, constant: &Literal) -> Option<std::cmp::Ordering> {
    match (value, constant) {
        (Value::Int(a), Literal::Int(b)) => Some(a.cmp(b)),
        (Value::Int(a), Literal::Uint(b)) => Some(a.cmp(&(*b as i64))),
        (Value::Uint(a), Literal::Uint(b)) => Some(a.cmp(b)),
        (Value::Uint(a), Literal::Int(b)) => Some(a.cmp(&(*b as u64))),
        (Value::Double(a), Literal::Double(b)) => a.partial_cmp(&f64::from_bits(*b)),
        (Value::Double(a), Literal::Int(b)) => a.partial_cmp(&(*b as f64)),
        _ => None,
    }
}

/// Whether an address lies in a network of its family. Bits of the network's address past its length do not count.
pub fn inside(ip: IpAddr, net: IpAddr, bits: u8) -> bool {
    match (ip, net) {
        (IpAddr::V4(ip), IpAddr::V4(net)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            ip.to_bits() & mask == net.to_bits() & mask
        }
        (IpAddr::V6(ip), IpAddr::V6(net)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            ip.to_bits() & mask == net.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<Literal> {
        list.iter().map(|t| Literal::Bytes(t.as_bytes().to_vec())).collect()
    }

    fn holds(op: Op, quantifier: Quantifier, consts: &[Literal], value: Value<'_>) -> bool {
        Test::new(op, quantifier, consts).unwrap().matches(&value)
    }

    #[test]
    fn quantifiers() {
        use Quantifier::{All, Any, One};
        let (ab, value) = (texts(&["a", "b"]), Value::Bytes(b"ab"));
        assert!(holds(Op::Contains, All, &ab, value) && holds(Op::Contains, Any, &ab, value));
        assert!(!holds(Op::Contains, One, &ab, value) && holds(Op::Startswith, One, &ab, value));
        let value = Value::Bytes(b"a");
        assert!(holds(Op::Ne, Any, &ab, value) && !holds(Op::Ne, All, &ab, value) && holds(Op::Ne, One, &ab, value));
        for op in [Op::Eq, Op::Ne, Op::Contains] {
            for quantifier in [All, Any, One] {
                assert!(!holds(op, quantifier, &[], value), "{op:?} {quantifier:?} of nothing");
            }
        }
    }

    #[test]
    fn numbers_and_truth() {
        use Quantifier::Any;
        let ints = [Literal::Int(-1), Literal::Int(7)];
        assert!(holds(Op::In, Any, &ints, Value::Int(-1)) && !holds(Op::In, Any, &ints, Value::Int(1)));
        assert!(holds(Op::Lt, Any, &ints[..1], Value::Int(-2)));
        assert!(!holds(Op::Lt, Any, &[Literal::Uint(5)], Value::Uint(u64::MAX)));
        assert!(holds(Op::Ne, Quantifier::All, &[Literal::Bool(true)], Value::Bool(false)));
        assert!(!holds(Op::Eq, Any, &ints, Value::Bytes(b"7")));
    }

    #[test]
    fn networks() {
        let net = |text: &str, bits| Literal::Net(text.parse().unwrap(), bits);
        let ip = |text: &str| Value::Ip(text.parse().unwrap());
        let nets = [net("10.1.2.3", 8), net("fd00::", 8), net("0.0.0.0", 0)];
        assert!(holds(Op::In, Quantifier::Any, &nets[..2], ip("10.9.9.9")));
        assert!(holds(Op::In, Quantifier::Any, &nets[..2], ip("fd12::1")));
        assert!(!holds(Op::In, Quantifier::Any, &nets[..2], ip("11.0.0.0")));
        assert!(holds(Op::Eq, Quantifier::Any, &nets[2..], ip("255.1.1.1")));
        assert!(holds(Op::Ne, Quantifier::All, &nets[2..], ip("::1")));
    }

    #[test]
    fn wrong_kinds_are_refused() {
        let mixed = [Literal::Int(1), Literal::Bool(true)];
        assert_eq!(Test::new(Op::In, Quantifier::Any, &mixed).unwrap_err(), BuildError::Mixed);
        let error = Test::new(Op::Startswith, Quantifier::Any, &mixed[..1]).unwrap_err();
        assert_eq!(error, BuildError::Operator(Op::Startswith));
    }
}
