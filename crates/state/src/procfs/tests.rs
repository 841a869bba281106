//! The snapshot of this very process, and of a made-up `/proc`.

use super::*;
use crate::fd::{FdType, SockName};
use crate::inspect::{Options, State};
use crate::thread::ThreadInfo;
use peregrine_event::defines::{PPM_O_CLOEXEC, PPM_O_RDWR};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};

fn own() -> (i64, Snapshot) {
    let pid = i64::from(std::process::id());
    (pid, snapshot(&Scope::Tree(pid), &Bounds::default()).unwrap())
}

fn state_of(snapshot: Snapshot) -> State {
    State::from_snapshot(snapshot, Options::default())
}

fn thread(state: &State, tid: i64) -> &ThreadInfo {
    state.thread(state.lookup(tid).unwrap()).unwrap()
}

#[test]
fn this_process_with_its_descriptors() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a file");
    let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
    let folder = fs::File::open(dir.path()).unwrap();
    let (pipe, _write) = rustix::pipe::pipe().unwrap();
    let event = rustix::event::eventfd(0, rustix::event::EventfdFlags::empty()).unwrap();
    let memory = rustix::fs::memfd_create("blob", rustix::fs::MemfdFlags::empty()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (pid, snapshot) = own();
    let state = state_of(snapshot);
    let me = thread(&state, pid);
    assert_eq!(me.cwd, [std::env::current_dir().unwrap().to_str().unwrap(), "/"].concat().as_bytes());
    assert_eq!(me.exepath, std::env::current_exe().unwrap().to_str().unwrap().as_bytes());
    assert_eq!(me.args().count(), std::env::args().count() - 1);
    assert!(me.env.split(|b| *b == 0).any(|entry| entry.starts_with(b"PATH=")));
    let fds = state.fd_table(me).unwrap();
    let get = |fd: i32| fds.get(i64::from(fd)).unwrap();
    let info = get(file.as_raw_fd());
    assert_eq!((info.ty, &info.name[..]), (FdType::File, path.to_str().unwrap().as_bytes()));
    assert_eq!(i64::from(info.open_flags) & (PPM_O_RDWR | PPM_O_CLOEXEC), PPM_O_RDWR | PPM_O_CLOEXEC);
    assert!(info.cloexec && info.dev != 0);
    assert_eq!(info.ino, std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).unwrap()));
    assert_eq!(get(folder.as_raw_fd()).ty, FdType::Directory);
    assert_eq!(get(pipe.as_raw_fd()).ty, FdType::Fifo);
    assert_eq!(get(event.as_raw_fd()).ty, FdType::Event);
    assert_eq!((get(memory.as_raw_fd()).ty, &get(memory.as_raw_fd()).name[..]), (FdType::MemFd, &b"blob"[..]));
    let server = get(listener.as_raw_fd());
    assert_eq!(
        (server.ty, server.name.clone()),
        (FdType::Ipv4ServSock, listener.local_addr().unwrap().to_string().into())
    );
    assert!(server.cloexec && !get(pipe.as_raw_fd()).cloexec && !get(event.as_raw_fd()).cloexec);
    let ends = get(client.as_raw_fd());
    let SockName::Inet { sport, dport, .. } = ends.sock else { panic!("no addresses") };
    assert_eq!((sport, dport), (client.local_addr().unwrap().port(), listener.local_addr().unwrap().port()));
    assert!(ends.connected);
}

#[test]
fn descendants_are_in_scope_and_ancestors_are_but_names() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "sleep 60 & echo; read x"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let shell = i64::from(child.id());
    // The child has forked by now, but may not have executed yet.
    let started = Instant::now();
    let snapshot = loop {
        let snapshot = snapshot(&Scope::Tree(shell), &Bounds::default()).unwrap();
        if snapshot.tables.threads.iter().any(|thread| thread.comm == b"sleep") {
            break snapshot;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "no child: {:?}", snapshot.tables.threads);
        std::thread::yield_now();
    };
    let inside: Vec<(i64, Vec<u8>)> =
        snapshot.tables.threads.iter().map(|thread| (thread.ptid, thread.comm.clone())).collect();
    let sleep = snapshot.tables.threads.iter().find(|thread| thread.comm == b"sleep").map(|thread| thread.tid).unwrap();
    assert_eq!(inside.len(), 2);
    assert!(inside.contains(&(shell, b"sleep".to_vec())));
    let me = i64::from(std::process::id());
    let outside = snapshot.outside.iter().find(|thread| thread.tid == me).expect("the parent's name");
    assert!(!outside.comm.is_empty() && outside.exe.is_empty() && outside.args.is_empty() && outside.env.is_empty());
    assert!(snapshot.tables.threads.iter().all(|thread| thread.tid != me));
    let state = state_of(snapshot);
    assert_eq!(state.parent(thread(&state, shell)).unwrap().tid, me);
    assert_eq!(state.parent(thread(&state, sleep)).unwrap().tid, shell);
    rustix::process::kill_process(rustix::process::Pid::from_raw(sleep as i32).unwrap(), rustix::process::Signal::KILL)
        .unwrap();
    child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    child.wait().unwrap();
}

