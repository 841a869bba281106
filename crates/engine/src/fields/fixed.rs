//! Fields whose values the configuration sets (`static_fields`): `static.NAME`. A catalogue has them only if it was
//! given their names; the values stand in the session, in the same order.

use super::row::*;

/// How their names begin.
pub(super) const PREFIX: &str = "static.";

pub(super) const ROW: Field =
    f("static", T::Charbuf, F::Na, value, "Text that the configuration sets under that name.").arg(A::DotName);

fn value<'a>(m: &Moment<'a>, arg: &Arg) -> Option<Value<'a>> {
    let Arg::Index(place) = arg else { return None };
    m.session.fixed.get(*place as usize).map(|text| Value::Bytes(text))
}
