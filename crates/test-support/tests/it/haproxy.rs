//! Whether HAProxy routes as a Service does.

use std::collections::BTreeSet;

use reqwest::Client;
use test_support::{Haproxy, Site};

/// A server that is ready and says its name.
async fn server(name: &str) -> Site {
    Site::with(&[("/ready", "ready"), ("/", name)]).await
}

/// Who answers on connections that are new each.
async fn seen(haproxy: &Haproxy) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for _ in 0..8 {
        names.insert(Client::new().get(haproxy.url("/")).send().await.unwrap().text().await.unwrap());
    }
    names
}

#[tokio::test]
async fn a_draining_server_gets_no_new_connection_and_its_slot_can_be_reused() {
    let (first, second, third) = (server("first").await, server("second").await, server("third").await);
    let haproxy = Haproxy::with_slots(2).await;
    haproxy.serve(0, &format!("127.0.0.1:{}", first.port)).await;
    haproxy.serve(1, &format!("127.0.0.1:{}", second.port)).await;
    assert_eq!(seen(&haproxy).await, BTreeSet::from(["first", "second"].map(str::to_owned)));
    haproxy.drain(0).await;
    assert_eq!(seen(&haproxy).await, BTreeSet::from(["second".to_owned()]));
    haproxy.free(0).await;
    haproxy.serve(0, &format!("127.0.0.1:{}", third.port)).await;
    assert_eq!(seen(&haproxy).await, BTreeSet::from(["second", "third"].map(str::to_owned)));
}

#[tokio::test]
async fn a_server_that_is_no_longer_ready_gets_no_connection() {
    let (ready, unready) = (server("ready").await, server("unready").await);
    let haproxy = Haproxy::with_slots(2).await;
    haproxy.serve(0, &format!("127.0.0.1:{}", unready.port)).await;
    haproxy.serve(1, &format!("127.0.0.1:{}", ready.port)).await;
    drop(unready);
    test_support::eventually("the check", || async { (haproxy.status(0).await == "DOWN").then_some(()) }).await;
    assert_eq!(seen(&haproxy).await, BTreeSet::from(["ready".to_owned()]));
}
