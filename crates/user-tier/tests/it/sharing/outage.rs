//! Redis hangs, dies, comes back empty, is absent at the start or accepts no writes.

use reqwest::StatusCode;
use test_support::{Redis, Signal, UserPod, eventually};

use super::{KEY, becomes, hash, id, owned_by, pod};
use crate::BINARY;

#[tokio::test]
async fn no_session_is_lost_when_redis_hangs_dies_and_comes_back_empty() {
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
    for (line, times) in [("the session store is away", 2), ("the session store is back", 2)] {
        assert_eq!(log.matches(line).count(), times, "{log}");
    }
    assert!(pod.metric("lastcall_store_errors_total").await >= 2.0);
}

#[tokio::test]
async fn no_session_restarts_when_redis_pauses_for_a_moment() {
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
async fn a_logout_of_a_session_that_cannot_be_looked_up_is_kept_until_it_can() {
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

#[tokio::test]
async fn a_pod_that_starts_without_redis_or_with_a_wrong_password_serves_and_logs_it_once() {
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
    waiting.line("the session store is away").await;
    for (pod, line) in [
        (&denied, "the session store refuses the login"),
        (&alone, "the session store is away"),
        (&waiting, "the session store is away"),
    ] {
        let log = pod.log().join("\n");
        assert_eq!(log.matches(line).count(), 1, "{log}");
        assert!(!log.contains("hunter2"), "{log}");
    }
}

#[tokio::test]
async fn a_redis_that_accepts_no_writes_is_still_read() {
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
