//! The way to Redis: one server or a cluster, connected when needed and again after every failure.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, Value};
use tokio::time::{Instant, timeout};

use super::BadAddress;
use crate::store::StoreError;

/// A server that takes longer than this to connect is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A server that takes longer than this to answer is away. An outage is noticed within this time and the second between two
/// renewals of the lease: 3 s in all.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(1_800);

/// The longest that a read of the inbox is left waiting at the server.
pub(super) const MAX_BLOCK: Duration = Duration::from_secs(5);

/// No attempt to connect is made for so long after one that failed: those that waited for it share its failure.
const RETRY_AFTER: Duration = Duration::from_millis(200);

enum Way {
    Server(Box<Client>),
    /// The second one waits longer: for reads that block.
    Cluster(Box<ClusterClient>, Box<ClusterClient>),
}

/// An open connection. Cheap to clone: all clones send over the same one, without waiting for each other.
#[derive(Clone)]
pub(super) enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// The way to Redis, and the connection over it while there is one.
pub(super) struct Link {
    way: Way,
    open: Mutex<Option<Connection>>,
    /// Held by whoever connects: the others wait for that connection. When it last failed.
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
    pub(super) fn new(address: &str) -> Result<Self, BadAddress> {
        let address = address.trim();
        let way = match address.strip_prefix("redis-cluster://") {
            Some(nodes) => {
                let client = |timeout| cluster(nodes, timeout).map(Box::new);
                Way::Cluster(client(RESPONSE_TIMEOUT)?, client(MAX_BLOCK + RESPONSE_TIMEOUT)?)
            }
            None if address.starts_with("redis://") || address.starts_with("rediss://") => {
                Way::Server(Box::new(Client::open(address).map_err(|_| BadAddress)?))
            }
            None => return Err(BadAddress),
        };
        Ok(Self { way, open: Mutex::default(), connecting: tokio::sync::Mutex::default() })
    }

    /// The open connection, or a new one.
    pub(super) async fn connection(&self) -> Result<Connection, StoreError> {
        if let Some(open) = self.open().clone() {
            return Ok(open);
        }
        let mut failed_at = self.connecting.lock().await;
        if let Some(open) = self.open().clone() {
            return Ok(open);
        }
        if failed_at.is_some_and(|failed| failed.elapsed() < RETRY_AFTER) {
            return Err(StoreError::Away("it could not be connected to a moment ago".to_owned()));
        }
        let connected = self.connect(RESPONSE_TIMEOUT).await;
        // Noted when it has failed, not when it began: an attempt takes longer than its failure holds.
        *failed_at = connected.is_err().then(Instant::now);
        let connection = connected?;
        *self.open() = Some(connection.clone());
        Ok(connection)
    }

    /// A connection of its own for one caller, whose commands may block for up to [`MAX_BLOCK`].
    pub(super) async fn dedicated(&self) -> Result<Connection, StoreError> {
        self.connect(MAX_BLOCK + RESPONSE_TIMEOUT).await
    }

    async fn connect(&self, response_timeout: Duration) -> Result<Connection, StoreError> {
        match timeout(CONNECT_TIMEOUT + RESPONSE_TIMEOUT, self.try_connect(response_timeout)).await {
            Ok(connected) => connected.map_err(|error| match failure(&error) {
                Failure::Login => StoreError::LoginRefused(error.to_string()),
                Failure::NotReadable => StoreError::NotReadable(error.to_string()),
                Failure::WrongType | Failure::NotWritable | Failure::Other => StoreError::Away(error.to_string()),
            }),
            Err(_) => Err(StoreError::Away("it does not answer".to_owned())),
        }
    }

