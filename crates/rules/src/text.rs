//! Conditions with a memory of where each part of them comes from.
//!
//! A condition is put together from a file's scalar, texts appended in other files, values of exceptions and items of
//! lists. Every piece keeps its origin, so that a fault found in the finished text can be shown where it was written.

use crate::yaml::{Kind, Node, Style};
use std::ops::Range;
use std::sync::Arc;

/// A scalar of a rules file.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    /// Number of the file.
    pub(crate) file: usize,
    /// Bytes of the node in the file.
    pub(crate) range: Range<usize>,
    pub(crate) style: Style,
    /// The scalar's whole text, by which places in it are found again in the file.
    pub(crate) text: Arc<str>,
}

impl Scalar {
    pub(crate) fn of(file: usize, node: &Node) -> Option<Self> {
        match &node.kind {
            Kind::Scalar(text, style) => {
                Some(Self { file, range: node.range.clone(), style: *style, text: text.as_str().into() })
            }
            _ => None,
        }
    }
}

/// Where a piece of a text comes from.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) scalar: Arc<Scalar>,
    /// Where in the scalar's text the piece starts.
    pub(crate) offset: usize,
    /// The list whose name stood in the text, if the piece is one of its items.
    pub(crate) list: Option<Arc<ListUse>>,
}

/// A list's name in a text.
#[derive(Debug)]
pub(crate) struct ListUse {
    pub(crate) name: String,
    /// Where the name stood.
    pub(crate) at: Option<Origin>,
}

#[derive(Debug, Clone)]
struct Piece {
    start: usize,
    /// `None` for what was added around (parentheses, operators of exceptions).
    origin: Option<Origin>,
}

/// A text and where its parts come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    pub(crate) text: String,
    pieces: Vec<Piece>,
}

impl Text {
    /// The text of a scalar.
    pub(crate) fn of(scalar: Scalar) -> Self {
        let text = scalar.text.to_string();
        let origin = Origin { scalar: Arc::new(scalar), offset: 0, list: None };
        Self { text, pieces: vec![Piece { start: 0, origin: Some(origin) }] }
    }

    /// Adds a text that nobody wrote.
    pub(crate) fn push(&mut self, text: &str) {
        self.piece(text, None);
    }

    fn piece(&mut self, text: &str, origin: Option<Origin>) {
        if !text.is_empty() {
            self.pieces.push(Piece { start: self.text.len(), origin });
            self.text.push_str(text);
        }
    }

    /// Adds another text.
    pub(crate) fn append(&mut self, other: &Self) {
        self.append_range(other, 0..other.text.len());
    }

    /// Adds a part of another text.
    pub(crate) fn append_range(&mut self, other: &Self, range: Range<usize>) {
        let first = other.pieces.partition_point(|p| p.start <= range.start).saturating_sub(1);
        for (i, piece) in other.pieces.iter().enumerate().skip(first) {
            let end = other.pieces.get(i + 1).map_or(other.text.len(), |next| next.start).min(range.end);
            let start = piece.start.max(range.start);
            if start >= end {
                if piece.start >= range.end {
                    break;
                }
                continue;
            }
            let mut origin = piece.origin.clone();
            if let Some(origin) = &mut origin {
                origin.offset += start - piece.start;
            }
            self.piece(&other.text[start..end], origin);
        }
    }

    /// Adds an item of a list in the place of the list's name.
    pub(crate) fn append_item(&mut self, item: &Self, list: &Arc<ListUse>) {
        for (i, piece) in item.pieces.iter().enumerate() {
            let end = item.pieces.get(i + 1).map_or(item.text.len(), |next| next.start);
            let origin = piece.origin.clone().map(|origin| Origin { list: Some(list.clone()), ..origin });
            self.piece(&item.text[piece.start..end], origin);
        }
    }

    /// The text without blanks at its ends. (Falco trims the output of a definition, and of a definition alone.)
    pub(crate) fn trimmed(&self) -> Self {
        const BLANKS: [char; 6] = [' ', '\t', '\n', '\r', '\u{b}', '\u{c}'];
        let start = self.text.len() - self.text.trim_start_matches(BLANKS).len();
        let end = self.text.trim_end_matches(BLANKS).len().max(start);
        let mut out = Self::default();
        out.append_range(self, start..end);
        out
    }

    /// Cuts the text off.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.text.truncate(len);
        let kept = self.pieces.partition_point(|piece| piece.start < len);
        self.pieces.truncate(kept);
    }

    /// Cuts off what it ends with of these bytes.
    pub(crate) fn trim_end(&mut self, bytes: &[u8]) {
        let kept = self.text.bytes().rev().take_while(|b| bytes.contains(b)).count();
        self.truncate(self.text.len() - kept);
    }

    /// Where a byte of the text comes from; for added text, the nearest written one before or after it.
    pub(crate) fn origin(&self, offset: usize) -> Option<Origin> {
        let at = self.pieces.partition_point(|p| p.start <= offset).checked_sub(1)?;
        let exact = &self.pieces[at];
        if let Some(origin) = &exact.origin {
            return Some(Origin { offset: origin.offset + (offset - exact.start), ..origin.clone() });
        }
        let written = |piece: &&Piece| piece.origin.is_some();
        let near = self.pieces[at..].iter().find(written).or_else(|| self.pieces[..at].iter().rev().find(written))?;
        near.origin.clone()
    }
}
