//! Who is to blame when a command fails, and so its exit code.

use std::process::ExitCode;

/// Exit code when the input is wrong.
pub const INPUT: u8 = 1;
/// Exit code when the usage is wrong.
pub const USAGE: u8 = 2;
/// Exit code when the system refuses.
pub const SYSTEM: u8 = 3;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// A file, rule or configuration is wrong.
    Input(anyhow::Error),
    /// The command line asks for what makes no sense.
    Usage(anyhow::Error),
    /// Privilege, kernel or disk: the system refuses.
    System(anyhow::Error),
    /// The input is wrong and everything about it has already been said.
    Told,
    /// Nobody reads our output any more: not an error of ours.
    Closed,
}

impl Failure {
    /// The reason, on one line.
    pub fn text(&self) -> String {
        match self {
            Failure::Input(error) | Failure::Usage(error) | Failure::System(error) => format!("{error:#}"),
            Failure::Told => "the rules are not valid".into(),
            Failure::Closed => "nobody reads the output any more".into(),
        }
    }

    /// Prints the reason to standard error; control characters in it (it may quote a file) are escaped.
    pub fn report(self) -> ExitCode {
        let (code, error) = match self {
            Failure::Input(error) => (INPUT, error),
            Failure::Usage(error) => (USAGE, error),
            Failure::System(error) => (SYSTEM, error),
            Failure::Told => return ExitCode::from(INPUT),
            Failure::Closed => return ExitCode::SUCCESS,
        };
        let text = format!("{error:#}");
        eprintln!("peregrine: {}", crate::cli::printable(&text));
        ExitCode::from(code)
    }
}

/// Output that cannot be written: a closed pipe ends the command quietly, anything else is the system's refusal.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Failure::Closed;
        }
        Failure::System(anyhow::Error::new(error).context("cannot write the output"))
    }
}
