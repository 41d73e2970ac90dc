//! The script in pages of an app: over HTTP, and in a browser.

mod app;
mod front;
mod windows;

use futures_util::StreamExt as _;
use serde_json::json;
use test_support::{Browser, TEST_TIMEOUT, eventually};

use self::front::Front;

const TAG: &str = "<script src=\"/_lastcall/assets/lastcall.js\" defer></script>";
const ACCEPT: (&str, &str) = ("accept", "text/html");

/// The body and the fields of an answer to a navigation.
async fn open(front: &Front, path: &str, fields: &[(&str, &str)]) -> (reqwest::header::HeaderMap, String) {
    let request = front.person().request(path).header(ACCEPT.0, ACCEPT.1).timeout(TEST_TIMEOUT);
    let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let answer = request.send().await.unwrap();
    (answer.headers().clone(), answer.text().await.unwrap())
}

#[tokio::test]
async fn pages_get_the_script_and_those_that_cannot_are_counted() {
    let front = Front::start(true).await;
    let asked = [
        ("range", "bytes=0-9"),
        ("if-range", "\"v1\""),
        ("if-none-match", "W/\"v1\""),
        ("accept-encoding", "gzip, deflate, br, zstd, dcb"),
    ];
    let (fields, page) = open(&front, "/plain", &asked).await;
    assert!(page.contains(&format!("<head>{TAG}<title>Plain</title>")), "{page}");
    assert_eq!(fields["etag"], "W/\"v1\"");
    assert_eq!(fields["vary"], "Sec-Fetch-Mode, Accept");
    for gone in ["content-length", "accept-ranges", "digest"] {
        assert!(!fields.contains_key(gone), "{fields:?}");
    }
    let received = front.app.last_request.borrow().clone();
    for line in ["if-none-match: \"v1\"\n", "accept-encoding: gzip, deflate, br, zstd\n"] {
        assert!(received.contains(line), "{line} in {received}");
    }
    assert!(!received.contains("range"), "{received}");

    let head = reqwest::Client::new().head(front.url("/plain")).header(ACCEPT.0, ACCEPT.1).send().await.unwrap();
    assert_eq!(head.headers()["etag"], "W/\"v1\"");
    assert!(!head.headers().contains_key("content-length"), "{:?}", head.headers());
    let (fields, _) = open(&front, "/plain-again", &[("if-none-match", "W/\"v1\"")]).await;
    assert_eq!(fields["etag"], "W/\"v1\"");
    assert!(open(&front, "/missing", &[]).await.1.contains(TAG));
    let (fields, page) = open(&front, "/plain", &[("sec-fetch-mode", "cors")]).await;
    assert_eq!((page.contains(TAG), &fields["etag"].to_str().unwrap()), (false, &"\"v1\""), "an answer to fetch");
    assert_eq!(fields["vary"], "Sec-Fetch-Mode, Accept", "a cache keeps both apart");
    for (path, reason) in [
        ("/compressed", "coding"),
        ("/utf-16", "charset"),
        ("/part", "partial"),
        ("/download", "download"),
        ("/strict", "policy"),
        ("/fragment", "fragment"),
    ] {
        let (_, page) = open(&front, path, &[]).await;
        assert!(!page.contains("lastcall"), "{path}: {page}");
        assert!((front.pages_without_notice(reason).await - 1.0).abs() < f64::EPSILON, "{reason}");
    }
}

#[tokio::test]
async fn without_the_script_pages_stay_as_they_are() {
    let front = Front::start(false).await;
    let (fields, page) = open(&front, "/plain", &[("range", "bytes=0-9")]).await;
    assert_eq!((page.contains(TAG), fields["etag"].to_str().unwrap()), (false, "\"v1\""));
    assert!(front.app.last_request.borrow().contains("range: bytes=0-9\n"));
}

/// Each part is sent only when the one before has arrived.
#[tokio::test]
async fn a_slow_page_arrives_part_by_part() {
    let front = Front::start(true).await;
    let answer = front.person().request("/slow").header(ACCEPT.0, ACCEPT.1).send();
    let parts = ["<!doc", "type html>", "<html><he", "ad>", "<", "p>a", "</p>"];
    front.app.slow.send(parts[0]).unwrap();
    let mut page = answer.await.unwrap().bytes_stream();
    let mut received = String::new();
    let mut sent = parts[0].to_owned();
    for next in &parts[1..] {
        let expected = sent.replace("<head>", &format!("<head>{TAG}"));
        // What may be the place of the script waits for what decides.
        let expected = expected.strip_suffix("<html><he").unwrap_or(&expected);
        while received.len() < expected.len() {
            let part = tokio::time::timeout(TEST_TIMEOUT, page.next()).await.expect(expected).unwrap().unwrap();
            received.push_str(&String::from_utf8_lossy(&part));
        }
        assert!(received.starts_with(expected), "{received}");
        front.app.slow.send(next).unwrap();
        sent.push_str(next);
    }
}

