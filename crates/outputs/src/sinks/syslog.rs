//! Syslog: the local socket as `syslog(3)` uses it, or a remote server in the form of RFC 5424.

use crate::counters::Counters;
use crate::error::{Cause, Error};
use crate::message::Message;
use crate::sink::{Desk, Failed, Sink};
use jiff::Zoned;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where local syslog servers listen.
const LOCAL: [&str; 4] = ["/dev/log", "/run/systemd/journal/dev-log", "/var/run/syslog", "/var/run/log"];
/// How long connecting and writing may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest datagram that UDP over IPv4 carries.
const UDP_MOST: usize = 65_507;
/// What a shortened message ends with.
const SHORTENED: &str = "… [shortened]";

/// Where the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// On this machine: the first of the usual sockets that is there.
    Local,
    /// On this machine: this socket.
    Socket(PathBuf),
    /// `HOST:PORT`, datagrams.
    Udp(String),
    /// `HOST:PORT`, a connection; messages are counted as in RFC 6587.
    Tcp(String),
}

impl std::str::FromStr for Server {
    type Err = String;

    /// `""`, `udp://HOST:PORT`, `tcp://HOST:PORT`, or a path.
    fn from_str(text: &str) -> Result<Self, String> {
        let address = |host_port: &str| match host_port.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(host_port.to_owned()),
            _ => Err(format!("\"{}\" is not HOST:PORT", host_port.escape_default())),
        };
        match text.split_once("://") {
            Some(("udp", rest)) => address(rest).map(Self::Udp),
            Some(("tcp", rest)) => address(rest).map(Self::Tcp),
            None if text.is_empty() => Ok(Self::Local),
            None if text.starts_with('/') => Ok(Self::Socket(text.into())),
            _ => Err(format!(
                "\"{}\" is no syslog server; it is udp://HOST:PORT, tcp://HOST:PORT or the path of a socket",
                text.escape_default()
            )),
        }
    }
}

/// Which server, and as whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server.
    pub server: Server,
    /// The name under which messages are sent.
    pub ident: String,
    /// The facility's number, 0 to 23; 1 is `user`.
    pub facility: u8,
}

impl Default for Settings {
    /// The local server; the facility that `syslog(3)` has by itself.
    fn default() -> Self {
        Self { server: Server::Local, ident: "peregrine".into(), facility: 1 }
    }
}

/// The output.
pub struct Syslog {
    settings: Settings,
    way: Option<Way>,
    opened: bool,
}

/// An open way to the server.
enum Way {
    Datagrams(UnixDatagram),
    Stream(UnixStream),
    Udp(UdpSocket),
    Tcp(TcpStream),
}

impl Syslog {
    /// Nothing is connected yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, way: None, opened: false }
    }

    fn connect(&mut self, desk: &Desk) -> Result<Way, Error> {
        if let Some(way) = self.way.take().filter(Way::lives) {
            return Ok(way);
        }
        let way = match &self.settings.server {
            Server::Local => local(LOCAL.iter().map(Path::new)),
            Server::Socket(path) => local(std::iter::once(path.as_path())),
            Server::Udp(address) => udp(address).map_err(|e| unreachable(address, &e)),
            Server::Tcp(address) => tcp(address).map_err(|e| unreachable(address, &e)),
        }?;
        if self.opened {
            Counters::add(&desk.counters.reopened);
        }
        self.opened = true;
        Ok(way)
    }

    /// The message as it goes over this way, but for its framing.
    fn packet(&self, way: &Way, message: &Message) -> Vec<u8> {
        let alert = message.alert();
        let priority = self.settings.facility.min(23) * 8 + alert.priority as u8;
        let ident = name(&self.settings.ident, 48);
        let head = match way {
            Way::Datagrams(_) | Way::Stream(_) => {
                format!("<{priority}>{} {ident}: ", Zoned::now().strftime("%b %e %H:%M:%S"))
            }
            Way::Udp(_) | Way::Tcp(_) => {
                let time = peregrine_alert::time::utc(alert.time);
                let host = name(&alert.hostname, 255);
                // The format has six digits of a second.
                let time = time.get(..26).unwrap_or("-");
                format!("<{priority}>1 {time}Z {host} {ident} {} - - ", std::process::id())
            }
        };
        [head.as_bytes(), message.line().as_bytes()].concat()
    }
}

