//! The pages that the service itself shows. Its answers are HTML for navigations, and problem documents for all other requests.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue};
use http_support::header_fields::is_navigation;
use http_support::{Problem, security_headers};

use crate::assets::{RELOAD_PATH, RETRY_PATH};
use crate::route_prefix::RoutePrefix;

/// A page that the service shows. The app may supply its own design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page<'a> {
    /// The user has signed out, or was signed out.
    SignedOut {
        /// The path of the app's first page for this user.
        base: &'a str,
        /// Whether the page signed out automatically at the end of a countdown.
        automatic: bool,
    },
    /// Asks for confirmation before signing out, by `POST` to `logout` below `routes`: the user may not have made the request (another
    /// site, a prefetch or an image can cause it).
    ConfirmSignOut {
        /// The path of the app's first page for this user.
        base: &'a str,
        /// The path of Lastcall's own routes for this user. Ends with a slash.
        routes: &'a str,
    },
    /// Maintenance: new sessions are refused.
    Maintenance {
        /// The expected duration, if the operator has set one.
        back_in: Option<Duration>,
        /// The address to open on retry; empty: the current page.
        location: &'a str,
    },
    /// This pod is about to stop. A retry reaches another pod.
    TryAgain {
        /// The address to open on retry; empty: the current page.
        location: &'a str,
    },
    /// The session cannot be looked up now; a retry will find it.
    Searching {
        /// The address to open on retry; empty: the current page.
        location: &'a str,
    },
    /// The request carried the cookie from before a login. The browser has a new one by now, so the page reloads once
    /// ([`crate::RELOAD_SCRIPT`]).
    SessionRenewed {
        /// The address to open; empty: the current page.
        location: &'a str,
        /// Whether the page has reloaded already, without scripts. It does not reload again.
        is_repeated: bool,
    },
    /// This pod has reached `MAX_SESSIONS`.
    Busy {
        /// The address to open on retry; empty: the current page.
        location: &'a str,
    },
    /// The app behind the proxy does not answer now: it may be starting.
    AppUnavailable {
        /// The address to open on retry; empty: the current page.
        location: &'a str,
    },
    /// Something is wrong with the request.
    Problem {
        /// The status of the answer.
        status: StatusCode,
        /// A short summary of the problem.
        title: &'a str,
        /// What the user can do about it.
        detail: &'a str,
    },
}

/// Renders the pages as HTML. The service sets status and headers.
pub trait Pages: Send + Sync + 'static {
    /// The page as a complete HTML document. Text from users must be escaped.
    fn html(&self, page: Page<'_>) -> String;
}

/// Pages without a design: the default.
#[derive(Clone, Debug, Default)]
pub struct PlainPages {
    prefix: RoutePrefix,
}

impl PlainPages {
    /// Creates the pages for routes with this prefix ([`Config::route_prefix`](crate::Config::route_prefix)).
    pub const fn new(prefix: RoutePrefix) -> Self {
        Self { prefix }
    }
}

impl Pages for PlainPages {
    fn html(&self, page: Page<'_>) -> String {
        let (title, text, more) = match page {
            Page::SignedOut { base, .. } => {
                ("You are signed out", "Goodbye.", format!("<p><a href=\"{base}\">Sign in again</a></p>"))
            }
            Page::ConfirmSignOut { routes, .. } => (
                "Sign out?",
                "Nothing has happened yet.",
                format!("<form method=\"post\" action=\"{routes}logout\"><button>Sign out</button></form>"),
            ),
            Page::Maintenance { location, .. } => {
                ("We'll be back soon", "This service is under maintenance.", self.retry(30, location))
            }
            Page::TryAgain { location } => {
                ("One moment", "This server is about to stop. Another server will answer.", self.retry(1, location))
            }
            Page::Searching { location } => {
                ("One moment", "We are looking up your session. Nothing is lost.", self.retry(1, location))
            }
            Page::SessionRenewed { location, is_repeated } => (
                "One moment",
                "You have just signed in. This page will reload automatically.",
                self.reload(location, is_repeated),
            ),
            Page::Busy { location } => {
                ("We are full right now", "Please try again in a moment.", self.retry(5, location))
            }
            Page::AppUnavailable { location } => (
                "One moment",
                "The application does not answer right now. It may be starting.",
                self.retry(1, location),
            ),
            Page::Problem { title, detail, .. } => (title, detail, String::new()),
        };
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
             <meta name=\"viewport\" content=\"width=device-width\"></head>\
             <body><main><h1>{title}</h1><p>{text}</p>{more}</main></body></html>"
        )
    }
}

