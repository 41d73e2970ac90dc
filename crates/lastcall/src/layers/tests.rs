//! The session layer around an app in process: which handlers get a session, and which answers carry a cookie.

use axum::Router;
use axum::body::to_bytes;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use http::StatusCode;
use http::header::SET_COOKIE;
use http::request::Builder;
use session_domain::{PodName, SessionId, UserName};
use tower::ServiceExt as _;

use super::*;
use crate::cross_site_posts::CrossSitePosts;
use crate::dependencies::Dependencies;
use crate::metrics::MetricsOptions;
use crate::{Config, PlainPages, Session};

fn state() -> Arc<ServiceState> {
    state_with(|_| {})
}

fn state_with(change: impl FnOnce(&mut Config)) -> Arc<ServiceState> {
    let mut config = Config::new(PodName::new("user-1").unwrap());
    change(&mut config);
    ServiceState::new(
        config,
        Box::new(PlainPages::default()),
        CrossSitePosts::default(),
        crate::hooks::Hooks::default(),
        MetricsOptions::default(),
        Dependencies::default(),
    )
}

fn app() -> Router {
    Router::new()
        .route("/", get(async |_: Session| "page"))
        .route("/unwell", get(async |_: Session| StatusCode::SERVICE_UNAVAILABLE))
        .route("/greeting", get(async |session: Option<Session>| if session.is_some() { "you" } else { "stranger" }))
        .route("/open", get(async || "open").post(async || "done"))
}

async fn ask(state: &Arc<ServiceState>, request: Builder) -> Response {
    ask_for(state, RouteKind::App, request).await
}

