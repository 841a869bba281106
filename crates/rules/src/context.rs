//! Where something is wrong, as Falco's results tell it: a chain of locations from the file to the item, and a
//! snippet. (Our own diagnostics carry byte ranges besides, see [`crate::diagnostic`].)

use crate::yaml::{Mark, Node};
use peregrine_filter::Position;
use std::sync::Arc;

/// One step of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file, or the start of the condition in quotes.
    pub name: String,
    /// Where.
    pub mark: Mark,
    /// What stands there, in Falco's words: `rule`, `list item`, `condition expression` …
    pub item_type: &'static str,
    /// Its name, if it has one.
    pub item_name: String,
}

/// A chain of locations, outermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The locations; never empty.
    pub locations: Vec<Location>,
    /// The condition that positions count in, where they do not count in the file.
    pub condition: Option<Arc<str>>,
}

/// Width of a snippet in bytes.
const SNIPPET_WIDTH: usize = 160;

impl Context {
    /// A whole file.
    pub(crate) fn file(name: &str) -> Self {
        let location =
            Location { name: name.into(), mark: Mark::default(), item_type: "rules content", item_name: String::new() };
        Self { locations: vec![location], condition: None }
    }

    /// A place of the same file.
    pub(crate) fn at(&self, mark: Mark, item_type: &'static str, item_name: &str) -> Self {
        let name = self.locations[0].name.clone();
        let mut locations = self.locations.clone();
        locations.push(Location { name, mark, item_type, item_name: item_name.into() });
        Self { locations, condition: self.condition.clone() }
    }

    /// A node of the same file.
    pub(crate) fn node(&self, node: &Node, item_type: &'static str, item_name: &str) -> Self {
        self.at(node.mark, item_type, item_name)
    }

    /// A place within a condition. Falco adds it to where the item stands, and so do we.
    pub(crate) fn condition(&self, position: Position, condition: &Arc<str>) -> Self {
        let last = self.last().mark;
        let name = if condition.len() > 20 {
            format!("\"{}...\"", String::from_utf8_lossy(&condition.as_bytes()[..17]))
        } else {
            format!("\"{condition}\"")
        };
        let mark = Mark {
            offset: last.offset + position.index,
            line: last.line + position.line as usize,
            column: last.column + position.column as usize,
        };
        let mut locations = self.locations.clone();
        locations.push(Location {
            name: name.replace(['\n', '\r'], " "),
            mark,
            item_type: "condition expression",
            item_name: String::new(),
        });
        Self { locations, condition: Some(condition.clone()) }
    }

    /// The innermost location.
    pub fn last(&self) -> &Location {
        &self.locations[self.locations.len() - 1]
    }

    /// The name of the file.
    pub fn file_name(&self) -> &str {
        &self.locations[0].name
    }

    /// The line of the place with a caret below it, as Falco cuts it out. `content` is the file's text.
    pub(crate) fn snippet(&self, content: Option<&str>) -> String {
        let text = match (self.condition.as_deref().filter(|c| !c.is_empty()), content) {
            (Some(condition), _) => condition.as_bytes(),
            (None, Some(content)) => content.as_bytes(),
            (None, None) => return format!("<No context for file + {}>\n", self.last().name),
        };
        cut(text, self.last().mark.offset)
    }
}

fn cut(text: &[u8], offset: usize) -> String {
    const NONE: &str = "<No context available>\n";
    const HALF: usize = SNIPPET_WIDTH / 2;
    if text.is_empty() {
        return NONE.into();
    }
    let mut at = offset.min(text.len());
    while at > 0 && (at >= text.len() || text[at] == b'\n') {
        at -= 1;
    }
    let mut from = at;
    while from > 0 && text[from] != b'\n' && at - from < HALF {
        from -= 1;
    }
    let mut to = at;
    while to < text.len() - 1 && text[to] != b'\n' && to - at < HALF {
        to += 1;
    }
    if text[from] == b'\n' {
        from += 1;
    }
    if text[to] == b'\n' {
        if to == 0 {
            return NONE.into();
        }
        to -= 1;
    }
    let Some(line) = text.get(from..=to).filter(|line| !line.is_empty()) else { return NONE.into() };
    let mut line = line.to_vec();
    let len = line.len();
    if at >= from && at - from >= HALF {
        line.splice(0..3.min(len), *b"...");
    }
    if to >= at && to - at >= HALF {
        let len = line.len();
        line.splice(len.saturating_sub(3).., *b"...");
    }
    let mut out = String::from_utf8_lossy(&line).into_owned();
    out.push('\n');
    if at >= from && at - from < line.len() + 1 {
        out.push_str(&" ".repeat(at - from));
        out.push_str("^\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn snippets_are_lines_with_a_caret() {
        assert_eq!(cut(b"a: b\nrule: c\n", 5), "rule: c\n^\n");
        assert_eq!(cut(b"proc.name=cat", 900), "proc.name=cat\n            ^\n");
        assert_eq!(cut(b"", 0), "<No context available>\n");
        assert_eq!(cut(b"\n", 0), "<No context available>\n");
        let long = "x".repeat(300);
        let snippet = cut(long.as_bytes(), 150);
        assert!(snippet.starts_with("...xxx") && snippet.contains("xxx...\n"));
    }
}
