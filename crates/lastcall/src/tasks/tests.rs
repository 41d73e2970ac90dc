//! Tasks over HTTP and in Rust, in process.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use axum::routing::{get, post};
use http::header::{LOCATION, SET_COOKIE};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use session_domain::lifecycle::Signal;
use session_domain::{PodName, TaskOutcome, Timestamp};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tower::ServiceExt as _;

use crate::{Config, Lastcall, RoutePrefix, Session, Task};

struct Service {
    lastcall: Lastcall,
    router: Router,
    signals: mpsc::UnboundedSender<Signal>,
}

fn service(change: impl FnOnce(&mut Config)) -> Service {
    let lastcall = Lastcall::builder(PodName::new("user-1").unwrap()).config(change).build();
    let router = Router::new()
        .route("/", get(async |_: Session| "page"))
        .route(
            "/panic",
            post(async |session: Session| -> &'static str {
                let _task = session.task("export", "").unwrap();
                panic!("the handler fails")
            }),
        )
        .layer(lastcall.layer())
        .merge(lastcall.routes());
    let (signals, received) = mpsc::unbounded_channel();
    lastcall.start(UnboundedReceiverStream::new(received)).unwrap();
    Service { lastcall, router, signals }
}

impl Service {
    async fn ask(&self, method: &str, path: &str, cookie: &str, body: impl Into<Body>) -> Response {
        let request = Request::builder().method(method).uri(path).header("cookie", cookie);
        self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap()
    }

    async fn visit(&self) -> String {
        let request = Request::get("/").header("accept", "text/html").body(Body::empty()).unwrap();
        let page = self.router.clone().oneshot(request).await.unwrap();
        page.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    async fn begin(&self, cookie: &str, body: &str) -> Value {
        let response = self.ask("POST", "/tasks", cookie, body.to_owned()).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        document(response).await
    }

    fn metric(&self, series: &str) -> f64 {
        let text = self.lastcall.render_metrics();
        text.lines().find_map(|line| line.strip_prefix(&format!("{series} "))).unwrap().parse().unwrap()
    }

    fn counts(&self) -> [f64; 4] {
        let ended = |outcome| self.metric(&format!("lastcall_tasks_total{{outcome=\"{outcome}\"}}"));
        [self.metric("lastcall_tasks_active"), ended("done"), ended("lapsed"), ended("cut")]
    }
}

async fn document(response: Response) -> Value {
    serde_json::from_slice(&to_bytes(response.into_body(), 100_000).await.unwrap()).unwrap()
}

fn time(task: &Value) -> Timestamp {
    Timestamp::parse(task["lease_until"].as_str().unwrap()).unwrap()
}

/// Waits until a condition holds. Time is paused: it costs none.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{what} never holds");
}