/// Counts how often the script starts, and how often the notice is shown.
const COUNT: &str = "
    window.shown = 0;
    addEventListener('lastcall:drain', () => (window.shown += 1));
    window.streams = 0;
    const Source = window.EventSource;
    window.EventSource = class extends Source { constructor(...what) { super(...what); window.streams += 1; } };";

/// How many banners are visible, and how many elements of the script there are.
const BANNERS: &str = "
    const hosts = [...document.querySelectorAll('lastcall-banner')];
    const banners = hosts.map((host) => host.shadowRoot.getElementById('drain-banner'));
    return [banners.filter((banner) => banner?.checkVisibility()).length, hosts.length]";

async fn sees(browser: &Browser, what: &str, script: &str, wanted: serde_json::Value) {
    eventually(what, || async { (browser.run(script).await == wanted).then_some(()) }).await;
}

/// Whether the first frame shows a banner.
const BANNER_IN_FRAME: &str = "
    const host = frames[0]?.document.querySelector('lastcall-banner');
    return host?.shadowRoot.getElementById('drain-banner')?.checkVisibility() ?? false";

/// Whether the banner's button is what a click at its middle meets.
const BUTTON_IS_ON_TOP: &str = "
    const { shadowRoot } = document.querySelector('lastcall-banner');
    const button = [...shadowRoot.querySelectorAll('button')].find((button) => button.checkVisibility());
    const { x, y, width, height } = button.getBoundingClientRect();
    const banner = shadowRoot.getElementById('drain-banner').getBoundingClientRect();
    return shadowRoot.elementFromPoint(x + width / 2, y + height / 2) === button && width > 20 && height > 10
        && banner.width > innerWidth / 2 && banner.height < innerHeight / 4 && banner.top >= 0 && banner.top < 20";

#[tokio::test]
async fn pages_of_an_app_show_the_banner_whatever_they_do() {
    let front = Front::start(true).await;
    let browser = Browser::open().await;
    browser.before_each_page(COUNT).await;
    browser.go(&front.url("/nonce")).await;
    sees(&browser, "a stream", "return window.lastcall !== undefined && streams === 1", json!(true)).await;
    front.notify();
    sees(&browser, "the banner of a page with a nonce", BANNERS, json!([1, 1])).await;
    for path in ["/packed", "/dark", "/grid"] {
        browser.go(&front.url(path)).await;
        sees(&browser, path, BANNERS, json!([1, 1])).await;
        sees(&browser, path, BUTTON_IS_ON_TOP, json!(true)).await;
        browser.screenshot(&format!("foreign-page{}", path.replace('/', "-"))).await;
    }
    // The script runs once, though Turbo and htmx load further pages with the same tag.
    for kind in ["turbo", "htmx"] {
        browser.go(&front.url(&format!("/{kind}/One"))).await;
        sees(&browser, kind, BANNERS, json!([1, 1])).await;
        browser.run("window.sameDocument = true").await;
        for title in ["Two", "One"] {
            browser.click("#go").await;
            browser.reads("h1", title).await;
            sees(&browser, kind, BANNERS, json!([1, 1])).await;
        }
        assert_eq!(browser.run("return [window.sameDocument, streams <= 1]").await, json!([true, true]), "{kind}");
    }
    // One banner, though the page in the frame has the script too.
    browser.go(&front.url("/frames")).await;
    sees(&browser, "the notice in the frame", "return frames[0].shown > 0", json!(true)).await;
    sees(&browser, "the banner of the page around", BANNERS, json!([1, 1])).await;
    assert_eq!(browser.run(BANNER_IN_FRAME).await, false);
    browser.go(&front.url("/frameset")).await;
    sees(&browser, "the banner of a page in a frameset, which has no place for one", BANNER_IN_FRAME, json!(true))
        .await;

    assert!(front.pages_without_notice("blocked").await.abs() < f64::EPSILON);
    browser.go(&front.url("/meta")).await;
    eventually("the report of a page that may not connect", || async {
        (front.pages_without_notice("blocked").await > 0.0).then_some(())
    })
    .await;
    browser.reads("h1", "Meta").await;
}
