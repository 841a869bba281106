//! Shell patterns as fnmatch(3) matches them without flags: `*` crosses `/`, a leading dot is not special.
//!
//! Bytes are compared, as in the C locale. A pattern is compiled once; matching backs up to the last `*` only and
//! takes at most pattern × text steps.

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    parts: Vec<Part>,
    fold: bool,
    /// A malformed end (a lone backslash) matches nothing.
    never: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Byte(u8),
    Any,
    Star,
    Class(Box<[u64; 4]>),
}

impl Glob {
    /// Compiles a pattern. With `fold`, ASCII case is ignored.
    pub fn new(pattern: &[u8], fold: bool) -> Self {
        let mut parts = Vec::new();
        let mut never = false;
        let mut at = 0;
        while let Some(&byte) = pattern.get(at) {
            at += 1;
            match byte {
                b'*' => {
                    if parts.last() != Some(&Part::Star) {
                        parts.push(Part::Star);
                    }
                }
                b'?' => parts.push(Part::Any),
                b'\\' => match pattern.get(at) {
                    Some(&escaped) => {
                        parts.push(Part::Byte(folded(escaped, fold)));
                        at += 1;
                    }
                    None => never = true,
                },
                b'[' => match class(&pattern[at..], fold) {
                    Some((set, used)) => {
                        parts.push(Part::Class(Box::new(set)));
                        at += used;
                    }
                    None => parts.push(Part::Byte(b'[')),
                },
                _ => parts.push(Part::Byte(folded(byte, fold))),
            }
        }
        Self { parts, fold, never }
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        if self.never {
            return false;
        }
        let (mut part, mut at) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match (self.parts.get(part), text.get(at)) {
                (Some(Part::Star), _) => {
                    if part + 1 == self.parts.len() {
                        return true;
                    }
                    retry = Some((part + 1, at));
                    part += 1;
                    continue;
                }
                (None, None) => return true,
                (Some(p), Some(&byte)) if p.accepts(folded(byte, self.fold)) => {
                    part += 1;
                    at += 1;
                    continue;
                }
                _ => {}
            }
            match &mut retry {
                Some((after, from)) if *from < text.len() => {
                    *from += 1;
                    (part, at) = (*after, *from);
                }
                _ => return false,
            }
        }
    }
}

impl Part {
    fn accepts(&self, byte: u8) -> bool {
        match self {
            Part::Byte(own) => *own == byte,
            Part::Any => true,
            Part::Star => false,
            Part::Class(set) => has(set, byte),
        }
    }
}

fn folded(byte: u8, fold: bool) -> u8 {
    if fold { byte.to_ascii_lowercase() } else { byte }
}

