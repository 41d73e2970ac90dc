//! Durations and ages as people read them.

use std::time::Duration;

use session_domain::Timestamp;

/// `3s`, `12m 5s`, `4h 12m`, `1d 3h 12m`: never wraps, whatever the length.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m {}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, minutes) => format!("{days}d {hours}h {minutes}m"),
    }
}

/// `just now`, or how long ago.
pub(super) fn ago(then: Timestamp, now: Timestamp) -> String {
    let passed = now.since(then);
    if passed < Duration::from_secs(5) { "just now".to_owned() } else { format!("{} ago", duration(passed)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_do_not_wrap_after_a_day() {
        for (seconds, words) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m 0s"),
            (3_599, "59m 59s"),
            (3_600, "1h 0m"),
            (86_399, "23h 59m"),
            (86_400, "1d 0h 0m"),
            (97_920, "1d 3h 12m"),
            (40_000_000, "462d 23h 6m"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), words);
        }
    }
}
