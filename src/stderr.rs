//! Standard error as the log writes to it. While events are watched, a reader that does not read holds nobody up: lines
//! that find no room are left out and counted, and the count is said as soon as there is room again.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What a pipe or terminal that can be written to at all takes without waiting, in bytes.
const PIECE: usize = 4096;
/// How long the first line without room waits for it; those after it do not wait.
const WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

static WATCHING: AtomicBool = AtomicBool::new(false);
static STUCK: AtomicBool = AtomicBool::new(false);
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);

/// From now on nobody waits for it.
pub fn hold_nobody_up() {
    WATCHING.store(true, Relaxed);
}

/// Standard error; a call writes a line.
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let mut stderr = std::io::stderr().lock();
        if !WATCHING.load(Relaxed) {
            return stderr.write_all(line).map(|()| line.len());
        }
        let left_out = LEFT_OUT.load(Relaxed);
        let notice = format!("\n{left_out} lines of the log were left out, because nobody read them\n");
        let notice = if left_out > 0 { notice.as_bytes() } else { b"" };
        for piece in [notice, line].into_iter().flat_map(|text| text.chunks(PIECE)) {
            if !has_room(&stderr) {
                LEFT_OUT.fetch_add(1, Relaxed);
                return Ok(line.len());
            }
            stderr.write_all(piece)?;
        }
        LEFT_OUT.fetch_sub(left_out, Relaxed);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn has_room(stderr: &impl AsFd) -> bool {
    let wait = if STUCK.load(Relaxed) { Timespec { tv_sec: 0, tv_nsec: 0 } } else { WAIT };
    let mut fds = [PollFd::new(stderr, PollFlags::OUT)];
    // An error is for the write to meet.
    let room = !matches!(poll(&mut fds, Some(&wait)), Ok(0));
    STUCK.store(!room, Relaxed);
    room
}
