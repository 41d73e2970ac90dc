//! Present sessions and idle ones are told apart, on pages, in files and by the API.

use http::header::ACCEPT;
use serde_json::Value;
use session_wire::v1::watch_sessions_response::Event;
use session_wire::v1::{Pod, Session};
use test_support::{eventually, metric};

use crate::Admin;
use crate::fake_pod::{FakePod, Then, partly_present, pod, session, snapshot};

/// What a pod says that has just begun, in parts of as many sessions as a message may have.
fn script((pod, rows): (Pod, Vec<Session>)) -> Vec<Event> {
    let mut said = vec![Event::Pod(pod)];
    let parts = rows.chunks(1_000).count();
    for (index, part) in rows.chunks(1_000).enumerate() {
        said.push(Event::Snapshot(session_wire::v1::watch_sessions_response::Snapshot {
            sessions: part.to_vec(),
            end: index + 1 == parts,
        }));
    }
    said
}

#[tokio::test]
async fn three_users_and_320_closed_tabs_are_three_users() {
    let fake = FakePod::saying(script(partly_present("user-1", 323, 3, true))).await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(323).await;
    let pods = admin.json("/admin/api/v1/pods").await;
    assert_eq!((&pods["total_sessions"], &pods["present_sessions"]), (&323.into(), &3.into()), "{pods}");
    let each = &pods["pods"][0];
    assert_eq!((&each["active_sessions"], &each["present_sessions"]), (&323.into(), &3.into()));
    let count = async |query: &str| admin.json(&format!("/admin/api/v1/sessions?{query}")).await["total"].clone();
    for (query, total) in [
        ("", 323),
        ("connected=true", 3),
        ("connected=false", 320),
        ("state=present", 3),
        ("state=idle", 320),
        ("state=connected", 3),
        ("state=idle&connected=true", 0),
    ] {
        assert_eq!(count(query).await, total, "{query}");
    }
    let list = admin.json("/admin/api/v1/sessions?limit=1000").await;
    let connected = list["sessions"].as_array().unwrap().iter().filter(|row| row["connected"] == true).count();
    assert_eq!(connected, 3);
    let cursor = admin.json("/admin/api/v1/sessions?connected=true&limit=1").await["next_cursor"].clone();
    let other = format!("/admin/api/v1/sessions?connected=false&cursor={}", cursor.as_str().unwrap());
    assert_eq!(admin.person().status(&other).await, 400, "a cursor is of one list");
    let file = admin.json("/admin/users.json").await;
    assert_eq!((&file["total"], &file["present"]), (&323.into(), &3.into()));
    let csv = admin.person().text("/admin/users.csv?connected=true").await;
    assert_eq!(csv.lines().count(), 4, "{csv}");

    let panel = admin.person().text("/admin").await;
    for part in [
        "<strong>3 sessions</strong> present on <strong>1 pod</strong>, 320 more idle.",
        "<strong>3</strong> of 3 still there, 320 idle",
        "<strong>3</strong> sessions present, 320 idle",
        "0 of 3 gone, 3 to go",
        "<dt>Present</dt><dd>3</dd>",
        "<dt>Idle</dt><dd>320</dd>",
    ] {
        assert!(panel.contains(part), "{part} in {panel}");
    }
    assert!(!panel.contains(">323<") && !panel.contains("of 323"), "{panel}");
    let users = admin.person().text("/admin/users?state=idle").await;
    assert!(users.contains("320 of 323 sessions match") && users.contains(">idle</span>"), "{users}");
    let page = admin.person().text("/metrics").await;
    let numbers = [
        r#"active_sessions_total{pod="user-1"}"#,
        r#"lastcall_admin_pod_sessions_present{pod="user-1"}"#,
        "lastcall_admin_sessions_present",
    ];
    assert_eq!(numbers.map(|name| metric(&page, name)), [Some(323.0), Some(3.0), Some(3.0)]);
    let drains = admin.json("/admin/api/v1/drains").await;
    let drain = &drains["drains"][0];
    let numbers = ["sessions", "present_sessions", "idle_sessions", "remaining", "away"].map(|name| &drain[name]);
    assert_eq!(numbers, [323, 3, 320, 3, 0].map(Value::from).each_ref());

    // Killed: what became of the three is not known, and counted so.
    let address = fake.address.clone();
    drop(fake);
    admin.pod(&address, "the loss", |pod| pod["reachable"] == false).await;
    let drains = admin.json("/admin/api/v1/drains?people=true").await;
    let drain = &drains["drains"][0];
    assert_eq!((&drain["end"], &drain["outcomes"]["unknown"]), (&"lost".into(), &3.into()), "{drain}");
    assert_eq!((&drain["present_sessions"], &drain["remaining"]), (&3.into(), &0.into()));
    assert!(drain["people"].as_array().unwrap().iter().all(|person| person["outcome"] == "unknown"), "{drain}");
}

