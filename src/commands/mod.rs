//! The commands, one file each.

mod bench;
mod check;
mod completions;
mod dump;
mod explain;
mod list;
mod record;
pub mod replay;
pub mod run;

use crate::failure::Failure;
use crate::launch;
use clap::Subcommand;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch this machine and print alerts
    Run(run::Args),
    /// Run the rules over a capture
    Replay(replay::Args),
    /// Write a capture of this machine, or of a command and what it starts
    Record(record::Args),
    /// Print events, one a line
    Dump(dump::Args),
    /// Check rules: parse, resolve, compile
    Check(check::Args),
    /// Say what a rule compiles to, and why it fired or not
    Explain(explain::Args),
    /// List what rules can be made of: fields, events, operators and more
    List(list::Args),
    /// Measure how fast captures pass through the rules
    Bench(bench::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Wait, stopped, and become a command: how `record` starts one
    #[command(hide = true)]
    Launch(launch::Args),
}

/// Carries a command out.
pub fn execute(command: Command) -> Result<(), Failure> {
    match command {
        Command::Run(args) => run::execute(&args),
        Command::Replay(args) => replay::execute(&args),
        Command::Record(args) => record::execute(args),
        Command::Check(args) => check::execute(&args),
        Command::Explain(args) => explain::execute(&args),
        Command::Dump(args) => dump::execute(&args),
        Command::List(args) => list::execute(&args),
        Command::Bench(args) => bench::execute(&args),
        Command::Completions(args) => completions::execute(&args),
        Command::Launch(args) => launch::become_command(&args),
    }
}
