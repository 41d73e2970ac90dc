//! Redis (or Valkey, or a cluster of either) as a store.
//!
//! One hash a session, `session:{id}`, with `user`, `login_time`, `last_activity` and `pod`, expiring with the session.
//! What must be atomic is a script on that one key, so that it works on a cluster. Never `KEYS`.

mod connection;
mod entry;
mod inbox;
mod lease;
mod scripts;

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use connection::{Connection, Link};
use entry::Fields;
use futures_util::future::join_all;
use redis::{FromRedisValue, cmd};
use scripts::Scripts;
use session_domain::registry::REPLACED_TTL;
use session_domain::shared::{Owner, SharedSession};
use session_domain::{PodName, SessionId, Timestamp};
use thiserror::Error;
use tracing::warn;

use super::{
    Adoption, AgedSecret, Contents, Entry, Inbox, Lease, Lookup, Lookups, Message, OwnerRequest, Position, Reading,
    Renewed, SessionStore, StoreError, Write, Written,
};

/// Names the contents of the store.
const EPOCH: &str = "lastcall:epoch";

/// In front of a session's key: is there for a while after a login has replaced the session's id. The braces make a cluster keep
/// it where it keeps the session, so that one script writes both.
const REPLACED: &str = "lastcall:replaced:";

/// Is there for a while after the store has lost what it held.
const SETTLING: &str = "lastcall:settling";

/// The secrets that sign cookies, with their ages.
const SECRETS: &str = "lastcall:session-keys";

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
    /// For reads that block.
    inbox: tokio::sync::Mutex<Option<Connection>>,
}

