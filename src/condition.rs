//! A condition from the command line (`--filter`), compiled like a rule.

use crate::failure::Failure;
use crate::playback::SOURCE;
use peregrine_alert::Priority;
use peregrine_engine::fields::Fields;
use peregrine_engine::{Engine, Matching, Rule};
use peregrine_filter::{Position, check, events, parse};

/// Compiles a condition into an engine of one rule. `recorded`: for events of captures.
///
/// # Errors
/// [`Failure::Input`] with the condition and a caret below what is wrong.
pub fn compile(text: &str, fields: &Fields, recorded: bool) -> Result<Engine, Failure> {
    let tree = parse(text).map_err(|e| fault(text, e.position.index, &e.message, None))?;
    let checked =
        check(&tree, fields).map_err(|e| fault(text, e.span.start as usize, &e.message, e.help.as_deref()))?;
    let codes = events::filter_codes(&tree, recorded);
    for warning in &checked.warnings {
        tracing::warn!("{}", warning.message);
    }
    let rule = Rule {
        name: "--filter".into(),
        priority: Priority::Debug,
        source: SOURCE.into(),
        tags: Vec::new(),
        condition: checked.expr,
        codes,
    };
    Engine::new(vec![rule], fields, Matching::First).map_err(|e| fault(text, 0, &e.error.to_string(), None))
}

/// What is wrong with a text from the command line, the text itself, and a caret.
pub fn fault(text: &str, index: usize, message: &str, help: Option<&str>) -> Failure {
    let position = Position::of(text, index);
    let line = text.lines().nth(position.line as usize - 1).unwrap_or_default();
    let before = line.len().min(position.column as usize - 1);
    let blank: String = line.get(..before).unwrap_or_default().chars().map(|_| ' ').collect();
    let help = help.map(|help| format!("; {help}")).unwrap_or_default();
    Failure::Input(anyhow::anyhow!("{message}{help}\n  {line}\n  {blank}^"))
}
