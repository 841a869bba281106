//! From the text of a field to the field and its argument, by upstream's rules and with upstream's words.
//!
//! Upstream lets every class take the longest of its names that the text begins with, and refuses the text if anything
//! is left over; since no name of one class begins a name of another, exact names and a few special forms say the same.

use super::Fields;
use super::fixed::{PREFIX, ROW};
use peregrine_event::{ParamInfo, ParamType, code, table};
use peregrine_filter::field::{Arg, ArgForm, FieldError, FieldId, FieldRef, flag};
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

pub(super) fn resolve(fields: &Fields, name: &str, bracket: Option<&str>) -> Result<FieldRef, FieldError> {
    if name.starts_with("arg") {
        return Err(error("filter error: proc.arg filter not implemented yet".into()));
    }
    for form in SPECIAL.iter().filter(|form| !form.unless.is_some_and(|longer| name.starts_with(longer))) {
        let Some(rest) = name.strip_prefix(form.name) else { continue };
        let (id, field) = fields.find(form.name).ok_or(FieldError::Unknown)?;
        let (arg, ty) = match (rest, rest.strip_prefix('.'), bracket) {
            ("", _, Some(text)) if form.bracket.is_some() => form.bracket.map_or(Err(FieldError::Unknown), |f| f(text)),
            (_, Some(text), bracket) => (form.dot)(text, bracket),
            _ => Err(error(format!("filter syntax error: {}", whole(name, bracket)))),
        }?;
        return Ok(FieldRef { id, arg, ty: ty.unwrap_or(field.info.ty), is_list: false });
    }
    if let Some(found) = fixed(fields, name, bracket) {
        return Ok(found);
    }
    match name.strip_prefix("evt.abspath") {
        Some(rest) => abspath(fields, rest, bracket),
        None => plain(fields, name, bracket),
    }
}

/// An argument, and the type of the values if it decides that.
type Parsed = Result<(Arg, Option<ParamType>), FieldError>;

/// A field whose argument is part of its name or has a form of its own.
struct Special {
    name: &'static str,
    /// A name that begins the same and is another field's.
    unless: Option<&'static str>,
    /// What stands behind the dot, and brackets behind that.
    dot: fn(&str, Option<&str>) -> Parsed,
    /// What stands in brackets.
    bracket: Option<fn(&str) -> Parsed>,
}

const SPECIAL: &[Special] = &[
    Special {
        name: "evt.arg",
        unless: Some("evt.args"),
        dot: |text, bracket| param(text, bracket).map(|info| (Arg::Key(info.name.into()), None)),
        bracket: Some(|text| {
            let index = i32::try_from(number(text).ok_or_else(|| not_a_number(text))?).unwrap_or(-1);
            Ok((Arg::Index(u32::try_from(index).unwrap_or(u32::MAX)), None))
        }),
    },
    Special {
        name: "evt.rawarg",
        unless: None,
        dot: |text, bracket| param(text, bracket).map(|info| (Arg::Key(info.name.into()), Some(info.ty))),
        bracket: Some(|_| Err(error("evt.arg fields must be expressed explicitly".into()))),
    },
    Special {
        name: "evt.around",
        unless: None,
        dot: |_, _| Err(error("wrong syntax for evt.around".into())),
        bracket: Some(|text| {
            let time = number(text).filter(|time| *time >= 0).ok_or_else(|| not_a_number(text))?;
            Ok((Arg::Key(time.to_string()), None))
        }),
    },
    Special {
        name: "evt.type.is",
        unless: None,
        dot: |text, bracket| match event_codes(text).filter(|_| bracket.is_none()) {
            Some(codes) => Ok((codes, None)),
            None => Err(FieldError::Unknown),
        },
        bracket: None,
    },
    Special {
        name: "thread.cgroup",
        unless: Some("thread.cgroups"),
        dot: |text, bracket| {
            let is_word = text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
            if is_word && bracket.is_none() { Ok((Arg::Key(text.into()), None)) } else { Err(FieldError::Unknown) }
        },
        bracket: None,
    },
];

/// The parameter of that name, of any event.
fn param(text: &str, bracket: Option<&str>) -> Result<&'static ParamInfo, FieldError> {
    let info = longest_param(text).ok_or_else(|| error(format!("unknown event argument {}", whole(text, bracket))))?;
    if info.name == text && bracket.is_none() { Ok(info) } else { Err(FieldError::Unknown) }
}

