//! The configuration's text as a tree: maps, lists and scalars that are still text, each with its place.
//!
//! Scalars get their type from the key that reads them, not from their look, because overrides on the command line
//! (`-o key=value`) have no types at all. Also here: `${NAME}` in scalars.

use super::fault::{Fault, Place};
use super::path::{Step, steps};
use granit_parser::{Event, Parser, Span};
use std::collections::HashMap;
use std::sync::Arc;

/// Nodes that aliases may bring in, in all; more is an attack, not a configuration.
const MAX_NODES: usize = 100_000;
/// How deep lists and maps may lie in each other.
const MAX_DEPTH: usize = 64;

/// A value of the configuration and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it begins.
    pub place: Place,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value: an empty document, `key:` or `~`.
    Null,
    /// Text of a scalar after escapes and variables.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file; a later key of the same name replaces the earlier.
    Map(Vec<Entry>),
}

/// A key of a map and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// Its value.
    pub value: Node,
}

/// Values are equal wherever they stand.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// Entries are equal wherever they stand.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.value == other.value
    }
}

impl Node {
    /// Nothing, nowhere.
    pub fn nothing() -> Self {
        Self { value: Value::Null, place: Place::default() }
    }

    /// Parses the first document of a YAML text; `source` is how its places name it.
    ///
    /// # Errors
    /// What the parser says, with its place.
    pub fn parse(text: &str, source: &str) -> Result<Node, Fault> {
        let parser = Parser::new_from_str(text);
        let mut build = Build { parser, anchors: HashMap::new(), nodes: 0, source: source.into() };
        build.document()
    }

    /// The value of a map's key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Sets a map's key; what is no map becomes one.
    pub fn put(&mut self, entry: Entry) {
        if !matches!(self.value, Value::Map(_)) {
            self.value = Value::Map(Vec::new());
        }
        let Value::Map(entries) = &mut self.value else { return };
        match entries.iter_mut().find(|old| old.key == entry.key) {
            Some(old) => *old = entry,
            None => entries.push(entry),
        }
    }

    /// Sets the value below a path of keys joined by dots, making the maps that lead there.
    pub fn put_at(&mut self, path: &str, value: Node) {
        let place = value.place.clone();
        let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        let Some(rest) = rest else {
            return self.put(Entry { key: key.to_owned(), place, value });
        };
        let mut inner = self.get(key).cloned().unwrap_or_else(Node::nothing);
        inner.put_at(rest, value);
        self.put(Entry { key: key.to_owned(), place, value: inner });
    }

    /// Replaces `${NAME}` by what `lookup` gives, in every scalar value; see [`expand`].
    pub fn expand(&mut self, lookup: &dyn Fn(&str) -> Option<String>) {
        match &mut self.value {
            Value::Null => {}
            Value::Scalar(text) => *text = expand(text, lookup),
            Value::List(items) => items.iter_mut().for_each(|item| item.expand(lookup)),
            Value::Map(entries) => entries.iter_mut().for_each(|entry| entry.value.expand(lookup)),
        }
    }

    /// Carries out an override `path=value`. A value in braces is a YAML map, anything else a scalar.
    ///
    /// # Errors
    /// When there is no `=`, or the path is malformed or leads into a single value, or the map in braces is malformed.
    pub fn set(&mut self, assignment: &str) -> Result<(), Fault> {
        let place = Place::option(assignment);
        let Some((path, value)) = assignment.split_once('=') else {
            let message =
                format!("Error parsing config option \"{assignment}\". Must be of the form key=val or key.subkey=val");
            return Err(Fault::fatal(place, message));
        };
        let value = if value.starts_with('{') && value.ends_with('}') {
            Node { place: place.clone(), ..Node::parse(value, &place.source)? }
        } else {
            Node { value: Value::Scalar(value.to_owned()), place: place.clone() }
        };
        let at = |message: String| Fault::fatal(place.clone(), format!("Config error at key \"{path}\": {message}"));
        *self.at(&steps(path).map_err(at)?, &place).map_err(at)? = value;
        Ok(())
    }

