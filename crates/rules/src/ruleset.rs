//! Rules as the engine takes them.

use crate::items::{Place, PluginRequirement, RuleItem};
use crate::version::Version;
use crate::yaml::Mark;
use peregrine_alert::Priority;
use peregrine_event::code;
use peregrine_filter::events::{CodeSet, names};
use peregrine_filter::format::Format;
use peregrine_filter::{ast, print, typed};
use std::collections::{BTreeSet, HashMap};

/// All rules of the files that were loaded.
#[derive(Debug, Clone, Default)]
pub struct Ruleset {
    /// The rules in the order of their first definition; those of unknown sources are left out.
    pub rules: Vec<Rule>,
    /// Plugins that must be loaded, one of each entry's alternatives.
    pub plugins: Vec<PluginRequirement>,
    /// The highest engine version that a file asks for.
    pub engine_version: Option<Version>,
    /// Rules less urgent than this cannot be switched on.
    pub min_priority: Option<Priority>,
    /// The items as they are written, where [`crate::Options::definitions`] asks for them.
    pub definitions: Definitions,
}

/// Items as they are written, and what became of them.
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    /// By name; also rules that are left out.
    pub rules: HashMap<String, RuleDefinition>,
    /// In order of first definition.
    pub macros: Vec<MacroDefinition>,
    /// In order of first definition.
    pub lists: Vec<ListDefinition>,
}

/// A rule as it is written, appended parts included.
#[derive(Debug, Clone)]
pub struct RuleDefinition {
    /// Its condition without exceptions.
    pub condition: String,
    /// Its output without what the configuration appends.
    pub output: String,
    /// Whether it is on.
    pub enabled: bool,
    /// Names of its exceptions, each with its operators.
    pub exceptions: Vec<(String, Vec<String>)>,
}

/// A macro.
#[derive(Debug, Clone)]
pub struct MacroDefinition {
    /// Its name.
    pub name: String,
    /// Its condition as written.
    pub condition: String,
    /// Its condition, lists and macros put in.
    pub compiled: ast::Expr,
    /// Whether something refers to it.
    pub used: bool,
}

/// A list.
#[derive(Debug, Clone)]
pub struct ListDefinition {
    /// Its name.
    pub name: String,
    /// Its items as written.
    pub items: Vec<String>,
    /// Its items, lists in it put in.
    pub compiled: Vec<String>,
    /// Whether something refers to it.
    pub used: bool,
}

/// A compiled rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its position in [`Ruleset::rules`].
    pub index: usize,
    /// Its name, unique.
    pub name: String,
    /// What it is for.
    pub desc: String,
    /// How urgent its alerts are.
    pub priority: Priority,
    /// Its event source.
    pub source: String,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// Whether it is to be evaluated; the file says so, the minimum priority and [`crate::select`] change it.
    pub enabled: bool,
    /// The output with what was appended to it, `%` tokens unresolved.
    pub output: String,
    /// The output parsed; missing values print `<NA>`.
    pub format: Format,
    /// Fields that alerts carry besides those of the output, by key.
    pub extra_fields: Vec<ExtraField>,
    /// The checked condition.
    pub condition: typed::Expr,
    /// The condition printed, its lists and macros put in.
    pub condition_text: String,
    /// Event codes that the condition can be true for, plus the asynchronous event's, under which all rules are found.
    pub events: CodeSet,
    /// System calls that the condition can be true for, by the schema's ids.
    pub syscalls: CodeSet,
    /// Whether a match starts a capture.
    pub capture: bool,
    /// How long that capture lasts in milliseconds; 0 means the configuration's default.
    pub capture_duration: u32,
    /// Whether a condition without event types was declared intended.
    pub warn_evttypes: bool,
    /// The file (by loading order) that defined it last.
    pub file: usize,
    /// Where in it.
    pub mark: Mark,
    /// Fields of its exceptions.
    pub exception_fields: BTreeSet<String>,
}

/// A field that alerts carry besides those of the output.
#[derive(Debug, Clone, PartialEq)]
pub struct ExtraField {
    /// Its key in `output_fields`.
    pub key: String,
    /// Its value.
    pub format: Format,
    /// The format as it is written.
    pub text: String,
    /// Whether the value keeps its type; otherwise it is text.
    pub raw: bool,
}

impl Rule {
    #[expect(clippy::too_many_arguments, reason = "each is one part of the rule, made by its own step")]
    pub(crate) fn new(
        index: usize,
        item: &RuleItem,
        tree: &ast::Expr,
        condition: typed::Expr,
        (mut events, syscalls): (CodeSet, CodeSet),
        output: String,
        format: Format,
        extra_fields: Vec<ExtraField>,
    ) -> Self {
        if item.source != "syscall" {
            events = [code::PLUGINEVENT_E].into_iter().collect();
        }
        events.insert(code::ASYNCEVENT_E);
        let Place { file, .. } = item.place;
        Self {
            index,
            name: item.name.clone(),
            desc: item.desc.clone(),
            priority: item.priority,
            source: item.source.clone(),
            tags: item.tags.clone(),
            enabled: item.enabled,
            output,
            format,
            extra_fields,
            condition,
            condition_text: print(tree),
            events,
            syscalls,
            capture: item.capture,
            capture_duration: item.capture_duration,
            warn_evttypes: item.warn_evttypes,
            file,
            mark: item.context.last().mark,
            exception_fields: crate::exception::fields(&item.exceptions),
        }
    }

    /// Sorted names of its events.
    pub fn event_names(&self) -> Vec<&'static str> {
        names(&self.events)
    }
}

impl Ruleset {
    /// A rule by its name.
    pub fn get(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// Checks the plugins that rules need against those that are loaded (name and version).
    ///
    /// # Errors
    /// Falco's message for the first requirement that no plugin meets.
    pub fn check_plugins(&self, loaded: &[(&str, &str)]) -> Result<(), String> {
        self.plugins.iter().try_for_each(|requirement| requirement.check(loaded))
    }
}
