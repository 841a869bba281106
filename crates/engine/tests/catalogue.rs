//! Every row of the field tables against upstream's tables: name, class, type, print format, list, flags, argument.
//!
//! Upstream's tables lie beside the corpus as `spec/fields.json` (its own fields) and `spec/plugins_fields.json` (those of
//! the container plugin). Descriptions are ours: they are only checked to be there.

use peregrine_engine::fields::{CLASSES, Fields};
use peregrine_filter::field::{Catalogue, FieldInfo, flag};
use peregrine_filter::types::type_name;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

fn table(name: &str) -> Option<Value> {
    let path = peregrine_testkit::corpus()?.parent().map(Path::to_owned)?.join("spec").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no {}", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).expect("a table"))
}

const FLAGS: [(u16, &str); 9] = [
    (flag::NO_RHS, "EPF_NO_RHS"),
    (flag::NO_TRANSFORMER, "EPF_NO_TRANSFORMER"),
    (flag::TABLE_ONLY, "EPF_TABLE_ONLY"),
    (flag::ARG_ALLOWED, "EPF_ARG_ALLOWED"),
    (flag::FILTER_ONLY, "EPF_FILTER_ONLY"),
    (flag::DEPRECATED, "EPF_DEPRECATED"),
    (flag::ARG_REQUIRED, "EPF_ARG_REQUIRED"),
    (flag::NO_PTR_STABILITY, "EPF_NO_PTR_STABILITY"),
    (flag::PRINT_ONLY, "EPF_PRINT_ONLY"),
];

/// A row as upstream's table words it.
fn described(class: &str, short: &str, info: &FieldInfo) -> String {
    let mut flags: Vec<&str> = FLAGS.iter().filter(|(bit, _)| info.flags & bit != 0).map(|(_, name)| *name).collect();
    if info.is_list {
        flags.push("EPF_IS_LIST");
    }
    flags.sort_unstable();
    let ty = if type_name(info.ty) == "DYNAMIC" { "DYN".into() } else { type_name(info.ty) };
    let format = match format!("{:?}", info.fmt).to_uppercase().as_str() {
        "PADDEDDEC" => "10_PADDED_DEC".to_owned(),
        other => other.to_owned(),
    };
    format!("{class}/{short} {} PT_{ty} PF_{format} {}", info.name, flags.join(" "))
}

#[test]
fn rows_are_upstreams() {
    let Some(table) = table("fields.json") else { return };
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let theirs: BTreeSet<String> = table["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .map(|row| {
            let mut flags: Vec<&str> =
                row["flags"].as_array().expect("flags").iter().filter_map(Value::as_str).collect();
            flags.sort_unstable();
            let [class, short, name, ty, format] =
                ["class", "class_short", "name", "type", "print_format"].map(|key| text(row, key));
            format!("{class}/{short} {name} {ty} {format} {}", flags.join(" "))
        })
        .collect();
    let own = CLASSES.iter().filter(|class| class.name != "container");
    let ours: BTreeSet<String> = own
        .flat_map(|class| {
            class
                .fields()
                .filter(|field| field.info.flags & flag::OWN == 0)
                .map(|field| described(class.name, class.short, &field.info))
        })
        .collect();
    let differ: Vec<String> = ours.symmetric_difference(&theirs).cloned().collect();
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert_eq!(ours.len(), 233);
}

/// Which texts upstream takes for a field with that form of argument, and which it does not.
fn examples(name: &str, arg: &str, form: &str) -> (Vec<String>, Vec<String>) {
    let with = |suffixes: &[&str]| suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect();
    match (arg, form.split([':', ' ']).next().unwrap_or_default(), name) {
        ("none", ..) => (with(&[""]), with(&["[1]", ".x"])),
        (_, _, "evt.type.is") => (with(&[".open", ".2"]), with(&["", ".nothing"])),
        (_, _, "evt.arg") => (with(&[".fd", "[0]"]), with(&["", ".nothing", "[x]"])),
        (_, _, "evt.rawarg") => (with(&[".fd"]), with(&["", ".nothing", "[0]"])),
        (_, _, "evt.around") => (with(&["[1404996934793590564]"]), with(&["", ".fd", "[x]"])),
        (_, _, "thread.cgroup") => (with(&[".cpuset", ".net_cls"]), with(&["", "[cpuset]"])),
        (_, _, "proc.env" | "proc.aenv") => (with(&["", "[PATH]", "[2]"]), with(&[".PATH"])),
        ("optional", "suffix", _) => (with(&["", ".src", ".dst"]), with(&[".other", "[1]"])),
        _ => (with(&["", "[1]"]), with(&["[x]", ".x"])),
    }
}

#[test]
fn arguments_are_upstreams() {
    let Some(table) = table("fields.json") else { return };
    let fields = Fields::syscall();
    let resolves = |text: &str| match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        Some((name, bracket)) => fields.resolve(name, Some(bracket)).is_ok(),
        None => fields.resolve(text, None).is_ok(),
    };
    let mut faults = Vec::new();
    for row in table["fields"].as_array().expect("fields") {
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        let (good, bad) = examples(text("name"), text("arg"), text("arg_form"));
        faults.extend(good.into_iter().filter(|text| !resolves(text)).map(|text| format!("{text} is a field")));
        faults.extend(bad.into_iter().filter(|text| resolves(text)).map(|text| format!("{text} is no field")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn rows_of_containers_and_pods_are_the_plugins() {
    let Some(table) = table("plugins_fields.json") else { return };
    let fields = Fields::syscall();
    let rows = table["fields"].as_array().expect("fields").iter().filter(|row| row["plugin"] == "container");
    let mut count = 0;
    for row in rows {
        let name = row["name"].as_str().expect("a name");
        let argument = row["arg"].is_object().then_some("1");
        let found = fields.resolve(name, argument).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let ty = type_name(found.ty).to_lowercase();
        assert_eq!(if ty == "charbuf" { "string" } else { &ty }, row["type"], "{name}");
        assert_eq!(fields.resolve(name, None).is_ok(), argument.is_none(), "{name} without argument");
        assert_eq!(found.is_list, row["is_list"], "{name}");
        count += 1;
    }
    assert_eq!(count, CLASSES.iter().filter(|class| class.name == "container").flat_map(|c| c.fields()).count());
}

#[test]
fn every_field_is_described() {
    for class in CLASSES {
        assert!(class.doc.ends_with('.'), "{}", class.name);
        for field in class.fields() {
            let doc = field.info.doc;
            assert!(
                doc.ends_with('.') && doc.starts_with(|c: char| c.is_uppercase() || "`1".contains(c)),
                "{}: {doc}",
                field.info.name
            );
        }
    }
}