    /// The node at a path, made if it is not there.
    fn at(&mut self, path: &[Step], place: &Place) -> Result<&mut Node, String> {
        let Some((step, rest)) = path.split_first() else { return Ok(self) };
        match step {
            Step::Key(key) => {
                if !matches!(self.value, Value::Map(_) | Value::Null) {
                    return Err(format!("there is no map that could hold \"{key}\""));
                }
                if self.get(key).is_none() {
                    let value = Node { value: Value::Null, place: place.clone() };
                    self.put(Entry { key: key.clone(), place: place.clone(), value });
                }
                let Value::Map(entries) = &mut self.value else { return Err("not a map".into()) };
                let found = entries.iter_mut().find(|entry| entry.key == *key);
                found.ok_or("not a map")?.value.at(rest, place)
            }
            Step::Index(index) => {
                if matches!(self.value, Value::Null) {
                    self.value = Value::List(Vec::new());
                }
                let Value::List(items) = &mut self.value else { return Err("an index needs a list".into()) };
                let index = index.unwrap_or(items.len());
                if index > items.len() {
                    return Err(format!("index {index} is beyond the end of a list of {}", items.len()));
                }
                if index == items.len() {
                    items.push(Node { value: Value::Null, place: place.clone() });
                }
                items[index].at(rest, place)
            }
        }
    }
}

/// Variables in a scalar, as upstream reads them: `${NAME}` is its value or nothing, `$${…}` is the literal `${…}`,
/// a `$` that opens neither ends the scan, and what was put in is not looked at again.
fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        let (literal, body) = match (from.strip_prefix("$${"), from.strip_prefix("${")) {
            (Some(body), _) => (true, body),
            (_, Some(body)) => (false, body),
            _ => break,
        };
        let Some((name, after)) = body.split_once('}') else { break };
        out.push_str(before);
        if literal {
            out.push_str(&format!("${{{name}}}"));
        } else {
            out.push_str(&lookup(name).unwrap_or_default());
        }
        rest = after;
    }
    out + rest
}

/// Builds the tree from the parser's events.
struct Build<'t> {
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    source: Arc<str>,
}

impl<'t> Build<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Place), Fault> {
        loop {
            match self.parser.next() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok((event, span))) => return Ok((event, self.place(&span))),
                Some(Err(error)) => {
                    let (line, column) = (error.marker().line() as u32, error.marker().col() as u32 + 1);
                    let place = Place { source: self.source.clone(), line, column };
                    return Err(Fault::fatal(place, error.info()));
                }
                None => return Ok((Event::StreamEnd, Place { source: self.source.clone(), line: 0, column: 0 })),
            }
        }
    }

    fn place(&self, span: &Span) -> Place {
        let (line, column) = (span.start.line() as u32, span.start.col() as u32 + 1);
        Place { source: self.source.clone(), line, column }
    }

    fn document(&mut self) -> Result<Node, Fault> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd | Event::DocumentEnd, place) => return Ok(Node { value: Value::Null, place }),
                (event, place) => return self.node(event, place, 0),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, place: Place, depth: usize) -> Result<Node, Fault> {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return Err(Fault::fatal(place, "the configuration is nested too deeply or too large"));
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, _) => (anchor, scalar(&text, style)),
            Event::SequenceStart(_, anchor, _) => (anchor, self.list(depth)?),
            Event::MappingStart(_, anchor, _) => (anchor, self.map(depth)?),
            Event::Alias(id) => {
                let Some(node) = self.anchors.get(&id).cloned() else {
                    return Err(Fault::fatal(place, "an alias stands inside what it names"));
                };
                self.nodes += size(&node);
                return Ok(node);
            }
            _ => return Err(Fault::fatal(place, "this is not a YAML document")),
        };
        let node = Node { value, place };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, place) => items.push(self.node(event, place, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut map = Node { value: Value::Map(Vec::new()), place: Place::default() };
        loop {
            let (key, place) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(map.value),
                (Event::Scalar(text, ..), place) => (text.into_owned(), place),
                (_, place) => return Err(Fault::fatal(place, "a configuration key must be a plain text")),
            };
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            map.put(Entry { key, place, value });
        }
    }
}