#[test]
fn threads_share_what_is_their_leaders() {
    let (tell, told) = std::sync::mpsc::channel();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let other = std::thread::Builder::new().name("a thread".into()).spawn(move || {
        tell.send(i64::from(rustix::thread::gettid().as_raw_nonzero().get())).unwrap();
        let _ = stopped.recv();
    });
    let tid = told.recv().unwrap();
    let (pid, snapshot) = own();
    let state = state_of(snapshot);
    let found = thread(&state, tid);
    assert_eq!((found.pid, &found.comm[..]), (pid, &b"a thread"[..]));
    assert_eq!(state.leader(found).unwrap().tid, pid);
    assert!(!state.fd_table(found).unwrap().is_empty());
    assert!(state.thread_count(pid) >= 2);
    let mut source = ProcSource::new(&Limits::default()).unwrap();
    let (single, fds) = crate::ThreadSource::thread(&mut source, tid).unwrap();
    assert_eq!((single.pid, single.comm, fds.len()), (pid, b"a thread".to_vec(), 0));
    drop(stop);
    other.unwrap().join().unwrap();
    assert!(crate::ThreadSource::thread(&mut source, i64::from(i32::MAX)).is_none());
}

/// A made-up system with two processes, one in a container's cgroup.
fn fake() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for (pid, ppid, name, cgroup) in [(1, 0, "init", "/init.scope"), (20, 1, "we b)", "/box/one")] {
        let dir = format!("proc/{pid}");
        write(&format!("{dir}/status"), &format!("Name:\t{name}\nTgid:\t{pid}\nPPid:\t{ppid}\nUid:\t1\t2\t3\t4\n"));
        write(&format!("{dir}/stat"), &format!("{pid} ({name}) S {ppid} {pid} {pid} 0 -1 0 5 0 6 0 0\n"));
        write(&format!("{dir}/cmdline"), &format!("/bin/{name}\0-x\0\0y\0"));
        write(&format!("{dir}/cgroup"), &format!("0::{cgroup}\n"));
        fs::create_dir_all(root.path().join(format!("{dir}/task/{pid}"))).unwrap();
    }
    write("proc/20/fd/notanumber", "");
    fs::create_dir_all(root.path().join("proc/21")).unwrap();
    write("etc/passwd", "root:x:0:0::/root:/bin/sh\nbad line\n");
    write("proc/sys/kernel/hostname", "box\n");
    root
}

#[test]
fn a_made_up_system() {
    let root = fake();
    let all = snapshot_of(root.path(), &Scope::All, &Bounds::default()).unwrap();
    assert_eq!((all.stats.processes, all.stats.vanished), (2, 1), "process 21 vanished");
    assert_eq!(all.tables.machine.as_ref().unwrap().hostname, b"box");
    assert_eq!(all.tables.users.len(), 1);
    let web = all.tables.threads.iter().find(|thread| thread.tid == 20).unwrap();
    assert_eq!((&web.comm[..], &web.exe[..], &web.args[..]), (&b"we b)"[..], &b"/bin/we b)"[..], &b"-x\0\0y\0"[..]));
    assert_eq!((web.uid, web.pgid, web.pfminor, web.pfmajor), (2, 20, 5, 6));
}

#[test]
fn a_cgroup_and_bounds() {
    let root = fake();
    let scope = Scope::Cgroup(b"/sys/fs/cgroup/box".to_vec());
    let found = snapshot_of(root.path(), &scope, &Bounds::default()).unwrap();
    assert_eq!(found.tables.threads.iter().map(|thread| thread.tid).collect::<Vec<_>>(), [20]);
    assert_eq!(found.outside.iter().map(|thread| thread.tid).collect::<Vec<_>>(), [1]);
    let one = snapshot_of(root.path(), &Scope::All, &Bounds { threads: 1, ..Bounds::default() }).unwrap();
    assert_eq!(one.tables.threads.len(), 1);
    let none = Bounds { time: Duration::ZERO, ..Bounds::default() };
    let late = snapshot_of(root.path(), &Scope::All, &none).unwrap();
    assert_eq!((late.tables.threads.len(), late.stats.left_out), (0, 3));
}

#[test]
fn merging_adds_only_what_is_missing() {
    let (pid, snapshot) = own();
    let mut tables = snapshot.tables.clone();
    let mut state = state_of(snapshot);
    let before = state.threads().count();
    tables.threads[0].comm = b"changed".to_vec();
    let new = Thread { tid: 4_000_001, pid: 4_000_001, ptid: pid, comm: b"new".to_vec(), ..Thread::default() };
    tables.threads.push(new);
    state.merge(tables);
    assert_eq!(state.threads().count(), before + 1);
    assert!(state.threads().all(|(_, thread)| thread.comm != b"changed"));
    assert_eq!(state.parent(thread(&state, 4_000_001)).unwrap().tid, pid);
}

#[test]
fn when_threads_started() {
    let mut source = ProcSource::new(&Limits::default()).unwrap();
    let pid = i64::from(std::process::id());
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let now = now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64;
    let started = crate::ThreadSource::started(&mut source, pid, pid).unwrap();
    assert!(started > 0 && started <= now, "{started} of {now}");
    assert!(now - started < 3_600_000_000_000, "this test runs for less than an hour");
    assert_eq!(crate::ThreadSource::started(&mut source, 1, pid), None, "a thread of another process");
}
