//! The fields, one file a class, one row a field.

use crate::value::{Moment, Value};
use peregrine_filter::field::{Arg, FieldInfo};

/// Takes a field's value from a moment; `None` if it has none.
pub type Extract = for<'a> fn(&Moment<'a>, &Arg) -> Option<Value<'a>>;

/// One row of a field table.
#[derive(Clone, Copy)]
pub struct Field {
    /// What the language needs to know.
    pub info: FieldInfo,
    /// Where the value comes from.
    pub extract: Extract,
}
