//! A page that is not ours includes one tag. Whatever happens, what was typed into it stays, and nobody is led away.

use serde_json::json;
use test_support::{Browser, Person, Process, Signal, eventually, metric};

/// The example, running on a port of its own.
struct Embedded {
    process: Process,
    address: String,
}

impl Embedded {
    /// Starts it; a drain takes so many seconds. `more`: `stay`, and nobody is signed out before the end.
    async fn start(seconds: u32, more: &[&str]) -> Self {
        // Examples are built into the neighbouring folder of that of the tests.
        let here = std::env::current_exe().unwrap();
        let binary = here.parent().unwrap().parent().unwrap().join("examples/embed");
        let seconds = seconds.to_string();
        let process = Process::start(binary, &[&["127.0.0.1:0", &seconds], more].concat(), &[]);
        let line = process.line("http://").await;
        let address = line.split("http://").nth(1).unwrap().split(',').next().unwrap().to_owned();
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

#[tokio::test]
async fn at_the_end_of_a_countdown_it_is_signed_out_where_it_is() {
    let page = Embedded::start(12, &[]).await;
    let browser = Browser::open().await;
    page.fill(&browser).await;
    assert_eq!(shown(&browser, "drain-banner").await, json!(null));
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "Server shutting down in 12s. Please save your work and logout.").await;
    sees(&browser, "countdown", "s").await;
    assert_eq!(shown(&browser, "leave-now").await, "Logout Now");
    assert_eq!(shown(&browser, "stay-here").await, json!(null), "browsers leave by themselves here");
    assert_eq!(browser.focused().await, "remarks", "the banner takes no focus");
    browser.screenshot("foreign-page").await;
    sees(&browser, "drain-over-text", "you were signed out, as announced. What you entered on this page is still here")
        .await;
    nothing_is_lost(&browser, &page).await;
    assert_eq!(browser.title().await, "Travel expenses");
    let posted = browser.run("return asked.filter(([method]) => method !== 'GET')").await;
    assert_eq!(posted, json!([["POST", "/logout?reason=drain", true]]));
    assert_eq!(browser.run("return heard").await, json!(["connected", "drain", "leaving", "left"]));
    assert_eq!(page.metric("graceful_logouts_total").await, 1.0);
    assert_eq!(page.metric("lastcall_session_ends_total{outcome=\"auto_logout\"}").await, 1.0);
    browser.screenshot("foreign-page-signed-out").await;
    click(&browser, "drain-hide").await;
    assert_eq!(shown(&browser, "drain-over").await, json!(null));
}

#[tokio::test]
async fn its_button_signs_out_and_a_page_may_prevent_that() {
    let page = Embedded::start(3600, &["stay"]).await;
    let browser = Browser::open().await;
    page.fill(&browser).await;
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "Server").await;
    browser.run("addEventListener('lastcall:leaving', (event) => event.preventDefault(), { once: true })").await;
    click(&browser, "leave-now").await;
    assert_eq!(browser.run("return heard").await, json!(["connected", "drain", "leaving"]));
    assert_eq!(page.metric("active_sessions_total").await, 1.0);
    click(&browser, "leave-now").await;
    sees(&browser, "drain-over-text", "You are signed out.").await;
    nothing_is_lost(&browser, &page).await;
    assert_eq!(page.metric("lastcall_session_ends_total{outcome=\"logout\"}").await, 1.0);
}

#[tokio::test]
async fn a_server_that_does_not_answer_signs_nobody_out_and_the_banner_says_so() {
    let page = Embedded::start(3600, &["stay"]).await;
    let browser = Browser::open().await;
    page.fill(&browser).await;
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "Server").await;
    browser
        .run("const asked = window.fetch; window.fetch = async () => { window.fetch = asked; throw new TypeError(); }")
        .await;
    click(&browser, "leave-now").await;
    sees(&browser, "drain-problem", "you are still signed in").await;
    click(&browser, "leave-now").await;
    sees(&browser, "drain-over-text", "You are signed out.").await;
    nothing_is_lost(&browser, &page).await;
}

#[tokio::test]
async fn the_banner_gives_room_to_what_one_is_at_and_is_accessible() {
    let page = Embedded::start(3600, &["stay"]).await;
    let browser = Browser::open().await;
    page.fill(&browser).await;
    browser.emulate(false, 390, 640).await;
    // What has the focus stands at the very top of the screen: where the banner will be.
    browser
        .run("document.getElementById('amount').focus(); document.activeElement.scrollIntoView({ block: 'start' })")
        .await;
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "Server").await;
    let covered = "const arriving = document.querySelector('lastcall-banner').shadowRoot.getAnimations();
        await Promise.all(arriving.map((animation) => animation.finished));
        const top = document.activeElement.getBoundingClientRect().top;
        const banner = document.querySelector('lastcall-banner').shadowRoot.getElementById('drain-banner');
        return [document.activeElement.id, top >= banner.getBoundingClientRect().bottom]";
    assert_eq!(browser.run(covered).await, json!(["amount", true]));
    let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.run(wide).await, 0);
    browser.screenshot("foreign-page-phone").await;
    browser.passes_axe().await;
    for dark in [false, true] {
        browser.emulate(dark, 1100, 800).await;
        browser.passes_axe().await;
    }

    click(&browser, "stay-here").await;
    assert_eq!(shown(&browser, "drain-message").await, json!(null));
    sees(&browser, "countdown", "s").await;
    browser.passes_axe().await;
    browser.screenshot("foreign-page-quiet").await;
    nothing_is_lost(&browser, &page).await;
}
