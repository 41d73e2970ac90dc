//! Clients that keep no cookie and start a session with every request: they do not lock other users out.

use test_support::Redis;

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
