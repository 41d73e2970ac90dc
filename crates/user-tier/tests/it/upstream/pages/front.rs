//! Lastcall in front of an app, in this process: the script in pages, and nothing else of the proxy.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use lastcall::{Lastcall, Listeners, PodName, Refusal, RoutePrefix, Session};
use reqwest::Client;
use reqwest::redirect::Policy;
use test_support::{Person, metric};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use upstream::page::PageScript;
use user_tier::upstream::pages;

use super::app::App;

/// A running service and its app. Gone when dropped.
pub(super) struct Front {
    pub(super) app: App,
    http: String,
    maintenance: watch::Sender<bool>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Proxy {
    script: Option<PageScript>,
    app: String,
    client: Client,
}

impl Front {
    /// Starts both; `injects`: pages get the script.
    pub(super) async fn start(injects: bool) -> Self {
        let app = App::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = listener.local_addr().unwrap().to_string();
        let (maintenance, switch) = watch::channel(false);
        let lastcall = Lastcall::builder(PodName::new("app").unwrap())
            .drain_timeout(Duration::from_secs(3600))
            .route_prefix(RoutePrefix::new("/_lastcall").unwrap())
            .maintenance(switch)
            .config(|config| config.page_reports = true)
            .build();
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let proxy = Proxy { script: injects.then(|| pages::script(&lastcall)), app: app.url.clone(), client };
        let router = Router::new().fallback(pass_on).with_state(proxy);
        let server = tokio::spawn(async move {
            lastcall.serve(router, Listeners::http(listener), tokio_stream::pending()).await.unwrap();
        });
        Self { app, http, maintenance, server }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    pub(super) fn person(&self) -> Person {
        Person::new(&self.http)
    }

    /// How many pages had no notice for this reason.
    pub(super) async fn pages_without_notice(&self, reason: &str) -> f64 {
        let series = format!("lastcall_pages_without_notice_total{{reason=\"{reason}\"}}");
        metric(&self.person().text("/metrics").await, &series).unwrap()
    }

    /// Begins a countdown of an hour.
    pub(super) fn notify(&self) {
        self.maintenance.send(true).unwrap();
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Navigations start a session.
async fn pass_on(State(proxy): State<Proxy>, session: Result<Session, Refusal>, request: Request) -> Response {
    drop(session);
    let (mut head, body) = request.into_parts();
    let expected = proxy.script.as_ref().map(|script| script.on_request(&mut head));
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let request = proxy.client.request(head.method, format!("{}{}", proxy.app, head.uri)).headers(head.headers);
    let mut answer = Response::from(request.body(body).send().await.unwrap()).map(Body::new);
    answer.headers_mut().remove("transfer-encoding");
    match (proxy.script, expected) {
        (Some(script), Some(expected)) => script.on_response(&expected, answer).map(Body::new),
        _ => answer,
    }
}
