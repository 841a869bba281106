//! Random well-typed conditions, as trees of their own and as the rules file that says the same.
//!
//! The tree keeps what was meant (a value's bytes, a macro's condition), the text how it is written: quoted, escaped, by
//! way of lists, macros, exceptions. What lies between (YAML, expansion, parser, check, graph) is under test.

use peregrine_engine::Value;
use peregrine_engine::fields::{Fields, Multi};
use peregrine_event::{ParamType as T, sc, table};
use peregrine_filter::field::{ArgForm, Catalogue, FieldRef, flag};
use serde_json::json;
use std::net::IpAddr;

/// xorshift64*: the same numbers for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n.max(1)
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }
}

/// A value that outlives its moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Val {
    Bytes(Vec<u8>),
    Int(i64),
    Uint(u64),
    Double(f64),
    Bool(bool),
    Ip(IpAddr),
    List(Vec<Val>),
}

impl From<Value<'_>> for Val {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            Value::Int(n) => Self::Int(n),
            Value::Uint(n) => Self::Uint(n),
            Value::Double(n) => Self::Double(n),
            Value::Bool(b) => Self::Bool(b),
            Value::Ip(ip) => Self::Ip(ip),
            Value::List(values) => Self::List(values.iter().map(|value| Self::from(*value)).collect()),
        }
    }
}

/// What operators a type has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Number,
    Double,
    Bool,
    Text,
    Bytes,
    Ip,
    Net,
}

/// The family of a type that conditions can compare.
pub fn family(ty: T) -> Option<Family> {
    Some(match ty {
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::Uint8 | T::Uint16 | T::Uint32 | T::Uint64 => Family::Number,
        T::Errno | T::Fd | T::Pid | T::Reltime | T::Abstime | T::Port | T::Mode => Family::Number,
        T::Flags8 | T::Flags16 | T::Flags32 | T::Enumflags8 | T::Enumflags16 | T::Enumflags32 => Family::Number,
        T::Double => Family::Double,
        T::Bool => Family::Bool,
        T::Charbuf | T::Fspath | T::Fsrelpath => Family::Text,
        T::Bytebuf => Family::Bytes,
        T::Ipaddr => Family::Ip,
        T::Ipnet => Family::Net,
        _ => return None,
    })
}

/// A field as it is written, and values that it had.
pub struct Sample {
    pub text: String,
    pub field: FieldRef,
    pub name: &'static str,
    pub flags: u16,
    pub family: Family,
    pub multi: Multi,
    pub values: Vec<Val>,
}

/// Values kept of each field.
const KEPT: usize = 60;

impl Sample {
    pub fn keep(&mut self, value: Val) {
        match value {
            Val::List(values) => values.into_iter().for_each(|value| self.keep(value)),
            value if self.values.len() < KEPT && !self.values.contains(&value) => self.values.push(value),
            _ => {}
        }
    }
}

/// All uses of fields that conditions can compare.
pub fn samples(fields: &Fields) -> Vec<Sample> {
    let mut params: Vec<&str> = table::EVENTS.iter().flat_map(|event| event.params.iter().map(|p| p.name)).collect();
    params.sort_unstable();
    params.dedup();
    let mut samples = Vec::new();
    for (_, row) in fields.iter() {
        let name = row.info.name;
        // Another number each time it is asked for; forms of its own; host names are looked up.
        let left_out = ["util.cnt", "evt.around", "evt.type.is"].contains(&name) || name.ends_with("ip.name");
        if row.info.flags & flag::PRINT_ONLY != 0 || left_out {
            continue;
        }
        let own = |text: &str| vec![text.to_owned()];
        let with = |forms: &[&str]| forms.iter().map(|form| format!("{name}{form}")).collect::<Vec<_>>();
        let texts = match row.info.arg {
            ArgForm::None => own(name),
            ArgForm::IndexOptional => with(&["", "[0]", "[1]", "[2]", "[7]"]),
            ArgForm::IndexRequired => with(&["[0]", "[1]"]),
            ArgForm::KeyOptional => with(&["", "[PATH]", "[HOME]", "[1]"]),
            ArgForm::KeyRequired => with(&["[app]", "[0]"]),
            ArgForm::DotSide => with(&["", ".src", ".dst"]),
            ArgForm::DotName if name == "thread.cgroup" => with(&[".cpuset", ".memory", ".cpu"]),
            ArgForm::DotName => params.iter().map(|param| format!("{name}.{param}")).collect(),
            ArgForm::ArgNameOrIndex => {
                params.iter().map(|param| format!("{name}.{param}")).chain(with(&["[0]", "[1]", "[5]"])).collect()
            }
        };
        samples.extend(texts.into_iter().filter_map(|text| sample(fields, text)));
    }
    samples
}

