//! `--support`: what a report of a fault should hold.

use super::rules::{Prepared, contents};
use super::{State, Step, print, version};
use crate::config::{Node, Value as Tree};
use serde_json::json;
use std::fmt::Write;

/// Prints it, if it is asked for.
pub fn print_if_asked(state: &State, rules: &Prepared) -> Step {
    if !state.options.support {
        return Ok(());
    }
    let uname = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    let mut config = String::new();
    flow(&state.loaded.tree, &mut config);
    let object = json!({
        "version": version::falco(),
        "system_info": {
            "sysname": text(uname.sysname()),
            "nodename": text(uname.nodename()),
            "release": text(uname.release()),
            "version": text(uname.version()),
            "machine": text(uname.machine()),
        },
        "engine_info": version::object(),
        "cmdline": state.cmdline,
        "config": config,
        "rules_files": contents(&rules.files),
    });
    print(&format!("{object}\n"))
}

/// YAML's flow style, every scalar in quotation marks.
fn flow(node: &Node, out: &mut String) {
    match &node.value {
        Tree::Null => out.push_str("null"),
        Tree::Scalar(text) => {
            let _ = write!(out, "{}", json!(text));
        }
        Tree::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                flow(item, out);
            }
            out.push(']');
        }
        Tree::Map(entries) => {
            out.push('{');
            for (i, entry) in entries.iter().enumerate() {
                let _ = write!(out, "{}{}: ", if i > 0 { ", " } else { "" }, json!(entry.key));
                flow(&entry.value, out);
            }
            out.push('}');
        }
    }
}
