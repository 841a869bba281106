//! Output formats at a moment: the message of an alert, its `output_fields`, a line of `dump`.

use crate::fields::Fields;
use crate::fields::render;
use crate::late;
use crate::transform;
use crate::value::{Moment, Value};
use bumpalo::collections::Vec as BumpVec;
use peregrine_alert::Json;
use peregrine_event::PrintFormat;
use peregrine_filter::check::TypedOperand;
use peregrine_filter::format::{Format, Piece};
use peregrine_filter::typed::Operand;

/// Appends the format's text. A missing value prints `<NA>`; `false`, and nothing appended, if one is missing and the
/// format demands all.
pub fn write(format: &Format, fields: &Fields, moment: &Moment<'_>, out: &mut String) -> bool {
    let start = out.len();
    for piece in &format.pieces {
        let begin = out.len();
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Value { value, width, .. } => {
                let present = write_operand(value, fields, moment, out);
                if !present && format.require_all {
                    out.truncate(start);
                    return false;
                }
                fit(out, begin, *width as usize);
            }
        }
    }
    true
}

/// The format with every value put in that does not wait for the container.
pub fn settle(format: &Format, fields: &Fields, moment: &Moment<'_>) -> Format {
    let settled = |piece: &Piece| match piece {
        Piece::Value { value, .. } if !late::is_late(&value.operand, fields) => {
            let one = Format { pieces: vec![piece.clone()], ..Format::default() };
            let mut text = String::new();
            write(&one, fields, moment, &mut text);
            Piece::Literal(text)
        }
        piece => piece.clone(),
    };
    Format { pieces: format.pieces.iter().map(settled).collect(), ..format.clone() }
}

/// The values of the format's fields, typed, by their texts; those under transformers only if asked for.
pub fn values(format: &Format, fields: &Fields, moment: &Moment<'_>, transformed: bool) -> Vec<(String, Json)> {
    let wanted = format.keys.iter().filter(|key| transformed || !key.transformed);
    wanted.map(|key| (key.name.clone(), json(&key.value, fields, moment))).collect()
}

/// A field's or a transformer's value as JSON, `null` if it has none.
pub fn json(value: &TypedOperand, fields: &Fields, moment: &Moment<'_>) -> Json {
    match &value.operand {
        Operand::Field(field) => fields.field(field.id).to_json(moment, field),
        operand => {
            let found = evaluate(operand, fields, moment);
            render::json::of_value(found.as_ref(), value.ty, PrintFormat::Na)
        }
    }
}

fn write_operand(value: &TypedOperand, fields: &Fields, moment: &Moment<'_>, out: &mut String) -> bool {
    match &value.operand {
        Operand::Field(field) => fields.field(field.id).to_text(moment, field, out),
        operand => {
            let found = evaluate(operand, fields, moment);
            match &found {
                Some(found) => render::value::write(out, found, value.ty, PrintFormat::Dec),
                None => out.push_str("<NA>"),
            }
            found.is_some()
        }
    }
}

/// An operand's value: a field's, a transformer's over its arguments', or a literal.
fn evaluate<'a>(operand: &'a Operand, fields: &Fields, moment: &Moment<'a>) -> Option<Value<'a>> {
    match operand {
        Operand::Field(field) => (fields.field(field.id).extract)(moment, &field.arg),
        Operand::Literal(bytes) => Some(Value::Bytes(bytes)),
        Operand::List(items) => Some(Value::List(all(items, fields, moment)?)),
        Operand::Transform { kind, args, arg } => {
            let values = all(args, fields, moment)?;
            transform::apply(*kind, values, arg.as_ref().and_then(|text| text.bytes().next()), moment.scratch)
        }
    }
}

fn all<'a>(operands: &'a [Operand], fields: &Fields, moment: &Moment<'a>) -> Option<&'a [Value<'a>]> {
    let mut values = BumpVec::with_capacity_in(operands.len(), moment.scratch);
    for operand in operands {
        values.push(evaluate(operand, fields, moment)?);
    }
    Some(values.into_bump_slice())
}

/// Pads with spaces or cuts what stands behind `begin` to a width in bytes; 0 leaves it.
fn fit(out: &mut String, begin: usize, width: usize) {
    if width == 0 {
        return;
    }
    let mut end = out.len().min(begin + width);
    while !out.is_char_boundary(end) {
        end -= 1;
    }
    out.truncate(end);
    out.extend(std::iter::repeat_n(' ', width - (end - begin)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Session;
    use bumpalo::Bump;
    use peregrine_event::{Event, EventWriter, code};
    use peregrine_filter::format::parse;
    use peregrine_state::State;

    fn shown(text: &str) -> (Option<String>, Vec<(String, Json)>) {
        let fields = Fields::syscall();
        let mut writer = EventWriter::new(1_000_000_000, 7, code::SYSCALL_CLOSE_X);
        writer.push(&0i64.to_le_bytes());
        writer.push(&3i64.to_le_bytes());
        let bytes = writer.finish();
        let event = Event::parse(&bytes, 0).unwrap();
        let mut state = State::default();
        let context = state.begin(&event);
        let (scratch, session) = (Bump::new(), Session::default());
        let moment = Moment {
            event: &event,
            context: &context,
            state: &state,
            source: "syscall",
            scratch: &scratch,
            session: &session,
        };
        let format = parse(text, &fields).unwrap();
        let mut out = String::new();
        let complete = write(&format, &fields, &moment, &mut out);
        (complete.then_some(out), values(&format, &fields, &moment, false))
    }

    #[test]
    fn text_and_values() {
        let (text, values) = shown("*%evt.type by %evt.abspath: %toupper(evt.type)|%8evt.type|%2evt.type|");
        assert_eq!(text.unwrap(), "close by <NA>: CLOSE|close   |cl|");
        assert_eq!(values[0], ("evt.type".into(), Json::Text("close".into())));
        assert_eq!(values[1], ("evt.abspath".into(), Json::Null));
        assert!(values.iter().all(|(key, _)| !key.contains("toupper")));
    }

    #[test]
    fn missing_values_suppress_a_line_that_demands_all() {
        assert_eq!(shown("%evt.type %evt.abspath").0, None);
        assert_eq!(shown("%evt.type").0.unwrap(), "close");
    }
}