fn sample(fields: &Fields, text: String) -> Option<Sample> {
    let bracket = text.strip_suffix(']').and_then(|text| text.split_once('['));
    let (name, arg) = bracket.map_or((&text[..], None), |(name, arg)| (name, Some(arg)));
    let field = fields.resolve(name, arg).ok()?;
    let row = fields.field(field.id);
    let (name, flags, multi) = (row.info.name, row.info.flags, row.for_condition(&field.arg).1);
    let family = family(field.ty)?;
    // No constant can be written for the buffers of raw parameters.
    let unwritable = name == "evt.rawarg" && family == Family::Bytes;
    (!unwritable).then_some(Sample { text, field, name, flags, family, multi, values: Vec::new() })
}

/// A condition.
#[derive(Debug, Clone)]
pub enum Cond {
    And(Vec<Cond>),
    Or(Vec<Cond>),
    Not(Box<Cond>),
    Macro(usize),
    Check(Box<Check>),
}

/// A comparison.
#[derive(Debug, Clone)]
pub struct Check {
    pub lhs: Operand,
    pub op: &'static str,
    pub modifier: Option<&'static str>,
    pub rhs: Rhs,
}

/// A side of a comparison.
#[derive(Debug, Clone)]
pub enum Operand {
    /// By its place among the samples.
    Field(usize),
    /// A transformer, its arguments, and what stands in brackets behind it.
    Transform(&'static str, Vec<Operand>, Option<char>),
    Literal(Vec<u8>),
    List(Vec<Operand>),
}

/// The right side.
#[derive(Debug, Clone)]
pub enum Rhs {
    None,
    One(Vec<u8>),
    Many(Vec<Item>),
    Operand(Operand),
}

/// A member of a list.
#[derive(Debug, Clone)]
pub enum Item {
    Const(Vec<u8>),
    /// A named list.
    List(usize),
}

/// An exception: fields, operators, and rows of values.
#[derive(Debug, Clone)]
pub struct Exception {
    pub columns: Vec<(usize, &'static str)>,
    pub rows: Vec<Vec<Vec<u8>>>,
}

/// One rules file.
#[derive(Default)]
pub struct Program {
    /// Each list's members; those of lists that it names come from earlier ones.
    pub lists: Vec<Vec<Item>>,
    pub macros: Vec<Cond>,
    pub rules: Vec<(Cond, Vec<Exception>)>,
}

const NUMBER_OPS: &[&str] = &["=", "==", "!=", "<", "<=", ">", ">=", "in", "intersects", "exists"];
const BOOL_OPS: &[&str] = &["=", "!=", "in", "intersects", "exists"];
const TEXT_OPS: &[&str] = &[
    "=",
    "!=",
    "contains",
    "icontains",
    "startswith",
    "endswith",
    "glob",
    "iglob",
    "regex",
    "in",
    "intersects",
    "pmatch",
    "exists",
    "<",
    "<=",
    ">",
    ">=",
    "startswith",
    "contains",
    "in",
    "glob",
    "regex",
];
const BYTES_OPS: &[&str] =
    &["=", "!=", "contains", "startswith", "endswith", "in", "intersects", "bcontains", "bstartswith", "exists"];
const LIST_OPS: &[&str] = &["in", "intersects", "in", "intersects", "exists"];
/// Operators that take one value, or several behind a modifier.
const STRING_OPS: &[&str] = &[
    "=",
    "==",
    "!=",
    "glob",
    "iglob",
    "contains",
    "icontains",
    "bcontains",
    "startswith",
    "bstartswith",
    "endswith",
    "regex",
];

/// What a comparison's left side is.
struct Side {
    operand: Operand,
    ty: T,
    family: Family,
    is_list: bool,
    /// The sample whose values its constants resemble.
    like: usize,
    /// Whether it may stand on the right, or have a field there.
    may_face_field: bool,
}

/// Makes programs.
pub struct Generator<'s> {
    pub random: Random,
    pub samples: &'s [Sample],
    /// Uses of fields by type, those that had values first.
    texts: Vec<usize>,
    lists: Vec<usize>,
    /// For each named list, the family of its members.
    list_families: Vec<(Family, &'static str)>,
    macros: usize,
}

impl<'s> Generator<'s> {
    pub fn new(seed: u64, samples: &'s [Sample]) -> Self {
        let which = |keep: &dyn Fn(&Sample) -> bool| {
            samples.iter().enumerate().filter(|(_, s)| keep(s)).map(|(at, _)| at).collect::<Vec<_>>()
        };
        let plain = |s: &Sample| s.flags & (flag::NO_TRANSFORMER | flag::NO_RHS) == 0 && s.family == Family::Text;
        let texts = which(&|s| {
            plain(s) && !s.field.is_list && s.field.ty == T::Charbuf && !s.values.is_empty() && !names_event(s)
        });
        let lists = which(&|s| s.family == Family::Text && s.field.is_list && s.field.ty == T::Charbuf);
        Self { random: Random::new(seed), samples, texts, lists, list_families: Vec::new(), macros: 0 }
    }

