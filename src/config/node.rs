//! The configuration's text as a tree: maps, lists and scalars that are still text.
//!
//! Scalars get their type from the key that reads them, not from their look, because overrides on the command line
//! (`-o key=value`) have no types at all. Also here: `${NAME}` in scalars, and paths such as `a.b[0].c`.

use granit_parser::{Event, Parser};
use std::collections::HashMap;

/// Nodes that aliases may bring in, in all; more is an attack, not a configuration.
const MAX_NODES: usize = 100_000;
/// How deep lists and maps may lie in each other.
const MAX_DEPTH: usize = 64;
/// The longest list that a path of an override may make.
const MAX_INDEX: usize = 4096;

/// A value of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// No value: an empty document, `key:` or `~`.
    Null,
    /// Text of a scalar after escapes and variables.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file; a later key of the same name replaces the earlier.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Parses the first document of a YAML text.
    ///
    /// # Errors
    /// The parser's message with line and column.
    pub fn parse(text: &str) -> Result<Node, String> {
        let mut build = Build { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
        build.document()
    }

    /// The value of a map's key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let Node::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Sets a map's key.
    fn put(&mut self, key: String, value: Node) {
        if !matches!(self, Node::Map(_)) {
            *self = Node::Map(Vec::new());
        }
        let Node::Map(entries) = self else { return };
        match entries.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => entries.push((key, value)),
        }
    }

    /// Replaces `${NAME}` by what `lookup` gives, in every scalar value; see [`expand`].
    pub fn expand(&mut self, lookup: &dyn Fn(&str) -> Option<String>) {
        match self {
            Node::Null => {}
            Node::Scalar(text) => *text = expand(text, lookup),
            Node::List(items) => items.iter_mut().for_each(|item| item.expand(lookup)),
            Node::Map(entries) => entries.iter_mut().for_each(|(_, value)| value.expand(lookup)),
        }
    }

    /// Carries out an override `path=value`. A value in braces is a YAML map, anything else a scalar.
    ///
    /// # Errors
    /// When there is no `=`, or the path is malformed, or the map in braces is.
    pub fn set(&mut self, assignment: &str) -> Result<(), String> {
        let (path, value) = assignment.split_once('=').ok_or("a configuration override is key=value")?;
        let value = if value.starts_with('{') && value.ends_with('}') {
            Node::parse(value)?
        } else {
            Node::Scalar(value.to_owned())
        };
        *self.at(&steps(path)?) = value;
        Ok(())
    }

    /// The node at a path, made if it is not there.
    fn at(&mut self, path: &[Step]) -> &mut Node {
        let Some((step, rest)) = path.split_first() else { return self };
        match step {
            Step::Key(key) => {
                if self.get(key).is_none() {
                    self.put(key.clone(), Node::Null);
                }
                let Node::Map(entries) = self else { unreachable!("put made it a map") };
                let at = entries.iter().position(|(name, _)| name == key).unwrap_or_default();
                entries[at].1.at(rest)
            }
            Step::Index(index) => {
                if !matches!(self, Node::List(_)) {
                    *self = Node::List(Vec::new());
                }
                let Node::List(items) = self else { unreachable!("just made it a list") };
                let index = index.unwrap_or(items.len());
                if items.len() <= index {
                    items.resize(index + 1, Node::Null);
                }
                items[index].at(rest)
            }
        }
    }
}

/// One step of a path: a map's key, a list's index, or its end (`[]`).
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(Option<usize>),
}

/// Splits a path at dots and brackets; a backslash takes the next character as it is.
fn steps(path: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut key = String::new();
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => key.extend(chars.next()),
            '.' | '[' => {
                if !key.is_empty() {
                    steps.push(Step::Key(std::mem::take(&mut key)));
                }
                if c == '[' {
                    steps.push(index(&mut chars).ok_or_else(|| format!("malformed list index in \"{path}\""))?);
                }
            }
            c => key.push(c),
        }
    }
    if !key.is_empty() {
        steps.push(Step::Key(key));
    }
    if steps.is_empty() {
        return Err("a configuration override needs a key before '='".into());
    }
    Ok(steps)
}

/// What stands up to the closing bracket: digits, or nothing for the list's end.
fn index(chars: &mut std::str::Chars<'_>) -> Option<Step> {
    let (digits, rest) = chars.as_str().split_once(']')?;
    *chars = rest.chars();
    if digits.is_empty() {
        return Some(Step::Index(None));
    }
    digits.parse().ok().filter(|n| *n < MAX_INDEX).map(|n| Step::Index(Some(n)))
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
}

