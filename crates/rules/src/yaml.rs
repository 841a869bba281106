//! Positioned YAML: documents as trees whose every node knows where it stands.
//!
//! The only module that knows the YAML library. What counts as null, which of two equal keys wins and where a node
//! "is" follow yaml-cpp, whose positions upstream's messages carry. Depth, number of nodes and what aliases multiply
//! are bounded.

use granit_parser::{Event, Parser, ScalarStyle, StrInput, StructureStyle};
use std::collections::HashMap;
use std::ops::Range;

/// Most nodes of one file, copies by aliases included.
pub(crate) const MAX_NODES: usize = 2_000_000;
/// Deepest nesting of collections.
pub(crate) const MAX_DEPTH: usize = 200;

/// A place in a file, all counted from 0 and in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    /// Offset.
    pub offset: usize,
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Single,
    Double,
    Block,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Null,
    Scalar(String, Style),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// A node of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Where it starts.
    pub(crate) mark: Mark,
    /// The bytes it was read from.
    pub(crate) range: Range<usize>,
}

/// The text is not YAML, or too much of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct YamlError {
    pub(crate) message: String,
    pub(crate) mark: Mark,
}

impl Node {
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The text that yaml-cpp makes of a value when asked for one without looking: a null reads `null`.
    pub(crate) fn text(&self) -> Option<&str> {
        if self.is_null() { Some("null") } else { self.scalar() }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    pub(crate) fn list(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn map(&self) -> Option<&[(Node, Node)]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of a key; of equal keys the first.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.map()?.iter().find(|(k, _)| k.scalar() == Some(key)).map(|(_, value)| value)
    }
}

/// Offsets at which lines start.
pub(crate) struct Lines(Vec<usize>);

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        let starts = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1);
        Self(std::iter::once(0).chain(starts).collect())
    }

    pub(crate) fn mark(&self, offset: usize) -> Mark {
        let line = self.0.partition_point(|start| *start <= offset) - 1;
        Mark { offset, line, column: offset - self.0[line] }
    }
}

/// Reads all documents of a text; empty ones are left out.
pub(crate) fn load_all(text: &str) -> Result<Vec<Node>, YamlError> {
    let options = granit_parser::options! { emit_comments: false };
    let mut build = Build {
        parser: Parser::new_from_str_with_options(text, options),
        lines: Lines::of(text),
        anchors: HashMap::new(),
        nodes: 0,
        last: Mark::default(),
        text,
        end: 0,
    };
    let mut documents = Vec::new();
    loop {
        match build.next()? {
            (Event::StreamEnd, _) => return Ok(documents),
            (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
            (event, range) => documents.push(build.node(event, range, 0)?),
        }
    }
}

struct Build<'t> {
    parser: Parser<'t, StrInput<'t>>,
    lines: Lines,
    /// Anchored nodes and how many nodes each holds.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    last: Mark,
    text: &'t str,
    /// Where the event before ended.
    end: usize,
}

