//! Many people at once who come, give names, cut their streams, leave and fall asleep, and a drain in the midst of it:
//! the books balance, and what is listed is what is counted.

use session_wire::v1::ListSessionsRequest;
use session_wire::v1::introspection_client::IntrospectionClient;
use test_support::{Events, Person, Signal, UserPod, eventually, metric};

use crate::grpc::channel;
use crate::pod;

const PEOPLE: u64 = 24;

/// Acts like a user, at random, until the pod refuses it.
async fn live(mut random: fastrand::Rng, host: String) {
    let mut streams: Vec<Events> = Vec::new();
    let mut person = Person::new(&host);
    loop {
        match random.u8(..9) {
            0 | 1 => person = Person::new(&host),
            2 => drop(person.login("ada").await),
            3 => drop(person.post("/logout").send().await),
            4 => drop(person.get("/logout?reason=drain").await),
            5 if person.status("/session").await == 200 => streams.extend(person.try_events().await),
            6 if !streams.is_empty() => drop(streams.swap_remove(random.usize(..streams.len()))),
            7 => tokio::time::sleep(std::time::Duration::from_millis(random.u64(..400))).await,
            _ => {}
        }
        if person.status("/").await == 503 {
            return;
        }
    }
}

/// What the pod has counted: `logins + adopted`, all ends, and the sessions that it holds.
async fn books(pod: &UserPod) -> (f64, f64, f64) {
    let page = pod.person().text("/metrics").await;
    let value = |series: &str| metric(&page, series).unwrap();
    let ends = ["logout", "auto_logout", "forced", "expired", "moved"]
        .map(|outcome| value(&format!("lastcall_session_ends_total{{outcome=\"{outcome}\"}}")));
    let begun = value("total_logins") + value("lastcall_sessions_adopted_total");
    (begun, ends.iter().sum(), value("active_sessions_total"))
}

/// The sessions that the pod lists, counted one by one.
async fn listed(pod: &UserPod) -> f64 {
    let mut client = IntrospectionClient::new(channel(pod).await);
    let mut count = 0;
    let mut page_token = String::new();
    loop {
        let request = ListSessionsRequest { page_size: 7, page_token, user_contains: String::new() };
        let list = client.list_sessions(request).await.unwrap().into_inner();
        count += u32::try_from(list.sessions.len()).unwrap();
        page_token = list.next_page_token;
        if page_token.is_empty() {
            return f64::from(count);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_counters_balance_through_a_storm_and_a_drain() {
    let seed = fastrand::u64(..);
    #[allow(clippy::print_stdout, reason = "shown where the test fails, so that it can be played again")]
    {
        println!("seed {seed}");
    }
    let options =
        [("SESSION_TTL", "1s"), ("PRESENCE_LINGER", "200ms"), ("DRAIN_TIMEOUT", "3s"), ("PROPAGATION_WAIT", "1h")];
    let pod = pod(&options).await;
    let mut storm = tokio::task::JoinSet::new();
    for n in 0..PEOPLE {
        storm.spawn(live(fastrand::Rng::with_seed(seed.wrapping_add(n)), pod.http.clone()));
    }
    let busy = || async {
        let (begun, ended, _) = books(&pod).await;
        (begun > 100.0 && ended > 50.0).then_some(())
    };
    eventually("a storm", busy).await;
    // A user who does nothing, so that the drain has to force a session.
    let still = pod.person().visit().await;
    let _stream = still.events().await;
    pod.signal(Signal::SIGTERM);
    while let Some(person) = storm.join_next().await {
        person.unwrap();
    }
    // No user acts any more: the counted, listed and held sessions agree.
    eventually("balanced books", || async {
        let (begun, ended, active) = books(&pod).await;
        (begun == ended + active && active == listed(&pod).await).then_some(())
    })
    .await;
    pod.line("endpoint removal").await;
    let (begun, ended, active) = books(&pod).await;
    assert_eq!((begun, active), (ended, 0.0));
    assert_eq!(listed(&pod).await, 0.0);
    assert!(pod.metric("forced_logouts_total").await >= 1.0);
}
