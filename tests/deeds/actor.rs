//! The actor of the live tests: does what its arguments say, verb by verb, under whatever name it was started.
//!
//! It is copied under the names that rules look for (`nginx`, `runc`, `ssh`). A verb takes the operands that its row in
//! [`act`] shows; `run PROGRAM ARGS… ;;` starts a program and waits; a word that begins with `deed-` does nothing and
//! only marks the command line. Failures of the deeds themselves are ignored, since many are meant to be refused.
#![forbid(unsafe_code)]

mod drift;

use nix::sys::ptrace;
use nix::unistd::Pid;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Names under which only the start matters; their arguments are those of the programs that they stand for.
const IDLE: &[&str] = &["find", "grep", "nc", "rm", "shred"];

fn main() {
    let mut args = std::env::args();
    let name = args.next().unwrap_or_default();
    if IDLE.contains(&name.rsplit('/').next().unwrap_or(&name)) {
        return;
    }
    let mut words = Words { rest: args.collect(), kept: Vec::new() };
    while let Some(verb) = words.rest.pop_front() {
        act(&verb, &mut words);
    }
}

/// The words that are left, and what deeds keep open until the end.
struct Words {
    rest: std::collections::VecDeque<String>,
    kept: Vec<Box<dyn std::any::Any>>,
}

impl Words {
    fn word(&mut self) -> String {
        self.rest.pop_front().expect("the verb has its operands")
    }

    fn number<T: std::str::FromStr>(&mut self) -> T {
        self.word().parse().ok().expect("the operand is a number")
    }

    fn address(&mut self) -> SocketAddr {
        self.word().parse().expect("the operand is an address with its port")
    }

    /// The words up to `;;`, which belongs to the outermost `run`; an inner one ends with `;;1`.
    fn command(&mut self) -> Vec<String> {
        let end = if self.rest.front().is_some_and(|w| w == "@1") {
            self.word();
            ";;1"
        } else {
            ";;"
        };
        let at = self.rest.iter().position(|w| w == end).expect("run ends with ;;");
        let command = self.rest.drain(..at).collect();
        self.word();
        command
    }
}

fn act(verb: &str, w: &mut Words) {
    match verb {
        "serve" => serve(),
        "nest" => nest(w),
        "join" => join(&w.word()),
        "sleep" => std::thread::sleep(Duration::from_millis(w.number())),
        "read" => drop(File::open(w.word()).map(|mut file| file.read(&mut [0; 16]))),
        "write" => drop(OpenOptions::new().write(true).create(true).truncate(false).open(w.word())),
        "append" => drop(OpenOptions::new().append(true).create(true).open(w.word())),
        "trunc" => drop(OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(w.word())),
        "chdir" => drop(std::env::set_current_dir(w.word())),
        "mkdir" => drop(std::fs::create_dir_all(w.word())),
        "copy" => drop(std::fs::copy(w.word(), w.word())),
        "chmod" => drop(std::fs::set_permissions(w.word(), PermissionsExt::from_mode(octal(&w.word())))),
        "symlink" => drop(symlink(w.word(), w.word())),
        "link" => drop(std::fs::hard_link(w.word(), w.word())),
        "run" => run(w.command(), None),
        "as" => {
            let ids = (w.number(), w.number());
            run(w.command(), Some(ids));
        }
        "connect" => drop(TcpStream::connect_timeout(&w.address(), Duration::from_millis(200))),
        "listen" => {
            let listener = TcpListener::bind(w.address()).expect("the address is free");
            w.kept.push(Box::new(listener));
        }
        "stream" => stream(w.address()),
        "packet" => drop(nix::sys::socket::socket(
            nix::sys::socket::AddressFamily::Packet,
            nix::sys::socket::SockType::Raw,
            nix::sys::socket::SockFlag::empty(),
            None,
        )),
        "memory" => memory(&w.word()),
        "module" => drop(nix::kmod::init_module(b"not a module", c"")),
        "powerless" => drop(caps::clear(None, caps::CapSet::Effective)),
        "terminal" => w.kept.push(Box::new(terminal())),
        "traceme" => drop(ptrace::traceme()),
        "attach" => debug(|pid| {
            let _ = ptrace::attach(pid);
            let _ = nix::sys::wait::waitpid(pid, None);
        }),
        "inspect" => debug(|pid| {
            let _ = ptrace::read(pid, std::ptr::without_provenance_mut(0x1000));
        }),
        "overlay" => overlay(),
        "drift" => drift::drift(&w.word()),
        "drift-child" => std::mem::take(&mut w.rest).iter().for_each(|word| drift::child_word(word)),
        mark if mark.starts_with("deed-") => {}
        other => panic!("no verb {other}"),
    }
}

