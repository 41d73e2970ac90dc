//! The way to the other pods: one channel of Redis, read and written by one task. While Redis does not answer, the chat goes on among the
//! users of this pod and says so.

use std::sync::Arc;
use std::time::Duration;

use backoff::Backoff;
use futures_util::StreamExt as _;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncCommands as _, AsyncConnectionConfig, Client, RedisError};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};
use tracing::{info, warn};

use super::message::{MAX_TEXT_CHARS, Reach, Said};
use super::room::Room;

/// The channel of all pods.
const CHANNEL: &str = "lastcall:chat";

/// How long connecting, and each answer, may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How often a pod sends itself something over the channel, to know that it works.
const PROBE_INTERVAL: Duration = Duration::from_secs(3);

/// How long nothing may come over the channel before it counts as broken.
const MAX_SILENCE: Duration = Duration::from_secs(8);

/// The longest user name accepted from another pod, in characters.
const MAX_NAME_CHARS: usize = 64;

/// The Redis that relays the chat: one server, or the nodes of a cluster.
#[derive(Clone)]
pub struct RelayAddress(Vec<Client>);

impl std::fmt::Debug for RelayAddress {
    /// Shows nothing of the address: it may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RelayAddress")
    }
}

impl RelayAddress {
    /// Takes what `REDIS_URL` may be. Of a cluster, the nodes are tried in turn: each passes messages on to the others. `None` where
    /// the address is invalid.
    pub fn new(address: &str) -> Option<Self> {
        let address = address.trim();
        let Some(nodes) = address.strip_prefix("redis-cluster://") else {
            return Client::open(address).ok().map(|server| Self(vec![server]));
        };
        let (credentials, hosts) = nodes.rsplit_once('@').map_or(("", nodes), |(before, hosts)| (before, hosts));
        let at = if credentials.is_empty() { "" } else { "@" };
        let hosts = hosts.trim_end_matches('/').split(',').map(str::trim);
        let nodes = hosts.map(|host| Client::open(format!("redis://{credentials}{at}{host}")));
        nodes.collect::<Result<_, _>>().ok().map(Self)
    }
}

/// The task. Ends when it is dropped.
#[derive(Debug)]
pub struct RelayTask(JoinHandle<()>);

impl RelayTask {
    pub(super) fn start(address: RelayAddress, room: Arc<Room>, outbox: mpsc::Receiver<Said>) -> Self {
        Self(tokio::spawn(run(address, room, outbox)))
    }
}

impl Drop for RelayTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What travels between pods.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    /// Which task has sent it: a pod ignores what comes from itself.
    from: u64,
    /// Nothing in a probe.
    said: Option<Said>,
}

impl Envelope {
    /// What another pod says. Redis is not ours alone: what is too long is not believed.
    fn of_another(payload: &str, own: u64) -> Option<Said> {
        let envelope: Self = serde_json::from_str(payload).ok()?;
        let said = envelope.said.filter(|_| envelope.from != own)?;
        let fits = |text: &str, max: usize| text.chars().count() <= max;
        (fits(&said.text, MAX_TEXT_CHARS) && fits(&said.user, MAX_NAME_CHARS) && fits(&said.id, MAX_NAME_CHARS))
            .then_some(said)
    }
}

async fn run(RelayAddress(nodes): RelayAddress, room: Arc<Room>, mut outbox: mpsc::Receiver<Said>) {
    let (own, mut backoff) = (fastrand::u64(..), Backoff::default());
    let (mut is_known_as_away, mut next_node) = (false, 0);
    loop {
        if let Some((channel, connection)) = connect_to_any(&nodes, &mut next_node).await {
            // What was said while Redis was away stays among the users of this pod: they were told so.
            while outbox.try_recv().is_ok() {}
            if is_known_as_away {
                info!("the chat reaches all pods again");
            }
            room.set_reach(Reach::AllServers);
            (is_known_as_away, backoff) = (false, Backoff::default());
            relay(channel, connection, own, &room, &mut outbox).await;
        }
        room.set_reach(Reach::ThisServerForNow);
        if !std::mem::replace(&mut is_known_as_away, true) {
            warn!("Redis does not relay the chat: it goes on among the users of this pod");
        }
        sleep(backoff.next_pause()).await;
    }
}