impl Sink for Syslog {
    fn deliver(&mut self, messages: &[Message], desk: &Desk) -> Result<usize, Failed> {
        let Some(message) = messages.first() else { return Ok(0) };
        let mut way = self.connect(desk)?;
        let packet = self.packet(&way, message);
        // After an error the way is dropped and the next attempt connects anew.
        let whole = way.send(packet).map_err(|e| {
            let cause = if e.kind() == ErrorKind::WouldBlock { Cause::Timeout } else { Cause::Unreachable };
            Error::passing(cause, format!("cannot send to syslog: {e}"))
        })?;
        if !whole {
            Counters::add(&desk.counters.shortened);
        }
        self.way = Some(way);
        desk.delivered(message);
        Ok(1)
    }

    fn reopen(&mut self, _desk: &Desk) {
        self.way = None;
    }

    /// Waits until the server has taken notice of the end, so that what is on its way arrives.
    fn close(&mut self, desk: &Desk) {
        if let Some(Way::Tcp(stream)) = self.way.take() {
            let wait = desk.signals.at_most(Duration::from_secs(1)).max(Duration::from_millis(1));
            let told = stream.shutdown(std::net::Shutdown::Write).and_then(|()| stream.set_read_timeout(Some(wait)));
            if told.is_ok() {
                let _ = std::io::Read::read(&mut &stream, &mut [0; 64]);
            }
        }
    }
}

impl Way {
    /// Whether a connection still has a server at its other end: what is written after that one closed is lost.
    fn lives(&self) -> bool {
        let mut byte = [0_u8; 1];
        let flags = rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT;
        let peeked = match self {
            Self::Stream(stream) => rustix::net::recv(stream, &mut byte, flags),
            Self::Tcp(stream) => rustix::net::recv(stream, &mut byte, flags),
            Self::Datagrams(_) | Self::Udp(_) => return true,
        };
        match peeked {
            Ok((_, n)) => n > 0,
            Err(e) => e == rustix::io::Errno::AGAIN,
        }
    }

    /// Sends a packet; whether it went whole.
    fn send(&mut self, mut packet: Vec<u8>) -> std::io::Result<bool> {
        match self {
            Self::Datagrams(socket) => datagram(packet, |bytes| socket.send(bytes)),
            Self::Udp(socket) => {
                let whole = shorten(&mut packet, UDP_MOST);
                datagram(packet, |bytes| socket.send(bytes)).map(|sent| sent && whole)
            }
            // As syslog(3): a null byte ends a message.
            Self::Stream(stream) => {
                packet.push(0);
                stream.write_all(&packet).map(|()| true)
            }
            Self::Tcp(stream) => {
                let framed = [format!("{} ", packet.len()).as_bytes(), &packet].concat();
                stream.write_all(&framed).map(|()| true)
            }
        }
    }
}

/// Sends one datagram; halves it as long as it is too large for the way.
fn datagram(mut packet: Vec<u8>, mut send: impl FnMut(&[u8]) -> std::io::Result<usize>) -> std::io::Result<bool> {
    let mut whole = true;
    loop {
        match send(&packet) {
            Err(e) if e.raw_os_error() == Some(rustix::io::Errno::MSGSIZE.raw_os_error()) && packet.len() > 512 => {
                let half = packet.len() / 2;
                whole &= shorten(&mut packet, half);
            }
            result => return result.map(|_| whole),
        }
    }
}

