//! The reference pages under `docs/reference`, each written from the table that the program itself reads.
//!
//! `make docs` writes them; a test fails when one is not what it should be.

use crate::cli::Cli;
use crate::config::{KEYS, Key, REMOVED};
use crate::falco::options;
use crate::listing::words::{self, Row};
use crate::listing::{self, Format};
use crate::metrics::table::METRICS;
use clap::CommandFactory;
use peregrine_engine::fields::{CLASSES, Class};
use peregrine_filter::field::{ArgForm, FieldInfo, flag};
use peregrine_filter::types::type_name;

/// One page: the name of its file, and its text.
pub struct Page {
    /// Name under `docs/reference`.
    pub file: &'static str,
    /// The whole text.
    pub text: String,
}

/// Every page.
pub fn pages() -> Vec<Page> {
    vec![
        Page { file: "fields.md", text: fields() },
        Page { file: "events.md", text: events() },
        Page { file: "operators.md", text: operators() },
        Page { file: "cli.md", text: cli() },
        Page { file: "config.md", text: config() },
        Page { file: "metrics.md", text: metrics() },
        Page { file: "../from-falco.md", text: from_falco(include_str!("../docs/from-falco.md")) },
    ]
}

fn fields() -> String {
    let head = "# Fields\n\n\
        What conditions compare and outputs print; `peregrine list fields` lists those in use. What stands in brackets or\n\
        behind a dot is the field's argument. Without one, conditions take `proc.aname` and its kind as any ancestor's, and\n\
        `fd.ip`, `fd.port` and `fd.net` as either end's.\n";
    CLASSES.iter().fold(head.to_owned(), |page, class| page + &field_table(class))
}

fn field_table(class: &Class) -> String {
    let short = if class.short.is_empty() { String::new() } else { format!(" ({})", class.short) };
    let head = format!(
        "\n## {}{short}\n\n{}\n\nName | Type | Description\n:----|:-----|:-----------\n",
        class.name, class.doc
    );
    class.fields().fold(head, |table, field| table + &field_row(&field.info))
}

fn field_row(info: &FieldInfo) -> String {
    let argument = match info.arg {
        ArgForm::None => "",
        ArgForm::IndexOptional => "`, `[N]",
        ArgForm::IndexRequired => "[N]",
        ArgForm::KeyOptional => "`, `[KEY]",
        ArgForm::KeyRequired => "[KEY]",
        ArgForm::ArgNameOrIndex => ".NAME`, `[N]",
        ArgForm::DotName => ".NAME",
        ArgForm::DotSide => "`, `.src`, `.dst",
    };
    let ty = type_name(info.ty);
    let ty = if info.is_list { format!("LIST({ty})") } else { ty };
    let remarks = [
        (flag::DEPRECATED, "Deprecated."),
        (flag::FILTER_ONLY, "Conditions only."),
        (flag::PRINT_ONLY, "Outputs only."),
        (flag::OWN, "Peregrine's own."),
        (flag::NO_TRANSFORMER, "No transformers."),
        (flag::NO_RHS, "Not on the right of a comparison."),
    ];
    let remarks: String =
        remarks.iter().filter(|(flag, _)| info.flags & flag != 0).map(|(_, text)| format!(" {text}")).collect();
    format!("`{}{argument}` | {ty} | {}{remarks}\n", info.name, info.doc)
}

fn events() -> String {
    let list = listing::events(Format::Markdown, "Peregrine").replace(" \n", "\n");
    format!(
        "# Events\n\n\
         What `evt.type` names, with the parameters that `evt.arg.NAME` reaches; `peregrine list events` prints the\n\
         same. *Default* says whether an event is looked at when no rule\n\
         names it.\n\n{}\n",
        list.trim_end()
    )
}

fn operators() -> String {
    let table = |title: &str, rows: &[Row]| format!("\n## {title}\n\n{}", words::rows(rows, Format::Markdown));
    String::from("# Operators and transformers\n\nWhat conditions are made of besides fields.\n")
        + &table("Operators", &words::operators())
        + &table("Transformers", &words::transformers())
}

