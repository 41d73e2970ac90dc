//! The target of a request: passed on byte for byte in the form that an origin server gets (RFC 9112, 3.2), or refused.

use http::header::{HOST, HeaderValue};
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{Method, StatusCode, Uri};
use http_support::is_same_host;
use thiserror::Error;

use super::transfer_coding;

/// Why a request cannot be passed on.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BadRequest {
    /// `CONNECT` asks for a proxy to any host.
    #[error("CONNECT is not served here.")]
    Connect,
    /// The target has none of the forms that its method takes.
    #[error("The target of the request is not a path, and not `*` with OPTIONS.")]
    Target,
    /// The target has characters that no URI has.
    #[error("The target of the request has characters that have to be percent-encoded.")]
    Characters,
    /// The target names another host than `Host`, or a user.
    #[error("The target of the request and its Host field name different hosts.")]
    Host,
    /// A transfer coding that would have to be decoded.
    #[error("The request has a transfer coding other than chunked.")]
    TransferCoding,
}

impl BadRequest {
    /// The status of the refusal.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Connect | Self::Target | Self::Characters | Self::Host => StatusCode::BAD_REQUEST,
            Self::TransferCoding => StatusCode::NOT_IMPLEMENTED,
        }
    }
}

/// Checks the target and the transfer coding of a request, brings the target into the form for an origin server, and sets `Host` where only
/// the target names it.
///
/// # Errors
/// Where the request cannot be passed on.
pub fn prepare(head: &mut Parts) -> Result<(), BadRequest> {
    if head.method == Method::CONNECT {
        return Err(BadRequest::Connect);
    }
    if transfer_coding::is_only_chunked(&head.headers) == Some(false) {
        return Err(BadRequest::TransferCoding);
    }
    let is_absolute = head.uri.scheme().is_some();
    if head.uri.authority().is_some() && !is_absolute {
        return Err(BadRequest::Target);
    }
    let target = head.uri.path_and_query().map_or("", PathAndQuery::as_str);
    if !target.bytes().all(is_uri_byte) {
        return Err(BadRequest::Characters);
    }
    match target {
        "*" if head.method == Method::OPTIONS => {}
        _ if target.starts_with('/') => {}
        _ if is_absolute => {}
        _ => return Err(BadRequest::Target),
    }
    if is_absolute {
        to_origin_form(head)?;
    }
    Ok(())
}

/// `Host` stays. Where it names another host than the target, one of the two readers of this request, Lastcall and the app, would take it
/// for another request. (RFC 9112, 3.2.2, has the target's host count; RFC 9113, 8.3.1, calls such a request malformed. Requests of HTTP/2
/// always have an absolute target.)
fn to_origin_form(head: &mut Parts) -> Result<(), BadRequest> {
    let mut parts = std::mem::take(&mut head.uri).into_parts();
    if let Some(authority) = parts.authority.take() {
        let (named, scheme) = (authority.as_str(), parts.scheme.as_ref().map(Scheme::as_str));
        let is_same = |host: &HeaderValue| host.to_str().is_ok_and(|host| is_same_host(host, named, scheme));
        match head.headers.get(HOST) {
            _ if named.contains('@') => return Err(BadRequest::Host),
            Some(host) if !is_same(host) => return Err(BadRequest::Host),
            Some(_) => {}
            None => _ = head.headers.insert(HOST, HeaderValue::from_str(named).map_err(|_| BadRequest::Target)?),
        }
    }
    head.uri = Uri::from(origin_target(parts.path_and_query.take())?);
    Ok(())
}

/// The target of a request to an origin server.
fn origin_target(target: Option<PathAndQuery>) -> Result<PathAndQuery, BadRequest> {
    let Some(target) = target else { return Ok(PathAndQuery::from_static("/")) };
    match target.as_str() {
        text if text.starts_with('/') || text == "*" => Ok(target),
        // `http://host?query` has an empty path.
        text => PathAndQuery::try_from(format!("/{text}")).map_err(|_| BadRequest::Target),
    }
}

/// The bytes of URIs (RFC 3986), and those that browsers send unencoded beside them.
const fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'#')
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::header::TRANSFER_ENCODING;

    use super::*;

    /// The target and the host that the app gets.
    fn prepared(method: &str, target: &str) -> Result<(String, String), BadRequest> {
        let request = Request::builder().method(method).uri(target).header(HOST, "field").body(()).unwrap();
        let mut head = request.into_parts().0;
        prepare(&mut head)?;
        Ok((head.uri.to_string(), head.headers[HOST].to_str().unwrap().to_owned()))
    }

    #[test]
    fn targets_stay_byte_for_byte() {
        for target in [
            "/",
            "//",
            "//a//b",
            "/a/../b/./c",
            "/a%2Fb%2f%00%7e",
            "/a?b=c/d?e",
            "/?",
            "/a;b=c,d:@e'()*!$&+",
            "/x?a[]=1|2^{}`\\",
        ] {
            assert_eq!(prepared("GET", target), Ok((target.to_owned(), "field".to_owned())));
        }
        assert_eq!(prepared("OPTIONS", "*"), Ok(("*".to_owned(), "field".to_owned())));
    }

    #[test]
    fn absolute_targets_come_to_the_app_as_path_beside_the_same_host() {
        for (method, target, expected) in [
            ("GET", "http://field:80/a//b?c", Ok("/a//b?c")),
            ("GET", "HTTP://FIELD", Ok("/")),
            ("GET", "http://field?q", Ok("/?q")),
            ("OPTIONS", "http://field/", Ok("/")),
            ("GET", "https://field/", Ok("/")),
            ("GET", "http://field:443/", Err(BadRequest::Host)),
            ("GET", "http://other/", Err(BadRequest::Host)),
            ("GET", "http://user@field/", Err(BadRequest::Host)),
        ] {
            let expected = expected.map(|path| (path.to_owned(), "field".to_owned()));
            assert_eq!(prepared(method, target), expected, "{method} {target}");
        }
    }

    #[test]
    fn a_target_names_the_host_of_a_request_without_the_field() {
        let mut head = Request::builder().uri("http://h:1/a").body(()).unwrap().into_parts().0;
        assert_eq!(prepare(&mut head), Ok(()));
        assert_eq!((head.uri.to_string().as_str(), &head.headers[HOST]), ("/a", &HeaderValue::from_static("h:1")));
    }

    #[test]
    fn other_targets_are_refused() {
        for (method, target, error) in [
            ("GET", "*", BadRequest::Target),
            ("GET", "host", BadRequest::Target),
            ("GET", "host:80", BadRequest::Target),
            ("CONNECT", "host:80", BadRequest::Connect),
            ("CONNECT", "/", BadRequest::Connect),
            ("GET", "/ü", BadRequest::Characters),
            ("GET", "/\"", BadRequest::Characters),
        ] {
            assert_eq!(prepared(method, target), Err(error), "{method} {target}");
        }
    }

    #[test]
    fn a_transfer_coding_that_would_be_lost_is_refused() {
        for (codings, refused) in [
            (&["chunked"][..], false),
            (&["Chunked"], false),
            (&["gzip, chunked"], true),
            (&["chunked", "chunked"], true),
        ] {
            let mut request = Request::builder().uri("/");
            for coding in codings {
                request = request.header(TRANSFER_ENCODING, *coding);
            }
            let mut head = request.body(()).unwrap().into_parts().0;
            assert_eq!(prepare(&mut head).is_err(), refused, "{codings:?}");
        }
    }
}