/// Cuts a packet down, between characters, and marks it; whether nothing had to be cut.
fn shorten(packet: &mut Vec<u8>, most: usize) -> bool {
    if packet.len() <= most {
        return true;
    }
    let mut at = most.saturating_sub(SHORTENED.len());
    while at > 0 && packet[at] & 0b1100_0000 == 0b1000_0000 {
        at -= 1;
    }
    packet.truncate(at);
    packet.extend_from_slice(SHORTENED.as_bytes());
    false
}

fn local<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<Way, Error> {
    let mut tried = Vec::new();
    for path in paths {
        match local_at(path) {
            Ok(way) => return Ok(way),
            Err(e) => tried.push(format!("{}: {e}", path.display())),
        }
    }
    Err(Error::passing(Cause::Unreachable, format!("no local syslog server answers: {}", tried.join("; "))))
}

fn local_at(path: &Path) -> std::io::Result<Way> {
    let socket = UnixDatagram::unbound()?;
    match socket.connect(path) {
        Ok(()) => {
            socket.set_write_timeout(Some(PATIENCE))?;
            Ok(Way::Datagrams(socket))
        }
        // The socket is one for connections.
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::PROTOTYPE.raw_os_error()) => {
            let stream = UnixStream::connect(path)?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(Way::Stream(stream))
        }
        Err(e) => Err(e),
    }
}

fn udp(address: &str) -> std::io::Result<Way> {
    each_address(address, |at| {
        let any: SocketAddr = if at.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
        let socket = UdpSocket::bind(any)?;
        socket.connect(at)?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Way::Udp(socket))
    })
}

fn tcp(address: &str) -> std::io::Result<Way> {
    each_address(address, |at| {
        let stream = TcpStream::connect_timeout(&at, PATIENCE)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Way::Tcp(stream))
    })
}

/// The first address of the name at which `open` succeeds.
fn each_address(address: &str, open: impl Fn(SocketAddr) -> std::io::Result<Way>) -> std::io::Result<Way> {
    let mut last = std::io::Error::new(ErrorKind::NotFound, "the name has no address");
    for at in address.to_socket_addrs()? {
        match open(at) {
            Ok(way) => return Ok(way),
            Err(e) => last = e,
        }
    }
    Err(last)
}

fn unreachable(address: &str, error: &std::io::Error) -> Error {
    let cause = if error.kind() == ErrorKind::TimedOut { Cause::Timeout } else { Cause::Unreachable };
    Error::passing(cause, format!("cannot reach the syslog server at {address}: {error}"))
}

/// A name as a header takes it: printable ASCII without blanks, not too long; `-` for nothing.
fn name(text: &str, most: usize) -> String {
    let name: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if name.is_empty() { "-".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_by_scheme() {
        assert_eq!("".parse(), Ok(Server::Local));
        assert_eq!("/run/x".parse(), Ok(Server::Socket("/run/x".into())));
        assert_eq!("udp://[::1]:514".parse(), Ok(Server::Udp("[::1]:514".into())));
        assert_eq!("tcp://logs.example:6514".parse(), Ok(Server::Tcp("logs.example:6514".into())));
        for wrong in ["logs.example:514", "tcp://host", "tcp://:5", "tls://host:1", "udp://h:99999", "udp://h:1/x"] {
            assert!(wrong.parse::<Server>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn shortening_keeps_characters_whole() {
        let mut packet = "é".repeat(50).into_bytes();
        assert!(!shorten(&mut packet, 40));
        let text = String::from_utf8(packet).unwrap();
        assert!(text.len() <= 40 && text.starts_with('é') && text.ends_with(SHORTENED));
        assert!(shorten(&mut b"short".to_vec(), 40));
    }

    #[test]
    fn headers_take_only_what_they_can() {
        assert_eq!(name("my host\n\u{e9}", 255), "myhost");
        assert_eq!((name("", 5), name("abcdefg", 5)), ("-".into(), "abcde".into()));
    }
}
