//! One request on its way to the app, and its answer on the way back.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{HOST, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{StatusCode, Version};
use http_support::header_fields::remove_where;
use http_support::peer_address;
use hyper::upgrade::OnUpgrade;
use lastcall::{ForeignRequest, PlainPages, PodName};
use upstream::head::answer::{Instruction, take_instruction};
use upstream::head::{cookie_line, forwarded, hop_by_hop, imitations, percent, reserved, target, trailers};
use upstream::page::Expected;
use upstream::{AnswerBody, Upstream};

use super::errors;
use super::metrics::{INVALID_USER, Metrics};
use super::pages::PageScripts;
use super::tunnel::Tunnel;

/// Passes requests on to the app.
pub(super) struct Proxy {
    upstream: Upstream,
    metrics: Metrics,
    pages: PlainPages,
    scripts: PageScripts,
    /// The value of `Lastcall-Pod`.
    pod: HeaderValue,
}

impl Proxy {
    pub(super) fn new(
        pod: &PodName,
        upstream: Upstream,
        metrics: Metrics,
        pages: PlainPages,
        scripts: PageScripts,
    ) -> Self {
        Self { upstream, metrics, pages, scripts, pod: percent::encode(pod.as_str()) }
    }

    /// The app, as a router of every path.
    pub(super) fn router(self) -> Router {
        Router::new().fallback(pass_on).with_state(Arc::new(self))
    }
}

async fn pass_on(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    if let Err(error) = target::prepare(&mut head) {
        return errors::bad_request(&proxy.pages, &head.headers, error);
    }
    let request = match ForeignRequest::take(&mut head) {
        Ok(request) => request,
        Err(refusal) => return refusal.into_response(),
    };
    let may_upgrade = head.version == Version::HTTP_11;
    let upgrades = hop_by_hop::remove_from_request(&mut head.headers, may_upgrade);
    let client = head.extensions.remove::<OnUpgrade>().filter(|_| upgrades);
    let tunnel = match client {
        Some(client) => match Tunnel::open(&request, client).await {
            Ok(tunnel) => Some(tunnel),
            Err(refusal) => return refusal.into_response(),
        },
        None => None,
    };
    prepare(&mut head, &request, &proxy.pod);
    let expected = proxy.scripts.on_request(&mut head);
    let began = Instant::now();
    match proxy.upstream.send(Request::from_parts(head, body)).await {
        Ok(answer) => {
            proxy.metrics.answered(answer.status(), began.elapsed());
            proxy.give_back(answer, &request, &expected, tunnel).await
        }
        Err(error) => errors::no_answer(&request, &error).await,
    }
}

/// Brings the fields of a request into the form in which the app gets them.
fn prepare(head: &mut Parts, request: &ForeignRequest, pod: &HeaderValue) {
    let peer = peer_address(&head.extensions);
    let headers = &mut head.headers;
    remove_where(headers, |name| reserved::is_reserved(name) || imitations::is_imitation(name));
    trailers::forbid_identity(headers, request.user_header());
    cookie_line::remove(headers, |name, value| request.is_session_cookie(name, value));
    if !headers.contains_key(HOST) {
        // A client of HTTP/1.0.
        headers.insert(HOST, HeaderValue::from_static("localhost"));
    }
    forwarded::add(headers, peer, request.is_secure());
    add_own_fields(headers, request, pod);
}

fn add_own_fields(headers: &mut HeaderMap, request: &ForeignRequest, pod: &HeaderValue) {
    if let (Some(session), Some(id)) = (request.session(), request.session_id()) {
        if let Ok(id) = HeaderValue::try_from(id.to_string()) {
            headers.insert(reserved::SESSION, id);
        }
        headers.insert(reserved::USER, percent::encode(session.user().as_str()));
    }
    headers.insert(reserved::POD, pod.clone());
    if let Some(seconds) = request.remaining_seconds() {
        headers.insert(reserved::REMAINING, seconds.into());
    }
}

impl Proxy {
    /// Does what the app asks of Lastcall, and gives its answer to the client.
    async fn give_back(
        &self,
        mut answer: Response<AnswerBody>,
        request: &ForeignRequest,
        expected: &Expected,
        tunnel: Option<Tunnel>,
    ) -> Response {
        *answer.version_mut() = Version::HTTP_11;
        let switches = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
        if switches && tunnel.is_none() {
            tracing::warn!("the app changes the protocol of a request that has not asked for it: 502");
            self.metrics.error(upstream::ErrorKind::Invalid.as_str());
            return request.app_unavailable().await;
        }
        hop_by_hop::remove_from_answer(answer.headers_mut(), switches);
        match take_instruction(answer.headers_mut()) {
            None => {}
            Some(Instruction::Name(name)) => request.name_user(&name, answer.headers_mut()).await,
            Some(Instruction::LogOut) => request.log_out(answer.headers_mut()).await,
            Some(Instruction::Invalid) => self.metrics.error(INVALID_USER),
        }
        let Some(tunnel) = tunnel.filter(|_| switches) else { return self.scripts.on_response(expected, answer) };
        let app = hyper::upgrade::on(&mut answer);
        tunnel.start(answer.headers(), app);
        answer.map(|_| Body::empty())
    }
}