    /// Lists, macros over them, and rules over both.
    pub fn program(&mut self, rules: usize) -> Program {
        let mut program = Program::default();
        self.list_families.clear();
        self.macros = 0;
        for _ in 0..6 {
            let family = *self.random.pick(&[(Family::Text, "="), (Family::Text, "pmatch"), (Family::Number, "=")]);
            let count = if self.random.chance(15) { 0 } else { 1 + self.random.below(4) };
            let like = self.like(family.0);
            let mut items: Vec<Item> = (0..count).map(|_| Item::Const(self.constant(like, family.1))).collect();
            // A list that names one that names another is not followed further.
            let flat = |at: &usize| program.lists[*at].iter().all(|item| matches!(item, Item::Const(_)));
            let same: Vec<usize> =
                (0..program.lists.len()).filter(|at| self.list_families[*at] == family).filter(flat).collect();
            if !same.is_empty() && self.random.chance(30) {
                items.push(Item::List(*self.random.pick(&same)));
            }
            program.lists.push(items);
            self.list_families.push(family);
        }
        for _ in 0..5 {
            program.macros.push(self.condition(2));
            self.macros += 1;
        }
        for _ in 0..rules {
            let depth = 1 + self.random.below(3);
            let condition = self.condition(depth);
            let exceptions = if self.random.chance(15) { vec![self.exception()] } else { Vec::new() };
            program.rules.push((condition, exceptions));
        }
        program
    }

    fn like(&mut self, family: Family) -> usize {
        loop {
            let at = self.random.below(self.samples.len());
            if self.samples[at].family == family
                && !self.samples[at].values.is_empty()
                && !names_event(&self.samples[at])
            {
                return at;
            }
        }
    }

    fn condition(&mut self, depth: usize) -> Cond {
        if depth == 0 {
            if self.macros > 0 && self.random.chance(12) {
                return Cond::Macro(self.random.below(self.macros));
            }
            return Cond::Check(Box::new(self.check()));
        }
        match self.random.below(6) {
            0 => self.condition(0),
            1 => Cond::Not(Box::new(self.condition(depth - 1))),
            2 | 3 => Cond::And(self.several(depth)),
            _ => Cond::Or(self.several(depth)),
        }
    }

    fn several(&mut self, depth: usize) -> Vec<Cond> {
        let mut all: Vec<Cond> = (0..2 + self.random.below(3)).map(|_| self.condition(depth - 1)).collect();
        if self.random.chance(30) {
            // Comparisons of one field are merged; so make some.
            if let Some(Cond::Check(check)) = all.iter().find(|c| matches!(c, Cond::Check(_))).cloned()
                && let Operand::Field(at) = check.lhs
            {
                let again = Cond::Check(Box::new(self.check_of(at)));
                all.push(if self.random.chance(50) { again } else { Cond::Not(Box::new(again)) });
            }
        }
        all
    }

    fn check(&mut self) -> Check {
        // Uses that never have a value are tried too, but most comparisons shall be worth making.
        let mut at = self.random.below(self.samples.len());
        for _ in 0..3 {
            if self.samples[at].values.is_empty()
                || self.samples[at].text.starts_with("evt.arg.")
                || self.samples[at].name == "evt.rawarg"
            {
                at = self.random.below(self.samples.len());
            }
        }
        self.check_of(at)
    }

