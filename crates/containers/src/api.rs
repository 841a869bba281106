//! What runtimes answer for containers whose files are not found, or do not say everything: the inspection of Docker's
//! and of Podman's API.

use crate::docker::{self, bare};
use crate::http::Http;
use crate::oci;
use crate::read::{list, seconds, text, truth};
use crate::settings::Settings;
use peregrine_state::container::{Container, Engine, Mount};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The usual sockets.
const SOCKETS: &[(Engine, &str)] =
    &[(Engine::Docker, "var/run/docker.sock"), (Engine::Podman, "run/podman/podman.sock")];

/// The sockets that there are, of the engines that are asked.
fn sockets(settings: &Settings) -> Vec<(Engine, PathBuf)> {
    let mut all = Vec::new();
    for (engine, usual) in SOCKETS.iter().filter(|(engine, _)| settings.has(*engine)) {
        let given = settings.sockets.iter().find(|(of, _)| of == engine).map(|(_, paths)| paths.clone());
        for path in given.unwrap_or_else(|| vec![usual.into()]) {
            // What is given is meant in the host's root, too.
            let path = settings.host.join(path.strip_prefix("/").unwrap_or(&path));
            if path.exists() {
                all.push((*engine, path));
            }
        }
    }
    all
}

/// What one of them knows of a container.
pub(crate) fn inspect(http: &Http, settings: &Settings, full_id: &str) -> Option<Container> {
    // It becomes part of a request.
    if full_id.is_empty() || !full_id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
        return None;
    }
    sockets(settings).iter().find_map(|(engine, socket)| match engine {
        Engine::Docker => docker(http, socket, full_id),
        _ => podman(http, socket, full_id),
    })
}

fn docker(http: &Http, socket: &Path, full_id: &str) -> Option<Container> {
    let answer = http.get(socket, &format!("/containers/{full_id}/json"))?;
    let mut container = inspected(&answer, Engine::Docker)?;
    container.image = text(&answer, &["Config", "Image"]);
    let id = text(&answer, &["Image"]);
    container.image_id = bare(&id).to_owned();
    container.ip = docker::address(&answer);
    if bare(&id).len() == 64 && bare(&id).bytes().all(|b| b.is_ascii_hexdigit()) {
        let image = http.get(socket, &format!("/images/{id}/json")).unwrap_or_default();
        let names = |key: &str| list(&image, &[key]).iter().filter_map(Value::as_str).collect::<Vec<_>>();
        docker::name(&mut container, [names("RepoDigests"), names("RepoTags")].concat());
    }
    Some(container)
}

fn podman(http: &Http, socket: &Path, full_id: &str) -> Option<Container> {
    let answer = http.get(socket, &format!("/v3.0.0/libpod/containers/{full_id}/json"))?;
    let mut container = inspected(&answer, Engine::Podman)?;
    container.image = text(&answer, &["ImageName"]);
    container.image_id = text(&answer, &["Image"]);
    container.image_digest = text(&answer, &["ImageDigest"]);
    container.ip = docker::address(&answer);
    container.split_image();
    Some(container)
}

