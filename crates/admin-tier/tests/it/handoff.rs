//! A handoff as operators see it: real pods that share a Redis, one of which moves its sessions to the others.

use serde_json::{Value, json};
use session_wire::v1::watch_sessions_response::Event;
use session_wire::v1::{Counters, HandoffState, Phase, Pod, Session};
use test_support::{Browser, Events, Person, Redis, Signal, UserPod, eventually, metric};

use crate::Admin;
use crate::fake_pod::{FakePod, changes, pod, session, snapshot};
use crate::history::{lists, named};
use crate::real_pods::user_pod;

/// A user of this name at a pod, with an open page.
async fn page(pod: &UserPod, name: &str) -> (Person, Events) {
    let person = named(pod, name).await;
    let stream = person.events().await;
    (person, stream)
}

/// Does what a page does that is asked to move: closes its stream and opens it again, here at another pod.
async fn moves((person, mut stream): (Person, Events), to: &UserPod) -> (Person, Events) {
    stream.next_named("move").await;
    drop(stream);
    let there = person.at(&to.http);
    let stream = there.events().await;
    (there, stream)
}

/// A text of the admin tier's pages, as soon as it has this part.
async fn text_with(admin: &Admin, path: &str, part: &str) -> String {
    eventually(part, async || Some(admin.person().text(path).await).filter(|text| text.contains(part))).await
}

async fn pictures(admin: &Admin) {
    let browser = Browser::open().await;
    for (path, name, height) in [
        ("/admin", "panel-handoff", 900),
        ("/admin/users", "users-handoff", 700),
        ("/admin/history", "history-handoff", 700),
    ] {
        browser.emulate(false, 1180, height).await;
        browser.go(&format!("http://{}{path}", admin.http)).await;
        browser.reads("#stream-state", "Live.").await;
        browser.screenshot(name).await;
        browser.emulate(true, 390, 1_800).await;
        browser.screenshot(&format!("{name}-phone")).await;
    }
}

