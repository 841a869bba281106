//! Tree to typed expression: fields found, operators allowed, constants read.
//!
//! What is refused, in which order and with which message is upstream's (`filter.cpp`, `sinsp_filtercheck.cpp`,
//! `sinsp_filtercheck_multivalue_transformer.cpp` of falcosecurity/libs). Spans are ours, and so are the notes on
//! comparisons that are legal but cannot be true, which never change a verdict.

use crate::ast::{self, Op, Span, TransformerArg};
use crate::constant::{self, parse_constant};
use crate::error::{CheckError, CheckErrorKind as Kind};
use crate::field::{Catalogue, FieldError, FieldRef, flag};
use crate::lexer::value_bytes;
use crate::lint;
use crate::print::print_operand;
use crate::regex_posix;
use crate::typed::{Check, Const, Expr, Operand, Rhs, Transformer};
use crate::types::{check_operator, op_name, type_name};
use peregrine_event::ParamType as T;

/// Nesting of expressions that is accepted, far above what a rule needs and far below what a stack holds.
pub const MAX_NESTING: u32 = 1000;

/// A condition that compiles.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The typed expression.
    pub expr: Expr,
    /// Upstream's warnings.
    pub warnings: Vec<Remark>,
    /// Our own remarks.
    pub notes: Vec<Remark>,
}

/// A remark about a part of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The text.
    pub message: String,
    /// Where.
    pub span: Span,
    /// The offset that upstream reports: where the right side starts.
    pub anchor: u32,
}

/// Checks a condition whose macros are resolved.
///
/// # Errors
/// The first fault, as upstream finds it (left to right).
pub fn check(expr: &ast::Expr, catalogue: &dyn Catalogue) -> Result<Checked, CheckError> {
    let mut checker = Checker { catalogue, warnings: Vec::new(), notes: Vec::new() };
    let expr = checker.expr(expr, 0)?;
    Ok(Checked { expr, warnings: checker.warnings, notes: checker.notes })
}

/// Checks a field or a transformer alone, as output formats and exceptions use them.
///
/// # Errors
/// As [`check`].
pub fn check_operand(operand: &ast::Operand, catalogue: &dyn Catalogue) -> Result<TypedOperand, CheckError> {
    let checker = Checker { catalogue, warnings: Vec::new(), notes: Vec::new() };
    let typed = checker.operand(operand)?;
    Ok(TypedOperand { operand: typed.operand, ty: typed.ty, is_list: typed.is_list })
}

/// An operand with the type it yields.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedOperand {
    /// What is computed.
    pub operand: Operand,
    /// Type of its values.
    pub ty: T,
    /// Whether it yields a list.
    pub is_list: bool,
}

/// An operand under construction: its type after transformers, and the field it started from.
struct Typed {
    operand: Operand,
    ty: T,
    is_list: bool,
    /// Name in messages.
    name: String,
    flags: u16,
    /// Name, type and listness before transformers, which is what upstream's `join`, `concat` and `getopt` look at.
    base: Base,
}

#[derive(Clone)]
struct Base {
    name: String,
    ty: T,
    is_list: bool,
}

impl Typed {
    fn constant(operand: Operand, is_list: bool, name: &str) -> Self {
        let base = Base { name: "NA".into(), ty: T::Charbuf, is_list };
        Self { operand, ty: T::Charbuf, is_list, name: name.into(), flags: 0, base }
    }
}

struct Checker<'a> {
    catalogue: &'a dyn Catalogue,
    warnings: Vec<Remark>,
    notes: Vec<Remark>,
}

type Outcome<T> = Result<T, CheckError>;

fn fail<T>(kind: Kind, span: Span, message: impl Into<String>) -> Outcome<T> {
    Err(CheckError { message: message.into(), span, anchor: span.start, kind, help: None })
}

