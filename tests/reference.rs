//! The pages under `docs/reference` are what the tables say. `make docs` writes them anew.

use peregrine::reference::pages;
use std::fs;
use std::path::Path;

#[test]
fn reference_pages_are_current() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    let write = std::env::var_os("PEREGRINE_WRITE_DOCS").is_some();
    let mut stale = Vec::new();
    for page in pages() {
        let path = directory.join(page.file);
        if write {
            fs::write(&path, &page.text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        } else if fs::read_to_string(&path).ok().as_deref() != Some(&page.text) {
            stale.push(page.file);
        }
    }
    assert!(stale.is_empty(), "not current under docs/reference: {}; `make docs` writes them", stale.join(", "));
}

#[test]
fn every_page_is_written_from_a_table() {
    let known: Vec<&str> = pages().iter().map(|page| page.file).collect();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    for entry in fs::read_dir(directory).expect("the pages") {
        let name = entry.expect("an entry").file_name();
        assert!(known.iter().any(|file| name == *file), "{name:?} is not a page of `src/reference.rs`");
    }
}
