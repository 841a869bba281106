//! Alerts on standard output: Falco's lines for programs, a readable layout for people at a terminal.

use crate::cli::{json_line, one_line};
use crate::config::Config;
use crate::failure::Failure;
use peregrine_alert::{Alert, Layout, Priority, time};
use std::io::{BufWriter, IsTerminal, StdoutLock, Write};

/// Where alerts are written.
pub struct Output {
    out: BufWriter<StdoutLock<'static>>,
    layout: Layout,
    enabled: bool,
    buffered: bool,
    terminal: bool,
    colours: bool,
}

impl Output {
    /// Standard output, as the configuration says.
    pub fn new(config: &Config, json: bool) -> Self {
        let stdout = std::io::stdout();
        let terminal = stdout.is_terminal();
        let layout = Layout {
            json: json || config.json_output,
            include_output: config.json_include_output,
            include_message: config.json_include_message,
            include_output_fields: config.json_include_output_fields,
            include_tags: config.json_include_tags,
            iso_time: config.time_iso_8601,
            ..Layout::default()
        };
        // https://no-color.org
        let colours = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            out: BufWriter::new(stdout.lock()),
            layout,
            enabled: config.stdout,
            buffered: config.buffered_outputs,
            terminal,
            colours,
        }
    }

    /// Nowhere: alerts are built and their lines made, but not written.
    pub fn none(config: &Config) -> Self {
        Self { enabled: false, ..Self::new(config, false) }
    }

    /// Writes one alert, and flushes unless the configuration buffers.
    pub fn alert(&mut self, alert: &Alert) -> Result<(), Failure> {
        if !self.enabled {
            return Ok(());
        }
        if self.terminal && !self.layout.json {
            self.readable(alert)?;
        } else if self.terminal {
            writeln!(self.out, "{}", json_line(&alert.line(&self.layout)))?;
        } else {
            writeln!(self.out, "{}", alert.line(&self.layout))?;
        }
        if !self.buffered {
            self.out.flush()?;
        }
        Ok(())
    }

    /// Writes what is buffered.
    pub fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }

    /// Time, severity and rule on one line, the message below it. No control character of it reaches the terminal.
    fn readable(&mut self, alert: &Alert) -> Result<(), Failure> {
        let clock =
            if self.layout.iso_time { time::iso8601(alert.time) } else { time::clock(alert.time, &self.layout.zone) };
        let (dim, colour, bold, end) = match self.colours {
            true => ("\x1b[2m", colour(alert.priority), "\x1b[1m", "\x1b[0m"),
            false => ("", "", "", ""),
        };
        let (rule, message) = (one_line(&alert.rule), one_line(&alert.message));
        writeln!(self.out, "{dim}{clock}{end} {colour}{:<13}{end} {bold}{rule}{end}", alert.priority)?;
        writeln!(self.out, "    {message}")?;
        Ok(())
    }
}

fn colour(priority: Priority) -> &'static str {
    match priority {
        Priority::Emergency | Priority::Alert | Priority::Critical => "\x1b[1;31m",
        Priority::Error => "\x1b[31m",
        Priority::Warning => "\x1b[33m",
        Priority::Notice => "\x1b[36m",
        Priority::Informational | Priority::Debug => "\x1b[2m",
    }
}

/// The name of this host in alerts: `FALCO_HOSTNAME`, else the kernel's.
pub fn hostname() -> String {
    match std::env::var_os("FALCO_HOSTNAME") {
        Some(name) => name.to_string_lossy().into_owned(),
        None => rustix::system::uname().nodename().to_string_lossy().into_owned(),
    }
}