fn has(set: &[u64; 4], byte: u8) -> bool {
    set[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
}

fn add(set: &mut [u64; 4], byte: u8) {
    set[usize::from(byte >> 6)] |= 1 << (byte & 63);
}

/// Reads a bracket expression after its `[`. Gives the bytes it accepts and its length, or `None` if it has no end:
/// then the bracket is an ordinary character.
fn class(rest: &[u8], fold: bool) -> Option<([u64; 4], usize)> {
    let mut set = [0; 4];
    let mut at = 0;
    let negated = matches!(rest.first(), Some(b'!' | b'^'));
    if negated {
        at += 1;
    }
    let first = at;
    loop {
        let byte = *rest.get(at)?;
        if byte == b']' && at > first {
            at += 1;
            break;
        }
        if byte == b'['
            && rest.get(at + 1) == Some(&b':')
            && let Some((name, used)) = class_name(&rest[at + 2..])
        {
            let member = named(name)?;
            (0..=255u8).filter(|b| member(*b)).for_each(|b| add(&mut set, folded(b, fold)));
            at += 2 + used;
            continue;
        }
        let (low, used) = class_byte(&rest[at..])?;
        at += used;
        if rest.get(at) == Some(&b'-') && rest.get(at + 1).is_some_and(|b| *b != b']') {
            let (high, used) = class_byte(&rest[at + 1..])?;
            at += 1 + used;
            (folded(low, fold)..=folded(high, fold)).for_each(|b| add(&mut set, b));
        } else {
            add(&mut set, folded(low, fold));
        }
    }
    if negated {
        set.iter_mut().for_each(|word| *word = !*word);
    }
    Some((set, at))
}

/// One member of a bracket expression: a byte, an escaped byte, `[.x.]` or `[=x=]`.
fn class_byte(rest: &[u8]) -> Option<(u8, usize)> {
    match rest {
        [b'\\', byte, ..] => Some((*byte, 2)),
        [b'[', open @ (b'.' | b'='), byte, close, b']', ..] if open == close => Some((*byte, 5)),
        [byte, ..] => Some((*byte, 1)),
        [] => None,
    }
}

fn class_name(rest: &[u8]) -> Option<(&[u8], usize)> {
    let end = rest.windows(2).position(|pair| pair == b":]")?;
    let name = &rest[..end];
    name.iter().all(u8::is_ascii_lowercase).then_some((name, end + 2))
}

fn named(name: &[u8]) -> Option<fn(u8) -> bool> {
    Some(match name {
        b"alnum" => |b| b.is_ascii_alphanumeric(),
        b"alpha" => |b| b.is_ascii_alphabetic(),
        b"blank" => |b| b == b' ' || b == b'\t',
        b"cntrl" => |b| b.is_ascii_control(),
        b"digit" => |b| b.is_ascii_digit(),
        b"graph" => |b| b.is_ascii_graphic(),
        b"lower" => |b| b.is_ascii_lowercase(),
        b"print" => |b| b.is_ascii_graphic() || b == b' ',
        b"punct" => |b| b.is_ascii_punctuation(),
        b"space" => |b| b.is_ascii_whitespace() || b == 0x0b,
        b"upper" => |b| b.is_ascii_uppercase(),
        b"xdigit" => |b| b.is_ascii_hexdigit(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pattern, text, whether fnmatch(3) of glibc accepts it with flags 0.
    const CASES: &[(&str, &str, bool)] = &[
        ("", "", true),
        ("*", "", true),
        ("*", "/a/b", true),
        ("/home/*/.ssh/*", "/home/a/b/.ssh/id", true),
        ("*../*../*", "/a/../b/../c", true),
        ("*../*../*", "/a/../b", false),
        ("?", "", false),
        ("a?c", "abc", true),
        ("[abc]x", "bx", true),
        ("[!abc]x", "bx", false),
        ("[^abc]x", "dx", true),
        ("[]a]", "]", true),
        ("[a-c]", "b", true),
        ("[a-]", "-", true),
        ("[", "[", true),
        ("[a", "[a", true),
        ("a\\*", "a*", true),
        ("a\\*", "ab", false),
        ("a\\", "a\\", false),
        ("[[:digit:]]", "7", true),
        ("[[:digit:]x]", "y", false),
        ("[\\]]", "]", true),
        ("[[.-.]]", "-", true),
        ("a**b", "axxb", true),
        ("*a*b*c", "xaybzc", true),
        ("*a*b*c", "xaybzcd", false),
        ("ABC", "abc", false),
    ];

    #[test]
    fn as_fnmatch() {
        for (pattern, text, expected) in CASES {
            assert_eq!(Glob::new(pattern.as_bytes(), false).matches(text.as_bytes()), *expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn folding_ignores_ascii_case() {
        assert!(Glob::new(b"A*[X-Z]", true).matches(b"abcy"));
        assert!(Glob::new(b"[[:upper:]]", true).matches(b"a"));
        assert!(!Glob::new("É".as_bytes(), true).matches("é".as_bytes()));
    }

    #[test]
    fn long_texts_end_soon() {
        let text = vec![b'a'; 20_000];
        assert!(!Glob::new(b"*a*a*a*a*a*a*b", false).matches(&text));
    }
}
