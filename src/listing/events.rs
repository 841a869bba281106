//! The list of events.

use super::Format;
use peregrine_event::{EventInfo, Extra, ParamInfo, ParamType as T, calls, category, code, eflags, table};
use peregrine_filter::types::type_name;
use serde_json::{Value, json};

/// All events that a condition can name today, by kind; `product` is who they are valid for.
pub fn events(format: Format, product: &str) -> String {
    let kinds = kinds();
    if format == Format::Json {
        let mut root = json!({ "schema_version": table::SCHEMA_VERSION });
        for (kind, rows) in kinds {
            root[kind] = rows.iter().map(Row::object).collect();
        }
        return format!("{root:#}\n");
    }
    let version = table::SCHEMA_VERSION;
    let mut out = format!("The events below are valid for {product} *Schema Version*: {version}\n");
    for (kind, rows) in kinds {
        out += &format!("## {kind}\n\n");
        if format == Format::Markdown {
            out += "Default | Dir | Name | Params \n:-------|:----|:-----|:-----\n";
        }
        for row in rows {
            out += &row.line(format);
        }
        out.push('\n');
    }
    out
}

/// One event of the list.
struct Row {
    name: &'static str,
    enter: bool,
    info: &'static EventInfo,
}

fn kinds() -> [(&'static str, Vec<Row>); 4] {
    let of = |bit: u32| -> Vec<Row> {
        let all = table::EVENTS.iter().enumerate().filter(|(code, info)| is_current(*code as u16, info));
        // The first that fits is the kind.
        let kinds = [category::EC_SYSCALL, category::EC_TRACEPOINT, category::EC_PLUGIN, category::EC_METAEVENT];
        let kind = move |info: &EventInfo| kinds.into_iter().find(|kind| info.category & kind != 0);
        all.filter(|(_, info)| kind(info) == Some(bit))
            .map(|(code, info)| Row { name: info.name, enter: code % 2 == 0, info })
            .collect()
    };
    let mut syscalls = of(category::EC_SYSCALL);
    for call in calls::CALLS.iter().filter(|call| call.event == code::GENERIC_X) {
        for (code, enter) in [(code::GENERIC_E, true), (code::GENERIC_X, false)] {
            syscalls.push(Row { name: call.name, enter, info: &table::EVENTS[usize::from(code)] });
        }
    }
    [
        ("Syscall events", syscalls),
        ("Tracepoint events", of(category::EC_TRACEPOINT)),
        ("Plugin events", of(category::EC_PLUGIN)),
        ("Metaevents", of(category::EC_METAEVENT)),
    ]
}

fn is_current(code: u16, info: &EventInfo) -> bool {
    let generic = matches!(code, code::GENERIC_E | code::GENERIC_X);
    !generic && !info.has(eflags::EF_OLD_VERSION | eflags::EF_UNUSED) && info.category != category::EC_UNKNOWN
}

impl Row {
    /// Whether it is looked at without `-A`: reading and writing that the state does not need is not.
    fn available(&self) -> bool {
        let kind = self.info.category & (category::EC_SYSCALL - 1);
        let io = matches!(kind, category::EC_IO_READ | category::EC_IO_WRITE);
        !io || self.info.has(eflags::EF_MODIFIES_STATE)
    }

    fn direction(&self) -> char {
        if self.enter { '>' } else { '<' }
    }

    fn line(&self, format: Format) -> String {
        let (dir, name) = (self.direction(), self.name);
        let mark = if format == Format::Markdown { "*" } else { "" };
        let params: Vec<String> = self.info.params.iter().map(|param| param_text(param, mark)).collect();
        let params = params.join(", ");
        if format == Format::Markdown {
            let default = if self.available() { "Yes" } else { "No" };
            return format!("{default} | `{dir}` | `{name}` | {params}\n");
        }
        format!("{dir} {name}({params})\n")
    }

    fn object(&self) -> Value {
        let params: Vec<Value> = self.info.params.iter().map(param_object).collect();
        json!({
            "name": self.name,
            "dir": self.direction().to_string(),
            "available": self.available(),
            "params": params,
        })
    }
}

/// Names that a parameter's number stands for.
fn flag_names(param: &ParamInfo) -> Option<Vec<&'static str>> {
    let flags =
        matches!(param.ty, T::Flags8 | T::Flags16 | T::Flags32 | T::Enumflags8 | T::Enumflags16 | T::Enumflags32);
    let Extra::Flags(table) = param.extra else { return None };
    flags.then(|| table.iter().map(|flag| flag.name).collect())
}

fn param_text(param: &ParamInfo, mark: &str) -> String {
    let text = format!("{} **{}**", type_name(param.ty), param.name);
    match flag_names(param) {
        None => text,
        Some(names) => {
            let names: Vec<String> = names.iter().map(|name| format!("{mark}{name}{mark}")).collect();
            format!("{text}: {}", names.join(", "))
        }
    }
}

fn param_object(param: &ParamInfo) -> Value {
    let mut object = json!({ "type": type_name(param.ty), "name": param.name });
    if let Some(names) = flag_names(param) {
        object["flags"] = names.into();
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_a_part_for_each_kind() {
        let text = events(Format::Text, "Falco");
        assert!(
            text.starts_with("The events below are valid for Falco *Schema Version*: 4.5.1\n## Syscall events\n\n")
        );
        assert!(text.contains("\n< close(ERRNO **res**, FD **fd**)\n"));
        assert!(text.contains("\n< getpid(SYSCALLID **ID**, UINT16 **nativeID**)\n"));
        assert!(text.contains("\n\n## Metaevents\n\n"));
        assert!(!text.contains(" NA("), "unused events are not offered");
        assert!(text.contains("FLAGS32 **flags**: O_LARGEFILE, "));
    }

    #[test]
    fn markdown_says_what_is_looked_at() {
        let text = events(Format::Markdown, "Peregrine");
        assert!(text.contains("Default | Dir | Name | Params \n:-------|:----|:-----|:-----\n"));
        assert!(text.contains("\nNo | `<` | `write` | ERRNO **res**, "));
        assert!(text.contains("\nYes | `<` | `sendmsg` | "));
    }

    #[test]
    fn json_is_one_document() {
        let json: Value = serde_json::from_str(&events(Format::Json, "Falco")).unwrap();
        assert_eq!(json["schema_version"], "4.5.1");
        let calls = json["Syscall events"].as_array().unwrap();
        let openat = calls.iter().find(|e| e["name"] == "openat" && e["dir"] == "<").unwrap();
        assert_eq!(openat["params"][1], json!({"name": "dirfd", "type": "FD"}));
        assert!(openat["params"][3]["flags"].as_array().unwrap().contains(&json!("O_CREAT")));
    }
}
