//! Scenario B of the requirements: notice, wait, forced end, exit.

use std::time::{Duration, Instant};

use test_support::Signal;

use crate::pod;

#[tokio::test]
async fn one_user_signs_out_one_page_signs_out_by_itself_and_one_session_is_forced() {
    let mut pod = pod(&[]).await;
    let (by_hand, by_countdown, forced) =
        (pod.person().visit().await, pod.person().visit().await, pod.person().visit().await);
    let mut streams = [by_hand.events().await, by_countdown.events().await, forced.events().await];
    assert_eq!(pod.metric("total_logins").await, 3.0);

    pod.signal(Signal::SIGTERM);
    for stream in &mut streams {
        let notice = stream.next_named("drain").await.data;
        assert_eq!(notice["reason"], "shutdown");
        assert_eq!(notice["message"], "Server shutting down in 3s. Please save your work and logout.");
        assert_eq!(notice["countdown"], 3);
        assert_eq!(notice["auto_logout"], true);
        let remaining = notice["remaining_ms"].as_u64().unwrap();
        assert!((2_001..=3_000).contains(&remaining), "{remaining}");
    }
    assert_eq!(pod.metric("drain_notifications_sent").await, 3.0);

    assert_eq!(by_hand.post("/logout").send().await.unwrap().status(), 200);
    assert_eq!(by_countdown.status("/logout?reason=drain").await, 200);
    for stream in &mut streams[..2] {
        assert_eq!(stream.next_named("session-ended").await.data["reason"], "logout");
        assert_eq!(stream.next_or_end().await, None, "the stream ends");
    }
    assert_eq!(streams[2].next_named("session-ended").await.data["reason"], "forced");
    assert_eq!(streams[2].next_or_end().await, None, "the stream ends");

    pod.line("Waiting 0s for endpoint removal").await;
    let metrics = pod.person().text("/metrics").await;
    for (series, value) in [
        ("active_sessions_total", 0.0),
        ("lastcall_sessions_present", 0.0),
        ("drain_notifications_sent", 3.0),
        ("graceful_logouts_total", 2.0),
        ("forced_logouts_total", 1.0),
        ("total_logins", 3.0),
        ("lastcall_session_ends_total{outcome=\"logout\"}", 1.0),
        ("lastcall_session_ends_total{outcome=\"auto_logout\"}", 1.0),
        ("lastcall_session_ends_total{outcome=\"forced\"}", 1.0),
        ("lastcall_session_ends_total{outcome=\"expired\"}", 0.0),
        ("lastcall_session_ends_total{outcome=\"moved\"}", 0.0),
        ("lastcall_sessions_adopted_total", 0.0),
        ("lastcall_drain_seconds_count", 1.0),
    ] {
        assert_eq!(test_support::metric(&metrics, series), Some(value), "{series} in\n{metrics}");
    }
    assert!(pod.wait().await.success());
    let log = pod.drain_log();
    let fixed = [
        "[GRACEFUL SHUTDOWN] Received SIGTERM signal",
        "[GRACEFUL SHUTDOWN] 3 active users detected",
        "[GRACEFUL SHUTDOWN] Sending drain notification to 3 users...",
        "[GRACEFUL SHUTDOWN] Waiting 3s for users to logout gracefully...",
    ];
    assert_eq!(&log[..4], fixed);
    let end = [
        "[GRACEFUL SHUTDOWN] Force-closing 1 remaining session...",
        "[GRACEFUL SHUTDOWN] Waiting 0s for endpoint removal to propagate...",
        "[GRACEFUL SHUTDOWN] Shutting down cleanly...",
    ];
    assert_eq!(&log[log.len() - 3..], end);
    assert!(log.contains(&"[GRACEFUL SHUTDOWN] 1 user remaining (1s left)...".to_owned()), "{log:?}");
}

#[tokio::test]
async fn a_stream_that_opens_during_a_countdown_gets_the_notice_at_once_with_the_time_left() {
    let pod = pod(&[("DRAIN_TIMEOUT", "20s")]).await;
    let person = pod.person().visit().await;
    let mut early = person.events().await;
    pod.signal(Signal::SIGTERM);
    let first = early.next_named("drain").await.data;
    let deadline = &first["forced_logout_at"];
    // A second later than the first stream, as the server's own clock says.
    test_support::eventually("a second of the countdown to pass", || async {
        let left = person.session().await["drain"]["remaining_ms"].as_u64().unwrap();
        (left <= 19_000).then_some(())
    })
    .await;
    let mut late = person.raw_events().await;
    let greeting = late.next().await;
    assert_eq!(greeting.name, "connected");
    assert_eq!(&greeting.data["drain"]["forced_logout_at"], deadline);
    let notice = late.next().await;
    assert_eq!((notice.name.as_str(), &notice.data["forced_logout_at"]), ("drain", deadline));
    let remaining = notice.data["remaining_ms"].as_u64().unwrap();
    assert!(remaining <= 19_000, "{remaining}");
    assert_eq!(notice.data["countdown"], remaining.div_ceil(1000));
    assert_eq!(pod.metric("drain_notifications_sent").await, 1.0, "one session, notified once");
    let page = person.text("/").await;
    assert!(page.contains("Server shutting down in"), "the page tells as well:\n{page}");
}

