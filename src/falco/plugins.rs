//! Plugins, as far as they are known: the container plugin's fields are built in, others cannot be loaded yet.

use super::version::BUILT_IN;
use crate::config::{Config, Plugin};

/// Whether a plugin's work is done without it.
fn is_built_in(plugin: &Plugin) -> bool {
    BUILT_IN.iter().any(|(name, _)| *name == plugin.name)
}

/// Checks that every plugin to load is built in.
///
/// # Errors
/// Names the first that is not: to go on would be to miss what it is there for, in silence.
pub fn load(config: &Config) -> Result<(), String> {
    for plugin in config.plugins_to_load() {
        if !is_built_in(plugin) {
            return Err(refusal(plugin));
        }
        tracing::info!("Plugin '{}' is built in; {} is not loaded", plugin.name, plugin.library_path.display());
    }
    Ok(())
}

fn refusal(plugin: &Plugin) -> String {
    let (name, path) = (&plugin.name, plugin.library_path.display());
    format!(
        "Plugin '{name}' ({path}) cannot be loaded: plugins are not supported yet. Take it out of load_plugins, or set -o load_plugins=[] without it"
    )
}

/// What is known of one plugin.
fn describe(plugin: &Plugin) -> Result<String, String> {
    let known = BUILT_IN.iter().find(|(name, _)| *name == plugin.name);
    let (name, version) = known.ok_or_else(|| refusal(plugin))?;
    Ok(format!(
        "Name: {name}\nDescription: Container fields of system calls, built in\nContact: the Peregrine project\n\
         Version: {version}\nCapabilities: \n  - Field Extraction\n"
    ))
}

/// The text of `--list-plugins`.
pub fn list(config: &Config) -> Result<String, String> {
    let plugins = config.plugins_to_load();
    let texts: Vec<String> = plugins.iter().map(|plugin| describe(plugin)).collect::<Result<_, _>>()?;
    let all: String = texts.iter().map(|text| format!("{text}\n")).collect();
    Ok(format!("{} Plugins Loaded:\n\n{all}\n", plugins.len()))
}

/// The text of `--plugin-info`.
pub fn info(config: &Config, name: &str) -> Result<String, String> {
    let named = |plugin: &&&Plugin| plugin.name == name || plugin.library_path.as_os_str() == name;
    let plugins = config.plugins_to_load();
    let plugin = plugins.iter().find(named).ok_or_else(|| format!("can't find plugin and print its info: {name}"))?;
    Ok(format!(
        "{}\nInit config schema type: Not available, plugin does not implement the init config schema functionality\n\n\n",
        describe(plugin)?
    ))
}
