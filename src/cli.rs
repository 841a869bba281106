//! The command line: a contract that scripts and dashboards rest on.

use crate::commands::Command;
use crate::config;
use crate::failure::Failure;
use crate::log;
use clap::{Args, Parser};
use std::borrow::Cow;
use std::path::PathBuf;

const CONTRACT: &str = "\
Alerts go to standard output and nothing else does; logs go to standard error.
Exit codes: 0 fine, 1 the input is wrong, 2 the usage is wrong, 3 the system refuses.";

/// Runtime security for Linux: watches what programs do, checks every event against rules, raises alerts.
#[derive(Debug, Parser)]
#[command(name = "peregrine", version, max_term_width = 100, after_help = CONTRACT)]
pub struct Cli {
    /// Say more on standard error
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Starts logging to standard error.
    pub fn log(&self) {
        log::start(log::Style::Peregrine, self.verbose);
    }
}

/// The options of every command that loads a configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    /// Configuration file, as falco.yaml
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Override a configuration key, e.g. -o rule_matching=all
    #[arg(short = 'o', long = "option", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

impl ConfigArgs {
    /// Loads the configuration and logs what is odd about it.
    pub fn load(&self) -> Result<config::Config, Failure> {
        self.load_whole().map(|loaded| loaded.config)
    }

    /// As [`ConfigArgs::load`], with what else is known of where it came from.
    pub fn load_whole(&self) -> Result<config::Loaded, Failure> {
        let loaded = self.read()?;
        loaded.warn();
        Ok(loaded)
    }

    /// Loads the configuration; what is odd about it is left with its files, but for the overrides.
    pub fn load_with_files(&self) -> Result<(config::Config, Vec<config::ConfigFile>), Failure> {
        let loaded = self.read()?;
        let option = |warning: &&config::Fault| warning.place.line == 0;
        loaded.warnings.iter().filter(option).for_each(|warning| tracing::warn!("{warning}"));
        Ok((loaded.config, loaded.files))
    }

    fn read(&self) -> Result<config::Loaded, Failure> {
        let loaded = config::load(self.config.as_deref(), &self.overrides)
            .map_err(|fault| Failure::Input(anyhow::anyhow!(fault.to_string())))?;
        log::configure(&loaded.config.log, loaded.config.time_iso_8601);
        Ok(loaded)
    }
}

/// The option of every command that loads rules.
#[derive(Debug, Clone, Default, Args)]
pub struct RulesArgs {
    /// Rules file, or a directory of them; may be repeated, and replaces the configuration's rules_files
    #[arg(short = 'r', long = "rules", value_name = "RULES")]
    pub rules: Vec<PathBuf>,
}

/// Whether a character may change what a terminal does, or in which direction it writes.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A text without raw control or direction characters, for a terminal: they show as escapes, line breaks and tabs stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    let raw = |c: char| is_unsafe(c) && c != '\n' && c != '\t';
    if !text.contains(raw) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if raw(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// A line of JSON for a terminal: what JSON itself lets stand raw (delete, the upper control characters, direction
/// marks) shows as JSON's own escapes, so that the line still says the same.
pub fn json_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // All of them are in the basic plane: one escape each.
        if is_unsafe(c) { out.push_str(&format!("\\u{:04x}", u32::from(c))) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// A text on one line: like [`printable`], and line breaks and tabs show as escapes too.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(['\n', '\t']) {
        return printable(text);
    }
    Cow::Owned(printable(text).replace('\n', "\\n").replace('\t', "\\t"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_control_character_stays_raw() {
        assert_eq!(printable("a\tb\n"), "a\tb\n");
        assert_eq!(printable("\x1b[31mred\u{9b}"), "\\u{1b}[31mred\\u{9b}");
        assert_eq!(one_line("fdp.exe\u{202e}\n"), "fdp.exe\\u{202e}\\n");
    }

    #[test]
    fn a_line_of_json_says_the_same_without_raw_characters() {
        let line = "{\"a\":\"x\u{9b}31m\u{202e}\u{7f}\u{e9}\"}";
        assert_eq!(json_line(line), "{\"a\":\"x\\u009b31m\\u202e\\u007f\u{e9}\"}");
    }
}
