//! HTTP receivers: content, busy, refusing, silent, away.

use crate::support::{
    Answer, Reply, Server, alert, assert_settled, closed_port, layout, line, listen_again, report, saying, settings,
    wait_until,
};
use flate2::read::GzDecoder;
use peregrine_outputs::sinks::http;
use peregrine_outputs::{Cause, Outputs, Settings};
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

fn to(address: SocketAddr) -> http::Settings {
    http::Settings { url: format!("http://{address}/hook?k=v"), ..http::Settings::default() }
}

fn start(http: http::Settings) -> Outputs {
    Outputs::start(&Settings { http: Some(http), ..settings() }).expect("it starts")
}

fn answering(answer: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Server {
    let answer: Answer = Arc::new(move |number, _| answer(number));
    Server::start(None, answer)
}

#[test]
fn a_post_an_alert() {
    let server = Server::content();
    let quoted = http::Settings { url: format!("\"http://{}/hook?k=v\"", server.address), ..http::Settings::default() };
    for (json, kind) in [(false, "text/plain"), (true, "application/json")] {
        server.requests.lock().unwrap().clear();
        let settings = Settings { layout: layout(json), http: Some(quoted.clone()), ..settings() };
        let outputs = Outputs::start(&settings).unwrap();
        let large = saying(&"\u{1}\u{7f}".repeat(500_000));
        outputs.send(alert(0));
        outputs.send(large.clone());
        assert_eq!(outputs.stop()[0].delivered, 2);
        let requests = server.received();
        assert_eq!(requests.len(), 2);
        assert!(requests[0].head.starts_with("POST /hook?k=v HTTP/1.1\r\n"), "{}", requests[0].head);
        assert_eq!(requests[0].header("content-type"), kind);
        assert_eq!(requests[0].header("user-agent"), "falcosecurity/falco");
        assert_eq!(requests[0].text(), line(&alert(0), json));
        assert_eq!(requests[1].text(), line(&large, json));
    }
}

/// What `compress_uploads` asks of libcurl is compressed answers; what is sent stays as it is.
#[test]
fn compressed_answers_are_offered_as_libcurl_does() {
    let server = Server::content();
    let outputs = start(http::Settings { compressed_answers: true, ..to(server.address) });
    outputs.send(alert(0));
    assert_eq!(outputs.stop()[0].delivered, 1);
    let request = server.received().remove(0);
    assert_eq!((request.header("te"), request.header("connection")), ("gzip".into(), "TE".into()), "{}", request.head);
    assert_eq!(request.header("content-encoding"), "");
    assert_eq!(request.text(), line(&alert(0), false));
}

#[test]
fn compressed_if_asked_for() {
    let server = Server::content();
    let outputs = start(http::Settings { compress: true, ..to(server.address) });
    outputs.send(alert(0));
    assert_eq!(outputs.stop()[0].delivered, 1);
    let request = server.received().remove(0);
    assert_eq!(request.header("content-encoding"), "gzip");
    let mut text = String::new();
    GzDecoder::new(&request.body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, line(&alert(0), false));
}

/// Batches form of what waits; whatever their sizes, the lines are all there and in order.
#[test]
fn several_a_request_if_asked_for() {
    let server = Server::content();
    let http = http::Settings { batch: 8, ..to(server.address) };
    let outputs = Outputs::start(&Settings { layout: layout(true), http: Some(http), ..settings() }).unwrap();
    (0..100).for_each(|number| outputs.send(alert(number)));
    assert_eq!(outputs.stop()[0].delivered, 100);
    let requests = server.received();
    assert!(requests.len() < 100 && requests.len() >= 13, "{}", requests.len());
    let lines: Vec<String> =
        requests.iter().flat_map(|r| r.text().lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    assert_eq!(lines, (0..100).map(|number| line(&alert(number), true)).collect::<Vec<_>>());
    assert!(requests.iter().any(|request| request.header("content-type") == "application/x-ndjson"));
}

/// The receiver is busy, hangs up, is busy again: each alert is accepted once, in order.
#[test]
fn busy_receivers_are_asked_again() {
    let server = answering(|number| match number {
        0 => Reply::Status(503, "later"),
        1 => Reply::Status(429, ""),
        2 => Reply::Hangup,
        5 => Reply::Status(500, ""),
        _ => Reply::Status(200, ""),
    });
    let outputs = start(to(server.address));
    (0..5).for_each(|number| outputs.send(alert(number)));
    let report = outputs.stop().remove(0);
    assert_settled(&report, 5);
    assert_eq!(report.delivered, 5, "{report:?}");
    let accepted: Vec<String> = server
        .received()
        .iter()
        .enumerate()
        .filter(|(at, _)| ![0, 1, 2, 5].contains(at))
        .map(|(_, r)| r.text())
        .collect();
    assert_eq!(accepted, (0..5).map(|number| line(&alert(number), false)).collect::<Vec<_>>());
}

#[test]
fn refusals_are_losses_at_once() {
    let server =
        answering(|number| if number == 1 { Reply::Status(404, "no \u{1b}[2J hook") } else { Reply::Status(302, "") });
    let outputs = start(to(server.address));
    (0..3).for_each(|number| outputs.send(alert(number)));
    let report = outputs.stop().remove(0);
    assert_eq!((report.lost_to(Cause::Refused), report.retries), (3, 0), "{report:?}");
    assert_eq!(server.received().len(), 3, "nor is a redirection followed: alerts go where the operator said");
}

/// A receiver that takes the alert and never answers: as many calls as configured, and one, then it is a loss.
#[test]
fn silence_is_waited_for_a_few_times() {
    let server = answering(|number| if number < 3 { Reply::Silence } else { Reply::Status(200, "") });
    let http = http::Settings { max_consecutive_timeouts: 2, timeout: Duration::from_millis(50), ..to(server.address) };
    let outputs = start(http);
    (0..2).for_each(|number| outputs.send(alert(number)));
    let report = outputs.stop().remove(0);
    assert_eq!((report.lost_to(Cause::Timeout), report.delivered), (1, 1), "{report:?}");
    let bodies: Vec<String> = server.received().iter().map(|request| request.text()).collect();
    let (first, second) = (line(&alert(0), false), line(&alert(1), false));
    assert_eq!(bodies, [first.clone(), first.clone(), first, second]);
}

#[test]
fn a_receiver_that_comes_later_gets_everything() {
    let address = closed_port();
    let outputs = start(to(address));
    (0..20).for_each(|number| outputs.send(alert(number)));
    wait_until("it is away", || report(&outputs, "http").retries > 1);
    let server = Server::start_at(listen_again(address), None, Arc::new(|_, _| Reply::Status(200, "")));
    let reports = outputs.stop();
    assert_eq!((reports[0].delivered, reports[0].lost_total()), (20, 0));
    let bodies: Vec<String> = server.received().iter().map(|request| request.text()).collect();
    assert_eq!(bodies, (0..20).map(|number| line(&alert(number), false)).collect::<Vec<_>>());
}

#[test]
fn a_receiver_that_stays_away_is_a_loss_with_its_cause() {
    let settings = Settings { max_age: Duration::from_millis(200), http: Some(to(closed_port())), ..settings() };
    let outputs = Outputs::start(&settings).unwrap();
    (0..3).for_each(|number| outputs.send(alert(number)));
    wait_until("they are given up", || report(&outputs, "http").lost_to(Cause::Unreachable) == 3);
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let server = answering(|number| {
        if number == 0 {
            Reply::Status(200, Box::leak("x".repeat(8 << 20).into_boxed_str()))
        } else {
            Reply::Status(200, "")
        }
    });
    let outputs = start(http::Settings { echo: http::Echo::Log, ..to(server.address) });
    (0..2).for_each(|number| outputs.send(alert(number)));
    assert_eq!(outputs.stop()[0].delivered, 2);
}

#[test]
fn wrong_addresses_are_told_of_at_the_start() {
    for (url, part) in [("", "empty"), ("ftp://h/", "scheme is ftp"), ("http://[::1/", "IPv6")] {
        let http = http::Settings { url: url.into(), ..http::Settings::default() };
        let error = Outputs::start(&Settings { http: Some(http), ..settings() }).err().expect("an error").to_string();
        assert!(error.starts_with("output http: ") && error.contains(part), "{error}");
    }
}
