//! Text of parameters and values.
//!
//! [`param`]: a parameter as upstream words it, twice: *plain* and *resolved*. [`value`]: a field's value as text.
//! [`json`]: a field's value as JSON. [`number`], [`names`], [`socket`], [`time`]: their parts.

pub mod json;
pub(super) mod names;
pub(super) mod number;
pub(super) mod param;
pub(super) mod socket;
pub(super) mod time;
pub mod value;
