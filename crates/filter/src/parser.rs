//! Text to tree: a recursive-descent parser for conditions.
//!
//! Grammar, order of attempts and messages are upstream's (`filter/parser.cpp`). Recursion is bounded: each production
//! counts one level, as upstream counts, so both refuse the same texts.

use crate::ast::{Check, Expr, Modifier, Op, Operand, Rhs, Span, TransformerArg};
use crate::error::ParseError;
use crate::lexer::{BadEscape, Cursor};
use crate::suggest::nearest;

/// Levels of recursion that Falco allows.
pub const MAX_DEPTH: u32 = 1000;
/// Levels of recursion of upstream's parser when nothing is said.
pub const DEFAULT_DEPTH: u32 = 100;

/// Transformers in upstream's order: name, and one sentence for `peregrine list transformers`.
#[rustfmt::skip]
pub const TRANSFORMERS: [(&str, &str); 8] = [
    ("tolower", "the text in lower case: tolower(FIELD)"),
    ("toupper", "the text in upper case: toupper(FIELD)"),
    ("b64", "the bytes that the text encodes in base64: b64(FIELD)"),
    ("basename", "the path's last component: basename(FIELD)"),
    ("len", "length in bytes, or number of a list's values: len(FIELD)"),
    ("join", "a list's values as one text: join(SEPARATOR, FIELD)"),
    ("concat", "texts one after the other: concat(FIELD, \"TEXT\", ...)"),
    ("getopt", "the values of an option in a list of arguments: getopt(FIELD, \"OPTIONS\")[LETTER]"),
];

/// One operator: how it is written and which values may stand on its right.
pub struct OpRow {
    /// As written.
    pub text: &'static str,
    /// Which.
    pub op: Op,
    /// What stands on its right.
    pub side: Side,
    /// One sentence for `peregrine list operators`.
    pub doc: &'static str,
}

/// What stands on the right of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Nothing.
    Nothing,
    /// A number.
    Number,
    /// A text, or a modifier and a list.
    Text,
    /// A list.
    List,
}

const fn row(text: &'static str, op: Op, side: Side, doc: &'static str) -> OpRow {
    OpRow { text, op, side, doc }
}

/// Every operator in the order in which it is tried (`<=` before `<`, `==` before `=`).
#[rustfmt::skip]
pub const OPERATORS: [OpRow; 20] = [
    row("exists", Op::Exists, Side::Nothing, "the field has a value"),
    row("<=", Op::Le, Side::Number, "less or equal"),
    row("<", Op::Lt, Side::Number, "less"),
    row(">=", Op::Ge, Side::Number, "greater or equal"),
    row(">", Op::Gt, Side::Number, "greater"),
    row("==", Op::Eq, Side::Text, "equal"),
    row("=", Op::Eq, Side::Text, "equal"),
    row("!=", Op::Ne, Side::Text, "present and not equal"),
    row("glob", Op::Glob, Side::Text, "matches a shell pattern; * crosses slashes"),
    row("iglob", Op::Iglob, Side::Text, "matches a shell pattern, letter case ignored"),
    row("contains", Op::Contains, Side::Text, "contains the text or bytes"),
    row("icontains", Op::Icontains, Side::Text, "contains the text, letter case ignored"),
    row("bcontains", Op::Bcontains, Side::Text, "contains the bytes given in hexadecimal"),
    row("startswith", Op::Startswith, Side::Text, "starts with the text or bytes"),
    row("bstartswith", Op::Bstartswith, Side::Text, "starts with the bytes given in hexadecimal"),
    row("endswith", Op::Endswith, Side::Text, "ends with the text or bytes"),
    row("regex", Op::Regex, Side::Text, "matches the regular expression as a whole"),
    row("intersects", Op::Intersects, Side::List, "one of the field's values is in the list"),
    row("in", Op::In, Side::List, "all of the field's values are in the list"),
    row("pmatch", Op::Pmatch, Side::List, "one of the listed paths is the value or a directory above it"),
];

/// Modifiers of text operators.
pub const MODIFIERS: [(&str, Modifier, &str); 3] = [
    ("oneof", Modifier::Oneof, "exactly one value satisfies the operator"),
    ("anyof", Modifier::Anyof, "at least one value satisfies the operator"),
    ("allof", Modifier::Allof, "every value satisfies the operator"),
];

