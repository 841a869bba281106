//! Finding the corpus: real captures, rules and the answers expected for them, kept outside the repository.

use std::path::{Path, PathBuf};

/// The corpus' directory: `$PEREGRINE_CORPUS`, else `../shared/corpus` beside the workspace.
///
/// Without it a line says that the test is skipped; with `PEREGRINE_REQUIRE_CORPUS=1` its absence is a failure.
///
/// # Panics
/// When the corpus is required and absent.
pub fn corpus() -> Option<PathBuf> {
    let found = candidates().into_iter().find(|dir| dir.join("captures").is_dir());
    if found.is_none() {
        crate::skip("PEREGRINE_REQUIRE_CORPUS", "no corpus (set PEREGRINE_CORPUS to its directory)");
    }
    found
}

fn candidates() -> Vec<PathBuf> {
    if let Some(dir) = std::env::var_os("PEREGRINE_CORPUS") {
        return vec![PathBuf::from(dir)];
    }
    // Every parent of this crate may be the one beside which the corpus lies, so a clone anywhere below finds it.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|dir| dir.join("../shared/corpus")).collect()
}
