//! Sessions in front of an app that two pods share.

use test_support::{RawApp, Redis, Signal, UserPod, eventually};

use super::sessions::{navigate, session, sets_cookie};
use super::tunnels::{App, visitor};
use super::{answer, metric};
use crate::{BINARY, QUICK};

/// A pod in front of an app, with short waits and a store.
async fn pod(name: &str, app: &str, redis: &Redis, options: &[(&str, &str)]) -> UserPod {
    let url = redis.url();
    let fixed = [
        ("UPSTREAM_URL", app),
        ("METRICS_ADDR", "127.0.0.1:0"),
        ("PROBE_ADDR", "127.0.0.1:0"),
        ("REDIS_URL", url.as_str()),
        ("SESSION_KEY", "0123456789abcdef0123456789abcdef"),
    ];
    UserPod::start(BINARY, name, &[&QUICK[..], &fixed, options].concat()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tunnels_of_owners_and_guests_end_with_1012_at_drains_and_once_at_a_handoff() {
    let (app, redis) = (App::start().await, Redis::start().await);
    let handoff = [
        ("HANDOFF", "on"),
        ("HANDOFF_DELAY", "300ms"),
        ("HANDOFF_QUIET", "1s"),
        ("DRAIN_TIMEOUT", "8s"),
        ("PRESENCE_LINGER", "0s"),
    ];
    let mut owner = pod("owner", &app.url(), &redis, &handoff).await;
    let mut guest = pod("guest", &app.url(), &redis, &[]).await;
    let other = pod("other", &app.url(), &redis, &handoff).await;
    let person = visitor(&owner).await;
    let (at_guest, at_other) = (person.at(&guest.http), person.at(&other.http));
    let mut own = person.websocket("/chatter").await;
    let mut guests = at_guest.websocket("/chatter").await;
    assert_eq!(session(&at_guest).await.unwrap()["pod"], "owner", "the WebSocket holds the session");
    for (pod, present) in [(&owner, 1.0), (&guest, 0.0)] {
        assert_eq!(metric(pod, "lastcall_websocket_connections").await, 1.0);
        assert_eq!(metric(pod, "lastcall_sessions_present").await, present);
    }

    guest.signal(Signal::SIGTERM);
    assert_eq!(guests.close_code().await, Some(1012), "at the end of the guest's pod");
    assert!(guest.wait().await.success());
    assert_eq!(session(&person).await.unwrap()["pod"], "owner", "the session stays");

    let mut guests = at_other.websocket("/chatter").await;
    owner.signal(Signal::SIGTERM);
    assert_eq!(own.close_code().await, Some(1012), "asked to move");
    assert_eq!(guests.close_code().await, Some(1012), "its session is adopted when it comes back");
    let mut moved = at_other.websocket("/echo").await;
    assert_eq!(session(&at_other).await.unwrap()["pod"], "other");
    // The client that does not find the other pod stays here, and is not asked again.
    let mut back = person.websocket("/echo").await;
    back.send("still here").await;
    assert_eq!(back.text().await, "still here");
    assert_eq!(metric(&owner, "lastcall_session_ends_total{outcome=\"moved\"}").await, 1.0);
    assert_eq!(back.close_code().await, Some(1012), "the end of the process");
    assert!(owner.wait().await.success());
    moved.send("moved").await;
    assert_eq!(moved.text().await, "moved");
    let codes = app.close_codes(4).await;
    assert_eq!(codes, [1012; 4], "of the clients: the one that has moved is open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_is_served_while_the_store_is_away_and_no_session_is_replaced() {
    let app = RawApp::start(|request, _| match request.split(' ').nth(1).unwrap_or_default() {
        "/out" => answer("Lastcall-Logout: 1\r\n", ""),
        "/name" => answer("Lastcall-User: eve\r\n", ""),
        _ => answer("", "page"),
    })
    .await;
    let mut redis = Redis::start().await;
    let (first, second) = (pod("user-1", &app.url, &redis, &[]).await, pod("user-2", &app.url, &redis, &[]).await);
    let (person, leaving) = (first.person(), first.person());
    navigate(&person, "/").await;
    navigate(&leaving, "/").await;
    let there = person.at(&second.http);
    let tracked = || app.last().contains("\r\nlastcall-session: ");
    let keeps_session = async |what: &str| {
        for answered in [navigate(&there, "/name").await, there.post("/name").send().await.unwrap()] {
            assert_eq!((answered.status().as_u16(), sets_cookie(&answered)), (200, false), "{what}");
            let got = app.last();
            assert!(!tracked() && !got.contains("lastcall_session"), "{what}: {got}");
        }
        let of_ours = there.request("/_lastcall/session").send().await.unwrap();
        assert_eq!((of_ours.status().as_u16(), sets_cookie(&of_ours)), (503, false), "{what}");
        navigate(&person, "/").await;
        assert!(tracked(), "{what}: the pod that holds the session knows it");
        let newcomer = second.person();
        assert!(sets_cookie(&navigate(&newcomer, "/").await), "{what}: a session starts where there is none");
        navigate(&newcomer, "/").await;
        assert!(tracked(), "{what}: of the newcomer");
    };
    let comes_back = async |what: &str| {
        let known = || async {
            navigate(&there, "/").await;
            tracked().then_some(())
        };
        eventually(what, known).await;
    };

    redis.signal(Signal::SIGSTOP);
    keeps_session("a store that hangs").await;
    let out = leaving.at(&second.http).get("/out").await;
    assert!(sets_cookie(&out), "the app's logout takes the cookie away");
    redis.signal(Signal::SIGCONT);
    comes_back("the session after the store had hung").await;
    let ended = || async { session(&leaving).await.is_none().then_some(()) };
    eventually("the logout to reach the pod that holds the session", ended).await;
    let logged = || second.log().iter().filter(|line| line.contains("cannot be looked up")).count();
    assert_eq!(logged(), 1, "one line an outage");
    assert!(metric(&second, "lastcall_requests_unresolved_total").await >= 3.0);

    redis.kill().await;
    keeps_session("a store that was killed").await;
    redis.start_again().await;
    comes_back("the session after the store had come back empty").await;
    assert_eq!(session(&person).await.unwrap()["user"], "anonymous", "no name of a request without a session");
}
