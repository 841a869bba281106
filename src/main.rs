//! `peregrine`: runtime security for Linux. Parses the command line, carries a command out, says how it went.
#![forbid(unsafe_code)]

use clap::Parser;
use peregrine::{cli, commands, failure, falco};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let called = falco::is_called(&program);
    if called || arguments.next().is_some_and(|first| first == "falco") {
        let given = std::env::args_os().skip(if called { 1 } else { 2 });
        return falco::main(&given.map(|argument| argument.to_string_lossy().into_owned()).collect::<Vec<_>>());
    }
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
