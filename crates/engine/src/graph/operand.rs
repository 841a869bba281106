//! Left and right sides of comparisons: fields, and transformers over them. Each has a slot, filled at most once an event.

use super::Pool;
use crate::fields::{Extract, Fields, Multi};
use peregrine_event::ParamType;
use peregrine_filter::field::{Arg, ArgForm, FieldRef};
use peregrine_filter::typed::{Operand, Transformer};

/// Index of an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub u32);

/// An operand.
#[derive(Debug, Clone)]
pub struct Slot {
    /// What it was compiled from.
    pub operand: Operand,
    /// Where its value comes from.
    pub source: Source,
    /// Type of its value, or of its value's elements.
    pub ty: ParamType,
    /// Whether its value is a list.
    pub is_list: bool,
    /// Whether it stands for several values.
    pub multi: Multi,
}

/// Where a slot's value comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A field.
    Field(Extract, Arg),
    /// A transformer over other slots, with `getopt`'s option.
    Transform(Transformer, Vec<SlotId>, Option<u8>),
    /// A text.
    Literal(Vec<u8>),
    /// A list of slots' values; missing if one is missing.
    List(Vec<SlotId>),
}

impl Pool<'_> {
    /// The slot of an operand on a comparison's side.
    pub fn slot_of(&mut self, operand: &Operand) -> SlotId {
        self.slot_within(operand, false)
    }

    /// The slot of an operand; inside a transformer a field stands for its ordinary value only.
    fn slot_within(&mut self, operand: &Operand, inside: bool) -> SlotId {
        let multi = match operand {
            Operand::Field(field) if !inside => self.fields.field(field.id).for_condition(&field.arg).1,
            _ => Multi::One,
        };
        // A field of several values gets a slot of its own when it is an argument.
        let key = match (operand, inside) {
            (Operand::Field(field), true) if self.fields.field(field.id).for_condition(&field.arg).1 != Multi::One => {
                Operand::List(vec![operand.clone()])
            }
            _ => operand.clone(),
        };
        if let Some(id) = self.slot_ids.get(&key) {
            return *id;
        }
        let slot = self.new_slot(operand, multi);
        let id = SlotId(self.slots.len() as u32);
        self.slots.push(slot);
        self.slot_ids.insert(key, id);
        id
    }

    fn new_slot(&mut self, operand: &Operand, multi: Multi) -> Slot {
        let (source, ty, is_list) = match operand {
            Operand::Field(field) => {
                let row = self.fields.field(field.id);
                let extract = match row.for_condition(&field.arg) {
                    (extract, of) if of == multi => extract,
                    _ => row.extract,
                };
                (Source::Field(extract, field.arg.clone()), field.ty, field.is_list)
            }
            Operand::Transform { kind, args, arg } => {
                let slots: Vec<SlotId> = args.iter().map(|a| self.slot_within(a, true)).collect();
                let (ty, list) =
                    slots.first().map_or((ParamType::Charbuf, false), |s| (self.slot(*s).ty, self.slot(*s).is_list));
                let selected = arg.as_ref().and_then(|a| a.bytes().next());
                let (ty, list) = match kind {
                    Transformer::Len => (ParamType::Uint64, false),
                    Transformer::Join | Transformer::Concat => (ParamType::Charbuf, false),
                    Transformer::Getopt => (ParamType::Charbuf, selected.is_none()),
                    Transformer::Toupper | Transformer::Tolower | Transformer::B64 | Transformer::Basename => {
                        (ty, list)
                    }
                };
                (Source::Transform(*kind, slots, selected), ty, list)
            }
            Operand::Literal(text) => (Source::Literal(text.clone()), ParamType::Charbuf, false),
            Operand::List(items) => {
                let slots: Vec<SlotId> = items.iter().map(|a| self.slot_within(a, true)).collect();
                let ty = slots.first().map_or(ParamType::Charbuf, |s| self.slot(*s).ty);
                (Source::List(slots), ty, true)
            }
        };
        Slot { operand: operand.clone(), source, ty, is_list, multi }
    }
}

impl Slot {
    /// The field it is, if it is one.
    pub fn field(&self) -> Option<&FieldRef> {
        match &self.operand {
            Operand::Field(field) => Some(field),
            _ => None,
        }
    }

    /// Name of the field it is, without argument; empty for transformers.
    pub fn name(&self, fields: &Fields) -> &'static str {
        self.field().map_or("", |field| fields.field(field.id).info.name)
    }
}

/// A field as a condition writes it.
pub fn field_text(field: &FieldRef, fields: &Fields) -> String {
    let info = &fields.field(field.id).info;
    match (&field.arg, info.arg) {
        (Arg::None, _) => info.name.to_string(),
        (Arg::Codes(code, _), _) => {
            let name = peregrine_event::info(*code).map_or("unknown", |event| event.name);
            format!("{}.{name}", info.name)
        }
        (Arg::Index(n), _) => format!("{}[{n}]", info.name),
        (Arg::Key(key), ArgForm::ArgNameOrIndex | ArgForm::DotName | ArgForm::DotSide) => {
            format!("{}.{key}", info.name)
        }
        (Arg::Key(key), _) => format!("{}[{key}]", info.name),
    }
}
