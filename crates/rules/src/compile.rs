//! From collected items to compiled rules: exceptions written out, lists and macros put in, conditions and outputs
//! checked, event sets found. What stops and what warns, in which order, is Falco's (`rule_loader_compiler.cpp`).

use crate::code::{DEPRECATED_FIELDS, ErrorCode, WarningCode};
use crate::collect::{Collected, Source, catalogue, missing};
use crate::context::Context;
use crate::decode::Fault;
use crate::exception;
use crate::expand::{List, Lists, MAX_TOTAL_NODES, MacroFault, Macros, Resolved, Resolver};
use crate::items::{Place, RuleItem};
use crate::load::Options;
use crate::output::OutputAddition;
use crate::result::{Code, Diagnostic, Label, Report};
use crate::ruleset::{Definitions, ListDefinition, MacroDefinition, Rule, RuleDefinition, Ruleset};
use crate::source_map::{SourceMap, UseChain};
use crate::text::Text;
use crate::unsafe_use;
use peregrine_filter::ast::{Expr, Span};
use peregrine_filter::events::{event_codes, syscalls};
use peregrine_filter::field::Catalogue;
use peregrine_filter::format::FormatError;
use peregrine_filter::parser::{MAX_DEPTH, parse_at};
use peregrine_filter::{CheckError, Checked, Position};
use std::sync::Arc;

/// Codes above which a rule is said to have too many.
const MANY_EVENTS: usize = 100;
/// The source whose events are system calls.
const SYSCALL_SOURCE: &str = "syscall";
const TOO_LARGE: &str = "the condition is too large once its lists and macros are put in";

/// Compiles everything collected so far; what is wrong goes into the report, and then there are no rules.
pub(crate) fn compile(
    collected: &Collected,
    sources: &[Source<'_>],
    options: &Options,
    files: &[Arc<str>],
    report: &mut Report,
) -> Option<Ruleset> {
    let additions = &options.additions;
    let map = SourceMap::new(files);
    let keep = options.definitions;
    let mut compiler = Compiler { collected, sources, additions, keep, report, lists: Lists::default(), map, nodes: 0 };
    match compiler.run() {
        Ok(ruleset) => Some(ruleset),
        Err(Stopped(diagnostic)) => {
            compiler.report.push(*diagnostic);
            None
        }
    }
}

/// What the items say, before and after they are put into each other.
fn definitions(collected: &Collected, macros: &[Resolved], used: &[bool], lists: &[List]) -> Definitions {
    let texts = |items: &[Text]| items.iter().map(|item| item.text.clone()).collect();
    let rule = |item: &RuleItem| {
        let definition = RuleDefinition {
            condition: item.condition.text.clone(),
            output: item.output.text.clone(),
            enabled: item.enabled,
            exceptions: item.exceptions.iter().map(|e| (e.name.clone(), exception::operators(e))).collect(),
        };
        (item.name.clone(), definition)
    };
    Definitions {
        rules: collected.rules.iter().map(rule).collect(),
        macros: (collected.macros.iter().zip(macros).zip(used))
            .map(|((item, resolved), used)| MacroDefinition {
                name: item.name.clone(),
                condition: item.condition.text.clone(),
                compiled: resolved.tree.clone(),
                used: *used,
            })
            .collect(),
        lists: (collected.lists.iter().zip(lists))
            .map(|(item, list)| ListDefinition {
                name: item.name.clone(),
                items: texts(&item.items),
                compiled: texts(&list.items),
                used: list.used,
            })
            .collect(),
    }
}

/// An error that ends compilation.
struct Stopped(Box<Diagnostic>);

impl From<Box<Fault>> for Stopped {
    fn from(fault: Box<Fault>) -> Self {
        let label = |place: Place| Label { file: place.file, range: place.range, text: String::new() };
        Self(Box::new(Diagnostic {
            code: Code::Error(fault.code),
            message: fault.message,
            context: fault.context,
            deprecated_field: None,
            labels: fault.place.map(label).into_iter().collect(),
            help: fault.help,
        }))
    }
}

struct Compiler<'a, 'r> {
    collected: &'a Collected,
    sources: &'a [Source<'a>],
    additions: &'a [OutputAddition],
    /// Whether definitions are kept.
    keep: bool,
    report: &'r mut Report,
    lists: Lists,
    map: SourceMap,
    /// Nodes of all conditions so far.
    nodes: usize,
}

