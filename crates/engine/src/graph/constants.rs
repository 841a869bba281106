//! What is known of a field from the kind of event alone.

use super::Kind;
use super::atom::{AtomKey, AtomRhs};
use super::operand::Slot;
use crate::fields::Fields;
use crate::ops::{Literal, compare, text::ordered};
use crate::value::Value;
use peregrine_event::category::EC_IO_BASE;
use peregrine_event::eflags::{EF_CREATES_FD, EF_DESTROYS_FD, EF_READS_FROM_FD, EF_USES_FD, EF_WAITS, EF_WRITES_TO_FD};
use peregrine_event::{EventInfo, code, sc, table};
use peregrine_filter::ast::Op;
use peregrine_filter::field::Arg;

/// What is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Known {
    /// It depends on the event.
    No,
    /// It has no value on any such event.
    Missing,
    /// It has this value on every such event.
    Value(Value<'static>),
}

impl Kind {
    /// Its event code.
    pub fn code(self) -> u16 {
        match self {
            Self::Code(code) | Self::Generic(code, _) => code,
        }
    }

    /// Its row in the event table.
    pub fn info(self) -> &'static EventInfo {
        &table::EVENTS[usize::from(self.code())]
    }

    /// Its name, as `evt.type` gives it; `None` if the event itself says.
    pub fn name(self) -> Option<&'static str> {
        match self {
            // An unknown call may still be named by its native number.
            Self::Generic(code::GENERIC_X, 0) => None,
            Self::Generic(code::GENERIC_X, call) => Some(sc::name(call).unwrap_or("unknown")),
            Self::Generic(..) => Some(self.info().name),
            Self::Code(code::ASYNCEVENT_E) => None,
            Self::Code(_) => Some(self.info().name),
        }
    }
}

/// Descriptor fields exist only on events that make, use or end a descriptor.
const FD: u32 = EF_CREATES_FD | EF_USES_FD | EF_DESTROYS_FD;

/// What is known of an operand on a kind of event.
pub fn known(slot: &Slot, fields: &Fields, kind: Kind) -> Known {
    let Some(field) = slot.field() else { return Known::No };
    let info = kind.info();
    let text = |text: &'static str| Known::Value(Value::Bytes(text.as_bytes()));
    let truth = |truth: bool| Known::Value(Value::Bool(truth));
    match slot.name(fields) {
        "evt.type" if field.arg == Arg::None => kind.name().map_or(Known::No, text),
        "syscall.type" if !info.is_syscall() => Known::Missing,
        "syscall.type" => kind.name().map_or(Known::No, text),
        "evt.dir" => text(if kind.code() & 1 == 0 { ">" } else { "<" }),
        "evt.is_io" => truth(info.has(EF_READS_FROM_FD | EF_WRITES_TO_FD)),
        "evt.is_io_read" => truth(info.has(EF_READS_FROM_FD)),
        "evt.is_io_write" => truth(info.has(EF_WRITES_TO_FD)),
        "evt.is_wait" => truth(info.has(EF_WAITS)),
        "evt.is_open_read" | "evt.is_open_write" if !opens(kind) => truth(false),
        "evt.is_open_exec" | "evt.is_open_create" if !opens(kind) && kind.code() != code::SYSCALL_CREAT_X => {
            truth(false)
        }
        "evt.res" | "evt.rawres" | "evt.failed" if !returns(kind) => Known::Missing,
        "evt.buflen" if info.category & EC_IO_BASE == 0 => Known::Missing,
        "evt.arg" | "evt.rawarg" => argument(&field.arg, info),
        name if name.starts_with("fd.") && !info.has(FD) => Known::Missing,
        _ => Known::No,
    }
}

fn opens(kind: Kind) -> bool {
    matches!(kind.info().name, "open" | "openat" | "openat2" | "open_by_handle_at")
}

/// Whether the events have a return value.
fn returns(kind: Kind) -> bool {
    let info = kind.info();
    kind.code() & 1 == 1 && !matches!(kind, Kind::Generic(..)) && info.is_syscall() && !info.params.is_empty()
}

fn argument(arg: &Arg, info: &EventInfo) -> Known {
    let there = match arg {
        Arg::Key(name) => info.param(name).is_some(),
        Arg::Index(n) => (*n as usize) < info.params.len(),
        Arg::None | Arg::Codes(..) => true,
    };
    if there { Known::No } else { Known::Missing }
}

/// The outcome of a comparison of `evt.num`, where it is sure: events are counted from 1.
pub fn event_number(key: &AtomKey) -> Option<bool> {
    let AtomRhs::Consts(consts) = &key.rhs else { return None };
    let least = Value::Uint(1);
    match (key.op, &consts[..]) {
        (Op::Exists, _) => Some(true),
        (Op::In, _) => consts.iter().all(is_zero).then_some(false),
        (Op::Ne, [only]) => is_zero(only).then_some(true),
        (Op::Lt | Op::Le, [only]) => (!ordered(key.op, compare(least, only)?)).then_some(false),
        (Op::Gt | Op::Ge, [only]) => ordered(key.op, compare(least, only)?).then_some(true),
        _ => None,
    }
}

fn is_zero(literal: &Literal) -> bool {
    matches!(literal, Literal::Uint(0) | Literal::Int(0))
}
