//! A plain, slow interpreter of conditions, written from the language's description alone: what the compiled graph must
//! agree with.

use bumpalo::Bump;
use peregrine_engine::fields::{Fields, Multi};
use peregrine_engine::transform;
use peregrine_engine::{Moment, Value};
use peregrine_filter::ast::{Modifier, Op};
use peregrine_filter::regex_posix;
use peregrine_filter::typed::{Check, Const, Expr, Operand, Rhs};
use std::cmp::Ordering;
use std::net::IpAddr;

/// Whether a condition holds.
pub fn holds(expr: &Expr, fields: &Fields, moment: &Moment<'_>) -> bool {
    match expr {
        Expr::And(all) => all.iter().all(|part| holds(part, fields, moment)),
        Expr::Or(all) => all.iter().any(|part| holds(part, fields, moment)),
        Expr::Not(inner) => !holds(inner, fields, moment),
        Expr::Check(check) => check_holds(check, fields, moment),
    }
}

fn check_holds(check: &Check, fields: &Fields, moment: &Moment<'_>) -> bool {
    let Operand::Field(field) = &check.lhs else {
        let Some(value) = value(&check.lhs, fields, moment) else { return false };
        return compare(check, value, fields, moment);
    };
    let row = fields.field(field.id);
    let (extract, multi) = row.for_condition(&field.arg);
    let Some(found) = extract(moment, &field.arg) else { return false };
    let values = match (multi, found) {
        (Multi::One, found) => return compare(check, found, fields, moment),
        (_, Value::List(values)) => values,
        _ => return false,
    };
    if check.op == Op::Exists {
        return true;
    }
    if multi == Multi::Ancestors {
        return values.iter().any(|value| compare(check, *value, fields, moment));
    }
    let first_only = check.modifier.is_some() || (check.op == Op::In && row.info.name == "fd.net");
    let mut check = Check { modifier: None, ..check.clone() };
    if let (Rhs::Consts(consts), true) = (&mut check.rhs, first_only) {
        consts.truncate(1);
    }
    if check.op == Op::Ne {
        !values.is_empty() && values.iter().all(|value| compare(&check, *value, fields, moment))
    } else {
        values.iter().any(|value| compare(&check, *value, fields, moment))
    }
}

fn value<'a>(operand: &Operand, fields: &Fields, moment: &Moment<'a>) -> Option<Value<'a>> {
    let scratch: &'a Bump = moment.scratch;
    match operand {
        Operand::Field(field) => match fields.field(field.id).for_condition(&field.arg) {
            (extract, Multi::One) => extract(moment, &field.arg),
            _ => (fields.field(field.id).extract)(moment, &field.arg),
        },
        Operand::Literal(text) => Some(Value::Bytes(scratch.alloc_slice_copy(text))),
        Operand::List(items) => {
            let values: Option<Vec<Value<'a>>> = items.iter().map(|item| value(item, fields, moment)).collect();
            Some(Value::List(scratch.alloc_slice_copy(&values?)))
        }
        Operand::Transform { kind, args, arg } => {
            let values: Option<Vec<Value<'a>>> = args.iter().map(|item| value(item, fields, moment)).collect();
            let selected = arg.as_ref().map(|text| text.as_bytes()[0]);
            transform::apply(*kind, scratch.alloc_slice_copy(&values?), selected, scratch)
        }
    }
}

/// A field on the right side, too, is taken as conditions take it.
fn rhs_value<'a>(operand: &Operand, fields: &Fields, moment: &Moment<'a>) -> Option<Value<'a>> {
    match operand {
        Operand::Field(field) => (fields.field(field.id).for_condition(&field.arg).0)(moment, &field.arg),
        operand => value(operand, fields, moment),
    }
}

fn compare(check: &Check, lhs: Value<'_>, fields: &Fields, moment: &Moment<'_>) -> bool {
    let rhs: Vec<Value<'_>> = match &check.rhs {
        Rhs::None => return true,
        Rhs::Operand(operand) => match rhs_value(operand, fields, moment) {
            None => return false,
            Some(Value::List(values)) => values.to_vec(),
            Some(value) => vec![value],
        },
        Rhs::Consts(consts) => {
            if let (Value::Ip(ip), Some(Const::Net(..))) = (lhs, consts.first()) {
                return network(check, ip, consts);
            }
            consts.iter().map(constant).collect()
        }
    };
    let one = |rhs: &Value<'_>| match lhs {
        Value::List(_) => false,
        lhs => single(check.op, lhs, *rhs),
    };
    match (check.op, lhs) {
        (Op::In, Value::List(values)) => values.iter().all(|value| rhs.iter().any(|r| equal(*value, *r))),
        (Op::Intersects, Value::List(values)) => values.iter().any(|value| rhs.iter().any(|r| equal(*value, *r))),
        (Op::In | Op::Intersects | Op::Pmatch, _) => rhs.iter().any(one),
        _ => quantified(check.modifier, &rhs.iter().map(one).collect::<Vec<_>>()),
    }
}