/// A parsed condition before its macros are resolved.
struct Parsed {
    tree: Expr,
    /// Where its spans start.
    base: u32,
}

impl Compiler<'_, '_> {
    fn run(&mut self) -> Result<Ruleset, Stopped> {
        self.compile_lists();
        let mut macro_used = vec![false; self.collected.macros.iter().count()];
        let macros = self.compile_macros(&mut macro_used)?;
        let rules = self.compile_rules(&macros, &mut macro_used)?;
        let definitions = self.keep.then(|| definitions(self.collected, &macros, &macro_used, &self.lists.lists));
        for (item, used) in self.collected.macros.iter().zip(macro_used) {
            if !used {
                let message = "Macro not referred to by any other rule/macro".to_owned();
                self.report.warn(WarningCode::UnusedMacro, message, &item.context, &item.place);
            }
        }
        for (item, list) in self.collected.lists.iter().zip(&self.lists.lists) {
            if !list.used {
                let message = "List not referred to by any other rule/macro".to_owned();
                self.report.warn(WarningCode::UnusedList, message, &item.context, &item.place);
            }
        }
        let (plugins, engine_version) = (self.collected.plugins.clone(), self.collected.engine_version);
        Ok(Ruleset { rules, plugins, engine_version, min_priority: None, definitions: definitions.unwrap_or_default() })
    }

    /// Items that name lists defined before are replaced by those lists' items, one level deep.
    fn compile_lists(&mut self) {
        let mut used = vec![false; self.collected.lists.iter().count()];
        let mut lists = Vec::new();
        for list in self.collected.lists.iter() {
            let mut items = Vec::with_capacity(list.items.len());
            for item in &list.items {
                match self.collected.lists.get(&item.text) {
                    Some(inner) if inner.order.index < list.order.visible => {
                        if let Some(i) = self.collected.lists.position(&item.text) {
                            used[i] = true;
                        }
                        items.extend(inner.items.iter().cloned());
                    }
                    _ => items.push(item.clone()),
                }
            }
            lists.push(List { name: list.name.clone(), items, used: false });
        }
        for (list, used) in lists.iter_mut().zip(used) {
            list.used = used;
        }
        self.lists = Lists::new(lists);
    }

    /// Puts lists in and parses.
    fn parse(&mut self, condition: &Text, owner: &str, context: &Context, place: &Place) -> Result<Parsed, Stopped> {
        let Ok(condition) = self.lists.substitute(condition) else { return Err(too_large(context, place)) };
        let Some(base) = self.map.reserve(condition.text.len()) else { return Err(too_large(context, place)) };
        let parsed = parse_at(&condition.text, base, MAX_DEPTH);
        self.map.add(base, owner, condition.clone());
        match parsed {
            Ok(tree) => Ok(Parsed { tree, base }),
            Err(error) => {
                let at = base + error.position.index as u32;
                Err(Stopped(Box::new(Diagnostic {
                    code: Code::Error(ErrorCode::CompileCondition),
                    message: error.message,
                    context: context.condition(error.position, &condition.text.into()),
                    deprecated_field: None,
                    labels: self.map.labels(Span { start: at, end: at + error.length as u32 }, None),
                    help: error.help,
                })))
            }
        }
    }

    fn compile_macros(&mut self, used: &mut [bool]) -> Result<Vec<Resolved>, Stopped> {
        let items: Vec<_> = self.collected.macros.iter().collect();
        let mut trees = Vec::with_capacity(items.len());
        for item in &items {
            let owner = format!("macro '{}'", item.name);
            let parsed = self.parse(&item.condition, &owner, &item.condition_context, &item.place)?;
            self.map.define_macro(&item.name, parsed.base, &parsed.tree);
            trees.push(Resolved::new(parsed.tree));
        }
        for (i, item) in items.iter().enumerate() {
            let macros = Macros { items: &self.collected.macros, trees: &trees, visible: item.order.visible };
            let mut resolver = Resolver::new(&macros);
            let resolved = resolver.run(&trees[i].tree);
            resolver.used.iter().for_each(|i| used[*i] = true);
            let tree = resolved
                .map_err(|fault| self.macro_fault(fault, &macros, &item.condition.text, &item.context, &item.place))?;
            let tree = Resolved::new(tree);
            self.count(tree.nodes, &item.context, &item.place)?;
            trees[i] = tree;
        }
        Ok(trees)
    }