impl Checker<'_> {
    fn expr(&mut self, expr: &ast::Expr, nesting: u32) -> Outcome<Expr> {
        if nesting >= MAX_NESTING {
            let message = format!("filter error: expression is nested deeper than {MAX_NESTING} levels");
            return fail(Kind::Limit, Span::default(), message);
        }
        Ok(match expr {
            ast::Expr::And(children) => Expr::And(self.children(children, nesting, |flat, child| match child {
                Expr::And(inner) => flat.extend(inner),
                other => flat.push(other),
            })?),
            ast::Expr::Or(children) => Expr::Or(self.children(children, nesting, |flat, child| match child {
                Expr::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            })?),
            ast::Expr::Not(child) => Expr::Not(Box::new(self.expr(child, nesting + 1)?)),
            ast::Expr::Identifier(name, span) => {
                let message = format!("filter error: unexpected identifier '{name}'");
                return fail(Kind::Identifier, *span, message);
            }
            ast::Expr::Check(check) => {
                Expr::Check(self.comparison(check).map_err(|error| CheckError { anchor: check.span.start, ..error })?)
            }
        })
    }

    /// Checks children; `take` adds each, or those of a child of the same kind.
    fn children(&mut self, children: &[ast::Expr], nesting: u32, take: fn(&mut Vec<Expr>, Expr)) -> Outcome<Vec<Expr>> {
        let mut flat = Vec::with_capacity(children.len());
        for child in children {
            take(&mut flat, self.expr(child, nesting + 1)?);
        }
        Ok(flat)
    }

    fn comparison(&mut self, check: &ast::Check) -> Outcome<Check> {
        let lhs = self.operand(&check.lhs)?;
        if let Err(message) = check_operator(check.op, check.modifier, lhs.ty, lhs.is_list) {
            return fail(Kind::Operator, check.span, format!("filter error: {message}"));
        }
        let rhs = match &check.rhs {
            ast::Rhs::None => Rhs::None,
            ast::Rhs::Operand(operand) => {
                let rhs = self.operand(operand)?;
                check_sides(check, &lhs, &rhs)?;
                Rhs::Operand(rhs.operand)
            }
            ast::Rhs::Value(value, span) | ast::Rhs::ListName(value, span) => {
                Rhs::Consts(vec![self.constant(&lhs, check, value, *span)?])
            }
            ast::Rhs::List(values) => {
                let consts = values.iter().map(|(value, span)| self.constant(&lhs, check, value, *span));
                Rhs::Consts(consts.collect::<Outcome<_>>()?)
            }
        };
        // The field is the distance from the time in its brackets, and `=` asks whether it is within the constant.
        let op = if lhs.base.name == "evt.around" && check.op == Op::Eq { Op::Le } else { check.op };
        let check = Check { lhs: lhs.operand, op, modifier: check.modifier, rhs, span: check.span };
        lint::impossible(&check, self.catalogue, &mut self.notes);
        Ok(check)
    }

    fn constant(&mut self, lhs: &Typed, check: &ast::Check, value: &str, span: Span) -> Outcome<Const> {
        let (op, anchor) = (check.op, check.rhs_start);
        for message in lint::value_warnings(op, value, self.catalogue) {
            self.warnings.push(Remark { message, span, anchor });
        }
        let constant = match self.read_constant(lhs, op, value) {
            Ok(constant) => constant,
            Err(message) => return fail(Kind::Constant, span, message),
        };
        if let Some(message) = lint::cut_constant(value, lhs.ty) {
            self.notes.push(Remark { message, span, anchor });
        }
        if op == Op::Regex
            && let Err(error) = regex_posix::compile(value)
        {
            return fail(Kind::Constant, span, format!("invalid regex pattern: {error}"));
        }
        self.check_special(lhs, op, value, span)?;
        Ok(constant)
    }

    fn read_constant(&self, lhs: &Typed, op: Op, value: &str) -> Result<Const, String> {
        let hex = matches!(op, Op::Bcontains | Op::Bstartswith);
        let bytes = if hex {
            let message = "filter error: bcontains and bstartswith operator support hex strings only";
            constant::unhex(value).ok_or(message)?
        } else {
            value_bytes(value)
        };
        // Upstream reads the constants of a raw argument by the argument's own type, and has no reader for buffers.
        match lhs.ty {
            T::Bytebuf if lhs.base.name != "evt.rawarg" => constant::parse_bytes(bytes),
            ty => parse_constant(value, ty),
        }
    }

    /// Fields whose constants mean more than their type says.
    fn check_special(&self, lhs: &Typed, op: Op, value: &str, span: Span) -> Outcome<()> {
        match lhs.base.name.as_str() {
            "evt.type" if !crate::events::is_event_name(value, self.catalogue.async_events()) => {
                let help = crate::events::nearest_name(value).map(|name| format!("did you mean '{name}'?"));
                let message = format!("unknown event type {value}");
                Err(CheckError { message, span, anchor: span.start, kind: Kind::UnknownEvent, help })
            }
            "evt.around" if op != Op::Eq => {
                fail(Kind::Operator, span, "evt.around supports only '=' comparison operator")
            }
            "evt.around" => match constant::unsigned(value) {
                Ok(_) => Ok(()),
                Err(message) => fail(Kind::Constant, span, message),
            },
            _ => Ok(()),
        }
    }

    fn operand(&self, operand: &ast::Operand) -> Outcome<Typed> {
        match operand {
            ast::Operand::Field { name, arg, span } => self.field(name, arg.as_deref(), *span),
            ast::Operand::Transformer { name, args, arg, span } => self.transformer(name, args, arg.as_deref(), *span),
        }
    }

    fn field(&self, name: &str, arg: Option<&str>, span: Span) -> Outcome<Typed> {
        let field: FieldRef = match self.catalogue.resolve(name, arg) {
            Ok(field) => field,
            Err(FieldError::Argument(message)) => return fail(Kind::FieldArgument, span, message),
            Err(FieldError::Unknown) => {
                let shown = arg.map_or_else(|| name.to_owned(), |arg| format!("{name}[{arg}]"));
                let message = format!("filter_check called with nonexistent field {shown}");
                let help = self.catalogue.nearest(name).map(|s| format!("did you mean '{s}'?"));
                return Err(CheckError { message, span, anchor: span.start, kind: Kind::UnknownField, help });
            }
        };
        let info = self.catalogue.info(field.id);
        let base = Base { name: info.name.into(), ty: field.ty, is_list: field.is_list };
        let (ty, is_list, flags) = (field.ty, field.is_list, info.flags);
        Ok(Typed { ty, is_list, name: info.name.into(), flags, base, operand: Operand::Field(field) })
    }

    fn transformer_arg(&self, arg: &TransformerArg) -> Outcome<Typed> {
        Ok(match arg {
            TransformerArg::Operand(operand) => self.operand(operand)?,
            TransformerArg::Literal(text) => Typed::constant(Operand::Literal(value_bytes(text)), false, "NA"),
            TransformerArg::List(items) => {
                let items = items.iter().map(|item| Ok(self.transformer_arg(item)?.operand));
                Typed::constant(Operand::List(items.collect::<Outcome<_>>()?), true, "NA")
            }
        })
    }

    fn transformer(&self, name: &str, args: &[TransformerArg], arg: Option<&str>, span: Span) -> Outcome<Typed> {
        let mut args: Vec<Typed> = args.iter().map(|a| self.transformer_arg(a)).collect::<Outcome<_>>()?;
        if args.len() > 1 {
            return several(name, args, arg, span);
        }
        if arg.is_some() {
            let message = format!("filter error: transformer '{name}' does not support field arguments");
            return fail(Kind::Transformer, span, message);
        }
        let Some(inner) = args.pop() else {
            return fail(
                Kind::Transformer,
                span,
                format!("filter error: found null child node on '{name}' transformer"),
            );
        };
        if name == "val" {
            return Ok(inner);
        }
        single(name, inner, span)
    }
}

