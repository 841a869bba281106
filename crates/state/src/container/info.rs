//! What is known of a container, in the form in which captures carry it.
//!
//! The JSON is that of the container plugin (falcosecurity/plugins): one `container` object, written into asynchronous
//! events and older container events. Whoever learns of a container live puts it into the same form, so that recordings
//! replay to the same values.

use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// Labels whose values are longer than this are left out, in bytes; upstream's `label_max_len`.
pub const LABEL_MAX: usize = 100;

/// The runtime that runs a container, by upstream's number.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    Docker,
    Lxc,
    LibvirtLxc,
    Cri,
    Containerd,
    Crio,
    Bpm,
    Static,
    Podman,
    /// Ours: systemd's containers.
    Nspawn,
    Host,
    #[default]
    Unknown,
}

/// Each engine with its number in JSON and its name as `container.type`.
const ENGINES: &[(Engine, u32, &str)] = &[
    (Engine::Docker, 0, "docker"),
    (Engine::Lxc, 1, "lxc"),
    (Engine::LibvirtLxc, 2, "libvirt-lxc"),
    (Engine::Cri, 6, "cri"),
    (Engine::Containerd, 7, "containerd"),
    (Engine::Crio, 8, "cri-o"),
    (Engine::Bpm, 9, "bpm"),
    (Engine::Static, 10, ""),
    (Engine::Podman, 11, "podman"),
    (Engine::Nspawn, 0xf001, "systemd-nspawn"),
    (Engine::Host, 0xfffe, "host"),
    (Engine::Unknown, 0xffff, ""),
];

impl Engine {
    fn row(self) -> &'static (Engine, u32, &'static str) {
        ENGINES.iter().find(|row| row.0 == self).unwrap_or(&ENGINES[ENGINES.len() - 1])
    }

    /// Its name; empty for one that has none.
    pub fn name(self) -> &'static str {
        self.row().2
    }
}

impl Serialize for Engine {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.row().1)
    }
}

impl<'de> Deserialize<'de> for Engine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        Ok(ENGINES.iter().find(|row| row.1 == number).map_or(Self::Unknown, |row| row.0))
    }
}

/// Texts by key, sorted.
pub type Labels = BTreeMap<String, String>;

/// One mount of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Mount {
    /// What is mounted.
    pub source: String,
    /// Where, in the container.
    pub destination: String,
    /// The runtime's own word for the mode, may be empty.
    pub mode: String,
    /// Whether it may be written.
    #[serde(rename = "RW")]
    pub rw: bool,
    /// Propagation of mounts below it.
    pub propagation: String,
}

/// One container. What is not known is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Container {
    /// The runtime.
    #[serde(rename = "type")]
    pub engine: Engine,
    /// Id as `container.id` shows it: the first 12 characters.
    pub id: String,
    /// The whole id.
    pub full_id: String,
    /// Name.
    pub name: String,
    /// Image, as it was asked for.
    pub image: String,
    /// Id of the image, without its algorithm.
    #[serde(rename = "imageid")]
    pub image_id: String,
    /// The image's repository.
    #[serde(rename = "imagerepo")]
    pub image_repo: String,
    /// The image's tag.
    #[serde(rename = "imagetag")]
    pub image_tag: String,
    /// The image's digest, with its algorithm.
    #[serde(rename = "imagedigest")]
    pub image_digest: String,
    /// User that its first process runs as, as it was asked for.
    #[serde(rename = "User")]
    pub user: String,
    /// Seconds since the epoch when it was created; 0 if unknown.
    pub created_time: i64,
    /// Primary IPv4 address, its pod's if it is in one.
    pub ip: String,
    /// The network plugin's answer for its pod.
    pub cni_json: String,
    /// Whether it is privileged.
    pub privileged: bool,
    /// Whether it is in the host's PID namespace.
    pub host_pid: bool,
    /// Whether it is in the host's network namespace.
    pub host_network: bool,
    /// Whether it is in the host's IPC namespace.
    pub host_ipc: bool,
    /// Whether it holds a pod's namespaces and nothing else.
    pub is_pod_sandbox: bool,
    /// Labels.
    #[serde(deserialize_with = "or_null")]
    pub labels: Labels,
    /// Mounts that were asked for.
    #[serde(rename = "Mounts", deserialize_with = "or_null")]
    pub mounts: Vec<Mount>,
    /// Whole id of its pod's sandbox; empty outside of pods.
    pub pod_sandbox_id: String,
    /// The pod's labels.
    #[serde(deserialize_with = "or_null")]
    pub pod_sandbox_labels: Labels,
    /// How the search for it went.
    #[serde(rename = "lookup_state")]
    pub lookup: Lookup,
}

