//! The page in a real browser: a user types, the pod drains, and no text is lost. One file for each scenario.

mod away;
mod chat;
mod countdown;
mod handoff;
mod maintenance;
mod notes;
mod people;
mod released;
mod saving;
mod sleep;
mod tabs;
mod waiting;
mod work;

use test_support::{Browser, UserPod, eventually};

/// The notes that the browser keeps for a user's name.
async fn kept(browser: &Browser, user: &str) -> serde_json::Value {
    browser.run(&format!("return localStorage.getItem('lastcall.notes:{user}')")).await
}

async fn sign_in(browser: &Browser, pod: &UserPod, user: &str) {
    browser.go(&pod.url("/")).await;
    browser.write("#name", user).await;
    browser.click("#name-form button").await;
    browser.reads("#user", user).await;
    browser.reads("#connection", "Live").await;
}

/// What the countdown shows.
async fn countdown(browser: &Browser) -> u64 {
    let text = browser.reads("#countdown", "s").await;
    text.strip_suffix('s').unwrap_or_else(|| panic!("{text:?}")).parse().unwrap()
}

/// Waits until page and server agree on the time left, read one after the other within the duration of the reads. Returns
/// the page's value.
async fn counts_truly(browser: &Browser) -> u64 {
    let ask = "return (await (await fetch('session')).json()).drain.remaining_ms";
    eventually("a true countdown", || async {
        let before = countdown(browser).await;
        let truth = browser.run(ask).await.as_u64().unwrap().div_ceil(1_000);
        let after = countdown(browser).await;
        (after <= truth && truth <= before + 1).then_some(after)
    })
    .await
}

/// How many event streams the pod has open.
async fn streams(pod: &UserPod) -> f64 {
    pod.metric("lastcall_event_streams").await
}
