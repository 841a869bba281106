//! Every output, one row each. What lists, checks or documents outputs reads this.

use crate::error::Error;
use crate::settings::Settings;
use crate::sink::Sink;
use crate::sinks::{file, http, program, stdout, syslog};

/// A sink, or why it cannot be made.
pub type Made = Result<Box<dyn Sink>, Error>;

/// One output.
pub struct Output {
    /// Its name in logs and metrics.
    pub name: &'static str,
    /// The configuration's keys about it: all below these.
    pub keys: &'static [&'static str],
    /// One sentence.
    pub doc: &'static str,
    /// Makes it, if the settings ask for it. Nothing is opened or connected yet.
    pub open: fn(&Settings) -> Option<Made>,
}

/// All outputs, in the order in which they are offered alerts.
pub const OUTPUTS: &[Output] = &[
    Output {
        name: "stdout",
        keys: &["stdout_output"],
        doc: "standard output: a line of text, or of JSON, an alert",
        open: |all| all.stdout.clone().map(|own| Ok(Box::new(stdout::Stdout::new(own)) as _)),
    },
    Output {
        name: "file",
        keys: &["file_output"],
        doc: "a file: a line an alert, appended; opened anew on SIGUSR1",
        open: |all| all.file.clone().map(|own| Ok(Box::new(file::File::new(own)) as _)),
    },
    Output {
        name: "syslog",
        keys: &["syslog_output", "peregrine.syslog"],
        doc: "syslog: the local socket, or a remote server over UDP or TCP; the priority is the severity",
        open: |all| all.syslog.clone().map(|own| Ok(Box::new(syslog::Syslog::new(own)) as _)),
    },
    Output {
        name: "program",
        keys: &["program_output"],
        doc: "a program's standard input: started for each alert, or once and kept; started anew on SIGUSR1",
        open: |all| all.program.clone().map(|own| Ok(Box::new(program::Program::new(own)) as _)),
    },
    Output {
        name: "http",
        keys: &["http_output", "peregrine.http_output"],
        doc: "an HTTP or HTTPS receiver: a POST an alert; certificates are read anew on SIGUSR1",
        open: |all| all.http.clone().map(|own| http::Http::new(own).map(|sink| Box::new(sink) as _)),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_complete_and_off_by_default() {
        for row in OUTPUTS {
            assert!(!row.doc.is_empty() && !row.keys.is_empty(), "{}", row.name);
            assert!((row.open)(&Settings::default()).is_none(), "{} is on", row.name);
            assert_eq!(OUTPUTS.iter().filter(|other| other.name == row.name).count(), 1);
        }
    }
}
