//! Watches of a pod: a snapshot, then changes in order, until the pod exits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use session_wire::v1::introspection_client::IntrospectionClient;
use session_wire::v1::watch_sessions_response::Event;
use session_wire::v1::{GetPodRequest, Outcome, Phase, WatchSessionsRequest};
use test_support::{Signal, TEST_TIMEOUT};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{channel, list};
use crate::pod;

#[tokio::test]
async fn a_watch_reports_the_drain_up_to_the_final_message() {
    let mut pod = pod(&[]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    let channel = channel(&pod).await;
    let mut watch =
        IntrospectionClient::new(channel.clone()).watch_sessions(WatchSessionsRequest {}).await.unwrap().into_inner();
    let mut health = HealthClient::new(channel);
    let mut check = async || health.check(HealthCheckRequest::default()).await.unwrap().into_inner().status();
    assert_eq!(check().await, ServingStatus::Serving);

    let Event::Pod(first) = watch.message().await.unwrap().unwrap().event.unwrap() else {
        panic!("the pod comes first")
    };
    assert_eq!(first.phase(), Phase::Serving);
    let Event::Snapshot(snapshot) = watch.message().await.unwrap().unwrap().event.unwrap() else {
        panic!("no snapshot")
    };
    assert!(snapshot.end);
    assert_eq!((snapshot.sessions.len(), snapshot.sessions[0].event_streams), (1, 1));

    pod.signal(Signal::SIGTERM);
    stream.next_named("drain").await;
    assert_eq!(check().await, ServingStatus::NotServing);
    person.get("/logout").await;
    let (mut phases, mut removals, mut last) = (Vec::new(), Vec::new(), None);
    while let Some(message) = watch.message().await.unwrap() {
        match message.event.unwrap() {
            Event::Pod(pod) => {
                phases.push(pod.phase());
                last = Some(pod);
            }
            Event::Changes(changes) => removals.extend(changes.removals.into_iter().zip(changes.outcomes)),
            Event::Snapshot(_) => panic!("a second snapshot"),
        }
    }
    phases.dedup();
    assert!(phases.ends_with(&[Phase::Draining, Phase::Propagating]), "{phases:?}");
    assert_eq!(removals.len(), 1);
    assert_eq!(removals[0].1, i32::from(Outcome::Logout), "the removal has its outcome");
    let last = last.unwrap();
    let counters = last.counters.unwrap();
    assert!(last.is_final);
    assert_eq!((counters.logins, counters.graceful_logouts, counters.drain_notifications_sent), (1, 1, 1));
    assert!(pod.wait().await.success());
}

#[tokio::test]
async fn applying_the_changes_of_a_watch_in_order_gives_the_pods_sessions_each_at_most_once_a_second() {
    let pod = pod(&[]).await;
    let mut client = IntrospectionClient::new(channel(&pod).await);
    let began = Instant::now();
    let mut watch = client.watch_sessions(WatchSessionsRequest {}).await.unwrap().into_inner();
    // Users come, sign in (which gives a session another id), are active, and every other one leaves.
    let storm = async {
        for turn in 0..60 {
            let person = pod.person().visit().await;
            person.login(&format!("user {turn}")).await;
            for _ in 0..3 {
                person.session().await;
            }
            if turn % 2 == 0 {
                person.post("/logout").send().await.unwrap();
            }
        }
    };
    let (mut known, mut sent) = (BTreeMap::new(), BTreeMap::<String, u64>::new());
    let mut apply = |event: Event| match event {
        Event::Changes(changes) => {
            let upserts = changes.upserts.into_iter().map(|session| (session.session_id, Some(session.user)));
            let named: Vec<_> = upserts.chain(changes.removals.into_iter().map(|id| (id, None))).collect();
            let distinct: BTreeSet<_> = named.iter().map(|(id, _)| id).collect();
            assert_eq!(distinct.len(), named.len(), "a session occurs once in a message");
            for (id, user) in named {
                *sent.entry(id.clone()).or_default() += 1;
                match user {
                    Some(user) => known.insert(id, user),
                    None => known.remove(&id),
                };
            }
            known.len()
        }
        Event::Snapshot(_) | Event::Pod(_) => known.len(),
    };
    tokio::join!(storm, async { while apply(watch.message().await.unwrap().unwrap().event.unwrap()) < 1 {} });
    // All pending changes are sent within two seconds.
    let settled = tokio::time::timeout(TEST_TIMEOUT, async {
        loop {
            let count = apply(watch.message().await.unwrap().unwrap().event.unwrap());
            let held = client.get_pod(GetPodRequest {}).await.unwrap().into_inner().pod.unwrap().active_sessions;
            if (held, count) == (30, 30) {
                return;
            }
        }
    });
    settled.await.unwrap();
    let listed = client.list_sessions(list(1_000, "", "")).await.unwrap().into_inner().sessions;
    let listed: BTreeMap<_, _> = listed.into_iter().map(|session| (session.session_id, session.user)).collect();
    assert_eq!(known, listed);
    let at_most = began.elapsed().as_secs() + 1;
    assert!(sent.values().all(|times| *times <= at_most), "{sent:?} in {at_most} s");
}

#[tokio::test]
async fn a_watch_that_starts_between_two_counts_reports_what_has_changed_back_since() {
    let pod = pod(&[("PRESENCE_LINGER", "0s")]).await;
    let person = pod.person().visit().await;
    let mut client = IntrospectionClient::new(channel(&pod).await);
    let mut other = client.watch_sessions(WatchSessionsRequest {}).await.unwrap().into_inner();
    person.events().await;
    // A reader receives that no session is present; this is the last message.
    let mut seen = Presence::default();
    while seen != (Presence { pod: Some(0), session: Some(false) }) {
        seen.apply(other.message().await.unwrap().unwrap().event.unwrap());
    }
    let stream = person.events().await;
    let mut watch = client.watch_sessions(WatchSessionsRequest {}).await.unwrap().into_inner();
    let mut seen = Presence::default();
    while seen.session.is_none() {
        seen.apply(watch.message().await.unwrap().unwrap().event.unwrap());
    }
    assert_eq!(seen, Presence { pod: Some(1), session: Some(true) });
    drop(stream);
    let sent = tokio::time::timeout(TEST_TIMEOUT, async {
        while seen != (Presence { pod: Some(0), session: Some(false) }) {
            seen.apply(watch.message().await.unwrap().unwrap().event.unwrap());
        }
    });
    sent.await.expect("the watch still reports a present session");
}

/// Whether a watch reports the one session of a pod as present.
#[derive(Debug, Default, PartialEq)]
struct Presence {
    pod: Option<u64>,
    session: Option<bool>,
}

impl Presence {
    fn apply(&mut self, event: Event) {
        let sessions = match event {
            Event::Pod(pod) => {
                self.pod = pod.present_sessions;
                return;
            }
            Event::Snapshot(part) => part.sessions,
            Event::Changes(changes) => changes.upserts,
        };
        self.session = sessions.first().and_then(|session| session.present).or(self.session);
    }
}