impl RedisStore {
    /// Takes an address: `redis://`, `rediss://` (TLS), or `redis-cluster://` with some of the nodes. Connects when it is
    /// first asked for something. `ttl` is how long a session lives that nobody touches.
    ///
    /// # Errors
    /// Where the address makes no sense.
    pub fn new(address: &str, ttl: Duration) -> Result<Self, BadAddress> {
        Ok(Self {
            link: Link::new(address)?,
            scripts: Scripts::new(),
            ttl,
            named: Mutex::default(),
            inbox: tokio::sync::Mutex::default(),
        })
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

    /// The arguments of the scripts that store a session.
    fn put(&self, session: &SharedSession, idle: Duration, new: bool) -> Vec<String> {
        vec![
            session.pod.as_str().to_owned(),
            session.user.to_string(),
            session.login_time.to_string(),
            session.last_activity.to_string(),
            flag(session.streaming).to_owned(),
            session.notified.map_or("", session_domain::lifecycle::Reason::as_str).to_owned(),
            millis(self.ttl).to_string(),
            flag(new).to_owned(),
            crate::notice::millis(idle).to_string(),
        ]
    }

    async fn write_one(&self, mut connection: Connection, write: Write) -> Result<Written, StoreError> {
        let ttl = millis(self.ttl).to_string();
        let text = |name: &PodName| name.as_str().to_owned();
        let (script, id, arguments) = match write {
            Write::Put { session, idle, new } => (&self.scripts.put, session.id, self.put(&session, idle, new)),
            Write::Release { session, idle, new } => (&self.scripts.release, session.id, self.put(&session, idle, new)),
            Write::Delete { id, pod, replaced_for } => {
                (&self.scripts.delete, id, vec![text(&pod), lifetime(replaced_for)])
            }
            Write::ClaimEnd { id, pod, replaced_for } => {
                (&self.scripts.claim_end, id, vec![text(&pod), lifetime(replaced_for)])
            }
            Write::Keep { id } => {
                let kept = cmd("PEXPIRE").arg(key(id)).arg(ttl).query_async(&mut connection).await;
                return kept.map_or_else(
                    |error| self.not_written(&error),
                    |kept: bool| Ok(if kept { Written::Done } else { Written::Missing }),
                );
            }
            Write::Touch { id, at, idle } => {
                (&self.scripts.touch, id, vec![at.to_string(), ttl, crate::notice::millis(idle).to_string()])
            }
            Write::Request { id, request } => {
                let replaced_for = matches!(request, OwnerRequest::Rename(_)).then_some(REPLACED_TTL);
                (&self.scripts.request, id, vec![entry::request_to_field(request), lifetime(replaced_for)])
            }
        };
        match script.key(key(id)).key(replaced_key(id)).arg(arguments).invoke_async(&mut connection).await {
            Ok(1) => Ok(Written::Done),
            Ok(2) => Ok(Written::Asked(OwnerRequest::End { automatic: false })),
            Ok(3) => Ok(Written::Asked(OwnerRequest::End { automatic: true })),
            Ok(-1) => Ok(Written::Missing),
            Ok(_) => Ok(Written::Elsewhere),
            Err(error) => self.not_written(&error),
        }
    }

    fn not_written(&self, error: &redis::RedisError) -> Result<Written, StoreError> {
        match self.link.failed(error) {
            StoreError::Refused(reason) => Ok(Written::Refused(reason)),
            StoreError::PartlyAway(_) => Ok(Written::Later),
            failed @ (StoreError::Away(_)
            | StoreError::LoginRefused(_)
            | StoreError::NotReadable(_)
            | StoreError::NotWritable(_)) => Err(failed),
        }
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    async fn read(&self, id: SessionId) -> Result<Reading, StoreError> {
        let fields: Fields = match self.ask(cmd("HGETALL").arg(key(id))).await {
            // A key of another type is no session.
            Err(StoreError::Refused(_)) => Fields::default(),
            answer => answer?,
        };
        match self.entry(id, &fields) {
            Some(entry) => {
                let is_replaced = entry.is_to_be_renamed() && self.is_replaced(id).await?;
                Ok(Reading::Found(Box::new(Entry { is_replaced, ..entry })))
            }
            // Asked after the entry: a login writes the one as it removes the other.
            None => match tokio::try_join!(self.is_replaced(id), self.contents())? {
                (true, _) => Ok(Reading::Replaced),
                (false, contents) => Ok(Reading::Absent(contents)),
            },
        }
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

    async fn lookup_many(&self, ids: Vec<SessionId>) -> Result<Lookups, StoreError> {
        let connection = self.link.connection().await?;
        let lookups = ids.into_iter().map(|id| {
            let mut connection = connection.clone();
            async move {
                let asked = cmd("HMGET").arg(key(id)).arg(&entry::SUMMARY).query_async(&mut connection).await;
                asked.map_err(|error| self.link.failed(&error))
            }
        });
        let (now, lookups) = tokio::join!(self.time(), join_all(lookups));
        // Where not even the time can be had, nothing is learned of any activity.
        let now = now.unwrap_or(0);
        let found = |lookup| match lookup {
            Ok(fields) => Ok(entry::summary(fields, now).map_or(Lookup::Absent, Lookup::Found)),
            // The key holds no session, and will not become one: nothing is to be seen, nothing to be written.
            Err(StoreError::Refused(_)) => Ok(Lookup::Absent),
            Err(StoreError::PartlyAway(_)) => Ok(Lookup::Unknown),
            Err(failed) => Err(failed),
        };
        let lookups: Vec<_> = lookups.into_iter().map(found).collect::<Result<_, _>>()?;
        let is_any_absent = lookups.contains(&Lookup::Absent);
        let contents = if is_any_absent { Some(self.contents().await?) } else { None };
        Ok(Lookups { lookups, contents })
    }

    async fn owner(&self, pod: &PodName) -> Result<Owner, StoreError> {
        lease::owner(self, pod).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        match lease::renew(self, lease).await {
            Err(StoreError::PartlyAway(reason)) => {
                self.link.give_up();
                Err(StoreError::Away(reason))
            }
            renewed => renewed,
        }
    }

    async fn contents(&self) -> Result<Contents, StoreError> {
        let (get, exists) = (cmd("GET").arg(EPOCH).clone(), cmd("EXISTS").arg(SETTLING).clone());
        let (epoch, settling): (Option<String>, bool) = tokio::try_join!(self.ask(&get), self.ask(&exists))?;
        Ok(Contents { epoch: epoch.map(|epoch| epoch.parse().unwrap_or_default()), settling })
    }

    async fn mark_settling(&self, duration: Duration) -> Result<(), StoreError> {
        self.ask(cmd("SET").arg(SETTLING).arg(1).arg("PX").arg(millis(duration))).await
    }

    async fn leave(&self, pod: &PodName) -> Result<(), StoreError> {
        self.ask(cmd("DEL").arg(lease::key(pod))).await
    }

    async fn send(&self, pod: &PodName, message: &Message) -> Result<(), StoreError> {
        inbox::send(self, pod, message).await
    }

    async fn inbox(&self, pod: &PodName, after: &Position, wait: Duration) -> Result<Inbox, StoreError> {
        inbox::read(self, pod, after, wait).await
    }

    async fn acknowledge(&self, pod: &PodName, through: &Position) -> Result<(), StoreError> {
        inbox::acknowledge(self, pod, through).await
    }

    async fn agree_on_secrets(&self, ours: &[AgedSecret]) -> Result<Vec<AgedSecret>, StoreError> {
        let all: Vec<(String, String)> = if ours.is_empty() {
            self.ask(cmd("HGETALL").arg(SECRETS)).await?
        } else {
            let mut connection = self.link.connection().await?;
            let mut agree = self.scripts.agree.key(SECRETS);
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

impl RedisStore {
    async fn is_replaced(&self, id: SessionId) -> Result<bool, StoreError> {
        self.ask(cmd("EXISTS").arg(replaced_key(id))).await
    }

    /// The time by Redis' clock, in milliseconds: the one clock that all pods share. In a cluster some node's: those keep
    /// the same time, or nearly.
    async fn time(&self) -> Result<u64, StoreError> {
        let (seconds, micros): (u64, u64) = self.ask(&cmd("TIME")).await?;
        Ok(seconds.saturating_mul(1_000).saturating_add(micros / 1_000))
    }
}

fn key(id: SessionId) -> String {
    format!("session:{id}")
}

fn replaced_key(id: SessionId) -> String {
    format!("{REPLACED}{{{}}}", key(id))
}

/// In milliseconds, as an argument of a script; 0 for none.
fn lifetime(duration: Option<Duration>) -> String {
    duration.map_or(0, millis).to_string()
}

const fn flag(on: bool) -> &'static str {
    if on { "1" } else { "0" }
}

fn millis(time: Duration) -> u64 {
    crate::notice::millis(time).max(1)
}
