//! From what is known of a thread in a new container to what its runtime knows of it.
//!
//! The files of runtimes are looked at first: they are there before the container's first process. The processes above
//! the thread say where they are, whatever directories the runtime was told to use; else the usual places are tried.

use crate::query::{Above, Query};
use crate::read::json;
use crate::settings::Settings;
use crate::simple::option;
use crate::{containerd, docker, simple, storage};
use peregrine_state::container::{Container, Engine};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What the files of a runtime say of a container.
pub(crate) struct Found {
    /// What they say.
    pub(crate) container: Container,
    /// Whether the runtime itself knows nothing more.
    pub(crate) complete: bool,
}

impl From<Container> for Found {
    fn from(container: Container) -> Self {
        Self { container, complete: true }
    }
}

/// What the files of runtimes say of a container; `None` if there are none (yet).
pub(crate) fn find(query: &Query, settings: &Settings) -> Option<Found> {
    let lines: Vec<Vec<String>> = query.above.iter().map(|above| above.arguments.clone()).collect();
    let engine = simple::engine_of(&query.cgroup).filter(|engine| settings.has(*engine));
    if let Some(engine) = engine {
        let mut container = simple::read(engine, &settings.host, &query.full_id, &lines);
        container.id.clone_from(&query.id);
        return Some(container.into());
    }
    // It becomes part of paths.
    if query.full_id.is_empty() || query.full_id.contains('/') || query.full_id.starts_with('.') {
        return None;
    }
    let hinted = query.above.iter().find_map(|above| by_process(above, query, settings));
    hinted.or_else(|| by_place(query, settings)).map(|mut found| {
        found.container.id.clone_from(&query.id);
        found
    })
}

/// By the bundle that a process above works on: `runc create --bundle`, conmon's `-b`, a shim's directory.
fn by_process(above: &Above, query: &Query, settings: &Settings) -> Option<Found> {
    let names_it = above.arguments.iter().any(|argument| argument.contains(&query.full_id));
    let given = option(&above.arguments, &["--bundle", "-b"]).map(PathBuf::from);
    let own =
        (above.directory.trim_end_matches('/').ends_with(&query.full_id)).then(|| PathBuf::from(&above.directory));
    let bundle = given.filter(|_| names_it).or(own)?;
    let bundle = if bundle.is_absolute() { bundle } else { Path::new(&above.directory).join(bundle) };
    by_bundle(&bundle, query, settings, Some(above.uid))
}

/// By the usual places.
fn by_place(query: &Query, settings: &Settings) -> Option<Found> {
    let host = &settings.host;
    if settings.has(Engine::Docker)
        && let Some(found) = docker::read(&host.join(docker::ROOT), &query.full_id, None)
    {
        return Some(found.into());
    }
    let stored = storage::bundle(&host.join(storage::ROOT), &query.full_id);
    if let Some(found) = stored.and_then(|bundle| by_bundle(&bundle, query, settings, None)) {
        return Some(found);
    }
    containerd::STATES.iter().find_map(|state| {
        let namespaces = host.join(state).join(containerd::TASKS).read_dir().ok()?;
        let mut bundles = namespaces.flatten().map(|namespace| namespace.path().join(&query.full_id));
        bundles.find_map(|bundle| by_bundle(&bundle, query, settings, None))
    })
}

/// By a bundle: its specification says who made it.
fn by_bundle(bundle: &Path, query: &Query, settings: &Settings, owner: Option<u32>) -> Option<Found> {
    let spec: Value = json(&bundle.join("config.json"), owner)?;
    let found = storage::read(bundle, &spec, &query.full_id, owner).or_else(|| {
        let found = match docker::root_of(&spec, &query.full_id) {
            Some(root) => docker::read(&root, &query.full_id, owner),
            None => containerd::read(bundle, &spec, &query.full_id, owner),
        };
        found.map(Found::from)
    });
    found.filter(|found| settings.has(found.container.engine))
}
