//! The commands, one file each.

mod bench;
mod check;
mod completions;
mod dump;
mod explain;
mod import_falco;
mod list;
mod record;
pub mod replay;
pub mod run;

use crate::failure::Failure;
use crate::falco;
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
    /// Be Falco: its options, its configuration file, its texts; the same as being started as `falco`
    Falco(FalcoArgs),
    /// Look at an existing Falco's configuration: what works, what is ignored, what is better done otherwise
    ImportFalco(import_falco::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Wait, stopped, and become a command: how `record` starts one
    #[command(hide = true)]
    Launch(launch::Args),
}

/// Falco's arguments, which Falco's own reader reads.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct FalcoArgs {
    /// Falco's options; `peregrine falco --help` lists them
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<std::ffi::OsString>,
}

impl FalcoArgs {
    fn execute(&self) -> Result<(), Failure> {
        let arguments: Vec<String> = self.arguments.iter().map(|a| a.to_string_lossy().into_owned()).collect();
        // It has told everything itself, and its only other exit code is 1.
        if falco::main(&arguments) == std::process::ExitCode::SUCCESS { Ok(()) } else { Err(Failure::Told) }
    }
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
        Command::Falco(args) => args.execute(),
        Command::ImportFalco(args) => import_falco::execute(&args),
        Command::Completions(args) => completions::execute(&args),
        Command::Launch(args) => launch::become_command(&args),
    }
}
