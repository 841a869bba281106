//! The list of fields.

use super::Format;
use peregrine_engine::fields::{CLASSES, Class};
use peregrine_event::{ParamType, PrintFormat};
use peregrine_filter::field::{ArgForm, FieldInfo, flag};
use peregrine_filter::types::type_name;
use serde_json::{Value, json};

/// What the list of fields is to show.
#[derive(Debug, Clone, Copy, Default)]
pub struct FieldsOptions<'a> {
    /// Layout.
    pub format: Format,
    /// Only fields of that event source.
    pub source: Option<&'a str>,
    /// Types too, in the text.
    pub verbose: bool,
    /// Nothing but names.
    pub names_only: bool,
    /// Names behind `static.` that the configuration sets.
    pub fixed: &'a [String],
}

/// A class as it is listed.
struct Listed<'a> {
    name: &'a str,
    short: &'a str,
    doc: &'a str,
    fields: Vec<Row<'a>>,
}

/// A field as it is listed.
struct Row<'a> {
    name: std::borrow::Cow<'a, str>,
    info: FieldInfo,
}

/// The source whose fields these are.
const SOURCE: &str = "syscall";

/// All fields that a user may write, deprecated ones left out.
pub fn fields(options: FieldsOptions<'_>) -> String {
    let wanted = options.source.is_none_or(|source| source == SOURCE);
    let mut classes: Vec<Listed<'_>> = CLASSES.iter().filter(|class| wanted && !class.hidden).map(Listed::of).collect();
    if wanted && !options.fixed.is_empty() {
        // Where Falco has them: behind its own, before those of plugins.
        let plugins = classes.iter().position(|class| class.name == "container").unwrap_or(classes.len());
        classes.insert(plugins, Listed::fixed(options.fixed));
    }
    if options.names_only {
        return names(classes.iter().flat_map(|class| &class.fields), options.format);
    }
    match options.format {
        Format::Text => classes.iter().map(|class| text(class, options.verbose)).collect(),
        Format::Markdown => classes.iter().map(markdown).collect(),
        Format::Json => document("fieldclasses", classes.iter().map(object).collect()),
    }
}

impl<'a> Listed<'a> {
    /// A class, with its fields that are listed.
    fn of(class: &Class) -> Listed<'static> {
        const UNLISTED: u16 = flag::PRINT_ONLY | flag::TABLE_ONLY | flag::DEPRECATED;
        let fields = class.fields().map(|field| field.info).filter(|info| info.flags & UNLISTED == 0);
        let fields = fields.map(|info| Row { name: info.name.into(), info }).collect();
        Listed { name: class.name, short: class.short, doc: class.doc, fields }
    }

    /// The fields that the configuration sets.
    fn fixed(names: &'a [String]) -> Self {
        let info = FieldInfo {
            name: "static",
            ty: ParamType::Charbuf,
            fmt: PrintFormat::Na,
            is_list: false,
            arg: ArgForm::None,
            flags: 0,
            doc: "",
        };
        let fields = names.iter().map(|name| Row { name: format!("static.{name}").into(), info }).collect();
        Self { name: "static", short: "", doc: "Texts that the configuration sets.", fields }
    }
}

fn names<'a>(fields: impl Iterator<Item = &'a Row<'a>>, format: Format) -> String {
    match format {
        Format::Json => document("fieldnames", fields.map(|field| Value::from(&*field.name)).collect()),
        _ => fields.map(|field| format!("{}\n", field.name)).collect(),
    }
}

/// A document with one list, or nothing at all if the list is empty.
fn document(key: &str, rows: Vec<Value>) -> String {
    if rows.is_empty() { String::new() } else { format!("{:#}\n", json!({ key: rows })) }
}

/// Width of the column of names.
const NAMES: usize = 30;
/// Width of the column of descriptions.
const WORDS: usize = 90;

fn text(class: &Listed<'_>, verbose: bool) -> String {
    let mut out = format!("-------------------------------\n{:NAMES$}{}", "Field Class:", class.name);
    if !class.short.is_empty() {
        out += &format!(" ({})", class.short);
    }
    out += &format!("\n{:NAMES$}{}\n", "Description:", wrapped(class.doc));
    out += &format!("{:NAMES$}{SOURCE} \n\n", "Event Sources:");
    for Row { name, info } in &class.fields {
        let apart = if name.len() > NAMES { format!("\n{:NAMES$}", " ") } else { String::new() };
        let ty = if verbose { format!("(Type: {}) ", type_name(info.ty)) } else { String::new() };
        let tags = tags(info);
        let tags = if tags.is_empty() { String::new() } else { format!("({}) ", tags.join(",")) };
        out += &format!("{name:NAMES$}{apart}{}\n", wrapped(&format!("{ty}{tags}{}", info.doc)));
    }
    out + "\n"
}

/// A text in lines of the description's column, a blank behind every word.
fn wrapped(text: &str) -> String {
    let (mut out, mut length) = (String::new(), 0);
    for word in text.split_whitespace() {
        if length + word.len() + 1 > WORDS {
            out += &format!("\n{:NAMES$}", " ");
            length = 0;
        }
        length += word.len() + 1;
        out += word;
        out.push(' ');
    }
    out
}

/// What is special about a field, in the list's words and order.
fn tags(info: &FieldInfo) -> Vec<&'static str> {
    let has = |flag: u16| info.flags & flag != 0;
    let (key, index) = plugin_argument(info);
    [
        ("ARG_ALLOWED", has(flag::ARG_ALLOWED)),
        ("ARG_INDEX", index),
        ("ARG_KEY", key),
        ("ARG_REQUIRED", has(flag::ARG_REQUIRED)),
        ("EPF_IS_LIST", info.is_list),
        ("EPF_NO_RHS", has(flag::NO_RHS)),
        ("EPF_NO_TRANSFORMER", has(flag::NO_TRANSFORMER)),
        ("FILTER_ONLY", has(flag::FILTER_ONLY)),
    ]
    .into_iter()
    .filter_map(|(tag, is)| is.then_some(tag))
    .collect()
}

