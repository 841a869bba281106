//! The commands, one file each.

mod completions;
mod list;

use crate::failure::Failure;
use clap::Subcommand;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List what rules can be made of: fields, events, operators and more
    List(list::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// Carries a command out.
pub fn execute(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(args) => list::execute(&args),
        Command::Completions(args) => completions::execute(&args),
    }
}
