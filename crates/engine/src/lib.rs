//! Does it match?
//!
//! Fields ([`fields`], one file a class), the compiled graph of all rules, the index by event code, explanations.
#![forbid(unsafe_code)]

pub mod dynamic;
pub mod engine;
pub mod eval;
pub mod explain;
pub mod fields;
pub mod graph;
pub mod late;
pub mod names;
pub mod needs;
pub mod ops;
pub mod output;
pub mod session;
pub mod throttle;
pub mod transform;
pub mod value;

pub use engine::{Engine, EngineError, Matching, Rule};
pub use needs::EventNeeds;
pub use session::{Lack, Session};
pub use value::{Moment, Value};
