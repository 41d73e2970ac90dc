//! Parsing and validating options. All errors are collected and reported together.

mod environment;
mod errors;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

pub use environment::{Environment, ProcessEnvironment};
pub use errors::OptionErrors;
use maintenance_switch::SwitchState;

/// The longest timeout.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// The shortest poll or interval.
pub const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// Parses a duration such as `60s`, `2m` or `1h 30m`, within `range`. A bare `0` is zero.
///
/// # Errors
/// Returns what is wrong and what to write instead.
pub fn duration(text: &str, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    let parsed = match text.trim() {
        "0" => Ok(Duration::ZERO),
        text => humantime::parse_duration(text),
    };
    let duration = parsed.map_err(|_| format!("{text:?} is no duration; write it like 60s, 2m or 1h"))?;
    if range.contains(&duration) {
        return Ok(duration);
    }
    let (low, high) = (format_duration(*range.start()), format_duration(*range.end()));
    Err(format!("{text:?} is out of range; it must be between {low} and {high}"))
}

/// Formats a duration such as `60s`, `2m`, `1h 30m` or `24h`: in seconds below two minutes, and in hours at most.
pub fn format_duration(duration: Duration) -> String {
    let whole = duration.as_secs();
    let (hours, minutes, seconds) =
        if whole < 120 { (0, 0, whole) } else { (whole / 3600, whole / 60 % 60, whole % 60) };
    let parts = [(hours, "h"), (minutes, "m"), (seconds, "s"), (duration.subsec_millis().into(), "ms")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}"));
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// Parses a timeout from 0 to 24 h.
///
/// # Errors
/// As for [`duration`].
pub fn timeout(text: &str) -> Result<Duration, String> {
    duration(text, Duration::ZERO..=MAX_TIMEOUT)
}

/// Parses an interval from 100 ms to 24 h.
///
/// # Errors
/// As for [`duration`].
pub fn interval(text: &str) -> Result<Duration, String> {
    duration(text, MIN_INTERVAL..=MAX_TIMEOUT)
}

/// Parses an address to listen on.
///
/// # Errors
/// Returns what is wrong and what to write instead.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is no address; write it like 0.0.0.0:9090 or [::1]:9090"))
}

/// Parses a whole number within `range`.
///
/// # Errors
/// Returns what is wrong and what to write instead.
pub fn number(text: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    let number = text.trim().parse().map_err(|_| format!("{text:?} is no whole number"))?;
    if range.contains(&number) {
        return Ok(number);
    }
    Err(format!("{text:?} is out of range; it must be between {} and {}", range.start(), range.end()))
}

/// Parses a switch: `true` or `false`, and the other usual spellings.
///
/// # Errors
/// Returns what is wrong and what to write instead.
pub fn switch(text: &str) -> Result<bool, String> {
    text.parse::<SwitchState>().map(SwitchState::is_on).map_err(|_| format!("{text:?} is neither true nor false"))
}

/// Parses one of several words.
///
/// # Errors
/// Returns what is wrong and which words are valid.
pub fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let wanted = text.trim();
    choices.iter().find(|(word, _)| wanted.eq_ignore_ascii_case(word)).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        format!("{text:?} is not known; it is one of {}", words.join(", "))
    })
}

/// Returns the word for a value among the choices of an option, as `--help` shows a default.
pub fn word<T: Copy + PartialEq>(choices: &[(&str, T)], value: T) -> String {
    choices.iter().find(|(_, choice)| *choice == value).map(|(word, _)| (*word).to_owned()).unwrap_or_default()
}

/// Trims the text. Returns `None` if it is empty: an empty variable counts as unset.
pub fn non_empty(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_parsed_in_the_usual_units() {
        for (text, millis) in [("60s", 60_000), ("2m", 120_000), ("1h", 3_600_000), ("0", 0), ("0s", 0), ("250ms", 250)]
        {
            assert_eq!(timeout(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "60", "-1s", "soon", "25h", "1e9"] {
            assert!(timeout(text).is_err(), "{text}");
        }
        assert!(interval("99ms").is_err());
    }

    #[test]
    fn durations_are_formatted_in_the_usual_units() {
        for (millis, text) in [
            (0, "0s"),
            (100, "100ms"),
            (60_000, "60s"),
            (90_500, "90s 500ms"),
            (120_000, "2m"),
            (5_400_000, "1h 30m"),
            (86_400_000, "24h"),
            (90_061_000, "25h 1m 1s"),
        ] {
            assert_eq!(format_duration(Duration::from_millis(millis)), text);
        }
        assert_eq!(timeout("25h"), Err("\"25h\" is out of range; it must be between 0s and 24h".to_owned()));
    }

    #[test]
    fn an_error_says_what_to_write() {
        assert_eq!(
            choice("never", &[("hurry", 1), ("ignore", 2)]),
            Err("\"never\" is not known; it is one of hurry, ignore".to_owned())
        );
        assert_eq!(switch("TRUE"), Ok(true));
        assert!(switch("maybe").is_err());
        assert_eq!(number("0", 1..=5), Err("\"0\" is out of range; it must be between 1 and 5".to_owned()));
        assert!(address("localhost").is_err());
    }
}
