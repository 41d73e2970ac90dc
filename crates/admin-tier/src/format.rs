//! Durations, ages and counts as text for people.

use std::time::Duration;

use session_domain::Timestamp;

/// Writes a duration: `3s`, `12m 5s`, `4h 12m`, `1d 3h 12m`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m {}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, minutes) => format!("{days}d {hours}h {minutes}m"),
    }
}

/// Writes how long ago a time was: `just now`, `12m 5s ago`.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    let passed = now.since(then);
    if passed < Duration::from_secs(5) { "just now".to_owned() } else { format!("{} ago", duration(passed)) }
}

/// Writes a number: `99,812`.
pub(crate) fn count(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a part of 1 in whole per cent, rounded down: only what is done is 100 %.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
pub(crate) fn percent(part: f64) -> u8 {
    // A part such as 0.29 lies a little below its decimal number.
    (part * 100.0 + 1e-9).floor().clamp(0.0, 100.0) as u8
}

/// Writes a number that is not zero.
pub(crate) fn nonzero_count(number: u64) -> Option<String> {
    (number > 0).then(|| count(number))
}

/// Writes a number of things: `1 session`, `99,812 sessions`.
pub(crate) fn counted(number: u64, singular: &str) -> String {
    format!("{} {singular}{}", count(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_do_not_wrap_after_a_day() {
        for (seconds, text) in [
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
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn progress_is_rounded_down() {
        let parts = [(0.0, 0), (0.29, 29), (0.999, 99), (1.0, 100)];
        assert_eq!(parts.map(|(part, _)| percent(part)), parts.map(|(_, percent)| percent));
    }

    #[test]
    fn large_numbers_have_separators() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (99_812, "99,812"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!((counted(1, "session"), counted(2_000, "pod")), ("1 session".into(), "2,000 pods".into()));
    }
}
