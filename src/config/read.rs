//! From the text of a node to a value of a type.

use super::fault::Fault;
use super::node::{Node, Value};
use super::settings::{AppendOutput, DropAction, Plugin, Selection};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Where plugins with a relative path are looked for.
const PLUGINS: &str = "/usr/share/falco/plugins";

/// Stores a value that could be read.
pub fn put<T>(place: &mut T, value: Result<T, Fault>) -> Result<(), Fault> {
    *place = value?;
    Ok(())
}

/// The text of a scalar; nothing is the empty text.
pub fn text(node: &Node) -> Result<&str, Fault> {
    match &node.value {
        Value::Scalar(text) => Ok(text),
        Value::Null => Ok(""),
        Value::List(_) | Value::Map(_) => Err(Fault::mistyped(&node.place, "a single value is expected here")),
    }
}

/// The text of a scalar, owned.
pub fn string(node: &Node) -> Result<String, Fault> {
    text(node).map(str::to_owned)
}

/// A path.
pub fn path(node: &Node) -> Result<PathBuf, Fault> {
    text(node).map(PathBuf::from)
}

/// The spellings that upstream's YAML reader takes for booleans.
pub fn boolean(node: &Node) -> Result<bool, Fault> {
    let text = text(node)?;
    truth(text)
        .ok_or_else(|| Fault::mistyped(&node.place, format!("\"{}\" is neither true nor false", text.escape_default())))
}

/// A boolean's text as a truth value.
pub fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

/// A number of the type that the place has.
pub fn number<T: FromStr>(node: &Node) -> Result<T, Fault> {
    let text = text(node)?;
    text.trim().parse().map_err(|_| {
        Fault::mistyped(&node.place, format!("\"{}\" is not a number that fits here", text.escape_default()))
    })
}

/// One of a few words, each with what it stands for; `wrong` says what is fatal about any other.
pub fn choice<T: Copy>(node: &Node, words: &[(&str, T)], wrong: impl Fn(&str) -> String) -> Result<T, Fault> {
    let text = text(node)?;
    match words.iter().find(|(word, _)| *word == text) {
        Some((_, value)) => Ok(*value),
        None => Err(Fault::fatal(node.place.clone(), wrong(text))),
    }
}

/// A list; a single value is a list of one, nothing an empty one.
pub fn each<T>(node: &Node, read: fn(&Node) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    match &node.value {
        Value::Null => Ok(Vec::new()),
        Value::List(items) => items.iter().map(read).collect(),
        Value::Scalar(_) => Ok(vec![read(node)?]),
        Value::Map(_) => Err(Fault::mistyped(&node.place, "a list is expected here")),
    }
}

/// A list of texts.
pub fn texts(node: &Node) -> Result<Vec<String>, Fault> {
    each(node, string)
}

/// A list of paths.
pub fn paths(node: &Node) -> Result<Vec<PathBuf>, Fault> {
    each(node, path)
}

/// A map from texts to texts.
pub fn pairs(node: &Node) -> Result<Vec<(String, String)>, Fault> {
    match &node.value {
        Value::Null => Ok(Vec::new()),
        Value::Map(entries) => entries.iter().map(|e| Ok((e.key.clone(), string(&e.value)?))).collect(),
        _ => Err(Fault::mistyped(&node.place, "a map is expected here")),
    }
}

/// Units of a duration, the largest first, in milliseconds.
const UNITS: &[(&str, u64)] = &[
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// A duration as Prometheus writes it: numbers with units, the largest unit first, at least 100 ms.
pub fn duration(node: &Node) -> Result<Duration, Fault> {
    let written: String = text(node)?.chars().filter(|c| !c.is_whitespace()).collect();
    let fatal = |message: &str| Fault::fatal(node.place.clone(), message);
    if written.chars().all(|c| c.is_ascii_digit()) {
        return Err(fatal(
            "Metrics interval was passed as numeric value without Prometheus time unit. Please specify a time unit",
        ));
    }
    let millis = milliseconds(&written).filter(|millis| *millis >= 100).ok_or_else(|| {
        fatal("Metrics interval must have a minimum value of 100ms and reflect a Prometheus compliant time duration format: https://prometheus.io/docs/prometheus/latest/querying/basics/#time-durations.")
    })?;
    Ok(Duration::from_millis(millis))
}

fn milliseconds(written: &str) -> Option<u64> {
    let (mut rest, mut units, mut sum) = (written, UNITS, 0u64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |n| digits + n);
        let at = units.iter().position(|(unit, _)| *unit == &rest[digits..end])?;
        let number: u64 = rest[..digits].parse().ok()?;
        sum = sum.checked_add(number.checked_mul(units[at].1)?)?;
        units = &units[at + 1..];
        rest = &rest[end..];
    }
    Some(sum)
}

