//! Values of YAML nodes as the reader needs them, with Falco's words for what is wrong with them.

use crate::code::ErrorCode;
use crate::context::Context;
use crate::items::Place;
use crate::yaml::Node;

/// Reading or collecting stopped.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    pub(crate) context: Context,
    pub(crate) place: Option<Place>,
    pub(crate) help: Option<String>,
}

impl Fault {
    /// The structure is wrong.
    pub(crate) fn structure(message: impl Into<String>, context: &Context) -> Box<Self> {
        Self::new(ErrorCode::YamlValidate, message, context)
    }

    /// What is said is wrong.
    pub(crate) fn validate(message: impl Into<String>, context: &Context) -> Box<Self> {
        Self::new(ErrorCode::Validate, message, context)
    }

    pub(crate) fn new(code: ErrorCode, message: impl Into<String>, context: &Context) -> Box<Self> {
        Box::new(Self { code, message: message.into(), context: context.clone(), place: None, help: None })
    }

    pub(crate) fn with_help(mut self: Box<Self>, help: Option<String>) -> Box<Self> {
        self.help = help;
        self
    }

    /// Says where, unless it is known better already.
    pub(crate) fn at(mut self: Box<Self>, place: &Place) -> Box<Self> {
        self.place.get_or_insert_with(|| place.clone());
        self
    }
}

pub(crate) type Decoded<T> = Result<T, Box<Fault>>;

/// Whether a key must be there, and whether it may be empty.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
    OptionalOrEmpty,
}

fn scalar<'n>(item: &'n Node, key: &str, context: &Context, need: Need) -> Decoded<Option<(&'n str, &'n Node)>> {
    let Some(value) = item.get(key) else {
        if need == Need::Required {
            return Err(Fault::structure(format!("Item has no mapping for key '{key}'"), context));
        }
        return Ok(None);
    };
    if value.is_null() {
        if need == Need::OptionalOrEmpty {
            return Ok(None);
        }
        return Err(Fault::structure(format!("Mapping for key '{key}' is empty"), context));
    }
    let value_context = context.node(value, "value for", key);
    match value.scalar() {
        None => Err(Fault::structure("Value is not a scalar value", &value_context)),
        Some("") if need == Need::OptionalOrEmpty => Ok(None),
        Some("") => Err(Fault::structure("Value must be non-empty", &value_context)),
        Some(text) => Ok(Some((text, value))),
    }
}

fn bad_value(value: &Node, key: &str, context: &Context) -> Box<Fault> {
    Fault::structure("Can't decode YAML scalar value", &context.node(value, "value for", key))
}

/// A required text.
pub(crate) fn text<'n>(item: &'n Node, key: &str, context: &Context) -> Decoded<(&'n str, &'n Node)> {
    let missing = || Fault::structure(format!("Item has no mapping for key '{key}'"), context);
    scalar(item, key, context, Need::Required)?.ok_or_else(missing)
}

/// An optional text that may be empty.
pub(crate) fn text_or_empty(item: &Node, key: &str, context: &Context) -> Decoded<Option<String>> {
    Ok(scalar(item, key, context, Need::OptionalOrEmpty)?.map(|(text, _)| text.to_owned()))
}

/// An optional text.
pub(crate) fn optional_text(item: &Node, key: &str, context: &Context) -> Decoded<Option<String>> {
    Ok(scalar(item, key, context, Need::Optional)?.map(|(text, _)| text.to_owned()))
}

/// An optional truth value.
pub(crate) fn optional_bool(item: &Node, key: &str, context: &Context) -> Decoded<Option<bool>> {
    let Some((text, value)) = scalar(item, key, context, Need::Optional)? else { return Ok(None) };
    parse_bool(text).map(Some).ok_or_else(|| bad_value(value, key, context))
}

/// An optional unsigned number.
pub(crate) fn optional_u32(item: &Node, key: &str, context: &Context) -> Decoded<Option<u32>> {
    let Some((text, value)) = scalar(item, key, context, Need::Optional)? else { return Ok(None) };
    parse_u32(text).map(Some).ok_or_else(|| bad_value(value, key, context))
}

/// Makes an absent key an error.
pub(crate) fn required<T>(value: Option<T>, key: &str, context: &Context) -> Decoded<T> {
    value.ok_or_else(|| Fault::structure(format!("Item has no mapping for key '{key}'"), context))
}

/// A sequence of scalars.
pub(crate) fn scalars<'n>(item: &'n Node, key: &str, context: &Context) -> Decoded<Option<Vec<&'n Node>>> {
    let Some(value) = item.get(key) else { return Ok(None) };
    let value_context = context.node(value, "value for", key);
    let Some(items) = value.list() else {
        return Err(Fault::structure("Value is not a sequence", &value_context));
    };
    for item in items {
        // Null is no scalar to yaml-cpp.
        if item.scalar().is_none() {
            let item_context = value_context.node(item, "list item", "");
            return Err(Fault::structure("sequence value is not scalar", &item_context));
        }
    }
    Ok(Some(items.iter().collect()))
}

/// The words that yaml-cpp takes for truth values: lower case, capitalised or upper case.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    const WORDS: [(&str, bool); 8] = [
        ("y", true),
        ("yes", true),
        ("true", true),
        ("on", true),
        ("n", false),
        ("no", false),
        ("false", false),
        ("off", false),
    ];
    let lower = text.to_ascii_lowercase();
    let tail_lower = text.len() > 1 && text[text.ceil_char_boundary(1)..].bytes().all(|b| b.is_ascii_lowercase());
    let same_case = text == lower || text == text.to_ascii_uppercase() || tail_lower;
    WORDS.iter().find(|(word, _)| same_case && *word == lower).map(|(_, value)| *value)
}

/// A number as a C++ stream without fixed base reads it: decimal, `0x…` or `0…`; blanks may follow.
pub(crate) fn parse_u32(text: &str) -> Option<u32> {
    let text = text.trim_end_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let digits = text.strip_prefix('+').unwrap_or(text);
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return u32::from_str_radix(hex, 16).ok().filter(|_| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return u32::from_str_radix(digits, 8).ok();
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_follow_yaml_cpp() {
        assert_eq!(parse_bool("True"), Some(true));
        assert_eq!(parse_bool("OFF"), Some(false));
        assert_eq!(parse_bool("tRUE"), None);
        assert_eq!(parse_bool("1"), None);
        assert_eq!(parse_u32("10000"), Some(10000));
        assert_eq!(parse_u32("0x10"), Some(16));
        assert_eq!(parse_u32("010"), Some(8));
        assert_eq!(parse_u32("-1"), None);
        assert_eq!(parse_u32("0.31.0"), None);
        assert_eq!(parse_u32(""), None);
    }
}
