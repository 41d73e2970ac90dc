//! On or off, and how people write it.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Where the switch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Maintenance.
    On,
    /// No maintenance.
    Off,
}

/// Why a text is no position. Whoever wrote it writes `true` or `false`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SwitchValueError {
    /// There is nothing but white space.
    #[error("says nothing; write true or false")]
    Empty,
    /// It is none of the usual spellings; its beginning.
    #[error("says {0:?}, which is neither true nor false")]
    Garbage(String),
}

/// Of what is not understood, so much is shown.
const SHOWN_CHARS: usize = 40;

impl Position {
    /// Whether there is maintenance.
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

impl From<bool> for Position {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

impl FromStr for Position {
    type Err = SwitchValueError;

    /// Reads the usual spellings, in upper or lower case, with white space around them.
    fn from_str(text: &str) -> Result<Self, SwitchValueError> {
        let word = text.trim();
        match word.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Self::On),
            "false" | "0" | "no" | "off" => Ok(Self::Off),
            "" => Err(SwitchValueError::Empty),
            _ => Err(SwitchValueError::Garbage(word.chars().take(SHOWN_CHARS).collect())),
        }
    }
}

impl fmt::Display for Position {
    /// As it is written: `true` or `false`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_on() { "true" } else { "false" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_spellings_are_understood_and_nothing_else_is() {
        for on in ["true", "True", "TRUE", "1", "yes", "Yes", "on", " true\n", "\ttrue\r\n"] {
            assert_eq!(on.parse(), Ok(Position::On), "{on:?}");
        }
        for off in ["false", "False", "0", "no", "off", "OFF", "false\n"] {
            assert_eq!(off.parse(), Ok(Position::Off), "{off:?}");
        }
        for empty in ["", " ", "\n"] {
            assert_eq!(empty.parse::<Position>(), Err(SwitchValueError::Empty), "{empty:?}");
        }
        for bad in ["maybe", "2", "truefalse", "true false", "\"true\"", "y", "10", "ein", "tru\u{0}e"] {
            assert_eq!(bad.parse::<Position>(), Err(SwitchValueError::Garbage(bad.to_owned())), "{bad:?}");
        }
        let long = "x".repeat(1000).parse::<Position>().unwrap_err().to_string();
        assert!(long.len() < 100, "{long}");
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for position in [Position::On, Position::Off] {
            assert_eq!(position.to_string().parse(), Ok(position));
        }
    }
}
