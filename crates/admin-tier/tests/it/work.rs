//! What users are in the middle of: tasks, WebSockets, work in progress. And what follows from it: which pod waits for what beyond
//! its deadline, and which revision can be removed.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use session_wire::v1::watch_sessions_response::Event;
use session_wire::v1::{Counters, Phase, Pod, Session, Task};
use test_support::{Browser, eventually, metric};

use crate::Admin;
use crate::fake_pod::{FakePod, changes, idle, pod, session, snapshot};

#[allow(clippy::disallowed_methods, reason = "a pod beside the tier has a clock of its own")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// A task with a lease of a minute, half done.
fn export() -> Task {
    Task {
        task_id: uuid::Uuid::new_v4().to_string(),
        kind: "export".into(),
        label: "July <b>\u{202e}& August".into(),
        progress: Some(0.29),
        lease_until: Some((now() + Duration::from_secs(60)).into()),
    }
}

/// A session with these tasks and so many WebSockets.
fn busy(pod: &str, user: &str, tasks: &[Task], websockets: u32) -> Session {
    let protected = Some(!tasks.is_empty());
    let active_tasks = u32::try_from(tasks.len()).unwrap();
    Session { tasks: tasks.to_vec(), active_tasks, protected, websockets, ..session(pod, user, 5) }
}

/// A pod that reports how many of its sessions are protected, and how many WebSockets are open.
fn counting(name: &str, sessions: u64, protected: u64, websockets: u64) -> Pod {
    let counters = Counters { websocket_connections: websockets, ..Counters::default() };
    Pod { protected_sessions: Some(protected), counters: Some(counters), ..pod(name, sessions) }
}

/// A pod that drains, with the deadline in `seconds`.
fn draining(pod: Pod, seconds: u64) -> Pod {
    let (phase, deadline) = (Phase::Draining.into(), Some((now() + Duration::from_secs(seconds)).into()));
    Pod { phase, drain_started_at: Some(now().into()), forced_logout_at: deadline, ..pod }
}

