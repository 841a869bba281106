//! What the program tells of itself: without a driver, where everything but events goes on, and over captures.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

struct Stage {
    home: tempfile::TempDir,
    child: Child,
    alerts: Receiver<String>,
    said: Receiver<String>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

fn config(home: &Path, more: &str) -> String {
    format!(
        "engine: {{kind: nodriver}}\nwatch_config_files: true\nstdout_output: {{enabled: true}}\n\
         log_stderr: true\nlog_syslog: false\nrules_files: [{}]\nmetrics:\n  enabled: true\n  interval: 100ms\n{more}",
        home.join("rules.yaml").display()
    )
}

fn web(port: u16) -> String {
    format!(
        "webserver: {{enabled: true, listen_address: 127.0.0.1, listen_port: {port}, prometheus_metrics_enabled: true}}\n"
    )
}

impl Stage {
    fn start(more: &str, arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let rule = "- rule: R\n  desc: d\n  condition: evt.type=open\n  output: o\n  priority: INFO\n";
        std::fs::write(home.path().join("rules.yaml"), rule).unwrap();
        let file = home.path().join("falco.yaml");
        std::fs::write(&file, config(home.path(), more)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_peregrine"));
        command.args(["falco", "-c", file.to_str().unwrap(), "-o", "log_level=debug"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let alerts = lines(child.stdout.take().expect("piped"));
        let said = lines(child.stderr.take().expect("piped"));
        let stage = Self { home, child, alerts, said };
        stage.until("Opened event source");
        stage
    }

    fn until(&self, part: &str) -> String {
        loop {
            let line = self.said.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("no \"{part}\": {e}"));
            if line.contains(part) {
                return line;
            }
        }
    }

    fn write(&self, more: &str) {
        std::fs::write(self.path("falco.yaml"), config(self.home.path(), more)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is there");
    }

    fn end(&mut self) {
        self.signal(Signal::TERM);
        self.until("SIGINT received, exiting...");
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer.split_once("\r\n\r\n")?.1.to_owned())
}

/// The page once it says so; figures are published a few times a second.
fn page(port: u16, part: &str) -> String {
    let until = Instant::now() + PATIENCE;
    loop {
        let page = get(port, "/metrics").unwrap_or_default();
        if page.contains(part) {
            return page;
        }
        assert!(Instant::now() < until, "no {part} in\n{page}");
    }
}

#[test]
fn the_web_server_and_metrics_follow_the_configuration() {
    let (first, second) = (free_port(), free_port());
    let mut stage = Stage::start(&web(first), &[]);
    let at_first =
        page(first, "falcosecurity_scap_engine_name_info{engine_name=\"nodriver\",evt_source=\"syscall\"} 1");
    assert!(at_first.contains("falcosecurity_falco_sha256_rules_files_info{file_name=\"rules.yaml\",sha256=\""));
    assert!(at_first.contains("falcosecurity_falco_sha256_config_files_info{file_name=\"falco.yaml\",sha256=\""));
    assert_eq!(get(first, "/healthz").as_deref(), Some("{\"status\": \"ok\"}"));

    // Another port, another path, on a changed file.
    stage.write(&(web(second).replace("enabled: true,", "enabled: true, k8s_healthz_endpoint: /well,")));
    stage.until("loaded anew");
    assert_eq!(get(second, "/well").as_deref(), Some("{\"status\": \"ok\"}"));
    assert!(TcpStream::connect(("127.0.0.1", first)).is_err(), "the first port is free");
    let at_second = page(second, "peregrine_reloads_total{result=\"done\"} 1");
    let digest = |page: &str| {
        page.lines().find(|line| line.starts_with("falcosecurity_falco_sha256_config_files_info{")).map(str::to_owned)
    };
    assert_ne!(digest(&at_first), digest(&at_second));

    // A port that somebody else has: everything stays.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    stage.write(&web(taken.local_addr().unwrap().port()));
    stage.until("cannot listen on");
    page(second, "peregrine_reloads_total{result=\"refused\"} 1");
    let alert = stage.alerts.recv_timeout(PATIENCE).expect("an alert");
    assert!(alert.contains(": Critical Falco internal: hot restart failure: web server: cannot listen on"), "{alert}");

    // A broken file too; then, on a signal, the repaired one, in which alerts are JSON and snapshots go to a file.
    stage.write("webserver: [\n");
    stage.until("not loaded anew");
    page(second, "peregrine_reloads_total{result=\"refused\"} 2");
    stage.alerts.recv_timeout(PATIENCE).expect("an alert");
    let snapshots = stage.path("snapshots");
    std::fs::write(&snapshots, "").unwrap();
    stage.write(&format!("  output_file: {}\njson_output: true\n{}", snapshots.display(), web(second)));
    stage.until("loaded anew");
    stage.signal(Signal::HUP);
    stage.until("loaded anew");
    page(second, "peregrine_reloads_total{result=\"done\"} 3");
    stage.write("priority: [\n");
    let alert = stage.alerts.recv_timeout(PATIENCE).expect("an alert");
    let alert: Value = serde_json::from_str(&alert).unwrap_or_else(|e| panic!("{e}: {alert}"));
    assert_eq!(alert["rule"], "Falco internal: hot restart failure");
    stage.end();
    let text = std::fs::read_to_string(&snapshots).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line["output_fields"]["scap.engine_name"] == "nodriver"));
    assert_eq!(lines[0]["output_fields"]["falco.sha256_config_file.falco_yaml"].as_str().map(str::len), Some(64));
}

#[test]
fn captures_can_be_switched_on_and_off() {
    let port = free_port();
    let mut stage = Stage::start(&web(port), &[]);
    let threads = |name: &str, id: u32| {
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap().flatten();
        tasks
            .filter(|task| std::fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim() == name))
            .count()
    };
    let id = stage.child.id();
    assert_eq!(threads("recorder", id), 0);
    stage.write(&(web(port) + "capture: {enabled: true}\n"));
    stage.until("loaded anew");
    assert_eq!(threads("recorder", id), 1);
    stage.write(&web(port));
    stage.until("loaded anew");
    assert_eq!(threads("recorder", id), 0);
    stage.end();
}

#[test]
fn snapshots_are_alerts_until_the_time_is_over() {
    let mut stage = Stage::start("  output_rule: true\n", &["-M", "1"]);
    let alert = stage.alerts.recv_timeout(PATIENCE).expect("a snapshot");
    assert!(alert.contains(": Informational Falco metrics snapshot (") && alert.contains("nodriver"), "{alert}");
    assert_eq!(stage.child.wait().unwrap().code(), Some(0));
    let last: Vec<String> = stage.alerts.iter().skip_while(|line| !line.starts_with("Events detected: ")).collect();
    assert_eq!(last[0], "Events detected: 0");
}

#[test]
fn snapshots_are_taken_over_captures_too() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let home = tempfile::tempdir().unwrap();
    let (rules, snapshots) = (home.path().join("rules.yaml"), home.path().join("snapshots"));
    let output = "x".repeat(1000);
    let rule = format!("- rule: R\n  desc: d\n  condition: evt.num > 0\n  output: {output}\n  priority: INFO\n");
    std::fs::write(&rules, rule).unwrap();
    let file = format!("metrics.output_file={}", snapshots.display());
    let capture = corpus.join("newest/deeds_a.scap");
    let all = "metrics.include_empty_values=true";
    let settings = ["metrics.enabled=true", "metrics.interval=100ms", "outputs_queue.capacity=1", all, &file];
    let mut command = Command::new(env!("CARGO_BIN_EXE_peregrine"));
    command.arg("replay").arg(&capture).arg("-r").arg(&rules);
    command.args(settings.iter().flat_map(|setting| ["-o", setting]));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    // Nobody reads the alerts: the capture is not over before a snapshot was taken.
    let until = Instant::now() + PATIENCE;
    while !std::fs::read_to_string(&snapshots).is_ok_and(|text| text.contains('\n')) {
        assert!(Instant::now() < until, "no snapshot comes");
        std::thread::yield_now();
    }
    std::io::copy(child.stdout.as_mut().expect("piped"), &mut std::io::sink()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let text = std::fs::read_to_string(&snapshots).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let fields = &first["output_fields"];
    assert_eq!((&first["sample"], &fields["evt.source"]), (&1.into(), &"syscall".into()));
    let count = |name: &str| fields[name].as_u64().unwrap_or_else(|| panic!("no {name} in {fields}"));
    assert!(count("falco.num_evts") > 0 && count("falco.n_threads") > 0);
    assert!(count("falco.rules.R") <= count("falco.num_evts"));
    // The first event's thread is looked for in one of three ways.
    let ways = ["cached", "noncached", "failed"].map(|way| count(&format!("falco.n_{way}_thread_lookups")));
    assert!(ways.iter().sum::<u64>() > 0, "{fields}");
    // A capture has neither an engine nor counters of the kernel.
    assert_eq!((&fields["scap.engine_name"], &fields["scap.n_evts"]), (&Value::Null, &Value::Null));
}
