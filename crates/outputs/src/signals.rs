//! How a worker is told to open anew or to come to an end, also while it waits for something else.

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Requests to one worker.
#[derive(Debug)]
pub(crate) struct Signals {
    event: OwnedFd,
    reopen: AtomicBool,
    stop: OnceLock<Instant>,
}

impl Signals {
    /// No request yet.
    pub(crate) fn new() -> std::io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { event, reopen: AtomicBool::new(false), stop: OnceLock::new() })
    }

    /// Asks for opening anew.
    pub(crate) fn request_reopen(&self) {
        self.reopen.store(true, SeqCst);
        self.ring();
    }

    /// Asks for an end, at the latest at the given time. Only the first call counts.
    pub(crate) fn request_stop(&self, deadline: Instant) {
        let _ = self.stop.set(deadline);
        self.ring();
    }

    /// By when the end must have come, if it was asked for.
    pub(crate) fn stop(&self) -> Option<Instant> {
        self.stop.get().copied()
    }

    /// Whether the time for coming to an end is over.
    pub(crate) fn over(&self) -> bool {
        self.stop().is_some_and(|at| Instant::now() >= at)
    }

    /// `time`, or less where the end comes earlier.
    pub(crate) fn at_most(&self, time: Duration) -> Duration {
        self.stop().map_or(time, |at| time.min(at.saturating_duration_since(Instant::now())))
    }

    /// Whether opening anew is asked for, not yet taken notice of.
    pub(crate) fn reopen(&self) -> bool {
        self.reopen.load(SeqCst)
    }

    /// Takes notice of a request to open anew.
    pub(crate) fn take_reopen(&self) -> bool {
        self.reopen.swap(false, SeqCst)
    }

    /// Waits for the time, or until a request comes; the end bounds it.
    pub(crate) fn pause(&self, time: Duration) {
        self.watch(None, time);
    }

    /// Waits until one of the flags holds for the descriptor, a request comes, or the time is over: what held.
    pub(crate) fn watch(&self, on: Option<(BorrowedFd<'_>, PollFlags)>, time: Duration) -> PollFlags {
        self.quieten();
        if self.reopen() {
            return PollFlags::empty();
        }
        let time = Timespec::try_from(self.at_most(time)).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
        let mut fds = vec![PollFd::new(&self.event, PollFlags::IN)];
        if let Some((fd, flags)) = on {
            fds.push(PollFd::from_borrowed_fd(fd, flags));
        }
        // An interrupted wait is a short one: whoever waits looks at what it waits for.
        let _ = poll(&mut fds, Some(&time));
        fds.get(1).map_or(PollFlags::empty(), PollFd::revents)
    }

    fn ring(&self) {
        // It can only fail when it is ringing already.
        let _ = rustix::io::write(self.event.as_fd(), &1_u64.to_ne_bytes());
    }

    fn quieten(&self) {
        let _ = rustix::io::read(self.event.as_fd(), &mut [0; 8]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_a_pause() {
        let signals = Signals::new().unwrap();
        signals.request_reopen();
        let begun = Instant::now();
        signals.pause(Duration::from_secs(60));
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert!(signals.take_reopen() && !signals.take_reopen());
        signals.request_stop(Instant::now());
        signals.pause(Duration::from_secs(60));
        assert!(begun.elapsed() < Duration::from_secs(30) && signals.over());
    }
}
