//! The manual describes every metric that the tiers expose, and no other.

use std::collections::BTreeSet;

use test_support::{Person, eventually};

use crate::{admin_tier, list, text, user_pod};

/// The metrics pages of both tiers, once the admin tier has seen a draining pod.
pub(crate) async fn pages() -> [String; 2] {
    let pod = user_pod("user-1", &[("DRAIN_TIMEOUT", "1h")]).await;
    let ada = pod.person().visit().await;
    let mut stream = ada.events().await;
    pod.signal(test_support::Signal::SIGTERM);
    stream.next_named("drain").await;
    let (_admin, address) = admin_tier(&[&pod]).await;
    let admin = Person::new(&address);
    let admin_page = eventually("a drain on the admin tier's metrics page", || async {
        let page = admin.text("/metrics").await;
        page.contains("lastcall_admin_pod_forced_logout_timestamp_seconds{").then_some(page)
    })
    .await;
    [pod.person().text("/metrics").await, admin_page]
}

/// The metrics page of a pod in front of an app, here another pod, once the app has answered.
async fn page_in_front_of_an_app() -> String {
    let app = user_pod("app", &[]).await;
    let url = format!("http://{}", app.http);
    let options = [("UPSTREAM_URL", url.as_str()), ("METRICS_ADDR", "127.0.0.1:0"), ("PROBE_ADDR", "127.0.0.1:0")];
    let pod = user_pod("user-2", &options).await;
    pod.person().text("/").await;
    let line = pod.line("metrics.address=").await;
    let address = line.split("metrics.address=\"").nth(1).unwrap().split('"').next().unwrap();
    Person::new(address).text("/metrics").await
}

fn exposed(page: &str) -> BTreeSet<String> {
    page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next().map(str::to_owned)).collect()
}

/// The names in the first cells of the tables in the section on metrics.
fn explained() -> BTreeSet<String> {
    let manual = text("docs/monitoring.md");
    let section = manual.split("\n## ").find(|section| section.starts_with("Metrics")).unwrap();
    let cell = |line: &str| line.strip_prefix("| `")?.split(['`', '{']).next().map(str::to_owned);
    section.lines().filter_map(cell).collect()
}

#[tokio::test]
async fn the_manual_describes_exactly_the_metrics_that_both_tiers_expose() {
    let mut exposed: BTreeSet<_> = pages().await.iter().flat_map(|page| self::exposed(page)).collect();
    exposed.extend(self::exposed(&page_in_front_of_an_app().await));
    assert_eq!(explained(), exposed);
}

#[tokio::test]
async fn alerts_and_panels_query_exposed_metrics_only() {
    let exposed: BTreeSet<_> = pages().await.iter().flat_map(|page| exposed(page)).collect();
    let asked = super::alerts().into_iter().map(|alert| alert["expr"].as_str().unwrap().to_owned()).chain(
        super::panels().into_iter().flat_map(|panel| {
            list(&panel["targets"]).iter().map(|target| target["expr"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        }),
    );
    for query in asked {
        let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let names = words.filter(|word| {
            ["lastcall_", "drain_"].iter().any(|start| word.starts_with(start))
                || ["_total", "_logins"].iter().any(|end| word.ends_with(end))
        });
        for name in names {
            let base = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            assert!(exposed.contains(name) || exposed.contains(base), "{name} in {query}");
        }
    }
}
