//! Users and groups, of the host and of containers.

pub use peregrine_capture::tables::{Group, User};
