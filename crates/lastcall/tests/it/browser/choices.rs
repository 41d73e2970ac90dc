//! What a page may choose on the tag.

use serde_json::json;
use test_support::{Browser, Signal, eventually};

use super::{Embedded, sees, shown};

/// Sets an attribute of the tag before the script reads it.
fn choose(name: &str, value: &str) -> String {
    format!(
        "document.addEventListener('DOMContentLoaded', () => {{
             document.querySelector('script[src*=lastcall]').dataset.{name} = '{value}';
         }})"
    )
}

#[tokio::test]
async fn a_page_chooses_its_language() {
    let page = Embedded::start(3600, &["stay"]).await;
    let browser = Browser::open().await;
    browser.before_each_page(&choose("lang", "de")).await;
    page.fill(&browser).await;
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "heruntergefahren").await;
    assert_eq!(shown(&browser, "leave-now").await, "Jetzt abmelden");
    assert!(browser.title().await.starts_with("noch "), "{}", browser.title().await);
}

#[tokio::test]
async fn a_page_that_draws_everything_itself_is_told_and_nothing_is_shown() {
    let page = Embedded::start(6, &[]).await;
    let browser = Browser::open().await;
    browser.before_each_page(&choose("banner", "none")).await;
    page.fill(&browser).await;
    browser
        .run(
            "window.titles = new Set();
             addEventListener('lastcall:drain', () => setInterval(() => titles.add(document.title), 20))",
        )
        .await;
    page.process.signal(Signal::SIGTERM);
    let left = || async { (browser.run("return heard.at(-1)").await == "left").then_some(()) };
    eventually("the sign-out", left).await;
    assert_eq!(browser.run("return [...titles]").await, json!(["Travel expenses"]));
    let said = "return document.querySelector('lastcall-banner').shadowRoot.getElementById('announcer').textContent";
    assert_eq!(browser.run(said).await, "");
    assert_eq!(shown(&browser, "drain-banner").await, json!(null));
}
