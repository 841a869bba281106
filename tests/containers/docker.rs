//! Docker: `config.v2.json` and what lies beside it.

use crate::stage::{Daemon, IMAGE, Stage, run};
use crate::{DEEDS, check, image_parts, rules, watched};
use std::process::Command;

/// Debian's client; another may lie before it in the path.
const CLIENT: &str = "/usr/bin/docker";

#[test]
fn docker() {
    let Some(stage) = Stage::new(&["dockerd", CLIENT, "runc", "busybox"]) else { return };
    let socket = format!("unix://{}", stage.path("docker.sock"));
    let client = || {
        let mut client = Command::new(CLIENT);
        client.args(["-H", &socket]);
        client
    };
    let mut command = Command::new("dockerd");
    command.args(["--bridge=none", "--iptables=false", "--default-ulimit", "nofile=20000:20000", "-H", &socket]);
    command.args(["--data-root", &stage.path("data"), "--exec-root", &stage.path("exec"), "-p", &stage.path("pid")]);
    command.args(["--storage-driver", "vfs", "--cgroup-parent", &format!("/{}", stage.group())]);
    let answers = || client().arg("version").output().is_ok_and(|output| output.status.success());
    let _daemon = Daemon::start(&mut command, &stage.dir().join("log"), answers);
    let image_id = run(client().args(["import", "-c", "LABEL made=here", &stage.archive(), IMAGE]));
    let (id_file, tree) = (stage.path("id"), stage.tree().to_str().unwrap().to_owned());
    let mount = format!("{tree}:/mnt:ro");
    let (repo, tag) = image_parts();
    let rules = rules(&format!("container.image.repository={repo}"), "container.name=web");
    let alerts = watched(&stage, &rules, || {
        let options = ["run", "--rm", "--name", "web", "--network", "host", "--label", "tier=front", "-v", &mount];
        run(client().args(options).args(["--cidfile", &id_file, IMAGE, "sh", "-c", DEEDS]));
    });
    let id = std::fs::read_to_string(&id_file).expect("the container's id");
    check(
        &alerts,
        &id,
        &[
            ("container.full_id", &id),
            ("container.name", "web"),
            ("container.image", IMAGE),
            ("container.image.repository", repo),
            ("container.image.tag", tag),
            ("container.image.id", image_id.trim_start_matches("sha256:")),
            ("container.type", "docker"),
            ("container.privileged", "false"),
            ("container.mounts", &format!("{tree}:/mnt:ro:false:rprivate")),
            ("container.mount.source[/mnt]", &tree),
            ("container.label[tier]", "front"),
            ("container.host_network", "true"),
        ],
    );
}
