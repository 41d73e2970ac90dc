//! Both images, built here and run as in the manifests: an unprivileged user, a read-only root, no capabilities, the binary as
//! PID 1.

mod container;
mod images;
mod layers;

use std::collections::BTreeSet;

use container::Container;
use images::Images;
use serde_json::Value;
use test_support::{Person, metric};

const MEBIBYTE: u64 = 1024 * 1024;
/// A drain timeout that no test waits for, long enough for a slow machine.
const PATIENT: &[(&str, &str)] =
    &[("HTTP_ADDR", "127.0.0.1:0"), ("GRPC_ADDR", "127.0.0.1:0"), ("DRAIN_TIMEOUT", "60s"), ("PROPAGATION_WAIT", "1s")];

#[tokio::test]
async fn the_user_tier_drains_as_process_1_of_its_container_and_exits_with_status_0() {
    let images = Images::built();
    let mut pod = Container::start(&images, "sample-app-user", PATIENT, "").await;
    pod.assert_restricted();
    let http = pod.address("http.address").await;
    let person = Person::new(&http).visit().await;
    let mut events = person.events().await;

    pod.terminate();
    let notice = events.next_named("drain").await;
    assert_eq!(notice.data["reason"], "shutdown");
    assert_eq!(person.status("/session").await, 200, "who has a session is served while the drain waits");
    assert_eq!(person.status("/logout?reason=drain").await, 200);
    assert_eq!(events.next_named("session-ended").await.data["reason"], "logout");

    assert_eq!(pod.wait().await.code(), Some(0));
    let log = pod.drain_log();
    let remaining = |line: &&String| !line.contains("remaining");
    assert_eq!(
        log.iter().filter(remaining).collect::<Vec<_>>(),
        [
            "[GRACEFUL SHUTDOWN] Received SIGTERM signal",
            "[GRACEFUL SHUTDOWN] 1 active user detected",
            "[GRACEFUL SHUTDOWN] Sending drain notification to 1 user...",
            "[GRACEFUL SHUTDOWN] Waiting 60s for users to logout gracefully...",
            "[GRACEFUL SHUTDOWN] Waiting 1s for endpoint removal to propagate...",
            "[GRACEFUL SHUTDOWN] Shutting down cleanly...",
        ]
    );
}

#[tokio::test]
async fn the_admin_tier_finds_the_user_tier_in_another_container_by_name() {
    let images = Images::built();
    let options = [PATIENT, &[("POD_NAME", "user-in-a-box"), ("GRPC_AUTH", "off")]].concat();
    let pod = Container::start(&images, "sample-app-user", &options, "").await;
    let port = pod.address("grpc.address").await.rsplit(':').next().unwrap().to_owned();
    let person = Person::new(&pod.address("http.address").await).visit().await;
    let _stream = person.events().await;

    // Only the container's /etc/hosts has the name: a static binary must read it itself.
    let pods = format!("user-pods.test:{port}");
    let options =
        [("HTTP_ADDR", "127.0.0.1:0"), ("USER_PODS", &pods), ("ADMIN_AUTH", "off"), ("REFRESH_INTERVAL", "100ms")];
    let mut admin = Container::start(&images, "sample-app-admin", &options, "127.0.0.1 user-pods.test\n").await;
    admin.assert_restricted();
    let http = admin.address("http.address").await;
    let operator = Person::new(&http);
    assert_eq!(operator.status("/health").await, 200);
    let seen = test_support::eventually("the session on the admin tier", async || {
        let list: Value = serde_json::from_str(&operator.text("/admin/api/v1/sessions").await).ok()?;
        (list["total"] == 1).then_some(list)
    });
    let seen = seen.await;
    assert_eq!(seen["sessions"][0]["pod"], "user-in-a-box");
    assert_eq!(seen["complete"], true, "{seen}");
    let page = operator.text("/metrics").await;
    assert_eq!(metric(&page, "active_sessions_total{pod=\"user-in-a-box\"}"), Some(1.0), "{page}");

    admin.terminate();
    assert_eq!(admin.wait().await.code(), Some(0), "{:?}", admin.log());
}

#[test]
fn an_image_contains_its_binary_and_little_else() {
    let images = Images::built();
    for (image, binary) in [("sample-app-user", "user-tier"), ("sample-app-admin", "admin-tier")] {
        let files = images.files(image);
        let names: BTreeSet<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        let alone = BTreeSet::from(["etc/nsswitch.conf", "etc/ssl/certs/ca-certificates.crt", binary]);
        assert_eq!(names, alone, "no shell, no library");
        let bytes: u64 = files.iter().map(|(_, bytes)| bytes).sum();
        // Not optimized, to save time. SQLite, the driver of PostgreSQL, and what rewrites an app's pages are in the user tier's.
        assert!(bytes < 56 * MEBIBYTE, "{image} has {bytes} bytes");
    }
}

#[test]
fn the_labels_of_an_image_match_the_version_of_its_binary() {
    let images = Images::built();
    let commit = images.git(&["rev-parse", "--short=12", "HEAD"]);
    for (image, binary) in [("sample-app-user", "user-tier"), ("sample-app-admin", "admin-tier")] {
        let label = |name: &str| {
            images.inspect(image, &format!("{{{{index .OCIv1.Config.Labels \"org.opencontainers.image.{name}\"}}}}"))
        };
        assert_eq!(label("title"), image);
        assert_eq!(label("version"), env!("CARGO_PKG_VERSION"));
        assert_eq!(label("licenses"), "MIT OR Apache-2.0");
        let revision = label("revision");
        assert_eq!(revision.trim_end_matches("-dirty"), commit);
        let created = label("created");
        assert!(
            !created.is_empty() && created == images.git(&["show", "--no-patch", "--format=%cI", "HEAD"]),
            "{created}"
        );
        assert_eq!(images.inspect(image, "{{.OCIv1.Config.User}}"), "65532:65532");
        assert_eq!(images.inspect(image, "{{.OCIv1.Config.StopSignal}}"), "SIGTERM");
        assert_eq!(images.inspect(image, "{{.OCIv1.Config.Entrypoint}}"), format!("[/{binary}]"), "in exec form");
        // Both tags are the same image.
        let by_revision = format!("{image}:{}-{revision}", env!("CARGO_PKG_VERSION"));
        assert_eq!(images.inspect_name(&by_revision, "{{.FromImageID}}"), images.inspect(image, "{{.FromImageID}}"));

        let version = container::says(&images, image, "--version");
        assert_eq!(version, format!("{binary} {} ({revision})\n", env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn each_image_has_a_bill_of_materials() {
    let images = Images::built();
    for (image, binary) in [("sample-app-user", "user-tier"), ("sample-app-admin", "admin-tier")] {
        let list: Value = serde_json::from_str(&images.list(image)).unwrap();
        assert_eq!(list["bomFormat"], "CycloneDX");
        assert_eq!(list["metadata"]["component"]["name"], binary);
        assert!(list["components"].as_array().unwrap().len() > 50);
    }
}
