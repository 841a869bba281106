//! Which operator applies to which type, and the names of types in messages.
//!
//! The table is upstream's (`flt_is_comparable`, `filter_compare.cpp`).

use crate::ast::{Modifier, Op};
use peregrine_event::ParamType as T;

/// The name of a type as messages print it.
pub fn type_name(ty: T) -> String {
    match ty {
        T::Dyn => "DYNAMIC".into(),
        T::CharbufPairArray => "CHARBUF_PAIR_ARRAY".into(),
        other => format!("{other:?}").to_uppercase(),
    }
}

/// The name of an operator as messages print it.
pub fn op_name(op: Op) -> &'static str {
    if op == Op::Eq {
        return "=";
    }
    crate::parser::OPERATORS.iter().find(|row| row.op == op).map_or("", |row| row.text)
}

/// Families of types that share their operators.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Number,
    Bool,
    Text,
    Bytes,
    Net,
}

fn family(ty: T) -> Option<Family> {
    Some(match ty {
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::Uint8 | T::Uint16 | T::Uint32 | T::Uint64 => Family::Number,
        T::Errno | T::Fd | T::Pid | T::Syscallid | T::Sigtype | T::Reltime | T::Abstime | T::Port => Family::Number,
        T::Flags8 | T::Flags16 | T::Flags32 | T::Double | T::Mode => Family::Number,
        T::Enumflags8 | T::Enumflags16 | T::Enumflags32 => Family::Number,
        T::Bool => Family::Bool,
        T::Ipv4addr | T::Ipv4net | T::Ipv6addr | T::Ipv6net | T::Ipaddr | T::Ipnet => Family::Net,
        T::Charbuf | T::Fspath | T::Fsrelpath => Family::Text,
        T::Bytebuf => Family::Bytes,
        _ => return None,
    })
}

/// Types that may form lists in comparisons.
fn list_type(ty: T) -> bool {
    matches!(ty, T::Charbuf | T::Uint64 | T::Reltime | T::Abstime | T::Bool | T::Ipaddr | T::Ipnet)
}

/// Says whether an operator applies to a type.
///
/// # Errors
/// Upstream's message (without its `filter error: `) when it does not.
pub fn check_operator(op: Op, modifier: Option<Modifier>, ty: T, is_list: bool) -> Result<(), String> {
    use Op::*;
    if op == Exists {
        return Ok(());
    }
    let name = op_name(op);
    if is_list {
        if !list_type(ty) {
            return Err(format!("list filters are not supported for type '{}'", type_name(ty)));
        }
        return match op {
            In | Intersects => Ok(()),
            _ => Err(format!("'{name}' operator not supported list filters")),
        };
    }
    let Some(family) = family(ty) else {
        return Err(format!("'{name}' operator not supported for type '{}'", type_name(ty)));
    };
    let scalar = matches!(op, Eq | Ne | In | Intersects);
    let ordered = matches!(op, Lt | Le | Gt | Ge);
    let (legal, noun) = match family {
        Family::Number => (scalar || ordered, "numeric filters"),
        Family::Bool => (scalar, "numeric filters"),
        Family::Text => (!matches!(op, Bcontains | Bstartswith), "string filters"),
        Family::Bytes => {
            let bytes = matches!(op, Contains | Startswith | Endswith | Bcontains | Bstartswith);
            (scalar || bytes, "buffer filters")
        }
        Family::Net => (scalar, "ip address and network filters"),
    };
    if legal {
        return Ok(());
    }
    if family == Family::Net && modifier.is_some() {
        return Err(format!("'{name}' with modifier not supported for {noun}"));
    }
    Err(format!("'{name}' operator not supported for {noun}"))
}
