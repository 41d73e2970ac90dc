//! Several pods and one real redis-server: sessions that outlive their pod.

mod adoption;
mod clock;
mod outage;
mod replaced;

use std::collections::HashMap;

use serde_json::Value;
use test_support::{Person, Redis, UserPod, eventually};

use crate::{BINARY, QUICK};

const KEY: (&str, &str) = ("SESSION_KEY", "0123456789abcdef0123456789abcdef");

/// A pod that shares its sessions, with `options` on top.
async fn pod(name: &str, redis: &Redis, options: &[(&str, &str)]) -> UserPod {
    let url = redis.url();
    let sharing = [("REDIS_URL", url.as_str()), KEY];
    UserPod::start(BINARY, name, &[&QUICK, &sharing[..], options].concat()).await
}

async fn id(person: &Person) -> String {
    person.session().await["session_id"].as_str().unwrap().to_owned()
}

async fn hash(redis: &Redis, id: &str) -> HashMap<String, String> {
    redis.ask(&["HGETALL", &format!("session:{id}")]).await
}

/// Waits until the session's hash says that `owner` has it.
async fn owned_by(redis: &Redis, id: &str, owner: &str) {
    eventually(&format!("{id} at {owner}"), || async { (hash(redis, id).await.get("pod")? == owner).then_some(()) })
        .await;
}

async fn adopted(pod: &UserPod) -> f64 {
    pod.metric("lastcall_sessions_adopted_total").await
}

async fn ended(pod: &UserPod, outcome: &str) -> f64 {
    pod.metric(&format!("lastcall_session_ends_total{{outcome=\"{outcome}\"}}")).await
}

async fn becomes(what: &str, pod: &UserPod, series: &str, value: f64) {
    eventually(what, || async { (pod.metric(series).await == value).then_some(()) }).await;
}

#[tokio::test]
async fn a_session_is_a_hash_with_the_contracts_fields_that_expires() {
    let redis = Redis::start().await;
    let pod = pod("user-1", &redis, &[("SESSION_TTL", "100s")]).await;
    let person = pod.person().visit().await;
    person.login("ada").await;
    let session = person.session().await;
    let id = session["session_id"].as_str().unwrap();
    let kept = hash(&redis, id).await;
    for field in ["user", "login_time", "pod"] {
        assert_eq!(kept[field], session[field].as_str().unwrap(), "{field} was written through");
    }
    assert!(kept["last_activity"].ends_with('Z') && kept["last_activity"].len() == 24, "{kept:?}");
    let left: i64 = redis.ask(&["PTTL", &format!("session:{id}")]).await;
    assert!((90_000..=100_000).contains(&left), "{left}");
    assert_eq!(redis.keys("session:*").await.len(), 1, "the id before the login is gone");
    person.post("/logout").send().await.unwrap();
    assert!(redis.keys("session:*").await.is_empty(), "a logout is written through");
    let others = redis.keys("*").await;
    assert!(others.iter().all(|key| key.starts_with("lastcall:")), "{others:?}");
}

#[tokio::test]
async fn pods_agree_on_a_signing_key_and_one_that_started_alone_keeps_its_own() {
    let mut redis = Redis::start().await;
    let shared = [("SESSION_KEY", "shared")];
    redis.kill().await;
    let alone = pod("user-1", &redis, &shared).await;
    let early = alone.person().visit().await;
    redis.start_again().await;
    let other = pod("user-2", &redis, &shared).await;
    becomes("the store", &alone, "lastcall_store_up", 1.0).await;
    assert_eq!(early.status("/session").await, 200, "the first key verifies still");
    let late = eventually("a cookie that the other pod reads", || async {
        let person = alone.person().visit().await;
        (person.at(&other.http).status("/session").await == 200).then_some(person)
    })
    .await;
    assert_eq!(id(&late).await, id(&late.at(&other.http)).await);
    let log = [alone.log(), other.log()].concat().join("\n");
    let keys: HashMap<String, String> = redis.ask(&["HGETALL", "lastcall:session-keys"]).await;
    assert!(!keys.is_empty() && keys.keys().all(|key| !log.contains(key)), "a secret is shown");
}

#[tokio::test]
async fn entries_written_by_others_are_used_as_far_as_they_are_valid() {
    let redis = Redis::start().await;
    let pod = pod("user-1", &redis, &[]).await;
    let mut people = Vec::new();
    for _ in 0..2 {
        // A session of a pod that is gone: its cookie is good, this pod does not hold it.
        let other = UserPod::start(BINARY, "user-gone", &[("REDIS_URL", &redis.url()), KEY]).await;
        let person = other.person().visit().await;
        people.push((id(&person).await, person.at(&pod.http)));
    }
    let (garbled, other_type) = (&people[0], &people[1]);
    let key = format!("session:{}", garbled.0);
    let _: () = redis.ask(&["DEL", &key]).await;
    let fields =
        ["user", "ada\u{202e}", "login_time", "soon", "last_activity", "2999-01-01T00:00:00.000Z", "x", "\u{1}"];
    let _: () = redis.ask(&[&["HSET", &key][..], &fields].concat()).await;
    let key = format!("session:{}", other_type.0);
    let _: () = redis.ask(&["DEL", &key]).await;
    let _: () = redis.ask(&["SET", &key, "a string"]).await;

    let before = pod.person().visit().await.session().await["server_time"].clone();
    let session: Value = garbled.1.session().await;
    assert_eq!((&session["user"], &session["pod"]), (&"ada".into(), &"user-1".into()));
    // RFC 3339 in UTC sorts as text.
    let times = [&before, &session["login_time"], &session["last_activity"], &session["server_time"]];
    assert!(times.is_sorted_by_key(|time| time.as_str()), "a time that makes no sense is now: {times:?}");
    assert_eq!(other_type.1.status("/session").await, 401);
    let text: String = redis.ask(&["GET", &key]).await;
    assert_eq!(text, "a string", "what is not ours stays as it is");
    assert_eq!(garbled.1.status("/").await, 200);
    let log = pod.log().join("\n");
    assert_eq!(log.matches("fields that make no sense").count(), 1, "{log}");
}