fn octal(text: &str) -> u32 {
    u32::from_str_radix(text, 8).expect("the mode is octal")
}

/// Carries out one command a line from standard input (words apart by tabs) and answers each with a line. After
/// `self` it does the verbs itself instead of starting a program.
fn serve() {
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("standard input is text");
        match line.strip_prefix("self\t") {
            Some(verbs) => {
                let mut words = Words { rest: verbs.split('\t').map(str::to_owned).collect(), kept: Vec::new() };
                while let Some(verb) = words.rest.pop_front() {
                    act(&verb, &mut words);
                }
            }
            None => run(line.split('\t').map(str::to_owned).collect(), None),
        }
        println!("done {line}");
        std::io::stdout().flush().expect("standard output is open");
    }
}

/// Does the rest as a descendant, so many generations below.
fn nest(w: &mut Words) {
    let depth: u32 = w.number();
    if depth > 0 {
        let own = std::env::current_exe().expect("own program");
        let rest = w.rest.drain(..);
        let status = Command::new(own).arg("nest").arg((depth - 1).to_string()).args(rest).status();
        assert!(status.is_ok_and(|status| status.success()), "a nested actor failed");
    }
}

/// Moves itself into cgroups, one path or several with colons between.
fn join(paths: &str) {
    for path in paths.split(':') {
        std::fs::write(format!("{path}/cgroup.procs"), "0").unwrap_or_else(|e| panic!("{path}: {e}"));
    }
}

/// Starts a program and waits; `=NAME` after it is its first argument instead of its own name. A program `bg` before
/// it is not waited for.
fn run(mut command: Vec<String>, ids: Option<(u32, u32)>) {
    let background = command[0] == "bg";
    if background {
        command.remove(0);
    }
    let program = command.remove(0);
    let name = match command.first().and_then(|word| word.strip_prefix('=')) {
        Some(name) => {
            let name = name.to_owned();
            command.remove(0);
            name
        }
        None => program.rsplit('/').next().unwrap_or(&program).to_owned(),
    };
    let mut child = Command::new(program);
    child.arg0(name).args(command).stdin(Stdio::null()).stdout(Stdio::null());
    if let Some((uid, gid)) = ids {
        child.uid(uid).gid(gid);
    }
    if let Ok(mut child) = child.spawn()
        && !background
    {
        let _ = child.wait();
    }
}

/// A connection to itself over `address`, whose client end becomes standard input.
fn stream(address: SocketAddr) {
    let listener = TcpListener::bind(address).expect("the address is free");
    let client = TcpStream::connect(address).expect("the listener is there");
    let _ = nix::unistd::dup2_stdin(&client);
    drop(listener);
}

/// Executes a copy of a program that is in memory only.
fn memory(program: &str) {
    let fd = nix::sys::memfd::memfd_create(c"demo", nix::sys::memfd::MFdFlags::empty()).expect("memfd_create");
    let mut file = File::from(fd);
    file.write_all(&std::fs::read(program).expect("the program is there")).expect("memory");
    let mark = std::env::args().next_back().unwrap_or_default();
    let _ = Command::new(format!("/proc/self/fd/{}", file.as_raw_fd())).arg0("shade").arg(mark).status();
}

/// A terminal of its own as the controlling one.
fn terminal() -> (nix::pty::PtyMaster, File) {
    use nix::fcntl::OFlag;
    nix::unistd::setsid().expect("no session of its own yet");
    let master = nix::pty::posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY).expect("a pseudo terminal");
    nix::pty::grantpt(&master).expect("grantpt");
    nix::pty::unlockpt(&master).expect("unlockpt");
    let name = nix::pty::ptsname_r(&master).expect("its name");
    // The first terminal that a session's leader opens becomes its controlling one.
    let slave = OpenOptions::new().read(true).write(true).open(name).expect("its other end");
    (master, slave)
}

/// Does something to a child through ptrace, and ends it.
fn debug(what: impl Fn(Pid)) {
    let own = std::env::current_exe().expect("own program");
    let mut child: Child = Command::new(own).args(["sleep", "60000"]).spawn().expect("a child");
    what(Pid::from_raw(i32::try_from(child.id()).expect("a pid")));
    let _ = child.kill();
    let _ = child.wait();
}

/// Mounts an overlay on `./over` with `./lower` below, in a mount namespace of its own.
fn overlay() {
    use nix::mount::{MsFlags, mount};
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).expect("a mount namespace");
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private mounts");
    for dir in ["lower", "upper", "work", "over"] {
        std::fs::create_dir_all(dir).expect("a directory");
    }
    let options = "lowerdir=lower,upperdir=upper,workdir=work";
    mount(Some("overlay"), "over", Some("overlay"), MsFlags::empty(), Some(options)).expect("an overlay");
}
