//! Pods and stores that fail in the midst of a handoff. No session is lost.

use test_support::{Redis, Signal};

use super::*;

/// Reads on until the session is asked to move with at most this time left.
async fn asked_below(user: &mut User, at_most: u64) -> u64 {
    loop {
        let event = user.next().await.expect("the stream ended");
        if event.name == "move" && remaining(&event.data) <= at_most {
            return remaining(&event.data);
        }
    }
}

#[tokio::test]
async fn a_killed_pod_is_a_target_until_its_lease_ends_and_the_session_goes_on_here_until_another_one_comes() {
    let redis = Redis::start().await;
    let options = [("DRAIN_TIMEOUT", "40s"), ("READINESS_WHILE_DRAINING", "hold")];
    let old = pod("user-1", &redis, &options).await;
    let mut killed = pod("user-2", &redis, &[]).await;
    let mut user = User::of(&old).await;
    let session = user.person.session().await;
    assert_eq!(ready(&killed).await, 200);
    let says_so = || async {
        let lease: String = redis.ask(&["GET", "lastcall:pod:user-2"]).await;
        lease.contains("\"adopter\":true").then_some(())
    };
    eventually("its lease to say that it adopts sessions", says_so).await;
    killed.signal(Signal::SIGKILL);
    killed.wait().await;
    old.signal(Signal::SIGTERM);
    user.asked().await;
    // No other pod answers: every attempt comes back here.
    let mut ended = 0;
    loop {
        user.stream = user.person.raw_events().await;
        assert_eq!(user.next().await.unwrap().name, "connected");
        match tokio::time::timeout(std::time::Duration::from_secs(1), user.rest()).await {
            Ok(rest) => assert_eq!(rest.last().map(|event| event.name.as_str()), Some("move"), "{rest:?}"),
            Err(_) => break,
        }
        ended += 1;
    }
    assert!(ended <= 7, "then the stream stays: {ended}");
    // The lease has ended: the pod serves as before, and asks no session.
    eventually("the pod is ready again", || async { (ready(&old).await == 200).then_some(()) }).await;
    let notice = user.person.session().await["drain"].clone();
    let left = remaining(&notice);
    one_remains_at(&old, left / 1_000 - 3).await;
    let new = pod("user-3", &redis, &[]).await;
    let asked = asked_below(&mut user, left).await;
    assert!(left - asked >= 2_500, "asked while no pod could adopt: {left}, {asked}");
    user.moves_to(&new).await;
    assert_eq!(user.person.session().await["session_id"], session["session_id"]);
    is_empty(&old).await;
    assert_books(&old).await;
    assert_books(&new).await;
}

#[tokio::test]
async fn two_pods_that_stop_at_once_hand_their_sessions_to_the_one_that_serves() {
    let redis = Redis::start().await;
    let pods = [pod("user-1", &redis, &[]).await, pod("user-2", &redis, &[]).await];
    let new = pod("user-3", &redis, &[]).await;
    let mut users = Vec::new();
    for pod in [&pods[0], &pods[1], &pods[0], &pods[1]] {
        users.push(User::of(pod).await);
    }
    pods.iter().for_each(|pod| pod.signal(Signal::SIGTERM));
    for user in &mut users {
        user.asked().await;
        user.moves_to(&new).await;
    }
    for pod in &pods {
        is_empty(pod).await;
        assert_eq!(pod.metric(&ends("moved")).await, 2.0);
        assert_eq!(pod.metric("drain_notifications_sent").await, 0.0);
        assert_books(pod).await;
    }
    adopted(&new, 4.0).await;
    assert_books(&new).await;
}

#[tokio::test]
async fn a_store_that_comes_back_empty_loses_no_session_that_moved_or_is_to_move() {
    let mut redis = Redis::start().await;
    let options = [("HANDOFF_QUIET", "200ms"), ("HANDOFF_DELAY", "200ms"), ("DRAIN_TIMEOUT", "60s")];
    let mut old = pod("user-1", &redis, &options).await;
    let new = pod("user-2", &redis, &[]).await;
    let mut users = [User::of(&old).await, User::of(&old).await];
    let before = [users[0].person.session().await, users[1].person.session().await];
    old.signal(Signal::SIGTERM);
    let [moved, stays] = &mut users;
    moved.asked().await;
    moved.moves_to(&new).await;
    stays.asked().await;
    redis.kill().await;
    loop {
        let notice = stays.stream.next_named("drain").await.data;
        if notice.get("moves").is_none() {
            break;
        }
    }
    redis.start_again().await;
    loop {
        if stays.next().await.expect("the stream ended").name == "move" {
            break;
        }
    }
    stays.moves_to(&new).await;
    is_empty(&old).await;
    assert!(old.wait().await.success());
    for (user, before) in users.iter().zip(&before) {
        let session = user.person.session().await;
        assert_eq!((&session["session_id"], &session["pod"]), (&before["session_id"], &"user-2".into()));
    }
    assert_eq!(new.metric("active_sessions_total").await, 2.0);
    assert_books(&new).await;
}
