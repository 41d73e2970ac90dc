//! An app's page that includes the script by one tag. In every case typed text stays, and the page is never replaced.

mod app;
mod axum_serve;
mod choices;
mod drain;
mod endless;
mod place;
mod protected;
mod restored;
mod tabs;

use test_support::{Browser, Person, Process, eventually, metric};

use crate::example;

/// The example, running on a port of its own.
struct Embedded {
    process: Process,
    address: String,
}

impl Embedded {
    /// Starts it; a drain takes so many seconds. `more`: with `stay` no page signs out before the end.
    async fn start(seconds: u32, more: &[&str]) -> Self {
        let (process, address) = example("embed", &[&["127.0.0.1:0", &seconds.to_string()], more].concat()).await;
        Self { process, address }
    }

    async fn metric(&self, series: &str) -> f64 {
        metric(&Person::new(&self.address).text("/metrics").await, series).unwrap()
    }

    /// Opens its page, fills in some of the form, and waits until the script has its stream.
    async fn fill(&self, browser: &Browser) {
        browser.before_each_page(RECORD).await;
        browser.go(&format!("http://{}/", self.address)).await;
        browser.write("#purpose", "A visit").await;
        browser.click("#receipt").await;
        browser.write("#remarks", "half a sen").await;
        eventually("a stream", || async {
            (browser.run("return heard.includes('connected')").await == true).then_some(())
        })
        .await;
    }
}

/// Writes down what the page is told, and what it asks for.
const RECORD: &str = "
    window.heard = [];
    for (const name of ['connected', 'drain', 'drain-cancelled', 'leaving', 'left', 'leave-failed', 'session-ended'])
        addEventListener(`lastcall:${name}`, () => heard.push(name));
    window.asked = [];
    const fetched = window.fetch;
    window.fetch = (url, options = {}) => {
        asked.push([options.method ?? 'GET', String(url), options.keepalive ?? false]);
        return fetched(url, options);
    };";

/// A part of the banner in its shadow root: its text where it is shown, else null.
async fn shown(browser: &Browser, id: &str) -> serde_json::Value {
    let script = format!(
        "const part = document.querySelector('lastcall-banner').shadowRoot.getElementById('{id}');
         return part?.checkVisibility() ? part.innerText : null"
    );
    browser.run(&script).await
}

async fn sees(browser: &Browser, id: &str, text: &str) {
    let look = || async { shown(browser, id).await.as_str()?.contains(text).then_some(()) };
    eventually(&format!("{text:?} in #{id}"), look).await;
}

async fn click(browser: &Browser, id: &str) {
    let script = format!("document.querySelector('lastcall-banner').shadowRoot.getElementById('{id}').click()");
    browser.run(&script).await;
}

/// Asserts that the page is the one that was loaded first, with everything that was typed.
async fn nothing_is_lost(browser: &Browser, page: &Embedded) {
    assert_eq!(browser.url().await, format!("http://{}/", page.address));
    assert_eq!(browser.value("#purpose").await, "A visit");
    assert_eq!(browser.value("#remarks").await, "half a sen");
    assert_eq!(browser.run("return document.getElementById('receipt').checked").await, true);
    assert_eq!(browser.run("return heard[0]").await, "connected", "the page was never loaded again");
}
