//! A plain, slow interpreter of conditions: what the compiled graph must agree with.
//!
//! It reads the generator's trees, not what our parser made of them, and takes its meaning from the language's
//! description and from upstream's `filter_compare.cpp`, `sinsp_filtercheck.cpp` and the transformers beside them. Of the
//! engine it uses nothing but the functions that take a field's value.
//!
//! Where upstream's own code falls short of what it says, ours follows what it says, and so does this:
//! - `fd.ip in (…)`, `proc.apid in (…)` and `evt.rawarg.N in (…)` of numbers are sets. Upstream forgets the value's length
//!   there, so that none is ever a member.
//! - A transformed list's elements, and decoded byte buffers, do not count the terminator that upstream's transformers
//!   leave behind them, which makes them equal to nothing.

use crate::generate::{Check, Cond, Exception, Family, Item, Operand, Program, Rhs, Sample, Val, family};
use peregrine_engine::Moment;
use peregrine_engine::fields::{Fields, Multi};
use peregrine_event::{EventInfo, ParamType as T, code, sc, table};
use std::cmp::Ordering;
use std::net::IpAddr;

/// A program over one moment.
pub struct Reference<'r, 'm> {
    pub program: &'r Program,
    pub samples: &'r [Sample],
    pub fields: &'r Fields,
    pub moment: &'r Moment<'m>,
}

impl Reference<'_, '_> {
    /// Whether a rule matches: it is tried on this kind of event, its condition holds, and none of its exceptions.
    pub fn rule(&self, at: usize) -> bool {
        let (condition, exceptions) = &self.program.rules[at];
        self.is_tried(condition)
            && self.holds(condition)
            && !exceptions.iter().any(|exception| self.excepted(exception))
    }

    /// Whether a rule is tried on the event's code: `ppm_codes.cpp`. Every rule is, on asynchronous events.
    fn is_tried(&self, condition: &Cond) -> bool {
        let code = self.moment.event.code;
        code == code::ASYNCEVENT_E || self.code_fits(condition, code, false)
    }

    /// Whether a code is one of those of a condition, or of its opposite: what says nothing of codes leaves all, its
    /// opposite as well.
    fn code_fits(&self, condition: &Cond, code: u16, negated: bool) -> bool {
        match condition {
            Cond::And(all) if negated => all.iter().any(|part| self.code_fits(part, code, true)),
            Cond::And(all) => all.iter().all(|part| self.code_fits(part, code, false)),
            Cond::Or(all) if negated => all.iter().all(|part| self.code_fits(part, code, true)),
            Cond::Or(all) => all.iter().any(|part| self.code_fits(part, code, false)),
            Cond::Not(inner) => self.code_fits(inner, code, !negated),
            Cond::Macro(at) => self.code_fits(&self.program.macros[*at], code, negated),
            Cond::Check(check) => self.check_says(check, code).is_none_or(|fits| fits != negated),
        }
    }

