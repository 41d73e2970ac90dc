//! How often the shared store is scanned for orphans.

use serde_json::Value;
use test_support::{Redis, eventually};

use crate::Admin;

const SESSION: &str = "session:0190b8a0-0000-7000-8000-000000000001";

/// How many `SCAN` commands Redis has executed.
async fn scans(redis: &Redis) -> u64 {
    let stats: String = redis.ask(&["INFO", "commandstats"]).await;
    let calls = stats.split("cmdstat_scan:calls=").nth(1).and_then(|rest| rest.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

/// The orphans, as soon as they satisfy a condition.
async fn orphans(admin: &Admin, what: &str, is_right: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || async {
        let orphans = admin.json("/admin/api/v1/orphans").await;
        is_right(&orphans).then_some(orphans)
    })
    .await
}

#[tokio::test]
async fn the_store_is_scanned_when_a_lease_has_ended_and_not_at_every_check() {
    let redis = Redis::start().await;
    let set = async |pod: &str| {
        let now = "2026-01-01T00:00:00.000Z";
        let fields = ["pod", pod, "user", "ada", "login_time", now, "last_activity", now];
        let _: u64 = redis.ask(&[&["HSET", SESSION][..], &fields].concat()).await;
        let _: String = redis.ask(&["SET", &format!("lastcall:pod:{pod}"), "lease"]).await;
    };
    set("user-1").await;
    let admin = Admin::with(&["127.0.0.1:1"], &[("REDIS_URL", &redis.url())]).await;
    let first = orphans(&admin, "the first check", |orphans| orphans["as_of"].is_string()).await;
    assert_eq!(first["total"], 0, "the lease runs");
    let at_start = scans(&redis).await;
    assert!(at_start > 0);

    orphans(&admin, "another check", |orphans| orphans["as_of"] != first["as_of"]).await;
    assert_eq!(scans(&redis).await, at_start, "no lease has ended");

    let _: u64 = redis.ask(&["DEL", "lastcall:pod:user-1"]).await;
    let orphan = orphans(&admin, "the orphan", |orphans| orphans["total"] == 1).await;
    assert_eq!((&orphan["sessions"][0]["user"], &orphan["sessions"][0]["pod"]), (&"ada".into(), &"user-1".into()));
    let after_the_end = scans(&redis).await;
    assert!(after_the_end > at_start);

    set("user-2").await;
    orphans(&admin, "the adoption", |orphans| orphans["total"] == 0).await;
    assert_eq!(scans(&redis).await, after_the_end, "a known orphan is read without a scan");
}
