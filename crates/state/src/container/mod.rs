//! Containers: which one a thread is in, and what captures tell of them.

mod cgroup;
mod info;
pub(crate) mod json;
mod known;

pub use cgroup::id_of;
pub(crate) use cgroup::push_cgroup;
pub use info::{Container, Containers};
pub(crate) use known::{Cgroups, Known};
