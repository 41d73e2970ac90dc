//! One look through Redis: `SCAN` in pages, never `KEYS`.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use launch::secret::Secret;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, cmd, pipe};
use session_domain::{Timestamp, UserName};

use super::Orphan;

/// Keys that one page looks at.
const PAGE: usize = 500;

/// Redis gets so long to connect and to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is read of a session.
type Fields = [Option<Vec<u8>>; 5];

pub(super) struct Scanner {
    url: Secret,
    connection: Option<MultiplexedConnection>,
}

impl Scanner {
    pub(super) const fn new(url: Secret) -> Self {
        Self { url, connection: None }
    }

    /// The first orphans, up to `most`, and how many there are.
    pub(super) async fn scan(&mut self, most: usize) -> Result<(Vec<Orphan>, u64), RedisError> {
        let scanned = self.scan_all(most).await;
        if scanned.is_err() {
            self.connection = None;
        }
        scanned
    }

    async fn scan_all(&mut self, most: usize) -> Result<(Vec<Orphan>, u64), RedisError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let settings = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(PATIENCE))
                    .set_response_timeout(Some(PATIENCE));
                Client::open(self.url.expose().trim())?.get_multiplexed_async_connection_with_config(&settings).await?
            }
        };
        let (mut listed, mut total, mut cursor) = (Vec::new(), 0, 0_u64);
        let (mut alive, mut seen) = (HashMap::new(), HashSet::new());
        loop {
            let mut page = cmd("SCAN");
            page.arg(cursor).arg("MATCH").arg("session:*").arg("COUNT").arg(PAGE).arg("TYPE").arg("hash");
            let (next, keys): (u64, Vec<Vec<u8>>) = page.query_async(&mut connection).await?;
            // A key may come twice.
            let keys: Vec<_> = keys.into_iter().map(lossy).filter(|key| seen.insert(key.clone())).collect();
            for orphan in orphans(&mut connection, &keys, &mut alive).await? {
                total += 1;
                if listed.len() < most {
                    listed.push(orphan);
                }
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        self.connection = Some(connection);
        Ok((listed, total))
    }
}

/// Those among the sessions whose pod has no lease. `alive` remembers the pods that were asked for.
async fn orphans(
    connection: &mut MultiplexedConnection,
    keys: &[String],
    alive: &mut HashMap<String, bool>,
) -> Result<Vec<Orphan>, RedisError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut read = pipe();
    for key in keys {
        read.cmd("HMGET").arg(key).arg(&["pod", "user", "login_time", "last_activity", "request"]);
    }
    let all: Vec<Fields> = read.query_async(connection).await?;
    let mut found = Vec::new();
    for (key, fields) in keys.iter().zip(all) {
        let [pod, user, login_time, last_activity, request] = fields.map(|field| field.map(lossy));
        // Gone since its key was seen, no session, or over: its end has only to be counted.
        let (Some(pod), Some(Ok(id)), None) = (pod, key.strip_prefix("session:").map(str::parse), request) else {
            continue;
        };
        if !alive.contains_key(&pod) {
            let lease: bool = cmd("EXISTS").arg(format!("lastcall:pod:{pod}")).query_async(connection).await?;
            alive.insert(pod.clone(), lease);
        }
        if alive.get(&pod) == Some(&false) {
            let time = |text: Option<String>| text.as_deref().and_then(Timestamp::parse);
            let user = UserName::from_input(&user.unwrap_or_default());
            found.push(Orphan { id, user, pod, login_time: time(login_time), last_activity: time(last_activity) });
        }
    }
    Ok(found)
}

/// What is no UTF-8 is read with replacement characters: it names nobody and nothing then, and disturbs no other.
fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
