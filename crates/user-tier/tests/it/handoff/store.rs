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

#[tokio::test]
async fn a_session_whose_entry_the_store_has_acknowledged_moves_though_the_store_hangs_at_the_deadline() {
    let redis = Redis::start().await;
    let options = [("HANDOFF_QUIET", "300ms"), ("DRAIN_TIMEOUT", "4s"), ("PROPAGATION_WAIT", "5s")];
    let mut old = pod("user-1", &redis, &options).await;
    let mut user = User::of(&old).await;
    let session = user.person.session().await;
    old.signal(Signal::SIGTERM);
    old.line("(1s left)").await;
    redis.signal(Signal::SIGSTOP);
    let rest = user.rest().await;
    assert!(rest.iter().all(|event| event.name != "session-ended"), "{rest:?}");
    assert_eq!([old.metric(&ends("moved")).await, old.metric("forced_logouts_total").await], [1.0, 0.0]);
    assert_books(&old).await;
    redis.signal(Signal::SIGCONT);
    assert!(old.wait().await.success());
    let new = pod("user-2", &redis, &[]).await;
    user.person = user.person.at(&new.http);
    let goes_on = || async {
        let answer = user.person.request("/session").send().await.unwrap();
        (answer.status() == 200).then_some(())
    };
    eventually("the other pod to adopt the session", goes_on).await;
    assert_eq!(user.person.session().await["session_id"], session["session_id"]);
    assert_books(&new).await;
}
