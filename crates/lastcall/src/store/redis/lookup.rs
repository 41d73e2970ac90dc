//! Reads sessions, one or many.

use futures_util::future::join_all;
use redis::cmd;
use session_domain::SessionId;

use super::entry::{self, Fields};
use super::{RedisStore, keys};
use crate::store::{Lookup, Lookups, ReadOutcome, SessionEntry, SessionStore as _, StoreError};

/// Reads one session.
pub(super) async fn read(store: &RedisStore, id: SessionId) -> Result<ReadOutcome, StoreError> {
    let fields: Fields = match store.query(cmd("HGETALL").arg(keys::session(id))).await {
        // A key of another type is not a session.
        Err(StoreError::Refused(_)) => Fields::default(),
        answer => answer?,
    };
    match store.decode(id, &fields).await? {
        Some(entry) => {
            let is_replaced = entry.is_to_be_renamed() && is_replaced(store, id).await?;
            Ok(ReadOutcome::Found(Box::new(SessionEntry { is_replaced, ..entry })))
        }
        // Read after the entry: a login writes the one as it deletes the other.
        None => match tokio::try_join!(is_replaced(store, id), store.contents())? {
            (true, _) => Ok(ReadOutcome::Replaced),
            (false, contents) => Ok(ReadOutcome::Absent(contents)),
        },
    }
}

/// Reads summaries of many sessions.
pub(super) async fn many(store: &RedisStore, ids: Vec<SessionId>) -> Result<Lookups, StoreError> {
    let connection = store.link.connection().await?;
    let summaries = ids.into_iter().map(|id| {
        let mut connection = connection.clone();
        async move {
            let fields = cmd("HMGET").arg(keys::session(id)).arg(&entry::SUMMARY).query_async(&mut connection).await;
            fields.map_err(|error| store.link.failed(&error))
        }
    });
    let (now, summaries) = tokio::join!(time(store), join_all(summaries));
    // Where not even the time can be read, nothing is learned about activity.
    let now = now.unwrap_or(0);
    let lookup = |fields| match fields {
        Ok(fields) => Ok(entry::summary(fields, now).map_or(Lookup::Absent, Lookup::Found)),
        // A key of another type is not a session, and will not become one.
        Err(StoreError::Refused(_)) => Ok(Lookup::Absent),
        Err(StoreError::PartlyUnavailable(_)) => Ok(Lookup::Unavailable),
        Err(failed) => Err(failed),
    };
    let lookups: Vec<_> = summaries.into_iter().map(lookup).collect::<Result<_, _>>()?;
    let is_any_absent = lookups.contains(&Lookup::Absent);
    let contents = if is_any_absent { Some(store.contents().await?) } else { None };
    Ok(Lookups { lookups, contents })
}

async fn is_replaced(store: &RedisStore, id: SessionId) -> Result<bool, StoreError> {
    store.query(cmd("EXISTS").arg(keys::replaced(id))).await
}

/// The time by Redis' clock in milliseconds: the one clock that all pods share. In a cluster, that of some node.
pub(super) async fn time(store: &RedisStore) -> Result<u64, StoreError> {
    let (seconds, micros): (u64, u64) = store.query(&cmd("TIME")).await?;
    Ok(seconds.saturating_mul(1_000).saturating_add(micros / 1_000))
}
