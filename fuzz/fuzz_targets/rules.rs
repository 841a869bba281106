//! Any bytes as a rules file, behind a small one that it may append to; its report in Falco's form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peregrine_engine::fields::Fields;
use peregrine_rules::{Options, RulesFile, Source};
use std::sync::LazyLock;

static FIELDS: LazyLock<Fields> = LazyLock::new(Fields::syscall);

const FIRST: &str = "
- list: shells
  items: [sh, bash]
- macro: opens
  condition: evt.type in (open, openat)
- rule: first
  desc: what the second file may change
  condition: opens and proc.name in (shells)
  output: opened %fd.name
  priority: WARNING
  exceptions:
    - name: parents
      fields: [proc.pname]
";

fuzz_target!(|data: &[u8]| {
    let file = |name: &str, content: &[u8]| RulesFile { name: name.to_owned(), content: content.to_vec() };
    let files = [file("first.yaml", FIRST.as_bytes()), file("second.yaml", data)];
    let sources = [Source { name: "syscall", catalogue: &*FIELDS }];
    let result = peregrine_rules::load(&files, &sources, &Options::default());
    assert!(result.reports[0].is_successful(), "what follows a file does not make it wrong");
    assert_eq!(result.reports.len(), 2);
});