/// `evt.abspath`, with what chooses one of two paths behind it.
fn abspath(fields: &Fields, rest: &str, bracket: Option<&str>) -> Result<FieldRef, FieldError> {
    let (id, field) = fields.find("evt.abspath").ok_or(FieldError::Unknown)?;
    let side = match (rest, bracket) {
        ("", None) => 0,
        (".src", None) => 1,
        (".dst", None) => 2,
        _ => return Err(FieldError::Unknown),
    };
    Ok(FieldRef { id, arg: Arg::Index(side), ty: field.info.ty, is_list: false })
}

/// A field whose value is set beforehand.
fn fixed(fields: &Fields, name: &str, bracket: Option<&str>) -> Option<FieldRef> {
    let wanted = name.strip_prefix(PREFIX).filter(|_| bracket.is_none())?;
    let place = fields.fixed.iter().position(|name| name == wanted)?;
    let (id, field) = fields.find(ROW.info.name)?;
    Some(FieldRef { id, arg: Arg::Index(place as u32), ty: field.info.ty, is_list: false })
}

/// Fields with nothing after their name but brackets.
fn plain(fields: &Fields, name: &str, bracket: Option<&str>) -> Result<FieldRef, FieldError> {
    let unknown = || FieldError::Unknown;
    let begun = || fields.iter().filter(|(_, f)| name.starts_with(f.info.name)).max_by_key(|(_, f)| f.info.name.len());
    let (id, field) = fields.find(name).or_else(begun).ok_or_else(unknown)?;
    let info = &field.info;
    if from_plugin(info.name) {
        check_plugin_argument(fields, id, name, bracket)?;
    }
    if info.name != name {
        return Err(unknown());
    }
    let arg = match (info.arg, bracket) {
        (_, None) => Arg::None,
        (ArgForm::IndexOptional, Some(text)) => match number(text).and_then(|n| i32::try_from(n).ok()) {
            Some(-1) => Arg::None,
            Some(level) => Arg::Index(u32::try_from(level).unwrap_or(0)),
            None if name == "fd.types" => return Err(not_a_number(text)),
            None => return Err(unknown()),
        },
        (ArgForm::KeyOptional, Some("")) => Arg::None,
        (ArgForm::KeyOptional, Some(text)) if text.bytes().all(|b| b.is_ascii_digit()) => match text.parse::<i32>() {
            // A variable's name cannot be a number: for the process itself the number is ignored.
            Ok(_) if name == "proc.env" => Arg::None,
            Ok(level) => Arg::Index(level.unsigned_abs()),
            Err(_) => return Err(unknown()),
        },
        (ArgForm::KeyOptional | ArgForm::KeyRequired, Some(text)) => Arg::Key(text.to_owned()),
        (_, Some(_)) => return Err(unknown()),
    };
    Ok(FieldRef { id, arg, ty: info.ty, is_list: info.is_list })
}

/// Container and Kubernetes fields are a plugin's upstream, and plugins' arguments have rules of their own.
fn from_plugin(name: &str) -> bool {
    ["container.", "k8s.", "proc.is_container_"].iter().any(|prefix| name.starts_with(prefix))
}

fn check_plugin_argument(fields: &Fields, id: FieldId, name: &str, bracket: Option<&str>) -> Result<(), FieldError> {
    let info = &fields.field(id).info;
    let text = whole(name, bracket);
    let complaint = match bracket {
        Some(arg) if name == info.name && info.flags & (flag::ARG_ALLOWED | flag::ARG_REQUIRED) == 0 => {
            format!("does not allow nor require an argument but one is provided: {arg}")
        }
        None if info.flags & flag::ARG_REQUIRED != 0 => "requires an argument but none provided".into(),
        _ => return Ok(()),
    };
    Err(error(format!("filter '{text}': {} {complaint}", info.name)))
}

fn error(message: String) -> FieldError {
    FieldError::Argument(message)
}

fn not_a_number(text: &str) -> FieldError {
    error(format!("{text} is not a valid number"))
}

fn whole(name: &str, bracket: Option<&str>) -> String {
    bracket.map_or_else(|| name.to_owned(), |text| format!("{name}[{text}]"))
}

/// A decimal number as C's `sscanf` reads it: blanks and a sign may lead, nothing may follow.
fn number(text: &str) -> Option<i64> {
    text.trim_start().parse().ok()
}

