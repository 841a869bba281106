//! Rules over moments: the compiled engine, and the alerts that its matches become.

use crate::config::{CaptureMode, CaptureSettings};
use crate::failure::Failure;
use crate::hold::{Candidate, Draft, Entry, Hold, HoldFigures, HoldLimits, View, Waiting, mark};
use crate::output::Output;
use crate::recorder::{self, Shared, Trigger};
use peregrine_alert::{Alert, Json};
use peregrine_engine::fields::Fields;
use peregrine_engine::late::{LateRule, Verdict};
use peregrine_engine::{Engine, Lack, Matching, Moment, output};
use peregrine_event::Event;
use peregrine_rules::Rule;
use std::collections::HashMap;
use std::time::Duration;

/// The rules at work.
pub struct Detector {
    engine: Engine,
    /// What alerts need of the engine's rules, in its order.
    rules: Vec<Rule>,
    /// Those of the rules whose conditions ask for the container.
    late: Vec<Option<LateRule>>,
    hold: Hold,
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
        let compiled: Vec<_> = rules.iter().map(engine_rule).collect();
        let wrong = |error| Failure::Input(anyhow::Error::new(error));
        let late = compiled.iter().map(|rule| LateRule::new(rule, fields)).collect::<Result<_, _>>().map_err(wrong)?;
        let engine = Engine::new(compiled, fields, matching).map_err(wrong)?;
        let (hold, hostname) = (Hold::default(), crate::output::hostname());
        Ok(Self { engine, rules, late, hold, hostname, recording: None })
    }

    /// How long events wait for their containers, and how many.
    pub fn limit(&mut self, limits: HoldLimits) {
        self.hold.limit(limits);
    }

    /// What became of events that waited for their containers.
    pub fn held(&self) -> HoldFigures {
        self.hold.figures
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Has matches begin captures, as the settings say.
    pub fn record(&mut self, recorder: Shared, settings: &CaptureSettings) {
        self.recording = Some((recorder, settings.clone()));
    }

    /// Tells the recorder of an event's matches.
    fn tell_recorder(&self, moment: &Moment<'_>, hits: &[u32]) {
        let Some((recorder, settings)) = &self.recording else { return };
        for rule in hits.iter().map(|index| &self.rules[*index as usize]) {
            let own = Duration::from_millis(u64::from(rule.capture_duration));
            recorder::locked(recorder).trigger(Trigger {
                num: moment.context.num,
                ts: moment.event.ts,
                duration: if own.is_zero() { settings.default_duration } else { own },
                begins: rule.capture || settings.mode == CaptureMode::AllRules,
            });
        }
    }

    /// Evaluates the rules and writes an alert for each that matches. One that asks for a container of which nobody has
    /// told yet waits, and all after it, see [`Detector::tend`].
    pub fn look(&mut self, moment: &Moment<'_>, fields: &Fields, out: &mut Output) -> Result<(), Failure> {
        if !self.hold.is_empty() {
            let view = View { state: moment.state, session: moment.session, scratch: moment.scratch, fields };
            self.tend(view, moment.event.ts, out)?;
        }
        moment.session.forget_lack();
        self.engine.evaluate(moment);
        if moment.session.lack() == Lack::NotYet {
            self.engine.take_back();
            let candidates = self.candidates(moment, fields);
            return self.wait(candidates, moment, fields, out);
        }
        if self.quiet() {
            return Ok(());
        }
        self.tell_recorder(moment, self.engine.hits());
        let unknown = moment.session.lack() == Lack::Unknown;
        let mut alerts = Vec::with_capacity(self.engine.hits().len());
        for index in self.engine.hits() {
            moment.session.forget_lack();
            let mut alert = alert(&self.rules[*index as usize], moment, fields, &self.hostname);
            match moment.session.lack() {
                Lack::Unknown => self.hold.figures.marked += u64::from(mark(&mut alert, Lack::Unknown)),
                Lack::NotYet => {
                    let candidates = self.drafts(self.engine.hits().iter().map(|rule| (*rule, None)), moment, fields);
                    self.engine.take_back();
                    return self.wait(candidates, moment, fields, out);
                }
                // Its condition asked for what is not known.
                Lack::Nothing if unknown && self.late[*index as usize].is_some() => {
                    self.hold.figures.marked += u64::from(mark(&mut alert, Lack::Unknown));
                }
                Lack::Nothing => {}
            }
            alerts.push(alert);
        }
        alerts.into_iter().try_for_each(|alert| self.send(alert, out))
    }

    /// Sends an alert, behind those that wait.
    fn send(&mut self, alert: Alert, out: &mut Output) -> Result<(), Failure> {
        if self.hold.is_empty() {
            return out.alert(alert);
        }
        self.hold.push(Entry::Ready(alert));
        Ok(())
    }

    /// The rules that match an event whose container is not known yet, and those that may.
    fn candidates(&mut self, moment: &Moment<'_>, fields: &Fields) -> Vec<Candidate> {
        let sure = self.engine.all_matches(moment);
        let mut found = Vec::new();
        for index in 0..self.rules.len() as u32 {
            let verdict = match &mut self.late[index as usize] {
                Some(_) if !self.rules[index as usize].events.contains(moment.event.code) => continue,
                Some(late) => late.begin(moment),
                None => Verdict::Decided(sure.contains(&index)),
            };
            match verdict {
                Verdict::Decided(false) => {}
                Verdict::Open(undecided) => found.push((index, Some(undecided))),
                Verdict::Decided(true) => {
                    found.push((index, None));
                    if self.engine.matching() == Matching::First {
                        break;
                    }
                }
            }
        }
        self.drafts(found.into_iter(), moment, fields)
    }

    fn drafts(
        &self,
        rules: impl Iterator<Item = (u32, Option<peregrine_engine::late::Undecided>)>,
        moment: &Moment<'_>,
        fields: &Fields,
    ) -> Vec<Candidate> {
        let draft = |rule: u32| Draft::new(&self.rules[rule as usize], moment, fields, &self.hostname);
        rules.map(|(rule, open)| Candidate { rule, open, draft: draft(rule) }).collect()
    }

    fn wait(
        &mut self,
        candidates: Vec<Candidate>,
        moment: &Moment<'_>,
        fields: &Fields,
        out: &mut Output,
    ) -> Result<(), Failure> {
        if candidates.is_empty() {
            return Ok(());
        }
        self.hold.push(Entry::Waiting(Box::new(Waiting {
            container: moment.container_of_thread(),
            bytes: (moment.event.bytes().to_vec(), moment.event.cpu),
            ts: moment.event.ts,
            context: *moment.context,
            candidates,
        })));
        // Too many may wait by now.
        let view = View { state: moment.state, session: moment.session, scratch: moment.scratch, fields };
        self.tend(view, moment.event.ts, out)
    }

    /// Sends what need not wait any longer at a time, in nanoseconds since the epoch; at the end of all times everything.
    ///
    /// # Errors
    /// As [`Output::alert`].
    pub fn tend(&mut self, view: View<'_>, now: u64, out: &mut Output) -> Result<(), Failure> {
        while let Some(entry) = self.hold.next(view.state, now) {
            match entry {
                Entry::Ready(alert) => out.alert(alert)?,
                Entry::Waiting(waiting) => self.decide(*waiting, view, out)?,
            }
        }
        Ok(())
    }

    /// Whether something waits for [`Detector::tend`].
    pub fn is_holding(&self) -> bool {
        !self.hold.is_empty()
    }

    /// Decides about an event whose container is known by now, or will not be.
    fn decide(&mut self, waiting: Waiting, view: View<'_>, out: &mut Output) -> Result<(), Failure> {
        let Ok(event) = Event::parse(&waiting.bytes.0, waiting.bytes.1) else { return Ok(()) };
        let known = view.state.container(&waiting.container).is_some();
        view.session.later(Some(waiting.container));
        let moment = Moment {
            event: &event,
            context: &waiting.context,
            state: view.state,
            source: crate::playback::SOURCE,
            scratch: view.scratch,
            session: view.session,
        };
        let (mut hits, mut alerts) = (Vec::new(), Vec::new());
        for candidate in waiting.candidates {
            let late = self.late[candidate.rule as usize].as_mut();
            let matches = match (&candidate.open, late) {
                (Some(undecided), Some(late)) => late.end(&moment, undecided),
                _ => true,
            };
            if !matches {
                continue;
            }
            self.engine.count(candidate.rule);
            hits.push(candidate.rule);
            alerts.push(candidate.draft.finish(&moment, view.fields));
            if self.engine.matching() == Matching::First {
                break;
            }
        }
        self.tell_recorder(&moment, &hits);
        view.session.later(None);
        for mut alert in alerts {
            if !known {
                self.hold.figures.marked += u64::from(mark(&mut alert, Lack::NotYet));
            }
            out.alert(alert)?;
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
        self.hold.figures = other.hold.figures;
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

/// The alert of a rule that matches.
pub(crate) fn alert(rule: &Rule, moment: &Moment<'_>, fields: &Fields, hostname: &str) -> Alert {
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
