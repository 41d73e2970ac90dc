//! Alerts, scrape configurations, dashboard and manual agree, and refer to existing names.

pub(crate) mod names;
mod resources;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{list, read, text};

const RULES: &str = "monitoring/rules.yaml";
const DASHBOARD: &str = "monitoring/grafana/lastcall.json";
const FIVE: &str =
    "active_sessions_total|drain_notifications_sent|graceful_logouts_total|forced_logouts_total|total_logins";

/// Every alert.
pub(crate) fn alerts() -> Vec<Value> {
    let groups = read(RULES)["groups"].clone();
    list(&groups).iter().flat_map(|group| list(&group["rules"])).cloned().collect()
}

/// Every panel of the dashboard with data.
pub(crate) fn panels() -> Vec<Value> {
    list(&read(DASHBOARD)["panels"]).iter().filter(|panel| panel["type"] != "row").cloned().collect()
}

#[test]
fn the_alert_of_the_requirements_is_there_word_for_word() {
    let alerts = alerts();
    let alert = alerts.iter().find(|alert| alert["alert"] == "HighForcedLogoutRate").unwrap();
    assert_eq!(alert["expr"], "rate(forced_logouts_total[5m]) > 0.1");
    assert_eq!(alert["annotations"]["summary"], "Users not logging out gracefully");
    let description = "{{ $value }} forced logouts/sec - increase drain timeout?";
    assert_eq!(alert["annotations"]["description"], description);
}

#[test]
fn every_alert_has_a_severity_and_a_runbook() {
    let manual = text("docs/monitoring.md");
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        assert!(["warning", "critical"].contains(&alert["labels"]["severity"].as_str().unwrap()), "{name}");
        for annotation in ["summary", "description"] {
            assert!(alert["annotations"][annotation].is_string(), "{name} has no {annotation}");
        }
        let anchor = name.to_lowercase();
        assert_eq!(alert["annotations"]["runbook_url"], format!("docs/monitoring.md#{anchor}"), "{name}");
        assert!(manual.lines().any(|line| line == format!("### {name}")), "no runbook: {name}");
    }
}

#[test]
fn every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() {
    let tests = read("monitoring/rules-test.yaml");
    let cases: Vec<_> = list(&tests["tests"]).iter().flat_map(|test| list(&test["alert_rule_test"])).collect();
    for alert in alerts() {
        let fires: BTreeSet<bool> = cases
            .iter()
            .filter(|case| case["alertname"] == alert["alert"])
            .map(|case| !list(&case["exp_alerts"]).is_empty())
            .collect();
        assert_eq!(fires, BTreeSet::from([false, true]), "{}", alert["alert"]);
    }
}

#[test]
fn the_five_metrics_come_from_the_admin_tier_only_with_and_without_the_operator() {
    let monitor = read("kubernetes/components/monitoring/service-monitor.yaml");
    assert_eq!(monitor["spec"]["endpoints"][0]["honorLabels"], true);
    let monitor = read("kubernetes/components/monitoring/pod-monitor.yaml");
    let drop = &monitor["spec"]["podMetricsEndpoints"][0]["metricRelabelings"][0];
    assert_eq!((&drop["regex"], &drop["action"]), (&FIVE.into(), &"drop".into()));

    for plain in ["monitoring/prometheus.yaml", "monitoring/dev.yaml"].map(read) {
        let job = |name: &str| list(&plain["scrape_configs"]).iter().find(|job| job["job_name"] == name).unwrap();
        assert_eq!(job("sample-app-admin")["honor_labels"], true);
        let drop = &job("sample-app-user")["metric_relabel_configs"][0];
        assert_eq!((&drop["regex"], &drop["action"]), (&FIVE.into(), &"drop".into()));
    }
}

#[test]
fn on_this_machine_the_pods_of_cargo_xtask_dev_are_scraped_and_not_its_front_door() {
    let plain = read("monitoring/dev.yaml");
    let configs = list(&plain["scrape_configs"]).iter().flat_map(|job| list(&job["static_configs"]));
    let targets: Vec<_> = configs.flat_map(|config| list(&config["targets"])).collect();
    assert_eq!(targets, ["localhost:9092", "localhost:9190", "localhost:9290"]);
}

#[test]
fn every_panel_has_a_title_a_unit_a_description_and_the_chosen_datasource() {
    let mut ids = BTreeSet::new();
    for panel in panels() {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: an id twice");
        assert!(panel["description"].as_str().is_some_and(|text| text.len() > 10), "{title}: no description");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}: no unit");
        assert!(!list(&panel["targets"]).is_empty(), "{title}: shows nothing");
        for target in list(&panel["targets"]) {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            assert!(target["expr"].as_str().unwrap().contains("namespace=~\"$namespace\""), "{title}: every namespace");
        }
    }
}

#[test]
fn panels_do_not_overlap() {
    let mut taken = BTreeSet::new();
    for panel in panels() {
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{}", panel["title"]);
        for cell in (place("x")..place("x") + place("w"))
            .flat_map(|x| (place("y")..place("y") + place("h")).map(move |y| (x, y)))
        {
            assert!(taken.insert(cell), "{} overlaps another panel", panel["title"]);
        }
    }
}
