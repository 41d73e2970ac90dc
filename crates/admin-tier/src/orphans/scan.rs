//! One look through Redis: `SCAN` in pages, never `KEYS`.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use cli::secret::SecretString;
use fleet::StoreRecord;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, cmd, pipe};
use session_domain::{PodName, Timestamp, UserName};

use super::{Orphan, Question};

/// Keys that one page looks at.
const PAGE: usize = 500;

/// Redis gets so long to connect and to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is read of a session.
type Fields = [Option<Vec<u8>>; 5];

/// What a look has found.
pub(super) struct Scanned {
    /// The first orphans.
    pub(super) listed: Vec<Orphan>,
    /// How many there are.
    pub(super) total: u64,
    /// What is known of the pods that were asked for.
    pub(super) of_pods: HashMap<PodName, StoreRecord>,
}

pub(super) struct Scanner {
    url: SecretString,
    connection: Option<MultiplexedConnection>,
}

impl Scanner {
    pub(super) const fn new(url: SecretString) -> Self {
        Self { url, connection: None }
    }

    /// The first orphans, up to `most`, how many there are, and what is known of the pods that are `asked` for.
    pub(super) async fn scan(&mut self, most: usize, asked: &Question) -> Result<Scanned, RedisError> {
        let scanned = self.scan_all(most, asked).await;
        if scanned.is_err() {
            self.connection = None;
        }
        scanned
    }

    async fn scan_all(&mut self, most: usize, asked: &Question) -> Result<Scanned, RedisError> {
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
        let mut of_pods = leases(&mut connection, asked).await?;
        let mut alive: HashMap<_, _> =
            of_pods.iter().map(|(pod, record)| (pod.as_str().to_owned(), record.has_lease)).collect();
        let silent = asked.iter().filter(|(_, for_sessions)| *for_sessions);
        let silent: HashMap<_, _> = silent.map(|(pod, _)| (pod.as_str().to_owned(), pod)).collect();
        let mut seen = HashSet::new();
        loop {
            let mut page = cmd("SCAN");
            page.arg(cursor).arg("MATCH").arg("session:*").arg("COUNT").arg(PAGE).arg("TYPE").arg("hash");
            let (next, keys): (u64, Vec<Vec<u8>>) = page.query_async(&mut connection).await?;
            // A key may come twice.
            let keys: Vec<_> = keys.into_iter().map(lossy).filter(|key| seen.insert(key.clone())).collect();
            for orphan in orphans(&mut connection, &keys, &mut alive).await? {
                total += 1;
                if let Some(record) = silent.get(&orphan.pod).and_then(|pod| of_pods.get_mut(pod)) {
                    record.orphans.insert(orphan.id);
                }
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
        Ok(Scanned { listed, total, of_pods })
    }
}

/// Which of the pods have a lease.
async fn leases(
    connection: &mut MultiplexedConnection,
    asked: &Question,
) -> Result<HashMap<PodName, StoreRecord>, RedisError> {
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let mut read = pipe();
    for (pod, _) in asked {
        read.cmd("EXISTS").arg(format!("lastcall:pod:{pod}"));
    }
    let all: Vec<bool> = read.query_async(connection).await?;
    let record = |has_lease| StoreRecord { has_lease, ..StoreRecord::default() };
    Ok(asked.iter().zip(all).map(|((pod, _), has_lease)| (pod.clone(), record(has_lease))).collect())
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