#[tokio::test]
async fn idle_sessions_do_not_block_an_upgrade_and_a_pod_that_reports_no_presence_is_marked() {
    let maintenance = |present: Option<u64>| Pod {
        phase: session_wire::v1::Phase::Maintenance.into(),
        present_sessions: present,
        ..pod("user-1", 320)
    };
    let (_, rows) = partly_present("user-1", 320, 1, false);
    let idle: Vec<_> = rows.iter().map(|row| Session { present: Some(false), ..row.clone() }).collect();
    let empty = (vec![Event::Pod(maintenance(Some(0))), snapshot(idle.clone())], Then::Stay);
    let fake = FakePod::start([empty]).await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(320).await;
    let pods = admin.json("/admin/api/v1/pods").await;
    assert_eq!((&pods["safe_to_upgrade"], &pods["total_sessions"]), (&true.into(), &320.into()), "{pods}");
    fake.say(Event::Pod(maintenance(Some(1))));
    eventually("one to be present", async || {
        let pods = admin.json("/admin/api/v1/pods").await;
        (pods["safe_to_upgrade"] == false).then_some(())
    })
    .await;

    let old = FakePod::saying([
        Event::Pod(Pod { present_sessions: None, ..pod("user-1", 2) }),
        snapshot([session("user-1", "ada", 1), Session { event_streams: 0, ..session("user-1", "bob", 1) }]),
    ])
    .await;
    let admin = Admin::start(&[&old.address]).await;
    let list = admin.sessions(2).await;
    let connected: Vec<_> = list["sessions"].as_array().unwrap().iter().map(|row| row["connected"].clone()).collect();
    assert!(connected.contains(&true.into()) && connected.contains(&false.into()), "{connected:?}");
    let panel = admin.person().text("/admin").await;
    assert!(panel.contains("This pod does not report which sessions are present"), "{panel}");
}

#[tokio::test]
async fn a_trailing_slash_is_redirected_and_an_unknown_parameter_is_ignored() {
    let fake = FakePod::saying([Event::Pod(pod("user-1", 1)), snapshot([session("user-1", "ada", 1)])]).await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(1).await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for (path, target) in [
        ("/admin/", "/admin"),
        ("/admin/users/?q=a%20b&sort=user", "/admin/users?q=a%20b&sort=user"),
        ("/admin/history/", "/admin/history"),
        ("/admin/sign-in/?next=%2Fadmin", "/admin/sign-in?next=%2Fadmin"),
        ("/admin/api/v1/pods/", "/admin/api/v1/pods"),
        ("/admin/api/v1/sessions/?limit=1", "/admin/api/v1/sessions?limit=1"),
        ("/openapi.json/", "/openapi.json"),
        ("/metrics/", "/metrics"),
        ("/health/", "/health"),
    ] {
        for method in [reqwest::Method::GET, reqwest::Method::HEAD] {
            let answer = client.request(method, format!("http://{}{path}", admin.http)).send().await.unwrap();
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["location"]),
                (308, &target.parse().unwrap()),
                "{path}"
            );
        }
    }
    let posted = client.post(format!("http://{}/admin/maintenance/", admin.http)).send().await.unwrap();
    assert_eq!(
        (posted.status().as_u16(), &posted.headers()["location"]),
        (308, &"/admin/maintenance".parse().unwrap())
    );
    for unknown in ["/admin/nowhere/", "/admin//", "//admin/users/", "/admin/users//"] {
        assert_eq!(admin.person().status(unknown).await, 404, "{unknown}");
    }
    for path in ["sessions", "pods", "drains"].map(|list| format!("/admin/api/v1/{list}?page_token=x&_=17")) {
        assert_eq!(admin.person().status(&path).await, 200, "{path}");
    }
    for path in ["/admin?utm=x", "/admin/users?utm=x", "/admin/history?x", "/admin/users.csv?utm=x"] {
        assert_eq!(admin.person().status(path).await, 200, "{path}");
    }
}

#[tokio::test]
async fn the_switch_answers_in_json_on_request_and_every_answer_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&file, "false").unwrap();
    let admin = Admin::with(&["127.0.0.1:1"], &[("MAINTENANCE_FILE", file.to_str().unwrap())]).await;
    let form = |enabled: &str| {
        let post = admin.person().post("/admin/maintenance").header(ACCEPT, "application/json");
        post.form(&[("enabled", enabled.to_owned())]).send()
    };
    let (on, bad) = (form("true").await.unwrap(), form("perhaps").await.unwrap());
    assert_eq!((on.status().as_u16(), &on.headers()["content-type"]), (200, &"application/json".parse().unwrap()));
    let on: Value = on.json().await.unwrap();
    assert_eq!(on["enabled"], true, "{on}");
    assert!(on["switch"].is_string() && on["since"].is_string(), "{on}");
    assert_eq!(
        (bad.status().as_u16(), &bad.headers()["content-type"]),
        (400, &"application/problem+json".parse().unwrap())
    );
    assert_eq!(form("false").await.unwrap().json::<Value>().await.unwrap()["enabled"], false);

    let description = admin.json("/openapi.json").await;
    let answers = &description["paths"]["/admin/maintenance"]["post"]["responses"];
    let no_form = admin.person().post("/admin/maintenance").body("enabled=true").send().await.unwrap();
    let empty = admin.person().post("/admin/maintenance").form(&[("other", "x")]).send().await.unwrap();
    let large =
        admin.person().post("/admin/maintenance").form(&[("enabled", "x".repeat(200_000))]).send().await.unwrap();
    for status in [no_form.status(), empty.status(), large.status(), bad.status()].map(|status| status.as_u16()) {
        assert!(answers[status.to_string()].is_object(), "{status}");
    }
    for status in [200, 303, 401, 403, 409, 429, 500, 503] {
        assert!(answers[status.to_string()].is_object(), "{status}");
    }
}
