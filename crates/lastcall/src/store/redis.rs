//! Redis (or Valkey, or a cluster of either) as a store.
//!
//! One hash a session, `session:{id}`, with `user`, `login_time`, `last_activity` and `pod`, expiring with the session.
//! What must be atomic is a script on that one key, so that it works on a cluster. Never `KEYS`.

mod connection;
mod entry;
mod scripts;

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use connection::{Connection, Link};
use entry::Fields;
use futures_util::future::join_all;
use redis::{FromRedisValue, cmd};
use scripts::Scripts;
use session_domain::shared::Owner;
use session_domain::{PodName, SessionId};
use thiserror::Error;
use tonic::async_trait;
use tracing::warn;

use super::{Adoption, Calls, Entry, Epoch, Seen, SessionStore, StoreError, Write, Written};

/// A call nobody asks for within this time was for a pod that is gone.
const CALLS_STAY: Duration = Duration::from_secs(3_600);

/// Calls that are read at once.
const CALLS_AT_ONCE: usize = 10_000;

/// Entries that are not sound are named once each, as long as there are no more than these.
const MOST_NAMED: usize = 10_000;

/// Why an address cannot be that of a Redis. Does not show it: it may hold a password.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "is no address of a Redis; write redis://host:6379/0, rediss://user:password@host:6380 or redis-cluster://host:7000,host:7001"
)]
pub struct BadAddress;

/// Sessions in Redis.
#[derive(Debug)]
pub struct RedisStore {
    link: Link,
    scripts: Scripts,
    ttl: Duration,
    named: Mutex<HashSet<SessionId>>,
}

impl RedisStore {
    /// Takes an address: `redis://`, `rediss://` (TLS), or `redis-cluster://` with some of the nodes. Connects when it is
    /// first asked for something. `ttl` is how long a session lives that nobody touches.
    ///
    /// # Errors
    /// Where the address makes no sense.
    pub fn new(address: &str, ttl: Duration) -> Result<Self, BadAddress> {
        Ok(Self { link: Link::new(address)?, scripts: Scripts::new(), ttl, named: Mutex::default() })
    }

    async fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreError> {
        let mut connection = self.link.connection().await?;
        command.query_async(&mut connection).await.map_err(|error| self.link.failed(&error))
    }

    fn entry(&self, id: SessionId, fields: &Fields) -> Option<Entry> {
        let (entry, unsound) = fields.entry(id)?;
        if unsound {
            let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
            if named.len() < MOST_NAMED && named.insert(id) {
                warn!(session.id = %id, "the session in Redis has fields that make no sense; the others are taken");
            }
        }
        Some(entry)
    }

