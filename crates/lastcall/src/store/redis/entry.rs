//! Decodes a session's hash. Other programs may have written it, so nothing is assumed to be valid.

use std::collections::HashMap;
use std::time::Duration;

use redis::{FromRedisValue, ParsingError, Value};
use session_domain::lifecycle::Reason;
use session_domain::shared::SharedSession;
use session_domain::{PodName, SessionId, Timestamp, UserName};

use super::task;
use crate::store::{OwnerRequest, SessionEntry, Summary};

/// Stands for the owner of a session whose `pod` is missing or invalid. It has no lease: any pod may adopt the session.
const UNKNOWN_OWNER: &str = "unowned";

/// The most by which the clocks of a cluster's nodes differ, in milliseconds.
const MAX_CLOCK_SKEW_MS: u64 = 2_000;

/// The fields that a summary reads.
pub(super) const SUMMARY: [&str; 4] = ["pod", "active", "request", "protected"];

/// The fields of a hash. Bytes that are not UTF-8 become replacement characters, and the field is invalid then.
#[derive(Debug, Default)]
pub(super) struct Fields(HashMap<String, String>);

impl FromRedisValue for Fields {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let fields: HashMap<String, Vec<u8>> = redis::from_redis_value(value)?;
        let lossy = |(name, value): (String, Vec<u8>)| (name, String::from_utf8_lossy(&value).into_owned());
        Ok(Self(fields.into_iter().map(lossy).collect()))
    }
}

impl Fields {
    /// Whether there are tasks among them.
    pub(super) fn has_tasks(&self) -> bool {
        self.0.keys().any(|name| task::is_task(name))
    }

    /// The session, and whether a field is invalid; `None` where the hash is empty. `now` is the time in milliseconds by Redis' clock,
    /// needed where there are tasks.
    pub(super) fn entry(&self, id: SessionId, now: u64) -> Option<(SessionEntry, bool)> {
        if self.0.is_empty() {
            return None;
        }
        let text = |name: &str| self.0.get(name).map(String::as_str);
        let time = |name: &str| text(name).and_then(Timestamp::parse);
        let (login_time, last_activity) = (time("login_time"), time("last_activity"));
        let pod = text("pod").and_then(PodName::new);
        let has_invalid_fields =
            login_time.is_none() || last_activity.is_none() || pod.is_none() || text("user").is_none();
        // A missing time counts as the latest there is. The pod that serves the session cuts it to now.
        let session = SharedSession {
            id,
            user: text("user").map_or_else(UserName::anonymous, UserName::from_input),
            login_time: login_time.or(last_activity).unwrap_or(Timestamp::MAX),
            last_activity: last_activity.unwrap_or(Timestamp::MAX),
            pod: pod.or_else(|| PodName::new(UNKNOWN_OWNER))?,
            pinned: text("streaming") == Some("1"),
            protected: text("protected") == Some("1"),
            notified: [Reason::Shutdown, Reason::Maintenance]
                .into_iter()
                .find(|reason| text("notified") == Some(reason.as_str())),
        };
        let request = text("request").and_then(field_to_request);
        let previous_owner = text("previous_owner").and_then(PodName::new);
        let tasks = self.0.iter().filter_map(|(name, value)| task::from_field(name, value, now)).collect();
        Some((SessionEntry { session, request, previous_owner, tasks, is_replaced: false }, has_invalid_fields))
    }
}

/// Decodes the fields of a summary at `now`, in milliseconds by Redis' clock; `None` where there is no session.
pub(super) fn summary(fields: Vec<Option<Vec<u8>>>, now: u64) -> Option<Summary> {
    let mut fields = fields.into_iter().map(|field| field.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    let (pod, active, request) = (fields.next().flatten()?, fields.next().flatten(), fields.next().flatten());
    let active =
        active.and_then(|active| active.parse::<u64>().ok()).filter(|active| *active <= now + MAX_CLOCK_SKEW_MS);
    Some(Summary {
        pod: PodName::new(&pod).or_else(|| PodName::new(UNKNOWN_OWNER))?,
        // An invalid time says nothing about activity.
        idle: active.map_or(Duration::MAX, |active| Duration::from_millis(now.saturating_sub(active))),
        request: request.as_deref().and_then(field_to_request),
        protected: fields.next().flatten().as_deref() == Some("1"),
    })
}

pub(super) fn request_to_field(request: OwnerRequest) -> String {
    match request {
        OwnerRequest::End { automatic: false } => "end".to_owned(),
        OwnerRequest::End { automatic: true } => "end-automatic".to_owned(),
        OwnerRequest::Rename(id) => format!("rename:{id}"),
    }
}

pub(super) fn field_to_request(text: &str) -> Option<OwnerRequest> {
    match text {
        "end" => Some(OwnerRequest::End { automatic: false }),
        "end-automatic" => Some(OwnerRequest::End { automatic: true }),
        _ => text.strip_prefix("rename:")?.parse().ok().map(OwnerRequest::Rename),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn id() -> SessionId {
        SessionId::from_uuid(Uuid::from_u128(7))
    }

    #[test]
    fn valid_fields_are_taken_and_invalid_ones_are_reported() {
        let (entry, has_invalid_fields) = fields(&[
            ("user", "ada"),
            ("login_time", "2026-01-01T00:00:00.000Z"),
            ("last_activity", "yesterday"),
            ("pod", "user-1"),
            ("streaming", "perhaps"),
            ("request", "three of them"),
            ("invented", "later"),
        ])
        .entry(id(), 0)
        .unwrap();
        assert!(has_invalid_fields);
        assert_eq!((entry.session.user.as_str(), entry.session.pod.as_str()), ("ada", "user-1"));
        assert_eq!((entry.session.pinned, entry.session.notified, entry.request), (false, None, None));
        assert_eq!(entry.session.last_activity, Timestamp::MAX);
        let (unowned, has_invalid_fields) = fields(&[("invented", "later")]).entry(id(), 0).unwrap();
        assert!(has_invalid_fields && unowned.session.pod.as_str() == UNKNOWN_OWNER);
        assert!(fields(&[]).entry(id(), 0).is_none());
    }

    #[test]
    fn a_summary_gives_the_idle_time_by_redis_clock_alone() {
        let read = |active: &str| {
            let fields = ["user-1", active, "", "0"].map(|text| Some(text.as_bytes().to_vec())).to_vec();
            summary(fields, 5_000).unwrap().idle
        };
        assert_eq!(read("2000"), Duration::from_secs(3));
        assert_eq!(read("6000"), Duration::ZERO, "another node's clock");
        for invalid in ["", "soon", "9000", "-1"] {
            assert_eq!(read(invalid), Duration::MAX, "{invalid}");
        }
        assert!(summary(vec![None, None, None, None], 5_000).is_none());
    }

    #[test]
    fn requests_are_read_back() {
        for request in
            [OwnerRequest::End { automatic: false }, OwnerRequest::End { automatic: true }, OwnerRequest::Rename(id())]
        {
            assert_eq!(field_to_request(&request_to_field(request)), Some(request));
        }
    }
}
