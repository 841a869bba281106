//! HTTPS with certificates of both sides, and what is said when one does not satisfy.

use crate::support::{Answer, Reply, Server, alert, line, report, settings, wait_until};
use peregrine_outputs::sinks::{http, tls::Trust};
use peregrine_outputs::{Cause, Outputs, Settings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// An authority, and a directory for its files.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: tempfile::TempDir,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn ca(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Files `NAME.crt` and `NAME.key` for a name.
    fn issue(&self, file: &str, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let (crt, pem) = (self.path(&format!("{file}.crt")), self.path(&format!("{file}.key")));
        std::fs::write(&crt, cert.pem()).unwrap();
        std::fs::write(&pem, key.serialize_pem()).unwrap();
        (crt, pem)
    }

    /// A server's configuration; clients of the given authority are let in, or all.
    fn server(&self, name: &str, clients: Option<&Authority>) -> ServerConfig {
        let (crt, key) = self.issue("server", name);
        let chain = CertificateDer::pem_file_iter(crt).unwrap().map(Result::unwrap).collect();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.issuer.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        builder.with_single_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap()).unwrap()
    }
}

fn content() -> Answer {
    Arc::new(|_, _| Reply::Status(200, ""))
}

fn to(server: &Server, trust: Trust) -> Settings {
    let url = format!("https://localhost:{}/", server.address.port());
    Settings { http: Some(http::Settings { url, trust, ..http::Settings::default() }), ..settings() }
}

fn trusting(authority: &Authority) -> Trust {
    Trust { ca_cert: Some(authority.ca()), ..Trust::default() }
}

#[test]
fn both_sides_show_their_certificates() {
    let (ours, theirs) = (Authority::new("clients"), Authority::new("servers"));
    let server = Server::start(Some(theirs.server("localhost", Some(&ours))), content());
    let trust = Trust { client: Some(ours.issue("client", "agent")), ..trusting(&theirs) };
    let outputs = Outputs::start(&to(&server, trust)).unwrap();
    (0..10).for_each(|number| outputs.send(alert(number)));
    assert_eq!(outputs.stop()[0].delivered, 10);
    let bodies: Vec<String> = server.received().iter().map(|request| request.text()).collect();
    assert_eq!(bodies, (0..10).map(|number| line(&alert(number), false)).collect::<Vec<_>>());
}

/// Where authorities come from: the first of the three that is given.
#[test]
fn the_first_of_three_places_counts() {
    let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
    let server = Server::start(Some(right.server("localhost", None)), content());
    let (right_dir, wrong_dir) = (right.dir.path().to_path_buf(), wrong.dir.path().to_path_buf());
    std::fs::write(right_dir.join("README"), "no certificate").unwrap();
    let cases = [
        (
            Trust {
                ca_cert: Some(right.ca()),
                ca_bundle: Some(wrong.ca()),
                ca_path: wrong_dir.clone(),
                ..Trust::default()
            },
            true,
        ),
        (Trust { ca_cert: None, ca_bundle: Some(right.ca()), ca_path: wrong_dir.clone(), ..Trust::default() }, true),
        (Trust { ca_path: right_dir.clone(), ..Trust::default() }, true),
        (
            Trust {
                ca_cert: Some(wrong.ca()),
                ca_bundle: Some(right.ca()),
                ca_path: right_dir.clone(),
                ..Trust::default()
            },
            false,
        ),
        (Trust { ca_bundle: Some(wrong.ca()), ca_path: right_dir, ..Trust::default() }, false),
        (Trust { ca_path: wrong_dir, ..Trust::default() }, false),
        (Trust { insecure: true, ..Trust::default() }, true),
    ];
    for (trust, trusted) in cases {
        let settings = Settings { max_age: Duration::ZERO, ..to(&server, trust.clone()) };
        let outputs = Outputs::start(&settings).unwrap();
        outputs.send(alert(0));
        let report = outputs.stop().remove(0);
        assert_eq!((report.delivered, report.lost_to(Cause::Tls)), if trusted { (1, 0) } else { (0, 1) }, "{trust:?}");
    }
}

