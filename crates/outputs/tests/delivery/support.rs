//! Alerts, sinks that do as they are told, and an HTTP receiver that keeps what it gets.

use peregrine_alert::{Alert, Json, Layout, Priority};
use peregrine_outputs::counters::Report;
use peregrine_outputs::queue::MemoryQueue;
use peregrine_outputs::sink::{Desk, Failed, Sink};
use peregrine_outputs::{Message, Outputs, Settings};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The longest that anything here may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An alert with a number, whose text is awkward.
pub fn alert(number: usize) -> Alert {
    saying(&format!("alert {number} \u{1b}[2J \"q\" \\ \r\n end"))
}

/// An alert that says a text.
pub fn saying(text: &str) -> Alert {
    Alert {
        rule: "A rule".into(),
        priority: Priority::Warning,
        source: "syscall".into(),
        tags: vec!["t".into()],
        time: 1_795_522_412_701_071_879,
        hostname: "a host".into(),
        message: text.into(),
        output_fields: vec![("proc.name".into(), Json::Text("x\ny".into()))],
        internal: false,
    }
}

/// The line that an alert becomes, as a receiver should see it.
pub fn line(alert: &Alert, json: bool) -> String {
    alert.line(&layout(json))
}

/// Lines in one zone whatever the machine's is.
pub fn layout(json: bool) -> Layout {
    Layout { json, zone: jiff::tz::TimeZone::UTC, ..Layout::default() }
}

/// Settings for tests: no output yet, quick to try again.
pub fn settings() -> Settings {
    Settings { layout: layout(false), max_backoff: Duration::from_millis(100), grace: PATIENCE, ..Settings::default() }
}

/// Waits until something holds.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The report of one output.
pub fn report(outputs: &Outputs, name: &str) -> Report {
    outputs.reports().into_iter().find(|report| report.output == name).expect("the output is on")
}

/// Nothing is unaccounted for once all is over.
pub fn assert_settled(report: &Report, offered: u64) {
    assert_eq!(report.offered, offered, "{report:?}");
    assert_eq!(report.delivered + report.lost_total(), offered, "{report:?}");
}

/// Outputs of sinks that tests make.
pub fn outputs(settings: &Settings, sinks: Vec<(&'static str, Box<dyn Sink>)>) -> Outputs {
    let (capacity, bytes) = (settings.capacity, settings.max_bytes);
    Outputs::with_sinks(settings, sinks, &mut |_| Arc::new(MemoryQueue::new(capacity, bytes))).expect("they start")
}

/// What a sink of tests does with messages.
pub type Deed = Box<dyn FnMut(&[Message], &Desk) -> Result<usize, Failed> + Send>;

/// What a sink of tests took over.
pub type Kept = Arc<Mutex<Vec<String>>>;

/// A sink that does as it is told, and keeps what it took over.
pub struct Told {
    deed: Deed,
    batch: usize,
    reopened: Sender<()>,
    kept: Arc<Mutex<Vec<String>>>,
}

impl Told {
    /// The sink, what it keeps, and news of being opened anew.
    pub fn sink(batch: usize, deed: Deed) -> (Box<dyn Sink>, Kept, Receiver<()>) {
        let (kept, (reopened, news)) = (Arc::new(Mutex::new(Vec::new())), channel());
        (Box::new(Self { deed, batch, reopened, kept: Arc::clone(&kept) }), kept, news)
    }
}

impl Sink for Told {
    fn deliver(&mut self, messages: &[Message], desk: &Desk) -> Result<usize, Failed> {
        let result = (self.deed)(messages, desk);
        let taken = match &result {
            Ok(taken) => *taken,
            Err(failed) => failed.taken,
        };
        for message in &messages[..taken] {
            self.kept.lock().unwrap().push(message.alert().message.clone());
            desk.delivered(message);
        }
        result
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn reopen(&mut self, _desk: &Desk) {
        let _ = self.reopened.send(());
    }
}

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header; empty when there is none.
    pub fn header(&self, name: &str) -> String {
        let found = self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        found.unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }
}

/// What a receiver does with a request, given its number from 0.
pub type Answer = Arc<dyn Fn(usize, &Request) -> Reply + Send + Sync>;

/// What a receiver answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A status and a body.
    Status(u16, &'static str),
    /// Nothing at all; the connection stays open until the receiver ends.
    Silence,
    /// The connection is closed.
    Hangup,
}

/// An HTTP or HTTPS server in threads of its own. It ends with the process.
pub struct Server {
    pub address: SocketAddr,
    pub requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts at a free port of loopback; with a configuration of TLS it speaks that.
    pub fn start(tls: Option<ServerConfig>, answer: Answer) -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").expect("a port"), tls, answer)
    }

    /// Starts with a listener.
    pub fn start_at(listener: TcpListener, tls: Option<ServerConfig>, answer: Answer) -> Self {
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (tls, kept) = (tls.map(Arc::new), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, kept, answer) = (tls.clone(), Arc::clone(&kept), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let raw = stream.try_clone();
                    match tls {
                        None => serve(stream, &kept, &answer),
                        Some(config) => {
                            let connection = ServerConnection::new(config).expect("a configuration");
                            serve(StreamOwned::new(connection, stream), &kept, &answer);
                        }
                    }
                    // What is left unread would take back what was said last.
                    if let Ok(mut raw) = raw {
                        let _ = raw.shutdown(std::net::Shutdown::Write);
                        let _ = std::io::copy(&mut raw, &mut std::io::sink());
                    }
                });
            }
        });
        Self { address, requests }
    }

    /// Always content.
    pub fn content() -> Self {
        Self::start(None, Arc::new(|_, _| Reply::Status(200, "")))
    }

    /// The requests so far.
    pub fn received(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(stream: impl Read + Write, kept: &Mutex<Vec<Request>>, answer: &Answer) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream) {
        let number = {
            let mut kept = kept.lock().unwrap();
            kept.push(request.clone());
            kept.len() - 1
        };
        match answer(number, &request) {
            Reply::Status(status, body) => {
                let reply = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                if stream.get_mut().write_all(reply.as_bytes()).and_then(|()| stream.get_mut().flush()).is_err() {
                    return;
                }
            }
            Reply::Silence => {
                // The client closes when it has had enough.
                let _ = stream.read(&mut [0; 1]);
                return;
            }
            Reply::Hangup => return,
        }
    }
}

fn read_request(stream: &mut impl BufRead) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut request = Request { head, body: Vec::new() };
    request.body = vec![0; request.header("content-length").parse().ok()?];
    stream.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// A port at which nobody listens.
pub fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port")
}

/// Binds a port again that was free a moment ago.
pub fn listen_again(address: SocketAddr) -> TcpListener {
    TcpListener::bind(address).expect("the port is still free")
}

/// Whether somebody answers there.
pub fn answers(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}
