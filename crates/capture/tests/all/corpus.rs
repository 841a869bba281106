//! Real captures give the events that upstream's engine gave.

use flate2::read::GzDecoder;
use peregrine_capture::{Item, Options, Reader};
use peregrine_event::{Event, code};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

type Row = (u64, i64, Option<String>);

/// The event's name; of a generic one, which call it was is another crate's to say.
fn name(event: &Event<'_>) -> Option<String> {
    let generic = matches!(event.code, code::GENERIC_E | code::GENERIC_X);
    (!generic).then(|| event.info().name.to_owned())
}

fn ours(path: &Path) -> Vec<Row> {
    let mut reader = Reader::open(path, Options::default()).unwrap();
    assert!(reader.take_tables().is_some_and(|t| !t.threads.is_empty()), "{} has no threads", path.display());
    let mut rows = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        let Item::Event { event, state_only, .. } = item else { panic!("{}: a second section", path.display()) };
        if !state_only {
            rows.push((event.ts, event.tid, name(&event)));
        }
    }
    rows
}

/// A value of a row as JSON text: parsing all hundred of them would take a minute. A key inside a string would have its
/// quotes escaped, so the first match is the key.
fn value<'a>(line: &'a str, field: &str) -> &'a str {
    let key = format!("\"{field}\":");
    let rest = &line[line.find(&key).unwrap() + key.len()..];
    &rest[..rest.find([',', '}']).unwrap()]
}

fn truth(path: &Path) -> Vec<Row> {
    let dir = path.parent().unwrap();
    let dir = if dir.ends_with("newest") { dir.join("truth") } else { dir.join("../truth") };
    let stem = path.file_stem().unwrap().to_string_lossy();
    let file = File::open(dir.join(format!("{stem}.fields.json.gz"))).unwrap();
    BufReader::new(GzDecoder::new(file))
        .lines()
        .map(|line| {
            let line = line.unwrap();
            let (time, tid) = (value(&line, "evt.rawtime"), value(&line, "thread.tid"));
            let name = value(&line, "evt.type").trim_matches('"').to_owned();
            (time.parse().unwrap(), tid.parse().unwrap(), Some(name))
        })
        .collect()
}

#[test]
fn events_are_upstreams() {
    for path in crate::captures() {
        let (ours, truth) = (ours(&path), truth(&path));
        for (index, (our, their)) in ours.iter().zip(&truth).enumerate() {
            let named = our.2.is_none() || our.2 == their.2;
            assert!(named && (our.0, our.1) == (their.0, their.1), "{path:?}, {index}: {our:?}, not {their:?}");
        }
        assert_eq!(ours.len(), truth.len(), "{}", path.display());
    }
}

#[test]
fn counts_are_the_indexs() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let index = std::fs::read_to_string(corpus.join("captures/index.tsv")).unwrap();
    let mut lines = index.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let column = |name: &str| head.iter().position(|h| *h == name).unwrap();
    let (path, raw, engine) = (column("path"), column("raw_events"), column("engine_events"));
    for line in lines {
        let file: PathBuf = corpus.join("captures").join(line[path]);
        let mut reader = Reader::open(&file, Options::default()).unwrap();
        let (mut shown, mut given) = (0u64, 0u64);
        while let Some(item) = reader.next().unwrap() {
            if let Item::Event { state_only, .. } = item {
                given += 1;
                shown += u64::from(!state_only);
            }
        }
        let stats = reader.stats();
        assert_eq!((stats.events.to_string(), shown.to_string()), (line[raw].into(), line[engine].into()), "{file:?}");
        assert_eq!(stats.events, given + stats.convert.dropped, "{file:?}: an event is unaccounted for");
    }
}

/// One capture is another with option bytes after some events; both give the same.
#[test]
fn options_behind_events_change_nothing() {
    let files: HashMap<String, PathBuf> =
        crate::captures().into_iter().map(|p| (p.file_stem().unwrap().to_string_lossy().into_owned(), p)).collect();
    if files.is_empty() {
        return;
    }
    let rows = |name: &str| ours(&files[&format!("falcosecurity_libs__{name}")]);
    assert_eq!(rows("curl_google"), rows("curl_google_comments"));
}
