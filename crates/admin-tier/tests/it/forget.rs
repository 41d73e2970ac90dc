//! Silent pods that leave: by an operator's word, after their time, or because the shared store knows better.

use http::header::{ACCEPT, LOCATION, ORIGIN};
use session_wire::v1::Phase;
use session_wire::v1::watch_sessions_response::Event;
use test_support::{Redis, Signal, eventually};

use crate::Admin;
use crate::fake_pod::{FakePod, pod, session, snapshot};
use crate::real_pods::user_pod;

/// A pod in maintenance under this name, with one session or none.
async fn in_maintenance(name: &str, users: &[&str]) -> FakePod {
    let mut said = pod(name, users.len() as u64);
    said.phase = Phase::Maintenance.into();
    FakePod::saying([Event::Pod(said), snapshot(users.iter().map(|user| session(name, user, 1)))]).await
}

#[tokio::test]
async fn an_operator_forgets_a_silent_pod_and_only_that() {
    let (stays, goes) = (in_maintenance("user-1", &[]).await, in_maintenance("user-2", &["ada"]).await);
    let address = goes.address.clone();
    let options = [("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", "of-the-operators")];
    let admin = Admin::with(&[&stays.address, &address], &options).await;
    let act = |path: &str| admin.person().post(path).bearer_auth("of-the-operators");
    let pods = async || {
        let answer = admin.person().request("/admin/api/v1/pods").bearer_auth("of-the-operators").send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()
    };
    let until = async |what: &str, is_right: &dyn Fn(&serde_json::Value) -> bool| {
        eventually(what, async || Some(pods().await).filter(is_right)).await
    };
    until("both pods", &|pods| pods["complete"] == true && pods["total_sessions"] == 1).await;
    let heard = act("/admin/api/v1/pods/user-2/forget").send().await.unwrap();
    assert_eq!(heard.status(), 409);
    let text = heard.text().await.unwrap();
    assert!(text.contains("only a silent pod can be forgotten"), "{text}");
    assert_eq!(act("/admin/api/v1/pods/user-9/forget").send().await.unwrap().status(), 404);

    drop(goes);
    until("the loss", &|pods| pods["unreachable_pods"][0] == "user-2").await;
    assert_eq!(pods().await["safe_to_upgrade"], false);
    assert_eq!(admin.person().post("/admin/api/v1/pods/user-2/forget").send().await.unwrap().status(), 401);
    let foreign = act("/admin/api/v1/pods/user-2/forget").header(ORIGIN, "http://evil.test");
    assert_eq!(foreign.send().await.unwrap().status(), 403, "a request of another site's page is refused");
    assert_eq!(pods().await["pods"].as_array().unwrap().len(), 2);
    let done = act("/admin/api/v1/pods/user-2/forget").send().await.unwrap();
    assert_eq!(done.status(), 200);
    let done: serde_json::Value = done.json().await.unwrap();
    assert_eq!((&done["forgotten"][0]["pod"], &done["forgotten"][0]["sessions"]), (&"user-2".into(), &1.into()));
    let left = pods().await;
    assert_eq!((&left["safe_to_upgrade"], &left["total_sessions"]), (&true.into(), &0.into()), "at once");
    admin.process.line("audit.action=\"pod_forgotten\"").await;

    let drains = admin.person().request("/admin/api/v1/drains").bearer_auth("of-the-operators").send().await.unwrap();
    let drains: serde_json::Value = drains.json().await.unwrap();
    assert_eq!(
        (&drains["lost_pods"][0]["pod"], &drains["lost_pods"][0]["reason"]),
        (&"user-2".into(), &"forgotten".into())
    );
}

#[tokio::test]
async fn the_panels_form_returns_to_the_panel_and_the_history_lists_the_pod() {
    let (_stays, goes) = (in_maintenance("user-1", &[]).await, in_maintenance("user-2", &["ada"]).await);
    let address = goes.address.clone();
    let admin = Admin::start(&[&_stays.address, &address]).await;
    admin.sessions(1).await;
    assert!(!admin.person().text("/admin").await.contains("Forget this pod"));
    drop(goes);
    admin.pod(&address, "the loss", |pod| pod["reachable"] == false).await;
    let panel = admin.person().text("/admin").await;
    let action = panel.split('"').find(|part| part.ends_with("/forget")).unwrap_or_else(|| panic!("{panel}"));
    let answer = admin.person().post(action).header(ACCEPT, "text/html").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()[LOCATION].to_str().unwrap()), (303, "/admin"));
    let panel = admin.person().text("/admin").await;
    assert!(panel.contains("forgot the silent pod user-2") && !panel.contains("Forget this pod"), "{panel}");
    let history = admin.person().text("/admin/history").await;
    assert!(history.contains("was forgotten by an operator") && history.contains("with 1 session"), "{history}");
}

#[tokio::test]
async fn a_static_address_that_stays_silent_leaves_and_comes_back_when_a_pod_answers_there() {
    let redis_less = [("FORGET_AFTER", "1s")];
    let (stays, goes) = (in_maintenance("user-1", &[]).await, user_pod("user-2", &[]).await);
    let admin = Admin::with(&[&stays.address, &goes.grpc], &redis_less).await;
    let _ada = goes.person().visit().await;
    admin.sessions(1).await;
    let (grpc, http) = (goes.grpc.clone(), goes.http.clone());
    goes.signal(Signal::SIGKILL);
    drop(goes);
    let gone = eventually("its leave", async || {
        let pods = admin.json("/admin/api/v1/pods").await;
        (pods["pods"].as_array().unwrap().len() == 1).then_some(pods)
    })
    .await;
    assert_eq!((&gone["safe_to_upgrade"], &gone["complete"]), (&true.into(), &true.into()));
    let drains = admin.json("/admin/api/v1/drains").await;
    assert_eq!(drains["lost_pods"][0]["reason"], "silent");
    let _again = user_pod("user-2", &[("GRPC_ADDR", &grpc), ("HTTP_ADDR", &http)]).await;
    admin.pod_as_soon_as_named(&grpc).await;
}

#[tokio::test]
async fn with_a_shared_store_a_killed_pod_leaves_once_its_sessions_are_orphans() {
    let redis = Redis::start().await;
    let url = redis.url();
    let folder = tempfile::tempdir().unwrap();
    let switch = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&switch, "false").unwrap();
    let options = [
        ("REDIS_URL", url.as_str()),
        ("SESSION_KEY", "shared"),
        ("MAINTENANCE_FILE", switch.to_str().unwrap()),
        ("MAINTENANCE_POLL", "100ms"),
    ];
    let (first, second) = (user_pod("user-1", &options).await, user_pod("user-2", &options).await);
    let admin = Admin::with(&[&first.grpc, &second.grpc], &[("REDIS_URL", &url)]).await;
    let _ada = first.person().visit().await;
    admin.sessions(1).await;
    first.signal(Signal::SIGKILL);
    std::fs::write(&switch, "true").unwrap();
    admin.pod(&first.grpc, "the kill", |pod| pod["reachable"] == false).await;
    let pods = eventually("its leave", async || {
        let pods = admin.json("/admin/api/v1/pods").await;
        (pods["pods"].as_array().unwrap().len() == 1).then_some(pods)
    })
    .await;
    assert_eq!((&pods["safe_to_upgrade"], &pods["complete"]), (&true.into(), &true.into()), "{pods}");
    assert_eq!(admin.json("/admin/api/v1/orphans").await["total"], 1, "ada is listed apart");
    assert_eq!(admin.json("/admin/api/v1/drains").await["lost_pods"][0]["reason"], "released");
}
