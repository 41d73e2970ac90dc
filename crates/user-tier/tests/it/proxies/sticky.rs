//! Sticky routes while a pod hands its sessions off, with the manual's settings.

use reqwest::{Client, Response};
use serde_json::Value;
use test_support::{Event, Events, Redis, Signal, UserPod, eventually};

use super::{POD, replaced, settings, settings_after};
use crate::{BINARY, QUICK};

/// The second pod's address in the manual's settings.
const SECOND_POD: &str = "10.0.0.12:9090";

/// Short times; a session that stays is asked and notified within two seconds.
const HANDOFF: [(&str, &str); 5] = [
    ("HANDOFF", "on"),
    ("HANDOFF_DELAY", "500ms"),
    ("HANDOFF_QUIET", "1s"),
    ("DRAIN_TIMEOUT", "4s"),
    ("SESSION_KEY", "a key of at least thirty-two bytes for tests"),
];

async fn pod(redis: &Redis, name: &str) -> UserPod {
    let url = redis.url();
    UserPod::start(BINARY, name, &[&QUICK[..], &HANDOFF, &[("REDIS_URL", url.as_str())]].concat()).await
}

/// A user behind a proxy, with cookies and kept connections.
struct User {
    client: Client,
    address: String,
}

impl User {
    async fn visit(address: &str, http2: bool) -> Self {
        let client = Client::builder().cookie_store(true);
        let client = if http2 { client.http2_prior_knowledge() } else { client };
        let user = Self { client: client.build().unwrap(), address: address.to_owned() };
        assert_eq!(user.get("/").await.status(), 200);
        user
    }

    async fn get(&self, path: &str) -> Response {
        self.client.get(format!("http://{}{path}", self.address)).send().await.unwrap()
    }

    async fn session(&self) -> Value {
        let answer = self.get("/session").await;
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    /// Opens a stream, and returns the pod that greets.
    async fn stream(&self) -> (Events, String) {
        let answer = self.get("/events").await;
        assert_eq!(answer.status(), 200);
        let mut events = Events::new(answer);
        let greeting = events.next_named("connected").await;
        (events, greeting.data["pod"].as_str().unwrap().to_owned())
    }

    /// Moves as a page does: opens the stream again after each `move`. Returns the first event that is neither that nor a heartbeat, or
    /// the greeting of another pod.
    async fn follow(&self, mut events: Events, first_pod: &str) -> Event {
        loop {
            match events.next_or_end().await {
                Some(event) if event.name == "connected" && event.data["pod"] != first_pod => return event,
                Some(event) if event.name == "drain" => return event,
                Some(event) if event.name != "move" => {}
                Some(_) | None => events = Events::new(self.get("/events").await),
            }
        }
    }
}

/// Sends SIGTERM to the pod that this user's requests reach, and returns its name and what the user is shown.
async fn terminated(pods: &[UserPod; 2], user: &User) -> (String, Event) {
    let before = user.session().await;
    let (events, _) = user.stream().await;
    // A session starts before its cookie leads anywhere. The pod that the cookie leads to adopts it.
    let (name, pod) = eventually("the pod that serves owns the session", || async {
        let name = user.session().await["pod"].as_str()?.to_owned();
        let pod = &pods[usize::from(name == "user-2")];
        (pod.metric("lastcall_event_streams").await == 1.0).then_some((name, pod))
    })
    .await;
    pod.signal(Signal::SIGTERM);
    let shown = user.follow(events, &name).await;
    assert_eq!(user.session().await["session_id"], before["session_id"]);
    (name, shown)
}

mod haproxy {
    use test_support::Haproxy;

    use super::*;

    /// The manual's HAProxy with a sticky cookie.
    async fn in_front(pods: &[UserPod; 2], bind: &str, server: &str) -> Haproxy {
        let (front, _) = settings("haproxy").split_once("\nbackend lastcall").unwrap();
        let text = format!("{front}\n{}", settings_after("### HAProxy with a sticky cookie", "haproxy"));
        let haproxy = Haproxy::with(|address| {
            let bind = format!("bind {address}{bind}");
            let first = format!("{}{server}", pods[0].http);
            let second = format!("{}{server}", pods[1].http);
            replaced(&text, &[("bind :80", &bind), (POD, &first), (SECOND_POD, &second), ("inter 1s", "inter 100ms")])
        })
        .await;
        eventually("both pods in rotation", || async {
            let up = haproxy.checked("lastcall").await;
            (up == 2).then_some(())
        })
        .await;
        haproxy
    }

    #[tokio::test]
    async fn a_sticky_cookie_of_the_recommended_haproxy_lets_go_of_a_pod_that_hands_off() {
        for (bind, server, http2) in [("", "", false), (" proto h2", "", true), ("", " proto h2 check-proto h1", false)]
        {
            let redis = Redis::start().await;
            let pods = [pod(&redis, "user-1").await, pod(&redis, "user-2").await];
            let haproxy = in_front(&pods, bind, server).await;
            let user = User::visit(&haproxy.address, http2).await;
            let (first, shown) = terminated(&pods, &user).await;
            assert_eq!(shown.name, "connected", "no banner over {bind:?}{server:?}: {shown:?}");
            let (_, second) = user.stream().await;
            assert_ne!(second, first, "the new cookie leads to the other pod");
        }
    }
}

mod nginx {
    use test_support::Nginx;

    use super::*;

    #[tokio::test]
    async fn where_nginx_routes_by_cookie_whatever_readiness_says_the_banner_says_that_users_stay_signed_in() {
        let redis = Redis::start().await;
        let pods = [pod(&redis, "user-1").await, pod(&redis, "user-2").await];
        let (_, server) = settings("nginx").split_once("map $http_upgrade").unwrap();
        let text = format!("{}map $http_upgrade{server}", settings_after("### nginx with sticky sessions", "nginx"));
        let nginx = Nginx::with(|address| {
            let listen = format!("listen {address};");
            replaced(&text, &[(POD, &pods[0].http), (SECOND_POD, &pods[1].http), ("listen 80;", &listen)])
        })
        .await;
        let user = User::visit(&nginx.address, false).await;
        let (first, shown) = terminated(&pods, &user).await;
        assert_eq!((shown.name.as_str(), &shown.data["moves"]), ("drain", &Value::Bool(true)), "{shown:?}");
        let mut pods = pods;
        assert!(pods[usize::from(first == "user-2")].wait().await.success());
        let session = user.session().await;
        assert_ne!(session["pod"], first.as_str(), "the session lives on: {session}");
    }
}
