//! A container as its bundle's `config.json` describes it (OCI runtime specification): it is there before the
//! container's first process, whichever engine made it.

use crate::read::{at, list, text, texts};
use peregrine_state::container::{Container, LABEL_MAX, Labels, Mount};
use serde_json::Value;

/// What the specification itself says: user, namespaces, privileges, mounts.
pub(crate) fn container(spec: &Value) -> Container {
    let shared = |kind: &str| !list(spec, &["linux", "namespaces"]).iter().any(|ns| text(ns, &["type"]) == kind);
    Container {
        user: at(spec, &["process", "user", "uid"]).and_then(Value::as_u64).unwrap_or(0).to_string(),
        privileged: privileged(spec),
        host_pid: shared("pid"),
        host_network: shared("network"),
        host_ipc: shared("ipc"),
        mounts: list(spec, &["mounts"]).iter().map(|entry| mount(spec, entry)).collect(),
        ..Container::default()
    }
}

/// An annotation; empty if it is not there.
pub(crate) fn annotation(spec: &Value, key: &str) -> String {
    text(spec, &["annotations", key])
}

/// Labels that are not too long.
pub(crate) fn labels(value: &Value, keys: &[&str]) -> Labels {
    let short = texts(value, keys).filter(|(_, value)| value.len() <= LABEL_MAX);
    short.map(|(key, value)| (key.clone(), value.to_owned())).collect()
}

/// As the container plugin does for containerd: nothing is masked or confined, and neither `/sys` nor cgroups are
/// read-only.
fn privileged(spec: &Value) -> bool {
    let none = |keys: &[&str]| at(spec, keys).is_none_or(|value| value.as_array().is_some_and(Vec::is_empty));
    let profile = text(spec, &["process", "apparmorProfile"]);
    none(&["linux", "maskedPaths"])
        && none(&["linux", "readonlyPaths"])
        && text(spec, &["process", "selinuxLabel"]).is_empty()
        && (profile.is_empty() || profile == "unconfined")
        && at(spec, &["linux", "seccomp"]).is_none()
        && !list(spec, &["mounts"]).iter().any(|mount| {
            matches!(text(mount, &["type"]).as_str(), "sysfs" | "cgroup") && options(mount).any(|option| option == "ro")
        })
}

fn options(mount: &Value) -> impl Iterator<Item = &str> {
    list(mount, &["options"]).iter().filter_map(Value::as_str)
}

fn mount(spec: &Value, entry: &Value) -> Mount {
    Mount {
        source: text(entry, &["source"]),
        destination: text(entry, &["destination"]),
        mode: options(entry).find_map(|option| option.strip_prefix("mode=")).unwrap_or_default().to_owned(),
        rw: !options(entry).any(|option| option == "ro"),
        propagation: text(spec, &["linux", "rootfsPropagation"]),
    }
}

/// The mounts of the host's files among a bundle's, as engines list them: without those below `own`, which the engine
/// adds itself.
pub(crate) fn binds(spec: &Value, own: &str) -> Vec<Mount> {
    const PROPAGATIONS: &[&str] = &["private", "rprivate", "slave", "rslave", "shared", "rshared"];
    let asked = |mount: &&Value| {
        let kind = text(mount, &["type"]);
        (kind == "bind" || options(mount).any(|option| matches!(option, "bind" | "rbind")))
            && !text(mount, &["source"]).contains(own)
    };
    let binds = list(spec, &["mounts"]).iter().filter(asked);
    binds
        .map(|entry| Mount {
            mode: String::new(),
            propagation: options(entry).find(|option| PROPAGATIONS.contains(option)).unwrap_or_default().to_owned(),
            ..mount(spec, entry)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_specification_says() {
        let spec = json!({
            "process": {"user": {"uid": 7}, "apparmorProfile": "unconfined"},
            "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}], "rootfsPropagation": "rslave"},
            "mounts": [
                {"destination": "/sys", "type": "sysfs", "options": ["nosuid"]},
                {"destination": "/a", "type": "bind", "source": "/b", "options": ["rbind", "ro", "rprivate"]},
                {"destination": "/tmp", "type": "tmpfs", "options": ["mode=1777"]},
                {"destination": "/etc/hosts", "type": "bind", "source": "/run/x/ID/hosts", "options": ["bind"]},
            ],
        });
        let container = container(&spec);
        assert!(container.privileged && container.host_network && container.host_ipc && !container.host_pid);
        assert_eq!((container.user.as_str(), container.mounts.len()), ("7", 4));
        assert_eq!((container.mounts[2].mode.as_str(), container.mounts[1].rw), ("1777", false));
        assert_eq!(container.mounts[1].propagation, "rslave");
        let binds = binds(&spec, "/ID/");
        assert_eq!((binds.len(), binds[0].propagation.as_str(), binds[0].source.as_str()), (1, "rprivate", "/b"));
        for confined in [
            json!({"linux": {"maskedPaths": ["/proc/kcore"]}}),
            json!({"linux": {"seccomp": {}}}),
            json!({"process": {"apparmorProfile": "docker-default"}}),
            json!({"mounts": [{"type": "cgroup", "options": ["ro"]}]}),
        ] {
            assert!(!super::container(&confined).privileged, "{confined}");
        }
    }
}
