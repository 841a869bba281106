//! From spans in finished conditions back to files, and through which macros the way leads.
//!
//! All conditions share one space of offsets: the text of each macro and rule starts at a base of its own, so that a
//! span tells which text it belongs to even after macros were put into one another.

use crate::result::Label;
use crate::text::{Origin, Text};
use crate::yaml::locate;
use peregrine_filter::Position;
use peregrine_filter::ast::{Expr, Span};
use peregrine_filter::format::FormatError;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

/// A text of the space.
struct Entry {
    base: u32,
    /// `macro 'x'` or `rule 'y'`.
    owner: String,
    text: Text,
    /// Where its lines start; a carriage return ends one too.
    lines: Vec<usize>,
}

/// A macro: where its text is, and which names it uses where.
struct MacroUses {
    base: u32,
    uses: Vec<(String, Span)>,
}

pub(crate) struct SourceMap {
    files: Vec<Arc<str>>,
    entries: Vec<Entry>,
    macros: HashMap<String, MacroUses>,
    next: u32,
    labelled: Cell<u32>,
}

/// The rule from which a condition is looked at.
pub(crate) struct UseChain<'a> {
    pub(crate) name: &'a str,
    pub(crate) base: u32,
    pub(crate) tree: &'a Expr,
}

/// Most diagnostics whose places are looked up, which takes time for large files; the others show their item alone.
const MAX_LABELLED: u32 = 500;
/// Most labels of a diagnostic.
const MAX_LABELS: usize = 6;

impl SourceMap {
    /// A map for files in loading order.
    pub(crate) fn new(files: &[Arc<str>]) -> Self {
        Self { files: files.to_vec(), entries: Vec::new(), macros: HashMap::new(), next: 0, labelled: Cell::new(0) }
    }

    /// A base for a text of so many bytes, if there is room.
    pub(crate) fn reserve(&mut self, len: usize) -> Option<u32> {
        let base = self.next;
        self.next = base.checked_add(u32::try_from(len).ok()?)?.checked_add(1)?;
        Some(base)
    }

    pub(crate) fn add(&mut self, base: u32, owner: &str, text: Text) {
        let ends = text.text.bytes().enumerate().filter(|(_, b)| matches!(b, b'\r' | b'\n'));
        let lines = std::iter::once(0).chain(ends.map(|(i, _)| i + 1)).collect();
        self.entries.push(Entry { base, owner: owner.into(), text, lines });
    }

    pub(crate) fn define_macro(&mut self, name: &str, base: u32, tree: &Expr) {
        let mut uses = Vec::new();
        collect_uses(tree, &mut uses);
        self.macros.insert(name.into(), MacroUses { base, uses });
    }

    fn entry(&self, offset: u32) -> Option<&Entry> {
        let at = self.entries.partition_point(|entry| entry.base <= offset).checked_sub(1)?;
        self.entries.get(at)
    }

    /// The position in its own text, as upstream counts.
    pub(crate) fn position(&self, offset: u32) -> Position {
        match self.entry(offset) {
            Some(entry) => {
                let index = (offset - entry.base) as usize;
                let line = entry.lines.partition_point(|start| *start <= index);
                Position { index, line: line as u32, column: (index - entry.lines[line - 1]) as u32 + 1 }
            }
            None => Position::default(),
        }
    }

