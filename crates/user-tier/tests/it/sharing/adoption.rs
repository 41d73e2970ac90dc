//! Sessions that move to another pod: after a kill, in a drain, at a forced end, without sticky routing.

use reqwest::StatusCode;
use test_support::{Redis, Signal, eventually};

use super::{adopted, becomes, ended, hash, id, owned_by, pod};

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
async fn the_user_of_a_draining_pod_moves_with_the_next_request_and_does_not_delay_the_drain() {
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
    assert!(first.wait().await.success(), "the drain is over as soon as all sessions have moved");
    assert_eq!(there.session().await["user"], "ada");
}

#[tokio::test]
async fn a_forced_end_releases_the_session_if_configured() {
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