#[tokio::test]
async fn operators_see_how_many_sessions_were_asked_and_moved_where_they_went_and_how_long_it_took() {
    let redis = Redis::start().await;
    let url = redis.url();
    let options = [
        ("REDIS_URL", url.as_str()),
        ("SESSION_KEY", "shared"),
        ("HANDOFF", "on"),
        ("HANDOFF_DELAY", "500ms"),
        ("HANDOFF_QUIET", "1s"),
        ("DRAIN_TIMEOUT", "1h"),
        ("PROPAGATION_WAIT", "1h"),
    ];
    let first = user_pod("user-1", &options).await;
    let (second, third) = (user_pod("user-2", &options).await, user_pod("user-3", &options).await);
    let admin = Admin::start(&[&first.grpc, &second.grpc, &third.grpc]).await;
    let (ada, bob, eve) = (page(&first, "ada").await, page(&first, "bob").await, page(&first, "eve").await);
    let (mut zoe, mut zoes_stream) = page(&first, "zoe").await;
    lists(&admin, &["ada", "bob", "eve", "zoe"]).await;
    let panel = admin.person().text("/admin").await;
    let users = admin.person().text("/admin/users").await;
    assert!(
        !panel.contains("asked") && !users.contains("asked to move"),
        "nothing is asked while all pods serve: {panel}"
    );

    first.signal(Signal::SIGTERM);
    // Three pages move, one stays where it is.
    let _ada = moves(ada, &second).await;
    let bob = moves(bob, &third).await;
    let _eve = moves(eve, &third).await;
    zoes_stream.next_named("move").await;
    zoes_stream.next_named("drain").await;
    let moved = admin
        .pod(&first.grpc, "three moves", |pod| {
            pod["moved"] == 3 && pod["moved_to"].as_array().unwrap().len() == 2 && pod["notified"] == 1
        })
        .await;
    assert_eq!(
        (&moved["asked_to_move"], &moved["asked_and_present"], &moved["present_sessions"]),
        (&4.into(), &1.into(), &1.into()),
        "{moved}"
    );
    assert_eq!(moved["moved_to"], json!([{ "pod": "user-3", "sessions": 2 }, { "pod": "user-2", "sessions": 1 }]));
    let panel = text_with(&admin, "/admin", "asked and staying").await;
    for part in [
        "<strong>4</strong> asked to move, <strong>3</strong> moved, <strong>1</strong> still here: <a href=\"/admin/users?pod=user-1&amp;state=asked_to_move\">1 asked and staying</a>",
        "<li><strong>2</strong> now on <bdi>user-3</bdi></li>",
        "<li><strong>1</strong> now on <bdi>user-2</bdi></li>",
        "The handoff ends in <strong>",
    ] {
        assert!(panel.contains(part), "{part} in {panel}");
    }
    let asked = admin.json("/admin/api/v1/sessions?state=asked_to_move").await;
    assert_eq!((&asked["total"], &asked["sessions"][0]["user"]), (&1.into(), &"zoe".into()), "{asked}");
    let users = admin.person().text("/admin/users").await;
    assert_eq!(users.matches("<span class=\"badge told\">asked to move</span>").count(), 1, "{users}");
    // A pod sends a session once a second: that it was notified may come later than the pod's counter.
    let csv = text_with(&admin, "/admin/users.csv?user=zoe", ",true,true,false,false,0,false,0,true").await;
    assert!(csv.lines().next().unwrap().ends_with(",doubtful,websockets,protected,tasks,asked_to_move"), "{csv}");
    let metrics = admin.person().text("/metrics").await;
    let of_pod = |name: &str, pod: &str| metric(&metrics, &format!(r#"{name}{{pod="{pod}"}}"#));
    assert_eq!(of_pod("lastcall_admin_pod_asked_to_move_total", "user-1"), Some(4.0));
    assert_eq!(of_pod("lastcall_admin_pod_moved_total", "user-1"), Some(3.0));
    assert_eq!(of_pod("lastcall_admin_pod_asked_to_move_total", "user-2"), Some(0.0));
    assert_eq!(first.metric("lastcall_sessions_asked_to_move_total").await, 4.0);
    assert_eq!(second.metric("lastcall_sessions_asked_to_move_total").await, 0.0);
    pictures(&admin).await;

    // One signs out on the new pod, and the last one moves.
    bob.0.get("/logout").await;
    drop(zoes_stream);
    zoe = zoe.at(&second.http);
    zoes_stream = zoe.events().await;
    // The last one is on no pod either until its new pod has reported it.
    text_with(&admin, "/admin", "<strong>1</strong> on no pod now: signed out since, or not back yet").await;
    let over = eventually("the end of the handoff", async || {
        let drains = admin.json("/admin/api/v1/drains?people=true").await;
        Some(drains["drains"][0].clone()).filter(|drain| drain["outcomes"]["moved"] == 4 && drain["remaining"] == 0)
    })
    .await;
    let handoff = &over["handoff"];
    assert_eq!((&handoff["asked"], &handoff["notified"]), (&4.into(), &1.into()), "{over}");
    let number = |name: &str| handoff[name].as_f64().unwrap_or_else(|| panic!("no {name}: {over}"));
    // The first was asked after HANDOFF_DELAY; the last one stayed for HANDOFF_QUIET and longer.
    assert!(number("duration_seconds") >= 1.4 && number("duration_seconds") < 600.0, "{over}");
    assert!((1.0..=number("longest_seconds")).contains(&number("median_seconds")), "{over}");
    assert!(number("longest_seconds") >= 2.0, "{over}");
    let history = admin.person().text("/admin/history").await;
    assert!(
        history.contains("4 asked to move, the last one moved after ") && history.contains("; 1 saw the countdown"),
        "{history}"
    );
    let href = history.split('"').find(|part| part.starts_with("/admin/history/drain?")).unwrap().replace("&#38;", "&");
    let drain = admin.person().text(&href).await;
    for part in [
        "<dt>Asked to move</dt><dd>4</dd>",
        "<dt>Saw the countdown</dt><dd>1</dd>",
        "Half of those that were asked had moved within ",
        "now on <bdi>user-2</bdi>",
    ] {
        assert!(drain.contains(part), "{part} in {drain}");
    }
    drop(zoes_stream);
}

#[tokio::test]
async fn the_panel_says_that_a_handoff_has_not_begun_and_that_it_is_stalled() {
    let row = session("user-1", "ada", 5);
    let draining = |handoff: HandoffState| Pod {
        phase: Phase::Draining.into(),
        drain_started_at: row.login_time,
        forced_logout_at: row.login_time.map(|mut time| {
            time.seconds += 3_600;
            time
        }),
        handoff: handoff.into(),
        ..pod("user-1", 1)
    };
    let fake = FakePod::saying([Event::Pod(draining(HandoffState::Delayed)), snapshot([row.clone()])]).await;
    let admin = Admin::start(&[&fake.address]).await;
    let panel = text_with(&admin, "/admin", "The handoff begins shortly").await;
    assert!(panel.contains("The handoff ends in <strong>") && !panel.contains("The countdown ends in"), "{panel}");
    fake.say(Event::Pod(draining(HandoffState::Stalled)));
    text_with(&admin, "/admin", "The handoff waits: no other pod can take sessions").await;
    fake.say(Event::Pod(draining(HandoffState::Moving)));
    eventually("the end of the wait", async || {
        let panel = admin.person().text("/admin").await;
        (panel.contains("<strong>0</strong> asked to move") && !panel.contains("The handoff waits")).then_some(())
    })
    .await;
    let drains = admin.json("/admin/api/v1/drains").await;
    assert_eq!(drains["drains"][0]["handoff"]["asked"], 0, "none was asked, and it is a handoff: {drains}");
}

#[tokio::test]
async fn without_a_handoff_no_page_speaks_of_one_and_pods_of_an_older_release_are_shown_as_ever() {
    let row = session("user-1", "ada", 5);
    let draining = |moved| Pod {
        phase: Phase::Draining.into(),
        drain_started_at: row.login_time,
        counters: Some(Counters { moved, drain_notifications_sent: 2, ..Counters::default() }),
        ..pod("user-1", 1)
    };
    let fake = FakePod::saying([
        Event::Pod(draining(0)),
        snapshot([row.clone(), Session { user: "bob".into(), ..session("user-1", "bob", 5) }]),
    ])
    .await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(2).await;
    fake.say(changes(&[], &[&row]));
    fake.say(Event::Pod(draining(1)));
    let seen = admin.pod(&fake.address, "the move", |pod| pod["moved"] == 1).await;
    assert_eq!((&seen["asked_to_move"], &seen["moved_to"]), (&0.into(), &json!([])), "{seen}");
    let drains = admin.json("/admin/api/v1/drains").await;
    assert_eq!(drains["drains"][0]["handoff"], Value::Null, "{drains}");
    let panel = text_with(&admin, "/admin", "<div><dt>Moved</dt><dd>1</dd></div>").await;
    let pages = [panel, admin.person().text("/admin/users").await, admin.person().text("/admin/history").await];
    for page in pages {
        for word in ["asked", "handoff", "saw the countdown", "now on"] {
            assert!(!page.to_lowercase().contains(word), "{word} in {page}");
        }
    }
}
