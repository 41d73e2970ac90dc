//! Introspection: a client that knows nothing but the port finds its way, and watches until the very end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use prost::Message as _;
use session_wire::v1::introspection_client::IntrospectionClient;
use session_wire::v1::watch_sessions_response::Event;
use session_wire::v1::{GetPodRequest, ListSessionsRequest, Outcome, Phase, WatchSessionsRequest};
use test_support::{Signal, TEST_TIMEOUT, UserPod};
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::{v1, v1alpha};

use crate::pod;

pub(crate) async fn channel(pod: &UserPod) -> Channel {
    Channel::from_shared(format!("http://{}", pod.grpc)).unwrap().connect().await.unwrap()
}

fn list(page_size: i32, page_token: &str, user_contains: &str) -> ListSessionsRequest {
    ListSessionsRequest { page_size, page_token: page_token.into(), user_contains: user_contains.into() }
}

#[tokio::test]
async fn reflection_lists_the_services_and_describes_them() {
    let pod = pod(&[]).await;
    let mut client = ServerReflectionClient::new(channel(&pod).await);
    let mut ask = async |request| {
        let request = v1::ServerReflectionRequest { host: String::new(), message_request: Some(request) };
        let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
        answers.message().await.unwrap().unwrap().message_response.unwrap()
    };
    let MessageResponse::ListServicesResponse(services) = ask(MessageRequest::ListServices(String::new())).await else {
        panic!("no list")
    };
    let names: Vec<_> = services.service.into_iter().map(|service| service.name).collect();
    for name in ["lastcall.v1.Introspection", "grpc.health.v1.Health"] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
    let symbol = MessageRequest::FileContainingSymbol("lastcall.v1.Introspection".into());
    let MessageResponse::FileDescriptorResponse(files) = ask(symbol).await else { panic!("no file") };
    let methods: Vec<_> = files
        .file_descriptor_proto
        .iter()
        .map(|bytes| prost_types::FileDescriptorProto::decode(bytes.as_slice()).unwrap())
        .flat_map(|file| file.service)
        .flat_map(|service| service.method)
        .map(|method| method.name().to_owned())
        .collect();
    assert_eq!(methods, ["GetPod", "ListSessions", "WatchSessions"]);

    let mut old = v1alpha::server_reflection_client::ServerReflectionClient::new(channel(&pod).await);
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::ListServices(String::new())),
    };
    let answers = old.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner().message().await;
    assert!(format!("{answers:?}").contains("grpc.health.v1.Health"));
}

#[tokio::test]
async fn sessions_are_listed_page_by_page_and_bad_arguments_are_refused() {
    let pod = pod(&[]).await;
    for user in ["ada", "Adam", "grace"] {
        pod.person().login(user).await;
    }
    let mut client = IntrospectionClient::new(channel(&pod).await);
    let first = client.list_sessions(list(2, "", "")).await.unwrap().into_inner();
    let second = client.list_sessions(list(2, &first.next_page_token, "")).await.unwrap().into_inner();
    let users: Vec<_> = first.sessions.iter().chain(&second.sessions).map(|session| session.user.as_str()).collect();
    assert_eq!((users, first.total), (vec!["ada", "Adam", "grace"], 3));
    assert_eq!(second.next_page_token, "");
    let filtered = client.list_sessions(list(0, "", "ADA")).await.unwrap().into_inner();
    assert_eq!((filtered.total, filtered.sessions.len()), (2, 2));

    for request in [list(-1, "", ""), list(1, "nonsense", ""), list(1, &first.next_page_token, "other")] {
        assert_eq!(client.list_sessions(request).await.unwrap_err().code(), Code::InvalidArgument);
    }
    let told = client.get_pod(GetPodRequest {}).await.unwrap().into_inner().pod.unwrap();
    assert_eq!((told.pod.as_str(), told.phase(), told.active_sessions), ("user-1", Phase::Serving, 3));
}

