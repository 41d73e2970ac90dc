//! Maintenance in front of an app.

use test_support::eventually;

use super::in_front_of_url;
use super::sessions::{navigate, sets_cookie};
use super::tunnels::{App, visitor};
use crate::switch::Switch;

#[tokio::test]
async fn users_reach_the_app_until_the_deadline_and_newcomers_get_the_page_until_maintenance_is_over() {
    let (app, switch) = (App::start().await, Switch::new("false"));
    let options = [&[("DRAIN_TIMEOUT", "3s")], &switch.options()[..]].concat();
    let pod = in_front_of_url(&app.url(), &options).await;
    let (person, stranger) = (visitor(&pod).await, pod.person());
    let mut stream = test_support::Events::new(person.get("/_lastcall/events").await);
    let (mut own, mut other) = (person.websocket("/echo").await, stranger.websocket("/echo").await);

    switch.set("true");
    assert_eq!(stream.next_named("drain").await.data["reason"], "maintenance");
    let page = navigate(&person, "/").await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("/_lastcall/assets/lastcall.js"));
    own.send("at work").await;
    assert_eq!(own.text().await, "at work");
    let newcomer = navigate(&stranger, "/").await;
    assert_eq!((newcomer.status().as_u16(), sets_cookie(&newcomer)), (503, false));
    assert_eq!(newcomer.headers()["retry-after"], "1800");
    assert_eq!(newcomer.headers()["cache-control"], "no-store");
    assert!(newcomer.text().await.unwrap().contains("<h1>We'll be back soon</h1>"));
    let untracked = stranger.post("/api").send().await.unwrap();
    assert_eq!(untracked.status(), 503);
    assert_eq!(untracked.headers()["content-type"], "application/problem+json");

    assert_eq!((own.close_code().await, other.close_code().await), (Some(1001), Some(1001)));
    assert_eq!(stream.next_named("session-ended").await.data["reason"], "forced");
    let late = navigate(&person, "/").await;
    assert_eq!((late.status().as_u16(), sets_cookie(&late)), (503, false), "after the deadline");

    switch.set("false");
    let served = || async {
        let page = navigate(&person, "/").await;
        (page.status() == 200 && sets_cookie(&page)).then_some(())
    };
    eventually("a new session", served).await;
}
