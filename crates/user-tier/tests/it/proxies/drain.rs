//! A client without cookies posts all the time while one of two pods behind a proxy drains.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use test_support::{Signal, UserPod};
use tokio::time::{Instant, interval};

use crate::{BINARY, QUICK};

/// The drain takes about so long: one user stays to its end.
const PATIENT: [(&str, &str); 2] = [("DRAIN_TIMEOUT", "1s"), ("PROPAGATION_WAIT", "1s")];

async fn pod(name: &str) -> UserPod {
    UserPod::start(BINARY, name, &[&QUICK[..], &PATIENT].concat()).await
}

/// Posts to `url` every 50 ms until `until` returns true, and returns the answers.
async fn post_all_the_time(url: &str, until: impl AsyncFn() -> bool) -> Vec<StatusCode> {
    let (client, mut ticks, mut answers) = (Client::new(), interval(Duration::from_millis(50)), Vec::new());
    let deadline = Instant::now() + Duration::from_secs(30);
    while !until().await && Instant::now() < deadline {
        ticks.tick().await;
        let post = client.post(url).header("accept", "application/json").body("{}");
        answers.push(post.send().await.unwrap().status());
    }
    answers
}

/// The sample app's answer for an unknown address: the request was served.
fn all_served(answers: &[StatusCode]) {
    assert!(answers.len() >= 20, "{}", answers.len());
    let refused: Vec<_> = answers.iter().filter(|status| **status != StatusCode::NOT_FOUND).collect();
    assert!(refused.is_empty(), "{} of {}: {refused:?}", refused.len(), answers.len());
}

mod haproxy {
    use test_support::Haproxy;

    use super::*;

    #[tokio::test]
    async fn no_post_without_a_cookie_is_refused_before_or_during_a_drain() {
        let (first, second) = (pod("user-1").await, pod("user-2").await);
        let proxy = Haproxy::with_slots(2).await;
        proxy.serve(0, &first.http).await;
        proxy.serve(1, &second.http).await;
        let person = first.person().visit().await;
        let _stream = person.events().await;
        first.signal(Signal::SIGTERM);
        let gone = async || first.log().iter().any(|line| line.contains("Shutting down cleanly"));
        all_served(&post_all_the_time(&proxy.url("/api/x"), gone).await);
    }
}

mod nginx {
    use test_support::Nginx;

    use super::*;

    #[tokio::test]
    async fn no_post_without_a_cookie_is_refused_until_the_propagation_is_over() {
        let pod = pod("user-1").await;
        let proxy = Nginx::before(&pod.http, Duration::from_secs(60)).await;
        let person = pod.person().visit().await;
        let _stream = person.events().await;
        pod.signal(Signal::SIGTERM);
        let propagates = async || pod.log().iter().any(|line| line.contains("endpoint removal to propagate"));
        all_served(&post_all_the_time(&proxy.url("/api/x"), propagates).await);
    }
}
