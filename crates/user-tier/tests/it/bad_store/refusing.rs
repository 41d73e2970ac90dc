//! A Redis that answers reads and refuses writes.

use std::time::Duration;

use test_support::{Redis, eventually};

use super::{User, all_are_served, becomes, roam, sign_in_all, three_pods};

/// Every pod serves users who signed in before, without a wait; changes meanwhile are written afterwards.
async fn serves_all_while(begins: &[&str], ends: &[&str]) {
    let redis = Redis::start().await;
    let pods = three_pods(&redis.url(), &[]).await;
    let mut users = sign_in_all(&pods, 30).await;
    let _: () = redis.ask(begins).await;
    let seen = roam(&users, &pods, Duration::from_secs(6)).await;
    assert!(seen.wrong.is_empty(), "{} of 30 users: {:#?}", seen.wrong.len(), seen.wrong);
    assert_eq!(seen.asked_to_wait, 0, "the store can be read");
    for pod in &pods {
        becomes(pod, "lastcall_store_readable", 1.0).await;
        becomes(pod, "lastcall_store_writable", 0.0).await;
        users.push(User::sign_in(pod, "newcomer".to_owned()).await);
        assert_eq!(pod.person().status("/ready").await, 200);
    }
    let _: () = redis.ask(ends).await;
    for pod in &pods {
        becomes(pod, "lastcall_store_writable", 1.0).await;
    }
    let written = || async { (redis.keys("session:*").await.len() == users.len()).then_some(()) };
    eventually("every session to be written", written).await;
    all_are_served(&users, &pods).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_out_of_memory_loses_no_session() {
    serves_all_while(&["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "0"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_has_become_a_replica_loses_no_session() {
    serves_all_while(&["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_misses_its_replicas_loses_no_session() {
    // Writes are refused with NOREPLICAS while there are too few of them.
    let too_few = |replicas| ["CONFIG", "SET", "min-replicas-to-write", replicas];
    serves_all_while(&too_few("1"), &too_few("0")).await;
}
