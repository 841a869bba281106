//! The program, as a library for its own benches and tests; `main` only calls it.
//!
//! Here everything comes together that the crates keep apart: the command line, the configuration, reading and writing
//! of files, the terminal. What an event is, who did it and whether it matches is known there.
#![forbid(unsafe_code)]

pub mod bench;
pub mod cli;
pub mod commands;
pub mod condition;
pub mod config;
pub mod containers;
pub mod detector;
pub mod failure;
pub mod falco;
pub mod gaps;
pub mod hold;
pub mod import;
pub mod interest;
pub mod launch;
pub mod listing;
pub mod live;
pub mod log;
pub mod metrics;
pub mod output;
pub mod playback;
pub mod recorder;
pub mod reference;
pub mod reload;
pub mod ruleset;
pub mod stderr;
pub mod summary;
pub mod watch;