    fn check_of(&mut self, at: usize) -> Check {
        let side = self.left(at);
        let sample = &self.samples[side.like];
        let ops = match (side.is_list, side.family) {
            (true, _) => LIST_OPS,
            (_, Family::Number | Family::Double) => NUMBER_OPS,
            (_, Family::Bool | Family::Ip | Family::Net) => BOOL_OPS,
            (_, Family::Text) if names_event(sample) => BOOL_OPS,
            (_, Family::Text) => TEXT_OPS,
            (_, Family::Bytes) => BYTES_OPS,
        };
        let mut op = *self.random.pick(ops);
        // Upstream throws at the event: no verdict to agree with.
        if op == "intersects" && sample.multi == Multi::Ends {
            op = "in";
        }
        if op == "exists" {
            return Check { lhs: side.operand, op, modifier: None, rhs: Rhs::None };
        }
        if side.may_face_field
            && !matches!(op, "pmatch" | "regex")
            && self.random.chance(15)
            && let Some(rhs) = self.right(&side)
        {
            return Check { lhs: side.operand, op, modifier: None, rhs: Rhs::Operand(rhs) };
        }
        let like = side.like;
        let scalar_text = side.family == Family::Text && matches!(op, "<" | "<=" | ">" | ">=");
        if scalar_text {
            // The grammar allows only numbers there.
            let number = self.random.below(1000).to_string().into_bytes();
            return Check { lhs: side.operand, op, modifier: None, rhs: Rhs::One(number) };
        }
        let modifier = (STRING_OPS.contains(&op) && !side.is_list && self.random.chance(20))
            .then(|| *self.random.pick(&["anyof", "allof", "oneof"]));
        let rhs = if modifier.is_some() || matches!(op, "in" | "intersects" | "pmatch") {
            Rhs::Many(self.items(like, side.ty, side.family, op))
        } else {
            Rhs::One(self.constant_of(like, side.ty, side.family, op))
        };
        Check { lhs: side.operand, op, modifier, rhs }
    }

    fn items(&mut self, like: usize, ty: T, family: Family, op: &'static str) -> Vec<Item> {
        let count = if self.random.chance(5) { 0 } else { 1 + self.random.below(4) };
        let mut items: Vec<Item> = (0..count).map(|_| Item::Const(self.constant_of(like, ty, family, op))).collect();
        let wanted = (family, if op == "pmatch" { "pmatch" } else { "=" });
        let fitting: Vec<usize> =
            (0..self.list_families.len()).filter(|at| self.list_families[*at] == wanted).collect();
        // Patterns and ports are read by readers of their own.
        let plain = ty != T::Port && !matches!(op, "regex" | "glob" | "iglob" | "bcontains" | "bstartswith");
        if plain && !fitting.is_empty() && !names_event(&self.samples[like]) && self.random.chance(25) {
            items.push(Item::List(*self.random.pick(&fitting)));
        }
        items
    }

    /// A field, or a transformer over one.
    fn left(&mut self, at: usize) -> Side {
        let sample = &self.samples[at];
        let (ty, is_list) = (sample.field.ty, sample.field.is_list);
        let may_face_field = sample.flags & flag::NO_RHS == 0 && sample.family != Family::Net && !names_event(sample);
        let plain = Side { operand: Operand::Field(at), ty, family: sample.family, is_list, like: at, may_face_field };
        let transformable = sample.flags & flag::NO_TRANSFORMER == 0 && !names_event(sample);
        if !transformable || !self.random.chance(20) {
            return plain;
        }
        self.transformed(plain)
    }

    fn transformed(&mut self, side: Side) -> Side {
        let wrap = |name, side: Side| Side { operand: Operand::Transform(name, vec![side.operand], None), ..side };
        let measured = |side: Side| Side { ty: T::Uint64, family: Family::Number, is_list: false, ..wrap("len", side) };
        match (side.family, side.is_list) {
            (Family::Text, _) => match self.random.below(if side.ty == T::Charbuf && !side.is_list { 8 } else { 4 }) {
                0 => wrap("toupper", side),
                1 => wrap("tolower", side),
                2 => wrap("basename", side),
                3 => measured(side),
                4 => wrap("b64", side),
                5 => {
                    let inner = wrap("tolower", side);
                    wrap("basename", inner)
                }
                6 => self.joined(side),
                _ => self.options(side),
            },
            (Family::Bytes, false) => match self.random.below(2) {
                0 => measured(side),
                _ => wrap("b64", side),
            },
            (_, true) => measured(side),
            _ => side,
        }
    }

