//! WebSockets of an app that has a server of its own.

use std::time::{Duration, Instant};

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use lastcall::{Lastcall, PodName, Session, Signal, WebSocket, WebSocketMessage, WebSocketUpgrade};
use test_support::{Person, eventually, metric};
use tokio::sync::mpsc;

use crate::own_server::{serve, start};

struct App {
    lastcall: Lastcall,
    signals: mpsc::UnboundedSender<Signal>,
    person: Person,
    server: tokio::task::JoinHandle<()>,
}

async fn app(drain_timeout: Duration) -> App {
    let mut config = lastcall::Config::new(PodName::new("sockets").unwrap());
    config.policy.drain_timeout = drain_timeout;
    config.policy.propagation_wait = Duration::ZERO;
    let lastcall = Lastcall::builder(config.pod.clone()).with_config(config).build();
    let signals = start(&lastcall);
    let routes = Router::new()
        .route("/", get(async |session: Session| session.user().to_string()))
        .route(
            "/echo",
            get(async |session: Session, upgrade: WebSocketUpgrade| -> Response {
                session.websocket(upgrade.max_message_size(1_000), echo).await
            }),
        )
        .route(
            "/busy",
            get(async |session: Session, upgrade: WebSocketUpgrade| -> Response {
                session.websocket(upgrade.protocols(["b", "a"]), busy).await
            }),
        )
        .route(
            "/flood",
            get(async |session: Session, upgrade: WebSocketUpgrade| -> Response {
                session.websocket(upgrade, flood).await
            }),
        )
        .layer(lastcall.layer())
        .merge(lastcall.routes());
    let (address, server) = serve(&lastcall, routes).await;
    let person = Person::new(&address);
    App { lastcall, signals, person, server }
}

/// Sends back what comes, says what is notified, and does what it is told to.
async fn echo(mut socket: WebSocket) {
    let mut notices = socket.notices();
    loop {
        tokio::select! {
            message = socket.recv() => match message {
                Some(WebSocketMessage::Text(text)) if text.as_str() == "panic" => panic!("as it was told to"),
                Some(WebSocketMessage::Text(text)) if text.as_str() == "return" => return,
                Some(WebSocketMessage::Text(text)) if text.as_str() == "close" => return socket.close(4321, "so").await,
                Some(message) => socket.send(message).await.unwrap(),
                None => return,
            },
            notice = notices.changed(), if !notices.has_ended() => {
                _ = socket.send(notice.map_or("over", |notice| notice.reason)).await;
            }
        }
    }
}

/// Keeps its WebSocket, and never looks at it.
async fn busy(socket: WebSocket) {
    std::future::pending::<()>().await;
    drop(socket);
}

async fn flood(socket: WebSocket) {
    while socket.send("x".repeat(100_000)).await.is_ok() {}
}

impl App {
    async fn open(&self) -> f64 {
        metric(&self.lastcall.render_metrics(), "lastcall_websocket_connections").unwrap()
    }
}

#[tokio::test]
async fn a_handler_receives_sends_and_ends_its_websocket_and_a_panic_ends_nothing_else() {
    let app = app(Duration::from_secs(60)).await;
    let person = app.person.clone().visit().await;
    let mut socket = person.websocket("/echo").await;
    socket.send("h\u{e9}llo").await;
    assert_eq!(socket.text().await, "h\u{e9}llo");
    assert_eq!(app.open().await, 1.0);
    for (told, code) in [("return", 1000), ("close", 4321), ("panic", 1011)] {
        let mut socket = person.websocket("/echo").await;
        socket.send(told).await;
        assert_eq!(socket.close_code().await, Some(code), "{told}");
    }
    socket.send("x".repeat(1_001)).await;
    assert_eq!(socket.close_code().await, Some(1009));
    eventually("all to be closed", || async { (app.open().await == 0.0).then_some(()) }).await;
    let chosen = person.opening("/busy").header("sec-websocket-protocol", "a, c").send().await.unwrap();
    assert_eq!(chosen.headers()["sec-websocket-protocol"], "a");
    assert_eq!(person.get("/echo").await.status(), 426);
}

/// The address of the app.
fn host(app: &App) -> String {
    let request = app.person.request("/").build().unwrap();
    format!("127.0.0.1:{}", request.url().port().unwrap())
}

#[tokio::test]
async fn a_drain_is_told_by_handlers_that_look_and_closes_all_before_the_service_ends() {
    let app = app(Duration::from_secs(2)).await;
    let (looks, busy) = (app.person.clone().visit().await, Person::new(&host(&app)).visit().await);
    let mut looking = looks.websocket("/echo").await;
    looking.send("there").await;
    assert_eq!(looking.text().await, "there");
    let mut unaware = busy.websocket("/busy").await;
    app.signals.send(Signal::Term).unwrap();
    assert_eq!(looking.text().await, "shutdown");
    let notified = metric(&app.lastcall.render_metrics(), "drain_notifications_sent").unwrap();
    assert_eq!(notified, 1.0, "nobody told the user of the busy handler");
    let started = Instant::now();
    assert_eq!((looking.close_code().await, unaware.close_code().await), (Some(1012), Some(1012)));
    app.server.await.unwrap();
    app.lastcall.finish().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(10), "a handler that never returns holds up nothing");
}

#[tokio::test]
async fn a_client_that_never_reads_is_disconnected() {
    let app = app(Duration::from_secs(60)).await;
    let person = app.person.clone().visit().await;
    let _unread = person.websocket("/flood").await;
    assert_eq!(app.open().await, 1.0);
    eventually("the end", || async { (app.open().await == 0.0).then_some(()) }).await;
}
