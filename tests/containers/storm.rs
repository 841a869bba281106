//! Many containers that live for 200 milliseconds, ten at a time: every alert knows its container, no event is lost.

use crate::podman::Podman;
use crate::stage::{IMAGE, Stage};
use crate::{rules, watched};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Child, Stdio};

/// Containers at one time.
const AT_ONCE: usize = 10;

#[test]
fn storm_of_short_lived_containers() {
    let Some(stage) = Stage::new(&["podman", "runc", "busybox"]) else { return };
    let count = std::env::var("PEREGRINE_STORM").ok().and_then(|count| count.parse().ok()).unwrap_or(20);
    let podman = Podman(&stage);
    podman.import();
    let start = |n: usize| -> Child {
        let mut command =
            podman.run(&format!("storm-{n}"), &["--label", &format!("n={n}")], &["sh", "-c", "sleep 0.2"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("podman starts")
    };
    let alerts = watched(&stage, &rules("container.id=none", "container.id=none"), || {
        for first in (0..count).step_by(AT_ONCE) {
            let running: Vec<Child> = (first..count.min(first + AT_ONCE)).map(start).collect();
            for mut child in running {
                assert!(child.wait().expect("it is ours").success(), "a container could not run");
            }
        }
    });
    let mut named = BTreeMap::new();
    for fields in alerts.iter().map(|alert| &alert["output_fields"]) {
        assert_eq!(fields["container.metadata"], Value::Null, "{fields}");
        assert_eq!(
            (&fields["container.image"], &fields["container.type"]),
            (&IMAGE.into(), &"podman".into()),
            "{fields}"
        );
        assert_eq!(fields["container.full_id"].as_str().map(str::len), Some(64), "{fields}");
        *named.entry(fields["container.name"].to_string()).or_insert(0) += 1;
    }
    let expected: BTreeMap<_, _> = (0..count).map(|n| (format!("\"storm-{n}\""), 1)).collect();
    assert_eq!(named, expected, "one alert a container");
    println!("{count} containers, {} alerts", alerts.len());
}
