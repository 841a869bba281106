//! What the machine is made to do while it is measured: two loops whose figures can be compared with other detectors'.

use nix::libc;
use nix::sys::socket::{setsockopt, sockopt};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

/// Opens, reads and closes a file, `times` times; nothing else.
pub fn plain(dir: &Path, times: u64) -> std::io::Result<()> {
    let path = dir.join("plain");
    std::fs::write(&path, "plain")?;
    let mut buffer = [0; 64];
    for _ in 0..times {
        let _ = File::open(&path)?.read(&mut buffer)?;
    }
    Ok(())
}

/// Opens, reads and closes a file; every 4th time writes and removes one, every 8th time connects to itself and
/// exchanges a line, every 200th time starts a program and waits for it.
pub fn mixed(dir: &Path, times: u64) -> std::io::Result<()> {
    let path = dir.join("mixed");
    std::fs::write(&path, "mixed")?;
    let other = dir.join("other");
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let mut buffer = [0; 64];
    for i in 1..=times {
        let _ = File::open(&path)?.read(&mut buffer)?;
        if i % 4 == 0 {
            OpenOptions::new().write(true).create(true).truncate(true).open(&other)?.write_all(b"written")?;
            std::fs::remove_file(&other)?;
        }
        if i % 8 == 0 {
            let mut client = TcpStream::connect(address)?;
            let (mut server, _) = listener.accept()?;
            client.write_all(b"a line\n")?;
            let _ = server.read(&mut buffer)?;
            // Closing resets the connection, so that its port is free at once: there are more connections than ports.
            setsockopt(&client, sockopt::Linger, &libc::linger { l_onoff: 1, l_linger: 0 })
                .map_err(std::io::Error::from)?;
        }
        if i % 200 == 0 {
            Command::new("/bin/true").status()?;
        }
    }
    Ok(())
}
