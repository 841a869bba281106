//! What makes a picture of a process tree drift from the truth if an event is misunderstood: descriptors copied and
//! marked, threads that part from their process, orphans, sessions, other users, executions by threads.
//!
//! `drift DIR` does it all and stays, with its threads and children, until this process ends; `drift-child WORDS…` is
//! what its children do, up to `hold`.

use rustix::fs::{MemfdFlags, Mode, OFlags};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Everything, in a directory of its own.
pub fn drift(dir: &str) {
    std::fs::create_dir_all(Path::new(dir).join("below")).expect("the directory is writable");
    std::env::set_current_dir(dir).expect("it is there");
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).expect("it is allowed");
    files();
    others();
    sockets();
    threads();
    for words in [
        &["hold"][..],
        &["session", "hold"],
        &["group", "hold"],
        &["user", "hold"],
        &["limit", "hold"],
        &["orphan"],
        &["thread-exec"],
    ] {
        child(words);
    }
    std::env::set_current_dir("below").expect("it is there");
}

/// What is kept open until the end.
fn keep(fd: impl Into<OwnedFd>) {
    std::mem::forget(fd.into());
}

fn open(name: &str, flags: OFlags) -> OwnedFd {
    rustix::fs::open(name, flags | OFlags::CREATE, Mode::RUSR | Mode::WUSR).expect("the directory is writable")
}

/// Another descriptor of that number.
fn onto(fd: &OwnedFd, number: i32, cloexec: bool) {
    let flags = if cloexec { rustix::io::DupFlags::CLOEXEC } else { rustix::io::DupFlags::empty() };
    // A descriptor that takes the place of whatever is there, as a shell's redirections do.
    let mut place = rustix::io::fcntl_dupfd_cloexec(fd, number).expect("there is room");
    rustix::io::dup3(fd, &mut place, flags).expect("it is open");
    keep(place);
}

fn files() {
    let (plain, closing) = (open("plain", OFlags::RDWR), open("closing", OFlags::WRONLY | OFlags::CLOEXEC));
    onto(&plain, 50, false);
    onto(&plain, 55, true);
    onto(&closing, 60, false);
    let marked = rustix::io::dup(&plain).expect("it is open");
    rustix::io::fcntl_setfd(&marked, rustix::io::FdFlags::CLOEXEC).expect("it is open");
    let unmarked = rustix::io::fcntl_dupfd_cloexec(&closing, 70).expect("it is open");
    rustix::io::fcntl_setfd(&unmarked, rustix::io::FdFlags::empty()).expect("it is open");
    let directory = rustix::fs::open("below", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).expect("it is there");
    keep(rustix::fs::openat(&directory, "../plain", OFlags::RDONLY, Mode::empty()).expect("it is there"));
    drop(open("gone", OFlags::RDWR));
    [plain, closing, marked, unmarked, directory].into_iter().for_each(keep);
}

fn others() {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe");
    let (plain, _closed) = rustix::pipe::pipe().expect("a pipe");
    [read, write, plain].into_iter().for_each(keep);
    keep(rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC).expect("it can be made"));
    keep(rustix::event::epoll::create(rustix::event::epoll::CreateFlags::CLOEXEC).expect("it can be made"));
    keep(rustix::fs::memfd_create("memory", MemfdFlags::CLOEXEC).expect("it can be made"));
    keep(rustix::fs::inotify::init(rustix::fs::inotify::CreateFlags::empty()).expect("it can be made"));
    keep(
        rustix::process::pidfd_open(rustix::process::getpid(), rustix::process::PidfdFlags::empty())
            .expect("it can be made"),
    );
}

fn sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let near = TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
    let (far, _) = listener.accept().expect("it connected");
    [OwnedFd::from(near), far.into(), listener.into()].into_iter().for_each(keep);
    keep(UdpSocket::bind("127.0.0.1:0").expect("a port"));
    let local = UnixListener::bind("socket").expect("the directory is writable");
    keep(UnixStream::connect("socket").expect("it listens"));
    keep(local.accept().expect("it connected").0);
    keep(local);
    let (one, other) = UnixStream::pair().expect("a pair");
    [OwnedFd::from(one), other.into()].into_iter().for_each(keep);
}

/// Three threads that stay, one of them with descriptors of its own, and one that ends.
fn threads() {
    let (tell, told) = std::sync::mpsc::channel();
    for parts in [false, false, true] {
        let tell = tell.clone();
        std::thread::spawn(move || {
            if parts {
                nix::sched::unshare(nix::sched::CloneFlags::CLONE_FILES).expect("it is allowed");
                keep(open("own", OFlags::RDWR));
            }
            tell.send(()).expect("they are waited for");
            loop {
                std::thread::park();
            }
        });
    }
    (0..3).for_each(|_| told.recv().expect("they do not end"));
    std::thread::spawn(|| keep(open("shared", OFlags::RDWR))).join().expect("it ends");
}

/// A child that has done these words and stays until this process ends.
#[expect(clippy::zombie_processes, reason = "it ends with this process")]
fn child(words: &[&str]) {
    let own = std::env::current_exe().expect("own program");
    let mut command = Command::new(own);
    command.arg("drift-child").args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().expect("it starts");
    let mut line = String::new();
    let mut out = BufReader::new(process.stdout.take().expect("piped"));
    out.read_line(&mut line).expect("text");
    assert_eq!(line, "ready\n", "{words:?}");
    // Before it is waited for, which would close it.
    keep(process.stdin.take().expect("piped"));
    if words == ["orphan"] {
        process.wait().expect("it ends");
    }
    keep(out.into_inner());
}

/// One word of a child.
#[expect(clippy::zombie_processes, reason = "the orphan is to outlive its parent")]
pub fn child_word(word: &str) {
    let own = std::env::current_exe().expect("own program");
    match word {
        "session" => {
            rustix::process::setsid().expect("it leads no group");
            std::env::set_current_dir("/").expect("it is there");
        }
        "group" => rustix::process::setpgid(None, None).expect("it is a child"),
        "user" => {
            let nobody = nix::unistd::Uid::from_raw(65_534);
            nix::unistd::setresuid(nobody, nobody, nobody).expect("it is root");
        }
        "limit" => {
            let limit = rustix::process::Rlimit { current: Some(512), maximum: Some(512) };
            rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).expect("it is less");
        }
        "orphan" => {
            Command::new(own).args(["drift-child", "hold"]).spawn().expect("it starts");
        }
        "thread-exec" => {
            let exec = move || Command::new(own).args(["drift-child", "hold"]).exec();
            let error = std::thread::spawn(exec).join();
            panic!("{error:?}");
        }
        "hold" => {
            println!("ready");
            std::io::stdout().flush().expect("somebody reads");
            let _ = std::io::stdin().read(&mut [0]);
        }
        other => panic!("no word {other}"),
    }
}