    /// Counts what macros made of a condition, which many macros of macros could make grow without end.
    fn count(&mut self, nodes: usize, context: &Context, place: &Place) -> Result<(), Stopped> {
        self.nodes += nodes;
        if self.nodes > MAX_TOTAL_NODES { Err(too_large(context, place)) } else { Ok(()) }
    }

    fn macro_fault(
        &self,
        fault: MacroFault,
        macros: &Macros<'_>,
        condition: &str,
        context: &Context,
        place: &Place,
    ) -> Stopped {
        let (message, span, help) = match fault {
            MacroFault::TooLarge => return too_large(context, place),
            MacroFault::Loop { name, span } => (format!("reference loop in macro '{name}'"), span, None),
            MacroFault::Unknown { name, span } => {
                let help = missing("macro", &name, macros.names()).or_else(|| {
                    let later = self.collected.macros.get(&name).is_some();
                    later.then(|| format!("'{name}' is defined after its use; a macro sees those before it alone"))
                });
                (format!("Undefined macro '{name}' used in filter."), span, help)
            }
        };
        Stopped(Box::new(Diagnostic {
            code: Code::Error(ErrorCode::Validate),
            message,
            context: context.condition(self.map.position(span.start), &condition.into()),
            deprecated_field: None,
            labels: self.map.labels(span, None),
            help,
        }))
    }

    /// Falco's result ends with the first rule that does not compile; the author is told of the others too.
    fn compile_rules(&mut self, macros: &[Resolved], used: &mut [bool]) -> Result<Vec<Rule>, Stopped> {
        let collected = self.collected;
        let macros = Macros { items: &collected.macros, trees: macros, visible: u32::MAX };
        let mut rules = Vec::new();
        let mut items = collected.rules.iter().filter(|rule| !rule.unknown_source);
        let Err(first) = self.compile_each(&mut items, &macros, used, &mut rules) else { return Ok(rules) };
        let (warnings, notes) = (self.report.warnings.len(), self.report.notes.len());
        while let Err(Stopped(more)) = self.compile_each(&mut items, &macros, used, &mut rules) {
            self.report.further.push(*more);
        }
        self.report.warnings.truncate(warnings);
        self.report.notes.truncate(notes);
        Err(first)
    }

