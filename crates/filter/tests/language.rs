//! Checking and output formats against a small catalogue of fields.

use peregrine_event::{ParamType as T, PrintFormat as F};
use peregrine_filter::ast::Op;
use peregrine_filter::check::TypedOperand;
use peregrine_filter::field::{Arg, ArgForm, Catalogue, FieldError, FieldId, FieldInfo, FieldRef, flag};
use peregrine_filter::format::{self, Piece};
use peregrine_filter::typed::{Const, Expr, Operand, Rhs, Transformer};
use peregrine_filter::{CheckErrorKind, check, parse};

const fn row(name: &'static str, ty: T, is_list: bool, arg: ArgForm, flags: u16) -> FieldInfo {
    FieldInfo { name, ty, fmt: F::Na, is_list, arg, flags, doc: "" }
}

const ROWS: [FieldInfo; 9] = [
    row("evt.type", T::Charbuf, false, ArgForm::None, 0),
    row("proc.name", T::Charbuf, false, ArgForm::None, 0),
    row("proc.aname", T::Charbuf, false, ArgForm::IndexOptional, flag::NO_RHS | flag::NO_TRANSFORMER),
    row("proc.pid", T::Int64, false, ArgForm::None, 0),
    row("fd.name", T::Fspath, false, ArgForm::None, 0),
    row("fd.types", T::Charbuf, true, ArgForm::None, 0),
    row("fd.net", T::Ipnet, false, ArgForm::None, flag::NO_RHS),
    row("fd.sport", T::Port, false, ArgForm::None, 0),
    row("evt.buffer", T::Bytebuf, false, ArgForm::None, 0),
];

struct Small;

impl Catalogue for Small {
    fn resolve(&self, name: &str, bracket: Option<&str>) -> Result<FieldRef, FieldError> {
        let at = ROWS.iter().position(|r| r.name == name).ok_or(FieldError::Unknown)?;
        let row = &ROWS[at];
        let arg = match bracket {
            None => Arg::None,
            Some(text) if row.arg == ArgForm::IndexOptional => {
                Arg::Index(text.parse().map_err(|_| FieldError::Argument(format!("{text} is not a valid number")))?)
            }
            Some(_) => return Err(FieldError::Unknown),
        };
        Ok(FieldRef { id: FieldId(at as u16), arg, ty: row.ty, is_list: row.is_list })
    }

    fn info(&self, id: FieldId) -> &FieldInfo {
        &ROWS[usize::from(id.0)]
    }

    fn nearest(&self, name: &str) -> Option<&'static str> {
        peregrine_filter::suggest::nearest(name, ROWS.iter().map(|r| r.name))
    }
}

fn typed(text: &str) -> Expr {
    check(&parse(text).unwrap(), &Small).unwrap().expr
}

fn refused(text: &str) -> (CheckErrorKind, String) {
    let error = check(&parse(text).unwrap(), &Small).unwrap_err();
    (error.kind, error.message)
}

#[test]
fn nested_junctions_are_flattened() {
    let Expr::And(children) = typed("proc.pid=1 and (proc.pid=2 and (proc.pid=3 or (proc.pid=4 or proc.pid=5)))")
    else {
        panic!("not a conjunction")
    };
    assert_eq!(children.len(), 3);
    assert!(matches!(&children[2], Expr::Or(inner) if inner.len() == 3));
}

