//! Transformers: `tolower`, `b64`, `getopt` and their like.

use crate::value::Value;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use peregrine_filter::typed::Transformer;

/// Applies a transformer to its arguments' values; `None` if it has no result. Results live in the scratch memory.
/// `selected` is `getopt`'s option.
pub fn apply<'a>(
    kind: Transformer,
    args: &'a [Value<'a>],
    selected: Option<u8>,
    scratch: &'a Bump,
) -> Option<Value<'a>> {
    match (kind, args) {
        (Transformer::Len, [value]) => Some(Value::Uint(match value {
            Value::List(values) => values.len(),
            Value::Bytes(bytes) => bytes.len(),
            _ => return None,
        } as u64)),
        (Transformer::Join, [Value::Bytes(separator), Value::List(values)]) => join(separator, values, scratch),
        (Transformer::Concat, values) => join(b"", values, scratch),
        (Transformer::Getopt, [Value::List(arguments), Value::Bytes(options)]) => {
            getopt(arguments, options, selected, scratch)
        }
        (_, [value]) => each(kind, *value, scratch),
        _ => None,
    }
}

/// The transformers from text to text, also of each element of a list.
fn each<'a>(kind: Transformer, value: Value<'a>, scratch: &'a Bump) -> Option<Value<'a>> {
    let bytes = match value {
        Value::Bytes(bytes) => bytes,
        Value::List(values) => {
            let mut all = BumpVec::with_capacity_in(values.len(), scratch);
            for value in values {
                all.push(each(kind, *value, scratch)?);
            }
            return Some(Value::List(all.into_bump_slice()));
        }
        _ => return None,
    };
    Some(Value::Bytes(match kind {
        Transformer::Toupper => scratch.alloc_slice_fill_iter(bytes.iter().map(u8::to_ascii_uppercase)),
        Transformer::Tolower => scratch.alloc_slice_fill_iter(bytes.iter().map(u8::to_ascii_lowercase)),
        Transformer::Basename => &bytes[bytes.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1)..],
        Transformer::B64 => decode_base64(bytes, scratch)?,
        _ => return None,
    }))
}

fn join<'a>(separator: &[u8], values: &[Value<'a>], scratch: &'a Bump) -> Option<Value<'a>> {
    let mut text = BumpVec::new_in(scratch);
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            text.extend_from_slice(separator);
        }
        let Value::Bytes(bytes) = value else { return None };
        text.extend_from_slice(bytes);
    }
    Some(Value::Bytes(text.into_bump_slice()))
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// Base64 with or without padding. Bits that the last character leaves over must be zero.
fn decode_base64<'a>(text: &[u8], scratch: &'a Bump) -> Option<&'a [u8]> {
    let text = match text {
        [] => return Some(&[]),
        [rest @ .., b'=', b'='] | [rest @ .., b'='] | rest => rest,
    };
    if text.is_empty() || text.len() % 4 == 1 {
        return None;
    }
    let mut out = BumpVec::with_capacity_in(text.len() / 4 * 3 + 2, scratch);
    for chunk in text.chunks(4) {
        let mut bits = 0;
        for byte in chunk {
            bits = bits << 6 | sextet(*byte)?;
        }
        bits <<= 6 * (4 - chunk.len());
        let bytes = &bits.to_be_bytes()[1..];
        let (whole, rest) = bytes.split_at(chunk.len() - 1);
        if rest.iter().any(|left| *left != 0) {
            return None;
        }
        out.extend_from_slice(whole);
    }
    Some(out.into_bump_slice())
}

/// Options of a command line, as getopt(3) would find them: a list of option letters, each followed by its value if it
/// takes one, `?` for unknown ones; with `selected`, the last value (or letter) of that option, or nothing.
///
/// Long options are passed over; `--` and the first word that is no option end it; a missing value is an empty text.
fn getopt<'a>(words: &[Value<'a>], options: &[u8], selected: Option<u8>, scratch: &'a Bump) -> Option<Value<'a>> {
    let options = options.strip_prefix(b":").unwrap_or(options);
    let mut found: BumpVec<'a, Value<'a>> = BumpVec::new_in(scratch);
    let mut last = None;
    let mut words = words.iter().map_while(|word| match word {
        Value::Bytes(bytes) => Some(*bytes),
        _ => None,
    });
    while let Some(word) = words.next() {
        match word {
            b"--" => break,
            [b'-', b'-', ..] => continue,
            [b'-', _, ..] => {}
            _ => break,
        }
        for at in 1..word.len() {
            let letter = &word[at..=at];
            let place = options.iter().position(|o| *o == letter[0]).filter(|_| letter[0] != b':');
            let Some(place) = place else {
                found.push(Value::Bytes(b"?"));
                continue;
            };
            let wanted = selected == Some(letter[0]);
            let takes = takes_value(options, letter[0], place);
            if !takes {
                found.push(Value::Bytes(letter));
                last = if wanted { Some(Value::Bytes(letter)) } else { last };
                continue;
            }
            let value = if at + 1 < word.len() { Some(&word[at + 1..]) } else { words.next() };
            match value {
                Some(value) => found.extend([Value::Bytes(letter), Value::Bytes(value)]),
                None => found.push(Value::Bytes(b"")),
            }
            last = if wanted { Some(Value::Bytes(value.unwrap_or_default())) } else { last };
            break;
        }
    }
    match selected {
        Some(_) => last,
        None => Some(Value::List(found.into_bump_slice())),
    }
}

