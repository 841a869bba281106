//! Each system call, made with known arguments: every parameter of its event is checked, of the call that succeeds and
//! of the one that fails.
//!
//! The test's own thread makes the calls, so that every address and descriptor is known; calls that would change it for
//! good are made by a child. A row names the call, its arguments and what each parameter must be.

#[cfg(target_arch = "x86_64")]
mod compat;
mod coverage;
mod data;
mod files;
mod harness;
mod kernel;
mod memory;
mod net;
mod process;
mod wait;

use harness::Surface;

#[test]
fn every_call_tells_its_parameters() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut surface = Surface::start();
    for rows in [files::rows, data::rows, net::rows, memory::rows, wait::rows, kernel::rows, process::rows] {
        rows(&mut surface);
    }
    #[cfg(target_arch = "x86_64")]
    compat::rows(&mut surface);
    surface.check();
}