async fn ask_for(state: &Arc<ServiceState>, route: RouteKind, request: Builder) -> Response {
    let app = LastcallLayer::new(Arc::clone(state), route).layer(app());
    app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
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

/// Requests that were answered with this class of status, as `/metrics` counts them.
fn measured(state: &ServiceState, class: &str) -> f64 {
    let text = crate::scrape::render(state);
    let series = format!("lastcall_http_request_duration_seconds_count{{status=\"{class}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&series)).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_request_that_passes_the_layer_twice_is_measured_once_and_starts_one_session() {
    let state = state();
    let layer = || LastcallLayer::new(Arc::clone(&state), RouteKind::App);
    let twice = layer().layer(layer().layer(app()));
    let answer = twice.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.headers().get_all(SET_COOKIE).iter().count(), 1);
    assert_eq!((measured(&state, "2xx"), state.registry.totals().logins), (1.0, 1));
}

#[tokio::test]
async fn the_layers_of_two_handles_do_not_take_each_others_requests_for_their_own() {
    let (outer, inner) = (state(), state());
    let layer = |state: &Arc<ServiceState>| LastcallLayer::new(Arc::clone(state), RouteKind::App);
    let both = layer(&outer).layer(layer(&inner).layer(app()));
    both.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!((measured(&outer, "2xx"), measured(&inner, "2xx")), (1.0, 1.0));
}

fn trust_loopback(config: &mut Config) {
    config.trusted_user = Some(crate::TrustedUser::new("x-user".parse().unwrap(), "127.0.0.0/8".parse().unwrap()));
}

#[tokio::test]
async fn another_sites_change_is_refused_before_the_proxys_user_is_read() {
    let state = state_with(trust_loopback);
    let from = |request: Builder| {
        let peer = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
        request.extension(axum::extract::ConnectInfo(peer)).header("x-user", "ada").header("x-user", "eve")
    };
    let foreign = from(Request::post("/open")).header("sec-fetch-site", "cross-site");
    assert_eq!(ask(&state, foreign).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(ask(&state, from(Request::post("/open"))).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(measured(&state, "4xx"), 2.0, "refusals are measured as well");
}

#[tokio::test]
async fn the_route_says_what_a_request_is_for_and_never_its_path() {
    let state = state();
    let old = cookie(&ask(&state, Request::get("/")).await).unwrap();
    let session = state.registry.all_sessions().remove(0);
    crate::sessions::live::log_out(&state.registry, &session, false).unwrap();
    let stale = |path: &str| Request::post(path).header("cookie", &old);
    assert_eq!(ask(&state, stale("/login")).await.status(), StatusCode::CONFLICT, "an app's own /login");
    assert_eq!(ask_for(&state, RouteKind::Login, stale("/open")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_handler_signs_its_session_in_and_out_and_counts_one_login() {
    async fn sign_in(session: Session) -> Result<Response, crate::Refusal> {
        let signed_in = session.sign_in(UserName::from_input("ada")).await?;
        assert_eq!(signed_in.session_id(), session.id());
        Ok((signed_in, session.user().to_string()).into_response())
    }
    async fn sign_out(session: Session) -> Response {
        (session.sign_out().await, "gone").into_response()
    }
    let state = state();
    let app = || {
        let app = Router::new()
            .route("/in", get(sign_in))
            .route("/out", post(sign_out))
            .route("/", get(async |_: Session| ""));
        LastcallLayer::new(Arc::clone(&state), RouteKind::App).layer(app)
    };
    let ask = async |request: Builder| app().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let old = cookie(&ask(Request::get("/")).await).unwrap();
    let answer = ask(Request::get("/in").header("cookie", &old)).await;
    let new = cookie(&answer).unwrap();
    assert_ne!(new, old);
    assert_eq!(text(answer).await, "ada");
    assert_eq!(
        ask(Request::get("/").header("cookie", &old)).await.status(),
        StatusCode::CONFLICT,
        "the old id opens nothing"
    );
    let answer = ask(Request::post("/out").header("cookie", &new)).await;
    assert_eq!(cookie(&answer).as_deref(), Some("session="));
    let totals = state.registry.totals();
    assert_eq!((totals.logins, state.registry.active()), (1, 0));

    let newcomer = ask(Request::get("/in")).await;
    assert_eq!(
        newcomer.headers().get_all(SET_COOKIE).iter().count(),
        1,
        "one cookie, with the id that it has in the end"
    );
    let cookie = cookie(&newcomer).unwrap();
    assert_eq!(ask(Request::get("/").header("cookie", cookie)).await.status(), StatusCode::OK);
    assert_eq!(state.registry.totals().logins, 2);
}

#[tokio::test]
async fn a_session_that_starts_and_ends_with_one_request_leaves_no_cookie() {
    let state = state();
    let app = Router::new()
        .route("/out", get(async |session: Session| (session.sign_out().await, "gone")))
        .route("/", get(async |session: Session| session.user().to_string()))
        .route(
            "/replaced",
            get(async |session: Session| {
                let crate::sessions::ServedSession::Own(live) = &session.served else { unreachable!() };
                crate::sessions::live::log_out(&session.state.registry, live, false).unwrap();
                session.sign_in(UserName::from_input("ada")).await.map(|signed_in| (signed_in, "ada"))
            }),
        );
    let app = LastcallLayer::new(Arc::clone(&state), RouteKind::App).layer(app);
    let ask = async |request: Builder| app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let cookies = |answer: &Response| answer.headers().get_all(SET_COOKIE).iter().count();

    let answer = ask(Request::get("/out")).await;
    assert_eq!((cookies(&answer), cookie(&answer).as_deref()), (1, Some("session=")));
    assert_eq!(state.registry.active(), 0);
    let answer = ask(Request::get("/replaced")).await;
    assert_eq!(cookies(&answer), 1, "the cookie of the session that is there in the end");
    assert_eq!(text(ask(Request::get("/").header("cookie", cookie(&answer).unwrap())).await).await, "ada");
}

#[tokio::test]
async fn another_sites_page_opens_no_websocket_on_any_path_of_the_app() {
    let state = state();
    let opening = |site: &str| Request::get("/open").header("upgrade", "WebSocket").header("sec-fetch-site", site);
    assert_eq!(ask(&state, opening("cross-site")).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(ask(&state, opening("same-origin")).await.status(), StatusCode::OK);
    let foreign = Request::get("/open").header("upgrade", "websocket").header("origin", "https://other.test");
    assert_eq!(ask(&state, foreign.header("host", "app.test")).await.status(), StatusCode::FORBIDDEN);
    let link = Request::get("/open").header("sec-fetch-site", "cross-site");
    assert_eq!(ask(&state, link).await.status(), StatusCode::OK, "a link of another site's");
}

/// What is logged until the guard is dropped.
fn log() -> (Arc<parking_lot::Mutex<Vec<u8>>>, tracing::subscriber::DefaultGuard) {
    #[derive(Clone)]
    struct Log(Arc<parking_lot::Mutex<Vec<u8>>>);
    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Arc::default();
    let log = Log(Arc::clone(&lines));
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone()).finish();
    (lines, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn requests_without_a_peer_address_are_reported_once_where_proxies_are_configured() {
    let (lines, _guard) = log();
    ask(&state(), Request::get("/")).await;
    assert!(lines.lock().is_empty(), "no proxies, nothing to report");
    let state = state_with(trust_loopback);
    ask(&state, Request::get("/")).await;
    ask(&state, Request::get("/")).await;
    let log = String::from_utf8(lines.lock().clone()).unwrap();
    assert_eq!((log.matches("ERROR").count(), log.matches("connect_info").count()), (1, 1), "{log}");
}

#[tokio::test]
async fn on_a_server_of_the_apps_own_the_scope_of_a_tab_is_that_of_the_browser() {
    let (lines, _guard) = log();
    let state = state_with(|config| config.scope = crate::SessionScope::Tab);
    let page = ask(&state, Request::get("/")).await;
    assert_eq!(page.status(), StatusCode::OK);
    let cookie = cookie(&page).unwrap();
    assert_eq!(text(ask(&state, Request::get("/greeting").header("cookie", cookie)).await).await, "you");
    let log = String::from_utf8(lines.lock().clone()).unwrap();
    assert_eq!(log.matches("WARN").count(), 1, "{log}");
}

#[tokio::test]
async fn a_login_form_of_the_app_starts_a_session_unless_another_site_or_a_prefetch_sends_it() {
    async fn login(sign_in: crate::SignIn) -> Result<Response, crate::Refusal> {
        Ok((sign_in.name_user(UserName::from_input("ada")).await?, "ada").into_response())
    }
    let state = state();
    let ask = async |headers: &[(&str, &str)]| {
        let app = LastcallLayer::new(Arc::clone(&state), RouteKind::App).layer(Router::new().route("/in", post(login)));
        let request = headers
            .iter()
            .fold(Request::post("/in").header("host", "a"), |request, (name, value)| request.header(*name, *value));
        app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    let plain_http: &[(&str, &str)] = &[("accept", "text/html"), ("origin", "http://a")];
    let fetched = &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors"), ("accept", "application/json")];
    for headers in [&[] as &[_], plain_http, fetched] {
        let answer = ask(headers).await;
        assert_eq!((answer.status(), cookie(&answer).is_some()), (StatusCode::OK, true), "{headers:?}");
    }
    assert_eq!(state.registry.totals().logins, 3);
    for (headers, status) in [
        (("sec-fetch-site", "cross-site"), StatusCode::FORBIDDEN),
        (("origin", "http://b"), StatusCode::FORBIDDEN),
        (("purpose", "prefetch"), StatusCode::UNAUTHORIZED),
    ] {
        let answer = ask(&[headers]).await;
        assert_eq!((answer.status(), cookie(&answer)), (status, None), "{headers:?}");
    }
}

#[tokio::test]
async fn in_a_handoff_every_response_of_http_1_closes_its_connection_on_a_server_of_the_apps_own_too() {
    let state = state();
    let app = LastcallLayer::new(Arc::clone(&state), RouteKind::App).layer(app());
    let routes = crate::routes::all(&state).fallback_service(app);
    let connection = async |path: &str, version: http::Version| {
        let request = Request::get(path).version(version).header("accept", "text/html").body(Body::empty());
        let answer = routes.clone().oneshot(request.unwrap()).await.unwrap();
        answer.headers().get("connection").map(|value| value.to_str().unwrap().to_owned())
    };
    let paths = [
        "/",
        "/unwell",
        "/unknown",
        "/session",
        "/events",
        "/login",
        "/ready",
        "/healthz",
        "/metrics",
        "/assets/lastcall.js",
    ];
    for path in paths {
        assert_eq!(connection(path, http::Version::HTTP_11).await, None, "{path} before");
    }
    state.close_after_answer.begin();
    for path in paths {
        assert_eq!(connection(path, http::Version::HTTP_11).await.as_deref(), Some("close"), "{path}");
        assert_eq!(connection(path, http::Version::HTTP_2).await, None, "{path} over HTTP/2, which has no such field");
    }
}
