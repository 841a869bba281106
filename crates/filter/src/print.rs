//! Tree to text, in upstream's form: the printed condition of `list rules`, of `explain` and of the corpus.

use crate::ast::{Check, Expr, Operand, Rhs, TransformerArg};
use crate::lexer::is_raw_byte;
use crate::parser::MODIFIERS;

/// Prints a condition.
pub fn print(expr: &Expr) -> String {
    let mut out = String::new();
    print_expr(expr, &mut out);
    out
}

/// Prints an operand.
pub fn print_operand(operand: &Operand) -> String {
    let mut out = String::new();
    push_operand(operand, &mut out);
    out
}

/// Quotes a value if it needs quotes to be read back; bytes that are no UTF-8 show as U+FFFD.
pub fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    let mut quote = false;
    for c in value.chars() {
        let text = match c {
            c if is_raw_byte(c) => {
                out.push(char::REPLACEMENT_CHARACTER);
                continue;
            }
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\\' => "\\\\",
            '"' => "\\\"",
            ' ' | '=' | '\'' | '\0' => {
                quote = true;
                out.push(c);
                continue;
            }
            _ => {
                out.push(c);
                continue;
            }
        };
        quote = true;
        out.push_str(text);
    }
    if quote { format!("\"{out}\"") } else { out }
}

fn print_expr(expr: &Expr, out: &mut String) {
    match expr {
        Expr::And(children) => print_joined(children, " and ", out),
        Expr::Or(children) => print_joined(children, " or ", out),
        Expr::Not(child) => {
            out.push_str("not ");
            print_expr(child, out);
        }
        Expr::Identifier(name, _) => out.push_str(name),
        Expr::Check(check) => print_check(check, out),
    }
}

fn print_joined(children: &[Expr], by: &str, out: &mut String) {
    out.push('(');
    for (i, child) in children.iter().enumerate() {
        if i > 0 {
            out.push_str(by);
        }
        print_expr(child, out);
    }
    out.push(')');
}

fn print_check(check: &Check, out: &mut String) {
    push_operand(&check.lhs, out);
    out.push(' ');
    out.push_str(check.spelling);
    if let Some(modifier) = check.modifier {
        let name = MODIFIERS.iter().find(|m| m.1 == modifier).map_or("", |m| m.0);
        out.push(' ');
        out.push_str(name);
    }
    match &check.rhs {
        Rhs::None => {}
        Rhs::Value(value, _) | Rhs::ListName(value, _) => {
            out.push(' ');
            out.push_str(&escape(value));
        }
        Rhs::List(values) => {
            let values: Vec<String> = values.iter().map(|(v, _)| escape(v)).collect();
            out.push_str(" (");
            out.push_str(&values.join(", "));
            out.push(')');
        }
        Rhs::Operand(operand) => {
            out.push(' ');
            push_operand(operand, out);
        }
    }
}

fn push_operand(operand: &Operand, out: &mut String) {
    let arg = match operand {
        Operand::Field { name, arg, .. } => {
            out.push_str(name);
            arg
        }
        Operand::Transformer { name, args, arg, .. } => {
            out.push_str(name);
            push_args(args, out);
            arg
        }
    };
    if let Some(arg) = arg {
        let text = if arg.is_empty() { "\"\"".to_owned() } else { escape(arg) };
        out.push('[');
        out.push_str(&text);
        out.push(']');
    }
}

fn push_args(args: &[TransformerArg], out: &mut String) {
    out.push('(');
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        match arg {
            TransformerArg::Operand(operand) => push_operand(operand, out),
            TransformerArg::Literal(text) => out.push_str(&escape(text)),
            TransformerArg::List(items) => push_args(items, out),
        }
    }
    out.push(')');
}
