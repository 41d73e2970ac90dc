//! Three real pods, one real Redis, and the dashboard that counts each session once.

use test_support::{Redis, Signal, UserPod, eventually};

use crate::Admin;
use crate::real_pods::user_pod;

/// What each pod counts, from its own gauge.
async fn held(pods: &[&UserPod]) -> f64 {
    let mut sum = 0.0;
    for pod in pods {
        sum += pod.metric("active_sessions_total").await;
    }
    sum
}

#[tokio::test]
async fn a_killed_pods_session_is_counted_once_on_any_pod_or_as_an_orphan() {
    let redis = Redis::start().await;
    let url = redis.url();
    let options = [("REDIS_URL", url.as_str()), ("SESSION_KEY", "shared")];
    let mut first = user_pod("user-1", &options).await;
    let (second, third) = (user_pod("user-2", &options).await, user_pod("user-3", &options).await);
    let admin = Admin::with(&[&first.grpc, &second.grpc, &third.grpc], &[("REDIS_URL", &url)]).await;
    let ada = first.person().visit().await;
    ada.login("ada").await;
    let _elsewhere = third.person().visit().await;
    let stays = first.person().visit().await;
    stays.login("bob").await;
    admin.sessions(3).await;
    assert_eq!(held(&[&first, &second, &third]).await, redis.keys("session:*").await.len() as f64);

    let there = ada.at(&second.http);
    assert_eq!(there.session().await["user"], "ada", "goes on at the second pod");
    first.signal(Signal::SIGKILL);
    first.wait().await;
    assert_eq!(there.session().await["user"], "ada", "still signed in");
    let list = eventually("the dashboard", || async {
        let list = admin.json("/admin/api/v1/sessions?user=ada").await;
        (list["sessions"][0]["pod"] == "user-2").then_some(list)
    })
    .await;
    assert_eq!(list["total"], 1, "counted once: {list}");
    assert_eq!(admin.json("/admin/api/v1/sessions").await["total"], 3, "the last known row of bob stays");

    // No pod holds bob's session: it is listed as an orphan until bob comes back.
    let orphans = eventually("the orphan", || async {
        let orphans = admin.json("/admin/api/v1/orphans").await;
        (orphans["total"] == 1).then_some(orphans)
    })
    .await;
    assert_eq!((&orphans["sessions"][0]["user"], &orphans["sessions"][0]["pod"]), (&"bob".into(), &"user-1".into()));
    assert!(admin.person().text("/admin/users").await.contains("Left behind"));
    assert_eq!(stays.at(&third.http).session().await["user"], "bob");
    eventually("no orphan", || async { (admin.json("/admin/api/v1/orphans").await["total"] == 0).then_some(()) }).await;
    eventually("the sum over the pods", || async {
        (held(&[&second, &third]).await == redis.keys("session:*").await.len() as f64).then_some(())
    })
    .await;
}

#[tokio::test]
async fn orphans_need_a_redis_and_one_that_is_away_is_reported() {
    let without = Admin::start(&["127.0.0.1:1"]).await;
    assert_eq!(without.person().status("/admin/api/v1/orphans").await, 404);
    let mut redis = Redis::start().await;
    let admin = Admin::with(&["127.0.0.1:1"], &[("REDIS_URL", &redis.url())]).await;
    redis.kill().await;
    let orphans = eventually("the outage", || async {
        let orphans = admin.json("/admin/api/v1/orphans").await;
        orphans["error"].is_string().then_some(orphans)
    })
    .await;
    assert_eq!(orphans["total"], 0);
    assert_eq!(admin.person().status("/admin/users").await, 200);
}
