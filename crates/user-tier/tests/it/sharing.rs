//! Several pods and one real redis-server: sessions that outlive their pod.

mod replaced;

use std::collections::HashMap;

use reqwest::StatusCode;
use serde_json::Value;
use test_support::{Person, Redis, Signal, UserPod, eventually};

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
async fn without_sticky_routing_there_is_at_most_one_adoption_and_then_guests() {
    let redis = Redis::start().await;
    let (first, second) = (pod("user-1", &redis, &[]).await, pod("user-2", &redis, &[]).await);
    let here = first.person().visit().await;
    let there = here.at(&second.http);
    let session = id(&here).await;
    let mut stream = there.events().await;
    owned_by(&redis, &session, "user-2").await;
    becomes("the old owner lets go", &first, "lastcall_session_ends_total{outcome=\"moved\"}", 1.0).await;
    for _ in 0..10 {
        assert_eq!(here.status("/").await, 200);
        let seen = here.session().await;
        assert_eq!((seen["session_id"].as_str().unwrap(), &seen["pod"]), (session.as_str(), &"user-2".into()));
        assert_eq!(there.status("/").await, 200);
    }
    assert_eq!((adopted(&first).await, adopted(&second).await), (0.0, 1.0));
    assert_eq!((first.metric("total_logins").await, second.metric("total_logins").await), (1.0, 0.0));
    assert_eq!((first.metric("active_sessions_total").await, second.metric("active_sessions_total").await), (0.0, 1.0));

    // A guest signs in: one session still, under another id, and the owner's stream hears of it.
    assert_eq!(here.login("ada").await.status(), StatusCode::SEE_OTHER);
    let greeting = stream.next_named("connected").await;
    let renamed = id(&here).await;
    assert_ne!(renamed, session);
    assert_eq!(greeting.data["session_id"], renamed.as_str());
    assert_eq!(there.session().await["user"], "ada");
    eventually("the old id to go", || async { hash(&redis, &session).await.is_empty().then_some(()) }).await;

    // A guest leaves: the owner counts it.
    assert_eq!(here.post("/logout").send().await.unwrap().status(), 200);
    assert_eq!(stream.next_named("session-ended").await.data["reason"], "logout");
    eventually("the end", || async { redis.keys("session:*").await.is_empty().then_some(()) }).await;
    assert_eq!((ended(&first, "logout").await, ended(&second, "logout").await), (0.0, 1.0));
    assert_eq!(there.status("/session").await, 401);
}

#[tokio::test]
async fn a_killed_pods_user_stays_signed_in() {
    let redis = Redis::start().await;
    let (mut first, second) = (pod("user-1", &redis, &[]).await, pod("user-2", &redis, &[]).await);
    let person = first.person().visit().await;
    person.login("ada").await;
    let stream = person.events().await;
    let session = id(&person).await;
    first.signal(Signal::SIGKILL);
    first.wait().await;
    drop(stream);
    let there = person.at(&second.http);
    // A guest until the lease of the dead has run out, then at home.
    assert_eq!(there.session().await["user"], "ada");
    eventually("the adoption", || async {
        assert_eq!(there.session().await["session_id"], session.as_str());
        (adopted(&second).await == 1.0).then_some(())
    })
    .await;
    owned_by(&redis, &session, "user-2").await;
    assert_eq!(second.metric("active_sessions_total").await, 1.0);
}

#[tokio::test]
async fn draining_one_of_three_leaves_the_others_sessions_untouched() {
    let redis = Redis::start().await;
    let mut first = pod("user-1", &redis, &[("PRESENCE_LINGER", "100ms")]).await;
    let others = [pod("user-2", &redis, &[]).await, pod("user-3", &redis, &[]).await];
    let forced = first.person().visit().await;
    let mut stream = forced.events().await;
    let absent = first.person().visit().await;
    drop(absent.events().await);
    let mut people = Vec::new();
    for pod in &others {
        let person = pod.person().visit().await;
        people.push((id(&person).await, person.events().await, person));
    }
    let absent_id = id(&absent).await;
    assert_eq!(redis.keys("session:*").await.len(), 4);
    first.signal(Signal::SIGTERM);
    assert_eq!(stream.next_named("session-ended").await.data["reason"], "forced");
    assert!(first.wait().await.success());
    let left = redis.keys("session:*").await;
    for (id, _, person) in &people {
        assert!(left.contains(&format!("session:{id}")), "{left:?}");
        assert_eq!(person.status("/session").await, 200);
    }
    assert!(left.contains(&format!("session:{absent_id}")), "who was absent is left for the others: {left:?}");
    assert_eq!(left.len(), 3, "who was forced is gone: {left:?}");
    assert!(redis.keys("lastcall:pod:user-1").await.is_empty(), "the lease is given back");
}

