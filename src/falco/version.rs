//! What `--version` and `/versions` say, under Falco's keys.

use peregrine_event::table::SCHEMA_VERSION;
use peregrine_rules::ENGINE_VERSION;
use serde_json::{Value, json};

/// The Falco release whose behaviour is followed.
pub const FALCO: &str = "0.44.0";
/// Nothing of upstream's libraries is in here: what stands in their place has our own version.
pub const LIBS: &str = concat!(env!("CARGO_PKG_VERSION"), "+peregrine");
/// Version of the plugin interface that they speak.
pub const PLUGIN_API: &str = "3.12.0";
/// Version of the interface between their driver and user space.
pub const DRIVER_API: &str = "10.1.0";
/// What is built in of Falco's plugins: name, and the version whose fields there are.
pub const BUILT_IN: &[(&str, &str)] = &[("container", "0.7.0")];

/// The followed release, our own version behind it as build metadata, so that comparisons still hold.
pub fn falco() -> String {
    format!("{FALCO}+peregrine.{}", env!("CARGO_PKG_VERSION"))
}

/// Our driver, which is built in.
fn driver() -> String {
    format!("built-in+peregrine.{}", env!("CARGO_PKG_VERSION"))
}

/// The versions under Falco's keys.
pub fn object() -> Value {
    let plugins: serde_json::Map<_, _> = BUILT_IN.iter().map(|(n, v)| ((*n).to_owned(), json!(v))).collect();
    json!({
        "falco_version": falco(),
        "libs_version": LIBS,
        "plugin_api_version": PLUGIN_API,
        "driver_api_version": DRIVER_API,
        "driver_schema_version": SCHEMA_VERSION,
        "default_driver_version": driver(),
        "engine_version": ENGINE_VERSION.minor.to_string(),
        "engine_version_semver": ENGINE_VERSION.to_string(),
        "plugin_versions": plugins,
    })
}

/// The lines of `--version`.
pub fn text() -> String {
    format!(
        "Falco version: {}\nLibs version:  {LIBS}\nPlugin API:    {PLUGIN_API}\nEngine:        {ENGINE_VERSION}\n\
         Driver:\n  API version:    {DRIVER_API}\n  Schema version: {SCHEMA_VERSION}\n  Default driver: {}\n",
        falco(),
        driver()
    )
}
