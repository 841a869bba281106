//! The commands, one file each.

mod completions;
mod dump;
mod list;

use crate::failure::Failure;
use clap::Subcommand;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the events of a capture, one a line
    Dump(dump::Args),
    /// List what rules can be made of: fields, events, operators and more
    List(list::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// Carries a command out.
pub fn execute(command: Command) -> Result<(), Failure> {
    match command {
        Command::Dump(args) => dump::execute(&args),
        Command::List(args) => list::execute(&args),
        Command::Completions(args) => completions::execute(&args),
    }
}
