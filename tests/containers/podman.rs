//! Podman with runc: state files and its database; its socket where there is neither.

use crate::stage::{Daemon, IMAGE, Stage, run};
use crate::{DEEDS, check, image_parts, rules, watched};
use peregrine_containers::{Query, Service, Settings};
use peregrine_state::container::{Engine, Lookup};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

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

/// Nothing says where its files are: what the socket answers is the same.
#[test]
fn podman_by_its_socket() {
    let Some(stage) = Stage::new(&["podman", "busybox"]) else { return };
    let podman = Podman(&stage);
    podman.import();
    let socket = stage.path("podman.sock");
    let mut command = podman.command();
    command.args(["system", "service", "--time", "0", &format!("unix://{socket}")]);
    let answers = || UnixStream::connect(&socket).is_ok();
    let _daemon = Daemon::start(&mut command, &stage.dir().join("log"), answers);
    let create = ["create", "--name", "web", "--label", "tier=front", "--network", "host", IMAGE, "true"];
    let id = run(podman.command().args(create));
    let sockets = vec![(Engine::Podman, vec![socket.as_str().into()])];
    let service = Service::start(Settings { sockets, ..Settings::default() }).expect("its threads start");
    let ask = |full_id: &str| {
        let (id, cgroup) = (full_id[..12].to_owned(), format!("/libpod-{full_id}.scope"));
        assert!(service.ask(Query { id, full_id: full_id.to_owned(), cgroup, above: Vec::new() }));
        service.wait(Duration::from_secs(60)).expect("an answer")
    };
    let found = ask(&id);
    let (repo, tag) = image_parts();
    assert_eq!([&*found.id, &*found.full_id, &*found.name], [&id[..12], &id, "web"]);
    assert_eq!([&*found.image, &*found.image_repo, &*found.image_tag], [IMAGE, repo, tag]);
    assert_eq!(
        (found.engine, found.labels["tier"].as_str(), found.labels["made"].as_str()),
        (Engine::Podman, "front", "here")
    );
    assert!(found.host_network && !found.privileged && found.image_digest.starts_with("sha256:"));
    let nobody = ask(&"0".repeat(64));
    assert_eq!((nobody.lookup, nobody.id.as_str()), (Lookup::Failed, "000000000000"));
}
