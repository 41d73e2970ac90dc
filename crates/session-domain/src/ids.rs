//! The names of sessions, tasks, pods and users.

mod user_name;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};
pub use user_name::{ANONYMOUS, MAX_USER_CHARS, UserName, normalize_text, visible_line};
use uuid::Uuid;

/// Identifies a session. Not a secret: a session id alone opens nothing, the signed cookie does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(Uuid);

impl SessionId {
    /// Makes an id of a UUID. The UUID must be random (version 4), so that ids are unique across all pods.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID behind the id.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for SessionId {
    type Err = uuid::Error;

    /// Parses a UUID in any of its usual forms.
    ///
    /// # Errors
    /// If the text is not a UUID.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Identifies a task of a session. Not a secret: only the task's own session may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(Uuid);

impl TaskId {
    /// Makes an id of a UUID. The UUID must be random (version 4), so that ids are unique across all pods.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID behind the id.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for TaskId {
    type Err = uuid::Error;

    /// Parses a UUID in any of its usual forms.
    ///
    /// # Errors
    /// If the text is not a UUID.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

impl Serialize for TaskId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The name of a pod (`POD_NAME`): 1 to 253 bytes without control characters. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodName(Arc<str>);

impl PodName {
    /// Makes a name of a text, without surrounding white space. `None` if it is empty then, has control characters, or is
    /// longer than a DNS name (253 bytes).
    pub fn new(name: &str) -> Option<Self> {
        let name = name.trim();
        let fits = !name.is_empty() && name.len() <= 253 && !name.chars().any(char::is_control);
        fits.then(|| Self(name.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for PodName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_name_is_never_empty() {
        assert_eq!(PodName::new("  "), None);
        assert_eq!(PodName::new("a\nb"), None);
        assert_eq!(PodName::new(" user-1 ").map(|n| n.to_string()), Some("user-1".into()));
    }
}
