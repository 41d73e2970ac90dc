//! An app of a few pages in this process, whose maintenance the test switches.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use lastcall::{Lastcall, Listeners, PodName, Session};
use test_support::{HTMX, TURBO};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A service worker that keeps the first answer of `/session` and gives it ever after, whatever the answer says of caches.
const WORKER: &str = "
    addEventListener('install', () => skipWaiting());
    addEventListener('activate', (event) => event.waitUntil(clients.claim()));
    addEventListener('fetch', (event) => {
        if (new URL(event.request.url).pathname !== '/session') return;
        event.respondWith(caches.open('pages').then(async (cache) => {
            const kept = await cache.match('/session');
            if (kept) return kept;
            const answer = await fetch(event.request);
            await cache.put('/session', answer.clone());
            return answer;
        }));
    });";

/// A running app. Gone when dropped.
pub(crate) struct App {
    address: String,
    maintenance: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl App {
    /// Starts it. Its pages are `/plain/…`, `/turbo/…` and `/htmx/…`, where `one` and `two` lead to each other; `own` before the
    /// name (`/own-turbo/one`) gives them a banner of their own.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (maintenance, switch) = watch::channel(false);
        let script = |text: &'static str| get(async move || ([("content-type", "text/javascript")], text));
        let files = Router::new()
            .route("/turbo.js", script(TURBO))
            .route("/htmx.js", script(HTMX))
            .route("/worker.js", script(WORKER));
        let app = Router::new().route("/{kind}/{page}", get(page));
        let lastcall = Lastcall::builder(PodName::new("app").unwrap())
            .drain_timeout(Duration::from_secs(600))
            .untracked(files)
            .maintenance(switch)
            .build();
        let server = tokio::spawn(async move {
            lastcall.serve(app, Listeners::http(listener), tokio_stream::pending()).await.unwrap();
        });
        Self { address, maintenance, server }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn maintenance(&self, on: bool) {
        self.maintenance.send(on).unwrap();
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn page(_session: Session, Path((kind, page)): Path<(String, String)>) -> impl IntoResponse {
    let (own, kind) = kind.strip_prefix("own-").map_or((false, kind.as_str()), |kind| (true, kind));
    let (title, other) = if page == "one" { ("One", "two") } else { ("Two", "one") };
    let framework = if kind == "plain" { String::new() } else { format!("<script src=/{kind}.js defer></script>") };
    let banner = "<div id=drain-banner hidden><p id=drain-message></p><span id=countdown></span></div><p id=reprieve hidden></p>";
    Html(format!(
        "<!doctype html><html lang=en><head><title>{title}</title>{framework}
         <script src=/assets/lastcall.js defer></script></head>
         <body hx-boost=true>{}<h1>{title}</h1><a id=go href={other}>Go</a></body></html>",
        if own { banner } else { "" }
    ))
}
