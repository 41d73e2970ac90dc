//! The service's series and the app's, in each direction.

use std::collections::BTreeSet;

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge, histogram, with_local_recorder};

use super::names::is_ours;
use super::*;

fn service(options: MetricsOptions) -> Metrics {
    Metrics::new("1.2.3", Arc::default(), options)
}

fn lines(text: &str) -> BTreeSet<&str> {
    text.lines().filter(|line| !line.is_empty()).collect()
}

#[test]
fn an_apps_series_come_out_of_our_scrape_with_their_descriptions() {
    let service = service(MetricsOptions::default());
    with_local_recorder(&service.app_recorder(false), || {
        describe_counter!("orders_total", Unit::Count, "Orders that were paid.");
        counter!("orders_total", "country" => "ch").increment(3);
    });
    let text = service.render(&Snapshot::default());
    let lines = lines(&text);
    for line in ["# HELP orders_total Orders that were paid.", "# TYPE orders_total counter", "total_logins 0"] {
        assert!(lines.contains(line), "{line} in\n{text}");
    }
    assert!(lines.contains(r#"orders_total{country="ch"} 3"#), "{text}");
}

#[test]
fn a_series_of_the_app_never_takes_a_name_of_ours() {
    let service = service(MetricsOptions::default());
    with_local_recorder(&service.app_recorder(false), || {
        describe_gauge!("total_logins", "The app's idea of a login.");
        gauge!("total_logins").set(7.0);
        // The exporter writes both with underscores.
        counter!("total.logins").increment(7);
        counter!("lastcall.orders").increment(7);
        histogram!("lastcall_drain_seconds").record(7.0);
    });
    let ours = self::service(MetricsOptions::default());
    assert_eq!(lines(&service.render(&Snapshot::default())), lines(&ours.render(&Snapshot::default())));
}

#[test]
fn every_name_of_ours_is_kept_from_the_app() {
    let text = service(MetricsOptions::default()).render(&Snapshot::default());
    let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    assert!(names.len() > 15, "{names:?}");
    assert_eq!(names.iter().find(|name| !is_ours(name)), None);
}

#[test]
fn the_apps_recorder_has_the_same_series_with_the_same_values() {
    let theirs = Arc::new(exporter(Vec::new()));
    let options = MetricsOptions { recorder: Some(Box::new(Arc::clone(&theirs))), ..MetricsOptions::default() };
    let service = service(options);
    let _stream = service.open_stream(10);
    service.request(http::StatusCode::NOT_FOUND, Duration::from_millis(3));
    service.drained(Duration::from_secs(20));
    let mut totals = Totals::default();
    (totals.logins, totals.notified) = (5, 2);
    let store = StoreSnapshot { is_writable: false, errors: 4, ..StoreSnapshot::default() };
    let ours =
        service.render(&Snapshot { active_sessions: 5, present_sessions: 3, totals, store, ..Snapshot::default() });
    assert!(lines(&ours).contains("lastcall_sessions_present 3"), "{ours}");
    assert!(lines(&ours).contains("lastcall_event_streams 1"), "{ours}");
    assert_eq!(lines(&theirs.handle().render()), lines(&ours));
}

#[test]
fn two_services_in_one_process_do_not_share_a_series() {
    let (one, other) = (service(MetricsOptions::default()), service(MetricsOptions::default()));
    with_local_recorder(&one.app_recorder(false), || counter!("orders_total").increment(1));
    one.render(&Snapshot { active_sessions: 9, ..Snapshot::default() });
    let text = other.render(&Snapshot::default());
    assert!(lines(&text).contains("active_sessions_total 0"), "{text}");
    assert!(!text.contains("orders_total"), "{text}");
}

#[test]
fn a_histogram_of_the_app_has_the_buckets_that_it_was_given() {
    let buckets = vec![("order_euros".to_owned(), vec![10.0, 100.0]), ("empty".to_owned(), Vec::new())];
    let service = service(MetricsOptions { buckets, ..MetricsOptions::default() });
    with_local_recorder(&service.app_recorder(false), || histogram!("order_euros").record(42.0));
    let text = service.render(&Snapshot::default());
    assert!(lines(&text).contains(r#"order_euros_bucket{le="100"} 1"#), "{text}");
    assert!(lines(&text).contains(r#"lastcall_drain_seconds_bucket{le="900"} 0"#), "{text}");
}