/// How the search for a container went, by upstream's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
pub enum Lookup {
    /// It was found.
    #[default]
    Found,
    /// Nobody knows it: only its id means anything.
    Failed,
}

impl From<u32> for Lookup {
    fn from(number: u32) -> Self {
        if number == 2 { Self::Failed } else { Self::Found }
    }
}

impl From<Lookup> for u32 {
    fn from(lookup: Lookup) -> Self {
        if lookup == Lookup::Failed { 2 } else { 1 }
    }
}

/// Older writers have `null` for what is empty.
fn or_null<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Serialize)]
struct Written<'a> {
    container: &'a Container,
}

#[derive(Deserialize)]
struct Read {
    container: Container,
}

impl Container {
    /// The host, as a container.
    pub fn host() -> Self {
        let host = || "host".to_owned();
        Self { engine: Engine::Host, id: host(), full_id: host(), name: host(), ..Self::default() }
    }

    /// A container that nobody knows.
    pub fn unknown(id: &str) -> Self {
        Self { id: id.to_owned(), lookup: Lookup::Failed, ..Self::default() }
    }

    /// The container that JSON describes, at its first level or inside its `container` object; `None` for what is no
    /// such JSON or has no id.
    pub fn from_json(json: &[u8]) -> Option<Self> {
        let container = match serde_json::from_slice::<Read>(json) {
            Ok(read) => read.container,
            Err(_) => serde_json::from_slice(json).ok()?,
        };
        (!container.id.is_empty()).then_some(container)
    }

    /// The same as JSON, in its `container` object.
    pub fn to_json(&self) -> Vec<u8> {
        // Texts, numbers and maps of texts always become JSON.
        serde_json::to_vec(&Written { container: self }).unwrap_or_default()
    }

    /// Sets repository and tag from the image's name.
    pub fn split_image(&mut self) {
        let (repo, tag) = split_image(&self.image);
        (self.image_repo, self.image_tag) = (repo.to_owned(), tag.to_owned());
    }
}

/// Repository and tag of an image's name: a digest is left off, and a colon before the last slash belongs to a port.
pub fn split_image(image: &str) -> (&str, &str) {
    let name = image.split('@').next().unwrap_or_default();
    match name.rfind(':') {
        Some(colon) if !name[colon..].contains('/') => (&name[..colon], &name[colon + 1..]),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_layouts_and_null() {
        let plain = Container::from_json(br#"{"id":"abc","type":11,"name":"web","image":"nginx:1"}"#).unwrap();
        assert_eq!((plain.name.as_str(), plain.image.as_str(), plain.engine), ("web", "nginx:1", Engine::Podman));
        let nested = br#"{"container":{"id":"abc","name":"w\u0065b","type":77,"labels":{"a":"b"},"Mounts":null,
            "pod_sandbox_labels":null,"cpu_shares":1024,"env":["A=b"]}}"#;
        let nested = Container::from_json(nested).unwrap();
        assert_eq!((nested.name.as_str(), nested.engine, nested.labels["a"].as_str()), ("web", Engine::Unknown, "b"));
        for junk in ["{\"id\":7}", "{\"id\":", "{}", "[]", "{\"container\":{\"name\":\"x\"}}"] {
            assert_eq!(Container::from_json(junk.as_bytes()), None, "{junk}");
        }
    }

    #[test]
    fn json_comes_back_whole() {
        let mount = Mount { source: "/a".into(), destination: "/b".into(), rw: true, ..Mount::default() };
        let container = Container {
            engine: Engine::Nspawn,
            id: "abc".into(),
            labels: [("k".to_owned(), "v\u{1b}".to_owned())].into(),
            mounts: vec![mount],
            privileged: true,
            ..Container::default()
        };
        assert_eq!(Container::from_json(&container.to_json()), Some(container));
    }

    #[test]
    fn images_have_repository_and_tag() {
        let cases = [
            ("registry.example.com:5000/foo/bar:latest@sha256:00", "registry.example.com:5000/foo/bar", "latest"),
            ("registry.example.com:5000/foo/bar", "registry.example.com:5000/foo/bar", ""),
            ("foo:1.2", "foo", "1.2"),
            ("sha256:00", "sha256", "00"),
            ("", "", ""),
        ];
        for (image, repo, tag) in cases {
            assert_eq!(split_image(image), (repo, tag), "{image}");
        }
    }
}
