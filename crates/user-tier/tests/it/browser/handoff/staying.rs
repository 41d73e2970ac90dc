//! A proxy that sticks by cookie whatever readiness says: the page stays, and its banner offers to move.

use test_support::{Browser, Haproxy, Signal};

use super::recorder::{count, moved};
use super::{Pods, SLOTS, open_page};

/// Sends each browser to the pod of its cookie until an operator takes the pod out.
async fn sticky() -> Haproxy {
    let servers: String =
        (0..SLOTS).map(|slot| format!("    server s{slot} 127.0.0.1:1 cookie s{slot} check inter 200ms disabled\n")).collect();
    Haproxy::with(|address| {
        format!(
            "defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
frontend service
    bind {address}
    default_backend pods
backend pods
    balance roundrobin
    cookie route insert indirect nocache
    option redispatch
    option httpchk GET /health
{servers}"
        )
    })
    .await
}

#[tokio::test]
async fn a_page_that_a_proxy_keeps_where_it_is_shows_a_banner_that_moves_it() {
    let mut pods = Pods::start(sticky().await, &[("HANDOFF_QUIET", "2s"), ("DRAIN_TIMEOUT", "60s")]).await;
    let browser = Browser::open().await;
    open_page(&browser, &pods).await;
    browser.write("#notes", "half a sen").await;
    let name = browser.text("#pod").await;
    let (mut pod, slot) = pods.running.remove(&name).unwrap();
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    let message = browser.reads("#drain-message", "You stay").await;
    let seconds = browser.run("return parseInt(document.getElementById('countdown').textContent)").await;
    assert!(message.starts_with("Server restarting in ") && seconds.as_u64().unwrap() > 40, "{message} {seconds}");
    assert!(message.ends_with("s. You stay signed in. Please save your work."), "{message}");
    browser.reads("#drain-until", "This page continues on another server at").await;
    assert_eq!(browser.text("#leave-now button").await, "Move Now");
    assert_eq!(browser.focused().await, "notes");
    assert_eq!(browser.text("#connection").await, "Live");
    for (width, height) in [(1180, 577), (390, 780), (320, 256)] {
        browser.emulate(false, width, height).await;
        browser.screenshot(&format!("handoff-staying-{width}")).await;
    }
    browser.passes_axe().await;
    browser.emulate(false, 1100, 800).await;
    browser.click("#leave-now button").await;
    browser.reads("#drain-problem", "could not move yet. You stay signed in").await;
    browser.screenshot("handoff-not-moved").await;
    assert!(browser.shows("#drain-banner").await, "it stays");
    assert_eq!(browser.text("#leave-now button").await, "Move Now");
    assert_eq!(browser.text("#connection").await, "Live");
    // Asked every two seconds, each time with one attempt.
    let [moving, streams] =
        [count(&browser, "moving").await, browser.run("return record.streams.length").await.as_u64().unwrap()];
    assert!(streams <= 8 + moving, "{streams} streams for {moving} requests");
    assert_eq!([count(&browser, "state").await, count(&browser, "moved").await], [0, 0]);

    // Now the proxy lets go.
    pods.haproxy.free(slot).await;
    browser.click("#leave-now button").await;
    let next = moved(&browser, &name).await;
    assert_ne!(next, name);
    assert!(!browser.shows("#drain-banner").await && !browser.shows("#reprieve").await);
    assert_eq!(browser.value("#notes").await, "half a sen");
    assert_eq!(browser.focused().await, "notes");
    assert!(pod.wait().await.success());
    assert_eq!(pods.sum("active_sessions_total").await, 1.0);
    assert!(pod.drain_log().iter().any(|line| line.contains("Sending drain notification to 1 user")));
}

#[tokio::test]
async fn the_banner_of_a_page_that_stays_speaks_german_and_goes_on_at_the_deadline() {
    let mut pods = Pods::start(sticky().await, &[("HANDOFF_QUIET", "1s"), ("DRAIN_TIMEOUT", "8s")]).await;
    let browser = Browser::open().await;
    let german = "document.addEventListener('DOMContentLoaded', () => document.querySelector('script[data-session]').dataset.lang = 'de')";
    browser.before_each_page(german).await;
    open_page(&browser, &pods).await;
    let name = browser.text("#pod").await;
    let (mut pod, slot) = pods.running.remove(&name).unwrap();
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    let message = browser.reads("#drain-message", "Server").await;
    assert!(message.starts_with("Der Server wird in "), "{message}");
    assert!(
        message.ends_with("s neu gestartet. Sie bleiben angemeldet. Bitte speichern Sie Ihre Arbeit."),
        "{message}"
    );
    assert_eq!(browser.text("#leave-now button").await, "Jetzt wechseln");
    browser.screenshot("handoff-staying-german").await;
    assert!(pod.wait().await.success());
    pods.haproxy.free(slot).await;
    assert_ne!(moved(&browser, &name).await, name);
    browser.reads("#connection", "Live").await;
    assert!(!browser.shows("#drain-banner").await && !browser.shows("#drain-over").await);
    browser.reads("#user", "ada").await;
}