impl PlainPages {
    /// Retries to open `location`: with scripts after a random delay, without scripts after `seconds`.
    fn retry(&self, seconds: u32, location: &str) -> String {
        let (refresh, prefix) = (refresh(seconds, location), self.prefix.as_str());
        format!(
            "<p><span id=\"again\" role=\"status\">This page tries again by itself.</span> \
             <span id=\"trying\" aria-hidden=\"true\"></span></p>\
             <p><a href=\"{location}\" data-location=\"{location}\">Try again now</a></p>\
             <script src=\"{prefix}{RETRY_PATH}\" data-again=\"{seconds}\" data-prefix=\"{prefix}\" defer></script>{refresh}"
        )
    }

    /// Opens `location` once, with or without scripts.
    fn reload(&self, location: &str, is_repeated: bool) -> String {
        let prefix = self.prefix.as_str();
        let refresh = if is_repeated { String::new() } else { refresh(1, location) };
        format!(
            "<p><a href=\"{location}\">Open it now</a></p>\
             <script src=\"{prefix}{RELOAD_PATH}\" data-location=\"{location}\" defer></script>{refresh}"
        )
    }
}

/// Opens `location` after `seconds` in browsers without scripts.
fn refresh(seconds: u32, location: &str) -> String {
    let url = if location.is_empty() { String::new() } else { format!(";url={location}") };
    format!("<noscript><meta http-equiv=\"refresh\" content=\"{seconds}{url}\"></noscript>")
}

/// Pages contain no inline scripts or styles.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Writes an HTML page.
pub(crate) fn html(status: StatusCode, html: String) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    security_headers::add(headers, security_headers::NOT_A_PAGE);
    response
}

/// Creates an error response: the app's page for a navigation, `application/problem+json` for any other request. Use it for the app's
/// own errors, too, so that they look the same.
pub fn problem(pages: &dyn Pages, headers: &HeaderMap, status: StatusCode, title: &str, detail: &str) -> Response {
    let problem = Problem::new(status, title.to_owned(), detail.to_owned());
    problem_to(pages, is_navigation(headers), problem)
}

/// Like [`problem`], if it is known whether the request is a navigation.
pub(crate) fn problem_to(pages: &dyn Pages, navigates: bool, problem: Problem) -> Response {
    if !navigates {
        return problem.into_response();
    }
    let Problem { status, title, detail, .. } = &problem;
    html(*status, pages.html(Page::Problem { status: *status, title, detail }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_plain_page_has_a_script_or_a_style_in_it() {
        let problem = Page::Problem { status: StatusCode::NOT_FOUND, title: "x", detail: "y" };
        for page in [
            Page::TryAgain { location: "" },
            Page::Maintenance { back_in: None, location: "" },
            Page::Searching { location: "" },
            Page::Busy { location: "/" },
            Page::SessionRenewed { location: "/", is_repeated: false },
            Page::SignedOut { base: "/", automatic: true },
            problem,
        ] {
            let html = PlainPages::default().html(page);
            let scripts = html.matches("<script").count();
            assert_eq!(scripts, html.matches("defer></script>").count(), "{html}");
            assert!(!html.contains("style"), "{html}");
        }
        assert!(PlainPages::default().html(Page::TryAgain { location: "" }).contains(RETRY_PATH));
    }
}
