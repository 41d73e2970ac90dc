//! A page whose session has work in progress when the pod drains: it is not signed out before that work is done.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::get;
use futures_util::StreamExt as _;
use lastcall::{Lastcall, Listeners, PodName, Session, Signal};
use serde_json::json;
use test_support::{Browser, Person, eventually};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::{RECORD, sees, shown};

/// What the page sends to screen readers.
const LISTEN: &str = "window.said = [];
    const announcer = document.querySelector('lastcall-banner').shadowRoot.getElementById('announcer');
    new MutationObserver(() => window.said.push(announcer.textContent)).observe(announcer, { childList: true });";

/// Reads a download to its end.
const DOWNLOAD: &str = "fetch('/download/page').then((answer) => answer.text());";

/// An app with downloads that go on until the test ends them.
struct App {
    lastcall: Lastcall,
    address: String,
    signals: mpsc::UnboundedSender<Signal>,
    finished: Arc<Semaphore>,
    server: JoinHandle<()>,
}

impl App {
    async fn start(drain_timeout: Duration, task_grace: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let finished = Arc::new(Semaphore::new(0));
        let lastcall = Lastcall::builder(PodName::new("app").unwrap())
            .config(|config| (config.policy.drain_timeout, config.policy.task_grace) = (drain_timeout, task_grace))
            .config(|config| config.policy.propagation_wait = Duration::from_secs(3600))
            .build();
        let app = Router::new()
            .route("/", get(page))
            .route("/download/{name}", get(download))
            .with_state(Arc::clone(&finished));
        let (signals, mut sent) = mpsc::unbounded_channel();
        let signal_stream = futures_util::stream::poll_fn(move |context| sent.poll_recv(context));
        let service = lastcall.clone();
        let server = tokio::spawn(async move {
            service.serve(app, Listeners::http(listener), signal_stream).await.unwrap();
        });
        Self { lastcall, address, signals, finished, server }
    }

    fn metric(&self, name: &str) -> f64 {
        test_support::metric(&self.lastcall.render_metrics(), name).unwrap()
    }

    /// Waits until as many sessions are protected.
    async fn protects(&self, sessions: f64) {
        let reached = || async { (self.metric("lastcall_sessions_protected") == sessions).then_some(()) };
        eventually("protected sessions", reached).await;
    }

    fn finish_download(&self) {
        self.finished.add_permits(1);
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn page(_session: Session) -> Html<&'static str> {
    Html(
        "<!doctype html><html lang=en><head><title>Files</title><script src=/assets/lastcall.js defer></script></head>
         <body><h1>Files</h1></body></html>",
    )
}

/// 20 KiB/s. That of the page ends when the test says so.
async fn download(_session: Session, Path(name): Path<String>, State(finished): State<Arc<Semaphore>>) -> Body {
    let pieces = futures_util::stream::unfold((name, finished), async |(name, finished)| {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if name == "page" && finished.try_acquire().map(|permit| permit.forget()).is_ok() {
            return None;
        }
        Some((Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 2048])), (name, finished)))
    });
    Body::from_stream(pieces)
}

#[tokio::test]
async fn a_page_with_work_in_progress_is_not_signed_out_at_the_deadline_but_when_the_work_is_done() {
    let app = App::start(Duration::from_secs(15), Duration::from_secs(600)).await;
    // The work of another user, which keeps the pod waiting all the time.
    let other = Person::new(&app.address).visit().await;
    let mut endless = other.get("/download/endless").await.bytes_stream();
    let _read = tokio::spawn(async move { while endless.next().await.is_some() {} });
    let idle = Person::new(&app.address).visit().await;
    let mut idle_events = idle.events().await;

    // The first tab has the stream. Behind the second one it is hidden.
    let browser = Browser::open().await;
    for tab in 0..2 {
        if tab > 0 {
            browser.new_tab().await;
        }
        browser.before_each_page(RECORD).await;
        browser.go(&format!("http://{}/", app.address)).await;
        let connected = || async { (browser.run("return heard.includes('connected')").await == true).then_some(()) };
        eventually("a stream", connected).await;
        browser.run(LISTEN).await;
    }
    app.signals.send(Signal::Term).unwrap();
    sees(&browser, "drain-until", "You will be signed out at ").await;
    assert!(shown(&browser, "drain-until").await.as_str().unwrap().ends_with("M."));

    // Work that begins after the notice; it stalls, and goes on.
    browser.run("document.querySelector('script').dataset.work = 'Download'").await;
    for _ in 0..2 {
        browser.run(DOWNLOAD).await;
        sees(&browser, "drain-until", "Download still running: it will be finished. You will be signed out after")
            .await;
        sees(&browser, "drain-message", "Server shutting down in 6").await;
        app.finish_download();
        sees(&browser, "drain-until", "You will be signed out at ").await;
    }
    let said = browser.run("return said").await;
    assert_eq!(said[1], "Download still running: it will be finished.");
    assert!(said[2].as_str().unwrap().starts_with("Server shutting down in "), "{said}");
    assert_eq!(said.as_array().unwrap().len(), 3, "each is announced once: {said}");
    assert_eq!(browser.run("return heard").await, json!(["connected", "drain", "drain", "drain", "drain", "drain"]));
    browser.run(DOWNLOAD).await;
    sees(&browser, "drain-until", "Download still running").await;

    assert_eq!(idle_events.next_named("session-ended").await.data["reason"], "forced", "the deadline");
    for (tab, work) in [(0, "Your work in progress will be finished."), (1, "Download still running")] {
        browser.switch_to(tab).await;
        sees(&browser, "drain-until", work).await;
        assert_eq!(browser.run("return heard.includes('leaving')").await, false);
    }
    app.protects(2.0).await;

    app.finish_download();
    for tab in 0..2 {
        browser.switch_to(tab).await;
        sees(&browser, "drain-over-text", "you were signed out, as announced").await;
    }
    assert_eq!(app.metric("lastcall_session_ends_total{outcome=\"auto_logout\"}"), 1.0, "by the page itself");
    assert_eq!(app.metric("forced_logouts_total"), 1.0, "the idle one");
}

#[tokio::test]
async fn without_a_grace_the_page_says_that_work_will_be_cut_off_and_does_not_cut_it_early() {
    let app = App::start(Duration::from_secs(5), Duration::ZERO).await;
    let browser = Browser::open().await;
    browser.languages("de-DE").await;
    browser.before_each_page(RECORD).await;
    browser.go(&format!("http://{}/", app.address)).await;
    browser.run(DOWNLOAD).await;
    app.protects(1.0).await;
    app.signals.send(Signal::Term).unwrap();
    sees(
        &browser,
        "drain-until",
        "Ihre Arbeit läuft noch: Was bis zum Ablauf der Zeit nicht fertig ist, wird abgebrochen.",
    )
    .await;
    sees(&browser, "drain-over-text", "Die Zeit ist um").await;
    assert_eq!(browser.run("return heard.includes('leaving')").await, false, "the page did not sign out by itself");
    assert_eq!(app.metric("forced_logouts_total"), 1.0);
    assert_eq!(app.metric("lastcall_requests_cut_total"), 1.0);
}
