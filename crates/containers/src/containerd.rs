//! containerd, by its own API and by CRI: the bundle of a running container and the daemon's database, `meta.db`.

use crate::bolt::{Bolt, Bucket, Look};
use crate::docker::bare;
use crate::oci::{self, annotation};
use crate::read::{at, list, text, truth};
use peregrine_state::container::{Container, Engine, LABEL_MAX, Labels, Mount};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where bundles of running containers lie: the daemon's own place, and those of distributions of Kubernetes.
pub(crate) const STATES: &[&str] = &["run/containerd", "run/k3s/containerd", "run/host-containerd"];
/// Below each of these: bundles are `TASKS/NAMESPACE/ID`.
pub(crate) const TASKS: &str = "io.containerd.runtime.v2.task";
/// Where the daemon keeps everything unless a bundle says otherwise.
const ROOT: &str = "/var/lib/containerd";
const DATABASE: &str = "io.containerd.metadata.v1.bolt/meta.db";

/// A container by its bundle.
pub(crate) fn read(bundle: &Path, spec: &Value, full_id: &str, owner: Option<u32>) -> Option<Container> {
    let namespace = bundle.parent()?.file_name()?.to_str()?;
    let stored = Bolt::open(&database(bundle), owner)
        .and_then(|bolt| bolt.look(|look| Stored::look(look, namespace, full_id)))
        .unwrap_or_default();
    let kind = annotation(spec, "io.kubernetes.cri.container-type");
    let container = if kind.is_empty() { plain(spec, full_id, stored) } else { pod(spec, full_id, &kind, stored) };
    Some(container)
}

/// The daemon's database: the bundle links to where it keeps what stays.
fn database(bundle: &Path) -> PathBuf {
    let work = std::fs::read_link(bundle.join("work")).unwrap_or_default();
    let root = work.ancestors().find(|path| path.ends_with(TASKS)).and_then(Path::parent);
    root.unwrap_or(Path::new(ROOT)).join(DATABASE)
}

/// What the database says of a container.
#[derive(Default)]
struct Stored {
    image: String,
    digest: String,
    labels: Labels,
    created: i64,
    /// The container's and its sandbox's, as CRI keeps them.
    cri: Value,
    sandbox: Value,
}

impl Stored {
    fn look(look: &mut Look<'_>, namespace: &str, id: &str) -> Option<Self> {
        let all = look.bucket(&[b"v1", namespace.as_bytes(), b"containers"])?;
        let own = look.inner(&all, id.as_bytes())?;
        let image = value(look, &own, b"image");
        let labels = look.inner(&own, b"labels").map(|labels| look.texts(&labels)).unwrap_or_default();
        let cri = extension(look, &own, b"io.cri-containerd.container.metadata")
            .or_else(|| extension(look, &own, b"io.cri-containerd.sandbox.metadata"))
            .unwrap_or_default();
        let sandbox_id = text(&cri, &["Metadata", "SandboxID"]);
        let sandbox = look.inner(&all, sandbox_id.as_bytes());
        let sandbox = sandbox.and_then(|own| extension(look, &own, b"io.cri-containerd.sandbox.metadata"));
        let images = look.bucket(&[b"v1", namespace.as_bytes(), b"images"]);
        let target = images.and_then(|images| look.inner(&images, image.as_bytes()));
        let target = target.and_then(|image| look.inner(&image, b"target"));
        Some(Self {
            digest: target.map(|target| value(look, &target, b"digest")).unwrap_or_default(),
            labels: labels.into_iter().filter(|(_, value)| value.len() <= LABEL_MAX).collect(),
            created: look.value(&own, b"createdat").map_or(0, |time| seconds(&time)),
            sandbox: sandbox.unwrap_or_default(),
            image,
            cri,
        })
    }
}

fn value(look: &mut Look<'_>, bucket: &Bucket, key: &[u8]) -> String {
    look.value(bucket, key).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// The JSON of an extension, which is wrapped into a message that names its type.
fn extension(look: &mut Look<'_>, container: &Bucket, name: &[u8]) -> Option<Value> {
    let extensions = look.inner(container, b"extensions")?;
    let wrapped = look.value(&extensions, name)?;
    let json = &wrapped[wrapped.iter().position(|b| *b == b'{')?..];
    serde_json::Deserializer::from_slice(json).into_iter().next()?.ok()
}

/// Seconds since the epoch of a time as Go's `MarshalBinary` writes it: a version, seconds since the year 1 with the
/// highest byte first, and more.
fn seconds(time: &[u8]) -> i64 {
    const YEAR_1: i64 = 62_135_596_800;
    let bytes = time.get(1..9).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, |bytes| i64::from_be_bytes(bytes).saturating_sub(YEAR_1)).max(0)
}

fn short(id: &str) -> String {
    id.chars().take(12).collect()
}

/// One made through the daemon's own API. It has no name but its id.
fn plain(spec: &Value, full_id: &str, stored: Stored) -> Container {
    let mut container = Container {
        engine: Engine::Containerd,
        id: short(full_id),
        full_id: full_id.to_owned(),
        name: short(full_id),
        image: stored.image,
        image_digest: stored.digest,
        created_time: stored.created,
        labels: stored.labels,
        ..oci::container(spec)
    };
    container.split_image();
    container
}

