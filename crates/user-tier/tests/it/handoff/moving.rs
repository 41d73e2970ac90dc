//! The ordinary case: another pod serves, and every page moves when it is asked.

use std::time::{Duration, Instant};

use test_support::{Process, Redis, Signal};

use super::*;

#[tokio::test]
async fn sessions_move_to_another_pod_without_a_notice_and_the_pod_is_empty_then() {
    let redis = Redis::start().await;
    let options = [
        ("HANDOFF_DELAY", "700ms"),
        ("HANDOFF_QUIET", "9s"),
        ("READINESS_WHILE_DRAINING", "hold"),
        ("HANDOFF_RATE", "5"),
    ];
    let mut old = pod("user-1", &redis, &options).await;
    let new = pod("user-2", &redis, &[]).await;
    let mut users = Vec::new();
    for _ in 0..6 {
        users.push(User::of(&old).await);
    }
    // Without a stream, and just gone: both linger.
    let streamless = old.person().visit().await;
    assert_eq!(streamless.status("/session").await, 200);
    drop(User::of(&old).await);

    let signalled = Instant::now();
    old.signal(Signal::SIGTERM);
    old.line("Waiting 20s for users").await;
    eventually("the pod is not ready", || async { (ready(&old).await != 200).then_some(()) }).await;
    assert!(signalled.elapsed() >= Duration::from_millis(700), "ready until the first session is asked");
    let mut asks = Vec::new();
    for user in &mut users {
        let asked = user.asked().await;
        asks.push(remaining(&asked));
        assert!(signalled.elapsed() >= Duration::from_millis(700), "before HANDOFF_DELAY");
        assert_eq!(asked["reason"], "shutdown");
        assert!((10_000..=19_300).contains(&remaining(&asked)), "by half of DRAIN_TIMEOUT: {asked}");
        let times = ["server_time", "forced_logout_at"].map(|time| asked[time].as_str().unwrap());
        assert!(times[0] < times[1] && times.iter().all(|time| time.len() == 24 && time.ends_with('Z')), "{asked}");
        assert_eq!(asked.as_object().unwrap().len(), 4, "{asked}");
    }
    // One each 200 ms; on a busy machine late ones follow together.
    asks.sort_unstable();
    assert!(asks[5] - asks[0] >= 200, "all at once: {asks:?}");
    let (report_before, sessions) = report(&old).await;
    let asked: Vec<_> = sessions.iter().filter(|session| session.asked_to_move).collect();
    assert_eq!((asked.len(), report_before.counters.unwrap().asked_to_move), (6, 6));
    assert!(asked.iter().all(|session| session.present() && session.event_streams == 1 && !session.notified));
    for user in &mut users {
        user.moves_to(&new).await;
    }
    is_empty(&old).await;
    assert_eq!(old.metric(&ends("moved")).await, 8.0, "the streamless are in the store");
    assert_eq!(old.metric("drain_notifications_sent").await, 0.0);
    assert_eq!(report(&old).await.0.counters.unwrap().moved, 8);
    assert_books(&old).await;
    assert!(old.wait().await.success());

    let log = old.drain_log();
    let steady: Vec<_> = log.iter().filter(|line| !line.contains("remaining (")).cloned().collect();
    let expected = [
        "Received SIGTERM signal",
        "8 active users detected",
        "Moving 8 users to other pods...",
        "Waiting 20s for users to logout gracefully...",
        "Waiting 2s for endpoint removal to propagate...",
        "Shutting down cleanly...",
    ];
    assert_eq!(steady, expected.map(|line| format!("[GRACEFUL SHUTDOWN] {line}")));
    assert!(log.iter().any(|line| line.starts_with("[GRACEFUL SHUTDOWN] 0 users remaining (")), "{log:?}");
    // They go on as the same sessions.
    let gone = streamless.at(&new.http).session().await;
    assert_eq!(gone["pod"], "user-2");
    adopted(&new, 7.0).await;
    assert_eq!(new.metric("total_logins").await, 0.0);
    assert_books(&new).await;
}

#[tokio::test]
async fn a_drain_without_a_signal_moves_sessions_as_well_and_the_pod_goes_on() {
    let redis = Redis::start().await;
    let mut old = pod("user-1", &redis, &[("PROBE_ADDR", "127.0.0.1:0"), ("PROPAGATION_WAIT", "300ms")]).await;
    let new = pod("user-2", &redis, &[]).await;
    let mut user = User::of(&old).await;
    let line = old.line("probe.address=").await;
    let probes = line.split("probe.address=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut drain = Process::start(BINARY, &["drain"], &[("PROBE_ADDR", probes)]);
    user.asked().await;
    user.moves_to(&new).await;
    assert_eq!(drain.wait().await.code(), Some(0));
    assert_eq!(old.metric(&ends("moved")).await, 1.0);
    // Its user's cookie opens the session here as well, at the pod that has it.
    assert_eq!(user.person.at(&old.http).session().await["pod"], "user-2");
    old.signal(Signal::SIGTERM);
    assert!(old.wait().await.success());
    assert_eq!(old.drain_log()[0], "[GRACEFUL SHUTDOWN] Received drain request");
}
