//! What is no handoff, and what ends one.

use test_support::{Redis, Signal};

use super::*;
use crate::switch::Switch;

#[tokio::test]
async fn maintenance_hands_nothing_off_and_a_shutdown_during_its_countdown_does_not_either() {
    let redis = Redis::start().await;
    let switch = Switch::new("false");
    let waits = [("DRAIN_TIMEOUT", "3s"), ("HANDOFF_QUIET", "200ms")];
    let old = pod("user-1", &redis, &[&waits, &switch.options()[..]].concat()).await;
    let new = pod("user-2", &redis, &[]).await;
    let mut user = User::of(&old).await;
    switch.set("true");
    let notice = user.next().await.unwrap();
    assert_eq!((notice.name.as_str(), &notice.data["reason"]), ("drain", &"maintenance".into()));
    assert!(notice.data.get("moves").is_none(), "{notice:?}");
    old.signal(Signal::SIGTERM);
    let notice = user.next().await.unwrap();
    assert_eq!((notice.name.as_str(), &notice.data["reason"]), ("drain", &"shutdown".into()));
    assert!(notice.data.get("moves").is_none(), "{notice:?}");
    let rest = user.rest().await;
    assert!(rest.is_empty(), "not asked, and released at the deadline: {rest:?}");
    is_empty(&old).await;
    let log = old.drain_log().join("\n");
    assert!(!log.contains("Moving") && log.contains("1 active user detected"), "{log}");
    assert_eq!(report(&old).await.0.counters.unwrap().asked_to_move, 0);
    user.moves_to(&new).await;
    assert_books(&old).await;
}

#[tokio::test]
async fn a_second_signal_ends_a_handoff_and_the_sessions_are_released() {
    let redis = Redis::start().await;
    let mut old = pod("user-1", &redis, &[("TASK_GRACE", "60s")]).await;
    let new = pod("user-2", &redis, &[]).await;
    let (mut user, mut works) = (User::of(&old).await, User::of(&old).await);
    assert_eq!(works.person.post("/tasks").json(&serde_json::json!({})).send().await.unwrap().status(), 201);
    old.signal(Signal::SIGTERM);
    user.asked().await;
    works.asked().await;
    old.signal(Signal::SIGTERM);
    for user in [&mut user, &mut works] {
        let rest = user.rest().await;
        assert!(!names(&rest).contains(&"session-ended"), "{rest:?}");
    }
    assert!(old.wait().await.success());
    let log = old.drain_log().join("\n");
    assert!(!log.contains("endpoint removal") && log.ends_with("Shutting down cleanly..."), "{log}");
    for user in [&mut user, &mut works] {
        user.moves_to(&new).await;
    }
    assert_books(&new).await;
}
