//! How long to wait before the next attempt: doubling, bounded, and not the same for everyone.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);

/// Waiting times that double from a tenth of a second up to a bound.
#[derive(Debug)]
pub struct Backoff {
    most: Duration,
    next: Duration,
    chance: RandomState,
    drawn: u64,
}

impl Backoff {
    /// Times up to `most`.
    pub fn new(most: Duration) -> Self {
        Self { most, next: FIRST.min(most), chance: RandomState::new(), drawn: 0 }
    }

    /// The next waiting time, between three quarters of what is due and all of it: receivers that come back are not
    /// met by everyone at once.
    pub fn wait(&mut self) -> Duration {
        let due = self.next;
        self.next = (due * 2).min(self.most);
        self.drawn += 1;
        let share = 0.75 + 0.25 * (self.chance.hash_one(self.drawn) % 1024) as f64 / 1024.0;
        due.mul_f64(share)
    }

    /// Begins again, after a success.
    pub fn reset(&mut self) {
        self.next = FIRST.min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_bound() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        for due in [100, 200, 400, 800, 1000, 1000] {
            let due = Duration::from_millis(due);
            let wait = backoff.wait();
            assert!(wait <= due && wait >= due.mul_f64(0.75), "{wait:?} of {due:?}");
        }
        backoff.reset();
        assert!(backoff.wait() <= FIRST);
    }
}
