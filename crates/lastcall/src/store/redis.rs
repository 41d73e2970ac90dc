//! Redis (or Valkey, or a cluster of either) as a store.
//!
//! Each session is a hash, `session:{id}`, with `user`, `login_time`, `last_activity` and `pod`, expiring with the session. What
//! must be atomic is a script on that one key, so that it works on a cluster. Never uses `KEYS`.

mod address;
mod connection;
mod entry;
mod failure;
mod inbox;
mod keys;
mod lease;
mod lookup;
mod scripts;
mod task;
mod timeouts;
mod write;

use std::collections::HashSet;
use std::time::Duration;

pub use address::InvalidRedisUrl;
use async_trait::async_trait;
use connection::{Connection, Link};
use entry::Fields;
use parking_lot::Mutex;
use redis::{FromRedisValue, cmd};
use scripts::Scripts;
use session_domain::shared::Owner;
use session_domain::{PodName, SessionId, Timestamp};
use tracing::warn;

use super::{
    Adoption, AgedSecret, Contents, InboxPage, InboxPosition, Lease, LeaseRenewal, Lookups, Message, ReadOutcome,
    SessionEntry, SessionStore, StoreError, Write, WriteOutcome,
};

/// The most sessions with invalid fields that are logged, once each.
const MAX_LOGGED: usize = 10_000;

/// Sessions in Redis.
#[derive(Debug)]
pub struct RedisStore {
    link: Link,
    scripts: Scripts,
    ttl: Duration,
    /// Sessions with invalid fields that were logged.
    logged: Mutex<HashSet<SessionId>>,
    /// For reads that block at the server.
    inbox: tokio::sync::Mutex<Option<Connection>>,
}

impl RedisStore {
    /// Creates a store for an address: `redis://`, `rediss://` (TLS), or `redis-cluster://` with some of the nodes. It connects
    /// when it is first used. `ttl` is the time to live of a session that is not touched.
    ///
    /// # Errors
    /// Where the address is invalid.
    pub fn new(address: &str, ttl: Duration) -> Result<Self, InvalidRedisUrl> {
        Ok(Self {
            link: Link::new(address)?,
            scripts: Scripts::new(),
            ttl,
            logged: Mutex::default(),
            inbox: tokio::sync::Mutex::default(),
        })
    }

    async fn query<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreError> {
        let mut connection = self.link.connection().await?;
        command.query_async(&mut connection).await.map_err(|error| self.link.failed(&error))
    }

    /// Decodes a session, and logs once where fields of it are invalid.
    async fn decode(&self, id: SessionId, fields: &Fields) -> Result<Option<SessionEntry>, StoreError> {
        let now = if fields.has_tasks() { lookup::time(self).await? } else { 0 };
        let Some((entry, has_invalid_fields)) = fields.entry(id, now) else { return Ok(None) };
        if has_invalid_fields {
            let mut logged = self.logged.lock();
            if logged.len() < MAX_LOGGED && logged.insert(id) {
                warn!(session.id = %id, "the session in Redis has fields that make no sense; the others are taken");
            }
        }
        Ok(Some(entry))
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    async fn read(&self, id: SessionId) -> Result<ReadOutcome, StoreError> {
        lookup::read(self, id).await
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<Option<SessionEntry>, StoreError> {
        let mut connection = self.link.connection().await?;
        let adopted: Option<Fields> = self
            .scripts
            .adopt
            .key(keys::session(adoption.id))
            .arg(adoption.from.as_str())
            .arg(adoption.to.as_str())
            .arg(flag(adoption.unless_pinned))
            .arg(flag(adoption.pinned))
            .arg(millis(self.ttl))
            .invoke_async(&mut connection)
            .await
            .map_err(|error| self.link.failed(&error))?;
        match adopted {
            Some(fields) => self.decode(adoption.id, &fields).await,
            None => Ok(None),
        }
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<WriteOutcome>, StoreError> {
        write::write(self, writes).await
    }

    async fn lookup_many(&self, ids: Vec<SessionId>) -> Result<Lookups, StoreError> {
        lookup::many(self, ids).await
    }

    async fn owner(&self, pod: &PodName) -> Result<Owner, StoreError> {
        lease::owner(self, pod).await
    }

    async fn adopters(&self) -> Result<Vec<PodName>, StoreError> {
        lease::adopters(self).await
    }

    async fn renew_lease(&self, lease: &Lease) -> Result<LeaseRenewal, StoreError> {
        match lease::renew(self, lease).await {
            Err(StoreError::PartlyUnavailable(reason)) => {
                self.link.close();
                Err(StoreError::Unavailable(reason))
            }
            renewed => renewed,
        }
    }

    async fn contents(&self) -> Result<Contents, StoreError> {
        let get = cmd("GET").arg(keys::EPOCH).clone();
        let exists = cmd("EXISTS").arg(keys::SETTLING).clone();
        let (epoch, settling): (Option<String>, bool) = tokio::try_join!(self.query(&get), self.query(&exists))?;
        Ok(Contents { epoch: epoch.map(|epoch| epoch.parse().unwrap_or_default()), settling })
    }

    async fn mark_settling(&self, duration: Duration) -> Result<(), StoreError> {
        self.query(cmd("SET").arg(keys::SETTLING).arg(1).arg("PX").arg(millis(duration))).await
    }

    async fn release_lease(&self, pod: &PodName) -> Result<(), StoreError> {
        let forget = cmd("SREM").arg(keys::PODS).arg(pod.as_str()).clone();
        self.query::<()>(cmd("DEL").arg(keys::lease(pod))).await?;
        self.query(&forget).await
    }

    async fn send(&self, pod: &PodName, message: &Message) -> Result<(), StoreError> {
        inbox::send(self, pod, message).await
    }

    async fn read_inbox(&self, pod: &PodName, after: &InboxPosition, wait: Duration) -> Result<InboxPage, StoreError> {
        inbox::read(self, pod, after, wait).await
    }

    async fn acknowledge(&self, pod: &PodName, through: &InboxPosition) -> Result<(), StoreError> {
        inbox::acknowledge(self, pod, through).await
    }

    async fn agree_on_secrets(&self, ours: &[AgedSecret]) -> Result<Vec<AgedSecret>, StoreError> {
        let all: Vec<(String, String)> = if ours.is_empty() {
            self.query(cmd("HGETALL").arg(keys::SECRETS)).await?
        } else {
            let mut connection = self.link.connection().await?;
            let mut agree = self.scripts.agree.key(keys::SECRETS);
            for AgedSecret { secret, created } in ours {
                agree.arg(secret).arg(created.as_millis());
            }
            agree.invoke_async(&mut connection).await.map_err(|error| self.link.failed(&error))?
        };
        let aged = |(secret, created): (String, String)| {
            Some(AgedSecret { secret, created: Timestamp::from_millis(created.parse().ok()?) })
        };
        Ok(all.into_iter().filter_map(aged).collect())
    }
}

/// A boolean as an argument of a script.
const fn flag(on: bool) -> &'static str {
    if on { "1" } else { "0" }
}

/// A duration as an argument, in milliseconds; at least one.
fn millis(time: Duration) -> u64 {
    crate::clock::millis(time).max(1)
}
