//! Arrows between the crates point one way only: words, sources, meaning, delivery, product, program.

use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// The layer of each crate; a crate may depend on lower layers, and inside its layer on what [`WITHIN`] lists.
const LAYERS: &[(&str, u8)] = &[
    ("peregrine-event", 0),
    ("peregrine-alert", 0),
    ("peregrine-filter", 0),
    ("peregrine-rules", 1),
    ("peregrine-driver", 1),
    ("peregrine-capture", 1),
    ("peregrine-state", 1),
    ("peregrine-containers", 2),
    ("peregrine-engine", 2),
    ("peregrine-outputs", 3),
    ("peregrine-web", 4),
    ("peregrine", 9),
];

/// Arrows inside a layer.
const WITHIN: &[(&str, &str)] = &[
    ("peregrine-filter", "peregrine-event"),
    ("peregrine-driver", "peregrine-capture"),
    ("peregrine-state", "peregrine-capture"),
];

/// Only for tests: may depend on anything, and nothing but tests may depend on it.
const TESTKIT: &str = "peregrine-testkit";

fn layer(name: &str) -> u8 {
    LAYERS.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("{name} has no layer: give it a row")).1
}

fn metadata() -> Value {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo metadata");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON")
}

#[test]
fn arrows_point_down() {
    let metadata = metadata();
    let mut arrows = BTreeMap::<String, Vec<String>>::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let targets = arrows.entry(name.to_owned()).or_default();
        for dependency in package["dependencies"].as_array().unwrap() {
            let on = dependency["name"].as_str().unwrap();
            if on.starts_with("peregrine") && dependency["kind"] != "dev" {
                targets.push(on.to_owned());
            }
        }
    }
    assert!(arrows.len() > 4, "the workspace has its crates: {arrows:?}");
    for (from, targets) in arrows.iter().filter(|(from, _)| *from != TESTKIT) {
        for on in targets {
            assert_ne!(on, TESTKIT, "{from} depends on {TESTKIT} outside its tests");
            let within = WITHIN.contains(&(from.as_str(), on.as_str()));
            assert!(layer(on) < layer(from) || within, "{from} must not depend on {on}: arrows point down only");
        }
    }
}
