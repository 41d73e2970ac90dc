//! The JSON API as scripts use it: pages, filters, orders, and questions that make no sense.

use serde_json::Value;
use session_wire::v1::watch_sessions_response::{Event, Snapshot};

use crate::Admin;
use crate::fake_pod::{FakePod, pod, session, snapshot};

/// A pod with 250 users, `user-0` having come first, and one with a single user.
async fn two_pods() -> (FakePod, FakePod, Admin) {
    let mut parts: Vec<Event> = vec![Event::Pod(pod("big", 250))];
    let all: Vec<_> = (0..250).map(|n| session("big", &format!("user-{n}"), 300 - n)).collect();
    let chunks: Vec<_> = all.chunks(100).collect();
    for (index, chunk) in chunks.iter().enumerate() {
        parts.push(Event::Snapshot(Snapshot { sessions: chunk.to_vec(), end: index == chunks.len() - 1 }));
    }
    let big = FakePod::saying(parts).await;
    let small = FakePod::saying([Event::Pod(pod("small", 1)), snapshot([session("small", "Ada Ümlaut", 10)])]).await;
    let admin = Admin::start(&[&big.address, &small.address]).await;
    admin.sessions(251).await;
    (big, small, admin)
}

fn users(list: &Value) -> Vec<&str> {
    list["sessions"].as_array().unwrap().iter().map(|session| session["user"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_of_the_list_follow_without_gap_or_repetition() {
    let (_big, _small, admin) = two_pods().await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    let mut pages = 0;
    loop {
        let list = admin.json(&format!("/admin/api/v1/sessions?limit=40&sort=-login_time&cursor={cursor}")).await;
        seen.extend(users(&list).into_iter().map(str::to_owned));
        pages += 1;
        assert_eq!(list["total"], 251);
        let Some(next) = list["next_cursor"].as_str() else { break };
        assert!(next.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{next}");
        cursor = next.to_owned();
    }
    assert_eq!((pages, seen.len()), (7, 251));
    assert_eq!((seen[0].as_str(), seen[1].as_str()), ("Ada Ümlaut", "user-249"), "the youngest first");
    let distinct: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), 251);

    let mut back = Vec::new();
    let mut cursor = "end".to_owned();
    while !cursor.is_empty() {
        let path = format!("/admin/api/v1/sessions?limit=40&sort=-login_time&before={cursor}");
        let list = admin.json(&path).await;
        back.splice(0..0, users(&list).into_iter().map(str::to_owned));
        cursor = list["previous_cursor"].as_str().unwrap_or_default().to_owned();
    }
    // The first page is full, and so overlaps with the one behind it.
    assert_eq!(back.split_off(40)[29..], seen[40..]);
    assert_eq!(back, seen[..40]);
}

#[tokio::test]
async fn filters_narrow_the_list_and_rows_have_every_field() {
    let (_big, _small, admin) = two_pods().await;
    let list = admin.json("/admin/api/v1/sessions?q=%C3%BCML").await;
    assert_eq!((users(&list), &list["total"]), (vec!["Ada Ümlaut"], &1.into()));
    let row = &list["sessions"][0];
    assert_eq!(row["pod"], "small");
    let seconds = row["duration_seconds"].as_u64().unwrap();
    assert!((600..700).contains(&seconds), "{seconds}");
    for time in ["login_time", "last_activity"] {
        let time = row[time].as_str().unwrap();
        assert!(time.ends_with('Z') && time.len() == "2025-11-16T10:30:00.000Z".len(), "{time}");
    }
    let id = row["session_id"].as_str().unwrap();
    assert_eq!(users(&admin.json(&format!("/admin/api/v1/sessions?q={}", &id[..13])).await), ["Ada Ümlaut"]);
    assert_eq!(admin.json("/admin/api/v1/sessions?pod=small").await["total"], 1);
    assert_eq!(admin.json("/admin/api/v1/sessions?user=user-1").await["total"], 1, "exact, not a part");
    assert_eq!(admin.json("/admin/api/v1/sessions?q=user-1").await["total"], 111);
    assert_eq!(admin.json("/admin/api/v1/sessions?state=connected").await["total"], 251);
    assert_eq!(admin.json("/admin/api/v1/sessions?state=told").await["total"], 0);
    assert_eq!(admin.json("/admin/api/v1/sessions?user=nobody").await["total"], 0);
    let first = admin.json("/admin/api/v1/sessions?sort=login_time&limit=1").await;
    assert_eq!(users(&first), ["user-0"]);
}

#[tokio::test]
async fn invalid_queries_are_refused_with_the_allowed_values() {
    let (_big, _small, admin) = two_pods().await;
    let one = admin.json("/admin/api/v1/sessions?limit=1").await;
    let cursor = one["next_cursor"].as_str().unwrap();
    for query in [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=many",
        "sort=password",
        "sort=--user",
        "cursor=x",
        "before=x",
        "state=asleep",
        &format!("cursor={cursor}&before=end"),
        &format!("before={cursor}&state=told"),
        &format!("cursor={}", "A".repeat(5_000)),
        &format!("cursor={cursor}&sort=user"),
        &format!("cursor={cursor}&pod=big"),
        "q=a&q=b",
        "connected=maybe",
        "limit=%FF",
    ] {
        let answer = admin.person().get(&format!("/admin/api/v1/sessions?{query}")).await;
        assert_eq!(answer.status(), 400, "{query}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
    }
}

#[tokio::test]
async fn the_description_has_every_path() {
    let (_big, _small, admin) = two_pods().await;
    let description = admin.json("/openapi.json").await;
    for path in ["sessions", "pods", "revisions", "drains", "orphans"].map(|list| format!("/admin/api/v1/{list}")) {
        assert!(description["paths"][&path]["get"]["responses"]["200"].is_object(), "{path}");
    }
}