/// One of the actions for dropped events.
pub fn drop_action(node: &Node) -> Result<DropAction, Fault> {
    let words = [
        ("ignore", DropAction::Ignore),
        ("log", DropAction::Log),
        ("alert", DropAction::Alert),
        ("exit", DropAction::Exit),
    ];
    choice(node, &words, |_| {
        "available actions for syscall event drops are \"ignore\", \"log\", \"alert\", and \"exit\"".into()
    })
}

/// An entry of `rules`.
pub fn selection(node: &Node) -> Result<Selection, Fault> {
    let wrong = |message: &str| Fault::fatal(node.place.clone(), message);
    // An entry with both enables, as upstream reads it.
    let (enable, what) = match (node.get("enable"), node.get("disable")) {
        (Some(what), _) => (true, what),
        (None, Some(what)) => (false, what),
        _ => return Err(wrong("an entry either enables or disables")),
    };
    let field = |name| what.get(name).map(string).transpose();
    let named = |text: &String| !text.is_empty();
    let selection = Selection { enable, rule: field("rule")?.filter(named), tag: field("tag")?.filter(named) };
    if selection.rule.is_none() && selection.tag.is_none() {
        return Err(wrong("an entry names a rule or a tag"));
    }
    Ok(selection)
}

/// An entry of `append_output`.
pub fn append_output(node: &Node) -> Result<AppendOutput, Fault> {
    let wrong = |message: &str| Fault::fatal(node.place.clone(), message);
    if !matches!(node.value, Value::Map(_)) {
        return Err(wrong("an entry of append_output is a map"));
    }
    let mut entry = AppendOutput::default();
    if let Some(matched) = node.get("match") {
        entry.source = matched.get("source").map(string).transpose()?;
        entry.rule = matched.get("rule").map(string).transpose()?;
        entry.tags = matched.get("tags").map_or(Ok(Vec::new()), texts)?;
    }
    if let Some(extra) = node.get("extra_output") {
        entry.extra_output = string(extra)?;
    }
    if let Some(suggested) = node.get("suggested_output") {
        entry.suggested_output = boolean(suggested)?;
    }
    if let Some(fields) = node.get("extra_fields") {
        let Value::List(fields) = &fields.value else { return Err(wrong("extra_fields is a list")) };
        fields.iter().try_for_each(|field| extra_field(field, &mut entry))?;
    }
    Ok(entry)
}

/// A field by its name, or a name with a format; no name twice.
fn extra_field(node: &Node, entry: &mut AppendOutput) -> Result<(), Fault> {
    let twice = |name: &str, entry: &AppendOutput| {
        let formatted = entry.formatted_fields.iter().any(|(known, _)| known == name);
        let message = format!("the extra field \"{}\" is there twice", name.escape_default());
        if formatted { Err(Fault::fatal(node.place.clone(), message)) } else { Ok(()) }
    };
    match &node.value {
        Value::Map(entries) if entries.len() == 1 => {
            let (name, format) = (&entries[0].key, string(&entries[0].value)?);
            twice(name, entry)?;
            if entry.raw_fields.contains(name) {
                return Err(Fault::fatal(node.place.clone(), format!("the extra field \"{name}\" is there twice")));
            }
            entry.formatted_fields.push((name.clone(), format));
        }
        Value::Scalar(name) => {
            twice(name, entry)?;
            if !entry.raw_fields.contains(name) {
                entry.raw_fields.push(name.clone());
            }
        }
        _ => return Err(Fault::fatal(node.place.clone(), "an extra field is a name, or one name with its format")),
    }
    Ok(())
}

