//! Why the driver cannot run, and what to do about it.

use std::path::PathBuf;

/// Refusals of the system (privilege, kernel) and of the configuration. Each message names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// Neither root nor the capabilities that loading needs.
    #[error(
        "missing privilege: loading kernel programs needs root, or CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and \
         CAP_DAC_READ_SEARCH (missing: {missing}); start as root or grant them with setcap"
    )]
    Privilege {
        /// Names of the missing capabilities, comma-separated.
        missing: String,
    },
    /// The kernel does not describe its types.
    #[error(
        "{} is not readable ({source}): the kernel (here {kernel}) must be 5.17 or newer, built with CONFIG_DEBUG_INFO_BTF=y",
        path.display()
    )]
    NoBtf {
        /// Where the description was looked for.
        path: PathBuf,
        /// Release of the running kernel.
        kernel: String,
        /// Why it could not be read.
        source: std::io::Error,
    },
    /// The description was read but not understood.
    #[error("the kernel's type information cannot be used: {0}; report it with the kernel's release")]
    Btf(String),
    /// The compiled programs do not fit this kernel.
    #[error("the kernel programs do not fit this kernel ({kernel}): {reason}; kernel 5.17 or newer is needed")]
    Object {
        /// Release of the running kernel.
        kernel: String,
        /// What did not fit.
        reason: String,
    },
    /// The verifier or the kernel refused a program.
    #[error("the kernel ({kernel}) refused program {program}: {reason}{}", tail(log))]
    Verifier {
        /// Name of the program.
        program: String,
        /// Release of the running kernel.
        kernel: String,
        /// The kernel's answer.
        reason: String,
        /// Last lines of the verifier's log; may be empty.
        log: String,
    },
    /// A tracepoint that everything rests on could not be attached.
    #[error("program {program} could not be attached: {reason}; is tracing forbidden by lockdown or seccomp here?")]
    Attach {
        /// Name of the program.
        program: String,
        /// The kernel's answer.
        reason: String,
    },
    /// A kernel map is missing or refuses an operation.
    #[error("kernel map {map}: {reason}")]
    Map {
        /// Name of the map.
        map: &'static str,
        /// What was refused.
        reason: String,
    },
    /// A ring buffer could not be made or mapped.
    #[error("cannot create a ring buffer of {bytes} bytes: {reason}; choose a smaller buf_size_preset")]
    Ring {
        /// Its size.
        bytes: usize,
        /// The kernel's answer.
        reason: String,
    },
    /// The scope names something that is not there.
    #[error("scope {scope}: {reason}")]
    Scope {
        /// As given.
        scope: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A number of the configuration is out of range.
    #[error("{what} is {value}, must be in {range}")]
    Range {
        /// Its name.
        what: &'static str,
        /// Its value.
        value: u64,
        /// The allowed range.
        range: &'static str,
    },
    /// Capabilities could not be given up.
    #[error("cannot drop privileges: {0}; use --no-drop-privileges to keep them")]
    DropPrivileges(String),
    /// A file of the system could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl DriverError {
    /// Exit code of a program that ends with this error: 2 where the caller asked for something impossible, 3 where
    /// the system refuses.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Range { .. } | Self::Scope { .. } => 2,
            _ => 3,
        }
    }
}

fn tail(log: &str) -> String {
    if log.trim().is_empty() { String::new() } else { format!("\nverifier:\n{log}") }
}

/// The last lines of a verifier log, as many as help and no more.
pub(crate) fn log_tail(log: &str) -> String {
    const LINES: usize = 12;
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// Release of the running kernel, for messages.
pub(crate) fn kernel_release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_remedy() {
        let text = DriverError::Privilege { missing: "CAP_BPF".into() }.to_string();
        assert!(text.contains("root") && text.contains("CAP_BPF"));
        let log: String = (0..40).map(|n| format!("line {n}\n")).collect();
        let error = DriverError::Verifier {
            program: "open".into(),
            kernel: "6.1".into(),
            reason: "invalid argument".into(),
            log: log_tail(&log),
        };
        assert!(error.to_string().ends_with("line 39") && !error.to_string().contains("line 27\n"));
        assert_eq!(error.exit_code(), 3);
        assert_eq!(DriverError::Range { what: "snaplen", value: 0, range: "1..=65000" }.exit_code(), 2);
    }
}
