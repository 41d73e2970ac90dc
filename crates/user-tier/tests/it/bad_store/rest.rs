//! The commands to the store while no user is active, and how soon an adoption is noticed.

use std::collections::HashMap;
use std::time::Duration;

use test_support::{Redis, UserPod, eventually};
use tokio::time::{Instant, sleep};

use super::{User, becomes, note, sign_in_all, three_pods};

/// Commands a second that three pods may send at rest. Ten pods may send 500.
const AT_REST: f64 = 150.0;

/// Commands a second over some seconds, by command.
async fn rate(redis: &Redis) -> f64 {
    const WINDOW: Duration = Duration::from_secs(5);
    let before = commands(redis).await;
    sleep(WINDOW).await;
    let mut all = 0.0;
    let mut kinds = Vec::new();
    for (kind, count) in commands(redis).await {
        let rate = (count - before.get(&kind).unwrap_or(&0.0)) / WINDOW.as_secs_f64();
        all += rate;
        if rate >= 1.0 {
            kinds.push(format!("{kind} {rate:.0}"));
        }
    }
    note(&format!("commands a second: {}", kinds.join(", ")));
    all
}

/// How often Redis has run each command, within scripts too.
async fn commands(redis: &Redis) -> HashMap<String, f64> {
    let statistics: String = redis.ask(&["INFO", "commandstats"]).await;
    let count = |line: &str| {
        let (kind, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((kind.to_owned(), rest.split(',').next()?.parse::<f64>().ok()?))
    };
    statistics.lines().filter_map(count).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_commands_grow_with_the_pods_and_not_with_the_sessions() {
    let redis = Redis::start().await;
    let pods = three_pods(&redis.url(), &[]).await;
    let without = rate(&redis).await;
    let _users = sign_in_all(&pods, 300).await;
    // Pending changes of the sign-ins are written meanwhile.
    let with = eventually("rest", || async {
        let with = rate(&redis).await;
        note(&format!("{with:.0} commands a second with 300 sessions on 3 pods, {without:.0} without"));
        (with < AT_REST && with < without + 60.0).then_some(with)
    })
    .await;
    assert!(with < AT_REST);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adoption_is_noticed_soon() {
    let redis = Redis::start().await;
    let pods = three_pods(&redis.url(), &[]).await;
    let mut took = Vec::new();
    for n in 0..20 {
        took.push(adoption(&pods[n % 3], &pods[(n + 1) % 3], n).await);
    }
    took.sort();
    note(&format!("an adoption was noticed after {:?} (median), {:?} (slowest of 20)", took[10], took[19]));
    assert!(took[10] < Duration::from_secs(1), "{took:?}");
}

/// Moves a session by opening its stream on another pod, until the old owner releases it.
async fn adoption(from: &UserPod, to: &UserPod, number: usize) -> Duration {
    let user = User::sign_in(from, format!("ada-{number}")).await;
    let (held, adopted) = (from.metric("active_sessions_total").await, to.metric("active_sessions_total").await);
    let _stream = user.person.at(&to.http).events().await;
    let began = Instant::now();
    becomes(to, "active_sessions_total", adopted + 1.0).await;
    eventually("the old owner to let go", || async {
        (from.metric("active_sessions_total").await < held).then_some(began.elapsed())
    })
    .await
}