#[tokio::test(start_paused = true)]
async fn a_task_begins_is_renewed_and_ends_over_http() {
    let service = service(|_| {});
    assert_eq!(service.counts(), [0.0; 4]);
    let cookie = service.visit().await;
    let body = r#"{"kind": "export", "label": "June", "lease_seconds": 100}"#;
    let begun = service.ask("POST", "/tasks", &cookie, body).await;
    assert_eq!(begun.status(), StatusCode::CREATED);
    let location = begun.headers()[LOCATION].to_str().unwrap().to_owned();
    let task = document(begun).await;
    assert_eq!(location, format!("/tasks/{}", task["task_id"].as_str().unwrap()));
    assert_eq!((&task["kind"], &task["label"], &task["progress"]), (&json!("export"), &json!("June"), &Value::Null));
    let renewed = service.ask("PUT", &location, &cookie, r#"{"progress": 0.25}"#).await;
    assert_eq!(renewed.status(), StatusCode::OK);
    let renewed = document(renewed).await;
    assert_eq!((&renewed["task_id"], &renewed["progress"]), (&task["task_id"], &json!(0.25)));
    assert!(time(&renewed) >= time(&task));
    let shorter = document(service.ask("PUT", &location, &cookie, r#"{"lease_seconds": 10}"#).await).await;
    assert!(time(&shorter) < time(&task) && shorter["progress"] == json!(0.25), "{shorter}");
    assert_eq!(service.counts(), [1.0, 0.0, 0.0, 0.0]);
    for _ in 0..2 {
        let ended = service.ask("DELETE", &location, &cookie, Body::empty()).await;
        assert_eq!(ended.status(), StatusCode::NO_CONTENT);
        assert_eq!(service.ask("PUT", &location, &cookie, "").await.status(), StatusCode::NOT_FOUND);
    }
    assert_eq!(service.counts(), [0.0, 1.0, 0.0, 0.0]);
    // Everything has a default.
    let task = service.begin(&cookie, "").await;
    assert_eq!((&task["kind"], &task["label"]), (&json!(""), &json!("")));
    tokio::time::sleep(Duration::from_millis(59_900)).await;
    assert_eq!(service.counts(), [1.0, 1.0, 0.0, 0.0]);
    until("the lease is over", || service.counts() == [0.0, 1.0, 1.0, 0.0]).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_about_a_task_that_cannot_be_served_says_why_and_changes_nothing() {
    let service = service(|_| {});
    let (cookie, other) = (service.visit().await, service.visit().await);
    let task = service.begin(&cookie, "{}").await;
    let own = format!("/tasks/{}", task["task_id"].as_str().unwrap());
    let unknown = "/tasks/00000000-0000-4000-8000-000000000000";
    let long = format!(r#"{{"kind": "{}"}}"#, "x".repeat(65));
    let huge = format!(r#"{{"label": "{}"}}"#, "x".repeat(20_000));
    for (method, path, cookie, body, status, says) in [
        ("POST", "/tasks", "", "{}", 401, "No session"),
        ("PUT", own.as_str(), "", "{}", 401, "No session"),
        ("DELETE", own.as_str(), "", "", 401, "No session"),
        ("POST", "/tasks", &cookie, "{", 422, "JSON object"),
        ("POST", "/tasks", &cookie, r#"["export"]"#, 422, "JSON object"),
        ("POST", "/tasks", &cookie, r#"{"kind": 5}"#, 422, "`kind`"),
        ("POST", "/tasks", &cookie, &long, 422, "64 characters"),
        ("POST", "/tasks", &cookie, &huge, 413, "16 KiB"),
        ("POST", "/tasks", &cookie, r#"{"lease_seconds": 31536000}"#, 422, "1 to 3600"),
        ("POST", "/tasks", &cookie, r#"{"lease_seconds": 0}"#, 422, "1 to 3600"),
        ("PUT", &own, &cookie, r#"{"progress": 1.5}"#, 422, "0 to 1"),
        ("PUT", &own, &cookie, r#"{"progress": NaN}"#, 422, "JSON object"),
        ("PUT", &own, &other, r#"{"progress": 0.5}"#, 404, "no such task"),
        ("PUT", unknown, &cookie, r#"{"progress": 0.5}"#, 404, "no such task"),
        ("PUT", "/tasks/%ff", &cookie, "{}", 404, "no such task"),
        ("GET", "/tasks", &cookie, "", 405, "this method"),
        ("POST", &own, &cookie, "", 405, "this method"),
    ] {
        let response = service.ask(method, path, cookie, body.to_owned()).await;
        assert_eq!(response.status().as_u16(), status, "{method} {path} {body:.40}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert!(!response.headers().contains_key(SET_COOKIE), "a session started");
        let problem = document(response).await.to_string();
        assert!(problem.contains(says), "{problem}");
    }
    // Another session's task goes on, and nobody learns that it exists.
    assert_eq!(service.ask("DELETE", &own, &other, Body::empty()).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(service.counts(), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(service.metric("total_logins"), 2.0);
}

#[tokio::test]
async fn ten_thousand_requests_for_tasks_begin_a_hundred_a_session() {
    let service = service(|_| {});
    let (cookie, other) = (service.visit().await, service.visit().await);
    let mut statuses = BTreeMap::<u16, u32>::new();
    for _ in 0..10_000 {
        let response = service.ask("POST", "/tasks", &cookie, Body::empty()).await;
        *statuses.entry(response.status().as_u16()).or_default() += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(201, 100), (429, 9_900)]));
    service.begin(&other, "{}").await;
    assert_eq!(service.counts()[0], 101.0);
}

#[tokio::test(start_paused = true)]
async fn the_address_of_a_task_is_below_the_prefix_of_the_routes() {
    let service = service(|config| config.route_prefix = RoutePrefix::new("/_lastcall").unwrap());
    let cookie = service.visit().await;
    let begun = service.ask("POST", "/_lastcall/tasks", &cookie, "{}").await;
    let location = begun.headers()[LOCATION].to_str().unwrap().to_owned();
    assert!(location.starts_with("/_lastcall/tasks/"), "{location}");
    assert_eq!(service.ask("DELETE", &location, &cookie, "").await.status(), StatusCode::NO_CONTENT);
    assert_eq!(service.counts(), [0.0, 1.0, 0.0, 0.0]);
}

#[tokio::test(start_paused = true)]
async fn a_logout_cuts_tasks_with_a_lease_and_a_login_takes_them_along() {
    let service = service(|_| {});
    let cookie = service.visit().await;
    let task = service.begin(&cookie, "{}").await;
    let path = format!("/tasks/{}", task["task_id"].as_str().unwrap());
    let login = Request::post("/login").header("cookie", &cookie);
    let login = login.header("content-type", "application/x-www-form-urlencoded").body(Body::from("user=ada")).unwrap();
    let login = service.router.clone().oneshot(login).await.unwrap();
    let renamed = login.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(service.ask("PUT", &path, &cookie, "{}").await.status(), StatusCode::CONFLICT, "the old id");
    assert_eq!(service.ask("PUT", &path, &renamed, "{}").await.status(), StatusCode::OK);
    assert_eq!(service.ask("POST", "/logout", &renamed, "").await.status(), StatusCode::OK);
    assert_eq!(service.counts(), [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(service.ask("POST", "/tasks", &renamed, "{}").await.status(), StatusCode::CONFLICT);
}

/// The guard of a task of the only session.
fn task(service: &Service) -> Task {
    let state = service.lastcall.state();
    let live = state.registry.all_sessions().remove(0);
    Task::begin(state, &crate::sessions::ServedSession::Own(live), session_domain::TaskName::new("job", "").unwrap())
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_task_in_rust_ends_when_it_is_dropped_also_by_a_handler_that_panics() {
    let service = service(|_| {});
    let cookie = service.visit().await;
    let request = Request::post("/panic").header("cookie", &cookie).body(Body::empty()).unwrap();
    let panicked = tokio::spawn(service.router.clone().oneshot(request)).await;
    assert!(panicked.is_err() && service.counts() == [0.0, 1.0, 0.0, 0.0]);
    let task = task(&service);
    task.set_progress(7.0);
    assert_eq!(service.lastcall.state().registry.all_sessions()[0].tasks()[0].progress, Some(1.0));
    let path = format!("/tasks/{}", task.id());
    assert_eq!(service.ask("PUT", &path, &cookie, "{}").await.status(), StatusCode::NOT_FOUND, "it has no lease");
    service.ask("DELETE", &path, &cookie, "").await;
    service.ask("POST", "/logout", &cookie, "").await;
    assert_eq!(service.counts()[0], 1.0, "its code goes on");
    assert_eq!((task.is_cut(), task.finish()), (false, TaskOutcome::Done));
    assert_eq!(service.counts(), [0.0, 2.0, 0.0, 0.0]);
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_a_task_up_to_the_grace_and_then_cuts_it() {
    let service = service(|config| {
        config.policy.drain_timeout = Duration::from_secs(2);
        config.policy.task_grace = Duration::from_secs(3);
        config.policy.propagation_wait = Duration::from_millis(1);
    });
    let cookie = service.visit().await;
    service.begin(&cookie, r#"{"lease_seconds": 3600}"#).await;
    let (task, began) = (task(&service), tokio::time::Instant::now());
    service.signals.send(Signal::Term).unwrap();
    task.cut().await;
    assert!((5..6).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_eq!(task.finish(), TaskOutcome::Cut);
    assert_eq!(service.counts(), [0.0, 0.0, 0.0, 2.0]);
    service.lastcall.drained().await;
    assert_eq!(service.metric("forced_logouts_total"), 1.0);
    assert_eq!(began.elapsed().as_secs(), 5);
}
