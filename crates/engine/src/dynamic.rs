//! Comparing two values of an event with each other.

use crate::ops::Quantifier;
use crate::ops::glob::Glob;
use crate::ops::text::ordered;
use crate::value::Value;
use memchr::memmem;
use peregrine_filter::ast::Op;
use std::cmp::Ordering;

/// Whether `lhs op rhs`. With a list on the right, `in` and `intersects` ask for membership; with a list on the left,
/// for that of all its elements, or of one.
pub fn compare(op: Op, quantifier: Quantifier, lhs: Value<'_>, rhs: Value<'_>) -> bool {
    let single = [rhs];
    let members: &[Value<'_>] = match rhs {
        Value::List(members) => members,
        _ => &single,
    };
    match (op, lhs) {
        (Op::In | Op::Eq, Value::List(values)) => values.iter().all(|value| members.contains(value)),
        (Op::Intersects, Value::List(values)) => values.iter().any(|value| members.contains(value)),
        (Op::In | Op::Eq | Op::Intersects, value) => members.contains(&value),
        _ => {
            let mut hits = members.iter().filter(|member| holds(op, lhs, **member));
            match quantifier {
                Quantifier::Any => hits.next().is_some(),
                Quantifier::All => hits.count() == members.len() && !members.is_empty(),
                Quantifier::One => hits.next().is_some() && hits.next().is_none(),
            }
        }
    }
}

fn holds(op: Op, lhs: Value<'_>, rhs: Value<'_>) -> bool {
    match (op, lhs, rhs) {
        (Op::Exists, ..) => true,
        (Op::Ne, ..) => lhs != rhs,
        (Op::Lt | Op::Le | Op::Gt | Op::Ge, ..) => order(lhs, rhs).is_some_and(|o| ordered(op, o)),
        (_, Value::Bytes(a), Value::Bytes(b)) => match op {
            Op::Contains | Op::Bcontains => memmem::find(a, b).is_some(),
            Op::Icontains => b.is_empty() || a.windows(b.len()).any(|window| window.eq_ignore_ascii_case(b)),
            Op::Startswith | Op::Bstartswith => a.starts_with(b),
            Op::Endswith => a.ends_with(b),
            Op::Glob | Op::Iglob => Glob::new(b, op == Op::Iglob).matches(a),
            _ => false,
        },
        _ => false,
    }
}

fn order(lhs: Value<'_>, rhs: Value<'_>) -> Option<Ordering> {
    match (lhs, rhs) {
        (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(&b)),
        (Value::Uint(a), Value::Uint(b)) => Some(a.cmp(&b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(&b),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Quantifier::{All, Any};

    #[test]
    fn lists_and_scalars() {
        let (a, b) = (Value::Bytes(b"a"), Value::Bytes(b"b"));
        let both = [a, b];
        let one = [a];
        assert!(compare(Op::In, Any, a, a) && !compare(Op::In, Any, a, b));
        assert!(compare(Op::In, Any, b, Value::List(&both)));
        assert!(compare(Op::In, Any, Value::List(&one), Value::List(&both)));
        assert!(!compare(Op::In, Any, Value::List(&both), Value::List(&one)));
        assert!(compare(Op::Intersects, Any, Value::List(&both), Value::List(&one)));
        assert!(compare(Op::Ne, All, a, b) && !compare(Op::Ne, All, a, a));
    }

    #[test]
    fn texts_and_numbers() {
        let long = Value::Bytes(b"/etc/Passwd");
        assert!(compare(Op::Icontains, Any, long, Value::Bytes(b"passWD")));
        assert!(compare(Op::Glob, Any, long, Value::Bytes(b"/etc/*")));
        assert!(compare(Op::Endswith, Any, long, Value::Bytes(b"wd")));
        assert!(compare(Op::Lt, Any, Value::Int(-1), Value::Int(0)));
        assert!(!compare(Op::Lt, Any, Value::Int(-1), Value::Uint(0)));
    }
}
