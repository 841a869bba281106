//! Syslog: the datagrams themselves, and a real rsyslogd at the other end.

use crate::support::{alert, assert_settled, line, report, saying, settings, wait_until};
use peregrine_alert::Priority;
use peregrine_outputs::sinks::syslog::{self, Server};
use peregrine_outputs::{Outputs, Settings};
use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

fn start(server: Server) -> Outputs {
    with(server, settings())
}

fn with(server: Server, settings: Settings) -> Outputs {
    let syslog = syslog::Settings { server, ident: "falco".into(), ..syslog::Settings::default() };
    Outputs::start(&Settings { syslog: Some(syslog), ..settings }).expect("it starts")
}

#[test]
fn local_packets_are_those_of_syslog_3() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let socket = UnixDatagram::bind(&path).unwrap();
    let outputs = start(Server::Socket(path));
    outputs.send(alert(0));
    let mut packet = [0; 8192];
    let n = socket.recv(&mut packet).unwrap();
    let text = std::str::from_utf8(&packet[..n]).unwrap();
    // user.warning, the date in 15 characters, the name.
    let rest = text.strip_prefix("<12>").unwrap();
    assert_eq!(rest.as_bytes()[3], b' ');
    assert_eq!(&rest[15..], format!(" falco: {}", line(&alert(0), false)));
}

#[test]
fn a_stream_socket_serves_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let listener = UnixListener::bind(&path).unwrap();
    let outputs = start(Server::Socket(path));
    outputs.send(alert(0));
    let (mut stream, _) = listener.accept().unwrap();
    outputs.stop();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.ends_with(&format!("{}\0", line(&alert(0), false))), "{text:?}");
}

/// A message that no datagram carries goes shortened, and that is counted.
#[test]
fn what_is_too_long_is_shortened() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let local = UnixDatagram::bind(&path).unwrap();
    let remote = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut buffer = vec![0; 2 << 20];
    let outputs = start(Server::Socket(path));
    outputs.send(saying(&"é".repeat(500_000)));
    let n = local.recv(&mut buffer).unwrap();
    assert!(n > 10_000 && std::str::from_utf8(&buffer[..n]).unwrap().ends_with("[shortened]"), "{n}");
    wait_until("it is counted", || report(&outputs, "syslog").shortened == 1);
    let outputs = start(Server::Udp(remote.local_addr().unwrap().to_string()));
    outputs.send(saying(&"é".repeat(500_000)));
    let (n, _) = remote.recv_from(&mut buffer).unwrap();
    assert!(n > 60_000 && std::str::from_utf8(&buffer[..n]).unwrap().ends_with("[shortened]"), "{n}");
    assert_eq!(outputs.stop()[0].shortened, 1);
}

#[test]
fn remote_packets_are_those_of_rfc_5424() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let outputs = start(Server::Udp(socket.local_addr().unwrap().to_string()));
    let mut urgent = alert(0);
    urgent.priority = Priority::Emergency;
    outputs.send(urgent.clone());
    let mut packet = [0; 8192];
    let (n, _) = socket.recv_from(&mut packet).unwrap();
    let text = std::str::from_utf8(&packet[..n]).unwrap();
    let pid = std::process::id();
    assert_eq!(text, format!("<8>1 2026-11-24T12:13:32.701071Z ahost falco {pid} - - {}", line(&urgent, false)));
}

/// A server that goes away and comes back: nothing that is sent while it is away is lost.
#[test]
fn a_server_that_comes_back_gets_what_waited() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let outputs = start(Server::Tcp(address.to_string()));
    outputs.send(alert(0));
    let (mut stream, _) = listener.accept().unwrap();
    let mut first = [0; 4];
    stream.read_exact(&mut first).unwrap();
    wait_until("it is delivered", || report(&outputs, "syslog").delivered == 1);
    drop((stream, listener));
    outputs.send(alert(1));
    wait_until("it is away", || report(&outputs, "syslog").retries > 0);
    let listener = crate::support::listen_again(address);
    let (mut stream, _) = listener.accept().unwrap();
    outputs.send(alert(2));
    let reports = std::thread::scope(|scope| {
        let stopped = scope.spawn(|| outputs.stop());
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.contains(&line(&alert(1), false)) && text.ends_with(&line(&alert(2), false)), "{text}");
        stopped.join().unwrap()
    });
    assert_eq!((reports[0].delivered, reports[0].lost_total()), (3, 0));
    assert_eq!(reports[0].reopened, 1);
}