#[tokio::test]
async fn a_watcher_sees_the_drain_to_its_last_word() {
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
    assert_eq!(removals[0].1, i32::from(Outcome::Logout), "it is told how they left");
    let last = last.unwrap();
    let counters = last.counters.unwrap();
    assert!(last.is_final);
    assert_eq!((counters.logins, counters.graceful_logouts, counters.drain_notifications_sent), (1, 1, 1));
    assert!(pod.wait().await.success());
}

#[tokio::test]
async fn a_watcher_that_applies_changes_in_order_knows_what_the_pod_holds_and_hears_of_a_session_once_a_second() {
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
    let (mut known, mut told) = (BTreeMap::new(), BTreeMap::<String, u64>::new());
    let mut apply = |event: Event| match event {
        Event::Changes(changes) => {
            let upserts = changes.upserts.into_iter().map(|session| (session.session_id, Some(session.user)));
            let named: Vec<_> = upserts.chain(changes.removals.into_iter().map(|id| (id, None))).collect();
            let distinct: BTreeSet<_> = named.iter().map(|(id, _)| id).collect();
            assert_eq!(distinct.len(), named.len(), "a session occurs once in a message");
            for (id, user) in named {
                *told.entry(id.clone()).or_default() += 1;
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
    // All that is still to be told is told within two seconds.
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
    assert!(told.values().all(|times| *times <= at_most), "{told:?} in {at_most} s");
}

#[tokio::test]
async fn a_pod_tells_its_revision_its_readiness_and_who_is_present() {
    let options = [("POD_REVISION", "7d9f8c"), ("PRESENCE_LINGER", "0s"), ("DRAIN_TIMEOUT", "1h")];
    let pod = pod(&options).await;
    let mut client = IntrospectionClient::new(channel(&pod).await);
    let mut told = async || client.get_pod(GetPodRequest {}).await.unwrap().into_inner().pod.unwrap();
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    let first = told().await;
    assert_eq!((first.revision.as_str(), first.ready, first.present_sessions), ("7d9f8c", Some(true), Some(1)));
    pod.signal(Signal::SIGTERM);
    stream.next_named("drain").await;
    assert_eq!((told().await.ready, person.status("/ready").await), (Some(false), 503));
}

#[tokio::test]
async fn a_watcher_that_comes_between_two_counts_hears_what_has_changed_back_since() {
    let pod = pod(&[("PRESENCE_LINGER", "0s")]).await;
    let person = pod.person().visit().await;
    let mut client = IntrospectionClient::new(channel(&pod).await);
    let mut other = client.watch_sessions(WatchSessionsRequest {}).await.unwrap().into_inner();
    person.events().await;
    // Somebody hears that nobody is present: that is what was told last.
    let mut heard = Presence::default();
    while heard != (Presence { pod: Some(0), session: Some(false) }) {
        heard.hear(other.message().await.unwrap().unwrap().event.unwrap());
    }
    let stream = person.events().await;
    let mut watch = client.watch_sessions(WatchSessionsRequest {}).await.unwrap().into_inner();
    let mut heard = Presence::default();
    while heard.session.is_none() {
        heard.hear(watch.message().await.unwrap().unwrap().event.unwrap());
    }
    assert_eq!(heard, Presence { pod: Some(1), session: Some(true) });
    drop(stream);
    let told = tokio::time::timeout(TEST_TIMEOUT, async {
        while heard != (Presence { pod: Some(0), session: Some(false) }) {
            heard.hear(watch.message().await.unwrap().unwrap().event.unwrap());
        }
    });
    told.await.expect("it still believes that somebody is present");
}

/// What a watcher knows of who is present on a pod with one session.
#[derive(Debug, Default, PartialEq)]
struct Presence {
    pod: Option<u64>,
    session: Option<bool>,
}

impl Presence {
    fn hear(&mut self, event: Event) {
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