    async fn try_connect(&self, response_timeout: Duration) -> Result<Connection, RedisError> {
        Ok(match &self.way {
            Way::Server(client) => {
                let settings = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(CONNECT_TIMEOUT))
                    .set_response_timeout(Some(response_timeout));
                Connection::Server(client.get_multiplexed_async_connection_with_config(&settings).await?)
            }
            Way::Cluster(client, _) if response_timeout == RESPONSE_TIMEOUT => {
                Connection::Cluster(client.get_async_connection().await?)
            }
            Way::Cluster(_, patient) => Connection::Cluster(patient.get_async_connection().await?),
        })
    }

    /// What a failure means. A cluster finds its nodes again by itself, and one that fails says nothing of the others.
    /// With a single server the connection is given up after most failures: a server that is read-only or loading may have
    /// another one in its place by the next time.
    pub(super) fn failed(&self, error: &RedisError) -> StoreError {
        let text = error.to_string();
        match (failure(error), &self.way) {
            (Failure::WrongType, _) => StoreError::Refused("the key holds something else".to_owned()),
            (Failure::NotReadable | Failure::NotWritable | Failure::Other, Way::Cluster(..)) => {
                StoreError::PartlyAway(text)
            }
            (Failure::NotReadable, Way::Server(_)) => {
                self.give_up();
                StoreError::NotReadable(text)
            }
            (Failure::NotWritable, Way::Server(_)) => {
                self.give_up();
                StoreError::NotWritable(text)
            }
            (Failure::Login, _) => {
                self.give_up();
                StoreError::LoginRefused(text)
            }
            (Failure::Other, Way::Server(_)) => {
                self.give_up();
                StoreError::Away(text)
            }
        }
    }

    /// Connects anew the next time.
    pub(super) fn give_up(&self) {
        *self.open() = None;
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a server's error is about.
enum Failure {
    WrongType,
    Login,
    NotReadable,
    NotWritable,
    Other,
}

fn failure(error: &RedisError) -> Failure {
    if error.kind() == ErrorKind::AuthenticationFailed {
        return Failure::Login;
    }
    let text = error.to_string();
    let names = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
    match () {
        () if names(&["WRONGTYPE"]) => Failure::WrongType,
        () if names(&["WRONGPASS", "NOAUTH", "NOPERM"]) => Failure::Login,
        () if names(&["LOADING", "BusyLoading", "MASTERDOWN", "MasterDown"]) => Failure::NotReadable,
        // A script's error may stand around the code.
        () if names(&["READONLY", "ReadOnly", "OOM", "MISCONF", "NOREPLICAS", "NoReplicas"]) => Failure::NotWritable,
        () => Failure::Other,
    }
}

/// Nodes as they are written, `user:password@host:port,host:port`: the same login holds for all.
fn cluster(nodes: &str, response_timeout: Duration) -> Result<ClusterClient, BadAddress> {
    let (credentials, hosts) = nodes.rsplit_once('@').map_or(("", nodes), |(who, hosts)| (who, hosts));
    let at = if credentials.is_empty() { "" } else { "@" };
    let hosts = hosts.trim_end_matches('/').split(',').map(str::trim).filter(|host| !host.is_empty());
    let nodes: Vec<_> = hosts.map(|host| format!("redis://{credentials}{at}{host}")).collect();
    if nodes.is_empty() {
        return Err(BadAddress);
    }
    ClusterClient::builder(nodes)
        .connection_timeout(CONNECT_TIMEOUT)
        .response_timeout(response_timeout)
        .retries(2)
        .max_retry_wait(100)
        .build()
        .map_err(|_| BadAddress)
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
    fn addresses_are_read_and_what_is_none_is_refused_without_showing_it() {
        for good in [
            "redis://localhost",
            "redis://user:secret@host:6379/3",
            "rediss://host:6380",
            "redis-cluster://a:7000,b:7001",
            "redis-cluster://user:secret@a:7000/",
        ] {
            assert!(Link::new(good).is_ok(), "{good}");
        }
        for bad in ["", "localhost:6379", "http://host", "redis://", "redis://host:port", "redis-cluster://"] {
            let error = Link::new(bad).map(|_| ()).unwrap_err().to_string();
            assert!(bad.is_empty() || !error.contains(&format!("{bad:?}")), "{error}");
        }
        let link = Link::new("redis://user:secret@host:6379").unwrap();
        assert!(!format!("{link:?}").contains("secret"));
    }
}