/// Whether a field takes a key and an index, as far as the list says so: only of fields that a plugin brings upstream.
fn plugin_argument(info: &FieldInfo) -> (bool, bool) {
    let keyed = info.arg == ArgForm::KeyRequired && !info.name.starts_with("evt.");
    (keyed, keyed && info.name.starts_with("container.mount"))
}

fn data_type(info: &FieldInfo) -> String {
    let ty = type_name(info.ty);
    if info.is_list { format!("LIST({ty})") } else { ty }
}

fn markdown(class: &Listed<'_>) -> String {
    let mut out = format!("## Field Class: {}\n\n{}\n\nEvent Sources: {SOURCE} \n\n", class.name, class.doc);
    out += "Name | Type | Description\n:----|:-----|:-----------\n";
    for Row { name, info } in &class.fields {
        out += &format!("`{name}` | {} | {}\n", data_type(info), info.doc);
    }
    out + "\n"
}

fn object(class: &Listed<'_>) -> Value {
    let fields: Vec<Value> = class.fields.iter().map(field_object).collect();
    json!({ "name": class.name, "desc": class.doc, "event_sources": [SOURCE], "fields": fields })
}

fn field_object(Row { name, info }: &Row<'_>) -> Value {
    let (key, index) = plugin_argument(info);
    let kinds: Vec<&str> =
        [("INDEX", index), ("KEY", key)].iter().filter(|(_, is)| *is).map(|(kind, _)| *kind).collect();
    let takes = info.flags & (flag::ARG_ALLOWED | flag::ARG_REQUIRED) != 0;
    let argument = takes.then(|| json!({ "required": info.flags & flag::ARG_REQUIRED != 0, "type": kinds }));
    json!({
        "name": name,
        "type": type_name(info.ty),
        "desc": info.doc,
        "is_list": info.is_list,
        "argument": argument,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(format: Format) -> String {
        fields(FieldsOptions { format, ..FieldsOptions::default() })
    }

    #[test]
    fn text_has_two_columns() {
        let text = list(Format::Text);
        assert!(text.starts_with(
            "-------------------------------\n\
             Field Class:                  evt (All event types)\n\
             Description:                  What every event has: number, time, source and host. \n\
             Event Sources:                syscall \n\n\
             evt.num                       Number of the event in its stream, counting from 1. \n"
        ));
        assert!(text.contains(
            "\nfd.ip                         (EPF_NO_RHS,EPF_NO_TRANSFORMER,FILTER_ONLY) Either end's address. \n"
        ));
        // A longer name has a line of its own, and a longer description goes on under itself.
        assert!(
            text.contains(
                "\nproc.exe_ino.ctime_duration_proc_start\n                              Nanoseconds between"
            )
        );
        assert!(text.lines().all(|line| line.len() <= NAMES + WORDS), "no line is wider");
        let verbose = fields(FieldsOptions { verbose: true, ..FieldsOptions::default() });
        assert!(verbose.contains("\nevt.num                       (Type: UINT64) Number of the event"));
    }

    #[test]
    fn markdown_is_a_table_a_class() {
        let text = list(Format::Markdown);
        assert!(text.contains("## Field Class: fd\n\n"));
        assert!(text.contains("\n`fd.types` | LIST(CHARBUF) | Kinds"));
        assert!(text.contains("\n\nName | Type | Description\n:----|:-----|:-----------\n`fd.num` | INT64 | "));
    }

    #[test]
    fn json_is_one_document() {
        let json: Value = serde_json::from_str(&list(Format::Json)).unwrap();
        let classes = json["fieldclasses"].as_array().unwrap();
        let named = |name: &str| {
            let mut all = classes.iter().flat_map(|class| class["fields"].as_array().unwrap());
            all.find(|field| field["name"] == name).unwrap_or_else(|| panic!("no {name}"))
        };
        assert_eq!(named("proc.aname")["argument"], json!({"required": false, "type": []}));
        assert_eq!(named("container.mount")["argument"], json!({"required": true, "type": ["INDEX", "KEY"]}));
        assert_eq!((&named("fd.num")["argument"], &named("fd.types")["is_list"]), (&Value::Null, &Value::from(true)));
        assert!(classes.iter().all(|class| class["event_sources"] == json!(["syscall"])));
    }

    #[test]
    fn fields_that_the_configuration_sets_are_listed() {
        let fixed = ["zone".to_owned()];
        let text = fields(FieldsOptions { fixed: &fixed, ..FieldsOptions::default() });
        assert!(text.contains("\nField Class:                  static\n"));
        assert!(text.contains("\nstatic.zone                   \n"));
        assert!(!list(Format::Text).contains("static"));
    }

    #[test]
    fn what_cannot_be_used_is_not_listed() {
        let names = fields(FieldsOptions { names_only: true, ..FieldsOptions::default() });
        for unlisted in ["evt.dir", "evt.outputtime", "evt.buflen.in", "util.cnt"] {
            assert!(!names.lines().any(|name| name == unlisted), "{unlisted}");
        }
        assert!(names.lines().any(|name| name == "proc.name"));
        let other = FieldsOptions { source: Some("k8s_audit"), format: Format::Json, ..FieldsOptions::default() };
        assert_eq!(fields(other), "");
    }
}
