//! LXC: the control group has the name, the configuration the rest.

use crate::stage::{Stage, remove_groups, run};
use crate::{DEEDS, check, rules, watched};
use std::process::Command;

#[test]
fn lxc() {
    let Some(stage) = Stage::new(&["lxc-execute", "busybox"]) else { return };
    let tree = stage.tree().to_str().unwrap().to_owned();
    let config = stage.path("config");
    let text = format!(
        "lxc.rootfs.path = dir:{tree}\nlxc.net.0.type = none\nlxc.mount.entry = {} mnt none bind,ro 0 0\n",
        stage.path("")
    );
    std::fs::write(&config, text).expect("a file");
    std::fs::create_dir_all(stage.path("lxc")).expect("a directory");
    let name = stage.group().replace("peregrine-containers", "pct");
    let rules = rules(&format!("container.image={tree}"), &format!("container.name={name}"));
    let alerts = watched(&stage, &rules, || {
        let own = ["-P", &stage.path("lxc"), "-n", &name, "-f", &config, "--", "/bin/sh", "-c", DEEDS];
        run(Command::new("lxc-execute").args(own));
    });
    check(
        &alerts,
        &name,
        &[
            ("container.full_id", &name),
            ("container.name", &name),
            ("container.image", &tree),
            ("container.type", "lxc"),
            ("container.privileged", "true"),
            ("container.host_network", "true"),
            ("container.mount.source[/mnt]", &stage.path("")),
        ],
    );
    for hierarchy in std::fs::read_dir("/sys/fs/cgroup").expect("control groups").flatten() {
        for group in [format!("lxc.payload.{name}"), format!("lxc.monitor.{name}"), "lxc.pivot".to_owned()] {
            remove_groups(&hierarchy.path().join(group));
        }
    }
}
