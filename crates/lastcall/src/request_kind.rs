//! What a request is where it turns out to have no session: decided once, and asked by admission, by the extractor and by every
//! answer of the service's own.

use door::same_origin::{is_cross_site, is_prefetch};
use http::Method;
use http::header::{ACCEPT, HeaderMap};
use http::request::Parts;

use crate::config::SessionStart;

/// What a request without a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// A user opens a page or sends a form: starts a session where a handler asks for one.
    Navigation,
    /// A `GET` that takes whatever comes, as plain HTTP clients send it: the same, unless only navigations may.
    Unspecific,
    /// `POST /login`: starts a session and names its user.
    Login,
    /// Everything else: starts nothing and sets no cookie.
    Untracked,
}

impl RequestKind {
    /// Classifies a request whose path begins behind the [base](crate::scope::Base).
    pub(crate) fn of(request: &Parts, start: SessionStart) -> Self {
        let (method, headers) = (&request.method, &request.headers);
        let is_get = method == Method::GET;
        if method == Method::HEAD || is_prefetch(headers) || (!is_get && is_cross_site(headers)) {
            Self::Untracked
        } else if method == Method::POST && request.uri.path() == "/login" {
            Self::Login
        } else if says_navigation(headers).unwrap_or_else(|| is_get && accepts_html(headers)) {
            Self::Navigation
        } else if start == SessionStart::Any && is_get && accepts_anything(headers) {
            Self::Unspecific
        } else {
            Self::Untracked
        }
    }

    /// Whether the request may start a session.
    pub(crate) const fn may_start(self) -> bool {
        match self {
            Self::Navigation | Self::Unspecific | Self::Login => true,
            Self::Untracked => false,
        }
    }

    /// Whether a refusal is a page for this caller: for navigations, and for clients that take whatever comes and are no script
    /// of a page.
    pub(crate) fn takes_page(self, headers: &HeaderMap) -> bool {
        match self {
            Self::Navigation => true,
            Self::Unspecific => says_navigation(headers).is_none(),
            Self::Login | Self::Untracked => wants_page(headers),
        }
    }
}

/// Whether a user will look at the answer: the browser says that it navigates; where it says nothing, the caller accepts HTML.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    says_navigation(headers).unwrap_or_else(|| accepts_html(headers))
}

/// What the browser says; `None` where it says nothing: over plain HTTP, or no browser.
fn says_navigation(headers: &HeaderMap) -> Option<bool> {
    headers.get("sec-fetch-mode").map(|mode| mode.as_bytes().eq_ignore_ascii_case(b"navigate"))
}

fn accepts_html(headers: &HeaderMap) -> bool {
    media_ranges(headers).any(|range| range.eq_ignore_ascii_case(b"text/html"))
}

/// Whether `Accept` is absent or says `*/*` alone.
fn accepts_anything(headers: &HeaderMap) -> bool {
    media_ranges(headers).all(|range| range == b"*/*")
}

/// The media ranges of `Accept` without their parameters, but for those that are not acceptable (`q=0`). Bytes: what is no text
/// in one of them says nothing about the others.
fn media_ranges(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let ranges = headers.get_all(ACCEPT).into_iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    ranges.filter_map(|range| {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().filter(|name| !name.is_empty())?;
        (!parts.any(is_zero_quality)).then_some(name)
    })
}

/// `q=0`, `q=0.`, `q=0.000`.
fn is_zero_quality(parameter: &[u8]) -> bool {
    let Some((name, value)) = parameter.split_at_checked(2) else { return false };
    name.eq_ignore_ascii_case(b"q=") && !value.is_empty() && value.iter().all(|byte| matches!(byte, b'0' | b'.'))
}

#[cfg(test)]
mod tests {
    use RequestKind::{Login, Navigation, Unspecific, Untracked};
    use http::Request;

    use super::*;

