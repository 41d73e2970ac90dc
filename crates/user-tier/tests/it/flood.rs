//! Clients that keep no cookie and start a session with every request: they do not lock other users out.

use test_support::{Redis, UserPod, eventually};

use crate::pod;

/// Floods a pod with a limit of 20 sessions, and checks which users are served.
async fn flood(options: &[(&str, &str)]) {
    let pod = pod(&[&[("MAX_SESSIONS", "20")], options].concat()).await;
    let confirmed = pod.person().visit().await;
    let id = confirmed.session().await["session_id"].clone();
    let reading = pod.person().visit().await;
    let mut stream = reading.events().await;
    for _ in 0..60 {
        assert_eq!(pod.person().status("/").await, 200);
    }
    let newcomer = pod.person().visit().await;
    assert_eq!(newcomer.session().await["user"], "anonymous");
    assert_eq!(confirmed.session().await["session_id"], id, "a session that came back was given up");
    reading.login("ada").await;
    assert_eq!(stream.next_named("connected").await.name, "connected", "an open stream was given up");
    let page = pod.person().text("/metrics").await;
    let value = |series: &str| test_support::metric(&page, series).unwrap();
    assert!(value("active_sessions_total") <= 20.0);
    let expired = value("lastcall_session_ends_total{outcome=\"expired\"}");
    assert_eq!(value("total_logins"), value("active_sessions_total") + expired);
    assert_eq!(value("total_logins"), 63.0);
}

#[tokio::test]
async fn a_full_pod_evicts_sessions_without_a_cookie_first() {
    flood(&[]).await;
}

#[tokio::test]
async fn with_a_store_a_full_pod_evicts_sessions_without_a_cookie_first() {
    let redis = Redis::start().await;
    flood(&[("REDIS_URL", &redis.url()), ("SESSION_KEY", "shared")]).await;
}

/// The status of a request of a newcomer behind a proxy on this machine.
async fn newcomer(pod: &UserPod, path: &str, client: &str) -> reqwest::Response {
    pod.person().request(path).header("x-forwarded-for", client).header("accept", "text/html").send().await.unwrap()
}

#[tokio::test]
async fn an_address_that_starts_too_many_sessions_is_refused_while_others_and_its_users_are_served() {
    let pod = pod(&[("NEWCOMERS_PER_MINUTE", "3"), ("TRUSTED_PROXIES", "127.0.0.0/8"), ("SESSION_TTL", "30s")]).await;
    let person = pod.person().visit().await;
    for address in ["192.0.2.1", "2001:db8::1"] {
        for _ in 0..3 {
            assert_eq!(newcomer(&pod, "/", address).await.status(), 200);
        }
        let refused = newcomer(&pod, "/", &format!("198.51.100.9, {address}")).await;
        assert_eq!(refused.status(), 429, "{address}: what the client says of itself does not count");
        let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=20).contains(&seconds), "{seconds}");
        assert!(!refused.headers().contains_key("set-cookie"));
        assert!(refused.text().await.unwrap().contains("Too many new sessions"));
        assert_eq!(newcomer(&pod, "/health", address).await.status(), 200);
    }
    let api = pod.person().request("/").header("x-forwarded-for", "192.0.2.1").send().await.unwrap();
    assert_eq!(
        (api.status().as_u16(), api.headers()["content-type"].to_str().unwrap()),
        (429, "application/problem+json")
    );
    assert_eq!(newcomer(&pod, "/", "192.0.2.2").await.status(), 200);
    assert_eq!(person.status("/session").await, 200);
    assert_eq!(pod.metric("total_logins").await, 8.0);
    assert_eq!(pod.metric("lastcall_newcomers_refused_total").await, 3.0);
    let text = "newcomers of one address exceed NEWCOMERS_PER_MINUTE=3";
    let warned = || async { pod.log().iter().any(|line| line.contains(text)).then_some(()) };
    eventually("the warning", warned).await;
}

#[tokio::test]
async fn confirmed_sessions_are_never_evicted_and_newcomers_get_the_busy_page() {
    let pod = pod(&[("MAX_SESSIONS", "2")]).await;
    let people = [pod.person().visit().await, pod.person().visit().await];
    for person in &people {
        person.session().await;
    }
    let busy = pod.person().get("/").await;
    assert_eq!(busy.status(), 503);
    assert!(busy.headers().contains_key("retry-after"));
    for person in &people {
        assert_eq!(person.status("/session").await, 200);
    }
}
