//! The first thing that happens to a request: what peers say of proxies who are none is taken away, and what another site's
//! page wants to change is refused.
//!
//! accept → **origin** → track → gate → the app. Some routes are meant for other sites' forms: identity providers post their
//! answer (OIDC `form_post`, SAML), and payment providers send customers back by a form. Those come without the session's cookie,
//! which is `SameSite=Lax`, and look like a newcomer's. They are handed to the app without a session, whatever they carry.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use door::{CrossOriginError, forwarded, same_origin};
use http::{Method, Request, StatusCode};
use session_domain::lifecycle::State;
use session_domain::registry::Refused;
use tracing::warn;

use crate::cookie::CookieStyle;
use crate::pod::Pod;
use crate::session::Visit;
use crate::{gate, page, scope, track};

/// The service's own routes: other sites' forms are never for them.
const OWN: [&str; 6] = ["/login", "/logout", "/session", "/events", "/tasks", "/ws"];

/// The paths to which other sites' pages may post.
#[derive(Clone, Debug, Default)]
pub(crate) struct CrossSitePosts(Arc<HashSet<String>>);

impl CrossSitePosts {
    /// The same, and these.
    pub(crate) fn with(&self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut all = HashSet::clone(&self.0);
        for path in paths.into_iter().map(Into::into) {
            if OWN.contains(&path.as_str()) {
                warn!(path, "the service's own route takes no posts of other sites");
            } else {
                all.insert(path);
            }
        }
        Self(Arc::new(all))
    }

    /// Whether the request is for one of them. A tab's path does not count.
    fn are_for(&self, pod: &Pod, request: &Request<Body>) -> bool {
        let mut uri = request.uri().clone();
        scope::split(&mut uri, pod.config.scope);
        request.method() == Method::POST && self.0.contains(uri.path())
    }
}

/// Checks where a request comes from, and lets it pass.
pub(crate) async fn check(
    pod: Arc<Pod>,
    routes: Router,
    posts: CrossSitePosts,
    mut request: Request<Body>,
) -> Response {
    if let Some(proxies) = pod.config.believed_proxies() {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let user_field = pod.config.trusted_user.as_ref().map(|trusted| trusted.header().clone());
        forwarded::strip(request.headers_mut(), proxies, user_field.as_ref(), peer);
    }
    match check_origin(&pod, &request) {
        Ok(()) => track::track(pod, routes, request).await,
        Err(_) if posts.are_for(&pod, &request) => serve_untracked(pod, routes, request).await,
        Err(error) => {
            let detail = error.to_string();
            page::problem(&*pod.pages, request.headers(), StatusCode::FORBIDDEN, "Not from here", &detail)
        }
    }
}

/// A WebSocket is opened by `GET`, and any page may try.
fn check_origin(pod: &Pod, request: &Request<Body>) -> Result<(), CrossOriginError> {
    let opens_socket = || {
        let mut uri = request.uri().clone();
        scope::split(&mut uri, pod.config.scope);
        request.method() == Method::GET && uri.path() == "/ws"
    };
    if same_origin::is_safe(request.method()) && !opens_socket() {
        return Ok(());
    }
    pod.same_origin.check(request.headers(), request.uri())
}

/// Hands a form of another site to the app, without a session. It is served while users are: those who come back by it cannot be
/// told from newcomers. Only where maintenance has begun for everybody there is the maintenance page.
async fn serve_untracked(pod: Arc<Pod>, routes: Router, mut request: Request<Body>) -> Response {
    let is_closed = pod.lifecycle.borrow().state() == State::MaintenanceClosed;
    if is_closed {
        return gate::refuse(&pod, Refused::Closed, request.version());
    }
    let base = scope::split(request.uri_mut(), pod.config.scope);
    let cookies = CookieStyle::of(request.headers(), pod.config.cookie_secure, pod.config.scope);
    let visit = Visit::newcomer(Arc::clone(&pod), base, cookies);
    request.extensions_mut().insert(visit.clone());
    let response = track::call(routes, request).await;
    track::with_started(&pod, &visit, response).await
}
