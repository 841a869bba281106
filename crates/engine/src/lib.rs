//! Does it match?
//!
//! Fields ([`fields`], one file a class), the compiled graph of all rules, the index by event code, explanations.
#![forbid(unsafe_code)]

pub mod fields;
pub mod ops;
pub mod session;
pub mod value;

pub use session::Session;
pub use value::{Moment, Value};
