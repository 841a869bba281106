//! Podman with runc: state files, and its database.

use crate::stage::{IMAGE, Stage, run};
use crate::{DEEDS, check, image_parts, rules, watched};
use std::process::Command;

/// A Podman whose files are all below the stage.
pub struct Podman<'a>(pub &'a Stage);

impl Podman<'_> {
    pub fn command(&self) -> Command {
        let mut command = Command::new("podman");
        let own = [("--root", "root"), ("--runroot", "run"), ("--tmpdir", "libpod")];
        for (option, name) in own {
            command.arg(option).arg(self.0.path(name));
        }
        command.args(["--cgroup-manager", "cgroupfs", "--runtime", "runc", "--storage-driver", "vfs"]);
        command
    }

    /// The image, with a label of its own.
    pub fn import(&self) -> &Self {
        let archive = self.0.archive();
        run(self.command().args(["import", "-q", "--change", "LABEL made=here", &archive, IMAGE]));
        self
    }

    /// A command that runs a container.
    pub fn run(&self, name: &str, options: &[&str], command: &[&str]) -> Command {
        let mut podman = self.command();
        let parent = format!("/{}", self.0.group());
        podman.args(["run", "--rm", "--name", name, "--network", "host", "--cgroup-parent", &parent]);
        podman.args(["--ulimit", "nofile=20000:20000", "--ulimit", "nproc=1000:1000"]);
        podman.args(options).arg(IMAGE).args(command);
        podman
    }
}

#[test]
fn podman() {
    let Some(stage) = Stage::new(&["podman", "runc", "busybox"]) else { return };
    let podman = Podman(&stage);
    podman.import();
    let (id_file, tree) = (stage.path("id"), stage.tree().to_str().unwrap().to_owned());
    let mount = format!("{tree}:/mnt:ro");
    let (repo, tag) = image_parts();
    let rules = rules(&format!("container.image.repository={repo}"), "container.name=web");
    let alerts = watched(&stage, &rules, || {
        let options = ["--label", "tier=front", "-v", &mount, "--cidfile", &id_file];
        run(&mut podman.run("web", &options, &["sh", "-c", DEEDS]));
    });
    let id = std::fs::read_to_string(&id_file).expect("the container's id");
    let image = run(podman.command().args(["image", "inspect", "--format", "{{.Id}} {{.Digest}}", IMAGE]));
    let (image_id, digest) = image.split_once(' ').expect("two words");
    check(
        &alerts,
        &id,
        &[
            ("container.full_id", &id),
            ("container.name", "web"),
            ("container.image", IMAGE),
            ("container.image.repository", repo),
            ("container.image.tag", tag),
            ("container.image.digest", digest),
            ("container.image.id", image_id),
            ("container.type", "podman"),
            ("container.privileged", "false"),
            ("container.mounts", &format!("{tree}:/mnt::false:rprivate")),
            ("container.mount.source[/mnt]", &tree),
            ("container.label[tier]", "front"),
            ("container.host_network", "true"),
            ("k8s.pod.name", "null"),
        ],
    );
}
