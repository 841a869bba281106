//! Tests of texts, paths and byte buffers.

use super::BuildError;
use super::glob::Glob;
use super::path::PathTree;
use super::set::{ByteSet, PrefixSet};
use aho_corasick::AhoCorasick;
use memchr::memmem::Finder;
use peregrine_filter::ast::Op;
use peregrine_filter::regex_posix;
use regex::bytes::Regex;
use std::borrow::Cow;

/// A test of one byte string against one or several constants: true if it holds for one of them.
#[derive(Debug, Clone)]
pub enum Text {
    /// Equal to one.
    Member(ByteSet),
    /// Starts or ends with one.
    Affix(PrefixSet),
    /// Contains the one.
    Contains(Box<Needle>),
    /// Contains one, ASCII case respected or not as it was built.
    ContainsAny(AhoCorasick),
    /// Matches one whole.
    Glob(Vec<Glob>),
    /// Matches one whole.
    Regex(Vec<Regex>),
    /// Lies under one.
    Path(PathTree),
    /// Is before or after the one in byte order.
    Order(Op, Box<[u8]>),
    /// Holds for every text, as an empty needle does.
    Always,
}

impl Text {
    /// Builds the test for an operator that compares texts; `Eq` and `In` are the same here.
    ///
    /// # Errors
    /// A regular expression that does not compile, an automaton that would be too large, an operator that is none.
    pub fn new(op: Op, consts: &[&[u8]]) -> Result<Self, BuildError> {
        let each = || consts.iter().copied();
        Ok(match op {
            Op::Eq | Op::In | Op::Intersects => Self::Member(ByteSet::new(each())),
            Op::Startswith | Op::Bstartswith => Self::Affix(PrefixSet::prefixes(each())),
            Op::Endswith => Self::Affix(PrefixSet::suffixes(each())),
            Op::Contains | Op::Bcontains | Op::Icontains => Self::contains(consts, op == Op::Icontains)?,
            Op::Glob | Op::Iglob => Self::Glob(each().map(|c| Glob::new(c, op == Op::Iglob)).collect()),
            Op::Regex => Self::Regex(each().map(regex).collect::<Result<_, _>>()?),
            Op::Pmatch => Self::Path(PathTree::new(each())),
            Op::Lt | Op::Le | Op::Gt | Op::Ge => Self::Order(op, consts.first().copied().unwrap_or_default().into()),
            Op::Exists | Op::Ne => return Err(BuildError::Operator(op)),
        })
    }

    fn contains(consts: &[&[u8]], fold: bool) -> Result<Self, BuildError> {
        if consts.iter().any(|c| c.is_empty()) {
            return Ok(Self::Always);
        }
        if let ([one], false) = (consts, fold) {
            return Ok(Self::Contains(Box::new(Needle::new(one))));
        }
        let automaton = AhoCorasick::builder().ascii_case_insensitive(fold).build(consts);
        automaton.map(Self::ContainsAny).map_err(|e| BuildError::Automaton(e.to_string()))
    }

    /// Whether it holds.
    #[inline]
    pub fn matches(&self, value: &[u8]) -> bool {
        match self {
            Self::Member(set) => set.contains(value),
            Self::Affix(set) => set.matches(value),
            Self::Contains(needle) => needle.is_in(value),
            _ => self.searches(value),
        }
    }

    /// The rest, out of line: its work is long against the call.
    #[inline(never)]
    fn searches(&self, value: &[u8]) -> bool {
        match self {
            Self::ContainsAny(automaton) => automaton.is_match(value),
            Self::Glob(globs) => globs.iter().any(|glob| glob.matches(value)),
            Self::Regex(all) => {
                let value = sanitised(value);
                all.iter().any(|regex| regex.is_match(&value))
            }
            Self::Path(tree) => tree.matches(value),
            Self::Order(op, constant) => ordered(*op, value.cmp(constant)),
            Self::Always => true,
            Self::Member(_) | Self::Affix(_) | Self::Contains(_) => false,
        }
    }
}

/// A text to find in others.
#[derive(Debug, Clone)]
pub struct Needle {
    /// Its byte that paths and names have least often: without it nothing is searched.
    rare: u8,
    finder: Finder<'static>,
}

impl Needle {
    /// A needle, which must not be empty.
    fn new(text: &[u8]) -> Self {
        let rare = text.iter().copied().min_by_key(|byte| commonness(*byte)).unwrap_or_default();
        Self { rare, finder: Finder::new(text).into_owned() }
    }

    #[inline(never)]
    fn is_in(&self, text: &[u8]) -> bool {
        memchr::memchr(self.rare, text).is_some() && self.finder.find(text).is_some()
    }
}

/// How common a byte is in paths, names and command lines, roughly.
fn commonness(byte: u8) -> u8 {
    match byte {
        b'/' | b' ' => 9,
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' | b'l' | b'c' | b'd' => 8,
        b'p' | b'm' | b'u' | b'b' | b'h' | b'f' | b'g' | b'y' | b'-' | b'.' => 6,
        b'a'..=b'z' | b'0'..=b'9' | b'_' => 4,
        b'A'..=b'Z' => 2,
        _ => 0,
    }
}

/// Whether an ordering satisfies an operator.
pub fn ordered(op: Op, ordering: std::cmp::Ordering) -> bool {
    match op {
        Op::Lt => ordering.is_lt(),
        Op::Le => ordering.is_le(),
        Op::Gt => ordering.is_gt(),
        Op::Ge => ordering.is_ge(),
        _ => false,
    }
}

/// A pattern that must match the whole value, in upstream's POSIX syntax.
fn regex(pattern: &[u8]) -> Result<Regex, BuildError> {
    let pattern = std::str::from_utf8(pattern).map_err(|e| BuildError::Regex(e.to_string()))?;
    regex_posix::compile(pattern).map_err(BuildError::Regex)
}

/// The value with invalid UTF-8 replaced, as upstream hands it to its regular expressions.
fn sanitised(value: &[u8]) -> Cow<'_, [u8]> {
    match String::from_utf8_lossy(value) {
        Cow::Borrowed(_) => Cow::Borrowed(value),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(op: Op, consts: &[&str], value: &[u8]) -> bool {
        let consts: Vec<&[u8]> = consts.iter().map(|c| c.as_bytes()).collect();
        Text::new(op, &consts).unwrap().matches(value)
    }

    #[test]
    fn operators() {
        assert!(holds(Op::Eq, &["a"], b"a") && !holds(Op::Eq, &["a"], b"A"));
        assert!(holds(Op::Contains, &[""], b"") && holds(Op::Icontains, &["ETC"], b"/etc/x"));
        assert!(!holds(Op::Contains, &["ETC"], b"/etc/x") && holds(Op::Contains, &["q", "tc"], b"/etc"));
        assert!(holds(Op::Lt, &["b"], b"a") && holds(Op::Ge, &["b"], b"b") && !holds(Op::Gt, &["b"], b"b"));
        assert!(!holds(Op::Contains, &[], b"a") && !holds(Op::Pmatch, &[], b"/a"));
    }

    #[test]
    fn regexes_match_the_whole_value() {
        assert!(holds(Op::Regex, &["/etc/.*"], b"/etc/passwd"));
        assert!(!holds(Op::Regex, &["etc"], b"/etc/passwd"));
        assert!(holds(Op::Regex, &["a|ab"], b"ab"));
        assert!(!holds(Op::Regex, &["a.b"], b"a\nb"));
        assert!(holds(Op::Regex, &["a.b"], b"a\xffb"));
        assert!(matches!(Text::new(Op::Regex, &[b"("]), Err(BuildError::Regex(_))));
    }
}