/// The parameter with the longest name that `text` begins with, of any event; of equal ones the first in the table.
fn longest_param(text: &str) -> Option<&'static ParamInfo> {
    static BY_NAME: LazyLock<FxHashMap<&str, &ParamInfo>> = LazyLock::new(|| {
        let params = table::EVENTS.iter().flat_map(|event| event.params);
        params.rev().map(|param| (param.name, param)).collect()
    });
    if let Some(whole) = BY_NAME.get(text) {
        return Some(whole);
    }
    let mut best: Option<&ParamInfo> = None;
    for param in table::EVENTS.iter().flat_map(|event| event.params) {
        if text.starts_with(param.name) && best.is_none_or(|b| param.name.len() > b.name.len()) {
            best = Some(param);
        }
    }
    best
}

/// The codes that `evt.type.is.NAME` stands for: the first of that name and the one after it, or just the number.
fn event_codes(wanted: &str) -> Option<Arg> {
    if let Ok(number) = wanted.parse::<u32>() {
        let code = u16::try_from(number).unwrap_or(u16::MAX);
        return Some(Arg::Codes(code, code));
    }
    let first = table::EVENTS.iter().position(|event| event.name == wanted)?;
    debug_assert!(first < code::COUNT);
    Some(Arg::Codes(first as u16, first as u16 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use peregrine_filter::field::Catalogue;

    fn message(name: &str, bracket: Option<&str>) -> String {
        let fields = Fields::syscall();
        match fields.resolve(name, bracket) {
            Ok(found) => format!("{:?} {:?}", found.arg, found.ty),
            Err(FieldError::Argument(text)) => text,
            Err(FieldError::Unknown) => format!("unknown, {}?", fields.nearest(name).unwrap_or("nothing")),
        }
    }

    #[test]
    fn arguments_behind_dots() {
        assert_eq!(message("evt.arg.flags", None), "Key(\"flags\") Charbuf");
        assert_eq!(message("evt.arg", Some("1")), "Index(1) Charbuf");
        assert_eq!(message("evt.arg", Some("x")), "x is not a valid number");
        assert_eq!(message("evt.arg", None), "filter syntax error: evt.arg");
        assert_eq!(message("evt.arg.zzz", None), "unknown event argument zzz");
        assert_eq!(message("evt.rawarg.ino", None), format!("Key(\"ino\") {:?}", ParamType::Uint64));
        assert_eq!(message("evt.rawarg", Some("0")), "evt.arg fields must be expressed explicitly");
        assert_eq!(message("evt.type.is.open", None), "Codes(2, 3) Uint32");
        assert_eq!(message("evt.type.is", None), "filter syntax error: evt.type.is");
        assert_eq!(message("thread.cgroup.cpuacct", None), "Key(\"cpuacct\") Charbuf");
        assert_eq!(message("evt.abspath.dst", None), "Index(2) Charbuf");
    }

    #[test]
    fn arguments_in_brackets() {
        assert_eq!(message("proc.aname", Some("2")), "Index(2) Charbuf");
        assert_eq!(message("proc.aname", Some("-1")), "None Charbuf");
        assert_eq!(message("proc.aname", Some("x")), "unknown, proc.aname?");
        assert_eq!(message("proc.env", Some("PATH")), "Key(\"PATH\") Charbuf");
        assert_eq!(message("proc.aenv", Some("3")), "Index(3) Charbuf");
        assert_eq!(message("evt.around", Some("18446744")), "Key(\"18446744\") Uint64");
        assert_eq!(message("evt.num", Some("1")), "unknown, evt.num?");
    }

    #[test]
    fn plugin_fields_have_their_own_words() {
        assert_eq!(
            message("container.mount", None),
            "filter 'container.mount': container.mount requires an argument but none provided"
        );
        assert_eq!(
            message("container.id", Some("1")),
            "filter 'container.id[1]': container.id does not allow nor require an argument but one is provided: 1"
        );
        assert_eq!(message("k8s.pod.label", Some("app")), "Key(\"app\") Charbuf");
    }

    #[test]
    fn fields_set_beforehand_are_those_that_were_given() {
        let fields = Fields::syscall().with_fixed(["cluster".into(), "zone".into()]);
        let place = |name: &str| fields.resolve(name, None).map(|found| found.arg);
        assert_eq!((place("static.cluster"), place("static.zone")), (Ok(Arg::Index(0)), Ok(Arg::Index(1))));
        assert_eq!(place("static.other"), Err(FieldError::Unknown));
        assert_eq!(fields.fixed().collect::<Vec<_>>(), ["static.cluster", "static.zone"]);
        assert_eq!(Fields::syscall().resolve("static.zone", None), Err(FieldError::Unknown));
    }

    #[test]
    fn unknown_fields_suggest() {
        assert_eq!(message("proc.nmae", None), "unknown, proc.name?");
        assert_eq!(message("some.field", None), "unknown, nothing?");
    }
}