fn config() -> String {
    let mut page = String::from(
        "# Configuration keys\n\n\
         Of `-c FILE` and `-o KEY=VALUE`. `peregrine.yaml` and `falco.yaml` are the same language. Where Falco has another\n\
         default, it holds for `peregrine falco`; where something else is otherwise, [from-falco.md](../from-falco.md) says so.\n\n\
         key | form | default | Falco's | meaning\n:---|:-----|:--------|:--------|:-------\n",
    );
    let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
    for row in KEYS {
        let falco = row.falco.map(code).unwrap_or_default();
        let pending = if row.pending { " *No effect yet.*" } else { "" };
        let (form, default) = (row.shape.name(), code(row.default));
        page += &format!("`{}` | {form} | {default} | {falco} | {}{pending}\n", row.path, row.doc);
    }
    page += "\n## Keys that are gone\n\nA warning says so when a file sets one.\n\n";
    REMOVED.iter().fold(page, |page, (path, advice)| page + &format!("- `{path}`: {advice}.\n"))
}

/// The page as it is, its tables written anew.
fn from_falco(page: &str) -> String {
    const END: &str = "<!-- end -->";
    let mut out = String::new();
    let mut rest = page;
    for (name, table) in [("options", falco_options()), ("keys", falco_keys()), ("gone", falco_gone())] {
        let mark = format!("<!-- written by `make docs`: {name} -->\n");
        let Some((before, after)) = rest.split_once(&mark) else { continue };
        out += &format!("{before}{mark}{table}{END}");
        rest = after.split_once(END).map_or("", |(_, rest)| rest);
    }
    out + rest
}

fn falco_options() -> String {
    let head = String::from("option | what is otherwise\n:------|:-----------------\n");
    options::OPTIONS.iter().filter(|o| !o.differs.is_empty()).fold(head, |table, option| {
        let dashes = if option.name().len() == 1 { "-" } else { "--" };
        table + &format!("`{dashes}{}` | {}\n", option.name(), option.differs)
    })
}

fn falco_keys() -> String {
    let head = String::from("key | what is otherwise\n:---|:-----------------\n");
    let otherwise = |row: &&Key| !row.differs.is_empty() || row.pending || row.falco.is_some();
    KEYS.iter().filter(otherwise).fold(head, |table, row| {
        let own = format!("`{}` instead of `{}` in our own commands.", row.default, row.falco.unwrap_or_default());
        let parts = [
            row.differs,
            if row.falco.is_some() { &own } else { "" },
            if row.pending { "Read, but nothing acts on it yet; a warning says so." } else { "" },
        ];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        table + &format!("`{}` | {}\n", row.path, parts.join(" "))
    })
}

fn falco_gone() -> String {
    let keys = REMOVED.iter().map(|(path, advice)| format!("- `{path}`: {advice}.\n"));
    let options = options::REMOVED.iter().map(|old| {
        let dashes = if old.name.len() == 1 { "-" } else { "--" };
        format!("- `{dashes}{}`: {}.\n", old.name, old.advice)
    });
    keys.chain(options).collect()
}

fn metrics() -> String {
    let head = "# Metrics\n\n\
        `/metrics` of the web server tells those with a name, snapshots (`metrics.output_rule`, `metrics.output_file`) those\n\
        with a field; a field that ends in `_`, `.` goes on with what the labels say. Memory fields end in `_mb` with\n\
        `metrics.convert_memory_to_mb`.\n\n\
        name | type | labels | field | meaning\n:----|:-----|:-------|:------|:-------\n";
    let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
    METRICS.iter().fold(head.to_owned(), |page, row| {
        let kind = format!("{:?}", row.kind).to_lowercase();
        page + &format!("{} | {kind} | {} | {} | {}\n", code(row.name), row.labels.join(", "), code(row.field), row.doc)
    })
}

fn cli() -> String {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut page = String::from("# Command line\n\nWhat `--help` prints.\n");
    describe(&mut command, "peregrine", &mut page);
    page
}

/// A command's help and its subcommands'.
fn describe(command: &mut clap::Command, name: &str, page: &mut String) {
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    *page += &format!("\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end());
    let shown = |sub: &&mut clap::Command| !sub.is_hide_set() && sub.get_name() != "help";
    for sub in command.get_subcommands_mut().filter(shown) {
        let name = format!("{name} {}", sub.get_name());
        describe(sub, &name, page);
    }
}
