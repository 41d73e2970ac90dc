//! Which sessions are meant: by pod, user, a part of their name or id, and by how they stand.

use uuid::Uuid;

use super::query::QueryError;
use super::rows::Row;
use super::view::FleetView;
use session_domain::{SessionId, normalize_text};

/// How a session stands. Of a pod that cannot be heard nobody knows whether its sessions are present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Its pod counts it as present. Where the pod does not say, something of it is open now.
    Present,
    /// It is held, and not present.
    Idle,
    /// It was told of the notice that runs now.
    Notified,
    /// It was not told of one, or none runs.
    NotNotified,
    /// Its pod cannot be heard: this is what was known last.
    LastKnown,
    /// Its times cannot be true, or several pods claim it.
    Doubtful,
}

impl SessionState {
    /// All of them, in the order of the API.
    pub const ALL: [Self; 6] =
        [Self::Present, Self::Idle, Self::Notified, Self::NotNotified, Self::LastKnown, Self::Doubtful];

    /// The state's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Idle => "idle",
            Self::Notified => "told",
            Self::NotNotified => "not_told",
            Self::LastKnown => "last_known",
            Self::Doubtful => "doubtful",
        }
    }

    /// Reads a name; `connected` and `not_connected` are other names of the first two.
    fn parse(name: &str) -> Option<Self> {
        match name {
            "connected" => Some(Self::Present),
            "not_connected" => Some(Self::Idle),
            name => Self::ALL.into_iter().find(|state| state.as_str() == name),
        }
    }

    pub(super) fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    /// Whether pods that come, go or fall silent change who is meant.
    const fn depends_on_links(self) -> bool {
        matches!(self, Self::Present | Self::Idle | Self::LastKnown)
    }
}

impl Row {
    /// Whether its times cannot be true, or several pods claim it.
    pub fn is_doubtful(&self) -> bool {
        self.doubtful || !self.also_at.is_empty()
    }
}

/// Which sessions are meant; an empty text means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pod: String,
    user: String,
    part: String,
    state: Option<SessionState>,
    present: Option<bool>,
}

impl Filter {
    /// Sessions of this pod and this user (both exact) with this part in their user or id, in capitals or not. Names are found
    /// in whatever normal form of Unicode they are asked for.
    pub fn new(pod: &str, user: &str, part: &str) -> Self {
        let part = normalize_text(part.trim()).to_lowercase();
        Self { pod: pod.into(), user: normalize_text(user), part, ..Self::default() }
    }

    /// Only those of them that stand so; an empty name means all.
    ///
    /// # Errors
    /// Where there is no such state.
    pub fn in_state(self, name: &str) -> Result<Self, QueryError> {
        match SessionState::parse(name) {
            None if !name.is_empty() => Err(QueryError::State),
            state => Ok(Self { state, ..self }),
        }
    }

    /// Only those of them that are present (`true`), or that are not (`false`); an empty text means all.
    ///
    /// # Errors
    /// Where the text is neither.
    pub fn connected(self, text: &str) -> Result<Self, QueryError> {
        let present = match text {
            "" => None,
            "true" => Some(true),
            "false" => Some(false),
            _ => return Err(QueryError::Connected),
        };
        Ok(Self { present, ..self })
    }

    /// The states that are asked for: the one that is named, and presence.
    fn states(&self) -> impl Iterator<Item = SessionState> {
        let presence = self.present.map(|is| if is { SessionState::Present } else { SessionState::Idle });
        self.state.into_iter().chain(presence)
    }

    /// Whether every session matches.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a row of this view matches.
    pub fn matches(&self, row: &Row, view: &FleetView) -> bool {
        let session = &row.session;
        (self.pod.is_empty() || self.pod == session.pod.as_str())
            && (self.user.is_empty() || self.user == session.user.as_str())
            && self.states().all(|state| stands(row, state, view))
            && (self.part.is_empty()
                || contains(session.user.as_str(), &self.part)
                || (could_be_of_an_id(&self.part) && is_in_id(session.id, &self.part)))
    }

    /// Whether pods that come, go or fall silent change who is meant.
    pub(super) fn depends_on_links(&self) -> bool {
        self.states().any(SessionState::depends_on_links)
    }

    /// Spells it out. Lengths keep `a` + `bc` apart from `ab` + `c`.
    pub(super) fn scope(&self) -> String {
        let Self { pod, user, part, .. } = self;
        let states: Vec<_> = self.states().map(SessionState::as_str).collect();
        format!("{}:{pod} {}:{user} {}:{part} {}", pod.len(), user.len(), part.len(), states.join("+"))
    }
}

fn stands(row: &Row, state: SessionState, view: &FleetView) -> bool {
    match state {
        SessionState::Present => row.session.is_present() && !view.is_stale(row),
        SessionState::Idle => !row.session.is_present() && !view.is_stale(row),
        SessionState::Notified => row.session.notified,
        SessionState::NotNotified => !row.session.notified,
        SessionState::LastKnown => view.is_stale(row),
        SessionState::Doubtful => row.is_doubtful(),
    }
}

/// Whether `part`, in small letters, stands in a text, in capitals or not. Most names are ASCII: those cost no memory.
fn contains(text: &str, part: &str) -> bool {
    if text.is_ascii() {
        return part.is_ascii()
            && text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()));
    }
    text.to_lowercase().contains(part)
}

fn is_in_id(id: SessionId, part: &str) -> bool {
    id.as_uuid().hyphenated().encode_lower(&mut Uuid::encode_buffer()).contains(part)
}

fn could_be_of_an_id(part: &str) -> bool {
    part.len() <= 36 && part.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_for_in_the_form_that_names_are_kept_in() {
        assert_eq!(Filter::new("", "Zoe\u{308}", " ZOE\u{308} "), Filter::new("", "Zoë", "zoë"));
        assert!(contains("Zoë Åse", &Filter::new("", "", "A\u{30A}SE").part));
    }
}
