//! Upgraded connections that an app serves itself, with a WebSocket library of its own.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::{SinkExt as _, StreamExt as _};
use http::StatusCode;
use http::header::{CONNECTION, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use lastcall::{Lastcall, PodName, Session, Signal, TunnelGuard};
use test_support::{Person, eventually, metric};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use crate::own_server::{serve, start};

struct App {
    lastcall: Lastcall,
    signals: mpsc::UnboundedSender<Signal>,
    maintenance: watch::Sender<bool>,
    person: Person,
    server: tokio::task::JoinHandle<()>,
}

async fn app(drain_timeout: Duration) -> App {
    let (maintenance, switch) = watch::channel(false);
    let lastcall = Lastcall::builder(PodName::new("tunnels").unwrap())
        .config(|config| {
            config.policy.drain_timeout = drain_timeout;
            config.policy.propagation_wait = Duration::from_secs(1);
        })
        .maintenance(switch)
        .build();
    let signals = start(&lastcall);
    let routes = Router::new()
        .route("/", get(async |session: Session| session.user().to_string()))
        .route("/echo", get(echo))
        .layer(lastcall.layer())
        .merge(lastcall.routes());
    let (address, server) = serve(&lastcall, routes).await;
    let person = Person::new(&address);
    App { lastcall, signals, maintenance, person, server }
}

/// Sends back what comes, and closes when Lastcall says so.
async fn echo(guard: TunnelGuard, mut request: Request) -> Response {
    let upgrade = request.extensions_mut().remove::<OnUpgrade>().unwrap();
    tokio::spawn(async move {
        let upgraded = TokioIo::new(upgrade.await.unwrap());
        let mut socket = WebSocketStream::from_raw_socket(upgraded, Role::Server, None).await;
        let closing = guard.closing();
        tokio::pin!(closing);
        loop {
            tokio::select! {
                code = &mut closing => {
                    let frame = CloseFrame { code: code.into(), reason: "".into() };
                    socket.close(Some(frame)).await.unwrap();
                    while let Some(Ok(_)) = socket.next().await {}
                    return;
                }
                message = socket.next() => match message {
                    Some(Ok(message)) if message.is_text() => socket.send(message).await.unwrap(),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                },
            }
        }
    });
    (StatusCode::SWITCHING_PROTOCOLS, [(CONNECTION, "upgrade"), (UPGRADE, "websocket")]).into_response()
}

impl App {
    fn metric(&self, name: &str) -> f64 {
        metric(&self.lastcall.render_metrics(), name).unwrap()
    }

    /// A user without a session.
    fn stranger(&self) -> Person {
        let request = self.person.request("/").build().unwrap();
        Person::new(&format!("127.0.0.1:{}", request.url().port().unwrap()))
    }
}

#[tokio::test]
async fn a_tunnel_keeps_its_session_present_and_a_logout_closes_it_but_not_one_without_a_session() {
    let app = app(Duration::from_secs(60)).await;
    let person = app.person.clone().visit().await;
    let (mut socket, mut other) = (person.websocket("/echo").await, app.stranger().websocket("/echo").await);
    socket.send("there").await;
    assert_eq!(socket.text().await, "there");
    assert_eq!(app.metric("lastcall_websocket_connections"), 2.0);
    assert_eq!((app.metric("lastcall_sessions_present"), app.metric("total_logins")), (1.0, 1.0));
    person.post("/logout").send().await.unwrap();
    assert_eq!(socket.close_code().await, Some(1001));
    other.send("still there").await;
    assert_eq!(other.text().await, "still there");
    drop((socket, other));
    eventually("both to be gone", || async { (app.metric("lastcall_websocket_connections") == 0.0).then_some(()) })
        .await;
}

#[tokio::test]
async fn a_shutdown_closes_tunnels_with_1012_and_maintenance_with_1001_whether_they_have_a_session_or_not() {
    for (shuts_down, code) in [(true, 1012), (false, 1001)] {
        let app = app(Duration::from_secs(2)).await;
        let mut own = app.person.clone().visit().await.websocket("/echo").await;
        let mut other = app.stranger().websocket("/echo").await;
        match shuts_down {
            true => app.signals.send(Signal::Term).unwrap(),
            false => app.maintenance.send(true).unwrap(),
        }
        let told_at = Instant::now();
        assert_eq!(own.close_code().await, Some(code));
        assert!(told_at.elapsed() > Duration::from_secs(1), "only in the last moments of the countdown");
        assert_eq!(other.close_code().await, Some(code));
        app.server.abort();
        app.lastcall.finish().await.unwrap();
    }
}
