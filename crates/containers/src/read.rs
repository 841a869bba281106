//! Reading the files of runtimes: whoever may start containers may write into some of them.

use rustix::fs::{Mode, OFlags};
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Longest file that is read whole, in bytes.
const LONGEST: u64 = 16 << 20;

/// Opens an ordinary file; a pipe in its place does not make us wait. With `owner`, it must be that user's or root's.
pub(crate) fn open(path: &Path, owner: Option<u32>) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    let metadata = file.metadata().ok()?;
    let owned = owner.is_none_or(|uid| metadata.uid() == uid || metadata.uid() == 0);
    (metadata.is_file() && owned).then_some(file)
}

/// A file's bytes; `None` for one that is too long.
pub(crate) fn bytes(path: &Path, owner: Option<u32>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path, owner)?.take(LONGEST + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= LONGEST).then_some(bytes)
}

/// A file's JSON.
pub(crate) fn json(path: &Path, owner: Option<u32>) -> Option<Value> {
    serde_json::from_slice(&bytes(path, owner)?).ok()
}

/// The text at a path of keys; empty if there is none.
pub(crate) fn text(value: &Value, keys: &[&str]) -> String {
    at(value, keys).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The truth at a path of keys; false if there is none.
pub(crate) fn truth(value: &Value, keys: &[&str]) -> bool {
    at(value, keys).and_then(Value::as_bool).unwrap_or(false)
}

/// What is at a path of keys.
pub(crate) fn at<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().try_fold(value, |value, key| value.get(key))
}

/// The list at a path of keys; empty if there is none.
pub(crate) fn list<'a>(value: &'a Value, keys: &[&str]) -> &'a [Value] {
    at(value, keys).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of the object at a path of keys.
pub(crate) fn texts<'a>(value: &'a Value, keys: &[&str]) -> impl Iterator<Item = (&'a String, &'a str)> {
    let object = at(value, keys).and_then(Value::as_object);
    object.into_iter().flatten().filter_map(|(key, value)| Some((key, value.as_str()?)))
}

/// Seconds since the epoch of a time as RFC 3339 writes it; 0 for what is none.
pub(crate) fn seconds(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().map_or(0, |time| time.as_second())
}
