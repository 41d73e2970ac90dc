//! Pods behind a name, resolved by this machine.

use session_wire::v1::watch_sessions_response::Event;
use test_support::{Signal, eventually};

use crate::Admin;
use crate::fake_pod::{FakePod, pod, session, snapshot};

#[tokio::test]
async fn the_pods_behind_a_dns_name_are_found() {
    let fake = FakePod::saying([Event::Pod(pod("user-1", 1)), snapshot([session("user-1", "ada", 1)])]).await;
    let port = fake.address.rsplit(':').next().unwrap();
    let admin = Admin::start(&[&format!("dns://localhost:{port}")]).await;
    assert_eq!(admin.sessions(1).await["complete"], true);
    let seen = admin.pod(&fake.address, "the pod", |pod| pod["reachable"] == true).await;
    assert_eq!((&seen["listed"], &seen["ready"]), (&true.into(), &true.into()), "the pod says so itself");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_reported_and_does_not_delay_the_shutdown() {
    let mut admin = Admin::start(&["dns://user-pods.invalid:9091"]).await;
    let pods = eventually("the trouble", || async {
        let pods = admin.json("/admin/api/v1/pods").await;
        pods["discovery_error"].is_string().then_some(pods)
    })
    .await;
    assert!(pods["discovery_error"].as_str().unwrap().contains("user-pods.invalid"), "{pods}");
    assert_eq!((&pods["complete"], pods["pods"].as_array().unwrap().len()), (&false.into(), 0));
    for path in ["/admin", "/admin/users"] {
        assert!(admin.person().text(path).await.contains("Discovery fails"), "{path}");
    }
    assert_eq!(admin.person().status("/ready").await, 200);
    admin.process.signal(Signal::SIGTERM);
    assert!(admin.process.wait().await.success());
}
