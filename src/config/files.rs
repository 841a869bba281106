//! Which files a configuration consists of, and how they become one tree.
//!
//! First the main file, then the options that name more files, then those files, then all other options. Only keys at
//! the top meet each other; a map replaces a map as a whole.

use super::fault::{Fault, Place};
use super::node::{Node, Value};
use super::schema::validate;
use std::path::{Path, PathBuf};

/// The key that names more files.
const INCLUDES: &str = "config_files";

/// A file that was read.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    /// Its path, as it was named.
    pub path: PathBuf,
    /// What of it does not fit the schema.
    pub faults: Vec<Fault>,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

/// Everything read and merged.
pub struct Merged {
    /// The tree.
    pub tree: Node,
    /// The files, in order, the main file first.
    pub files: Vec<ConfigFile>,
    /// The directories that were looked into.
    pub folders: Vec<PathBuf>,
}

/// A configuration that is looked at elsewhere than where it is used: paths that begin with one directory are meant
/// below another.
#[derive(Debug, Clone)]
pub struct Relocation {
    /// As it is written.
    pub from: PathBuf,
    /// Where it is.
    pub to: PathBuf,
}

impl Relocation {
    /// Where a path is.
    pub fn apply(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.from).map_or_else(|_| path.to_owned(), |below| self.to.join(below))
    }
}

/// How an included file's keys meet those that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    /// Lists are put one behind the other, anything else is replaced.
    Append,
    /// What is there is replaced.
    Override,
    /// What is there stays.
    AddOnly,
}

/// Reads the main file and what it includes, and carries the overrides out.
///
/// # Errors
/// What is wrong, with its place.
pub fn merge(main: Option<&Path>, overrides: &[String], relocation: Option<&Relocation>) -> Result<Merged, Fault> {
    let mut merged = Merged { tree: Node::nothing(), files: Vec::new(), folders: Vec::new() };
    if let Some(path) = main {
        merged.tree = read(path, &mut merged.files)?;
    }
    let (includes, others): (Vec<_>, Vec<_>) = overrides.iter().partition(|option| option.starts_with(INCLUDES));
    includes.into_iter().try_for_each(|option| merged.tree.set(option))?;
    for (path, strategy, place) in included(&merged.tree)? {
        let path = relocation.map_or_else(|| path.clone(), |relocation| relocation.apply(&path));
        if main.is_some_and(|main| main == path || same_file(main, &path)) {
            let main = main.unwrap_or(&path).display();
            let message =
                format!("Config error: '{INCLUDES}' directive tried to recursively include main config file: {main}.");
            return Err(Fault::fatal(place, message));
        }
        if path.is_file() {
            include(&mut merged, &path, strategy)?;
        } else if path.is_dir() {
            let files = listing(&path).map_err(|e| Fault::fatal(place, format!("{}: {e}", path.display())))?;
            merged.folders.push(path);
            files.iter().try_for_each(|file| include(&mut merged, file, strategy))?;
        }
    }
    others.into_iter().try_for_each(|option| merged.tree.set(option))?;
    Ok(merged)
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Parses a file, puts the environment's variables in, and validates it.
fn read(path: &Path, files: &mut Vec<ConfigFile>) -> Result<Node, Fault> {
    let unreadable = |e: std::io::Error| Fault::fatal(Place::file(path), format!("cannot read it: {e}"));
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let mut tree = Node::parse(&text, &path.to_string_lossy())?;
    tree.expand(&|name| std::env::var(name).ok());
    if !matches!(tree.value, Value::Map(_) | Value::Null) {
        return Err(Fault::fatal(Place::file(path), "the configuration is not a map of keys"));
    }
    let sha256 = crate::ruleset::sha256(text.as_bytes());
    files.push(ConfigFile { path: path.to_owned(), faults: validate(&tree), sha256 });
    Ok(tree)
}

/// The entries of `config_files`.
fn included(tree: &Node) -> Result<Vec<(PathBuf, Strategy, Place)>, Fault> {
    let Some(list) = tree.get(INCLUDES) else { return Ok(Vec::new()) };
    let items = match &list.value {
        Value::Null => return Ok(Vec::new()),
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(list),
    };
    items.iter().map(entry).collect()
}

fn entry(node: &Node) -> Result<(PathBuf, Strategy, Place), Fault> {
    let wrong = |message: &str| Fault::fatal(node.place.clone(), message).of(INCLUDES);
    let scalar = |node: &Node| match &node.value {
        Value::Scalar(text) => Ok(text.clone()),
        _ => Err(wrong("an entry is a path, or a map with path and strategy")),
    };
    if !matches!(node.value, Value::Map(_)) {
        return Ok((scalar(node)?.into(), Strategy::Append, node.place.clone()));
    }
    let path = scalar(node.get("path").ok_or_else(|| wrong("an entry needs a path"))?)?;
    // A word that is none of them appends, as upstream has it; the schema tells of it.
    let strategy = match node.get("strategy").map(scalar).transpose()?.as_deref() {
        Some("override") => Strategy::Override,
        Some("add-only") => Strategy::AddOnly,
        _ => Strategy::Append,
    };
    Ok((path.into(), strategy, node.place.clone()))
}

/// Regular files of a directory, by name.
fn listing(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        if file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Merges a file into the tree.
fn include(merged: &mut Merged, path: &Path, strategy: Strategy) -> Result<(), Fault> {
    let tree = read(path, &mut merged.files)?;
    let Value::Map(entries) = tree.value else { return Ok(()) };
    for mut entry in entries {
        if entry.key == INCLUDES {
            let message = format!("Config error: '{INCLUDES}' directive in included config file {}.", path.display());
            return Err(Fault::fatal(entry.place, message));
        }
        let old = merged.tree.get(&entry.key);
        match (strategy, old.map(|old| &old.value), &mut entry.value.value) {
            (Strategy::AddOnly, Some(_), _) => continue,
            (Strategy::Append, Some(Value::List(old)), Value::List(new)) => {
                new.splice(0..0, old.iter().cloned());
            }
            (Strategy::Append, Some(Value::Scalar(_)), Value::List(new)) => {
                new.splice(0..0, old.cloned());
            }
            _ => {}
        }
        merged.tree.put(entry);
    }
    Ok(())
}
