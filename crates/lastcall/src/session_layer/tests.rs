//! The session layer around an app in process: which handlers get a session, and which answers carry a cookie.

use axum::Router;
use axum::body::to_bytes;
use axum::routing::get;
use http::request::Builder;
use session_domain::{PodName, SessionId};

use super::*;
use crate::cross_site_posts::CrossSitePosts;
use crate::metrics::MetricsOptions;
use crate::{Config, PlainPages, Session};

fn state() -> Arc<ServiceState> {
    let config = Config::new(PodName::new("user-1").unwrap());
    ServiceState::new(config, Box::new(PlainPages), CrossSitePosts::default(), MetricsOptions::default())
}

fn app() -> Router {
    Router::new()
        .route("/", get(async |_: Session| "page"))
        .route("/unwell", get(async |_: Session| StatusCode::SERVICE_UNAVAILABLE))
        .route("/greeting", get(async |session: Option<Session>| if session.is_some() { "you" } else { "stranger" }))
        .route("/open", get(async || "open").post(async || "done"))
}

async fn ask(state: &Arc<ServiceState>, request: Builder) -> Response {
    handle(Arc::clone(state), app(), RouteKind::App, request.body(Body::empty()).unwrap()).await
}

async fn text(answer: Response) -> String {
    String::from_utf8(to_bytes(answer.into_body(), 100_000).await.unwrap().to_vec()).unwrap()
}

fn cookie(answer: &Response) -> Option<String> {
    Some(answer.headers().get(SET_COOKIE)?.to_str().unwrap().split(';').next().unwrap().to_owned())
}

#[tokio::test]
async fn a_503_that_the_app_answers_carries_no_cookie_though_a_session_has_started() {
    let state = state();
    let unwell = ask(&state, Request::get("/unwell")).await;
    assert_eq!((unwell.status(), cookie(&unwell)), (StatusCode::SERVICE_UNAVAILABLE, None));
    assert!(cookie(&ask(&state, Request::get("/")).await).is_some());
}

#[tokio::test]
async fn a_handler_that_can_do_without_a_session_starts_none_and_is_given_the_one_that_there_is() {
    let state = state();
    let stranger = ask(&state, Request::get("/greeting")).await;
    assert_eq!((cookie(&stranger), text(stranger).await.as_str()), (None, "stranger"));
    assert_eq!(state.registry.totals().logins, 0);
    let cookie = cookie(&ask(&state, Request::get("/")).await).unwrap();
    assert_eq!(text(ask(&state, Request::get("/greeting").header("cookie", cookie)).await).await, "you");
}

#[tokio::test]
async fn an_untracked_request_is_served_where_no_session_is_asked_for_and_gets_a_401_where_one_is() {
    let state = state();
    let untracked = |request: Builder| request.header("accept", "application/json");
    assert_eq!(text(ask(&state, untracked(Request::post("/open"))).await).await, "done");
    let refused = ask(&state, untracked(Request::get("/"))).await;
    assert_eq!((refused.status(), cookie(&refused)), (StatusCode::UNAUTHORIZED, None));
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    assert_eq!(state.registry.totals().logins, 0);
}

#[tokio::test]
async fn the_page_for_a_replaced_id_opens_again_once_without_scripts_too() {
    let state = state();
    let old = cookie(&ask(&state, Request::get("/")).await).unwrap();
    let session = state.registry.all_sessions().remove(0);
    let renamed = crate::sessions::live::sign_in(
        &state.registry,
        &session,
        SessionId::from_uuid(uuid::Uuid::from_u128(7)),
        UserName::from_input("ada"),
        state.clock.now(),
    );
    assert!(renamed);
    for (method, referrer, refresh) in [
        ("GET", "", Some("content=\"1\"")),
        ("GET", "http://app.test/elsewhere", Some("content=\"1\"")),
        ("GET", "http://app.test/page?x=1", None),
        ("POST", "http://app.test/", Some("content=\"1;url=/\"")),
    ] {
        let request = Request::builder().method(method).uri("/page?x=1").header("accept", "text/html");
        let answer = ask(&state, request.header("referer", referrer).header("cookie", &old)).await;
        assert_eq!((answer.status(), cookie(&answer)), (StatusCode::CONFLICT, None));
        let html = text(answer).await;
        assert_eq!(html.contains("http-equiv=\"refresh\""), refresh.is_some(), "{method} from {referrer}: {html}");
        assert!(html.contains(refresh.unwrap_or_default()), "{html}");
    }
}
