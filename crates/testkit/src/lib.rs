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

/// Prints why a test is skipped, or fails when the environment variable `require` says that it must run.
fn skip(require: &str, why: &str) {
    let required = std::env::var_os(require).is_some_and(|value| value == "1");
    assert!(!required, "{why}, but {require}=1");
    eprintln!("skipped: {why}");
}
