//! Pods that are silent, gone, no pods at all, or that said goodbye.

use session_wire::v1::Pod;
use session_wire::v1::watch_sessions_response::Event;
use test_support::{eventually, metric};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::Admin;
use crate::fake_pod::{FakePod, Then, pod, session, snapshot};

#[tokio::test]
async fn a_pod_that_hangs_keeps_its_rows_and_is_listed_with_the_reason() {
    let said = vec![Event::Pod(pod("user-1", 1)), snapshot([session("user-1", "ada", 1)])];
    let hanging = FakePod::start([(said, Then::Hang)]).await;
    let well = FakePod::saying([Event::Pod(pod("user-2", 1)), snapshot([session("user-2", "bob", 1)])]).await;
    let admin = Admin::start(&[&hanging.address, &well.address]).await;
    admin.sessions(2).await;
    let seen = admin.pod(&hanging.address, "a loss", |pod| pod["reachable"] == false).await;
    assert_eq!(seen["error"], "it does not answer within 3 s");
    assert!(seen["last_seen"].is_string());
    let pods = admin.json("/admin/api/v1/pods").await;
    assert_eq!(pods["total_sessions"], 2, "the last known rows count");
    assert_eq!(pods["safe_to_upgrade"], false);
    admin.process.line("pod is lost").await;
}

#[tokio::test]
async fn pods_that_were_never_reached_are_listed_each_with_its_reason() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_address = silent.local_addr().unwrap().to_string();
    let something_else = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other_address = something_else.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = something_else.accept().await {
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let admin = Admin::start(&[&silent_address, &other_address, &free]).await;
    for address in [&silent_address, &other_address, &free] {
        let seen = admin.pod(address, "a reason", |pod| pod["error"].is_string()).await;
        assert_eq!((&seen["pod"], &seen["reachable"]), (&address.as_str().into(), &false.into()));
        assert!(seen["phase"].is_null() && seen["active_sessions"].is_null() && seen["last_seen"].is_null(), "{seen}");
    }
    let refused = admin.pod(&free, "a reason", |pod| pod["error"].is_string()).await;
    assert_eq!(refused["error"], "connection refused");
    let pods = admin.json("/admin/api/v1/pods").await;
    assert_eq!(pods["unreachable_pods"].as_array().unwrap().len(), 3);
    assert_eq!(pods["complete"], false);
    assert_eq!(admin.person().status("/ready").await, 200);
}

#[tokio::test]
async fn a_pod_that_refuses_calls_while_its_final_report_is_on_its_way_has_finished_and_is_not_lost() {
    let last = Pod { is_final: true, ..pod("user-1", 0) };
    let said = vec![Event::Pod(pod("user-1", 0)), snapshot([]), Event::Pod(last)];
    let stopping = FakePod::start([(said, Then::Stop)]).await;
    let admin = Admin::start(&[&stopping.address]).await;
    admin.pod(&stopping.address, "the end", |pod| pod["phase"] == "finished").await;
    let log = admin.process.log().join("\n");
    assert!(!log.contains("pod is lost"), "{log}");
}

#[tokio::test]
async fn a_final_report_makes_a_pod_finished_and_the_next_process_at_its_address_is_a_new_pod() {
    let mut last = pod("user-1", 0);
    last.is_final = true;
    let before = vec![Event::Pod(pod("user-1", 1)), snapshot([session("user-1", "ada", 1)]), Event::Pod(last)];
    let after = vec![Event::Pod(pod("user-1b", 1)), snapshot([session("user-1b", "bob", 1)])];
    let fake = FakePod::start([(before, Then::End), (after, Then::Stay)]).await;
    let admin = Admin::start(&[&fake.address]).await;
    let finished = admin.pod(&fake.address, "the end", |pod| pod["phase"] == "finished").await;
    assert_eq!((&finished["active_sessions"], &finished["error"]), (&0.into(), &serde_json::Value::Null));
    let list = admin.json("/admin/api/v1/sessions").await;
    assert_eq!(list["unreachable_pods"].as_array().unwrap().len(), 0, "finished is not unreachable");

    let next = admin.pod(&fake.address, "the next process", |pod| pod["phase"] == "serving").await;
    assert_eq!(next["pod"], "user-1b");
    let list = admin.sessions(1).await;
    assert_eq!((&list["sessions"][0]["user"], &list["complete"]), (&"bob".into(), &true.into()));
}

#[tokio::test]
async fn a_lost_pods_counters_stay_and_its_gauge_goes() {
    let said = vec![Event::Pod(pod("user-1", 1)), snapshot([session("user-1", "ada", 1)])];
    let fake = FakePod::start([(said, Then::Stay)]).await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(1).await;
    let page = admin.person().text("/metrics").await;
    assert_eq!(metric(&page, r#"total_logins{pod="user-1"}"#), Some(7.0), "{page}");
    assert_eq!(metric(&page, r#"active_sessions_total{pod="user-1"}"#), Some(1.0), "{page}");
    assert_eq!(metric(&page, r#"lastcall_admin_pod_up{pod="user-1"}"#), Some(1.0), "{page}");
    for name in ["drain_notifications_sent", "graceful_logouts_total", "forced_logouts_total"] {
        assert_eq!(metric(&page, &format!(r#"{name}{{pod="user-1"}}"#)), Some(0.0), "{page}");
    }
    drop(fake);
    let page = eventually("the loss", || async {
        let page = admin.person().text("/metrics").await;
        (metric(&page, r#"lastcall_admin_pod_up{pod="user-1"}"#) == Some(0.0)).then_some(page)
    })
    .await;
    assert_eq!(metric(&page, r#"total_logins{pod="user-1"}"#), Some(7.0), "{page}");
    assert_eq!(metric(&page, r#"active_sessions_total{pod="user-1"}"#), None, "{page}");
}
