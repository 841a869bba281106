//! Containers without a daemon: LXC, systemd's, libvirt's, BPM's. Their control group names them.

use crate::read;
use peregrine_state::container::{Container, Engine, Mount};
use std::path::Path;

/// The engine whose control groups look like this path, if it is one of these.
pub(crate) fn engine_of(path: &str) -> Option<Engine> {
    let lxc = ["/lxc/", "/lxc.payload/", "/lxc.payload."].iter().any(|mark| path.contains(mark));
    let libvirt = path.contains(".libvirt-lxc") || path.contains("-lxc\\x2") || path.contains("/libvirt/lxc/");
    if libvirt {
        Some(Engine::LibvirtLxc)
    } else if lxc {
        Some(Engine::Lxc)
    } else if path.contains("/machine-") || path.contains("/systemd-nspawn@") {
        Some(Engine::Nspawn)
    } else {
        path.contains("bpm-").then_some(Engine::Bpm)
    }
}

/// A container of such an engine. `lines` are the command lines of the processes above it.
pub(crate) fn read(engine: Engine, host: &Path, full_id: &str, lines: &[Vec<String>]) -> Container {
    let mut container = Container {
        engine,
        id: full_id.chars().take(12).collect(),
        full_id: full_id.to_owned(),
        name: full_id.to_owned(),
        ..Container::default()
    };
    match engine {
        Engine::Lxc => {
            // What threads have is the whole name.
            container.id = full_id.to_owned();
            if let Some(config) = lxc_config(host, full_id, lines) {
                configure_lxc(&mut container, &config);
            }
        }
        Engine::Nspawn => {
            container.id = full_id.to_owned();
            configure_nspawn(&mut container, lines);
            if container.image.is_empty() && is_name(full_id) {
                container.image = registered_root(host, full_id).unwrap_or_default();
            }
        }
        _ => {}
    }
    container
}

/// Whether a name is one component of a path.
fn is_name(name: &str) -> bool {
    !name.contains('/') && !matches!(name, "" | "." | "..")
}

/// The root directory of a machine that is registered with systemd.
fn registered_root(host: &Path, name: &str) -> Option<String> {
    let state = read::bytes(&host.join("run/systemd/machines").join(name), None)?;
    let state = String::from_utf8_lossy(&state);
    state.lines().find_map(|line| line.strip_prefix("ROOT=")).map(str::to_owned)
}

/// The text of an LXC container's configuration: its file in one of LXC's directories, or the one it was started with.
fn lxc_config(host: &Path, name: &str, lines: &[Vec<String>]) -> Option<String> {
    let valid = is_name(name);
    let text = |path: &Path| read::bytes(path, None).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let usual = ["var/lib/lxc", "var/snap/lxd/common/lxd/logs", "var/lib/lxd/containers"];
    let named = usual.iter().filter(|_| valid).find_map(|dir| text(&host.join(dir).join(name).join("config")));
    named.or_else(|| {
        let mut given = lines.iter().filter(|line| line.first().is_some_and(|program| program.contains("lxc")));
        given.find_map(|line| option(line, &["-f", "--rcfile"])).and_then(|file| text(Path::new(file)))
    })
}

/// The value of an option among arguments: the argument after it, or what is behind its `=`.
pub(crate) fn option<'a>(line: &'a [String], names: &[&str]) -> Option<&'a str> {
    line.iter().enumerate().find_map(|(at, argument)| {
        if names.contains(&argument.as_str()) {
            return line.get(at + 1).map(String::as_str);
        }
        let (name, value) = argument.split_once('=')?;
        names.contains(&name).then_some(value)
    })
}

fn configure_lxc(container: &mut Container, config: &str) {
    // LXC calls a container privileged that has no user namespace.
    container.privileged = true;
    let keys = config.lines().filter_map(|line| line.trim().split_once('='));
    for (key, value) in keys.map(|(key, value)| (key.trim(), value.trim())) {
        match key {
            "lxc.idmap" | "lxc.id_map" => container.privileged = false,
            "lxc.rootfs.path" | "lxc.rootfs" => {
                container.image = value.rsplit_once(':').map_or(value, |(_, path)| path).to_owned();
            }
            "lxc.net.0.type" | "lxc.network.type" => container.host_network = value == "none",
            "lxc.namespace.keep" => {
                container.host_pid = value.contains("pid");
                container.host_network |= value.contains("net");
                container.host_ipc = value.contains("ipc");
            }
            "lxc.mount.entry" => container.mounts.extend(fstab(value)),
            _ => {}
        }
    }
}

