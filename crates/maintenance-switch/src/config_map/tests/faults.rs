//! What is published while the API fails, and when it works again.

use super::*;

#[tokio::test]
async fn an_unavailable_api_changes_nothing_and_a_change_meanwhile_is_published_when_it_is_back() {
    let log = Log::start();
    let mut cluster = cluster(SwitchState::On, SHORT).await;
    cluster.api.reject_connections(true);
    assert_eq!(cluster.failing("").await.state, SwitchState::On);
    let before = cluster.api.connections();
    sleep(FAULT_DURATION).await;
    let attempts = cluster.api.connections() - before;
    assert!((2..15).contains(&attempts), "{attempts} attempts");
    // Now nothing listens any more.
    cluster.api.stop().await;
    cluster.turn(SwitchState::Off);
    sleep(FAULT_DURATION / 2).await;
    assert_eq!(cluster.statuses.borrow().state, SwitchState::On);
    cluster.api.heal();
    cluster.api.start_again().await;
    wait_for(&mut cluster.statuses, "off", |status| status.state == SwitchState::Off).await;
    wait_until_healthy(&mut cluster.statuses, SwitchState::Off).await;
    assert_eq!((log.count("cannot be read"), log.count("is read again")), (1, 1), "{:#?}", log.lines());
}

#[tokio::test]
async fn an_api_that_is_unavailable_at_the_start_is_asked_again() {
    let mut api = KubernetesDouble::start().await;
    api.put(&map(&json!({ KEY: "on" })));
    api.stop().await;
    let mut cluster = follow_on(api, SwitchState::Off, SHORT).await;
    assert_eq!(cluster.failing("").await.state, SwitchState::Off);
    cluster.api.start_again().await;
    wait_until_healthy(&mut cluster.statuses, SwitchState::On).await;
}

/// Makes these verbs fail for [`FAULT_DURATION`]. The state stays, and a later change is published.
async fn survives(what: &str, verbs: &[Verb], fault: Fault, expected_error: Option<&str>) {
    let log = Log::start();
    let mut cluster = cluster(SwitchState::On, SHORT).await;
    let before = cluster.api.asked_anything();
    for verb in verbs {
        cluster.api.fault(*verb, fault);
    }
    cluster.api.cut_watches();
    if let Some(words) = expected_error {
        assert_eq!(cluster.failing(words).await.state, SwitchState::On, "{what}");
    }
    let mut changes = cluster.statuses.clone();
    let moved = timeout(FAULT_DURATION, changes.wait_for(|status| status.state == SwitchState::Off)).await;
    assert!(moved.is_err(), "{what} moved the switch");
    let asked = cluster.api.asked_anything() - before;
    assert!(asked < 40, "{what}: {asked} requests");
    let failures = log.count("cannot be read");
    assert!(failures <= 1, "{what}: {:#?}", log.lines());
    cluster.api.heal();
    cluster.turn(SwitchState::Off);
    wait_until_healthy(&mut cluster.statuses, SwitchState::Off).await;
    assert_eq!(log.count("is read again"), failures, "{what}: {:#?}", log.lines());
}

#[test]
fn every_fault_is_survived_without_a_change_and_without_a_busy_loop() {
    let faults: [(&str, &[Verb], Fault, Option<&str>); 12] = [
        ("403", &Verb::ALL, Fault::Forbidden, Some("may not be read")),
        ("403 for watches", &[Verb::Watch], Fault::Forbidden, Some("grant list and watch")),
        ("500", &Verb::ALL, Fault::Broken, Some("answers 500")),
        ("500 for watches", &[Verb::Watch], Fault::Broken, Some("answers 500")),
        ("503", &Verb::ALL, Fault::Busy, Some("answers 503")),
        ("no answer", &Verb::ALL, Fault::Silent, Some("does not answer")),
        ("410 for watches", &[Verb::Watch], Fault::Gone, None),
        ("410", &Verb::ALL, Fault::Gone, None),
        ("watches that end at once", &[Verb::Watch], Fault::Ends, None),
        ("watches that break at once", &[Verb::Watch], Fault::Breaks, None),
        ("watches that send nothing", &[Verb::Watch], Fault::Mute, None),
        ("watches that send invalid JSON", &[Verb::Watch], Fault::Garbles, None),
    ];
    // Each on its own thread, with its own log.
    std::thread::scope(|scope| {
        for (what, verbs, fault, expected_error) in faults {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(survives(what, verbs, fault, expected_error));
            });
        }
    });
}

#[tokio::test]
async fn a_change_that_a_hanging_watch_misses_is_published_later() {
    let mut cluster = cluster(SwitchState::On, SHORT).await;
    cluster.api.fault(Verb::Watch, Fault::Mute);
    cluster.turn(SwitchState::Off);
    wait_until_healthy(&mut cluster.statuses, SwitchState::Off).await;
}

#[tokio::test]
async fn an_expired_watch_begins_again_without_a_log_line() {
    let log = Log::start();
    let mut cluster = cluster(SwitchState::On, Timing::default()).await;
    for state in [SwitchState::Off, SwitchState::On] {
        cluster.api.compact();
        cluster.api.expire_watches();
        cluster.turn(state);
        wait_until_healthy(&mut cluster.statuses, state).await;
    }
    assert!(log.lines().is_empty(), "{:#?}", log.lines());
}
