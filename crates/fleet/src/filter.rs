//! Which sessions a query matches: by pod, user, a part of user or id, and state.

use session_domain::{SessionId, normalize_text};
use uuid::Uuid;

use crate::query_error::QueryError;
use crate::rows::Row;
use crate::session_state::SessionState;

/// Which sessions match. An empty part of the filter matches all sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pod: String,
    user: String,
    part: String,
    state: Option<SessionState>,
    present: Option<bool>,
}

impl Filter {
    /// Matches sessions of this pod and this user (both exact) whose user or id contains `part`, without regard to case. All
    /// Unicode normal forms of a name match.
    pub fn new(pod: &str, user: &str, part: &str) -> Self {
        let part = normalize_text(part.trim()).to_lowercase();
        Self { pod: pod.into(), user: normalize_text(user), part, ..Self::default() }
    }

    /// Restricts the filter to sessions in this state; an empty name is no restriction.
    ///
    /// # Errors
    /// If there is no such state.
    pub fn in_state(self, name: &str) -> Result<Self, QueryError> {
        match SessionState::parse(name) {
            None if !name.is_empty() => Err(QueryError::State),
            state => Ok(Self { state, ..self }),
        }
    }

    /// Restricts the filter to sessions that are present (`true`) or idle (`false`); an empty text is no restriction.
    ///
    /// # Errors
    /// If the text is none of these.
    pub fn connected(self, text: &str) -> Result<Self, QueryError> {
        let present = match text {
            "" => None,
            "true" => Some(true),
            "false" => Some(false),
            _ => return Err(QueryError::Connected),
        };
        Ok(Self { present, ..self })
    }

    /// The states that a session must have.
    fn states(&self) -> impl Iterator<Item = SessionState> {
        let presence = self.present.map(|is| if is { SessionState::Present } else { SessionState::Idle });
        self.state.into_iter().chain(presence)
    }

    /// Whether all sessions match.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a row matches; `is_stale` says whether its pod is unreachable.
    pub(crate) fn matches(&self, row: &Row, is_stale: impl Fn() -> bool) -> bool {
        let session = &row.session;
        (self.pod.is_empty() || self.pod == session.pod.as_str())
            && (self.user.is_empty() || self.user == session.user.as_str())
            && self.states().all(|state| state.matches(row, state.depends_on_reachability() && is_stale()))
            && (self.part.is_empty()
                || contains(session.user.as_str(), &self.part)
                || (may_be_in_id(&self.part) && is_in_id(session.id, &self.part)))
    }

    /// Whether the matches change when a pod becomes reachable or unreachable.
    pub(crate) fn depends_on_reachability(&self) -> bool {
        self.states().any(SessionState::depends_on_reachability)
    }

    /// Spells out the filter. The lengths distinguish `a` + `bc` from `ab` + `c`.
    pub(crate) fn scope(&self) -> String {
        let Self { pod, user, part, .. } = self;
        let states: Vec<_> = self.states().map(SessionState::as_str).collect();
        format!("{}:{pod} {}:{user} {}:{part} {}", pod.len(), user.len(), part.len(), states.join("+"))
    }
}

/// Whether a text contains `part`, which is in lower case, without regard to case. ASCII texts, as most names are, cost no
/// allocation.
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

fn may_be_in_id(part: &str) -> bool {
    part.len() <= 36 && part.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_normalizes_names_as_user_names_are_normalized() {
        assert_eq!(Filter::new("", "Zoe\u{308}", " ZOE\u{308} "), Filter::new("", "Zoë", "zoë"));
        assert!(contains("Zoë Åse", &Filter::new("", "", "A\u{30A}SE").part));
    }
}
