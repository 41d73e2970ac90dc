//! A pod's inbox: a Redis stream that the pod blocks on. Nothing is taken out by reading, so an answer that is lost on the
//! way is given again; what has been acted on is trimmed.

use std::time::Duration;

use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use redis::{FromRedisValue, Value, cmd};
use session_domain::lifecycle::Reason;
use session_domain::{PodName, SessionId};

use super::connection::MAX_BLOCK;
use super::{RedisStore, entry, millis};
use crate::store::{Inbox, Message, Position, StoreError};

/// An inbox that is not written to for so long is that of a pod that is gone.
const KEPT_FOR: Duration = Duration::from_secs(3_600);

/// Messages that are read at once.
const BATCH: usize = 1_000;

/// Messages that an inbox holds. An owner that falls behind further finds the rest by its sweep.
const CAPACITY: usize = 100_000;

fn key(pod: &PodName) -> String {
    format!("lastcall:inbox:{pod}")
}

pub(super) async fn send(store: &RedisStore, pod: &PodName, message: &Message) -> Result<(), StoreError> {
    let (kind, ids, detail) = match message {
        Message::Adopted(id) => ("adopted", id.to_string(), String::new()),
        Message::Asked(id, request) => ("asked", id.to_string(), entry::request_to_field(*request)),
        Message::Notified(id, reason) => ("notified", id.to_string(), reason.as_str().to_owned()),
        Message::Active(ids) => {
            ("active", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(","), String::new())
        }
    };
    let key = key(pod);
    let mut add = cmd("XADD");
    add.arg(&key).arg("MAXLEN").arg("~").arg(CAPACITY).arg("*").arg("kind").arg(kind).arg("id").arg(ids);
    if !detail.is_empty() {
        add.arg("detail").arg(detail);
    }
    let expire = cmd("PEXPIRE").arg(&key).arg(millis(KEPT_FOR)).clone();
    let (_, _): (Value, Value) = tokio::try_join!(store.ask(&add), store.ask(&expire))?;
    Ok(())
}

pub(super) async fn read(
    store: &RedisStore,
    pod: &PodName,
    after: &Position,
    wait: Duration,
) -> Result<Inbox, StoreError> {
    if wait.is_zero() {
        let range = cmd("XRANGE").arg(key(pod)).arg(format!("({}", after.0)).arg("+").arg("COUNT").arg(BATCH).clone();
        let reply: StreamRangeReply = match store.ask(&range).await {
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
    read.arg("COUNT").arg(BATCH).arg("BLOCK").arg(block).arg("STREAMS").arg(key(pod)).arg(&after.0);
    let reply: Option<StreamReadReply> =
        read.query_async(&mut connection).await.map_err(|error| StoreError::Away(error.to_string()))?;
    *slot = Some(connection);
    Ok(reply.and_then(|reply| reply.keys.into_iter().next()).map(|stream| inbox(&stream.ids)).unwrap_or_default())
}

pub(super) async fn acknowledge(store: &RedisStore, pod: &PodName, through: &Position) -> Result<(), StoreError> {
    let Some(next) = next(&through.0) else { return Ok(()) };
    let _: Value = store.ask(cmd("XTRIM").arg(key(pod)).arg("MINID").arg(next)).await?;
    Ok(())
}

/// The position right behind a stream's id.
fn next(id: &str) -> Option<String> {
    let (millis, sequence) = id.split_once('-')?;
    Some(format!("{millis}-{}", sequence.parse::<u64>().ok()?.checked_add(1)?))
}

fn inbox(ids: &[StreamId]) -> Inbox {
    Inbox { messages: ids.iter().filter_map(message).collect(), last: ids.last().map(|last| Position(last.id.clone())) }
}

/// A message that makes no sense is none: it may be one of another release.
fn message(entry: &StreamId) -> Option<Message> {
    let text = |field: &str| {
        let value = entry.map.get(field)?;
        String::from_redis_value(value.clone()).ok()
    };
    let (ids, detail) = (text("id")?, text("detail"));
    let mut ids = ids.split(',').filter_map(|id| id.parse::<SessionId>().ok());
    Some(match text("kind")?.as_str() {
        "adopted" => Message::Adopted(ids.next()?),
        "asked" => Message::Asked(ids.next()?, entry::field_to_request(&detail?)?),
        "notified" if detail.as_deref() == Some(Reason::Maintenance.as_str()) => {
            Message::Notified(ids.next()?, Reason::Maintenance)
        }
        "notified" => Message::Notified(ids.next()?, Reason::Shutdown),
        "active" => Message::Active(ids.collect()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_behind_an_id_is_the_next_sequence() {
        assert_eq!(next("1700000000000-0").as_deref(), Some("1700000000000-1"));
        for senseless in ["", "5", "5-x"] {
            assert_eq!(next(senseless), None, "{senseless:?}");
        }
    }
}
