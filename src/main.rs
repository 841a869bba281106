//! `peregrine`: runtime security for Linux. Parses the command line, carries a command out, says how it went.
#![forbid(unsafe_code)]

use clap::Parser;
use peregrine::{cli, commands, failure};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to be done where even the message cannot be written.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { failure::USAGE } else { 0 });
        }
    };
    cli.log();
    match commands::execute(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