    const HTML: (&str, &[u8]) = ("accept", b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
    const NAVIGATE: (&str, &[u8]) = ("sec-fetch-mode", b"navigate");
    const CORS: (&str, &[u8]) = ("sec-fetch-mode", b"cors");
    const ANYTHING: (&str, &[u8]) = ("accept", b"*/*");
    const JSON: (&str, &[u8]) = ("accept", b"application/json");

    type Headers<'a> = &'a [(&'a str, &'a [u8])];

    fn request(method: &str, path: &str, headers: Headers<'_>) -> Parts {
        let request = Request::builder().method(method).uri(path);
        headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value))
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    #[test]
    fn requests_are_told_apart_as_the_contract_does() {
        let cases: [(&str, Headers<'_>, RequestKind, RequestKind); 23] = [
            ("GET", &[NAVIGATE], Navigation, Navigation),
            ("GET", &[NAVIGATE, JSON], Navigation, Navigation),
            ("POST", &[NAVIGATE, ("sec-fetch-site", b"same-origin")], Navigation, Navigation),
            ("POST", &[NAVIGATE, ("sec-fetch-site", b"cross-site")], Untracked, Untracked),
            ("GET", &[NAVIGATE, ("sec-fetch-site", b"cross-site")], Navigation, Navigation),
            ("GET", &[NAVIGATE, HTML, ("sec-purpose", b"prefetch;prerender")], Untracked, Untracked),
            ("GET", &[HTML], Navigation, Navigation),
            ("GET", &[HTML, CORS], Untracked, Untracked),
            ("GET", &[("accept", b"application/json, TEXT/HTML ; level=1")], Navigation, Navigation),
            ("GET", &[JSON, ("accept", b"text/html")], Navigation, Navigation),
            ("GET", &[("accept", b"\xff\xfe, text/html")], Navigation, Navigation),
            ("GET", &[("accept", b"text/html;q=0, application/json")], Untracked, Untracked),
            ("GET", &[("accept", b"text/html-partial")], Untracked, Untracked),
            ("POST", &[HTML], Untracked, Untracked),
            ("GET", &[], Unspecific, Untracked),
            ("GET", &[("accept", b"")], Unspecific, Untracked),
            ("GET", &[ANYTHING], Unspecific, Untracked),
            ("GET", &[("accept", b" */*;q=0.8 ")], Unspecific, Untracked),
            ("GET", &[ANYTHING, CORS], Unspecific, Untracked),
            ("GET", &[("accept", b"image/avif,*/*;q=0.8")], Untracked, Untracked),
            ("GET", &[JSON], Untracked, Untracked),
            ("HEAD", &[HTML], Untracked, Untracked),
            ("POST", &[ANYTHING], Untracked, Untracked),
        ];
        for (method, headers, any, navigation) in cases {
            let request = request(method, "/", headers);
            assert_eq!(RequestKind::of(&request, SessionStart::Any), any, "{request:?}");
            assert_eq!(RequestKind::of(&request, SessionStart::Navigation), navigation, "{request:?}");
        }
    }

    #[test]
    fn a_login_starts_a_session_unless_another_site_or_no_human_sends_it() {
        for (headers, expected) in [
            (&[ANYTHING] as Headers<'_>, Login),
            (&[NAVIGATE], Login),
            (&[NAVIGATE, ("sec-fetch-site", b"cross-site")], Untracked),
            (&[("purpose", b"prefetch")], Untracked),
        ] {
            assert_eq!(RequestKind::of(&request("POST", "/login", headers), SessionStart::Navigation), expected);
        }
        assert_eq!(RequestKind::of(&request("GET", "/login", &[JSON]), SessionStart::Any), Untracked);
    }

    #[test]
    fn refusals_are_pages_for_users_and_for_clients_that_take_anything() {
        for (method, headers, page) in [
            ("GET", &[NAVIGATE] as Headers<'_>, true),
            ("GET", &[], true),
            ("GET", &[ANYTHING], true),
            ("GET", &[ANYTHING, CORS], false),
            ("GET", &[JSON], false),
            ("POST", &[ANYTHING], false),
            ("POST", &[HTML], true),
        ] {
            let request = request(method, "/", headers);
            let kind = RequestKind::of(&request, SessionStart::Any);
            assert_eq!(kind.takes_page(&request.headers), page, "{request:?}");
        }
    }
}
