//! A Redis that is unreachable for a long time.

use std::time::Duration;

use test_support::{Redis, Signal, eventually};

use tokio::time::Instant;

use super::{all_are_served, becomes, pod, roam, sign_in_all, three_pods};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_user_gets_another_session_while_redis_is_away_and_a_logout_holds() {
    let mut redis = Redis::start().await;
    let pods = three_pods(&redis.url(), &[]).await;
    let mut users = sign_in_all(&pods, 30).await;
    let leaving = users.split_off(27);
    let mut cookies = Vec::new();
    for (user, pod) in leaving.iter().zip(&pods) {
        // A copy of the cookie that the logout clears is used afterwards.
        assert_eq!(user.ask(&pod.http).await, Ok(true));
        let answer = pod.person().get("/").await;
        cookies.push(answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned());
    }
    redis.kill().await;
    for pod in &pods {
        becomes(pod, "lastcall_store_up", 0.0).await;
    }
    // Each of these sessions began at one pod and is ended at the next one.
    for (cookie, pod) in cookies.iter().zip(pods.iter().cycle().skip(1)) {
        let left = pod.person().post("/logout").header("cookie", cookie).send().await.unwrap();
        assert_eq!(left.status(), 200);
    }
    let seen = roam(&users, &pods, Duration::from_secs(15)).await;
    assert!(seen.wrong.is_empty(), "{} of {} users: {:#?}", seen.wrong.len(), users.len(), seen.wrong);
    redis.start_again().await;
    for pod in &pods {
        becomes(pod, "lastcall_store_up", 1.0).await;
    }
    all_are_served(&users, &pods).await;
    for cookie in &cookies {
        for pod in &pods {
            // The owner could not learn of it before the store was back.
            let replay = || async {
                let answer = pod.person().request("/session").header("cookie", cookie).send().await.unwrap();
                (answer.status() == 401).then_some(())
            };
            eventually(&format!("the logout at {}", pod.http), replay).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_waits_for_its_logouts_to_be_written_as_long_as_its_grace_period_lasts() {
    let redis = Redis::start().await;
    let url = redis.url();
    let granted = [("TERMINATION_GRACE_PERIOD", "60s")];
    let (mut first, second) = (pod("user-1", &url, &granted).await, pod("user-2", &url, &[]).await);
    let answer = first.person().get("/").await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    // Redis stops answering with the session in it.
    redis.signal(Signal::SIGSTOP);
    becomes(&first, "lastcall_store_up", 0.0).await;
    assert_eq!(first.person().post("/logout").header("cookie", &cookie).send().await.unwrap().status(), 200);
    first.signal(Signal::SIGTERM);
    first.line("Shutting down cleanly").await;
    redis.signal(Signal::SIGCONT);
    assert!(first.wait().await.success());
    becomes(&second, "lastcall_store_up", 1.0).await;
    let replay = || async {
        let answer = second.person().request("/session").header("cookie", &cookie).send().await.unwrap();
        (answer.status() != 503).then(|| answer.status().as_u16())
    };
    assert_eq!(eventually("an answer", replay).await, 401, "the logout is undone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_whose_store_hangs_at_the_deadline_exits_in_time_and_says_nothing_else_than_ever() {
    let redis = Redis::start().await;
    let mut pod = pod("user-1", &redis.url(), &[]).await;
    becomes(&pod, "lastcall_store_up", 1.0).await;
    let user = pod.person().visit().await;
    let _stream = user.events().await;
    let before = Instant::now();
    pod.signal(Signal::SIGTERM);
    // Not noticed before the deadline.
    pod.line("(1s left)").await;
    redis.signal(Signal::SIGSTOP);
    assert!(pod.wait().await.success());
    // DRAIN_TIMEOUT + PROPAGATION_WAIT + 5 s.
    assert!(before.elapsed() < Duration::from_millis(3_000 + 300 + 5_000), "{:?}", before.elapsed());
    super::note(&format!("a drain with a store that hangs took {:?}", before.elapsed()));
    let log = pod.log();
    let last: Vec<_> =
        log.iter().filter_map(|line| line.split_once("[GRACEFUL SHUTDOWN] ")).map(|(_, it)| it).collect();
    let end = ["Force-closing 1 remaining session...", "Waiting 0s for endpoint removal to propagate..."];
    assert!(last.ends_with(&[end[0], end[1], "Shutting down cleanly..."]), "{last:#?}");
}
