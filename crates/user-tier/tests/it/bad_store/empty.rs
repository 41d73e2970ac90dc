//! A Redis that comes back empty.

use std::time::Duration;

use test_support::Redis;

use super::{User, all_are_served, becomes, pod, roam, sign_in_all, three_pods};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_session_is_doubted_while_a_pod_that_holds_it_lives() {
    let mut redis = Redis::start().await;
    let pods = three_pods(&redis.url(), &[]).await;
    let users = sign_in_all(&pods, 72).await;
    redis.kill().await;
    redis.start_again().await;
    let seen = roam(&users, &pods, Duration::from_secs(10)).await;
    assert!(seen.wrong.is_empty(), "{} of 72 users: {:#?}", seen.wrong.len(), seen.wrong);
    all_are_served(&users, &pods).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_was_flushed_without_a_break_is_doubted_too() {
    let redis = Redis::start().await;
    let pods = three_pods(&redis.url(), &[]).await;
    let users = sign_in_all(&pods, 72).await;
    let _: () = redis.ask(&["FLUSHALL"]).await;
    let seen = roam(&users, &pods, Duration::from_secs(10)).await;
    assert!(seen.wrong.is_empty(), "{} of 72 users: {:#?}", seen.wrong.len(), seen.wrong);
    all_are_served(&users, &pods).await;
}

#[tokio::test]
async fn an_absent_session_is_believed_after_ten_seconds() {
    let mut redis = Redis::start().await;
    let pods = three_pods(&redis.url(), &[]).await;
    let answer = pods[0].person().get("/").await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    redis.kill().await;
    redis.start_again().await;
    becomes(&pods[0], "lastcall_store_up", 1.0).await;
    let left = pods[0].person().post("/logout").header("cookie", &cookie).send().await.unwrap();
    assert_eq!(left.status(), 200);
    for pod in &pods {
        let believed = || async {
            let answer = pod.person().request("/session").header("cookie", &cookie).send().await.unwrap();
            assert!([401, 503].contains(&answer.status().as_u16()), "{}", answer.status());
            (answer.status() == 401).then_some(())
        };
        test_support::eventually("a session that is nowhere to be over", believed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_starts_as_redis_comes_back_empty_does_not_win_with_a_key_of_its_own() {
    let mut redis = Redis::start().await;
    let (url, shared) = (redis.url(), [("SESSION_KEY", "shared")]);
    let mut pods = vec![pod("user-1", &url, &shared).await, pod("user-2", &url, &shared).await];
    let mut users = sign_in_all(&pods, 30).await;
    for round in 0..2 {
        redis.kill().await;
        for pod in &pods {
            becomes(pod, "lastcall_store_up", 0.0).await;
        }
        let name = format!("new-{round}");
        // The pod asks for the key when there is one to agree on.
        let (newest, ()) = tokio::join!(pod(&name, &url, &shared), redis.start_again());
        let newcomer = User::sign_in(&newest, name).await;
        pods.push(newest);
        let ask = |host: String, user: User| async move { user.person.at(&host).status("/session").await };
        for user in users.iter().chain([&newcomer]) {
            for pod in &pods {
                let verified = || async { (ask(pod.http.clone(), user.clone()).await == 200).then_some(()) };
                test_support::eventually(&format!("the cookie of {} to verify", user.name), verified).await;
            }
        }
        users.push(newcomer);
    }
    all_are_served(&users, &pods).await;
}
