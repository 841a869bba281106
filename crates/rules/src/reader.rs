//! From documents to items: which keys an item has, what they must hold, in Falco's order and words
//! (`rule_loader_reader.cpp`).

use crate::code::WarningCode;
use crate::collect::{Collected, Source};
use crate::context::Context;
use crate::decode::{
    Decoded, Fault, optional_bool, optional_text, optional_u32, parse_u32, required, scalars, text, text_or_empty,
};
use crate::items::{Entry, Exception, ListItem, MacroItem, Order, Place, PluginRequirement, RuleItem, RuleUpdate};
use crate::result::Report;
use crate::text::{Scalar, Text};
use crate::version::Version;
use crate::yaml::{Kind, Node};
use peregrine_alert::Priority;
use peregrine_filter::{is_bare_text, is_identifier};
use std::collections::BTreeSet;

const APPEND: &str =
    "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under 'override' instead.";
const ENABLED: &str = "The standalone 'enabled' key usage is deprecated. The correct approach requires also a \
                       'replace' entry under the 'override' key (i.e. 'enabled: replace').";
const OVERRIDE_APPEND: &str = "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry \
                               (e.g. 'condition: append') under 'override' instead.";

/// Keys of a rule that can be appended to, and those that can be replaced; in alphabetical order.
const RULE_APPEND: [&str; 5] = ["condition", "desc", "exceptions", "output", "tags"];
const RULE_REPLACE: [&str; 11] = [
    "capture",
    "capture_duration",
    "condition",
    "desc",
    "enabled",
    "exceptions",
    "output",
    "priority",
    "skip-if-unknown-filter",
    "tags",
    "warn_evttypes",
];
const RULE_KEYS: [&str; 15] = [
    "append",
    "capture",
    "capture_duration",
    "condition",
    "desc",
    "enabled",
    "exceptions",
    "output",
    "override",
    "priority",
    "rule",
    "skip-if-unknown-filter",
    "source",
    "tags",
    "warn_evttypes",
];

/// Reads one file's documents into what was collected before.
pub(crate) struct Reader<'a, 'r> {
    /// Number of the file.
    pub(crate) file: usize,
    pub(crate) sources: &'a [Source<'a>],
    pub(crate) collected: &'r mut Collected,
    pub(crate) report: &'r mut Report,
}

impl Reader<'_, '_> {
    /// Reads a document.
    pub(crate) fn document(&mut self, document: &Node, context: &Context) -> Decoded<()> {
        match &document.kind {
            Kind::Null => return Ok(()),
            Kind::Scalar(..) => return Err(Fault::structure("Rules content is not yaml", context)),
            Kind::Map(_) => return Err(Fault::structure("Rules content is not yaml array of objects", context)),
            Kind::List(_) => {}
        }
        for item in document.list().unwrap_or_default() {
            if !item.is_null() {
                let place = self.place(item);
                self.item(item, context).map_err(|fault| fault.at(&place))?;
            }
        }
        Ok(())
    }

    fn place(&self, node: &Node) -> Place {
        // An item is shown by its first entry, not by all its lines.
        let range = match node.map().and_then(|entries| entries.first()) {
            Some((key, value)) => key.range.start..value.range.end.max(key.range.end),
            None => node.range.clone(),
        };
        Place { file: self.file, range }
    }

    fn text_of(&self, node: &Node) -> Text {
        Scalar::of(self.file, node).map(Text::of).unwrap_or_default()
    }

    fn item(&mut self, item: &Node, parent: &Context) -> Decoded<()> {
        if item.map().is_none() {
            let message = "Unexpected element type. Each element should be a yaml associative array.";
            return Err(Fault::structure(message, &parent.node(item, "rules content item", "")));
        }
        if item.get("required_engine_version").is_some() {
            self.engine_version(item, parent)
        } else if let Some(plugins) = item.get("required_plugin_versions") {
            self.plugin_versions(item, plugins, parent)
        } else if item.get("list").is_some() {
            self.list(item, parent)
        } else if item.get("macro").is_some() {
            self.macro_(item, parent)
        } else if item.get("rule").is_some() {
            self.rule(item, parent)
        } else {
            let context = parent.node(item, "rules content item", "");
            let place = self.place(item);
            self.report.warn(WarningCode::UnknownItem, "Unknown top level item".into(), &context, &place);
            Ok(())
        }
    }