/// Applies a transformer of one argument.
fn single(name: &str, inner: Typed, span: Span) -> Outcome<Typed> {
    use Transformer::*;
    let kind = match name {
        "toupper" => Toupper,
        "tolower" => Tolower,
        "b64" => B64,
        "basename" => Basename,
        "len" => Len,
        _ => return fail(Kind::Transformer, span, format!("unknown field transfomer '{name}'")),
    };
    if inner.flags & flag::NO_TRANSFORMER != 0 {
        let message = format!("field '{}' does not support transformers", inner.base.name);
        return fail(Kind::Transformer, span, message);
    }
    let text = matches!(inner.ty, T::Charbuf | T::Fspath | T::Fsrelpath);
    let legal = match kind {
        B64 => matches!(inner.ty, T::Charbuf | T::Bytebuf),
        Len => inner.is_list || text || inner.ty == T::Bytebuf,
        _ => text,
    };
    if !legal {
        let list = if inner.is_list { "list " } else { "" };
        let message = format!(
            "can't add field transformer: type '{}' is not supported by '{name}' transformer applied on {list}field '{}'",
            type_name(inner.ty),
            inner.base.name
        );
        return fail(Kind::Transformer, span, message);
    }
    let (ty, is_list) = if kind == Len { (T::Uint64, false) } else { (inner.ty, inner.is_list) };
    let operand = Operand::Transform { kind, args: vec![inner.operand], arg: None };
    Ok(Typed { operand, ty, is_list, ..inner })
}