    /// Compiles rules up to the first that is wrong.
    fn compile_each<'i>(
        &mut self,
        items: &mut impl Iterator<Item = &'i RuleItem>,
        macros: &Macros<'_>,
        used: &mut [bool],
        rules: &mut Vec<Rule>,
    ) -> Result<(), Stopped> {
        for item in items {
            let Some(fields) = catalogue(self.sources, &item.source) else {
                let message = format!("Unknown source at compile-time{}", item.source);
                return Err(Fault::validate(message, &item.context).at(&item.place).into());
            };
            if let Some(rule) = self.rule(item, fields, macros, used, rules.len())? {
                rules.push(rule);
            }
        }
        Ok(())
    }

    fn rule(
        &mut self,
        item: &RuleItem,
        fields: &dyn Catalogue,
        macros: &Macros<'_>,
        used: &mut [bool],
        index: usize,
    ) -> Result<Option<Rule>, Stopped> {
        let condition = if item.exceptions.is_empty() {
            item.condition.clone()
        } else {
            exception::write(&item.condition, &item.exceptions)?
        };
        let output = self.output(item, fields);
        if output.is_err()
            && let Err(Stopped(more)) = self.condition(item, &condition, fields, macros, used)
        {
            self.report.further.push(*more);
        }
        let Some((output, format)) = output? else { return Ok(None) };
        let extra_fields = self.extra_fields(item, fields)?;
        let Some((tree, checked)) = self.condition(item, &condition, fields, macros, used)? else { return Ok(None) };
        let codes = event_codes(&tree, fields.async_events()).map_err(|message| {
            Fault::new(ErrorCode::CompileCondition, message, &item.condition_context).at(&item.place)
        })?;
        let calls = syscalls(&tree).unwrap_or_default();
        if item.source == SYSCALL_SOURCE && codes.len() > MANY_EVENTS && item.warn_evttypes {
            let message = "Rule matches too many evt.type values. This has a significant performance penalty.";
            self.report.warn(WarningCode::NoEvttype, message.into(), &item.context, &item.place);
        }
        if codes.is_empty() {
            let label = Label { file: item.place.file, range: item.place.range.clone(), text: String::new() };
            self.report.push(Diagnostic {
                code: Code::Note,
                message: "the rule's condition can be true for no event".into(),
                context: item.context.clone(),
                deprecated_field: None,
                labels: vec![label],
                help: None,
            });
        }
        Ok(Some(Rule::new(index, item, &tree, checked.expr, (codes, calls), output, format, extra_fields)))
    }

    fn output(
        &mut self,
        item: &RuleItem,
        fields: &dyn Catalogue,
    ) -> Result<Option<(String, peregrine_filter::format::Format)>, Stopped> {
        let mut output = item.output.text.clone();
        for addition in self.additions.iter().filter(|a| a.applies_to(item)) {
            if let Some(text) = &addition.text {
                output.push(' ');
                output.push_str(text);
            }
        }
        if output.contains("%container.info") {
            let message = "%container.info is deprecated and no more useful, and will be dropped by Falco 1.0.0. \
                           The container plugin will automatically add required fields to the output message.";
            self.report.warn(WarningCode::DeprecatedItem, message.into(), &item.context, &item.place);
            output = output.replace("%container.info", "");
        }
        let format = match peregrine_filter::format::parse(&output, fields) {
            // Falco puts a `*` before every output: what has no value prints `<NA>`.
            Ok(format) => peregrine_filter::format::Format { require_all: false, ..format },
            Err(error) if unknown_filter(&error.message) && item.skip_if_unknown_filter => {
                let FormatError { message, help, .. } = error;
                let (context, place) = (&item.output_context, &item.output_place);
                self.report.warn_with_help(WarningCode::UnknownFilter, message, context, place, help);
                return Ok(None);
            }
            Err(error) => {
                let mut stopped = output_fault(error.clone(), item);
                // Offsets count in what was written as long as nothing was taken out of it.
                if output.starts_with(&item.output.text)
                    && let Some(label) = self.map.output_label(&item.output, &error)
                {
                    stopped.0.labels = vec![label];
                }
                return Err(stopped);
            }
        };
        self.warn_deprecated_output(&output, item);
        Ok(Some((output, format)))
    }

    fn extra_fields(
        &mut self,
        item: &RuleItem,
        fields: &dyn Catalogue,
    ) -> Result<Vec<crate::ruleset::ExtraField>, Stopped> {
        let mut found: Vec<crate::ruleset::ExtraField> = Vec::new();
        let additions = self.additions;
        for addition in additions.iter().filter(|a| a.applies_to(item)) {
            for extra in &addition.fields {
                let mut format = peregrine_filter::format::parse(&extra.format, fields)
                    .map_err(|error| output_fault(error, item))?;
                format.require_all = false;
                self.warn_deprecated_output(&extra.format, item);
                found.retain(|f| f.key != extra.key);
                let (key, text) = (extra.key.clone(), extra.format.clone());
                found.push(crate::ruleset::ExtraField { key, format, text, raw: extra.raw });
            }
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    fn warn_deprecated_output(&mut self, output: &str, item: &RuleItem) {
        for field in DEPRECATED_FIELDS.iter().filter(|field| output.contains(field.name)) {
            let place = &item.output_place;
            self.report.push(Diagnostic {
                code: Code::Warning(WarningCode::DeprecatedItem),
                message: format!("usage of deprecated field '{}' has been detected in the rule output", field.name),
                context: item.output_context.clone(),
                deprecated_field: Some(field.name),
                labels: vec![Label { file: place.file, range: place.range.clone(), text: String::new() }],
                help: None,
            });
        }
    }

    fn condition(
        &mut self,
        item: &RuleItem,
        condition: &Text,
        fields: &dyn Catalogue,
        macros: &Macros<'_>,
        used: &mut [bool],
    ) -> Result<Option<(Expr, Checked)>, Stopped> {
        let owner = format!("rule '{}'", item.name);
        let parsed = self.parse(condition, &owner, &item.condition_context, &item.place)?;
        let mut resolver = Resolver::new(macros);
        let resolved = resolver.run(&parsed.tree);
        resolver.used.iter().for_each(|i| used[*i] = true);
        let nodes = resolver.nodes();
        let tree =
            resolved.map_err(|fault| self.macro_fault(fault, macros, &condition.text, &item.context, &item.place))?;
        self.count(nodes, &item.context, &item.place)?;
        let written: Arc<str> = condition.text.as_str().into();
        let chain = UseChain { name: &item.name, base: parsed.base, tree: &parsed.tree };
        self.warn_unsafe(&tree, item, &written, &chain);
        let checked = match peregrine_filter::check(&tree, fields) {
            Ok(checked) => checked,
            Err(error) => {
                let diagnostic = self.condition_fault(error, item, &written, &chain);
                if unknown_filter(&diagnostic.message) && item.skip_if_unknown_filter {
                    self.report.push(Diagnostic { code: Code::Warning(WarningCode::UnknownFilter), ..diagnostic });
                    return Ok(None);
                }
                return Err(Stopped(Box::new(diagnostic)));
            }
        };
        let remarks = checked.warnings.iter().map(|w| (Code::Warning(WarningCode::CompileCondition), w));
        for (code, remark) in remarks.chain(checked.notes.iter().map(|n| (Code::Note, n))) {
            let position = self.map.position(remark.anchor);
            self.report.push(Diagnostic {
                code,
                message: remark.message.clone(),
                context: item.condition_context.condition(position, &written),
                deprecated_field: None,
                labels: self.map.labels(remark.span, Some(&chain)),
                help: None,
            });
        }
        Ok(Some((tree, checked)))
    }

    fn condition_fault(
        &self,
        error: CheckError,
        item: &RuleItem,
        condition: &Arc<str>,
        chain: &UseChain<'_>,
    ) -> Diagnostic {
        Diagnostic {
            code: Code::Error(ErrorCode::CompileCondition),
            message: error.message,
            context: item.condition_context.condition(self.map.position(error.anchor), condition),
            deprecated_field: None,
            labels: self.map.labels(error.span, Some(chain)),
            help: error.help,
        }
    }

    /// Comparisons with `<NA>` and deprecated fields, which Falco reports once each for the whole condition.
    fn warn_unsafe(&mut self, tree: &Expr, item: &RuleItem, condition: &Arc<str>, chain: &UseChain<'_>) {
        let context = item.condition_context.condition(Position::default(), condition);
        let found = unsafe_use::find(tree);
        if let Some(span) = found.na_check {
            self.report.push(Diagnostic {
                code: Code::Warning(WarningCode::UnsafeNaCheck),
                message: String::new(),
                context: context.clone(),
                deprecated_field: None,
                labels: self.map.labels(span, Some(chain)),
                help: None,
            });
        }
        for (field, span) in DEPRECATED_FIELDS.iter().zip(found.deprecated) {
            let Some(span) = span else { continue };
            self.report.push(Diagnostic {
                code: Code::Warning(WarningCode::DeprecatedItem),
                message: field.text.into(),
                context: context.clone(),
                deprecated_field: Some(field.name),
                labels: self.map.labels(span, Some(chain)),
                help: None,
            });
        }
    }
}

fn too_large(context: &Context, place: &Place) -> Stopped {
    Fault::new(ErrorCode::CompileCondition, TOO_LARGE, context).at(place).into()
}

fn output_fault(error: FormatError, item: &RuleItem) -> Stopped {
    let fault = Fault::new(ErrorCode::CompileOutput, error.message, &item.output_context).at(&item.output_place);
    fault.with_help(error.help).into()
}

/// Whether an error is of the kind that `skip-if-unknown-filter` makes a warning of; told by its words, as Falco does.
fn unknown_filter(message: &str) -> bool {
    ["nonexistent field", "invalid formatting token", "unknown event type", "unknown filter:"]
        .iter()
        .any(|words| message.contains(words))
}
