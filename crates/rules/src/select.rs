//! Rules switched on and off by the configuration's `rules:` and by `-T`, `-t`, `-D`.

use crate::ruleset::{Rule, Ruleset};

/// One entry of `rules:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// On or off.
    pub enable: bool,
    /// Which rules.
    pub which: Which,
}

/// Which rules an entry means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Those whose whole name matches; `*` stands for any text.
    Name(String),
    /// Those whose name contains the text.
    NamePart(String),
    /// Those with the tag.
    Tag(String),
}

impl Which {
    /// Whether a rule is meant.
    pub fn matches(&self, rule: &Rule) -> bool {
        match self {
            Self::Name(pattern) => wildcard(pattern.as_bytes(), rule.name.as_bytes()),
            Self::NamePart(part) => rule.name.contains(part.as_str()),
            Self::Tag(tag) => rule.tags.contains(tag),
        }
    }
}

/// Applies entries in order. Returns for each how many rules it meant.
pub fn apply(ruleset: &mut Ruleset, selections: &[Selection]) -> Vec<usize> {
    let mut counts = Vec::with_capacity(selections.len());
    for selection in selections {
        let meant = ruleset.rules.iter_mut().filter(|rule| selection.which.matches(rule));
        counts.push(meant.map(|rule| rule.enabled = selection.enable).count());
    }
    counts
}

/// Whether a text matches a pattern in which `*` stands for any text, at most one step back for each byte.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::wildcard;

    #[test]
    fn wildcards_match_whole_names() {
        let matches = |pattern: &str, text: &str| wildcard(pattern.as_bytes(), text.as_bytes());
        assert!(matches("*", "") && matches("*", "any rule"));
        assert!(matches("Read *", "Read sensitive file"));
        assert!(matches("*shell*container*", "Terminal shell in container"));
        assert!(!matches("Read", "Read sensitive file"));
        assert!(!matches("read *", "Read x"));
        assert!(matches("a**b", "ab"));
        assert!(!matches(&"*a".repeat(50), &"a".repeat(49)));
    }
}
