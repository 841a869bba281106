//! A token bucket: how often something may be said.

/// Tokens come at a fixed rate up to a fixed number; who finds one may act.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenBucket {
    rate: f64,
    capacity: f64,
    tokens: f64,
    last: u64,
}

impl TokenBucket {
    /// A full bucket. `rate` is in tokens per second, `now` in nanoseconds.
    pub fn new(rate: f64, capacity: f64, now: u64) -> Self {
        Self { rate, capacity, tokens: capacity, last: now }
    }

    /// Takes a token, if there is one. A clock that goes back brings no tokens.
    pub fn claim(&mut self, now: u64) -> bool {
        let elapsed = now.saturating_sub(self.last) as f64 / 1e9;
        self.last = now;
        self.tokens = (self.tokens + self.rate * elapsed).min(self.capacity);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_burst_then_the_rate() {
        let mut bucket = TokenBucket::new(0.5, 2.0, SECOND);
        assert!(bucket.claim(SECOND) && bucket.claim(SECOND));
        assert!(!bucket.claim(SECOND + 1));
        assert!(bucket.claim(3 * SECOND + 2));
        assert!(!bucket.claim(4 * SECOND));
        assert!(!bucket.claim(0));
        assert!(bucket.claim(100 * SECOND) && bucket.claim(100 * SECOND) && !bucket.claim(100 * SECOND));
    }
}
