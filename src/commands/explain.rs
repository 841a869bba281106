//! `peregrine explain RULE…`: what a rule compiles to, needs and costs; over a capture, why it fired or not.

use crate::cli::{ConfigArgs, RulesArgs, one_line};
use crate::detector;
use crate::failure::Failure;
use crate::playback::Playback;
use crate::ruleset;
use peregrine_engine::explain::{Trace, TraceKind, Tracer, describe};
use peregrine_engine::fields::Fields;
use peregrine_engine::{Moment, Rule};
use peregrine_filter::format;
use peregrine_filter::suggest::nearest;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

/// Matches that are shown in full; the rest is counted.
const SHOWN: u64 = 3;

/// The command's options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names of rules
    #[arg(value_name = "RULE", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    rules: RulesArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Say of this capture's events why the rules fired, or what kept them from it
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
}

/// Explains.
pub fn execute(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    let mut playback = Playback::new(&config);
    let loaded = ruleset::load(&config, &args.rules, &playback.fields)?;
    let mut rules = Vec::new();
    for name in &args.names {
        let found = loaded.rules.iter().find(|rule| rule.name == *name).ok_or_else(|| {
            let near = nearest(name, loaded.rules.iter().map(|rule| rule.name.as_str()));
            let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
            Failure::Input(anyhow::anyhow!("no rule \"{name}\"{near}"))
        })?;
        rules.push(detector::engine_rule(found));
    }
    let mut out = std::io::stdout().lock();
    for (rule, name) in rules.iter().zip(&args.names) {
        let loaded = loaded.rules.iter().find(|loaded| loaded.name == *name);
        let enabled = loaded.is_none_or(|loaded| loaded.enabled);
        description(rule, enabled, &playback.fields, &mut out)?;
    }
    let Some(capture) = &args.capture else { return Ok(()) };
    for rule in &rules {
        let mut seen = Seen::new(rule, &playback.fields)?;
        playback.capture(capture, false, |moment, fields| seen.look(moment, fields, &mut out))?;
        seen.close(&rule.name, &mut out)?;
    }
    Ok(())
}

/// What a rule compiles to.
fn description(rule: &Rule, enabled: bool, fields: &Fields, out: &mut impl Write) -> Result<(), Failure> {
    let description = describe(rule, fields).map_err(|e| Failure::Input(anyhow::Error::new(e)))?;
    let off = if enabled { "" } else { ", switched off" };
    writeln!(out, "{} ({}{off})", one_line(&rule.name), rule.priority)?;
    writeln!(out, "  fields: {}", description.fields.join(" "))?;
    if description.forms.is_empty() {
        writeln!(out, "  it can match no event")?;
    }
    for form in &description.forms {
        writeln!(out, "  on {}", form.events.join(" "))?;
        writeln!(out, "    {}", one_line(&form.condition))?;
        let share = form.selectivity * 100.0;
        writeln!(
            out,
            "    about {:.0} ns an event, if nothing is shared; about {share:.2} % of them match",
            form.cost
        )?;
    }
    Ok(())
}

/// What became of a rule over a capture.
struct Seen {
    tracer: Tracer,
    line: format::Format,
    tried: u64,
    matched: u64,
    /// How often each comparison was the first to fail.
    failed: BTreeMap<String, u64>,
}

impl Seen {
    fn new(rule: &Rule, fields: &Fields) -> Result<Self, Failure> {
        let tracer = Tracer::new(rule, fields).map_err(|e| Failure::Input(anyhow::Error::new(e)))?;
        let text = "*%evt.num %evt.time %proc.name (%thread.tid) %evt.type %evt.args";
        let line = format::parse(text, fields).map_err(|e| Failure::Input(anyhow::Error::new(e)))?;
        Ok(Self { tracer, line, tried: 0, matched: 0, failed: BTreeMap::new() })
    }

    fn look(&mut self, moment: &Moment<'_>, fields: &Fields, out: &mut impl Write) -> Result<(), Failure> {
        if !self.tracer.applies(moment) {
            return Ok(());
        }
        self.tried += 1;
        let trace = self.tracer.trace(moment);
        match trace.first_false() {
            None => {
                self.matched += 1;
                if self.matched <= SHOWN {
                    let mut line = String::new();
                    peregrine_engine::output::write(&self.line, fields, moment, &mut line);
                    writeln!(out, "  fired on {}", one_line(&line))?;
                    show(&trace, 2, out)?;
                }
            }
            Some(Trace { kind: TraceKind::Check { text, .. }, .. }) => {
                *self.failed.entry(text.clone()).or_default() += 1;
            }
            Some(Trace { kind: TraceKind::Not(_), .. }) => {
                *self.failed.entry("a \"not\" part".into()).or_default() += 1
            }
            Some(_) => *self.failed.entry("all alternatives of an \"or\" part".into()).or_default() += 1,
        }
        Ok(())
    }

    fn close(self, name: &str, out: &mut impl Write) -> Result<(), Failure> {
        writeln!(out, "{}: tried on {} events, fired on {}", one_line(name), self.tried, self.matched)?;
        let mut failed: Vec<_> = self.failed.into_iter().collect();
        failed.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        for (text, count) in failed {
            writeln!(out, "  {count:>8} events failed first at: {}", one_line(&text))?;
        }
        Ok(())
    }
}

/// The parts of a condition that made it true, with the values they had.
fn show(trace: &Trace, depth: usize, out: &mut impl Write) -> Result<(), Failure> {
    let blank = "  ".repeat(depth);
    let sign = if trace.holds { "true " } else { "false" };
    match &trace.kind {
        TraceKind::Check { text, value, .. } => {
            let value = value.as_deref().unwrap_or("<NA>");
            writeln!(out, "{blank}{sign} {}   [{}]", one_line(text), one_line(value))?;
        }
        TraceKind::Not(inner) => {
            writeln!(out, "{blank}{sign} not")?;
            show(inner, depth + 1, out)?;
        }
        TraceKind::And(all) => {
            for part in all {
                show(part, depth, out)?;
            }
        }
        TraceKind::Or(all) => {
            writeln!(out, "{blank}{sign} one of {}", all.len())?;
            // What did not hold of many alternatives is noise.
            for part in all.iter().filter(|part| part.holds == trace.holds) {
                show(part, depth + 1, out)?;
            }
        }
    }
    Ok(())
}