fn quantified(modifier: Option<Modifier>, outcomes: &[bool]) -> bool {
    let hits = outcomes.iter().filter(|hit| **hit).count();
    match modifier {
        Some(Modifier::Anyof) => hits > 0,
        Some(Modifier::Allof) => hits > 0 && hits == outcomes.len(),
        Some(Modifier::Oneof) => hits == 1,
        None => outcomes.first().copied().unwrap_or(false),
    }
}

fn network(check: &Check, ip: IpAddr, consts: &[Const]) -> bool {
    let inside: Vec<bool> = consts
        .iter()
        .map(|c| match c {
            Const::Net(net, bits) => prefix(ip, *net, *bits),
            _ => false,
        })
        .collect();
    match (check.op, check.modifier) {
        (Op::Ne, modifier) => quantified(modifier, &inside.iter().map(|hit| !hit).collect::<Vec<_>>()),
        (Op::Eq, modifier) => quantified(modifier, &inside),
        _ => inside.contains(&true),
    }
}

fn prefix(ip: IpAddr, net: IpAddr, bits: u8) -> bool {
    let octets = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let (ip, net) = (octets(ip), octets(net));
    let bit = |bytes: &[u8], at: usize| bytes[at / 8] >> (7 - at % 8) & 1;
    ip.len() == net.len() && (0..usize::from(bits)).all(|at| bit(&ip, at) == bit(&net, at))
}

fn constant(constant: &Const) -> Value<'_> {
    match constant {
        Const::Bytes(bytes) => Value::Bytes(bytes),
        Const::Int(n) => Value::Int(*n),
        Const::Uint(n) => Value::Uint(*n),
        Const::Double(n) => Value::Double(*n),
        Const::Bool(b) => Value::Bool(*b),
        Const::Ip(ip) => Value::Ip(*ip),
        Const::Net(ip, _) => Value::Ip(*ip),
    }
}

fn equal(a: Value<'_>, b: Value<'_>) -> bool {
    match (a, b) {
        (Value::Int(a), Value::Uint(b)) | (Value::Uint(b), Value::Int(a)) => a as u64 == b,
        _ => a == b,
    }
}

fn single(op: Op, lhs: Value<'_>, rhs: Value<'_>) -> bool {
    match op {
        Op::Eq | Op::In | Op::Intersects => return equal(lhs, rhs),
        Op::Ne => return !equal(lhs, rhs),
        _ => {}
    }
    let (a, b) = match (lhs, rhs) {
        (Value::Bytes(a), Value::Bytes(b)) => (a, b),
        _ => return order(op, lhs, rhs),
    };
    let lower = |text: &[u8]| text.to_ascii_lowercase();
    match op {
        Op::Contains | Op::Bcontains => contains(a, b),
        Op::Icontains => contains(&lower(a), &lower(b)),
        Op::Startswith | Op::Bstartswith => a.len() >= b.len() && a[..b.len()] == *b,
        Op::Endswith => a.len() >= b.len() && a[a.len() - b.len()..] == *b,
        Op::Glob => glob(b, a),
        Op::Iglob => glob(&lower(b), &lower(a)),
        Op::Regex => {
            let pattern = std::str::from_utf8(b).unwrap();
            regex_posix::compile(pattern).unwrap().is_match(String::from_utf8_lossy(a).as_bytes())
        }
        Op::Pmatch => {
            let parts = |path: &[u8]| -> Vec<Vec<u8>> {
                path.split(|c| *c == b'/').filter(|p| !p.is_empty()).map(<[u8]>::to_vec).collect()
            };
            let (path, listed) = (parts(a), parts(b));
            listed.len() <= path.len()
                && listed.iter().zip(&path).all(|(l, p)| if magic(l) { glob(l, p) } else { l == p })
        }
        Op::Lt => a < b,
        Op::Le => a <= b,
        Op::Gt => a > b,
        Op::Ge => a >= b,
        _ => false,
    }
}

fn magic(part: &[u8]) -> bool {
    part.iter().any(|c| b"?*[".contains(c))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

fn order(op: Op, lhs: Value<'_>, rhs: Value<'_>) -> bool {
    let ordering = match (lhs, rhs) {
        (Value::Int(a), Value::Int(b)) => a.cmp(&b),
        (Value::Uint(a), Value::Uint(b)) => a.cmp(&b),
        (Value::Double(a), Value::Double(b)) => match a.partial_cmp(&b) {
            Some(ordering) => ordering,
            None => return false,
        },
        _ => return false,
    };
    match op {
        Op::Lt => ordering == Ordering::Less,
        Op::Le => ordering != Ordering::Greater,
        Op::Gt => ordering == Ordering::Greater,
        Op::Ge => ordering != Ordering::Less,
        _ => false,
    }
}

/// Patterns of `*`, `?`, escapes and plain bytes; the generator makes no others.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|at| glob(rest, &text[at..])),
        [b'?', rest @ ..] => !text.is_empty() && glob(rest, &text[1..]),
        [b'\\', byte, rest @ ..] | [byte, rest @ ..] => text.first() == Some(byte) && glob(rest, &text[1..]),
    }
}
