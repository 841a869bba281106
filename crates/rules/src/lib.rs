//! What does a rules file say?
//!
//! Positioned YAML ([`load`] reads it), items (lists, macros, rules, requirements), append, override and exceptions,
//! expansion, and compiled rules ([`Ruleset`]). What is wrong is told three ways: Falco's JSON and text ([`falco`]) and
//! our own diagnostics that point at the place ([`pretty`]).
#![forbid(unsafe_code)]

mod code;
mod collect;
mod compile;
mod context;
mod decode;
mod describe;
mod exception;
mod expand;
pub mod falco;
mod items;
mod load;
mod output;
pub mod pretty;
mod reader;
mod result;
mod ruleset;
mod schema;
pub mod select;
mod source_map;
mod text;
mod unsafe_use;
mod version;
mod yaml;

pub use code::{ErrorCode, WarningCode};
pub use collect::Source;
pub use context::{Context, Location};
pub use describe::describe;
pub use items::PluginRequirement;
pub use load::{LoadResult, MAX_FILE, Options, RulesFile, load};
pub use output::{AddedField, OutputAddition, SUGGESTED_FIELDS};
pub use result::{Code, Diagnostic, Label, Report};
pub use ruleset::{Definitions, ExtraField, ListDefinition, MacroDefinition, Rule, RuleDefinition, Ruleset};
pub use schema::json as json_schema;
pub use version::{ENGINE_VERSION, Version};
pub use yaml::Mark;
