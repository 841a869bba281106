//! Fields for measuring the engine.

use super::row::*;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("util.cnt", T::Uint64, F::Id, count, "Number of times that this field was taken."),
];

take! {
    count = |m| Some(Value::Uint(m.session.count()));
}
