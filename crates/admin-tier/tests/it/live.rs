//! The event streams of the pages, as their script hears them: the whole first, then what has changed, and an end.

use std::collections::BTreeMap;

use serde_json::Value;
use session_wire::v1::watch_sessions_response::Event;
use test_support::{Events, Person, Signal, metric};

use crate::Admin;
use crate::fake_pod::{FakePod, changes, pod, session, snapshot};

async fn stream(person: &Person, path: &str) -> Events {
    let answer = person.request(path).header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    assert_eq!(answer.headers()["cache-control"], "no-store, no-transform");
    Events::new(answer)
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A page that shows what it is told.
#[derive(Debug, Default, PartialEq)]
struct Shown {
    parts: BTreeMap<String, Value>,
    lists: BTreeMap<String, Value>,
}

impl Shown {
    fn hear(&mut self, told: &Value) {
        self.parts.extend(told["parts"].as_object().unwrap().clone());
        self.lists.extend(told["lists"].as_object().unwrap().clone());
        let members: Vec<_> = self.lists.values().flat_map(|order| order.as_array().unwrap().clone()).collect();
        let is_member = |id: &str| id.starts_with("s-") || id.starts_with("pod-");
        self.parts.retain(|id, _| !is_member(id) || members.contains(&Value::from(id.as_str())));
    }
}

#[tokio::test]
async fn a_stream_sends_the_whole_page_and_then_only_changes() {
    let (mut ada, bob) = (session("a", "ada", 3), session("a", "bob", 2));
    let fake = FakePod::saying([Event::Pod(pod("a", 2)), snapshot([ada.clone(), bob.clone()])]).await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(2).await;
    let id = |of: &session_wire::v1::Session| format!("s-{}", of.session_id);
    let mut events = stream(&admin.person(), "/admin/users/events?sort=user").await;
    let whole = events.next_named("snapshot").await.data;
    assert_eq!(whole["lists"]["rows"], Value::from(vec![id(&ada), id(&bob)]));
    let row = whole["parts"][id(&ada)].as_str().unwrap();
    assert!(
        row.contains(">ada<") && !row.contains(" ago") && !row.contains("3m "),
        "time alone changes nothing: {row}"
    );

    ada.notified = true;
    fake.say(changes(std::slice::from_ref(&ada), &[]));
    let told = events.next_named("delta").await.data;
    assert_eq!((keys(&told["parts"]), keys(&told["lists"])), (vec![id(&ada).as_str()], vec![]));
    assert!(told["parts"][id(&ada)].as_str().unwrap().contains(">told<"));

    let carol = session("a", "anna", 1);
    fake.say(changes(std::slice::from_ref(&carol), &[&bob]));
    let told = events.next_named("delta").await.data;
    assert_eq!(keys(&told["parts"]), vec![id(&carol).as_str()], "the total is the same");
    assert_eq!(told["lists"]["rows"], Value::from(vec![id(&ada), id(&carol)]), "who is gone is in no order");
}

#[tokio::test]
async fn a_change_outside_the_page_updates_only_its_totals() {
    let rows: Vec<_> = (0..30).map(|n| session("a", &format!("user-{n:02}"), 100 - n)).collect();
    let fake = FakePod::saying([Event::Pod(pod("a", 30)), snapshot(rows.clone())]).await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(30).await;
    let mut events = stream(&admin.person(), "/admin/users/events?limit=5").await;
    assert_eq!(events.next_named("snapshot").await.data["lists"]["rows"].as_array().unwrap().len(), 5);
    fake.say(changes(&[session("a", "late", 0)], &[]));
    let told = events.next_named("delta").await.data;
    assert_eq!((keys(&told["parts"]), keys(&told["lists"])), (vec!["head", "range"], vec![]));
    assert!(told["parts"]["range"].as_str().unwrap().contains("Rows 1–5 of 31."), "{told}");
}

#[tokio::test]
async fn a_page_that_followed_its_stream_equals_a_new_page() {
    let mut rows: Vec<_> = (0..40).map(|n| session("a", &format!("user-{n:02}"), 100 - n)).collect();
    let fake = FakePod::saying([Event::Pod(pod("a", 40)), snapshot(rows.clone())]).await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(40).await;
    let paths =
        ["/admin/users/events?limit=8&sort=-user", "/admin/users/events?limit=7&before=end&q=user", "/admin/events"];
    let mut pages = Vec::new();
    for path in paths {
        let mut events = stream(&admin.person(), path).await;
        let mut shown = Shown::default();
        shown.hear(&events.next_named("snapshot").await.data);
        pages.push((path, events, shown));
    }
    for turn in 0..6_usize {
        let gone = rows.remove((turn * 7) % rows.len());
        rows[turn].notified = !rows[turn].notified;
        let new = session("a", &format!("user-{turn}-new"), 1);
        rows.push(new.clone());
        fake.say(changes(&[rows[turn].clone(), new, session("a", &format!("visitor-{turn}"), 1)], &[&gone]));
        fake.say(Event::Pod(pod("a", 41 + turn as u64)));
    }
    admin.sessions(46).await;
    for (path, events, shown) in &mut pages {
        // A new stream may begin between two changes: the old one catches up with it.
        let mut fresh = Shown::default();
        fresh.hear(&stream(&admin.person(), path).await.next_named("snapshot").await.data);
        while shown != &fresh {
            shown.hear(&events.next_named("delta").await.data);
        }
    }
}

#[tokio::test]
async fn probes_that_pods_answer_change_no_page() {
    let fake = FakePod::saying([Event::Pod(pod("a", 1)), snapshot([session("a", "ada", 1)])]).await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(1).await;
    let seen = |pod: &Value| pod["last_seen"].clone();
    let before = admin.pod(&fake.address, "live", |pod| pod["reachable"] == true).await;
    let mut events = stream(&admin.person(), "/admin/events").await;
    events.next_named("snapshot").await;
    admin.pod(&fake.address, "an answer", |pod| seen(pod) != seen(&before)).await;
    assert_eq!(events.next().await.name, "heartbeat");
}

async fn signed_in(admin: &Admin) -> Person {
    let person = admin.person();
    let answer = person.post("/admin/sign-in").form(&[("token", "opener")]).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    person
}

#[tokio::test]
async fn a_stream_ends_with_its_own_sign_in_and_with_no_other() {
    let options = [("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", "opener")];
    let admin = Admin::with(&["127.0.0.1:1"], &options).await;
    for path in ["/admin/events", "/admin/users/events"] {
        let request = admin.person().request(path).header("accept", "text/event-stream");
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    let (ada, bob) = (signed_in(&admin).await, signed_in(&admin).await);
    let (mut hers, mut his) = (stream(&ada, "/admin/events").await, stream(&bob, "/admin/users/events").await);
    hers.next_named("snapshot").await;
    his.next_named("snapshot").await;
    ada.post("/admin/sign-out").send().await.unwrap();
    assert_eq!(hers.next_named("end").await.data["reason"], "signed-out");
    assert_eq!(hers.next_or_end().await, None);
    his.next_named("heartbeat").await;
    let page = admin.person().text("/metrics").await;
    assert_eq!(metric(&page, "lastcall_admin_event_streams"), Some(1.0), "{page}");
}

#[tokio::test]
async fn the_tier_stops_at_once_with_many_pages_open() {
    let mut admin = Admin::start(&["127.0.0.1:1"]).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut events = stream(&admin.person(), "/admin/events").await;
        events.next_named("snapshot").await;
        open.push(events);
    }
    admin.signal(Signal::SIGTERM);
    for mut events in open {
        assert_eq!(events.next_named("end").await.data["reason"], "stopping");
        assert_eq!(events.next_or_end().await, None);
    }
    assert!(admin.process.wait().await.success());
    let log = admin.log().join("\n");
    assert!(!log.contains("connections were cut"), "{log}");
}
