//! The web server of a live run, over TLS, as an ordinary client sees it.

use crate::watched::{Home, Watched};
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use std::net::TcpListener;
use std::process::{Command, Stdio};

/// Status, content type and body, by curl, which trusts this authority's file only.
fn get(authority: &str, url: &str) -> (u16, String, String) {
    let format = "\n%{http_code} %{content_type}";
    let args = ["--silent", "--show-error", "--max-time", "30", "--noproxy", "*", "--cacert", authority];
    let output = Command::new("curl").args(args).args(["--write-out", format, url]).output().expect("curl starts");
    assert!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, end) = text.rsplit_once('\n').unwrap();
    let (code, kind) = end.split_once(' ').unwrap();
    (code.parse().unwrap(), kind.to_owned(), body.to_owned())
}

fn has_curl() -> bool {
    let found =
        Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    assert!(found || std::env::var_os("PEREGRINE_REQUIRE_LIVE").is_none(), "curl is missing");
    if !found {
        eprintln!("skipped: curl is missing");
    }
    found
}

#[test]
fn health_versions_and_metrics_of_a_live_run_over_tls() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    if !has_curl() {
        return;
    }
    let mut home = Home::new("");
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(home.path("both.pem"), certificate.pem() + &key.serialize_pem()).unwrap();
    std::fs::write(home.path("ca.pem"), certificate.pem()).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        "engine: {{kind: modern_ebpf}}\njson_output: true\nstdout_output: {{enabled: true}}\nlog_stderr: true\n\
         log_syslog: false\nrules_files: [{}]\nmetrics: {{enabled: true, interval: 1h}}\n\
         webserver: {{enabled: true, prometheus_metrics_enabled: true, listen_address: 127.0.0.1, listen_port: {port}, \
         k8s_healthz_endpoint: /alive, ssl_enabled: true, ssl_certificate: {}}}\n",
        home.text("rules.yaml"),
        home.text("both.pem")
    );
    std::fs::write(home.path("falco.yaml"), config).unwrap();
    let watched = Watched::falco(&home.path("falco.yaml"), &[]);
    let page = |path: &str| get(&home.text("ca.pem"), &format!("https://localhost:{port}{path}"));
    assert_eq!(page("/alive"), (200, "application/json".into(), "{\"status\": \"ok\"}".into()));
    assert_eq!(page("/healthz").0, 404, "the path is the configured one");
    let (code, kind, versions) = page("/versions");
    let versions: Value = serde_json::from_str(&versions).unwrap();
    assert_eq!((code, kind.as_str(), &versions["engine_version"]), (200, "application/json", &"63".into()));
    let ca = home.text("ca.pem");
    for _ in 0..3 {
        home.mark();
        watched.alert();
    }
    let figure = |page: &str, start: &str| -> Option<f64> {
        page.lines().find_map(|line| line.strip_prefix(start)).map(|rest| rest.trim().parse().unwrap())
    };
    let matches = "falcosecurity_falco_rules_matches_total{priority=\"5\",rule_name=\"Mark\",source=\"syscall\"}";
    // Figures are published from time to time.
    let metrics = (0..1000)
        .map(|_| get(&ca, &format!("https://localhost:{port}/metrics")))
        .find(|(_, _, page)| figure(page, matches) == Some(3.0));
    let (code, kind, metrics) = metrics.expect("three matches");
    assert_eq!((code, kind.as_str()), (200, "text/plain; version=0.0.4"));
    for (name, least) in [
        ("falcosecurity_scap_n_evts_total", 3.0),
        ("falcosecurity_falco_duration_seconds_total", 0.0),
        ("falcosecurity_falco_memory_rss_bytes", 1e6),
        ("peregrine_output_delivered_total{output=\"stdout\"}", 3.0),
    ] {
        let value = figure(&metrics, &format!("{name} ")).or_else(|| {
            let at = metrics.lines().find(|line| line.starts_with(name))?;
            at.rsplit_once(' ')?.1.parse().ok()
        });
        assert!(value.is_some_and(|value| value >= least), "{name}: {value:?}\n{metrics}");
    }
    for help in metrics.lines().filter(|line| line.starts_with("# HELP falcosecurity_")) {
        assert!(help.ends_with(" https://falco.org/docs/metrics/"), "{help}");
    }
    let plain = Command::new("curl")
        .args(["--silent", "--max-time", "10", "--noproxy", "*"])
        .arg(format!("http://localhost:{port}/alive"))
        .output();
    assert!(plain.unwrap().stdout.is_empty(), "nothing is said without TLS");
    let (status, _, said) = watched.stop();
    assert!(status.success(), "{said:#?}");
}