impl<'t> Build<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Range<usize>), YamlError> {
        match self.parser.next_event() {
            None => Ok((Event::StreamEnd, 0..0)),
            Some(Ok((event, span))) => {
                let range = span.byte_range().unwrap_or_default();
                self.last = self.lines.mark(range.start);
                Ok((event, range))
            }
            Some(Err(error)) => {
                let mark = error.marker().byte_offset().map_or(self.last, |offset| self.lines.mark(offset));
                Err(YamlError { message: printable(&error.info()), mark })
            }
        }
    }

    fn fail<T>(&self, message: String) -> Result<T, YamlError> {
        Err(YamlError { message, mark: self.last })
    }

    fn count(&mut self, nodes: usize) -> Result<(), YamlError> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return self.fail(format!("the file holds more than {MAX_NODES} values, aliases included"));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'t>, range: Range<usize>, depth: usize) -> Result<Node, YamlError> {
        if depth > MAX_DEPTH {
            return self.fail(format!("values are nested deeper than {MAX_DEPTH} levels"));
        }
        self.count(1)?;
        let before = self.nodes;
        let mut mark = self.lines.mark(range.start);
        if let Event::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded, ..) = event {
            // The library says where the text starts; a block scalar stands at its `|` or `>`.
            let header = self.text.get(self.end..range.start).and_then(|between| between.find(['|', '>']));
            mark = header.map_or(mark, |at| self.lines.mark(self.end + at));
        }
        if let Event::SequenceStart(StructureStyle::Block, ..) = event {
            // As yaml-cpp has it, a block sequence stands at its first dash, where the library may be behind that.
            let (before, rest) = (self.text.get(self.end..range.start), self.text.get(range.start..));
            let is_dash = rest.is_some_and(|rest| rest.starts_with(['-']) && !rest[1..].starts_with(|c: char| c > ' '));
            let before = before.map(|between| between.trim_end_matches([' ', '\t'])).filter(|b| b.ends_with('-'));
            mark = before.filter(|_| !is_dash).map_or(mark, |b| self.lines.mark(self.end + b.len() - 1));
        }
        self.end = range.end;
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let untagged = tag.is_none();
                (anchor, Node { kind: scalar(text.into_owned(), style, untagged), mark, range })
            }
            Event::SequenceStart(_, anchor, _) => (anchor, self.list(mark, range, depth)?),
            Event::MappingStart(style, anchor, _) => (anchor, self.map(style, mark, range, depth)?),
            Event::Alias(id) => {
                let Some((_, size)) = self.anchors.get(&id) else {
                    return self.fail("an alias stands inside the value that it names".into());
                };
                self.count(*size)?;
                return Ok(self.anchors[&id].0.clone());
            }
            _ => return self.fail("a value was expected".into()),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before + 1));
            self.count(self.nodes - before + 1)?;
        }
        Ok(node)
    }

    fn list(&mut self, mark: Mark, range: Range<usize>, depth: usize) -> Result<Node, YamlError> {
        let mut items = Vec::new();
        let start = range.start;
        loop {
            match self.next()? {
                (Event::SequenceEnd, range) => {
                    return Ok(Node { kind: Kind::List(items), mark, range: start..range.end.max(start) });
                }
                (event, range) => items.push(self.node(event, range, depth + 1)?),
            }
        }
    }

    fn map(
        &mut self,
        style: StructureStyle,
        mut mark: Mark,
        range: Range<usize>,
        depth: usize,
    ) -> Result<Node, YamlError> {
        let mut entries = Vec::new();
        let start = range.start;
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, range) => {
                    return Ok(Node { kind: Kind::Map(entries), mark, range: start..range.end.max(start) });
                }
                (event, range) => self.node(event, range, depth + 1)?,
            };
            // A block mapping stands where its first key does.
            if entries.is_empty() && style == StructureStyle::Block {
                mark = key.mark;
            }
            let (event, range) = self.next()?;
            let value = self.node(event, range, depth + 1)?;
            entries.push((key, value));
        }
    }
}

fn scalar(text: String, style: ScalarStyle, untagged: bool) -> Kind {
    let style = match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    };
    let null = style == Style::Plain && untagged && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
    if null { Kind::Null } else { Kind::Scalar(text, style) }
}

