//! `peregrine import-falco DIR`: what of an existing Falco's configuration works here.

use crate::cli::{json_line, printable};
use crate::failure::Failure;
use crate::import;
use std::io::Write;
use std::path::PathBuf;

/// The command's options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Falco's configuration directory, as /etc/falco
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The report as one JSON object
    #[arg(long)]
    json: bool,
    /// Write a peregrine.yaml that does the same
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Reports, and writes the new configuration if there is something to write.
pub fn execute(args: &Args) -> Result<(), Failure> {
    let import = import::examine(&args.directory)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", json_line(&import.report.json().to_string()))?;
    } else {
        write!(out, "{}", printable(&import.report.text()))?;
    }
    if let Some(path) = &args.output {
        let text = import.configuration().ok_or_else(|| {
            Failure::Input(anyhow::anyhow!("the configuration cannot be read, so there is nothing to write"))
        })?;
        let wrote = std::fs::write(path, text);
        wrote
            .map_err(|e| Failure::System(anyhow::Error::new(e).context(format!("cannot write {}", path.display()))))?;
        tracing::info!("{} does the same: peregrine run -c {0}", path.display());
    }
    if import.report.is_broken() { Err(Failure::Told) } else { Ok(()) }
}
