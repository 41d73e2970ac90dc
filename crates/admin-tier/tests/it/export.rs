//! What is filtered, as a file: for spreadsheets and for scripts.

use serde_json::Value;
use session_wire::v1::watch_sessions_response::Event;

use test_support::eventually;

use crate::Admin;
use crate::fake_pod::{FakePod, pod, session, snapshot};

async fn three_users() -> (FakePod, Admin) {
    let mut told = session("a", "=HYPERLINK(\"http://evil.test\")", 3);
    told.notified = true;
    let rows = [told, session("a", "Zoë, 🦀", 2), session("a", "bob", 1)];
    let fake = FakePod::saying([Event::Pod(pod("a", 3)), snapshot(rows)]).await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(3).await;
    (fake, admin)
}

#[tokio::test]
async fn csv_holds_the_rows_that_match_in_order_and_no_formula() {
    let (_fake, admin) = three_users().await;
    let answer = admin.person().get("/admin/users.csv?sort=-login_time&limit=1&before=end").await;
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8; header=present");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let name = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    let time =
        name.strip_prefix("attachment; filename=\"lastcall-sessions-").and_then(|rest| rest.strip_suffix("Z.csv\""));
    let time = time.unwrap_or_else(|| panic!("{name}"));
    assert!(time.len() == "20261125T223105".len() && time.replace('T', "").parse::<u64>().is_ok(), "{name}");
    let text = answer.text().await.unwrap();
    let lines: Vec<_> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 5, "a head, three rows, and the end of the last: {text}");
    assert!(lines[0].starts_with("session_id,user,pod,login_time,last_activity,duration_seconds,connected,told,"));
    assert!(lines[1].contains(",bob,a,20") && lines[1].ends_with(",true,false,false,false,0,,0,false"), "{text}");
    assert!(lines[2].contains(",\"Zoë, 🦀\",a,"), "{text}");
    assert!(lines[3].contains(",\"'=HYPERLINK(\"\"http://evil.test\"\")\",a,"), "{text}");

    let told = admin.person().text("/admin/users.csv?state=told").await;
    assert_eq!(told.lines().count(), 2, "{told}");
    assert_eq!(admin.person().status("/admin/users.csv?state=asleep").await, 400);
    let exports = || admin.process.log().iter().filter(|line| line.contains("sessions were exported")).count();
    eventually("two exports in the log", async || (exports() == 2).then_some(())).await;
    let panel = admin.person().text("/admin").await;
    assert_eq!(panel.matches("exported").count(), 2, "two exports are two deeds: {panel}");
}

#[tokio::test]
async fn json_holds_the_rows_that_match_and_lists_unreachable_pods() {
    let (_fake, admin) = three_users().await;
    let file = admin.json("/admin/users.json?q=o&sort=user").await;
    assert_eq!((&file["total"], &file["complete"]), (&2.into(), &true.into()));
    let users: Vec<_> = file["sessions"].as_array().unwrap().iter().map(|row| &row["user"]).collect();
    assert_eq!(users, ["bob", "Zoë, 🦀"]);
    assert_eq!((&file["sessions"][0]["connected"], &file["sessions"][0]["told"]), (&true.into(), &false.into()));
    let no_match = admin.json("/admin/users.json?q=nobody").await;
    assert_eq!((&no_match["total"], &no_match["sessions"]), (&0.into(), &Value::Array(Vec::new())));
}

#[tokio::test]
async fn connected_is_empty_for_sessions_of_an_unreachable_pod() {
    let (fake, admin) = three_users().await;
    let address = fake.address.clone();
    drop(fake);
    admin.pod(&address, "the loss", |pod| pod["reachable"] == false).await;
    let file = admin.json("/admin/users.json?state=last_known").await;
    assert_eq!((&file["total"], &file["complete"]), (&3.into(), &false.into()));
    assert_eq!((&file["sessions"][0]["connected"], &file["sessions"][0]["last_known"]), (&Value::Null, &true.into()));
    assert_eq!(admin.json("/admin/users.json?state=connected").await["total"], 0);
}
