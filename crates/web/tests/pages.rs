//! Pages over HTTP and HTTPS, as a client sees them.

use peregrine_web::{Bound, Content, Error, NotReplaced, Server, Settings};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

struct Pages {
    well: AtomicBool,
    metrics: bool,
}

impl Content for Pages {
    fn health(&self) -> Result<(), String> {
        if self.well.load(SeqCst) { Ok(()) } else { Err("the event loop \"hangs\"\u{1b}".into()) }
    }

    fn versions(&self) -> String {
        "{\"falco_version\":\"x\"}".into()
    }

    fn metrics(&self) -> Option<String> {
        self.metrics.then(|| "a_metric 1\n".into())
    }
}

fn settings() -> Settings {
    Settings { address: [127, 0, 0, 1].into(), port: 0, threads: 1, health: "/live{z".into(), tls: None }
}

fn start(settings: &Settings, metrics: bool) -> (Server, Arc<Pages>) {
    let pages = Arc::new(Pages { well: AtomicBool::new(true), metrics });
    let server = Bound::new(settings).expect("an address").serve(Arc::clone(&pages) as _).expect("threads");
    (server, pages)
}

/// Says something and reads what is said back until the end.
fn say(mut stream: impl Read + Write, text: &str) -> String {
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn get(address: SocketAddr, path: &str) -> (String, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let answer = say(TcpStream::connect(address).unwrap(), &request);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn three_pages_and_no_other() {
    let (server, pages) = start(&settings(), true);
    let (head, body) = get(server.address(), "/live{z");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("content-type: application/json"), "{head}");
    assert_eq!(body, "{\"status\": \"ok\"}");
    assert_eq!(get(server.address(), "/versions").1, "{\"falco_version\":\"x\"}");
    let (head, body) = get(server.address(), "/metrics?x=y");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert_eq!(body, "a_metric 1\n");
    assert!(get(server.address(), "/healthz").0.starts_with("HTTP/1.1 404"));
    pages.well.store(false, SeqCst);
    let (head, body) = get(server.address(), "/live{z");
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert_eq!(body, "{\"status\": \"failing\", \"reason\": \"the event loop hangs\"}");
}

#[test]
fn metrics_are_told_only_where_they_may_be() {
    let (server, _) = start(&settings(), false);
    assert!(get(server.address(), "/metrics").0.starts_with("HTTP/1.1 404"));
}

#[test]
fn nonsense_is_answered_and_survived() {
    let (server, _) = start(&settings(), true);
    let said = |text: &str| say(TcpStream::connect(server.address()).unwrap(), text);
    assert!(
        said("POST /versions HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 405")
    );
    assert!(said("\u{1}\u{2}\r\n\r\n").starts_with("HTTP/1.1 400"));
    assert!(said(&format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(20_000))).starts_with("HTTP/1.1 4"));
    assert!(get(server.address(), "/versions").0.starts_with("HTTP/1.1 200"));
}

/// Connections that say nothing take no place from others, up to a bound, beyond which they are closed.
#[test]
fn silent_connections_do_not_block_others() {
    let (server, _) = start(&settings(), true);
    let silent: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    assert!(get(server.address(), "/versions").0.starts_with("HTTP/1.1 200"));
    let more: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    let mut last = more.last().unwrap();
    assert_eq!(last.read(&mut [0; 1]).unwrap_or(0), 0, "the one too many is closed");
    drop((silent, more));
}

#[test]
fn a_port_in_use_is_told_of_at_once() {
    let (server, _) = start(&settings(), true);
    let taken = Settings { port: server.address().port(), ..settings() };
    let error = Bound::new(&taken).err().expect("an error");
    let text = error.to_string();
    assert!(matches!(error, Error::Listen { .. }), "{text}");
    assert!(text.contains(&format!("127.0.0.1:{}", taken.port)) && text.contains("in use"), "{text}");
}

fn certificate(path: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(path, key.serialize_pem() + &cert.pem()).unwrap();
    CertificateDer::from_pem_slice(cert.pem().as_bytes()).unwrap()
}

#[test]
fn certificate_and_key_are_in_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("both.pem");
    let cert = certificate(&path);
    let (server, _) = start(&Settings { tls: Some(path.clone()), ..settings() }, true);
    let mut roots = RootCertStore::empty();
    roots.add(cert).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let stream = StreamOwned::new(connection, TcpStream::connect(server.address()).unwrap());
    let answer = say(stream, "GET /versions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{\"falco_version\":\"x\"}"), "{answer}");
    // Clear text gets no page out of it.
    assert!(!say(TcpStream::connect(server.address()).unwrap(), "GET /versions HTTP/1.1\r\n\r\n").contains("falco"));

    let half = dir.path().join("half.pem");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&half, &text[text.find("-----BEGIN CERT").unwrap()..]).unwrap();
    for (path, part) in [(half, "no private key"), (dir.path().join("none.pem"), "No such file")] {
        let error = Bound::new(&Settings { tls: Some(path), ..settings() }).err().expect("an error").to_string();
        assert!(error.contains(part), "{error}");
    }
}

/// Another server in place of one at work.
fn replace(server: Server, settings: &Settings, metrics: bool) -> Result<Server, Box<NotReplaced>> {
    let pages = Arc::new(Pages { well: AtomicBool::new(true), metrics });
    server.replace(settings, pages)
}

#[test]
fn another_takes_the_place_at_the_same_address() {
    let (server, _) = start(&settings(), false);
    let address = server.address();
    assert!(get(address, "/metrics").0.starts_with("HTTP/1.1 404"));
    // Who waits to be taken is taken by the other.
    let server = replace(server, &Settings { health: "/other".into(), ..settings() }, true).ok().expect("it begins");
    assert_eq!(server.address(), address);
    for _ in 0..20 {
        assert_eq!(get(address, "/metrics").1, "a_metric 1\n");
    }
    assert_eq!(get(address, "/other").1, "{\"status\": \"ok\"}");
    let wrong = Settings { tls: Some("/nonexistent".into()), ..settings() };
    let NotReplaced { error, server: kept } = *replace(server, &wrong, false).err().expect("no certificate");
    assert!(error.to_string().contains("/nonexistent"), "{error}");
    let kept = kept.expect("it goes on");
    assert_eq!(get(kept.address(), "/other").1, "{\"status\": \"ok\"}");
}

#[test]
fn all_addresses_and_one_of_them_follow_each_other() {
    let (server, _) = start(&settings(), true);
    let port = server.address().port();
    let fixed = Settings { port, ..settings() };
    let server = replace(server, &fixed, true).ok().expect("the port that it has");
    let all = Settings { address: [0, 0, 0, 0].into(), ..fixed.clone() };
    let server = replace(server, &all, true).ok().expect("all addresses");
    assert_eq!(server.address(), SocketAddr::new(all.address, port));
    assert_eq!(get(([127, 0, 0, 1], port).into(), "/metrics").1, "a_metric 1\n");
    let server = replace(server, &fixed, true).ok().expect("one address");
    assert_eq!(get(server.address(), "/metrics").1, "a_metric 1\n");
    // A port that somebody else has.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = Settings { port: other.local_addr().unwrap().port(), ..settings() };
    let NotReplaced { error, server: kept } = *replace(server, &taken, true).err().expect("taken");
    assert!(matches!(error, Error::Listen { .. }), "{error}");
    assert_eq!(get(kept.expect("it goes on").address(), "/metrics").1, "a_metric 1\n");
}
