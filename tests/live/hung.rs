//! Outputs that hang: detection and the outputs beside them go on as if nothing were, and what became of every alert is
//! known.

use crate::peregrine;
use crate::watched::{Home, PATIENCE, Watched, lines, mark_of, own_scope};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// Between two deeds.
const PACE: Duration = Duration::from_millis(20);
/// Within so much of the deed its alert is there.
const LAG: Duration = Duration::from_millis(100);

/// How long the outputs hang: `PEREGRINE_HANG_SECONDS`, or ten seconds.
fn time() -> Duration {
    Duration::from_secs(std::env::var("PEREGRINE_HANG_SECONDS").map_or(10, |text| text.parse().unwrap()))
}

/// A server that accepts every connection and never says a word.
fn mute() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}

/// A named pipe of one page that is open for reading, but read by nobody.
fn clogged(home: &Home) -> File {
    let path = home.path("pipe");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let pipe = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    fcntl_setpipe_size(&pipe, 4096).unwrap();
    pipe
}

/// The outputs that hang, as options.
fn hanging(home: &Home, server: SocketAddr) -> Vec<String> {
    let options = [
        "output_timeout=500".into(),
        "peregrine.outputs.grace=1000".into(),
        "http_output.enabled=true".into(),
        format!("http_output.url=http://{server}/"),
        "http_output.max_consecutive_timeouts=0".into(),
        "peregrine.http_output.timeout=1000".into(),
        "program_output.enabled=true".into(),
        "program_output.keep_alive=true".into(),
        // It reads two alerts and then nothing any more.
        "program_output.program=read one; read two; exec tail -f /dev/null".into(),
        "file_output.enabled=true".into(),
        "file_output.keep_alive=true".into(),
        format!("file_output.filename={}", home.text("pipe")),
    ];
    options.into_iter().flat_map(|option: String| ["-o".to_owned(), option]).collect()
}

/// Does deeds while outputs hang: from each to its alert on standard output. Every alert comes once, in order.
fn lags(home: &mut Home, watched: &Watched) -> Vec<Duration> {
    let begun = Instant::now();
    let mut lags = Vec::new();
    while begun.elapsed() < time() {
        let done = Instant::now();
        let mark = home.mark();
        let line = watched.line();
        assert_eq!(mark_of(&line.alert()), mark);
        lags.push(line.at.duration_since(done));
        match watched.out.recv_timeout(PACE) {
            Err(RecvTimeoutError::Timeout) => {}
            other => panic!("more than was done: {:?}", other.map(|line| line.text)),
        }
    }
    lags
}

/// The machine may be busy with other things for moments; an output that is waited for would hold up everything for
/// seconds.
fn check(mut lags: Vec<Duration>, what: &str) {
    lags.sort_unstable();
    let of = |share: usize| lags[(lags.len() - 1) * share / 100];
    println!(
        "{what}: outputs hung for {} s, {} alerts; from deed to alert: median {:?}, 99 of 100 within {:?}, longest {:?}",
        time().as_secs(),
        lags.len(),
        of(50),
        of(99),
        of(100)
    );
    assert!(of(90) <= LAG, "nine of ten within {:?}", of(90));
    assert!(of(100) < time() / 4, "the longest {:?}", of(100));
}

/// The pipe is read at last: all its alerts are in it.
fn unclog(pipe: File, alerts: usize) {
    let mut lines = BufReader::new(pipe).lines();
    for at in 0..alerts {
        let alert: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(mark_of(&alert), format!("mark-{at:05}"));
    }
}

/// What became of the alerts of one output: delivered, and lost by cause.
struct Became {
    offered: u64,
    delivered: u64,
    lost: Vec<(String, u64)>,
}

impl Became {
    /// Nothing is unaccounted for.
    fn check(&self, output: &str, alerts: usize, causes: &[&str]) {
        let lost: u64 = self.lost.iter().map(|(_, n)| n).sum();
        println!("  {output}: {} delivered, lost {:?}", self.delivered, self.lost);
        assert_eq!(self.offered, alerts as u64, "{output}");
        assert_eq!(self.delivered + lost, self.offered, "{output}: {:?}", self.lost);
        let named: Vec<&str> = self.lost.iter().map(|(cause, _)| cause.as_str()).collect();
        assert!(named.iter().all(|cause| causes.contains(cause)), "{output}: {named:?}");
        assert_eq!(named.is_empty(), causes.is_empty(), "{output}");
    }
}

#[test]
fn run_goes_on_while_outputs_hang() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut home = Home::new("");
    let (pipe, options) = (clogged(&home), hanging(&home, mute()));
    let (rules, stats) = (home.text("rules.yaml"), home.text("stats"));
    let more: Vec<&str> =
        ["-r", &rules, "--stats", &stats].into_iter().chain(options.iter().map(String::as_str)).collect();
    let watched = Watched::run(&more);
    let lags = lags(&mut home, &watched);
    let alerts = lags.len();
    let said = watched.said();
    for output in ["file", "program", "http"] {
        let told = said.iter().any(|line| line.contains(&format!("\"{output}\" output timeout")));
        assert!(told, "{output}: {said:#?}");
    }
    unclog(pipe, alerts);
    let (status, rest, said) = watched.stop();
    assert!(status.success() && rest.is_empty(), "{said:#?}");
    check(lags, "run");
    let stats: Value = serde_json::from_slice(&std::fs::read(&stats).unwrap()).unwrap();
    assert_eq!((&stats["drops"], &stats["alerts"]["Mark"]), (&0.into(), &alerts.into()));
    for (output, causes) in
        [("stdout", &[][..]), ("file", &[]), ("http", &["timeout", "shutdown"]), ("program", &["shutdown", "program"])]
    {
        let of = &stats["outputs"][output];
        let lost = of["lost"].as_object().unwrap().iter().map(|(cause, n)| (cause.clone(), n.as_u64().unwrap()));
        let (offered, delivered) = (of["offered"].as_u64().unwrap(), of["delivered"].as_u64().unwrap());
        Became { offered, delivered, lost: lost.collect() }.check(output, alerts, causes);
    }
}

