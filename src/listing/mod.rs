//! Lists of what rules can be made of, laid out as `falco --list` and `falco --list-events` lay them out: as text, as
//! Markdown and as one JSON document. Both `peregrine list` and `peregrine falco` print them.

mod events;
mod fields;
pub mod words;

pub use events::events;
pub use fields::{FieldsOptions, fields};

use clap::ValueEnum;

/// How a list is laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For reading in a terminal
    #[default]
    Text,
    /// For a page
    Markdown,
    /// One JSON document
    Json,
}
