//! Lists and macros put into conditions.
//!
//! Lists are substituted in the text before it is parsed, macros in the tree after; both as Falco does it
//! (`rule_loader_compiler.cpp`, `filter_macro_resolver.cpp`), with bounds that keep hostile definitions from growing
//! without end.

use crate::exception::quote;
use crate::items::{Indexed, MacroItem};
use crate::text::{ListUse, Text};
use peregrine_filter::ast::{Expr, Span};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Largest condition in bytes after lists are substituted.
pub(crate) const MAX_CONDITION: usize = 4 << 20;
/// Most comparisons and operators of all conditions together after macros are resolved.
pub(crate) const MAX_TOTAL_NODES: usize = 1_000_000;
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

/// Lists in the order in which they are put into conditions.
#[derive(Default)]
pub(crate) struct Lists {
    pub(crate) lists: Vec<List>,
    by_name: HashMap<String, usize>,
    /// Lists whose names hold delimiters, which are looked for everywhere.
    odd: Vec<usize>,
}

impl Lists {
    pub(crate) fn new(lists: Vec<List>) -> Self {
        let by_name = lists.iter().enumerate().map(|(i, list)| (list.name.clone(), i)).collect();
        let is_odd = |list: &List| list.name.bytes().any(|b| delimits(Some(&b)));
        let odd = lists.iter().enumerate().filter(|(_, list)| is_odd(list)).map(|(i, _)| i).collect();
        Self { lists, by_name, odd }
    }

    /// The lists that a text may name.
    fn named_in<'t>(&'t self, text: &'t str) -> impl Iterator<Item = usize> + 't {
        text.split(|c: char| c.is_ascii() && delimits(Some(&(c as u8))))
            .filter_map(|word| self.by_name.get(word))
            .copied()
    }

    /// Puts all lists into a condition, in order; items that name later lists are replaced in their turn.
    pub(crate) fn substitute(&mut self, condition: &Text) -> Result<Text, TooLarge> {
        let mut condition = condition.clone();
        let mut wanted: BTreeSet<usize> = self.named_in(&condition.text).chain(self.odd.iter().copied()).collect();
        while let Some(i) = wanted.pop_first() {
            let Some(next) = substitute(&condition, &self.lists[i]) else { continue };
            if next.text.len() > MAX_CONDITION {
                return Err(TooLarge);
            }
            let items = self.lists[i].items.iter();
            wanted.extend(items.flat_map(|item| self.named_in(&item.text)).filter(|later| *later > i));
            self.lists[i].used = true;
            condition = next;
        }
        if condition.text.len() > MAX_CONDITION { Err(TooLarge) } else { Ok(condition) }
    }
}

/// Puts a list's items in the place of its name wherever it stands between delimiters. None if it stands nowhere.
fn substitute(condition: &Text, list: &List) -> Option<Text> {
    let (text, bytes) = (condition.text.as_str(), condition.text.as_bytes());
    let mut out = Text::default();
    let mut used = false;
    // Text before `copied` is in `out`; names are looked for from `from`.
    let (mut copied, mut from) = (0, 0);
    while !list.name.is_empty()
        && let Some(found) = text.get(from..).and_then(|rest| rest.find(list.name.as_str()))
    {
        let start = from + found;
        let mut end = start + list.name.len();
        let before = start.checked_sub(1).and_then(|i| bytes.get(i));
        if !delimits(before) || !delimits(bytes.get(end)) {
            from = next_char(text, start + 1);
            continue;
        }
        out.append_range(condition, copied..start);
        out.trim_end(BLANKS);
        while end < bytes.len() && BLANKS.contains(&bytes[end]) {
            end += 1;
        }
        let items = items_of(list, condition, start);
        if items.text.is_empty() {
            // Of an empty list a comma beside its name goes too.
            if out.text.ends_with(',') {
                out.truncate(out.text.len() - 1);
            } else if bytes.get(end) == Some(&b',') {
                end += 1;
            }
        }
        // At the very start upstream goes on one character too far; so a name there may stay.
        from = if out.text.is_empty() { next_char(text, end + 1) } else { end };
        if !out.text.is_empty() {
            out.push(" ");
        }
        out.append(&items);
        out.push(" ");
        copied = end;
        used = true;
        if out.text.len() > MAX_CONDITION {
            break;
        }
    }
    out.append_range(condition, copied..text.len());
    used.then_some(out)
}

fn next_char(text: &str, at: usize) -> usize {
    (at..text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len())
}

fn items_of(list: &List, condition: &Text, at: usize) -> Text {
    let use_of = Arc::new(ListUse { name: list.name.clone(), at: condition.origin(at) });
    let mut items = Text::default();
    for item in &list.items {
        if !items.text.is_empty() {
            items.push(", ");
        }
        items.append_item(&quote(item), &use_of);
    }
    items
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

/// Macros that a condition sees.
pub(crate) struct Macros<'a> {
    pub(crate) items: &'a Indexed<MacroItem>,
    /// Their trees, in the same order.
    pub(crate) trees: &'a [Resolved],
    /// Only those whose index is below.
    pub(crate) visible: u32,
}

impl<'a> Macros<'a> {
    fn get(&self, name: &str) -> Option<(usize, &'a Resolved)> {
        let i = self.items.position(name)?;
        let seen = self.items.iter().as_slice().get(i).is_some_and(|item| item.order.index < self.visible);
        if seen { self.trees.get(i).map(|tree| (i, tree)) } else { None }
    }

    /// Names of the macros that are seen.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let visible = self.visible;
        self.items.iter().filter(move |item| item.order.index < visible).map(|item| item.name.as_str())
    }
}

/// Resolves the macros of a condition.
pub(crate) struct Resolver<'a> {
    macros: &'a Macros<'a>,
    path: Vec<usize>,
    nodes: usize,
    loop_found: Option<(String, Span)>,
    unknown: Option<(String, Span)>,
    /// Positions of the macros that were put in.
    pub(crate) used: BTreeSet<usize>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(macros: &'a Macros<'a>) -> Self {
        Self { macros, path: Vec::new(), nodes: 0, loop_found: None, unknown: None, used: BTreeSet::new() }
    }

    /// Nodes that were made.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes
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
        let Some((known, body)) = self.macros.get(name) else {
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
        let list = List { name: name.into(), items: items.iter().map(|i| text(i)).collect(), used: false };
        Lists::new(vec![list]).substitute(&text(condition)).unwrap().text
    }

    #[test]
    fn lists_replace_their_names_between_delimiters() {
        assert_eq!(substituted("a.b in (l)", "l", &["x", "y z"]), "a.b in ( x, \"y z\" )");
        assert_eq!(substituted("a.b in (l, q)", "l", &[]), "a.b in (   q)");
        assert_eq!(substituted("a.b in (q, l)", "l", &[]), "a.b in (q  )");
        assert_eq!(substituted("a.l in (ll, xl)", "l", &["x"]), "a.l in (ll, xl)");
        assert_eq!(substituted("l", "l", &["l"]), "l ");
        assert_eq!(substituted("a.b in (l,l)", "l", &["x", "y"]), "a.b in ( x, y , x, y )");
        assert_eq!(substituted("l l l", "l", &["x"]), "x l x ");
        assert_eq!(substituted("(l, l , q)", "l", &[]), "(   q)");
    }

    #[test]
    fn growth_is_bounded() {
        let big = "x".repeat(MAX_CONDITION);
        let list = List { name: "l".into(), items: vec![text(&big)], used: false };
        assert!(Lists::new(vec![list]).substitute(&text("a.b in (l, l)")).is_err());
    }
}
