//! A session's hash, read with care: anybody may have written it.

use std::collections::HashMap;
use std::time::Duration;

use redis::{FromRedisValue, ParsingError, Value};
use session_domain::lifecycle::Reason;
use session_domain::shared::SharedSession;
use session_domain::{PodName, SessionId, Timestamp, UserName};

use crate::store::{Entry, Glance, Wish};

/// Owns what nobody owns by name: a session whose `pod` is missing or makes no sense.
const NOBODY: &str = "nobody";

/// The clocks of a cluster's nodes may differ by so much, in milliseconds.
const NODES_DIFFER_BY: u64 = 2_000;

/// The fields that a glance reads.
pub(super) const GLANCE: [&str; 3] = ["pod", "active", "wish"];

/// The fields of a hash. What is no UTF-8 is read with replacement characters, and makes no sense then.
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
    /// The session, and whether something in it makes no sense; `None` where there is none at all.
    pub(super) fn entry(&self, id: SessionId) -> Option<(Entry, bool)> {
        if self.0.is_empty() {
            return None;
        }
        let text = |name: &str| self.0.get(name).map(String::as_str);
        let time = |name: &str| text(name).and_then(Timestamp::parse);
        let (login_time, last_activity) = (time("login_time"), time("last_activity"));
        let pod = text("pod").and_then(PodName::new);
        let unsound = login_time.is_none() || last_activity.is_none() || pod.is_none() || text("user").is_none();
        // A time that is missing is taken for the latest there is: whoever takes the session cuts it down to now.
        let session = SharedSession {
            id,
            user: text("user").map_or_else(UserName::anonymous, UserName::from_input),
            login_time: login_time.or(last_activity).unwrap_or(Timestamp::MAX),
            last_activity: last_activity.unwrap_or(Timestamp::MAX),
            pod: pod.or_else(|| PodName::new(NOBODY))?,
            streaming: text("streaming") == Some("1"),
            told: [Reason::Shutdown, Reason::Maintenance]
                .into_iter()
                .find(|reason| text("told") == Some(reason.as_str())),
        };
        let (wish, from) = (text("wish").and_then(field_to_wish), text("from").and_then(PodName::new));
        Some((Entry { session, wish, from }, unsound))
    }
}

/// What the three fields of a glance say at `now`, in milliseconds by Redis' clock; `None` where there is no session.
pub(super) fn glance(fields: Vec<Option<Vec<u8>>>, now: u64) -> Option<Glance> {
    let mut fields = fields.into_iter().map(|field| field.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    let (pod, active, wish) = (fields.next().flatten()?, fields.next().flatten(), fields.next().flatten());
    let idle = active.and_then(|active| active.parse::<u64>().ok()).filter(|active| *active <= now + NODES_DIFFER_BY);
    Some(Glance {
        pod: PodName::new(&pod).or_else(|| PodName::new(NOBODY))?,
        // What makes no sense says nothing of any activity.
        idle: idle.map_or(Duration::MAX, |active| Duration::from_millis(now.saturating_sub(active))),
        wish: wish.as_deref().and_then(field_to_wish),
    })
}

pub(super) fn wish_to_field(wish: Wish) -> String {
    match wish {
        Wish::End { automatic: false } => "end".to_owned(),
        Wish::End { automatic: true } => "end-automatic".to_owned(),
        Wish::Rename(id) => format!("rename:{id}"),
    }
}

fn field_to_wish(text: &str) -> Option<Wish> {
    match text {
        "end" => Some(Wish::End { automatic: false }),
        "end-automatic" => Some(Wish::End { automatic: true }),
        _ => text.strip_prefix("rename:")?.parse().ok().map(Wish::Rename),
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
    fn what_is_sound_is_taken_and_what_is_not_is_noticed() {
        let (entry, unsound) = fields(&[
            ("user", "ada"),
            ("login_time", "2026-01-01T00:00:00.000Z"),
            ("last_activity", "yesterday"),
            ("pod", "user-1"),
            ("streaming", "perhaps"),
            ("wish", "three of them"),
            ("invented", "later"),
        ])
        .entry(id())
        .unwrap();
        assert!(unsound);
        assert_eq!((entry.session.user.as_str(), entry.session.pod.as_str()), ("ada", "user-1"));
        assert_eq!((entry.session.streaming, entry.session.told, entry.wish), (false, None, None));
        assert_eq!(entry.session.last_activity, Timestamp::MAX);
        let (nobodys, unsound) = fields(&[("invented", "later")]).entry(id()).unwrap();
        assert!(unsound && nobodys.session.pod.as_str() == NOBODY);
        assert!(fields(&[]).entry(id()).is_none());
    }

    #[test]
    fn a_glance_tells_idle_time_by_redis_clock_alone() {
        let read = |active: &str| {
            let fields = ["user-1", active, ""].map(|text| Some(text.as_bytes().to_vec())).to_vec();
            glance(fields, 5_000).unwrap().idle
        };
        assert_eq!(read("2000"), Duration::from_secs(3));
        assert_eq!(read("6000"), Duration::ZERO, "another node's clock");
        for senseless in ["", "soon", "9000", "-1"] {
            assert_eq!(read(senseless), Duration::MAX, "{senseless}");
        }
        assert!(glance(vec![None, None, None], 5_000).is_none());
    }

    #[test]
    fn wishes_are_read_back() {
        for wish in [Wish::End { automatic: false }, Wish::End { automatic: true }, Wish::Rename(id())] {
            assert_eq!(field_to_wish(&wish_to_field(wish)), Some(wish));
        }
    }
}
