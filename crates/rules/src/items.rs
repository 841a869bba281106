//! What rules files define: lists, macros, rules, exceptions, requirements, as collected from all files.

use crate::context::Context;
use crate::text::Text;
use crate::version::Version;
use peregrine_alert::Priority;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Where an item stands, for our own diagnostics.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// Number of the file.
    pub(crate) file: usize,
    /// Bytes in it.
    pub(crate) range: Range<usize>,
}

/// Items in order of first definition, found by name.
#[derive(Debug)]
pub(crate) struct Indexed<T> {
    items: Vec<T>,
    by_name: HashMap<String, usize>,
}

impl<T> Default for Indexed<T> {
    fn default() -> Self {
        Self { items: Vec::new(), by_name: HashMap::new() }
    }
}

impl<T> Indexed<T> {
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.by_name.get(name).map(|i| &self.items[*i])
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.by_name.get(name).map(|i| &mut self.items[*i])
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn insert(&mut self, name: &str, item: T) {
        match self.by_name.get(name) {
            Some(i) => self.items[*i] = item,
            None => {
                self.by_name.insert(name.to_owned(), self.items.len());
                self.items.push(item);
            }
        }
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }
}

/// Order of definition: `index` is that of the first definition, `visible` that of the last change. A macro sees those
/// whose index is below its own visibility.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Order {
    pub(crate) index: u32,
    pub(crate) visible: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct ListItem {
    pub(crate) name: String,
    pub(crate) context: Context,
    pub(crate) place: Place,
    pub(crate) order: Order,
    pub(crate) items: Vec<Text>,
}

#[derive(Debug, Clone)]
pub(crate) struct MacroItem {
    pub(crate) name: String,
    pub(crate) context: Context,
    pub(crate) condition_context: Context,
    pub(crate) place: Place,
    pub(crate) order: Order,
    pub(crate) condition: Text,
}

#[derive(Debug, Clone)]
pub(crate) struct RuleItem {
    pub(crate) name: String,
    pub(crate) context: Context,
    pub(crate) condition_context: Context,
    pub(crate) output_context: Context,
    pub(crate) place: Place,
    pub(crate) output_place: Place,
    pub(crate) order: Order,
    pub(crate) condition: Text,
    pub(crate) output: Text,
    pub(crate) desc: String,
    pub(crate) priority: Priority,
    pub(crate) source: String,
    pub(crate) unknown_source: bool,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) enabled: bool,
    pub(crate) capture: bool,
    pub(crate) capture_duration: u32,
    pub(crate) warn_evttypes: bool,
    pub(crate) skip_if_unknown_filter: bool,
}

/// What an item with `append` or `override` changes of a rule.
#[derive(Debug, Clone)]
pub(crate) struct RuleUpdate {
    pub(crate) name: String,
    pub(crate) context: Context,
    pub(crate) place: Place,
    pub(crate) source: String,
    pub(crate) condition: Option<Text>,
    pub(crate) output: Option<Text>,
    pub(crate) desc: Option<String>,
    pub(crate) priority: Option<Priority>,
    pub(crate) tags: Option<BTreeSet<String>>,
    pub(crate) exceptions: Option<Vec<Exception>>,
    pub(crate) enabled: Option<bool>,
    pub(crate) capture: Option<bool>,
    pub(crate) capture_duration: Option<u32>,
    pub(crate) warn_evttypes: Option<bool>,
    pub(crate) skip_if_unknown_filter: Option<bool>,
}

impl RuleUpdate {
    pub(crate) fn new(name: &str, context: Context, place: Place) -> Self {
        Self {
            name: name.into(),
            context,
            place,
            source: String::new(),
            condition: None,
            output: None,
            desc: None,
            priority: None,
            tags: None,
            exceptions: None,
            enabled: None,
            capture: None,
            capture_duration: None,
            warn_evttypes: None,
            skip_if_unknown_filter: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        let texts = self.condition.is_none() && self.output.is_none() && self.desc.is_none() && self.tags.is_none();
        let capture = self.capture.is_none() && self.capture_duration.is_none();
        let flags = self.enabled.is_none() && self.warn_evttypes.is_none() && self.skip_if_unknown_filter.is_none();
        texts && capture && flags && self.exceptions.is_none() && self.priority.is_none()
    }
}

/// A value or a list of values, as exceptions hold.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Single(Text),
    List(Vec<Entry>),
}

impl Default for Entry {
    fn default() -> Self {
        Self::Single(Text::default())
    }
}

impl Entry {
    pub(crate) fn single(text: &str) -> Self {
        let mut single = Text::default();
        single.push(text);
        Self::Single(single)
    }

    /// Whether anything was given.
    pub(crate) fn is_given(&self) -> bool {
        match self {
            Self::Single(text) => !text.text.is_empty(),
            Self::List(items) => !items.is_empty(),
        }
    }

    /// The text of a single value; a list has none, as in upstream's structure.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Single(text) => &text.text,
            Self::List(_) => "",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Exception {
    pub(crate) name: String,
    pub(crate) context: Context,
    pub(crate) place: Place,
    pub(crate) fields: Entry,
    pub(crate) comps: Entry,
    pub(crate) values: Vec<Entry>,
}

/// A plugin that the rules need, or the others that would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginRequirement {
    /// Name and least version of each; one of them must be loaded.
    pub alternatives: Vec<(String, String)>,
}

impl PluginRequirement {
    /// Checks it against loaded plugins (name and version).
    pub(crate) fn check(&self, loaded: &[(&str, &str)]) -> Result<(), String> {
        for (wanted, least) in &self.alternatives {
            let Some((name, version)) = loaded.iter().find(|(name, _)| name == wanted) else { continue };
            let Some(parsed) = Version::parse(version) else {
                return Err(format!("Plugin '{name}' has invalid version string '{version}'"));
            };
            if !Version::parse(least).is_some_and(|least| parsed.serves(least)) {
                return Err(format!(
                    "Plugin '{name}' version '{version}' is not compatible with required plugin version '{least}'"
                ));
            }
            return Ok(());
        }
        let names: Vec<String> = self.alternatives.iter().map(|(name, least)| format!("{name} (>= {least})")).collect();
        Err(format!("Plugin requirement not satisfied, must load one of: {}", names.join(", ")))
    }
}
