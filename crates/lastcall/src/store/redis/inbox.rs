//! A pod's inbox: a Redis stream that the pod blocks on. Reading removes nothing, so an answer that is lost is given again.
//! Acknowledged messages are trimmed.

use std::time::Duration;

use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use redis::{FromRedisValue, Value, cmd};
use session_domain::lifecycle::Reason;
use session_domain::{PodName, SessionId, TaskId};

use super::timeouts::MAX_BLOCK;
use super::{RedisStore, entry, keys, millis, task};
use crate::store::{InboxPage, InboxPosition, Message, StoreError};

/// An inbox expires this long after its last message: its pod is gone.
const INBOX_TTL: Duration = Duration::from_secs(3_600);

/// Messages that are read together.
const BATCH: usize = 1_000;

/// The most messages that an inbox holds. An owner that falls behind further finds the rest by its sweep.
const CAPACITY: usize = 100_000;

/// Where a stream begins.
const BEGINNING: &str = "0-0";

pub(super) async fn send(store: &RedisStore, pod: &PodName, message: &Message) -> Result<(), StoreError> {
    let (kind, ids, detail) = match message {
        Message::Adopted(id) => ("adopted", id.to_string(), String::new()),
        Message::Requested(id, request) => ("requested", id.to_string(), entry::request_to_field(*request)),
        Message::Notified(id, reason) => ("notified", id.to_string(), reason.as_str().to_owned()),
        Message::Active(ids) => {
            ("active", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(","), String::new())
        }
        Message::Task(id, task) => {
            let remaining = crate::clock::millis(task.remaining);
            ("task", id.to_string(), format!("{} {remaining} {}", task.id, task::to_json(task)))
        }
        Message::TaskEnded(id, task) => ("task-ended", id.to_string(), task.to_string()),
        Message::TasksCut(id) => ("tasks-cut", id.to_string(), String::new()),
        Message::Renamed(old, new) => ("renamed", old.to_string(), new.to_string()),
    };
    let key = keys::inbox(pod);
    let mut add = cmd("XADD");
    add.arg(&key).arg("MAXLEN").arg("~").arg(CAPACITY).arg("*").arg("kind").arg(kind).arg("id").arg(ids);
    if !detail.is_empty() {
        add.arg("detail").arg(detail);
    }
    let expire = cmd("PEXPIRE").arg(&key).arg(millis(INBOX_TTL)).clone();
    // One after the other: a redirect in a cluster may swap two commands that are sent together, and a message that follows its
    // own expiry creates an inbox that never expires.
    let _: Value = store.query(&add).await?;
    let _: Value = store.query(&expire).await?;
    Ok(())
}

pub(super) async fn read(
    store: &RedisStore,
    pod: &PodName,
    after: &InboxPosition,
    wait: Duration,
) -> Result<InboxPage, StoreError> {
    let after = after.as_str().unwrap_or(BEGINNING);
    if wait.is_zero() {
        let range =
            cmd("XRANGE").arg(keys::inbox(pod)).arg(format!("({after}")).arg("+").arg("COUNT").arg(BATCH).clone();
        let reply: StreamRangeReply = match store.query(&range).await {
            Err(StoreError::Refused(_)) => StreamRangeReply::default(),
            reply => reply?,
        };
        return Ok(inbox(&reply.ids));
    }
    let mut slot = store.inbox.lock().await;
    let mut connection = match slot.take() {
        Some(connection) => connection,
        None => store.link.dedicated().await?,
    };
    let block = millis(wait.min(MAX_BLOCK));
    let mut read = cmd("XREAD");
    read.arg("COUNT").arg(BATCH).arg("BLOCK").arg(block).arg("STREAMS").arg(keys::inbox(pod)).arg(after);
    let reply: Option<StreamReadReply> =
        read.query_async(&mut connection).await.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    *slot = Some(connection);
    Ok(reply.and_then(|reply| reply.keys.into_iter().next()).map(|stream| inbox(&stream.ids)).unwrap_or_default())
}

pub(super) async fn acknowledge(store: &RedisStore, pod: &PodName, through: &InboxPosition) -> Result<(), StoreError> {
    let Some(next) = through.as_str().and_then(next) else { return Ok(()) };
    let _: Value = store.query(cmd("XTRIM").arg(keys::inbox(pod)).arg("MINID").arg(next)).await?;
    Ok(())
}

/// The smallest id after this one.
fn next(id: &str) -> Option<String> {
    let (millis, sequence) = id.split_once('-')?;
    Some(format!("{millis}-{}", sequence.parse::<u64>().ok()?.checked_add(1)?))
}

fn inbox(ids: &[StreamId]) -> InboxPage {
    InboxPage {
        messages: ids.iter().filter_map(message).collect(),
        last: ids.last().map(|last| InboxPosition::new(last.id.as_str())),
    }
}

/// Decodes a message; `None` where it is invalid: another release may have written it.
fn message(entry: &StreamId) -> Option<Message> {
    let text = |field: &str| {
        let value = entry.map.get(field)?;
        String::from_redis_value(value.clone()).ok()
    };
    let (ids, detail) = (text("id")?, text("detail"));
    let mut ids = ids.split(',').filter_map(|id| id.parse::<SessionId>().ok());
    Some(match text("kind")?.as_str() {
        "adopted" => Message::Adopted(ids.next()?),
        "requested" => Message::Requested(ids.next()?, entry::field_to_request(&detail?)?),
        "notified" if detail.as_deref() == Some(Reason::Maintenance.as_str()) => {
            Message::Notified(ids.next()?, Reason::Maintenance)
        }
        "notified" => Message::Notified(ids.next()?, Reason::Shutdown),
        "active" => Message::Active(ids.collect()),
        "task" => Message::Task(ids.next()?, shared_task(&detail?)?),
        "task-ended" => Message::TaskEnded(ids.next()?, detail?.parse().ok()?),
        "tasks-cut" => Message::TasksCut(ids.next()?),
        "renamed" => Message::Renamed(ids.next()?, detail?.parse().ok()?),
        _ => return None,
    })
}

/// Decodes a task: its id, its remaining milliseconds, and the other fields as JSON.
fn shared_task(detail: &str) -> Option<session_domain::shared::SharedTask> {
    let (id, rest) = detail.split_once(' ')?;
    let (remaining, json) = rest.split_once(' ')?;
    task::from_json(id.parse::<TaskId>().ok()?, Duration::from_millis(remaining.parse().ok()?), json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_after_an_id_has_the_next_sequence_number() {
        assert_eq!(next("1700000000000-0").as_deref(), Some("1700000000000-1"));
        for invalid in ["", "5", "5-x"] {
            assert_eq!(next(invalid), None, "{invalid:?}");
        }
    }
}
