//! The routes on the clock of the test, and the app's paths beside them.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::get;
use futures_util::stream::pending;
use http::Request;
use session_domain::PodName;
use session_domain::lifecycle::Signal;
use tokio::sync::watch;
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::Lastcall;
use crate::builder::Builder;
use crate::routes::{OnHttp, bundled, probe_listener};

fn builder() -> Builder {
    Lastcall::builder(PodName::new("a").unwrap())
}

async fn ask(routes: &Router, method: &str, path: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let answer = routes.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), 10_000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn said(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

#[tokio::test(start_paused = true)]
async fn without_a_drain_the_wait_ends_after_five_seconds_for_get_and_head() {
    let lastcall = builder().build();
    lastcall.start(pending::<Signal>()).unwrap();
    let routes = probe_listener(lastcall.state(), false);
    let begun = Instant::now();
    assert_eq!(ask(&routes, "GET", "/wait-for-drain").await, said(200, r#"{"status":"no_drain"}"#));
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    assert_eq!(ask(&routes, "HEAD", "/wait-for-drain").await, said(200, ""));
    assert_eq!(begun.elapsed(), Duration::from_secs(10));
    assert_eq!(ask(&routes, "POST", "/wait-for-drain").await.0, 405);
    lastcall.finish().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_a_drain_follows_within_five_seconds_ends_with_its_propagation_and_maintenance_is_no_drain() {
    let (switch, position) = watch::channel(false);
    let lastcall = builder().maintenance(position).build();
    lastcall.start(pending::<Signal>()).unwrap();
    let routes = probe_listener(lastcall.state(), false);
    switch.send_replace(true);
    assert_eq!(ask(&routes, "GET", "/wait-for-drain").await, said(200, r#"{"status":"no_drain"}"#));
    let begun = Instant::now();
    let waiting = tokio::spawn({
        let routes = routes.clone();
        async move { ask(&routes, "GET", "/wait-for-drain").await }
    });
    tokio::time::sleep(Duration::from_millis(4900)).await;
    lastcall.begin_drain();
    lastcall.begin_drain();
    assert_eq!(waiting.await.unwrap(), said(200, r#"{"status":"drained"}"#));
    let took = begun.elapsed().as_secs_f64();
    assert!((19.9..20.1).contains(&took), "4.9 s and the propagation: {took}");
    assert_eq!(ask(&routes, "GET", "/ready").await, said(503, r#"{"status":"shutting_down"}"#));
    // The process goes on.
    assert!(tokio::time::timeout(Duration::from_secs(3600), lastcall.drained()).await.is_err());
    lastcall.finish().await.unwrap();
}

#[tokio::test]
async fn the_pod_is_unready_while_it_lacks_what_the_app_named() {
    let (upstream, accepts) = watch::channel(false);
    let (cache, is_warm) = watch::channel(false);
    let lastcall = builder().readiness_of("upstream", accepts).readiness_of("cache", is_warm).build();
    let routes = probe_listener(lastcall.state(), false);
    let ready = async || ask(&routes, "GET", "/ready").await;
    let (status, body) = ready().await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 503);
    assert_eq!(body, serde_json::json!({ "status": "not_ready", "upstream": false, "cache": false }));
    cache.send_replace(true);
    let body: serde_json::Value = serde_json::from_str(&ready().await.1).unwrap();
    assert_eq!(body, serde_json::json!({ "status": "not_ready", "upstream": false }));
    assert!(!lastcall.is_ready());
    assert_eq!(ask(&routes, "GET", "/health").await.0, 200);
    upstream.send_replace(true);
    assert_eq!((ready().await, lastcall.is_ready()), (said(200, r#"{"status":"ready"}"#), true));
    drop(upstream);
    assert_eq!(ready().await.0, 200, "the last value holds");
    cache.send_replace(false);
    assert_eq!(ready().await.0, 503);
}

#[tokio::test]
async fn the_app_keeps_every_path_of_its_listener_where_the_probes_have_their_own() {
    let lastcall = builder().route_prefix(crate::RoutePrefix::new("/_lastcall").unwrap()).build();
    let paths =
        ["/health", "/healthz", "/ready", "/readyz", "/metrics", "/wait-for-drain", "/drain", "/tasks", "/login"];
    let app = paths.iter().fold(Router::new(), |app, path| app.route(path, get(async || "the app's")));
    let apart = OnHttp { metrics: false, probes: false, control: false };
    let pages = bundled(lastcall.state(), Router::new(), app, apart);
    for path in paths {
        assert_eq!(ask(&pages, "GET", path).await, said(200, "the app's"), "{path}");
    }
    let probes = probe_listener(lastcall.state(), true);
    assert_eq!(ask(&probes, "GET", "/health").await, said(200, r#"{"status":"healthy"}"#));
    assert!(ask(&probes, "GET", "/metrics").await.1.contains("total_logins 0"));
    assert_eq!(ask(&probes, "POST", "/drain").await.0, 403, "the peer is unknown");
    assert_eq!(ask(&probes, "GET", "/login").await.0, 404);
}