    fn engine_version(&mut self, item: &Node, parent: &Context) -> Decoded<()> {
        let context = parent.node(item, "required_engine_version", "");
        let (written, _) = text(item, "required_engine_version", &context)?;
        let version = match parse_u32(written) {
            Some(minor) => Version { major: 0, minor, patch: 0 },
            None => Version::parse(written).ok_or_else(|| {
                let message = format!(
                    "Unable to parse engine version '{written}' as a semver string. \
                     Expected \"x.y.z\" semver format."
                );
                Fault::structure(message, &context)
            })?,
        };
        self.collected.require_engine(version, &context)?;
        self.unknown_keys(item, &["required_engine_version"], &context);
        Ok(())
    }

    fn plugin_versions(&mut self, item: &Node, plugins: &Node, parent: &Context) -> Decoded<()> {
        const ENTRY: &str = "required plugin versions entry";
        const ALTERNATIVE: &str = "required plugin versions alternative";
        let context = parent.node(plugins, "required plugin versions", "");
        let Some(list) = plugins.list() else {
            return Err(Fault::structure("Value of required_plugin_versions must be a sequence", &context));
        };
        for plugin in list {
            let unnamed = context.node(plugin, ENTRY, "");
            if plugin.map().is_none() {
                return Err(Fault::structure("Plugin version must be a mapping", &unnamed));
            }
            let (name, _) = text(plugin, "name", &unnamed)?;
            let entry = context.node(plugin, ENTRY, name);
            let (version, _) = text(plugin, "version", &entry)?;
            let mut alternatives = vec![(name.to_owned(), version.to_owned())];
            if let Some(others) = plugin.get("alternatives") {
                let Some(others) = others.list() else {
                    let message = "Value of plugin version alternatives must be a sequence";
                    return Err(Fault::structure(message, &entry));
                };
                for other in others {
                    let unnamed = entry.node(other, ALTERNATIVE, "");
                    if other.map().is_none() {
                        return Err(Fault::structure("Plugin version alternative must be a mapping", &unnamed));
                    }
                    let (name, _) = text(other, "name", &unnamed)?;
                    let (version, _) = text(other, "version", &entry.node(other, ALTERNATIVE, name))?;
                    alternatives.push((name.to_owned(), version.to_owned()));
                }
            }
            self.collected.require_plugin(PluginRequirement { alternatives }, &entry)?;
        }
        let context = parent.node(item, "required plugin versions", "");
        self.unknown_keys(item, &["required_plugin_versions"], &context);
        Ok(())
    }

    fn list(&mut self, item: &Node, parent: &Context) -> Decoded<()> {
        let (name, _) = text(item, "list", &parent.node(item, "list", ""))?;
        let context = parent.node(item, "list", name);
        let place = self.place(item);
        if !is_bare_text(name) {
            let message = "List has an invalid name. List names should match a regular expression: \
                           ([^()\"'[:space:]=,]+)";
            self.report.warn(WarningCode::InvalidListName, message.into(), &context, &place);
        }
        let items = required(scalars(item, "items", &context)?, "items", &context)?;
        let items = items.into_iter().map(|node| self.text_of(node)).collect();
        let append = self.append_or_override(item, "items", &context)?;
        let list = ListItem { name: name.into(), context: context.clone(), place, order: Order::default(), items };
        if append {
            self.collected.append_list(list)?;
        } else {
            self.collected.define_list(list);
        }
        self.unknown_keys(item, &["append", "items", "list", "override"], &context);
        Ok(())
    }

    fn macro_(&mut self, item: &Node, parent: &Context) -> Decoded<()> {
        let (name, _) = text(item, "macro", &parent.node(item, "macro", ""))?;
        let context = parent.node(item, "macro", name);
        let place = self.place(item);
        if !is_identifier(name) {
            let message = "Macro has an invalid name. Macro names should match a regular expression: \
                           ([a-zA-Z]+[a-zA-Z0-9_]*)";
            self.report.warn(WarningCode::InvalidMacroName, message.into(), &context, &place);
        }
        let (_, condition) = text(item, "condition", &context)?;
        let condition_context = context.node(condition, "macro condition", "");
        let condition = self.text_of(condition);
        let append = self.append_or_override(item, "condition", &context)?;
        let order = Order::default();
        let new = MacroItem { name: name.into(), context: context.clone(), condition_context, place, order, condition };
        if append {
            self.collected.append_macro(new)?;
        } else {
            self.collected.define_macro(new);
        }
        self.unknown_keys(item, &["append", "condition", "macro", "override"], &context);
        Ok(())
    }