#[tokio::test]
async fn a_draining_pods_user_moves_on_at_the_next_request_and_holds_nothing_up() {
    let redis = Redis::start().await;
    let slow = [("DRAIN_TIMEOUT", "1h")];
    let (mut first, second) = (pod("user-1", &redis, &slow).await, pod("user-2", &redis, &slow).await);
    let person = first.person().visit().await;
    person.login("ada").await;
    let mut stream = person.events().await;
    first.signal(Signal::SIGTERM);
    stream.next_named("drain").await;
    let there = person.at(&second.http);
    eventually("the move", || async {
        assert_eq!(there.session().await["user"], "ada");
        (adopted(&second).await == 1.0).then_some(())
    })
    .await;
    let after = loop {
        match stream.next_or_end().await {
            Some(event) if event.name == "heartbeat" => {}
            other => break other,
        }
    };
    assert_eq!(after, None, "a session that moved has its stream ended without a word");
    assert!(first.wait().await.success(), "the drain is over as soon as everybody has moved");
    assert_eq!(there.session().await["user"], "ada");
}

#[tokio::test]
async fn a_forced_end_may_release_instead() {
    let redis = Redis::start().await;
    let options = [("FORCED_END", "release"), ("DRAIN_TIMEOUT", "1s"), ("PROPAGATION_WAIT", "1h")];
    let (first, second) = (pod("user-1", &redis, &options).await, pod("user-2", &redis, &options).await);
    let person = first.person().visit().await;
    let mut stream = person.events().await;
    let session = id(&person).await;
    first.signal(Signal::SIGTERM);
    stream.next_named("drain").await;
    first.line("endpoint removal").await;
    assert_eq!((ended(&first, "moved").await, ended(&first, "forced").await), (1.0, 0.0));
    let there = person.at(&second.http);
    assert_eq!(there.session().await["session_id"], session.as_str());
    owned_by(&redis, &session, "user-2").await;
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
async fn a_redis_that_hangs_dies_and_comes_back_empty_costs_nobody_anything() {
    let mut redis = Redis::start().await;
    let pod = pod("user-1", &redis, &[]).await;
    let (kept, left) = (pod.person().visit().await, pod.person().visit().await);
    let (kept_id, left_id) = (id(&kept).await, id(&left).await);
    assert_eq!(pod.metric("lastcall_store_up").await, 1.0);

    redis.signal(Signal::SIGSTOP);
    assert_eq!(kept.status("/").await, 200, "known sessions do not wait");
    becomes("the outage to be noticed", &pod, "lastcall_store_up", 0.0).await;
    let newcomer = pod.person().visit().await;
    assert_eq!(left.post("/logout").send().await.unwrap().status(), 200);
    assert_eq!(left.status("/session").await, 401);
    redis.signal(Signal::SIGCONT);
    becomes("the return", &pod, "lastcall_store_up", 1.0).await;
    let new_id = id(&newcomer).await;
    eventually("what was unwritten", || async {
        let gone = hash(&redis, &left_id).await.is_empty();
        (gone && !hash(&redis, &new_id).await.is_empty()).then_some(())
    })
    .await;

    redis.kill().await;
    becomes("the outage to be noticed", &pod, "lastcall_store_up", 0.0).await;
    assert_eq!(kept.login("ada").await.status(), StatusCode::SEE_OTHER);
    redis.start_again().await;
    becomes("the return", &pod, "lastcall_store_up", 1.0).await;
    let renamed = id(&kept).await;
    eventually("every session to be written again", || async {
        let keys = redis.keys("session:*").await;
        (keys.len() == 2 && hash(&redis, &renamed).await.get("user")? == "ada").then_some(())
    })
    .await;
    assert_ne!(renamed, kept_id);
    let log = pod.log().join("\n");
    for (line, times) in [("the session store is unavailable", 2), ("the session store is available again", 2)] {
        assert_eq!(log.matches(line).count(), times, "{log}");
    }
    assert!(pod.metric("lastcall_store_errors_total").await >= 2.0);
}

#[tokio::test]
async fn nobody_begins_anew_because_redis_is_silent_for_a_moment() {
    let redis = Redis::start().await;
    let (first, second) = (pod("user-1", &redis, &[]).await, pod("user-2", &redis, &[]).await);
    let person = first.person().visit().await;
    person.login("ada").await;
    let session = id(&person).await;
    let there = person.at(&second.http);
    redis.signal(Signal::SIGSTOP);
    let page = there.request("/").header("accept", "text/html").send().await.unwrap();
    assert_eq!((page.status().as_u16(), page.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    assert!(!page.headers().contains_key("set-cookie"), "the cookie stays as it is");
    assert!(page.text().await.unwrap().contains("Nothing is lost"));
    assert_eq!(there.status("/session").await, 503, "not 401: that would mean that it is over");
    redis.signal(Signal::SIGCONT);
    eventually("the session", || async { (there.status("/session").await == 200).then_some(()) }).await;
    assert_eq!(there.session().await["session_id"], session.as_str());
    assert_eq!(second.metric("total_logins").await, 0.0);
}

#[tokio::test]
async fn a_logout_where_the_session_cannot_be_looked_for_is_kept_until_it_can() {
    let redis = Redis::start().await;
    let (first, second) = (pod("user-1", &redis, &[]).await, pod("user-2", &redis, &[]).await);
    let person = first.person();
    let page = person.get("/").await;
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let mut stream = person.events().await;
    redis.signal(Signal::SIGSTOP);
    let left = person.at(&second.http).post("/logout").send().await.unwrap();
    assert_eq!(left.status(), 200);
    assert!(left.headers().contains_key("set-cookie"), "the cookie is cleared");
    redis.signal(Signal::SIGCONT);
    assert_eq!(stream.next_named("session-ended").await.data["reason"], "logout");
    becomes("the owner counts it", &first, "lastcall_session_ends_total{outcome=\"logout\"}", 1.0).await;
    eventually("the end", || async { redis.keys("session:*").await.is_empty().then_some(()) }).await;
    for pod in [&first, &second] {
        let replayed = pod.person().request("/session").header("cookie", cookie).send().await.unwrap();
        assert_eq!(replayed.status(), 401);
    }
}

/// A pod whose clock is an hour fast. The library is Debian's `faketime`; `cargo xtask test` installs it.
#[cfg(target_os = "linux")]
async fn pod_with_a_fast_clock(name: &str, redis: &Redis, options: &[(&str, &str)]) -> UserPod {
    let library = ["x86_64", "aarch64"].map(|arch| format!("/usr/lib/{arch}-linux-gnu/faketime/libfaketimeMT.so.1"));
    let library = library.iter().find(|path| std::path::Path::new(path).exists());
    let library = library.unwrap_or_else(|| panic!("libfaketime is not there; cargo xtask test installs it"));
    let fast = [("LD_PRELOAD", library.as_str()), ("FAKETIME", "+1h"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    pod(name, redis, &[&fast, options].concat()).await
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_clock_that_is_an_hour_off_keeps_no_session_alive_and_ends_none() {
    let redis = Redis::start().await;
    let quick = [("SESSION_TTL", "3s"), ("PRESENCE_LINGER", "100ms")];
    let (right, fast) = (pod("user-1", &redis, &quick).await, pod_with_a_fast_clock("user-2", &redis, &quick).await);
    let person = right.person().visit().await;
    person.login("ada").await;
    let stream = person.events().await;
    let there = person.at(&fast.http);
    let ahead = there.session().await;
    assert_eq!((&ahead["user"], &ahead["pod"]), (&"ada".into(), &"user-1".into()), "a guest");
    drop(stream);
    // What the guest's pod wrote lies an hour ahead; by Redis' clock it was just now.
    becomes("the end of its time", &right, "lastcall_session_ends_total{outcome=\"expired\"}", 1.0).await;
    eventually("the entry to go", || async { redis.keys("session:*").await.is_empty().then_some(()) }).await;

    // Moved there and back, it lives on: an hour is no idle time.
    let patient = [("SESSION_TTL", "10m"), ("PRESENCE_LINGER", "100ms")];
    let (right, fast) =
        (pod("user-1", &redis, &patient).await, pod_with_a_fast_clock("user-2", &redis, &patient).await);
    let person = right.person().visit().await;
    let session = id(&person).await;
    let there = person.at(&fast.http);
    let stream = there.events().await;
    owned_by(&redis, &session, "user-2").await;
    drop(stream);
    eventually("the way back", || async { (person.session().await["pod"] == "user-1").then_some(()) }).await;
    assert_eq!(id(&person).await, session);
    assert_eq!(ended(&fast, "expired").await, 0.0);
}

#[tokio::test]
async fn a_start_without_redis_or_with_a_wrong_password_serves_and_says_so_once() {
    let mut redis = Redis::with(&["--requirepass", "the-right-one"]).await;
    let wrong = redis.url().replace("redis://", "redis://:hunter2-wrong@");
    let denied = UserPod::start(BINARY, "user-1", &[("REDIS_URL", &wrong), KEY]).await;
    assert_eq!(denied.person().visit().await.status("/session").await, 200);
    assert_eq!(denied.metric("lastcall_store_up").await, 0.0);
    redis.kill().await;
    let alone = UserPod::start(BINARY, "user-2", &[("REDIS_URL", &redis.url()), KEY]).await;
    assert_eq!(alone.person().visit().await.status("/session").await, 200);
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let waiting = UserPod::start(BINARY, "user-3", &[("REDIS_URL", &url), KEY]).await;
    assert_eq!(waiting.person().visit().await.status("/session").await, 200, "a start waits, but not for ever");
    waiting.line("the session store is unavailable").await;
    for (pod, line) in [
        (&denied, "the session store refuses the login"),
        (&alone, "the session store is unavailable"),
        (&waiting, "the session store is unavailable"),
    ] {
        let log = pod.log().join("\n");
        assert_eq!(log.matches(line).count(), 1, "{log}");
        assert!(!log.contains("hunter2"), "{log}");
    }
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_is_read_until_it_does() {
    let redis = Redis::start().await;
    let pod = pod("user-1", &redis, &[]).await;
    let troubles = [
        (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
        (["REPLICAOF", "127.0.0.1", "1", ""], ["REPLICAOF", "NO", "ONE", ""]),
    ];
    for (begins, ends) in troubles {
        let trim =
            |command: &[&'static str; 4]| command.iter().copied().filter(|word| !word.is_empty()).collect::<Vec<_>>();
        let _: () = redis.ask(&trim(&begins)).await;
        becomes(begins[0], &pod, "lastcall_store_writable", 0.0).await;
        assert_eq!(pod.metric("lastcall_store_up").await, 1.0);
        assert_eq!(pod.metric("lastcall_store_readable").await, 1.0);
        let person = pod.person().visit().await;
        let session = id(&person).await;
        let _: () = redis.ask(&trim(&ends)).await;
        becomes("the return", &pod, "lastcall_store_writable", 1.0).await;
        owned_by(&redis, &session, "user-1").await;
    }
}

#[tokio::test]
async fn what_somebody_else_wrote_is_taken_as_far_as_it_makes_sense() {
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

    let session: Value = garbled.1.session().await;
    assert_eq!((&session["user"], &session["pod"]), (&"ada".into(), &"user-1".into()));
    assert_eq!(session["login_time"], session["last_activity"], "a time that makes no sense is now");
    assert_eq!(other_type.1.status("/session").await, 401);
    let text: String = redis.ask(&["GET", &key]).await;
    assert_eq!(text, "a string", "what is not ours stays as it is");
    assert_eq!(garbled.1.status("/").await, 200);
    let log = pod.log().join("\n");
    assert_eq!(log.matches("fields that make no sense").count(), 1, "{log}");
}
