//! Whose is it?
//!
//! What container runtimes know of a container: name, image, labels, mounts, pod. The state meets a container by the
//! control group of a thread and knows no more than its id; [`Service`] finds out the rest on a thread of its own, ahead
//! of the events that need it, from the files that runtimes write before they start a container's first process; what no
//! file says, another thread asks of their sockets. It knows nothing of events and rules.
//!
//! Everything read is bounded and may be hostile: whoever starts containers chooses names, labels and mounts.
#![forbid(unsafe_code)]

mod api;
mod bolt;
mod containerd;
mod docker;
mod find;
mod http;
mod oci;
mod query;
mod read;
mod service;
mod settings;
mod simple;
mod storage;

pub use query::{Above, Query};
pub use service::{Figures, Service};
pub use settings::Settings;
