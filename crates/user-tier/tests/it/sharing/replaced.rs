//! A replaced id is known as such on every pod.

use test_support::{Redis, eventually};

use super::{hash, id, owned_by, pod};
use crate::replaced::{is_replaced, visitor};

#[tokio::test]
async fn a_replaced_id_is_known_to_the_other_pod_for_a_minute() {
    let redis = Redis::start().await;
    let (first, second) = (pod("user-1", &redis, &[]).await, pod("user-2", &redis, &[]).await);
    let (person, old) = visitor(&first).await;
    let old_id = id(&person).await;
    assert_eq!(person.login("ada").await.status(), 303);
    is_replaced(&second, &old).await;
    is_replaced(&first, &old).await;
    assert_eq!(person.session().await["user"], "ada");
    let key = format!("lastcall:replaced:{{session:{old_id}}}");
    let left: i64 = redis.ask(&["PTTL", &key]).await;
    assert!((30_000..=60_000).contains(&left), "{left}");
    assert!(hash(&redis, &old_id).await.is_empty());
    let _: i64 = redis.ask(&["DEL", &key]).await;
    let answer = crate::replaced::ask(&second, "GET", "/", "text/html", &old).await;
    assert!(answer.headers().contains_key("set-cookie"), "then it is an unknown id like any other");
}

#[tokio::test]
async fn a_guests_login_replaces_the_id_at_every_pod() {
    let redis = Redis::start().await;
    let (owner, other) = (pod("user-1", &redis, &[]).await, pod("user-2", &redis, &[]).await);
    let (person, old) = visitor(&owner).await;
    let _stream = person.events().await;
    owned_by(&redis, &id(&person).await, "user-1").await;
    let there = person.at(&other.http);
    assert_eq!(there.login("ada").await.status(), 303);
    is_replaced(&other, &old).await;
    eventually("the owner's rename", || async {
        let answer = crate::replaced::ask(&owner, "GET", "/session", "*/*", &old).await;
        (answer.status() == 401).then_some(())
    })
    .await;
    is_replaced(&owner, &old).await;
    is_replaced(&other, &old).await;
    assert_eq!(person.session().await["user"], "ada");
    assert_eq!(owner.metric("total_logins").await + other.metric("total_logins").await, 1.0);
}

#[tokio::test]
async fn an_id_that_was_replaced_while_the_store_was_away_is_known_to_the_pod_that_did_it() {
    let mut redis = Redis::start().await;
    let first = pod("user-1", &redis, &[]).await;
    let (person, old) = visitor(&first).await;
    redis.kill().await;
    eventually("the outage", || async { (first.metric("lastcall_store_up").await == 0.0).then_some(()) }).await;
    assert_eq!(person.login("ada").await.status(), 303);
    is_replaced(&first, &old).await;
    redis.start_again().await;
    let second = pod("user-2", &redis, &[]).await;
    let new_id = id(&person).await;
    owned_by(&redis, &new_id, "user-1").await;
    is_replaced(&second, &old).await;
}