/// A message of the library without control characters that it may quote from the input.
fn printable(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The byte of a file at which the byte `offset` of a scalar's text stands.
///
/// Folding, indentation and line ends change blanks alone, so the characters that are not blank are counted; escapes
/// of quoted scalars count as the one character that they are.
pub(crate) fn locate(file: &str, node: &Range<usize>, style: Style, text: &str, offset: usize) -> usize {
    let raw = file.get(node.clone()).unwrap_or_default();
    let wanted = text.get(..offset).unwrap_or(text).chars().filter(|c| !c.is_whitespace()).count();
    let skip = match style {
        Style::Plain | Style::Block => 0,
        Style::Single | Style::Double => 1,
    };
    let mut seen = 0;
    let mut chars = raw.char_indices().skip_while(|(i, _)| *i < skip).peekable();
    while let Some((i, c)) = chars.next() {
        let mut blank = c.is_whitespace();
        let start = i;
        if style == Style::Double && c == '\\' {
            blank = match chars.next() {
                Some((_, 'x')) => take_hex(&mut chars, 2),
                Some((_, 'u')) => take_hex(&mut chars, 4),
                Some((_, 'U')) => take_hex(&mut chars, 8),
                Some((_, e)) => matches!(e, 'n' | 't' | 'r' | 'v' | 'f' | ' ' | '\n' | '_' | 'N' | 'L' | 'P'),
                None => true,
            };
        } else if style == Style::Single && c == '\'' && chars.peek().is_some_and(|(_, n)| *n == '\'') {
            chars.next();
        }
        if !blank {
            if seen == wanted {
                return node.start + start;
            }
            seen += 1;
        }
    }
    node.end
}

fn take_hex(chars: &mut impl Iterator<Item = (usize, char)>, count: usize) -> bool {
    let digits: String = chars.take(count).map(|(_, c)| c).collect();
    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).is_some_and(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Node {
        load_all(text).unwrap().remove(0)
    }

    #[test]
    fn nodes_stand_where_yaml_cpp_says() {
        let doc = one("# c\n- rule: x\n  tags: [a, {b: c}]\n  out: \"q\"\n  desc: >\n    d\n");
        let item = &doc.list().unwrap()[0];
        assert_eq!(item.mark, Mark { offset: 6, line: 1, column: 2 });
        assert_eq!(item.get("tags").unwrap().mark.column, 8);
        assert_eq!(item.get("out").unwrap().mark.column, 7);
        assert_eq!(item.get("desc").unwrap().mark, Mark { offset: 53, line: 4, column: 8 });
        assert_eq!(item.get("desc").unwrap().scalar(), Some("d\n"));
    }

    #[test]
    fn odd_scalars_load() {
        let doc = one("comps: [=, \"=\", in]\nnull: ~\nkey:\n");
        let comps: Vec<_> = doc.get("comps").unwrap().list().unwrap().iter().map(|n| n.scalar().unwrap()).collect();
        assert_eq!(comps, ["=", "=", "in"]);
        assert!(doc.get("key").unwrap().is_null());
    }

    #[test]
    fn block_sequences_stand_at_their_first_dash() {
        for (file, offset) in [("a:\n  - x\n", 5), ("a:\n- b: c\n  d: e\n", 3), ("a: [x]\n", 3), ("- - x\n", 2)] {
            let doc = one(file);
            let list = doc.get("a").or_else(|| doc.list().map(|items| &items[0])).unwrap();
            assert_eq!(list.mark.offset, offset, "{file}");
        }
        let doc = one("override:\n  items:\n");
        let (key, value) = &doc.get("override").and_then(Node::map).unwrap()[0];
        assert_eq!((key.text(), value.text(), value.scalar()), (Some("items"), Some("null"), None));
    }

    #[test]
    fn hostile_documents_are_refused() {
        let bomb: String = (1..30).map(|i| format!("- &a{i} [*a{0}, *a{0}, *a{0}, *a{0}]\n", i - 1)).collect();
        let error = load_all(&format!("- &a0 [x]\n{bomb}")).unwrap_err();
        assert!(error.message.contains("aliases included"), "{error:?}");
        assert!(load_all(&"[".repeat(100_000)).is_err());
        assert!(load_all(&"- ".repeat(100_000)).is_err());
        assert!(load_all("- &a [*a]\n").is_err());
        assert!(load_all("a: *b\n").is_err());
        assert!(load_all("a: \"unclosed\n").is_err());
    }

    #[test]
    fn texts_are_found_in_their_file() {
        let file = "a: >\n  evt.type = open\n  and  foo\nb: \"x \\\"y\\x20 foo\"\nc: 'it''s foo'\n";
        let doc = one(file);
        for key in ["a", "b", "c"] {
            let node = doc.get(key).unwrap();
            let Kind::Scalar(text, style) = &node.kind else { panic!() };
            let at = locate(file, &node.range, *style, text, text.find("foo").unwrap());
            assert_eq!(&file[at..at + 3], "foo", "{key}");
        }
    }
}
