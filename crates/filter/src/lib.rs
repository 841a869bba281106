//! What does a condition say?
//!
//! Text to tree ([`ast`], [`parser`]), tree to a typed, checked expression ([`typed`], [`check`]), the set of event
//! codes a condition can match ([`events`]), and the formats of outputs ([`format`]). This crate knows operators and
//! types; the fields themselves are the engine's and reach it through [`field::Catalogue`].
#![forbid(unsafe_code)]

pub mod ast;
pub mod check;
pub mod constant;
pub mod error;
pub mod events;
pub mod field;
pub mod format;
mod lexer;
mod lint;
pub mod parser;
pub mod print;
pub mod regex_posix;
mod services;
pub mod suggest;
pub mod typed;
pub mod types;

pub use check::{Checked, check};
pub use error::{CheckError, CheckErrorKind, ParseError, Position};
pub use lexer::{is_bare_text, is_identifier, value_bytes};
pub use parser::parse;
pub use print::print;
