//! A command that is started but waits: its process is known, and in scope, before the command's first instruction.
//!
//! This program starts itself once more; that second process stops itself and, told to go, becomes the command. A shell
//! would do the same, but what it does of its own accord (looking through `PATH`, asking for its directory) would be in
//! the recording.

use crate::failure::Failure;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, waitpid};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// What a command gets to end by itself when the recording ends before it.
const GRACE: Duration = Duration::from_secs(5);

/// The options of the second process; nobody types them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the program is
    #[arg(long)]
    program: PathBuf,
    /// Its name and arguments
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Stops, and once continued becomes the command.
pub fn become_command(args: &Args) -> Result<(), Failure> {
    // Started through `/proc/self/exe`, it would be called "exe" until it is the command.
    rustix::thread::set_name(c"peregrine").map_err(|e| cannot_start(e.into()))?;
    kill_process(getpid(), Signal::STOP).map_err(|e| cannot_start(e.into()))?;
    let (name, rest) = args.command.split_first().ok_or_else(|| Failure::Usage(anyhow::anyhow!("no command")))?;
    Err(cannot_start(Command::new(&args.program).arg0(name).args(rest).exec()))
}

fn cannot_start(error: std::io::Error) -> Failure {
    Failure::System(anyhow::Error::new(error).context("cannot start the command"))
}

/// The file that a command's name stands for: as a shell finds it, in the directories of `PATH` unless it has a slash.
fn find(name: &OsStr) -> Result<PathBuf, Failure> {
    let runs = |path: &Path| path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    let shown = || crate::cli::one_line(&name.to_string_lossy()).into_owned();
    if name.as_bytes().contains(&b'/') {
        let path = PathBuf::from(name);
        return match path.metadata() {
            Ok(_) if runs(&path) => Ok(path),
            Ok(_) => Err(Failure::Input(anyhow::anyhow!("{} cannot be executed", shown()))),
            Err(error) => Err(Failure::Input(anyhow::Error::new(error).context(shown()))),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let found = std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| runs(path));
    found.ok_or_else(|| Failure::Input(anyhow::anyhow!("{}: no such command in PATH", shown())))
}

/// A command that was started but waits, stopped, until it is told to go.
pub struct Waiting {
    process: Child,
    went: bool,
}

impl Waiting {
    /// Starts the process that will be the command.
    ///
    /// # Errors
    /// When there is no such command, or no process can be made.
    pub fn spawn(command: &[OsString]) -> Result<Self, Failure> {
        let name = command.first().ok_or_else(|| Failure::Usage(anyhow::anyhow!("no command")))?;
        let program = find(name)?;
        // This very file, even if another has taken its place by now.
        let mut launcher = Command::new("/proc/self/exe");
        launcher.arg("launch").arg("--program").arg(program).arg("--").args(command);
        let waiting = Self { process: launcher.spawn().map_err(cannot_start)?, went: false };
        waitpid(Some(waiting.pid()), WaitOptions::UNTRACED).map_err(|e| cannot_start(e.into()))?;
        Ok(waiting)
    }

    /// Its process id, which stays when it becomes the command.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Lets it go.
    ///
    /// # Errors
    /// When it is gone already.
    pub fn go(&mut self) -> Result<(), Failure> {
        kill_process(self.pid(), Signal::CONT).map_err(|e| cannot_start(e.into()))?;
        self.went = true;
        Ok(())
    }

    /// Whether it has ended; an end with an error is logged.
    pub fn ended(&mut self) -> bool {
        match self.process.try_wait() {
            Ok(None) => false,
            Ok(Some(status)) => {
                if !status.success() {
                    tracing::warn!("the command ended with {status}");
                }
                true
            }
            Err(_) => true,
        }
    }
}

impl Waiting {
    /// Ends the command if it still runs: asks it to, and after the grace makes it.
    fn end(&mut self, grace: Duration) {
        // An error means that there is nothing to wait for.
        if !matches!(self.process.try_wait(), Ok(None)) {
            return;
        }
        if self.went {
            let _ = kill_process(self.pid(), Signal::TERM);
            // One that is stopped would not notice.
            let _ = kill_process(self.pid(), Signal::CONT);
        }
        if !self.went || !self.ends_within(grace) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }

    fn ends_within(&self, grace: Duration) -> bool {
        let Ok(pidfd) = pidfd_open(self.pid(), PidfdFlags::empty()) else { return false };
        let until = Instant::now() + grace;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
            match Timespec::try_from(left).map(|left| poll(&mut fds, Some(&left))) {
                Ok(Ok(ready)) => return ready > 0,
                Ok(Err(Errno::INTR)) => {}
                _ => return false,
            }
        }
    }
}

impl Drop for Waiting {
    /// Whatever ends the recording, nothing that it started stays behind, neither the command nor what waits, stopped,
    /// to become it.
    fn drop(&mut self) {
        self.end(GRACE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Stdio;

    /// A shell that has done what is `before` and waits for a line that never comes.
    fn shell(before: &str) -> Waiting {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{before}; echo; read x")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        std::io::Read::read_exact(process.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        Waiting { process, went: true }
    }

    #[test]
    fn a_command_is_asked_to_end_before_it_is_made_to() {
        let grace = Duration::from_secs(60);
        let mut polite = shell("trap 'exit 7' TERM");
        polite.end(grace);
        assert_eq!(polite.process.wait().unwrap().code(), Some(7));
        let mut stubborn = shell("trap '' TERM");
        stubborn.end(Duration::from_millis(50));
        assert_eq!(stubborn.process.wait().unwrap().signal(), Some(Signal::KILL.as_raw()));
        let mut stopped = shell(":");
        kill_process(stopped.pid(), Signal::STOP).unwrap();
        stopped.end(grace);
        assert_eq!(stopped.process.wait().unwrap().signal(), Some(Signal::TERM.as_raw()));
        let mut never = shell("trap 'exit 7' TERM");
        never.went = false;
        never.end(grace);
        assert_eq!(never.process.wait().unwrap().signal(), Some(Signal::KILL.as_raw()));
    }

    #[test]
    fn commands_are_found_as_a_shell_finds_them() {
        let message = |name: &str| match find(OsStr::new(name)) {
            Err(Failure::Input(error)) => format!("{error:#}"),
            other => panic!("{name}: {other:?}"),
        };
        assert!(find(OsStr::new("sh")).unwrap().ends_with("sh"));
        assert_eq!(find(OsStr::new("/bin/sh")).unwrap(), Path::new("/bin/sh"));
        assert_eq!(message("no-such-command-at-all"), "no-such-command-at-all: no such command in PATH");
        assert_eq!(message("/etc/passwd"), "/etc/passwd cannot be executed");
        assert_eq!(message("/nowhere/x\n"), "/nowhere/x\\n: No such file or directory (os error 2)");
    }
}