impl<'t> Build<'t> {
    fn next(&mut self) -> Result<Event<'t>, String> {
        loop {
            match self.parser.next() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok((event, _))) => return Ok(event),
                Some(Err(error)) => return Err(error.to_string()),
                None => return Ok(Event::StreamEnd),
            }
        }
    }

    fn document(&mut self) -> Result<Node, String> {
        loop {
            match self.next()? {
                Event::StreamStart | Event::DocumentStart(..) => {}
                Event::StreamEnd | Event::DocumentEnd => return Ok(Node::Null),
                event => return self.node(event, 0),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, depth: usize) -> Result<Node, String> {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return Err("the configuration is nested too deeply or too large".into());
        }
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, _) => (anchor, scalar(&text, style)),
            Event::SequenceStart(_, anchor, _) => (anchor, self.list(depth)?),
            Event::MappingStart(_, anchor, _) => (anchor, self.map(depth)?),
            Event::Alias(id) => {
                let node = self.anchors.get(&id).cloned().ok_or("an alias stands inside what it names")?;
                self.nodes += size(&node);
                return Ok(node);
            }
            _ => return Err("the configuration is not a YAML document".into()),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Node, String> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(Node::List(items)),
                event => items.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Node, String> {
        let mut map = Node::Map(Vec::new());
        loop {
            let key = match self.next()? {
                Event::MappingEnd => return Ok(map),
                Event::Scalar(text, ..) => text.into_owned(),
                _ => return Err("a configuration key must be a plain text".into()),
            };
            let event = self.next()?;
            map.put(key, self.node(event, depth + 1)?);
        }
    }
}

fn scalar(text: &str, style: granit_parser::ScalarStyle) -> Node {
    let plain = style == granit_parser::ScalarStyle::Plain;
    if plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") { Node::Null } else { Node::Scalar(text.into()) }
}

fn size(node: &Node) -> usize {
    1 + match node {
        Node::Null | Node::Scalar(_) => 0,
        Node::List(items) => items.iter().map(size).sum(),
        Node::Map(entries) => entries.iter().map(|(_, value)| size(value)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(node: &Node, key: &str) -> String {
        match node.get(key) {
            Some(Node::Scalar(text)) => text.clone(),
            other => panic!("{key} is {other:?}"),
        }
    }

    #[test]
    fn scalars_keep_their_text() {
        let node = Node::parse("a: 007\nb: 'x'\nc: true # yes\nd:\ne: [1, {f: 2}]\n").unwrap();
        assert_eq!(text(&node, "a"), "007");
        assert_eq!(text(&node, "c"), "true");
        assert_eq!(node.get("d"), Some(&Node::Null));
        let list = Node::parse("[1, {f: 2}]").unwrap();
        assert_eq!(node.get("e"), Some(&list));
    }

    #[test]
    fn anchors_are_copied_and_bombs_refused() {
        let node = Node::parse("a: &x {b: 1}\nc: *x\n").unwrap();
        assert_eq!(node.get("a"), node.get("c"));
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for i in 1..9 {
            let refs = vec![format!("*a{}", i - 1); 10].join(",");
            bomb.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
        }
        assert!(Node::parse(&bomb).is_err());
        assert!(Node::parse(&"[".repeat(10_000)).is_err());
    }

    #[test]
    fn overrides_reach_anywhere() {
        let mut node = Node::parse("rules_files: [a, b]\nengine: {kind: kmod}\n").unwrap();
        for line in
            ["engine.kind=replay", "rules_files[1]=c", "rules_files[]=d", "x[0].y.z=1", "append={a: 2}", r"p\.q=3"]
        {
            node.set(line).unwrap();
        }
        assert_eq!(text(node.get("engine").unwrap(), "kind"), "replay");
        let files: Vec<_> = ["a", "c", "d"].map(|f| Node::Scalar(f.into())).into();
        assert_eq!(node.get("rules_files"), Some(&Node::List(files)));
        assert_eq!(text(node.get("append").unwrap(), "a"), "2");
        assert_eq!(text(&node, "p.q"), "3");
        assert!(node.set("no_equals_sign").is_err());
        assert!(node.set("a[99999999]=1").is_err());
        assert!(node.set("a[b]=1").is_err());
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
