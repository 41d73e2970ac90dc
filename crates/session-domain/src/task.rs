//! The values of a task: work that runs for a session longer than a request.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::ids::visible_line;
use crate::session::{MAX_TASK_KIND_CHARS, MAX_TASK_LABEL_CHARS};

/// A value that no task has. The text says what is valid.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum InvalidTask {
    /// The kind is too long.
    #[error("`kind` must have at most {MAX_TASK_KIND_CHARS} characters")]
    Kind,
    /// The label is too long.
    #[error("`label` must have at most {MAX_TASK_LABEL_CHARS} characters")]
    Label,
    /// The progress is outside of its range.
    #[error("`progress` must be a number from 0 to 1")]
    Progress,
    /// The lease is outside of its range.
    #[error("`lease_seconds` must be a whole number from {} to {}", TaskLease::MIN_SECONDS, TaskLease::MAX_SECONDS)]
    Lease,
}

/// What a task is: its kind, such as `export`, and what the user calls it. Each is one line of visible text, and may be empty.
/// HTML is kept: escape both where they are shown. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskName {
    kind: Arc<str>,
    label: Arc<str>,
}

impl TaskName {
    /// Makes a name of any two texts that are short enough. Control characters, direction marks and fillers are removed.
    ///
    /// # Errors
    /// If a text has more than [`MAX_TASK_KIND_CHARS`] or [`MAX_TASK_LABEL_CHARS`] characters (Unicode scalar values).
    pub fn new(kind: &str, label: &str) -> Result<Self, InvalidTask> {
        let kind = line(kind, MAX_TASK_KIND_CHARS).ok_or(InvalidTask::Kind)?;
        let label = line(label, MAX_TASK_LABEL_CHARS).ok_or(InvalidTask::Label)?;
        Ok(Self { kind, label })
    }

    /// The kind.
    pub const fn kind(&self) -> &Arc<str> {
        &self.kind
    }

    /// The label.
    pub const fn label(&self) -> &Arc<str> {
        &self.label
    }
}

fn line(text: &str, max_chars: usize) -> Option<Arc<str>> {
    let fits = |text: &str| text.chars().nth(max_chars).is_none();
    // The normal form of a few texts is longer than they are.
    fits(text).then(|| visible_line(text)).filter(|line| fits(line)).map(Into::into)
}

/// How much of a task is done, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct TaskProgress(f64);

impl TaskProgress {
    /// Takes a number from 0 to 1.
    ///
    /// # Errors
    /// If it is outside of that range, or not a number.
    pub fn new(progress: f64) -> Result<Self, InvalidTask> {
        // Adding 0 makes 0 of -0.
        if (0.0..=1.0).contains(&progress) { Ok(Self(progress + 0.0)) } else { Err(InvalidTask::Progress) }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Eq for TaskProgress {}

/// How long a task runs without being renewed: 1 to 3600 whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskLease(u16);

impl TaskLease {
    /// The shortest lease.
    pub const MIN_SECONDS: u16 = 1;
    /// The longest lease.
    pub const MAX_SECONDS: u16 = 3_600;

    /// Takes a number of seconds.
    ///
    /// # Errors
    /// If it is outside of the range.
    pub fn from_seconds(seconds: u64) -> Result<Self, InvalidTask> {
        let seconds = u16::try_from(seconds).map_err(|_| InvalidTask::Lease)?;
        let is_valid = (Self::MIN_SECONDS..=Self::MAX_SECONDS).contains(&seconds);
        if is_valid { Ok(Self(seconds)) } else { Err(InvalidTask::Lease) }
    }

    /// The duration.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

impl Default for TaskLease {
    /// 60 s.
    fn default() -> Self {
        Self(60)
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskOutcome {
    /// Its client or its code ended it.
    Done,
    /// Its lease ran out.
    Lapsed,
    /// Its session ended, or the time for work in progress was over.
    Cut,
}

impl TaskOutcome {
    /// All outcomes, in the order of the metrics.
    pub const ALL: [Self; 3] = [Self::Done, Self::Lapsed, Self::Cut];

    /// The outcome as the label of the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Lapsed => "lapsed",
            Self::Cut => "cut",
        }
    }
}

/// What has been counted of tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskTotals {
    /// Tasks that run now.
    pub running: u64,
    pub(crate) ended: [u64; 3],
}

impl TaskTotals {
    /// Tasks that ended with `outcome`.
    pub const fn ended(&self, outcome: TaskOutcome) -> u64 {
        self.ended[outcome as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_at_most_64_and_200_characters_however_many_bytes_they_take() {
        let name = |kind: &str, label: &str| TaskName::new(kind, label);
        assert_eq!(name("", "").map(|name| name.kind().to_string()), Ok(String::new()));
        let longest = name(&"ü".repeat(64), &"🚀".repeat(200)).unwrap();
        assert_eq!((longest.kind().chars().count(), longest.label().chars().count()), (64, 200));
        assert_eq!(name(&"ü".repeat(65), ""), Err(InvalidTask::Kind));
        assert_eq!(name("", &"🚀".repeat(201)), Err(InvalidTask::Label));
        assert_eq!(name("", &"\n".repeat(201)), Err(InvalidTask::Label));
        // Two characters in the normal form.
        assert_eq!(name(&"\u{0958}".repeat(33), ""), Err(InvalidTask::Kind));
        assert_eq!(&**name("ex\u{202e}port", "a\r\n b").unwrap().label(), "a b");
        assert_eq!(&**name("ex\u{202e}port", "").unwrap().kind(), "export");
    }

    #[test]
    fn progress_and_lease_have_their_ranges() {
        for valid in [0.0, -0.0, 0.5, 1.0] {
            assert!(TaskProgress::new(valid).unwrap().get().is_sign_positive());
        }
        for invalid in [-0.1, 1.000_001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(TaskProgress::new(invalid), Err(InvalidTask::Progress));
        }
        for valid in [1, 60, 3_600] {
            assert_eq!(TaskLease::from_seconds(valid).unwrap().duration(), Duration::from_secs(valid));
        }
        for invalid in [0, 3_601, 31_536_000, u64::MAX] {
            assert_eq!(TaskLease::from_seconds(invalid), Err(InvalidTask::Lease));
        }
    }

    #[test]
    fn the_text_of_an_error_says_what_is_valid() {
        assert_eq!(InvalidTask::Lease.to_string(), "`lease_seconds` must be a whole number from 1 to 3600");
        assert_eq!(InvalidTask::Kind.to_string(), "`kind` must have at most 64 characters");
    }
}
