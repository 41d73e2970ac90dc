//! Redis stops answering, then dies and comes back empty, while users work: no user is refused, and in the end Redis holds the
//! current state.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use test_support::{Person, Redis, Signal, UserPod, eventually};
use tokio_util::sync::CancellationToken;

use crate::{BINARY, QUICK};

const PEOPLE: u64 = 12;

/// The results of a user.
#[derive(Debug, Default)]
struct Fared {
    requests: u32,
    failed: Vec<String>,
    slowest: Duration,
}

/// Works until told to stop: opens the page, signs in, signs out and returns. Returns the user with a session.
async fn work(host: String, mut random: fastrand::Rng, stop: CancellationToken) -> (Person, Fared) {
    let mut fared = Fared::default();
    let mut person = Person::new(&host).visit().await;
    while !stop.is_cancelled() {
        let began = Instant::now();
        let (what, status, expected) = match random.u8(..10) {
            0 => ("login", person.login("ada").await.status().as_u16(), 303),
            1 => ("logout", person.post("/logout").send().await.unwrap().status().as_u16(), 200),
            2 => {
                person = Person::new(&host);
                ("newcomer", person.status("/").await, 200)
            }
            _ => ("page", person.status("/").await, 200),
        };
        fared.requests += 1;
        fared.slowest = fared.slowest.max(began.elapsed());
        if status != expected {
            fared.failed.push(format!("{what}: {status}"));
        }
        tokio::time::sleep(Duration::from_millis(random.u64(..30))).await;
    }
    (person.visit().await, fared)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_user_is_refused_during_an_outage_and_redis_is_correct_after_it() {
    let mut redis = Redis::start().await;
    let (url, key) = (redis.url(), "0123456789abcdef0123456789abcdef");
    let options = [("REDIS_URL", url.as_str()), ("SESSION_KEY", key)];
    let pod = UserPod::start(BINARY, "user-1", &[&QUICK, &options[..]].concat()).await;
    let store = |up: f64| {
        let pod = &pod;
        eventually("the store", move || async move { (pod.metric("lastcall_store_up").await == up).then_some(()) })
    };
    store(1.0).await;
    let (stop, seed) = (CancellationToken::new(), fastrand::u64(..));
    let mut people = tokio::task::JoinSet::new();
    for n in 0..PEOPLE {
        let random = fastrand::Rng::with_seed(seed.wrapping_add(n));
        people.spawn(work(pod.http.clone(), random, stop.clone()));
    }
    let some_requests = || async {
        let before = pod.metric("total_logins").await;
        eventually("work", || async { (pod.metric("total_logins").await >= before + 20.0).then_some(()) }).await;
    };
    some_requests().await;
    redis.signal(Signal::SIGSTOP);
    store(0.0).await;
    some_requests().await;
    redis.signal(Signal::SIGCONT);
    store(1.0).await;
    some_requests().await;
    redis.kill().await;
    store(0.0).await;
    some_requests().await;
    redis.start_again().await;
    store(1.0).await;
    some_requests().await;
    stop.cancel();

    let (mut fared, mut alive) = (Fared::default(), BTreeSet::new());
    while let Some(person) = people.join_next().await {
        let (person, one) = person.unwrap();
        fared.requests += one.requests;
        fared.failed.extend(one.failed);
        fared.slowest = fared.slowest.max(one.slowest);
        alive.insert(format!("session:{}", person.session().await["session_id"].as_str().unwrap()));
    }
    #[allow(clippy::print_stdout, reason = "the figures, for runs with --no-capture")]
    {
        println!("seed {seed}: {} requests, {:?} failed, slowest {:?}", fared.requests, fared.failed, fared.slowest);
    }
    assert_eq!(fared.failed, Vec::<String>::new(), "seed {seed}");
    // Redis has a session for every active user, and for sessions that were left without a logout.
    let held = eventually("Redis to hold what the pod holds", || async {
        let keys: BTreeSet<_> = redis.keys("session:*").await.into_iter().collect();
        (keys.len() as f64 == pod.metric("active_sessions_total").await).then_some(keys)
    })
    .await;
    assert!(alive.is_subset(&held), "missing: {:?}", alive.difference(&held));
}