fn scalar(text: &str, style: granit_parser::ScalarStyle) -> Value {
    let plain = style == granit_parser::ScalarStyle::Plain;
    if plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") { Value::Null } else { Value::Scalar(text.into()) }
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Null | Value::Scalar(_) => 0,
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|entry| size(&entry.value)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Node, Fault> {
        Node::parse(text, "c.yaml")
    }

    fn text(node: &Node, key: &str) -> String {
        match &node.get(key).expect("the key").value {
            Value::Scalar(text) => text.clone(),
            other => panic!("{key} is {other:?}"),
        }
    }

    #[test]
    fn scalars_keep_their_text() {
        let node = parse("a: 007\nb: 'x'\nc: true # yes\nd:\ne: [1, {f: 2}]\n").unwrap();
        assert_eq!(text(&node, "a"), "007");
        assert_eq!(text(&node, "c"), "true");
        assert_eq!(node.get("d").unwrap().value, Value::Null);
        assert_eq!(node.get("e"), Some(&parse("[1, {f: 2}]").unwrap()));
    }

    #[test]
    fn places_are_known() {
        let node = parse("a: 1\nb:\n  - x\n  - {c: d}\n").unwrap();
        let b = &node.entries()[1];
        assert_eq!(b.place.to_string(), "c.yaml:2:1");
        let Value::List(items) = &b.value.value else { panic!("a list") };
        assert_eq!(items[1].entries()[0].value.place.to_string(), "c.yaml:4:9");
        let fault = parse("a: [1\nb: 2\n").unwrap_err();
        assert!(fault.to_string().starts_with("c.yaml:2:"), "{fault}");
    }

    #[test]
    fn anchors_are_copied_and_bombs_refused() {
        let node = parse("a: &x {b: 1}\nc: *x\n").unwrap();
        assert_eq!(node.get("a"), node.get("c"));
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for i in 1..9 {
            let refs = vec![format!("*a{}", i - 1); 10].join(",");
            bomb.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
        }
        assert!(parse(&bomb).is_err());
        assert!(parse(&"[".repeat(10_000)).is_err());
    }

    #[test]
    fn overrides_reach_anywhere() {
        let mut node = parse("rules_files: [a, b]\nengine: {kind: kmod}\n").unwrap();
        for line in
            ["engine.kind=replay", "rules_files[1]=c", "rules_files[]=d", "x[0].y.z=1", "append={a: 2}", r"p\.q=3"]
        {
            node.set(line).unwrap();
        }
        assert_eq!(text(node.get("engine").unwrap(), "kind"), "replay");
        assert_eq!(node.get("rules_files"), Some(&parse("[a, c, d]").unwrap()));
        assert_eq!(text(node.get("append").unwrap(), "a"), "2");
        assert_eq!(text(&node, "p.q"), "3");
        for wrong in
            ["no_equals_sign", "rules_files[7]=1", "engine[0]=1", "rules_files.a=1", "engine.kind.x=1", "a[b]=1"]
        {
            assert!(node.set(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn variables() {
        let lookup = |name: &str| (name == "A").then(|| "${A}".to_owned());
        for (text, want) in [
            ("x${A}y", "x${A}y"),
            ("${B}z", "z"),
            ("$${A}", "${A}"),
            ("${A", "${A"),
            ("$x ${A}", "$x ${A}"),
            ("plain", "plain"),
        ] {
            assert_eq!(expand(text, &lookup), want, "{text}");
        }
    }
}
