//! Rules over moments: the compiled engine, and the alerts that its matches become.

use crate::config::{CaptureMode, CaptureSettings};
use crate::failure::Failure;
use crate::output::Output;
use crate::recorder::{self, Shared, Trigger};
use peregrine_alert::{Alert, Json};
use peregrine_engine::fields::Fields;
use peregrine_engine::{Engine, Matching, Moment, output};
use peregrine_rules::Rule;
use std::collections::HashMap;
use std::time::Duration;

/// The rules at work.
pub struct Detector {
    engine: Engine,
    /// What alerts need of the engine's rules, in its order.
    rules: Vec<Rule>,
    hostname: String,
    recording: Option<(Shared, CaptureSettings)>,
}

impl Detector {
    /// Compiles the enabled rules.
    pub fn new(rules: Vec<Rule>, fields: &Fields, matching: Matching) -> Result<Self, Failure> {
        let mut rules: Vec<Rule> = rules.into_iter().filter(|rule| rule.enabled).collect();
        for rule in &mut rules {
            // What is missing prints as <NA>, whatever the output begins with.
            rule.format.require_all = false;
            rule.extra_fields.iter_mut().for_each(|field| field.format.require_all = false);
        }
        let engine = Engine::new(rules.iter().map(engine_rule).collect(), fields, matching)
            .map_err(|error| Failure::Input(anyhow::Error::new(error)))?;
        Ok(Self { engine, rules, hostname: crate::output::hostname(), recording: None })
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Has matches begin captures, as the settings say.
    pub fn record(&mut self, recorder: Shared, settings: &CaptureSettings) {
        self.recording = Some((recorder, settings.clone()));
    }

    /// Tells the recorder of the last event's matches.
    fn tell_recorder(&self, moment: &Moment<'_>) {
        let Some((recorder, settings)) = &self.recording else { return };
        for rule in self.engine.hits().iter().map(|index| &self.rules[*index as usize]) {
            let own = Duration::from_millis(u64::from(rule.capture_duration));
            recorder::locked(recorder).trigger(Trigger {
                num: moment.context.num,
                ts: moment.event.ts,
                duration: if own.is_zero() { settings.default_duration } else { own },
                begins: rule.capture || settings.mode == CaptureMode::AllRules,
            });
        }
    }

    /// Evaluates the rules and writes an alert for each that matches.
    pub fn look(&mut self, moment: &Moment<'_>, fields: &Fields, out: &mut Output) -> Result<(), Failure> {
        for index in self.engine.evaluate(moment) {
            let alert = alert(&self.rules[*index as usize], moment, fields, &self.hostname);
            out.alert(alert)?;
        }
        if !self.quiet() {
            self.tell_recorder(moment);
        }
        Ok(())
    }

    /// Whether the last event raised no alert.
    pub fn quiet(&self) -> bool {
        self.engine.hits().is_empty()
    }

    /// Goes on counting where another left off, by the rules' names.
    pub fn adopt(&mut self, other: &Detector) {
        let counted: HashMap<&str, u64> = other.counts().map(|(rule, n)| (rule.name.as_str(), n)).collect();
        let counts = self.rules.iter().map(|rule| counted.get(rule.name.as_str()).copied().unwrap_or(0));
        self.engine.set_matches(counts.collect());
    }

    /// How often each rule matched, in the order of loading.
    pub fn counts(&self) -> impl Iterator<Item = (&Rule, u64)> {
        self.rules.iter().zip(self.engine.matches().iter().copied())
    }

    /// How often each rule matched, those that did, most often first.
    pub fn matches(&self) -> Vec<(&str, u64)> {
        let counted = self.rules.iter().zip(self.engine.matches());
        let mut counted: Vec<_> = counted.filter(|(_, n)| **n > 0).map(|(rule, n)| (rule.name.as_str(), *n)).collect();
        counted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        counted
    }
}

/// A rule as the engine takes it.
pub fn engine_rule(rule: &Rule) -> peregrine_engine::Rule {
    peregrine_engine::Rule {
        name: rule.name.clone(),
        priority: rule.priority,
        source: rule.source.clone(),
        tags: rule.tags.iter().cloned().collect(),
        condition: rule.condition.clone(),
        codes: rule.events,
    }
}

fn alert(rule: &Rule, moment: &Moment<'_>, fields: &Fields, hostname: &str) -> Alert {
    let mut message = String::with_capacity(256);
    output::write(&rule.format, fields, moment, &mut message);
    let mut output_fields = output::values(&rule.format, fields, moment, false);
    for extra in &rule.extra_fields {
        let value = if extra.raw {
            extra.format.keys.first().map_or(Json::Null, |key| output::json(&key.value, fields, moment))
        } else {
            let mut text = String::new();
            output::write(&extra.format, fields, moment, &mut text);
            Json::Text(text)
        };
        output_fields.push((extra.key.clone(), value));
    }
    Alert {
        rule: rule.name.clone(),
        priority: rule.priority,
        source: rule.source.clone(),
        tags: rule.tags.iter().cloned().collect(),
        time: moment.event.ts,
        hostname: hostname.to_owned(),
        message,
        output_fields,
        internal: false,
    }
}
