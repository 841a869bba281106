//! A pod by CRI, as a kubelet makes it. The few messages are written by hand: a client is one `curl`.

use crate::containerd::{Containerd, archive};
use crate::podman::Podman;
use crate::stage::{IMAGE, Stage, run};
use crate::{DEEDS, check, image_parts, rules, watched};
use std::process::Command;

/// A message of protocol buffers.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number > 127 {
            self.0.push(number as u8 | 128);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn number(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    fn message(self, field: u64, value: Self) -> Self {
        self.bytes(field, &value.0)
    }

    fn labels(self, field: u64, labels: &[(&str, &str)]) -> Self {
        labels.iter().fold(self, |all, (key, value)| all.message(field, Self::default().text(1, key).text(2, value)))
    }
}

/// Calls the runtime service and gives the first text of the answer.
fn call(stage: &Stage, socket: &str, method: &str, message: &Message) -> String {
    let (body, headers) = (stage.path("body"), stage.path("headers"));
    let framed = [&[0][..], &(message.0.len() as u32).to_be_bytes(), &message.0].concat();
    std::fs::write(&body, framed).expect("a file");
    let url = format!("http://localhost/runtime.v1.RuntimeService/{method}");
    let types = ["-H", "content-type: application/grpc", "-H", "te: trailers"];
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--http2-prior-knowledge", "--unix-socket", socket]).args(types);
    let output = curl.args(["-D", &headers, "--data-binary", &format!("@{body}"), &url]).output().expect("curl runs");
    let said = std::fs::read_to_string(&headers).expect("headers");
    assert!(said.contains("grpc-status: 0"), "{method}: {said}");
    // Five bytes of frame, then tag and length of the first field.
    String::from_utf8_lossy(output.stdout.get(7..).unwrap_or_default()).into_owned()
}

#[test]
fn pod_by_cri() {
    let Some(stage) = Stage::new(&["containerd", "ctr", "runc", "podman", "busybox", "curl"]) else { return };
    let podman = Podman(&stage);
    podman.import();
    run(podman.command().args(["tag", IMAGE, "localhost/other:1"]));
    // What a sandbox runs has to go on; its entry point says so.
    let entry = "ENTRYPOINT [\"/bin/sleep\",\"1000\"]";
    run(podman.command().args(["import", "-q", "--change", entry, &stage.path("image.tar"), "localhost/pause:1"]));
    let containerd = Containerd::start(&stage);
    for image in [IMAGE, "localhost/pause:1"] {
        run(containerd.ctr("k8s.io").args(["images", "import", &archive(&stage, image)]));
    }
    let (repo, tag) = image_parts();
    let rules = rules(&format!("container.image.repository={repo}"), "k8s.pod.name=shop-1 and k8s.ns.name=prod");
    let call = |method: &str, message: &Message| call(&stage, containerd.socket(), method, message);
    let pod_labels = [
        ("app", "shop"),
        ("io.kubernetes.pod.name", "shop-1"),
        ("io.kubernetes.pod.namespace", "prod"),
        ("io.kubernetes.pod.uid", "uid-1"),
    ];
    let new = Message::default;
    let node_network = new().message(1, new().number(1, 2));
    let linux = new().text(1, &format!("/{}/kubepods/besteffort/poduid-1", stage.group())).message(2, node_network);
    let metadata = new().text(1, "shop-1").text(2, "uid-1").text(3, "prod").number(4, 0);
    let pod = new().message(1, metadata).text(3, &stage.path("logs")).labels(6, &pod_labels).message(8, linux);
    let tree = stage.tree().to_str().unwrap().to_owned();
    let own_labels = [&pod_labels[1..], &[("io.kubernetes.container.name", "till"), ("tier", "front")]].concat();
    let command = ["sh", "-c"].iter().fold(new(), |all, word| all.text(3, word));
    let container =
        Message([new().message(1, new().text(1, "till")).message(2, new().text(1, IMAGE)).0, command.0].concat())
            .text(4, DEEDS)
            .message(7, new().text(1, "/mnt").text(2, &tree).number(3, 1))
            .labels(9, &own_labels);
    let (mut sandbox_id, mut id) = (String::new(), String::new());
    let alerts = watched(&stage, &rules, || {
        sandbox_id = call("RunPodSandbox", &new().message(1, pod.clone()));
        let create = new().text(1, &sandbox_id).message(2, container.clone()).message(3, pod.clone());
        id = call("CreateContainer", &create);
        call("StartContainer", &new().text(1, &id));
        // Its first process ends by itself; stopping waits for that.
        call("StopContainer", &new().text(1, &id).number(2, 10));
        call("RemoveContainer", &new().text(1, &id));
        call("StopPodSandbox", &new().text(1, &sandbox_id));
        call("RemovePodSandbox", &new().text(1, &sandbox_id));
    });
    let short: String = sandbox_id.chars().take(12).collect();
    check(
        &alerts,
        &id,
        &[
            ("container.full_id", &id),
            ("container.name", "till"),
            ("container.image", IMAGE),
            ("container.image.repository", repo),
            ("container.image.tag", tag),
            ("container.type", "containerd"),
            ("container.privileged", "false"),
            ("container.mounts", &format!("{tree}:/mnt::false:private")),
            ("container.label[tier]", "front"),
            ("container.host_network", "true"),
            ("k8s.pod.name", "shop-1"),
            ("k8s.ns.name", "prod"),
            ("k8s.pod.uid", "uid-1"),
            ("k8s.pod.sandbox_id", &short),
            ("k8s.pod.labels", "app:shop"),
            ("k8s.pod.label[app]", "shop"),
        ],
    );
}
