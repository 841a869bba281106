//! Docker: `containers/ID/config.v2.json` and `hostconfig.json` below its data root, both written when a container is
//! created, and `image/DRIVER/repositories.json`.

use crate::oci;
use crate::read::{at, json, list, seconds, text, texts, truth};
use peregrine_state::container::{Container, Engine, Mount, split_image};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where Docker keeps everything unless told otherwise.
pub(crate) const ROOT: &str = "var/lib/docker";

/// A container by its whole id.
pub(crate) fn read(root: &Path, full_id: &str, owner: Option<u32>) -> Option<Container> {
    let directory = root.join("containers").join(full_id);
    let config = json(&directory.join("config.v2.json"), owner)?;
    let host = json(&directory.join("hostconfig.json"), owner).unwrap_or_default();
    let mut container = container(&config, &host)?;
    let driver = text(&config, &["Driver"]);
    let images = root.join("image").join(Path::new(&driver).file_name()?).join("repositories.json");
    name_image(&mut container, &json(&images, owner).unwrap_or_default(), &text(&config, &["Image"]));
    // Images in containerd's store are not in that file; what was asked for has a name, or is an id.
    let is_id = bare(&container.image).bytes().all(|b| b.is_ascii_hexdigit());
    if container.image_repo.is_empty() && !is_id {
        container.split_image();
    }
    Some(container)
}

fn container(config: &Value, host: &Value) -> Option<Container> {
    let full_id = text(config, &["ID"]);
    let name = text(config, &["Name"]).trim_start_matches('/').to_owned();
    let labels = oci::labels(config, &["Config", "Labels"]);
    let mounts = at(config, &["MountPoints"]).and_then(Value::as_object);
    Some(Container {
        engine: Engine::Docker,
        id: full_id.get(..12)?.to_owned(),
        image: text(config, &["Config", "Image"]),
        image_id: bare(&text(config, &["Image"])).to_owned(),
        user: text(config, &["Config", "User"]),
        created_time: seconds(&text(config, &["Created"])),
        ip: address(config),
        privileged: truth(host, &["Privileged"]),
        host_pid: text(host, &["PidMode"]) == "host",
        host_network: text(host, &["NetworkMode"]) == "host",
        host_ipc: text(host, &["IpcMode"]) == "host",
        is_pod_sandbox: name.contains("k8s_POD"),
        pod_sandbox_id: labels.get("io.kubernetes.sandbox.id").cloned().unwrap_or_default(),
        mounts: mounts.into_iter().flatten().map(|(_, entry)| mount(entry)).collect(),
        full_id,
        name,
        labels,
        ..Container::default()
    })
}

/// Whether the address is still to come: it is written once the network is set up.
pub(crate) fn awaits_address(container: &Container) -> bool {
    container.engine == Engine::Docker && container.ip.is_empty() && !container.host_network
}

fn mount(entry: &Value) -> Mount {
    Mount {
        source: text(entry, &["Source"]),
        destination: text(entry, &["Destination"]),
        // Docker's own name for it in this file; its API calls it the mode.
        mode: text(entry, &["Relabel"]),
        rw: truth(entry, &["RW"]),
        propagation: text(entry, &["Propagation"]),
    }
}

/// The address on the default network, else on the first that has one.
pub(crate) fn address(config: &Value) -> String {
    let own = text(config, &["NetworkSettings", "IPAddress"]);
    if !own.is_empty() {
        return own;
    }
    let networks = at(config, &["NetworkSettings", "Networks"]);
    let bridge = networks.map(|networks| text(networks, &["bridge", "IPAddress"])).unwrap_or_default();
    if !bridge.is_empty() {
        return bridge;
    }
    let all = networks.and_then(Value::as_object).into_iter().flatten();
    all.map(|(_, network)| text(network, &["IPAddress"])).find(|ip| !ip.is_empty()).unwrap_or_default()
}

/// An id or a digest without its algorithm.
pub(crate) fn bare(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

/// Repository, tag and digest of the image by its id: what names it by digest first, then what names it by tag, of
/// several names the one that the container was asked for with.
fn name_image(container: &mut Container, repositories: &Value, image: &str) {
    let Some(all) = at(repositories, &["Repositories"]).and_then(Value::as_object) else { return };
    let names = all.iter().flat_map(|(_, names)| texts(names, &[])).filter(|(_, id)| *id == image);
    name(container, names.map(|(name, _)| name.as_str()).collect());
}

/// The same by the names of the image, `REPOSITORY:TAG` and `REPOSITORY@DIGEST`.
pub(crate) fn name(container: &mut Container, mut names: Vec<&str>) {
    names.sort_by_key(|name| !name.starts_with(split_image(&container.image).0));
    let digests: Vec<(&str, &str)> = names.iter().filter_map(|name| name.split_once('@')).collect();
    if let Some((repo, digest)) = digests.first() {
        (container.image_repo, container.image_digest) = ((*repo).to_owned(), (*digest).to_owned());
    }
    let tags: Vec<(&str, &str)> = names.iter().filter(|name| !name.contains('@')).map(|n| split_image(n)).collect();
    let wanted = (split_image(&container.image).0, split_image(&container.image).1);
    let tag = tags.iter().find(|tag| **tag == wanted).or_else(|| tags.first());
    if let Some((repo, tag)) = tag {
        if container.image_repo.is_empty() {
            container.image_repo = (*repo).to_owned();
        }
        container.image_tag = (*tag).to_owned();
    }
}

/// Where Docker keeps everything, by the files of its own that a bundle mounts.
pub(crate) fn root_of(spec: &Value, full_id: &str) -> Option<PathBuf> {
    let own = format!("/containers/{full_id}/");
    list(spec, &["mounts"]).iter().find_map(|mount| {
        let source = text(mount, &["source"]);
        source.find(&own).map(|end| PathBuf::from(&source[..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn images_by_digest_and_tag() {
        let repositories = json!({"Repositories": {
            "nginx": {"nginx:1": "sha256:aa", "nginx:2": "sha256:aa", "nginx@sha256:dd": "sha256:aa"},
            "mirror.example.org:5000/nginx": {"mirror.example.org:5000/nginx:1": "sha256:aa"},
            "other": {"other:1": "sha256:bb"},
        }});
        let named = |image: &str, id: &str| {
            let mut container = Container { image: image.into(), ..Container::default() };
            name_image(&mut container, &repositories, id);
            [container.image_repo, container.image_tag, container.image_digest]
        };
        assert_eq!(named("nginx:2", "sha256:aa"), ["nginx", "2", "sha256:dd"]);
        assert_eq!(named("other:1", "sha256:bb"), ["other", "1", ""]);
        assert_eq!(named("sha256:cc", "sha256:cc"), ["", "", ""]);
    }

    #[test]
    fn addresses_and_roots() {
        let networks =
            json!({"NetworkSettings": {"Networks": {"a": {"IPAddress": ""}, "b": {"IPAddress": "10.1.2.3"}}}});
        assert_eq!(address(&networks), "10.1.2.3");
        let spec = json!({"mounts": [{"source": "/x"}, {"source": "/data/d/containers/ID/hosts"}]});
        assert_eq!(root_of(&spec, "ID").unwrap(), Path::new("/data/d"));
        assert_eq!(root_of(&spec, "ID2"), None);
    }
}
