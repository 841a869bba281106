//! Each system call, made with known arguments: every parameter of its event is checked, of the call that succeeds and
//! of the one that fails.
//!
//! The test's own thread makes the calls, so that every address and descriptor is known; calls that would change it for
//! good are made by a child. A row names the call, its arguments and what each parameter must be.

#[cfg(target_arch = "x86_64")]
mod compat;
mod data;
mod harness;
mod net;
mod process;

use harness::Surface;

#[test]
fn every_call_tells_its_parameters() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let mut surface = Surface::start();
    data::rows(&mut surface);
    net::rows(&mut surface);
    process::rows(&mut surface);
    #[cfg(target_arch = "x86_64")]
    compat::rows(&mut surface);
    surface.check();
}
