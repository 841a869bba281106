//! Uses in a condition that Falco warns of: `<NA>` compared with fields of plugins, and deprecated fields.

use crate::code::DEPRECATED_FIELDS;
use peregrine_filter::ast::{Check, Expr, Op, Operand, Rhs, Span, TransformerArg};

/// What was found, each with its first place.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) na_check: Option<Span>,
    /// By [`DEPRECATED_FIELDS`].
    pub(crate) deprecated: [Option<Span>; DEPRECATED_FIELDS.len()],
}

/// Looks through a resolved condition.
pub(crate) fn find(tree: &Expr) -> Found {
    let mut found = Found::default();
    walk(tree, &mut found);
    found
}

fn walk(tree: &Expr, found: &mut Found) {
    match tree {
        Expr::And(children) | Expr::Or(children) => children.iter().for_each(|c| walk(c, found)),
        Expr::Not(child) => walk(child, found),
        Expr::Identifier(..) => {}
        Expr::Check(check) => comparison(check, found),
    }
}

fn comparison(check: &Check, found: &mut Found) {
    let unsafe_field = operand(&check.lhs, found);
    let equality = matches!(check.op, Op::Eq | Op::Ne | Op::In | Op::Intersects | Op::Pmatch);
    if !unsafe_field || !equality || check.modifier.is_some() {
        return;
    }
    let na = |value: &str| value == "<NA>";
    match &check.rhs {
        Rhs::Value(value, span) | Rhs::ListName(value, span) if na(value) => {
            found.na_check.get_or_insert(*span);
        }
        Rhs::List(values) => {
            if let Some((_, span)) = values.iter().find(|(value, _)| na(value)) {
                found.na_check.get_or_insert(*span);
            }
        }
        // Falco looks at the right side of such comparisons alone.
        Rhs::Operand(right) => {
            operand(right, found);
        }
        _ => {}
    }
}

/// Notes deprecated fields and says whether the last field is one that must not be compared with `<NA>`.
fn operand(operand_: &Operand, found: &mut Found) -> bool {
    match operand_ {
        Operand::Field { name, span, .. } => {
            if let Some(i) = DEPRECATED_FIELDS.iter().position(|field| field.name == name) {
                found.deprecated[i].get_or_insert(*span);
            }
            name.starts_with("ka.") || name.starts_with("jevt.")
        }
        Operand::Transformer { args, .. } => args.iter().fold(false, |_, arg| argument(arg, found)),
    }
}

fn argument(arg: &TransformerArg, found: &mut Found) -> bool {
    match arg {
        TransformerArg::Operand(inner) => operand(inner, found),
        TransformerArg::Literal(_) => false,
        TransformerArg::List(items) => items.iter().fold(false, |_, item| argument(item, found)),
    }
}
