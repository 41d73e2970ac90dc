//! An app's metrics and ours, in each direction, at the handle's surface.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use lastcall::{Lastcall, PodName, Session};
use metrics::with_local_recorder;
use metrics_exporter_prometheus::PrometheusBuilder;
use test_support::{Person, eventually, metric};
use tokio::net::TcpListener;

/// Serves an app without any signals.
async fn serve(lastcall: &Lastcall) -> Person {
    lastcall.start(futures_util::stream::pending()).unwrap();
    let page = get(async |session: Session| session.user().to_string());
    let routes = Router::new().route("/", page).layer(lastcall.layer()).merge(lastcall.routes());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let person = Person::new(&listener.local_addr().unwrap().to_string());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    person
}

fn pod(name: &str) -> PodName {
    PodName::new(name).unwrap()
}

#[tokio::test]
async fn a_recorder_of_the_app_follows_without_any_scrape_of_ours() {
    let theirs = Arc::new(PrometheusBuilder::new().build_recorder());
    let lastcall = Lastcall::builder(pod("one")).metrics_recorder(Arc::clone(&theirs)).build();
    let page = || theirs.handle().render();
    assert_eq!(metric(&page(), "total_logins"), Some(0.0), "from the start");
    let person = serve(&lastcall).await.visit().await;
    let _stream = person.events().await;
    for series in ["total_logins", "active_sessions_total", "lastcall_sessions_present", "lastcall_event_streams"] {
        eventually(series, || async { (metric(&page(), series) == Some(1.0)).then_some(()) }).await;
    }
    assert!(page().contains("# HELP lastcall_sessions_present Sessions that are present"), "{}", page());
    assert_eq!(person.post("/logout").send().await.unwrap().status(), 200);
    eventually("the gauge to fall", || async { (metric(&page(), "active_sessions_total") == Some(0.0)).then_some(()) })
        .await;
}

#[tokio::test]
async fn the_last_numbers_reach_the_recorder_of_the_app_before_the_work_is_finished() {
    let theirs = Arc::new(PrometheusBuilder::new().build_recorder());
    let lastcall = Lastcall::builder(pod("one")).metrics_recorder(Arc::clone(&theirs)).build();
    let person = serve(&lastcall).await.visit().await;
    assert_eq!(person.post("/logout").send().await.unwrap().status(), 200);
    lastcall.finish().await.unwrap();
    let page = theirs.handle().render();
    assert_eq!(metric(&page, "lastcall_session_ends_total{outcome=\"logout\"}"), Some(1.0), "{page}");
}

#[tokio::test]
async fn what_an_app_records_comes_out_of_our_metrics_page_and_of_no_other_service() {
    let (one, other) = (Lastcall::builder(pod("one")).build(), Lastcall::builder(pod("other")).build());
    with_local_recorder(&one.recorder(), || {
        metrics::describe_gauge!("queue_length", "Jobs that wait.");
        metrics::gauge!("queue_length").set(4.0);
    });
    let page = serve(&one).await.text("/metrics").await;
    assert_eq!(metric(&page, "queue_length"), Some(4.0), "{page}");
    assert!(page.contains("# HELP queue_length Jobs that wait."), "{page}");
    assert!(page.contains("# HELP total_logins "), "{page}");
    let page = serve(&other).await.text("/metrics").await;
    assert_eq!(metric(&page, "queue_length"), None, "{page}");
    assert_eq!(metric(&other.render_metrics(), "active_sessions_total"), Some(0.0));
}