    async fn write_one(&self, mut connection: Connection, write: Write) -> Result<Written, StoreError> {
        let ttl = millis(self.ttl).to_string();
        let text = |name: &PodName| name.as_str().to_owned();
        let idle_millis = |idle| crate::notice::millis(idle).to_string();
        let (script, id, arguments) = match write {
            Write::Put { session, idle, new } => (
                &self.scripts.put,
                session.id,
                vec![
                    text(&session.pod),
                    session.user.to_string(),
                    session.login_time.to_string(),
                    session.last_activity.to_string(),
                    flag(session.streaming).to_owned(),
                    session.told.map_or("", session_domain::lifecycle::Reason::as_str).to_owned(),
                    ttl,
                    flag(new).to_owned(),
                    idle_millis(idle),
                ],
            ),
            Write::Delete { id, pod } => (&self.scripts.delete, id, vec![text(&pod)]),
            Write::TakeOut { id, pod } => (&self.scripts.take_out, id, vec![text(&pod)]),
            Write::Release { id, pod } => (&self.scripts.release, id, vec![text(&pod)]),
            Write::Touch { id, at, idle } => (&self.scripts.touch, id, vec![at.to_string(), ttl, idle_millis(idle)]),
            Write::Wish { id, wish } => (&self.scripts.wish, id, vec![entry::wish_to_field(wish)]),
        };
        match script.key(key(id)).arg(arguments).invoke_async(&mut connection).await {
            Ok(1) => Ok(Written::Done),
            Ok(-1) => Ok(Written::Missing),
            Ok(_) => Ok(Written::Elsewhere),
            Err(error) => match self.link.failed(&error) {
                StoreError::Refused(reason) => Ok(Written::Refused(reason)),
                StoreError::PartlyAway(_) => Ok(Written::Later),
                away @ StoreError::Away(_) => Err(away),
            },
        }
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    async fn read(&self, id: SessionId) -> Result<Option<Entry>, StoreError> {
        let fields: Fields = match self.ask(cmd("HGETALL").arg(key(id))).await {
            // A key of another type is no session.
            Err(StoreError::Refused(_)) => return Ok(None),
            answer => answer?,
        };
        Ok(self.entry(id, &fields))
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<Option<Entry>, StoreError> {
        let mut connection = self.link.connection().await?;
        let adopted: Option<Fields> = self
            .scripts
            .adopt
            .key(key(adoption.id))
            .arg(adoption.from.as_str())
            .arg(adoption.by.as_str())
            .arg(flag(adoption.unless_streaming))
            .arg(flag(adoption.streaming))
            .arg(millis(self.ttl))
            .invoke_async(&mut connection)
            .await
            .map_err(|error| self.link.failed(&error))?;
        Ok(adopted.and_then(|fields| self.entry(adoption.id, &fields)))
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Written>, StoreError> {
        let connection = self.link.connection().await?;
        // Sent one after the other without waiting: the connection makes a pipeline of them, a cluster one a node.
        let written = writes.into_iter().map(|write| self.write_one(connection.clone(), write));
        join_all(written).await.into_iter().collect()
    }

    async fn look(&self, ids: Vec<SessionId>) -> Result<Vec<Seen>, StoreError> {
        let connection = self.link.connection().await?;
        let looks = ids.into_iter().map(|id| {
            let mut connection = connection.clone();
            async move {
                let asked = cmd("HMGET").arg(key(id)).arg(&entry::GLANCE).query_async(&mut connection).await;
                asked.map_err(|error| self.link.failed(&error))
            }
        });
        let (now, looks) = tokio::join!(self.time(), join_all(looks));
        // Where not even the time can be had, nothing is learned of anybody's activity.
        let now = now.unwrap_or(0);
        let seen = |look| match look {
            Ok(fields) => Ok(entry::glance(fields, now).map_or(Seen::Missing, Seen::There)),
            // What stands there is no session, and will not become one: nothing to be seen, nothing to be written.
            Err(StoreError::Refused(_)) => Ok(Seen::Missing),
            Err(StoreError::PartlyAway(_)) => Ok(Seen::Unclear),
            Err(away) => Err(away),
        };
        looks.into_iter().map(seen).collect()
    }

    async fn owner(&self, pod: &PodName) -> Result<Owner, StoreError> {
        let lease: Option<String> = self.ask(cmd("GET").arg(lease(pod))).await?;
        Ok(match lease.as_deref() {
            None => Owner::Gone,
            Some("draining") => Owner::Draining,
            Some(_) => Owner::Alive,
        })
    }

    async fn renew(&self, pod: &PodName, draining: bool, duration: Duration) -> Result<Epoch, StoreError> {
        let standing = if draining { "draining" } else { "serving" };
        let renewed = async {
            () = self.ask(cmd("SET").arg(lease(pod)).arg(standing).arg("PX").arg(millis(duration))).await?;
            self.keep_first("lastcall:epoch", &fastrand::u64(1..u64::MAX).to_string()).await
        };
        match renewed.await {
            Ok(epoch) => Ok(epoch.parse().unwrap_or_default()),
            Err(StoreError::PartlyAway(reason)) => {
                self.link.give_up();
                Err(StoreError::Away(reason))
            }
            Err(error) => Err(error),
        }
    }

    async fn leave(&self, pod: &PodName) -> Result<(), StoreError> {
        self.ask(cmd("DEL").arg(lease(pod))).await
    }

    async fn call(&self, pod: &PodName, id: SessionId) -> Result<(), StoreError> {
        () = self.ask(cmd("RPUSH").arg(calls(pod)).arg(id.to_string())).await?;
        self.ask(cmd("PEXPIRE").arg(calls(pod)).arg(millis(CALLS_STAY))).await
    }

    async fn calls(&self, pod: &PodName) -> Result<Calls, StoreError> {
        let called: Vec<Vec<u8>> = self.ask(cmd("LRANGE").arg(calls(pod)).arg(0).arg(CALLS_AT_ONCE - 1)).await?;
        let id = |call: &Vec<u8>| std::str::from_utf8(call).ok()?.parse().ok();
        Ok(Calls { ids: called.iter().filter_map(id).collect(), count: called.len() })
    }

    async fn answered(&self, pod: &PodName, count: usize) -> Result<(), StoreError> {
        self.ask(cmd("LTRIM").arg(calls(pod)).arg(count).arg(-1)).await
    }

    async fn agree_on_secret(&self, proposal: &str) -> Result<String, StoreError> {
        self.keep_first("lastcall:session-key", proposal).await
    }
}

impl RedisStore {
    /// The time by Redis' clock, in milliseconds: the one clock that all pods share. In a cluster some node's: those keep
    /// the same time, or nearly.
    async fn time(&self) -> Result<u64, StoreError> {
        let (seconds, micros): (u64, u64) = self.ask(&cmd("TIME")).await?;
        Ok(seconds.saturating_mul(1_000).saturating_add(micros / 1_000))
    }

    /// Sets a value unless there is one, and gives the one that stands there then.
    async fn keep_first(&self, key: &str, proposal: &str) -> Result<String, StoreError> {
        let _: Option<String> = self.ask(cmd("SET").arg(key).arg(proposal).arg("NX")).await?;
        let first: Option<String> = self.ask(cmd("GET").arg(key)).await?;
        first.ok_or_else(|| StoreError::Away(format!("{key} vanished")))
    }
}

fn key(id: SessionId) -> String {
    format!("session:{id}")
}

fn lease(pod: &PodName) -> String {
    format!("lastcall:pod:{pod}")
}

fn calls(pod: &PodName) -> String {
    format!("lastcall:calls:{pod}")
}

const fn flag(on: bool) -> &'static str {
    if on { "1" } else { "0" }
}

fn millis(time: Duration) -> u64 {
    crate::notice::millis(time).max(1)
}