    /// Where a span was written, and how one gets there from the rule.
    pub(crate) fn labels(&self, span: Span, chain: Option<&UseChain<'_>>) -> Vec<Label> {
        if self.labelled.replace(self.labelled.get() + 1) >= MAX_LABELLED {
            return Vec::new();
        }
        let Some(entry) = self.entry(span.start) else { return Vec::new() };
        let start = (span.start - entry.base) as usize;
        let len = span.end.saturating_sub(span.start) as usize;
        let mut labels = Vec::new();
        if let Some(origin) = entry.text.origin(start) {
            push_origin(&self.files, &mut labels, &origin, len, String::new());
        }
        if let Some(chain) = chain
            && chain.base != entry.base
        {
            let mut from = format!("rule '{}'", chain.name);
            for (name, span) in self.path(chain, entry.base) {
                if let Some(origin) = self.entry(span.start).and_then(|e| e.text.origin((span.start - e.base) as usize))
                {
                    let len = (span.end - span.start) as usize;
                    push_origin(
                        &self.files,
                        &mut labels,
                        &origin,
                        len,
                        format!("in macro '{name}', used here by {from}"),
                    );
                }
                from = format!("macro '{name}'");
            }
        } else if labels.first().is_some_and(|l| l.text.is_empty()) && chain.is_none() {
            labels[0].text = format!("in {}", entry.owner);
        }
        labels.truncate(MAX_LABELS);
        labels
    }

    /// Where the token of an output that cannot be read was written.
    pub(crate) fn output_label(&self, output: &Text, error: &FormatError) -> Option<Label> {
        let origin = output.origin(error.offset).filter(|_| error.offset < output.text.len())?;
        let token = &output.text[error.offset..];
        let len = token.find(|c: char| c.is_whitespace() || c == ')' || c == ',').unwrap_or(token.len()).max(1);
        let mut labels = Vec::new();
        push_origin(&self.files, &mut labels, &origin, len, "no field or transformer can be read here".into());
        labels.into_iter().next()
    }

    /// The uses of macros that lead from a rule to the text at `base`, outermost first.
    fn path(&self, chain: &UseChain<'_>, base: u32) -> Vec<(String, Span)> {
        let mut uses = Vec::new();
        collect_uses(chain.tree, &mut uses);
        let mut seen = HashMap::new();
        let mut queue: Vec<(String, Span, Option<usize>)> = uses.into_iter().map(|(n, s)| (n, s, None)).collect();
        let mut at = 0;
        while at < queue.len() {
            let name = queue[at].0.clone();
            let Some(body) = self.macros.get(&name) else {
                at += 1;
                continue;
            };
            if body.base == base {
                let mut path = Vec::new();
                let mut step = Some(at);
                while let Some(i) = step {
                    path.push((queue[i].0.clone(), queue[i].1));
                    step = queue[i].2;
                }
                path.reverse();
                return path;
            }
            if seen.insert(name, ()).is_none() {
                queue.extend(body.uses.iter().map(|(n, s)| (n.clone(), *s, Some(at))));
            }
            at += 1;
        }
        Vec::new()
    }
}

fn collect_uses(tree: &Expr, uses: &mut Vec<(String, Span)>) {
    match tree {
        Expr::And(children) | Expr::Or(children) => children.iter().for_each(|c| collect_uses(c, uses)),
        Expr::Not(child) => collect_uses(child, uses),
        Expr::Identifier(name, span) => uses.push((name.clone(), *span)),
        Expr::Check(_) => {}
    }
}

/// Adds the label of an origin, and of the place where its list is named.
fn push_origin(files: &[Arc<str>], labels: &mut Vec<Label>, origin: &Origin, len: usize, text: String) {
    let scalar = &origin.scalar;
    let file = files.get(scalar.file).map_or("", |f| f);
    let find = |offset| locate(file, &scalar.range, scalar.style, &scalar.text, offset);
    let start = find(origin.offset);
    // The last byte is looked for, so that blanks behind the span stay out.
    let last = (origin.offset + len).min(scalar.text.len()).max(origin.offset + 1) - 1;
    let last = (0..=last).rev().find(|i| scalar.text.is_char_boundary(*i)).unwrap_or(0);
    let end = if len == 0 { start } else { end_of_char(file, find(last)) };
    labels.push(Label { file: scalar.file, range: start..end.max(start), text });
    if let Some(list) = &origin.list
        && let Some(at) = &list.at
    {
        push_origin(files, labels, at, list.name.len(), format!("from list '{}', named here", list.name));
    }
}

fn end_of_char(text: &str, at: usize) -> usize {
    (at + 1..text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len())
}