/// An rsyslogd of our own: its sockets and files in a directory of ours.
struct Rsyslog {
    child: Child,
    dir: tempfile::TempDir,
    port: u16,
}

impl Rsyslog {
    fn start() -> Option<Self> {
        let program = Path::new("/usr/sbin/rsyslogd");
        if !program.exists() {
            let required = std::env::var_os("PEREGRINE_REQUIRE_RSYSLOG").is_some_and(|value| value == "1");
            assert!(!required, "no rsyslogd, but PEREGRINE_REQUIRE_RSYSLOG=1");
            eprintln!("skipped: no rsyslogd");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let port = crate::support::closed_port().port();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let config = format!(
            "global(workDirectory=\"{}\" maxMessageSize=\"2m\" parser.escapeControlCharactersOnReceive=\"off\")\n\
             module(load=\"imuxsock\" SysSock.Use=\"off\")\nmodule(load=\"imudp\")\nmodule(load=\"imtcp\" maxFrameSize=\"2000000\")\n\
             template(name=\"t\" type=\"string\" string=\"%syslogfacility-text%.%syslogseverity-text% %app-name%%msg%\\n\")\n\
             ruleset(name=\"r\") {{ action(type=\"omfile\" file=\"{}\" template=\"t\" flushInterval=\"1\" asyncWriting=\"off\") }}\n\
             input(type=\"imuxsock\" Socket=\"{}\" UseSysTimeStamp=\"off\" ruleset=\"r\")\n\
             input(type=\"imudp\" address=\"127.0.0.1\" port=\"{port}\" ruleset=\"r\")\n\
             input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\" ruleset=\"r\")\n",
            dir.path().display(),
            at("out"),
            at("log"),
        );
        std::fs::write(at("conf"), config).unwrap();
        let child = Command::new(program)
            .args(["-n", "-f", &at("conf"), "-i", &at("pid")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("rsyslogd starts");
        let server = Self { child, dir, port };
        wait_until("rsyslogd listens", || {
            server.socket().exists() && crate::support::answers(([127, 0, 0, 1], port).into())
        });
        Some(server)
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn lines(&self) -> Vec<String> {
        std::fs::read_to_string(self.dir.path().join("out")).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every alert arrives at a real server, by each of the ways, in order and whole.
#[test]
fn rsyslogd_gets_every_alert() {
    let Some(server) = Rsyslog::start() else { return };
    let address = format!("127.0.0.1:{}", server.port);
    let ways = [Server::Socket(server.socket()), Server::Udp(address.clone()), Server::Tcp(address)];
    let mut expected = Vec::new();
    for way in ways {
        for json in [false, true] {
            let settings = Settings { layout: crate::support::layout(json), ..settings() };
            let outputs = with(way.clone(), settings);
            for number in 0..50 {
                let mut alert = alert(number);
                alert.priority = Priority::ALL[number % 8];
                let severity = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"][number % 8];
                // What follows the header is the message, with the blank that ends the header.
                expected.push(format!("user.{severity} falco {}", line(&alert, json)));
                outputs.send(alert);
                // UDP has no way to ask for patience.
                if matches!(way, Server::Udp(_)) {
                    wait_until("it arrived", || server.lines().len() == expected.len());
                }
            }
            assert_settled(&outputs.stop()[0], 50);
            wait_until("all arrived", || server.lines().len() >= expected.len());
        }
    }
    for (got, expected) in server.lines().iter().zip(&expected) {
        // RFC 5424 has the message begin after the blank; the local form's blank is part of it.
        assert_eq!(
            got.replace("falco {", "falco{").replace("falco 12", "falco12"),
            expected.replace("falco {", "falco{").replace("falco 12", "falco12")
        );
    }
    assert_eq!(server.lines().len(), expected.len());
}

/// A line of a megabyte over TCP arrives whole.
#[test]
fn rsyslogd_gets_a_megabyte() {
    let Some(server) = Rsyslog::start() else { return };
    let outputs = start(Server::Tcp(format!("127.0.0.1:{}", server.port)));
    let large = saying(&"\t€".repeat(200_000));
    outputs.send(large.clone());
    outputs.send(alert(1));
    assert_eq!(outputs.stop()[0].delivered, 2);
    wait_until("both arrived", || server.lines().len() == 2);
    assert!(server.lines()[0].ends_with(&line(&large, false)));
    assert!(server.lines()[1].ends_with(&line(&alert(1), false)));
}
