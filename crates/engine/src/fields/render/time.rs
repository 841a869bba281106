//! Times as text.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::{self, Write};

fn local(ns: u64, zone: &TimeZone) -> jiff::Zoned {
    Timestamp::from_nanosecond(i128::from(ns)).unwrap_or(Timestamp::MAX).to_zoned(zone.clone())
}

/// Writes a time in nanoseconds since the epoch by a `strftime` pattern (`%9f` are the nanoseconds).
pub(crate) fn write(out: &mut impl Write, ns: u64, zone: &TimeZone, pattern: &str) -> fmt::Result {
    write!(out, "{}", local(ns, zone).strftime(pattern))
}

/// `HH:MM:SS.nnnnnnnnn`.
pub(crate) const CLOCK: &str = "%H:%M:%S.%9f";
/// `HH:MM:SS`.
pub(crate) const CLOCK_S: &str = "%H:%M:%S";
/// `YYYY-MM-DD HH:MM:SS.nnnnnnnnn`.
pub(crate) const DATETIME: &str = "%Y-%m-%d %H:%M:%S.%9f";
/// `YYYY-MM-DD HH:MM:SS`.
pub(crate) const DATETIME_S: &str = "%Y-%m-%d %H:%M:%S";
/// `YYYY-MM-DDTHH:MM:SS.nnnnnnnnn+zzzz`; used in UTC.
pub(crate) const ISO8601: &str = "%Y-%m-%dT%H:%M:%S.%9f%z";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let text = |zone: &TimeZone, pattern| {
            let mut out = String::new();
            write(&mut out, 1_795_522_412_701_071_879, zone, pattern).unwrap();
            out
        };
        let east = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(text(&TimeZone::UTC, CLOCK), "12:13:32.701071879");
        assert_eq!(text(&east, DATETIME), "2026-11-24 14:13:32.701071879");
        assert_eq!(text(&TimeZone::UTC, ISO8601), "2026-11-24T12:13:32.701071879+0000");
        assert_eq!(text(&east, DATETIME_S), "2026-11-24 14:13:32");
    }
}
