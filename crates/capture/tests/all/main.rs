//! Captures, real, written and hostile.

mod corpus;
mod cost;
mod hostile;
mod old_blocks;
mod writing;

use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Every capture of the corpus, or none when there is no corpus.
fn captures() -> Vec<PathBuf> {
    let Some(corpus) = peregrine_testkit::corpus() else { return Vec::new() };
    let mut files: Vec<PathBuf> = ["captures", "newest"]
        .iter()
        .flat_map(|dir| std::fs::read_dir(corpus.join(dir)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "scap"))
        .collect();
    files.sort();
    assert!(files.len() >= 26, "the corpus has {} captures", files.len());
    files
}

/// A capture's bytes, uncompressed.
fn unpacked(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut all = Vec::new();
    MultiGzDecoder::new(&bytes[..]).read_to_end(&mut all).unwrap();
    all
}
