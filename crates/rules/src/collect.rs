//! Items of all files together: definitions, appends and replacements, by Falco's rules (`rule_loader_collector.cpp`).

use crate::code::WarningCode;
use crate::context::Context;
use crate::decode::{Decoded, Fault};
use crate::exception;
use crate::items::{Indexed, ListItem, MacroItem, Order, PluginRequirement, RuleItem, RuleUpdate};
use crate::result::Report;
use crate::version::{ENGINE_VERSION, Version};
use peregrine_filter::field::Catalogue;

const NO_LIST: &str = "List uses 'append' or 'override.items: append' but no list by that name already exists";
const NO_MACRO: &str = "Macro uses 'append' or 'override.condition: append' but no macro by that name already exists";
const NO_RULE_APPEND: &str = "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists";
const NO_RULE_REPLACE: &str =
    "An 'override.<key>: replace' to a rule was requested but no rule by that name already exists";

/// An event source and its fields.
pub struct Source<'a> {
    /// The name that rules give under `source`.
    pub name: &'a str,
    /// Its fields.
    pub catalogue: &'a dyn Catalogue,
}

/// The catalogue of a source.
pub(crate) fn catalogue<'a>(sources: &[Source<'a>], name: &str) -> Option<&'a dyn Catalogue> {
    sources.iter().find(|s| s.name == name).map(|s| s.catalogue)
}

/// Everything that was defined so far.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) lists: Indexed<ListItem>,
    pub(crate) macros: Indexed<MacroItem>,
    pub(crate) rules: Indexed<RuleItem>,
    pub(crate) plugins: Vec<PluginRequirement>,
    pub(crate) engine_version: Option<Version>,
    next: u32,
}

impl Collected {
    fn next(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }

    /// The order of a definition: a redefinition keeps its first place.
    fn order(&mut self, before: Option<Order>) -> Order {
        let visible = self.next();
        Order { index: before.map_or(visible, |order| order.index), visible }
    }

    pub(crate) fn require_engine(&mut self, wanted: Version, context: &Context) -> Decoded<()> {
        if !ENGINE_VERSION.serves(wanted) {
            let message = format!("Rules require engine version {wanted}, but engine version is {ENGINE_VERSION}");
            return Err(Fault::validate(message, context));
        }
        self.engine_version = self.engine_version.max(Some(wanted));
        Ok(())
    }

    pub(crate) fn require_plugin(&mut self, requirement: PluginRequirement, context: &Context) -> Decoded<()> {
        for (i, (name, version)) in requirement.alternatives.iter().enumerate() {
            if Version::parse(version).is_none() {
                let message = format!("Invalid required version '{version}' for plugin '{name}'");
                return Err(Fault::validate(message, context));
            }
            if requirement.alternatives[..i].iter().any(|(before, _)| before == name) {
                let message = format!("Defined multiple alternative version requirements for plugin '{name}'");
                return Err(Fault::validate(message, context));
            }
        }
        self.plugins.push(requirement);
        Ok(())
    }

    pub(crate) fn define_list(&mut self, mut list: ListItem) {
        list.order = self.order(self.lists.get(&list.name).map(|l| l.order));
        self.lists.insert(&list.name.clone(), list);
    }

    pub(crate) fn append_list(&mut self, list: ListItem) -> Decoded<()> {
        let help = || missing("list", &list.name, self.lists.iter().map(|l| l.name.as_str()));
        if self.lists.get(&list.name).is_none() {
            return Err(Fault::validate(NO_LIST, &list.context).with_help(help()).at(&list.place));
        }
        let visible = self.next();
        if let Some(before) = self.lists.get_mut(&list.name) {
            before.items.extend(list.items);
            before.order.visible = visible;
        }
        Ok(())
    }

    pub(crate) fn define_macro(&mut self, mut item: MacroItem) {
        item.order = self.order(self.macros.get(&item.name).map(|m| m.order));
        self.macros.insert(&item.name.clone(), item);
    }

    pub(crate) fn append_macro(&mut self, item: MacroItem) -> Decoded<()> {
        let help = || missing("macro", &item.name, self.macros.iter().map(|m| m.name.as_str()));
        if self.macros.get(&item.name).is_none() {
            return Err(Fault::validate(NO_MACRO, &item.context).with_help(help()).at(&item.place));
        }
        let visible = self.next();
        if let Some(before) = self.macros.get_mut(&item.name) {
            before.condition.push(" ");
            before.condition.append(&item.condition);
            before.order.visible = visible;
        }
        Ok(())
    }

