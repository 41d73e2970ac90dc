//! Stands before everything that is not open to all, and lets operators through.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::{ACCEPT, CACHE_CONTROL, HeaderMap, HeaderValue, SET_COOKIE, WWW_AUTHENTICATE};
use http_support::{ProxyIdentityError, TrustedUser, header_fields};
use session_domain::UserName;

use super::lock::Refused;
use super::operator::{How, Operator};
use super::{Auth, Destination, slow_down};
use crate::app::App;
use crate::problem;

/// Finds the operator behind a request, and gives it to whoever answers; refuses the request where there is none.
pub(crate) async fn guard(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let from = peer.ip();
    let (operator, cookie) = match &app.auth {
        Auth::Off => (Operator::unnamed(How::Open, from), None),
        Auth::Proxy(trusted) => match by_proxy(trusted, request.headers(), from) {
            Ok(operator) => (operator, None),
            Err(stranger) => return stranger.answer(trusted, request.headers()),
        },
        Auth::Token(lock) => match lock.find(request.headers(), from) {
            Ok(admitted) => admitted,
            Err(refused) => return refuse(refused, &request),
        },
    };
    request.extensions_mut().insert(operator);
    let mut response = next.run(request).await;
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Why the proxy's word lets nobody in.
#[derive(Clone, Copy, Debug)]
enum Stranger {
    /// The connection is not the proxy's.
    NotByProxy,
    /// The proxy names nobody.
    Unnamed,
    /// The proxy says it unclearly.
    Unclear(ProxyIdentityError),
}

fn by_proxy(trusted: &TrustedUser, headers: &HeaderMap, from: IpAddr) -> Result<Operator, Stranger> {
    if !trusted.trusts(from) {
        return Err(Stranger::NotByProxy);
    }
    let name = trusted.name(headers, from).map_err(Stranger::Unclear)?.ok_or(Stranger::Unnamed)?;
    Ok(Operator { name: UserName::from_input(name), how: How::Proxy, from })
}

impl Stranger {
    fn answer(self, trusted: &TrustedUser, headers: &HeaderMap) -> Response {
        let (status, detail) = match self {
            Self::NotByProxy => (
                StatusCode::FORBIDDEN,
                "The admin tier lets in whom its proxy names, and this connection is not the proxy's: use its address."
                    .to_owned(),
            ),
            Self::Unnamed => (
                StatusCode::FORBIDDEN,
                format!("The proxy in front names nobody: the header {} is missing or empty.", trusted.header()),
            ),
            Self::Unclear(unclear) => (StatusCode::BAD_REQUEST, format!("{unclear}.")),
        };
        problem::answer(headers, status, "Who are you?", &detail)
    }
}

/// People are led to the sign-in; programs are told what to present.
fn refuse(refused: Refused, request: &Request) -> Response {
    let challenge = match refused {
        Refused::TooMany(wait) => return too_many(wait, request.headers()),
        Refused::Unknown if is_led_to_sign_in(request) => {
            let destination =
                if request.method().is_safe() { Destination::of(request.uri()) } else { Destination::from_input("") };
            let way = Redirect::to(&destination.by_way_of_sign_in());
            return ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], way).into_response();
        }
        Refused::Unknown => "Bearer",
        Refused::Wrong => "Bearer error=\"invalid_token\"",
    };
    let detail = match refused {
        Refused::Wrong => "The token is not ADMIN_TOKEN.",
        Refused::Unknown | Refused::TooMany(_) => {
            "Present ADMIN_TOKEN as `Authorization: Bearer …`, or sign in at /admin."
        }
    };
    let mut response = problem::document(StatusCode::UNAUTHORIZED, "Not signed in", detail);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

/// The answer to whoever has guessed too much.
fn too_many(wait: std::time::Duration, headers: &HeaderMap) -> Response {
    let detail = "Too many wrong tokens came from your address. Wait some seconds, then try again.";
    let mut response = problem::answer(headers, StatusCode::TOO_MANY_REQUESTS, "Too many tries", detail);
    response.headers_mut().extend(slow_down(wait));
    response
}

/// Whether a person waits for a page: a browser goes there, or a program asks for what is a page.
fn is_led_to_sign_in(request: &Request) -> bool {
    let headers = request.headers();
    let path = request.uri().path();
    let is_api = path.starts_with("/admin/api/") || path == "/openapi.json";
    let navigates = !header_fields::has_member_other_than(headers, "sec-fetch-mode", &["navigate"]);
    let accepts_anything = !headers.contains_key(ACCEPT) || header_fields::accepts(headers, "*/*");
    // What was to be changed is a person's only where it says so: a script would take the redirect for success.
    let takes_anything = accepts_anything && request.method().is_safe();
    !is_api && navigates && (header_fields::accepts(headers, "text/html") || takes_anything)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    /// Method, path, headers, and whether it is led.
    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], bool);

    const HTML: (&str, &str) = ("accept", "text/html,*/*;q=0.8");

    #[test]
    fn people_are_led_to_the_sign_in_and_programs_are_not() {
        let cases: [Case; 11] = [
            ("GET", "/admin", &[HTML, ("sec-fetch-mode", "navigate")], true),
            ("GET", "/admin/users?q=a", &[HTML], true),
            ("GET", "/admin", &[], true),
            ("GET", "/admin", &[("accept", "*/*")], true),
            ("POST", "/admin/maintenance", &[HTML], true),
            ("POST", "/admin/maintenance", &[], false),
            ("GET", "/admin/users", &[HTML, ("sec-fetch-mode", "cors")], false),
            ("GET", "/admin", &[("accept", "application/json")], false),
            ("GET", "/admin/api/v1/pods", &[HTML], false),
            ("GET", "/openapi.json", &[], false),
            ("POST", "/admin/maintenance", &[("accept", "*/*")], false),
        ];
        for (method, path, headers, led) in cases {
            let mut request = Request::builder().method(method).uri(path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            assert_eq!(is_led_to_sign_in(&request.body(Body::empty()).unwrap()), led, "{method} {path} {headers:?}");
        }
    }
}
