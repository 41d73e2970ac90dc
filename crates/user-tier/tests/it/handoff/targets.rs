//! Which pods sessions can move to. While there is none, no session is asked.

use test_support::{Redis, Signal};

use super::*;

/// Reads the notice of those that cannot move; no ask comes before it.
async fn notified_unasked(user: &mut User) -> Value {
    let event = user.next().await.expect("the stream ended");
    assert_eq!((event.name.as_str(), &event.data["moves"]), ("drain", &Value::Bool(true)), "{event:?}");
    event.data
}

async fn asked_late(user: &mut User) {
    let event = user.next().await.expect("the stream ended");
    assert_eq!(event.name, "move", "{event:?}");
}

#[tokio::test]
async fn a_pod_that_is_full_or_in_maintenance_is_no_target_until_it_has_room() {
    let redis = Redis::start().await;
    let options = [("DRAIN_TIMEOUT", "8s"), ("READINESS_WHILE_DRAINING", "hold")];
    let old = pod("user-1", &redis, &[&options[..], &[("FORCED_END", "delete")]].concat()).await;
    assert!(old.log().iter().any(|line| line.contains("FORCED_END=delete has no effect with HANDOFF=on")));
    let full = pod("user-2", &redis, &[("MAX_SESSIONS", "1")]).await;
    let _maintained = pod("user-3", &redis, &[("MAINTENANCE_MODE", "true")]).await;
    let sits = User::of(&full).await;
    assert_eq!(full.person().get("/ready").await.json::<Value>().await.unwrap()["full"], true);
    let mut user = User::of(&old).await;
    for other in ["user-2", "user-3"] {
        eventually("the other pods to say that they take no session", || async {
            let lease: String = redis.ask(&["GET", &format!("lastcall:pod:{other}")]).await;
            let lease: Value = serde_json::from_str(&lease).unwrap();
            (lease.get("adopter") != Some(&Value::Bool(true))).then_some(())
        })
        .await;
    }
    old.signal(Signal::SIGTERM);
    let notice = notified_unasked(&mut user).await;
    assert!(remaining(&notice) <= 4_000, "at half: {notice}");
    assert_eq!(ready(&old).await, 200, "held: no other pod can take its users");
    assert_eq!(report(&old).await.0.counters.unwrap().asked_to_move, 0);
    assert_eq!(sits.person.post("/logout").send().await.unwrap().status(), 200);
    asked_late(&mut user).await;
    user.moves_to(&full).await;
    is_empty(&old).await;
    assert!(old.drain_log().contains(&"[GRACEFUL SHUTDOWN] Sending drain notification to 1 user...".to_owned()));
    assert_eq!(old.metric(&ends("moved")).await, 1.0);
    assert_books(&old).await;
    assert_books(&full).await;
}

#[tokio::test]
async fn where_all_pods_stop_at_once_their_sessions_move_to_a_pod_that_comes_up() {
    let redis = Redis::start().await;
    let delay = [("HANDOFF_DELAY", "1s")];
    let pods = [pod("user-1", &redis, &delay).await, pod("user-2", &redis, &delay).await];
    let mut users = [User::of(&pods[0]).await, User::of(&pods[1]).await];
    pods.iter().for_each(|pod| pod.signal(Signal::SIGTERM));
    for pod in &pods {
        // The turns would have begun by then.
        one_remains_at(pod, 18).await;
        assert_eq!(report(pod).await.0.counters.unwrap().asked_to_move, 0, "the other one stops, too");
    }
    let new = pod("user-3", &redis, &[]).await;
    for user in &mut users {
        let asked = user.asked().await;
        assert!(remaining(&asked) >= 10_000, "before a user is notified: {asked}");
        user.moves_to(&new).await;
    }
    for pod in &pods {
        is_empty(pod).await;
        assert_books(pod).await;
    }
    adopted(&new, 2.0).await;
    assert_books(&new).await;
    // One line for each change, and none of them once more.
    for pod in &pods {
        let log = pod.log();
        let lines = |part: &str| log.iter().filter(|line| line.contains(part)).count();
        assert_eq!(lines("handoff: no session is asked to move for now: no other pod serves"), 1, "{log:#?}");
        assert_eq!(lines("handoff: sessions are asked to move again"), 1, "{log:#?}");
        assert_eq!(lines("handoff: ended sessions.asked=1 sessions.moved=1 sessions.notified=0"), 1, "{log:#?}");
        assert_eq!(lines("HANDOFF is on: after SIGTERM sessions move to other pods delay_seconds=1.0"), 1, "{log:#?}");
        assert_eq!(lines("HANDOFF=on without DATABASE_URL"), 1, "{log:#?}");
        assert_eq!(lines("FORCED_END=delete has no effect"), 0, "its default is no choice: {log:#?}");
    }
}
