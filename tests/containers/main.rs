//! Real container runtimes: a shell in a container, a file written, a binary dropped and executed; every alert says which
//! container it was. The runtimes are Debian's, their images made here, everything they keep in a directory and in
//! control groups of the test's own.

mod containerd;
mod cri;
mod docker;
mod lxc;
mod podman;
mod stage;
mod storm;
mod watch;

use serde_json::Value;
use stage::{IMAGE, Stage};
use watch::Watch;

/// What the container does; `sh` is its first process.
const DEEDS: &str = "echo x >/made; mkdir -p /d; cp /bin/busybox /d/busybox; /d/busybox true";

/// The rules that see it: one asks for nothing of the runtime, one for the image, one for the name.
const RULES: &[&str] = &["A shell in a container", "A file written in this image", "A dropped binary executed"];

/// What every alert shows.
const SHOWN: &[&str] = &[
    "container.id",
    "container.full_id",
    "container.name",
    "container.image",
    "container.image.repository",
    "container.image.tag",
    "container.image.digest",
    "container.image.id",
    "container.type",
    "container.privileged",
    "container.mounts",
    "container.mount.source[/mnt]",
    "container.label[tier]",
    "container.host_network",
    "container.start_ts",
    "k8s.pod.name",
    "k8s.ns.name",
    "k8s.pod.uid",
    "k8s.pod.sandbox_id",
    "k8s.pod.labels",
    "k8s.pod.label[app]",
];

/// The rules as a file: the second and third match containers of the image by these tests alone.
fn rules(image: &str, name: &str) -> String {
    let shown: Vec<String> = SHOWN.iter().map(|field| format!("{field}=%{field}")).collect();
    let exec = "evt.type in (execve, execveat) and evt.res=SUCCESS and container.id != host";
    let conditions = [
        format!("{exec} and proc.name=sh"),
        format!("evt.type in (open, openat) and evt.is_open_write=true and fd.name=/made and {image}"),
        format!("{exec} and proc.exepath=/d/busybox and {name}"),
    ];
    let rule = |(rule, condition): (&&str, String)| {
        format!(
            "- rule: {rule}\n  desc: x\n  condition: {condition}\n  output: \"x {}\"\n  priority: WARNING\n",
            shown.join(" ")
        )
    };
    RULES.iter().zip(conditions).map(rule).collect()
}

/// All three alerts are there once for the container and say the same of it.
fn check(alerts: &[Value], id: &str, expected: &[(&str, &str)]) {
    let short: String = id.chars().take(12).collect();
    let mut faults = Vec::new();
    for rule in RULES {
        let of = |alert: &&Value| alert["rule"] == *rule && alert["output_fields"]["container.id"] == short.as_str();
        let raised: Vec<&Value> = alerts.iter().filter(of).collect();
        if raised.len() != 1 {
            faults.push(format!("{rule}: {} alerts of {short}", raised.len()));
        }
        for alert in raised {
            let fields = &alert["output_fields"];
            for (field, value) in expected {
                let text = fields[field].as_str().map_or_else(|| fields[field].to_string(), str::to_owned);
                if text != *value {
                    faults.push(format!("{rule}: {field} is {text:?}, not {value:?}"));
                }
            }
            if fields["container.metadata"] != Value::Null || !fields["container.start_ts"].is_u64() {
                faults.push(format!("{rule}: {fields}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}\nof {} alerts", faults.join("\n"), alerts.len());
}

/// The repository and the tag of the image.
fn image_parts() -> (&'static str, &'static str) {
    IMAGE.rsplit_once(':').expect("it has a tag")
}

/// Watches while `act` runs containers, and gives the alerts; nothing is lost meanwhile, and a recording says the same.
fn watched(stage: &Stage, rules: &str, act: impl FnOnce()) -> Vec<Value> {
    let file = stage.dir().join("rules.yaml");
    std::fs::write(&file, rules).expect("a file");
    let capture = stage.dir().join("live.scap");
    let watch = Watch::start(&file, &capture);
    act();
    let (alerts, stats) = watch.stop();
    assert_eq!(stats["drops"], 0, "{stats}");
    let replayed = watch::replay(&file, &capture);
    assert_eq!(replayed, alerts, "a recording raises the same alerts");
    alerts.iter().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}
