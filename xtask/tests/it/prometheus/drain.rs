//! A drain as Prometheus sees it: every query of the dashboard returns data, and every alert's expression is valid.

use test_support::{Events, Person, Signal, UserPod};

use super::picture;
use super::server::{Prometheus, Target};
use crate::monitoring::{alerts, panels};
use crate::{admin_tier, list, user_pod};

const AT_FIRST: usize = 9;

/// A user with an open page.
async fn visitor(pod: &UserPod, name: &str) -> (Person, Events) {
    let person = pod.person().visit().await;
    person.login(name).await;
    let stream = person.events().await;
    (person, stream)
}

/// A query as Grafana sends it, for a scrape each second.
pub(super) fn as_sent(query: &str) -> String {
    query.replace("$__rate_interval", "5s").replace("$__range", "10m").replace("$namespace", ".*")
}

/// One pod drains until a session is force-closed, another until no user is present; each step waits until Prometheus has seen the
/// previous one.
async fn drain_two_of_three(pods: &mut [UserPod; 3], prometheus: &Prometheus) {
    let [first, second, third] = pods;
    let mut people = Vec::new();
    for number in 0..AT_FIRST {
        people.push(visitor(first, &format!("person {number}")).await);
    }
    let quick = visitor(second, "quick").await;
    let _stays = visitor(third, "stays").await;
    prometheus.sees(&format!(r#"active_sessions_total{{pod="user-1"}} == {AT_FIRST}"#)).await;
    prometheus.sees(r#"active_sessions_total{pod="user-3"} == 1"#).await;

    first.signal(Signal::SIGTERM);
    prometheus.sees(&format!(r#"drain_notifications_sent{{pod="user-1"}} == {AT_FIRST}"#)).await;
    prometheus.sees(r#"lastcall_admin_pod_forced_logout_timestamp_seconds{pod="user-1"} > time()"#).await;
    while people.len() > 2 {
        let (person, _stream) = people.pop().unwrap();
        person.get("/logout?reason=manual").await;
        prometheus.sees(&format!(r#"active_sessions_total{{pod="user-1"}} == {}"#, people.len())).await;
    }
    prometheus.sees(&format!(r#"graceful_logouts_total{{pod="user-1"}} == {}"#, AT_FIRST - 2)).await;

    second.signal(Signal::SIGTERM);
    prometheus.sees(r#"lastcall_admin_pod_forced_logout_timestamp_seconds{pod="user-2"} > time()"#).await;
    quick.0.get("/logout?reason=drain").await;
    prometheus.sees(r#"lastcall_admin_pod_phase{pod="user-2", phase="propagating"} == 1"#).await;
    prometheus.sees(r#"lastcall_drain_seconds_count{pod="user-2"} == 1"#).await;
    prometheus.sees(r#"lastcall_session_ends_total{pod="user-2", outcome="auto_logout"} == 1"#).await;

    first.signal(Signal::SIGTERM);
    assert!(first.wait().await.success());
    // The admin tier exposes changes after the last scrape of the pod, from the pod's final message.
    prometheus.sees(r#"forced_logouts_total{pod="user-1"} == 2"#).await;
    prometheus.sees(r#"absent(lastcall_admin_pod_up{pod="user-1"})"#).await;
    // For some scrapes, so that it is visible in the picture as well.
    prometheus.sees(r#"min_over_time(forced_logouts_total{pod="user-1"}[3s]) == 2"#).await;
}

#[tokio::test]
async fn every_panel_shows_data_and_every_alert_is_evaluated_while_pods_drain() {
    // No wait depends on the clock: the drains run until they are ended.
    let options = [("DRAIN_TIMEOUT", "5m"), ("PROPAGATION_WAIT", "1h")];
    let mut pods =
        [user_pod("user-1", &options).await, user_pod("user-2", &options).await, user_pod("user-3", &options).await];
    let (_admin, admin) = admin_tier(&pods.each_ref()).await;
    let user = |pod, at: usize| Target { tier: "user", pod, address: pods[at].http.clone() };
    let targets = [
        user("user-1", 0),
        user("user-2", 1),
        user("user-3", 2),
        Target { tier: "admin", pod: "admin-1", address: admin },
    ];
    let prometheus = Prometheus::start(&targets).await;
    // Before the first user: increase() starts at the first value of a counter.
    prometheus.sees(r#"count(total_logins{job="sample-app-admin"} == 0) == 3"#).await;
    prometheus.sees("count(lastcall_build_info) == 3").await;
    let start = prometheus.now("vector(time())").await[0];

    drain_two_of_three(&mut pods, &prometheus).await;

    let both = r#"{__name__=~"active_sessions_total|.*_logouts_total|total_logins|drain_notifications_sent", job!="sample-app-admin"}"#;
    assert!(prometheus.since(start, both).await.is_empty(), "the five names have one source");
    for panel in panels() {
        for target in list(&panel["targets"]) {
            let query = as_sent(target["expr"].as_str().unwrap());
            let series = prometheus.since(start, &query).await;
            assert!(!series.is_empty(), "{} showed nothing: {query}", panel["title"]);
        }
    }
    let all = alerts().len();
    let rules = test_support::eventually("every alert evaluated", || async {
        let rules = prometheus.rules().await;
        (rules.len() == all).then_some(rules)
    })
    .await;
    for (alert, error) in rules {
        assert_eq!(error, "", "{alert}");
    }
    for alert in alerts() {
        // An invalid query is refused; a valid one may return nothing.
        prometheus.since(start, alert["expr"].as_str().unwrap()).await;
    }
    picture::take(&prometheus, start).await;
}
