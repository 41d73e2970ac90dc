//! From what people write to values that make sense: every fault found, all of them reported together.

use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use maintenance_switch::Position;
use thiserror::Error;

/// The longest timeout there is.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// The shortest poll or interval there is.
pub const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// What is wrong with the options: one line each.
#[derive(Clone, Debug, Default, Error, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl Faults {
    /// Notes a fault of `variable` and what to do about it.
    pub fn push(&mut self, variable: &str, what: impl fmt::Display) {
        self.0.push(format!("{variable}: {what}"));
    }

    /// The value, if there was no fault here either.
    ///
    /// # Errors
    /// All faults, these first.
    pub(crate) fn and<T>(mut self, result: Result<T, Self>) -> Result<T, Self> {
        match result {
            Ok(value) => self.into_result(value),
            Err(others) => {
                self.0.extend(others.0);
                Err(self)
            }
        }
    }

    /// Keeps the value, or notes the fault and goes on with `instead` so that more faults are found.
    pub fn take<T>(&mut self, variable: &str, parsed: Result<T, String>, instead: T) -> T {
        parsed.unwrap_or_else(|fault| {
            self.push(variable, fault);
            instead
        })
    }

    /// Sets `place` to the value, or notes the fault and leaves the default that stands there.
    pub fn set<T>(&mut self, place: &mut T, variable: &str, parsed: Result<T, String>) {
        match parsed {
            Ok(value) => *place = value,
            Err(fault) => self.push(variable, fault),
        }
    }

    /// The value, if there was no fault.
    ///
    /// # Errors
    /// All faults, where there was one.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

/// Reads a duration as people write it (`60s`, `2m`, `1h 30m`), within `range`. A bare `0` is zero.
///
/// # Errors
/// What is wrong and what to write.
pub fn duration(text: &str, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    let parsed = match text.trim() {
        "0" => Ok(Duration::ZERO),
        text => humantime::parse_duration(text),
    };
    let duration = parsed.map_err(|_| format!("{text:?} is no duration; write it like 60s, 2m or 1h"))?;
    if range.contains(&duration) {
        return Ok(duration);
    }
    let (low, high) = (written(*range.start()), written(*range.end()));
    Err(format!("{text:?} is out of range; it must be between {low} and {high}"))
}

/// A duration as people write it: `60s`, `2m`, `1h 30m`, `24h`; seconds below two minutes, and nothing above hours.
pub fn written(duration: Duration) -> String {
    let whole = duration.as_secs();
    let (hours, minutes, seconds) =
        if whole < 120 { (0, 0, whole) } else { (whole / 3600, whole / 60 % 60, whole % 60) };
    let parts = [(hours, "h"), (minutes, "m"), (seconds, "s"), (duration.subsec_millis().into(), "ms")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}"));
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// Reads a timeout: 0 to 24 h.
///
/// # Errors
/// As [`duration`].
pub fn timeout(text: &str) -> Result<Duration, String> {
    duration(text, Duration::ZERO..=MAX_TIMEOUT)
}

/// Reads an interval: 100 ms to 24 h.
///
/// # Errors
/// As [`duration`].
pub fn interval(text: &str) -> Result<Duration, String> {
    duration(text, MIN_INTERVAL..=MAX_TIMEOUT)
}

/// Reads an address to listen on.
///
/// # Errors
/// What is wrong and what to write.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is no address; write it like 0.0.0.0:9090 or [::1]:9090"))
}

/// Reads a whole number within `range`.
///
/// # Errors
/// What is wrong and what to write.
pub fn number(text: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    let number = text.trim().parse().map_err(|_| format!("{text:?} is no whole number"))?;
    if range.contains(&number) {
        return Ok(number);
    }
    Err(format!("{text:?} is out of range; it must be between {} and {}", range.start(), range.end()))
}

/// Reads a switch.
///
/// # Errors
/// What is wrong and what to write.
pub fn switch(text: &str) -> Result<bool, String> {
    text.parse::<Position>().map(Position::is_on).map_err(|_| format!("{text:?} is neither true nor false"))
}

/// Reads one of several words.
///
/// # Errors
/// What is wrong and what the words are.
pub fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let wanted = text.trim();
    choices.iter().find(|(word, _)| wanted.eq_ignore_ascii_case(word)).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        format!("{text:?} is not known; it is one of {}", words.join(", "))
    })
}

/// The word for `value` among the choices of an option: its default as `--help` shows it.
pub fn word<T: Copy + PartialEq>(choices: &[(&str, T)], value: T) -> String {
    choices.iter().find(|(_, choice)| *choice == value).map(|(word, _)| (*word).to_owned()).unwrap_or_default()
}

/// What was given, unless it is empty: an empty variable is an unset one.
pub fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// The environment, so that a test can be a map.
pub trait Environment {
    /// The value of a variable, unless it is unset or empty.
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        // What is no UTF-8 is given all the same: its reader refuses it, or a wrong secret shows at the first cookie.
        let value = std::env::var_os(name)?.to_string_lossy().into_owned();
        Some(value).filter(|value| !value.trim().is_empty())
    }
}

impl Environment for std::collections::HashMap<&str, &str> {
    fn get(&self, name: &str) -> Option<String> {
        std::collections::HashMap::get(self, name).map(|value| (*value).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
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
    fn durations_are_written_as_people_write_them() {
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
            assert_eq!(written(Duration::from_millis(millis)), text);
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

    #[test]
    fn faults_are_reported_one_line_each() {
        let mut faults = Faults::default();
        assert_eq!(faults.take("A", Err("is wrong".to_owned()), 1), 1);
        faults.push("B", "contradicts A");
        assert_eq!(
            faults.into_result(()).map_err(|faults| faults.to_string()),
            Err("A: is wrong\nB: contradicts A".to_owned())
        );
    }
}
