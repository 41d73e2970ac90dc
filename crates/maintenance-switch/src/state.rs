//! The state of the switch, on or off, and how it is written.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Whether maintenance is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchState {
    /// Maintenance is on.
    On,
    /// Maintenance is off.
    Off,
}

/// Why a value is neither on nor off. The operator writes `true` or `false` instead.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SwitchValueError {
    /// The value is empty, or white space.
    #[error("is empty; write true or false")]
    Empty,
    /// The value, here cut to its beginning, is none of the usual spellings.
    #[error("says {0:?}, which is neither true nor false")]
    Invalid(String),
}

/// How much of an invalid value is shown, in characters.
const MAX_SHOWN_CHARS: usize = 40;

impl SwitchState {
    /// Whether maintenance is on.
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

impl From<bool> for SwitchState {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

impl FromStr for SwitchState {
    type Err = SwitchValueError;

    /// Parses the usual spellings in any letter case, with white space around them.
    fn from_str(text: &str) -> Result<Self, SwitchValueError> {
        let word = text.trim();
        match word.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Self::On),
            "false" | "0" | "no" | "off" => Ok(Self::Off),
            "" => Err(SwitchValueError::Empty),
            _ => Err(SwitchValueError::Invalid(word.chars().take(MAX_SHOWN_CHARS).collect())),
        }
    }
}

impl fmt::Display for SwitchState {
    /// Writes `true` or `false`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_on() { "true" } else { "false" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_spellings_and_nothing_else_are_understood() {
        for on in ["true", "True", "TRUE", "1", "yes", "Yes", "on", " true\n", "\ttrue\r\n"] {
            assert_eq!(on.parse(), Ok(SwitchState::On), "{on:?}");
        }
        for off in ["false", "False", "0", "no", "off", "OFF", "false\n"] {
            assert_eq!(off.parse(), Ok(SwitchState::Off), "{off:?}");
        }
        for empty in ["", " ", "\n"] {
            assert_eq!(empty.parse::<SwitchState>(), Err(SwitchValueError::Empty), "{empty:?}");
        }
        for bad in ["maybe", "2", "truefalse", "true false", "\"true\"", "y", "10", "ein", "tru\u{0}e"] {
            assert_eq!(bad.parse::<SwitchState>(), Err(SwitchValueError::Invalid(bad.to_owned())), "{bad:?}");
        }
        let long = "x".repeat(1000).parse::<SwitchState>().unwrap_err().to_string();
        assert!(long.len() < 100, "{long}");
    }

    #[test]
    fn a_written_state_is_read_as_the_same() {
        for state in [SwitchState::On, SwitchState::Off] {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
    }
}
