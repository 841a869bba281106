//! What an HTTP receiver answers, shown as `http_output.echo` asks for it.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};

/// Answers every request with its number: compressed for the way, if the client takes that.
fn receiver() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut number = 0;
        for stream in listener.incoming().flatten() {
            let mut stream = BufReader::new(stream);
            while let Some(head) = request(&mut stream) {
                number += 1;
                stream.get_mut().write_all(&answer(number, head.contains("te: gzip\r\n"))).unwrap();
            }
        }
    });
    address
}

/// The head of a request, in lower case; its body is read.
fn request(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_lowercase();
    assert!(!head.contains("content-encoding"), "what is sent is not compressed: {head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).ok()?;
    assert!(String::from_utf8(body).unwrap().contains(": Informational o"));
    Some(head)
}

fn answer(number: usize, gzip: bool) -> Vec<u8> {
    let text = format!("answer {number}");
    if !gzip {
        return format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()).into_bytes();
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n{:x}\r\n", packed.len());
    [head.as_bytes(), &packed, b"\r\n0\r\n\r\n"].concat()
}

fn run(command: &[&str], rules: &Path, more: &[&str]) -> Output {
    let url = format!("http_output.url=http://{}/", receiver());
    let mut program = Command::new(env!("CARGO_BIN_EXE_peregrine"));
    program.args(command).arg("-r").arg(rules).env("TZ", "UTC");
    for option in ["http_output.enabled=true", "http_output.echo=true", &url].iter().chain(more) {
        program.args(["-o", option]);
    }
    let output = program.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn answers_go_to_standard_output_under_falcos_name_and_to_the_log_under_ours() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let home = tempfile::tempdir().unwrap();
    let rules = home.path().join("rules.yaml");
    let rule =
        "- rule: cat\n  desc: d\n  condition: evt.type = open and proc.name = cat\n  output: o\n  priority: INFO\n";
    std::fs::write(&rules, rule).unwrap();
    let config = home.path().join("falco.yaml");
    std::fs::write(&config, "stdout_output: {enabled: true}\nlog_syslog: false\nlog_stderr: true\n").unwrap();
    let capture = corpus.join("captures/falcosecurity_falco__cat_write.scap");
    let file = format!("engine.replay.capture_file={}", capture.display());
    let falco = ["falco", "-c", config.to_str().unwrap(), "-o", "engine.kind=replay", "-o", &file];
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    for compressed in ["http_output.compress_uploads=false", "http_output.compress_uploads=true"] {
        let lines = text(run(&falco, &rules, &[compressed]).stdout);
        let (shown, _) = lines.split_once("Events detected: ").unwrap();
        let (answers, alerts): (Vec<&str>, Vec<&str>) = shown.lines().partition(|line| line.starts_with("answer "));
        assert!(!alerts.is_empty() && alerts.iter().all(|line| line.ends_with(": Informational o")), "{shown}");
        let expected: Vec<String> = (1..=alerts.len()).map(|number| format!("answer {number}")).collect();
        assert_eq!(answers, expected, "{compressed}");
    }
    let ours = run(&["replay", capture.to_str().unwrap()], &rules, &[]);
    assert!(!text(ours.stdout).contains("answer"));
    assert!(text(ours.stderr).contains("output http: 200 OK: answer 1"));
}
