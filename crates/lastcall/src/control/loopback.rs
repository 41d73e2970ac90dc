//! Requests that only the processes of the pod itself may make.
//!
//! The peer's address alone does not show that: a browser on the same machine posts for any page that it shows, and a proxy there for
//! anybody. Hence no request of a page (`Origin`, `Sec-Fetch-Site`), none for another host (a name that a foreign page had resolved to
//! the loopback), none that a form can send (its content type is not JSON), and none that a proxy passes on.

use std::net::IpAddr;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_TYPE, FORWARDED, HOST, HeaderName, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, StatusCode};
use http_support::header_fields::without_parameters;
use http_support::{Problem, peer_address};

const PAGE_FIELDS: [HeaderName; 2] = [ORIGIN, HeaderName::from_static("sec-fetch-site")];
const PROXY_FIELDS: [HeaderName; 3] =
    [FORWARDED, HeaderName::from_static("x-forwarded-for"), HeaderName::from_static("x-real-ip")];

/// Answers 403 unless a process of this pod asks.
pub(super) async fn require(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match fault(&head) {
        None => next.run(Request::from_parts(head, body)).await,
        Some(detail) => Problem::new(StatusCode::FORBIDDEN, "For processes of this pod only", detail).into_response(),
    }
}

/// What shows that the request may come from elsewhere.
fn fault(head: &Parts) -> Option<&'static str> {
    let peer = peer_address(&head.extensions).map(|peer| peer.to_canonical());
    if !peer.is_some_and(|peer| peer.is_loopback()) {
        return Some("Ask from within the pod, by the loopback address.");
    }
    if !names_loopback(head) {
        return Some("The Host field must be a loopback address or localhost.");
    }
    if PAGE_FIELDS.iter().any(|field| head.headers.contains_key(field)) {
        return Some("A page in a browser must not ask for this.");
    }
    if PROXY_FIELDS.iter().any(|field| head.headers.contains_key(field)) {
        return Some("A proxy must not pass this request on.");
    }
    if !is_json(head) {
        return Some("The Content-Type must be application/json, once.");
    }
    None
}

/// Whether every host that the request names is the loopback.
fn names_loopback(head: &Parts) -> bool {
    let fields = head.headers.get_all(HOST).iter().map(|field| field.to_str().ok().and_then(|text| text.parse().ok()));
    let mut hosts = fields.chain(head.uri.authority().cloned().map(Some)).peekable();
    hosts.peek().is_some() && hosts.all(|host| host.is_some_and(|host: Authority| is_loopback(&host)))
}

fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_address = address.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback());
    !authority.as_str().contains('@') && (is_address || host.eq_ignore_ascii_case("localhost"))
}

fn is_json(head: &Parts) -> bool {
    let mut types = head.headers.get_all(CONTENT_TYPE).iter();
    let media_type = |value: &HeaderValue| {
        let text = value.to_str().unwrap_or_default();
        without_parameters(text.as_bytes()).eq_ignore_ascii_case(b"application/json")
    };
    types.next().is_some_and(media_type) && types.next().is_none()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::extract::ConnectInfo;

    use super::*;

    const PEER: &str = "127.0.0.1:5";
    const OURS: [(&str, &str); 2] = [("host", "127.0.0.1:9093"), ("content-type", "application/json")];

    fn is_allowed(peer: &str, uri: &str, fields: &[(&str, &str)]) -> bool {
        let request = http::Request::post(uri).extension(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        fault(&request.body(()).unwrap().into_parts().0).is_none()
    }

    #[test]
    fn a_process_of_the_pod_may_ask_however_it_writes_the_loopback() {
        for peer in [PEER, "127.9.9.9:1", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
            assert!(is_allowed(peer, "/drain", &OURS), "{peer}");
        }
        for host in ["localhost", "LocalHost:9093", "127.0.0.2:1", "[::1]:9093", "[::1]", "[::ffff:127.0.0.1]:1"] {
            assert!(is_allowed(PEER, "/drain", &[("host", host), OURS[1]]), "{host}");
        }
        for media_type in ["application/json; charset=utf-8", "Application/JSON"] {
            assert!(is_allowed(PEER, "/drain", &[OURS[0], ("content-type", media_type)]), "{media_type}");
        }
        // HTTP/2 names the host in the target.
        assert!(is_allowed(PEER, "http://localhost:9093/drain", &OURS[1..]));
    }

    #[test]
    fn nobody_else_may() {
        for peer in ["10.0.0.1:5", "[fe80::1]:5", "[::ffff:10.0.0.1]:5", "128.0.0.1:5"] {
            assert!(!is_allowed(peer, "/drain", &OURS), "{peer}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:9093",
            "0.0.0.0",
            "10.0.0.1",
            "a@127.0.0.1",
        ] {
            assert!(!is_allowed(PEER, "/drain", &[("host", host), OURS[1]]), "{host}");
        }
        assert!(!is_allowed(PEER, "/drain", &OURS[1..]), "no host");
        assert!(!is_allowed(PEER, "http://evil.example/drain", &OURS), "another host in the target");
        assert!(!is_allowed(PEER, "/drain", &[OURS[0], ("host", "evil.example"), OURS[1]]), "two hosts");
        let more = [
            ("origin", "http://127.0.0.1:9093"),
            ("origin", "null"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "none"),
            ("x-forwarded-for", "127.0.0.1"),
            ("forwarded", "for=127.0.0.1"),
            ("content-type", "text/plain"),
        ];
        for field in more {
            assert!(!is_allowed(PEER, "/drain", &[OURS[0], OURS[1], field]), "{field:?}");
        }
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "text/json"] {
            assert!(!is_allowed(PEER, "/drain", &[OURS[0], ("content-type", media_type)]), "{media_type}");
        }
        assert!(!is_allowed(PEER, "/drain", &OURS[..1]), "no type");
        assert!(fault(&http::Request::post("/drain").body(()).unwrap().into_parts().0).is_some(), "no peer");
    }
}
