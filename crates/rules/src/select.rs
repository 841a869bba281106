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
    // Upstream does not even keep the rules below the least priority, so that nothing switches them on.
    let least = ruleset.min_priority;
    for selection in selections {
        let meant = ruleset.rules.iter_mut().filter(|rule| selection.which.matches(rule));
        let switch = |rule: &mut Rule| {
            rule.enabled = selection.enable && least.is_none_or(|least| rule.priority <= least);
        };
        counts.push(meant.map(switch).count());
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
    use super::*;
    use crate::load::{Options, RulesFile, load};
    use peregrine_alert::Priority;

    fn names(priority: Priority, selections: &[(bool, Which)]) -> Vec<String> {
        let rule = |name: &str, tag: &str, priority: &str| {
            format!(
                "- {{rule: {name}, desc: d, condition: 'evt.type=open', output: o, priority: {priority}, tags: [{tag}]}}\n"
            )
        };
        let content = rule("open one", "a", "ERROR") + &rule("open two", "b", "ERROR") + &rule("quiet", "a", "DEBUG");
        let file = RulesFile { name: "rules".into(), content: content.into_bytes() };
        let options = Options { min_priority: priority, ..Options::default() };
        let fields = Nothing;
        let mut ruleset = load(&[file], &[crate::Source { name: "syscall", catalogue: &fields }], &options).ruleset;
        assert_eq!(ruleset.rules.len(), 3);
        let selections: Vec<Selection> =
            selections.iter().map(|(enable, which)| Selection { enable: *enable, which: which.clone() }).collect();
        apply(&mut ruleset, &selections);
        ruleset.rules.into_iter().filter(|rule| rule.enabled).map(|rule| rule.name).collect()
    }

    /// A catalogue with `evt.type` alone.
    struct Nothing;

    impl peregrine_filter::field::Catalogue for Nothing {
        fn resolve(
            &self,
            name: &str,
            _: Option<&str>,
        ) -> Result<peregrine_filter::field::FieldRef, peregrine_filter::field::FieldError> {
            use peregrine_filter::field::{Arg, FieldError, FieldId, FieldRef};
            let ty = peregrine_event::ParamType::Charbuf;
            let field = FieldRef { id: FieldId(0), arg: Arg::None, ty, is_list: false };
            if name == "evt.type" { Ok(field) } else { Err(FieldError::Unknown) }
        }

        fn info(&self, _: peregrine_filter::field::FieldId) -> &peregrine_filter::field::FieldInfo {
            use peregrine_event::{ParamType, PrintFormat};
            use peregrine_filter::field::{ArgForm, FieldInfo};
            const INFO: FieldInfo = FieldInfo {
                name: "evt.type",
                ty: ParamType::Charbuf,
                fmt: PrintFormat::Na,
                is_list: false,
                arg: ArgForm::None,
                flags: 0,
                doc: "",
            };
            &INFO
        }
    }

    #[test]
    fn the_last_entry_wins_and_none_beats_the_least_priority() {
        use Which::{Name, Tag};
        let (all, off, on) = (Name("*".into()), false, true);
        let debug = Priority::Debug;
        assert_eq!(names(debug, &[(off, all.clone()), (on, Tag("a".into()))]), ["open one", "quiet"]);
        assert_eq!(names(debug, &[(on, Tag("a".into())), (off, all.clone())]), [""; 0]);
        assert_eq!(names(debug, &[(off, Name("open *".into())), (on, Name("*two".into()))]), ["open two", "quiet"]);
        assert_eq!(names(Priority::Error, &[(off, all.clone()), (on, all)]), ["open one", "open two"]);
    }

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
