//! A change on one pod is visible on the pod that serves the next request.

use test_support::{Person, Redis, Signal, UserPod, eventually};

use crate::switch::Switch;
use crate::{BINARY, QUICK};

const KEY: (&str, &str) = ("SESSION_KEY", "0123456789abcdef0123456789abcdef");
const LONG: [(&str, &str); 2] = [("DRAIN_TIMEOUT", "1h"), ("PROPAGATION_WAIT", "1h")];

async fn pod(name: &str, redis: &Redis, options: &[(&str, &str)]) -> UserPod {
    let url = redis.url();
    UserPod::start(BINARY, name, &[&QUICK[..], &[("REDIS_URL", url.as_str()), KEY], options].concat()).await
}

async fn ended(pod: &UserPod, outcome: &str) -> f64 {
    pod.metric(&format!("lastcall_session_ends_total{{outcome=\"{outcome}\"}}")).await
}

async fn becomes(pod: &UserPod, series: &str, value: f64) {
    eventually(&format!("{series} {value}"), || async { (pod.metric(series).await == value).then_some(()) }).await;
}

#[tokio::test]
async fn the_owner_counts_a_logout_whichever_pod_receives_it() {
    let redis = Redis::start().await;
    let (first, second) = (pod("user-1", &redis, &LONG).await, pod("user-2", &redis, &LONG).await);
    let (automatic, by_hand, early) =
        (first.person().visit().await, first.person().visit().await, first.person().visit().await);
    let mut streams = Vec::new();
    for person in [&automatic, &by_hand, &early] {
        streams.push(person.events().await);
    }
    assert_eq!(early.at(&second.http).post("/logout").send().await.unwrap().status(), 200);
    becomes(&first, "lastcall_session_ends_total{outcome=\"logout\"}", 1.0).await;
    assert_eq!(first.metric("graceful_logouts_total").await, 0.0, "nothing was announced yet");
    first.signal(Signal::SIGTERM);
    for stream in &mut streams[..2] {
        stream.next_named("drain").await;
    }
    assert_eq!(automatic.at(&second.http).status("/logout?reason=drain").await, 200);
    assert_eq!(by_hand.at(&second.http).post("/logout").send().await.unwrap().status(), 200);
    for stream in &mut streams {
        assert_eq!(stream.next_named("session-ended").await.data["reason"], "logout");
    }
    becomes(&first, "graceful_logouts_total", 2.0).await;
    assert_eq!((ended(&first, "auto_logout").await, ended(&first, "logout").await), (1.0, 2.0));
    assert_eq!(second.metric("lastcall_sessions_adopted_total").await, 0.0);
    assert_eq!((ended(&second, "logout").await, ended(&second, "auto_logout").await), (0.0, 0.0));
    first.line("0 users remaining").await;
    for person in [&automatic, &by_hand, &early] {
        assert_eq!(person.at(&second.http).status("/session").await, 401);
    }
}

#[tokio::test]
async fn a_logout_without_an_owner_ends_the_session_on_the_receiving_pod() {
    let redis = Redis::start().await;
    let (mut first, second) = (pod("user-1", &redis, &[]).await, pod("user-2", &redis, &[]).await);
    let person = first.person();
    let page = person.get("/").await;
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    first.signal(Signal::SIGKILL);
    first.wait().await;
    eventually("the lease to run out", || async { redis.keys("lastcall:pod:user-1").await.is_empty().then_some(()) })
        .await;
    assert_eq!(person.at(&second.http).status("/logout?reason=drain").await, 200);
    assert_eq!((ended(&second, "logout").await, ended(&second, "auto_logout").await), (1.0, 0.0));
    assert_eq!(second.metric("lastcall_sessions_adopted_total").await, 1.0);
    assert_eq!(second.metric("active_sessions_total").await, 0.0);
    assert!(redis.keys("session:*").await.is_empty());
    let replayed = second.person().request("/session").header("cookie", cookie).send().await.unwrap();
    assert_eq!(replayed.status(), 401);
}

