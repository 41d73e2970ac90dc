//! Handoff between real pods around a real redis-server: sessions move to other pods, one by one, and no user notices.

mod configuration;
mod connections;
mod failures;
mod limits;
mod moving;
mod staying;
mod store;
mod targets;
mod work;

use serde_json::Value;
use session_wire::v1::introspection_client::IntrospectionClient;
use session_wire::v1::{GetPodRequest, ListSessionsRequest, Pod, Session};
use test_support::{Event, Events, Person, Redis, UserPod, eventually, metric};

use crate::BINARY;
use crate::grpc::channel;

const KEY: (&str, &str) = ("SESSION_KEY", "0123456789abcdef0123456789abcdef");

/// Short waits. `HANDOFF_DELAY` and `HANDOFF_QUIET` are below half of `DRAIN_TIMEOUT`.
const QUICK: [(&str, &str); 6] = [
    ("HANDOFF", "on"),
    ("HANDOFF_DELAY", "300ms"),
    ("HANDOFF_QUIET", "1s"),
    ("DRAIN_TIMEOUT", "20s"),
    ("PROPAGATION_WAIT", "2s"),
    ("DRAIN_PROGRESS_INTERVAL", "500ms"),
];

/// A pod that hands its sessions off, with `options` on top.
async fn pod(name: &str, redis: &Redis, options: &[(&str, &str)]) -> UserPod {
    let url = redis.url();
    let shared = [("REDIS_URL", url.as_str()), KEY];
    UserPod::start(BINARY, name, &[&QUICK, &shared[..], options].concat()).await
}

/// A user with an open stream.
struct User {
    person: Person,
    stream: Events,
}

impl User {
    async fn of(pod: &UserPod) -> Self {
        let person = pod.person().visit().await;
        let stream = person.events().await;
        Self { person, stream }
    }

    /// The next event that is no heartbeat; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        next(&mut self.stream).await
    }

    /// Waits until the session is asked to move. No notice is shown before.
    async fn asked(&mut self) -> Value {
        let event = self.next().await.expect("the stream ended");
        assert_eq!(event.name, "move", "{event:?}");
        event.data
    }

    /// Moves to another pod, as the page does: it closes the stream and opens it again, and is shown nothing.
    async fn moves_to(&mut self, pod: &UserPod) {
        self.person = self.person.at(&pod.http);
        self.stream = self.person.raw_events().await;
        let connected = self.next().await.unwrap();
        assert_eq!((connected.name.as_str(), &connected.data["drain"]), ("connected", &Value::Null), "{connected:?}");
    }

    /// Reads the stream to its end. Gives the events that are no heartbeats.
    async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

async fn next(stream: &mut Events) -> Option<Event> {
    loop {
        let event = stream.next_or_end().await?;
        if event.name != "heartbeat" {
            return Some(event);
        }
    }
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

/// The time to the deadline as an event says it, by the pod's clock.
fn remaining(data: &Value) -> u64 {
    data["remaining_ms"].as_u64().unwrap_or_else(|| panic!("{data}"))
}

/// Waits until a series has this value.
async fn becomes(pod: &UserPod, series: &str, value: f64) {
    eventually(&format!("{series} is {value}"), || async { (pod.metric(series).await == value).then_some(()) }).await;
}

fn ends(outcome: &str) -> String {
    format!("lastcall_session_ends_total{{outcome=\"{outcome}\"}}")
}

/// Checks that every session that began or was adopted here is active, or has ended once.
async fn assert_books(pod: &UserPod) {
    let page = pod.person().text("/metrics").await;
    let value = |series: &str| metric(&page, series).unwrap_or_else(|| panic!("no {series} in:\n{page}"));
    let outcomes = ["logout", "auto_logout", "forced", "expired", "moved"];
    let ended: f64 = outcomes.iter().map(|outcome| value(&ends(outcome))).sum();
    let begun = value("total_logins") + value("lastcall_sessions_adopted_total");
    assert_eq!(begun, value("active_sessions_total") + ended, "{page}");
    assert_eq!(value("forced_logouts_total"), 0.0, "no session is forced");
}

/// What the pod says of itself over gRPC.
async fn report(pod: &UserPod) -> (Pod, Vec<Session>) {
    let mut client = IntrospectionClient::new(channel(pod).await);
    let state = client.get_pod(GetPodRequest {}).await.unwrap().into_inner().pod.unwrap();
    let sessions = client.list_sessions(ListSessionsRequest::default()).await.unwrap().into_inner().sessions;
    (state, sessions)
}

/// Waits for the drain to end the wait for users.
async fn is_empty(pod: &UserPod) {
    pod.line("for endpoint removal to propagate").await;
}

async fn ready(pod: &UserPod) -> u16 {
    pod.person().status("/ready").await
}

/// Waits until the drain of the pod says that one user remains, with at most this many seconds left.
async fn one_remains_at(pod: &UserPod, at_most: u64) {
    let left = |line: &String| -> Option<u64> {
        line.strip_prefix("[GRACEFUL SHUTDOWN] 1 user remaining (")?.split_once("s left)")?.0.parse().ok()
    };
    eventually(&format!("1 user remaining, {at_most} s left"), || async {
        pod.drain_log().iter().filter_map(left).any(|seconds| seconds <= at_most).then_some(())
    })
    .await;
}

/// Waits for a number of adoptions.
async fn adopted(pod: &UserPod, sessions: f64) {
    becomes(pod, "lastcall_sessions_adopted_total", sessions).await;
}