/// A line of `fstab`; destinations are relative to the container's root.
fn fstab(line: &str) -> Option<Mount> {
    let mut words = line.split_whitespace();
    let (source, destination) = (words.next()?, words.next()?);
    let options = words.nth(1).unwrap_or_default();
    Some(Mount {
        source: source.to_owned(),
        destination: format!("/{}", destination.trim_start_matches('/')),
        mode: String::new(),
        rw: !options.split(',').any(|option| option == "ro"),
        propagation: String::new(),
    })
}

/// As its command line says.
fn configure_nspawn(container: &mut Container, lines: &[Vec<String>]) {
    let Some(line) = lines.iter().find(|line| line.first().is_some_and(|name| name.ends_with("systemd-nspawn"))) else {
        return;
    };
    let image = option(line, &["-D", "--directory", "-i", "--image", "--template"]);
    container.image = image.unwrap_or_default().to_owned();
    let own = ["-n", "--private-network", "--network-"];
    container.host_network = !line.iter().any(|argument| own.iter().any(|mark| argument.starts_with(mark)));
    for (mark, rw) in [("--bind=", true), ("--bind-ro=", false)] {
        for bind in line.iter().filter_map(|argument| argument.strip_prefix(mark)) {
            let mut parts = bind.split(':');
            let source = parts.next().unwrap_or_default().to_owned();
            let destination = parts.next().unwrap_or(&source).to_owned();
            container.mounts.push(Mount { source, destination, rw, ..Mount::default() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn lxc_by_its_configuration() {
        let host = tempfile::tempdir().unwrap();
        let directory = host.path().join("var/lib/lxc/web");
        std::fs::create_dir_all(&directory).unwrap();
        let config = "# x\nlxc.rootfs.path = dir:/srv/web\nlxc.mount.entry = /data srv/data none bind,ro 0 0\n\
                      lxc.net.0.type = none\n";
        std::fs::write(directory.join("config"), config).unwrap();
        let engine = engine_of("/lxc.payload.web/x").unwrap();
        let found = read(engine, host.path(), "web", &[]);
        assert_eq!((found.engine, found.name.as_str(), found.image.as_str()), (Engine::Lxc, "web", "/srv/web"));
        assert!(found.privileged && found.host_network && !found.mounts[0].rw);
        assert_eq!(found.mounts[0].destination, "/srv/data");
        let file = host.path().join("c");
        std::fs::write(&file, "lxc.idmap = u 0 100000 65536").unwrap();
        let started = line(&format!("/usr/bin/lxc-execute -n other -f {} -- sh", file.display()));
        assert!(!read(engine, host.path(), "other", &[started]).privileged);
        assert!(!read(engine, host.path(), "../web", &[]).privileged, "nothing is read outside of the directories");
    }

    #[test]
    fn systemds_by_its_command_line() {
        let started = line("/usr/bin/systemd-nspawn -M web --directory=/srv/x --bind-ro=/a:/b --bind=/c sh");
        let found = read(engine_of("/machine.slice/machine-web.scope").unwrap(), Path::new("/"), "web", &[started]);
        assert_eq!((found.image.as_str(), found.mounts.len(), found.host_network), ("/srv/x", 2, true));
        assert_eq!((found.mounts[0].destination.as_str(), found.mounts[1].source.as_str()), ("/c", "/a"));
        let host = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(host.path().join("run/systemd/machines")).unwrap();
        std::fs::write(host.path().join("run/systemd/machines/web"), "NAME=web\nROOT=/var/lib/machines/web\n").unwrap();
        assert_eq!(read(Engine::Nspawn, host.path(), "web", &[]).image, "/var/lib/machines/web");
    }

    #[test]
    fn engines_by_path() {
        assert_eq!(engine_of("/a/web.libvirt-lxc"), Some(Engine::LibvirtLxc));
        assert_eq!(engine_of("/bpm-x"), Some(Engine::Bpm));
        assert_eq!(engine_of("/docker/abc"), None);
    }
}