/// A certificate that signs itself and is made as an authority's serves the server that it names, if it is trusted
/// itself; another name's, another's or an expired one does not.
#[test]
fn certificates_that_sign_themselves_serve_if_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let made = |file: &str, name: &str, until: i32| {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap();
        let path = dir.path().join(file);
        std::fs::write(&path, cert.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let config = builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
        (path, Server::start(Some(config), content()))
    };
    let right = made("right", "localhost", 2100);
    let other = made("other", "other.example", 2100);
    let expired = made("expired", "localhost", 2001);
    for ((trusted, _), (_, server), takes) in [
        (&right, &right, true),
        (&other, &right, false),
        (&right, &other, false),
        (&other, &other, false),
        (&expired, &expired, false),
    ] {
        let trust = Trust { ca_cert: Some(trusted.clone()), ..Trust::default() };
        let outputs = Outputs::start(&Settings { max_age: Duration::ZERO, ..to(server, trust) }).unwrap();
        outputs.send(alert(0));
        let report = outputs.stop().remove(0);
        assert_eq!((report.delivered, report.lost_to(Cause::Tls)), if takes { (1, 0) } else { (0, 1) }, "{trusted:?}");
    }
}

/// Each way to be turned away has a cause of its own.
#[test]
fn what_does_not_satisfy_is_a_loss_to_tls() {
    let (ours, theirs) = (Authority::new("clients"), Authority::new("servers"));
    let closed = Server::start(Some(theirs.server("localhost", Some(&ours))), content());
    let elsewhere = Server::start(Some(theirs.server("other.example", None)), content());
    let plain = speaks_plainly();
    let stranger = Trust { client: Some(theirs.issue("stranger", "agent")), ..trusting(&theirs) };
    let cases = [
        (&closed, trusting(&theirs)),
        (&closed, stranger),
        (&elsewhere, trusting(&theirs)),
        (&plain, trusting(&theirs)),
    ];
    for (server, trust) in cases {
        let settings = Settings { max_age: Duration::ZERO, ..to(server, trust.clone()) };
        let outputs = Outputs::start(&settings).unwrap();
        outputs.send(alert(0));
        let report = outputs.stop().remove(0);
        assert_eq!(report.lost_to(Cause::Tls), 1, "{trust:?}: {report:?}");
        assert!(server.received().is_empty());
    }
}

/// A server that answers in clear text to whatever comes.
fn speaks_plainly() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    Server { address, requests: Arc::default() }
}

/// Files that are wrong are named at the start.
#[test]
fn wrong_files_are_named() {
    let authority = Authority::new("servers");
    let server = Server::start(Some(authority.server("localhost", None)), content());
    let (crt, key) = authority.issue("client", "agent");
    let (other, _) = authority.issue("other", "agent");
    let empty = tempfile::tempdir().unwrap();
    let base = trusting(&authority);
    for (trust, parts) in [
        (
            Trust { ca_cert: Some("/nowhere/ca.pem".into()), ..Trust::default() },
            ["ca_cert /nowhere/ca.pem", "No such file"],
        ),
        (Trust { ca_bundle: Some(key.clone()), ..Trust::default() }, ["no certificate", "client.key"]),
        (Trust { ca_path: empty.path().into(), ..Trust::default() }, ["no certificate of an authority", "ca_path"]),
        (Trust { client: Some((crt.clone(), crt)), ..base.clone() }, ["client_key", "client.crt"]),
        (Trust { client: Some((other, key)), ..base }, ["do not serve", "client.key"]),
    ] {
        let error = Outputs::start(&to(&server, trust)).err().expect("an error").to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}

/// A certificate that is renewed is read when outputs are opened anew, without a restart.
#[test]
fn renewed_certificates_are_read_on_opening_anew() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let server = Server::start(Some(new.server("localhost", None)), content());
    let outputs = Outputs::start(&to(&server, trusting(&old))).unwrap();
    outputs.send(alert(0));
    wait_until("it is turned away", || report(&outputs, "http").retries > 0);
    std::fs::copy(new.ca(), old.ca()).unwrap();
    outputs.reopen();
    let reports = outputs.stop();
    assert_eq!((reports[0].delivered, reports[0].lost_total(), reports[0].reopened), (1, 0, 1));
}