#[tokio::test]
async fn newcomers_are_asked_to_retry_while_sessions_are_served_until_their_end() {
    let mut pod = pod(&[]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    pod.signal(Signal::SIGTERM);
    stream.next_named("drain").await;

    let refused = pod.person().request("/").header("accept", "text/html").send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.headers()["connection"], "close");
    assert!(refused.headers().get("set-cookie").is_none());
    assert_eq!(person.status("/").await, 200);
    assert_eq!(person.login("ada").await.status(), 303);
    assert_eq!(person.session().await["user"], "ada");
    assert_eq!(pod.person().status("/health").await, 200);
    let ready = pod.person().get("/ready").await;
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.text().await.unwrap(), r#"{"status":"shutting_down"}"#);
    assert_eq!(pod.person().status("/logout").await, 200, "in every phase, with or without a session");
    assert_eq!(pod.metric("total_logins").await, 1.0);
    stream.next_named("session-ended").await;
    assert!(pod.wait().await.success());
}

#[tokio::test]
async fn a_drain_without_users_waits_for_the_propagation_only() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "1h"), ("PROPAGATION_WAIT", "1s")]).await;
    let began = Instant::now();
    pod.signal(Signal::SIGINT);
    assert!(pod.wait().await.success());
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(
        pod.drain_log(),
        [
            "[GRACEFUL SHUTDOWN] Received SIGINT signal",
            "[GRACEFUL SHUTDOWN] 0 active users detected",
            "[GRACEFUL SHUTDOWN] Waiting 1s for endpoint removal to propagate...",
            "[GRACEFUL SHUTDOWN] Shutting down cleanly...",
        ]
    );
}

#[tokio::test]
async fn the_wait_ends_as_soon_as_the_last_user_is_gone() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "1h")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    pod.signal(Signal::SIGTERM);
    stream.next_named("drain").await;
    person.get("/logout").await;
    assert!(pod.wait().await.success());
    let log = pod.drain_log();
    assert!(log.iter().any(|line| line.starts_with("[GRACEFUL SHUTDOWN] 0 users remaining (3")), "{log:?}");
    assert_eq!(log[1], "[GRACEFUL SHUTDOWN] 1 active user detected");
}

#[tokio::test]
async fn a_closed_tab_holds_the_drain_for_presence_linger_at_most_and_is_not_forced() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "1h"), ("PRESENCE_LINGER", "300ms")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    pod.signal(Signal::SIGTERM);
    stream.next_named("drain").await;
    drop((stream, person));
    pod.line("Waiting 0s for endpoint removal").await;
    assert_eq!(pod.metric("forced_logouts_total").await, 0.0);
    assert_eq!(pod.metric("lastcall_session_ends_total{outcome=\"expired\"}").await, 1.0);
    assert!(pod.wait().await.success());
}

#[tokio::test]
async fn a_client_without_a_stream_is_waited_for_and_forced() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "2s"), ("PRESENCE_LINGER", "100ms")]).await;
    let _person = pod.person().visit().await;
    pod.signal(Signal::SIGTERM);
    assert!(pod.wait().await.success());
    let log = pod.drain_log();
    assert!(log.contains(&"[GRACEFUL SHUTDOWN] Force-closing 1 remaining session...".to_owned()), "{log:?}");
}

#[tokio::test]
async fn a_second_signal_ends_the_waiting_and_counts_the_remaining_sessions() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "1h"), ("PROPAGATION_WAIT", "1h")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    pod.signal(Signal::SIGTERM);
    stream.next_named("drain").await;
    pod.signal(Signal::SIGTERM);
    assert_eq!(stream.next_named("session-ended").await.data["reason"], "forced");
    assert!(pod.wait().await.success());
    let log = pod.drain_log();
    assert!(log.contains(&"[GRACEFUL SHUTDOWN] Force-closing 1 remaining session...".to_owned()), "{log:?}");
    assert_eq!(log.last().unwrap(), "[GRACEFUL SHUTDOWN] Shutting down cleanly...");
    assert!(!log.iter().any(|line| line.contains("propagate")), "{log:?}");
}

#[tokio::test]
async fn a_second_signal_is_ignored_if_configured() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "2s"), ("SECOND_SIGNAL", "ignore")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    pod.signal(Signal::SIGTERM);
    stream.next_named("drain").await;
    pod.signal(Signal::SIGTERM);
    pod.line("Ignored another SIGTERM signal").await;
    assert_eq!(person.status("/").await, 200, "still served");
    stream.next_named("session-ended").await;
    assert!(pod.wait().await.success());
}

#[tokio::test]
async fn readiness_holds_until_the_last_user_has_gone_if_configured() {
    let mut pod =
        pod(&[("READINESS_WHILE_DRAINING", "hold"), ("PROPAGATION_WAIT", "2s"), ("DRAIN_TIMEOUT", "1h")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    pod.signal(Signal::SIGTERM);
    stream.next_named("drain").await;
    assert_eq!(pod.person().status("/ready").await, 200);
    person.get("/logout").await;
    pod.line("endpoint removal").await;
    assert_eq!(pod.person().status("/readyz").await, 503);
    assert!(pod.wait().await.success());
}

#[tokio::test]
async fn a_signal_during_the_start_is_not_lost() {
    let mut process = test_support::Process::start(
        crate::BINARY,
        &[],
        &[("HTTP_ADDR", "127.0.0.1:0"), ("GRPC_ADDR", "127.0.0.1:0"), ("PROPAGATION_WAIT", "0s")],
    );
    process.line("SESSION_KEY is not set").await;
    process.signal(Signal::SIGTERM);
    assert!(process.wait().await.success());
    assert_eq!(process.drain_log().last().unwrap(), "[GRACEFUL SHUTDOWN] Shutting down cleanly...");
}