/// Applies a transformer of several arguments.
fn several(name: &str, args: Vec<Typed>, arg: Option<&str>, span: Span) -> Outcome<Typed> {
    use Transformer::*;
    let bases: Vec<Base> = args.iter().map(|a| a.base.clone()).collect();
    let text = |base: &Base| base.ty == T::Charbuf;
    let (kind, fault) = match name {
        "join" => (
            Join,
            match bases.as_slice() {
                [separator, _] if separator.is_list => {
                    Some("join() first argument (separator) must be a single value, not a list")
                }
                [_, list] if !list.is_list => Some("join() second argument must be a list"),
                [_, _] => None,
                _ => Some("join() requires exactly 2 arguments: separator and list"),
            },
        ),
        "concat" if bases.iter().any(|b| !text(b) || b.is_list) => (Concat, Some("concat() arguments must be strings")),
        "concat" => (Concat, None),
        "getopt" => (
            Getopt,
            match bases.as_slice() {
                [list, _] if !list.is_list => Some("getopt() first argument must be a list"),
                [_, options] if options.is_list => Some("getopt() second argument (optstring) must be a single value"),
                [list, options] if !text(list) || !text(options) => Some("getopt() arguments must be strings"),
                [_, _] => None,
                _ => Some("getopt() requires exactly 2 arguments: args list and optstring"),
            },
        ),
        _ => (Concat, Some("unknown multivalue transformer")),
    };
    if let Some(message) = fault {
        return fail(Kind::Transformer, span, message);
    }
    if let Some(arg) = arg {
        if kind != Getopt {
            return fail(Kind::Transformer, span, format!("transformer '{name}' does not support field arguments"));
        }
        if arg.len() != 1 {
            return fail(Kind::Transformer, span, "getopt() field argument must be a single option character");
        }
    }
    let is_list = kind == Getopt && arg.is_none();
    let args = args.into_iter().map(|a| a.operand).collect();
    let operand = Operand::Transform { kind, args, arg: arg.map(str::to_owned) };
    let mut typed = Typed::constant(operand, is_list, if is_list { "INTERNAL" } else { "NA" });
    // Upstream's description of such a result is never a list, whatever it yields.
    typed.base.is_list = false;
    Ok(typed)
}

/// Whether two fields may be compared.
fn check_sides(check: &ast::Check, lhs: &Typed, rhs: &Typed) -> Outcome<()> {
    let span = check.span;
    if matches!(check.op, Op::Pmatch | Op::Regex) {
        let message = format!("operator '{}' doesn't support right-hand side fields", op_name(check.op).to_uppercase());
        return fail(Kind::Sides, span, message);
    }
    if matches!(lhs.ty, T::Ipnet | T::Ipv4net | T::Ipv6net) {
        return fail(Kind::Sides, span, "field type 'IPNET' doesn't support right-hand side fields");
    }
    if lhs.flags & flag::NO_RHS != 0 {
        return fail(Kind::Sides, span, format!("field '{}' doesn't support right-hand side fields", lhs.name));
    }
    if rhs.flags & flag::NO_RHS != 0 {
        return fail(Kind::Sides, span, format!("field '{}' can't be used as a right-hand side field", rhs.name));
    }
    if lhs.ty == rhs.ty && lhs.is_list == rhs.is_list {
        return Ok(());
    }
    let list = |typed: &Typed| if typed.is_list { " (list)" } else { "" };
    let mut error = CheckError {
        message: format!(
            "field '{}' has type '{}{}' while the right-hand side field '{}' has incompatible type '{}{}'",
            lhs.name,
            type_name(lhs.ty),
            list(lhs),
            rhs.name,
            type_name(rhs.ty),
            list(rhs)
        ),
        span,
        anchor: span.start,
        kind: Kind::Sides,
        help: None,
    };
    if let ast::Rhs::Operand(operand) = &check.rhs {
        error.help = Some(format!("'{}' stands on the right", print_operand(operand)));
    }
    Err(error)
}
