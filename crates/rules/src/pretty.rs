//! Our own diagnostics: the place in the file with a caret, the macro in which and the place from which, and what the
//! author may have meant.
//!
//! Everything that comes from a rules file is made safe for a terminal first: control and direction characters of
//! the input show as visible ones.

use crate::code::WarningCode;
use crate::load::LoadResult;
use crate::result::{Code, Diagnostic, Label};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::collections::HashSet;
use std::ops::Range;

/// How diagnostics are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// With colours; for terminals.
    pub color: bool,
    /// Columns to fit in; 0 means 140.
    pub width: usize,
    /// With our own remarks too.
    pub notes: bool,
}

/// Draws the diagnostics of all files, in order: errors, warnings, remarks.
///
/// Every file's report tells of all files up to it, so what several say is drawn once, and macros and lists that a
/// later file uses are not said to be unused.
pub fn render(result: &LoadResult, style: Style) -> String {
    let mut drawn: HashSet<(Code, &str, &[Label])> = HashSet::new();
    let mut out = String::new();
    for report in &result.reports {
        let notes = report.notes.iter().filter(|_| style.notes);
        let all = report.errors.iter().chain(&report.further).chain(&report.warnings).chain(notes);
        let new = all.filter(|d| still_holds(d, result) && drawn.insert(identity(d))).collect::<Vec<_>>();
        for diagnostic in new.iter().take(MAX_DRAWN) {
            out.push_str(&render_one(diagnostic, result, style));
        }
        if new.len() > MAX_DRAWN {
            let more = new.len() - MAX_DRAWN;
            out.push_str(&format!("{}: {more} more diagnostics are not shown\n\n", safe(&report.name)));
        }
    }
    out
}

fn identity(diagnostic: &Diagnostic) -> (Code, &str, &[Label]) {
    (diagnostic.code, &diagnostic.message, &diagnostic.labels)
}

/// Whether the last file's report says it too, if it is a warning of what is not used.
fn still_holds(diagnostic: &Diagnostic, result: &LoadResult) -> bool {
    let unused = matches!(diagnostic.code, Code::Warning(WarningCode::UnusedMacro | WarningCode::UnusedList));
    let last = result.reports.last();
    !unused || last.is_some_and(|last| last.warnings.iter().any(|d| identity(d) == identity(diagnostic)))
}

/// Most diagnostics of one file that are drawn; each takes a look through the file. JSON holds all of them.
const MAX_DRAWN: usize = 200;

/// Draws one diagnostic, a line end behind it.
pub fn render_one(diagnostic: &Diagnostic, result: &LoadResult, style: Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let width = if style.width == 0 { 140 } else { style.width };
    let renderer = renderer.term_width(width).decor_style(DecorStyle::Ascii);
    let (level, code, fallback) = match diagnostic.code {
        Code::Error(code) => (Level::ERROR, Some(code.name()), code.text()),
        Code::Warning(code) => (Level::WARNING, Some(code.name()), code.text()),
        Code::Note => (Level::NOTE, None, ""),
    };
    let message = if diagnostic.message.is_empty() { fallback } else { &diagnostic.message };
    let mut title = level.primary_title(safe(message));
    if let Some(code) = code {
        title = title.id(code);
    }
    let mut group = Group::with_title(title);
    for (i, shown) in windows(diagnostic, result).iter().enumerate() {
        let kind = if i == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let mut annotation = kind.span(shown.span.clone());
        if !shown.text.is_empty() {
            annotation = annotation.label(safe(&shown.text));
        }
        let snippet = Snippet::source(shown.source.clone()).line_start(shown.line).path(shown.path.clone());
        group = group.element(snippet.annotation(annotation));
    }
    if let Some(place) = place_in_words(diagnostic) {
        group = group.element(Level::NOTE.message(safe(&place)));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(safe(help)));
    }
    let mut out = renderer.render(&[group]).to_string();
    out.push_str("\n\n");
    out
}

/// The innermost item with a name, unless a label says it.
fn place_in_words(diagnostic: &Diagnostic) -> Option<String> {
    let named = diagnostic.context.locations.iter().rev().find(|l| !l.item_name.is_empty())?;
    let words = format!("{} '{}'", named.item_type, named.item_name);
    let said = diagnostic.labels.iter().any(|label| label.text.contains(&words));
    (!said).then(|| format!("in {words}"))
}

/// A few lines of a file with the part to mark.
struct Window {
    path: String,
    source: String,
    line: usize,
    span: Range<usize>,
    text: String,
}

/// Most lines of a file that one label shows.
const MAX_LINES: usize = 8;
/// Most bytes of a file that one label shows.
const MAX_BYTES: usize = 4096;

fn windows(diagnostic: &Diagnostic, result: &LoadResult) -> Vec<Window> {
    let mut labels = diagnostic.labels.clone();
    if let Some(label) = value_label(diagnostic, result) {
        labels.splice(0..labels.len().min(1), [label]);
    }
    labels.iter().filter_map(|label| window(label, result)).collect()
}

/// What Falco's locations point at, where that is known better than by the diagnostic's own label: a value inside the
/// item, or anything at all.
fn value_label(diagnostic: &Diagnostic, result: &LoadResult) -> Option<Label> {
    let name = diagnostic.context.file_name();
    let location = diagnostic.context.locations.iter().rev().find(|l| l.name == name)?;
    let offset = location.mark.offset;
    let file = match diagnostic.labels.as_slice() {
        [] => result.reports.iter().position(|r| r.name == name)?,
        [only] if only.text.is_empty() && only.range.start < offset && diagnostic.context.condition.is_none() => {
            only.file
        }
        _ => return None,
    };
    let rest = result.texts.get(file)?.get(offset..)?;
    let line = rest.lines().next().unwrap_or_default();
    let end = offset + line.split(" #").next().unwrap_or(line).trim_end().len();
    Some(Label { file, range: offset..end, text: String::new() })
}

fn window(label: &Label, result: &LoadResult) -> Option<Window> {
    let text: &str = result.texts.get(label.file)?;
    let path = safe(result.reports.get(label.file).map_or("", |r| r.name.as_str()));
    let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    let start = boundary(label.range.start);
    let end = boundary(label.range.end).max(start);
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1).max(boundary(start.saturating_sub(MAX_BYTES)));
    let mut to = end;
    for (count, (at, _)) in text[start..].match_indices('\n').enumerate() {
        let at = start + at;
        to = at;
        if at >= end || count + 1 >= MAX_LINES {
            break;
        }
    }
    if !text[end..].contains('\n') && to <= end {
        to = text.len();
    }
    let to = boundary(to.min(from + 2 * MAX_BYTES));
    let span = start - from..end.min(to).max(start) - from;
    let line = 1 + text[..from].bytes().filter(|b| *b == b'\n').count();
    Some(Window { path, source: same_length(&text[from..to]), line, span, text: label.text.clone() })
}

/// Whether a character may change what a terminal does or in which direction it writes.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// A text in one line without unsafe characters.
fn safe(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\n' || c == '\t' {
                ' '
            } else if is_unsafe(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Source text without unsafe characters, every byte offset unchanged.
fn same_length(text: &str) -> String {
    text.chars()
        .map(|c| match (c, c.len_utf8()) {
            ('\n', _) => '\n',
            ('\t', _) => ' ',
            (c, _) if !is_unsafe(c) => c,
            (_, 1) => '?',
            (_, 2) => '\u{bf}',
            _ => '\u{fffd}',
        })
        .collect()
}
