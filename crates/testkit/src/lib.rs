//! What do tests need?
//!
//! Finding the corpus of real captures, gating tests that need a live kernel, a second reader of captures. For development only: nothing here
//! is part of the program.
#![forbid(unsafe_code)]

mod corpus;
mod live;
pub mod second_reader;

pub use corpus::corpus;
pub use live::{LiveGuard, live};

/// Whether these programs are there, in the path or at their own; else a line says that the test is skipped, or it fails
/// where the environment variable `require` is 1.
///
/// # Panics
/// When they are required and one is not there.
pub fn programs(require: &str, names: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = || std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let missing = names.iter().find(|name| !directories().any(|directory| directory.join(name).is_file()));
    if let Some(name) = missing {
        skip(require, &format!("{name} is not installed"));
    }
    missing.is_none()
}

/// Prints why a test is skipped, or fails when the environment variable `require` says that it must run.
fn skip(require: &str, why: &str) {
    let required = std::env::var_os(require).is_some_and(|value| value == "1");
    assert!(!required, "{why}, but {require}=1");
    eprintln!("skipped: {why}");
}
