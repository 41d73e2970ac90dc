//! Classifies a request that has no session. Admission, the extractor and refusals share the result.

use http::Method;
use http::header::HeaderMap;
use http::request::Parts;
use http_support::header_fields::{self, fetch_mode_is_navigate, is_navigation};
use http_support::is_prefetch;

use crate::config::SessionStart;
use crate::route_kind::RouteKind;

/// What a request without a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// A user opens a page or sends a form: starts a session where a handler asks for one.
    Navigation,
    /// A `GET` that accepts any type, as plain HTTP clients send it, and loads no part of a page: the same, unless only
    /// navigations may.
    Unspecific,
    /// `POST /login`: starts a session and names its user.
    Login,
    /// A form of another site, on a route that takes those: starts a session only where its handler names a user.
    CrossSitePost,
    /// Everything else: starts nothing and sets no cookie.
    Untracked,
}

impl RequestKind {
    /// Classifies a request whose path begins behind the [base](crate::scope::Base).
    pub(crate) fn of(request: &Parts, route: RouteKind, start: SessionStart) -> Self {
        let (method, headers) = (&request.method, &request.headers);
        let is_get = method == Method::GET;
        if method == Method::HEAD || is_prefetch(headers) || (!is_get && is_cross_site(headers)) {
            Self::Untracked
        } else if method == Method::POST && route == RouteKind::Login {
            Self::Login
        } else if fetch_mode_is_navigate(headers).unwrap_or_else(|| is_get && accepts_html(headers)) {
            Self::Navigation
        } else if start == SessionStart::Any && is_get && accepts_anything(headers) && !loads_a_part(headers) {
            Self::Unspecific
        } else {
            Self::Untracked
        }
    }

    /// The same request where it may start no session, unless a handler names its user.
    pub(crate) const fn without_start(self) -> Self {
        match self {
            Self::Navigation | Self::Unspecific | Self::Login | Self::Untracked => Self::Untracked,
            Self::CrossSitePost => Self::CrossSitePost,
        }
    }

    /// Whether the request may start a session.
    pub(crate) const fn may_start(self) -> bool {
        match self {
            Self::Navigation | Self::Unspecific | Self::Login => true,
            Self::CrossSitePost | Self::Untracked => false,
        }
    }

    /// Whether a handler that names the user may start a session by that.
    pub(crate) const fn may_sign_in(self) -> bool {
        self.may_start() || matches!(self, Self::CrossSitePost)
    }

    /// Whether a refusal is a page for this caller: for navigations, and for clients that take whatever comes and are no script
    /// of a page.
    pub(crate) fn takes_page(self, headers: &HeaderMap) -> bool {
        match self {
            Self::Navigation => true,
            Self::Unspecific => fetch_mode_is_navigate(headers).is_none(),
            Self::Login | Self::CrossSitePost | Self::Untracked => is_navigation(headers),
        }
    }
}

/// Whether the request changes something and comes from a page of our own or from a program: not a prefetch, and not from another site.
/// A handler that has verified the user may start a session by it, also where no browser says that it navigates.
pub(crate) fn is_own_change(request: &Parts) -> bool {
    !request.method.is_safe() && !is_prefetch(&request.headers) && !is_cross_site(&request.headers)
}

/// Whether the request is a `GET` for a page in a tab or window of its own, not in a frame, as far as the browser says.
pub(crate) fn opens_a_document(request: &Parts) -> bool {
    request.method == Method::GET
        && !header_fields::has_member_other_than(&request.headers, "sec-fetch-dest", &["document"])
}

/// Whether the browser says that it loads a part of a page: a script, a picture, a font.
fn loads_a_part(headers: &HeaderMap) -> bool {
    header_fields::has_member_other_than(headers, "sec-fetch-dest", &["document", "empty"])
        || header_fields::members(headers, "sec-fetch-mode").any(|mode| mode == b"no-cors")
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    header_fields::members(headers, "sec-fetch-site").any(|site| site == b"cross-site")
}

fn accepts_html(headers: &HeaderMap) -> bool {
    header_fields::accepts(headers, "text/html")
}

/// Whether `Accept` is absent or says `*/*` alone.
fn accepts_anything(headers: &HeaderMap) -> bool {
    header_fields::media_ranges(headers).all(|range| range == b"*/*")
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

    fn request(method: &str, headers: Headers<'_>) -> Parts {
        let request = Request::builder().method(method);
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
        let cases: [(&str, Headers<'_>, RequestKind, RequestKind); 26] = [
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
            ("GET", &[ANYTHING, CORS, ("sec-fetch-dest", b"empty")], Unspecific, Untracked),
            ("GET", &[ANYTHING, CORS, ("sec-fetch-dest", b"font")], Untracked, Untracked),
            ("GET", &[ANYTHING, ("sec-fetch-mode", b"no-cors"), ("sec-fetch-dest", b"script")], Untracked, Untracked),
            ("GET", &[("accept", b"image/avif,*/*;q=0.8")], Untracked, Untracked),
            ("GET", &[JSON], Untracked, Untracked),
            ("HEAD", &[HTML], Untracked, Untracked),
            ("POST", &[ANYTHING], Untracked, Untracked),
        ];
        for (method, headers, any, navigation) in cases {
            let request = request(method, headers);
            assert_eq!(RequestKind::of(&request, RouteKind::App, SessionStart::Any), any, "{request:?}");
            assert_eq!(RequestKind::of(&request, RouteKind::App, SessionStart::Navigation), navigation, "{request:?}");
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
            assert_eq!(
                RequestKind::of(&request("POST", headers), RouteKind::Login, SessionStart::Navigation),
                expected
            );
        }
        assert_eq!(RequestKind::of(&request("GET", &[JSON]), RouteKind::Login, SessionStart::Any), Untracked);
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
            let request = request(method, headers);
            let kind = RequestKind::of(&request, RouteKind::App, SessionStart::Any);
            assert_eq!(kind.takes_page(&request.headers), page, "{request:?}");
        }
    }
}
