//! An app that takes the library in: its own login, its own paths where Lastcall has some, nested routers, its own server.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use lastcall::{CookieName, Lastcall, PodName, Refusal, RoutePrefix, Session, Signal, UserName};
use test_support::{Person, eventually, metric};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What the hooks were told.
type Calls = Arc<Mutex<Vec<String>>>;

/// An app with a server of its own.
struct Adopted {
    address: String,
    lastcall: Lastcall,
    signals: mpsc::UnboundedSender<Signal>,
    calls: Calls,
    server: JoinHandle<std::io::Result<()>>,
}

async fn page(session: Session) -> String {
    session.user().to_string()
}

async fn own_login(session: Session) -> Result<Response, Refusal> {
    let signed_in = session.sign_in(UserName::from_input("ada")).await?;
    Ok((signed_in, Redirect::to("/")).into_response())
}

async fn own_logout(session: Session) -> Response {
    (session.sign_out().await, "the app's goodbye").into_response()
}

async fn greeting(State(words): State<&'static str>, session: Session) -> String {
    format!("{words} {}", session.user())
}

fn app() -> Router {
    let api = Router::new().route("/logout", get(greeting)).route("/events", get(greeting)).with_state("hello");
    Router::new()
        .route("/", get(page))
        .route("/login", post(own_login))
        .route("/logout", post(own_logout))
        .route("/events", get(async |_: Session| "the app's events"))
        .route("/metrics", get(async || "the app's metrics"))
        .route("/_lastcall/assets/lastcall-theme.css", get(page))
        .nest("/api", api)
}

/// `around` puts the layer around the app and merges the own routes, in the order that a test is about.
async fn start(around: impl FnOnce(&Lastcall, Router) -> Router) -> Adopted {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let calls = Calls::default();
    let (logins, ends) = (Arc::clone(&calls), Arc::clone(&calls));
    let lastcall = Lastcall::builder(PodName::new("adopted").unwrap())
        .config(|config| config.policy.propagation_wait = std::time::Duration::ZERO)
        .route_prefix(RoutePrefix::new("/_lastcall").unwrap())
        .session_cookie(CookieName::new("app_session").unwrap())
        .metrics_route(false)
        .on_login(move |login| {
            let replaces = if login.replaces.is_some() { ", again" } else { "" };
            logins.lock().unwrap().push(format!("login of {}{replaces}", login.user));
        })
        .on_end(move |end| ends.lock().unwrap().push(format!("{:?} of {}", end.outcome, end.user)))
        .build();
    let (signals, mut received) = mpsc::unbounded_channel();
    lastcall.start(futures_util::stream::poll_fn(move |context| received.poll_recv(context))).unwrap();
    let app = around(&lastcall, app());
    let drained = lastcall.drained();
    let server = tokio::spawn(async move { axum::serve(listener, app).with_graceful_shutdown(drained).await });
    Adopted { address, lastcall, signals, calls, server }
}

