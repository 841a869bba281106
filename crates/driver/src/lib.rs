//! How do events leave the kernel?

pub mod counters;

/// The compiled kernel programs, aligned as the object's reader needs it.
pub static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/driver.bpf.o"));
