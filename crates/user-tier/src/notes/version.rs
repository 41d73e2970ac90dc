//! The version of a text: which row of which database, and how often it was saved.

use std::fmt;
use std::str::FromStr;

/// A version. Clients treat it as opaque, except that they can see whether one is later than another: `lineage-number`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Random, and set when the row is created. A database that was lost and came back empty, or another pod's memory, has others.
    pub(super) lineage: i64,
    pub(super) number: i64,
}

impl Version {
    /// The version of a text that is not in the database.
    pub const NONE: Self = Self { lineage: 0, number: 0 };

    /// The first version of a new row.
    pub(super) fn first() -> Self {
        Self { lineage: fastrand::i64(1..), number: 1 }
    }

    pub(super) const fn next(self) -> Self {
        Self { lineage: self.lineage, number: self.number + 1 }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.lineage, self.number)
    }
}

/// The text is no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidVersion;

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let (lineage, number) = text.split_once('-').ok_or(InvalidVersion)?;
        let lineage = i64::from_str_radix(lineage, 16).map_err(|_| InvalidVersion)?;
        let number = number.parse().map_err(|_| InvalidVersion)?;
        let version = Self { lineage, number };
        // Only what `Display` writes.
        if (0..i64::MAX).contains(&number) && version.to_string() == text { Ok(version) } else { Err(InvalidVersion) }
    }
}