#[test]
fn constants_take_the_fields_type() {
    let consts = |text: &str| match typed(text) {
        Expr::Check(check) => match check.rhs {
            Rhs::Consts(consts) => consts,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(consts("proc.pid = -1"), [Const::Int(-1)]);
    assert_eq!(consts("fd.sport in (http, 8080)"), [Const::Uint(80), Const::Uint(8080)]);
    assert_eq!(consts("fd.net = 10.0.0.0/8"), [Const::Net([10, 0, 0, 0].into(), 8)]);
    assert_eq!(consts("evt.buffer bcontains 00ff"), [Const::Bytes(vec![0, 0xff])]);
    assert_eq!(consts("evt.buffer contains \"\\xff\\x00\""), [Const::Bytes(vec![0xff, 0])]);
    assert_eq!(consts("len(fd.types) > 2"), [Const::Uint(2)]);
    assert_eq!(consts("proc.name in name_of_list"), [Const::Bytes(b"name_of_list".to_vec())]);
}

#[test]
fn faults_have_a_kind_and_a_place() {
    use CheckErrorKind::*;
    let unknown = check(&parse("proc.pid=1 and proc.nmae=cat").unwrap(), &Small).unwrap_err();
    assert_eq!((unknown.span.start, unknown.span.end, unknown.anchor), (15, 24, 15));
    assert_eq!(unknown.help.as_deref(), Some("did you mean 'proc.name'?"));
    for (text, kind, message) in [
        ("proc.aname[x]=a", FieldArgument, "x is not a valid number"),
        ("proc.pid glob 1", Operator, "filter error: 'glob' operator not supported for numeric filters"),
        ("fd.types = file", Operator, "filter error: '=' operator not supported list filters"),
        ("proc.pid = 0x10", Constant, "0x10 is not a valid number"),
        ("proc.name regex \"[\"", Constant, "invalid regex pattern: missing ]: ["),
        ("evt.type = opne", UnknownEvent, "unknown event type opne"),
        (
            "toupper(proc.pid) = 1",
            Transformer,
            "can't add field transformer: type 'INT64' is not supported by 'toupper' transformer applied on field 'proc.pid'",
        ),
        ("toupper(proc.aname) = a", Transformer, "field 'proc.aname' does not support transformers"),
        ("proc.name = val(proc.aname)", Sides, "field 'proc.aname' can't be used as a right-hand side field"),
        (
            "proc.name = val(proc.pid)",
            Sides,
            "field 'proc.name' has type 'CHARBUF' while the right-hand side field 'proc.pid' has incompatible type 'INT64'",
        ),
        ("proc.name pmatch val(fd.name)", Sides, "operator 'PMATCH' doesn't support right-hand side fields"),
        ("a_macro", Identifier, "filter error: unexpected identifier 'a_macro'"),
    ] {
        assert_eq!(refused(text), (kind, message.to_owned()), "{text}");
    }
}

#[test]
fn transformers_nest() {
    let Expr::Check(check) = typed("getopt(fd.types, \"ab:\")[b] = val(proc.name)") else { panic!() };
    assert_eq!(check.op, Op::Eq);
    assert!(matches!(check.lhs, Operand::Transform { kind: Transformer::Getopt, arg: Some(ref a), .. } if a == "b"));
    assert!(matches!(check.rhs, Rhs::Operand(Operand::Field(_))));
    let nested = format!("{}proc.name{} = A", "toupper(".repeat(400), ")".repeat(400));
    typed(&nested);
    assert!(parse(&format!("{}proc.name{} = A", "toupper(".repeat(2000), ")".repeat(2000))).is_err());
}

#[test]
fn impossible_comparisons_are_noted() {
    let notes = |text: &str| {
        let notes = check(&parse(text).unwrap(), &Small).unwrap().notes;
        notes.into_iter().map(|n| n.message).collect::<Vec<_>>().join("; ")
    };
    assert!(notes("proc.name = a-name-of-more-than-fifteen").contains("at most 15 bytes"));
    assert!(notes("proc.name in ()").contains("the list is empty"));
    assert!(notes("fd.sport = 70000").contains("above 65535"));
    assert_eq!(notes("proc.name = cat and fd.sport = 80"), "");
}

#[test]
fn formats_take_the_longest_field() {
    let format = format::parse("*a %proc.name.x %5proc.aname[2]%fd.name", &Small).unwrap();
    assert!(!format.require_all);
    let shown: Vec<String> = format
        .pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => format!("'{text}'"),
            Piece::Value { text, width, .. } => format!("{text}:{width}"),
        })
        .collect();
    assert_eq!(shown, ["'a '", "proc.name:0", "'.x '", "proc.aname[2]:5", "fd.name:0"]);
    let keys: Vec<&str> = format.keys.iter().map(|k| k.name.as_str()).collect();
    assert_eq!(keys, ["proc.name", "proc.aname[2]", "fd.name"]);
}

#[test]
fn transformed_tokens_have_two_keys() {
    let format = format::parse("%toupper(tolower(proc.name))", &Small).unwrap();
    let keys: Vec<(&str, bool)> = format.keys.iter().map(|k| (k.name.as_str(), k.transformed)).collect();
    assert_eq!(keys, [("proc.name", false), ("toupper(tolower(proc.name))", true)]);
    let Piece::Value { value: TypedOperand { ty, is_list, .. }, .. } = &format.pieces[0] else { panic!() };
    assert_eq!((*ty, *is_list), (T::Charbuf, false));
}

#[test]
fn bad_formats_are_refused() {
    let refused = |text: &str| format::parse(text, &Small).unwrap_err();
    assert_eq!(refused("").message, "empty formatting token");
    assert_eq!(refused("100%").message, "invalid formatting syntax: formatting cannot end with a %");
    assert_eq!(refused("a %5").message, "invalid formatting syntax: formatting cannot end with a number");
    let unknown = refused("x %proc.nmae");
    assert_eq!((unknown.message.as_str(), unknown.offset), ("unknown filter: unexpected token after '", 2));
    assert_eq!(unknown.help.as_deref(), Some("did you mean 'proc.name'?"));
    assert!(refused("%99999999999proc.name").message.contains("a width is at most"));
    // Long tokens that make no field must not take quadratic time.
    assert!(format::parse(&format!("%{}", "a.b".repeat(30_000)), &Small).is_err());
}
