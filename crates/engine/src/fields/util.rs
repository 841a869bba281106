//! Fields for measuring the engine.

use super::row::*;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("util.cnt", T::Uint64, F::Id, count, "Number of times that this field was taken."),
];

fn count<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}
