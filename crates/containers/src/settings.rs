//! Which runtimes are asked, and where they are: the container plugin's `engines`.

use crate::read::{at, list, text};
use peregrine_state::container::{Container, Engine};
use serde_json::Value;
use std::path::PathBuf;

/// Which runtimes are asked, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where the host's root directory is.
    pub host: PathBuf,
    /// Engines that are switched off.
    pub off: Vec<Engine>,
    /// Sockets that were given, by engine; the usual ones for engines without.
    pub sockets: Vec<(Engine, Vec<PathBuf>)>,
    /// The one container that everything belongs to, if it was given.
    pub fixed: Option<Box<Container>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { host: "/".into(), off: Vec::new(), sockets: Vec::new(), fixed: None }
    }
}

/// The names of engines in settings. CRI's stands for both of its runtimes.
const NAMES: &[(&str, &[Engine])] = &[
    ("docker", &[Engine::Docker]),
    ("podman", &[Engine::Podman]),
    ("containerd", &[Engine::Containerd]),
    ("cri", &[Engine::Cri, Engine::Crio]),
    ("lxc", &[Engine::Lxc]),
    ("libvirt_lxc", &[Engine::LibvirtLxc]),
    ("bpm", &[Engine::Bpm]),
    ("nspawn", &[Engine::Nspawn]),
];

impl Settings {
    /// Whether an engine is asked.
    pub fn has(&self, engine: Engine) -> bool {
        !self.off.contains(&engine)
    }

    /// Takes over what `engines` of the container plugin's configuration says.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn take(&mut self, engines: &Value) -> Result<(), String> {
        let Some(all) = engines.as_object() else { return Err("engines is not a map".into()) };
        for (name, value) in all {
            if name == "static" {
                self.fix(value)?;
                continue;
            }
            let Some((_, kinds)) = NAMES.iter().find(|row| row.0 == name) else {
                return Err(format!("there is no container engine {name:?}"));
            };
            let enabled = match value.get("enabled") {
                None => true,
                Some(Value::Bool(enabled)) => *enabled,
                Some(_) => return Err(format!("engines.{name}.enabled is neither true nor false")),
            };
            for kind in *kinds {
                self.off.retain(|off| off != kind);
                self.sockets.retain(|(of, _)| of != kind);
                if !enabled {
                    self.off.push(*kind);
                }
                let sockets = list(value, &["sockets"]).iter().filter_map(Value::as_str).map(PathBuf::from);
                let sockets: Vec<PathBuf> = sockets.collect();
                if !sockets.is_empty() {
                    self.sockets.push((*kind, sockets));
                }
            }
        }
        Ok(())
    }

    fn fix(&mut self, value: &Value) -> Result<(), String> {
        if at(value, &["enabled"]) != Some(&Value::Bool(true)) {
            self.fixed = None;
            return Ok(());
        }
        let given = |key: &str| Some(text(value, &[key])).filter(|text| !text.is_empty());
        let (id, name, image) = (given("container_id"), given("container_name"), given("container_image"));
        let (Some(id), Some(name), Some(image)) = (id, name, image) else {
            return Err("engines.static needs container_id, container_name and container_image".into());
        };
        let mut fixed = Container { engine: Engine::Static, id, name, image, ..Container::default() };
        fixed.split_image();
        fixed.image_digest = fixed.image.split_once('@').map(|(_, digest)| digest.to_owned()).unwrap_or_default();
        self.fixed = Some(Box::new(fixed));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_plugins_engines() {
        let mut settings = Settings::default();
        let engines = json!({
            "docker": {"enabled": true, "sockets": ["/x/docker.sock"]}, "podman": {"enabled": false},
            "cri": {"enabled": false, "sockets": []}, "lxc": {"enabled": true},
            "static": {"enabled": true, "container_id": "i", "container_name": "n", "container_image": "r:t@sha256:d"},
        });
        settings.take(&engines).unwrap();
        assert!(settings.has(Engine::Docker) && settings.has(Engine::Lxc) && settings.has(Engine::Containerd));
        assert!(!settings.has(Engine::Podman) && !settings.has(Engine::Crio));
        assert_eq!(settings.sockets, [(Engine::Docker, vec![PathBuf::from("/x/docker.sock")])]);
        let fixed = settings.fixed.clone().unwrap();
        assert_eq!([&*fixed.image_repo, &*fixed.image_tag, &*fixed.image_digest], ["r", "t", "sha256:d"]);
        settings.take(&json!({"podman": {}})).unwrap();
        assert!(settings.has(Engine::Podman));
        for wrong in
            [json!([]), json!({"rkt": {}}), json!({"lxc": {"enabled": 1}}), json!({"static": {"enabled": true}})]
        {
            assert!(settings.take(&wrong).is_err(), "{wrong}");
        }
    }
}
