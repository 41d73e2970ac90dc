//! The commands to Redis: `SCAN` in pages, never `KEYS`; reads are pipelined.

use std::collections::HashMap;
use std::time::Duration;

use cli::secret::SecretString;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, cmd, pipe};
use session_domain::{SessionId, Timestamp, UserName};

use super::Orphan;

/// How many keys one page of a scan examines, and how many sessions one pipeline reads.
const PAGE_SIZE: usize = 500;

/// How long Redis may take to accept a connection, and to answer a command.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The fields that are read of a session.
type Fields = [Option<Vec<u8>>; 5];

/// A connection to Redis that is opened when it is needed.
pub(super) struct Store {
    url: SecretString,
    connection: Option<MultiplexedConnection>,
}

impl Store {
    pub(super) const fn new(url: SecretString) -> Self {
        Self { url, connection: None }
    }

    /// Drops the connection. The next command opens another one.
    pub(super) fn disconnect(&mut self) {
        self.connection = None;
    }

    async fn connection(&mut self) -> Result<&mut MultiplexedConnection, RedisError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let settings = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(RESPONSE_TIMEOUT))
                    .set_response_timeout(Some(RESPONSE_TIMEOUT));
                Client::open(self.url.expose().trim())?.get_multiplexed_async_connection_with_config(&settings).await?
            }
        };
        Ok(self.connection.insert(connection))
    }

    /// Returns for each pod whether its lease runs. Without any pod this still fails where Redis cannot be reached.
    pub(super) async fn leases(&mut self, pods: Vec<String>) -> Result<HashMap<String, bool>, RedisError> {
        let mut read = pipe();
        read.cmd("PING").ignore();
        for pod in &pods {
            read.cmd("EXISTS").arg(format!("lastcall:pod:{pod}"));
        }
        let leases: Vec<bool> = read.query_async(self.connection().await?).await?;
        Ok(pods.into_iter().zip(leases).collect())
    }

    /// Returns the ids of one page of sessions, and the cursor of the next page; 0 after the last. An id may come twice.
    pub(super) async fn scan(&mut self, cursor: u64) -> Result<(u64, Vec<SessionId>), RedisError> {
        let mut page = cmd("SCAN");
        page.arg(cursor).arg("MATCH").arg("session:*").arg("COUNT").arg(PAGE_SIZE).arg("TYPE").arg("hash");
        let (next, keys): (u64, Vec<Vec<u8>>) = page.query_async(self.connection().await?).await?;
        let id = |key: Vec<u8>| lossy(key).strip_prefix("session:").and_then(|id| id.parse().ok());
        Ok((next, keys.into_iter().filter_map(id).collect()))
    }

    /// Reads sessions. Those that are gone, or whose end is only waiting to be counted, are left out.
    pub(super) async fn sessions(&mut self, ids: &[SessionId]) -> Result<Vec<Orphan>, RedisError> {
        let mut sessions = Vec::new();
        for ids in ids.chunks(PAGE_SIZE) {
            let mut read = pipe();
            for id in ids {
                let fields = ["pod", "user", "login_time", "last_activity", "request"];
                read.cmd("HMGET").arg(format!("session:{id}")).arg(&fields);
            }
            let all: Vec<Fields> = read.query_async(self.connection().await?).await?;
            sessions.extend(ids.iter().zip(all).filter_map(|(id, fields)| session(*id, fields)));
        }
        Ok(sessions)
    }
}

fn session(id: SessionId, fields: Fields) -> Option<Orphan> {
    let [pod, user, login_time, last_activity, request] = fields.map(|field| field.map(lossy));
    let time = |text: Option<String>| text.as_deref().and_then(Timestamp::parse);
    let user = UserName::from_input(&user.unwrap_or_default());
    let (login_time, last_activity) = (time(login_time), time(last_activity));
    request.is_none().then_some(Orphan { id, user, pod: pod?, login_time, last_activity })
}

/// Reads bytes that are not UTF-8 with replacement characters: such a session is shown, and disturbs no other.
fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
