//! Podman and CRI-O: both keep containers in containers/storage (`DRIVER-containers/ID/userdata/config.json`,
//! `DRIVER-containers/containers.json`, `DRIVER-images/images.json` below the storage's root), Podman its own settings
//! of them in `libpod/bolt_state.db`, CRI-O in annotations.

use crate::bolt::Bolt;
use crate::docker::bare;
use crate::find::Found;
use crate::oci::{self, annotation};
use crate::read::{json, list, seconds, text};
use peregrine_state::container::{Container, Engine, Labels};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where both keep everything unless told otherwise.
pub(crate) const ROOT: &str = "var/lib/containers/storage";

/// The storage drivers that a container's directory is named after.
const DRIVERS: &[&str] = &["overlay", "vfs", "btrfs", "zfs", "devicemapper", "aufs"];

/// The bundle of a container in this storage, if it is there.
pub(crate) fn bundle(root: &Path, full_id: &str) -> Option<PathBuf> {
    let bundles = DRIVERS.iter().map(|driver| root.join(format!("{driver}-containers")).join(full_id).join("userdata"));
    bundles.into_iter().find(|bundle| bundle.join("config.json").exists())
}

/// A container by its bundle, if one of the two made it.
pub(crate) fn read(bundle: &Path, spec: &Value, full_id: &str, owner: Option<u32>) -> Option<Found> {
    match annotation(spec, "io.container.manager").as_str() {
        "libpod" => podman(bundle, spec, full_id, owner),
        "cri-o" => crio(bundle, spec, full_id, owner).map(Found::from),
        _ => None,
    }
}

/// The storage that a bundle lies in, and its driver.
struct Storage {
    root: PathBuf,
    driver: String,
}

impl Storage {
    /// `ROOT/DRIVER-containers/ID/userdata`
    fn of(bundle: &Path) -> Option<Self> {
        let containers = bundle.parent()?.parent()?;
        let driver = containers.file_name()?.to_str()?.strip_suffix("-containers")?.to_owned();
        Some(Self { root: containers.parent()?.to_owned(), driver })
    }

    /// What the storage itself says of a container: names, image, time.
    fn container(&self, id: &str, owner: Option<u32>) -> Option<Value> {
        let directory = self.root.join(format!("{}-containers", self.driver));
        // Volatile containers, those of `--rm`, have a list of their own in newer versions.
        let lists = ["containers.json", "volatile-containers.json"];
        lists.iter().find_map(|list| by_id(json(&directory.join(list), owner)?, id))
    }

    fn digest(&self, image_id: &str, owner: Option<u32>) -> String {
        let images = self.root.join(format!("{}-images", self.driver)).join("images.json");
        json(&images, owner)
            .and_then(|all| by_id(all, image_id))
            .map(|image| text(&image, &["digest"]))
            .unwrap_or_default()
    }

    /// The labels of an image, from its configuration.
    fn image_labels(&self, image_id: &str, owner: Option<u32>) -> Labels {
        if image_id.len() != 64 || !image_id.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Labels::new();
        }
        let name = format!("={}", base64(format!("sha256:{image_id}").as_bytes()));
        let file = self.root.join(format!("{}-images", self.driver)).join(image_id).join(name);
        json(&file, owner).map(|config| oci::labels(&config, &["config", "Labels"])).unwrap_or_default()
    }
}

fn by_id(list: Value, id: &str) -> Option<Value> {
    let Value::Array(all) = list else { return None };
    all.into_iter().find(|entry| text(entry, &["id"]) == id)
}

