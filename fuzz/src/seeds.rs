//! Writes each target's first inputs into `corpus/TARGET`, from the corpus of real data where there is one.
//!
//! Real data is not part of the project, so the seeds are made when fuzzing starts. Without it a few of our own remain.

use peregrine_capture::tables::{Tables, Thread};
use peregrine_capture::{Compression, Item, Options, Reader, Writer};
use peregrine_event::{Event, EventWriter, code};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Largest seed: mutation works best on small inputs.
const LARGEST: usize = 16 << 10;
/// Events of one capture that become seeds.
const EVENTS: usize = 200;

fn main() -> std::io::Result<()> {
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for target in ["capture", "event", "condition", "rules", "output_format"] {
        fs::create_dir_all(out.join(target))?;
    }
    own(&out)?;
    let Some(corpus) = peregrine_testkit::corpus() else { return Ok(()) };
    for path in files(&corpus.join("captures"), "scap")?.into_iter().chain(files(&corpus.join("newest"), "scap")?) {
        capture(&out, &path)?;
    }
    let cases = fs::read_to_string(corpus.join("filter_cases.tsv"))?;
    let conditions = cases.lines().skip(1).filter_map(|line| line.split('\t').nth(2));
    texts(&out.join("condition"), conditions)?;
    for path in rules_files(&corpus.join("rules"))? {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let items: Vec<String> = items(&text);
        texts(&out.join("rules"), items.iter().map(String::as_str))?;
        texts(&out.join("condition"), values(&text, "condition:").iter().map(String::as_str))?;
        texts(&out.join("output_format"), values(&text, "output:").iter().map(String::as_str))?;
    }
    Ok(())
}

/// A few inputs that need no corpus.
fn own(out: &Path) -> std::io::Result<()> {
    let path = out.join("capture/own");
    let close = EventWriter::new(1, 2, code::SYSCALL_CLOSE_X).push(&[0; 8]).push(&[3; 8]).finish();
    let tables = Tables { threads: vec![Thread::default()], ..Tables::default() };
    let write = || {
        let mut writer = Writer::create(&path, Compression::Plain)?;
        writer.section(&tables)?;
        let event = Event::parse(&close, 0).expect("a whole event");
        writer.event(&event, 0)?;
        writer.event(&event, 1)?;
        writer.finish()
    };
    write().map_err(std::io::Error::other)?;
    fs::write(out.join("event/own"), close)?;
    fs::write(out.join("rules/own"), "- list: shells\n  items: [zsh]\n  override:\n    items: append\n")?;
    fs::write(out.join("condition/own"), "evt.type in (open, openat) and not proc.name startswith \"a b\"")?;
    fs::write(out.join("output_format/own"), "*%evt.time %20proc.name %proc.aname[2] %toupper(proc.name)")
}

fn files(dir: &Path, extension: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = fs::read_dir(dir)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.retain(|path| path.extension().is_some_and(|e| e == extension));
    found.sort();
    Ok(found)
}

fn rules_files(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = files(dir, "yaml")?;
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(rules_files(&path)?);
        }
    }
    Ok(found)
}

/// A capture's begin, plain and compressed, a shortened one with its first events, and the events by themselves.
fn capture(out: &Path, path: &Path) -> std::io::Result<()> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let bytes = fs::read(path)?;
    fs::write(out.join(format!("capture/{stem}.gz")), &bytes[..bytes.len().min(LARGEST)])?;
    let mut plain = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain)?;
    } else {
        plain = bytes;
    }
    fs::write(out.join(format!("capture/{stem}.begin")), &plain[..plain.len().min(LARGEST)])?;
    let options = Options { lenient: true, convert: false };
    let mut reader = Reader::from_bytes(&stem, plain, options).map_err(std::io::Error::other)?;
    let short = out.join(format!("capture/{stem}.short"));
    let mut writer = Writer::create(&short, Compression::Plain).map_err(std::io::Error::other)?;
    let mut events = Vec::new();
    let mut count = 0;
    while let Ok(Some(item)) = reader.next() {
        match item {
            Item::Section(mut tables) => {
                tables.threads.truncate(3);
                tables.fds.truncate(3);
                writer.section(&tables).map_err(std::io::Error::other)?;
            }
            Item::Event { event, flags, .. } if event.bytes().len() < 1024 => {
                count += 1;
                if count <= 40 {
                    writer.event(&event, flags).map_err(std::io::Error::other)?;
                }
                events.extend_from_slice(event.bytes());
                if count % 8 == 0 {
                    fs::write(out.join(format!("event/{stem}.{count}")), std::mem::take(&mut events))?;
                }
            }
            Item::Event { .. } => {}
        }
        if count == EVENTS {
            break;
        }
    }
    writer.finish().map(|_| ()).map_err(std::io::Error::other)
}

/// Writes texts, each under the hash of what it says, so that equal ones are one file.
fn texts<'a>(dir: &Path, texts: impl Iterator<Item = &'a str>) -> std::io::Result<()> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    for text in texts.filter(|text| !text.is_empty() && text.len() <= LARGEST) {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        fs::write(dir.join(format!("{:016x}", hasher.finish())), text)?;
    }
    Ok(())
}

/// A rules file's items, a few to a seed.
fn items(yaml: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in yaml.lines() {
        if line.starts_with("- ") || items.is_empty() {
            items.push(String::new());
        }
        if let Some(item) = items.last_mut() {
            item.push_str(line);
            item.push('\n');
        }
    }
    items.chunks(4).map(<[String]>::concat).collect()
}

/// The values of a key in YAML, roughly: on its line, or in the more deeply indented lines below it.
fn values(yaml: &str, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = yaml.lines().peekable();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        let Some(rest) = line.trim_start().strip_prefix(key) else { continue };
        let mut value = rest.trim().trim_start_matches(['>', '|', '-']).trim().to_owned();
        while let Some(next) = lines.next_if(|l| l.len() - l.trim_start().len() > indent && !l.trim().is_empty()) {
            value.push(' ');
            value.push_str(next.trim());
        }
        found.push(value.trim().to_owned());
    }
    found
}
