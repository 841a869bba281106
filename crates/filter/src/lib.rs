//! What does a condition say?
//!
//! Text to tree ([`ast`], parser), tree to a typed, checked expression ([`typed`], check), the set of event codes a
//! condition can match, and the formats of outputs. This crate knows operators and types; the fields themselves are
//! the engine's and reach it through [`field::Catalogue`].
#![forbid(unsafe_code)]

pub mod ast;
pub mod field;
pub mod typed;