#[tokio::test]
async fn a_draining_pod_shows_its_guests_the_notice_of_their_owner() {
    let redis = Redis::start().await;
    let hour = [("DRAIN_TIMEOUT", "1h")];
    let (first, second) = (pod("user-1", &redis, &hour).await, pod("user-2", &redis, &[("DRAIN_TIMEOUT", "2h")]).await);
    let person = first.person().visit().await;
    let mut own = person.events().await;
    let holds = second.person().visit().await;
    let mut holding = holds.events().await;
    for (pod, stream) in [(&first, &mut own), (&second, &mut holding)] {
        pod.signal(Signal::SIGTERM);
        stream.next_named("drain").await;
    }
    let there = person.at(&second.http);
    let session = there.get("/session").await;
    assert_eq!(session.headers()["connection"], "close", "the next request may find a pod that can adopt it");
    let session: serde_json::Value = session.json().await.unwrap();
    assert_eq!((&session["pod"], &session["drain"]["reason"]), (&"user-1".into(), &"shutdown".into()));
    let left = session["drain"]["remaining_ms"].as_u64().unwrap();
    assert!((3_500_000..=3_600_000).contains(&left), "the deadline of user-1, not of user-2: {left}");
    let mut stream = there.raw_events().await;
    let greeting = stream.next().await;
    assert_eq!(greeting.data["drain"]["reason"], "shutdown", "{greeting:?}");
    assert_eq!(stream.next().await.name, "drain");
    assert_eq!(first.metric("drain_notifications_sent").await, 1.0, "one notice is counted once");
    // The owner is hurried: its guests learn that their session continues on another pod, and are not sent in circles.
    assert_eq!(there.post("/logout").send().await.unwrap().status(), 200);
    becomes(&first, "graceful_logouts_total", 1.0).await;
}

#[tokio::test]
async fn a_page_from_another_pod_counts_as_notified_by_the_owner() {
    let redis = Redis::start().await;
    let (first, second) = (pod("user-1", &redis, &LONG).await, pod("user-2", &redis, &LONG).await);
    // A session without a stream is notified only by the pod that serves its next page.
    let person = first.person().visit().await;
    assert_eq!(person.status("/").await, 200);
    let holds = second.person().visit().await;
    let _holding = holds.events().await;
    for pod in [&second, &first] {
        pod.signal(Signal::SIGTERM);
        pod.line("Waiting").await;
    }
    assert_eq!(first.metric("drain_notifications_sent").await, 0.0);
    eventually("the notice", || async { person.at(&second.http).session().await["drain"].is_object().then_some(()) })
        .await;
    becomes(&first, "drain_notifications_sent", 1.0).await;
    assert_eq!(person.at(&second.http).post("/logout").send().await.unwrap().status(), 200);
    becomes(&first, "graceful_logouts_total", 1.0).await;
}

#[tokio::test]
async fn after_the_maintenance_countdown_a_session_without_an_owner_gets_the_maintenance_page_and_keeps_its_cookie() {
    let redis = Redis::start().await;
    let switch = Switch::new("false");
    let options = switch.options();
    let (mut first, second) = (pod("user-1", &redis, &[]).await, pod("user-2", &redis, &options).await);
    let person = first.person().visit().await;
    person.login("ada").await;
    first.signal(Signal::SIGKILL);
    first.wait().await;
    switch.set("true");
    second.line("Maintenance mode enabled").await;
    let there = person.at(&second.http);
    let page = eventually("the lease to run out", || async {
        let page = there.request("/").header("accept", "text/html").send().await.unwrap();
        (page.status() == 503).then_some(page)
    })
    .await;
    assert!(!page.headers().contains_key("set-cookie"));
    assert_eq!(page.headers()["retry-after"], "1800");
    assert!(page.text().await.unwrap().contains("We'll be back soon"));
    switch.set("false");
    eventually("the end of maintenance", || async { (there.status("/session").await == 200).then_some(()) }).await;
    assert_eq!(there.session().await["user"], "ada");
}

#[tokio::test]
async fn a_pod_that_wakes_up_after_its_deadline_forces_only_sessions_that_it_still_owns() {
    let redis = Redis::start().await;
    let long = [("PROPAGATION_WAIT", "1h")];
    let (first, second) = (pod("user-1", &redis, &long).await, pod("user-2", &redis, &long).await);
    let mut people: Vec<Person> = Vec::new();
    let mut streams = Vec::new();
    for _ in 0..5 {
        let person = first.person().visit().await;
        streams.push(person.events().await);
        people.push(person);
    }
    first.signal(Signal::SIGTERM);
    for stream in &mut streams {
        stream.next_named("drain").await;
    }
    first.signal(Signal::SIGSTOP);
    for person in &people[..2] {
        eventually("the adoption", || async {
            let session = person.at(&second.http).session().await;
            (session["pod"] == "user-2").then_some(())
        })
        .await;
    }
    // Longer than the countdown, and than the lease.
    eventually("the lease to run out", || async { redis.keys("lastcall:pod:user-1").await.is_empty().then_some(()) })
        .await;
    first.signal(Signal::SIGCONT);
    first.line("endpoint removal").await;
    assert_eq!((ended(&first, "forced").await, ended(&first, "moved").await), (3.0, 2.0));
    assert!(
        first.drain_log().iter().any(|line| line.contains("Force-closing 3 remaining sessions")),
        "{:?}",
        first.drain_log()
    );
    assert_eq!(second.metric("lastcall_sessions_adopted_total").await, 2.0);
}