    /// What a comparison says of a code, if anything.
    fn check_says(&self, check: &Check, code: u16) -> Option<bool> {
        let Operand::Field(at) = check.lhs else { return None };
        let values = match &check.rhs {
            Rhs::One(value) => vec![value.clone()],
            Rhs::Many(items) => self.constants(items),
            Rhs::None => Vec::new(),
            Rhs::Operand(_) => return None,
        };
        if check.modifier.is_some() {
            return None;
        }
        match (self.samples[at].name, check.op) {
            ("evt.type" | "syscall.type", "exists") => Some(true),
            ("evt.type" | "syscall.type", "=" | "==" | "in") => Some(values.iter().any(|name| is_named(code, name))),
            ("evt.type" | "syscall.type", "!=") => Some(!values.iter().any(|name| is_named(code, name))),
            // Events are counted from 1.
            ("evt.num", op) => {
                let values: Vec<u64> = values.iter().map(|value| unsigned(value)).collect();
                match (op, values.first().copied()) {
                    ("in", _) => values.iter().all(|n| *n == 0).then_some(false),
                    ("=" | "==" | "<=", Some(0)) | ("<", Some(0 | 1)) => Some(false),
                    ("!=" | ">", Some(0)) | (">=", Some(0 | 1)) => Some(true),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn excepted(&self, exception: &Exception) -> bool {
        exception.rows.iter().any(|row| {
            exception.columns.iter().zip(row).all(|((at, op), value)| {
                let (lhs, rhs) = (Operand::Field(*at), Rhs::One(value.clone()));
                self.check(&Check { lhs, op, modifier: None, rhs })
            })
        })
    }

    fn holds(&self, condition: &Cond) -> bool {
        match condition {
            Cond::And(all) => all.iter().all(|part| self.holds(part)),
            Cond::Or(all) => all.iter().any(|part| self.holds(part)),
            Cond::Not(inner) => !self.holds(inner),
            Cond::Macro(at) => self.holds(&self.program.macros[*at]),
            Cond::Check(check) => self.check(check),
        }
    }

    fn check(&self, check: &Check) -> bool {
        let Operand::Field(at) = check.lhs else {
            let ty = self.ty(&check.lhs);
            return self.value(&check.lhs).is_some_and(|value| self.compare(check, ty, &value));
        };
        let sample = &self.samples[at];
        let ty = sample.field.ty;
        let Some(found) = self.taken(sample) else { return false };
        match (sample.multi, found) {
            (Multi::One, found) if sample.name == "evt.rawarg" => self.compare(&plain(check), ty, &found),
            (Multi::One, found) => self.compare(check, ty, &found),
            (_, _) if check.op == "exists" => true,
            (Multi::Ancestors, Val::List(all)) => all.iter().any(|one| self.compare(&plain(check), ty, one)),
            (Multi::Ends, Val::List(ends)) => {
                // Upstream looks at the first network alone.
                let check = if sample.name == "fd.net" { first(check) } else { plain(check) };
                match check.op {
                    "!=" => !ends.is_empty() && ends.iter().all(|end| self.compare(&check, ty, end)),
                    _ => ends.iter().any(|end| self.compare(&check, ty, end)),
                }
            }
            _ => false,
        }
    }

    /// A field's value as conditions take it.
    fn taken(&self, sample: &Sample) -> Option<Val> {
        let (extract, _) = self.fields.field(sample.field.id).for_condition(&sample.field.arg);
        extract(self.moment, &sample.field.arg).map(Val::from)
    }

    /// The type of an operand's values.
    fn ty(&self, operand: &Operand) -> T {
        match operand {
            Operand::Field(at) => self.samples[*at].field.ty,
            Operand::Literal(_) | Operand::List(_) => T::Charbuf,
            Operand::Transform("len", ..) => T::Uint64,
            Operand::Transform("join" | "concat" | "getopt", ..) => T::Charbuf,
            Operand::Transform(_, args, _) => self.ty(&args[0]),
        }
    }

    fn value(&self, operand: &Operand) -> Option<Val> {
        match operand {
            Operand::Field(at) => self.taken(&self.samples[*at]),
            Operand::Literal(bytes) => Some(Val::Bytes(bytes.clone())),
            Operand::List(items) => items.iter().map(|item| self.value(item)).collect::<Option<_>>().map(Val::List),
            Operand::Transform(name, args, letter) => {
                let args: Vec<Val> = args.iter().map(|arg| self.value(arg)).collect::<Option<_>>()?;
                transform(name, &args, *letter)
            }
        }
    }

    /// The values of the right side, lists put in.
    fn constants(&self, items: &[Item]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for item in items {
            match item {
                Item::Const(value) => all.push(value.clone()),
                Item::List(at) => all.extend(self.constants(&self.program.lists[*at])),
            }
        }
        all
    }

    fn compare(&self, check: &Check, ty: T, lhs: &Val) -> bool {
        let rhs: Vec<Val> = match &check.rhs {
            Rhs::None => return true,
            Rhs::One(value) => vec![constant(value, ty)],
            Rhs::Many(items) => self.constants(items).iter().map(|value| constant(value, ty)).collect(),
            Rhs::Operand(operand) => match self.value(operand) {
                None => return false,
                Some(Val::List(values)) => values,
                Some(value) => vec![value],
            },
        };
        let nets: Vec<u8> = match &check.rhs {
            Rhs::One(value) => vec![prefix_len(value)],
            Rhs::Many(items) => self.constants(items).iter().map(|value| prefix_len(value)).collect(),
            _ => Vec::new(),
        };
        let one = |lhs: &Val, at: usize| match (family(ty), lhs, &rhs[at]) {
            (Some(Family::Net), Val::Ip(ip), Val::Ip(net)) => inside(*ip, *net, nets[at]) != (check.op == "!="),
            _ => single(check.op, ty, lhs, &rhs[at]),
        };
        let every = 0..rhs.len();
        let outcomes: Vec<bool> = match (check.op, lhs) {
            ("in", Val::List(values)) => return values.iter().all(|value| every.clone().any(|at| one(value, at))),
            ("intersects", Val::List(values)) => {
                return values.iter().any(|value| every.clone().any(|at| one(value, at)));
            }
            (_, Val::List(_)) => return false,
            _ => every.map(|at| one(lhs, at)).collect(),
        };
        let hits = outcomes.iter().filter(|hit| **hit).count();
        match (check.op, check.modifier) {
            ("in" | "intersects" | "pmatch", _) | (_, Some("anyof")) => hits > 0,
            (_, Some("allof")) => hits > 0 && hits == outcomes.len(),
            (_, Some(_)) => hits == 1,
            (_, None) => outcomes.first().copied().unwrap_or(false),
        }
    }
}

/// The comparison as upstream's own comparisons of some fields make it: they know no modifiers, and of several values
/// behind one the first.
fn plain(check: &Check) -> Check {
    if check.modifier.is_none() { check.clone() } else { first(&Check { modifier: None, ..check.clone() }) }
}

fn first(check: &Check) -> Check {
    let rhs = match &check.rhs {
        Rhs::Many(items) => Rhs::Many(items.iter().take(1).cloned().collect()),
        other => other.clone(),
    };
    Check { rhs, modifier: None, ..check.clone() }
}

fn signed(ty: T) -> bool {
    matches!(ty, T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::Fd | T::Pid | T::Errno)
}

/// A constant, read as `sscanf` reads numbers: too great ones saturate, then the type's width cuts.
fn constant(value: &[u8], ty: T) -> Val {
    let text = || std::str::from_utf8(value).unwrap();
    match family(ty).unwrap() {
        Family::Text | Family::Bytes => Val::Bytes(value.to_vec()),
        Family::Bool => Val::Bool(value == b"true"),
        Family::Double => Val::Double(text().parse::<i32>().unwrap().into()),
        Family::Ip => Val::Ip(text().parse().unwrap()),
        Family::Net => Val::Ip(text().split_once('/').unwrap().0.parse().unwrap()),
        Family::Number => {
            let n: i128 = text().parse().unwrap();
            cut(if signed(ty) { n.clamp(i64::MIN.into(), i64::MAX.into()) } else { n }, ty)
        }
    }
}

fn unsigned(value: &[u8]) -> u64 {
    match constant(value, T::Uint64) {
        Val::Uint(n) => n,
        other => panic!("{other:?}"),
    }
}

/// Whether an event's code is of that name: of an event's in any version, else of a call without events of its own.
fn is_named(code: u16, name: &[u8]) -> bool {
    let of_event = |event: &EventInfo| event.name.as_bytes() == name;
    if table::EVENTS.iter().skip(2).any(of_event) {
        return code >= 2 && of_event(&table::EVENTS[usize::from(code)]);
    }
    code < 2 && sc::NAMES.iter().any(|call| call.as_bytes() == name)
}

/// A number in the width of a type.
fn cut(n: i128, ty: T) -> Val {
    match ty {
        T::Int8 => Val::Int((n as i8).into()),
        T::Int16 => Val::Int((n as i16).into()),
        T::Int32 => Val::Int((n as i32).into()),
        ty if signed(ty) => Val::Int(n as i64),
        T::Uint8 | T::Flags8 | T::Enumflags8 => Val::Uint((n as u8).into()),
        T::Uint16 | T::Flags16 | T::Enumflags16 | T::Port => Val::Uint((n as u16).into()),
        T::Uint32 | T::Flags32 | T::Enumflags32 | T::Mode => Val::Uint((n as u32).into()),
        _ => Val::Uint(n as u64),
    }
}

fn prefix_len(value: &[u8]) -> u8 {
    let text = std::str::from_utf8(value).unwrap_or_default();
    text.split_once('/').and_then(|(_, bits)| bits.parse().ok()).unwrap_or(0)
}

fn inside(ip: IpAddr, net: IpAddr, bits: u8) -> bool {
    let octets = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let (ip, net) = (octets(ip), octets(net));
    let bit = |bytes: &[u8], at: usize| bytes[at / 8] >> (7 - at % 8) & 1;
    ip.len() == net.len() && (0..usize::from(bits)).all(|at| bit(&ip, at) == bit(&net, at))
}

/// One value against one other.
fn single(op: &str, ty: T, lhs: &Val, rhs: &Val) -> bool {
    let number = |value: &Val| match value {
        Val::Int(n) => Some(i128::from(*n)),
        Val::Uint(n) => Some(i128::from(*n)),
        _ => None,
    };
    let (lhs, rhs) = match (number(lhs), number(rhs)) {
        (Some(a), Some(b)) => (cut(a, ty), cut(b, ty)),
        _ => (lhs.clone(), rhs.clone()),
    };
    let order = match (&lhs, &rhs) {
        (Val::Bytes(a), Val::Bytes(b)) => a.partial_cmp(b),
        (Val::Int(a), Val::Int(b)) => a.partial_cmp(b),
        (Val::Uint(a), Val::Uint(b)) => a.partial_cmp(b),
        (Val::Double(a), Val::Double(b)) => a.partial_cmp(b),
        _ => None,
    };
    match op {
        "=" | "==" | "in" | "intersects" => return lhs == rhs,
        "!=" => return lhs != rhs,
        "<" => return order == Some(Ordering::Less),
        "<=" => return order.is_some_and(Ordering::is_le),
        ">" => return order == Some(Ordering::Greater),
        ">=" => return order.is_some_and(Ordering::is_ge),
        _ => {}
    }
    let (Val::Bytes(text), Val::Bytes(part)) = (&lhs, &rhs) else { return false };
    let lower = |text: &[u8]| text.to_ascii_lowercase();
    match op {
        "contains" | "bcontains" => contains(text, part),
        "icontains" => contains(&lower(text), &lower(part)),
        "startswith" | "bstartswith" => text.len() >= part.len() && text[..part.len()] == part[..],
        "endswith" => text.len() >= part.len() && text[text.len() - part.len()..] == part[..],
        "glob" => glob(part, text),
        "iglob" => glob(&lower(part), &lower(text)),
        "regex" => regex(std::str::from_utf8(part).unwrap(), &String::from_utf8_lossy(text)),
        "pmatch" => under(text, part),
        other => panic!("{other}"),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

/// `pmatch`: each component of the listed path fits the path's.
fn under(path: &[u8], listed: &[u8]) -> bool {
    let parts = |path: &[u8]| -> Vec<Vec<u8>> {
        path.split(|c| *c == b'/').filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect()
    };
    let magic = |part: &[u8]| part.iter().any(|c| b"?*[".contains(c));
    let (path, listed) = (parts(path), parts(listed));
    listed.len() <= path.len() && listed.iter().zip(&path).all(|(l, p)| if magic(l) { glob(l, p) } else { l == p })
}

/// fnmatch(3) over `*`, `?`, classes, escapes and plain bytes.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|at| glob(rest, &text[at..])),
        [b'?', rest @ ..] => !text.is_empty() && glob(rest, &text[1..]),
        [b'[', rest @ ..] if rest.contains(&b']') => {
            let digits = rest.strip_prefix(b"[:digit:]");
            let end = if digits.is_some() { 9 } else { rest.iter().position(|b| *b == b']').unwrap() };
            let class = &rest[..end];
            let Some(byte) = text.first() else { return false };
            let member = match class {
                [b'[', ..] => byte.is_ascii_digit(),
                [b'!', not @ ..] => !not.contains(byte),
                [low, b'-', high] => (low..=high).contains(&byte),
                members => members.contains(byte),
            };
            member && glob(&rest[end + 1..], &text[1..])
        }
        [b'\\', byte, rest @ ..] | [byte, rest @ ..] => text.first() == Some(byte) && glob(rest, &text[1..]),
    }
}

/// Regular expressions of the generator's forms, over the whole text.
fn regex(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut escaped = false;
    let alternatives = pattern.split(|c| {
        let splits = c == '|' && !escaped;
        escaped = c == '\\' && !escaped;
        splits
    });
    alternatives.map(|one| one.chars().collect::<Vec<_>>()).any(|one| sequence(&one, &text))
}

fn sequence(pattern: &[char], text: &[char]) -> bool {
    if pattern.is_empty() {
        return text.is_empty();
    }
    let len = match pattern[0] {
        '[' => pattern.iter().position(|c| *c == ']').unwrap() + 1,
        '\\' => 2,
        _ => 1,
    };
    let (item, rest) = pattern.split_at(len);
    let fits = |c: char| match item {
        ['.'] => c != '\n',
        ['\\', own] => c == *own,
        ['[', low, '-', high, ']'] => (*low..=*high).contains(&c),
        ['[', members @ .., ']'] => members.contains(&c),
        [own] => c == *own,
        other => panic!("{other:?}"),
    };
    let (least, most, rest) = match rest {
        ['*', rest @ ..] => (0, text.len(), rest),
        ['+', rest @ ..] => (1, text.len(), rest),
        ['?', rest @ ..] => (0, 1, rest),
        rest => (1, 1, rest),
    };
    let run = text.iter().take_while(|c| fits(**c)).count().min(most);
    (least..=run).any(|taken| sequence(rest, &text[taken..]))
}

fn transform(name: &str, args: &[Val], letter: Option<char>) -> Option<Val> {
    let bytes = |value: &Val| match value {
        Val::Bytes(bytes) => Some(bytes.clone()),
        _ => None,
    };
    let list = |value: &Val| match value {
        Val::List(values) => values.iter().map(bytes).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    match (name, args) {
        ("val", [value]) => Some(value.clone()),
        ("len", [Val::List(values)]) => Some(Val::Uint(values.len() as u64)),
        ("len", [Val::Bytes(bytes)]) => Some(Val::Uint(bytes.len() as u64)),
        ("concat", parts) => parts.iter().map(bytes).collect::<Option<Vec<_>>>().map(|all| Val::Bytes(all.concat())),
        ("join", [separator, values]) => Some(Val::Bytes(list(values)?.join(&bytes(separator)?[..]))),
        ("getopt", [words, options]) => getopt(&list(words)?, &bytes(options)?, letter.map(|c| c as u8)),
        (name, [Val::List(values)]) => {
            let each = values.iter().map(|value| transform(name, std::slice::from_ref(value), None));
            each.collect::<Option<_>>().map(Val::List)
        }
        ("toupper", [Val::Bytes(text)]) => Some(Val::Bytes(text.to_ascii_uppercase())),
        ("tolower", [Val::Bytes(text)]) => Some(Val::Bytes(text.to_ascii_lowercase())),
        ("basename", [Val::Bytes(text)]) => text.rsplit(|b| *b == b'/').next().map(|last| Val::Bytes(last.to_vec())),
        ("b64", [Val::Bytes(text)]) => base64(text).map(Val::Bytes),
        _ => None,
    }
}

/// Six bits a character; what is left over at the end must be zero and less than a character.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if text.is_empty() {
        return Some(Vec::new());
    }
    let text = text.strip_suffix(b"==").or(text.strip_suffix(b"=")).unwrap_or(text);
    let mut bits: Vec<bool> = Vec::new();
    for byte in text {
        let n = ALPHABET.iter().position(|own| own == byte)?;
        bits.extend((0..6).rev().map(|at| n >> at & 1 == 1));
    }
    let (whole, left) = bits.split_at(bits.len() / 8 * 8);
    if bits.is_empty() || left.len() >= 6 || left.contains(&true) {
        return None;
    }
    Some(whole.chunks(8).map(|byte| byte.iter().fold(0, |n, bit| n << 1 | u8::from(*bit))).collect())
}

/// `getopt`: letters that are options, those that take a value followed by it, `?` for others.
fn getopt(words: &[Vec<u8>], options: &[u8], selected: Option<u8>) -> Option<Val> {
    let options = options.strip_prefix(b":").unwrap_or(options);
    let known = |letter: u8| letter != b':' && options.contains(&letter);
    let valued = |letter: u8| options.windows(2).any(|pair| pair == [letter, b':']);
    let (mut found, mut last) = (Vec::new(), None);
    let mut at = 0;
    while at < words.len() {
        let word = words[at].clone();
        at += 1;
        if word == b"--" || word.len() < 2 || word[0] != b'-' {
            break;
        }
        if word[1] == b'-' {
            continue;
        }
        let mut i = 1;
        while i < word.len() {
            let letter = word[i];
            i += 1;
            let mut emit = |texts: &[&[u8]]| found.extend(texts.iter().map(|text| Val::Bytes(text.to_vec())));
            if !known(letter) {
                emit(&[b"?"]);
                continue;
            }
            let result: Vec<u8> = if !valued(letter) {
                emit(&[&[letter]]);
                vec![letter]
            } else if i < word.len() {
                emit(&[&[letter], &word[i..]]);
                let value = word[i..].to_vec();
                i = word.len();
                value
            } else if let Some(next) = words.get(at) {
                at += 1;
                emit(&[&[letter], next]);
                next.clone()
            } else {
                emit(&[b""]);
                Vec::new()
            };
            if selected == Some(letter) {
                last = Some(Val::Bytes(result));
            }
        }
    }
    if selected.is_some() { last } else { Some(Val::List(found)) }
}
