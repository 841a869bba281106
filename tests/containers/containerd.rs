//! containerd by its own API: `ctr run`.

use crate::podman::Podman;
use crate::stage::{Daemon, IMAGE, Stage, run};
use crate::{DEEDS, check, image_parts, rules, watched};
use std::process::Command;

/// A containerd whose files are all below the stage.
pub struct Containerd {
    socket: String,
    _daemon: Daemon,
}

impl Containerd {
    pub fn start(stage: &Stage) -> Self {
        let socket = stage.path("containerd.sock");
        let config = format!(
            "version = 2\nroot = {:?}\nstate = {:?}\n[grpc]\n  address = {socket:?}\n\
             [plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"localhost/pause:1\"\n  disable_apparmor = true\n\
             \x20 restrict_oom_score_adj = true\n  [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n\
             \x20   snapshotter = \"native\"\n",
            stage.path("containerd"),
            stage.path("state")
        );
        let file = stage.path("config.toml");
        std::fs::write(&file, config).expect("a file");
        let ctr = |socket: &str| Command::new("ctr").args(["-a", socket, "version"]).output();
        let answers = || ctr(&socket).is_ok_and(|output| output.status.success());
        let daemon = Daemon::start(Command::new("containerd").args(["-c", &file]), &stage.dir().join("log"), answers);
        Self { socket, _daemon: daemon }
    }

    pub fn socket(&self) -> &str {
        &self.socket
    }

    pub fn ctr(&self, namespace: &str) -> Command {
        let mut command = Command::new("ctr");
        command.args(["-a", &self.socket, "-n", namespace]);
        command
    }
}

/// The image as an archive that containerd takes.
pub fn archive(stage: &Stage, image: &str) -> String {
    let archive = stage.path("oci.tar");
    let _ = std::fs::remove_file(&archive);
    run(Podman(stage).command().args(["save", "-q", "-o", &archive, "--format", "oci-archive", image]));
    archive
}

#[test]
fn containerd() {
    let Some(stage) = Stage::new(&["containerd", "ctr", "runc", "podman", "busybox"]) else { return };
    Podman(&stage).import();
    let containerd = Containerd::start(&stage);
    // The control group is named after the namespace.
    let namespace = stage.group().to_owned();
    run(containerd.ctr(&namespace).args(["images", "import", &archive(&stage, IMAGE)]));
    let digest = run(containerd.ctr(&namespace).args(["images", "ls"]));
    let digest = digest.split_whitespace().find(|word| word.starts_with("sha256:")).expect("a digest").to_owned();
    let (repo, tag) = image_parts();
    let rules = rules(&format!("container.image.repository={repo}"), "container.name=web-by-conta");
    let id = "web-by-containerd";
    let alerts = watched(&stage, &rules, || {
        let options = ["run", "--snapshotter", "native", "--rm", "--net-host", "--label", "tier=front", IMAGE, id];
        run(containerd.ctr(&namespace).args(options).args(["sh", "-c", DEEDS]));
    });
    check(
        &alerts,
        id,
        &[
            ("container.full_id", id),
            ("container.name", "web-by-conta"),
            ("container.image", IMAGE),
            ("container.image.repository", repo),
            ("container.image.tag", tag),
            ("container.image.digest", &digest),
            ("container.type", "containerd"),
            ("container.privileged", "false"),
            ("container.label[tier]", "front"),
            ("container.host_network", "true"),
        ],
    );
}
