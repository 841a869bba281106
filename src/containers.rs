//! The containers of this machine: asks for those that the state meets, and turns the answers into events.
//!
//! The events are those of the container plugin, so that a recording replays to the same values.

use crate::config::Config;
use crate::failure::Failure;
use crate::playback::Playback;
use peregrine_containers::{Figures, Query, Service, Settings};
use peregrine_event::{Event, EventWriter, code};
use peregrine_state::Container;

/// Number of the container plugin, which such events bear.
const PLUGIN: u32 = 0;
/// The thread of events that no thread causes.
const NOBODY: i64 = -1;

/// The settings that a configuration asks for.
///
/// # Errors
/// A sentence that says what is wrong with the engines.
pub fn settings(config: &Config) -> Result<Settings, String> {
    let mut settings = Settings::default();
    if let Some(host) = std::env::var_os("HOST_ROOT").filter(|host| !host.is_empty()) {
        settings.host = host.into();
    }
    let plugin = config.plugins.iter().find(|plugin| plugin.name == "container");
    if let Some(plugin) = plugin.filter(|plugin| !plugin.init_config.is_empty()) {
        let given: serde_json::Value = serde_json::from_str(&plugin.init_config)
            .map_err(|error| format!("init_config of the container plugin: {error}"))?;
        if let Some(engines) = given.get("engines") {
            settings.take(engines).map_err(|error| format!("init_config of the container plugin: {error}"))?;
        }
    }
    if let Some(engines) = &config.container_engines {
        settings.take(engines).map_err(|error| format!("peregrine.containers.engines: {error}"))?;
    }
    Ok(settings)
}

/// The threads that ask, where containers are wanted.
pub struct Containers {
    service: Option<Service>,
}

impl Containers {
    /// Starts them, with the privileges of the calling thread.
    ///
    /// # Errors
    /// When settings are wrong, or the system gives no thread.
    pub fn start(config: &Config) -> Result<Self, Failure> {
        let settings = settings(config).map_err(|error| Failure::Input(anyhow::anyhow!(error)))?;
        if !config.containers || settings.fixed.is_some() {
            return Ok(Self { service: None });
        }
        let service = Service::start(settings);
        let service =
            service.map_err(|e| Failure::System(anyhow::Error::new(e).context("cannot ask for containers")))?;
        Ok(Self { service: Some(service) })
    }

    /// Asks for a container; one that cannot be asked for is answered at once.
    pub fn ask(&self, query: Query) -> Option<Container> {
        let id = query.id.clone();
        let asked = self.service.as_ref().is_some_and(|service| service.ask(query));
        (!asked).then(|| Container::unknown(&id))
    }

    /// The answers that are there.
    pub fn answers(&self) -> Vec<Container> {
        self.service.as_ref().map_or_else(Vec::new, |service| service.answers().collect())
    }

    /// What became of questions.
    pub fn figures(&self) -> Figures {
        self.service.as_ref().map(Service::figures).unwrap_or_default()
    }
}

/// Asks for the containers that were met, and hands on the events of those that became known; for commands without rules,
/// whose events wait for nothing.
///
/// # Errors
/// Those of `each`.
pub fn pump(
    containers: &Containers,
    playback: &mut Playback,
    ts: u64,
    mut each: impl FnMut(&mut Playback, &Event<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut known = containers.answers();
    known.extend(playback.queries().into_iter().filter_map(|query| containers.ask(query)));
    for container in known {
        let bytes = event(&container, ts.max(1));
        // An event that was just written can be read.
        if let Ok(event) = Event::parse(&bytes, 0) {
            each(playback, &event)?;
        }
    }
    Ok(())
}

/// The event that tells of a container.
pub fn event(container: &Container, ts: u64) -> Vec<u8> {
    let mut writer = EventWriter::new(ts, NOBODY, code::ASYNCEVENT_E);
    writer.push(&PLUGIN.to_le_bytes());
    writer.push_text(b"container");
    writer.push_text(&container.to_json());
    writer.finish()
}