/// One made through CRI: the container of a pod, or the pod's sandbox.
fn pod(spec: &Value, full_id: &str, kind: &str, stored: Stored) -> Container {
    let own = |key: &str| annotation(spec, &format!("io.kubernetes.cri.{key}"));
    let is_sandbox = kind == "sandbox";
    let cri = at(&stored.cri, &["Metadata"]).unwrap_or(&Value::Null);
    let sandbox = if is_sandbox { cri } else { at(&stored.sandbox, &["Metadata"]).unwrap_or(&Value::Null) };
    let sandbox_id = own("sandbox-id");
    let named = if is_sandbox { own("sandbox-image-name") } else { own("image-name") };
    let mut labels = match at(cri, &["Config"]) {
        Some(config) => oci::labels(config, &["labels"]),
        None => stored.labels,
    };
    let ids = [
        ("io.kubernetes.sandbox.id", sandbox_id.clone()),
        ("io.kubernetes.pod.name", own("sandbox-name")),
        ("io.kubernetes.pod.namespace", own("sandbox-namespace")),
        ("io.kubernetes.pod.uid", own("sandbox-uid")),
    ];
    for (key, value) in ids.into_iter().filter(|(_, value)| !value.is_empty()) {
        labels.insert(key.into(), value);
    }
    let options = at(sandbox, &["Config", "linux", "security_context", "namespace_options"]);
    // 2 is the node's own namespace.
    let shared = |kind: &str| options.and_then(|all| at(all, &[kind])).and_then(Value::as_i64) == Some(2);
    let known = options.is_some();
    let from_spec = oci::container(spec);
    let privileged = at(cri, &["Config", "linux", "security_context"]);
    let mut container = Container {
        engine: Engine::Containerd,
        id: short(full_id),
        full_id: full_id.to_owned(),
        name: if is_sandbox { own("sandbox-name") } else { own("container-name") },
        image: if named.is_empty() { stored.image } else { named },
        image_id: bare(&text(cri, &["ImageRef"])).to_owned(),
        image_digest: stored.digest,
        created_time: stored.created,
        ip: text(sandbox, &["IP"]),
        cni_json: cni(sandbox),
        privileged: privileged.map_or(from_spec.privileged, |context| truth(context, &["privileged"])),
        host_pid: if known { shared("pid") } else { from_spec.host_pid },
        host_network: if known { shared("network") } else { from_spec.host_network },
        host_ipc: if known { shared("ipc") } else { from_spec.host_ipc },
        is_pod_sandbox: is_sandbox,
        mounts: list(cri, &["Config", "mounts"]).iter().map(mount).collect(),
        labels,
        pod_sandbox_id: sandbox_id,
        pod_sandbox_labels: oci::labels(sandbox, &["Config", "labels"]),
        ..from_spec
    };
    container.split_image();
    container
}

fn mount(entry: &Value) -> Mount {
    let propagation = match at(entry, &["propagation"]).and_then(Value::as_i64).unwrap_or(0) {
        0 => "private",
        1 => "rslave",
        2 => "rshared",
        _ => "unknown",
    };
    Mount {
        source: text(entry, &["host_path"]),
        destination: text(entry, &["container_path"]),
        mode: String::new(),
        rw: !truth(entry, &["readonly"]),
        propagation: propagation.to_owned(),
    }
}

/// The interfaces that the network plugin made, as JSON; upstream's bound on its length.
fn cni(sandbox: &Value) -> String {
    const LONGEST: usize = 4096;
    let Some(all) = at(sandbox, &["CNIResult", "Interfaces"]).and_then(Value::as_object) else { return String::new() };
    let shown: serde_json::Map<_, _> =
        all.iter().filter(|(name, _)| *name != "lo").map(|(k, v)| (k.clone(), v.clone())).collect();
    if shown.is_empty() {
        return String::new();
    }
    let mut json = Value::Object(shown).to_string();
    let cut = (0..=json.len().min(LONGEST)).rev().find(|at| json.is_char_boundary(*at)).unwrap_or(0);
    json.truncate(cut);
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_as_go_writes_them() {
        let time = [&[1][..], &63_925_920_000i64.to_be_bytes(), &[0; 6]].concat();
        assert_eq!((seconds(&time), seconds(b"\x01\xff"), seconds(&[1; 3])), (1_790_323_200, 0, 0));
    }

    #[test]
    fn a_pods_container_without_the_database() {
        let spec = json!({"annotations": {
            "io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.container-name": "till",
            "io.kubernetes.cri.sandbox-id": "b".repeat(64), "io.kubernetes.cri.sandbox-name": "shop-1",
            "io.kubernetes.cri.sandbox-namespace": "ns", "io.kubernetes.cri.sandbox-uid": "u-1",
            "io.kubernetes.cri.image-name": "docker.io/library/till:2",
        }});
        let bundle = Path::new("/nowhere/io.containerd.runtime.v2.task/k8s.io/x");
        let found = read(bundle, &spec, &"a".repeat(64), None).unwrap();
        assert_eq!((found.name.as_str(), found.image_tag.as_str(), found.id.as_str()), ("till", "2", "aaaaaaaaaaaa"));
        assert_eq!(found.labels["io.kubernetes.pod.name"], "shop-1");
        assert_eq!(found.labels["io.kubernetes.pod.uid"], "u-1");
        assert_eq!((found.pod_sandbox_id, found.is_pod_sandbox), ("b".repeat(64), false));
    }
}
