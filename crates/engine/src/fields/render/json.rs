//! A field's value as JSON: what `output_fields` of alerts and `dump --json` show.

use super::value;
use crate::fields::{Field, Json as Form, event};
use crate::value::{Moment, Value};
use peregrine_alert::Json;
use peregrine_event::{ParamType as T, PrintFormat as F};
use peregrine_filter::field::FieldRef;

/// A value of a field of type `ty` that prints as `fmt`: numbers that print as plain decimals are numbers, all other
/// forms of numbers are texts.
pub fn of_value(value: Option<&Value<'_>>, ty: T, fmt: F) -> Json {
    let text = |value: &Value<'_>| {
        let mut out = String::new();
        value::write(&mut out, value, ty, fmt);
        Json::Text(out)
    };
    match value {
        None => Json::Null,
        Some(Value::Bool(value)) => Json::Bool(*value),
        Some(Value::Double(value)) => Json::Double(*value),
        Some(Value::Int(value)) if plain(fmt) => Json::Int(*value),
        Some(Value::Uint(value)) if plain(fmt) => Json::Uint(*value),
        // Upstream's `tojson` begins with null and appends.
        Some(Value::List([])) => Json::Null,
        Some(Value::List(values)) => Json::Array(values.iter().map(|v| of_value(Some(v), ty, fmt)).collect()),
        Some(value) => text(value),
    }
}

fn plain(fmt: F) -> bool {
    matches!(fmt, F::Dec | F::Id | F::Na)
}

impl Field {
    /// The field's value at a moment, as JSON; `null` without value.
    pub fn to_json(&self, moment: &Moment<'_>, field: &FieldRef) -> Json {
        if self.json == Form::EventTime {
            return Json::Uint(moment.event.ts);
        }
        let value = self.value(moment, field);
        let (ty, fmt) = self.shape(moment, field);
        let fmt = if self.json == Form::Number { F::Dec } else { fmt };
        of_value(value.as_ref(), ty, fmt)
    }

    /// Appends the field's value at a moment as text, `<NA>` without value; whether it had one.
    pub fn to_text(&self, moment: &Moment<'_>, field: &FieldRef, out: &mut String) -> bool {
        let value = self.value(moment, field);
        let (ty, fmt) = self.shape(moment, field);
        match &value {
            Some(value) => value::write(out, value, ty, fmt),
            None => out.push_str("<NA>"),
        }
        value.is_some()
    }

    /// The field's value for output. A list field has a list also where it gives one value.
    fn value<'a>(&self, moment: &Moment<'a>, field: &FieldRef) -> Option<Value<'a>> {
        (self.extract)(moment, &field.arg).map(|value| match value {
            value if field.is_list && !matches!(value, Value::List(_)) => {
                Value::List(std::slice::from_ref(moment.scratch.alloc(value)))
            }
            value => value,
        })
    }

    /// Type and print format of the field's value at a moment.
    fn shape(&self, moment: &Moment<'_>, field: &FieldRef) -> (T, F) {
        let of_row = (field.ty, self.info.fmt);
        if self.info.ty == T::Dyn { event::rawarg_shape(moment, &field.arg).unwrap_or(of_row) } else { of_row }
    }
}
