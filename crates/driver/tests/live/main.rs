//! The driver on the running kernel. Every test watches only processes that it started itself.

mod budgets;
mod calls;
mod kernels;
mod load;
mod parity;
mod rings;
mod stage;
mod surface;