/// Parses a whole condition with [`MAX_DEPTH`].
///
/// # Errors
/// [`ParseError`] with upstream's message and the place where reading stopped.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    parse_with_depth(text, MAX_DEPTH)
}

/// Parses a whole condition with a given limit of recursion.
///
/// # Errors
/// [`ParseError`] with upstream's message and the place where reading stopped.
pub fn parse_with_depth(text: &str, max_depth: u32) -> Result<Expr, ParseError> {
    parse_at(text, 0, max_depth)
}

/// Parses a whole condition whose spans shall start at `base`, so that spans of several texts can be told apart.
///
/// # Errors
/// [`ParseError`] with upstream's message and the place (in this text) where reading stopped.
pub fn parse_at(text: &str, base: u32, max_depth: u32) -> Result<Expr, ParseError> {
    let mut parser = Parser { cur: Cursor::new(text), depth: 0, max_depth, base };
    if text.is_empty() {
        return parser.fail("filter input string is empty");
    }
    let expr = parser.or_expr()?;
    if !parser.cur.at_end() {
        let message = format!("unexpected token after '{}', expecting 'or', 'and'", parser.cur.last);
        return parser.fail(message);
    }
    Ok(expr)
}

/// Parses a field or a transformer at the start of a text and says how many bytes it took.
///
/// # Errors
/// [`ParseError`] when neither stands there.
pub fn parse_operand(text: &str) -> Result<(Operand, usize), ParseError> {
    let mut parser = Parser { cur: Cursor::new(text), depth: 0, max_depth: DEFAULT_DEPTH, base: 0 };
    let start = 0;
    parser.enter()?;
    let operand = if parser.cur.field_name() {
        parser.field_rest(start)?
    } else if parser.transformer_name() {
        parser.cur.blank();
        parser.transformer_rest(start)?
    } else {
        let message = format!("unexpected token after '{}", parser.cur.last);
        return parser.fail(message);
    };
    Ok((operand, parser.cur.index()))
}

fn quote_list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|n| format!("'{n}'")).collect::<Vec<_>>().join(", ")
}

fn rhs_names() -> String {
    quote_list(std::iter::once("val").chain(TRANSFORMERS.map(|(name, _)| name)))
}

struct Parser<'a> {
    cur: Cursor<'a>,
    depth: u32,
    max_depth: u32,
    base: u32,
}

type Parsed<T> = Result<T, ParseError>;