#[tokio::test]
async fn tasks_websockets_and_work_in_progress_are_shown_on_pages_in_the_api_and_in_metrics() {
    let in_code = Task { kind: "import".into(), task_id: export().task_id, ..Task::default() };
    let many = vec![in_code.clone(); 8].into_iter().map(|task| Task { task_id: export().task_id, ..task });
    let rows = [
        busy("user-1", "ada", &[export(), in_code], 2),
        busy("user-1", "bob", &many.collect::<Vec<_>>(), 0),
        busy("user-1", "carol", &[], 1),
    ];
    let reported = counting("user-1", 3, 3, 4);
    let fake = FakePod::saying([Event::Pod(reported.clone()), snapshot(rows.clone())]).await;
    // An older pod reports neither.
    let old = Session { in_flight_requests: 0, ..session("user-2", "dora", 5) };
    let older =
        FakePod::saying([Event::Pod(Pod { protected_sessions: None, ..pod("user-2", 1) }), snapshot([old])]).await;
    let admin = Admin::start(&[&fake.address, &older.address]).await;
    let list = admin.sessions(4).await;
    let of = |user: &str| {
        let rows = list["sessions"].as_array().unwrap();
        rows.iter().find(|row| row["user"] == user).unwrap().clone()
    };
    let sent = &rows[0].tasks[0];
    let first = of("ada")["tasks"][0].clone();
    assert_eq!(first["task_id"], sent.task_id, "{first}");
    assert_eq!((&first["kind"], &first["label"]), (&"export".into(), &"July <b>& August".into()));
    assert_eq!(first["progress"], 0.29);
    assert!(first["lease_until"].as_str().unwrap().ends_with('Z'), "{first}");
    let second = &of("ada")["tasks"][1];
    assert_eq!(
        (&second["progress"], &second["lease_until"]),
        (&Value::Null, &Value::Null),
        "runs in the pod's own code"
    );
    let work = |user: &str| ["protected", "websockets"].map(|field| of(user)[field].clone());
    assert_eq!(work("ada"), [json!(true), json!(2)]);
    assert_eq!(work("carol"), [json!(false), json!(1)]);
    assert_eq!((work("dora"), of("dora")["tasks"].clone()), ([Value::Null, json!(0)], json!([])));
    assert_eq!(admin.json("/admin/api/v1/sessions?state=protected").await["total"], 2);
    let of_pod = admin.pod(&fake.address, "the pod", |pod| pod["reachable"] == true).await;
    // The pod also counts a session that another pod has adopted, and its WebSocket.
    assert_eq!((&of_pod["protected"], &of_pod["websockets"]), (&3.into(), &4.into()), "{of_pod}");
    let metrics = admin.person().text("/metrics").await;
    let series = ["sessions_protected", "websocket_connections"]
        .map(|name| metric(&metrics, &format!(r#"lastcall_admin_pod_{name}{{pod="user-1"}}"#)));
    assert_eq!(series, [Some(3.0), Some(4.0)]);

    let users = admin.person().text("/admin/users").await;
    for part in [
        "<bdi>July &#60;b&#62;&#38; August</bdi> <span class=\"kind\">(<bdi>export</bdi>)</span>",
        "value=\"29\" aria-label=\"Progress of July &#60;b&#62;&#38; August\">29 %</progress>",
        "lease until <time",
        "<bdi>import</bdi></li>",
        "and 3 more",
        ">work in progress</span> <span class=\"badge\">2 WebSockets</span>",
    ] {
        assert!(users.contains(part), "{part} in {users}");
    }
    let panel = admin.person().text("/admin").await;
    assert!(panel.contains("3 sessions with work in progress, 4 WebSockets open"), "{panel}");
    assert!(!panel.contains("waiting for") && !panel.contains("Revision <bdi>"), "{panel}");

    // The exit: the countdown is over, the resources are closed, and the pod is finished.
    let started = reported.started_at;
    let drained = Pod { started_at: started, ..draining(counting("user-1", 3, 2, 0), 0) };
    fake.say(Event::Pod(drained.clone()));
    let reads = async |text: &str| {
        let panel = async || Some(admin.person().text("/admin").await).filter(|panel| panel.contains(text));
        eventually(text, panel).await
    };
    let panel = reads("waiting for <strong>2 sessions</strong> with work in progress").await;
    assert!(panel.contains("hidden>The countdown ends in"), "{panel}");
    let ids: Vec<_> = rows.iter().collect();
    fake.say(changes(&[], &ids));
    let left = Pod { started_at: started, drain_started_at: drained.drain_started_at, ..counting("user-1", 0, 0, 0) };
    let closing = Pod { phase: Phase::Closing.into(), ..left };
    fake.say(Event::Pod(closing.clone()));
    reads("The pod closes its resources, such as database connections, and exits.").await;
    admin.pod(&fake.address, "the closing", |pod| pod["phase"] == "closing" && pod["error"].is_null()).await;
    fake.say(Event::Pod(Pod { is_final: true, ..closing }));
    admin.pod(&fake.address, "the end", |pod| pod["phase"] == "finished").await;
    let drains = admin.json("/admin/api/v1/drains").await;
    assert_eq!((&drains["drains"][0]["end"], &drains["lost_pods"]), (&"over".into(), &json!([])), "{drains}");
}

#[tokio::test]
async fn an_old_revision_is_safe_to_remove_once_its_last_websocket_and_its_work_are_gone() {
    let of = |revision: &str, pod: Pod| Pod { revision: revision.into(), started_at: None, ..pod };
    let (first, second) = (now() - Duration::from_secs(900), now() - Duration::from_secs(60));
    let v1 = |protected, websockets, present| Pod {
        started_at: Some(first.into()),
        present_sessions: Some(present),
        ..of("v1", counting("user-1", 1, protected, websockets))
    };
    let row = idle("user-1", "ada", 5);
    let talking = Session { websockets: 1, present: Some(true), ..row.clone() };
    let old = FakePod::saying([Event::Pod(v1(1, 1, 1)), snapshot([talking])]).await;
    let newer = Pod { started_at: Some(second.into()), ..of("v2", pod("user-2", 0)) };
    let new = FakePod::saying([Event::Pod(newer), snapshot([])]).await;
    let admin = Admin::start(&[&old.address, &new.address]).await;
    let revisions = async || admin.json("/admin/api/v1/revisions").await;
    let expected = |protected: u64, websockets: u64, present: u64, safe: bool| {
        json!({ "revision": "v1", "pods": 1, "sessions": 1, "present_sessions": present, "websockets": websockets,
                "protected": protected, "complete": true, "safe_to_remove": safe })
    };
    let v1_is = async |row: Value| {
        eventually(&format!("{row}"), async || (revisions().await["revisions"][1] == row).then_some(())).await;
    };
    v1_is(expected(1, 1, 1, false)).await;
    let newest = &revisions().await["revisions"][0];
    assert_eq!((&newest["revision"], &newest["safe_to_remove"]), (&"v2".into(), &false.into()), "{newest}");
    let panel = admin.person().text("/admin").await;
    assert!(panel.contains("Revision <bdi>v2</bdi> <span class=\"badge\">newest</span>"), "{panel}");
    assert!(panel.contains("Not safe to remove: users are still there."), "{panel}");

    // Its page is closed; a moved session's work goes on here, then a moved session's WebSocket.
    old.say(changes(&[row], &[]));
    for (protected, websockets) in [(1, 0), (0, 1)] {
        old.say(Event::Pod(v1(protected, websockets, 0)));
        v1_is(expected(protected, websockets, 0, false)).await;
    }
    old.say(Event::Pod(v1(0, 0, 0)));
    v1_is(expected(0, 0, 0, true)).await;
    let panel = admin.person().text("/admin").await;
    assert!(panel.contains("safe to remove</span>") && panel.contains("No user would notice its removal"), "{panel}");

    let address = old.address.clone();
    drop(old);
    admin.pod(&address, "the loss", |pod| pod["reachable"] == false).await;
    let all = revisions().await;
    let lost = &all["revisions"][1];
    assert_eq!((&lost["complete"], &lost["safe_to_remove"]), (&false.into(), &false.into()), "{all}");
    assert_eq!((&all["complete"], &all["unreachable_pods"]), (&false.into(), &json!(["user-1"])), "{all}");
}

#[tokio::test]
async fn an_open_panel_shows_by_itself_that_the_deadline_has_passed_and_what_the_pod_waits_for() {
    let tasks = [export(), Task { label: "Photos of the workshop".into(), kind: "upload".into(), ..export() }];
    let of = |revision: &str, hours: u64, pod: Pod| {
        let started_at = Some((now() - Duration::from_secs(hours * 3_600)).into());
        Pod { revision: revision.into(), started_at, ..pod }
    };
    let rows = [
        busy("user-1", "Mara Lindqvist", &tasks, 1),
        busy("user-1", "Chidi Okafor", &[Task { progress: None, ..export() }], 0),
    ];
    let leaving = of("5c4d8", 30, draining(counting("user-1", 2, 2, 1), 4));
    let first = FakePod::saying([Event::Pod(leaving), snapshot(rows)]).await;
    let old = of("5c4d8", 30, counting("user-2", 1, 0, 3));
    let second = FakePod::saying([Event::Pod(old), snapshot([busy("user-2", "Ana Sousa", &[], 3)])]).await;
    let closing = Pod { phase: Phase::Closing.into(), ..of("2b7f1", 60, counting("user-3", 0, 0, 0)) };
    let third = FakePod::saying([Event::Pod(closing), snapshot([])]).await;
    let newest = of("7d9f0", 1, counting("user-4", 1, 0, 0));
    let fourth = FakePod::saying([Event::Pod(newest), snapshot([busy("user-4", "Jonas Weber", &[], 0)])]).await;
    let admin = Admin::start(&[&first, &second, &third, &fourth].map(|fake| fake.address.as_str())).await;
    admin.sessions(4).await;
    let browser = Browser::open().await;
    browser.emulate(false, 1180, 900).await;
    browser.go(&format!("http://{}/admin", admin.http)).await;
    browser.reads("#stream-state", "Live.").await;
    eventually("the deadline to pass", async || {
        (browser.shows("[data-from]").await && !browser.shows("[data-until]").await).then_some(())
    })
    .await;
    let waits = browser.run("return document.querySelector('.pod [data-from]').textContent").await;
    assert!(waits.as_str().unwrap().ends_with("waiting for 2 sessions with work in progress"), "{waits}");
    browser.screenshot("panel-work").await;
    browser.emulate(false, 390, 2_400).await;
    browser.screenshot("panel-work-phone").await;
    browser.emulate(false, 1180, 700).await;
    browser.go(&format!("http://{}/admin/users", admin.http)).await;
    browser.reads("#stream-state", "Live.").await;
    browser.screenshot("users-work").await;
    browser.emulate(true, 390, 1_600).await;
    browser.screenshot("users-work-phone").await;
}
