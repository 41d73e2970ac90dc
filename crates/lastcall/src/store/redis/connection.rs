//! The link to Redis: one server or a cluster, connected when needed and again after every failure.

use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisError, RedisFuture, Value};
use tokio::time::{Instant, timeout};

use super::address::{Clients, InvalidRedisUrl};
use super::failure::Failure;
use super::timeouts::{CONNECT_TIMEOUT, MAX_BLOCK, RESPONSE_TIMEOUT};
use crate::store::StoreError;

/// No attempt to connect is made for this long after one that failed: callers that waited for it share its failure.
const RECONNECT_AFTER: Duration = Duration::from_millis(200);

/// An open connection. Cheap to clone: all clones send over the same one, without waiting for each other.
#[derive(Clone)]
pub(super) enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// The clients for Redis, and the connection while there is one.
pub(super) struct Link {
    clients: Clients,
    open: Mutex<Option<Connection>>,
    /// Locked while a caller connects: the others wait for that connection. Holds when connecting last failed.
    connecting: tokio::sync::Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Connection {
    /// Shows nothing of the address.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Server(_) => "Connection::Server",
            Self::Cluster(_) => "Connection::Cluster",
        })
    }
}

impl std::fmt::Debug for Link {
    /// Shows nothing of the address.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(address: &str) -> Result<Self, InvalidRedisUrl> {
        Ok(Self { clients: Clients::new(address)?, open: Mutex::default(), connecting: tokio::sync::Mutex::default() })
    }

    /// The open connection, or a new one.
    pub(super) async fn connection(&self) -> Result<Connection, StoreError> {
        if let Some(open) = self.open.lock().clone() {
            return Ok(open);
        }
        let mut failed_at = self.connecting.lock().await;
        if let Some(open) = self.open.lock().clone() {
            return Ok(open);
        }
        if failed_at.is_some_and(|failed| failed.elapsed() < RECONNECT_AFTER) {
            return Err(StoreError::Unavailable("connecting failed a moment ago".to_owned()));
        }
        let connected = self.connect(RESPONSE_TIMEOUT).await;
        // The time of the failure, not of the attempt: an attempt takes longer than its failure is shared.
        *failed_at = connected.is_err().then(Instant::now);
        let connection = connected?;
        *self.open.lock() = Some(connection.clone());
        Ok(connection)
    }

    /// A connection for one caller, whose commands may block for up to [`MAX_BLOCK`].
    pub(super) async fn dedicated(&self) -> Result<Connection, StoreError> {
        self.connect(MAX_BLOCK + RESPONSE_TIMEOUT).await
    }

    async fn connect(&self, response_timeout: Duration) -> Result<Connection, StoreError> {
        match timeout(CONNECT_TIMEOUT + RESPONSE_TIMEOUT, self.try_connect(response_timeout)).await {
            Ok(connected) => connected.map_err(|error| match Failure::of(&error) {
                Failure::Login => StoreError::LoginRefused(error.to_string()),
                Failure::NotReadable => StoreError::NotReadable(error.to_string()),
                Failure::WrongType | Failure::NotWritable | Failure::Other => {
                    StoreError::Unavailable(error.to_string())
                }
            }),
            Err(_) => Err(StoreError::Unavailable("it does not answer".to_owned())),
        }
    }

    async fn try_connect(&self, response_timeout: Duration) -> Result<Connection, RedisError> {
        Ok(match &self.clients {
            Clients::Server(client) => {
                let settings = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(CONNECT_TIMEOUT))
                    .set_response_timeout(Some(response_timeout));
                Connection::Server(client.get_multiplexed_async_connection_with_config(&settings).await?)
            }
            Clients::Cluster { immediate, .. } if response_timeout == RESPONSE_TIMEOUT => {
                Connection::Cluster(immediate.get_async_connection().await?)
            }
            Clients::Cluster { blocking, .. } => Connection::Cluster(blocking.get_async_connection().await?),
        })
    }

    /// Converts an error, and closes the connection after most of them: a server that is read-only or loading may have been
    /// replaced by the next time. A cluster finds its nodes again by itself, and one node that fails says nothing about the others.
    pub(super) fn failed(&self, error: &RedisError) -> StoreError {
        let (failure, text) = (Failure::of(error), error.to_string());
        match (failure, &self.clients) {
            (Failure::WrongType, _) => return StoreError::Refused("the key holds something else".to_owned()),
            (Failure::NotReadable | Failure::NotWritable | Failure::Other, Clients::Cluster { .. }) => {
                return StoreError::PartlyUnavailable(text);
            }
            (Failure::Login | Failure::NotReadable | Failure::NotWritable | Failure::Other, _) => self.close(),
        }
        match failure {
            Failure::Login => StoreError::LoginRefused(text),
            Failure::NotReadable => StoreError::NotReadable(text),
            Failure::NotWritable => StoreError::NotWritable(text),
            Failure::WrongType | Failure::Other => StoreError::Unavailable(text),
        }
    }

    /// Closes the connection. The next caller connects again.
    pub(super) fn close(&self) {
        *self.open.lock() = None;
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        cmd: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(connection) => connection.req_packed_commands(cmd, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(cmd, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_does_not_show_its_password() {
        let link = Link::new("redis://user:secret@host:6379").unwrap();
        assert!(!format!("{link:?}").contains("secret"));
    }
}
