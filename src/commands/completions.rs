//! `peregrine completions SHELL`: a completion script on standard output.

use crate::cli::Cli;
use crate::failure::Failure;
use clap::CommandFactory;
use std::io::Write;

/// The command's options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which shell
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

/// Prints the script.
pub fn execute(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "peregrine", &mut script);
    Ok(std::io::stdout().lock().write_all(&script)?)
}
