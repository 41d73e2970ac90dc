//! Real user pods: one drains before the operator's eyes, one is killed.

use std::path::Path;

use test_support::{Signal, UserPod, eventually};

use crate::{Admin, BINARY};

/// A real user pod. Its binary is in the same directory: `cargo xtask test` builds both.
pub(crate) async fn user_pod(name: &str, options: &[(&str, &str)]) -> UserPod {
    let binary = Path::new(BINARY).with_file_name("user-tier");
    assert!(binary.is_file(), "the user tier is not built; run cargo build --workspace --bins first");
    UserPod::start(binary, name, options).await
}

#[tokio::test]
async fn the_dashboard_follows_a_drain_and_a_kill() {
    let waits = [("DRAIN_TIMEOUT", "1h"), ("PROPAGATION_WAIT", "1s")];
    let (mut first, second) = (user_pod("user-1", &waits).await, user_pod("user-2", &waits).await);
    let admin = Admin::start(&[&first.grpc, &second.grpc]).await;
    let (ada, bob) = (first.person().visit().await, second.person().visit().await);
    ada.login("ada").await;
    bob.login("bob").await;
    let mut stream = ada.events().await;
    let list = admin.sessions(2).await;
    assert_eq!((&list["complete"], list["unreachable_pods"].as_array().unwrap().len()), (&true.into(), 0));

    first.signal(Signal::SIGTERM);
    let notice = stream.next_named("drain").await.data;
    let draining = admin.pod(&first.grpc, "the drain", |pod| pod["phase"] == "draining").await;
    assert_eq!(draining["active_sessions"], 1);
    assert_eq!(draining["forced_logout_at"], notice["forced_logout_at"]);
    let told = || async { admin.person().text("/admin/users").await.contains(">told<").then_some(()) };
    eventually("who was told", told).await;
    let panel = admin.person().text("/admin").await;
    assert!(panel.contains("0 of 1 gone, 1 to go"), "{panel}");

    ada.get("/logout").await;
    admin.pod(&first.grpc, "the propagation", |pod| pod["phase"] == "propagating").await;
    assert!(first.wait().await.success());
    admin.pod(&first.grpc, "the last word", |pod| pod["phase"] == "finished").await;
    assert_eq!(admin.sessions(1).await["complete"], true);

    second.signal(Signal::SIGKILL);
    let killed = admin.pod(&second.grpc, "the kill", |pod| pod["reachable"] == false).await;
    assert!(killed["error"].is_string(), "{killed}");
    let list = admin.json("/admin/api/v1/sessions").await;
    assert_eq!((&list["total"], &list["complete"]), (&1.into(), &false.into()), "the last known row stays");
    assert_eq!(list["unreachable_pods"][0], "user-2");
    let page = admin.person().text("/admin/users").await;
    assert!(page.contains(">last known<") && page.contains("<strong>user-2</strong> cannot be reached: "), "{page}");
}

#[tokio::test]
async fn a_pod_that_requires_a_token_is_reached_with_it_and_without_it_the_error_says_what_to_do() {
    let pod = user_pod("user-1", &[("GRPC_TOKEN", "of-the-pods")]).await;
    let _ada = pod.person().visit().await;
    for options in [&[][..], &[("GRPC_TOKEN", "another")]] {
        let admin = Admin::with(&[&pod.grpc], options).await;
        let seen = admin.pod(&pod.grpc, "a reason", |pod| pod["error"].is_string()).await;
        assert_eq!(seen["reachable"], false);
        assert_eq!(seen["error"], "it asks for GRPC_TOKEN; give this tier the same one as the pods");
    }
    let admin = Admin::with(&[&pod.grpc], &[("GRPC_TOKEN", "of-the-pods")]).await;
    assert_eq!(admin.sessions(1).await["complete"], true);
}