impl Parser<'_> {
    fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(ParseError { message: message.into(), position: self.cur.position(), length: 0, help: None })
    }

    /// No operator stands where one must: names the word that does, and the operator nearest to it.
    fn no_operator<T>(&self) -> Parsed<T> {
        let rest = self.cur.rest();
        let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        let word = std::str::from_utf8(&rest[..length]).unwrap_or_default();
        let near = nearest(word, OPERATORS.iter().map(|o| o.text).filter(|text| text.len() > 2));
        Err(ParseError {
            message: format!(
                "expected a valid check operator: one of {}",
                quote_list(OPERATORS.iter().map(|o| o.text))
            ),
            position: self.cur.position(),
            length,
            help: near.map(|near| format!("did you mean '{near}'?")),
        })
    }

    fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth >= self.max_depth {
            return self.fail(format!("exceeded max depth limit of {}", self.max_depth));
        }
        Ok(())
    }

    /// Runs a production one level deeper.
    fn deeper<T>(&mut self, production: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.enter()?;
        let result = production(self);
        self.depth -= 1;
        result
    }

    fn span_from(&self, start: usize) -> Span {
        Span { start: self.base + start as u32, end: self.base + self.cur.index() as u32 }
    }

    /// Leaves a production. Errors end parsing, so only success needs it.
    fn leave<T>(&mut self, value: T) -> Parsed<T> {
        self.depth -= 1;
        Ok(value)
    }

    // The productions from here to `embedded` call each other as deep as the limit allows; they are written without
    // closures so that their frames stay small.

    fn or_expr(&mut self) -> Parsed<Expr> {
        self.enter()?;
        self.cur.blank();
        let first = self.and_expr()?;
        let expr = self.joined(first, "or", Self::and_expr, Expr::Or)?;
        self.leave(expr)
    }

    fn and_expr(&mut self) -> Parsed<Expr> {
        self.enter()?;
        self.cur.blank();
        let first = self.not_expr()?;
        let expr = self.joined(first, "and", Self::not_expr, Expr::And)?;
        self.leave(expr)
    }

    /// Further operands joined by a keyword that a blank or a parenthesis must follow.
    fn joined(
        &mut self,
        first: Expr,
        keyword: &str,
        operand: fn(&mut Self) -> Parsed<Expr>,
        join: fn(Vec<Expr>) -> Expr,
    ) -> Parsed<Expr> {
        self.cur.blank();
        if !self.cur.literal(keyword) {
            return Ok(first);
        }
        let mut children = vec![first];
        loop {
            children.push(if self.cur.blank() {
                operand(self)?
            } else if self.cur.literal("(") {
                self.embedded()?
            } else {
                return self.fail(format!("expected blank or '(' after '{keyword}'"));
            });
            self.cur.blank();
            if !self.cur.literal(keyword) {
                return Ok(join(children));
            }
        }
    }

    fn not_expr(&mut self) -> Parsed<Expr> {
        self.enter()?;
        self.cur.blank();
        let mut negated = false;
        while self.cur.not_blank() {
            negated = !negated;
        }
        let child = if self.cur.literal("not(") {
            negated = !negated;
            self.embedded()?
        } else {
            self.check_expr()?
        };
        self.leave(if negated { Expr::Not(Box::new(child)) } else { child })
    }

    fn check_expr(&mut self) -> Parsed<Expr> {
        self.enter()?;
        self.cur.blank();
        let expr = if self.cur.literal("(") { self.embedded()? } else { self.comparison()? };
        self.leave(expr)
    }

    /// What follows an opening parenthesis.
    fn embedded(&mut self) -> Parsed<Expr> {
        self.enter()?;
        self.cur.blank();
        let child = self.or_expr()?;
        self.cur.blank();
        if !self.cur.literal(")") {
            return self.fail("expected a ')' token");
        }
        self.leave(child)
    }

    fn comparison(&mut self) -> Parsed<Expr> {
        let start = self.cur.index();
        if self.cur.field_name() {
            let lhs = self.deeper(|p| p.field_rest(start))?;
            return self.condition(lhs, start);
        }
        if self.transformer_name() {
            self.cur.blank();
            let lhs = self.deeper(|p| p.transformer_rest(start))?;
            return self.condition(lhs, start);
        }
        if self.cur.identifier() {
            return Ok(Expr::Identifier(self.cur.last.clone(), self.span_from(start)));
        }
        self.fail("expected a '(' token, a field check, or an identifier")
    }

    /// Takes a transformer's name with its parenthesis; the last token is then the name.
    fn transformer_name(&mut self) -> bool {
        for (name, _) in TRANSFORMERS {
            let rest = self.cur.rest();
            if rest.starts_with(name.as_bytes()) && rest.get(name.len()) == Some(&b'(') {
                self.cur.literal(name);
                self.cur.literal("(");
                self.cur.last = name.to_owned();
                return true;
            }
        }
        false
    }

    fn field_rest(&mut self, start: usize) -> Parsed<Operand> {
        let name = self.cur.last.clone();
        let arg = self.bracket_arg()?;
        Ok(Operand::Field { name, arg, span: self.span_from(start) })
    }

    fn bracket_arg(&mut self) -> Parsed<Option<String>> {
        if !self.cur.literal("[") {
            return Ok(None);
        }
        if !self.quoted()? && !self.cur.bare_arg() {
            return self.fail("expected a valid field argument: a quoted string or a bare string");
        }
        let arg = self.cur.last.clone();
        if !self.cur.literal("]") {
            return self.fail("expected a ']' token");
        }
        Ok(Some(arg))
    }

    fn quoted(&mut self) -> Parsed<bool> {
        match self.cur.quoted() {
            Ok(found) => Ok(found),
            Err(BadEscape(message)) => self.fail(message),
        }
    }

    /// What follows `name(`.
    fn transformer_rest(&mut self, start: usize) -> Parsed<Operand> {
        let name = self.cur.last.clone();
        self.cur.blank();
        let mut args = Vec::new();
        loop {
            args.push(self.deeper(Self::transformer_arg)?);
            self.cur.blank();
            if !self.cur.literal(",") {
                break;
            }
        }
        if !self.cur.literal(")") {
            return self.fail("expected a ')' token closing the transformer");
        }
        let arg = self.bracket_arg()?;
        Ok(Operand::Transformer { name, args, arg, span: self.span_from(start) })
    }

    fn transformer_arg(&mut self) -> Parsed<TransformerArg> {
        self.cur.blank();
        let start = self.cur.index();
        if self.cur.number() || self.quoted()? {
            return Ok(TransformerArg::Literal(self.cur.last.clone()));
        }
        if self.cur.literal("(") {
            return self.transformer_list();
        }
        if self.transformer_name() {
            return Ok(TransformerArg::Operand(self.deeper(|p| p.transformer_rest(start))?));
        }
        if self.cur.field_name() {
            return Ok(TransformerArg::Operand(self.deeper(|p| p.field_rest(start))?));
        }
        self.fail("expected field transformer argument: field, transformer, quoted string, number, or transformer list")
    }

    fn transformer_list(&mut self) -> Parsed<TransformerArg> {
        self.cur.blank();
        if self.cur.literal(")") {
            return Ok(TransformerArg::List(Vec::new()));
        }
        let mut items = vec![self.transformer_list_arg()?];
        self.cur.blank();
        while self.cur.literal(",") {
            self.cur.blank();
            items.push(self.transformer_list_arg()?);
            self.cur.blank();
        }
        if !self.cur.literal(")") {
            return self.fail("expected ')'");
        }
        Ok(TransformerArg::List(items))
    }

    fn transformer_list_arg(&mut self) -> Parsed<TransformerArg> {
        let start = self.cur.index();
        if self.cur.field_name() {
            return Ok(TransformerArg::Operand(self.deeper(|p| p.field_rest(start))?));
        }
        if self.transformer_name() {
            self.cur.blank();
            return Ok(TransformerArg::Operand(self.deeper(|p| p.transformer_rest(start))?));
        }
        if self.quoted()? || self.cur.number() {
            return Ok(TransformerArg::Literal(self.cur.last.clone()));
        }
        self.fail("expected transformer list argument: field, transformer, quoted string, or number")
    }

    /// Operator and right side.
    fn condition(&mut self, lhs: Operand, start: usize) -> Parsed<Expr> {
        self.deeper(|p| {
            p.cur.blank();
            let Some(operator) = OPERATORS.iter().find(|row| p.operator(row)) else {
                return p.no_operator();
            };
            let (modifier, rhs_start, rhs) = match operator.side {
                Side::Nothing => (None, p.cur.index(), Rhs::None),
                Side::Number => p.right(None, Self::number_value)?,
                Side::Text => p.text_side(operator)?,
                Side::List => p.right(None, |p| p.list_value(true))?,
            };
            let rhs_start = p.base + rhs_start as u32;
            let span = p.span_from(start);
            let op = operator.op;
            Ok(Expr::Check(Box::new(Check { lhs, op, spelling: operator.text, modifier, rhs, rhs_start, span })))
        })
    }

    fn operator(&mut self, row: &OpRow) -> bool {
        // Words among the text operators need a blank behind them, so that `fd.name globx` is no operator.
        if row.side == Side::Text && row.text.as_bytes()[0].is_ascii_alphabetic() {
            self.cur.word(row.text)
        } else {
            self.cur.literal(row.text)
        }
    }

    /// A right side, and where it starts.
    fn right(
        &mut self,
        modifier: Option<Modifier>,
        production: impl FnOnce(&mut Self) -> Parsed<Rhs>,
    ) -> Parsed<(Option<Modifier>, usize, Rhs)> {
        self.cur.blank();
        let start = self.cur.index();
        Ok((modifier, start, self.deeper(production)?))
    }

    /// The right side of a text operator: a modifier counts only if a list or a name follows it.
    fn text_side(&mut self, operator: &OpRow) -> Parsed<(Option<Modifier>, usize, Rhs)> {
        let had_blank = operator.text.as_bytes()[0].is_ascii_alphabetic() || self.cur.blank();
        let (mark, last) = (self.cur.mark(), self.cur.last.clone());
        if had_blank
            && let Some(row) = MODIFIERS.iter().find(|m| self.cur.word(m.0))
            && self.list_follows()
            && !self.keyword_follows()
        {
            return self.right(Some(row.1), |p| p.list_value(false));
        }
        self.cur.reset(mark);
        self.cur.last = last;
        self.right(None, Self::text_value)
    }

    fn list_follows(&self) -> bool {
        self.cur.rest().first().is_some_and(|b| *b == b'(' || b.is_ascii_alphabetic())
    }

    fn keyword_follows(&self) -> bool {
        let rest = self.cur.rest();
        ["and", "or", "not"]
            .iter()
            .any(|k| rest.starts_with(k.as_bytes()) && !rest.get(k.len()).is_some_and(u8::is_ascii_alphanumeric))
    }

    fn number_value(&mut self) -> Parsed<Rhs> {
        self.cur.blank();
        if let Some(operand) = self.deeper(Self::rhs_operand)? {
            return Ok(Rhs::Operand(operand));
        }
        let start = self.cur.index();
        if self.cur.number() {
            return Ok(Rhs::Value(self.cur.last.clone(), self.span_from(start)));
        }
        self.fail(format!("expected a number value or a field with a valid transformer: {}", rhs_names()))
    }

    fn text_value(&mut self) -> Parsed<Rhs> {
        self.cur.blank();
        if let Some(operand) = self.deeper(Self::rhs_operand)? {
            return Ok(Rhs::Operand(operand));
        }
        let start = self.cur.index();
        if self.quoted()? || self.cur.bare_text() {
            return Ok(Rhs::Value(self.cur.last.clone(), self.span_from(start)));
        }
        self.fail(format!("expected a string value or a field with a valid transformer: {}", rhs_names()))
    }

    fn list_item(&mut self) -> Parsed<(String, Span)> {
        self.deeper(|p| {
            p.cur.blank();
            let start = p.cur.index();
            if p.quoted()? || p.cur.bare_text() {
                return Ok((p.cur.last.clone(), p.span_from(start)));
            }
            p.fail("expected a string value")
        })
    }

    fn list_literal(&mut self) -> Parsed<Option<Rhs>> {
        if !self.cur.literal("(") {
            return Ok(None);
        }
        self.cur.blank();
        let mut items = Vec::new();
        // A first item that cannot be read means an empty list, upstream says; what follows must then close it.
        let depth = self.depth;
        if let Ok(first) = self.list_item() {
            items.push(first);
            self.cur.blank();
            while self.cur.literal(",") {
                items.push(self.list_item()?);
                self.cur.blank();
            }
        } else {
            self.depth = depth;
        }
        if !self.cur.literal(")") {
            return self.fail("expected a ')' token");
        }
        Ok(Some(Rhs::List(items)))
    }

    fn list_value(&mut self, operands: bool) -> Parsed<Rhs> {
        self.cur.blank();
        if let Some(list) = self.list_literal()? {
            return Ok(list);
        }
        if operands && let Some(operand) = self.deeper(Self::rhs_operand)? {
            return Ok(Rhs::Operand(operand));
        }
        let start = self.cur.index();
        if self.cur.identifier() {
            return Ok(Rhs::ListName(self.cur.last.clone(), self.span_from(start)));
        }
        if operands {
            self.fail(format!("expected a list, an identifier, or a field with a valid transformer: {}", rhs_names()))
        } else {
            self.fail("expected a list or an identifier")
        }
    }

    /// `val(field)` or a transformer, if one stands here.
    fn rhs_operand(&mut self) -> Parsed<Option<Operand>> {
        self.cur.blank();
        let start = self.cur.index();
        if self.cur.literal("val(") {
            self.cur.blank();
            let field_start = self.cur.index();
            if !self.cur.field_name() {
                return self.fail("expected a field within 'val' transformer");
            }
            let field = self.deeper(|p| p.field_rest(field_start))?;
            self.cur.blank();
            if !self.cur.literal(")") {
                return self.fail("expected a ')' token closing the transformer");
            }
            let arg = self.bracket_arg()?;
            let args = vec![TransformerArg::Operand(field)];
            return Ok(Some(Operand::Transformer { name: "val".into(), args, arg, span: self.span_from(start) }));
        }
        if self.transformer_name() {
            self.cur.blank();
            return Ok(Some(self.deeper(|p| p.transformer_rest(start))?));
        }
        Ok(None)
    }
}
