//! HAProxy.

use std::time::Duration;

use http::StatusCode;
use test_support::{Haproxy, Person};

use super::{POD, login, posts_after_pauses, replaced, serves_pages_forms_and_events, settings};
use crate::pod;

/// Debian's `defaults`, with the smallest additions that work.
async fn as_shipped(upstream: &str) -> Haproxy {
    Haproxy::with(|address| {
        format!(
            "defaults
    mode http
    option dontlognull
    timeout connect 5000
    timeout client 50000
    timeout server 50000
frontend web
    bind {address}
    default_backend pods
backend pods
    server pod1 {upstream}
"
        )
    })
    .await
}

/// The manual's settings; `kept` is how long the proxy keeps idle connections to the pod.
async fn as_recommended(upstream: &str, kept: &str) -> Haproxy {
    let kept = format!("pool-purge-delay {kept}");
    Haproxy::with(|address| {
        let bind = format!("bind {address}");
        replaced(settings("haproxy"), &[(POD, upstream), ("bind :80", &bind), ("pool-purge-delay 30s", &kept)])
    })
    .await
}

#[tokio::test]
async fn our_own_forms_pass_whatever_the_browser_says() {
    let pod = pod(&[]).await;
    for haproxy in [as_shipped(&pod.http).await, as_recommended(&pod.http, "30s").await] {
        serves_pages_forms_and_events(&haproxy.address).await;
        let person = Person::new(&haproxy.address).visit().await;
        let origin = format!("http://{}", haproxy.address);
        assert_eq!(login(&person, &origin, None).await.status(), StatusCode::SEE_OTHER, "Host is passed on");
    }
}

#[tokio::test]
async fn no_post_is_lost_where_the_pod_keeps_connections_longer_than_haproxy() {
    let pod = pod(&[("KEEP_ALIVE_TIMEOUT", "3s")]).await;
    let haproxy = as_recommended(&pod.http, "600ms").await;
    assert_eq!(posts_after_pauses(&haproxy.address, Duration::from_millis(600)).await, [] as [StatusCode; 0]);
}
