//! Guessed, planted and copied cookies: none of them opens a session.

use reqwest::Client;
use reqwest::redirect::Policy;
use test_support::{UserPod, eventually};

use crate::pod;
use crate::switch::Switch;

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

/// Starts a session and copies its cookie.
async fn cookie(pod: &UserPod) -> String {
    let answer = client().get(pod.url("/")).send().await.unwrap();
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn status(pod: &UserPod, path: &str, cookie: &str) -> u16 {
    client().get(pod.url(path)).header("cookie", cookie).send().await.unwrap().status().as_u16()
}

/// Checks that a cookie gives no access: no page of the session, no stream, no counted logout.
async fn opens_nothing(pod: &UserPod, cookie: &str, what: &str) {
    for path in ["/session", "/events"] {
        assert_eq!(status(pod, path, cookie).await, 401, "{what}: {path}");
    }
    let ends = pod.metric("lastcall_session_ends_total{outcome=\"logout\"}").await;
    let logout = client().post(pod.url("/logout")).header("cookie", cookie).send().await.unwrap();
    assert_eq!(logout.status(), 200, "{what}");
    assert_eq!(pod.metric("lastcall_session_ends_total{outcome=\"logout\"}").await, ends, "{what}");
}

#[tokio::test]
async fn a_disclosed_session_id_opens_nothing() {
    let key = |key| [("SESSION_KEY", key)];
    let pod = pod(&key("0123456789abcdef0123456789abcdef")).await;
    let other = crate::pod(&key("fedcba9876543210fedcba9876543210")).await;
    let good = cookie(&pod).await;
    let session = client().get(pod.url("/session")).header("cookie", &good).send().await.unwrap();
    let session: serde_json::Value = session.json().await.unwrap();
    let id = session["session_id"].as_str().unwrap();
    let signed = good.split_once('=').unwrap().1;
    assert!(signed.contains(id) || signed.len() > id.len(), "{signed}");
    let foreign = cookie(&other).await;
    let moved = format!("session={}", signed.replace(id, "00000000-0000-4000-8000-000000000000"));
    for bad in [format!("session={id}"), format!("__Host-session={signed}"), foreign, moved] {
        opens_nothing(&pod, &bad, &bad).await;
    }
    assert_eq!(status(&pod, "/session", &good).await, 200, "tries of others do not end it");
}

#[tokio::test]
async fn a_planted_cookie_is_worthless_after_its_victim_has_signed_in() {
    let pod = pod(&[]).await;
    let planted = cookie(&pod).await;
    let login = client().post(pod.url("/login")).header("cookie", &planted).form(&[("user", "ada")]);
    let login = login.send().await.unwrap();
    let own = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_ne!(own, planted);
    opens_nothing(&pod, &planted, "the planted cookie").await;
    assert_eq!(status(&pod, "/session", &own).await, 200);
}

#[tokio::test]
async fn a_copied_cookie_opens_nothing_after_any_end_of_its_session() {
    let pod = pod(&[("SESSION_TTL", "1s")]).await;
    let left = cookie(&pod).await;
    client().post(pod.url("/logout")).header("cookie", &left).send().await.unwrap();
    opens_nothing(&pod, &left, "after leaving").await;

    let idle = cookie(&pod).await;
    eventually("the idle session's end", || async {
        (pod.metric("lastcall_session_ends_total{outcome=\"expired\"}").await == 1.0).then_some(())
    })
    .await;
    opens_nothing(&pod, &idle, "after expiring").await;
}

#[tokio::test]
async fn a_copied_cookie_opens_nothing_after_a_forced_end() {
    let switch = Switch::new("false");
    let options = switch.options();
    let pod = pod(&[&options[..], &[("DRAIN_TIMEOUT", "1s")]].concat()).await;
    let forced = cookie(&pod).await;
    let stream = client().get(pod.url("/events")).header("cookie", &forced).send().await.unwrap();
    let mut stream = test_support::Events::new(stream);
    switch.set("true");
    assert_eq!(stream.next_named("session-ended").await.data["reason"], "forced");
    opens_nothing(&pod, &forced, "while no newcomer is admitted").await;
    switch.set("false");
    eventually("newcomers to be let in", || async { (pod.person().status("/").await == 200).then_some(()) }).await;
    opens_nothing(&pod, &forced, "once people are let in again").await;
}