    fn text_operand(&mut self) -> Operand {
        match self.random.below(4) {
            0 => Operand::Literal(self.random.pick(&[&b"x"[..], b"", b"/", b"-n", b"a b"]).to_vec()),
            1 => Operand::Transform("tolower", vec![Operand::Field(*self.random.pick(&self.texts))], None),
            _ => Operand::Field(*self.random.pick(&self.texts)),
        }
    }

    fn list_operand(&mut self) -> Operand {
        if !self.lists.is_empty() && self.random.chance(30) {
            return Operand::Field(*self.random.pick(&self.lists));
        }
        let count = self.random.below(4);
        Operand::List((0..count).map(|_| self.text_operand()).collect())
    }

    /// `concat` or `join` around a text.
    fn joined(&mut self, side: Side) -> Side {
        let operand = if self.random.chance(50) {
            let mut parts = vec![side.operand, self.text_operand()];
            if self.random.chance(30) {
                parts.push(self.text_operand());
            }
            Operand::Transform("concat", parts, None)
        } else {
            let separator = self.text_operand();
            let list = if self.random.chance(50) {
                Operand::List(vec![side.operand, self.text_operand()])
            } else {
                self.list_operand()
            };
            Operand::Transform("join", vec![separator, list], None)
        };
        Side { operand, ty: T::Charbuf, family: Family::Text, is_list: false, ..side }
    }

    /// `getopt` over a command line of literals and fields.
    fn options(&mut self, side: Side) -> Side {
        let words: &[&[u8]] = &[b"-n", b"-t", b"5", b"-nt7", b"--", b"--long", b"-", b"-xn", b"w", b""];
        let mut list: Vec<Operand> =
            (0..self.random.below(6)).map(|_| Operand::Literal(self.random.pick(words).to_vec())).collect();
        if self.random.chance(30) {
            list.push(side.operand);
        }
        let options = self.random.pick(&[&b"nt:"[..], b":nt:", b"n", b"t:x", b"", b"nn:"]).to_vec();
        let letter = self.random.chance(50).then(|| *self.random.pick(&['n', 't', 'x']));
        let args = vec![Operand::List(list), Operand::Literal(options)];
        let operand = Operand::Transform("getopt", args, letter);
        // Upstream calls the result a list even where a letter selects one value.
        Side { operand, ty: T::Charbuf, family: Family::Text, is_list: letter.is_none(), may_face_field: false, ..side }
    }

    /// Something of the same type.
    fn right(&mut self, side: &Side) -> Option<Operand> {
        let mut fitting = Vec::new();
        for (at, sample) in self.samples.iter().enumerate() {
            let same = sample.field.ty == side.ty && sample.field.is_list == side.is_list;
            let written = sample.flags & (flag::NO_RHS | flag::NO_TRANSFORMER) == 0;
            if same && written && !names_event(sample) && !sample.values.is_empty() {
                fitting.push(at);
            }
        }
        if fitting.is_empty() {
            return None;
        }
        let field = Operand::Field(*self.random.pick(&fitting));
        let text = side.family == Family::Text && self.random.chance(40);
        let name = if text { *self.random.pick(&["tolower", "toupper", "basename"]) } else { "val" };
        Some(Operand::Transform(name, vec![field], None))
    }

    fn constant(&mut self, like: usize, op: &str) -> Vec<u8> {
        let (ty, family) = (self.samples[like].field.ty, self.samples[like].family);
        self.constant_of(like, ty, family, op)
    }