/// Whether an option takes a value: a colon follows it, at any of its places.
fn takes_value(options: &[u8], letter: u8, first: usize) -> bool {
    options[first..].windows(2).any(|pair| pair == [letter, b':'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use Transformer::*;

    fn text<'a>(kind: Transformer, value: &'a str, scratch: &'a Bump) -> Option<&'a [u8]> {
        let args = scratch.alloc_slice_copy(&[Value::Bytes(value.as_bytes())]);
        match apply(kind, args, None, scratch)? {
            Value::Bytes(bytes) => Some(bytes),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn texts() {
        let scratch = Bump::new();
        assert_eq!(text(Toupper, "/etc/é", &scratch), Some("/ETC/é".as_bytes()));
        assert_eq!(text(Basename, "/a/b", &scratch), Some(&b"b"[..]));
        assert_eq!(text(Basename, "/a/", &scratch), Some(&b""[..]));
        assert_eq!(text(Basename, "a", &scratch), Some(&b"a"[..]));
    }

    #[test]
    fn base64() {
        let scratch = Bump::new();
        for (encoded, decoded) in [
            ("", Some("")),
            ("YQ==", Some("a")),
            ("YQ", Some("a")),
            ("YWI=", Some("ab")),
            ("YWJj", Some("abc")),
            ("YWJjZA", Some("abcd")),
            ("Y", None),
            ("YR==", None),
            ("Y*==", None),
            ("=", None),
            ("==", None),
            ("YQ===", None),
        ] {
            assert_eq!(text(B64, encoded, &scratch), decoded.map(str::as_bytes), "{encoded}");
        }
    }

    fn options(words: &[&'static str], options: &'static str, selected: Option<u8>) -> Option<Vec<String>> {
        let scratch = Bump::new();
        let words: Vec<Value<'_>> = words.iter().map(|w| Value::Bytes(w.as_bytes())).collect();
        let show = |value: &Value<'_>| match value {
            Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => panic!("{other:?}"),
        };
        match getopt(&words, options.as_bytes(), selected, &scratch)? {
            Value::List(values) => Some(values.iter().map(show).collect()),
            value => Some(vec![show(&value)]),
        }
    }

    #[test]
    fn command_line_options() {
        let list = |words: &[&'static str], o| options(words, o, None).unwrap().join("|");
        assert_eq!(list(&["-nt", "5", "x", "-n"], "nt:"), "n|t|5");
        assert_eq!(list(&["-t5", "-x", "--long", "-n"], ":nt:"), "t|5|?|n");
        assert_eq!(list(&["-t"], "t:"), "");
        assert_eq!(list(&["--", "-n"], "n"), "");
        assert_eq!(list(&["-", "-n"], "n"), "");
        assert_eq!(options(&["-t1", "-t", "2"], "t:", Some(b't')), Some(vec!["2".into()]));
        assert_eq!(options(&["-n"], "nt:", Some(b't')), None);
        assert_eq!(options(&["-n"], "n", Some(b'n')), Some(vec!["n".into()]));
    }

    #[test]
    fn lists() {
        let scratch = Bump::new();
        let values = [Value::Bytes(b"a"), Value::Bytes(b"b")];
        let args = scratch.alloc_slice_copy(&[Value::Bytes(b", "), Value::List(&values)]);
        assert_eq!(apply(Join, args, None, &scratch), Some(Value::Bytes(b"a, b")));
        let args = scratch.alloc_slice_copy(&[Value::List(&values)]);
        assert_eq!(apply(Len, args, None, &scratch), Some(Value::Uint(2)));
        assert_eq!(apply(Concat, &values, None, &scratch), Some(Value::Bytes(b"ab")));
    }
}