/// An entry of `plugins`.
pub fn plugin(node: &Node) -> Result<Plugin, Fault> {
    let wrong = |message: String| Fault::fatal(node.place.clone(), message);
    let needed = |name: &str| node.get(name).ok_or_else(|| wrong(format!("a plugin needs its {name}")));
    let name = string(needed("name")?)?;
    let library_path = library(text(needed("library_path")?)?).map_err(wrong)?;
    let init_config = match node.get("init_config") {
        Some(map) if matches!(map.value, Value::Map(_)) => json(map).to_string(),
        Some(other) => string(other)?,
        None => String::new(),
    };
    let open_params = node.get("open_params").map_or(Ok(""), text)?.trim().to_owned();
    Ok(Plugin { name, library_path, init_config, open_params })
}

/// A relative path is meant below the plugins' directory and may not leave it.
fn library(written: &str) -> Result<PathBuf, String> {
    let path = Path::new(written);
    if written.is_empty() || path.is_absolute() {
        return Ok(path.to_owned());
    }
    let mut below = PathBuf::new();
    for component in path.components() {
        let inside = match component {
            Component::ParentDir => below.pop(),
            Component::Normal(name) => {
                below.push(name);
                true
            }
            _ => true,
        };
        if !inside {
            return Err(format!("plugin library_path '{written}' resolves outside the plugins directory ({PLUGINS}/)"));
        }
    }
    Ok(Path::new(PLUGINS).join(below))
}

/// A node as JSON; scalars become what they look like, as upstream hands them to plugins.
pub fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            serde_json::Value::Object(entries.iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect())
        }
        Value::Scalar(text) => {
            let number = text.parse::<i32>().ok().map(serde_json::Value::from);
            let number = number.or_else(|| text.parse::<f64>().ok().filter(|n| n.is_finite()).map(Into::into));
            number.or_else(|| truth(text).map(Into::into)).unwrap_or_else(|| text.as_str().into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fault::Weight;

    fn node(text: &str) -> Node {
        Node::parse(text, "c.yaml").unwrap()
    }

    #[test]
    fn durations_are_prometheus_own() {
        for (text, millis) in [
            ("100ms", 100),
            ("30s", 30_000),
            ("1h", 3_600_000),
            ("1h 30m", 5_400_000),
            ("1d12h5s250ms", 129_605_250),
            ("2w", 1_209_600_000),
            ("1y", 31_536_000_000),
        ] {
            assert_eq!(duration(&node(text)).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for wrong in ["5000", "99ms", "0s", "1m1h", "1s1s", "h", "1x", "1.5h", "-1s", "99999999999999999999s"] {
            assert_eq!(duration(&node(wrong)).unwrap_err().weight, Weight::Fatal, "{wrong}");
        }
        assert!(duration(&node("5000")).unwrap_err().message.contains("without Prometheus time unit"));
    }

    #[test]
    fn plugins_are_read() {
        let read =
            plugin(&node("{name: n, library_path: a/../b.so, init_config: {x: 1, y: [true, z]}, open_params: ' p '}"));
        let want = Plugin {
            name: "n".into(),
            library_path: "/usr/share/falco/plugins/b.so".into(),
            init_config: r#"{"x":1,"y":[true,"z"]}"#.into(),
            open_params: "p".into(),
        };
        assert_eq!(read.unwrap(), want);
        assert_eq!(plugin(&node("{name: n, library_path: /a.so}")).unwrap().library_path, Path::new("/a.so"));
        for wrong in [
            "{name: n}",
            "{library_path: /a.so}",
            "{name: n, library_path: ../a.so}",
            "{name: n, library_path: x/../../a.so}",
        ] {
            assert!(plugin(&node(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn extra_fields_once_each() {
        let entry = append_output(&node("{extra_fields: [a.b, {c: '%x'}], match: {tags: [t]}}")).unwrap();
        assert_eq!((entry.raw_fields, entry.formatted_fields), (vec!["a.b".into()], vec![("c".into(), "%x".into())]));
        for wrong in [
            "{extra_fields: [{a: x}, {a: y}]}",
            "{extra_fields: [a, {a: y}]}",
            "{extra_fields: [{a: y}, a]}",
            "{extra_fields: a}",
        ] {
            assert!(append_output(&node(wrong)).is_err(), "{wrong}");
        }
    }
}