    /// A constant of a type, often a value that the field had, or a part of one: its text.
    fn constant_of(&mut self, like: usize, ty: T, family: Family, op: &str) -> Vec<u8> {
        let sample = &self.samples[like];
        let seen = if sample.values.is_empty() { None } else { Some(self.random.pick(&sample.values).clone()) };
        match family {
            Family::Number => self.number(seen, ty),
            Family::Double => self.random.below(100).to_string().into_bytes(),
            Family::Bool => self.random.pick(&[&b"true"[..], b"false"]).to_vec(),
            Family::Ip | Family::Net => {
                let ip = match seen {
                    Some(Val::Ip(ip)) if self.random.chance(80) => ip,
                    _ => *self.random.pick(&["10.1.2.3", "::1", "127.0.0.1"].map(|ip| ip.parse().unwrap())),
                };
                let bits = if ip.is_ipv4() { self.random.below(33) } else { 1 + self.random.below(128) };
                if family == Family::Net { format!("{ip}/{bits}") } else { ip.to_string() }.into_bytes()
            }
            Family::Text | Family::Bytes => {
                let mut bytes = match seen {
                    Some(Val::Bytes(bytes)) if !bytes.contains(&0) || family == Family::Bytes => bytes,
                    _ => self.random.pick(&[&b"sh"[..], b"/etc/", b"", b"<NA>", b"a"]).to_vec(),
                };
                bytes.truncate(200);
                if names_event(sample) { bytes } else { self.text(bytes, op, family) }
            }
        }
    }

    fn number(&mut self, seen: Option<Val>, ty: T) -> Vec<u8> {
        let near = self.random.below(3) as i128 - 1;
        let n = match seen {
            Some(Val::Int(n)) => i128::from(n) + near,
            Some(Val::Uint(n)) => i128::from(n) + near,
            _ => self.random.below(300) as i128,
        };
        let n = n.clamp(i128::from(i64::MIN), i128::from(u64::MAX));
        // Ports are read by another reader, without sign.
        if ty == T::Port { (n.max(0) & 0xffff).to_string() } else { n.to_string() }.into_bytes()
    }

    fn text(&mut self, bytes: Vec<u8>, op: &str, family: Family) -> Vec<u8> {
        let len = bytes.len();
        let (from, to) = (self.random.below(len + 1), self.random.below(len + 1));
        let (from, to) = (from.min(to), from.max(to));
        let mut part = match op {
            "contains" | "icontains" | "bcontains" if self.random.chance(80) => bytes[from..to].to_vec(),
            "startswith" | "bstartswith" if self.random.chance(80) => bytes[..to].to_vec(),
            "endswith" if self.random.chance(80) => bytes[from..].to_vec(),
            "pmatch" => match bytes.iter().rposition(|b| *b == b'/') {
                Some(at) if self.random.chance(70) => bytes[..at + self.random.below(2)].to_vec(),
                _ => bytes.clone(),
            },
            _ => bytes.clone(),
        };
        if self.random.chance(5) {
            part.push(b'x');
        }
        match op {
            "icontains" if self.random.chance(50) => part.make_ascii_uppercase(),
            "glob" | "iglob" => return self.pattern(&part),
            "pmatch" if self.random.chance(30) => return self.pattern(&part),
            "regex" => return self.regex(&part),
            _ => {}
        }
        if family == Family::Text {
            part.retain(|b| *b != 0);
        }
        part
    }

    /// The text with parts of it replaced by wildcards.
    fn pattern(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut stars = 0;
        for byte in bytes {
            match self.random.below(14) {
                0 => out.push(b'?'),
                // The interpreter tries all ways to match.
                1 if stars < 2 => {
                    stars += 1;
                    out.push(b'*');
                }
                2 if byte.is_ascii_alphanumeric() => out.extend([b'[', *byte, b'q', b']']),
                3 if byte.is_ascii_alphanumeric() => out.extend([b'[', b'!', b'#', b']']),
                4 if byte.is_ascii_lowercase() => out.extend(b"[a-z]"),
                5 if byte.is_ascii_digit() => out.extend(b"[[:digit:]]"),
                _ if matches!(byte, b'*' | b'?' | b'[' | b'\\') => out.extend([b'\\', *byte]),
                _ => out.push(*byte),
            }
        }
        if self.random.chance(30) {
            out.push(b'*');
        }
        out.truncate(200);
        while out.last() == Some(&b'\\') {
            out.pop();
        }
        out
    }

