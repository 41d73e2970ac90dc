//! Computers that sleep while a countdown runs, as processes that are stopped.

use test_support::{Browser, Signal, UserPod, eventually};

use super::{counts_truly, sign_in};
use crate::pod;

/// The monotonic clock stands still from `sleep()` on, as it does while a computer sleeps, and continues from there at `wake()`.
const CLOCK_THAT_STOPS: &str = "
    const now = performance.now.bind(performance);
    let stopped = null;
    let lost = 0;
    performance.now = () => (stopped ?? now()) - lost;
    window.sleep = () => (stopped = now());
    window.wake = () => {
        lost += now() - stopped;
        stopped = null;
    };";

/// Waits until the countdown has run for some seconds.
async fn some_seconds(pod: &UserPod) {
    let remaining = || pod.drain_log().iter().filter(|line| line.contains("remaining")).count();
    eventually("three seconds of the countdown", || async { (remaining() >= 3).then_some(()) }).await;
}

#[tokio::test]
async fn a_computer_that_wakes_during_a_countdown_shows_the_time_left() {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "before the nap").await;
    browser.signal_renderers(Signal::SIGSTOP);
    pod.signal(Signal::SIGTERM);
    some_seconds(&pod).await;
    browser.signal_renderers(Signal::SIGCONT);
    browser.sees("#drain-banner").await;
    counts_truly(&browser).await;
    assert_eq!(browser.value("#notes").await, "before the nap");
}

#[tokio::test]
async fn a_computer_whose_clock_stopped_while_it_slept_asks_the_server_when_it_wakes() {
    // No heartbeat corrects it meanwhile.
    let pod = pod(&[("DRAIN_TIMEOUT", "10m"), ("HEARTBEAT_INTERVAL", "1h")]).await;
    let browser = Browser::open().await;
    browser.before_each_page(CLOCK_THAT_STOPS).await;
    sign_in(&browser, &pod, "ada").await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    counts_truly(&browser).await;
    browser.run("window.sleep()").await;
    browser.signal_renderers(Signal::SIGSTOP);
    some_seconds(&pod).await;
    browser.signal_renderers(Signal::SIGCONT);
    browser.run("window.wake()").await;
    counts_truly(&browser).await;
}

#[tokio::test]
async fn a_page_that_sleeps_past_the_deadline_shows_the_notes_and_what_happened() {
    let pod = pod(&[("DRAIN_TIMEOUT", "4s"), ("PROPAGATION_WAIT", "1h")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "before the nap").await;
    browser.signal_renderers(Signal::SIGSTOP);
    pod.signal(Signal::SIGTERM);
    pod.line("Force-closing 1 remaining session").await;
    browser.signal_renderers(Signal::SIGCONT);
    browser.sees("#ended-message").await;
    assert_eq!(browser.value("#notes").await, "before the nap");
    assert_eq!(pod.metric("forced_logouts_total").await, 1.0);
}