    /// The old key `append`, with its warning.
    fn append_key(&mut self, item: &Node, context: &Context) -> Decoded<bool> {
        let append = optional_bool(item, "append", context)?.unwrap_or(false);
        if append {
            let place = self.place(item);
            self.report.warn(WarningCode::DeprecatedItem, APPEND.into(), context, &place);
        }
        Ok(append)
    }

    /// Whether a list or a macro, which have one key that can be overridden, appends.
    fn append_or_override(&mut self, item: &Node, key: &str, context: &Context) -> Decoded<bool> {
        let append = self.append_key(item, context)?;
        let overrides = overrides(item, &[key], &[key], context)?;
        if append && !(overrides.append.is_empty() && overrides.replace.is_empty()) {
            return Err(Fault::structure(OVERRIDE_APPEND, context));
        }
        Ok(append || overrides.append.contains(key))
    }

    fn rule(&mut self, item: &Node, parent: &Context) -> Decoded<()> {
        let (name, _) = text(item, "rule", &parent.node(item, "rule", ""))?;
        let context = parent.node(item, "rule", name);
        let source = text_or_empty(item, "source", &context)?.unwrap_or_default();
        let append = self.append_key(item, &context)?;
        let overrides = overrides(item, &RULE_APPEND, &RULE_REPLACE, &context)?;
        let overriding = !overrides.append.is_empty() || !overrides.replace.is_empty();
        if append && overriding {
            return Err(Fault::structure(OVERRIDE_APPEND, &context));
        }
        if overriding {
            self.override_rule(item, name, &source, &overrides, &context)?;
        } else if append {
            let mut update = RuleUpdate::new(name, context.clone(), self.place(item));
            update.source = source;
            if item.get("condition").is_some() {
                update.condition = Some(self.text_of(text(item, "condition", &context)?.1));
            }
            if item.get("exceptions").is_some() {
                update.exceptions = Some(self.exceptions(item, &context, true)?);
            }
            self.collected.append_rule(update, self.sources)?;
        } else if ["condition", "output", "desc", "priority"].iter().all(|key| item.get(key).is_none()) {
            let enabled = required(optional_bool(item, "enabled", &context)?, "enabled", &context)?;
            let place = self.place(item);
            self.report.warn(WarningCode::DeprecatedItem, ENABLED.into(), &context, &place);
            self.collected.enable(name, enabled, &context)?;
        } else {
            let rule = self.new_rule(item, name, &context)?;
            self.collected.define_rule(rule, self.sources, self.report)?;
        }
        self.unknown_keys(item, &RULE_KEYS, &context);
        Ok(())
    }

    fn new_rule(&mut self, item: &Node, name: &str, context: &Context) -> Decoded<RuleItem> {
        let (_, condition) = text(item, "condition", context)?;
        let (_, output_node) = text(item, "output", context)?;
        let (desc, _) = text(item, "desc", context)?;
        let priority = priority(item, context)?;
        Ok(RuleItem {
            name: name.into(),
            context: context.clone(),
            condition_context: context.node(condition, "rule condition", ""),
            output_context: context.node(output_node, "rule output", ""),
            place: self.place(item),
            output_place: Place { file: self.file, range: output_node.range.clone() },
            order: Order::default(),
            condition: self.text_of(condition),
            output: self.text_of(output_node).trimmed(),
            desc: desc.to_owned(),
            priority,
            source: optional_text(item, "source", context)?.unwrap_or_else(|| "syscall".into()),
            unknown_source: false,
            enabled: optional_bool(item, "enabled", context)?.unwrap_or(true),
            capture: optional_bool(item, "capture", context)?.unwrap_or(false),
            capture_duration: optional_u32(item, "capture_duration", context)?.unwrap_or(0),
            warn_evttypes: optional_bool(item, "warn_evttypes", context)?.unwrap_or(true),
            skip_if_unknown_filter: optional_bool(item, "skip-if-unknown-filter", context)?.unwrap_or(false),
            tags: tags(item, context)?,
            exceptions: self.exceptions(item, context, false)?,
        })
    }

    fn override_rule(
        &mut self,
        item: &Node,
        name: &str,
        source: &str,
        overrides: &Overrides,
        context: &Context,
    ) -> Decoded<()> {
        let mut expected: BTreeSet<&str> = RULE_REPLACE.into_iter().filter(|key| item.get(key).is_some()).collect();
        if !overrides.append.is_empty() {
            let update = self.update(item, name, source, ("append", &overrides.append), &mut expected, context)?;
            self.collected.append_rule(update, self.sources)?;
        }
        if !overrides.replace.is_empty() {
            let update = self.update(item, name, source, ("replace", &overrides.replace), &mut expected, context)?;
            self.collected.replace_in_rule(update, self.sources)?;
        }
        if let Some(key) = expected.first() {
            let node = item.get(key).unwrap_or(item);
            let message = format!("Unexpected key '{key}': no corresponding entry under 'override' is defined.");
            return Err(Fault::structure(message, &context.node(node, "overrides", key)));
        }
        Ok(())
    }

