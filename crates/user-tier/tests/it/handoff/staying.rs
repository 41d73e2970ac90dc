//! Sessions that do not move, or come back: what they are asked and shown until the deadline.

use test_support::{Redis, Signal};

use super::*;

/// The notice of a handoff.
fn assert_notice(data: &Value) {
    assert_eq!((&data["moves"], &data["auto_logout"]), (&Value::Bool(true), &Value::Bool(false)), "{data}");
    let message = data["message"].as_str().unwrap();
    let seconds = message
        .strip_prefix("Server restarting in ")
        .and_then(|rest| rest.strip_suffix("s. You stay signed in. Please save your work."));
    let seconds: u64 = seconds.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{message}"));
    assert!((remaining(data) as i64 - 1000 * seconds as i64).abs() <= 500, "{data}");
}

/// Opens a stream that ends at once, and gives the names of its events.
async fn opened_again(person: &Person) -> Vec<String> {
    let (mut stream, mut names) = (person.raw_events().await, Vec::new());
    while let Some(event) = stream.next_or_end().await {
        names.push(event.name);
    }
    names
}

#[tokio::test]
async fn sessions_that_stay_are_asked_every_two_seconds_notified_and_released_at_the_deadline() {
    let redis = Redis::start().await;
    let old = pod("user-1", &redis, &[("DRAIN_TIMEOUT", "6s")]).await;
    let new = pod("user-2", &redis, &[]).await;
    let mut stays = User::of(&old).await;
    let mut returns = User::of(&old).await;
    let mut signs_in = User::of(&old).await;
    let [listens, chats] = [old.person().visit().await, old.person().visit().await];
    let (mut events, mut chat) = (listens.websocket("/ws").await, chats.websocket("/chat").await);
    let streamless = old.person().visit().await;
    assert_eq!(streamless.status("/session").await, 200);
    old.signal(Signal::SIGTERM);

    // Asked, and led back to this pod: ended at once seven times.
    returns.asked().await;
    for _ in 0..7 {
        let names = opened_again(&returns.person).await;
        assert!(names.first().unwrap() == "connected" && names.last().unwrap() == "move", "{names:?}");
        assert!(names[1..names.len() - 1].iter().all(|name| name == "drain"), "{names:?}");
    }
    returns.stream = returns.person.raw_events().await;
    assert_eq!(returns.next().await.unwrap().name, "connected", "then the stream stays");

    // A login in the midst of it: the same session, which still is to move.
    signs_in.asked().await;
    assert_eq!(signs_in.person.login("ada").await.status(), 303);
    let connected = signs_in.stream.next_named("connected").await.data;
    signs_in.moves_to(&new).await;
    let session = signs_in.person.session().await;
    assert_eq!((&session["session_id"], &session["user"]), (&connected["session_id"], &"ada".into()));

    // WebSockets are closed once. One that comes back stays.
    let mut sockets = Vec::new();
    for (socket, person, path) in [(&mut events, &listens, "/ws"), (&mut chat, &chats, "/chat")] {
        assert_eq!(socket.close_code().await, Some(1012), "{path}");
        sockets.push(person.websocket(path).await);
    }
    let (state, sessions) = report(&old).await;
    assert_eq!(state.counters.unwrap().asked_to_move, 5, "all but the streamless");
    assert_eq!(sessions.iter().filter(|session| !session.asked_to_move && !session.present()).count(), 1);
    assert_eq!(old.metric("lastcall_websocket_connections").await, 2.0);

    let first = stays.asked().await;
    let events = stays.rest().await;
    let notices: Vec<_> = events.iter().filter(|event| event.name == "drain").collect();
    assert_eq!(notices.len(), 1, "{:?}", names(&events));
    assert_notice(&notices[0].data);
    assert!(remaining(&first) - remaining(&notices[0].data) >= 1_000, "HANDOFF_QUIET after the ask");
    let mut asks = vec![remaining(&first)];
    asks.extend(events.iter().filter(|event| event.name == "move").map(|event| remaining(&event.data)));
    assert!(asks.len() >= 3 && asks.windows(2).all(|pair| pair[0] - pair[1] >= 1_990), "{asks:?}");
    assert!(!names(&events).contains(&"session-ended"), "{:?}", names(&events));
    let events = returns.rest().await;
    assert!(names(&events).contains(&"move") && !names(&events).contains(&"session-ended"), "{:?}", names(&events));
    events.iter().filter(|event| event.name == "drain").for_each(|event| assert_notice(&event.data));
    for socket in &mut sockets {
        assert_eq!(socket.close_code().await, Some(1012), "at the deadline");
    }

    is_empty(&old).await;
    let log = old.drain_log();
    assert!(log.contains(&"[GRACEFUL SHUTDOWN] 6 active users detected".to_owned()), "{log:?}");
    let noticed = |line: &&String| line.starts_with("[GRACEFUL SHUTDOWN] Sending drain notification to ");
    assert_eq!(log.iter().filter(noticed).count(), 1, "{log:?}");
    assert!(!log.iter().any(|line| line.contains("Force-closing")), "{log:?}");
    assert_eq!(old.metric(&ends("moved")).await, 6.0);
    assert_eq!(old.metric("graceful_logouts_total").await, 0.0);
    assert_books(&old).await;
    // All of them go on elsewhere.
    stays.moves_to(&new).await;
    for person in [&returns.person, &listens, &chats, &streamless] {
        assert_eq!(person.at(&new.http).session().await["pod"], "user-2");
    }
    adopted(&new, 6.0).await;
    assert_books(&new).await;
}
