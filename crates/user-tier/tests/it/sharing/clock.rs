//! Pods whose clocks differ.

use test_support::{Redis, UserPod, eventually};

use super::{becomes, ended, id, owned_by, pod};

/// A pod whose clock is an hour fast. The library is Debian's `faketime`; `cargo xtask test` installs it.
#[cfg(target_os = "linux")]
async fn pod_with_a_fast_clock(name: &str, redis: &Redis, options: &[(&str, &str)]) -> UserPod {
    let library = ["x86_64", "aarch64"].map(|arch| format!("/usr/lib/{arch}-linux-gnu/faketime/libfaketimeMT.so.1"));
    let library = library.iter().find(|path| std::path::Path::new(path).exists());
    let library = library.unwrap_or_else(|| panic!("libfaketime is not there; cargo xtask test installs it"));
    let fast = [("LD_PRELOAD", library.as_str()), ("FAKETIME", "+1h"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    pod(name, redis, &[&fast, options].concat()).await
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_clock_that_is_an_hour_off_keeps_no_session_alive_and_ends_none() {
    let redis = Redis::start().await;
    let quick = [("SESSION_TTL", "3s"), ("PRESENCE_LINGER", "100ms")];
    let (right, fast) = (pod("user-1", &redis, &quick).await, pod_with_a_fast_clock("user-2", &redis, &quick).await);
    let person = right.person().visit().await;
    person.login("ada").await;
    let stream = person.events().await;
    let there = person.at(&fast.http);
    let ahead = there.session().await;
    assert_eq!((&ahead["user"], &ahead["pod"]), (&"ada".into(), &"user-1".into()), "a guest");
    drop(stream);
    // What the guest's pod wrote lies an hour ahead; by Redis' clock it was just now.
    becomes("the end of its time", &right, "lastcall_session_ends_total{outcome=\"expired\"}", 1.0).await;
    eventually("the entry to go", || async { redis.keys("session:*").await.is_empty().then_some(()) }).await;

    // Moved there and back, it lives on: an hour is no idle time.
    let patient = [("SESSION_TTL", "10m"), ("PRESENCE_LINGER", "100ms")];
    let (right, fast) =
        (pod("user-1", &redis, &patient).await, pod_with_a_fast_clock("user-2", &redis, &patient).await);
    let person = right.person().visit().await;
    let session = id(&person).await;
    let there = person.at(&fast.http);
    let stream = there.events().await;
    owned_by(&redis, &session, "user-2").await;
    drop(stream);
    eventually("the way back", || async { (person.session().await["pod"] == "user-1").then_some(()) }).await;
    assert_eq!(id(&person).await, session);
    assert_eq!(ended(&fast, "expired").await, 0.0);
}