    /// The text as a regular expression of the forms that the interpreter knows: characters, dots, classes, stars and
    /// alternatives at the top.
    fn regex(&mut self, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(bytes);
        let mut out = String::new();
        let mut open = 0;
        for c in text.chars().take(40) {
            let most = open < 2;
            match self.random.below(12) {
                0 => out.push('.'),
                1 if most => {
                    open += 1;
                    out.push_str(".*");
                }
                2 if c.is_ascii_alphanumeric() => out.push_str(&format!("[{c}x]")),
                3 if c.is_ascii_lowercase() && most => {
                    open += 1;
                    out.push_str("[a-z]+");
                }
                4 if c.is_ascii_alphanumeric() => out.push_str(&format!("{c}?")),
                _ if c.is_ascii_alphanumeric() || "/_- ".contains(c) => out.push(c),
                _ if c.is_ascii_punctuation() => out.extend(['\\', c]),
                _ => out.push('.'),
            }
        }
        match self.random.below(4) {
            0 => out.push_str(".*"),
            1 => out.push_str("|sh"),
            _ => {}
        }
        out.into_bytes()
    }

    fn exception(&mut self) -> Exception {
        let columns: Vec<(usize, &'static str)> = (0..1 + self.random.below(2))
            .map(|_| (*self.random.pick(&self.texts), *self.random.pick(&["=", "startswith", "contains", "!="])))
            .collect();
        let rows = (0..1 + self.random.below(3)).map(|_| columns.iter().map(|(at, _)| self.safe(*at)).collect());
        Exception { rows: rows.collect::<Vec<_>>(), columns }
    }

    /// A value that needs no quotes.
    fn safe(&mut self, at: usize) -> Vec<u8> {
        let Val::Bytes(bytes) = self.random.pick(&self.samples[at].values).clone() else { return b"x".to_vec() };
        let safe: Vec<u8> = bytes.into_iter().filter(|b| b.is_ascii_alphanumeric() || b"/._-".contains(b)).collect();
        if safe.first().is_some_and(u8::is_ascii_alphabetic) || safe.first() == Some(&b'/') {
            safe[..safe.len().min(100)].to_vec()
        } else {
            b"bash".to_vec()
        }
    }
}

/// Whether constants must be names of events.
fn names_event(sample: &Sample) -> bool {
    matches!(sample.name, "evt.type" | "syscall.type")
}

/// Writes programs as rules files.
pub struct Printer<'s> {
    pub random: Random,
    pub samples: &'s [Sample],
}

impl Printer<'_> {
    /// The rules file, in the JSON that is YAML too.
    pub fn file(&mut self, program: &Program) -> String {
        let mut items = Vec::new();
        for (at, list) in program.lists.iter().enumerate() {
            let members: Vec<String> = list.iter().map(|item| self.item(item, "=")).collect();
            items.push(json!({"list": format!("list_{at}"), "items": members}));
        }
        for (at, condition) in program.macros.iter().enumerate() {
            items.push(json!({"macro": format!("macro_{at}"), "condition": self.condition(condition, false)}));
        }
        for (at, (condition, exceptions)) in program.rules.iter().enumerate() {
            let exceptions: Vec<_> = exceptions.iter().map(|e| self.exception(e)).collect();
            let (name, condition) = (format!("rule_{at}"), self.condition(condition, false));
            items.push(json!({
                "rule": name, "desc": "d", "output": "o", "priority": "NOTICE", "condition": condition,
                "exceptions": exceptions,
            }));
        }
        serde_json::to_string_pretty(&items).unwrap()
    }

    fn exception(&mut self, exception: &Exception) -> serde_json::Value {
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        let rows: Vec<Vec<String>> = exception.rows.iter().map(|row| row.iter().map(text).collect()).collect();
        let fields: Vec<&str> = exception.columns.iter().map(|(at, _)| &self.samples[*at].text[..]).collect();
        let comps: Vec<&str> = exception.columns.iter().map(|(_, op)| *op).collect();
        json!({"name": "e", "fields": fields, "comps": comps, "values": rows})
    }

    fn blank(&mut self) -> &'static str {
        const BLANKS: [&str; 5] = [" ", " ", "  ", "\n", "\t"];
        BLANKS[self.random.below(BLANKS.len())]
    }

    fn condition(&mut self, condition: &Cond, inner: bool) -> String {
        let text = match condition {
            Cond::And(all) => self.several(all, "and"),
            Cond::Or(all) => self.several(all, "or"),
            Cond::Not(not) => {
                let inner = self.condition(not, true);
                let blank = if inner.starts_with('(') && self.random.chance(50) { "" } else { self.blank() };
                return format!("not{blank}{inner}");
            }
            Cond::Macro(at) => return format!("macro_{at}"),
            Cond::Check(check) => {
                let text = self.check(check);
                if !inner || !self.random.chance(20) {
                    return text;
                }
                text
            }
        };
        if inner || self.random.chance(10) { format!("({text})") } else { text }
    }

