//! Maintenance as configured in the manifests: the answer to newcomers, and whether an update completes.

use std::fs;

use serde_json::{Value, json};
use test_support::eventually;
use xtask::waits::read;

use super::{list, object, objects, overlay, rendered_with};
use crate::{text, user_pod};

/// When the user tier becomes unready in maintenance, by the manifests or else by default.
fn readiness(objects: &[Value]) -> &str {
    let container = &object(objects, "Deployment", "sample-app-user")["spec"]["template"]["spec"]["containers"][0];
    let variable = list(&container["env"]).iter().find(|variable| variable["name"] == "MAINTENANCE_READINESS");
    variable.and_then(|variable| variable["value"].as_str()).unwrap_or("after-drain")
}

#[tokio::test]
async fn newcomers_get_the_maintenance_page_from_pods_that_stay_in_the_service() {
    let mut choices = ["minikube", "production"].map(|name| readiness(&overlay(name)).to_owned()).to_vec();
    choices.dedup();
    for choice in choices {
        let folder = tempfile::tempdir().unwrap();
        let switch = folder.path().join("MAINTENANCE_MODE");
        fs::write(&switch, "false").unwrap();
        let options = [
            ("MAINTENANCE_FILE", switch.to_str().unwrap()),
            ("MAINTENANCE_POLL", "100ms"),
            ("MAINTENANCE_READINESS", &choice),
            ("DRAIN_TIMEOUT", "1s"),
        ];
        let pod = user_pod("user-1", &options).await;
        let user = pod.person();
        assert_eq!(user.status("/").await, 200);
        fs::write(&switch, "true").unwrap();
        eventually("the countdown ends, and the session with it", || async {
            (pod.metric("active_sessions_total").await == 0.0).then_some(())
        })
        .await;
        // The Service sends newcomers to ready pods only: one that is not ready leaves them with "connection refused".
        assert_eq!(user.status("/ready").await, 200, "{choice}");
        let answer = pod.person().request("/").send().await.unwrap();
        assert_eq!(answer.status(), 503, "{choice}");
        assert!(answer.headers().contains_key("retry-after"), "{choice}");
        assert!(answer.text().await.unwrap().contains("We'll be back soon"), "{choice}");
    }
}

#[test]
fn the_manuals_overlay_for_pods_that_become_unready_is_complete() {
    let manual = text("docs/operating.md");
    let section = manual.split("### Pods that leave the Service").nth(1).unwrap();
    let example = section.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let objects = objects(&rendered_with(&[], example)).unwrap();
    assert_eq!(readiness(&objects), "after-drain");
    // By field note 6: an update of pods that are all unready completes only where all of them may be.
    let strategy = &object(&objects, "Deployment", "sample-app-user")["spec"]["strategy"]["rollingUpdate"];
    assert_eq!(strategy["maxUnavailable"], json!("100%"));
    assert_eq!(read(&objects).unwrap().faults(), Vec::<String>::new());
}