/// Base64 as file names have it here.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().chain([&0, &0]).take(3).fold(0usize, |word, byte| word << 8 | usize::from(*byte));
        for place in 0..4 {
            let digit = DIGITS[word >> (18 - 6 * place) & 63];
            out.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

fn podman(bundle: &Path, spec: &Value, full_id: &str, owner: Option<u32>) -> Option<Found> {
    let storage = Storage::of(bundle)?;
    let stored = storage.container(full_id, owner).unwrap_or_default();
    let metadata: Value = serde_json::from_str(&text(&stored, &["metadata"])).unwrap_or_default();
    let own = settings(&storage.root, full_id, owner);
    let image_id = text(&stored, &["image"]);
    let mut container = Container {
        engine: Engine::Podman,
        id: full_id.get(..12)?.to_owned(),
        full_id: full_id.to_owned(),
        name: list(&stored, &["names"]).first().and_then(Value::as_str).unwrap_or_default().to_owned(),
        image: text(&metadata, &["image-name"]),
        image_digest: storage.digest(&image_id, owner),
        user: own.as_ref().map(|own| text(own, &["user"])).unwrap_or_default(),
        created_time: seconds(&text(&stored, &["created"])),
        privileged: annotation(spec, "io.podman.annotations.privileged") == "TRUE",
        mounts: oci::binds(spec, &format!("/{full_id}/")),
        labels: match &own {
            Some(own) => oci::labels(own, &["labels"]),
            None => storage.image_labels(&image_id, owner),
        },
        image_id,
        ..oci::container(spec)
    };
    container.is_pod_sandbox = container.name.contains("k8s_POD");
    container.split_image();
    // Without its own settings the labels are the image's.
    Some(Found { container, complete: own.is_some() })
}

/// Podman's own settings of a container. Newer versions have them in another kind of database, which is not read.
fn settings(root: &Path, full_id: &str, owner: Option<u32>) -> Option<Value> {
    let bolt = Bolt::open(&root.join("libpod/bolt_state.db"), owner)?;
    let config = bolt.look(|look| {
        let bucket = look.bucket(&[b"ctr", full_id.as_bytes()])?;
        look.value(&bucket, b"config")
    })?;
    serde_json::from_slice(&config).ok()
}

fn crio(bundle: &Path, spec: &Value, full_id: &str, owner: Option<u32>) -> Option<Container> {
    let own = |key: &str| annotation(spec, &format!("io.kubernetes.cri-o.{key}"));
    let parsed = |key: &str| serde_json::from_str::<Value>(&own(key)).unwrap_or_default();
    let is_sandbox = own("ContainerType") == "sandbox";
    let sandbox_id = if is_sandbox { full_id.to_owned() } else { own("SandboxID") };
    let sandbox = sandbox_spec(bundle, &sandbox_id, owner).filter(|_| !is_sandbox);
    let of_sandbox = |key: &str| {
        let key = format!("io.kubernetes.cri-o.{key}");
        sandbox.as_ref().map_or_else(|| annotation(spec, &key), |sandbox| annotation(sandbox, &key))
    };
    let mut labels = oci::labels(&parsed("Labels"), &[]);
    let pod_sandbox_labels = if is_sandbox {
        labels.clone()
    } else {
        oci::labels(&serde_json::from_str(&of_sandbox("Labels")).unwrap_or_default(), &[])
    };
    labels.insert("io.kubernetes.sandbox.id".into(), sandbox_id.clone());
    let image = [own("ImageName"), own("UserRequestedImage"), own("Image")].into_iter().find(|i| !i.is_empty());
    let reference = own("ImageRef");
    let mut container = Container {
        engine: Engine::Crio,
        id: full_id.get(..12)?.to_owned(),
        full_id: full_id.to_owned(),
        name: Some(text(&parsed("Metadata"), &["name"])).filter(|name| !name.is_empty()).unwrap_or_else(|| own("Name")),
        image: image.unwrap_or_default(),
        image_digest: reference.split_once('@').map(|(_, digest)| digest.to_owned()).unwrap_or_default(),
        image_id: bare(reference.split('@').next().unwrap_or_default()).to_owned(),
        created_time: seconds(&own("Created")),
        ip: of_sandbox("IP.0"),
        cni_json: of_sandbox("CNIResult"),
        host_network: of_sandbox("HostNetwork") == "true",
        privileged: of_sandbox("PrivilegedRuntime") == "true" && oci::container(spec).privileged,
        is_pod_sandbox: is_sandbox,
        mounts: oci::binds(spec, &format!("/{sandbox_id}/")),
        labels,
        pod_sandbox_id: sandbox_id,
        pod_sandbox_labels,
        ..oci::container(spec)
    };
    container.split_image();
    Some(container)
}

/// The specification of a container's sandbox, which lies beside it.
fn sandbox_spec(bundle: &Path, sandbox_id: &str, owner: Option<u32>) -> Option<Value> {
    let valid = sandbox_id.len() == 64 && sandbox_id.bytes().all(|b| b.is_ascii_hexdigit());
    let containers = bundle.parent()?.parent()?;
    valid.then(|| json(&containers.join(sandbox_id).join("userdata/config.json"), owner)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "5c256eafaf9822838414cc557a8daf6c5ed27c70d915578100752a4e2e951f8f";
    const POD: &str = "7cfdef8a8d2948b3ee7607712ce1f33b86568dea5b183f81a6a47b59cb21c892";

    fn bundle_of(root: &Path, id: &str, spec: &Value) -> PathBuf {
        let bundle = root.join(format!("overlay-containers/{id}/userdata"));
        std::fs::create_dir_all(&bundle).unwrap();
        std::fs::write(bundle.join("config.json"), spec.to_string()).unwrap();
        bundle
    }

    #[test]
    fn names_of_image_files() {
        assert_eq!(base64(b"sha256:7c"), "c2hhMjU2Ojdj");
        assert_eq!((base64(b"a").as_str(), base64(b"ab").as_str(), base64(b"").as_str()), ("YQ==", "YWI=", ""));
    }

    /// Containers of `--rm` in a storage without Podman's own database have the image's labels.
    #[test]
    fn podman_without_its_database() {
        let root = tempfile::tempdir().unwrap();
        let spec =
            json!({"annotations": {"io.container.manager": "libpod", "io.podman.annotations.privileged": "TRUE"}});
        let bundle = bundle_of(root.path(), ID, &spec);
        let write = |file: &str, value: Value| {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, value.to_string()).unwrap();
        };
        write("overlay-containers/containers.json", json!([]));
        let metadata = json!({"image-name": "localhost:5000/busy:1.0"}).to_string();
        let stored = json!([{"id": ID, "names": ["web"], "image": POD, "metadata": metadata,
            "created": "2026-11-24T19:59:16.436227019Z"}]);
        write("overlay-containers/volatile-containers.json", stored);
        write("overlay-images/images.json", json!([{"id": POD, "digest": "sha256:aa"}]));
        let config = format!("overlay-images/{POD}/={}", base64(format!("sha256:{POD}").as_bytes()));
        write(&config, json!({"config": {"Labels": {"a": "b", "long": "x".repeat(101)}}}));
        assert_eq!(super::bundle(root.path(), ID).as_deref(), Some(&*bundle));
        let found = read(&bundle, &spec, ID, None).unwrap().container;
        assert_eq!(
            (found.name.as_str(), found.image.as_str(), found.image_digest.as_str()),
            ("web", "localhost:5000/busy:1.0", "sha256:aa")
        );
        assert_eq!((found.image_repo.as_str(), found.image_tag.as_str()), ("localhost:5000/busy", "1.0"));
        assert_eq!((found.labels.len(), found.privileged, found.created_time), (1, true, 1_795_550_356));
        assert_eq!((found.engine, found.image_id.as_str(), found.id.as_str()), (Engine::Podman, POD, &ID[..12]));
    }

    #[test]
    fn crio_has_its_pod() {
        let root = tempfile::tempdir().unwrap();
        let own = |pairs: &[(&str, &str)]| {
            let named = pairs.iter().map(|(key, value)| (format!("io.kubernetes.cri-o.{key}"), json!(value)));
            let mut all: serde_json::Map<_, _> = named.collect();
            all.insert("io.container.manager".into(), json!("cri-o"));
            json!({"annotations": all})
        };
        let pod = own(&[
            ("ContainerType", "sandbox"),
            ("Labels", r#"{"app":"shop","io.kubernetes.pod.name":"shop-1"}"#),
            ("IP.0", "10.0.0.9"),
            ("CNIResult", "{}"),
        ]);
        bundle_of(root.path(), POD, &pod);
        let spec = own(&[
            ("ContainerType", "container"),
            ("SandboxID", POD),
            ("Metadata", r#"{"name":"till"}"#),
            ("Labels", r#"{"io.kubernetes.pod.name":"shop-1","io.kubernetes.pod.namespace":"ns"}"#),
            ("ImageName", "quay.io/x/till:3"),
            ("ImageRef", "quay.io/x/till@sha256:ee"),
        ]);
        let bundle = bundle_of(root.path(), ID, &spec);
        let found = read(&bundle, &spec, ID, None).unwrap().container;
        assert_eq!(
            (found.name.as_str(), found.image_repo.as_str(), found.image_digest.as_str()),
            ("till", "quay.io/x/till", "sha256:ee")
        );
        assert_eq!((found.ip.as_str(), found.pod_sandbox_id.as_str()), ("10.0.0.9", POD));
        assert_eq!(found.labels["io.kubernetes.pod.namespace"], "ns");
        assert_eq!(found.pod_sandbox_labels["app"], "shop");
        assert!(!found.is_pod_sandbox);
        assert!(read(&bundle, &json!({}), ID, None).is_none(), "another engine's");
    }
}
