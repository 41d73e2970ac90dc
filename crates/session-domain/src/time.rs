//! Points in time, in whole milliseconds of UTC. They are always passed in, never read from a clock.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat};
use serde::{Serialize, Serializer};

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z. `Display` writes RFC 3339 with milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest time that RFC 3339 can write: the last millisecond of the year 9999.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// Makes a timestamp of milliseconds since the Unix epoch; negative values lie before it.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The time since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Adds `duration`; the result is at most [`Timestamp::MAX`].
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis).min(Self::MAX.0))
    }

    /// Subtracts `duration`.
    pub fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// The time in UTC, to the second, for readers in any time zone: `2026-07-01 09:30:00 UTC`.
    pub fn to_utc_string(self) -> String {
        match DateTime::from_timestamp_millis(self.0) {
            Some(time) => time.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            None => self.to_string(),
        }
    }

    /// Parses RFC 3339; `None` if the text is something else.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|time| Self(time.timestamp_millis()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_millis(self.0) {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "{} ms after the Unix epoch", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_utc_to_the_second() {
        assert_eq!(Timestamp::parse("2026-07-01T09:30:00.123Z").unwrap().to_utc_string(), "2026-07-01 09:30:00 UTC");
    }

    #[test]
    fn is_written_as_rfc_3339_in_utc_with_milliseconds() {
        let time = Timestamp::from_millis(1_763_289_000_007);
        assert_eq!(time.to_string(), "2025-11-16T10:30:00.007Z");
        assert_eq!(Timestamp::parse("2025-11-16T10:30:00.007Z"), Some(time));
        assert_eq!(Timestamp::parse("2025-11-16T12:30:00.007+02:00"), Some(time));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn arithmetic_saturates_and_never_wraps() {
        let start = Timestamp::from_millis(1_000);
        assert_eq!(start.since(Timestamp::from_millis(5_000)), Duration::ZERO);
        assert_eq!(start.plus(Duration::MAX), Timestamp::MAX);
        assert_eq!(start.plus(Duration::from_secs(1)).since(start), Duration::from_secs(1));
        assert_eq!(start.minus(Duration::from_secs(1)).as_millis(), 0);
    }
}
