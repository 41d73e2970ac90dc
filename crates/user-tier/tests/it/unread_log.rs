//! A log shipper that hangs: stderr is a full pipe. It stops neither a drain nor the exit.

use test_support::{Person, Signal, UnreadLogProcess, eventually, free_port, metric};

use crate::{BINARY, QUICK};

/// A pod whose log is not read.
async fn pod(options: &[(&str, &str)]) -> (UnreadLogProcess, Person) {
    let address = format!("127.0.0.1:{}", free_port());
    let fixed = [("HTTP_ADDR", address.as_str()), ("GRPC_ADDR", "127.0.0.1:0"), ("POD_NAME", "user-1")];
    let process = UnreadLogProcess::start(BINARY, &[&fixed, &QUICK, options].concat()).await;
    let person = Person::new(&address);
    eventually("the pod serves", || async {
        person.request("/healthz").send().await.ok().filter(|answer| answer.status() == 200)
    })
    .await;
    (process, person.visit().await)
}

#[tokio::test]
async fn a_full_log_stops_neither_the_drain_nor_the_exit() {
    let (mut process, person) = pod(&[("DRAIN_TIMEOUT", "60s")]).await;
    let mut stream = person.events().await;
    process.signal(Signal::SIGTERM);
    assert_eq!(stream.next_named("drain").await.data["reason"], "shutdown");
    person.get("/logout").await;
    assert_eq!(process.wait().await.code(), Some(0));
}

#[tokio::test]
async fn a_full_log_does_not_stop_a_second_signal() {
    let (mut process, person) = pod(&[("DRAIN_TIMEOUT", "10m"), ("PROPAGATION_WAIT", "10m")]).await;
    let mut stream = person.events().await;
    process.signal(Signal::SIGTERM);
    stream.next_named("drain").await;
    process.signal(Signal::SIGTERM);
    assert_eq!(stream.next_named("session-ended").await.data["reason"], "forced");
    assert_eq!(process.wait().await.code(), Some(0));
}

#[tokio::test]
async fn a_log_that_is_read_again_during_a_drain_has_all_lines_in_order() {
    let (mut process, person) = pod(&[("DRAIN_TIMEOUT", "60s")]).await;
    let mut stream = person.events().await;
    process.signal(Signal::SIGTERM);
    stream.next_named("drain").await;
    process.read();
    person.get("/logout").await;
    assert_eq!(process.wait().await.code(), Some(0));
    let log = eventually("the log's end", || async {
        let log = process.log();
        log.contains("Shutting down cleanly...").then_some(log)
    })
    .await;
    let mut rest = log.as_str();
    for part in
        ["Received SIGTERM", "1 active user detected", "Sending drain", "Waiting 60s", "for endpoint", "Shutting"]
    {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("no {part:?} in its place:\n{log}")).1;
    }
}

#[tokio::test]
async fn dropped_lines_are_counted_and_have_no_other_effect() {
    let (_process, person) = pod(&[("RUST_LOG", "trace")]).await;
    // What HTTP/2 does is logged frame by frame.
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let url = person.request("/metrics").build().unwrap().url().clone();
    eventually("dropped lines", || async {
        let mut page = String::new();
        for _ in 0..100 {
            page = client.get(url.clone()).send().await.unwrap().text().await.unwrap();
        }
        metric(&page, "lastcall_log_lines_dropped_total").filter(|count| *count > 0.0)
    })
    .await;
    let pod = crate::pod(&[]).await;
    assert_eq!(pod.metric("lastcall_log_lines_dropped_total").await, 0.0);
}