    pub(crate) fn define_rule(
        &mut self,
        mut rule: RuleItem,
        sources: &[Source<'_>],
        report: &mut Report,
    ) -> Decoded<()> {
        self.check_source(&rule.name, &rule.source, &rule.context)?;
        let fields = catalogue(sources, &rule.source);
        rule.unknown_source = fields.is_none();
        if fields.is_none() {
            let message = format!("Unknown source {}, skipping", rule.source);
            report.warn(WarningCode::UnknownSource, message, &rule.context, &rule.place);
        }
        for exception in &mut rule.exceptions {
            if !exception.fields.is_given() {
                let message = "Rule exception item must have fields property with a list of fields";
                return Err(Fault::validate(message, &exception.context).at(&exception.place));
            }
            exception::complete(exception, fields)?;
        }
        rule.order = self.order(self.rules.get(&rule.name).map(|r| r.order));
        self.rules.insert(&rule.name.clone(), rule);
        Ok(())
    }

    /// A rule may not change its source when it names one.
    fn check_source(&self, name: &str, source: &str, context: &Context) -> Decoded<()> {
        match self.rules.get(name) {
            Some(before) if !before.source.is_empty() && !source.is_empty() && before.source != source => {
                Err(Fault::validate("Rule has been re-defined with a different source", context))
            }
            _ => Ok(()),
        }
    }

    /// The rule that an update changes, and the fields of its source.
    fn updated<'s>(
        &self,
        update: &RuleUpdate,
        absent: &str,
        empty: &str,
        sources: &[Source<'s>],
    ) -> Decoded<Option<&'s dyn Catalogue>> {
        self.check_source(&update.name, &update.source, &update.context)?;
        let Some(before) = self.rules.get(&update.name) else {
            let help = missing("rule", &update.name, self.rules.iter().map(|r| r.name.as_str()));
            return Err(Fault::validate(absent, &update.context).with_help(help).at(&update.place));
        };
        if update.is_empty() {
            return Err(Fault::validate(empty, &update.context).at(&update.place));
        }
        let fields = catalogue(sources, &before.source);
        if !before.unknown_source && fields.is_none() {
            return Err(Fault::validate(format!("Unknown source {}", before.source), &update.context));
        }
        Ok(fields.filter(|_| !before.unknown_source))
    }

    pub(crate) fn append_rule(&mut self, update: RuleUpdate, sources: &[Source<'_>]) -> Decoded<()> {
        let empty = "Appended rule must have exceptions or condition property";
        let fields = self.updated(&update, NO_RULE_APPEND, empty, sources)?;
        let visible = self.next();
        let Some(rule) = self.rules.get_mut(&update.name) else { return Ok(()) };
        if let Some(condition) = update.condition.filter(|c| !c.text.is_empty()) {
            rule.condition.push(" ");
            rule.condition.append(&condition);
        }
        if let Some(output) = update.output.filter(|o| !o.text.is_empty()) {
            rule.output.push(" ");
            rule.output.append(&output);
        }
        if let Some(desc) = update.desc.filter(|d| !d.is_empty()) {
            rule.desc.push(' ');
            rule.desc.push_str(&desc);
        }
        rule.tags.extend(update.tags.unwrap_or_default());
        for exception in update.exceptions.unwrap_or_default() {
            exception::append(&mut rule.exceptions, exception, fields)?;
        }
        rule.order.visible = visible;
        Ok(())
    }

    pub(crate) fn replace_in_rule(&mut self, update: RuleUpdate, sources: &[Source<'_>]) -> Decoded<()> {
        let empty = "The rule must have at least one field that can be replaced";
        self.updated(&update, NO_RULE_REPLACE, empty, sources)?;
        let visible = self.next();
        let Some(rule) = self.rules.get_mut(&update.name) else { return Ok(()) };
        replace(&mut rule.condition, update.condition);
        replace(&mut rule.output, update.output);
        replace(&mut rule.desc, update.desc);
        replace(&mut rule.tags, update.tags);
        replace(&mut rule.exceptions, update.exceptions);
        replace(&mut rule.priority, update.priority);
        replace(&mut rule.capture, update.capture);
        replace(&mut rule.capture_duration, update.capture_duration);
        replace(&mut rule.enabled, update.enabled);
        replace(&mut rule.warn_evttypes, update.warn_evttypes);
        replace(&mut rule.skip_if_unknown_filter, update.skip_if_unknown_filter);
        rule.order.visible = visible;
        Ok(())
    }

    /// `enabled` alone: switches a rule that is there.
    pub(crate) fn enable(&mut self, name: &str, enabled: bool, context: &Context) -> Decoded<()> {
        match self.rules.get_mut(name) {
            Some(rule) => {
                rule.enabled = enabled;
                Ok(())
            }
            None => {
                let help = missing("rule", name, self.rules.iter().map(|r| r.name.as_str()));
                let message = "Rule has 'enabled' key but no rule by that name already exists";
                Err(Fault::validate(message, context).with_help(help))
            }
        }
    }
}

fn replace<T>(old: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *old = new;
    }
}

/// "Did you mean" for the name of an item.
pub(crate) fn missing<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    peregrine_filter::suggest::nearest(name, known).map(|near| format!("did you mean the {what} '{near}'?"))
}
