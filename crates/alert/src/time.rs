//! Times as alerts print them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

fn timestamp(ns: u64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(ns)).unwrap_or(Timestamp::MAX)
}

/// `YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ` in UTC: the `time` of JSON alerts. `ns` counts from the epoch.
pub fn utc(ns: u64) -> String {
    format!("{}Z", timestamp(ns).to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S.%9f"))
}

/// `YYYY-MM-DDTHH:MM:SS.nnnnnnnnn+0000` in UTC: the field `evt.time.iso8601`.
pub fn iso8601(ns: u64) -> String {
    format!("{}+0000", timestamp(ns).to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S.%9f"))
}

/// `HH:MM:SS.nnnnnnnnn` in the given zone: the field `evt.time`.
pub fn clock(ns: u64, zone: &TimeZone) -> String {
    timestamp(ns).to_zoned(zone.clone()).strftime("%H:%M:%S.%9f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let ns = 1_795_522_412_701_071_879;
        assert_eq!(utc(ns), "2026-11-24T12:13:32.701071879Z");
        assert_eq!(iso8601(ns), "2026-11-24T12:13:32.701071879+0000");
        assert_eq!(clock(ns, &TimeZone::UTC), "12:13:32.701071879");
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(clock(5, &zone), "02:00:00.000000005");
        utc(u64::MAX);
    }
}
