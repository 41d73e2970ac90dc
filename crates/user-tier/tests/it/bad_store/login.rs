//! A Redis that refuses the login: a faulty option, not an outage.

use std::time::Duration;

use test_support::Redis;
use tokio::time::{Instant, sleep};

use super::pod;

#[tokio::test]
async fn a_pod_with_a_wrong_password_never_becomes_ready_and_logs_why_once() {
    let redis = Redis::with(&["--requirepass", "the-right-one"]).await;
    let wrong = redis.url().replace("redis://", "redis://:hunter2-wrong@");
    let optional = pod("user-1", &wrong, &[]).await;
    let required = pod("user-2", &wrong, &[("STORE_AT_START", "required")]).await;
    let missing = pod("user-3", &redis.url(), &[]).await;
    for pod in [&optional, &required, &missing] {
        pod.line("ERROR").await;
    }
    let until = Instant::now() + Duration::from_secs(5);
    while Instant::now() < until {
        for pod in [&optional, &required, &missing] {
            assert_eq!(pod.person().status("/ready").await, 503, "{}", pod.log().join("\n"));
            assert_eq!(pod.person().status("/health").await, 200);
        }
        sleep(Duration::from_millis(200)).await;
    }
    for pod in [&optional, &required, &missing] {
        let log = pod.log();
        let errors: Vec<_> = log.iter().filter(|line| line.contains("ERROR")).collect();
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(log.len() < 20, "it is not repeated at another level either: {log:#?}");
        assert!(!log.concat().contains("hunter2"), "{log:#?}");
    }
}

#[tokio::test]
async fn a_pod_that_requires_its_store_is_ready_once_the_store_has_answered_and_stays_ready_without_it() {
    let mut redis = Redis::start().await;
    redis.kill().await;
    let pod = pod("user-1", &redis.url(), &[("STORE_AT_START", "required")]).await;
    let until = Instant::now() + Duration::from_secs(5);
    while Instant::now() < until {
        assert_eq!(pod.person().status("/ready").await, 503, "longer than an optional store is waited for");
        sleep(Duration::from_millis(200)).await;
    }
    redis.start_again().await;
    let ready = || async { (pod.person().status("/ready").await == 200).then_some(()) };
    test_support::eventually("readiness", ready).await;
    redis.kill().await;
    super::becomes(&pod, "lastcall_store_up", 0.0).await;
    assert_eq!(pod.person().status("/ready").await, 200);
}