/// Tries each node once, from `next` on, which is then the one after the node that has answered: one that stops relaying is tried last.
async fn connect_to_any(nodes: &[Client], next: &mut usize) -> Option<(PubSub, MultiplexedConnection)> {
    for _ in nodes {
        let node = nodes.get(*next)?;
        *next = (*next + 1) % nodes.len();
        if let Ok(Ok(connected)) = timeout(TIMEOUT * 2, connect(node)).await {
            return Some(connected);
        }
    }
    None
}

async fn connect(client: &Client) -> Result<(PubSub, MultiplexedConnection), RedisError> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(TIMEOUT)).set_response_timeout(Some(TIMEOUT));
    let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    let mut channel = client.get_async_pubsub().await?;
    channel.subscribe(CHANNEL).await?;
    Ok((channel, connection))
}

/// Relays until Redis does not answer any more.
async fn relay(
    channel: PubSub,
    mut connection: MultiplexedConnection,
    own: u64,
    room: &Room,
    outbox: &mut mpsc::Receiver<Said>,
) {
    let mut messages = channel.into_on_message();
    let mut probes = interval(PROBE_INTERVAL);
    probes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard_at = Instant::now();
    loop {
        let said = tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { return };
                heard_at = Instant::now();
                if let Ok(payload) = message.get_payload::<String>()
                    && let Some(said) = Envelope::of_another(&payload, own)
                {
                    room.deliver(&said);
                }
                continue;
            }
            said = outbox.recv() => match said {
                Some(said) => Some(said),
                None => return,
            },
            _ = probes.tick() => None,
            () = sleep_until(heard_at + MAX_SILENCE) => return,
        };
        let Ok(payload) = serde_json::to_string(&Envelope { from: own, said }) else { continue };
        if connection.publish::<_, _, ()>(CHANNEL, payload).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers_and_clusters_are_taken_and_not_shown() {
        for (address, taken) in [
            ("redis://user:secret@host:6379/3", true),
            ("rediss://host:6380", true),
            ("redis-cluster://user:secret@a:7000,b:7001/", true),
            ("http://host", false),
        ] {
            assert_eq!(RelayAddress::new(address).is_some(), taken, "{address}");
            assert!(!format!("{:?}", RelayAddress::new(address)).contains("secret"));
        }
    }

    #[tokio::test]
    async fn a_cluster_whose_first_node_is_away_relays_by_the_next_one() {
        let redis = test_support::Redis::start().await;
        let answers = redis.url().replace("redis://", "");
        // Nothing listens on the port of the first node.
        let address = RelayAddress::new(&format!("redis-cluster://127.0.0.1:1,{answers}")).unwrap();
        let (room, outbox) = Room::relayed();
        let room = Arc::new(room);
        let (.., mut reach) = room.enter();
        let _task = RelayTask::start(address, Arc::clone(&room), outbox);
        timeout(Duration::from_secs(20), reach.wait_for(|reach| *reach == Reach::AllServers)).await.unwrap().unwrap();
    }

    #[test]
    fn a_pod_hears_the_others_and_believes_nothing_that_is_too_long() {
        let envelope = |from, text: &str| {
            let said = Some(Said { id: "1".to_owned(), user: "ada".to_owned(), text: text.to_owned() });
            serde_json::to_string(&Envelope { from, said }).unwrap()
        };
        assert_eq!(Envelope::of_another(&envelope(2, "hello"), 1).unwrap().text, "hello");
        for payload in [
            envelope(1, "mine"),
            envelope(2, &"x".repeat(501)),
            "nonsense".to_owned(),
            r#"{"from":2,"said":null}"#.to_owned(),
        ] {
            assert_eq!(Envelope::of_another(&payload, 1), None, "{payload}");
        }
    }
}
