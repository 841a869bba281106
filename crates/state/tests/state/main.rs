//! What events change, family by family, and that nothing they hold can break the state or its bounds.

mod bounds;
mod build;
mod descriptors;
mod lineage;
mod misc;
mod old;
mod sockets;
mod steady;
mod tree;