    /// What is appended or replaced, in the order in which Falco asks for it.
    fn update(
        &mut self,
        item: &Node,
        name: &str,
        source: &str,
        (kind, keys): (&str, &BTreeSet<String>),
        expected: &mut BTreeSet<&str>,
        context: &Context,
    ) -> Decoded<RuleUpdate> {
        let mut update = RuleUpdate::new(name, context.clone(), self.place(item));
        let mut take = |key: &str| {
            if !keys.contains(key) {
                return Ok(false);
            }
            if !expected.remove(key) {
                let message = format!("An {kind} override for '{key}' was specified but '{key}' is not defined");
                return Err(Fault::structure(message, context));
            }
            Ok(true)
        };
        let needed = |value: Option<bool>, key| required(value, key, context).map(Some);
        if take("condition")? {
            update.source = source.to_owned();
            update.condition = Some(self.text_of(text(item, "condition", context)?.1));
        }
        if take("exceptions")? {
            update.exceptions = Some(self.exceptions(item, context, kind == "append")?);
        }
        if take("output")? {
            update.output = Some(self.text_of(text(item, "output", context)?.1));
        }
        if take("desc")? {
            update.desc = Some(text(item, "desc", context)?.0.to_owned());
        }
        if take("tags")? {
            update.tags = Some(tags(item, context)?);
        }
        if take("priority")? {
            update.priority = Some(priority(item, context)?);
        }
        if take("capture")? {
            update.capture = needed(optional_bool(item, "capture", context)?, "capture")?;
        }
        if take("capture_duration")? {
            update.capture_duration = optional_u32(item, "capture_duration", context)?;
        }
        if take("enabled")? {
            update.enabled = needed(optional_bool(item, "enabled", context)?, "enabled")?;
        }
        if take("warn_evttypes")? {
            update.warn_evttypes = needed(optional_bool(item, "warn_evttypes", context)?, "warn_evttypes")?;
        }
        if take("skip-if-unknown-filter")? {
            let key = "skip-if-unknown-filter";
            update.skip_if_unknown_filter = needed(optional_bool(item, key, context)?, key)?;
        }
        Ok(update)
    }

    fn exceptions(&mut self, item: &Node, parent: &Context, append: bool) -> Decoded<Vec<Exception>> {
        let Some(node) = item.get("exceptions").filter(|node| !node.is_null()) else { return Ok(Vec::new()) };
        let all = parent.node(node, "exceptions", "");
        let Some(list) = node.list() else {
            return Err(Fault::structure("Rule exceptions must be a sequence", &all));
        };
        let mut exceptions: Vec<Exception> = Vec::new();
        for item in list {
            let place = self.place(item);
            let exception =
                self.exception(item, parent, &all, append, &exceptions).map_err(|fault| fault.at(&place))?;
            exceptions.push(exception);
        }
        Ok(exceptions)
    }

    fn exception(
        &mut self,
        item: &Node,
        parent: &Context,
        all: &Context,
        append: bool,
        before: &[Exception],
    ) -> Decoded<Exception> {
        let unnamed = all.node(item, "exception", "");
        if item.map().is_none() {
            return Err(Fault::structure("Rule exception must be a mapping", &unnamed));
        }
        let (name, _) = text(item, "name", &unnamed)?;
        let context = parent.node(item, "exception", name);
        let place = self.place(item);
        for _ in before.iter().filter(|e| e.name == name) {
            let message = format!("Multiple definitions of exception '{name}' in the same rule");
            self.report.warn(WarningCode::ExceptionNameNotUnique, message, &context, &place);
        }
        let fields = match item.get("fields") {
            Some(node) => self.entry(node, &context.node(node, "value for", "fields"))?,
            None if append => Entry::default(),
            None => return Err(Fault::structure("Item has no mapping for key 'fields'", &context)),
        };
        let comps = match item.get("comps") {
            Some(node) => self.entry(node, &context.node(node, "value for", "comps"))?,
            None => Entry::default(),
        };
        let mut values = Vec::new();
        if let Some(node) = item.get("values") {
            let all = context.node(node, "exception values", "");
            let Some(list) = node.list() else {
                return Err(Fault::structure("Rule exception values must be a sequence", &all));
            };
            for value in list {
                let context = all.node(value, "exception value", "").node(value, "value for", "");
                values.push(self.entry(value, &context)?);
            }
        } else if append {
            let message = "Overriding/appending exception with no values".to_owned();
            self.report.warn(WarningCode::AppendNoValues, message, &context, &place);
        }
        Ok(Exception { name: name.into(), context, place, fields, comps, values })
    }

