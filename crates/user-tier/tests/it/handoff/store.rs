//! The store fails in the midst of a handoff.

use test_support::{Redis, Signal};

use super::*;

#[tokio::test]
async fn asking_waits_while_the_store_is_away_or_read_only_and_the_notice_says_so() {
    let redis = Redis::start().await;
    let options = [("HANDOFF_QUIET", "200ms"), ("HANDOFF_DELAY", "200ms"), ("DRAIN_TIMEOUT", "60s")];
    let old = pod("user-1", &redis, &options).await;
    let new = pod("user-2", &redis, &[]).await;
    let mut user = User::of(&old).await;
    old.signal(Signal::SIGTERM);
    user.asked().await;
    let notice = user.stream.next_named("drain").await.data;
    assert_eq!((&notice["moves"], &notice["auto_logout"]), (&Value::Bool(true), &Value::Bool(false)));
    for outage in ["away", "read-only"] {
        match outage {
            "away" => redis.signal(Signal::SIGSTOP),
            _ => redis.ask(&["CONFIG", "SET", "maxmemory", "1"]).await,
        }
        let notice = user.stream.next_named("drain").await.data;
        assert!(notice.get("moves").is_none(), "{outage}: {notice}");
        assert_eq!(notice["auto_logout"], true, "{outage}: {notice}");
        assert!(notice["message"].as_str().unwrap().starts_with("Server shutting down in "), "{outage}: {notice}");
        // Longer than the pause between two asks.
        one_remains_at(&old, remaining(&notice) / 1_000 - 3).await;
        match outage {
            "away" => redis.signal(Signal::SIGCONT),
            _ => redis.ask(&["CONFIG", "SET", "maxmemory", "0"]).await,
        }
        let next = user.next().await.unwrap();
        assert_eq!((next.name.as_str(), &next.data["moves"]), ("drain", &Value::Bool(true)), "{outage}: {next:?}");
        let asked = user.next().await.unwrap();
        assert_eq!(asked.name, "move", "{outage}: {asked:?}");
    }
    user.moves_to(&new).await;
    is_empty(&old).await;
    assert_eq!(report(&old).await.0.counters.unwrap().asked_to_move, 1, "the session, not the asks");
    assert_books(&old).await;
    assert_books(&new).await;
}
