//! Lists and macros put into conditions.
//!
//! Lists are substituted in the text before it is parsed, macros in the tree after; both as Falco does it
//! (`rule_loader_compiler.cpp`, `filter_macro_resolver.cpp`), with bounds that keep hostile definitions from growing
//! without end.

use crate::exception::quote;
use crate::text::{ListUse, Text};
use peregrine_filter::ast::{Expr, Span};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Largest condition in bytes after lists are substituted.
pub(crate) const MAX_CONDITION: usize = 4 << 20;
/// Most comparisons and operators of a condition after macros are resolved.
pub(crate) const MAX_NODES: usize = 200_000;
/// Deepest nesting of a condition after macros are resolved.
pub(crate) const MAX_NESTING: usize = 400;

/// A list ready for substitution.
pub(crate) struct List {
    pub(crate) name: String,
    pub(crate) items: Vec<Text>,
    pub(crate) used: bool,
}

/// The condition grew too large.
#[derive(Debug)]
pub(crate) struct TooLarge;

const BLANKS: &[u8] = b" \t\n\r";

fn delimits(byte: Option<&u8>) -> bool {
    byte.is_none_or(|b| BLANKS.contains(b) || b"(),=".contains(b))
}

/// Puts a list's items in the place of its name wherever it stands between delimiters.
pub(crate) fn substitute(condition: &mut Text, list: &List) -> Result<bool, TooLarge> {
    let mut used = false;
    let mut from = 0;
    while let Some(found) = condition.text.get(from..).and_then(|rest| rest.find(list.name.as_str())) {
        let start = from + found;
        let end = start + list.name.len();
        let bytes = condition.text.as_bytes();
        if !(delimits(start.checked_sub(1).and_then(|i| bytes.get(i))) && delimits(bytes.get(end)))
            || list.name.is_empty()
        {
            from = next_char(&condition.text, start + 1);
            continue;
        }
        let (next, resume) = replaced(condition, list, start, end);
        if next.text.len() > MAX_CONDITION {
            return Err(TooLarge);
        }
        *condition = next;
        from = next_char(&condition.text, resume + 1);
        used = true;
    }
    Ok(used)
}

fn next_char(text: &str, at: usize) -> usize {
    (at..text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len())
}

/// The condition with one use replaced, and where to go on.
fn replaced(condition: &Text, list: &List, mut start: usize, mut end: usize) -> (Text, usize) {
    let bytes = condition.text.as_bytes();
    let use_of = Arc::new(ListUse { name: list.name.clone(), at: condition.origin(start) });
    while start > 0 && BLANKS.contains(&bytes[start - 1]) {
        start -= 1;
    }
    while end < bytes.len() && BLANKS.contains(&bytes[end]) {
        end += 1;
    }
    let mut items = Text::default();
    for item in &list.items {
        if !items.text.is_empty() {
            items.push(", ");
        }
        items.append_item(&quote(item), &use_of);
    }
    if items.text.is_empty() {
        // Of an empty list a comma beside its name goes too.
        if start > 0 && bytes[start - 1] == b',' {
            start -= 1;
        } else if bytes.get(end) == Some(&b',') {
            end += 1;
        }
    }
    let mut out = Text::default();
    if start > 0 {
        out.append_range(condition, 0..start);
        out.push(" ");
    }
    out.append(&items);
    out.push(" ");
    out.append_range(condition, end..condition.text.len());
    (out, start + items.text.len() + 1)
}

/// What resolving a condition's macros found wrong first: a loop, or else an unknown name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MacroFault {
    Loop { name: String, span: Span },
    Unknown { name: String, span: Span },
    TooLarge,
}

/// A macro's tree and its size.
pub(crate) struct Resolved {
    pub(crate) tree: Expr,
    pub(crate) nodes: usize,
    pub(crate) nesting: usize,
}

impl Resolved {
    pub(crate) fn new(tree: Expr) -> Self {
        let (nodes, nesting) = measure(&tree);
        Self { tree, nodes, nesting }
    }
}

/// Number of nodes and depth of a tree, whose depth the parser or the resolver bounded.
fn measure(tree: &Expr) -> (usize, usize) {
    let children = match tree {
        Expr::And(children) | Expr::Or(children) => children.as_slice(),
        Expr::Not(child) => std::slice::from_ref(child.as_ref()),
        Expr::Identifier(..) | Expr::Check(_) => &[],
    };
    let (mut nodes, mut nesting) = (1, 0);
    for child in children {
        let (n, d) = measure(child);
        nodes += n;
        nesting = nesting.max(d);
    }
    (nodes, nesting + 1)
}

