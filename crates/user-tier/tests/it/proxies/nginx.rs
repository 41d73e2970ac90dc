//! nginx.

use std::time::Duration;

use http::StatusCode;
use test_support::{Browser, Nginx, Person};

use super::{POD, login, posts_after_pauses, replaced, serves_pages_forms_and_events, settings};
use crate::pod;

/// The defaults: HTTP/1.0 with a `Host` that is the upstream's name, buffers, compression.
async fn as_shipped(upstream: &str) -> Nginx {
    Nginx::with(|address| {
        format!(
            "sendfile on; tcp_nopush on; gzip on;
             server {{ listen {address}; location / {{ proxy_pass http://{upstream}; }} }}"
        )
    })
    .await
}

/// The manual's settings; `kept` is how long the proxy keeps idle connections to the pod.
async fn as_recommended(upstream: &str, kept: &str) -> Nginx {
    let kept = format!("keepalive_timeout {kept};");
    Nginx::with(|address| {
        let listen = format!("listen {address};");
        replaced(settings("nginx"), &[(POD, upstream), ("listen 80;", &listen), ("keepalive_timeout 60s;", &kept)])
    })
    .await
}

#[tokio::test]
async fn our_own_forms_pass_a_default_nginx_with_sec_fetch_site() {
    let pod = pod(&[]).await;
    let nginx = as_shipped(&pod.http).await;
    serves_pages_forms_and_events(&nginx.address).await;
    let person = Person::new(&nginx.address).visit().await;
    let untold = login(&person, &format!("http://{}", nginx.address), None).await;
    assert_eq!(untold.status(), StatusCode::FORBIDDEN, "Host is the upstream's, and no other field names the host");
    let why = untold.text().await.unwrap();
    assert!(why.contains("X-Forwarded-Host") && why.contains("TRUSTED_PROXIES"), "{why}");
}

#[tokio::test]
async fn our_own_forms_pass_the_recommended_nginx_without_sec_fetch_site() {
    let pod = pod(&[]).await;
    let nginx = as_recommended(&pod.http, "60s").await;
    serves_pages_forms_and_events(&nginx.address).await;
    let person = Person::new(&nginx.address).visit().await;
    let origin = format!("http://{}", nginx.address);
    assert_eq!(login(&person, &origin, None).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn no_post_is_lost_where_the_pod_keeps_connections_longer_than_nginx() {
    let pod = pod(&[("KEEP_ALIVE_TIMEOUT", "1500ms")]).await;
    let nginx = as_recommended(&pod.http, "600ms").await;
    assert_eq!(posts_after_pauses(&nginx.address, Duration::from_millis(600)).await, [] as [StatusCode; 0]);
}

#[tokio::test]
async fn a_browser_behind_a_default_nginx_signs_in_and_is_notified() {
    let (pod, browser) = (pod(&[("DRAIN_TIMEOUT", "1h")]).await, Browser::open().await);
    let nginx = as_shipped(&pod.http).await;
    browser.go(&nginx.url("/")).await;
    browser.write("#name", "Undersøgelse").await;
    browser.run("document.cookie = 'campaign=Undersøgelse'").await;
    browser.click("#name-form button").await;
    browser.reads("#user", "Undersøgelse").await;
    browser.reload().await;
    browser.reads("#user", "Undersøgelse").await;
    browser.reads("#connection", "Live").await;
    assert_eq!(pod.metric("total_logins").await, 1.0, "no load of the page was a new login");
    pod.signal(test_support::Signal::SIGTERM);
    browser.sees("#drain-banner").await;
}

#[tokio::test]
async fn over_plain_http_by_name_our_own_forms_pass_without_sec_fetch_site() {
    let (pod, browser) = (pod(&[]).await, Browser::open().await);
    let nginx = as_recommended(&pod.http, "60s").await;
    for address in [&pod.http, &nginx.address] {
        let port = address.rsplit(':').next().unwrap();
        browser.go(&format!("http://app.test:{port}/")).await;
        browser.write("#name", "ada").await;
        browser.click("#name-form button").await;
        browser.reads("#user", "ada").await;
        browser.click("#sign-out button").await;
        browser.reads("h1", "signed out").await;
    }
}

#[tokio::test]
async fn a_websocket_passes_the_recommended_nginx_and_its_close_code_as_well() {
    let pod = pod(&[]).await;
    let nginx = as_recommended(&pod.http, "60s").await;
    let person = Person::new(&nginx.address).visit().await;
    let mut socket = person.websocket("/ws").await;
    assert_eq!(socket.event().await.name, "connected");
    person.post("/logout").send().await.unwrap();
    assert_eq!(socket.event_named("session-ended").await.data["reason"], "logout");
    assert_eq!(socket.close_code().await, Some(1001));
}
