//! The load and compile verdicts of the corpus, with the engine's whole catalogue of fields.

mod conditions;
mod deviations;
mod loader_cases;
mod rule_files;