/// A page of the web server.
fn page(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A figure of one output.
fn figure(page: &str, name: &str, labels: &str) -> u64 {
    let start = format!("{name}{{{labels}}} ");
    let found = page.lines().find_map(|line| line.strip_prefix(&start));
    found.unwrap_or_else(|| panic!("no {start}: {page}")).parse().unwrap()
}

#[test]
fn falco_goes_on_while_outputs_hang() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut home = Home::new("");
    let (pipe, options) = (clogged(&home), hanging(&home, mute()));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        "engine: {{kind: modern_ebpf}}\njson_output: true\nstdout_output: {{enabled: true}}\nlog_stderr: true\n\
         log_syslog: false\nrules_files: [{}]\nmetrics: {{enabled: true}}\n\
         webserver: {{enabled: true, prometheus_metrics_enabled: true, listen_address: 127.0.0.1, listen_port: {port}}}\n",
        home.text("rules.yaml")
    );
    std::fs::write(home.path("falco.yaml"), config).unwrap();
    let watched = Watched::falco(&home.path("falco.yaml"), &options.iter().map(String::as_str).collect::<Vec<_>>());
    let lags = lags(&mut home, &watched);
    let alerts = lags.len();
    unclog(pipe, alerts);
    let address = format!("127.0.0.1:{port}");
    assert!(
        page(&address, "/healthz").ends_with("{\"status\": \"ok\"}"),
        "hanging outputs are no illness of detection"
    );
    // The file's account is closed a moment after its last line is read.
    let delivered =
        |page: &str, output: &str| figure(page, "peregrine_output_delivered_total", &format!("output=\"{output}\""));
    let metrics = (0..1000).map(|_| page(&address, "/metrics")).find(|page| delivered(page, "file") == alerts as u64);
    let metrics = metrics.expect("the file's alerts are all delivered");
    let of = |output: &str, name: &str| figure(&metrics, name, &format!("output=\"{output}\""));
    assert_eq!(delivered(&metrics, "stdout"), alerts as u64);
    for output in ["http", "program"] {
        let lost: u64 = ["timeout", "shutdown", "program"]
            .map(|cause| {
                let labels = format!("cause=\"{cause}\",output=\"{output}\"");
                figure(&metrics, "peregrine_output_lost_total", &labels)
            })
            .iter()
            .sum();
        let waiting = of(output, "peregrine_output_queue_alerts");
        assert_eq!(of(output, "peregrine_output_offered_total"), alerts as u64);
        assert_eq!(delivered(&metrics, output) + lost + waiting, alerts as u64, "{output}");
        assert!(waiting > 0, "{output} hangs");
    }
    let (status, rest, said) = watched.stop();
    assert!(status.success(), "{said:#?}");
    assert_eq!(rest[0].text, format!("Events detected: {alerts}"));
    for cause in ["output http: 1 alerts lost so far (timeout)", "output program: 1 alerts lost so far (shutdown)"] {
        assert!(said.iter().any(|line| line.contains(cause)), "{cause}: {said:#?}");
    }
    check(lags, "falco");
}

/// Nobody reads the log, of which the event loop has more to say than there is room for. What was left out is counted.
#[test]
fn a_log_that_nobody_reads_holds_nothing_up() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut home = Home::new("");
    let (log, end) = std::io::pipe().unwrap();
    fcntl_setpipe_size(&end, 4096).unwrap();
    let (scope, rules) = (own_scope(), home.text("rules.yaml"));
    let mut child = peregrine(&["run", "--json", "--scope", &scope, "-r", &rules])
        .stdout(Stdio::piped())
        .stderr(end)
        .spawn()
        .unwrap();
    let mut log = BufReader::new(log);
    let mut line = String::new();
    while !line.contains("watching: ") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "it ended");
    }
    let alerts = lines(child.stdout.take().unwrap(), |line| line);
    let pid = Pid::from_child(&child);
    // Each opening anew is a line of the log, written by the event loop.
    let mut reopen = || {
        kill_process(pid, Signal::USR1).unwrap();
        let mark = home.mark();
        let alert = alerts.recv_timeout(PATIENCE).expect("detection goes on");
        assert_eq!(mark_of(&serde_json::from_str::<Value>(&alert).unwrap()), mark);
    };
    (0..200).for_each(|_| reopen());
    let said = lines(log, |line| line);
    let begun = Instant::now();
    while !said.try_iter().any(|line| line.ends_with(" lines of the log were left out, because nobody read them")) {
        assert!(begun.elapsed() < PATIENCE, "what is left out is never told of");
        reopen();
    }
    kill_process(pid, Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
}