    fn several(&mut self, all: &[Cond], word: &str) -> String {
        let mut text = String::new();
        for (at, condition) in all.iter().enumerate() {
            if at > 0 {
                text += self.blank();
                text += word;
                text += self.blank();
            }
            text += &self.condition(condition, true);
        }
        text
    }

    fn check(&mut self, check: &Check) -> String {
        let lhs = self.operand(&check.lhs);
        let symbol = check.op.starts_with(['=', '!', '<', '>']);
        let gap = if symbol && check.modifier.is_none() && self.random.chance(30) { "" } else { self.blank() };
        let before = if symbol && self.random.chance(30) { "" } else { " " };
        let (op, modifier) = (check.op, check.modifier.map_or(String::new(), |m| format!("{m} ")));
        let rhs = match &check.rhs {
            Rhs::None => return format!("{lhs} exists"),
            Rhs::One(value) => self.value(value, check),
            Rhs::Operand(operand) => self.operand(operand),
            Rhs::Many(items) => {
                let items: Vec<String> = items.iter().map(|item| self.item(item, check.op)).collect();
                format!("({})", items.join(*self.random.pick(&[",", ", ", " , "])))
            }
        };
        format!("{lhs}{before}{op}{gap}{modifier}{rhs}")
    }

    fn value(&mut self, value: &[u8], check: &Check) -> String {
        match check.op {
            "<" | "<=" | ">" | ">=" => String::from_utf8(value.to_vec()).unwrap(),
            op => self.literal(value, op),
        }
    }

    fn item(&mut self, item: &Item, op: &str) -> String {
        match item {
            Item::Const(value) => self.literal(value, op),
            Item::List(at) => format!("list_{at}"),
        }
    }

    /// A value bare, or in quotes with what cannot stand there escaped.
    fn literal(&mut self, value: &[u8], op: &str) -> String {
        if matches!(op, "bcontains" | "bstartswith") {
            let hex: String = value.iter().map(|b| format!("{b:02x}")).collect();
            return if hex.is_empty() { "\"\"".into() } else { hex };
        }
        let bare = !value.is_empty()
            && value.iter().all(|b| b.is_ascii_alphanumeric() || b"/._-+*?[]:;<>|@~!#".contains(b))
            && !matches!(value, b"anyof" | b"allof" | b"oneof");
        if bare && self.random.chance(60) {
            return String::from_utf8(value.to_vec()).unwrap();
        }
        let quote = *self.random.pick(&['"', '\'']);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+*?[]:;<>|@~!#".contains(&b);
        let mut text = String::from(quote);
        for (at, byte) in value.iter().enumerate() {
            match byte {
                // Delimiters may make a part of the text the name of a list; one blank inside is harmless.
                b' ' if at > 0 => text.push(' '),
                byte if plain(*byte) => text.push(*byte as char),
                byte => text.push_str(&format!("\\x{byte:02x}")),
            }
        }
        text.push(quote);
        text
    }

    fn operand(&mut self, operand: &Operand) -> String {
        match operand {
            Operand::Field(at) => self.samples[*at].text.clone(),
            Operand::Literal(bytes) => {
                format!("\"{}\"", bytes.iter().map(|b| *b as char).collect::<String>())
            }
            Operand::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.operand(item)).collect();
                format!("({})", items.join(", "))
            }
            Operand::Transform(name, args, letter) => {
                let args: Vec<String> = args.iter().map(|arg| self.operand(arg)).collect();
                let letter = letter.map_or(String::new(), |c| format!("[{c}]"));
                format!("{name}({}){letter}", args.join(*self.random.pick(&[",", ", "])))
            }
        }
    }
}

/// Names that conditions may compare `evt.type` with.
pub fn event_names() -> Vec<Val> {
    let names = ["open", "openat", "execve", "close", "connect", "clone", "read", "setuid", "getpriority"];
    names.iter().chain(sc::NAMES.iter().skip(20).take(20)).map(|name| Val::Bytes(name.as_bytes().to_vec())).collect()
}