/// What both say alike.
fn inspected(answer: &Value, engine: Engine) -> Option<Container> {
    let full_id = text(answer, &["Id"]);
    let name = text(answer, &["Name"]).trim_start_matches('/').to_owned();
    let labels = oci::labels(answer, &["Config", "Labels"]);
    let mount = |entry: &Value| Mount {
        source: text(entry, &["Source"]),
        destination: text(entry, &["Destination"]),
        mode: text(entry, &["Mode"]),
        rw: truth(entry, &["RW"]),
        propagation: text(entry, &["Propagation"]),
    };
    Some(Container {
        engine,
        id: full_id.get(..12)?.to_owned(),
        user: text(answer, &["Config", "User"]),
        created_time: seconds(&text(answer, &["Created"])),
        privileged: truth(answer, &["HostConfig", "Privileged"]),
        host_pid: text(answer, &["HostConfig", "PidMode"]) == "host",
        host_network: text(answer, &["HostConfig", "NetworkMode"]) == "host",
        host_ipc: text(answer, &["HostConfig", "IpcMode"]) == "host",
        is_pod_sandbox: name.contains("k8s_POD"),
        pod_sandbox_id: labels.get("io.kubernetes.sandbox.id").cloned().unwrap_or_default(),
        mounts: list(answer, &["Mounts"]).iter().map(mount).collect(),
        full_id,
        name,
        labels,
        ..Container::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixListener;

    /// A runtime that answers each request, by its path.
    fn serve(socket: &Path, answers: &'static [(&'static str, &'static str)]) -> std::thread::JoinHandle<()> {
        let listener = UnixListener::bind(socket).unwrap();
        std::thread::spawn(move || {
            for _ in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let found = answers.iter().find(|(path, _)| request.starts_with(&format!("GET {path} ")));
                let (status, body) = found.map_or(("404 Not Found", "{}"), |(_, body)| ("200 OK", *body));
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).unwrap();
            }
        })
    }

    const ID: &str = "5c256eafaf9822838414cc557a8daf6c5ed27c70d915578100752a4e2e951f8f";

    #[test]
    fn docker_by_its_api() {
        const IMAGE: &str = "sha256:7cfdef8a8d2948b3ee7607712ce1f33b86568dea5b183f81a6a47b59cb21c892";
        const ANSWERS: &[(&str, &str)] = &[
            (
                "/containers/5c256eafaf9822838414cc557a8daf6c5ed27c70d915578100752a4e2e951f8f/json",
                r#"{"Id":"5c256eafaf9822838414cc557a8daf6c5ed27c70d915578100752a4e2e951f8f","Name":"/web",
                "Image":"sha256:7cfdef8a8d2948b3ee7607712ce1f33b86568dea5b183f81a6a47b59cb21c892",
                "Config":{"Image":"nginx:1","Labels":{"a":"b"}},"HostConfig":{"Privileged":true,"PidMode":"host"},
                "NetworkSettings":{"Networks":{"bridge":{"IPAddress":"172.17.0.2"}}},
                "Mounts":[{"Source":"/s","Destination":"/d","Mode":"ro","RW":false,"Propagation":"rprivate"}]}"#,
            ),
            (
                "/images/sha256:7cfdef8a8d2948b3ee7607712ce1f33b86568dea5b183f81a6a47b59cb21c892/json",
                r#"{"RepoDigests":["nginx@sha256:dd"],"RepoTags":["nginx:1","nginx:2"]}"#,
            ),
        ];
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("s");
        let server = serve(&socket, ANSWERS);
        let settings = Settings {
            sockets: vec![(Engine::Docker, vec![socket])],
            off: vec![Engine::Podman],
            ..Settings::default()
        };
        let http = Http::new().unwrap();
        let found = inspect(&http, &settings, ID).unwrap();
        server.join().unwrap();
        assert_eq!(
            [&*found.name, &*found.image_repo, &*found.image_tag, &*found.image_digest],
            ["web", "nginx", "1", "sha256:dd"]
        );
        assert_eq!((found.ip.as_str(), found.image_id.as_str()), ("172.17.0.2", bare(IMAGE)));
        assert!(found.privileged && found.host_pid && !found.host_network && found.labels["a"] == "b");
        assert_eq!(found.mounts[0].mode, "ro");
        assert_eq!(inspect(&http, &settings, "../x"), None);
    }

    #[test]
    fn one_that_says_nothing_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("s");
        let _listener = UnixListener::bind(&socket).unwrap();
        let began = std::time::Instant::now();
        assert_eq!(Http::new().unwrap().get(&socket, "/"), None);
        assert!(began.elapsed() < std::time::Duration::from_secs(20));
    }
}