    /// A value or a list of values; what is neither counts as nothing given.
    fn entry(&self, node: &Node, context: &Context) -> Decoded<Entry> {
        match &node.kind {
            Kind::Scalar(text, _) if text.is_empty() => Err(Fault::structure("Value must be non-empty", context)),
            Kind::Scalar(..) => Ok(Entry::Single(self.text_of(node))),
            Kind::List(items) => {
                let items = items
                    .iter()
                    .map(|item| self.entry(item, &context.node(item, "exception", "").node(item, "value for", "")));
                Ok(Entry::List(items.collect::<Decoded<_>>()?))
            }
            Kind::Null | Kind::Map(_) => Ok(Entry::default()),
        }
    }

    fn unknown_keys(&mut self, item: &Node, known: &[&str], context: &Context) {
        for (key, _) in item.map().unwrap_or_default() {
            let Some(name) = key.text() else { continue };
            if !known.contains(&name) {
                let message = format!("Unknown key '{name}'. The key will be ignored.");
                let place = Place { file: self.file, range: key.range.clone() };
                let help = crate::collect::missing("key", name, known.iter().copied());
                self.report.warn_with_help(WarningCode::UnknownKey, message, context, &place, help);
            }
        }
    }
}

/// Keys to append to and keys to replace.
#[derive(Default)]
struct Overrides {
    append: BTreeSet<String>,
    replace: BTreeSet<String>,
}

fn overrides(item: &Node, append: &[&str], replace: &[&str], parent: &Context) -> Decoded<Overrides> {
    let mut found = Overrides::default();
    let Some(node) = item.get("override") else { return Ok(found) };
    let context = parent.node(item, "overrides", "");
    if node.list().is_some_and(|items| !items.is_empty()) {
        // Upstream walks a sequence as if it were a mapping, which is yaml-cpp's to refuse.
        let message = "invalid node; this may result from using a map iterator as a sequence iterator, or vice-versa";
        return Err(Fault::validate(message, &Context::file(parent.file_name())));
    }
    for (key_node, value) in node.map().unwrap_or_default() {
        let (Some(key), Some(operation)) = (key_node.text(), value.text()) else {
            let (line, column) = (value.mark.line + 1, value.mark.column + 1);
            let message = format!("yaml-cpp: error at line {line}, column {column}: bad conversion");
            return Err(Fault::validate(message, &Context::file(parent.file_name())));
        };
        let key_context = context.node(key_node, "overrides", key);
        match operation {
            "append" if append.contains(&key) => found.append.insert(key.to_owned()),
            "append" => {
                let message = format!("Key '{key}' cannot be appended to, use 'replace' instead");
                return Err(Fault::structure(message, &key_context));
            }
            "replace" if replace.contains(&key) => found.replace.insert(key.to_owned()),
            "replace" => return Err(Fault::structure(format!("Key '{key}' cannot be replaced"), &key_context)),
            _ => {
                let mut message =
                    format!("Invalid override operation for key '{key}': '{operation}'. Allowed values are: ");
                message.push_str(if append.contains(&key) { "append " } else { "" });
                message.push_str(if replace.contains(&key) { "replace " } else { "" });
                return Err(Fault::structure(message, &context.node(value, "value for", key)));
            }
        };
    }
    Ok(found)
}

fn tags(item: &Node, context: &Context) -> Decoded<BTreeSet<String>> {
    let nodes = scalars(item, "tags", context)?.unwrap_or_default();
    Ok(nodes.into_iter().filter_map(Node::scalar).map(str::to_owned).collect())
}

fn priority(item: &Node, context: &Context) -> Decoded<Priority> {
    let (written, node) = text(item, "priority", context)?;
    written.parse().map_err(|_| {
        let fault = Fault::structure("Invalid priority", &context.node(node, "rule priority", ""));
        let names: Vec<&str> = Priority::ALL.iter().map(|p| p.name()).collect();
        fault.with_help(Some(format!("priorities are {}", names.join(", "))))
    })
}