impl Adopted {
    fn person(&self) -> Person {
        Person::new(&self.address)
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

async fn head(person: &Person, path: &str) -> reqwest::Response {
    let (client, request) = person.request(path).build_split();
    let mut request = request.unwrap();
    *request.method_mut() = reqwest::Method::HEAD;
    client.execute(request).await.unwrap()
}

fn after(lastcall: &Lastcall, app: Router) -> Router {
    app.layer(lastcall.layer()).merge(lastcall.routes())
}

fn before(lastcall: &Lastcall, app: Router) -> Router {
    app.merge(lastcall.routes()).layer(lastcall.layer())
}

#[tokio::test]
async fn an_app_keeps_its_own_paths_and_has_its_own_login_and_logout() {
    for around in [after as fn(&Lastcall, Router) -> Router, before] {
        let app = start(around).await;
        let person = app.person();
        assert_eq!(person.text("/").await, "anonymous");
        assert_eq!(person.text("/metrics").await, "the app's metrics");
        assert_eq!(person.text("/events").await, "the app's events");
        assert_eq!(person.text("/_lastcall/assets/lastcall-theme.css").await, "anonymous", "no script of Lastcall's");
        assert_eq!(person.status(&app.lastcall.script_path()).await, 200);
        let answer = person.post("/login").send().await.unwrap();
        assert!(answer.headers()["set-cookie"].to_str().unwrap().starts_with("app_session="));
        assert_eq!(person.text("/api/logout").await, "hello ada");
        assert_eq!(person.text("/api/events").await, "hello ada");
        let own = person.get("/_lastcall/session").await;
        assert_eq!(own.status(), 200);
        assert_eq!(person.post("/logout").send().await.unwrap().text().await.unwrap(), "the app's goodbye");
        assert_eq!(person.get("/_lastcall/session").await.status(), 401);
        assert_eq!(app.calls(), ["login of anonymous", "login of ada, again", "Logout of ada"]);
    }
}

#[tokio::test]
async fn own_routes_answer_behind_the_layer_and_before_it_as_ever() {
    for around in [after as fn(&Lastcall, Router) -> Router, before] {
        let app = start(around).await;
        let person = app.person();
        person.text("/").await;
        let mut notices = app.lastcall.notices();
        assert!(notices.current().is_none());
        let stay = person.get("/_lastcall/events").await;
        app.signals.send(Signal::Term).unwrap();
        assert_eq!(notices.started().await.reason, "shutdown");
        let stranger = app.person();
        assert_eq!(stranger.status("/").await, 503);
        assert_eq!(stranger.status("/health").await, 200, "a probe is no newcomer");
        assert_eq!(stranger.get("/_lastcall/session").await.status(), 401);
        assert_eq!(person.post("/_lastcall/logout").send().await.unwrap().status(), 200);
        drop(stay);
        app.server.await.unwrap().unwrap();
        app.lastcall.finish().await.unwrap();
        app.lastcall.finish().await.unwrap();
        let calls = app.calls.lock().unwrap().clone();
        assert_eq!(
            calls.iter().filter(|line| line.contains(" of ") && !line.starts_with("login")).count(),
            1,
            "{calls:?}"
        );
        let numbers = app.lastcall.render_metrics();
        assert_eq!(metric(&numbers, "graceful_logouts_total"), Some(1.0), "{numbers}");
    }
}

#[tokio::test]
async fn the_head_of_an_event_stream_opens_none_and_a_head_of_the_session_marks_no_session_as_notified() {
    let app = start(after).await;
    let person = app.person();
    person.text("/").await;
    let _stream = person.get("/_lastcall/events").await;
    let answer = head(&person, "/_lastcall/events").await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"text/event-stream".parse().unwrap())
    );
    let other = app.person();
    other.text("/").await;
    app.signals.send(Signal::Term).unwrap();
    app.lastcall.notices().started().await;
    let notified = || metric(&app.lastcall.render_metrics(), "drain_notifications_sent");
    eventually("the open stream is notified", async || (notified() == Some(1.0)).then_some(())).await;
    assert_eq!(head(&other, "/_lastcall/session").await.status(), 200);
    assert_eq!(notified(), Some(1.0));
    assert_eq!(other.get("/_lastcall/session").await.status(), 200);
    assert_eq!(notified(), Some(2.0));
}

#[tokio::test]
async fn an_app_keeps_its_own_probes_and_can_ask_whether_the_pod_is_ready() {
    let (maintenance, switch) = tokio::sync::watch::channel(false);
    let lastcall = Lastcall::builder(PodName::new("adopted").unwrap()).maintenance(switch).probes_route(false).build();
    let (asked, listener) = (lastcall.clone(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = listener.local_addr().unwrap().to_string();
    let app = Router::new()
        .route("/health", get(async || "the app is well"))
        .route("/ready", get(async move || asked.is_ready().to_string()));
    for around in [after as fn(&Lastcall, Router) -> Router, before] {
        let _ = around(&lastcall, app.clone());
    }
    let app = before(&lastcall, app);
    lastcall.start(futures_util::stream::pending()).unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let person = Person::new(&address);
    assert_eq!(person.text("/health").await, "the app is well");
    assert_eq!(person.text("/ready").await, "true");
    assert_eq!(person.status("/healthz").await, 404);
    maintenance.send_replace(true);
    eventually("the maintenance", async || (!lastcall.is_ready()).then_some(())).await;
}

#[tokio::test]
async fn an_app_records_metrics_by_the_version_of_the_crate_that_lastcall_has() {
    let lastcall = Lastcall::builder(PodName::new("adopted").unwrap()).build();
    lastcall::metrics::with_local_recorder(&lastcall.recorder(), || {
        lastcall::metrics::counter!("mails_total").increment(2);
    });
    assert_eq!(metric(&lastcall.render_metrics(), "mails_total"), Some(2.0));
}