/// Macros that a condition sees, by name.
pub(crate) struct Macros<'a> {
    pub(crate) visible: HashMap<&'a str, &'a Resolved>,
}

/// Resolves the macros of a condition.
pub(crate) struct Resolver<'a> {
    macros: &'a Macros<'a>,
    path: Vec<&'a str>,
    nodes: usize,
    loop_found: Option<(String, Span)>,
    unknown: Option<(String, Span)>,
    pub(crate) used: BTreeSet<&'a str>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(macros: &'a Macros<'a>) -> Self {
        Self { macros, path: Vec::new(), nodes: 0, loop_found: None, unknown: None, used: BTreeSet::new() }
    }

    /// The tree with macros in the places of their names.
    pub(crate) fn run(&mut self, tree: &Expr) -> Result<Expr, MacroFault> {
        let tree = self.expr(tree, 0)?;
        match (self.loop_found.take(), self.unknown.take()) {
            (Some((name, span)), _) => Err(MacroFault::Loop { name, span }),
            (None, Some((name, span))) => Err(MacroFault::Unknown { name, span }),
            (None, None) => Ok(tree),
        }
    }

    fn expr(&mut self, tree: &Expr, nesting: usize) -> Result<Expr, MacroFault> {
        self.nodes += 1;
        if nesting > MAX_NESTING || self.nodes > MAX_NODES {
            return Err(MacroFault::TooLarge);
        }
        let mut children =
            |children: &[Expr]| children.iter().map(|c| self.expr(c, nesting + 1)).collect::<Result<Vec<_>, _>>();
        Ok(match tree {
            Expr::And(list) => Expr::And(children(list)?),
            Expr::Or(list) => Expr::Or(children(list)?),
            Expr::Not(child) => Expr::Not(Box::new(self.expr(child, nesting + 1)?)),
            Expr::Check(_) => tree.clone(),
            Expr::Identifier(name, span) => return self.identifier(name, *span, nesting),
        })
    }

    fn identifier(&mut self, name: &str, span: Span, nesting: usize) -> Result<Expr, MacroFault> {
        let unresolved = || Expr::Identifier(name.to_owned(), span);
        let Some((&known, &body)) = self.macros.visible.get_key_value(name) else {
            self.unknown.get_or_insert_with(|| (name.to_owned(), span));
            return Ok(unresolved());
        };
        if self.path.contains(&known) {
            self.loop_found.get_or_insert_with(|| (name.to_owned(), span));
            return Ok(unresolved());
        }
        if nesting + body.nesting > MAX_NESTING || self.nodes + body.nodes > MAX_NODES {
            return Err(MacroFault::TooLarge);
        }
        self.path.push(known);
        let resolved = self.expr(&body.tree, nesting);
        self.path.pop();
        self.used.insert(known);
        resolved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        let mut out = Text::default();
        out.push(text);
        out
    }

    fn substituted(condition: &str, name: &str, items: &[&str]) -> String {
        let mut condition = text(condition);
        let list = List { name: name.into(), items: items.iter().map(|i| text(i)).collect(), used: false };
        substitute(&mut condition, &list).unwrap();
        condition.text
    }

    #[test]
    fn lists_replace_their_names_between_delimiters() {
        assert_eq!(substituted("a.b in (l)", "l", &["x", "y z"]), "a.b in ( x, \"y z\" )");
        assert_eq!(substituted("a.b in (l, q)", "l", &[]), "a.b in (   q)");
        assert_eq!(substituted("a.b in (q, l)", "l", &[]), "a.b in (q  )");
        assert_eq!(substituted("a.l in (ll, xl)", "l", &["x"]), "a.l in (ll, xl)");
        assert_eq!(substituted("l", "l", &["l"]), "l ");
    }

    #[test]
    fn growth_is_bounded() {
        let big = "x".repeat(MAX_CONDITION);
        let list = List { name: "l".into(), items: vec![text(&big)], used: false };
        assert!(substitute(&mut text("a.b in (l, l)"), &list).is_err());
    }
}
