//! A Redis behind a slow line.

use std::ops::Range;
use std::time::Duration;

use test_support::{Redis, Signal, SlowProxy, eventually};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{User, becomes, note, pod};
use crate::last_metrics::LastMetrics;

/// In milliseconds, each way.
const SLOW: Range<u64> = 150..700;
/// Half of it: an answer often arrives before a pod stops waiting for it.
const SLOWISH: Range<u64> = 75..350;

/// Signs in 30 users at one pod over a line like this, and asks the next pod for each at once.
async fn next_pod_knows(delay: Range<u64>) {
    let redis = Redis::start().await;
    let line = SlowProxy::before(&format!("127.0.0.1:{}", redis.port()), 0..1).await;
    let url = format!("redis://{}", line.address);
    let (first, second) = (pod("user-1", &url, &[]).await, pod("user-2", &url, &[]).await);
    // A pod says that it serves before it has reached its store.
    for pod in [&first, &second] {
        becomes(pod, "lastcall_store_up", 1.0).await;
    }
    line.set_delay(delay);
    let mut users = JoinSet::new();
    for n in 0..30 {
        let (person, there, name) = (first.person(), second.http.clone(), format!("ada-{n}"));
        users.spawn(async move {
            let person = person.visit().await;
            assert_eq!(person.login(&name).await.status(), 303);
            let there = person.at(&there);
            let mut waits = 0;
            loop {
                let answer = there.get("/session").await;
                let status = answer.status().as_u16();
                let session: serde_json::Value = answer.json().await.unwrap_or_default();
                // A pod may ask to wait for a store that it cannot reach in time, but not for long.
                if status != 503 || waits == MOST_WAITS {
                    return (name, waits, status, session);
                }
                waits += 1;
                sleep(Duration::from_millis(100)).await;
            }
        });
    }
    let (mut wrong, mut waits) = (Vec::new(), 0);
    while let Some(user) = users.join_next().await {
        let (name, waited, status, session) = user.unwrap();
        waits += waited;
        if status != 200 || session["user"] != name.as_str() {
            wrong.push(format!("{name}: {status} {session}"));
        }
    }
    note(&format!("30 sign-ins: {} wrong, {waits} times asked to wait", wrong.len()));
    assert!(wrong.is_empty(), "{} of 30: {wrong:#?}", wrong.len());
}

/// How often a user may be asked to wait.
const MOST_WAITS: u32 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_one_pod_has_acknowledged_is_known_to_the_next() {
    next_pod_knows(SLOWISH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_one_pod_has_acknowledged_is_known_to_the_next_over_a_slow_line() {
    next_pod_knows(SLOW).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_moves_at_the_deadline_over_a_slow_line_ends_on_one_pod_or_lives_on_the_other() {
    let redis = Redis::start().await;
    let line = SlowProxy::before(&format!("127.0.0.1:{}", redis.port()), 0..1).await;
    let url = format!("redis://{}", line.address);
    // Counters for late acknowledgements change late, and must be read before the exit.
    let patient = [("PROPAGATION_WAIT", "5s")];
    let (mut first, second) = (pod("user-1", &url, &patient).await, pod("user-2", &url, &patient).await);
    let (mut users, mut streams) = (Vec::new(), Vec::new());
    for n in 0..40 {
        let user = User::sign_in(&first, format!("ada-{n}")).await;
        streams.push(user.person.events().await);
        users.push(user);
    }
    line.set_delay(SLOW);
    let metrics = LastMetrics::of(first.url("/metrics"));
    first.signal(Signal::SIGTERM);
    // Each makes one request on another pod, at a different time around the deadline, which is in 3 s.
    let mut moving = JoinSet::new();
    for user in &users {
        let there = user.person.at(&second.http);
        moving.spawn(async move {
            sleep(Duration::from_millis(fastrand::u64(1_000..3_200))).await;
            there.status("/session").await
        });
    }
    moving.join_all().await;
    assert!(first.wait().await.success());
    let last = metrics.last().await;
    line.set_delay(0..1);
    let mut living = 0.0;
    for user in &users {
        let answer = || async {
            match user.person.at(&second.http).status("/session").await {
                503 => None,
                status => Some(status),
            }
        };
        living += f64::from(u8::from(eventually("an answer", answer).await == 200));
    }
    let ended = |outcome: &str| {
        test_support::metric(&last, &format!("lastcall_session_ends_total{{outcome=\"{outcome}\"}}")).unwrap()
    };
    note(&format!("forced {} moved {} living elsewhere {living}", ended("forced"), ended("moved")));
    assert_eq!((ended("moved"), ended("forced")), (living, 40.0 - living), "of 40");
    becomes(&second, "active_sessions_total", living).await;
    becomes(&second, "lastcall_sessions_adopted_total", living).await;
}
