//! Containers: which one a thread is in, and what is known of it.

mod cgroup;
mod info;
mod known;
mod table;

pub(crate) use cgroup::push_cgroup;
pub use cgroup::{Found, find_in, id_of};
pub use info::{Container, Engine, LABEL_MAX, Labels, Lookup, Mount, split_image};
pub(crate) use known::{Cgroups, Known};
pub(crate) use table::Containers;
pub use table::Wanted;
